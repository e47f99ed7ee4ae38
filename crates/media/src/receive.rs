//! From RTP packets to sound.
//!
//! ```text
//!   audio packet ─► jitter buffer ─┬─► decode ──┐
//!                      ▲           ├─► conceal ─┼─► resample ─► store ─► 10 ms at 48 kHz
//!                 playing clock    └─► merge ───┘
//! ```
//!
//! Packets may last longer or shorter than the 10 ms that are played at a time; the store between
//! evens that out. Whatever comes in, [`ReceivePipeline::play`] fills exactly one frame.

use std::time::Instant;

use crate::codec::{Codec, Concealed, Decoder};
use crate::frame::{FRAME_SAMPLES, Frame, SAMPLE_RATE_HZ, sample_from_f32, ticks_to_ms};
use crate::jitter::{
    AudioPacket, Inserted, JitterBuffer, JitterConfig, JitterStats, Playout, PlayoutBuffer,
};
use crate::resample::Resampler;

/// Pulls per frame: packets of 2.5 ms are the shortest that are kept up with.
const MAX_PULLS: usize = 8;

/// See the module header.
pub struct ReceivePipeline {
    buffer: Box<dyn JitterBuffer>,
    chain: Option<Chain>,
    /// At 48 kHz, not played yet.
    store: Vec<i16>,
    concealed_ms: f64,
    recovered: u64,
    undecodable: u64,
}

/// The parts that belong to one codec.
struct Chain {
    codec: Codec,
    payload_type: u8,
    decoder: Box<dyn Decoder>,
    resampler: Resampler,
    /// At the codec's rate.
    samples: Vec<i16>,
}

impl ReceivePipeline {
    /// Silent until packets come.
    #[must_use]
    pub fn new(config: JitterConfig) -> Self {
        Self::with_buffer(Box::new(PlayoutBuffer::new(config, SAMPLE_RATE_HZ)))
    }

    /// The same with another jitter buffer.
    #[must_use]
    pub fn with_buffer(buffer: Box<dyn JitterBuffer>) -> Self {
        Self {
            buffer,
            chain: None,
            store: Vec::with_capacity(16 * FRAME_SAMPLES),
            concealed_ms: 0.0,
            recovered: 0,
            undecodable: 0,
        }
    }

    /// An audio packet came. Another codec than before starts the stream anew.
    pub fn insert(&mut self, packet: AudioPacket, codec: Codec, now: Instant) -> Option<Inserted> {
        let fits = self
            .chain
            .as_ref()
            .is_some_and(|chain| chain.codec == codec && chain.payload_type == packet.payload_type);
        if !fits {
            self.chain = Some(Chain::new(codec, packet.payload_type)?);
            self.buffer.restart(codec.clock_rate_hz());
        }
        Some(self.buffer.insert(packet, now))
    }

    /// The stream starts anew, by another source or after a hold. What waits is dropped.
    pub fn restart(&mut self) {
        self.chain = None;
        self.store.clear();
        self.buffer.restart(SAMPLE_RATE_HZ);
    }

    /// The playing clock has reached `now`: fills one frame.
    pub fn play(&mut self, out: &mut Frame, now: Instant) {
        for _ in 0..MAX_PULLS {
            if self.store.len() >= FRAME_SAMPLES || !self.pull(now) {
                break;
            }
        }
        let ready = self.store.len().min(FRAME_SAMPLES);
        out[..ready].copy_from_slice(&self.store[..ready]);
        out[ready..].fill(0);
        self.store.drain(..ready);
    }

    /// Codec of the last packet.
    #[must_use]
    pub fn codec(&self) -> Option<Codec> {
        self.chain.as_ref().map(|chain| chain.codec)
    }

