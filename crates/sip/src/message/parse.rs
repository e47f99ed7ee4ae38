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

use std::ops::Range;

use bytes::{Buf, Bytes};

use crate::header::{name, scan};
use crate::message::error::{Limit, Malformed, ParseError, RequestHead};
use crate::message::fields::Fields;
use crate::message::headers::Headers;
use crate::message::{Message, Request, Response};
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
    let line_end = find_crlf(&bytes, 0).ok_or(Malformed {
        error: ParseError::NotSip,
        request_head: None,
    })?;
    let start_line = bytes.slice(..line_end + 2);
    let (method, start) = parse_start_line(&start_line[..line_end]);
    let head = parse_head(&bytes, line_end + 2);

    let checked = start.and_then(|line| {
        if line_end > MAX_START_LINE_BYTES {
            return Err(ParseError::TooLarge {
                limit: Limit::StartLine,
            });
        }
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(ParseError::TooLarge {
                limit: Limit::Message,
            });
        }
        let body_at = head.end?;
        let declared = declared_length(head.headers.named("Content-Length"))?;
        let len = body_len(declared, bytes.len() - body_at)?;
        Ok((line, body_at..body_at + len))
    });
    let fields = |body: Range<usize>| {
        let message = bytes.slice(..body.end);
        Fields::received(head.headers, message.slice(body), start_line, message)
    };
    match checked {
        Ok((StartLine::Request(method, uri), body)) => Ok(Message::Request(Request {
            method,
            uri,
            fields: fields(body),
        })),
        Ok((StartLine::Response(status), body)) => Ok(Message::Response(Response {
            status,
            fields: fields(body),
        })),
        Err(error) => {
            let recovered = |method| {
                Box::new(RequestHead {
                    method,
                    fields: fields(0..0),
                })
            };
            Err(Malformed {
                error,
                request_head: method.map(recovered),
            })
        }
    }
}

enum StartLine {
    Request(Method, Uri),
    Response(Status),
}

/// The method is given for every request line that can be told to be one, broken or not.
fn parse_start_line(line: &[u8]) -> (Option<Method>, Result<StartLine, ParseError>) {
    if starts_with_sip(line) {
        return (None, parse_status(line).map(StartLine::Response));
    }
    let Ok(line) = std::str::from_utf8(line) else {
        return (None, Err(ParseError::NotSip));
    };
    let mut words = line.split(' ');
    let method = words.next().and_then(|word| word.parse::<Method>().ok());
    let names_sip = words.clone().any(|word| starts_with_sip(word.as_bytes()));
    let Some(method) = method.filter(|_| names_sip) else {
        return (None, Err(ParseError::NotSip));
    };
    let parts = (words.next(), words.next(), words.next());
    let start = match parts {
        (Some(uri), Some(version), None) => parse_version(version).and_then(|()| {
            let uri = uri
                .parse()
                .map_err(|error| ParseError::RequestUri { error })?;
            Ok(StartLine::Request(method.clone(), uri))
        }),
        _ => Err(ParseError::StartLine),
    };
    (Some(method), start)
}

fn starts_with_sip(word: &[u8]) -> bool {
    word.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
}

fn parse_version(version: &str) -> Result<(), ParseError> {
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
        Ok(number @ 100..=699) if code.len() == 3 => Ok(Status::with_phrase(number, phrase)),
        _ => Err(ParseError::StatusCode),
    }
}

/// The header lines that can be read, and where the body starts or the first fault.
struct Head {
    headers: Headers,
    end: Result<usize, ParseError>,
}

fn parse_head(bytes: &Bytes, mut at: usize) -> Head {
    let mut headers = Headers::default();
    let mut fault = None;
    let end = loop {
        let Some(end) = find_crlf(bytes, at) else {
            break Err(ParseError::UnterminatedHeaders);
        };
        if end == at {
            break Ok(at + 2);
        }
        let Some((end, folds)) = skip_folds(bytes, end) else {
            break Err(ParseError::UnterminatedHeaders);
        };
        if headers.len() == MAX_HEADERS {
            break Err(ParseError::TooLarge {
                limit: Limit::Headers,
            });
        }
        match parse_line(&bytes[at..end], folds) {
            Ok((name, value)) => headers.push_received(name, value, bytes.slice(at..end + 2)),
            Err(LineFault::Grammar) => fault = fault.or(Some(ParseError::HeaderLine { at })),
            Err(LineFault::TooLarge(limit)) => {
                fault = fault.or(Some(ParseError::TooLarge { limit }));
            }
        }
        at = end + 2;
    };
    Head {
        headers,
        end: fault.map_or(end, Err),
    }
}

