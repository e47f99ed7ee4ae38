//! How much a stream may cost, by what the peer reports of it (RFC 3550 section 6.4, RFC 8085 section 3.1.1).
//!
//! ```text
//!   clear ──loss──► lossy: fewer bits for each packet, copies of earlier ones in the room that this leaves
//!     ▲   ◄─none──    │
//!     └──in steps── congested: packets take longer and are lost: half of the bits, no copies
//! ```
//!
//! Loss alone does not say why packets are lost: on a radio link copies help, in a full queue they make it
//! worse. In a full queue packets also take longer, and that tells them apart.

use std::time::Duration;

/// From this loss on packets are guarded at the cost of their sound.
const LOSSY_FROM_PERCENT: u8 = 2;
/// What packets are made of while copies of them travel too, in bits per second.
const LOSSY_BITRATE: u32 = 32_000;
/// Speech is understood well with so much, and no path of today takes less.
const LEAST_BITRATE: u32 = 12_000;
/// So much longer than it was at best says that a queue fills.
const QUEUE: Duration = Duration::from_millis(120);
/// A queue that was full from the beginning shows no better time; paths on earth are shorter than this.
const LONG: Duration = Duration::from_millis(400);
/// Reports in a row that say so before it is believed: one may have been late by itself.
const REPORTS_FOR_A_QUEUE: u32 = 2;
/// With this loss reports are lost too: the first one counts.
const HOPELESS_FROM_PERCENT: u8 = 25;
/// Reports in a row that say so although next to nothing is sent: then it is no queue of ours.
const REPORTS_FOR_A_LONG_PATH: u32 = 12;
/// Reports in a row without a queue or loss before more is tried; twice as many after each time that it was too much.
const REPORTS_FOR_MORE: std::ops::RangeInclusive<u32> = 3..=48;

/// See the module header.
#[derive(Clone, Debug)]
pub(crate) struct SendRate {
    bitrate: u32,
    has_copies: bool,
    least_round_trip: Option<Duration>,
    /// It takes long by itself.
    is_long: bool,
    slow_reports: u32,
    good_reports: u32,
    good_reports_for_more: u32,
    /// What it was before more was tried.
    before_more: Option<u32>,
}

impl SendRate {
    /// Nothing is known of the path: as much as the sound deserves.
    pub(crate) fn new() -> Self {
        Self {
            bitrate: u32::MAX,
            has_copies: true,
            least_round_trip: None,
            is_long: false,
            slow_reports: 0,
            good_reports: 0,
            good_reports_for_more: *REPORTS_FOR_MORE.start(),
            before_more: None,
        }
    }

    /// Most bits per second that an encoder may make of the sound.
    pub(crate) fn bitrate(&self) -> u32 {
        self.bitrate
    }

    /// Whether copies of earlier packets may travel.
    pub(crate) fn has_copies(&self) -> bool {
        self.has_copies
    }

    /// The peer has reported on packets of ours.
    pub(crate) fn note_report(&mut self, lost_percent: u8, round_trip: Option<Duration>) {
        let is_slow = self.is_slow(round_trip);
        self.slow_reports = if is_slow { self.slow_reports + 1 } else { 0 };
        let is_lossy = lost_percent >= LOSSY_FROM_PERCENT;
        let is_full = is_slow
            && (self.slow_reports >= REPORTS_FOR_A_QUEUE || lost_percent >= HOPELESS_FROM_PERCENT);
        let is_queueing = self.slow_reports >= REPORTS_FOR_A_QUEUE;
        if self.slow_reports >= REPORTS_FOR_A_LONG_PATH {
            self.take_for_long(round_trip);
        } else if is_lossy && is_full {
            self.take_less((self.bitrate.min(LOSSY_BITRATE) / 2).max(LEAST_BITRATE));
        } else if is_lossy {
            self.note_loss(is_slow);
        } else if let (true, Some(before)) = (is_queueing, self.before_more) {
            self.take_less(before);
        } else if !is_slow {
            self.note_good_report();
        }
    }

    /// Nobody has reported yet, and the other direction loses so much.
    pub(crate) fn note_guess(&mut self, lost_percent: u8) {
        if lost_percent >= LOSSY_FROM_PERCENT {
            self.bitrate = self.bitrate.min(LOSSY_BITRATE);
        }
    }

    /// Packets are lost, and not in a queue as far as is known. Where a queue was full before, and no report has
    /// told of one for a while, copies help again.
    fn note_loss(&mut self, is_slow: bool) {
        self.bitrate = self.bitrate.min(LOSSY_BITRATE);
        if self.has_copies || is_slow {
            self.good_reports = 0;
            return;
        }
        self.good_reports += 1;
        if self.good_reports >= self.good_reports_for_more {
            self.good_reports = 0;
            self.bitrate = LOSSY_BITRATE;
            self.has_copies = true;
        }
    }

    fn take_for_long(&mut self, round_trip: Option<Duration>) {
        self.least_round_trip = round_trip;
        self.is_long = true;
        self.slow_reports = 0;
        self.has_copies = true;
        self.bitrate = self.bitrate.max(LOSSY_BITRATE);
    }

