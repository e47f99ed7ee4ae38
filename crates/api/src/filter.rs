//! What lists can be narrowed to. Several values stand in one parameter with commas between them; an item is left in if one of them fits.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// Which providers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProviderFilters {
    /// `udp`, `tcp`, `tls`.
    pub transport: Option<String>,
}

/// Which accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccountFilters {
    /// `online`, `offline`, `not_in_use`.
    pub status: Option<String>,
    /// Identifiers of providers.
    pub provider: Option<String>,
    /// Identifiers of contacts: accounts on their devices.
    pub contact: Option<String>,
    /// `true`, `false`.
    pub push: Option<String>,
}

/// Which contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContactFilters {
    /// Shown in the company directory: `true`, `false`.
    pub in_directory: Option<String>,
    /// With a device: `true`, `false`.
    pub has_device: Option<String>,
}

/// Which devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeviceFilters {
    /// `not_activated`, `online`, `offline`.
    pub status: Option<String>,
    /// `instructions_sent`, `not_started`, `pending_update`.
    pub sub_status: Option<String>,
    /// Operating systems, as devices say it: `linux`, `windows`, `macos`, `android`, `ios`.
    pub platform: Option<String>,
    /// Identifiers of contacts.
    pub contact: Option<String>,
}

/// Which members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MemberFilters {
    /// `owner`, `administrator`, `read_only`.
    pub role: Option<String>,
}

/// Which mails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MailFilters {
    /// `queued`, `sent`, `failed` and the other states of a mail.
    pub state: Option<String>,
    /// `activation`, `test` and the other kinds of mail.
    pub kind: Option<String>,
}
