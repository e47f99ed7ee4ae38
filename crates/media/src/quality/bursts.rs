//! Bursts and gaps (RFC 3611 section 4.7.2): whether packets are lost here and there or many together.
//!
//! A packet is *received*, *lost*, or *discarded*: it came after its turn. Both kinds of loss count alike. A
//! *burst* starts and ends with a loss and has no [`GMIN`] packets received in a row inside; what is not in a
//! burst is a *gap*. A loss with [`GMIN`] received packets on both sides is no burst but lies in the gap.
//!
//! The network reorders packets, so the fate of one is settled only when `WINDOW` later ones have come.

use std::collections::VecDeque;

/// Received packets in a row that end a burst; the value that RFC 3611 recommends.
pub const GMIN: u8 = 16;
/// Packets whose fate may still change.
const WINDOW: usize = 128;

/// What became of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was played, or could have been.
    Received,
    /// It never came.
    Lost,
    /// It came too late.
    Discarded,
}

/// Counts one source's packets. See the module header.
#[derive(Clone, Debug, Default)]
pub struct BurstTracker {
    /// Sequence number of the first in the window.
    first: u64,
    window: VecDeque<Fate>,
    settled: Settled,
}

/// Packets whose fate is certain, of all sources so far.
#[derive(Clone, Copy, Debug, Default)]
struct Settled {
    packets: u64,
    lost: u64,
    discarded: u64,
    /// Losses of both kinds in a row, as one.
    runs: u64,
    bursts: u64,
    burst_packets: u64,
    burst_losses: u64,
    cluster: Option<Cluster>,
}

/// Losses with fewer than [`GMIN`] packets between them: a burst if there are two.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    /// From the first to the last loss.
    packets: u64,
    losses: u64,
    received_since: u64,
}

/// What a tracker has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BurstStats {
    /// Packets that should have come.
    pub packets: u64,
    /// Never came.
    pub lost: u64,
    /// Came too late.
    pub discarded: u64,
    /// Bursts so far.
    pub bursts: u64,
    /// Gaps so far.
    pub gaps: u64,
    /// Packets in bursts; all others are in gaps.
    pub burst_packets: u64,
    /// Lost and discarded ones in bursts.
    pub burst_losses: u64,
    /// Runs of consecutive losses.
    pub runs: u64,
}

impl BurstTracker {
    /// A packet came; `sequence` counts on across wrap-around and does not jump far, see
    /// [`crate::rtp::SequenceTracker`]. [`Fate::Discarded`] may follow [`Fate::Received`] for the same packet.
    pub fn note(&mut self, sequence: u64, fate: Fate) {
        if self.window.is_empty() {
            self.first = sequence;
        }
        let next = self.first + self.window.len() as u64;
        for _ in next..=sequence {
            self.window.push_back(Fate::Lost);
            if self.window.len() > WINDOW {
                self.first += 1;
                if let Some(oldest) = self.window.pop_front() {
                    self.settled.note(oldest);
                }
            }
        }
        // A packet before the window is settled as lost, or came before the first.
        let place = sequence.checked_sub(self.first);
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(known) = place.and_then(|place| self.window.get_mut(place)) {
            *known = fate;
        }
    }

    /// The source starts its numbers anew, or is another one.
    pub fn restart(&mut self) {
        for fate in self.window.drain(..) {
            self.settled.note(fate);
        }
    }

    /// What was counted, up to the newest packet.
    #[must_use]
    pub fn stats(&self) -> BurstStats {
        let mut all = self.settled;
        for &fate in &self.window {
            all.note(fate);
        }
        all.stats()
    }
}

impl Settled {
    fn note(&mut self, fate: Fate) {
        self.packets += 1;
        match fate {
            Fate::Received => return self.note_received(),
            Fate::Lost => self.lost += 1,
            Fate::Discarded => self.discarded += 1,
        }
        match &mut self.cluster {
            Some(cluster) => {
                if cluster.received_since > 0 {
                    self.runs += 1;
                }
                cluster.packets += cluster.received_since + 1;
                cluster.losses += 1;
                cluster.received_since = 0;
            }
            None => {
                self.runs += 1;
                self.cluster = Some(Cluster {
                    packets: 1,
                    losses: 1,
                    received_since: 0,
                });
            }
        }
    }

