//! Digits: what they are, and how they are sent and recognised.
//!
//! - [`EventSender`] and [`EventReceiver`]: as telephone-events (RFC 4733);
//! - [`ToneSender`] and [`ToneReceiver`]: as two sines in the stream of speech (ITU-T Q.23, Q.24).

mod events;
mod inband;

use std::fmt;

pub use events::{EventPacket, EventReceiver, EventSender};
pub use inband::{ToneReceiver, ToneSender};

/// Digits that may wait to be sent.
pub const MAX_QUEUED_DIGITS: usize = 64;

/// One key: 0–9, *, #, A–D (events 0–15, RFC 4733 section 3.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digit(u8);

const DIGITS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];

impl Digit {
    /// The key with this label, `None` if there is none.
    #[must_use]
    pub fn from_char(label: char) -> Option<Self> {
        let label = label.to_ascii_uppercase();
        let event = DIGITS.iter().position(|&digit| digit == label)?;
        u8::try_from(event).ok().map(Self)
    }

    /// The key that an event code means, `None` for events that are no keys.
    #[must_use]
    pub fn from_event(event: u8) -> Option<Self> {
        (usize::from(event) < DIGITS.len()).then_some(Self(event))
    }

    /// Its label.
    #[must_use]
    pub fn as_char(self) -> char {
        DIGITS[usize::from(self.0)]
    }

    /// Its event code.
    #[must_use]
    pub fn event(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_char())
    }
}

/// A digit may be part of a code that someone types: it is not for logs.
impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digit(***)")
    }
}

/// No room for more digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_QUEUED_DIGITS} digits are waiting to be sent")]
pub struct QueueFull;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_labels_and_are_not_shown_in_logs() {
        for (event, label) in DIGITS.iter().enumerate() {
            let digit = Digit::from_char(*label).unwrap();
            assert_eq!(usize::from(digit.event()), event);
            assert_eq!(digit.to_string(), label.to_string());
            assert_eq!(format!("{digit:?}"), "Digit(***)");
        }
        assert_eq!(Digit::from_char('a'), Digit::from_char('A'));
        assert_eq!(Digit::from_char('x'), None);
        assert_eq!(Digit::from_event(16), None);
    }
}
