//! The audit log: who changed what.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
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
}
