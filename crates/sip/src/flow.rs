//! Flows: where bytes came from and where they go.
//!
//! A flow is more than an address: two phones behind one NAT can use the same address one after
//! the other, so every connection has a generation of its own (RFC 5626, section 3.1). Responses
//! go back on the flow of the request, never to what a Via header claims (RFC 3261, section
//! 18.2.2, narrowed to the packet's source so that nobody can aim us at a third party).
//!
//! What is not here: the connections themselves (crate `sip-io`) and the Via header
//! (`header/via.rs`).

mod token;

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use crate::transport::Transport;

pub use token::FlowTokens;

/// One path between us and a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Transport protocol.
    pub transport: Transport,
    /// Our end.
    pub local: SocketAddr,
    /// The peer's end, as the packets show it.
    pub peer: SocketAddr,
    /// Counts connections of one process; 0 for UDP, which has none.
    pub generation: u64,
}

impl Hash for Flow {
    /// In one piece: tables of flows are asked for every message.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut bytes = [0; 45];
        let (transport, rest) = bytes.split_at_mut(1);
        let (local, rest) = rest.split_at_mut(18);
        let (peer, generation) = rest.split_at_mut(18);
        transport[0] = self.transport as u8;
        for (address, place) in [(self.local, local), (self.peer, peer)] {
            let ip = match address.ip() {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            place[..16].copy_from_slice(&ip.octets());
            place[16..].copy_from_slice(&address.port().to_be_bytes());
        }
        generation.copy_from_slice(&self.generation.to_be_bytes());
        state.write(&bytes);
    }
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// Only on this flow; if it is gone the message is not sent.
    Flow(Flow),
    /// To this address; the driver uses a connection it has or opens one.
    Address {
        /// Transport protocol.
        transport: Transport,
        /// Address and port of the peer.
        peer: SocketAddr,
        /// The domain whose server this is. A TLS peer must prove to be that; without a domain it
        /// must prove to be the address.
        domain: Option<DomainId>,
    },
}

/// Names a domain that was asked of the resolver; only the loop that resolved it knows the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainId(pub u32);

/// One server of a domain, as the resolver found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Transport protocol.
    pub transport: Transport,
    /// Address and port.
    pub peer: SocketAddr,
    /// Whose server it is (RFC 5922, section 5): what was asked for, not what SRV named.
    pub domain: Option<DomainId>,
}

impl Target {
    /// An address that nobody was asked for.
    #[must_use]
    pub fn new(transport: Transport, peer: SocketAddr) -> Self {
        Self {
            transport,
            peer,
            domain: None,
        }
    }
}

impl From<Target> for Destination {
    fn from(target: Target) -> Self {
        Self::Address {
            transport: target.transport,
            peer: target.peer,
            domain: target.domain,
        }
    }
}

impl Destination {
    /// Transport protocol that the message will use.
    pub fn transport(&self) -> Transport {
        match self {
            Self::Flow(flow) => flow.transport,
            Self::Address { transport, .. } => *transport,
        }
    }

    /// Address and port of the peer.
    pub fn peer(&self) -> SocketAddr {
        match self {
            Self::Flow(flow) => flow.peer,
            Self::Address { peer, .. } => *peer,
        }
    }

    /// The domain whose server this is, if one was asked for.
    pub fn domain(&self) -> Option<DomainId> {
        match self {
            Self::Flow(_) => None,
            Self::Address { domain, .. } => *domain,
        }
    }

    /// Whether messages for this destination may be lost when `flow` closes.
    pub fn uses(&self, flow: &Flow) -> bool {
        match self {
            Self::Flow(own) => own == flow,
            Self::Address {
                transport, peer, ..
            } => *transport == flow.transport && *peer == flow.peer,
        }
    }
}

impl From<Flow> for Destination {
    fn from(flow: Flow) -> Self {
        Self::Flow(flow)
    }
}