    fn note_received(&mut self) {
        let Some(cluster) = &mut self.cluster else {
            return;
        };
        cluster.received_since += 1;
        if cluster.received_since >= u64::from(GMIN) {
            self.close_cluster();
        }
    }

    fn close_cluster(&mut self) {
        if let Some(cluster) = self.cluster.take().filter(|cluster| cluster.losses > 1) {
            self.bursts += 1;
            self.burst_packets += cluster.packets;
            self.burst_losses += cluster.losses;
        }
    }

    fn stats(mut self) -> BurstStats {
        let ends_in_burst = self
            .cluster
            .is_some_and(|cluster| cluster.losses > 1 && cluster.received_since == 0);
        self.close_cluster();
        // A stream starts with a packet that came, so a gap is before each burst.
        let gaps = self.bursts + u64::from(!ends_in_burst && self.packets > 0);
        BurstStats {
            packets: self.packets,
            lost: self.lost,
            discarded: self.discarded,
            bursts: self.bursts,
            gaps,
            burst_packets: self.burst_packets,
            burst_losses: self.burst_losses,
            runs: self.runs,
        }
    }
}

impl BurstStats {
    /// Share of packets that never came.
    #[must_use]
    pub fn loss_rate(&self) -> f64 {
        share(self.lost, self.packets)
    }

    /// Share of packets that came too late.
    #[must_use]
    pub fn discard_rate(&self) -> f64 {
        share(self.discarded, self.packets)
    }

    /// Share of lost and discarded packets in bursts.
    #[must_use]
    pub fn burst_density(&self) -> f64 {
        share(self.burst_losses, self.burst_packets)
    }

    /// Share of lost and discarded packets in gaps.
    #[must_use]
    pub fn gap_density(&self) -> f64 {
        share(
            self.lost + self.discarded - self.burst_losses,
            self.packets - self.burst_packets,
        )
    }

    /// Mean length of a burst in packets.
    #[must_use]
    pub fn burst_length(&self) -> f64 {
        share(self.burst_packets, self.bursts)
    }

    /// Mean length of a gap in packets.
    #[must_use]
    pub fn gap_length(&self) -> f64 {
        share(self.packets - self.burst_packets, self.gaps)
    }

