//! Digits of one call: as telephone-events where they were agreed on, else as tones in the sound.

use crate::dtmf::{Digit, ToneSender};
use crate::frame::Frame;

use super::{DigitError, Session, SessionEvent};

impl Session {
    /// Sends a digit after those that wait: as a telephone-event, or as a tone in place of speech if the peer
    /// takes no events.
    ///
    /// # Errors
    ///
    /// [`DigitError`] if we do not send now, or if too many wait.
    pub fn send_digit(&mut self, digit: Digit) -> Result<(), DigitError> {
        let parameters = self.stream.as_ref().map(|stream| &stream.parameters);
        let sending = parameters.filter(|parameters| parameters.direction.sends());
        let pushed = match sending.ok_or(DigitError::NotSending)?.send_event {
            Some(_) => self.digits.push(digit),
            None => self.tones.push(digit),
        };
        Ok(pushed?)
    }

    /// A peer with which no events were agreed may send digits as tones.
    pub(super) fn listen_for_tones(&mut self, frame: &Frame) {
        let no_events = |stream: &super::Stream| stream.parameters.receive_events.is_empty();
        if !self.stream.as_ref().is_some_and(no_events) {
            return;
        }
        let mut digits = Vec::new();
        self.heard_tones.process(frame, &mut digits);
        for digit in digits {
            self.push_event(SessionEvent::Digit(digit));
        }
    }
}

/// The frame with the tones that are to be sent over it; made in `toned`.
pub(super) fn with_tones<'a>(
    tones: &mut ToneSender,
    frame: &'a Frame,
    toned: &'a mut Frame,
) -> &'a Frame {
    if tones.is_idle() {
        return frame;
    }
    *toned = *frame;
    tones.fill(toned);
    toned
}
