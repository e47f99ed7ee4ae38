//! Retry-After: when to try again (RFC 3261, section 20.33).

use crate::header::scan;
use crate::params::Params;

/// How long the other side wants to be left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryAfter {
    /// Seconds until the next try.
    pub seconds: u32,
    /// `duration` and others.
    pub params: Params,
}

impl RetryAfter {
    /// Reads `seconds (comment);params`; the comment is for people and dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (seconds, rest) = text.split_at(digits);
        let mut rest = scan::trim(rest);
        if rest.starts_with('(') {
            rest = scan::trim(&rest[comment_len(rest)?..]);
        }
        Some(Self {
            seconds: scan::saturating_u32(seconds)?,
            params: Params::parse_header(rest)?,
        })
    }
}

/// The length of the comment at the start of `text`; comments nest.
fn comment_len(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at + 1),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_passed_over() {
        let value = RetryAfter::parse("18000 (a (nested \\) one);x) ;duration=3600").unwrap();
        assert_eq!(
            (value.seconds, value.params.value("duration")),
            (18000, Some("3600"))
        );
        assert_eq!(RetryAfter::parse("5").unwrap().seconds, 5);
        for text in ["", "soon", "5 (open", "5 x", "5;"] {
            assert_eq!(RetryAfter::parse(text), None, "{text}");
        }
    }
}
