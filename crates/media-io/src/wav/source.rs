//! A WAV file that is played into a call.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use hound::{SampleFormat, WavReader, WavSpec};
use media::frame::sample_from_unit;
use media::resample::Resampler;
use media::{FRAME_SAMPLES, Frame, SAMPLE_RATE_HZ};

use super::WavError;
use crate::AudioSource;

/// Longest file that is taken: it is kept in memory.
const MAX_SECS: u64 = 600;

/// What comes after the last sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterEnd {
    /// The first again.
    Loop,
    /// Nothing more.
    Silence,
}

/// A file of any rate and number of channels, held in memory as mono at 48 kHz.
///
/// While nobody listens it waits, so that its beginning is not lost.
#[derive(Clone, Debug)]
pub struct WavSource {
    samples: Vec<i16>,
    next: usize,
    after_end: AfterEnd,
}

impl WavSource {
    /// Reads the whole file. Blocks; call it before the session starts.
    ///
    /// # Errors
    ///
    /// [`WavError`] if the file cannot be read, is empty, or is longer than ten minutes.
    pub fn open(path: &Path, after_end: AfterEnd) -> Result<Self, WavError> {
        Ok(Self {
            samples: read_samples(path)?,
            next: 0,
            after_end,
        })
    }

    /// Looks at the file without reading all of it: it has sound in a form that can be played.
    ///
    /// # Errors
    ///
    /// As [`WavSource::open`].
    pub fn check(path: &Path) -> Result<(), WavError> {
        let (mut reader, _) = open(path)?;
        let has_sound = match reader.spec().sample_format {
            SampleFormat::Float => reader
                .samples::<f32>()
                .next()
                .is_some_and(|one| one.is_ok()),
            SampleFormat::Int => reader
                .samples::<i32>()
                .next()
                .is_some_and(|one| one.is_ok()),
        };
        has_sound
            .then_some(())
            .ok_or_else(|| unsuitable(path, "is empty"))
    }

    /// How long the file plays once.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let micros = self.samples.len() as u64 * 1_000_000 / u64::from(SAMPLE_RATE_HZ);
        Duration::from_micros(micros)
    }
}

impl AudioSource for WavSource {
    fn read(&mut self, frame: &mut Frame) {
        let mut filled = 0;
        while filled < FRAME_SAMPLES {
            let rest = &self.samples[self.next..];
            let len = rest.len().min(FRAME_SAMPLES - filled);
            frame[filled..filled + len].copy_from_slice(&rest[..len]);
            filled += len;
            self.next += len;
            if self.next < self.samples.len() {
                continue;
            }
            match self.after_end {
                AfterEnd::Loop => self.next = 0,
                AfterEnd::Silence => {
                    frame[filled..].fill(0);
                    return;
                }
            }
        }
    }
}

/// The file as mono at 48 kHz, at least one sample.
pub(crate) fn read_samples(path: &Path) -> Result<Vec<i16>, WavError> {
    let (mut reader, mut resampler) = open(path)?;
    let spec = reader.spec();
    let values = read_values(&mut reader, spec);
    let mono: Vec<i16> = values
        .chunks_exact(usize::from(spec.channels))
        .map(downmix)
        .collect();
    let mut samples = Vec::new();
    if mono.is_empty() {
        return Err(unsuitable(path, "is empty"));
    }
    resampler.process(&mono, &mut samples);
    if spec.sample_rate != SAMPLE_RATE_HZ {
        // What the converter still holds, pushed out by silence.
        let tail = usize::try_from(spec.sample_rate / 50).unwrap_or(FRAME_SAMPLES);
        resampler.process(&vec![0; tail], &mut samples);
    }
    if samples.is_empty() {
        return Err(unsuitable(path, "is too short"));
    }
    Ok(samples)
}

type Reader = WavReader<io::BufReader<File>>;

