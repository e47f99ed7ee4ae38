//! Status codes, their classes and reason phrases (RFC 3261, section 21).

use std::borrow::Cow;
use std::fmt;

/// A response's status: the code and the phrase beside it.
///
/// The phrase is for people; programs decide on the code alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    code: rsip::StatusCode,
    phrase: Cow<'static, str>,
}

impl Status {
    /// A status with the phrase that its standard gives it, or the phrase of its class if we know
    /// none. Codes outside 100–699 do not exist in SIP; using one is a bug of the caller.
    pub fn new(code: u16) -> Self {
        debug_assert!((100..700).contains(&code), "no SIP status: {code}");
        Self {
            code: code.into(),
            phrase: Cow::Borrowed(standard_phrase(code)),
        }
    }

    /// A status with a phrase of one's own. Line ends in it become spaces.
    pub fn with_phrase(code: u16, phrase: impl Into<String>) -> Self {
        debug_assert!((100..700).contains(&code), "no SIP status: {code}");
        let mut phrase = phrase.into();
        if phrase.contains(['\r', '\n']) {
            phrase = phrase.replace(['\r', '\n'], " ");
        }
        Self {
            code: code.into(),
            phrase: Cow::Owned(phrase),
        }
    }

    /// As [`with_phrase`](Self::with_phrase), for what came in, where nearly every phrase is that of the standard.
    pub(crate) fn read(code: u16, phrase: &str) -> Self {
        let standard = Self::new(code);
        match standard.phrase == phrase {
            true => standard,
            false => Self::with_phrase(code, phrase),
        }
    }

    /// The number, 100–699.
    pub fn code(&self) -> u16 {
        self.code.code()
    }

    /// The reason phrase, possibly empty. It may hold any text the peer sent.
    pub fn phrase(&self) -> &str {
        &self.phrase
    }

    /// 1xx: more will follow.
    pub fn is_provisional(&self) -> bool {
        self.code() < 200
    }

    /// 2xx to 6xx: ends the transaction.
    pub fn is_final(&self) -> bool {
        !self.is_provisional()
    }

    /// 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.code())
    }

    /// 3xx.
    pub fn is_redirection(&self) -> bool {
        (300..400).contains(&self.code())
    }

    /// 4xx, 5xx and 6xx.
    pub fn is_failure(&self) -> bool {
        self.code() >= 400
    }
}

impl From<u16> for Status {
    fn from(code: u16) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code(), self.phrase)
    }
}

fn standard_phrase(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        199 => "Early Dialog Terminated",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        417 => "Unknown Resource-Priority",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        424 => "Bad Location Information",
        428 => "Use Identity Header",
        429 => "Provide Referrer Identity",
        430 => "Flow Failed",
        433 => "Anonymity Disallowed",
        436 => "Bad Identity Info",
        437 => "Unsupported Credential",
        438 => "Invalid Identity Header",
        439 => "First Hop Lacks Outbound Support",
        440 => "Max-Breadth Exceeded",
        469 => "Bad Info Package",
        470 => "Consent Needed",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        494 => "Security Agreement Required",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        555 => "Push Notification Service Not Supported",
        580 => "Precondition Failure",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        608 => "Rejected",
        _ if !code.is_multiple_of(100) => standard_phrase(code / 100 * 100),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_brings_its_phrase() {
        assert_eq!(Status::new(486).to_string(), "486 Busy Here");
        assert_eq!(Status::new(499).phrase(), "Bad Request");
        assert_eq!(Status::with_phrase(404, "Nobody").phrase(), "Nobody");
    }

    #[test]
    fn a_phrase_cannot_start_a_new_line() {
        assert_eq!(
            Status::with_phrase(400, "a\r\nVia: b").phrase(),
            "a  Via: b"
        );
    }

    #[test]
    fn classes_follow_the_first_digit() {
        assert!(Status::new(183).is_provisional() && !Status::new(183).is_final());
        assert!(Status::new(299).is_success());
        assert!(Status::new(302).is_redirection());
        assert!(Status::new(600).is_failure() && !Status::new(302).is_failure());
    }
}
