//! Listening in: what a recorder or a mixer gets of a call.

use std::time::Instant;

use super::LegId;

/// Gets every packet that the relay has accepted and read, before it is sent on.
///
/// It is called in the middle of the relay's work: it must not wait, and what it keeps must be bounded.
pub trait Tap: Send {
    /// A plain RTP packet came from the party of this leg.
    fn packet(&mut self, leg: LegId, rtp: &[u8], now: Instant);
}
