//! Desk phones: devices that fetch their settings as a file.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::Secret;

/// Who has made a desk phone, and so how its settings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeskPhoneMake {
    /// Yealink.
    Yealink,
    /// Snom.
    Snom,
    /// Grandstream.
    Grandstream,
    /// baresip, a phone for computers that reads its accounts from a file.
    Baresip,
}

/// What is known of a device as a desk phone. Its address is told once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeskPhone {
    /// Who has made it.
    pub make: DeskPhoneMake,
    /// When its address was made.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// When it fetched its settings last.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub fetched_at: Option<OffsetDateTime>,
}

/// A device that becomes a desk phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeskPhoneInput {
    /// Who has made it.
    pub make: DeskPhoneMake,
}

/// Where a desk phone fetches its settings. Whoever knows this can read the passwords of its accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeskPhoneAddress {
    /// To be entered in the phone; ends in `/`, the phone adds the name of a file.
    pub address: Secret,
}
