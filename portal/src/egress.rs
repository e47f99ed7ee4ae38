//! Where the portal may connect to on behalf of somebody: one policy for mail servers, webhooks, providers and sign-on.
//!
//! A name is resolved once, addresses that are not of the public internet are left out, and the caller connects to what is left and to nothing
//! else: a name that leads elsewhere a moment later changes nothing (DNS rebinding). Connect to the addresses, verify TLS against
//! the name, follow no redirects without asking here again.
//!
//! The installation's configuration names the networks that may be reached beside the public internet (`egress.allow`). Not here: destinations
//! that the configuration itself names; who writes it may reach anything.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;
use tokio::{net::lookup_host, time::timeout};

/// Which addresses may be connected to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Egress {
    /// Networks that may be reached beside the public internet.
    allowed: Arc<[IpNet]>,
}

/// Why a destination has no address to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The name leads nowhere.
    #[error("the name was not found")]
    Unknown,
    /// The name leads only to addresses that may not be connected to.
    #[error(
        "this address is inside a private network, which this installation does not connect to; its operator can allow it (egress.allow)"
    )]
    Forbidden,
}

impl Egress {
    /// The public internet and these networks.
    pub fn new(allowed: impl IntoIterator<Item = IpNet>) -> Self {
        Self {
            allowed: allowed.into_iter().collect(),
        }
    }

    /// Everywhere: for destinations that the installation's configuration names.
    pub(crate) fn everywhere() -> Self {
        Self::new([
            IpNet::new_assert(Ipv4Addr::UNSPECIFIED.into(), 0),
            IpNet::new_assert(Ipv6Addr::UNSPECIFIED.into(), 0),
        ])
    }

    /// The addresses of `host`, a name or an address, that may be connected to; never empty.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if there is none.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Arc<[SocketAddr]>, EgressError> {
        let found: Vec<SocketAddr> = match literal(host) {
            Some(address) => vec![(address, port).into()],
            None => match timeout(PATIENCE, lookup_host((host, port))).await {
                Ok(Ok(found)) => found.collect(),
                _ => return Err(EgressError::Unknown),
            },
        };
        if found.is_empty() {
            return Err(EgressError::Unknown);
        }
        let good: Arc<[SocketAddr]> = found
            .into_iter()
            .filter(|address| self.allows(address.ip()))
            .take(MAX_ADDRESSES)
            .collect();
        if good.is_empty() {
            return Err(EgressError::Forbidden);
        }
        Ok(good)
    }

    /// Whether this address may be connected to.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address)
            || self
                .allowed
                .iter()
                .any(|network| network.contains(&address))
    }
}

/// The address that `host` is, if it is one, with or without the brackets of a URI.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

/// Whether an address is of the public internet: in no network of the special-purpose registries (RFC 6890) that is not globally
/// reachable.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = a == 0
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && b & 0xfe == 18)
        || a >= 224;
    !(reserved
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation())
}

/// Only what is assigned for global unicast (2000::/3), without documentation, benchmarks and identifiers.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let global = segments[0] & 0xe000 == 0x2000;
    let special = segments[0] == 0x2001 && (segments[1] < 0x0200 || segments[1] == 0x0db8);
    let documentation = segments[0] == 0x3fff && segments[1] < 0x1000;
    global && !special && !documentation
}

/// The IPv4 address that a translator or tunnel would send to: NAT64 by its well-known prefix 64:ff9b::/96 (RFC 6052 section 2.1), 6to4
/// (RFC 3056). Prefixes of somebody's own, such as those of 64:ff9b:1::/48 (RFC 8215), are not public, whatever is in them.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let [first, second, third, .., high, low] = segments;
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match first {
        0x0064 if second == 0xff9b && segments[2..6] == [0; 4] => Some(v4(high, low)),
        0x2002 => Some(v4(second, third)),
        _ => None,
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
const MAX_ADDRESSES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere_private() -> Egress {
        Egress::new([])
    }

    #[test]
    fn only_the_public_internet_is_reached() {
        let egress = nowhere_private();
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(egress.allows(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "64:ff9b:1::8.8.8.8",
            "64:ff9b:1:a00:0:100:808:808",
            "64:ff9b::1:0:808:808",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!egress.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn the_installation_allows_networks_of_its_own() {
        let egress = Egress::new(["10.1.0.0/16".parse().unwrap()]);
        for (address, allowed) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(
                egress.allows(address.parse().unwrap()),
                allowed,
                "{address}"
            );
        }
        assert!(Egress::everywhere().allows("127.0.0.1".parse().unwrap()));
        assert!(Egress::everywhere().allows("fe80::1".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_name_gives_only_addresses_that_may_be_reached() {
        for host in [
            "localhost",
            "127.0.0.1",
            "[::1]",
            "0",
            "127.1",
            "2130706433",
        ] {
            let found = nowhere_private().resolve(host, 25).await;
            assert!(found.is_err(), "{host} gave {found:?}");
        }
        let found = nowhere_private().resolve("localhost", 25).await;
        assert_eq!(found, Err(EgressError::Forbidden));
        let found = nowhere_private().resolve("no-such-name.invalid", 25).await;
        assert_eq!(found, Err(EgressError::Unknown));
        let local = Egress::new(["127.0.0.0/8".parse().unwrap()]);
        let found = local.resolve("127.0.0.1", 25).await.unwrap();
        assert_eq!(*found, ["127.0.0.1:25".parse().unwrap()]);
    }
}
