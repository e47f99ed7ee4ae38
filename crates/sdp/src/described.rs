//! A session description as it travels: text that was read once and can be read again.
//!
//! Who only passes descriptions on needs no more than that, and most are passed on as they came. A text that is written in
//! another way than ours (line ends, the order of lines, blanks) is written anew, so that nobody behind us reads it differently.
//!
//! Invariant: the text of a [`Described`] is what [`SessionDescription::to_bytes`] makes of its description.

use std::fmt;

use bytes::Bytes;

use crate::parse::{ConnectionLine, Line, Lines, MAX_BYTES, MediaLine, OriginLine};
use crate::{SdpError, SessionDescription};

/// A description that can be read. Copies share the text, which may hold keys and so is not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Described(Bytes);

impl Described {
    /// Reads a description and keeps its text.
    ///
    /// # Errors
    ///
    /// As [`SessionDescription::parse`].
    pub fn read(bytes: &[u8]) -> Result<Self, SdpError> {
        if is_as_written(bytes)? {
            return Ok(Self(Bytes::copy_from_slice(bytes)));
        }
        SessionDescription::parse(bytes).map(Self::from)
    }

    /// What it says.
    ///
    /// # Errors
    ///
    /// None, if it was [read](Self::read). A description of our own making with line ends in its values is another one as text.
    pub fn parse(&self) -> Result<SessionDescription, SdpError> {
        SessionDescription::parse(&self.0)
    }

    /// The text, as a body has it.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Described({} bytes)", self.0.len())
    }
}

impl From<&SessionDescription> for Described {
    fn from(description: &SessionDescription) -> Self {
        Self(description.to_bytes().into())
    }
}

impl From<SessionDescription> for Described {
    fn from(description: SessionDescription) -> Self {
        Self::from(&description)
    }
}

/// Whether the text is written as we write what it says.
///
/// # Errors
///
/// As [`SessionDescription::parse`].
fn is_as_written(bytes: &[u8]) -> Result<bool, SdpError> {
    if bytes.len() > MAX_BYTES {
        return Err(SdpError::TooLong { bytes: bytes.len() });
    }
    let text = String::from_utf8_lossy(bytes);
    let mut order = Order::default();
    let mut written = Written::new(&text);
    written.all(["v=0\r\n"]);
    for line in Lines::of(&text)? {
        let line = line?;
        order.note(&line);
        written.line(&line);
    }
    if !order.has_origin {
        return Err(SdpError::Missing { kind: 'o' });
    }
    let is_utf8 = matches!(text, std::borrow::Cow::Borrowed(_));
    Ok(is_utf8 && order.is_complete() && written.is_all())
}

/// A text that is compared with what we would write.
struct Written<'a> {
    /// What is still to be compared.
    rest: &'a [u8],
    is_same: bool,
}

