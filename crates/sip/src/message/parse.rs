//! Bytes to messages (RFC 3261, sections 7 and 18.3).
//!
//! Reading is tolerant where the meaning is clear and strict where it is not. Compact names,
//! folds, blanks round the colon, bytes that are no UTF-8 and unknown methods, schemes and
//! headers are read. A fault in a header's own grammar is no fault of the message: it shows
//! when that header is asked for. Only what makes the message as a whole doubtful is an error:
//! the start line, a line that is no header, the length of the body.
//!
//! Lines end with CRLF and nothing else: a bare CR or LF that one element takes for the end of a
//! line and the next one does not is how messages are smuggled.
//!
//! No input makes this panic; all work is linear in the input.

use bytes::{Buf, Bytes};

use crate::header::name::NameId;
use crate::header::scan;
use crate::message::entry::{Entry, Line, Text, offset};
use crate::message::error::{Limit, Malformed, ParseError, RequestHead};
use crate::message::fields::Fields;
use crate::message::headers::Headers;
use crate::message::{Message, Request, Response, VERSION};
use crate::method::Method;
use crate::status::Status;
use crate::uri::Uri;

/// The longest message that is read, in bytes, on any transport.
pub const MAX_MESSAGE_BYTES: usize = 65_536;

const MAX_START_LINE_BYTES: usize = 8_192;
const MAX_HEADERS: usize = 256;
const MAX_VALUE_BYTES: usize = 8_192;
const MAX_FOLDS: usize = 32;

/// Reads the message in one datagram. Without a Content-Length the body is the rest; bytes
/// beyond the declared length are cut off.
///
/// # Errors
///
/// [`Malformed`] with the reason and, for requests, what is needed to answer it.
pub fn parse_datagram(bytes: Bytes) -> Result<Message, Malformed> {
    parse(bytes, |declared, rest| match declared {
        None => Ok(rest),
        Some(declared) if declared <= rest => Ok(declared),
        Some(declared) => Err(ParseError::TruncatedBody {
            declared,
            actual: rest,
        }),
    })
}

/// Reads one message that framing has cut out already: a [`Frame`](crate::Frame) of a stream or
/// one WebSocket message. The body must be exactly as long as declared; only an empty one may go
/// undeclared.
///
/// # Errors
///
/// [`Malformed`] with the reason and, for requests, what is needed to answer it.
pub fn parse_message(bytes: Bytes) -> Result<Message, Malformed> {
    parse(bytes, |declared, rest| match declared {
        None if rest == 0 => Ok(0),
        None => Err(ParseError::ContentLength),
        Some(declared) if declared == rest => Ok(rest),
        Some(declared) if declared > rest => Err(ParseError::TruncatedBody {
            declared,
            actual: rest,
        }),
        Some(_) => Err(ParseError::TrailingBytes),
    })
}

fn parse(
    bytes: Bytes,
    body_len: impl FnOnce(Option<usize>, usize) -> Result<usize, ParseError>,
) -> Result<Message, Malformed> {
    let bytes = skip_line_ends(bytes);
    let without_head = |error| Malformed {
        error,
        request_head: None,
    };
    let line_end = find_crlf(&bytes, 0).ok_or(without_head(ParseError::NotSip))?;
    let start_line = parse_start_line(&bytes[..line_end]).map_err(without_head)?;
    let Head { headers, end } = parse_head(&bytes, line_end + 2);
    let body = check_sizes(line_end, &bytes).and_then(|()| {
        let body_at = end?;
        let declared = declared_length(headers.all_of(NameId::CONTENT_LENGTH))?;
        let len = body_len(declared, bytes.len() - body_at)?;
        Ok(body_at..body_at + len)
    });
    match start_line {
        StartLine::Response(status) => Ok(Message::Response(Box::new(Response {
            status,
            fields: Fields::received(headers, bytes, body.map_err(without_head)?),
        }))),
        StartLine::Request(method, uri) => match (uri, body) {
            (Ok(uri), Ok(body)) => Ok(Message::Request(Box::new(Request {
                method,
                uri,
                fields: Fields::received(headers, bytes, body),
            }))),
            (Err(error), _) | (_, Err(error)) => Err(Malformed {
                error,
                request_head: Some(Box::new(RequestHead {
                    method,
                    fields: Fields::received(headers, Bytes::new(), 0..0),
                })),
            }),
        },
    }
}

fn check_sizes(start_line: usize, bytes: &[u8]) -> Result<(), ParseError> {
    let limit = match bytes.len() {
        _ if start_line > MAX_START_LINE_BYTES => Limit::StartLine,
        len if len > MAX_MESSAGE_BYTES => Limit::Message,
        _ => return Ok(()),
    };
    Err(ParseError::TooLarge { limit })
}

