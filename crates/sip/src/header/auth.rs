//! Challenges and credentials taken apart (RFC 3261, sections 20.7, 20.27, 20.28 and 20.44).
//!
//! This file knows the punctuation only: a scheme, then `name=value` pairs. What they mean is the
//! matter of `digest`. One header may hold several challenges, so a comma may separate parameters
//! or challenges; a new challenge is told by its scheme, a token with a blank behind it.

use std::borrow::Cow;
use std::fmt;

use crate::header::scan;

/// More are refused: repeated names are looked for by comparing each with each.
const MAX_PARAMS: usize = 64;

/// A scheme and its parameters, one challenge or one set of credentials.
///
/// `{:?}` names the parameters and hides their values: they may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthFields {
    scheme: String,
    params: Vec<(String, String)>,
}

impl AuthFields {
    /// Only a scheme, for parameters to be added.
    pub fn new(scheme: &str) -> Self {
        Self {
            scheme: scheme.to_owned(),
            params: Vec::new(),
        }
    }

    /// Reads one challenge or one set of credentials.
    pub fn parse(text: &str) -> Option<Self> {
        let mut list = Self::parse_list(text)?;
        let only = list.pop()?;
        list.is_empty().then_some(only)
    }

    /// Reads all challenges of one header value; parameters may stand once in each.
    pub fn parse_list(text: &str) -> Option<Vec<Self>> {
        let mut list: Vec<Self> = Vec::new();
        for piece in pieces(text) {
            match piece? {
                Piece::Scheme(scheme) => list.push(Self::new(scheme)),
                Piece::Param(name, value) => {
                    list.last_mut()?.push_parsed(name, value.written)?;
                }
            }
        }
        (!list.is_empty()).then_some(list)
    }

    /// The scheme as written.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether this is the scheme, in any case.
    pub fn is_scheme(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of a parameter without quotes and escapes.
    pub fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        self.raw_value(name).map(scan::unquote)
    }

    /// The value of a parameter as written, quotes included.
    pub fn raw_value(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .params
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Adds `name=value`; the value must be a token.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.params.push((name.to_owned(), value.into()));
    }

    /// Adds `name="value"` with the escapes that the value needs.
    pub fn push_quoted(&mut self, name: &str, value: &str) {
        self.push(name, scan::quote(value));
    }

    fn push_parsed(&mut self, name: &str, value: &str) -> Option<()> {
        if self.raw_value(name).is_some() || self.params.len() == MAX_PARAMS {
            return None;
        }
        self.push(name, value);
        Some(())
    }
}

impl fmt::Display for AuthFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        self.params
            .iter()
            .enumerate()
            .try_for_each(|(index, (name, value))| {
                let separator = if index == 0 { " " } else { ", " };
                write!(f, "{separator}{name}={value}")
            })
    }
}

impl fmt::Debug for AuthFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.scheme)?;
        self.params
            .iter()
            .try_for_each(|(name, _)| write!(f, " {name}=***"))
    }
}

/// One piece of a header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A challenge or credentials begin.
    Scheme(&'a str),
    /// `name=value`
    Param(&'a str, Value<'a>),
}

/// The value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    written: &'a str,
    /// Whether it stands for another text than the one between its quotes.
    has_escape: bool,
}

impl<'a> Value<'a> {
    /// The text it stands for, without quotes and escapes.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self.written.as_bytes() {
            _ if self.has_escape => scan::unquote(self.written),
            [b'"', .., b'"'] => Cow::Borrowed(&self.written[1..self.written.len() - 1]),
            _ => Cow::Borrowed(self.written),
        }
    }
}

/// The pieces of a header value from left to right, each byte looked at once. `None` where it cannot be read.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Option<Piece<'_>>> {
    let mut rest = text;
    // A scheme is followed by a parameter or a comma.
    let mut is_behind_scheme = false;
    std::iter::from_fn(move || {
        rest = scan::trim_start(rest);
        // Empty elements are legal in the lists of HTTP, where this header comes from.
        while let Some(behind) = rest.strip_prefix(',') {
            rest = scan::trim_start(behind);
            is_behind_scheme = false;
        }
        if rest.is_empty() {
            return None;
        }
        let read = read_piece(rest);
        let is_scheme = matches!(read, Some((Piece::Scheme(_), _)));
        let read = read.filter(|_| !(is_scheme && is_behind_scheme));
        is_behind_scheme = is_scheme;
        rest = read.map_or("", |(_, rest)| rest);
        Some(read.map(|(piece, _)| piece))
    })
}

