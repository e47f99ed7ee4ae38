//! From RTP packets to sound.
//!
//! ```text
//!   audio packet ─► jitter buffer ─┬─► decode ──┐                ┌─► stretch ─┐
//!                      ▲           └─► conceal ─┴─► resample ────┴────────────┴─► sound ─► 10 ms at 48 kHz
//!                 playing clock
//! ```
//!
//! Packets last longer than the 10 ms that are played at a time, and stretched ones last neither;
//! the sound between evens that out. Whatever comes in, [`ReceivePipeline::play`] fills exactly
//! one frame.

mod chain;
mod play_clock;
mod sound;

use std::time::Instant;

use chain::Chain;
use play_clock::PlayClock;
use sound::Sound;

use crate::codec::{Codec, Concealed};
use crate::frame::{FRAME_SAMPLES, Frame, SAMPLE_RATE_HZ, ticks_to_ms};
use crate::jitter::{
    AudioPacket, Inserted, JitterBuffer, JitterConfig, JitterStats, Step, Stretch,
};

/// Pulls per frame: packets of 2.5 ms are the shortest that are kept up with.
const MAX_PULLS: usize = 8;
/// Packets between two changes of length, unless the delay is off by this many milliseconds.
const PACKETS_BETWEEN_STRETCHES: u32 = 2;
const URGENT_MS: u32 = 60;

/// See the module header.
pub struct ReceivePipeline {
    buffer: JitterBuffer,
    chain: Option<Chain>,
    sound: Sound,
    clock: PlayClock,
    packets_since_stretch: u32,
    counters: Counters,
}

/// What a pipeline has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// Sound made up so far, in milliseconds.
    pub concealed_ms: f64,
    /// Lost packets whose sound came from a copy in a later one.
    pub recovered: u64,
    /// Packets that were not of their codec.
    pub undecodable: u64,
    /// Sound left out because the delay was too long, in milliseconds.
    pub shortened_ms: f64,
    /// Sound repeated because the delay was too short, in milliseconds.
    pub lengthened_ms: f64,
}

impl ReceivePipeline {
    /// Silent until packets come.
    #[must_use]
    pub fn new(config: JitterConfig) -> Self {
        Self {
            buffer: JitterBuffer::new(config, SAMPLE_RATE_HZ),
            chain: None,
            sound: Sound::new(),
            clock: PlayClock::default(),
            packets_since_stretch: 0,
            counters: Counters::default(),
        }
    }

    /// An audio packet came. Another codec than before starts the stream anew.
    pub fn insert(&mut self, packet: AudioPacket, codec: Codec, now: Instant) -> Option<Inserted> {
        let fits = self
            .chain
            .as_ref()
            .is_some_and(|chain| chain.is_for(codec, packet.payload_type));
        if !fits {
            self.chain = Some(Chain::new(codec, packet.payload_type)?);
            self.buffer.restart(codec.clock_rate_hz());
        }
        Some(self.buffer.insert(packet, now))
    }

    /// A copy of an earlier packet came inside another one, after which it is inserted.
    pub fn insert_copy(&mut self, packet: AudioPacket, codec: Codec) -> Option<Inserted> {
        self.chain
            .as_ref()
            .filter(|chain| chain.is_for(codec, packet.payload_type))?;
        Some(self.buffer.insert_copy(packet))
    }

    /// The stream starts anew, by another source or after a hold. What waits is dropped.
    pub fn restart(&mut self) {
        self.chain = None;
        self.sound.clear();
        self.buffer.restart(SAMPLE_RATE_HZ);
    }

    /// The playing clock has reached `now`: fills one frame.
    pub fn play(&mut self, out: &mut Frame, now: Instant) {
        let now = self.clock.frame(now);
        for _ in 0..MAX_PULLS {
            if self.sound.waiting() >= FRAME_SAMPLES || !self.pull(now) {
                break;
            }
        }
        self.sound.take(out);
    }

