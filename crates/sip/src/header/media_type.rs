//! Media types: Content-Type and Accept (RFC 3261, sections 20.15 and 20.1).

use std::fmt;

use crate::header::scan;
use crate::params::Params;

/// `type/subtype` with its parameters; in Accept either part may be `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// The type as written, `application`.
    pub kind: String,
    /// The subtype as written, `sdp`.
    pub subtype: String,
    /// `boundary`, `charset`, `q` and others.
    pub params: Params,
}

impl MediaType {
    /// Reads one value.
    pub fn parse(text: &str) -> Option<Self> {
        let (range, params) = scan::split_params(text)?;
        let (kind, subtype) = range.split_once('/')?;
        let (kind, subtype) = (scan::trim(kind), scan::trim(subtype));
        if !scan::is_token(kind) || !scan::is_token(subtype) {
            return None;
        }
        Some(Self {
            kind: kind.to_owned(),
            subtype: subtype.to_owned(),
            params,
        })
    }

    /// Whether this is `kind/subtype`, in any case: `is("application", "sdp")`.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }

    /// Whether this range, an element of Accept, covers `kind/subtype`.
    pub fn accepts(&self, kind: &str, subtype: &str) -> bool {
        let covers = |range: &str, part: &str| range == "*" || range.eq_ignore_ascii_case(part);
        covers(&self.kind, kind) && covers(&self.subtype, subtype)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.kind, self.subtype, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_ranges_are_read() {
        let mixed = MediaType::parse("multipart / Mixed ; boundary=\"a;b\"").unwrap();
        assert!(mixed.is("Multipart", "mixed"));
        assert_eq!(mixed.params.unquoted("boundary").unwrap(), "a;b");
        let range = MediaType::parse("application/*;q=0.2").unwrap();
        assert!(range.accepts("application", "sdp") && !range.accepts("text", "plain"));
        for text in ["", "sdp", "application/", "a/b/c", "a b/c"] {
            assert_eq!(MediaType::parse(text), None, "{text}");
        }
    }
}
