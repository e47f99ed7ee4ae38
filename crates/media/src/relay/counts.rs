//! What the relay counts: why it drops, and how each leg fares.

use std::net::SocketAddr;
use std::time::Duration;

use super::handshake::HandshakeState;

/// Why a datagram goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Nothing that belongs on a port of media (RFC 7983), or broken.
    Malformed,
    /// No call expects anything from there.
    Unknown,
    /// The parties have not both announced where they are.
    NotAnswered,
    /// The leg takes media from another source.
    WrongSource,
    /// From a source that signalling did not announce and that has not proven itself yet.
    Unproven,
    /// The leg is secured, and the packet fails its check; or a STUN request is not of who knows the password.
    NotAuthentic,
    /// A sequence number or SSRC out of line; believed if it goes on.
    OutOfLine,
    /// The other party cannot be sent to now: it holds in the old way, or has no keys yet.
    NoTarget,
}

/// How many kinds of [`DropReason`] there are.
const REASONS: usize = 8;

/// Datagrams of the whole relay since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayCounts {
    /// Sent on.
    pub forwarded: u64,
    /// RTCP that was read.
    pub reports_read: u64,
    /// Checks of parties that do ICE, which got an answer.
    pub checks_answered: u64,
    /// RTCP that was written.
    pub reports_written: u64,
    dropped: [u64; REASONS],
}

impl RelayCounts {
    pub(super) fn note_drop(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }

    /// Dropped for this reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Dropped for whatever reason.
    #[must_use]
    pub fn all_dropped(&self) -> u64 {
        self.dropped.iter().sum()
    }
}

/// One leg: what came from its party, and what went there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LegStats {
    /// Where its media comes from, once that is proven; by ICE, once it is nominated.
    pub source: Option<SocketAddr>,
    /// RTP packets that were accepted from it.
    pub packets_received: u64,
    /// Bytes of their payloads.
    pub octets_received: u64,
    /// Lost between the party and us.
    pub packets_lost: u64,
    /// Datagrams for this leg that were dropped.
    pub datagrams_dropped: u64,
    /// RTP packets that were sent to it.
    pub packets_sent: u64,
    /// Variation of the time its packets take to us.
    pub jitter_ms: f64,
    /// How long nothing has come from it, no RTP and, where it does ICE, no check or report either; `None` before the first.
    pub silent_for: Option<Duration>,
    /// Between the party and us, there and back.
    pub round_trip: Option<Duration>,
    /// How the handshake for its keys stands, if they come from one.
    pub handshake: Option<HandshakeState>,
    /// What the party says that it lost of what the other sent, in all.
    pub remote_packets_lost: Option<u32>,
}
