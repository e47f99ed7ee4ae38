//! Addresses and ports that firewalls must let through.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Ports at which our phone takes sound unless it was started with others (RTP and RTCP over UDP), both ends included.
pub const PHONE_MEDIA_PORTS: (u16, u16) = (16_384, 32_767);

/// What must be let through for a tenant's telephony, made from what runs now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Addresses {
    /// In the order in which they are explained.
    pub rules: Vec<AddressRule>,
    /// What keeps phones elsewhere from reaching this installation, whatever a firewall lets through.
    pub hints: Vec<AddressHint>,
}

/// One thing to be let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddressRule {
    /// What for.
    pub purpose: AddressPurpose,
    /// Who begins.
    pub from: AddressParty,
    /// Whom the ports belong to.
    pub to: AddressParty,
    /// Which provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Name or address of `to`; absent: wherever the phones are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Where the name leads, as this installation's name service knows it; empty if it does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// What the ports are of.
    pub protocol: PortProtocol,
    /// The first port.
    pub first_port: u16,
    /// The last one; usually the same.
    pub last_port: u16,
    /// Whether nobody in between can read along.
    pub encrypted: bool,
    /// Nothing that the tenant has set up uses it.
    pub optional: bool,
    /// The provider's name service may name other servers and ports (SRV records).
    pub may_move: bool,
}

/// What something is let through for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressPurpose {
    /// The portal: pages, activation, configuration, live channels.
    Portal,
    /// Leads who types no `https://` to the portal.
    Redirection,
    /// SIP at this installation.
    Signalling,
    /// SIP over WebSockets at this installation.
    WebSocket,
    /// SIP at a provider.
    ProviderSignalling,
    /// Sound between phones.
    Media,
    /// Sound between phones and providers.
    ProviderMedia,
}

/// A side of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressParty {
    /// Phones, and the browsers of people.
    Phones,
    /// This installation.
    Server,
    /// A provider.
    Provider,
}

/// What ports are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PortProtocol {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

/// Something about the installation's own addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddressHint {
    /// What it is.
    pub kind: AddressHintKind,
    /// What it is about: a URL, a name or an address.
    pub address: String,
}

/// What can be wrong with the installation's own addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressHintKind {
    /// The portal's address is that of its own machine.
    PortalOnlyHere,
    /// The portal's address is of a private network.
    PortalPrivate,
    /// The portal is not encrypted.
    PortalUnencrypted,
    /// The SIP proxy's address is that of its own machine.
    SipOnlyHere,
    /// The SIP proxy's address is of a private network.
    SipPrivate,
    /// The SIP proxy tells phones no address at all: it listens on every one, and no public one is set.
    SipAnyAddress,
    /// The SIP proxy does not speak TLS.
    SipUnencrypted,
}
