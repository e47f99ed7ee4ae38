//! Why bytes are no message, and what can still be answered to them.

use std::fmt;
use std::ops::Deref;

use crate::message::fields::Fields;
use crate::message::{Response, response_to};
use crate::method::Method;
use crate::status::Status;
use crate::uri::UriError;

/// Why bytes are not a SIP message.
///
/// Every variant is the sender's fault; our own mistakes are bugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Nothing but line ends, or no start line that names SIP: somebody else's protocol.
    #[error("no start line that names SIP")]
    NotSip,
    /// The start line names SIP and does not follow the grammar.
    #[error("malformed start line")]
    StartLine,
    /// A SIP version other than 2.0.
    #[error("unknown SIP version")]
    Version,
    /// A status code outside 100–699.
    #[error("status code out of range")]
    StatusCode,
    /// The Request-URI.
    #[error("malformed Request-URI: {error}")]
    RequestUri {
        /// What is wrong with it.
        error: UriError,
    },
    /// A line that is no header field, or one with a bare line end in it.
    #[error("malformed header line at byte {at}")]
    HeaderLine {
        /// Where the line starts, in bytes from the start of the message.
        at: usize,
    },
    /// No empty line after the header fields.
    #[error("the header fields do not end")]
    UnterminatedHeaders,
    /// Negative, too large or no number at all, or two that differ; on a stream also none at all.
    #[error("unusable Content-Length")]
    ContentLength,
    /// Less body than declared.
    #[error("body is {actual} bytes, Content-Length says {declared}")]
    TruncatedBody {
        /// What Content-Length says.
        declared: usize,
        /// What is there.
        actual: usize,
    },
    /// More bytes than declared where exactly one message was expected.
    #[error("bytes after the end of the message")]
    TrailingBytes,
    /// More than we are willing to read.
    #[error("too large: {limit}")]
    TooLarge {
        /// The limit that was passed.
        limit: Limit,
    },
}

/// What is limited; the numbers stand in `message/parse.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The whole message.
    Message,
    /// The length of the start line.
    StartLine,
    /// The number of header fields.
    Headers,
    /// The length of one header value.
    Value,
    /// The number of folds in one header field.
    Folds,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Message => "message",
            Self::StartLine => "start line",
            Self::Headers => "number of header fields",
            Self::Value => "header value",
            Self::Folds => "number of folds",
        })
    }
}

impl ParseError {
    /// The status to answer a request with, or `None` to drop it in silence.
    pub fn reply_status(&self) -> Option<u16> {
        match self {
            Self::NotSip | Self::StatusCode => None,
            Self::Version => Some(505),
            Self::TooLarge {
                limit: Limit::StartLine,
            } => Some(414),
            Self::TooLarge { .. } => Some(513),
            Self::StartLine
            | Self::RequestUri { .. }
            | Self::HeaderLine { .. }
            | Self::UnterminatedHeaders
            | Self::ContentLength
            | Self::TruncatedBody { .. }
            | Self::TrailingBytes => Some(400),
        }
    }
}

/// A message that cannot be used, with what could be read of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Malformed {
    /// What is wrong, the first fault in the order of the bytes.
    pub error: ParseError,
    /// The method and the header lines that could be read, if it was a request.
    pub request_head: Option<Box<RequestHead>>,
}

impl Malformed {
    /// The answer, or `None` if there must be none: to what is no request, to an ACK, and to a
    /// request without a Via that says where to answer.
    pub fn response(&self, to_tag: &str) -> Option<Response> {
        let code = self.error.reply_status()?;
        let request = self.request_head.as_deref()?;
        if request.method == Method::ACK || request.via().is_err() {
            return None;
        }
        let status = match code {
            400 => Status::with_phrase(code, sentence(&self.error.to_string())),
            _ => Status::new(code),
        };
        Some(response_to(request, status, Some(to_tag)))
    }
}

/// A phrase that says what is wrong, as a status line has it: with a capital.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// What could be read of a broken request. The Request-URI and the body are not among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The method of the start line.
    pub method: Method,
    pub(super) fields: Fields,
}

impl Deref for RequestHead {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.fields
    }
}
