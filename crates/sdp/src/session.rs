//! The session level of a description (RFC 8866 section 5).

use std::fmt;
use std::net::IpAddr;

use crate::{Attributes, MediaDescription};

/// A whole session description, every line in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDescription {
    /// `o=`: who made it, and which version it is.
    pub origin: Origin,
    /// `s=`; a single blank or `-` when there is nothing to say.
    pub session_name: String,
    /// `i=`.
    pub information: Option<String>,
    /// `u=`.
    pub uri: Option<String>,
    /// `e=`.
    pub emails: Vec<String>,
    /// `p=`.
    pub phones: Vec<String>,
    /// `c=`, for every media line that has none of its own.
    pub connection: Option<Connection>,
    /// `b=`.
    pub bandwidth: Vec<Bandwidth>,
    /// `t=` with the `r=` lines below each.
    pub times: Vec<Time>,
    /// `z=`.
    pub zones: Option<String>,
    /// `k=`: obsolete, kept as it is.
    pub key: Option<KeyLine>,
    /// `a=` before the first media line.
    pub attributes: Attributes,
    /// `m=` and what belongs to each.
    pub media: Vec<MediaDescription>,
}

/// The origin line. `session_id` and `version` are decimal numbers of any length on the wire;
/// those beyond 64 bits saturate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// User name, `-` when there is none.
    pub username: String,
    /// Stays for the life of the session.
    pub session_id: u64,
    /// Rises by one with every changed description (RFC 3264 section 8).
    pub version: u64,
    /// Network type, address type and address of the machine that made it.
    pub connection: Connection,
}

impl Origin {
    /// An origin without a user name.
    #[must_use]
    pub fn new(address: IpAddr, session_id: u64, version: u64) -> Self {
        Self {
            username: "-".to_owned(),
            session_id,
            version,
            connection: address.into(),
        }
    }
}

/// `IN IP4 192.0.2.1`: of a connection line or an origin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Connection {
    /// Network type, `IN`.
    pub network: String,
    /// Address type, `IP4` or `IP6`.
    pub family: String,
    /// Address as written: an IP address, a name, or multicast with `/ttl` and `/count`.
    pub address: String,
}

impl Connection {
    /// The IP address, or `None` for a name or another network.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.split('/').next()?.parse().ok()
    }
}

impl From<IpAddr> for Connection {
    fn from(address: IpAddr) -> Self {
        let family = if address.is_ipv4() { "IP4" } else { "IP6" };
        Self {
            network: "IN".to_owned(),
            family: family.to_owned(),
            address: address.to_string(),
        }
    }
}

/// What a key line says: perhaps a key in clear, so `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyLine(pub String);

impl fmt::Debug for KeyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLine(***)")
    }
}

impl fmt::Display for KeyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A bandwidth line: `b=AS:128`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bandwidth {
    /// `CT`, `AS`, `TIAS`, `RS`, `RR`, …
    pub kind: String,
    /// As written; the unit depends on the kind.
    pub value: String,
}

/// A time line with its repetitions. `0 0` means always, as in every call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Time {
    /// `start stop`, as written.
    pub active: String,
    /// The `r=` lines after it, as written.
    pub repeats: Vec<String>,
}

impl Time {
    /// `t=0 0`.
    #[must_use]
    pub fn always() -> Self {
        Self {
            active: "0 0".to_owned(),
            repeats: Vec::new(),
        }
    }
}