/// Where the header field that seems to end at `end` really ends, and how often it is folded.
fn skip_folds(bytes: &[u8], mut end: usize) -> Option<(usize, usize)> {
    let mut folds = 0;
    while matches!(bytes.get(end + 2), Some(b' ' | b'\t')) {
        end = find_crlf(bytes, end + 2)?;
        folds += 1;
    }
    Some((end, folds))
}

enum LineFault {
    Grammar,
    TooLarge(Limit),
}

/// The name as written and the text of the value.
fn parse_line(line: &[u8], folds: usize) -> Result<(&str, String), LineFault> {
    let colon = line
        .iter()
        .position(|&byte| byte == b':')
        .ok_or(LineFault::Grammar)?;
    let name = std::str::from_utf8(&line[..colon]).map_err(|_| LineFault::Grammar)?;
    let name = name.trim_end_matches([' ', '\t']);
    if !scan::is_token(name) {
        return Err(LineFault::Grammar);
    }
    let value = &line[colon + 1..];
    if folds > MAX_FOLDS {
        return Err(LineFault::TooLarge(Limit::Folds));
    }
    if value.len() > MAX_VALUE_BYTES {
        return Err(LineFault::TooLarge(Limit::Value));
    }
    let line_ends = value
        .iter()
        .filter(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    if line_ends != 2 * folds {
        return Err(LineFault::Grammar);
    }
    let text = String::from_utf8_lossy(value);
    if folds == 0 {
        return Ok((name, scan::trim(&text).to_owned()));
    }
    let pieces: Vec<_> = text
        .split("\r\n")
        .map(scan::trim)
        .filter(|piece| !piece.is_empty())
        .collect();
    Ok((name, pieces.join(" ")))
}

/// The length of the body behind this head, start line and empty line included; `None` if the
/// head does not say it clearly. Lines that cannot be read are passed over: they are no matter of
/// framing, and `parse_message` refuses the message for them.
pub(super) fn framed_body_len(head: &[u8]) -> Option<usize> {
    let mut values = Vec::new();
    let mut at = find_crlf(head, 0)? + 2;
    while let Some(end) = find_crlf(head, at).filter(|&end| end > at) {
        let (end, folds) = skip_folds(head, end)?;
        // Most lines need no closer look: `Content-Length` or `l`.
        if matches!(head[at], b'c' | b'C' | b'l' | b'L') {
            match parse_line(&head[at..end], folds) {
                Ok((name, value)) if name::same(name, "Content-Length") => values.push(value),
                Ok(_) | Err(_) => {}
            }
        }
        at = end + 2;
    }
    declared_length(values.iter().map(String::as_str)).ok()?
}

/// The declared length of the body; several headers must agree.
fn declared_length<'a>(values: impl Iterator<Item = &'a str>) -> Result<Option<usize>, ParseError> {
    let mut declared = None;
    for value in values {
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let length = value
            .parse()
            .ok()
            .filter(|_| digits)
            .ok_or(ParseError::ContentLength)?;
        if declared
            .replace(length)
            .is_some_and(|before: usize| before != length)
        {
            return Err(ParseError::ContentLength);
        }
    }
    Ok(declared)
}

/// Keep-alives may stand before a message (RFC 3261, section 7.5).
fn skip_line_ends(mut bytes: Bytes) -> Bytes {
    while bytes.starts_with(b"\r\n") {
        bytes.advance(2);
    }
    bytes
}

fn find_crlf(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == b'\r')?;
        if bytes.get(at + 1) == Some(&b'\n') {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests;
