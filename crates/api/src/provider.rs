//! Service providers: where SIP accounts register.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// How SIP is carried to a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Datagrams.
    #[default]
    Udp,
    /// A connection.
    Tcp,
    /// An encrypted connection.
    Tls,
}

/// A SIP service that accounts belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    /// Identifier.
    pub id: Uuid,
    /// Name for people.
    pub name: String,
    /// Host name or IP address of the SIP server; the domain of its addresses.
    pub server: String,
    /// Port; absent means SRV lookup or 5060.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How SIP is carried.
    pub transport: Transport,
    /// Where requests are sent instead of `server`, a SIP URI or `host[:port]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound_proxy: Option<String>,
    /// Tandem's own proxy: there from the start, cannot be deleted, only renamed.
    pub own: bool,
    /// SIP accounts at this provider.
    pub accounts: u64,
    /// Row version, the value of the `ETag`.
    pub version: u64,
}

/// A provider to create or the new values of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderInput {
    /// Name for people, 1 to 100 characters.
    pub name: String,
    /// Host name or IP address. Ignored for Tandem's own proxy.
    pub server: String,
    /// Port; absent means SRV lookup or 5060.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How SIP is carried.
    #[serde(default)]
    pub transport: Transport,
    /// Where requests are sent instead of `server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound_proxy: Option<String>,
}
