//! One who speaks: what it says in the frame at hand, without clicks where it begins and ends.

use super::gain::{Gain, Ramp, scale};
use super::{Kind, Sums};
use crate::frame::{FRAME_SAMPLES, Frame, SILENCE};

/// Samples over which a sound that begins or ends in the middle is faded: 2.5 ms.
const FADE_SAMPLES: u16 = 120;

#[derive(Debug)]
pub(super) struct Member {
    kind: Kind,
    serial: u64,
    level: Ramp,
    frame: Frame,
    state: State,
    is_leaving: bool,
    is_silent: bool,
    sound: Sums,
}

/// What `frame` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing that should be heard.
    Silent,
    /// What was said last, which has been heard.
    Heard,
    /// What comes next, after silence.
    Begins,
    /// What comes next, after what was heard.
    GoesOn,
}

impl Member {
    pub(super) fn new(kind: Kind, serial: u64) -> Self {
        Self {
            kind,
            serial,
            level: Ramp::at(1.0),
            frame: SILENCE,
            state: State::Silent,
            is_leaving: false,
            is_silent: true,
            sound: [0; FRAME_SAMPLES],
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    pub(super) fn set_level(&mut self, gain: Gain) {
        self.level.go_to(gain);
    }

    pub(super) fn put(&mut self, frame: &Frame) {
        self.frame = *frame;
        self.state = match self.state {
            State::Silent | State::Begins => State::Begins,
            State::Heard | State::GoesOn => State::GoesOn,
        };
    }

    pub(super) fn leave(&mut self) {
        self.is_leaving = true;
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// Whether it has left and faded.
    pub(super) fn is_gone(&self) -> bool {
        self.is_leaving && self.state == State::Silent
    }

    /// Whether there is nothing in [`Member::sound`].
    pub(super) fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// What it says in this frame, with its level.
    pub(super) fn sound(&self) -> &Sums {
        &self.sound
    }

    /// Makes the sound of the coming frame.
    pub(super) fn prepare(&mut self) {
        let (from, to) = self.level.advance();
        self.state = match self.state {
            State::Silent => State::Silent,
            State::Heard => {
                self.end();
                State::Silent
            }
            State::Begins => {
                fade(self.frame.iter_mut());
                State::Heard
            }
            State::GoesOn => State::Heard,
        };
        self.is_silent = self.frame == SILENCE;
        if !self.is_silent {
            scale(&self.frame, from, to, &mut self.sound);
        }
        if self.state == State::Silent {
            self.frame = SILENCE;
        }
    }

    /// What was heard last runs backwards and fades: it begins where the last sample ended.
    fn end(&mut self) {
        let len = usize::from(FADE_SAMPLES);
        self.frame.reverse();
        self.frame[len..].fill(0);
        fade(self.frame[..len].iter_mut().rev());
    }
}

/// The first [`FADE_SAMPLES`] grow from silence.
fn fade<'a>(samples: impl Iterator<Item = &'a mut i16>) {
    for (n, sample) in (0..FADE_SAMPLES).zip(samples) {
        let faded = i32::from(*sample) * i32::from(n) / i32::from(FADE_SAMPLES);
        *sample = i16::try_from(faded).unwrap_or(*sample);
    }
}