enum StartLine {
    /// The method shows in every request line that can be told to be one, broken or not.
    Request(Method, Result<Uri, ParseError>),
    Response(Status),
}

fn parse_start_line(line: &[u8]) -> Result<StartLine, ParseError> {
    if starts_with_sip(line) {
        return parse_status(line).map(StartLine::Response);
    }
    let line = std::str::from_utf8(line).map_err(|_| ParseError::NotSip)?;
    let (method, rest) = split_word(line);
    let method = method.parse().map_err(|_| ParseError::NotSip)?;
    let (uri, version) = split_word(rest);
    let names_sip = || rest.split(' ').any(|word| starts_with_sip(word.as_bytes()));
    let uri = match parse_version(version) {
        Ok(()) => uri
            .parse()
            .map_err(|error| ParseError::RequestUri { error }),
        Err(_) if !names_sip() => return Err(ParseError::NotSip),
        Err(error) => Err(error),
    };
    Ok(StartLine::Request(method, uri))
}

/// What stands before the first blank, and behind it.
fn split_word(text: &str) -> (&str, &str) {
    match memchr::memchr(b' ', text.as_bytes()) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    }
}

fn starts_with_sip(word: &[u8]) -> bool {
    word.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
}

fn parse_version(version: &str) -> Result<(), ParseError> {
    if version == VERSION {
        return Ok(());
    }
    let (_, number) = version.split_once('/').ok_or(ParseError::StartLine)?;
    let (major, minor) = number.split_once('.').ok_or(ParseError::StartLine)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match (
        starts_with_sip(version.as_bytes()) && digits(major) && digits(minor),
        number,
    ) {
        (true, "2.0") => Ok(()),
        (true, _) => Err(ParseError::Version),
        (false, _) => Err(ParseError::StartLine),
    }
}

/// The status of a status line. The blank before an empty phrase may be missing.
pub(super) fn parse_status(line: &[u8]) -> Result<Status, ParseError> {
    let line = String::from_utf8_lossy(line);
    let (version, rest) = line.split_once(' ').ok_or(ParseError::StartLine)?;
    parse_version(version)?;
    let (code, phrase) = rest.split_once(' ').unwrap_or((rest, ""));
    if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseError::StartLine);
    }
    match code.parse() {
        Ok(number @ 100..=699) if code.len() == 3 => Ok(Status::read(number, phrase)),
        _ => Err(ParseError::StatusCode),
    }
}

/// The header lines that can be read, and where the body starts or the first fault.
struct Head {
    headers: Headers,
    end: Result<usize, ParseError>,
}

/// Room for the header fields of most messages and those that are added to them.
const USUAL_HEADERS: usize = 24;

fn parse_head(message: &Bytes, start_line: usize) -> Head {
    let bytes: &[u8] = message;
    let mut entries = Vec::with_capacity(USUAL_HEADERS);
    let (mut fault, mut has_folds) = (None, false);
    let mut at = start_line;
    let end = loop {
        let Some(line) = find_line(bytes, at) else {
            break None;
        };
        if line.end == at {
            break Some(at + 2);
        }
        if entries.len() == MAX_HEADERS {
            let limit = Limit::Headers;
            fault = fault.or(Some(ParseError::TooLarge { limit }));
            break None;
        }
        has_folds |= line.folds > 0;
        match parse_line(bytes, at, &line) {
            Ok(entry) => entries.push(entry),
            Err(LineFault::Grammar) => fault = fault.or(Some(ParseError::HeaderLine { at })),
            Err(LineFault::TooLarge(limit)) => {
                fault = fault.or(Some(ParseError::TooLarge { limit }));
            }
        }
        at = line.end + 2;
    };
    let head_len = end.unwrap_or(bytes.len());
    let mut headers = Headers::received(message, head_len, start_line, entries);
    if has_folds {
        headers.unfold();
    }
    let end = end.ok_or(ParseError::UnterminatedHeaders);
    Head {
        headers,
        end: fault.map_or(end, Err),
    }
}

/// Where a header field ends.
struct LineEnd {
    /// Where the end of its last line stands.
    end: usize,
    folds: usize,
    /// There is a CR or an LF by itself, or a NUL without a backslash before it (RFC 3261, section 25.1, `quoted-pair`):
    /// where one element ends the line or the text at it and the next one does not, a message says two things.
    is_doubtful: bool,
}

