//! What the owner of calls is told.

use sdp::SessionDescription;
use sip::{Flow, Request};

use super::{CallKey, EndReason};

/// Something happened to a call. After [`CallEvent::Ended`] nothing more comes for its key.
#[derive(Clone, Debug)]
pub enum CallEvent {
    /// Somebody calls. Extensions and body are checked; the owner decides who is meant, and
    /// calls [`progress`](super::Calls::progress), [`answer`](super::Calls::answer) or
    /// [`reject`](super::Calls::reject). Until then the caller hears nothing but 100.
    Incoming {
        /// The new call.
        call: CallKey,
        /// The INVITE, for who calls whom and for header fields to pass on.
        invite: Box<Request>,
        /// The caller's offer; `None` if the answer is to carry ours.
        offer: Option<SessionDescription>,
        /// Where the INVITE came from.
        flow: Flow,
    },
    /// An outgoing call makes progress: 180 rings, 183 may bring early media. 100 is not told.
    Progress {
        /// The call.
        call: CallKey,
        /// 101–199.
        status: u16,
        /// The answer so far, which another early dialog or the final answer may replace.
        answer: Option<SessionDescription>,
    },
    /// An outgoing call was answered, and the ACK is sent.
    Answered {
        /// The call.
        call: CallKey,
        /// The answer to our offer; `None` if the peer gave none beyond what
        /// [`CallEvent::Progress`] carried. For a call dialled without offer: the peer's offer,
        /// and the ACK waits for [`acknowledge`](super::Calls::acknowledge).
        answer: Option<SessionDescription>,
    },
    /// The caller acknowledged our answer: the call is established for both.
    Confirmed {
        /// The call.
        call: CallKey,
        /// The answer to the offer in our 200, if that was one.
        answer: Option<SessionDescription>,
    },
    /// The peer wants to change the session: hold, resume, move. Wants
    /// [`answer_reoffer`](super::Calls::answer_reoffer). A mere refresh with the description that
    /// is in force is answered here and not told.
    Reoffered {
        /// The call.
        call: CallKey,
        /// The new offer; `None` if the answer is to carry ours.
        offer: Option<SessionDescription>,
    },
    /// The peer answered our [`reoffer`](super::Calls::reoffer), or the offer that we gave in
    /// [`answer_reoffer`](super::Calls::answer_reoffer).
    Reanswered {
        /// The call.
        call: CallKey,
        /// The answer; `None` if the peer gave none.
        answer: Option<SessionDescription>,
    },
    /// The peer refused our [`reoffer`](super::Calls::reoffer): the session stays as it is. Glare
    /// is not told but tried again.
    ReofferFailed {
        /// The call.
        call: CallKey,
        /// The peer's status.
        status: u16,
    },
    /// The peer sent digits or another known body in INFO, and was answered 200.
    Info {
        /// The call.
        call: CallKey,
        /// `application/dtmf-relay` or `application/dtmf`.
        content_type: String,
        /// The body as it came.
        body: bytes::Bytes,
    },
    /// The call is over.
    Ended {
        /// The call.
        call: CallKey,
        /// Why.
        reason: EndReason,
    },
}

impl CallEvent {
    /// The call it is about.
    #[must_use]
    pub fn call(&self) -> CallKey {
        match self {
            Self::Incoming { call, .. }
            | Self::Progress { call, .. }
            | Self::Answered { call, .. }
            | Self::Confirmed { call, .. }
            | Self::Reoffered { call, .. }
            | Self::Reanswered { call, .. }
            | Self::ReofferFailed { call, .. }
            | Self::Info { call, .. }
            | Self::Ended { call, .. } => *call,
        }
    }
}
