//! Keys with which programs use the interface, as `Authorization: Bearer` (RFC 6750 section 2.1).

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A key without what opens anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    /// Identifier.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Its first twelve characters.
    pub prefix: String,
    /// What it may be used for, such as `contacts:read` or `devices:write`; who may write may also read.
    pub scopes: Vec<String>,
    /// E-mail address of who made it: the key may do no more than they.
    pub made_by: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Until when it works; absent for ever.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used, to the minute.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_used_at: Option<OffsetDateTime>,
    /// It does not work any more.
    pub expired: bool,
}

/// A key to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyInput {
    /// What people call it, 1 to 100 characters.
    pub name: String,
    /// What it may be used for: an area (`members`, `providers`, `accounts`, `contacts`, `devices`, `activations`, `mail`, `calls`,
    /// `retention`, `audit`, `webhooks`), a colon, and `read` or `write`.
    pub scopes: Vec<String>,
    /// For how many days it works, 1 to 3650; for ever unless it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// A key that was made. It is told only here.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewApiKey {
    /// What is known of it later.
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// The key itself: `tdm_` and 43 characters.
    pub key: String,
}

impl fmt::Debug for NewApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApiKey")
            .field("api_key", &self.api_key)
            .finish_non_exhaustive()
    }
}
