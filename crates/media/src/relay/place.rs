//! Names: calls, streams and legs of the table, and which of our ports a leg uses.

/// One call. The name is never used again, even when its room in the table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

/// One of the two parties of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Who made the call.
    Caller,
    /// Who was called.
    Callee,
}

impl Side {
    /// The other party.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::Caller => 0,
            Self::Callee => 1,
        }
    }
}

/// One party's end of one media stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId {
    /// Of which call.
    pub call: CallId,
    /// Which of its streams, in the order they were added.
    pub stream: u8,
    /// Whose end.
    pub side: Side,
}

/// Which of our addresses and ports a leg sends from and receives at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Which of the owner's addresses, by number: IPv4 and IPv6, or inside and outside.
    pub interface: u8,
    /// Which ports of it.
    pub pair: Pair,
}

/// A port for RTP, on which RTCP may come too (RFC 5761), and one for RTCP alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pair {
    /// The pair that all calls share.
    Shared,
    /// A pair of the leg's own, by its RTP port; RTCP is the next.
    Own(u16),
}

/// Which port of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Component {
    /// RTP, and RTCP where both are multiplexed.
    Rtp,
    /// RTCP alone.
    Rtcp,
}
