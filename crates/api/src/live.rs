//! The live channel of the pages: one snapshot, then what changed.
//!
//! Frames are numbered. A page that lost its connection sends its [`LivePosition`] first and gets either
//! the frames it missed or a new snapshot; the epoch changes when the server starts anew.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{AccountStatus, DeviceStatus, MailState};

/// What the portal sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveFrame {
    /// Everything, as of `seq`; of a large tenant in several frames.
    Snapshot {
        /// Which run of the server counts `seq`.
        epoch: Uuid,
        /// Number of the last change contained.
        seq: u64,
        /// What was known before does not count any more.
        first: bool,
        /// Now it is everything; what follows is a delta.
        last: bool,
        /// Devices of the tenant.
        devices: Vec<DeviceLive>,
        /// Accounts of the tenant.
        accounts: Vec<AccountLive>,
    },
    /// What changed since the frame before.
    Delta {
        /// One or more above the frame before.
        seq: u64,
        /// Changed devices.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        devices: Vec<DeviceLive>,
        /// Changed accounts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        accounts: Vec<AccountLive>,
        /// Lists that have other rows than before, or rows with other content: ask for them again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lists: Vec<LiveList>,
    },
}

/// A list of the tenant whose changes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiveList {
    /// Service providers.
    Providers,
    /// SIP accounts.
    Accounts,
    /// Contacts.
    Contacts,
    /// Devices.
    Devices,
    /// Calls.
    Calls,
    /// Webhooks and what became of their deliveries.
    Webhooks,
}

/// Status of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceLive {
    /// Identifier.
    pub id: Uuid,
    /// Whether it is there.
    pub status: DeviceStatus,
    /// It was activated and has not been there since: nobody has started it yet.
    pub not_started: bool,
    /// It was started and has not yet applied the current configuration.
    pub pending_update: bool,
    /// How far the mail with its activation is, while that can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<MailState>,
}

/// Status of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountLive {
    /// Identifier.
    pub id: Uuid,
    /// Whether it can be reached.
    pub status: AccountStatus,
}

/// What a page may send first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveRequest {
    /// Go on from here.
    pub resume: LivePosition,
}

/// The last frame a page has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LivePosition {
    /// `epoch` of the last snapshot.
    pub epoch: Uuid,
    /// `seq` of the last frame.
    pub seq: u64,
}
