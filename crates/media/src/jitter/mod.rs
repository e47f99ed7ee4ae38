//! The jitter buffer: packets come in as the network brings them, and leave one after another when
//! the playing clock asks.
//!
//! [`JitterBuffer`] is the interface; [`PlayoutBuffer`] holds or drops whole packets to follow
//! the network's delay. One that stretches time can take its place without a change elsewhere.

mod playout;
mod transit;

use std::time::Instant;

pub use playout::PlayoutBuffer;

/// One audio packet that waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioPacket {
    /// Counted on across wrap-around, see [`crate::rtp::SequenceTracker`].
    pub sequence: u64,
    /// In ticks of the codec's clock.
    pub timestamp: u32,
    /// How long it lasts, in ticks.
    pub duration_ticks: u32,
    /// First of a talkspurt.
    pub marker: bool,
    /// Tells the codec.
    pub payload_type: u8,
    /// Codec data.
    pub payload: Vec<u8>,
}

/// What became of a packet that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It waits for its turn.
    Queued,
    /// Its turn is over.
    Late,
    /// Its moment is taken by another packet.
    Duplicate,
    /// Its timing has nothing to do with what came before: the buffer started anew with it.
    Resynchronised,
}

/// What to play next.
#[derive(Debug, PartialEq, Eq)]
pub enum Playout<'a> {
    /// Decode this.
    Packet(AudioPacket),
    /// Decode both and make one of them: the delay has become longer than needed.
    Merge(AudioPacket, AudioPacket),
    /// A packet was lost. Conceal so many ticks; `next` is the payload right after it, if it is here.
    Missing {
        /// Length of the gap to fill now.
        ticks: u32,
        /// May carry a copy of what was lost.
        next: Option<&'a [u8]>,
    },
    /// Nothing was lost, but the delay must grow or the next packet has not come yet: conceal so
    /// many ticks, and everything after it plays later.
    Hold {
        /// Length to fill.
        ticks: u32,
    },
    /// The sender is silent between talkspurts.
    Silence {
        /// Length to fill.
        ticks: u32,
    },
    /// No stream, or not yet time to start.
    Idle,
}

/// How the delay may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JitterConfig {
    /// Least time that a packet waits, in milliseconds; also where a call starts.
    pub min_delay_ms: u32,
    /// Most time that packets are made to wait, in milliseconds. Later ones are lost.
    pub max_delay_ms: u32,
}

impl Default for JitterConfig {
    fn default() -> Self {
        Self {
            min_delay_ms: 40,
            max_delay_ms: 400,
        }
    }
}

/// What a jitter buffer has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct JitterStats {
    /// Came after their turn.
    pub late: u64,
    /// Came for a moment that another packet had.
    pub duplicates: u64,
    /// Thrown away because the buffer was full.
    pub overflowed: u64,
    /// Times the delay grew by concealment.
    pub held: u64,
    /// Times the delay shrank by merging two packets.
    pub merged: u64,
    /// Times the stream started anew.
    pub resynchronised: u64,
    /// The delay aimed at, in milliseconds.
    pub target_delay_ms: f64,
}

/// A jitter buffer of one audio stream. Bounded: when full the oldest packet goes.
pub trait JitterBuffer: Send {
    /// A packet came at `now`.
    fn insert(&mut self, packet: AudioPacket, now: Instant) -> Inserted;

    /// The playing clock has reached `now` and needs the next block.
    fn pull(&mut self, now: Instant) -> Playout<'_>;

    /// Forgets the stream, not what was counted; the next has this clock.
    fn restart(&mut self, clock_rate_hz: u32);

    /// What was counted so far.
    fn stats(&self) -> JitterStats;
}