    /// Codec of the last packet.
    #[must_use]
    pub fn codec(&self) -> Option<Codec> {
        self.chain.as_ref().map(Chain::codec)
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What the jitter buffer counted.
    #[must_use]
    pub fn playout_stats(&self) -> JitterStats {
        self.buffer.stats()
    }

    /// One step of the buffer. `false`: nothing more for this frame.
    fn pull(&mut self, now: Instant) -> bool {
        let Some(chain) = &mut self.chain else {
            return false;
        };
        let clock_rate_hz = chain.codec().clock_rate_hz();
        let ready_ms = samples_to_ms(self.sound.waiting());
        match self.buffer.pull(now, ready_ms) {
            Step::Play { packet, stretch } => {
                let before = self.sound.waiting();
                self.counters.recovered += u64::from(packet.is_copy);
                self.counters.undecodable += chain.decode(&packet, self.sound.end());
                let added = self.sound.waiting() - before;
                self.stretch(stretch, added);
            }
            Step::Missing {
                ticks,
                gap_ticks,
                next,
            } => {
                let next = Some((gap_ticks, next));
                if chain.conceal(ticks, next, self.sound.end()) == Concealed::Recovered {
                    self.counters.recovered += 1;
                } else {
                    self.counters.concealed_ms += ticks_to_ms(ticks, clock_rate_hz);
                }
            }
            Step::Wait { ticks } => {
                chain.conceal(ticks, None, self.sound.end());
                self.counters.concealed_ms += ticks_to_ms(ticks, clock_rate_hz);
            }
            // What a decoder makes of silence is its comfort noise.
            Step::Silence { ticks } => {
                chain.conceal(ticks, None, self.sound.end());
            }
            Step::Idle => return false,
        }
        true
    }

    /// Changes the length of what waits; `added` samples of it are new.
    fn stretch(&mut self, stretch: Stretch, added: usize) {
        let (Stretch::Shorten { ms } | Stretch::Lengthen { ms }) = stretch else {
            self.packets_since_stretch = self.packets_since_stretch.saturating_add(1);
            return;
        };
        self.packets_since_stretch = self.packets_since_stretch.saturating_add(1);
        if self.packets_since_stretch <= PACKETS_BETWEEN_STRETCHES && ms < URGENT_MS {
            return;
        }
        let changed = if matches!(stretch, Stretch::Shorten { .. }) {
            let left_out = self.sound.shorten(ms);
            self.counters.shortened_ms += samples_to_ms(left_out);
            left_out
        } else {
            let put_in = self.sound.lengthen(ms, added);
            self.counters.lengthened_ms += samples_to_ms(put_in);
            put_in
        };
        if changed > 0 {
            self.packets_since_stretch = 0;
        }
    }
}

fn samples_to_ms(samples: usize) -> f64 {
    ticks_to_ms(u32::try_from(samples).unwrap_or(u32::MAX), SAMPLE_RATE_HZ)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::codec::tests::{DeepRedundancy, packets_of, voice};
    use crate::codec::{MAX_PAYLOAD_BYTES, OpusConfig};
    use crate::frame::FRAME_DURATION;
    use crate::level::level_dbfs;
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
        let mut tone = Tone::new(500.0, codec.sample_rate_hz(), 0.4);
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
                    is_copy: false,
                    mends: codec.mends(&payload),
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
            assert_eq!(pipeline.counters(), Counters::default());
        }
    }

    #[test]
    fn lost_packets_are_concealed_and_counted() {
        for codec in Codec::ALL {
            let (heard, pipeline) = play(codec, 200, 1, |n| n % 20 == 10);
            let Counters {
                concealed_ms,
                recovered,
                ..
            } = pipeline.counters();
            // Before the delay makes room for copies, half of a packet may be made up and half come from a copy.
            let made_up = concealed_ms / 20.0 + f64::from(u32::try_from(recovered).unwrap());
            assert!((10.0..13.0).contains(&made_up), "{codec:?}: {made_up}");
            let silent = heard[9_600..]
                .chunks_exact(480)
                .filter(|block| block.iter().all(|&sample| sample == 0))
                .count();
            assert_eq!(silent, 0, "{codec:?}: a lost packet is never a hole");
        }
    }

    /// Plays what another phone sends with deep redundancy: a voice that pauses for some packets.
    fn play_deep(
        packets: usize,
        pauses: fn(usize) -> bool,
        is_lost: fn(u32) -> bool,
    ) -> (Vec<i16>, ReceivePipeline) {
        let start = crate::any_instant();
        let mut pipeline = ReceivePipeline::new(JitterConfig::default());
        let mut heard = Vec::new();
        let sent = packets_of(&voice(packets, pauses), DeepRedundancy::Sent);
        for (n, payload) in (0_u32..).zip(sent) {
            let now = start + 2 * n * FRAME_DURATION;
            let packet = AudioPacket {
                sequence: u64::from(n),
                timestamp: n * 960,
                duration_ticks: 960,
                marker: false,
                is_copy: false,
                mends: Codec::Opus.mends(&payload),
                payload_type: 0,
                payload,
            };
            if !is_lost(n) {
                pipeline.insert(packet, Codec::Opus, now);
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
    fn bursts_are_recovered_from_deep_redundancy_once_there_have_been_some() {
        let in_bursts = |n: u32| n > 50 && n % 25 < 3;
        let pauses = |n: usize| n % 25 == 1;
        let (_, early) = play_deep(200, pauses, in_bursts);
        let (heard, late) = play_deep(1_200, pauses, in_bursts);
        let made_up_ms = late.counters().concealed_ms - early.counters().concealed_ms;
        let recovered = late.counters().recovered - early.counters().recovered;
        // 40 bursts of three.
        assert!(recovered >= 115, "{recovered}");
        assert!(made_up_ms < 100.0, "{made_up_ms} ms made up");
        let delay_ms = late.playout_stats().target_delay_ms;
        assert!((60.0..70.0).contains(&delay_ms), "{delay_ms}");
        // Where the voice pauses in the midst of a burst, it is heard to pause.
        let pauses = heard[200 * 960..].chunks_exact(25 * 960).filter(|around| {
            around
                .chunks_exact(480)
                .any(|block| level_dbfs(block) < -24.0)
        });
        let pauses = pauses.count();
        assert!(pauses >= 36, "{pauses} of 40 pauses");
    }

    #[test]
    fn deep_redundancy_delays_nothing_while_no_packet_is_lost() {
        let (_, pipeline) = play_deep(500, |_| false, |_| false);
        assert_eq!(pipeline.counters(), Counters::default());
        assert_eq!(pipeline.playout_stats().target_delay_ms, 10.0);
    }

    #[test]
    fn packets_of_60_ms_play_as_smoothly() {
        // The same byte pattern three times: a stationary tone of 500 Hz has a whole number of periods in 20 ms.
        let (heard, pipeline) = play(Codec::Pcmu, 60, 3, |_| false);
        let share = share_at(&heard[24_000..96_000], 500.0, SAMPLE_RATE_HZ);
        assert!(share > 0.98, "{share}");
        assert_eq!(pipeline.counters().concealed_ms, 0.0);
    }

    #[test]
    fn a_loudspeaker_that_is_looked_at_unevenly_does_not_change_the_length_of_speech() {
        for phase_ms in 0..10 {
            let start = crate::any_instant();
            let mut pipeline = ReceivePipeline::new(JitterConfig::default());
            let mut settled = Counters::default();
            for n in 0..1_000_u32 {
                let now = start + Duration::from_millis(20) * n;
                let packet = AudioPacket {
                    sequence: u64::from(n),
                    timestamp: n * 160,
                    duration_ticks: 160,
                    marker: false,
                    is_copy: false,
                    mends: 0,
                    payload_type: 0,
                    payload: vec![0x80; 160],
                };
                pipeline.insert(packet, Codec::Pcmu, now);
                for half in [2 * n, 2 * n + 1] {
                    let late = Duration::from_millis(u64::from(half * half % 7 % 2) * 5);
                    let phase = Duration::from_millis(phase_ms);
                    let mut frame = [0; FRAME_SAMPLES];
                    pipeline.play(&mut frame, start + FRAME_DURATION * half + phase + late);
                }
                if n == 100 {
                    settled = pipeline.counters();
                }
            }
            assert_eq!(pipeline.counters(), settled, "{phase_ms} ms");
        }
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
            is_copy: false,
            mends: 0,
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
        assert_eq!(pipeline.counters().undecodable, 1);
    }
}