    /// Milliseconds of sound made up so far.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "grows from zero in small steps"
    )]
    pub fn concealed_ms(&self) -> u64 {
        self.concealed_ms as u64
    }

    /// Lost packets recovered from the next.
    #[must_use]
    pub fn recovered(&self) -> u64 {
        self.recovered
    }

    /// Packets that were not of their codec.
    #[must_use]
    pub fn undecodable(&self) -> u64 {
        self.undecodable
    }

    /// What the jitter buffer counted.
    #[must_use]
    pub fn playout_stats(&self) -> JitterStats {
        self.buffer.stats()
    }

    /// One step of the buffer into the store. `false`: nothing more for this frame.
    fn pull(&mut self, now: Instant) -> bool {
        let Some(chain) = &mut self.chain else {
            return false;
        };
        chain.samples.clear();
        match self.buffer.pull(now) {
            Playout::Packet(packet) => {
                self.undecodable += chain.decode(&packet);
            }
            Playout::Merge(first, second) => {
                self.undecodable += chain.decode(&first);
                let middle = chain.samples.len();
                self.undecodable += chain.decode(&second);
                merge(&mut chain.samples, middle);
            }
            Playout::Missing { ticks, next } => {
                if chain.conceal(ticks, next) == Concealed::Recovered {
                    self.recovered += 1;
                } else {
                    self.concealed_ms += ticks_to_ms(ticks, chain.codec.clock_rate_hz());
                }
            }
            Playout::Hold { ticks } => {
                chain.conceal(ticks, None);
                self.concealed_ms += ticks_to_ms(ticks, chain.codec.clock_rate_hz());
            }
            // What a decoder makes of silence is its comfort noise.
            Playout::Silence { ticks } => {
                chain.conceal(ticks, None);
            }
            Playout::Idle => return false,
        }
        chain.resampler.process(&chain.samples, &mut self.store);
        true
    }
}

impl Chain {
    fn new(codec: Codec, payload_type: u8) -> Option<Self> {
        Some(Self {
            codec,
            payload_type,
            decoder: codec.decoder().ok()?,
            resampler: Resampler::new(codec.clock_rate_hz(), SAMPLE_RATE_HZ).ok()?,
            samples: Vec::with_capacity(8 * FRAME_SAMPLES),
        })
    }

    /// Appends the packet's sound; in place of one that cannot be decoded, as much concealment.
    /// Gives how many could not.
    fn decode(&mut self, packet: &AudioPacket) -> u64 {
        if self
            .decoder
            .decode(&packet.payload, &mut self.samples)
            .is_ok()
        {
            return 0;
        }
        self.conceal(packet.duration_ticks, None);
        1
    }

    fn conceal(&mut self, ticks: u32, next: Option<&[u8]>) -> Concealed {
        // Ticks of the RTP clock are samples for every codec of ours.
        let samples = usize::try_from(ticks).unwrap_or(FRAME_SAMPLES);
        self.decoder.conceal(samples, next, &mut self.samples)
    }
}

