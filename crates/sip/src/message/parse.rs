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

use crate::header::name::NameId;
use crate::header::scan;
use crate::message::error::{Limit, Malformed, ParseError, RequestHead};
use crate::message::fields::Fields;
use crate::message::headers::{Headers, ReceivedLine};
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
    let head = parse_head(&bytes, line_end);

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
        let declared = declared_length(head.headers.all_of(NameId::CONTENT_LENGTH))?;
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

fn parse_head(bytes: &Bytes, start_line_end: usize) -> Head {
    let HeadEnd {
        end,
        lines,
        ends_well,
    } = find_head_end(bytes, start_line_end);
    let head = bytes.slice(..end.unwrap_or(bytes.len()));
    let are_lines_clean = ends_well && is_clean(&head[start_line_end..]);
    let text = std::str::from_utf8(&head).ok();
    let mut headers = match text {
        Some(text) => Headers::for_received(text, lines.min(MAX_HEADERS)),
        None => Headers::default(),
    };
    let mut fault = None;
    let mut at = start_line_end + 2;
    while let Some((line_end, folds)) = find_line_end(&head, at) {
        if headers.len() == MAX_HEADERS {
            fault = fault.or(Some(ParseError::TooLarge {
                limit: Limit::Headers,
            }));
            break;
        }
        let line = &head[at..line_end];
        let parsed = match are_lines_clean {
            true => parse_clean_line(line, folds),
            false => parse_line(line, folds),
        };
        match parsed {
            Ok(line) if text.is_some() => headers.push_received(&line.within(at)),
            Ok(line) => {
                let whole = head.slice(at..line_end + 2);
                let name = String::from_utf8_lossy(&head[at..at + line.name_len]);
                headers.push_raw(whole, &name, &head[at + line.value.0..at + line.value.1]);
            }
            Err(LineFault::Grammar) => fault = fault.or(Some(ParseError::HeaderLine { at })),
            Err(LineFault::TooLarge(limit)) => {
                fault = fault.or(Some(ParseError::TooLarge { limit }));
            }
        }
        at = line_end + 2;
    }
    let end = end.ok_or(ParseError::UnterminatedHeaders);
    Head {
        headers,
        end: fault.map_or(end, Err),
    }
}

struct HeadEnd {
    /// Behind the empty line; `None` if there is none.
    end: Option<usize>,
    /// How many lines stand before it.
    lines: usize,
    /// No LF without CR stands before it.
    ends_well: bool,
}

fn find_head_end(bytes: &[u8], start_line_end: usize) -> HeadEnd {
    let (mut lines, mut ends_well) = (0, true);
    for at in memchr::memchr_iter(b'\n', &bytes[start_line_end..]) {
        let at = start_line_end + at;
        ends_well &= bytes[at - 1] == b'\r';
        if bytes[at - 1] == b'\r' && bytes[at + 1..].starts_with(b"\r\n") {
            return HeadEnd {
                end: Some(at + 3),
                lines,
                ends_well,
            };
        }
        lines += 1;
    }
    HeadEnd {
        end: None,
        lines,
        ends_well,
    }
}

/// Where the header field that starts at `at` ends, and how often it is folded; `None` at the
/// empty line, or if the line does not end.
fn find_line_end(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let end = find_crlf(bytes, at)?;
    if end == at {
        return None;
    }
    skip_folds(bytes, end)
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

/// The parts of a line, counted from its start.
struct LineParts {
    len: usize,
    name_len: usize,
    value: (usize, usize),
    folds: usize,
}

impl LineParts {
    fn within(&self, at: usize) -> ReceivedLine {
        ReceivedLine {
            line: (at, at + self.len + 2),
            name: (at, at + self.name_len),
            value: (at + self.value.0, at + self.value.1),
            is_folded: self.folds > 0,
        }
    }
}

/// Whether no line of a head, all of whose LFs stand behind a CR, can have anything in it that
/// [`parse_line`] has to look for: there is no other CR, and no NUL. Looking at all lines at once is
/// far quicker.
fn is_clean(lines: &[u8]) -> bool {
    let count = |byte: u8| memchr::memchr_iter(byte, lines).count();
    count(b'\r') == count(b'\n') && memchr::memchr(0, lines).is_none()
}

/// The name as written and the value. A NUL may stand behind a backslash only (RFC 3261, section
/// 25.1, `quoted-pair`): where one element ends the text at it and the next one does not, a message
/// says two things.
fn parse_line(line: &[u8], folds: usize) -> Result<LineParts, LineFault> {
    let parts = parse_clean_line(line, folds)?;
    let value = &line[parts.value.0..parts.value.1];
    let line_ends = memchr::memchr2_iter(b'\r', b'\n', value).count();
    let is_bare = |at: usize| at == 0 || value[at - 1] != b'\\';
    if line_ends != 2 * folds || memchr::memchr_iter(0, value).any(is_bare) {
        return Err(LineFault::Grammar);
    }
    Ok(parts)
}

/// As [`parse_line`], for a head that [`is_clean`].
fn parse_clean_line(line: &[u8], folds: usize) -> Result<LineParts, LineFault> {
    let colon = memchr::memchr(b':', line).ok_or(LineFault::Grammar)?;
    let name_len = trim_end(&line[..colon]);
    if !scan::is_token_bytes(&line[..name_len]) {
        return Err(LineFault::Grammar);
    }
    let value = &line[colon + 1..];
    if folds > MAX_FOLDS {
        return Err(LineFault::TooLarge(Limit::Folds));
    }
    if value.len() > MAX_VALUE_BYTES {
        return Err(LineFault::TooLarge(Limit::Value));
    }
    let end = colon + 1 + trim_end(value);
    let blanks = line[colon + 1..end]
        .iter()
        .take_while(|byte| is_blank(**byte))
        .count();
    Ok(LineParts {
        len: line.len(),
        name_len,
        value: (colon + 1 + blanks, end),
        folds,
    })
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The length without blanks at the end.
fn trim_end(bytes: &[u8]) -> usize {
    let blanks = bytes.iter().rev().take_while(|byte| is_blank(**byte));
    bytes.len() - blanks.count()
}

/// The length of the body behind this head, start line and empty line included; `None` if the
/// head does not say it clearly. Lines that cannot be read are passed over: they are no matter of
/// framing, and `parse_message` refuses the message for them.
pub(super) fn framed_body_len(head: &[u8]) -> Option<usize> {
    let mut declared = None;
    let mut at = find_crlf(head, 0)? + 2;
    while let Some((end, folds)) = find_line_end(head, at) {
        let line = &head[at..end];
        // Most lines need no closer look: `Content-Length` or `l`.
        if matches!(line[0], b'c' | b'C' | b'l' | b'L')
            && let Ok(parts) = parse_line(line, folds)
            && is_content_length(&line[..parts.name_len])
        {
            let text = String::from_utf8_lossy(&line[parts.value.0..parts.value.1]);
            // A number in one piece needs no more unfolding than this.
            declare(text.trim_ascii(), &mut declared).ok()?;
        }
        at = end + 2;
    }
    declared
}

fn is_content_length(name: &[u8]) -> bool {
    let name = std::str::from_utf8(name).unwrap_or_default();
    NameId::find(name) == Some(NameId::CONTENT_LENGTH)
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
