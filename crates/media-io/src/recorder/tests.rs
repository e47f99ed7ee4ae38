use std::sync::mpsc::{Receiver, channel};

use hound::WavReader;
use media::SAMPLE_RATE_HZ;
use media::tone::{Tone, share_at};
use ogg::PacketReader;
use opusic_c::{Channels, Decoder, SampleRate};

use super::*;

const LEFT_HZ: f64 = 500.0;
const RIGHT_HZ: f64 = 1_300.0;

/// Records hums, one per side.
fn hum(recorder: &mut Recorder, blocks: usize) {
    let mut tones = [LEFT_HZ, RIGHT_HZ].map(|hz| Tone::new(hz, SAMPLE_RATE_HZ, 0.4));
    for _ in 0..blocks {
        let mut sides = [SILENCE; 2];
        for (tone, side) in tones.iter_mut().zip(&mut sides) {
            tone.fill(side);
        }
        recorder.record(&sides[0], &sides[1]);
    }
}

/// The two sides of a file.
fn sides_of(path: &Path, format: RecordingFormat) -> [Vec<i16>; 2] {
    let samples: Vec<i16> = match format {
        RecordingFormat::Wav => WavReader::open(path)
            .unwrap()
            .into_samples()
            .map(Result::unwrap)
            .collect(),
        RecordingFormat::OggOpus => decoded(path),
    };
    [0, 1].map(|side| samples.iter().skip(side).step_by(2).copied().collect())
}

/// By the letter of RFC 7845: leaves out the pre-skip, ends at the position of the last page.
fn decoded(path: &Path) -> Vec<i16> {
    let mut reader = PacketReader::new(std::fs::File::open(path).unwrap());
    let head = reader.read_packet_expected().unwrap();
    assert!(head.data.starts_with(b"OpusHead\x01\x02") && head.last_in_page());
    let pre_skip = usize::from(u16::from_le_bytes([head.data[10], head.data[11]]));
    let tags = reader.read_packet_expected().unwrap();
    assert!(tags.data.starts_with(b"OpusTags") && tags.last_in_page());
    let mut decoder = Decoder::new(Channels::Stereo, SampleRate::Hz48000).unwrap();
    let (mut samples, mut end) = (Vec::new(), 0);
    while let Ok(Some(packet)) = reader.read_packet() {
        let mut out = [0; 2 * 5_760];
        let decoded = decoder.decode_to_slice(&packet.data, &mut out, false);
        let heard = &out[..2 * decoded.unwrap()];
        samples.extend(heard.iter().map(|sample| sample.cast_signed()));
        end = usize::try_from(packet.absgp_page()).unwrap();
    }
    samples.truncate(2 * end);
    // A file that has just begun holds less than that.
    samples.split_off((2 * pre_skip).min(samples.len()))
}

fn assert_sides(sides: &[Vec<i16>; 2]) {
    for (side, (own, other)) in sides.iter().zip([(LEFT_HZ, RIGHT_HZ), (RIGHT_HZ, LEFT_HZ)]) {
        let settled = &side[4_800..side.len() - 480];
        assert!(share_at(settled, own, SAMPLE_RATE_HZ) > 0.99);
        assert!(share_at(settled, other, SAMPLE_RATE_HZ) < 1e-4, "bleeds");
    }
}

const FORMATS: [RecordingFormat; 2] = [RecordingFormat::Wav, RecordingFormat::OggOpus];

#[test]
fn each_side_is_in_its_channel_for_exactly_as_long_as_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call");
    for format in FORMATS {
        let mut recorder = Recorder::create(&path, format).unwrap();
        hum(&mut recorder, 235);
        let recording = recorder.finish().unwrap();
        assert_eq!(recording.duration, Duration::from_millis(2_350));
        assert_eq!(recording.lost, Duration::ZERO);
        let sides = sides_of(&path, format);
        assert_eq!(sides[0].len(), 235 * 480, "{format:?}");
        assert_sides(&sides);
    }
}

#[test]
fn an_empty_recording_is_a_file_that_plays_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call");
    for format in FORMATS {
        Recorder::create(&path, format).unwrap().finish().unwrap();
        assert_eq!(
            sides_of(&path, format),
            [Vec::<i16>::new(), Vec::new()],
            "{format:?}"
        );
    }
}

#[test]
fn a_recording_cut_off_in_the_middle_plays_up_to_the_last_second() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let path = folder.path().join(format!("{format:?}"));
        let copy = folder.path().join("copy");
        let mut recorder = Recorder::create(&path, format).unwrap();
        hum(&mut recorder, 340);
        // The file as a killed process leaves it. The third update may still come.
        let sides = loop {
            std::fs::copy(&path, &copy).unwrap();
            let sides = sides_of(&copy, format);
            if sides[0].len() >= 295 * 480 {
                break sides;
            }
            std::thread::yield_now();
        };
        assert_sides(&sides);
        recorder.finish().unwrap();
    }
}

/// A disk that takes a block only when told.
struct SlowDisk {
    permits: Receiver<()>,
    written: std::sync::mpsc::Sender<i16>,
}

impl StereoFile for SlowDisk {
    fn write(&mut self, sides: &[Frame; 2]) -> io::Result<()> {
        // Once the sender is gone the disk is fast.
        let _ = self.permits.recv();
        self.written.send(sides[0][0]).map_err(io::Error::other)
    }

    fn update(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_slow_disk_never_delays_a_call_and_what_is_lost_is_counted_and_leaves_silence() {
    let (permit, permits) = channel();
    let (written, on_disk) = channel();
    let disk = Box::new(SlowDisk { permits, written });
    let mut recorder = Recorder::start(disk, Path::new("slow")).unwrap();
    for _ in 0..MAX_WAITING + 101 {
        recorder.record(&[1; 480], &SILENCE);
    }
    let lost = recorder.lost;
    assert!((100..=101).contains(&lost), "{lost}");
    drop(permit);
    // Room again, then one more block goes through.
    assert!(on_disk.iter().take(MAX_WAITING).all(|sample| sample == 1));
    recorder.record(&[2; 480], &SILENCE);
    let recording = recorder.finish().unwrap();
    assert_eq!(recording.lost, FRAME_DURATION * lost);
    let rest: Vec<i16> = on_disk.iter().collect();
    let silent = rest.iter().filter(|&&sample| sample == 0).count();
    assert_eq!(u32::try_from(silent).unwrap(), lost);
    assert_eq!(rest.last(), Some(&2));
}

/// A disk that is full.
struct FullDisk;

impl StereoFile for FullDisk {
    fn write(&mut self, _sides: &[Frame; 2]) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn update(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_said_at_the_end_and_the_call_goes_on() {
    let mut recorder = Recorder::start(Box::new(FullDisk), Path::new("full")).unwrap();
    recorder.record(&SILENCE, &SILENCE);
    while recorder.is_writing() {
        std::thread::yield_now();
    }
    recorder.record(&SILENCE, &SILENCE);
    let error = recorder.finish().unwrap_err();
    assert_eq!(error.to_string(), "the recording full ends early");
}

#[test]
fn a_place_that_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let error = Recorder::create(&folder.path().join("no/such/folder"), format).unwrap_err();
        assert!(error.to_string().starts_with("cannot make the recording"));
    }
}
