//! What the owner of calls is told.

use sdp::Described;
use sip::{Flow, NameAddr, Reason, ReferTo, Replaces, Request};

use super::{CallKey, EndReason, ReferId};

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
        offer: Option<Described>,
        /// Where the INVITE came from.
        flow: Flow,
        /// The call that this one is to take the place of (RFC 3891). The owner decides whether
        /// the caller may; once this one is answered the other ends with
        /// [`EndReason::Replaced`].
        replaces: Option<CallKey>,
    },
    /// An outgoing call makes progress: 180 rings, 183 may bring early media. 100 is not told.
    Progress {
        /// The call.
        call: CallKey,
        /// 101–199.
        status: u16,
        /// The answer so far, which another early dialog or the final answer may replace.
        answer: Option<Described>,
    },
    /// An outgoing call was answered, and the ACK is sent.
    Answered {
        /// The call.
        call: CallKey,
        /// The answer to our offer, which may be the one that [`CallEvent::Progress`] carried for
        /// the same dialog; `None` if the peer gave none. For a call dialled without offer: the
        /// peer's offer, and the ACK waits for [`acknowledge`](super::Calls::acknowledge).
        answer: Option<Described>,
    },
    /// The caller acknowledged our answer: the call is established for both.
    Confirmed {
        /// The call.
        call: CallKey,
        /// The answer to the offer in our 200, if that was one.
        answer: Option<Described>,
    },
    /// The peer wants to change the session: hold, resume, move. Wants
    /// [`answer_reoffer`](super::Calls::answer_reoffer). A mere refresh with the description that
    /// is in force is answered here and not told.
    Reoffered {
        /// The call.
        call: CallKey,
        /// The new offer; `None` if the answer is to carry ours.
        offer: Option<Described>,
    },
    /// The peer answered our [`reoffer`](super::Calls::reoffer), or the offer that we gave in
    /// [`answer_reoffer`](super::Calls::answer_reoffer) or in a reliable
    /// [`progress`](super::Calls::progress).
    Reanswered {
        /// The call.
        call: CallKey,
        /// The answer; `None` if the peer gave none.
        answer: Option<Described>,
    },
    /// The peer made the offer that [`solicit`](super::Calls::solicit) asked for. The ACK waits for
    /// [`acknowledge`](super::Calls::acknowledge).
    Offered {
        /// The call.
        call: CallKey,
        /// The peer's offer.
        offer: Described,
    },
    /// The peer refused our [`reoffer`](super::Calls::reoffer) or
    /// [`solicit`](super::Calls::solicit): the session stays as it is. Glare
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
    /// The peer did not take what [`info`](super::Calls::info) sent.
    InfoRefused {
        /// The call.
        call: CallKey,
        /// As it was sent.
        content_type: String,
        /// As it was sent.
        body: bytes::Bytes,
        /// 300–699: what the peer said, or 408 if it said nothing.
        status: u16,
    },
    /// The peer wants us to call somebody else: a transfer (RFC 3515). Wants
    /// [`accept_refer`](super::Calls::accept_refer), then
    /// [`notify_refer`](super::Calls::notify_refer) up to a final status, or
    /// [`refuse_refer`](super::Calls::refuse_refer).
    Referred {
        /// The call in which it came.
        call: CallKey,
        /// Names this request among those of the call.
        id: ReferId,
        /// Whom to call; the method is INVITE.
        refer_to: Box<ReferTo>,
        /// The dialog that the new call is to take the place of: an attended transfer.
        replaces: Option<Replaces>,
        /// Who says so, unproven (RFC 3892).
        referred_by: Option<Box<NameAddr>>,
    },
    /// How the transfer goes that our [`refer`](super::Calls::refer) asked for. After a status of
    /// 200 or more nothing comes any more; 202 says that the peer tells no progress at all.
    ReferProgress {
        /// The call.
        call: CallKey,
        /// 100–699: what the peer heard of the new call, or its refusal.
        status: u16,
    },
    /// The call is over.
    Ended {
        /// The call.
        call: CallKey,
        /// Why.
        reason: EndReason,
        /// What the peer's BYE, CANCEL or refusal says about it (RFC 3326); at most
        /// [`MAX_REASONS`](super::MAX_REASONS).
        said: Vec<Reason>,
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
            | Self::Offered { call, .. }
            | Self::Referred { call, .. }
            | Self::ReferProgress { call, .. }
            | Self::Info { call, .. }
            | Self::InfoRefused { call, .. }
            | Self::Ended { call, .. } => *call,
        }
    }
}
