//! Calls of a tenant: the list, one of them, and how long they are kept.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Where a call came from and went to, as the tenant sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallDirection {
    /// Between two of the tenant.
    Internal,
    /// From outside to one of the tenant.
    Incoming,
    /// From one of the tenant to outside.
    Outgoing,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// It goes on.
    Ongoing,
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
    /// The server ended while it went on.
    Interrupted,
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallReason {
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

/// How two sides that have not called each other came together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallLinkKind {
    /// A third has transferred the one to the other.
    Transferred,
    /// The callee is reached under another address.
    Forwarded,
    /// A device has taken the place of another.
    PickedUp,
}

/// Who has told of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallSource {
    /// The proxy, through which it went.
    Proxy,
    /// The phone, of a call at another provider.
    Phone,
}

/// A thing of the tenant by its id and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallReference {
    /// Identifier.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// One side of a call. What does not exist any more is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallParty {
    /// Normalised number, or the user of the address; absent if it is withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The name that it gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its address, `sip:user@domain`; absent if it is withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<CallReference>,
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<CallReference>,
    /// The device that called or answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<CallReference>,
}

/// How two sides came together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallLink {
    /// What was done.
    pub kind: CallLinkKind,
    /// Who did it: an address.
    pub by: String,
}

/// A call of two sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Call {
    /// Identifier.
    pub id: Uuid,
    /// The call that this is a part of: transfers and redirections go on with the same.
    pub call_id: Uuid,
    /// Who has told of it.
    pub source: CallSource,
    /// Where it came from and went to.
    pub direction: CallDirection,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// When somebody answered.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub answered_at: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub ended_at: Option<OffsetDateTime>,
    /// How long the two have talked, in seconds; absent while it goes on and if nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_secs: Option<u64>,
    /// What became of it.
    pub outcome: CallOutcome,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CallReason>,
    /// The final status of SIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How the two came together, if the one did not call the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<CallLink>,
    /// Who called.
    pub caller: CallParty,
    /// Who was called.
    pub callee: CallParty,
    /// What the caller dialled; empty if nobody has dialled it.
    pub dialled: String,
}

/// A call with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallDetail {
    /// The call itself.
    pub call: Call,
    /// All parts of the whole call in order, this one among them.
    pub chain: Vec<Call>,
    /// What was said, while the proxy keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<CallLadder>,
}

/// What was said in a call, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallLadder {
    /// In order.
    pub messages: Vec<LadderMessage>,
    /// How many more there were.
    pub dropped: u64,
}

/// One message of SIP.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LadderMessage {
    /// When it arrived at the proxy or left it.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Whether the proxy has received it; it has sent it otherwise.
    pub received: bool,
    /// Over which transport: `UDP`.
    pub transport: String,
    /// The other side's address and port.
    pub peer: String,
    /// Which leg: its Call-ID.
    pub call_id: String,
    /// The start line.
    pub first_line: String,
    /// The whole message, lines ending with LF.
    pub text: String,
}

impl std::fmt::Debug for LadderMessage {
    /// Who calls whom stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LadderMessage")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// Which calls are wanted; everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CallQuery {
    /// Items to return, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// A part of a number, or a part of the name of a person or an account, on either side.
    pub search: Option<String>,
    /// One side is this person.
    pub contact_id: Option<Uuid>,
    /// One side is this account.
    pub account_id: Option<Uuid>,
    /// Begun at this moment or later, RFC 3339.
    pub from: Option<String>,
    /// Begun before this moment, RFC 3339.
    pub until: Option<String>,
    /// With one of these outcomes, with commas between them.
    pub outcome: Option<String>,
    /// In one of these directions, with commas between them.
    pub direction: Option<String>,
    /// `-started_at`, as when absent, or `started_at`.
    pub sort: Option<String>,
    /// Whether to count the calls of all pages.
    pub total: Option<bool>,
}

/// How many calls were erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallsErased {
    /// How many.
    pub count: u64,
}

/// For how long calls are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallRetention {
    /// Days; 0 keeps them for ever.
    #[schema(minimum = 0, maximum = 3650)]
    pub days: u32,
}