/// Reads what the head of the file says; it has a form that can be played.
fn open(path: &Path) -> Result<(Reader, Resampler), WavError> {
    let read_error = |source| WavError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(read_error)?;
    let bytes = file.metadata().map_err(read_error)?.len();
    let reader = WavReader::new(io::BufReader::new(file)).map_err(|error| match error {
        hound::Error::IoError(error) if !ends_early(&error) => read_error(error),
        error => unsuitable(path, format!("is not a WAV file that can be read: {error}")),
    })?;
    let spec = reader.spec();
    if spec.channels == 0 || spec.sample_rate == 0 || spec.bits_per_sample == 0 {
        return Err(unsuitable(path, "has no channels"));
    }
    let bytes_per_sample = u64::from(spec.channels) * u64::from(spec.bits_per_sample.div_ceil(8));
    // A head may promise more than there is.
    let held = u64::from(reader.duration()).min(bytes / bytes_per_sample);
    if held / u64::from(spec.sample_rate) >= MAX_SECS {
        return Err(unsuitable(path, "is longer than ten minutes"));
    }
    let resampler = Resampler::new(spec.sample_rate, SAMPLE_RATE_HZ).map_err(|error| {
        let rate = error.from_hz;
        unsuitable(
            path,
            format!("has a sample rate of {rate} Hz, which cannot be converted"),
        )
    })?;
    Ok((reader, resampler))
}

/// The file is shorter than its head should be; hound has no kind of its own for that.
fn ends_early(error: &io::Error) -> bool {
    use io::ErrorKind::{Other, UnexpectedEof};
    matches!(error.kind(), Other | UnexpectedEof)
}

fn unsuitable(path: &Path, problem: impl Into<String>) -> WavError {
    WavError::Unsuitable {
        path: path.to_owned(),
        problem: problem.into(),
    }
}

/// All samples of all channels, ±1.0; what is cut off ends where it was cut.
fn read_values(reader: &mut Reader, spec: WavSpec) -> Vec<f32> {
    match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().map_while(Result::ok).collect(),
        SampleFormat::Int => {
            let full_scale = 2.0_f32.powi(i32::from(spec.bits_per_sample.clamp(1, 32)) - 1);
            reader
                .samples::<i32>()
                .map_while(Result::ok)
                .map(|value| to_f32(value) / full_scale)
                .collect()
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "more than 24 bits are not heard"
)]
fn to_f32(value: i32) -> f32 {
    value as f32
}

fn downmix(frame: &[f32]) -> i16 {
    let channels = f32::from(u16::try_from(frame.len()).unwrap_or(u16::MAX));
    sample_from_unit(frame.iter().sum::<f32>() / channels)
}

#[cfg(test)]
mod tests {
    use hound::WavWriter;
    use media::SILENCE;
    use media::tone::share_at;

