//! The audit log: who changed what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Identifier.
    pub id: Uuid,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Who: an e-mail address, or `device` or `system`.
    pub actor: String,
    /// What was done, such as `account.create`.
    pub action: String,
    /// To which object.
    pub subject: String,
    /// More about it in words, without secrets.
    pub detail: String,
    /// The object that it was done to, which may be gone by now.
    pub object: Option<Uuid>,
    /// The address that it was asked from.
    pub source: Option<String>,
    /// Each changed field with its value before and after; secrets as `***`.
    pub changes: BTreeMap<String, [Value; 2]>,
    /// Its number in the chain; entries of older versions have none.
    pub sequence: Option<u64>,
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Who did it: the whole e-mail address.
    pub actor: Option<String>,
    /// The action, or how it begins: `account.` finds all that was done to accounts.
    pub action: Option<String>,
    /// Done to this object.
    pub object: Option<Uuid>,
    /// Not before this time.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub from: Option<OffsetDateTime>,
    /// Before this time.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<OffsetDateTime>,
}

/// What is known of the log after all of it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditVerification {
    /// How many entries are chained.
    pub entries: u64,
    /// The number of the first entry that is missing or was altered; `null` if the log is whole.
    pub broken_at: Option<u64>,
    /// The hash of the last entry, in hexadecimal. Whoever keeps it can tell later that nothing before it was changed.
    pub hash: String,
}
