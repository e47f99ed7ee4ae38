//! The grammar: a URI read in place, nothing copied.
//!
//! A request is checked and sorted by its URIs far more often than one of them is kept.

use crate::header::scan::{self, Kind};
use crate::host::{HostError, HostRef, parse_host_port};
use crate::params::is_uri_params;

use super::{Scheme, UriError};

/// A URI taken apart, or any other than a SIP, SIPS or telephone URI as opaque text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UriRef<'a> {
    pub(super) text: &'a str,
    pub(super) scheme: SchemeRef<'a>,
    pub(super) parts: PartsRef<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum SchemeRef<'a> {
    Sip,
    Sips,
    Tel,
    Other(&'a str),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum PartsRef<'a> {
    Sip(SipRef<'a>),
    Tel { number: &'a str, params: &'a str },
    Opaque,
}

/// Parameters and headers are empty if there are none.
#[derive(Clone, Copy, Debug)]
pub(super) struct SipRef<'a> {
    pub(super) user: Option<&'a str>,
    pub(super) password: Option<&'a str>,
    pub(super) host: HostRef<'a>,
    pub(super) port: Option<u16>,
    pub(super) params: &'a str,
    pub(super) headers: &'a str,
}

impl<'a> UriRef<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, UriError> {
        if let Some(sip) = parse_short(text) {
            return Ok(Self {
                text,
                scheme: SchemeRef::Sip,
                parts: PartsRef::Sip(sip),
            });
        }
        let marks = Marks::of(text)?;
        let end = marks.scheme.ok_or(UriError::Scheme)?;
        let scheme = SchemeRef::parse(&text[..end]).ok_or(UriError::Scheme)?;
        let rest = &text[end + 1..];
        let parts = match scheme {
            _ if rest.is_empty() => return Err(UriError::Scheme),
            SchemeRef::Sip | SchemeRef::Sips => PartsRef::Sip(parse_sip(text, end + 1, &marks)?),
            SchemeRef::Tel => parse_tel(rest)?,
            SchemeRef::Other(_) => PartsRef::Opaque,
        };
        Ok(Self {
            text,
            scheme,
            parts,
        })
    }

    pub(crate) fn as_str(self) -> &'a str {
        self.text
    }

    /// The user as written and the host of a SIP or SIPS URI.
    pub(crate) fn user_and_host(self) -> Option<(&'a str, HostRef<'a>)> {
        match self.parts {
            PartsRef::Sip(sip) => Some((sip.user?, sip.host)),
            PartsRef::Tel { .. } | PartsRef::Opaque => None,
        }
    }
}

impl<'a> SchemeRef<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        match text.as_bytes() {
            [b's' | b'S', b'i' | b'I', b'p' | b'P'] => return Some(Self::Sip),
            [b's' | b'S', b'i' | b'I', b'p' | b'P', b's' | b'S'] => return Some(Self::Sips),
            [b't' | b'T', b'e' | b'E', b'l' | b'L'] => return Some(Self::Tel),
            _ => {}
        }
        let letter_first = text.as_bytes().first()?.is_ascii_alphabetic();
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        (letter_first && text.bytes().all(legal)).then_some(Self::Other(text))
    }
}

impl From<SchemeRef<'_>> for Scheme {
    fn from(scheme: SchemeRef<'_>) -> Self {
        match scheme {
            SchemeRef::Sip => Self::Sip,
            SchemeRef::Sips => Self::Sips,
            SchemeRef::Tel => Self::Tel,
            SchemeRef::Other(name) => Self::Other(name.to_owned()),
        }
    }
}

/// Which bytes of a URI say nothing about its parts: neither marks, nor those that cannot stand in one, which are blanks and
/// controls, quotes, brackets.
const PLAIN: Kind = {
    let mut table = scan::all_but(b":@;?\"<>\x7f");
    let mut byte = 0;
    while byte <= b' ' as usize {
        table[byte] = false;
        byte += 1;
    }
    table
};

/// Where the parts of a SIP URI are divided, found in one pass.
#[derive(Default)]
struct Marks {
    /// The first colon.
    scheme: Option<usize>,
    /// The second colon, if it stands before the at-sign.
    password: Option<usize>,
    /// The first at-sign: the user ends there, because it may itself hold `;`, `?` and `/`.
    user: Option<usize>,
    /// The first semicolon behind the user and before the headers.
    params: Option<usize>,
    /// The first question mark behind the user.
    headers: Option<usize>,
}