    fn take_less(&mut self, bitrate: u32) {
        self.bitrate = bitrate;
        self.has_copies = false;
        self.before_more = None;
        self.good_reports = 0;
        self.good_reports_for_more = (2 * self.good_reports_for_more).min(*REPORTS_FOR_MORE.end());
    }

    fn note_good_report(&mut self) {
        self.good_reports += 1;
        if self.good_reports < self.good_reports_for_more || self.bitrate == u32::MAX {
            return;
        }
        self.good_reports = 0;
        self.before_more = Some(self.bitrate);
        if self.bitrate < LOSSY_BITRATE {
            self.bitrate = (self.bitrate / 2 * 3).min(LOSSY_BITRATE);
        } else {
            self.bitrate = u32::MAX;
            self.has_copies = true;
        }
    }

    fn is_slow(&mut self, round_trip: Option<Duration>) -> bool {
        let Some(round_trip) = round_trip else {
            return false;
        };
        let least = self
            .least_round_trip
            .map_or(round_trip, |least| least.min(round_trip));
        self.least_round_trip = Some(least);
        round_trip > least + QUEUE || (round_trip > LONG && !self.is_long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Option<Duration> = Some(Duration::from_millis(40));
    const SLOW: Option<Duration> = Some(Duration::from_millis(300));

    fn after(reports: &[(u8, Option<Duration>)]) -> (u32, bool) {
        let mut rate = SendRate::new();
        for &(lost, round_trip) in reports {
            rate.note_report(lost, round_trip);
        }
        (rate.bitrate(), rate.has_copies())
    }

    #[test]
    fn loss_by_itself_makes_room_for_copies() {
        assert_eq!(after(&[(1, FAST); 5]), (u32::MAX, true));
        assert_eq!(after(&[(2, FAST)]), (LOSSY_BITRATE, true));
        assert_eq!(after(&[(20, None); 5]), (LOSSY_BITRATE, true));
        let mut guessed = SendRate::new();
        guessed.note_guess(1);
        assert_eq!(guessed.bitrate(), u32::MAX);
        guessed.note_guess(2);
        assert_eq!(guessed.bitrate(), LOSSY_BITRATE);
    }

    #[test]
    fn loss_in_a_queue_that_fills_takes_bits_and_copies_away_down_to_what_speech_needs() {
        assert_eq!(
            after(&[(0, FAST), (5, SLOW)]),
            (LOSSY_BITRATE, true),
            "once is chance"
        );
        assert_eq!(after(&[(0, FAST), (25, SLOW)]), (16_000, false));
        assert_eq!(after(&[(0, FAST), (5, SLOW), (5, SLOW)]), (16_000, false));
        let many = [&[(0, FAST)], [(9, SLOW); 9].as_slice()].concat();
        assert_eq!(after(&many), (LEAST_BITRATE, false));
    }

    #[test]
    fn a_path_that_is_long_by_itself_is_not_taken_for_a_full_one_for_good() {
        assert_eq!(after(&[(5, SLOW); 4]), (LOSSY_BITRATE, true));
        let satellite = Some(Duration::from_millis(600));
        assert_eq!(after(&[(5, satellite); 3]), (LEAST_BITRATE, false));
        assert_eq!(after(&[(5, satellite); 12]), (LOSSY_BITRATE, true));
        assert_eq!(after(&[(5, satellite); 20]), (LOSSY_BITRATE, true));
        assert_eq!(
            after(&[(0, FAST), (0, SLOW), (0, SLOW)]),
            (u32::MAX, true),
            "nor one without loss"
        );
    }

    #[test]
    fn a_path_that_is_long_and_loses_nothing_gives_nothing_up() {
        let satellite = Some(Duration::from_millis(600));
        assert_eq!(after(&[(0, satellite); 20]), (u32::MAX, true));
    }

    #[test]
    fn copies_come_back_to_a_path_that_loses_packets_without_a_queue() {
        let full = [(0, FAST), (9, SLOW), (9, SLOW)];
        let lossy = [(9, FAST); 6];
        let reports = [full.as_slice(), &lossy].concat();
        assert_eq!(after(&reports[..8]), (16_000, false));
        assert_eq!(after(&reports), (LOSSY_BITRATE, true));
    }

    #[test]
    fn what_was_taken_comes_back_in_steps_while_all_is_well() {
        let mut rate = SendRate::new();
        for report in [(0, FAST), (9, SLOW), (9, SLOW), (9, SLOW)] {
            rate.note_report(report.0, report.1);
        }
        assert_eq!(rate.bitrate(), LEAST_BITRATE);
        let mut seen = vec![rate.bitrate()];
        for _ in 0..100 {
            rate.note_report(0, FAST);
            if seen.last() != Some(&rate.bitrate()) {
                seen.push(rate.bitrate());
            }
        }
        assert_eq!(seen, [12_000, 18_000, 27_000, 32_000, u32::MAX]);
        assert!(rate.has_copies());
        rate.note_report(0, SLOW);
        rate.note_report(0, SLOW);
        assert_eq!(
            (rate.bitrate(), rate.has_copies()),
            (LOSSY_BITRATE, false),
            "and goes again when that fills a queue"
        );
    }
}
