//! The activation of a device, as an administrator sees it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::Mail;

/// What became of an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivationState {
    /// Can be used, once.
    Open,
    /// A device was activated with it.
    Used,
    /// Its time is over.
    Expired,
}

/// How to activate a device. The secrets are there only while the state is `open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Activation {
    /// What became of it.
    pub state: ActivationState,
    /// The web page that opens the softphone; the token is in the fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Opens the softphone at once, where it is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deep_link: Option<String>,
    /// To be typed: 16 symbols in groups of four.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// When it can no longer be used.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// Address of this portal, to be typed with the code.
    pub portal_url: String,
    /// Link and code were sent by mail and are kept back since then, until they are asked for.
    pub hidden: bool,
    /// The last mail with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<Mail>,
}
