//! What the phone tells, and what it wants done outside.

use std::time::Duration;

use sdp::{AnswerError, Negotiated};
use sip::Private;
use ua::EndReason;

use crate::command::{CallId, LineId, Refusal, ReplyId};
use crate::view::{CallDirection, CallView, LineView};

/// What the phone says to its owner.
#[derive(Clone, Debug)]
pub enum Event {
    /// The reply to a command: the call it was about, if it was about one.
    Reply {
        /// Of which command.
        reply: ReplyId,
        /// What became of it.
        result: Result<Option<CallId>, Refusal>,
    },
    /// A line as it is now.
    Line(LineView),
    /// A line is signed out and gone.
    LineGone(LineId),
    /// A call as it is now.
    Call(Box<CallView>),
    /// A call is over. Nothing more comes for it.
    CallEnded(Box<CallEnded>),
    /// Open ports for a call's media and command
    /// [`MediaOpened`](crate::Action::MediaOpened) or [`MediaFailed`](crate::Action::MediaFailed).
    OpenMedia {
        /// The call.
        call: CallId,
        /// Its line: media leaves by the same interface.
        line: LineId,
        /// An outgoing call is placed when its ports are there, so they may wait for candidates; an incoming one
        /// may be answered at any moment.
        direction: CallDirection,
    },
    /// The sides agreed on this; start, or change what runs.
    UpdateMedia {
        /// The call.
        call: CallId,
        /// Everything that media needs.
        negotiated: Box<Negotiated>,
    },
    /// Stop a call's media and close its ports.
    CloseMedia {
        /// The call.
        call: CallId,
    },
    /// Send digits in the media: as telephone-events, or as tones if those were not agreed on.
    SendDigits {
        /// The call.
        call: CallId,
        /// One or more.
        digits: Private<String>,
    },
}

/// A call that is over.
#[derive(Clone, Debug)]
pub struct CallEnded {
    /// As it was last.
    pub call: CallView,
    /// Why it ended.
    pub end: CallEnd,
    /// From the answer to the end.
    pub talked: Option<Duration>,
}

/// Why a call is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallEnd {
    /// By the rules of SIP.
    #[error("{0}")]
    Signalled(EndReason),
    /// There is no port for its media, and why.
    #[error("There is no network port for the sound of this call: {0}.")]
    NoMedia(String),
    /// The session that was agreed on cannot be used.
    #[error("The two sides cannot agree on the sound: {0}.")]
    NoAgreement(AnswerError),
    /// We gave it away.
    #[error("The call was transferred.")]
    Transferred,
    /// Its line was removed.
    #[error("The line was removed.")]
    LineRemoved,
}
