//! Digits in the body of INFO: two formats that are older than any standard for them.
//!
//! `application/dtmf-relay` says `Signal=5` and `Duration=160`, in lines; `application/dtmf` is the digit alone.

/// How digits go that are not sent as telephone-events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyWay {
    /// In INFO, `application/dtmf-relay`.
    Relay,
    /// In INFO, `application/dtmf`: the peer did not take the other.
    Bare,
    /// As tones: the peer takes neither.
    Tones,
}

/// How long a key is said to be pressed, in milliseconds.
const DURATION_MS: u32 = 160;

impl KeyWay {
    /// Content type and body; `None` for tones.
    pub(crate) fn body(self, digit: char) -> Option<(&'static str, String)> {
        match self {
            Self::Relay => Some((
                "application/dtmf-relay",
                format!("Signal={digit}\r\nDuration={DURATION_MS}\r\n"),
            )),
            Self::Bare => Some(("application/dtmf", digit.to_string())),
            Self::Tones => None,
        }
    }

    /// The next to try after a body of this type was refused with this status.
    pub(crate) fn after(content_type: &str, status: u16) -> Self {
        let may_take_other = matches!(status, 406 | 415 | 488);
        match content_type {
            "application/dtmf-relay" if may_take_other => Self::Bare,
            _ => Self::Tones,
        }
    }
}

/// The digit in such a body. `10` and `11` are `*` and `#`, as the event codes of RFC 4733.
pub(crate) fn digit(content_type: &str, body: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(body).ok()?;
    let value = match content_type {
        "application/dtmf-relay" => text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then_some(value)
        })?,
        _ => text,
    };
    let value = value.trim();
    match value {
        "10" => return Some('*'),
        "11" => return Some('#'),
        _ => {}
    }
    let mut characters = value.chars();
    let digit = characters.next()?.to_ascii_uppercase();
    let is_digit = digit.is_ascii_digit() || "*#ABCD".contains(digit);
    (is_digit && characters.next().is_none()).then_some(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_read_again() {
        for way in [KeyWay::Relay, KeyWay::Bare] {
            for key in "0123456789*#ABCD".chars() {
                let (content_type, body) = way.body(key).unwrap();
                assert_eq!(digit(content_type, body.as_bytes()), Some(key), "{way:?}");
            }
        }
        assert_eq!(KeyWay::Tones.body('1'), None);
    }

    #[test]
    fn what_other_phones_write_is_read_and_nonsense_is_nothing() {
        let relay = |body: &str| digit("application/dtmf-relay", body.as_bytes());
        assert_eq!(relay("Signal= 5\r\nDuration= 250\r\n"), Some('5'));
        assert_eq!(relay("Duration=100\nsignal=d"), Some('D'));
        assert_eq!(relay("Signal=11\r\n"), Some('#'));
        assert_eq!(relay("Duration=100\r\n"), None, "no D");
        assert_eq!(relay("Signal=hello"), None);
        assert_eq!(relay(""), None);
        let bare = |body: &[u8]| digit("application/dtmf", body);
        assert_eq!(bare(b"10\r\n"), Some('*'));
        assert_eq!(bare(b"7"), Some('7'));
        assert_eq!(bare(b"77"), None);
        assert_eq!(bare(b"\xff"), None);
    }

    #[test]
    fn another_type_is_tried_only_if_the_type_was_wrong() {
        assert_eq!(KeyWay::after("application/dtmf-relay", 415), KeyWay::Bare);
        assert_eq!(KeyWay::after("application/dtmf-relay", 405), KeyWay::Tones);
        assert_eq!(KeyWay::after("application/dtmf", 415), KeyWay::Tones);
    }
}
