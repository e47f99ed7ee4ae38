//! One call's place at the desk.

use std::sync::{Arc, Mutex};

use media::Frame;
use media::tone::SupervisoryTone;

use super::lock;
use super::near::Near;
use super::queue::Queue;
use super::room::{Room, Seat};
use crate::{AudioSink, AudioSource, Recorder, Silence};

/// Where a call's sound comes from and goes to.
pub enum Place {
    /// To the person.
    Person,
    /// The other side hears this, and nobody hears the other side: hold.
    Alone(Box<dyn AudioSource>),
    /// To a conference.
    Room(Room),
}

/// The owner's handle of one call's place. Clones are the same place.
#[derive(Clone)]
pub struct Port(Arc<Mutex<Inner>>);

/// The session's source.
pub struct PortSource(Arc<Mutex<Inner>>);

/// The session's sink. When it is dropped the call leaves its conference.
pub struct PortSink(Arc<Mutex<Inner>>);

struct Inner {
    near: Arc<Mutex<Near>>,
    at: At,
    tape: Option<Tape>,
    /// The session has ended: the call must not come back into a conference.
    is_over: bool,
}

enum At {
    Person,
    Alone(Box<dyn AudioSource>),
    Room(Room, Seat),
}

/// A recording under way.
struct Tape {
    recorder: Recorder,
    /// What the other side heard and is not in the file yet.
    own: Queue,
}

impl Port {
    /// A place with the person, who has neither microphone nor loudspeaker yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            near: Arc::default(),
            at: At::Person,
            tape: None,
            is_over: false,
        })))
    }

    /// What a session is started with.
    #[must_use]
    pub fn ends(&self) -> (PortSource, PortSink) {
        (PortSource(self.0.clone()), PortSink(self.0.clone()))
    }

    /// Gives the person a microphone and a loudspeaker in this call.
    pub fn set_near(&self, near: Near) {
        *lock(&lock(&self.0).near) = near;
    }

    /// Moves the call. A call that is in the room already stays as it is there.
    pub fn set_place(&self, place: Place) {
        let mut inner = lock(&self.0);
        if inner.is_over {
            return;
        }
        let at = match (&inner.at, place) {
            (At::Room(room, _), Place::Room(new)) if room.is(&new) => return,
            (_, Place::Person) => At::Person,
            (_, Place::Alone(source)) => At::Alone(source),
            (_, Place::Room(room)) => match room.enter(inner.near.clone()) {
                Some(seat) => At::Room(room, seat),
                None => At::Alone(Box::new(Silence)),
            },
        };
        inner.leave();
        if matches!(at, At::Person) {
            // Nothing of what was said while nobody listened.
            lock(&inner.near).source.discard();
        }
        inner.at = at;
    }

    /// What the other side hears from now on, if the call is still alone.
    pub fn accompany(&self, music: Box<dyn AudioSource>) {
        if let At::Alone(source) = &mut lock(&self.0).at {
            *source = music;
        }
    }

    /// The seat in the conference, if it is in one.
    #[must_use]
    pub fn seat(&self) -> Option<Seat> {
        match &lock(&self.0).at {
            At::Room(_, seat) => Some(*seat),
            At::Person | At::Alone(_) => None,
        }
    }

    /// A tone that the person hears together with the call, without an end of its own.
    pub fn set_tone(&self, tone: Option<SupervisoryTone>) {
        lock(&lock(&self.0).near).set_tone(tone);
    }

    /// Records from now on. A recorder before this one comes back, and this one itself if the call is over.
    pub fn record(&self, recorder: Recorder) -> Option<Recorder> {
        let mut inner = lock(&self.0);
        if inner.is_over {
            return Some(recorder);
        }
        let own = Queue::default();
        let tape = inner.tape.replace(Tape { recorder, own });
        tape.map(|tape| tape.recorder)
    }

    /// Ends the recording, if there is one. The recorder is to be finished where that does no harm.
    #[must_use]
    pub fn stop_recording(&self) -> Option<Recorder> {
        lock(&self.0).tape.take().map(|tape| tape.recorder)
    }

    /// Whether the recording can still be written; `None` without one.
    #[must_use]
    pub fn is_recording(&self) -> Option<bool> {
        let inner = lock(&self.0);
        inner.tape.as_ref().map(|tape| tape.recorder.is_writing())
    }
}

impl Default for Port {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    fn leave(&mut self) {
        if let At::Room(room, seat) = &self.at {
            room.leave(*seat);
        }
    }

    fn end(&mut self) {
        self.leave();
        self.at = At::Alone(Box::new(Silence));
        self.is_over = true;
    }
}

impl AudioSource for PortSource {
    fn frames_due(&mut self, passed: usize) -> usize {
        let inner = &mut *lock(&self.0);
        match &mut inner.at {
            At::Person => lock(&inner.near).source.frames_due(passed),
            At::Alone(source) => source.frames_due(passed),
            At::Room(room, seat) => room.frames_to_hear(*seat),
        }
    }

    fn read(&mut self, frame: &mut Frame) {
        let inner = &mut *lock(&self.0);
        match &mut inner.at {
            At::Person => lock(&inner.near).source.read(frame),
            At::Alone(source) => source.read(frame),
            At::Room(room, seat) => room.hear(*seat, frame),
        }
        if let Some(tape) = &mut inner.tape {
            tape.own.push(frame);
        }
    }

    fn discard(&mut self) {
        let inner = &mut *lock(&self.0);
        match &mut inner.at {
            At::Person => lock(&inner.near).source.discard(),
            At::Alone(source) => source.discard(),
            At::Room(room, seat) => room.discard(*seat),
        }
    }
}

impl AudioSink for PortSink {
    fn frames_due(&mut self, passed: usize) -> usize {
        let inner = &mut *lock(&self.0);
        match &mut inner.at {
            At::Person => lock(&inner.near).sink_frames_due(passed),
            At::Alone(_) => passed,
            At::Room(room, seat) => room.frames_to_say(*seat, passed),
        }
    }

    fn write(&mut self, frame: &Frame) {
        let inner = &mut *lock(&self.0);
        match &mut inner.at {
            At::Person => lock(&inner.near).write(frame),
            At::Alone(_) => {}
            At::Room(room, seat) => room.say(*seat, frame),
        }
        if let Some(tape) = &mut inner.tape {
            let own = tape.own.pop().unwrap_or(media::SILENCE);
            tape.recorder.record(&own, frame);
        }
    }

    fn finish(&mut self) {
        let near = {
            let mut inner = lock(&self.0);
            inner.end();
            inner.near.clone()
        };
        lock(&near).finish();
    }
}

impl Drop for PortSink {
    fn drop(&mut self) {
        lock(&self.0).end();
    }
}
