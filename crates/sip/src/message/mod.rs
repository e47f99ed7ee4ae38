//! Requests and responses (RFC 3261, section 7).
//!
//! ```text
//!   datagram ────────────────► parse_datagram ─┐
//!   stream ──► StreamFramer ──► parse_message ─┴─► Message ──► Request::validate ──► endpoint
//!                                                    │
//!                                     to_bytes ◄─────┘  byte-identical unless edited
//! ```
//!
//! | file | owns |
//! |---|---|
//! | `mod.rs` | [`Request`], [`Response`], building and writing them |
//! | `fields.rs` | [`Fields`]: header fields and body, shared by both |
//! | `headers.rs` | [`Headers`]: the ordered list, surgical edits |
//! | `entry.rs` | where one header field stands |
//! | `noted.rs` | what is kept in mind of From, To and Via |
//! | `parse.rs` | bytes to messages, limits |
//! | `framing.rs` | messages out of a byte stream, keep-alives |
//! | `validate.rs` | what a server must refuse before it looks at the meaning |
//! | `error.rs` | why bytes are no message, and the answer to that |
//!
//! Invariant: what was received and not edited is written back byte for byte, and Content-Length
//! is always right in what is written otherwise.

mod entry;
mod error;
mod fields;
mod framing;
mod headers;
mod noted;
mod parse;
mod peek;
mod validate;

use std::fmt;
use std::ops::{Deref, DerefMut};

use bytes::Bytes;

use crate::decimal::{Digits, decimal};
use crate::header::name::NameId;
use crate::method::Method;
use crate::status::Status;
use crate::uri::Uri;

pub use error::{Limit, Malformed, ParseError, RequestHead};
pub use fields::Fields;
pub use framing::{Frame, FramingError, StreamFramer};
pub use headers::Headers;
pub use parse::{MAX_MESSAGE_BYTES, parse_datagram, parse_message};
pub use peek::peek_call_id;
pub use validate::Refusal;

const VERSION: &str = "SIP/2.0";

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Box<Request>),
    /// A response.
    Response(Box<Response>),
}

impl Message {
    /// The request, if it is one.
    pub fn into_request(self) -> Option<Request> {
        match self {
            Self::Request(request) => Some(*request),
            Self::Response(_) => None,
        }
    }

    /// The response, if it is one.
    pub fn into_response(self) -> Option<Response> {
        match self {
            Self::Request(_) => None,
            Self::Response(response) => Some(*response),
        }
    }

    /// The message as bytes.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Request(request) => request.to_bytes(),
            Self::Response(response) => response.to_bytes(),
        }
    }
}

impl Deref for Message {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        match self {
            Self::Request(request) => request,
            Self::Response(response) => response,
        }
    }
}

impl DerefMut for Message {
    fn deref_mut(&mut self) -> &mut Fields {
        match self {
            Self::Request(request) => request,
            Self::Response(response) => response,
        }
    }
}

/// A request. Header fields and body are those of [`Fields`].
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// Whom it is asked of.
    pub uri: Uri,
    fields: Fields,
}

impl Request {
    /// A request without header fields.
    pub fn new(method: Method, uri: Uri) -> Self {
        Self {
            method,
            uri,
            fields: Fields::to_be_written(),
        }
    }

    /// The response to this request (RFC 3261, section 8.2.6): Via, From, To, Call-ID and `CSeq`
    /// are copied byte for byte, a 100 carries the Timestamp, and `to_tag` is added to a To that
    /// has no tag. Record-Route is the dialog's matter.
    pub fn response(&self, status: impl Into<Status>, to_tag: Option<&str>) -> Response {
        response_to(self, status.into(), to_tag)
    }

    /// The request as bytes: exactly as received if nothing was edited.
    pub fn to_bytes(&self) -> Bytes {
        let received = self.headers.start_line();
        let unchanged = received
            .strip_prefix(self.method.as_str().as_bytes())
            .and_then(|rest| rest.strip_prefix(b" "))
            .and_then(|rest| rest.strip_prefix(self.uri.as_str().as_bytes()))
            .is_some_and(|rest| rest.starts_with(b" "));
        let words = [self.method.as_str(), " ", self.uri.as_str(), " ", VERSION].map(str::as_bytes);
        self.fields.write((!unchanged).then_some(&words))
    }
}

