//! Lock-free rings between a sound card's callback and a session.
//!
//! ```text
//!   capture callback ─► Producer ══ ring ══ RingSource ─► session
//!   playback callback ◄─ Consumer ══ ring ══ RingSink  ◄─ session
//! ```
//!
//! The ring holds mono samples at the card's rate; conversion to 48 kHz happens on the session's
//! side. The card's clock rules: the session takes a frame when one is there, and gives frames so
//! that about 40 ms are waiting to be played. A card that has not started yet, or has died, does
//! not stop the call: the session goes on at the pace of its ticks, with silence.

use media::resample::{ResampleError, Resampler};
use media::{FRAME_SAMPLES, Frame, SAMPLE_RATE_HZ};
use rtrb::{Consumer, Producer, RingBuffer};

use super::{AudioSink, AudioSource};

/// Sound that a ring holds at most, in milliseconds.
const CAPACITY_MS: u32 = 200;
/// Most frames that one tick moves.
const MAX_DUE: usize = 3;
/// Ticks without a sign of life after which the session goes on at its own pace: 100 ms.
const MAX_STALLED_TICKS: u32 = 5;

/// Who sets the pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// A sound card on the other side of the ring.
    Card,
    /// The session itself.
    Ticks,
}

/// A ring from a card that captures at `rate_hz` to a session.
///
/// # Errors
///
/// [`ResampleError`] if the rate cannot be converted.
pub fn capture_ring(rate_hz: u32) -> Result<(Producer<i16>, RingSource), ResampleError> {
    let (producer, consumer) = RingBuffer::new(capacity_samples(rate_hz));
    Ok((producer, RingSource::new(consumer, rate_hz, Pace::Card)?))
}

/// A ring from a session to a card that plays at `rate_hz`.
///
/// # Errors
///
/// [`ResampleError`] if the rate cannot be converted.
pub fn playback_ring(rate_hz: u32) -> Result<(RingSink, Consumer<i16>), ResampleError> {
    let (producer, consumer) = RingBuffer::new(capacity_samples(rate_hz));
    Ok((RingSink::new(producer, rate_hz, Pace::Card)?, consumer))
}

fn capacity_samples(rate_hz: u32) -> usize {
    usize::try_from(u64::from(rate_hz) * u64::from(CAPACITY_MS) / 1_000).unwrap_or(FRAME_SAMPLES)
}

/// Samples of 20 ms at a rate.
fn frame_len(rate_hz: u32) -> usize {
    usize::try_from(rate_hz / 50).unwrap_or(FRAME_SAMPLES)
}

/// The session's end of a capture ring.
pub struct RingSource {
    ring: Consumer<i16>,
    resampler: Resampler,
    frame_len: usize,
    /// At 48 kHz, not read yet.
    store: Vec<i16>,
    block: Vec<i16>,
    pace: Pace,
    /// Ticks in a row without a frame. Starts as if the card were dead: it may take its time.
    stalled_ticks: u32,
}

impl RingSource {
    fn new(ring: Consumer<i16>, rate_hz: u32, pace: Pace) -> Result<Self, ResampleError> {
        Ok(Self {
            ring,
            resampler: Resampler::new(rate_hz, SAMPLE_RATE_HZ)?,
            frame_len: frame_len(rate_hz),
            store: Vec::with_capacity(4 * FRAME_SAMPLES),
            block: Vec::with_capacity(frame_len(rate_hz)),
            pace,
            stalled_ticks: MAX_STALLED_TICKS,
        })
    }

    pub(super) fn paced_by_ticks(ring: Consumer<i16>) -> Self {
        Self::new(ring, SAMPLE_RATE_HZ, Pace::Ticks).expect("equal rates need no conversion")
    }

    /// Moves up to 20 ms out of the ring. `false`: it was empty.
    fn pump(&mut self) -> bool {
        let len = self.ring.slots().min(self.frame_len);
        let Ok(chunk) = self.ring.read_chunk(len) else {
            return false;
        };
        self.block.clear();
        let (first, second) = chunk.as_slices();
        self.block.extend_from_slice(first);
        self.block.extend_from_slice(second);
        chunk.commit_all();
        self.resampler.process(&self.block, &mut self.store);
        len > 0
    }
}

impl AudioSource for RingSource {
    fn frames_due(&mut self) -> usize {
        let waiting = self.ring.slots() / self.frame_len;
        if self.pace == Pace::Ticks {
            return 1;
        }
        if waiting == 0 {
            let is_dead = self.stalled_ticks >= MAX_STALLED_TICKS;
            self.stalled_ticks = self.stalled_ticks.saturating_add(1);
            return usize::from(is_dead);
        }
        self.stalled_ticks = 0;
        // One per tick keeps packets evenly spaced; more only when the card runs ahead.
        waiting.saturating_sub(1).clamp(1, MAX_DUE)
    }

    fn read(&mut self, frame: &mut Frame) {
        while self.store.len() < FRAME_SAMPLES && self.pump() {}
        let ready = self.store.len().min(FRAME_SAMPLES);
        frame[..ready].copy_from_slice(&self.store[..ready]);
        frame[ready..].fill(0);
        self.store.drain(..ready);
    }

    fn discard(&mut self) {
        while self.pump() {
            self.store.clear();
        }
    }
}

/// The session's end of a playback ring.
pub struct RingSink {
    ring: Producer<i16>,
    resampler: Resampler,
    frame_len: usize,
    block: Vec<i16>,
    pace: Pace,
    stalled_ticks: u32,
    dropped_samples: u64,
}

