//! Session-Expires and Min-SE (RFC 4028).

use std::fmt;

use crate::header::scan;

/// Who sends the refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// The side that sent the request.
    Uac,
    /// The side that answers it.
    Uas,
}

/// The value of Session-Expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// Time after which the session ends unless it is refreshed, in seconds.
    pub interval_secs: u32,
    /// Who refreshes, if that is said.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// Reads `seconds;refresher=…`.
    pub fn parse(text: &str) -> Option<Self> {
        let (seconds, params) = scan::split_params(text)?;
        let refresher = match params.value("refresher") {
            None if params.contains("refresher") => return None,
            None => None,
            Some(value) if value.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(value) if value.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            Some(_) => return None,
        };
        Some(Self {
            interval_secs: scan::saturating_u32(seconds)?,
            refresher,
        })
    }
}

/// The seconds of Min-SE, whatever parameters follow.
pub(super) fn parse_min_se(text: &str) -> Option<u32> {
    scan::saturating_u32(scan::split_params(text)?.0)
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refresher = match self.refresher {
            None => "",
            Some(Refresher::Uac) => ";refresher=uac",
            Some(Refresher::Uas) => ";refresher=uas",
        };
        write!(f, "{}{refresher}", self.interval_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_and_refresher_are_read_and_written() {
        let value = SessionExpires::parse("1800 ; Refresher=UAS;x=y").unwrap();
        assert_eq!(
            (value.interval_secs, value.refresher),
            (1800, Some(Refresher::Uas))
        );
        assert_eq!(value.to_string(), "1800;refresher=uas");
        assert_eq!(SessionExpires::parse("90").unwrap().refresher, None);
        assert_eq!(parse_min_se("90;x"), Some(90));
        for text in ["", "x", "90;refresher=me", "90;refresher", "-1"] {
            assert_eq!(SessionExpires::parse(text), None, "{text}");
        }
    }
}
