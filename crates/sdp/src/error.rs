//! Why a description cannot be read, and why an offer or answer leads to no session.

use crate::CryptoError;

/// Why bytes are not a session description.
///
/// Every variant is the sender's fault; a SIP request that carried it is answered with
/// [`SdpError::reply_status`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// More bytes than [`MAX_BYTES`](crate::MAX_BYTES).
    #[error("description is {bytes} bytes long")]
    TooLong {
        /// Length of the input.
        bytes: usize,
    },
    /// More lines than [`MAX_LINES`](crate::MAX_LINES).
    #[error("description has too many lines")]
    TooManyLines,
    /// More media lines than [`MAX_MEDIA`](crate::MAX_MEDIA).
    #[error("description has too many media lines")]
    TooManyMedia,
    /// The first line is not `v=0`.
    #[error("description does not start with v=0")]
    Version,
    /// A line that must be there is absent.
    #[error("line {kind}= is missing")]
    Missing {
        /// The letter before the equals sign.
        kind: char,
    },
    /// A line that is not `letter=value`, or whose value does not follow the grammar.
    #[error("line {line} is malformed")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// A letter that the standard does not know: the description must be refused as a whole
    /// (RFC 8866 section 5).
    #[error("line {line} has the unknown type {kind:?}")]
    UnknownType {
        /// Counted from 1.
        line: usize,
        /// The letter before the equals sign.
        kind: char,
    },
}

impl SdpError {
    /// The SIP status for a request that carried such a description.
    #[must_use]
    pub fn reply_status(&self) -> u16 {
        match self {
            Self::TooLong { .. } | Self::TooManyLines | Self::TooManyMedia => 488,
            Self::Version | Self::Missing { .. } | Self::Line { .. } | Self::UnknownType { .. } => {
                400
            }
        }
    }
}

/// Why a well-formed offer or answer leads to no session with us.
///
/// An offer is answered with 488 in all cases; an answer ends the call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Audio was offered or answered, but in no payload format that we have.
    #[error("no common payload format")]
    NoCommonFormat,
    /// No audio over RTP in it, or its port is 0.
    #[error("no audio that we could join")]
    NoAudio,
    /// The connection line is absent or names no IP address.
    #[error("no usable address for the media")]
    NoAddress,
    /// Only secured media was offered, and ours is off.
    #[error("the other side wants secured media, which is switched off here")]
    SecurityOff,
    /// The media would not be secured, and it must be.
    #[error("the other side does not secure its media, and this line asks for it")]
    SecurityRequired,
    /// Secured media was offered or answered in no way that we have.
    #[error("no common way to secure the media{}", .reason.map(|reason| format!(": {reason}")).unwrap_or_default())]
    NoCommonSecurity {
        /// What is wrong with the first key, if there is one.
        reason: Option<CryptoError>,
    },
    /// An answer came although no offer of ours is open.
    #[error("an answer without an offer")]
    NoOffer,
    /// An offer came while ours is open: glare (RFC 3264 section 4), 491 in SIP.
    #[error("an offer while ours is open")]
    Glare,
}

impl AnswerError {
    /// The SIP status to refuse the offer with.
    #[must_use]
    pub fn reply_status(&self) -> u16 {
        match self {
            Self::Glare => 491,
            Self::NoCommonFormat
            | Self::NoAudio
            | Self::NoAddress
            | Self::SecurityOff
            | Self::SecurityRequired
            | Self::NoCommonSecurity { .. }
            | Self::NoOffer => 488,
        }
    }
}
