//! Lock-free rings between a sound card's callback and a session.
//!
//! ```text
//!   capture callback ─► CaptureEnd ══ ring ══ RingSource ─► session
//!   playback callback ◄─ PlaybackEnd ══ ring ══ RingSink ◄─ session
//! ```
//!
//! The ring holds mono samples at the card's rate; conversion to 48 kHz happens on the session's
//! side. The card's clock rules: the session takes a frame as soon as one is there, and gives
//! frames so that a short *reserve* waits to be played. How long it must be is learned: it grows
//! when the card finds too little and shrinks slowly while it does not. A card that has not
//! started yet, or has died, does not stop the call: the session goes on at its own pace, with
//! silence, and nothing old is heard when the card comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use media::resample::{ResampleError, Resampler};
use media::{FRAME_SAMPLES, Frame, SAMPLE_RATE_HZ};
use rtrb::{Consumer, Producer, RingBuffer};

use super::{AudioSink, AudioSource};

/// Sound that a ring holds at most, in milliseconds.
const CAPACITY_MS: u32 = 200;
/// Captured sound that is kept, in milliseconds, when a session begins to listen to a card that
/// runs already: a packet, which can be sent at once.
const HEAD_START_MS: u32 = 20;
/// Most frames that one look moves.
const MAX_DUE: usize = 4;
/// Looks without a sign of life after which the session goes on at its own pace: 100 ms.
const MAX_STALLED_LOOKS: u32 = 20;
/// Time between two looks of a session, in milliseconds. The reserve of a loudspeaker is at least
/// this and a period of the card.
const LOOK_MS: u32 = 5;
const MAX_RESERVE_MS: u32 = 90;
/// What it grows by when the card found too little.
const RESERVE_STEP_MS: u32 = 5;
/// Looks without want after which it shrinks by a millisecond: 10 s.
const CALM_LOOKS: u32 = 2_000;

/// Who sets the pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// A sound card on the other side of the ring.
    Card,
    /// The session itself.
    Session,
}

/// A ring from a card that captures at `rate_hz` to a session.
///
/// # Errors
///
/// [`ResampleError`] if the rate cannot be converted.
pub fn capture_ring(rate_hz: u32) -> Result<(CaptureEnd, RingSource), ResampleError> {
    let (producer, consumer) = RingBuffer::new(samples(rate_hz, CAPACITY_MS));
    let source = RingSource::new(consumer, rate_hz, Pace::Card)?;
    Ok((CaptureEnd::new(producer), source))
}

/// A ring from a session to a card that plays at `rate_hz` and asks for `period_ms` at a time.
///
/// # Errors
///
/// [`ResampleError`] if the rate cannot be converted.
pub fn playback_ring(
    rate_hz: u32,
    period_ms: u32,
) -> Result<(RingSink, PlaybackEnd), ResampleError> {
    let (producer, consumer) = RingBuffer::new(samples(rate_hz, CAPACITY_MS));
    let mut sink = RingSink::new(producer, rate_hz, Pace::Card)?;
    sink.min_reserve_ms = (period_ms + LOOK_MS).min(MAX_RESERVE_MS);
    sink.reserve_ms = sink.min_reserve_ms;
    let end = PlaybackEnd::new(consumer);
    sink.missed = end.missed.clone();
    Ok((sink, end))
}

/// The card's end of a capture ring. Neither locks nor allocates.
pub struct CaptureEnd {
    ring: Producer<i16>,
    lost: u64,
}

impl CaptureEnd {
    /// In front of a ring.
    #[must_use]
    pub fn new(ring: Producer<i16>) -> Self {
        Self { ring, lost: 0 }
    }

    /// The next sample; lost if nobody took the ones before it.
    pub fn push(&mut self, sample: i16) {
        if self.ring.push(sample).is_err() {
            self.lost += 1;
        }
    }

    /// Samples that found no room.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

/// The card's end of a playback ring. Neither locks nor allocates.
pub struct PlaybackEnd {
    ring: Consumer<i16>,
    missed: Arc<AtomicU64>,
}

impl PlaybackEnd {
    /// Behind a ring.
    #[must_use]
    pub fn new(ring: Consumer<i16>) -> Self {
        Self {
            ring,
            missed: Arc::default(),
        }
    }

    /// The next sample, `None` if it is not there in time.
    pub fn pop(&mut self) -> Option<i16> {
        let sample = self.ring.pop().ok();
        if sample.is_none() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
        sample
    }

    /// Samples that were needed and not there.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Samples that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.ring.slots()
    }
}

/// Samples of so many milliseconds at a rate.
fn samples(rate_hz: u32, ms: u32) -> usize {
    usize::try_from(u64::from(rate_hz) * u64::from(ms) / 1_000).unwrap_or(FRAME_SAMPLES)
}

