//! Packets of a call for a recorder or mixer that has a task of its own.

use std::time::Instant;

use media::relay::{LegId, Side, Tap};
use tokio::sync::mpsc;

/// A packet that the relay has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TappedPacket {
    /// Who speaks.
    pub side: Side,
    /// In which stream of the call.
    pub stream: u8,
    /// Plain RTP.
    pub rtp: Vec<u8>,
    /// When it came.
    pub at: Instant,
    /// Packets before it that were left out because nobody fetched those that waited.
    pub left_out: u64,
}

/// A tap and where its packets come out. At most `room` packets wait; more are left out and counted, so that the relay never waits.
#[must_use]
pub fn tap(room: usize) -> (Box<dyn Tap>, mpsc::Receiver<TappedPacket>) {
    let (packets, waiting) = mpsc::channel(room);
    let queue = Queue {
        packets,
        left_out: 0,
    };
    (Box::new(queue), waiting)
}

struct Queue {
    packets: mpsc::Sender<TappedPacket>,
    left_out: u64,
}

impl Tap for Queue {
    fn packet(&mut self, leg: LegId, rtp: &[u8], now: Instant) {
        let Ok(place) = self.packets.try_reserve() else {
            self.left_out += 1;
            return;
        };
        place.send(TappedPacket {
            side: leg.side,
            stream: leg.stream,
            rtp: rtp.to_vec(),
            at: now,
            left_out: std::mem::take(&mut self.left_out),
        });
    }
}
