//! The relay on the wire: one thread with the sockets of many calls.
//!
//! ```text
//!   RelayHandle ── commands ──►┌────────┐ recvmmsg ◄── one port for all calls, or a pair of a leg's own
//!   RelayedCall ── ended ─────►│ Engine │
//!               ◄── answers ───└────────┘ sendmmsg ──► the other party
//! ```
//!
//! What is forwarded is decided by [`media::relay::Relay`]; here are the sockets, the clock and the thread. The thread
//! never blocks on anything but its sockets, and a panic over a packet ends that packet's call alone. A [`RelayedCall`] that is dropped
//! is over at once, its ports closed. One thread takes one core; who has more for it starts several relays on ports of their
//! own and spreads calls over them.

mod batch;
mod engine;
mod error;
mod handle;
mod sockets;
mod tap;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use media::relay::{OwnerId, RelayCounts};

pub use error::RelayIoError;
pub use handle::{RelayHandle, RelayedCall, start};
pub use tap::{TappedPacket, tap};

use crate::PortRange;

/// What a relay needs to know.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// Our addresses, known by their number: IPv4 and IPv6, or inside and outside. None may be unspecified.
    pub addresses: Vec<IpAddr>,
    /// The even port of all calls for RTP, the next being for RTCP; 0 for any pair of the range.
    pub port: u16,
    /// Where legs get pairs of their own.
    pub range: PortRange,
    /// Pairs that one account may have.
    pub pairs_per_owner: usize,
    /// Calls at one time.
    pub max_calls: usize,
}

/// What one leg of a stream wants of our ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegRequest {
    /// At which of our addresses.
    pub interface: u8,
    /// Which ports.
    pub pair: Wanted,
}

/// See [`LegRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The port of all calls: the party sends from where it announces, or announces its SSRC, or does ICE.
    Shared,
    /// A pair of its own, counted for an account: nobody knows where the party will send from.
    Own(OwnerId),
}

/// Where we receive one leg's media: what to write into a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalMedia {
    /// RTP, and RTCP where it is multiplexed.
    pub rtp: SocketAddr,
}

impl LocalMedia {
    /// The only candidate of a lite agent here, as the value of `a=candidate` (RFC 8445 section 5.1.2.1: the highest
    /// priority that a host candidate of the component can have; RFC 8839 section 5.1).
    #[must_use]
    pub fn candidate(&self) -> String {
        let (ip, port) = (self.rtp.ip(), self.rtp.port());
        format!("1 1 udp 2130706431 {ip} {port} typ host")
    }

    /// RTCP apart: the next port.
    #[must_use]
    pub fn rtcp(&self) -> SocketAddr {
        SocketAddr::new(self.rtp.ip(), self.rtp.port() + 1)
    }
}

/// The relay as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayIoStats {
    /// Calls at present.
    pub calls: usize,
    /// Pairs of ports that legs have of their own.
    pub pairs_used: usize,
    /// What was decided about datagrams.
    pub counts: RelayCounts,
    /// Datagrams that left.
    pub sent: u64,
    /// Datagrams that the system did not take.
    pub not_sent: u64,
    /// Packets and commands that made the relay panic.
    pub panics: u64,
}
