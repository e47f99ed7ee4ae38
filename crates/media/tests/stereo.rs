//! Peers that send stereo Opus (RFC 7587 section 3.4): heard as half the sum of both channels, in every mode of the codec, also while
//! packets are lost and while the stream goes between mono and stereo.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::Path;
use std::time::{Duration, Instant};

use hound::WavReader;
use media::jitter::AudioPacket;
use media::tone::{Tone, share_at};
use media::{Codec, Counters, FRAME_DURATION, FRAME_SAMPLES, JitterConfig, ReceivePipeline};
use opusic_c::{Application, Bandwidth, Bitrate, Channels, Encoder, InbandFec, SampleRate, Signal};

/// Samples of a channel in 20 ms.
const BLOCK: usize = 960;
/// The stereo flag of a packet's first byte (RFC 6716 section 3.1).
const IS_STEREO: u8 = 0x04;

/// What a peer encodes with, and the configurations of RFC 6716 table 2 that it then uses.
#[derive(Debug)]
struct Mode {
    application: Application,
    bandwidth: Bandwidth,
    bitrate: u32,
    configs: std::ops::Range<u8>,
}

const SILK: Mode = Mode {
    application: Application::Voip,
    bandwidth: Bandwidth::Wide,
    bitrate: 24_000,
    configs: 0..12,
};
const HYBRID: Mode = Mode {
    application: Application::Voip,
    bandwidth: Bandwidth::Full,
    bitrate: 48_000,
    configs: 12..16,
};
const CELT: Mode = Mode {
    application: Application::Audio,
    bandwidth: Bandwidth::Full,
    bitrate: 128_000,
    configs: 16..32,
};

/// 20 ms of a channel, one after another.
type Channel = Box<dyn FnMut() -> [i16; BLOCK]>;

/// A peer that has two channels.
struct Peer {
    encoder: Encoder,
    channels: [Channel; 2],
}

impl Peer {
    fn new(mode: &Mode, channels: [Channel; 2]) -> Self {
        let mut encoder =
            Encoder::new(Channels::Stereo, SampleRate::Hz48000, mode.application).unwrap();
        encoder.set_bitrate(Bitrate::Value(mode.bitrate)).unwrap();
        encoder.set_force_channels(Some(Channels::Stereo)).unwrap();
        if matches!(mode.application, Application::Voip) {
            encoder.set_signal(Signal::Voice).unwrap();
        }
        encoder.set_bandwidth(mode.bandwidth).unwrap();
        Self { encoder, channels }
    }

    fn sends_copies(&mut self) {
        self.encoder.set_inband_fec(InbandFec::Mode1).unwrap();
        self.encoder.set_packet_loss(20).unwrap();
    }

    /// A packet of so many times 20 ms.
    fn packet(&mut self, blocks: u32) -> Vec<u8> {
        let mut samples = Vec::new();
        for _ in 0..blocks {
            let sides = self.channels.each_mut().map(|channel| channel());
            let pairs = (0..BLOCK).flat_map(|at| sides.map(|side| side[at].cast_unsigned()));
            samples.extend(pairs);
        }
        let mut payload = vec![0; 1_275];
        let len = self
            .encoder
            .encode_to_slice(&samples, &mut payload)
            .unwrap();
        payload.truncate(len);
        payload
    }
}

fn tone(frequency_hz: f64, amplitude: f32) -> Channel {
    let mut tone = Tone::new(frequency_hz, 48_000, amplitude);
    Box::new(move || {
        let mut samples = [0; BLOCK];
        tone.fill(&mut samples);
        samples
    })
}

