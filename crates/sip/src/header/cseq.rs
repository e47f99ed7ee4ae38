//! `CSeq`: the order of requests in a dialog (RFC 3261, section 20.16).

use std::fmt;

use crate::header::scan;
use crate::method::Method;

/// The sequence number of a request and its method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// Below 2^32 (RFC 4475, section 3.1.2.4); what we send stays below 2^31.
    pub number: u32,
    /// The method of the request, repeated.
    pub method: Method,
}

impl CSeq {
    /// A number with its method.
    pub fn new(number: u32, method: Method) -> Self {
        Self { number, method }
    }

    /// Reads `number method`; leading zeros are allowed.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, method) = text.split_at(digits);
        if !method.starts_with([' ', '\t']) {
            return None;
        }
        Some(Self {
            number: number.parse().ok()?,
            method: scan::trim(method).parse().ok()?,
        })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_method_are_read() {
        assert_eq!(
            CSeq::parse("0009  INVITE"),
            Some(CSeq::new(9, Method::INVITE))
        );
        assert_eq!(
            CSeq::parse("4294967295\tfoo").unwrap().to_string(),
            "4294967295 foo"
        );
    }

    #[test]
    fn overlarge_and_incomplete_values_are_refused() {
        for text in [
            "4294967296 INVITE",
            "36893488147419103232 REGISTER",
            "-1 INVITE",
            "+1 INVITE",
            "1",
            "1 ",
            " INVITE",
            "1 A B",
            "",
        ] {
            assert_eq!(CSeq::parse(text), None, "{text}");
        }
    }
}
