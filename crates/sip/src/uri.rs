//! URIs (RFC 3261, section 19.1; RFC 3966 for `tel`).
//!
//! A [`Uri`] keeps the text it was read from and shows it unchanged: nothing is decoded and
//! encoded again unless that very part is set. So push tokens, `+` in telephone numbers and odd
//! but legal escapes pass through byte for byte. Accessors give the parts as written; the
//! `*_decoded` ones resolve `%HH` escapes once.
//!
//! `==` compares texts. Whether two URIs mean the same is [`Uri::is_equivalent`], and whose
//! address-of-record one is, is the type `Aor`.

mod compare;
mod escape;
mod push;
mod read;

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::str::FromStr;

use crate::host::{Host, HostPort};
use crate::params::Params;
use crate::transport::Transport;

pub(crate) use escape::push_canonical_user;
use escape::{escape, is_header_byte, is_param_byte, is_user_byte, unescape};
pub use push::PushParams;
pub(crate) use read::UriRef;
use read::{PartsRef, split_headers};

/// A SIP, SIPS or telephone URI taken apart, or any other URI as opaque text.
#[derive(Clone, Debug)]
pub struct Uri {
    text: String,
    scheme: Scheme,
    parts: Parts,
}

/// The scheme of a URI, compared without case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip`
    Sip,
    /// `sips`
    Sips,
    /// `tel`
    Tel,
    /// Any other, as written.
    Other(String),
}

#[derive(Clone, Debug)]
enum Parts {
    Sip(SipParts),
    Tel { number: String, params: Params },
    Opaque,
}

#[derive(Clone, Debug)]
struct SipParts {
    /// Its place in the text.
    user: Option<Range<usize>>,
    /// Its place in the text.
    password: Option<Range<usize>>,
    address: HostPort,
    params: Params,
    headers: Vec<(String, String)>,
}

/// The parts of a URI that is being made or changed.
struct Draft {
    user: Option<String>,
    password: Option<String>,
    address: HostPort,
    params: Params,
    headers: Vec<(String, String)>,
}

/// Why a text is not a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// No scheme before a colon, or nothing after it.
    #[error("no URI scheme")]
    Scheme,
    /// A blank, a control character, a quote or an angle bracket.
    #[error("character at byte {at} cannot stand in a URI")]
    Character {
        /// Offset from the start of the URI, in bytes.
        at: usize,
    },
    /// An at-sign without a user before it, or a telephone number without digits.
    #[error("malformed user part")]
    User,
    /// Neither a name nor an address.
    #[error("malformed host")]
    Host,
    /// Not a number between 0 and 65535.
    #[error("malformed port")]
    Port,
    /// A parameter without a name.
    #[error("malformed URI parameter")]
    Params,
    /// A header without a name or an equals sign.
    #[error("malformed URI header")]
    Headers,
}

impl Uri {
    /// `sip:user@host:port`. The user is given in clear and escaped as needed.
    pub fn sip(user: Option<&str>, address: impl Into<HostPort>) -> Self {
        Self::from_draft(
            Scheme::Sip,
            Draft {
                user: user.map(|user| escape(user, is_user_byte)),
                password: None,
                address: address.into(),
                params: Params::new(),
                headers: Vec::new(),
            },
        )
    }

    /// The URI as text, exactly as it was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Whether the scheme is `sip` or `sips`.
    pub fn is_sip(&self) -> bool {
        matches!(self.parts, Parts::Sip(_))
    }