    /// BurstR of ITU-T G.107: mean run of losses over what it would be by chance. 1 without loss.
    #[must_use]
    pub fn burst_ratio(&self) -> f64 {
        let losses = self.lost + self.discarded;
        if losses == 0 {
            return 1.0;
        }
        share(losses, self.runs) * (1.0 - share(losses, self.packets))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a call does not have 2^53 packets"
)]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `.` came, `x` did not, `d` came too late.
    fn stats(packets: &str) -> BurstStats {
        let mut tracker = BurstTracker::default();
        for (sequence, packet) in (1_000..).zip(packets.chars()) {
            match packet {
                '.' => tracker.note(sequence, Fate::Received),
                'd' => {
                    tracker.note(sequence, Fate::Received);
                    tracker.note(sequence, Fate::Discarded);
                }
                _ => {}
            }
        }
        tracker.stats()
    }

    fn calm() -> String {
        ".".repeat(16)
    }

    #[test]
    fn single_losses_far_apart_lie_in_the_gap() {
        let stats = stats(&format!("{0}x{0}d{0}", calm()));
        assert_eq!(
            (stats.lost, stats.discarded, stats.bursts, stats.gaps),
            (1, 1, 0, 1)
        );
        assert_eq!(stats.gap_density(), 2.0 / 50.0);
        assert_eq!(stats.gap_length(), 50.0);
        assert_eq!(stats.burst_density(), 0.0);
        assert_eq!(stats.loss_rate(), 0.02);
        assert_eq!(stats.discard_rate(), 0.02);
    }

    #[test]
    fn losses_with_fewer_than_16_packets_between_them_are_a_burst() {
        let close = format!("{0}x{1}x{0}", calm(), ".".repeat(15));
        let stats_close = stats(&close);
        assert_eq!((stats_close.bursts, stats_close.gaps), (1, 2));
        assert_eq!(stats_close.burst_length(), 17.0);
        assert_eq!(stats_close.burst_density(), 2.0 / 17.0);
        assert_eq!(stats_close.gap_density(), 0.0);
        assert_eq!(stats_close.gap_length(), 16.0);
        assert_eq!(
            stats(&format!("{0}x{0}x{0}", calm())).bursts,
            0,
            "16 are enough"
        );
    }

    #[test]
    fn a_stream_that_ends_in_a_burst_has_no_gap_after_it() {
        let stats = stats(&format!("{}xxd", calm()));
        assert_eq!((stats.bursts, stats.gaps), (1, 1));
        assert_eq!((stats.burst_packets, stats.burst_losses), (3, 3));
    }

    #[test]
    fn the_first_packet_after_a_burst_opens_a_gap() {
        let stats = stats(&format!("{}xx.", calm()));
        assert_eq!((stats.bursts, stats.gaps), (1, 2));
    }

    #[test]
    fn losses_in_a_row_have_a_burst_ratio_above_1_and_scattered_ones_1() {
        let in_rows = stats(&format!("{}xxxx{}", ".".repeat(40), ".".repeat(56)));
        assert!((in_rows.burst_ratio() - 4.0 * 0.96).abs() < 1e-9);
        let scattered = stats(&format!("{}.", ".........x".repeat(20)));
        assert!(
            (scattered.burst_ratio() - 0.9).abs() < 0.01,
            "{scattered:?}"
        );
        assert_eq!(stats(&calm()).burst_ratio(), 1.0);
    }

    #[test]
    fn reordered_packets_are_no_losses() {
        let mut tracker = BurstTracker::default();
        for sequence in [1, 2, 5, 4, 3, 8, 6, 7] {
            tracker.note(sequence, Fate::Received);
        }
        let stats = tracker.stats();
        assert_eq!((stats.packets, stats.lost), (8, 0));
    }

    #[test]
    fn a_packet_that_comes_after_its_loss_is_settled_changes_nothing() {
        let mut tracker = BurstTracker::default();
        tracker.note(1, Fate::Received);
        for sequence in 3..400 {
            tracker.note(sequence, Fate::Received);
        }
        tracker.note(2, Fate::Received);
        assert_eq!(tracker.stats().lost, 1);
    }

    #[test]
    fn a_long_outage_is_counted_whole() {
        let mut tracker = BurstTracker::default();
        tracker.note(1, Fate::Received);
        tracker.note(2_002, Fate::Received);
        let stats = tracker.stats();
        assert_eq!(
            (stats.packets, stats.lost, stats.bursts, stats.runs),
            (2_002, 2_000, 1, 1)
        );
    }

    #[test]
    fn another_source_goes_on_where_the_last_ended() {
        let mut tracker = BurstTracker::default();
        for sequence in [70_000, 70_002] {
            tracker.note(sequence, Fate::Received);
        }
        tracker.restart();
        for sequence in [5, 6] {
            tracker.note(sequence, Fate::Received);
        }
        let stats = tracker.stats();
        assert_eq!((stats.packets, stats.lost), (5, 1));
    }

    proptest! {
        /// The definition, read literally: mark every loss that has another one within reach.
        #[test]
        fn bursts_are_what_the_definition_says(keep in proptest::collection::vec(proptest::bool::weighted(0.9), 0..900)) {
            let mut text: String = keep.iter().map(|&keep| if keep { '.' } else { 'x' }).collect();
            text.insert(0, '.');
            text.push('.');
            let losses: Vec<u64> = (0..).zip(text.chars()).filter(|(_, packet)| *packet == 'x').map(|(at, _)| at).collect();
            let mut clusters: Vec<Vec<u64>> = Vec::new();
            for at in losses.iter().copied() {
                match clusters.last_mut() {
                    Some(cluster) if at - cluster.last().unwrap() <= u64::from(GMIN) => cluster.push(at),
                    _ => clusters.push(vec![at]),
                }
            }
            let bursts: Vec<_> = clusters.iter().filter(|cluster| cluster.len() > 1).collect();
            let stats = stats(&text);
            prop_assert_eq!(stats.packets, text.len() as u64);
            prop_assert_eq!(stats.lost, losses.len() as u64);
            prop_assert_eq!(stats.bursts, bursts.len() as u64);
            prop_assert_eq!(stats.burst_losses, bursts.iter().map(|burst| burst.len() as u64).sum::<u64>());
            prop_assert_eq!(stats.burst_packets, bursts.iter().map(|burst| burst.last().unwrap() - burst[0] + 1).sum::<u64>());
            prop_assert_eq!(stats.runs, text.split('.').filter(|run| !run.is_empty()).count() as u64);
        }
    }
}