/// Crossfades from the start of the first part to the second, whose rest follows.
fn merge(samples: &mut Vec<i16>, middle: usize) {
    let faded = middle.min(samples.len() - middle);
    let step = 1.0 / f32::from(u16::try_from(faded.max(1)).unwrap_or(u16::MAX));
    let (first, second) = samples.split_at_mut(middle);
    let mut weight = 0.0;
    for (old, &new) in first.iter_mut().zip(second.iter()) {
        *old = sample_from_f32(f32::from(*old) * (1.0 - weight) + f32::from(new) * weight);
        weight += step;
    }
    samples.drain(faded..middle + faded);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::codec::{MAX_PAYLOAD_BYTES, OpusConfig};
    use crate::frame::FRAME_DURATION;
    use crate::tone::{Tone, share_at};

    /// Plays `packets` packets of a tone of which some are lost; each packet lasts `blocks` times 20 ms.
    fn play(
        codec: Codec,
        packets: u32,
        blocks: u32,
        is_lost: impl Fn(u32) -> bool,
    ) -> (Vec<i16>, ReceivePipeline) {
        let start = crate::any_instant();
        let mut pipeline = ReceivePipeline::new(JitterConfig::default());
        let mut encoder = codec.encoder(&OpusConfig::default()).unwrap();
        encoder.set_expected_loss(15);
        let mut tone = Tone::new(500.0, codec.clock_rate_hz(), 0.4);
        let mut heard = Vec::new();
        for n in 0..packets * blocks {
            let now = start + Duration::from_millis(20) * n;
            let mut samples = vec![0; codec.packet_samples()];
            tone.fill(&mut samples);
            let mut payload = vec![0; MAX_PAYLOAD_BYTES];
            let len = encoder.encode(&samples, &mut payload).unwrap();
            payload.truncate(len);
            if n % blocks == 0 && !is_lost(n / blocks) {
                let payload = payload.repeat(usize::try_from(blocks).unwrap());
                let packet = AudioPacket {
                    sequence: u64::from(n / blocks),
                    timestamp: n * 2 * codec.frame_ticks(),
                    duration_ticks: codec.duration_ticks(&payload).unwrap(),
                    marker: false,
                    payload_type: 0,
                    payload,
                };
                pipeline.insert(packet, codec, now);
            }
            for half in 0..2 {
                let mut frame = [0; FRAME_SAMPLES];
                pipeline.play(&mut frame, now + FRAME_DURATION * half);
                heard.extend(frame);
            }
        }
        (heard, pipeline)
    }

    #[test]
    fn a_tone_comes_out_of_every_codec_without_gaps() {
        for codec in Codec::ALL {
            let (heard, pipeline) = play(codec, 100, 1, |_| false);
            for second in heard[9_600..].chunks_exact(4_800) {
                let share = share_at(second, 500.0, SAMPLE_RATE_HZ);
                assert!(share > 0.98, "{codec:?}: {share}");
            }
            assert_eq!((pipeline.concealed_ms(), pipeline.undecodable()), (0, 0));
        }
    }

    #[test]
    fn lost_packets_are_concealed_and_counted() {
        for codec in Codec::ALL {
            let (heard, pipeline) = play(codec, 200, 1, |n| n % 20 == 10);
            let made_up = pipeline.concealed_ms() / 20 + pipeline.recovered();
            assert_eq!(made_up, 10, "{codec:?}");
            let silent = heard[9_600..]
                .chunks_exact(480)
                .filter(|block| block.iter().all(|&sample| sample == 0))
                .count();
            assert_eq!(silent, 0, "{codec:?}: a lost packet is never a hole");
        }
    }

    #[test]
    fn packets_of_60_ms_play_as_smoothly() {
        // The same byte pattern three times: a stationary tone of 500 Hz has a whole number of periods in 20 ms.
        let (heard, pipeline) = play(Codec::Pcmu, 60, 3, |_| false);
        let share = share_at(&heard[24_000..96_000], 500.0, SAMPLE_RATE_HZ);
        assert!(share > 0.98, "{share}");
        assert_eq!(pipeline.concealed_ms(), 0);
    }

    #[test]
    fn another_codec_starts_anew_and_garbage_is_counted() {
        let now = crate::any_instant();
        let mut pipeline = ReceivePipeline::new(JitterConfig::default());
        let packet = |sequence, payload_type, payload: &[u8]| AudioPacket {
            sequence,
            timestamp: 0,
            duration_ticks: 960,
            marker: false,
            payload_type,
            payload: payload.to_vec(),
        };
        assert_eq!(
            pipeline.insert(packet(1, 0, &[0xff; 160]), Codec::Pcmu, now),
            Some(Inserted::Queued)
        );
        assert_eq!(
            pipeline.insert(packet(2, 96, &[]), Codec::Opus, now),
            Some(Inserted::Queued)
        );
        assert_eq!(pipeline.codec(), Some(Codec::Opus));
        let mut frame = [1; FRAME_SAMPLES];
        pipeline.play(&mut frame, now + Duration::from_millis(50));
        assert_eq!(pipeline.undecodable(), 1);
    }

    #[test]
    fn merging_two_blocks_gives_one_that_starts_like_the_first_and_ends_like_the_second() {
        let mut samples = [vec![1_000; 160], vec![-1_000; 160]].concat();
        merge(&mut samples, 160);
        assert_eq!(samples.len(), 160);
        assert!(samples[0] == 1_000 && samples[159] < -950);
        let mut uneven = [vec![5; 80], vec![9; 160]].concat();
        merge(&mut uneven, 80);
        assert_eq!((uneven.len(), uneven[159]), (160, 9));
        let mut nothing = Vec::new();
        merge(&mut nothing, 0);
        assert_eq!(nothing, []);
    }
}
