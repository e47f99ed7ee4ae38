//! What is left of a call for people: who called whom, when, and what became of it.
//!
//! A record is of two sides, so a call that is transferred or forwarded leaves several, which have one number of the call in common.
//! The words are those of a person who looks at the list later, not of the protocol.
//!
//! Not here: when records are begun and ended (`ledger.rs`), whose they are and where they are kept (the `sip-proxy` crate).

use std::fmt;
use std::time::Instant;

use sip::Aor;

use crate::effect::Owner;
use crate::routing::Identity;

/// A call between two sides, under way or over.
#[derive(Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// Names the record as long as this proxy runs.
    pub number: u64,
    /// Names the call that the record is of; a transfer or a redirection goes on with it.
    pub call: u64,
    /// Who called.
    pub caller: CallParty,
    /// Who was called; once somebody has answered with the device that did.
    pub callee: CallParty,
    /// What the caller dialled; empty for a call that nobody dialled.
    pub dialled: String,
    /// The Call-ID of the caller's leg, by which a trace is found.
    pub sip_call_id: Option<String>,
    /// How the two came to each other, if the one did not just call the other.
    pub link: Option<CallLink>,
    /// When it was asked for: its INVITE or REFER arrived.
    pub started: Instant,
    /// When somebody answered.
    pub answered: Option<Instant>,
    /// How it ended; `None` while it goes on.
    pub end: Option<CallEnd>,
}

impl fmt::Debug for CallRecord {
    /// Who calls whom stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallRecord")
            .field("number", &self.number)
            .field("call", &self.call)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// One side of a call.
#[derive(Clone, PartialEq, Eq)]
pub struct CallParty {
    /// Its address-of-record; `None` if what was dialled is no address.
    pub aor: Option<Aor>,
    /// Whose account that is, where it is known.
    pub owner: Option<Owner>,
    /// The name that others are told.
    pub display_name: Option<String>,
    /// It did not want others to know who it is (RFC 3323).
    pub is_withheld: bool,
    /// The device by its instance-id, `urn:uuid:…`.
    pub instance: Option<String>,
}

impl CallParty {
    pub(crate) fn of(who: &Identity, instance: Option<&str>) -> Self {
        Self {
            aor: Some(who.aor.clone()),
            owner: who.owner,
            display_name: who.display_name().map(str::to_owned),
            is_withheld: who.is_withheld(),
            instance: instance.map(str::to_owned),
        }
    }

    /// Somebody of whom no more than an address is known, if even that.
    pub(crate) fn addressed(aor: Option<Aor>, owner: Option<Owner>) -> Self {
        Self {
            aor,
            owner,
            display_name: None,
            is_withheld: false,
            instance: None,
        }
    }
}

impl fmt::Debug for CallParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallParty").finish_non_exhaustive()
    }
}

/// How two sides came to each other.
#[derive(Clone, PartialEq, Eq)]
pub struct CallLink {
    /// What was done.
    pub kind: CallLinkKind,
    /// Who did it.
    pub by: Aor,
}

impl fmt::Debug for CallLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallLink").field(&self.kind).finish()
    }
}

/// What joins two sides that have not called each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallLinkKind {
    /// A third has transferred the one to the other (REFER).
    Transferred,
    /// The callee is reached under another address (3xx).
    Forwarded,
    /// A device has taken the place of another (INVITE with Replaces).
    PickedUp,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallEnd {
    /// When.
    pub at: Instant,
    /// What became of it.
    pub outcome: CallOutcome,
    /// Why.
    pub reason: CallEndReason,
    /// The final status that the caller was told (RFC 3261, section 21), where there was one.
    pub status: Option<u16>,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// The two have talked.
    Answered,
    /// It could have been answered and was not.
    Missed,
    /// The callee was busy.
    Busy,
    /// The callee did not want it.
    Declined,
    /// The caller gave up before.
    Cancelled,
    /// It could not be.
    Failed,
    /// No device of the callee was registered.
    Unregistered,
    /// A rule or a limit forbids it.
    Refused,
    /// It went on with somebody else before it was answered.
    Forwarded,
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEndReason {
    /// The caller hung up.
    CallerHungUp,
    /// The callee hung up.
    CalleeHungUp,
    /// One of the sides was transferred to somebody else.
    Transferred,
    /// Another device has taken the place of one side.
    PickedUp,
    /// A side was gone without a word, or the session broke.
    Lost,
    /// It rang and nobody answered.
    NoAnswer,
    /// The devices said that nobody is available.
    Unavailable,
    /// Busy.
    Busy,
    /// Declined.
    Declined,
    /// The caller gave up.
    CallerGaveUp,
    /// Somebody else answered.
    AnsweredElsewhere,
    /// The callee is reached under another address.
    Forwarded,
    /// No device of the callee was registered.
    NotRegistered,
    /// The devices that were registered did not answer at all.
    Unreachable,
    /// Nobody has that number.
    UnknownNumber,
    /// The number may not be called.
    NotPermitted,
    /// The caller has as many calls as it may have.
    TooManyCalls,
    /// The two have no common codec.
    NoCommonMedia,
    /// The server was too busy.
    Overloaded,
    /// Something else, which the status tells.
    Failed,
}

impl CallEndReason {
    /// What a final status means to a call that was not answered.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            408 => Self::NoAnswer,
            480 => Self::Unavailable,
            487 => Self::CallerGaveUp,
            486 | 600 => Self::Busy,
            603 | 607 | 608 => Self::Declined,
            404 | 410 | 484 | 604 => Self::UnknownNumber,
            415 | 488 | 606 => Self::NoCommonMedia,
            503 => Self::Overloaded,
            _ => Self::Failed,
        }
    }

    pub(crate) fn outcome(self) -> CallOutcome {
        match self {
            Self::NoAnswer | Self::Unavailable => CallOutcome::Missed,
            Self::Busy => CallOutcome::Busy,
            Self::Declined => CallOutcome::Declined,
            Self::CallerGaveUp
            | Self::AnsweredElsewhere
            | Self::CallerHungUp
            | Self::CalleeHungUp => CallOutcome::Cancelled,
            Self::NotRegistered => CallOutcome::Unregistered,
            Self::NotPermitted | Self::TooManyCalls => CallOutcome::Refused,
            Self::Transferred | Self::PickedUp | Self::Forwarded => CallOutcome::Forwarded,
            Self::Lost
            | Self::Unreachable
            | Self::UnknownNumber
            | Self::NoCommonMedia
            | Self::Overloaded
            | Self::Failed => CallOutcome::Failed,
        }
    }
}