    use super::*;

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the values are made to fit"
    )]
    fn write_tone(path: &Path, spec: WavSpec, seconds: u32) {
        let mut writer = WavWriter::create(path, spec).unwrap();
        for n in 0..spec.sample_rate * seconds {
            let value =
                (f64::from(n) * 500.0 * std::f64::consts::TAU / f64::from(spec.sample_rate)).sin()
                    * 0.5;
            for channel in 0..spec.channels {
                // The first channel alone, so that a wrong downmix is heard.
                let value = if channel == 0 { value } else { 0.0 };
                match spec.sample_format {
                    SampleFormat::Float => writer
                        .write_sample(to_f32((value * 1e6) as i32) / 1e6)
                        .unwrap(),
                    SampleFormat::Int => writer
                        .write_sample(
                            (value * 2_f64.powi(i32::from(spec.bits_per_sample) - 1)) as i32,
                        )
                        .unwrap(),
                }
            }
        }
        writer.finalize().unwrap();
    }

    #[test]
    fn any_rate_width_and_number_of_channels_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        for (sample_rate, channels, bits_per_sample, sample_format) in [
            (48_000, 1, 16, SampleFormat::Int),
            (8_000, 1, 8, SampleFormat::Int),
            (44_100, 2, 24, SampleFormat::Int),
            (16_000, 1, 32, SampleFormat::Float),
            (22_050, 2, 16, SampleFormat::Int),
        ] {
            write_tone(
                &path,
                WavSpec {
                    channels,
                    sample_rate,
                    bits_per_sample,
                    sample_format,
                },
                2,
            );
            let source = WavSource::open(&path, AfterEnd::Silence).unwrap();
            let seconds = source.duration().as_secs_f64();
            assert!(
                (1.98..2.05).contains(&seconds),
                "{sample_rate} Hz: {seconds} s"
            );
            assert!(
                share_at(&source.samples[24_000..72_000], 500.0, 48_000) > 0.99,
                "{sample_rate} Hz"
            );
            let level = media::level::level_dbfs(&source.samples[24_000..72_000]);
            let expected = -9.03 - if channels == 2 { 6.02 } else { 0.0 };
            assert!(
                (level - expected).abs() < 0.2,
                "{sample_rate} Hz: {level} dB"
            );
        }
    }

    #[test]
    fn after_the_end_comes_silence_or_the_beginning() {
        let source = WavSource {
            samples: (1..=500).collect(),
            next: 0,
            after_end: AfterEnd::Silence,
        };
        let mut once = source.clone();
        let mut frame = SILENCE;
        once.read(&mut frame);
        once.read(&mut frame);
        assert_eq!((frame[19], frame[20]), (500, 0));
        once.read(&mut frame);
        assert_eq!(frame, SILENCE);
        let mut again = WavSource {
            after_end: AfterEnd::Loop,
            ..source
        };
        again.read(&mut frame);
        again.read(&mut frame);
        assert_eq!((frame[19], frame[20]), (500, 1));
    }

    #[test]
    fn unusable_files_are_told_apart_in_plain_words() {
        let folder = tempfile::tempdir().unwrap();
        let missing = WavSource::open(&folder.path().join("no.wav"), AfterEnd::Loop).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("cannot read the sound file"),
            "{missing}"
        );
        let text = folder.path().join("text.wav");
        std::fs::write(&text, "not sound").unwrap();
        let problem = |content: &[u8]| {
            std::fs::write(&text, content).unwrap();
            let error = WavSource::open(&text, AfterEnd::Loop).unwrap_err();
            let checked = WavSource::check(&text).unwrap_err();
            assert_eq!(error.to_string(), checked.to_string());
            let told = error.to_string();
            let (problem, accepted) = told.rsplit_once("; ").unwrap();
            assert!(accepted.starts_with("what can be used are WAV files"));
            problem.split("/text.wav ").last().unwrap().to_owned()
        };
        let no_wav = "is not a WAV file that can be read: ";
        for content in [
            &b""[..],
            b"not sound",
            b"not sound, but long enough that a head would have its room",
            b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1e\x01vorbis",
            b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x11\0\x01\0",
        ] {
            assert!(problem(content).starts_with(no_wav), "{}", problem(content));
        }
        let empty = folder.path().join("empty.wav");
        write_tone(
            &empty,
            WavSpec {
                channels: 1,
                sample_rate: 48_000,
                bits_per_sample: 16,
                sample_format: SampleFormat::Int,
            },
            0,
        );
        let error = WavSource::open(&empty, AfterEnd::Loop).unwrap_err();
        assert!(error.to_string().contains(" is empty; "), "{error}");
        assert!(WavSource::check(&empty).is_err());
        assert!(
            WavSource::open(folder.path(), AfterEnd::Loop)
                .unwrap_err()
                .to_string()
                .starts_with("cannot read")
        );
    }

    #[test]
    fn a_head_that_lies_about_the_length_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        let spec = WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        write_tone(&path, spec, 1);
        let genuine = std::fs::read(&path).unwrap();
        // As written by who did not know the length, and by who was cut off.
        for claimed in [u32::MAX - 1, 96_000 * 3] {
            let mut lying = genuine.clone();
            lying[40..44].copy_from_slice(&claimed.to_le_bytes());
            std::fs::write(&path, lying).unwrap();
            WavSource::check(&path).unwrap();
            let source = WavSource::open(&path, AfterEnd::Silence).unwrap();
            assert_eq!(source.duration(), Duration::from_secs(1), "{claimed}");
        }
    }
}
