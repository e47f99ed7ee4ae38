//! What one session has counted, for people and for tests.

use std::time::Duration;

use crate::codec::Codec;
use crate::jitter::JitterStats;
use crate::quality::CallQuality;
use crate::receive::Counters;

/// A snapshot. Counters grow over the life of the session, across holds and changes of the source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MediaStats {
    /// Codec that we send.
    pub send_codec: Option<Codec>,
    /// Codec of the last audio packet that came in.
    pub receive_codec: Option<Codec>,
    /// RTP packets sent, events included.
    pub packets_sent: u64,
    /// Payload bytes sent.
    pub octets_sent: u64,
    /// RTP packets received from the peer, duplicates not counted.
    pub packets_received: u64,
    /// Payload bytes received.
    pub octets_received: u64,
    /// Packets of the peer that never came.
    pub packets_lost: u64,
    /// Packets that came twice.
    pub packets_duplicate: u64,
    /// Datagrams dropped: from strangers, malformed, of no agreed payload type.
    pub datagrams_dropped: u64,
    /// What became of the sound on its way out.
    pub received: Counters,
    /// Interarrival jitter (RFC 3550), in milliseconds.
    pub jitter_ms: f64,
    /// Round trip by RTCP, once known.
    pub round_trip: Option<Duration>,
    /// Packets of ours that the peer says it lost.
    pub remote_packets_lost: Option<u32>,
    /// The jitter buffer.
    pub playout: JitterStats,
    /// Loudness of the last captured frame, in dBFS.
    pub send_level_dbfs: f32,
    /// Loudness of the last played frame, in dBFS.
    pub receive_level_dbfs: f32,
    /// What all of this means for people.
    pub quality: CallQuality,
}

impl MediaStats {
    /// Share of the peer's packets that never came, in percent.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a call does not have 2^53 packets"
    )]
    pub fn loss_percent(&self) -> f64 {
        let sent = self.packets_received + self.packets_lost;
        if sent == 0 {
            0.0
        } else {
            self.packets_lost as f64 * 100.0 / sent as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_a_share_of_what_was_sent() {
        let stats = MediaStats {
            packets_received: 95,
            packets_lost: 5,
            ..MediaStats::default()
        };
        assert_eq!(stats.loss_percent(), 5.0);
        assert_eq!(MediaStats::default().loss_percent(), 0.0);
    }
}
