//! Why a call ended, as a type, as a SIP status, and in words for people.

use std::fmt;

use sip::{TransactionError, Uri};

use super::CallKey;

/// Why a call is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// We hung up, or rejected the call.
    LocalHangUp,
    /// The peer hung up.
    RemoteHangUp,
    /// The caller gave up before we answered.
    Cancelled,
    /// The caller gave up because another device of ours answered (RFC 3326, cause 200).
    AnsweredElsewhere,
    /// Another call took its place (RFC 3891).
    Replaced {
        /// The one that goes on.
        by: CallKey,
    },
    /// It never came to a call, or the call broke.
    Failed(CallFailure),
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalHangUp => f.write_str("You ended the call."),
            Self::RemoteHangUp => f.write_str("The other side ended the call."),
            Self::Cancelled => f.write_str("The caller gave up."),
            Self::AnsweredElsewhere => f.write_str("Answered on another device."),
            Self::Replaced { .. } => f.write_str("The call goes on elsewhere."),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

/// Why a call failed. [`fmt::Display`] is a plain sentence, [`status`](Self::status) the SIP code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallFailure {
    /// 486, 600.
    #[error("The other side is busy.")]
    Busy {
        /// As received.
        status: u16,
    },
    /// 603.
    #[error("The call was declined.")]
    Declined,
    /// 404, 410, 484, 604: no such number.
    #[error("There is no such number.")]
    NotFound {
        /// As received.
        status: u16,
    },
    /// 480: known, but not reachable now.
    #[error("The other side is not available.")]
    Unavailable,
    /// 408, or our own limit: it rang and nobody answered.
    #[error("Nobody answered.")]
    NoAnswer,
    /// 488, 606, 415, or an answer that we cannot use.
    #[error("The two sides have no common codec.")]
    NoCommonCodec {
        /// As received; 488 when it is our own finding.
        status: u16,
    },
    /// 403.
    #[error("The server does not allow this call.")]
    Forbidden,
    /// 401 or 407 although credentials were given, or none were.
    #[error("The server refused user name or password.")]
    WrongCredentials {
        /// As received.
        status: u16,
    },
    /// 3xx: the peer is elsewhere.
    #[error("The other side is reached under another address.")]
    Redirected {
        /// As received.
        status: u16,
        /// Where to, preferred first; bounded.
        contacts: Vec<Uri>,
    },
    /// No response at all.
    #[error("The server did not answer in time.")]
    Timeout,
    /// The request could not be sent, or the connection broke.
    #[error("The server cannot be reached.")]
    Unreachable,
    /// The call was up, but the peer does not react any more: no ACK, no session refresh.
    #[error("The connection to the other side was lost.")]
    Lost,
    /// 5xx.
    #[error("The server has a problem (SIP {status}).")]
    ServerError {
        /// As received.
        status: u16,
    },
    /// The peer broke the protocol.
    #[error("The other side sent something that cannot be understood.")]
    Protocol,
    /// Any other status.
    #[error("The call was refused (SIP {status}).")]
    Other {
        /// As received.
        status: u16,
    },
}

impl CallFailure {
    /// What a final status other than 2xx means. Redirections come without their contacts.
    #[must_use]
    pub fn from_status(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirected {
                status,
                contacts: Vec::new(),
            },
            401 | 407 => Self::WrongCredentials { status },
            403 => Self::Forbidden,
            404 | 410 | 484 | 604 => Self::NotFound { status },
            408 => Self::NoAnswer,
            480 => Self::Unavailable,
            486 | 600 => Self::Busy { status },
            415 | 488 | 606 => Self::NoCommonCodec { status },
            500..=599 => Self::ServerError { status },
            603 => Self::Declined,
            status => Self::Other { status },
        }
    }

    /// The SIP status: as received, or the one that the standard says to assume (RFC 3261, section
    /// 8.1.3.1). `None` if the call broke after it was answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Busy { status }
            | Self::NotFound { status }
            | Self::NoCommonCodec { status }
            | Self::WrongCredentials { status }
            | Self::Redirected { status, .. }
            | Self::ServerError { status }
            | Self::Other { status } => Some(*status),
            Self::Declined => Some(603),
            Self::Unavailable => Some(480),
            Self::Forbidden => Some(403),
            Self::NoAnswer | Self::Timeout => Some(408),
            Self::Unreachable => Some(503),
            Self::Lost | Self::Protocol => None,
        }
    }
}

impl From<TransactionError> for CallFailure {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Timeout => Self::Timeout,
            TransactionError::Transport => Self::Unreachable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_keeps_its_number() {
        for status in 300..700 {
            assert_eq!(CallFailure::from_status(status).status(), Some(status));
        }
    }
}
