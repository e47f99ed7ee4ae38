//! What a device and the portal say to each other: activation, token, configuration, report, live frames.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Codec, DialingRule, Transport};

/// Redeems an activation. Exactly one of `token` and `code` is given.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct DeviceActivation {
    /// The token of the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The typed code, in any case, with or without separators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The device's Ed25519 key, 32 bytes, base64url without padding.
    pub public_key: String,
    /// Operating system, such as `linux`.
    pub platform: String,
    /// Version of the softphone.
    pub app_version: String,
}

/// The device is activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceActivated {
    /// The device's identifier from now on.
    pub device_id: Uuid,
    /// Bearer token, a JWT.
    pub access_token: Secret,
    /// Seconds until the token expires.
    pub expires_in_secs: u64,
    /// What to register and how.
    pub configuration: DeviceConfiguration,
}

/// Asks for a new access token by proof of the device's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceTokenRequest {
    /// The device.
    pub device_id: Uuid,
    /// Seconds since 1970; at most 120 away from the portal's clock.
    pub issued_at: i64,
    /// 16 to 64 characters, never used before.
    pub nonce: String,
    /// Ed25519 signature of [`device_token_statement`], base64url without padding.
    pub signature: String,
}

/// What a device signs to get an access token.
pub fn device_token_statement(device_id: Uuid, issued_at: i64, nonce: &str) -> String {
    format!("tandem-device-token\n{device_id}\n{issued_at}\n{nonce}")
}

/// The SIP instance-id of a device (RFC 5626 section 4.1): a URN.
pub fn instance_id(device_id: Uuid) -> String {
    format!("urn:uuid:{device_id}")
}

/// A new access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceToken {
    /// Bearer token, a JWT.
    pub access_token: Secret,
    /// Seconds until the token expires.
    pub expires_in_secs: u64,
}

/// Everything a device needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceConfiguration {
    /// Grows with every change; the value of the `ETag`.
    pub version: u64,
    /// The device itself.
    pub device: ConfiguredDevice,
    /// Whose it is.
    pub contact: ConfiguredName,
    /// The company.
    pub tenant: ConfiguredName,
    /// One to four lines, in order.
    pub lines: Vec<Line>,
}

/// The device in its own configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfiguredDevice {
    /// Identifier.
    pub id: Uuid,
    /// Name for people.
    pub name: String,
}

/// Just a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfiguredName {
    /// For people.
    pub name: String,
}

/// One SIP account on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// The account.
    pub account_id: Uuid,
    /// Name of the line for people.
    pub name: String,
    /// Name shown to the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// SIP user part.
    pub username: String,
    /// SIP domain: the provider's server.
    pub domain: String,
    /// Port; absent means SRV lookup or 5060.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Name for authentication, when it differs from `username`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_username: Option<String>,
    /// The SIP password, unless the person enters it on the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Ask the person for the password.
    pub enter_on_device: bool,
    /// How SIP is carried.
    pub transport: Transport,
    /// Where requests are sent first, a SIP URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound_proxy: Option<String>,
    /// Codecs, preferred first.
    pub codecs: Vec<Codec>,
    /// How numbers are changed before they are called; the first rule that fits counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dialing_rules: Vec<DialingRule>,
}

/// What a device says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceReport {
    /// Version of the configuration in use.
    pub applied_version: u64,
    /// Version of the softphone.
    pub app_version: String,
    /// Operating system.
    pub platform: String,
    /// State of each line.
    pub lines: Vec<LineReport>,
}

/// State of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineReport {
    /// The account.
    pub account_id: Uuid,
    /// Whether it is registered.
    pub state: LineState,
    /// Why not, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a line is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Registered.
    Connected,
    /// Under way.
    Connecting,
    /// Not registered, nothing wrong.
    NotConnected,
    /// Not registered, see the reason.
    Failed,
}

/// What the portal sends on a device's live channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DeviceFrame {
    /// On connect and on change: the version to have.
    Configuration {
        /// Fetch the configuration if this is not the version in use.
        version: u64,
    },
    /// On connect and on change: where the company directory is.
    Directory {
        /// Fetch what changed if this is not the position of the last answer.
        position: String,
    },
    /// Sign out and wipe the secrets.
    Revoked,
}

/// What a device sends on its live channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DeviceUpload {
    /// The same as `POST /device/report`.
    Report(DeviceReport),
}

/// Text that no log may show: a plain string on the wire, `***` in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for DeviceActivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceActivation")
            .field("platform", &self.platform)
            .field("app_version", &self.app_version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_on_the_live_channel_is_flat() {
        let report = DeviceReport {
            applied_version: 3,
            app_version: "0.1.0".into(),
            platform: "linux".into(),
            lines: vec![LineReport {
                account_id: Uuid::nil(),
                state: LineState::NotConnected,
                reason: None,
            }],
        };
        let text = serde_json::to_value(DeviceUpload::Report(report.clone())).unwrap();
        assert_eq!(
            text,
            serde_json::json!({
                "type": "report",
                "applied_version": 3,
                "app_version": "0.1.0",
                "platform": "linux",
                "lines": [{"account_id": Uuid::nil(), "state": "not_connected"}],
            })
        );
        assert_eq!(
            serde_json::from_value::<DeviceUpload>(text).unwrap(),
            DeviceUpload::Report(report)
        );
    }

    #[test]
    fn secrets_do_not_show_in_debug() {
        let activation = DeviceActivation {
            token: Some("marker-token".into()),
            code: Some("marker-code".into()),
            public_key: "marker-key".into(),
            platform: "linux".into(),
            app_version: "0.1.0".into(),
        };
        let text = format!("{activation:?} {:?}", Secret("marker-secret".into()));
        assert!(!text.contains("marker"), "{text}");
    }
}
