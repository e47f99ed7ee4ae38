//! A WAV file of any rate, width and number of channels.

use std::fs::File;
use std::io::BufReader;

use hound::{SampleFormat, WavReader, WavSpec};
use media::SAMPLE_RATE_HZ;
use media::frame::sample_from_unit;
use media::resample::Resampler;

use super::{Track, TrackError, unsuitable};

pub(super) struct WavTrack {
    reader: WavReader<BufReader<File>>,
    spec: WavSpec,
    /// Samples per channel in the file, and the next of them.
    len: u32,
    next: u32,
    resampler: Resampler,
    /// Samples of output that are the delay of the resampler and not heard.
    skip: usize,
    /// Samples of output until the end.
    remaining: u64,
}

impl WavTrack {
    pub(super) fn open(file: File) -> Result<Self, TrackError> {
        let bytes = file.metadata()?.len();
        let reader = WavReader::new(BufReader::new(file)).map_err(from_hound)?;
        let spec = reader.spec();
        if spec.channels == 0 || spec.bits_per_sample == 0 {
            return Err(unsuitable("has no channels"));
        }
        // Truncated files promise more than they have.
        let bytes_per_sample =
            u64::from(spec.channels) * u64::from(spec.bits_per_sample.div_ceil(8));
        let held = u32::try_from(bytes / bytes_per_sample).unwrap_or(u32::MAX);
        let mut track = Self {
            len: reader.duration().min(held),
            reader,
            spec,
            next: 0,
            resampler: resampler(spec)?,
            skip: 0,
            remaining: 0,
        };
        track.seek(0)?;
        Ok(track)
    }

    /// The next sample of all channels together; `None` if the file ends here.
    fn next_mono(&mut self) -> Result<Option<i16>, TrackError> {
        let channels = usize::from(self.spec.channels);
        let full_scale = 2.0_f32.powi(i32::from(self.spec.bits_per_sample.clamp(1, 32)) - 1);
        let mut sum = 0.0;
        for _ in 0..channels {
            let value = match self.spec.sample_format {
                SampleFormat::Float => self.reader.samples::<f32>().next(),
                SampleFormat::Int => self
                    .reader
                    .samples::<i32>()
                    .next()
                    .map(|value| value.map(|value| to_f32(value) / full_scale)),
            };
            match value {
                Some(value) => sum += value.map_err(from_hound)?,
                None => return Ok(None),
            }
        }
        self.next += 1;
        Ok(Some(sample_from_unit(sum / f32::from(self.spec.channels))))
    }
}

impl Track for WavTrack {
    fn duration_samples(&self) -> u64 {
        u64::from(self.len) * u64::from(SAMPLE_RATE_HZ) / u64::from(self.spec.sample_rate.max(1))
    }

    fn seek(&mut self, sample: u64) -> Result<(), TrackError> {
        let sample = sample.min(self.duration_samples());
        let place = sample * u64::from(self.spec.sample_rate) / u64::from(SAMPLE_RATE_HZ);
        let place = u32::try_from(place).unwrap_or(u32::MAX).min(self.len);
        self.reader.seek(place)?;
        self.next = place;
        self.resampler = resampler(self.spec)?;
        self.skip = self.resampler.delay_samples();
        self.remaining = self.duration_samples() - sample;
        Ok(())
    }

    fn read(&mut self, out: &mut Vec<i16>) -> Result<(), TrackError> {
        let block = usize::try_from(self.spec.sample_rate / 50)
            .unwrap_or(0)
            .max(1);
        let mut converted = Vec::new();
        while converted.is_empty() && self.remaining > 0 {
            let mut mono = Vec::with_capacity(block);
            while mono.len() < block && self.next < self.len {
                match self.next_mono()? {
                    Some(sample) => mono.push(sample),
                    None => self.len = self.next,
                }
            }
            // Beyond the end silence pushes out what the resampler still holds.
            mono.resize(block, 0);
            self.resampler.process(&mono, &mut converted);
            let skipped = self.skip.min(converted.len());
            self.skip -= skipped;
            converted.drain(..skipped);
        }
        let len = usize::try_from(self.remaining)
            .map_or(converted.len(), |rest| rest.min(converted.len()));
        out.extend_from_slice(&converted[..len]);
        self.remaining -= len as u64;
        Ok(())
    }
}

fn resampler(spec: WavSpec) -> Result<Resampler, TrackError> {
    Resampler::new(spec.sample_rate, SAMPLE_RATE_HZ).map_err(|error| {
        unsuitable(format!(
            "has a sample rate of {} Hz, which is not played",
            error.from_hz
        ))
    })
}

fn from_hound(error: hound::Error) -> TrackError {
    match error {
        hound::Error::IoError(error) => TrackError::Io(error),
        other => unsuitable(format!("is not a WAV file that can be read: {other}")),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "more than 24 bits are not heard"
)]
fn to_f32(value: i32) -> f32 {
    value as f32
}
