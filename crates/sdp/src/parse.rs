//! Text to descriptions (RFC 8866 section 9).
//!
//! Strict where a guess would misread (version, origin, media lines, unknown letters), forgiving
//! where old peers differ: any line end, lines in another order within their level, no `s=` or
//! `t=` line, bytes that are not UTF-8 (replaced). Never panics.
//!
//! [`Lines`] is the grammar, read in place; [`SessionDescription::parse`] keeps what it reads,
//! [`Described`](crate::Described) only that it can be read.

use crate::{
    Attribute, Bandwidth, Connection, KeyLine, MediaDescription, Origin, SdpError,
    SessionDescription, Time,
};

/// Longest description that is read, in bytes.
pub const MAX_BYTES: usize = 65_535;
/// Most lines of one description.
pub const MAX_LINES: usize = 2_048;
/// Most media lines of one description; only the first few are acted on.
pub const MAX_MEDIA: usize = 64;
/// Most format tokens of one media line: there are 128 payload numbers.
const MAX_FORMATS: usize = 128;

impl SessionDescription {
    /// Reads a description.
    ///
    /// # Errors
    ///
    /// [`SdpError`] says which line is wrong; [`SdpError::reply_status`] how to answer.
    pub fn parse(bytes: &[u8]) -> Result<Self, SdpError> {
        if bytes.len() > MAX_BYTES {
            return Err(SdpError::TooLong { bytes: bytes.len() });
        }
        let text = String::from_utf8_lossy(bytes);
        let mut partial = Partial::default();
        for line in Lines::of(&text)? {
            partial.add(line?);
        }
        partial.finish()
    }
}

