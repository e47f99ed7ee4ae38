//! What waits to be played, by its time on a line that does not wrap.

use std::collections::BTreeMap;

use super::AudioPacket;

/// Packets that may wait: two seconds of 20 ms packets.
pub(super) const MAX_PACKETS: usize = 100;

/// Packets in the order in which they play. Bounded: when full the earliest goes.
#[derive(Debug, Default)]
pub(super) struct PacketQueue {
    /// By their time, counted in ticks on a line of our own.
    waiting: BTreeMap<i64, AudioPacket>,
    newest: Option<Newest>,
}

/// Where the line of time stands.
#[derive(Clone, Copy, Debug)]
struct Newest {
    timestamp: u32,
    time: i64,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Queued,
    Duplicate,
    /// Queued, and the earliest had to go.
    Overflowed,
}

impl PacketQueue {
    /// Places a timestamp on the line of time.
    pub(super) fn place(&mut self, timestamp: u32) -> i64 {
        let Some(newest) = &mut self.newest else {
            self.newest = Some(Newest { timestamp, time: 0 });
            return 0;
        };
        let ahead = timestamp.wrapping_sub(newest.timestamp).cast_signed();
        let time = newest.time + i64::from(ahead);
        if ahead > 0 {
            *newest = Newest { timestamp, time };
        }
        time
    }

    pub(super) fn push(&mut self, time: i64, packet: AudioPacket) -> Pushed {
        if self.waiting.contains_key(&time) {
            return Pushed::Duplicate;
        }
        let is_full = self.waiting.len() >= MAX_PACKETS;
        if is_full {
            self.waiting.pop_first();
        }
        self.waiting.insert(time, packet);
        if is_full {
            Pushed::Overflowed
        } else {
            Pushed::Queued
        }
    }

    pub(super) fn first(&self) -> Option<(i64, &AudioPacket)> {
        let (&time, packet) = self.waiting.first_key_value()?;
        Some((time, packet))
    }

    pub(super) fn pop(&mut self) -> Option<(i64, AudioPacket)> {
        self.waiting.pop_first()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Forgets everything, the line of time too.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.newest = None;
    }
}