/// A response. Header fields and body are those of [`Fields`].
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The code and the phrase.
    pub status: Status,
    fields: Fields,
}

impl Response {
    /// A response without header fields. One to a request is made by [`Request::response`].
    pub fn new(status: impl Into<Status>) -> Self {
        Self {
            status: status.into(),
            fields: Fields::default(),
        }
    }

    /// The response as bytes: exactly as received if nothing was edited.
    pub fn to_bytes(&self) -> Bytes {
        let received = self.headers.start_line();
        let unchanged = received
            .strip_suffix(b"\r\n")
            .is_some_and(|line| parse::parse_status(line).as_ref() == Ok(&self.status));
        let mut digits = Digits::default();
        let code = decimal(self.status.code().into(), &mut digits);
        let [version, phrase] = [VERSION, self.status.phrase()].map(str::as_bytes);
        let words = [version, b" ", code, b" ", phrase];
        self.fields.write((!unchanged).then_some(&words))
    }
}

/// What every response copies from its request (RFC 3261, section 8.2.6.2); a 100 the next one, too, and one that makes a dialog
/// the last (section 12.1.1).
const COPIED: [NameId; 7] = [
    NameId::known("Via"),
    NameId::known("From"),
    NameId::known("To"),
    NameId::known("Call-ID"),
    NameId::known("CSeq"),
    NameId::known("Timestamp"),
    NameId::known("Record-Route"),
];

/// Room for what is usually added to a response: a tag, a Contact or a challenge, what we can do, a Server.
const ADDED_BYTES: usize = 320;

/// The response to what could be read of a request.
fn response_to(request: &Fields, status: Status, to_tag: Option<&str>) -> Response {
    let copied = match status.code() {
        100 => &COPIED[..6],
        _ => &COPIED[..5],
    };
    response_with(copied, request, status, to_tag)
}

fn response_with(
    copied: &[NameId],
    request: &Fields,
    status: Status,
    to_tag: Option<&str>,
) -> Response {
    // A To that cannot be read is echoed as it is: a tag could land inside an open quote.
    let untagged = match request.headers.noted_tag(NameId::TO) {
        Some(tag) => tag.is_none(),
        None => request
            .peek_address(NameId::TO)
            .is_ok_and(|to| to.tag.is_none()),
    };
    let to_tag = to_tag.filter(|_| untagged);
    Response {
        status,
        fields: Fields::copied(copied, request, to_tag, ADDED_BYTES),
    }
}

/// As much of an INVITE as its responses copy.
#[derive(Debug)]
pub(crate) struct ResponseHead(Fields);

impl ResponseHead {
    pub(crate) fn of(invite: &Request) -> Self {
        let mut fields = Fields::copied(&COPIED, invite, None, 0);
        fields.headers.shrink();
        Self(fields)
    }

    /// As [`Request::response`]; one that makes a dialog has Record-Route, too.
    pub(crate) fn response(&self, status: u16, to_tag: Option<&str>) -> Response {
        match status {
            101..300 => response_with(&COPIED, &self.0, status.into(), to_tag),
            _ => response_to(&self.0, status.into(), to_tag),
        }
    }
}

macro_rules! dereference_to_fields {
    ($($message:ident)*) => {$(
        impl Deref for $message {
            type Target = Fields;

            fn deref(&self) -> &Fields {
                &self.fields
            }
        }

        impl DerefMut for $message {
            fn deref_mut(&mut self) -> &mut Fields {
                &mut self.fields
            }
        }
    )*};
}

dereference_to_fields!(Request Response);

/// People's addresses and secrets stay out of logs: only the kind of message is shown.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {:?})", self.method, self.fields)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} {:?})", self.status.code(), self.fields)
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} header fields, body of {} bytes",
            self.headers().len(),
            self.body().len()
        )
    }
}

#[cfg(test)]
mod tests;