/// What one line says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Line<'a> {
    Origin(OriginLine<'a>),
    Name(&'a str),
    Information(&'a str),
    Uri(&'a str),
    Email(&'a str),
    Phone(&'a str),
    Connection(ConnectionLine<'a>),
    Bandwidth(&'a str, &'a str),
    Time(&'a str),
    /// Never before a time.
    Repeat(&'a str),
    Zones(&'a str),
    Key(&'a str),
    Attribute(&'a str, Option<&'a str>),
    Media(MediaLine<'a>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct OriginLine<'a> {
    pub(crate) username: &'a str,
    pub(crate) session_id: u64,
    pub(crate) version: u64,
    pub(crate) connection: ConnectionLine<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLine<'a> {
    pub(crate) network: &'a str,
    pub(crate) family: &'a str,
    pub(crate) address: &'a str,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct MediaLine<'a> {
    pub(crate) media: &'a str,
    pub(crate) port: u16,
    pub(crate) port_count: Option<u16>,
    pub(crate) protocol: &'a str,
    /// As written: at most [`MAX_FORMATS`] words.
    pub(crate) formats: &'a str,
}

/// The lines of a description behind its version.
pub(crate) struct Lines<'a> {
    rest: &'a str,
    /// How many there were.
    count: usize,
    media: usize,
    has_time: bool,
}

impl<'a> Lines<'a> {
    /// # Errors
    ///
    /// [`SdpError::Version`] if the first line says something else.
    pub(crate) fn of(text: &'a str) -> Result<Self, SdpError> {
        let mut lines = Self {
            rest: text,
            count: 0,
            media: 0,
            has_time: false,
        };
        match lines.next_text() {
            Some(version) if version.trim_end() == "v=0" => Ok(lines),
            _ => Err(SdpError::Version),
        }
    }

    /// The next line that is not empty, whatever ends it.
    fn next_text(&mut self) -> Option<&'a str> {
        let is_end = |byte: u8| matches!(byte, b'\r' | b'\n');
        let start = self.rest.bytes().position(|byte| !is_end(byte))?;
        let rest = &self.rest[start..];
        let end = memchr::memchr2(b'\r', b'\n', rest.as_bytes());
        let (line, rest) = rest.split_at(end.unwrap_or(rest.len()));
        self.rest = rest;
        self.count += 1;
        Some(line)
    }

    fn read(&mut self, text: &'a str) -> Result<Line<'a>, SdpError> {
        if self.count > MAX_LINES {
            return Err(SdpError::TooManyLines);
        }
        let malformed = SdpError::Line { line: self.count };
        let mut letters = text.chars();
        let (Some(kind), Some('=')) = (letters.next(), letters.next()) else {
            return Err(malformed);
        };
        let value = letters.as_str();
        if kind == '=' || memchr::memchr(0, value.as_bytes()).is_some() {
            return Err(malformed);
        }
        let is_misplaced = match kind {
            'o' | 's' | 'u' | 'e' | 'p' | 't' | 'z' => self.media > 0,
            'r' => self.media > 0 || !self.has_time,
            _ => false,
        };
        if is_misplaced {
            return Err(malformed);
        }
        let line = match kind {
            'o' => origin(value).map(Line::Origin),
            's' => Some(Line::Name(value)),
            'i' => Some(Line::Information(value)),
            'u' => Some(Line::Uri(value)),
            'e' => Some(Line::Email(value)),
            'p' => Some(Line::Phone(value)),
            'c' => connection(value).map(Line::Connection),
            'b' => value
                .split_once(':')
                .map(|(kind, value)| Line::Bandwidth(kind, value)),
            't' => {
                self.has_time = true;
                Some(Line::Time(value))
            }
            'r' => Some(Line::Repeat(value)),
            'z' => Some(Line::Zones(value)),
            'k' => Some(Line::Key(value)),
            'a' => attribute(value),
            'm' if self.media == MAX_MEDIA => return Err(SdpError::TooManyMedia),
            'm' => {
                self.media += 1;
                media_line(value).map(Line::Media)
            }
            kind => {
                return Err(SdpError::UnknownType {
                    line: self.count,
                    kind,
                });
            }
        };
        line.ok_or(malformed)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Line<'a>, SdpError>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.next_text()?;
        Some(self.read(text))
    }
}

/// A description while its lines come in.
#[derive(Default)]
struct Partial {
    origin: Option<Origin>,
    session_name: Option<String>,
    information: Option<String>,
    uri: Option<String>,
    emails: Vec<String>,
    phones: Vec<String>,
    connection: Option<Connection>,
    bandwidth: Vec<Bandwidth>,
    times: Vec<Time>,
    zones: Option<String>,
    key: Option<KeyLine>,
    attributes: Vec<Attribute>,
    media: Vec<MediaDescription>,
}

impl Partial {
    fn add(&mut self, line: Line<'_>) {
        let line = match self.media.last_mut() {
            Some(media) => match add_to_media(media, line) {
                Some(line) => line,
                None => return,
            },
            None => line,
        };
        let text = |value: &str| Some(value.to_owned());
        match line {
            Line::Origin(origin) => self.origin = Some(origin.into()),
            Line::Name(value) => self.session_name = text(value),
            Line::Information(value) => self.information = text(value),
            Line::Uri(value) => self.uri = text(value),
            Line::Email(value) => self.emails.extend(text(value)),
            Line::Phone(value) => self.phones.extend(text(value)),
            Line::Connection(connection) => self.connection = Some(connection.into()),
            Line::Bandwidth(kind, value) => self.bandwidth.push(bandwidth(kind, value)),
            Line::Time(value) => self.times.push(Time {
                active: value.to_owned(),
                repeats: Vec::new(),
            }),
            Line::Repeat(value) => {
                if let Some(time) = self.times.last_mut() {
                    time.repeats.extend(text(value));
                }
            }
            Line::Zones(value) => self.zones = text(value),
            Line::Key(value) => self.key = Some(KeyLine(value.to_owned())),
            Line::Attribute(name, value) => self.attributes.push(owned_attribute(name, value)),
            Line::Media(media) => self.media.push(media.into()),
        }
    }

    fn finish(self) -> Result<SessionDescription, SdpError> {
        let mut times = self.times;
        if times.is_empty() {
            times.push(Time::always());
        }
        Ok(SessionDescription {
            origin: self.origin.ok_or(SdpError::Missing { kind: 'o' })?,
            session_name: self.session_name.unwrap_or_else(|| "-".to_owned()),
            information: self.information,
            uri: self.uri,
            emails: self.emails,
            phones: self.phones,
            connection: self.connection,
            bandwidth: self.bandwidth,
            times,
            zones: self.zones,
            key: self.key,
            attributes: crate::Attributes(self.attributes),
            media: self.media,
        })
    }
}

/// Gives back what does not belong to the media line above it: the next media line.
fn add_to_media<'a>(media: &mut MediaDescription, line: Line<'a>) -> Option<Line<'a>> {
    match line {
        Line::Information(value) => media.information = Some(value.to_owned()),
        Line::Connection(connection) => media.connections.push(connection.into()),
        Line::Bandwidth(kind, value) => media.bandwidth.push(bandwidth(kind, value)),
        Line::Key(value) => media.key = Some(KeyLine(value.to_owned())),
        Line::Attribute(name, value) => media.attributes.push(owned_attribute(name, value)),
        line => return Some(line),
    }
    None
}

fn bandwidth(kind: &str, value: &str) -> Bandwidth {
    Bandwidth {
        kind: kind.to_owned(),
        value: value.to_owned(),
    }
}

fn owned_attribute(name: &str, value: Option<&str>) -> Attribute {
    match value {
        Some(value) => Attribute::with_value(name, value),
        None => Attribute::flag(name),
    }
}

impl From<OriginLine<'_>> for Origin {
    fn from(line: OriginLine<'_>) -> Self {
        Self {
            username: line.username.to_owned(),
            session_id: line.session_id,
            version: line.version,
            connection: line.connection.into(),
        }
    }
}

impl From<ConnectionLine<'_>> for Connection {
    fn from(line: ConnectionLine<'_>) -> Self {
        Self {
            network: line.network.to_owned(),
            family: line.family.to_owned(),
            address: line.address.to_owned(),
        }
    }
}

impl From<MediaLine<'_>> for MediaDescription {
    fn from(line: MediaLine<'_>) -> Self {
        Self {
            media: line.media.to_owned(),
            port: line.port,
            port_count: line.port_count,
            protocol: line.protocol.to_owned(),
            formats: line
                .formats
                .split_ascii_whitespace()
                .map(str::to_owned)
                .collect(),
            information: None,
            connections: Vec::new(),
            bandwidth: Vec::new(),
            key: None,
            attributes: crate::Attributes::default(),
        }
    }
}

/// `audio 49170/2 RTP/AVP 0 8`
fn media_line(value: &str) -> Option<MediaLine<'_>> {
    let (media, rest) = split_word(value)?;
    let (ports, rest) = split_word(rest)?;
    let (port, port_count) = match ports.split_once('/') {
        Some((port, count)) => (port.parse().ok()?, Some(count.parse().ok()?)),
        None => (ports.parse().ok()?, None),
    };
    let (protocol, formats) = split_word(rest)?;
    let is_bounded = formats.split_ascii_whitespace().count() <= MAX_FORMATS;
    is_bounded.then_some(MediaLine {
        media,
        port,
        port_count,
        protocol,
        formats,
    })
}

/// The first word, and what stands behind it.
fn split_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let end = text.bytes().position(|byte| byte.is_ascii_whitespace());
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (!word.is_empty()).then_some((word, rest))
}

/// `alice 2890844526 2890844526 IN IP4 192.0.2.1`. A user name with blanks, as some peers write
/// it, is kept: the fields are counted from the right.
fn origin(value: &str) -> Option<OriginLine<'_>> {
    let mut fields = value.trim_end().rsplitn(6, ' ');
    let address = fields.next()?;
    let family = fields.next()?;
    let network = fields.next()?;
    let version = number(fields.next()?)?;
    let session_id = number(fields.next()?)?;
    let username = fields.next()?;
    let connection = ConnectionLine {
        network,
        family,
        address,
    };
    Some(OriginLine {
        username,
        session_id,
        version,
        connection,
    })
}

/// Digits of any number; what does not fit saturates.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

fn connection(value: &str) -> Option<ConnectionLine<'_>> {
    let mut words = value.split_ascii_whitespace();
    Some(ConnectionLine {
        network: words.next()?,
        family: words.next()?,
        address: words.next()?,
    })
}

fn attribute(value: &str) -> Option<Line<'_>> {
    if value.is_empty() {
        return None;
    }
    Some(match value.split_once(':') {
        Some((name, value)) => Line::Attribute(name, Some(value)),
        None => Line::Attribute(value, None),
    })
}
