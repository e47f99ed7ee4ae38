//! Where sound comes from and where it goes, 10 ms at a time.
//!
//! A session asks each side every 5 ms how many frames are due and says how many have passed by its own
//! clock: for a file or a tone these are due, a sound card looks at its ring instead, because its
//! clock is not the system's.

mod loop_back;
mod processing;
pub mod ring;

use media::tone::{SupervisoryTone, Tone};
use media::{Frame, SAMPLE_RATE_HZ};

pub use loop_back::loop_back;
pub use processing::{ProcessedSink, ProcessedSource, ProcessingSwitches, processed};

/// Gives captured sound. Must not block: it is called from the task that carries the call.
pub trait AudioSource: Send {
    /// Frames to take now; asked every 5 ms. `passed` is how many have passed by the session's clock.
    fn frames_due(&mut self, passed: usize) -> usize {
        passed
    }

    /// Fills the next frame: 10 ms, mono, 480 samples at 48 kHz.
    fn read(&mut self, frame: &mut Frame);

    /// Time passes in which nobody listens: before the call, on hold, muted. What is live is
    /// thrown away, but for the last 20 ms before the call, of which its first packet is made. A file waits.
    fn discard(&mut self) {}

    /// Whether another card has taken its place since this was asked last.
    fn was_replaced(&mut self) -> bool {
        false
    }
}

/// Takes sound to play or to keep. Must not block.
pub trait AudioSink: Send {
    /// Frames to give now; asked every 5 ms. `passed` is how many have passed by the session's clock.
    fn frames_due(&mut self, passed: usize) -> usize {
        passed
    }

    /// Takes the next frame: 10 ms, mono, 480 samples at 48 kHz.
    fn write(&mut self, frame: &Frame);

    /// The call is over: finish what was begun. May block; called where that does no harm.
    fn finish(&mut self) {}

    /// Whether another card has taken its place since this was asked last.
    fn was_replaced(&mut self) -> bool {
        false
    }
}

impl<T: AudioSource + ?Sized> AudioSource for Box<T> {
    fn frames_due(&mut self, passed: usize) -> usize {
        (**self).frames_due(passed)
    }

    fn read(&mut self, frame: &mut Frame) {
        (**self).read(frame);
    }

    fn discard(&mut self) {
        (**self).discard();
    }

    fn was_replaced(&mut self) -> bool {
        (**self).was_replaced()
    }
}

impl<T: AudioSink + ?Sized> AudioSink for Box<T> {
    fn frames_due(&mut self, passed: usize) -> usize {
        (**self).frames_due(passed)
    }

    fn write(&mut self, frame: &Frame) {
        (**self).write(frame);
    }

    fn finish(&mut self) {
        (**self).finish();
    }

    fn was_replaced(&mut self) -> bool {
        (**self).was_replaced()
    }
}

/// A source that says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silence;

impl AudioSource for Silence {
    fn read(&mut self, frame: &mut Frame) {
        frame.fill(0);
    }
}

/// A sink that hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSink;

impl AudioSink for NoSink {
    fn write(&mut self, _frame: &Frame) {}
}

/// A source that hums.
#[derive(Clone, Debug)]
pub struct ToneSource {
    tone: Tone,
}

impl ToneSource {
    /// A steady tone; `amplitude` 1.0 is full scale.
    #[must_use]
    pub fn new(frequency_hz: f64, amplitude: f32) -> Self {
        Self {
            tone: Tone::new(frequency_hz, SAMPLE_RATE_HZ, amplitude),
        }
    }
}

/// A tone of a telephone network.
impl AudioSource for SupervisoryTone {
    fn read(&mut self, frame: &mut Frame) {
        self.fill(frame);
    }
}

impl AudioSource for ToneSource {
    fn read(&mut self, frame: &mut Frame) {
        self.tone.fill(frame);
    }
}
