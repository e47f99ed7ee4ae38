//! Flows: where bytes came from and where they go.
//!
//! A flow is more than an address: two phones behind one NAT can use the same address one after
//! the other, so every connection has a generation of its own (RFC 5626, section 3.1). Responses
//! go back on the flow of the request, never to what a Via header claims (RFC 3261, section
//! 18.2.2, narrowed to the packet's source so that nobody can aim us at a third party).
//!
//! What is not here: the connections themselves (crate `sip-io`) and the Via header
//! (`header/via.rs`).

use std::net::SocketAddr;

use crate::transport::Transport;

/// One path between us and a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    },
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

    /// Whether messages for this destination may be lost when `flow` closes.
    pub fn uses(&self, flow: &Flow) -> bool {
        match self {
            Self::Flow(own) => own == flow,
            Self::Address { transport, peer } => *transport == flow.transport && *peer == flow.peer,
        }
    }
}

impl From<Flow> for Destination {
    fn from(flow: Flow) -> Self {
        Self::Flow(flow)
    }
}