impl Marks {
    fn of(text: &str) -> Result<Self, UriError> {
        let mut marks = Self::default();
        let mut colon = None;
        let mut at = 0;
        loop {
            at += scan::run(&text.as_bytes()[at..], &PLAIN);
            match text.as_bytes().get(at) {
                None => return Ok(marks),
                Some(b':') if marks.scheme.is_none() => marks.scheme = Some(at),
                Some(b':') => colon = colon.or(Some(at)),
                Some(b'@') if marks.user.is_none() => {
                    marks = Self {
                        scheme: marks.scheme,
                        password: colon,
                        user: Some(at),
                        ..Self::default()
                    };
                }
                Some(b'@') => {}
                Some(b';') if marks.headers.is_some() => {}
                Some(b';') => marks.params = marks.params.or(Some(at)),
                Some(b'?') => marks.headers = marks.headers.or(Some(at)),
                Some(_) => return Err(UriError::Character { at }),
            }
            at += 1;
        }
    }
}

fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = memchr::memchr(byte, text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

/// `sip:user@host:port` without anything else, as most are; `None` for all others, right or wrong.
fn parse_short(text: &str) -> Option<SipRef<'_>> {
    let rest = text.strip_prefix("sip:")?;
    let end = scan::run(rest.as_bytes(), &PLAIN);
    let (user, address) = match rest.as_bytes().get(end) {
        Some(b'@') if end > 0 => (Some(&rest[..end]), &rest[end + 1..]),
        _ => (None, rest),
    };
    let (host, port) = parse_host_port(address).ok()?;
    Some(SipRef {
        user,
        password: None,
        host,
        port,
        params: "",
        headers: "",
    })
}

/// What stands behind the scheme, from `start`.
fn parse_sip<'a>(text: &'a str, start: usize, marks: &Marks) -> Result<SipRef<'a>, UriError> {
    let user = marks
        .user
        .map(|end| &text[start..marks.password.unwrap_or(end)]);
    if user.is_some_and(str::is_empty) {
        return Err(UriError::User);
    }
    let headers = marks.headers.map_or("", |at| &text[at + 1..]);
    if marks.headers.is_some() && !are_headers(headers) {
        return Err(UriError::Headers);
    }
    let end = marks.headers.unwrap_or(text.len());
    let params = marks.params.map_or("", |at| &text[at + 1..end]);
    if marks.params.is_some() && !is_uri_params(params) {
        return Err(UriError::Params);
    }
    let address = marks.user.map_or(start, |at| at + 1)..marks.params.unwrap_or(end);
    let (host, port) = parse_host_port(&text[address]).map_err(|error| match error {
        HostError::Host => UriError::Host,
        HostError::Port => UriError::Port,
    })?;
    Ok(SipRef {
        user,
        password: marks
            .user
            .and_then(|end| Some(&text[marks.password? + 1..end])),
        host,
        port,
        params,
        headers,
    })
}

fn split_params(text: &str) -> Result<(&str, &str), UriError> {
    match split_at_byte(text, b';') {
        Some((before, params)) if is_uri_params(params) => Ok((before, params)),
        Some(_) => Err(UriError::Params),
        None => Ok((text, "")),
    }
}

fn are_headers(text: &str) -> bool {
    let mut parts = text.split('&');
    parts.all(|part| split_at_byte(part, b'=').is_some_and(|(name, _)| !name.is_empty()))
}

/// The headers of a URI, names and values.
pub(super) fn split_headers(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('&').filter_map(|part| split_at_byte(part, b'='))
}

fn parse_tel(rest: &str) -> Result<PartsRef<'_>, UriError> {
    let (number, params) = split_params(rest)?;
    let digits = number.strip_prefix('+').unwrap_or(number);
    let legal =
        |b: u8| b.is_ascii_hexdigit() || matches!(b, b'*' | b'#' | b'-' | b'.' | b'(' | b')');
    let dialled = digits
        .bytes()
        .any(|b| b.is_ascii_hexdigit() || matches!(b, b'*' | b'#'));
    if !dialled || !digits.bytes().all(legal) {
        return Err(UriError::User);
    }
    Ok(PartsRef::Tel { number, params })
}
