//! The credentials of a client as they stand in a request, read but not judged. Borrowed from the
//! request: a server reads them several times.

use std::borrow::Cow;

use crate::header::auth::{Piece, pieces};
use crate::header::name::NameId;
use crate::header::scan;
use crate::message::Request;

use super::algorithm::Algorithm;

/// The parameters that mean something to us.
const NAMES: [&str; 9] = [
    "username",
    "realm",
    "nonce",
    "uri",
    "response",
    "algorithm",
    "qop",
    "nc",
    "cnonce",
];

/// More other parameters are refused: repeated names are looked for by comparing each with each.
const MAX_OTHERS: usize = 16;

/// What a client says to prove who it is.
pub(super) struct Answer<'a> {
    pub(super) username: Cow<'a, str>,
    pub(super) nonce: Cow<'a, str>,
    pub(super) uri: Cow<'a, str>,
    pub(super) response: Cow<'a, str>,
    pub(super) cnonce: Cow<'a, str>,
    /// `None` for an algorithm that we do not know, and for anything but qop=auth.
    pub(super) algorithm: Option<Algorithm>,
    /// As written; eight hexadecimal digits if there is an algorithm.
    pub(super) nonce_count: Cow<'a, str>,
    pub(super) count: u32,
}

/// What stands in a request.
pub(super) enum Found<'a> {
    /// No digest credentials for this realm.
    None,
    /// Unreadable, incomplete or repeated ones.
    Malformed,
    Some(Answer<'a>),
}

/// The only digest credentials for `realm`. Others may stand beside them: a request can pass
/// several servers that each want their own.
pub(super) fn find<'a>(request: &'a Request, realm: &str) -> Found<'a> {
    let mut found = Found::None;
    let values = [NameId::AUTHORIZATION, NameId::PROXY_AUTHORIZATION]
        .into_iter()
        .flat_map(|name| request.headers().all_of(name));
    for value in values {
        let written = match Written::read(value) {
            Some(written) => written,
            None if is_digest(value) => return Found::Malformed,
            None => continue,
        };
        if written.unquoted("realm").is_none_or(|own| own != realm) {
            continue;
        }
        found = match (found, written.answer()) {
            (Found::None, Some(answer)) => Found::Some(answer),
            _ => return Found::Malformed,
        };
    }
    found
}

/// Whether a request carries readable digest credentials for `realm`, whatever they are worth.
pub fn has_credentials(request: &Request, realm: &str) -> bool {
    matches!(find(request, realm), Found::Some(_))
}

fn is_digest(value: &str) -> bool {
    let scheme = value.split([' ', '\t']).next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("Digest")
}

/// The parameters, as written.
struct Written<'a> {
    /// In the order of [`NAMES`].
    values: [Option<&'a str>; NAMES.len()],
    others: [&'a str; MAX_OTHERS],
}

impl<'a> Written<'a> {
    /// `None` for what is no digest, has a parameter twice, or cannot be read.
    fn read(value: &'a str) -> Option<Self> {
        if !is_digest(value) {
            return None;
        }
        let mut written = Self {
            values: [None; NAMES.len()],
            others: [""; MAX_OTHERS],
        };
        for (index, piece) in pieces(value).enumerate() {
            match piece? {
                Piece::Scheme(_) if index == 0 => {}
                Piece::Param(name, value) => written.insert(name, value)?,
                Piece::Scheme(_) => return None,
            }
        }
        Some(written)
    }

    /// `None` if it stands there already, or there are too many.
    fn insert(&mut self, name: &'a str, value: &'a str) -> Option<()> {
        let is_name = |known: &&str| known.eq_ignore_ascii_case(name);
        if let Some(place) = NAMES.iter().position(is_name) {
            return match self.values[place].replace(value) {
                None => Some(()),
                Some(_) => None,
            };
        }
        let mut others = self.others.iter_mut();
        let place = others.find(|known| known.is_empty() || is_name(known))?;
        let is_free = place.is_empty();
        *place = name;
        is_free.then_some(())
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        let place = NAMES.iter().position(|known| *known == name)?;
        self.values[place]
    }

    fn unquoted(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name).map(scan::unquote)
    }

    /// `None` if something is missing or contradicts itself.
    fn answer(&self) -> Option<Answer<'a>> {
        let algorithm = match self.unquoted("algorithm") {
            None => Some(Algorithm::Md5),
            Some(name) => Algorithm::find(&name),
        };
        // We always offer qop, so a client that knows it must use it; one that does not know it
        // could be replayed.
        let qop = self.unquoted("qop");
        let is_auth = qop.is_some_and(|qop| qop.eq_ignore_ascii_case("auth"));
        let nonce_count = self.unquoted("nc").unwrap_or_default();
        let count = parse_count(&nonce_count);
        if is_auth && count.is_none() {
            return None;
        }
        let username = self.unquoted("username")?;
        if username.contains(|c: char| c.is_control()) {
            return None;
        }
        Some(Answer {
            username,
            nonce: self.unquoted("nonce")?,
            uri: self.unquoted("uri")?,
            response: self.unquoted("response")?,
            cnonce: self.unquoted("cnonce").unwrap_or_default(),
            algorithm: algorithm.filter(|_| is_auth),
            nonce_count,
            count: count.unwrap_or_default(),
        })
    }
}

/// Exactly eight hexadecimal digits (RFC 7616, section 3.4).
fn parse_count(text: &str) -> Option<u32> {
    let legal = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    legal.then(|| u32::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_has_eight_digits_and_no_sign() {
        assert_eq!(parse_count("0000000a"), Some(10));
        assert_eq!(parse_count("FFFFFFFF"), Some(u32::MAX));
        for text in ["", "1", "0000001", "000000001", "+0000001", "0000000g"] {
            assert_eq!(parse_count(text), None, "{text}");
        }
    }
}