impl RingSink {
    fn new(ring: Producer<i16>, rate_hz: u32, pace: Pace) -> Result<Self, ResampleError> {
        Ok(Self {
            ring,
            resampler: Resampler::new(SAMPLE_RATE_HZ, rate_hz)?,
            frame_len: frame_len(rate_hz),
            block: Vec::with_capacity(2 * frame_len(rate_hz)),
            pace,
            stalled_ticks: 0,
            dropped_samples: 0,
        })
    }

    pub(super) fn paced_by_ticks(ring: Producer<i16>) -> Self {
        Self::new(ring, SAMPLE_RATE_HZ, Pace::Ticks).expect("equal rates need no conversion")
    }

    /// Samples that found no room because nobody played them.
    #[must_use]
    pub fn dropped_samples(&self) -> u64 {
        self.dropped_samples
    }
}

impl AudioSink for RingSink {
    fn frames_due(&mut self) -> usize {
        let waiting = self.ring.buffer().capacity() - self.ring.slots();
        if self.pace == Pace::Ticks {
            return 1;
        }
        if waiting > 3 * self.frame_len {
            let is_dead = self.stalled_ticks >= MAX_STALLED_TICKS;
            self.stalled_ticks = self.stalled_ticks.saturating_add(1);
            return usize::from(is_dead);
        }
        self.stalled_ticks = 0;
        if waiting < self.frame_len / 2 { 2 } else { 1 }
    }

    fn write(&mut self, frame: &Frame) {
        self.block.clear();
        self.resampler.process(frame, &mut self.block);
        let (_, left) = self.ring.push_partial_slice(&self.block);
        self.dropped_samples += left.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use media::SILENCE;
    use media::tone::{Tone, share_at};

    use super::*;

    /// A card that is off by `ppm` plays for an hour; what waited in the ring, least and most.
    fn play_an_hour(ppm: f64) -> (usize, usize, usize) {
        let (mut sink, mut card) = playback_ring(48_000).unwrap();
        let (mut least, mut most, mut starved) = (usize::MAX, 0, 0);
        let mut owed = 0.0;
        for tick in 0..180_000 {
            for _ in 0..sink.frames_due() {
                sink.write(&SILENCE);
            }
            owed += 960.0 * (1.0 + ppm / 1e6);
            while owed >= 480.0 {
                owed -= 480.0;
                let mut period = [0; 480];
                starved += usize::from(card.pop_entire_slice(&mut period).is_err());
            }
            if tick > 10 {
                least = least.min(card.slots());
                most = most.max(card.slots());
            }
        }
        assert_eq!(sink.dropped_samples(), 0);
        (least, most, starved)
    }

    #[test]
    fn a_card_with_another_clock_neither_starves_nor_overflows() {
        for ppm in [-200.0, 0.0, 200.0] {
            let (_, most, starved) = play_an_hour(ppm);
            assert!(most <= 4 * 960, "{ppm} ppm: {most} samples waited");
            assert!(
                starved <= 40,
                "{ppm} ppm: the card went hungry {starved} times in an hour"
            );
        }
    }

    #[test]
    fn a_captured_tone_arrives_whatever_the_rate_of_the_card() {
        for rate_hz in [8_000, 44_100, 48_000] {
            let (mut card, mut source) = capture_ring(rate_hz).unwrap();
            let mut tone = Tone::new(600.0, rate_hz, 0.4);
            let mut heard = Vec::new();
            let mut period = vec![0; frame_len(rate_hz)];
            for _ in 0..100 {
                tone.fill(&mut period);
                card.push_entire_slice(&period).unwrap();
                for _ in 0..source.frames_due() {
                    let mut frame = SILENCE;
                    source.read(&mut frame);
                    heard.extend(frame);
                }
            }
            assert_eq!(heard.len(), 96_000, "{rate_hz}");
            assert!(
                share_at(&heard[48_000..], 600.0, 48_000) > 0.98,
                "{rate_hz}"
            );
        }
    }

    #[test]
    fn nothing_stale_is_heard_after_a_hold() {
        let (mut card, mut source) = capture_ring(48_000).unwrap();
        for _ in 0..100 {
            card.push_entire_slice(&[1; 960]).unwrap();
            source.discard();
        }
        card.push_entire_slice(&[2; 960]).unwrap();
        let mut frame = SILENCE;
        source.read(&mut frame);
        assert_eq!(frame, [2; 960]);
    }

    #[test]
    fn a_card_that_died_costs_a_bounded_ring_and_the_call_goes_on() {
        let (mut sink, card) = playback_ring(48_000).unwrap();
        let frames: usize = (0..1_000)
            .map(|_| {
                let due = sink.frames_due();
                (0..due).for_each(|_| sink.write(&[1; 960]));
                due
            })
            .sum();
        assert!(
            frames >= 990,
            "{frames} frames were still taken from the session"
        );
        assert_eq!(card.slots(), 9_600);
        assert!(sink.dropped_samples() > 0);
    }

    #[test]
    fn a_card_that_starts_late_or_dies_gives_silence() {
        let (mut card, mut source) = capture_ring(48_000).unwrap();
        let mut frame = [7; FRAME_SAMPLES];
        assert_eq!(source.frames_due(), 1, "not started yet");
        source.read(&mut frame);
        assert_eq!(frame, SILENCE);
        card.push_entire_slice(&[1; 960]).unwrap();
        assert_eq!(source.frames_due(), 1);
        source.read(&mut frame);
        let due: Vec<_> = (0..8).map(|_| source.frames_due()).collect();
        assert_eq!(due, [0, 0, 0, 0, 0, 1, 1, 1], "a short wait, then silence");
    }
}