/// A recording of `var/speech`, which `scripts/setup` makes, over and over.
fn speech(name: &str) -> Channel {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../var/speech")
        .join(name);
    let mut reader = WavReader::open(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; scripts/setup makes it", path.display()));
    assert_eq!(reader.spec().sample_rate, 48_000);
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    let mut next = samples.into_iter().cycle();
    Box::new(move || std::array::from_fn(|_| next.next().unwrap()))
}

/// Our end: packets of 20 ms come on time, and what is heard is kept.
struct Ear {
    pipeline: ReceivePipeline,
    start: Instant,
    packets: u64,
    /// Passed so far, of 20 ms.
    blocks: u32,
    heard: Vec<i16>,
}

impl Ear {
    fn new() -> Self {
        Self {
            pipeline: ReceivePipeline::new(JitterConfig::default()),
            start: any_instant(),
            packets: 0,
            blocks: 0,
            heard: Vec::new(),
        }
    }

    /// So many times 20 ms pass. At their beginning comes a packet that lasts as long, or it is lost.
    fn hear(&mut self, blocks: u32, payload: Option<Vec<u8>>) {
        let start = self.start + Duration::from_millis(20) * self.blocks;
        if let Some(payload) = payload {
            let packet = AudioPacket {
                sequence: self.packets,
                timestamp: self.blocks * 960,
                duration_ticks: Codec::Opus.duration_ticks(&payload).unwrap(),
                marker: false,
                is_copy: false,
                mends: Codec::Opus.mends(&payload),
                payload_type: 96,
                payload,
            };
            self.pipeline.insert(packet, Codec::Opus, start).unwrap();
        }
        self.packets += 1;
        self.blocks += blocks;
        for n in 0..2 * blocks {
            let mut frame = [0; FRAME_SAMPLES];
            self.pipeline.play(&mut frame, start + FRAME_DURATION * n);
            self.heard.extend(frame);
        }
    }

    /// Without the beginning, in which codecs and delay settle.
    fn settled(&self) -> &[i16] {
        &self.heard[24_000..]
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an instant cannot be made otherwise; tests only look at differences"
)]
fn any_instant() -> Instant {
    Instant::now()
}

fn mean_square(samples: &[i16]) -> f64 {
    let energy: f64 = samples
        .iter()
        .map(|&sample| f64::from(sample).powi(2))
        .sum();
    energy / f64::from(u32::try_from(samples.len()).unwrap())
}

/// Amplitude of a tone in `samples`, where 1 is full scale.
fn amplitude(samples: &[i16], frequency_hz: f64) -> f64 {
    let power = mean_square(samples) * share_at(samples, frequency_hz, 48_000);
    (2.0 * power).sqrt() / 32_768.0
}

#[test]
fn each_channel_is_heard_at_half_of_its_level() {
    for mode in [SILK, HYBRID, CELT] {
        let mut peer = Peer::new(&mode, [tone(400.0, 0.4), tone(900.0, 0.4)]);
        let mut ear = Ear::new();
        for n in 0..100 {
            let payload = peer.packet(1);
            // An encoder needs a few packets to settle.
            assert!(
                n < 25 || mode.configs.contains(&(payload[0] >> 3)),
                "{payload:?}"
            );
            assert_eq!(payload[0] & IS_STEREO, IS_STEREO);
            ear.hear(1, Some(payload));
        }
        for frequency_hz in [400.0, 900.0] {
            let heard = amplitude(ear.settled(), frequency_hz);
            assert!(
                (heard - 0.2).abs() < 0.01,
                "{mode:?}: {heard} at {frequency_hz} Hz"
            );
        }
        assert_eq!(ear.pipeline.counters(), Counters::default());
    }
}

#[test]
fn channels_that_are_alike_are_as_loud_as_one_and_not_clipped() {
    for mode in [SILK, HYBRID, CELT] {
        let mut peer = Peer::new(&mode, [tone(400.0, 0.9), tone(400.0, 0.9)]);
        let mut ear = Ear::new();
        for _ in 0..100 {
            ear.hear(1, Some(peer.packet(1)));
        }
        let heard = amplitude(ear.settled(), 400.0);
        let share = share_at(ear.settled(), 400.0, 48_000);
        assert!((heard - 0.9).abs() < 0.01, "{mode:?}: {heard}");
        assert!(share > 0.998, "{mode:?}: {share}");
    }
}

#[test]
fn a_stream_that_goes_between_mono_and_stereo_plays_without_a_gap() {
    for mode in [SILK, HYBRID, CELT] {
        let mut peer = Peer::new(&mode, [tone(400.0, 0.4), tone(400.0, 0.4)]);
        let mut ear = Ear::new();
        let mut stereo = 0;
        for n in 0..300 {
            let channels = [Channels::Mono, Channels::Stereo][n / 15 % 2];
            peer.encoder.set_force_channels(Some(channels)).unwrap();
            let payload = peer.packet(1);
            stereo += usize::from(payload[0] & IS_STEREO != 0);
            ear.hear(1, Some(payload));
        }
        assert!((130..=170).contains(&stereo), "{stereo} of 300");
        assert_eq!(ear.pipeline.counters(), Counters::default());
        let whole = mean_square(ear.settled());
        // Four periods each.
        for (at, block) in ear.settled().chunks_exact(480).enumerate() {
            let part = mean_square(block) / whole;
            assert!((0.8..1.2).contains(&part), "{mode:?}: {part} in block {at}");
        }
    }
}

#[test]
fn lost_stereo_packets_of_every_length_come_back_from_the_copy_in_the_next() {
    for (mode, blocks) in [(&SILK, 1), (&SILK, 2), (&SILK, 3), (&HYBRID, 1)] {
        let mut peer = Peer::new(mode, [speech("human.wav"), speech("human-man.wav")]);
        peer.sends_copies();
        let mut ear = Ear::new();
        let mut lost = 0;
        for n in 0..200 {
            let payload = peer.packet(blocks);
            assert_eq!(payload[0] & IS_STEREO, IS_STEREO);
            let is_lost = n % 10 == 9;
            lost += u64::from(is_lost);
            ear.hear(blocks, (!is_lost).then_some(payload));
        }
        let counters = ear.pipeline.counters();
        assert!(
            counters.recovered > lost / 2,
            "{mode:?}, {blocks}: {counters:?} of {lost}"
        );
    }
}

#[test]
fn a_copy_of_what_only_one_channel_has_more_than_the_other_mends_nothing() {
    let mut says = speech("human.wav");
    let inverted: Channel = Box::new(move || says().map(i16::saturating_neg));
    let mut peer = Peer::new(&SILK, [speech("human.wav"), inverted]);
    peer.sends_copies();
    let (mut copies, mut mends) = (0, 0);
    for _ in 0..200 {
        let payload = peer.packet(1);
        copies += usize::from(payload[1] & 0x10 != 0);
        mends += usize::from(Codec::Opus.mends(&payload));
    }
    assert!(copies > 50 && mends == 0, "{copies} copies, {mends} mend");
}
