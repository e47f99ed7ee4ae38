//! What a request must be before anybody asks whose it is, in the order of RFC 3261, section 16.3.
//!
//! ```text
//!   syntax (the endpoint, 400) ──► scheme (416) ──► Max-Forwards (483) ──► Proxy-Require, Require (420) ──► credentials
//! ```
//!
//! The proxy is the registrar and each call's other end as well, so that what is required of those is refused here too (sections 8.2.2
//! and 10.3) where nothing of ours knows it. A tag that one of our parts knows passes; whether it fits the method is that part's to say.
//!
//! Not here: loops, which a B2BUA sees by Max-Forwards alone.

use sip::{Method, Request, Response, Status};
use ua::CALL_OPTIONS;

use crate::registrar;

/// Option tags that a proxy must know and that we do: RFC 3323 asks for anonymity with it.
const PROXY_OPTIONS: [&str; 1] = ["privacy"];

/// Why a request gets no further, whoever sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A header field that decides cannot be read.
    Malformed,
    /// The Request-URI is of a kind that we cannot reach.
    Scheme,
    /// It has come too far.
    TooManyHops,
    /// These are required and unknown to us.
    Unsupported(String),
}

impl Fault {
    /// What the sender is told, and the same in as few bytes as possible.
    pub(crate) fn responses(&self, request: &Request, tag: &str) -> [Response; 2] {
        let status = match self {
            Self::Malformed => 400,
            Self::Scheme => 416,
            Self::TooManyHops => 483,
            Self::Unsupported(_) => 420,
        };
        let mut whole = request.response(status, Some(tag));
        if let Self::Unsupported(tags) = self {
            whole.push_header("Unsupported", tags.as_str());
        }
        [whole, brief(request, status, tag)]
    }
}

/// An answer without anything that could be left out, its reason phrase included (section 7.2 gives no more than the number a meaning).
pub(crate) fn brief(request: &Request, status: u16, tag: &str) -> Response {
    request.response(Status::with_phrase(status, "No"), Some(tag))
}

/// Looks at what needs no proof.
pub(crate) fn screen(request: &Request) -> Result<(), Fault> {
    if !request.uri.is_sip() && request.uri.telephone_number().is_none() {
        return Err(Fault::Scheme);
    }
    let hops = request.max_forwards().map_err(|_| Fault::Malformed)?;
    // A REGISTER has arrived.
    if hops == Some(0) && request.method != Method::REGISTER {
        return Err(Fault::TooManyHops);
    }
    // Most requests require nothing.
    if request.requires_nothing() {
        return Ok(());
    }
    let mut unknown = request.proxy_require().map_err(|_| Fault::Malformed)?;
    unknown.retain(|tag| !knows(tag, PROXY_OPTIONS));
    let mut required = request.require().map_err(|_| Fault::Malformed)?;
    required.retain(|tag| {
        let calls = CALL_OPTIONS.split(", ");
        !knows(tag, calls.chain(registrar::EXTENSIONS).chain(PROXY_OPTIONS))
    });
    unknown.append(&mut required);
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(Fault::Unsupported(unknown.join(", "))),
    }
}

fn knows<'a>(tag: &str, known: impl IntoIterator<Item = &'a str>) -> bool {
    known.into_iter().any(|own| own.eq_ignore_ascii_case(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screened(start: &str, headers: &str) -> Result<(), Fault> {
        let text = format!(
            "{start} SIP/2.0\r\nVia: SIP/2.0/UDP host;branch=z9hG4bK1\r\nFrom: <sip:a@acme.test>;tag=1\r\nTo: <sip:b@acme.test>\r\n\
             Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n{headers}\r\n"
        );
        let message = sip::parse_message(bytes::Bytes::from(text)).unwrap();
        screen(&message.into_request().unwrap())
    }

    #[test]
    fn faults_are_found_in_the_order_of_the_standard() {
        let wrong = "Max-Forwards: 0\r\nProxy-Require: foo\r\n";
        assert_eq!(screened("OPTIONS soap.beep://b", wrong), Err(Fault::Scheme));
        assert_eq!(
            screened("OPTIONS sip:b@acme.test", wrong),
            Err(Fault::TooManyHops)
        );
        let unsupported = Fault::Unsupported("foo, bar".to_owned());
        let wrong =
            "Max-Forwards: 1\r\nRequire: bar, timer, path\r\nProxy-Require: foo, privacy\r\n";
        assert_eq!(screened("OPTIONS tel:+4930123456", wrong), Err(unsupported));
        assert_eq!(screened("OPTIONS sips:b@acme.test", ""), Ok(()));
    }
}
