//! `application/simple-message-summary`: how many messages wait (RFC 3842), the body of the event
//! package `message-summary`.
//!
//! Left out on purpose: the optional header fields of single messages after the empty line; they
//! are passed over.

use std::fmt;

/// Media type of the body.
pub const MESSAGE_SUMMARY: &str = "application/simple-message-summary";

/// Longest body that is read, in bytes.
const MAX_BYTES: usize = 8_192;
/// Kinds of messages in one body.
const MAX_CLASSES: usize = 16;

/// What waits for one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageSummary {
    /// Whether there are new messages at all.
    pub waiting: bool,
    /// Where to call for them: a URI.
    pub account: Option<String>,
    /// Messages by kind, as far as the system tells.
    pub counts: Vec<MessageCount>,
}

/// Messages of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageCount {
    /// What they are.
    pub class: MessageClass,
    /// Not yet heard.
    pub new: u32,
    /// Heard.
    pub old: u32,
    /// Urgent ones among both, if the system tells: new and old.
    pub urgent: Option<(u32, u32)>,
}

/// Kinds of messages (RFC 3458, section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageClass {
    /// Spoken.
    Voice,
    /// Facsimile.
    Fax,
    /// Written in real time.
    Pager,
    /// Several kinds in one.
    Multimedia,
    /// Text.
    Text,
    /// None of these.
    None,
}

/// Why a body is no [`MessageSummary`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageSummaryError {
    /// Longer than is read, or with more kinds.
    #[error("too large")]
    TooLarge,
    /// No UTF-8.
    #[error("not text")]
    NotText,
    /// The line that every body starts with is not there.
    #[error("Messages-Waiting is missing")]
    NoStatus,
    /// A line that is not `name: value`, or whose value cannot be read.
    #[error("malformed line {line}")]
    Malformed {
        /// Counted from 1.
        line: usize,
    },
}

impl MessageSummary {
    /// So many spoken messages.
    #[must_use]
    pub fn voice(new: u32, old: u32) -> Self {
        Self {
            waiting: new > 0,
            account: None,
            counts: vec![MessageCount {
                class: MessageClass::Voice,
                new,
                old,
                urgent: None,
            }],
        }
    }

    /// Messages of one kind, if the system told.
    #[must_use]
    pub fn of(&self, class: MessageClass) -> Option<&MessageCount> {
        self.counts.iter().find(|count| count.class == class)
    }

    /// Reads a body. Lines may end with LF alone, as several systems send them.
    ///
    /// # Errors
    ///
    /// [`MessageSummaryError`].
    pub fn parse(body: &[u8]) -> Result<Self, MessageSummaryError> {
        if body.len() > MAX_BYTES {
            return Err(MessageSummaryError::TooLarge);
        }
        let text = std::str::from_utf8(body).map_err(|_| MessageSummaryError::NotText)?;
        let mut status = None;
        let mut summary = Self::default();
        let lines = text.lines().map(str::trim).enumerate();
        for (at, line) in lines.take_while(|(_, line)| !line.is_empty()) {
            let malformed = MessageSummaryError::Malformed { line: at + 1 };
            let Some((name, value)) = line.split_once(':') else {
                return Err(malformed);
            };
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("Messages-Waiting") {
                status = Some(yes_or_no(value).ok_or(malformed)?);
            } else if name.eq_ignore_ascii_case("Message-Account") {
                summary.account = Some(value.to_owned());
            } else if let Some(class) = MessageClass::from_word(name) {
                if summary.counts.len() >= MAX_CLASSES {
                    return Err(MessageSummaryError::TooLarge);
                }
                let count = count(class, value).ok_or(malformed)?;
                summary.counts.push(count);
            }
        }
        summary.waiting = status.ok_or(MessageSummaryError::NoStatus)?;
        Ok(summary)
    }
}

fn yes_or_no(value: &str) -> Option<bool> {
    if value.eq_ignore_ascii_case("yes") {
        Some(true)
    } else if value.eq_ignore_ascii_case("no") {
        Some(false)
    } else {
        None
    }
}

/// `2/8 (0/2)`
fn count(class: MessageClass, value: &str) -> Option<MessageCount> {
    let (all, urgent) = match value.split_once('(') {
        Some((all, urgent)) => (all, Some(pair(urgent.trim_end().strip_suffix(')')?)?)),
        None => (value, None),
    };
    let (new, old) = pair(all)?;
    Some(MessageCount {
        class,
        new,
        old,
        urgent,
    })
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let (new, old) = text.split_once('/')?;
    Some((number(new)?, number(old)?))
}

