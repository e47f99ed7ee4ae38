//! What a session has counted, over all sources that its peer had.

use super::Session;
use crate::quality::CallQuality;
use crate::rtp::{RtpSource, SequenceTracker};
use crate::stats::MediaStats;

/// Of sources before the present one.
#[derive(Default)]
pub(super) struct Earlier {
    pub(super) received: u64,
    lost: u64,
    duplicates: u64,
    octets: u64,
}

impl Earlier {
    pub(super) fn add(&mut self, source: &RtpSource) {
        self.received += source.tracker().received();
        self.lost += source.tracker().lost();
        self.duplicates += source.tracker().duplicates();
        self.octets += source.octets();
    }
}

impl Session {
    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> MediaStats {
        let source = self.source.as_ref();
        let tracker = source.map(RtpSource::tracker);
        let stats = MediaStats {
            send_codec: self.stream.as_ref().map(|stream| stream.pipeline.codec()),
            receive_codec: self.receive.codec(),
            packets_sent: self.rtp.packets(),
            octets_sent: self.rtp.octets(),
            packets_received: self.packets_received(),
            octets_received: self.earlier.octets + source.map_or(0, RtpSource::octets),
            packets_lost: self.earlier.lost + tracker.map_or(0, SequenceTracker::lost),
            packets_duplicate: self.earlier.duplicates
                + tracker.map_or(0, SequenceTracker::duplicates),
            datagrams_dropped: self.datagrams_dropped,
            received: self.receive.counters(),
            jitter_ms: source.map_or(0.0, RtpSource::jitter_ms),
            round_trip: self.round_trip,
            remote_packets_lost: self.remote_packets_lost,
            playout: self.receive.playout_stats(),
            send_level_dbfs: self.send_level_dbfs,
            receive_level_dbfs: self.receive_level_dbfs,
            quality: CallQuality::default(),
        };
        MediaStats {
            quality: self.quality.assess(&stats),
            ..stats
        }
    }

    pub(super) fn packets_received(&self) -> u64 {
        let tracker = self.source.as_ref().map(RtpSource::tracker);
        self.earlier.received + tracker.map_or(0, SequenceTracker::received)
    }
}
