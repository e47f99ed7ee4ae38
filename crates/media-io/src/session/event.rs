//! What a session tells its owner.

use std::net::SocketAddr;
use std::time::Duration;

use media::{Digit, Secured, SecurityFailure};

/// News of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// The peer's first packet came.
    Started {
        /// From where.
        source: SocketAddr,
        /// So long after the session knew its peer.
        after: Duration,
    },
    /// The peer pressed a key.
    Digit(Digit),
    /// The peer's stream says that it is over.
    RemoteBye,
    /// Both directions are secured from now on.
    Secured(Secured),
    /// Secured media was agreed and cannot be: there is no sound.
    NotSecured(SecurityFailure),
    /// ICE has found where media goes from now on.
    Path {
        /// The peer's address.
        remote: SocketAddr,
        /// By our TURN server.
        is_relayed: bool,
    },
    /// No path works, or the one in use does not any longer: nothing is sent until there is another.
    PathLost,
    /// A command could not be carried out; the session goes on as before.
    Refused {
        /// As a sentence.
        reason: String,
    },
    /// The last event.
    Ended(EndCause),
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// Its owner stopped it.
    Stopped,
    /// A mistake of ours; the call has no sound any more.
    Panicked,
}

/// Why a command was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The session is over.
    #[error("the media session is over")]
    Ended,
    /// Too many commands wait.
    #[error("the media session is busy")]
    Busy,
    /// Not a key of a telephone.
    #[error("{label:?} is no digit")]
    NotADigit {
        /// What was given.
        label: char,
    },
}
