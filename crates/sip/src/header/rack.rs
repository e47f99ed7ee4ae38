//! `RAck` and `RSeq`: reliable provisional responses (RFC 3262, section 7).

use std::fmt;

use crate::header::scan;
use crate::method::Method;

/// Which provisional response a PRACK acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    /// The response's `RSeq`.
    pub response_number: u32,
    /// The number of the response's `CSeq`.
    pub cseq_number: u32,
    /// The method of the response's `CSeq`.
    pub method: Method,
}

impl RAck {
    /// Reads `number number method`.
    pub fn parse(text: &str) -> Option<Self> {
        let (response_number, rest) = text.split_once([' ', '\t'])?;
        let (cseq_number, method) = scan::trim(rest).split_once([' ', '\t'])?;
        Some(Self {
            response_number: scan::exact_u32(response_number)?,
            cseq_number: scan::exact_u32(cseq_number)?,
            method: scan::trim(method).parse().ok()?,
        })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.response_number, self.cseq_number, self.method
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_are_read_and_nothing_else() {
        let rack = RAck::parse("776656  1\tINVITE").unwrap();
        assert_eq!(rack.to_string(), "776656 1 INVITE");
        assert_eq!(rack.method, Method::INVITE);
        for text in [
            "",
            "1",
            "1 2",
            "1 2 ",
            "1 2 A B",
            "-1 2 INVITE",
            "4294967296 1 INVITE",
            "1  INVITE",
        ] {
            assert_eq!(RAck::parse(text), None, "{text}");
        }
    }
}
