use hound::{SampleFormat, WavSpec, WavWriter};
use media::tone::{Tone, share_at};
use ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};
use proptest::prelude::*;

use super::*;
use crate::{Recorder, RecordingFormat};

const FORMATS: [RecordingFormat; 2] = [RecordingFormat::Wav, RecordingFormat::OggOpus];

/// A recording whose pitch tells the place: second n hums at 300 + 100 n Hz on both sides.
/// Shorter than what may wait for the disk, so that nothing is lost on a busy machine.
fn recording(path: &Path, format: RecordingFormat, frames: usize) {
    let mut recorder = Recorder::create(path, format).unwrap();
    for second in 0..frames.div_ceil(100) {
        let mut tone = Tone::new(pitch(second), SAMPLE_RATE_HZ, 0.4);
        for _ in 0..(frames - second * 100).min(100) {
            let mut frame = SILENCE;
            tone.fill(&mut frame);
            recorder.record(&frame, &frame);
        }
    }
    assert_eq!(recorder.finish().unwrap().lost, Duration::ZERO);
}

fn pitch(second: usize) -> f64 {
    300.0 + 100.0 * f64::from(u32::try_from(second).unwrap())
}

/// The next frames, or all until the end if there are fewer.
fn play(player: &mut Player, frames: usize) -> Vec<i16> {
    let mut samples = Vec::new();
    while samples.len() < frames * FRAME_SAMPLES {
        match player.next_frame() {
            Played::Frame(frame) => samples.extend_from_slice(frame.as_slice()),
            Played::Waiting => std::thread::yield_now(),
            Played::Ended => break,
        }
    }
    samples
}

fn hums_of_second(samples: &[i16], second: usize) -> bool {
    share_at(samples, pitch(second), SAMPLE_RATE_HZ) > 0.95
}

#[test]
fn a_recording_plays_from_beginning_to_end_in_both_formats() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call");
    for format in FORMATS {
        recording(&path, format, 250);
        let mut player = Player::open(&path, AfterEnd::Silence).unwrap();
        assert_eq!(player.duration(), Duration::from_millis(2_500));
        let samples = play(&mut player, 1_000);
        assert_eq!(samples.len(), 250 * FRAME_SAMPLES, "{format:?}");
        for second in 0..2 {
            let middle = &samples[second * 48_000 + 4_800..][..38_400];
            assert!(hums_of_second(middle, second), "{format:?} {second}");
        }
        assert!(player.has_ended());
        assert_eq!(player.position(), player.duration());
        assert_eq!(player.next_frame(), Played::Ended, "and stays there");
    }
}

#[test]
fn seeking_goes_to_the_sample_forwards_and_back_and_from_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call");
    for format in FORMATS {
        recording(&path, format, 480);
        let mut player = Player::open(&path, AfterEnd::Silence).unwrap();
        let whole = play(&mut player, 1_000);
        for millis in [4_100_u32, 100, 4_030, 2_997, 0] {
            let to = Duration::from_millis(u64::from(millis));
            player.seek(to);
            assert_eq!(player.position(), to);
            let samples = play(&mut player, 40);
            assert_eq!(player.position(), to + Duration::from_millis(400));
            let there = usize::try_from(millis * 48).unwrap();
            let difference = samples
                .iter()
                .zip(&whole[there..])
                .map(|(a, b)| (i32::from(*a) - i32::from(*b)).abs())
                .max();
            // Opus has settled, but not to the bit.
            assert!(
                difference < Some(1_500),
                "{format:?} {millis}: {difference:?}"
            );
        }
        player.seek(Duration::from_secs(100));
        assert_eq!(play(&mut player, 10), [0_i16; 0]);
        assert!(player.has_ended());
        player.seek(Duration::from_millis(4_700));
        assert!(!player.has_ended());
        assert_eq!(play(&mut player, 100).len(), 10 * FRAME_SAMPLES);
    }
}

#[test]
fn music_on_hold_goes_round_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("music");
    for format in FORMATS {
        recording(&path, format, 133);
        let mut player = Player::open(&path, AfterEnd::Loop).unwrap();
        let samples = play(&mut player, 400);
        assert_eq!(samples.len(), 400 * FRAME_SAMPLES);
        let second_round = &samples[133 * FRAME_SAMPLES + 4_800..][..38_400];
        assert!(hums_of_second(second_round, 0), "{format:?}");
        assert_eq!(player.position(), Duration::from_millis(10));
    }
}

