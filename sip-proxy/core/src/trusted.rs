//! Networks whose requests need no password: those of a session border controller or an edge proxy that has asked for it itself.
//!
//! Whoever writes from there is who he says he is, as far as there is such an account: for a REGISTER who is named in To, otherwise in From.
//! The address is that which the request came from, never one that it names. Over UDP anybody can write another's address on his
//! datagram, so the networks must be such that the routers around them let in nothing that pretends to come from there.
//!
//! Not here: flows on which somebody has proven a password (`proven.rs`, and the `sip-io` crate).

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

/// The networks; none unless they are named.
#[derive(Clone, Debug, Default)]
pub struct TrustedNetworks(Arc<[IpNet]>);

impl TrustedNetworks {
    /// Whether `peer` is in one of them. An IPv4 address may be written as one of IPv6.
    pub(crate) fn contain(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }
}

impl FromIterator<IpNet> for TrustedNetworks {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_a_network_however_it_is_written() {
        let networks = ["192.0.2.0/28", "2001:db8::/64"].map(|network| network.parse().unwrap());
        let trusted: TrustedNetworks = networks.into_iter().collect();
        for (peer, is_trusted) in [
            ("192.0.2.15", true),
            ("::ffff:192.0.2.15", true),
            ("192.0.2.16", false),
            ("2001:db8::7", true),
            ("2001:db8:0:1::7", false),
        ] {
            assert_eq!(trusted.contain(peer.parse().unwrap()), is_trusted, "{peer}");
        }
        assert!(!TrustedNetworks::default().contain("192.0.2.1".parse().unwrap()));
    }
}
