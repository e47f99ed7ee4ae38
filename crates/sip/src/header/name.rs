//! Header names: their full spelling, their compact form, and where `rsip` stores them.
//!
//! `rsip` has a variant for the headers of RFC 3261 and `Other` for the rest. Nothing outside this
//! file needs to know which is which.

use rsip::Header;
use rsip::headers::UntypedHeader;

macro_rules! stored_headers {
    ($($variant:ident $name:literal,)*) => {
        /// The store's entry for a header; compact names become full ones.
        pub(crate) fn store(name: &str, value: String) -> Header {
            let name = full(name);
            $(if name.eq_ignore_ascii_case($name) {
                return Header::$variant(rsip::headers::$variant::new(value));
            })*
            Header::Other(name.to_owned(), value)
        }

        /// The full name of a stored header.
        pub(crate) fn name(header: &Header) -> &str {
            match header {
                $(Header::$variant(_) => $name,)*
                Header::Other(name, _) => name,
            }
        }

        /// The value of a stored header: one line, blanks at its ends cut.
        pub(crate) fn value(header: &Header) -> &str {
            match header {
                $(Header::$variant(inner) => inner.value(),)*
                Header::Other(_, value) => value,
            }
        }
    };
}

// The frequent ones first: `store` asks in this order.
stored_headers! {
    Via "Via",
    From "From",
    To "To",
    CallId "Call-ID",
    CSeq "CSeq",
    Contact "Contact",
    MaxForwards "Max-Forwards",
    ContentLength "Content-Length",
    ContentType "Content-Type",
    Route "Route",
    RecordRoute "Record-Route",
    Expires "Expires",
    Allow "Allow",
    Supported "Supported",
    UserAgent "User-Agent",
    Authorization "Authorization",
    Accept "Accept",
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    AlertInfo "Alert-Info",
    AuthenticationInfo "Authentication-Info",
    CallInfo "Call-Info",
    ContentDisposition "Content-Disposition",
    ContentEncoding "Content-Encoding",
    ContentLanguage "Content-Language",
    Date "Date",
    ErrorInfo "Error-Info",
    Event "Event",
    InReplyTo "In-Reply-To",
    MimeVersion "MIME-Version",
    MinExpires "Min-Expires",
    Organization "Organization",
    Priority "Priority",
    ProxyAuthenticate "Proxy-Authenticate",
    ProxyAuthorization "Proxy-Authorization",
    ProxyRequire "Proxy-Require",
    ReplyTo "Reply-To",
    Require "Require",
    RetryAfter "Retry-After",
    Server "Server",
    Subject "Subject",
    SubscriptionState "Subscription-State",
    Timestamp "Timestamp",
    Unsupported "Unsupported",
    Warning "Warning",
    WwwAuthenticate "WWW-Authenticate",
}

/// The full name of a compact one; any other name as it is.
pub(crate) fn full(name: &str) -> &str {
    let [letter] = name.as_bytes() else {
        return name;
    };
    match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'j' => "Reject-Contact",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'n' => "Identity-Info",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        b'y' => "Identity",
        _ => name,
    }
}

/// Whether two names, each full or compact, mean the same header.
pub(crate) fn same(a: &str, b: &str) -> bool {
    full(a).eq_ignore_ascii_case(full(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_and_oddly_cased_names_are_stored_under_the_full_name() {
        for (given, full) in [
            ("v", "Via"),
            ("V", "Via"),
            ("tO", "To"),
            ("x", "Session-Expires"),
            ("l", "Content-Length"),
        ] {
            let header = store(given, "1".to_owned());
            assert_eq!((name(&header), value(&header)), (full, "1"));
        }
        assert_eq!(name(&store("X-Own", String::new())), "X-Own");
        assert!(same("i", "call-id") && !same("z", "Via"));
    }
}
