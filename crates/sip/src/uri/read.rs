//! The grammar: a URI read in place, nothing copied.
//!
//! A request is checked and sorted by its URIs far more often than one of them is kept.

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
        if let Some(at) = text.bytes().position(is_never_in_uri) {
            return Err(UriError::Character { at });
        }
        let (scheme, rest) = split_at_byte(text, b':').ok_or(UriError::Scheme)?;
        let scheme = SchemeRef::parse(scheme).ok_or(UriError::Scheme)?;
        let parts = match scheme {
            _ if rest.is_empty() => return Err(UriError::Scheme),
            SchemeRef::Sip | SchemeRef::Sips => PartsRef::Sip(parse_sip(rest)?),
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
        for (known, name) in [(Self::Sip, "sip"), (Self::Sips, "sips"), (Self::Tel, "tel")] {
            if name.eq_ignore_ascii_case(text) {
                return Some(known);
            }
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

/// Which bytes may not stand in a URI: blanks and controls, quotes, brackets.
const NEVER: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte <= b' ' as usize {
        table[byte] = true;
        byte += 1;
    }
    table[0x7f] = true;
    table[b'"' as usize] = true;
    table[b'<' as usize] = true;
    table[b'>' as usize] = true;
    table
};

fn is_never_in_uri(byte: u8) -> bool {
    NEVER[usize::from(byte)]
}

fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = memchr::memchr(byte, text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

/// The user ends at the first at-sign, because it may itself hold `;`, `?` and `/`.
fn parse_sip(rest: &str) -> Result<SipRef<'_>, UriError> {
    let (userinfo, rest) = match split_at_byte(rest, b'@') {
        Some((userinfo, rest)) => (Some(userinfo), rest),
        None => (None, rest),
    };
    let (user, password) = match userinfo.map(|info| (info, split_at_byte(info, b':'))) {
        None => (None, None),
        Some((_, Some((user, password)))) => (Some(user), Some(password)),
        Some((info, None)) => (Some(info), None),
    };
    if user.is_some_and(str::is_empty) {
        return Err(UriError::User);
    }
    let (rest, headers) = match split_at_byte(rest, b'?') {
        Some((rest, headers)) if are_headers(headers) => (rest, headers),
        Some(_) => return Err(UriError::Headers),
        None => (rest, ""),
    };
    let (address, params) = split_params(rest)?;
    let (host, port) = parse_host_port(address).map_err(|error| match error {
        HostError::Host => UriError::Host,
        HostError::Port => UriError::Port,
    })?;
    Ok(SipRef {
        user,
        password,
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
