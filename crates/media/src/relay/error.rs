//! Why a command fails.

use std::net::SocketAddr;

use super::table::MAX_STREAMS;

/// Why the relay does not do what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The table is full.
    #[error("all {max_calls} relayed calls are taken: let one end, or allow more")]
    TooManyCalls {
        /// How many there may be.
        max_calls: usize,
    },
    /// The call has as many streams as may be.
    #[error("a relayed call has at most {MAX_STREAMS} media streams")]
    TooManyStreams,
    /// The call has ended, or never had such a stream.
    #[error("no such call or stream is relayed")]
    NoSuchLeg,
    /// Another leg has that pair.
    #[error("ports {port} and {} are another leg's", port + 1)]
    PairTaken {
        /// For RTP.
        port: u16,
    },
    /// The credentials cannot be used.
    #[error(transparent)]
    Ice(#[from] stun::LiteError),
    /// Two legs must not have the same: requests are told apart by it.
    #[error("another relayed stream has that user name fragment: make a new one")]
    FragmentTaken,
    /// Packets on the shared port could be the other call's as well.
    #[error(
        "{rtp} is announced by another relayed stream: give this leg a pair of ports of its own"
    )]
    Ambiguous {
        /// What both announced.
        rtp: SocketAddr,
    },
}