/// Samples of a frame at a rate.
fn frame_len(rate_hz: u32) -> usize {
    samples(rate_hz, 10)
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
    /// Looks in a row without a frame. Starts as if the card were dead: it may take its time.
    stalled_looks: u32,
    /// Whether the session has begun to listen. What was captured before is old.
    has_listened: bool,
    head_start: usize,
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
            stalled_looks: MAX_STALLED_LOOKS,
            has_listened: false,
            head_start: samples(rate_hz, HEAD_START_MS),
        })
    }

    pub(super) fn paced_by_session(ring: Consumer<i16>) -> Self {
        Self::new(ring, SAMPLE_RATE_HZ, Pace::Session).expect("equal rates need no conversion")
    }

    /// Forgets what was captured before the session began to listen, but for the very last of it.
    fn forget_old(&mut self) {
        let old = self.ring.slots().saturating_sub(self.head_start);
        if let Ok(chunk) = self.ring.read_chunk(old) {
            chunk.commit_all();
        }
    }

    /// Moves up to a frame out of the ring. `false`: it was empty.
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
    fn frames_due(&mut self, passed: usize) -> usize {
        if self.pace == Pace::Session {
            return passed;
        }
        if !self.has_listened {
            self.has_listened = true;
            self.forget_old();
        }
        let waiting = self.ring.slots() / self.frame_len;
        if waiting == 0 {
            let is_dead = self.stalled_looks >= MAX_STALLED_LOOKS;
            self.stalled_looks = self.stalled_looks.saturating_add(1);
            return if is_dead { passed } else { 0 };
        }
        self.stalled_looks = 0;
        waiting.min(MAX_DUE)
    }

    fn read(&mut self, frame: &mut Frame) {
        while self.store.len() < FRAME_SAMPLES && self.pump() {}
        let ready = self.store.len().min(FRAME_SAMPLES);
        frame[..ready].copy_from_slice(&self.store[..ready]);
        frame[ready..].fill(0);
        self.store.drain(..ready);
    }

    fn discard(&mut self) {
        if !self.has_listened {
            return self.forget_old();
        }
        while self.pump() {
            self.store.clear();
        }
    }
}

/// The session's end of a playback ring.
pub struct RingSink {
    ring: Producer<i16>,
    rate_hz: u32,
    resampler: Resampler,
    frame_len: usize,
    block: Vec<i16>,
    pace: Pace,
    min_reserve_ms: u32,
    reserve_ms: u32,
    /// Samples that the card needed and did not find.
    missed: Arc<AtomicU64>,
    /// What was missed at the last look.
    missed_before: Option<u64>,
    waiting_before: usize,
    calm_looks: u32,
    stalled_looks: u32,
    dropped_samples: u64,
}

impl RingSink {
    fn new(ring: Producer<i16>, rate_hz: u32, pace: Pace) -> Result<Self, ResampleError> {
        Ok(Self {
            ring,
            rate_hz,
            resampler: Resampler::new(SAMPLE_RATE_HZ, rate_hz)?,
            frame_len: frame_len(rate_hz),
            block: Vec::with_capacity(2 * frame_len(rate_hz)),
            pace,
            min_reserve_ms: LOOK_MS,
            reserve_ms: LOOK_MS,
            missed: Arc::default(),
            missed_before: None,
            waiting_before: 0,
            calm_looks: 0,
            stalled_looks: MAX_STALLED_LOOKS,
            dropped_samples: 0,
        })
    }

    pub(super) fn paced_by_session(ring: Producer<i16>) -> Self {
        Self::new(ring, SAMPLE_RATE_HZ, Pace::Session).expect("equal rates need no conversion")
    }

    /// Samples that found no room because nobody played them.
    #[must_use]
    pub fn dropped_samples(&self) -> u64 {
        self.dropped_samples
    }

    /// Samples that the card needed and did not find.
    #[must_use]
    pub fn missed_samples(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> usize {
        self.ring.buffer().capacity() - self.ring.slots()
    }

    fn learn_reserve(&mut self) {
        let missed = self.missed_samples();
        let wanted = self.missed_before.is_some_and(|before| missed > before);
        self.missed_before = Some(missed);
        if wanted {
            self.reserve_ms = (self.reserve_ms + RESERVE_STEP_MS).min(MAX_RESERVE_MS);
            self.calm_looks = 0;
            return;
        }
        self.calm_looks += 1;
        if self.calm_looks == CALM_LOOKS {
            self.calm_looks = 0;
            self.reserve_ms = (self.reserve_ms - 1).max(self.min_reserve_ms);
        }
    }
}

impl AudioSink for RingSink {
    fn frames_due(&mut self, passed: usize) -> usize {
        if self.pace == Pace::Session {
            return passed;
        }
        let waiting = self.waiting();
        let has_played = waiting < self.waiting_before;
        self.waiting_before = waiting;
        if has_played || waiting == 0 {
            self.stalled_looks = 0;
        } else if self.stalled_looks < MAX_STALLED_LOOKS {
            self.stalled_looks += 1;
        }
        if self.stalled_looks >= MAX_STALLED_LOOKS {
            return passed;
        }
        self.learn_reserve();
        let reserve = samples(self.rate_hz, self.reserve_ms);
        reserve
            .saturating_sub(waiting)
            .div_ceil(self.frame_len)
            .min(MAX_DUE)
    }

    fn write(&mut self, frame: &Frame) {
        self.block.clear();
        self.resampler.process(frame, &mut self.block);
        let is_stalled = self.pace == Pace::Card
            && self.stalled_looks >= MAX_STALLED_LOOKS
            && self.waiting() > 0;
        let taken = if is_stalled {
            // It would be old when the card comes back.
            0
        } else {
            let (taken, _) = self.ring.push_partial_slice(&self.block);
            taken.len()
        };
        self.dropped_samples += (self.block.len() - taken) as u64;
        self.waiting_before = self.waiting_before.max(self.waiting());
    }
}

#[cfg(test)]
mod tests;
