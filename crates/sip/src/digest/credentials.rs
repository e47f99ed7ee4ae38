//! The credentials of a client as they stand in a request, read but not judged. Borrowed from the
//! request: a server reads them several times.

use std::borrow::Cow;

use crate::header::auth::{Piece, Value, pieces};
use crate::header::name::NameId;
use crate::message::Request;

use super::algorithm::Algorithm;

/// More other parameters than we know are refused: repeated names are looked for by comparing each with each.
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
    for name in [NameId::AUTHORIZATION, NameId::PROXY_AUTHORIZATION] {
        let values = request.headers().all_of(name);
        for value in values.filter(|value| is_digest(value)) {
            let mut written = Written::default();
            if written.read(value).is_none() {
                return Found::Malformed;
            }
            if written.realm.is_none_or(|own| own.text() != realm) {
                continue;
            }
            found = match (found, written.answer()) {
                (Found::None, Some(answer)) => Found::Some(answer),
                _ => return Found::Malformed,
            };
        }
    }
    found
}

/// Whether a request carries readable digest credentials for `realm`, whatever they are worth.
pub fn has_credentials(request: &Request, realm: &str) -> bool {
    matches!(find(request, realm), Found::Some(_))
}

fn is_digest(value: &str) -> bool {
    const SCHEME: &[u8] = b"Digest";
    value
        .as_bytes()
        .split_at_checked(SCHEME.len())
        .is_some_and(|(scheme, rest)| {
            scheme.eq_ignore_ascii_case(SCHEME) && matches!(rest, [] | [b' ' | b'\t', ..])
        })
}

/// The parameters, as written.
#[derive(Default)]
struct Written<'a> {
    username: Option<Value<'a>>,
    realm: Option<Value<'a>>,
    nonce: Option<Value<'a>>,
    uri: Option<Value<'a>>,
    response: Option<Value<'a>>,
    algorithm: Option<Value<'a>>,
    qop: Option<Value<'a>>,
    nonce_count: Option<Value<'a>>,
    cnonce: Option<Value<'a>>,
    /// Names of those that mean nothing to us.
    others: Vec<&'a str>,
}

impl<'a> Written<'a> {
    /// Takes the parameters of one value in; `None` if one stands there twice, or cannot be read.
    fn read(&mut self, value: &'a str) -> Option<()> {
        let mut pieces = pieces(value);
        let Some(Piece::Scheme(_)) = pieces.next()? else {
            return None;
        };
        for piece in pieces {
            match piece? {
                Piece::Param(name, value) => self.insert(name, value)?,
                Piece::Scheme(_) => return None,
            }
        }
        Some(())
    }

    /// `None` if it stands there already, or there are too many.
    fn insert(&mut self, name: &'a str, value: Value<'a>) -> Option<()> {
        if let Some(place) = self.place(name) {
            return match place.replace(value) {
                None => Some(()),
                Some(_) => None,
            };
        }
        let mut others = self.others.iter();
        let is_known = others.any(|known| known.eq_ignore_ascii_case(name));
        if is_known || self.others.len() == MAX_OTHERS {
            return None;
        }
        self.others.push(name);
        Some(())
    }

    /// Where the value of this parameter belongs, if it means something to us.
    fn place(&mut self, name: &str) -> Option<&mut Option<Value<'a>>> {
        match name {
            "username" => Some(&mut self.username),
            "realm" => Some(&mut self.realm),
            "nonce" => Some(&mut self.nonce),
            "uri" => Some(&mut self.uri),
            "response" => Some(&mut self.response),
            "algorithm" => Some(&mut self.algorithm),
            "qop" => Some(&mut self.qop),
            "nc" => Some(&mut self.nonce_count),
            "cnonce" => Some(&mut self.cnonce),
            _ if name.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                self.place(&name.to_ascii_lowercase())
            }
            _ => None,
        }
    }

    /// `None` if something is missing or contradicts itself.
    fn answer(&self) -> Option<Answer<'a>> {
        let algorithm = match self.algorithm {
            None => Some(Algorithm::Md5),
            Some(name) => Algorithm::find(&name.text()),
        };
        // We always offer qop, so a client that knows it must use it; one that does not know it
        // could be replayed.
        let qop = self.qop;
        let is_auth = qop.is_some_and(|qop| qop.text().eq_ignore_ascii_case("auth"));
        let nonce_count = self.nonce_count.map(Value::text).unwrap_or_default();
        let count = parse_count(&nonce_count);
        if is_auth && count.is_none() {
            return None;
        }
        let username = self.username?.text();
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~');
        if !username.bytes().all(is_plain) && username.contains(char::is_control) {
            return None;
        }
        Some(Answer {
            username,
            nonce: self.nonce?.text(),
            uri: self.uri?.text(),
            response: self.response?.text(),
            cnonce: self.cnonce.map(Value::text).unwrap_or_default(),
            algorithm: algorithm.filter(|_| is_auth),
            nonce_count,
            count: count.unwrap_or_default(),
        })
    }
}

/// Exactly eight hexadecimal digits (RFC 7616, section 3.4).
fn parse_count(text: &str) -> Option<u32> {
    let digits: &[u8; 8] = text.as_bytes().try_into().ok()?;
    digits.iter().try_fold(0, |count, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(count << 4 | value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_each_once() {
        fn read(text: &str) -> Option<Answer<'_>> {
            let mut written = Written::default();
            written.read(text).and_then(|()| written.answer())
        }
        let text = "digest USERNAME=\"a\\\"b\", Realm=r, nonce=\"n\", uri=u, RESPONSE=\"r\", Opaque=o, QOP=Auth, nc=0000000A, cnonce=\"c\"";
        let answer = read(text).unwrap();
        assert_eq!(answer.username, "a\"b");
        assert_eq!((&*answer.nonce, &*answer.uri), ("n", "u"));
        assert_eq!((answer.count, answer.algorithm), (10, Some(Algorithm::Md5)));
        for again in ["username=x", "Nonce=y", "opaque=z"] {
            assert!(read(&format!("{text}, {again}")).is_none(), "{again}");
        }
        for missing in ["USERNAME", "nonce", "uri", "RESPONSE", "nc"] {
            let without = text.replace(&format!("{missing}="), "other=");
            assert!(read(&without).is_none(), "{missing}");
        }
        assert!(read(&text.replace("a\\\"b", "a\0")).is_none());
    }

    #[test]
    fn the_count_has_eight_digits_and_no_sign() {
        assert_eq!(parse_count("0000000a"), Some(10));
        assert_eq!(parse_count("FFFFFFFF"), Some(u32::MAX));
        for text in ["", "1", "0000001", "000000001", "+0000001", "0000000g"] {
            assert_eq!(parse_count(text), None, "{text}");
        }
    }
}
