//! SIP accounts. The password goes in and never comes out.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Transport;

/// An audio codec, by the name SDP uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// Opus, 48 kHz (RFC 7587).
    Opus,
    /// G.722, 16 kHz.
    G722,
    /// G.711 A-law.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
}

/// A change of a number before it is called. Of the rules of an account the first that fits counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DialingRule {
    /// What the number starts with, and what is replaced: up to 20 of `0`–`9`, `*`, `#`, `+`. Empty fits every number.
    pub starts_with: String,
    /// What stands there instead: up to 20 of the same signs.
    pub replace_with: String,
    /// Shorter numbers are left alone.
    #[serde(default)]
    #[schema(maximum = 40)]
    pub minimum_length: u8,
}

/// Whether an account can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// On a device and registered.
    Online,
    /// On a device, not registered.
    Offline,
    /// On no device.
    NotInUse,
}

/// A SIP account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Identifier.
    pub id: Uuid,
    /// The provider it belongs to.
    pub provider_id: Uuid,
    /// Name for people.
    pub name: String,
    /// SIP user part, the extension.
    pub username: String,
    /// Name for authentication, when it differs from `username`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_username: Option<String>,
    /// The password is not kept here; the person types it on the device.
    pub enter_on_device: bool,
    /// A transport other than the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// Name shown to the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Codecs, preferred first.
    pub codecs: Vec<Codec>,
    /// How numbers are changed before they are called.
    #[serde(default)]
    pub dialing_rules: Vec<DialingRule>,
    /// Address-of-record, `sip:username@server`.
    pub aor: String,
    /// Whether it is an account of Tandem's own proxy.
    pub own: bool,
    /// Whether it can be reached now.
    pub status: AccountStatus,
    /// Calls wake the device by push.
    pub push: bool,
    /// Devices with this account.
    pub devices: Vec<AccountDevice>,
    /// Row version, the value of the `ETag`.
    pub version: u64,
}

/// A device that has the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountDevice {
    /// Identifier.
    pub id: Uuid,
    /// Name.
    pub name: String,
}

/// An account to create or the new values of one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountInput {
    /// The provider; cannot be changed later.
    pub provider_id: Uuid,
    /// Name for people, 1 to 100 characters.
    pub name: String,
    /// SIP user part, the extension.
    pub username: String,
    /// Name for authentication, when it differs from `username`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_username: Option<String>,
    /// Write-only. Absent: made at random for Tandem's own proxy, else kept as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only, format = Password)]
    pub password: Option<String>,
    /// The person types the password on the device.
    #[serde(default)]
    pub enter_on_device: bool,
    /// A transport other than the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// Name shown to the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Codecs, preferred first; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codecs: Option<Vec<Codec>>,
    /// How numbers are changed before they are called, up to 50 rules.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub dialing_rules: Vec<DialingRule>,
    /// Calls wake the device by push. Absent: for accounts of Tandem's own proxy. Not together with `enter_on_device`, because the proxy
    /// needs the password for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<bool>,
}

impl fmt::Debug for AccountInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountInput")
            .field("provider_id", &self.provider_id)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .finish_non_exhaustive()
    }
}