/// Digits alone: `parse` would take a sign too.
fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

impl MessageClass {
    const WORDS: [(Self, &str); 6] = [
        (Self::Voice, "Voice-Message"),
        (Self::Fax, "Fax-Message"),
        (Self::Pager, "Pager-Message"),
        (Self::Multimedia, "Multimedia-Message"),
        (Self::Text, "Text-Message"),
        (Self::None, "None"),
    ];

    fn from_word(word: &str) -> Option<Self> {
        let found = Self::WORDS
            .iter()
            .find(|(_, own)| own.eq_ignore_ascii_case(word));
        found.map(|(class, _)| *class)
    }

    fn as_str(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(class, _)| *class == self);
        found.map_or("None", |(_, word)| word)
    }
}

/// The body, with CRLF.
impl fmt::Display for MessageSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = if self.waiting { "yes" } else { "no" };
        write!(f, "Messages-Waiting: {status}\r\n")?;
        if let Some(account) = &self.account {
            let one_line: String = account.chars().filter(|c| !c.is_control()).collect();
            write!(f, "Message-Account: {one_line}\r\n")?;
        }
        for count in &self.counts {
            write!(f, "{}: {}/{}", count.class.as_str(), count.new, count.old)?;
            if let Some((new, old)) = count.urgent {
                write!(f, " ({new}/{old})")?;
            }
            f.write_str("\r\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_of_the_standard_is_read_and_written_back() {
        let text = "Messages-Waiting: yes\r\n\
                    Message-Account: sip:alice@vmail.example.com\r\n\
                    Voice-Message: 2/8 (0/2)\r\n";
        let summary = MessageSummary::parse(text.as_bytes()).unwrap();
        let voice = summary.of(MessageClass::Voice).unwrap();
        assert_eq!((voice.new, voice.old, voice.urgent), (2, 8, Some((0, 2))));
        assert_eq!(summary.to_string(), text);
    }

    #[test]
    fn sloppy_bodies_are_read() {
        let body = b"messages-waiting:no\nX-Own: 1\nvoice-message:0/0\n\nTo: <sip:a@b>\nVoice-Message: 9/9";
        let summary = MessageSummary::parse(body).unwrap();
        assert!(!summary.waiting);
        assert_eq!(summary.counts.len(), 1);
    }

    #[test]
    fn other_bodies_are_refused() {
        use MessageSummaryError::{Malformed, NoStatus, NotText, TooLarge};
        for (body, error) in [
            (&b""[..], NoStatus),
            (b"Voice-Message: 1/1\r\n", NoStatus),
            (b"Messages-Waiting: maybe\r\n", Malformed { line: 1 }),
            (
                b"Messages-Waiting: yes\r\nVoice-Message: 1",
                Malformed { line: 2 },
            ),
            (
                b"Messages-Waiting: yes\r\nVoice-Message: -1/+1",
                Malformed { line: 2 },
            ),
            (
                b"Messages-Waiting: yes\r\nVoice-Message: 99999999999/0",
                Malformed { line: 2 },
            ),
            (
                b"Messages-Waiting: yes\r\nVoice-Message: 1/1 (1/1",
                Malformed { line: 2 },
            ),
            (b"Messages-Waiting: yes\r\nnothing", Malformed { line: 2 }),
            (b"\xff", NotText),
        ] {
            assert_eq!(MessageSummary::parse(body), Err(error), "{body:?}");
        }
        let many = format!(
            "Messages-Waiting: yes\r\n{}",
            "Fax-Message: 1/1\r\n".repeat(17)
        );
        assert_eq!(MessageSummary::parse(many.as_bytes()), Err(TooLarge));
        assert_eq!(MessageSummary::parse(&[b'a'; 9_000]), Err(TooLarge));
    }

    #[test]
    fn account_cannot_add_lines() {
        let summary = MessageSummary {
            account: Some("sip:a@b\r\nVoice-Message: 7/7".to_owned()),
            ..MessageSummary::voice(0, 0)
        };
        let read = MessageSummary::parse(summary.to_string().as_bytes()).unwrap();
        assert_eq!(read.of(MessageClass::Voice).unwrap().new, 0);
    }
}
