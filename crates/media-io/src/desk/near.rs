//! The near end: the person's microphone and loudspeaker, or what stands in their place.

use std::sync::{Arc, Mutex, Weak};

use media::Frame;
use media::tone::SupervisoryTone;

use super::lock;
use crate::{AudioSink, AudioSource, NoSink, Silence};

/// The sound card that all calls share, one after another or mixed. Closed when the last of its
/// clones is dropped.
///
/// Each clone is a source and a sink. Which call uses them is its owner's business: two at once
/// would each get a half.
#[derive(Clone)]
pub struct SharedCard(Arc<Mutex<Card>>);

/// A card that others keep open.
#[derive(Clone, Default)]
pub struct WeakCard(Weak<Mutex<Card>>);

struct Card {
    microphone: Box<dyn AudioSource>,
    loudspeaker: Box<dyn AudioSink>,
}

impl SharedCard {
    /// A card of these two ends.
    #[must_use]
    pub fn new(microphone: Box<dyn AudioSource>, loudspeaker: Box<dyn AudioSink>) -> Self {
        Self(Arc::new(Mutex::new(Card {
            microphone,
            loudspeaker,
        })))
    }

    /// To find it again while it is in use.
    #[must_use]
    pub fn downgrade(&self) -> WeakCard {
        WeakCard(Arc::downgrade(&self.0))
    }
}

impl WeakCard {
    /// The card, if it is still open.
    #[must_use]
    pub fn upgrade(&self) -> Option<SharedCard> {
        self.0.upgrade().map(SharedCard)
    }
}

impl AudioSource for SharedCard {
    fn frames_due(&mut self, passed: usize) -> usize {
        lock(&self.0).microphone.frames_due(passed)
    }

    fn read(&mut self, frame: &mut Frame) {
        lock(&self.0).microphone.read(frame);
    }

    fn discard(&mut self) {
        lock(&self.0).microphone.discard();
    }
}

impl AudioSink for SharedCard {
    fn frames_due(&mut self, passed: usize) -> usize {
        lock(&self.0).loudspeaker.frames_due(passed)
    }

    fn write(&mut self, frame: &Frame) {
        lock(&self.0).loudspeaker.write(frame);
    }
}

/// What a person speaks into and hears from in one call.
pub struct Near {
    pub(super) source: Box<dyn AudioSource>,
    sink: Box<dyn AudioSink>,
    /// Heard together with what is played.
    tone: Option<SupervisoryTone>,
}

impl Near {
    /// A near end of these two.
    #[must_use]
    pub fn new(source: Box<dyn AudioSource>, sink: Box<dyn AudioSink>) -> Self {
        Self {
            source,
            sink,
            tone: None,
        }
    }

    pub(super) fn set_tone(&mut self, tone: Option<SupervisoryTone>) {
        self.tone = tone;
    }

    pub(super) fn sink_frames_due(&mut self, passed: usize) -> usize {
        self.sink.frames_due(passed)
    }

    pub(super) fn write(&mut self, frame: &Frame) {
        let Some(tone) = &mut self.tone else {
            return self.sink.write(frame);
        };
        let mut both = *frame;
        let mut beep = [0; media::FRAME_SAMPLES];
        tone.fill(&mut beep);
        for (sample, beep) in both.iter_mut().zip(beep) {
            *sample = sample.saturating_add(beep);
        }
        self.sink.write(&both);
    }

    pub(super) fn finish(&mut self) {
        self.sink.finish();
    }
}

/// Nobody: before cards and files are open.
impl Default for Near {
    fn default() -> Self {
        Self::new(Box::new(Silence), Box::new(NoSink))
    }
}
