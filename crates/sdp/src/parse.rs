//! Text to descriptions (RFC 8866 section 9).
//!
//! Strict where a guess would misread (version, origin, media lines, unknown letters), forgiving
//! where old peers differ: any line end, lines in another order within their level, no `s=` or
//! `t=` line, bytes that are not UTF-8 (replaced). Never panics.

use crate::{
    Attribute, Bandwidth, Connection, MediaDescription, Origin, SdpError, SessionDescription, Time,
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
        let mut lines = text
            .split(['\r', '\n'])
            .filter(|line| !line.is_empty())
            .zip(1..)
            .map(|(text, number)| Line { text, number });
        if lines
            .next()
            .is_none_or(|first| first.text.trim_end() != "v=0")
        {
            return Err(SdpError::Version);
        }
        let mut partial = Partial::default();
        for line in lines {
            if line.number > MAX_LINES {
                return Err(SdpError::TooManyLines);
            }
            partial.add(line)?;
        }
        partial.finish()
    }
}

/// One line and its place, counted from 1.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    number: usize,
}

impl<'a> Line<'a> {
    fn malformed(self) -> SdpError {
        SdpError::Line { line: self.number }
    }

    fn split(self) -> Result<(char, &'a str), SdpError> {
        let (kind, value) = self.text.split_once('=').ok_or(self.malformed())?;
        let mut letters = kind.chars();
        match (letters.next(), letters.next()) {
            (Some(kind), None) if !value.contains('\0') => Ok((kind, value)),
            _ => Err(self.malformed()),
        }
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
    key: Option<String>,
    attributes: Vec<Attribute>,
    media: Vec<MediaDescription>,
}

impl Partial {
    fn add(&mut self, line: Line<'_>) -> Result<(), SdpError> {
        let (kind, value) = line.split()?;
        if kind == 'm' {
            if self.media.len() == MAX_MEDIA {
                return Err(SdpError::TooManyMedia);
            }
            let media = media_line(value).ok_or(line.malformed())?;
            self.media.push(media);
            return Ok(());
        }
        match self.media.last_mut() {
            Some(media) => add_to_media(media, kind, value, line),
            None => self.add_to_session(kind, value, line),
        }
    }

    fn add_to_session(&mut self, kind: char, value: &str, line: Line<'_>) -> Result<(), SdpError> {
        match kind {
            'o' => self.origin = Some(origin(value).ok_or(line.malformed())?),
            's' => self.session_name = Some(value.to_owned()),
            'i' => self.information = Some(value.to_owned()),
            'u' => self.uri = Some(value.to_owned()),
            'e' => self.emails.push(value.to_owned()),
            'p' => self.phones.push(value.to_owned()),
            'c' => self.connection = Some(connection(value).ok_or(line.malformed())?),
            'b' => self
                .bandwidth
                .push(bandwidth(value).ok_or(line.malformed())?),
            't' => self.times.push(Time {
                active: value.to_owned(),
                repeats: Vec::new(),
            }),
            'r' => {
                let time = self.times.last_mut().ok_or(line.malformed())?;
                time.repeats.push(value.to_owned());
            }
            'z' => self.zones = Some(value.to_owned()),
            'k' => self.key = Some(value.to_owned()),
            'a' => self
                .attributes
                .push(attribute(value).ok_or(line.malformed())?),
            kind => {
                return Err(SdpError::UnknownType {
                    line: line.number,
                    kind,
                });
            }
        }
        Ok(())
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

fn add_to_media(
    media: &mut MediaDescription,
    kind: char,
    value: &str,
    line: Line<'_>,
) -> Result<(), SdpError> {
    match kind {
        'i' => media.information = Some(value.to_owned()),
        'c' => media
            .connections
            .push(connection(value).ok_or(line.malformed())?),
        'b' => media
            .bandwidth
            .push(bandwidth(value).ok_or(line.malformed())?),
        'k' => media.key = Some(value.to_owned()),
        'a' => media
            .attributes
            .push(attribute(value).ok_or(line.malformed())?),
        'o' | 's' | 'u' | 'e' | 'p' | 't' | 'r' | 'z' => return Err(line.malformed()),
        kind => {
            return Err(SdpError::UnknownType {
                line: line.number,
                kind,
            });
        }
    }
    Ok(())
}

/// `audio 49170/2 RTP/AVP 0 8`
fn media_line(value: &str) -> Option<MediaDescription> {
    let mut words = value.split_ascii_whitespace();
    let media = words.next()?.to_owned();
    let ports = words.next()?;
    let (port, port_count) = match ports.split_once('/') {
        Some((port, count)) => (port.parse().ok()?, Some(count.parse().ok()?)),
        None => (ports.parse().ok()?, None),
    };
    let protocol = words.next()?.to_owned();
    let formats: Vec<String> = words.map(str::to_owned).take(MAX_FORMATS + 1).collect();
    (formats.len() <= MAX_FORMATS).then_some(MediaDescription {
        media,
        port,
        port_count,
        protocol,
        formats,
        information: None,
        connections: Vec::new(),
        bandwidth: Vec::new(),
        key: None,
        attributes: crate::Attributes::default(),
    })
}

/// `alice 2890844526 2890844526 IN IP4 192.0.2.1`. A user name with blanks, as some peers write
/// it, is kept: the fields are counted from the right.
fn origin(value: &str) -> Option<Origin> {
    let mut fields = value.trim_end().rsplitn(6, ' ');
    let address = fields.next()?;
    let family = fields.next()?;
    let network = fields.next()?;
    let version = number(fields.next()?)?;
    let session_id = number(fields.next()?)?;
    let username = fields.next()?.to_owned();
    let connection = Connection {
        network: network.to_owned(),
        family: family.to_owned(),
        address: address.to_owned(),
    };
    Some(Origin {
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

fn connection(value: &str) -> Option<Connection> {
    let mut words = value.split_ascii_whitespace();
    let network = words.next()?.to_owned();
    let family = words.next()?.to_owned();
    let address = words.next()?.to_owned();
    Some(Connection {
        network,
        family,
        address,
    })
}

fn bandwidth(value: &str) -> Option<Bandwidth> {
    let (kind, value) = value.split_once(':')?;
    Some(Bandwidth {
        kind: kind.to_owned(),
        value: value.to_owned(),
    })
}

fn attribute(value: &str) -> Option<Attribute> {
    if value.is_empty() {
        return None;
    }
    Some(match value.split_once(':') {
        Some((name, value)) => Attribute::with_value(name, value),
        None => Attribute::flag(value),
    })
}
