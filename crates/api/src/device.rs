//! Devices: a phone of a contact, with one to four SIP accounts.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{AccountStatus, DeskPhone, Mail};

/// Whether a device is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStatus {
    /// Its activation has not been used.
    NotActivated,
    /// Its live channel is open, or it is registered at the proxy. A desk phone: one of its accounts is registered there by no softphone.
    Online,
    /// Neither.
    Offline,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Device {
    /// Identifier; its SIP instance-id is `urn:uuid:` and this.
    pub id: Uuid,
    /// Name for people.
    pub name: String,
    /// Whose it is.
    pub contact: DeviceContact,
    /// SIP accounts, in the order of the lines.
    pub accounts: Vec<DeviceAccount>,
    /// Whether it is there.
    pub status: DeviceStatus,
    /// It was activated and has not been there since: nobody has started it yet.
    pub not_started: bool,
    /// It was started and has not yet applied the current configuration.
    pub pending_update: bool,
    /// The last mail with its activation, while that can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<Mail>,
    /// What is known of it as a desk phone; absent if it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk_phone: Option<DeskPhone>,
    /// Version of the softphone, as it reported it; of a desk phone what it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,
    /// Operating system, as the device reported it; of a desk phone its make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// When it was activated.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub activated_at: Option<OffsetDateTime>,
    /// When it was last heard of.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_seen_at: Option<OffsetDateTime>,
    /// Row version, the value of the `ETag`.
    pub version: u64,
}

/// The contact of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceContact {
    /// Identifier.
    pub id: Uuid,
    /// First and last name.
    pub name: String,
}

/// An account of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceAccount {
    /// Identifier.
    pub id: Uuid,
    /// Name for people.
    pub name: String,
    /// Address-of-record.
    pub aor: String,
    /// What is dialled within the company to reach it; absent for an account of another provider than Tandem's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// Whether it can be reached.
    pub status: AccountStatus,
}

/// A device to create or the new values of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceInput {
    /// Name for people, 1 to 100 characters.
    pub name: String,
    /// Whose it is.
    pub contact_id: Uuid,
    /// One to four accounts, in the order of the lines.
    #[schema(min_items = 1, max_items = 4)]
    pub account_ids: Vec<Uuid>,
}
