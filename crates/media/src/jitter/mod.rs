//! The jitter buffer: packets come in as the network brings them, and leave one after another when
//! the playing clock asks.
//!
//! - `queue`: what waits, in order of its time;
//! - `transit`: how long packets travel, and so how long they should wait;
//! - [`JitterBuffer`]: what to do next, as a [`Step`].
//!
//! It decides and never touches sound: to decode, to conceal and to stretch is the business of
//! [`crate::ReceivePipeline`].

mod buffer;
mod queue;
#[cfg(test)]
mod tests;
mod transit;

pub use buffer::JitterBuffer;

use crate::codec::Codec;
use crate::rtp::{Block, RtpPacket};

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
    /// It came inside a later packet: its own was lost.
    pub is_copy: bool,
    /// Packets right before it that it helps to replace: by copies, or see [`crate::Codec::mends`].
    pub mends: u8,
    /// Tells the codec.
    pub payload_type: u8,
    /// Codec data.
    pub payload: Vec<u8>,
}

impl AudioPacket {
    /// What one block of an RTP packet says; `sequence` is the block's own. `None` if it cannot be of this codec.
    #[must_use]
    pub fn new(
        codec: Codec,
        packet: &RtpPacket<'_>,
        block: Block<'_>,
        sequence: u64,
    ) -> Option<Self> {
        let is_copy = block.offset_ticks > 0;
        Some(Self {
            sequence,
            timestamp: packet.timestamp.wrapping_sub(block.offset_ticks),
            duration_ticks: codec.duration_ticks(block.payload)?,
            marker: packet.marker && !is_copy,
            is_copy,
            mends: codec.mends(block.payload),
            payload_type: block.payload_type,
            payload: block.payload.to_vec(),
        })
    }
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

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Decode this, and change its length if that can be done without being heard.
    Play {
        /// What to decode.
        packet: AudioPacket,
        /// How its length should change.
        stretch: Stretch,
    },
    /// A packet was lost. Conceal so many ticks.
    Missing {
        /// Length to fill now.
        ticks: u32,
        /// All that is missing from here on, this included.
        gap_ticks: u32,
        /// The payload after the gap, which may carry once more what was lost.
        next: &'a [u8],
    },
    /// The next packet has not come yet: conceal so many ticks, and everything after it plays later.
    Wait {
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

/// How the length of a packet's sound should change, so that the delay comes nearer to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// Not at all.
    Keep,
    /// The delay is too long: leave out up to so many milliseconds.
    Shorten {
        /// By how much the delay is too long.
        ms: u32,
    },
    /// The delay is too short: repeat up to so many milliseconds.
    Lengthen {
        /// By how much the delay is too short.
        ms: u32,
    },
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
            min_delay_ms: 10,
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
    /// Times that a packet had not come when its turn was, and everything after it played later.
    pub waited: u64,
    /// Times the stream started anew.
    pub resynchronised: u64,
    /// The delay aimed at, in milliseconds.
    pub target_delay_ms: f64,
}