/// The header field that starts at `start`, which may be the empty line; `None` if it does not end.
fn find_line(bytes: &[u8], start: usize) -> Option<LineEnd> {
    let (mut folds, mut is_doubtful) = (0, false);
    let mut from = start;
    loop {
        let at = from + memchr::memchr3(b'\r', b'\n', 0, bytes.get(from..)?)?;
        from = at + 1;
        if bytes[at] == b'\r' && bytes.get(from) == Some(&b'\n') {
            if at == start || !matches!(bytes.get(at + 2), Some(b' ' | b'\t')) {
                return Some(LineEnd {
                    end: at,
                    folds,
                    is_doubtful,
                });
            }
            folds += 1;
            from += 1;
        } else {
            is_doubtful |= bytes[at] != 0 || at == start || bytes[at - 1] != b'\\';
        }
    }
}

enum LineFault {
    Grammar,
    TooLarge(Limit),
}

/// The name and the value, as they are written.
fn parse_line(bytes: &[u8], start: usize, end: &LineEnd) -> Result<Entry, LineFault> {
    let line = &bytes[start..end.end];
    let (name, id, value) = split_name(line).ok_or(LineFault::Grammar)?;
    if end.folds > MAX_FOLDS {
        return Err(LineFault::TooLarge(Limit::Folds));
    }
    if value.len() > MAX_VALUE_BYTES {
        return Err(LineFault::TooLarge(Limit::Value));
    }
    if end.is_doubtful {
        return Err(LineFault::Grammar);
    }
    let written = trim_end(value);
    let value_end = end.end - (value.len() - written.len());
    Ok(Entry {
        id,
        line: Line::Text(Text::new(start, end.end + 2)),
        name_len: offset(name.len()),
        value: Text::new(value_end - trim_start(written).len(), value_end),
    })
}

/// Name and value of a line. What we know by its name needs no look at each letter.
fn split_name(line: &[u8]) -> Option<(&[u8], Option<NameId>, &[u8])> {
    if let Some(colon) = find_colon(line)
        && let Some(id) = NameId::find(&line[..colon])
    {
        return Some((&line[..colon], Some(id), &line[colon + 1..]));
    }
    let (name, rest) = line.split_at(scan::token_len(line));
    match trim_start(rest) {
        [b':', value @ ..] if !name.is_empty() => Some((name, NameId::find(name), value)),
        _ => None,
    }
}

/// Where the first colon stands, looked for in eight bytes at once; not where fewer are left.
fn find_colon(line: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const COLONS: u64 = ONES * b':' as u64;
    for (at, eight) in line.as_chunks::<8>().0.iter().enumerate() {
        // A colon becomes a zero, and the lowest zero is the lowest byte whose highest bit the subtraction sets.
        let others = u64::from_le_bytes(*eight) ^ COLONS;
        let found = others.wrapping_sub(ONES) & !others & (ONES << 7);
        if found != 0 {
            return Some(8 * at + found.trailing_zeros() as usize / 8);
        }
    }
    None
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The length of the body behind this head, start line and empty line included; `None` if the
/// head does not say it clearly. Lines that cannot be read are passed over: they are no matter of
/// framing, and `parse_message` refuses the message for them.
pub(super) fn framed_body_len(head: &[u8]) -> Option<usize> {
    let mut declared = None;
    let mut at = find_crlf(head, 0)? + 2;
    while let Some(line) = find_line(head, at).filter(|line| line.end != at) {
        // Most lines need no closer look: `Content-Length` or `l`.
        if matches!(head[at], b'c' | b'C' | b'l' | b'L')
            && let Ok(entry) = parse_line(head, at, &line)
            && entry.id == Some(NameId::CONTENT_LENGTH)
        {
            let text = String::from_utf8_lossy(&head[entry.value.range()]);
            // A number in one piece needs no more unfolding than this.
            declare(text.trim_ascii(), &mut declared).ok()?;
        }
        at = line.end + 2;
    }
    declared
}

/// The declared length of the body; several headers must agree.
fn declared_length<'a>(
    mut values: impl Iterator<Item = &'a str>,
) -> Result<Option<usize>, ParseError> {
    let mut declared = None;
    values.try_for_each(|value| declare(value, &mut declared))?;
    Ok(declared)
}

fn declare(value: &str, declared: &mut Option<usize>) -> Result<(), ParseError> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let length = value
        .parse()
        .ok()
        .filter(|_| digits)
        .ok_or(ParseError::ContentLength)?;
    match declared.replace(length) {
        Some(before) if before != length => Err(ParseError::ContentLength),
        _ => Ok(()),
    }
}

/// Keep-alives may stand before a message (RFC 3261, section 7.5).
fn skip_line_ends(mut bytes: Bytes) -> Bytes {
    while bytes.starts_with(b"\r\n") {
        bytes.advance(2);
    }
    bytes
}

fn find_crlf(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let mut line_ends = memchr::memchr_iter(b'\n', rest);
    let at = line_ends.find(|&at| at > 0 && rest[at - 1] == b'\r')?;
    Some(from + at - 1)
}

#[cfg(test)]
mod tests;