#[test]
fn any_rate_width_and_number_of_channels_of_wav_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tone.wav");
    for (sample_rate, channels, bits_per_sample) in
        [(8_000, 1, 8), (44_100, 2, 24), (22_050, 1, 16)]
    {
        let spec = WavSpec {
            channels,
            sample_rate,
            bits_per_sample,
            sample_format: SampleFormat::Int,
        };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        let mut hum = vec![0; usize::try_from(sample_rate).unwrap()];
        Tone::new(500.0, sample_rate, 0.5).fill(&mut hum);
        for sample in hum {
            let value = (i32::from(sample) << 8) >> (24 - bits_per_sample);
            for _ in 0..channels {
                writer.write_sample(value).unwrap();
            }
        }
        writer.finalize().unwrap();
        let mut player = Player::open(&path, AfterEnd::Silence).unwrap();
        assert_eq!(player.duration(), Duration::from_secs(1));
        let samples = play(&mut player, 1_000);
        assert_eq!(samples.len(), 48_000);
        assert!(share_at(&samples, 500.0, SAMPLE_RATE_HZ) > 0.95);
    }
}

#[test]
fn what_cannot_be_played_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let problem = |content: &[u8]| {
        std::fs::write(&path, content).unwrap();
        let error = Player::open(&path, AfterEnd::Silence).unwrap_err();
        let text = error.to_string();
        let (problem, accepted) = text.rsplit_once("; ").unwrap();
        assert_eq!(accepted, "what can be played are WAV and Ogg Opus");
        problem.split("/file ").last().unwrap().to_owned()
    };
    assert_eq!(problem(b""), "is empty");
    assert_eq!(problem(b"ID3\x04 an MP3"), "is neither WAV nor Ogg Opus");
    assert!(problem(b"RIFF\0\0\0\0AVI LIST").starts_with("is not a WAV file"));
    assert!(problem(b"OggS").starts_with("is damaged"));
    let missing = Player::open(&folder.path().join("none"), AfterEnd::Silence).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("cannot read the sound file")
    );
}

#[test]
fn a_file_cut_off_anywhere_plays_up_to_there_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call");
    for format in FORMATS {
        recording(&path, format, 320);
        let content = std::fs::read(&path).unwrap();
        std::fs::write(&path, &content[..content.len() * 4 / 5]).unwrap();
        let mut player = Player::open(&path, AfterEnd::Silence).unwrap();
        let samples = play(&mut player, 1_000);
        assert!(samples.len() >= 195 * FRAME_SAMPLES, "{}", samples.len());
        assert!(hums_of_second(&samples[4_800..43_200], 0));
    }
}

/// Reads from a place, straight at the track: a panic in the thread of a player would only end
/// the sound.
fn read_some(path: &Path, seek_millis: u64) {
    let Ok(mut track) = open_track(File::open(path).unwrap()) else {
        return;
    };
    let mut samples = Vec::new();
    let _ = track.seek(seek_millis * 48);
    for _ in 0..200 {
        let before = samples.len();
        if track.read(&mut samples).is_err() || samples.len() == before {
            break;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn mutated_files_give_sound_or_an_error_and_never_a_panic(
        is_ogg in any::<bool>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        in_header in any::<bool>(),
        cut in any::<prop::sample::Index>(),
        seek_millis in 0_u64..5_000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let format = FORMATS[usize::from(is_ogg)];
        recording(&path, format, 120);
        let mut content = std::fs::read(&path).unwrap();
        let reach = if in_header { 160 } else { content.len() };
        for (place, value) in changes {
            content[place.index(reach)] = value;
        }
        content.truncate(cut.index(2 * content.len()).max(40));
        std::fs::write(&path, &content).unwrap();
        read_some(&path, seek_millis);
    }

    /// Checksums stop most mutations of Ogg; these are made before the checksum.
    #[test]
    fn well_formed_pages_of_nonsense_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 0..12),
        positions in proptest::collection::vec(prop_oneof![any::<u64>(), 0..20_000_u64, Just(u64::MAX - 1), Just(u64::MAX / 2)], 1..5),
        keep_headers in any::<bool>(),
        seek_millis in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        recording(&path, RecordingFormat::OggOpus, 10);
        let mut reader = PacketReader::new(File::open(&path).unwrap());
        let mut packets = Vec::new();
        while let Some(packet) = reader.read_packet().unwrap() {
            packets.push(packet.data);
        }
        let first = if keep_headers { 2 } else { 0 };
        for (packet, place, value) in changes {
            let packet = packet.index(packets.len() - first) + first;
            let place = place.index(packets[packet].len());
            packets[packet][place] = value;
        }
        let mut writer = PacketWriter::new(File::create(&path).unwrap());
        for (n, packet) in packets.into_iter().enumerate() {
            let position = if n < 2 { 0 } else { positions[n % positions.len()] };
            writer.write_packet(packet, 7, PacketWriteEndInfo::EndPage, position).unwrap();
        }
        read_some(&path, seek_millis % 1_000_000);
    }
}
