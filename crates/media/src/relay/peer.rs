//! What signalling says of a party, and what makes its media known as its own.

use std::net::SocketAddr;

/// One party's end of a stream, as its description announces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where it takes RTP: `c=` and `m=` (RFC 8866).
    pub rtp: SocketAddr,
    /// Where it takes RTCP.
    pub rtcp: RtcpAddress,
    /// With which SSRC it sends, if it says so (RFC 5576).
    pub ssrc: Option<u32>,
    /// Ticks of the RTP timestamp in a second, for jitter and sender reports.
    pub clock_rate_hz: u32,
}

/// Where RTCP goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcpAddress {
    /// To where RTP goes (RFC 5761).
    Multiplexed,
    /// Apart: the port after RTP's, or what `a=rtcp` says (RFC 3605).
    At(SocketAddr),
}

impl Peer {
    /// A party that sends RTCP from the port after RTP's.
    #[must_use]
    pub fn at(rtp: SocketAddr, clock_rate_hz: u32) -> Self {
        let next = SocketAddr::new(rtp.ip(), rtp.port().wrapping_add(1));
        Self {
            rtp,
            rtcp: RtcpAddress::At(next),
            ssrc: None,
            clock_rate_hz,
        }
    }

    /// Where its reports are expected from, if from elsewhere than its media.
    pub(super) fn rtcp_apart(&self) -> Option<SocketAddr> {
        match self.rtcp {
            RtcpAddress::Multiplexed => None,
            RtcpAddress::At(address) => Some(address),
        }
    }
}

/// Whether packets can go there: not while a party holds in the old way (RFC 3264 section 8.4).
pub(super) fn is_reachable(address: SocketAddr) -> bool {
    !address.ip().is_unspecified() && address.port() != 0
}
