//! A conference: several calls and the person, each hears the others and not itself.
//!
//! The call that has been in longest runs it, in the looks of its session, with its own near end as the
//! person's. When it leaves, the next one does.

use std::sync::{Arc, Mutex};

use media::mix::{Gain, MemberId, Mixer};
use media::{Frame, SILENCE};

use super::lock;
use super::near::Near;
use super::queue::Queue;
use crate::Recorder;

/// Names one call in one room.
pub type Seat = MemberId;

/// Whether somebody is heard by the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// By all of them.
    Heard,
    /// By none.
    Muted,
}

impl Voice {
    fn gain(self) -> Gain {
        match self {
            Self::Heard => Gain::UNITY,
            Self::Muted => Gain::SILENT,
        }
    }
}

/// A conference. Clones are the same one.
#[derive(Clone)]
pub struct Room(Arc<Mutex<Inner>>);

struct Inner {
    mixer: Mixer,
    person: MemberId,
    /// In the order in which they came.
    members: Vec<Member>,
    microphone: Queue,
    recorder: Option<Recorder>,
    /// It is over: nothing is recorded any more.
    is_over: bool,
}

struct Member {
    seat: Seat,
    near: Arc<Mutex<Near>>,
    /// What the other side of the call said and nobody heard yet.
    said: Queue,
    /// What it is to hear.
    hears: Queue,
}

impl Room {
    /// An empty conference.
    #[must_use]
    pub fn new() -> Self {
        let mut mixer = Mixer::default();
        let person = mixer.add_party().expect("an empty mixer has room");
        Self(Arc::new(Mutex::new(Inner {
            mixer,
            person,
            members: Vec::new(),
            microphone: Queue::default(),
            recorder: None,
            is_over: false,
        })))
    }

    /// Calls that are in.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.0).members.len()
    }

    /// Whether no call is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the others hear this call.
    pub fn set_voice(&self, seat: Seat, voice: Voice) {
        lock(&self.0).mixer.set_level(seat, voice.gain());
    }

    /// Whether this call hears the person.
    pub fn set_person_for(&self, seat: Seat, voice: Voice) {
        let mut inner = lock(&self.0);
        let person = inner.person;
        inner.mixer.set_hearing(seat, person, voice.gain());
    }

    /// Records from now on: the person left, all others together right. A recorder before this one comes
    /// back, and this one itself if the conference is over.
    pub fn record(&self, recorder: Recorder) -> Option<Recorder> {
        let mut inner = lock(&self.0);
        if inner.is_over {
            return Some(recorder);
        }
        inner.recorder.replace(recorder)
    }

    /// Ends the conference for good; its recorder is to be finished where that does no harm.
    #[must_use]
    pub fn end(&self) -> Option<Recorder> {
        let mut inner = lock(&self.0);
        inner.is_over = true;
        inner.recorder.take()
    }

    /// Ends the recording, if there is one. The recorder is to be finished where that does no harm.
    #[must_use]
    pub fn stop_recording(&self) -> Option<Recorder> {
        lock(&self.0).recorder.take()
    }

    /// Whether the recording can still be written; `None` without one.
    #[must_use]
    pub fn is_recording(&self) -> Option<bool> {
        lock(&self.0).recorder.as_ref().map(Recorder::is_writing)
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// `None`: it is full.
    pub(super) fn enter(&self, near: Arc<Mutex<Near>>) -> Option<Seat> {
        let mut inner = lock(&self.0);
        let seat = inner.mixer.add_party().ok()?;
        if inner.members.is_empty() {
            inner.microphone.clear();
            // Nothing of what was said while nobody listened.
            lock(&near).source.discard();
        }
        inner.members.push(Member {
            seat,
            near,
            said: Queue::default(),
            hears: Queue::default(),
        });
        Some(seat)
    }

    pub(super) fn leave(&self, seat: Seat) {
        let mut inner = lock(&self.0);
        inner.members.retain(|member| member.seat != seat);
        inner.mixer.remove(seat);
    }

    /// How many frames of its other side a call is to give now. Asked every 5 ms by each call.
    pub(super) fn frames_to_say(&self, seat: Seat, passed: usize) -> usize {
        let mut inner = lock(&self.0);
        if inner
            .members
            .first()
            .is_some_and(|first| first.seat == seat)
        {
            inner.look(passed);
        }
        inner
            .member(seat)
            .map_or(passed, |member| member.said.wanted())
    }

    pub(super) fn say(&self, seat: Seat, frame: &Frame) {
        if let Some(member) = lock(&self.0).member(seat) {
            member.said.push(frame);
        }
    }

    /// How many frames wait for a call.
    pub(super) fn frames_to_hear(&self, seat: Seat) -> usize {
        lock(&self.0)
            .member(seat)
            .map_or(0, |member| member.hears.len())
    }

    pub(super) fn hear(&self, seat: Seat, frame: &mut Frame) {
        let heard = lock(&self.0)
            .member(seat)
            .and_then(|member| member.hears.take());
        *frame = heard.unwrap_or(SILENCE);
    }

    pub(super) fn discard(&self, seat: Seat) {
        if let Some(member) = lock(&self.0).member(seat) {
            member.hears.clear();
        }
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    fn member(&mut self, seat: Seat) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.seat == seat)
    }

    /// 5 ms of the conference.
    fn look(&mut self, passed: usize) {
        let Some(near) = self.members.first().map(|first| first.near.clone()) else {
            return;
        };
        let mut near = lock(&near);
        let mut frame = SILENCE;
        for _ in 0..near.source.frames_due(passed) {
            near.source.read(&mut frame);
            self.microphone.push(&frame);
        }
        for _ in 0..near.sink_frames_due(passed) {
            self.mix(&mut near);
        }
    }

    /// 10 ms of everybody.
    fn mix(&mut self, near: &mut Near) {
        let own = self.microphone.pop();
        if let Some(own) = &own {
            self.mixer.put(self.person, own);
        }
        for member in &mut self.members {
            if let Some(said) = member.said.pop() {
                self.mixer.put(member.seat, &said);
            }
        }
        self.mixer.mix();
        let others = self.mixer.heard_by(self.person);
        near.write(others);
        if let Some(recorder) = &mut self.recorder {
            recorder.record(&own.unwrap_or(SILENCE), others);
        }
        for member in &mut self.members {
            member.hears.push(self.mixer.heard_by(member.seat));
        }
    }
}
