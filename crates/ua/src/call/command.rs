//! What the owner of calls says: configuration, a call to place, and why a command is refused.

use std::fmt;
use std::time::Duration;

use sdp::Described;
use sip::{Credentials, Destination, EndpointError, NameAddr, ReferTo, Uri};

use super::Stages;

/// Names one call of one [`Calls`](super::Calls); never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey(pub(crate) u64);

impl fmt::Display for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names one REFER of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReferId(pub(crate) u32);

/// How calls behave, for all calls of one owner.
#[derive(Clone, Debug)]
pub struct CallsConfig {
    /// Calls at the same time, those that are being ended included. Beyond it an INVITE is
    /// answered 486 and [`Calls::dial`](super::Calls::dial) refuses.
    pub max_calls: usize,
    /// How long an outgoing call may ring before it is given up: like timer C, more than 3 minutes
    /// (RFC 3261, section 16.6).
    pub max_ringing: Duration,
    /// Session timers (RFC 4028); `None` turns them off on our side.
    pub session_timers: Option<SessionTimers>,
    /// Which of our provisional responses are sent until the caller acknowledges them (RFC 3262).
    pub reliable: ReliableProgress,
    /// Whether each [`Stage`](super::Stage) of a call is told.
    pub stages: Stages,
}

/// Which provisional responses are sent reliably (RFC 3262). 100 never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReliableProgress {
    /// None; an INVITE that requires it is refused with 420, and our own say nothing of it.
    Never,
    /// Those of an INVITE that requires it.
    WhenRequired,
    /// Also those that carry a description, if the caller supports it.
    WithDescription,
}

impl Default for CallsConfig {
    fn default() -> Self {
        Self {
            max_calls: 1_000,
            max_ringing: Duration::from_secs(181),
            session_timers: Some(SessionTimers::default()),
            reliable: ReliableProgress::WithDescription,
            stages: Stages::Untold,
        }
    }
}

/// Intervals of RFC 4028, whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimers {
    /// What we propose; 30 minutes.
    pub expires: Duration,
    /// The least that we accept; 90 s, the least that the standard allows.
    pub min_se: Duration,
}

impl Default for SessionTimers {
    fn default() -> Self {
        Self {
            expires: Duration::from_secs(1_800),
            min_se: Duration::from_secs(90),
        }
    }
}

/// A call to place.
#[derive(Clone, Debug)]
pub struct Dial {
    /// Whom to call.
    pub request_uri: Uri,
    /// Who calls; a tag is added.
    pub from: NameAddr,
    /// Whom the call is for, usually the same as the Request-URI.
    pub to: NameAddr,
    /// Where the peer reaches us during the call.
    pub contact: Uri,
    /// Route header fields, nearest first.
    pub route: Vec<NameAddr>,
    /// Where to send the INVITE: the resolved next hop, or a flow.
    pub destination: Destination,
    /// Our offer. `None` lets the peer offer: its description comes with
    /// [`CallEvent::Answered`](super::CallEvent::Answered) and wants
    /// [`Calls::acknowledge`](super::Calls::acknowledge).
    pub offer: Option<Described>,
    /// For a challenge on the INVITE and on every later request of the call.
    pub credentials: Option<Credentials>,
    /// Further header fields for the INVITE, names and values; one that every INVITE has, such as
    /// Max-Forwards, is replaced.
    pub headers: Vec<(&'static str, String)>,
}

/// Whom the peer of a call shall call: a transfer. [`ReferTo::new`] makes a blind one,
/// [`ReferTo::replacing`] with [`Calls::replaces_value`](super::Calls::replaces_value) an attended
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferTarget {
    /// Whom.
    pub refer_to: ReferTo,
    /// Who we are, if the new peer may know (RFC 3892).
    pub referred_by: Option<NameAddr>,
}

impl From<ReferTo> for ReferTarget {
    fn from(refer_to: ReferTo) -> Self {
        Self {
            refer_to,
            referred_by: None,
        }
    }
}

/// Why a command had no effect. The caller's fault or bad timing, never the peer's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// As many calls as the configuration allows are alive.
    #[error("too many calls")]
    Full,
    /// No call of this key, or it is over.
    #[error("no such call")]
    Unknown,
    /// The call is not in a state for this: an answer to a call that was answered, say.
    #[error("not possible in this state of the call")]
    WrongState,
    /// An offer of ours is still waiting for its answer.
    #[error("an offer is already under way")]
    OfferPending,
    /// The endpoint did not take the request.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}
