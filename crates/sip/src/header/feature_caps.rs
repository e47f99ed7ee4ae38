//! Feature-Caps: what a proxy on the way can do (RFC 6809; push parameters of RFC 8599).

use std::borrow::Cow;
use std::fmt;

use crate::header::scan;
use crate::params::Params;

/// The indicators of one element, each a parameter: `*;+sip.pns="apns"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureCaps {
    /// Names with their plus sign, values as written.
    pub params: Params,
}

impl FeatureCaps {
    /// No indicator.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same element with `name="value"`; the name includes its plus sign.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.params.set_quoted(name, value);
        self
    }

    /// Reads one element. Some proxies leave the star out, some the semicolon with it.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = scan::trim(text.strip_prefix('*').unwrap_or(text));
        let params = if rest.starts_with('+') && !text.starts_with('*') {
            Params::parse_header(&format!(";{rest}"))?
        } else {
            Params::parse_header(rest)?
        };
        let empty = params.is_empty() && !text.starts_with('*');
        (!empty).then_some(Self { params })
    }

    /// Whether the indicator is there, with a value or without.
    pub fn contains(&self, name: &str) -> bool {
        self.params.contains(name)
    }

    /// The value of an indicator without quotes.
    pub fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        self.params.unquoted(name)
    }
}

impl fmt::Display for FeatureCaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*{}", self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicators_are_read_with_and_without_star() {
        for text in [
            "*;+sip.pns=\"apns\";+sip.pnsreg=\"120\"",
            "* ; +sip.pns = \"apns\" ;+sip.pnsreg=\"120\"",
            ";+sip.pns=\"apns\";+sip.pnsreg=\"120\"",
            "+sip.pns=\"apns\";+sip.pnsreg=\"120\"",
        ] {
            let caps = FeatureCaps::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(caps.value("+SIP.pns").unwrap(), "apns", "{text}");
            assert_eq!(caps.to_string(), "*;+sip.pns=\"apns\";+sip.pnsreg=\"120\"");
        }
        assert!(FeatureCaps::parse("*").unwrap().params.is_empty());
        assert!(
            FeatureCaps::parse("*;+sip.pnspurr")
                .unwrap()
                .contains("+sip.pnspurr")
        );
        for text in ["", "x", "*x", "*+sip.pns", "*;", "*;+sip.pns=\"a"] {
            assert_eq!(FeatureCaps::parse(text), None, "{text}");
        }
        let written = FeatureCaps::new().with("+sip.vapid", "BC<x>").to_string();
        assert_eq!(written, "*;+sip.vapid=\"BC<x>\"");
    }
}