    /// Whether the scheme is `sips`: every hop must be protected.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Sips
    }

    /// The user as written, escapes included; `None` without one and for other schemes.
    pub fn user(&self) -> Option<&str> {
        self.text.get(self.sip_parts()?.user.clone()?)
    }

    /// The user with its escapes resolved; bytes that are no UTF-8 become U+FFFD.
    pub fn user_decoded(&self) -> Option<Cow<'_, str>> {
        self.user().map(unescape)
    }

    /// The password as written. Carrying one is a bad idea, but legal.
    pub fn password(&self) -> Option<&str> {
        self.text.get(self.sip_parts()?.password.clone()?)
    }

    /// The host of a SIP or SIPS URI.
    pub fn host(&self) -> Option<&Host> {
        self.sip_parts().map(|parts| &parts.address.host)
    }

    /// The port, if written.
    pub fn port(&self) -> Option<u16> {
        self.sip_parts()?.address.port
    }

    /// The host and port of a SIP or SIPS URI.
    pub fn host_port(&self) -> Option<&HostPort> {
        self.sip_parts().map(|parts| &parts.address)
    }

    /// The number of a telephone URI, visual separators included.
    pub fn telephone_number(&self) -> Option<&str> {
        match &self.parts {
            Parts::Tel { number, .. } => Some(number),
            Parts::Sip(_) | Parts::Opaque => None,
        }
    }

    /// The URI parameters, values as written; `None` for opaque URIs.
    pub fn params(&self) -> Option<&Params> {
        match &self.parts {
            Parts::Sip(parts) => Some(&parts.params),
            Parts::Tel { params, .. } => Some(params),
            Parts::Opaque => None,
        }
    }

    /// The value of one parameter as written.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params()?.value(name)
    }

    /// Whether the URI carries the parameter, with a value or without: `has_param("lr")`.
    pub fn has_param(&self, name: &str) -> bool {
        self.params().is_some_and(|params| params.contains(name))
    }

    /// The transport that the URI asks for, if it asks for one that we know.
    pub fn transport(&self) -> Option<Transport> {
        self.param("transport")?.parse().ok()
    }

    /// The URI headers (`?name=value&…`) in order, as written.
    pub fn headers(&self) -> &[(String, String)] {
        self.sip_parts().map_or(&[], |parts| &parts.headers)
    }

    /// Sets the user, given in clear, or removes it. No effect on a URI that is not SIP.
    pub fn set_user(&mut self, user: Option<&str>) {
        self.edit(|parts| {
            parts.user = user.map(|user| escape(user, is_user_byte));
            parts.password = None;
        });
    }

    /// Sets host and port. No effect on a URI that is not SIP.
    pub fn set_host_port(&mut self, address: impl Into<HostPort>) {
        self.edit(|parts| parts.address = address.into());
    }

    /// Sets a parameter, its value given in clear. No effect on a URI that is not SIP.
    pub fn set_param(&mut self, name: &str, value: &str) {
        self.edit(|parts| parts.params.set(name, escape(value, is_param_byte)));
    }

    /// Sets a parameter without a value, such as `lr`. No effect on a URI that is not SIP.
    pub fn set_flag(&mut self, name: &str) {
        self.edit(|parts| parts.params.set_flag(name));
    }

    /// Removes a parameter. No effect on a URI that is not SIP.
    pub fn remove_param(&mut self, name: &str) {
        self.edit(|parts| parts.params.remove(name));
    }

    /// The value of the first URI header of this name with its escapes resolved.
    pub fn header_decoded(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut headers = self.headers().iter();
        let (_, value) = headers.find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        Some(unescape(value))
    }

    /// Adds a URI header, its value given in clear. No effect on a URI that is not SIP.
    pub fn push_header(&mut self, name: &str, value: &str) {
        self.edit(|parts| {
            let value = escape(value, is_header_byte);
            parts.headers.push((name.to_owned(), value));
        });
    }

    /// Removes all URI headers. No effect on a URI that is not SIP.
    pub fn clear_headers(&mut self) {
        if !self.headers().is_empty() {
            self.edit(|parts| parts.headers.clear());
        }
    }

    /// Whether both mean the same resource by the rules of RFC 3261, section 19.1.4; telephone
    /// numbers by RFC 3966, section 4; opaque URIs by their text.
    pub fn is_equivalent(&self, other: &Self) -> bool {
        compare::equivalent(self, other)
    }

    fn sip_parts(&self) -> Option<&SipParts> {
        match &self.parts {
            Parts::Sip(parts) => Some(parts),
            Parts::Tel { .. } | Parts::Opaque => None,
        }
    }

    fn edit(&mut self, change: impl FnOnce(&mut Draft)) {
        let Parts::Sip(parts) = &self.parts else {
            return;
        };
        let mut draft = Draft {
            user: self.user().map(str::to_owned),
            password: self.password().map(str::to_owned),
            address: parts.address.clone(),
            params: parts.params.clone(),
            headers: parts.headers.clone(),
        };
        change(&mut draft);
        *self = Self::from_draft(self.scheme.clone(), draft);
    }

    fn from_draft(scheme: Scheme, draft: Draft) -> Self {
        let text = write_sip(&scheme, &draft);
        let place =
            |from: usize, part: &Option<String>| part.as_ref().map(|part| from..from + part.len());
        let user = place(scheme.as_str().len() + 1, &draft.user);
        let user_end = user.as_ref().map_or(0, |user| user.end);
        let parts = SipParts {
            password: user
                .as_ref()
                .and_then(|_| place(user_end + 1, &draft.password)),
            user,
            address: draft.address,
            params: draft.params,
            headers: draft.headers,
        };
        Self {
            text,
            scheme,
            parts: Parts::Sip(parts),
        }
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        UriRef::parse(text).map(Self::from)
    }
}

impl From<UriRef<'_>> for Uri {
    fn from(uri: UriRef<'_>) -> Self {
        let place = |part: &str| {
            let start = part.as_ptr().addr() - uri.text.as_ptr().addr();
            start..start + part.len()
        };
        let parts = match uri.parts {
            PartsRef::Sip(sip) => Parts::Sip(SipParts {
                user: sip.user.map(place),
                password: sip.password.map(place),
                address: HostPort::new(sip.host.into(), sip.port),
                params: Params::of_uri(sip.params),
                headers: split_headers(sip.headers)
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
            }),
            PartsRef::Tel { number, params } => Parts::Tel {
                number: number.to_owned(),
                params: Params::of_uri(params),
            },
            PartsRef::Opaque => Parts::Opaque,
        };
        Self {
            text: uri.text.to_owned(),
            scheme: uri.scheme.into(),
            parts,
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Uri {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Uri {}

impl Hash for Uri {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Scheme {
    /// The scheme's name, known ones in lower case.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sip => "sip",
            Self::Sips => "sips",
            Self::Tel => "tel",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn write_sip(scheme: &Scheme, parts: &Draft) -> String {
    let mut text = String::with_capacity(64);
    text.push_str(scheme.as_str());
    text.push(':');
    if let Some(user) = &parts.user {
        text.push_str(user);
        if let Some(password) = &parts.password {
            text.push(':');
            text.push_str(password);
        }
        text.push('@');
    }
    parts.address.push_to(&mut text);
    text.push_str(parts.params.as_str());
    for (index, (name, value)) in parts.headers.iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

#[cfg(test)]
mod tests;
