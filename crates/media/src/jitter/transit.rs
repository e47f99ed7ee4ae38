//! How long packets travel, compared with the fastest of them.
//!
//! Clocks of sender and receiver have different zeros, so only differences mean something: the
//! *excess* of a packet is what it took longer than the fastest recent one. The fastest is
//! remembered over two windows, which follows clocks that drift apart.
//!
//! What nearly all packets need is a quantile of their excess. A network or a sender that stalled
//! once stalls again, which is too rare for the quantile: such a *peak* is held and falls slowly.

use std::collections::VecDeque;

/// Packets whose excess is remembered: 5 s of 20 ms packets.
const REMEMBERED: usize = 256;
/// This share of packets should be in time.
const IN_TIME_PERCENT: usize = 98;
/// Packets after which the quantile is computed again in any case.
const PACKETS_PER_QUANTILE: u32 = 16;
/// A peak further above the quantile is beyond help, in milliseconds.
const MAX_PEAK_MS: f64 = 80.0;
/// A peak falls so much with each packet: 2 ms in a second.
const PEAK_FALL_MS: f64 = 0.04;
/// Length of a window of the fastest packet, in milliseconds.
const WINDOW_MS: f64 = 5_000.0;

/// Transit times of one stream, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Transit {
    fastest: Option<Fastest>,
    excess_ms: VecDeque<f64>,
    quantile_ms: f64,
    since_quantile: u32,
    /// Above the quantile.
    peak_ms: f64,
}

#[derive(Clone, Copy, Debug)]
struct Fastest {
    window_start_ms: f64,
    this_window_ms: f64,
    last_window_ms: f64,
}

impl Transit {
    /// The fastest recent transit: what to compare others with. `None` before the first packet.
    pub(super) fn fastest_ms(&self) -> Option<f64> {
        self.fastest
            .map(|fastest| fastest.this_window_ms.min(fastest.last_window_ms))
    }

    /// Excess that nearly all recent packets stay below, and rare peaks too.
    pub(super) fn needed_ms(&self) -> f64 {
        self.quantile_ms + self.peak_ms
    }

    /// Takes note of a packet that came at `arrival_ms` after `transit_ms`.
    pub(super) fn note(&mut self, transit_ms: f64, arrival_ms: f64) {
        let fastest = self.fastest.get_or_insert(Fastest {
            window_start_ms: arrival_ms,
            this_window_ms: transit_ms,
            last_window_ms: transit_ms,
        });
        if arrival_ms - fastest.window_start_ms > WINDOW_MS {
            *fastest = Fastest {
                window_start_ms: arrival_ms,
                this_window_ms: transit_ms,
                last_window_ms: fastest.this_window_ms,
            };
        }
        fastest.this_window_ms = fastest.this_window_ms.min(transit_ms);
        let excess = transit_ms - fastest.this_window_ms.min(fastest.last_window_ms);
        if self.excess_ms.len() == REMEMBERED {
            self.excess_ms.pop_front();
        }
        self.excess_ms.push_back(excess);
        self.since_quantile += 1;
        // A rise is noticed at once, a fall can wait.
        if excess > self.quantile_ms || self.since_quantile >= PACKETS_PER_QUANTILE {
            self.since_quantile = 0;
            self.quantile_ms = self.compute_quantile();
        }
        let above = excess - self.quantile_ms;
        self.peak_ms = (self.peak_ms - PEAK_FALL_MS).max(0.0);
        if above <= MAX_PEAK_MS {
            self.peak_ms = self.peak_ms.max(above);
        }
    }

    /// The stream starts anew with other zeros; the network stays what it was.
    pub(super) fn rebase(&mut self) {
        self.fastest = None;
    }

    fn compute_quantile(&self) -> f64 {
        let mut sorted = [0.0; REMEMBERED];
        let sorted = &mut sorted[..self.excess_ms.len()];
        for (slot, &excess) in sorted.iter_mut().zip(&self.excess_ms) {
            *slot = excess;
        }
        let rank = (sorted.len() * IN_TIME_PERCENT / 100).min(sorted.len() - 1);
        *sorted.select_nth_unstable_by(rank, f64::total_cmp).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excess_counts_from_the_fastest_packet() {
        let mut transit = Transit::default();
        for n in 0..200_u32 {
            let wobble = f64::from(n % 10) * 3.0;
            transit.note(1_000.0 + wobble, f64::from(n) * 20.0);
        }
        assert_eq!(transit.fastest_ms(), Some(1_000.0));
        assert_eq!(transit.quantile_ms, 27.0);
    }

    #[test]
    fn rare_outliers_do_not_count() {
        let mut transit = Transit::default();
        for n in 0..256_u32 {
            let transit_ms = if n % 100 == 50 { 300.0 } else { 0.0 };
            transit.note(transit_ms, f64::from(n) * 20.0);
        }
        assert_eq!(transit.needed_ms(), 0.0);
    }

    #[test]
    fn a_peak_is_held_and_falls_slowly() {
        let mut transit = Transit::default();
        let mut needed = Vec::new();
        for n in 0..2_000_u32 {
            let transit_ms = if n == 500 { 40.0 } else { 0.0 };
            transit.note(transit_ms, f64::from(n) * 20.0);
            needed.push(transit.needed_ms());
        }
        assert_eq!((needed[499], needed[500]), (0.0, 40.0));
        assert!((needed[1_000] - 20.0).abs() < 0.1, "{}", needed[1_000]);
        assert_eq!(needed[1_999], 0.0);
    }

    #[test]
    fn the_fastest_follows_a_clock_that_drifts_away() {
        let mut transit = Transit::default();
        for n in 0..60_000_u32 {
            let at = f64::from(n) * 20.0;
            transit.note(at * 0.000_2, at);
        }
        let drifted = 60_000.0 * 20.0 * 0.000_2;
        let fastest = transit.fastest_ms().unwrap();
        assert!(drifted - fastest < 2.1, "{fastest} of {drifted} ms");
        assert!(transit.needed_ms() < 2.1);
    }
}
