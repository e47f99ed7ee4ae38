//! Problem details for HTTP APIs (RFC 9457): the body of every error answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Dependent, SignOnReason};

/// Values of [`Problem::kind`] that a program may act on.
pub mod problem_type {
    /// Nothing more to say than the status.
    pub const BLANK: &str = "about:blank";
    /// Fields are wrong; see `errors`.
    pub const INVALID: &str = "invalid-fields";
    /// The one-time password must be replaced before anything else.
    pub const PASSWORD_CHANGE_REQUIRED: &str = "password-change-required";
    /// The person has to prove anew who they are (`POST /session/confirmation`), then the same request is carried out.
    pub const CONFIRMATION_REQUIRED: &str = "confirmation-required";
    /// The tenant demands a second factor, and the person has none.
    pub const SECOND_FACTOR_REQUIRED: &str = "second-factor-required";
    /// The tenant wants people to sign in through its provider.
    pub const SIGN_ON_REQUIRED: &str = "sign-on-required";
    /// A provider vouched for the person, and this is about more than its tenant.
    pub const OWN_PASSWORD_REQUIRED: &str = "own-password-required";
    /// Nobody was signed in through a provider; see `reason`.
    pub const SIGN_ON_REFUSED: &str = "sign-on-refused";
    /// The link of a mail is unknown, used or expired. Which of these is not told.
    pub const LINK_REFUSED: &str = "link-refused";
    /// The activation is unknown, used, expired or reset. Which of these is not told.
    pub const ACTIVATION_REFUSED: &str = "activation-refused";
    /// The device is unknown or revoked: it must sign out and wipe its secrets.
    pub const DEVICE_REVOKED: &str = "device-revoked";
    /// Other objects depend on this one; see `dependents`.
    pub const IN_USE: &str = "in-use";
    /// A value that must be unique exists already.
    pub const CONFLICT: &str = "conflict";
    /// The object was changed since it was read.
    pub const STALE: &str = "stale-version";
    /// The `Idempotency-Key` was used for another request.
    pub const KEY_REUSED: &str = "idempotency-key-reused";
    /// The request with this `Idempotency-Key` is still being carried out; `Retry-After` says when to ask again.
    pub const IN_PROGRESS: &str = "in-progress";
    /// The request with this `Idempotency-Key` was carried out; its answer is not known any more.
    pub const ANSWER_LOST: &str = "answer-lost";
    /// Too many attempts; `Retry-After` says when to come back.
    pub const TOO_MANY: &str = "too-many-attempts";
}

/// Why a request was not carried out (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// One of [`problem_type`]: a stable word for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short, the same for every problem of this type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time, for a person.
    pub detail: String,
    /// Finds this request in the server's log.
    pub request_id: String,
    /// One entry per wrong field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Of [`problem_type::IN_USE`]: the first 20 that depend on the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependents: Vec<Dependent>,
    /// Of [`problem_type::IN_USE`]: how many depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependents_count: Option<u64>,
    /// Of [`problem_type::SIGN_ON_REFUSED`]: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SignOnReason>,
}

/// What is wrong with one field of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Path of the field, such as `numbers[1].number`.
    pub field: String,
    /// A sentence for the person who filled it in.
    pub message: String,
}