/// The first piece of what begins with one, and what stands behind it. `token68` credentials have no equals sign, or only padding at the
/// end: they are not read.
fn read_piece(text: &str) -> Option<(Piece<'_>, &str)> {
    let (name, behind) = text.split_at(scan::token_len(text.as_bytes()));
    if name.is_empty() {
        return None;
    }
    let rest = scan::trim_start(behind);
    let Some(rest) = rest.strip_prefix('=') else {
        let ends = matches!(behind.as_bytes(), [] | [b' ' | b'\t' | b',', ..]);
        return ends.then_some((Piece::Scheme(name), rest));
    };
    let (value, rest) = read_value(scan::trim_start(rest))?;
    let rest = scan::trim_start(rest);
    matches!(rest.as_bytes(), [] | [b',', ..]).then_some((Piece::Param(name, value), rest))
}

/// The value that a text begins with, and what stands behind it.
fn read_value(text: &str) -> Option<(Value<'_>, &str)> {
    let (length, has_escape) = match text.strip_prefix('"') {
        Some(inner) => {
            let at = memchr::memchr2(b'"', b'\\', inner.as_bytes())?;
            match inner.as_bytes()[at] {
                b'"' => (at + 2, false),
                _ => (scan::quoted_len(text)?, true),
            }
        }
        None => (scan::value_len(text), false),
    };
    let (written, rest) = text.split_at(length);
    let value = Value {
        written,
        has_escape,
    };
    (length > 0).then_some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_challenges_in_one_header_are_told_apart() {
        let text = "Digest realm=\"a, b\", nonce=\"x\\\"y\", qop=\"auth,auth-int\", algorithm = SHA-256, Basic realm=\"c\"";
        let list = AuthFields::parse_list(text).unwrap();
        assert_eq!(list.len(), 2);
        assert!(list[0].is_scheme("digest"));
        assert_eq!(list[0].value("realm").unwrap(), "a, b");
        assert_eq!(list[0].value("NONCE").unwrap(), "x\"y");
        assert_eq!(list[0].value("qop").unwrap(), "auth,auth-int");
        assert_eq!(list[0].raw_value("algorithm"), Some("SHA-256"));
        assert_eq!(list[1].scheme(), "Basic");
        assert_eq!(AuthFields::parse(text), None);
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let mut fields = AuthFields::new("Digest");
        fields.push_quoted("realm", "a \"b\"");
        fields.push("nc", "0000000a");
        assert_eq!(
            fields.to_string(),
            "Digest realm=\"a \\\"b\\\"\", nc=0000000a"
        );
        assert_eq!(AuthFields::parse(&fields.to_string()), Some(fields));
    }

    #[test]
    fn unknown_schemes_are_read_and_broken_values_are_not() {
        let unknown = AuthFields::parse("NoOneKnowsThisScheme opaque-data=here").unwrap();
        assert_eq!(unknown.value("opaque-data").unwrap(), "here");
        for text in [
            "",
            "realm=\"a\"",
            "Digest realm=\"a",
            "Digest realm=",
            "Digest a=1, a=2",
            "Digest =1",
            "Basic QWxhZGRpbg",
        ] {
            assert_eq!(AuthFields::parse_list(text), None, "{text}");
        }
    }

    #[test]
    fn the_number_of_parameters_is_bounded() {
        let fields = |count: usize| {
            let params: Vec<_> = (0..count).map(|n| format!("p{n}=1")).collect();
            AuthFields::parse(&format!("Digest {}", params.join(",")))
        };
        assert!(fields(MAX_PARAMS).is_some());
        assert_eq!(fields(MAX_PARAMS + 1), None);
    }

    #[test]
    fn values_do_not_reach_a_log() {
        let fields = AuthFields::parse("Digest response=\"6629fae4\"").unwrap();
        assert_eq!(format!("{fields:?}"), "Digest response=***");
    }
}