impl<'a> Written<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.as_bytes(),
            is_same: true,
        }
    }

    fn is_all(&self) -> bool {
        self.is_same && self.rest.is_empty()
    }

    fn all<const N: usize>(&mut self, pieces: [&str; N]) {
        for piece in pieces {
            match self.rest.strip_prefix(piece.as_bytes()) {
                Some(rest) => self.rest = rest,
                None => self.is_same = false,
            }
        }
    }

    fn line(&mut self, line: &Line<'_>) {
        match *line {
            Line::Origin(origin) => self.origin(&origin),
            Line::Name(value) => self.all(["s=", value]),
            Line::Information(value) => self.all(["i=", value]),
            Line::Uri(value) => self.all(["u=", value]),
            Line::Email(value) => self.all(["e=", value]),
            Line::Phone(value) => self.all(["p=", value]),
            Line::Connection(connection) => {
                self.all(["c="]);
                self.connection(&connection);
            }
            Line::Bandwidth(kind, value) => self.all(["b=", kind, ":", value]),
            Line::Time(value) => self.all(["t=", value]),
            Line::Repeat(value) => self.all(["r=", value]),
            Line::Zones(value) => self.all(["z=", value]),
            Line::Key(value) => self.all(["k=", value]),
            Line::Attribute(name, None) => self.all(["a=", name]),
            Line::Attribute(name, Some(value)) => self.all(["a=", name, ":", value]),
            Line::Media(media) => self.media(&media),
        }
        self.all(["\r\n"]);
    }

    fn origin(&mut self, origin: &OriginLine<'_>) {
        self.all(["o=", origin.username, " "]);
        self.number(origin.session_id);
        self.all([" "]);
        self.number(origin.version);
        self.all([" "]);
        self.connection(&origin.connection);
    }

    fn connection(&mut self, connection: &ConnectionLine<'_>) {
        let ConnectionLine {
            network,
            family,
            address,
        } = *connection;
        self.all([network, " ", family, " ", address]);
    }

    fn media(&mut self, media: &MediaLine<'_>) {
        self.all(["m=", media.media, " "]);
        self.number(media.port.into());
        if let Some(count) = media.port_count {
            self.all(["/"]);
            self.number(count.into());
        }
        self.all([" ", media.protocol]);
        for format in media.formats.split_ascii_whitespace() {
            self.all([" ", format]);
        }
    }

    /// Digits that say `number`, as short as can be.
    fn number(&mut self, number: u64) {
        let is_digit = |byte: &&u8| byte.is_ascii_digit();
        let digits = self.rest.iter().take_while(is_digit).count();
        let shortest = number.checked_ilog10().unwrap_or(0) as usize + 1;
        let (text, rest) = self.rest.split_at(digits);
        let said = text.iter().try_fold(0_u64, |said, digit| {
            said.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        self.is_same &= digits == shortest && said == Some(number);
        self.rest = rest;
    }
}

/// In which order the lines come: ours is that of RFC 8866, section 5.
#[derive(Default)]
struct Order {
    last: u8,
    is_broken: bool,
    in_media: bool,
    has_origin: bool,
    has_name: bool,
    has_time: bool,
}

impl Order {
    fn note(&mut self, line: &Line<'_>) {
        let (place, may_repeat) = match line {
            Line::Origin(_) => (1, false),
            Line::Name(_) => (2, false),
            Line::Information(_) => (3, false),
            Line::Uri(_) => (4, false),
            Line::Email(_) => (5, true),
            Line::Phone(_) => (6, true),
            Line::Connection(_) => (7, self.in_media),
            Line::Bandwidth(..) => (8, true),
            Line::Time(_) | Line::Repeat(_) => (9, true),
            Line::Zones(_) => (10, false),
            Line::Key(_) => (11, false),
            Line::Attribute(..) => (12, true),
            Line::Media(_) => {
                self.in_media = true;
                self.last = 0;
                return;
            }
        };
        self.has_origin |= matches!(line, Line::Origin(_));
        self.has_name |= matches!(line, Line::Name(_));
        self.has_time |= matches!(line, Line::Time(_));
        self.is_broken |= place < self.last || place == self.last && !may_repeat;
        self.last = place;
    }

    /// We write a name and a time in any case.
    fn is_complete(&self) -> bool {
        !self.is_broken && self.has_name && self.has_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: &str = "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

    fn is_kept(text: &str) -> bool {
        is_as_written(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_description_in_our_own_spelling_is_kept_as_it_came() {
        assert!(is_kept(USUAL));
        for line in ["i=x", "b=AS:1", "k=clear:x", "a=y", "m=video 0/2 x 31"] {
            assert!(
                is_kept(&format!("{USUAL}m=audio 1 RTP/AVP\r\n{line}\r\n")),
                "{line}"
            );
        }
        let whole = USUAL.replace(
            "t=0 0\r\n",
            "b=AS:1\r\nb=CT:2\r\nt=0 0\r\nr=7d 1h 0\r\nt=1 2\r\nz=0 1h\r\nk=prompt\r\na=b\r\na=c\r\n",
        );
        let whole = whole.replace("c=", "i=x\r\nu=y\r\ne=a\r\ne=b\r\np=1\r\np=2\r\nc=");
        assert!(is_kept(&whole), "{whole}");
    }

    #[test]
    fn a_description_in_another_spelling_is_written_anew() {
        for (ours, theirs) in [
            ("\r\n", "\n"),
            ("\r\n", "\r"),
            ("v=0", "v=0 "),
            ("s=-\r\n", ""),
            ("s=-\r\n", "s=-\r\ns=-\r\n"),
            ("t=0 0\r\n", ""),
            (" 7 1 ", " 07 1 "),
            (" 7 1 ", " 99999999999999999999 1 "),
            ("audio 4000", "audio  4000"),
            ("audio 4000", "audio +4000"),
            ("0 101\r\n", "0 101 \r\n"),
            ("c=IN IP4 192.0.2.1", "c=IN IP4 192.0.2.1 x"),
            ("c=IN IP4 192.0.2.1\r\nt=0 0", "t=0 0\r\nc=IN IP4 192.0.2.1"),
            (
                "c=IN IP4 192.0.2.1\r\n",
                "c=IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.2\r\n",
            ),
            ("a=sendrecv\r\n", "a=sendrecv\r\nc=IN IP4 192.0.2.1\r\n"),
            ("a=sendrecv\r\n", "a=sendrecv"),
            ("a=sendrecv\r\n", "a=sendrecv\r\n\r\n"),
        ] {
            let text = USUAL.replace(ours, theirs);
            assert_ne!(text, USUAL, "{theirs:?}");
            assert!(!is_kept(&text), "{theirs:?}");
        }
        let latin = USUAL.replace("o=-", "o=J?rg").replace('?', "\u{e9}");
        assert!(is_kept(&latin));
        let broken: Vec<u8> = latin.bytes().filter(|byte| *byte != 0xC3).collect();
        assert_eq!(is_as_written(&broken), Ok(false));
    }
}
