//! Extended sequence numbers and loss (RFC 3550 appendices A.1 and A.3).
//!
//! Unlike the appendix, duplicates are recognised and left out of the count of received packets,
//! so that a duplicating network does not hide loss.

/// A jump forward of this many packets or more is not loss but a new start (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3_000;
/// A packet this far behind is still only out of order (RFC 3550 A.1).
const MAX_MISORDER: u16 = 100;

/// What a sequence number says about the packet that carried it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequenced {
    /// New. The number counted on across wrap-around.
    Accepted {
        /// Grows by one per packet sent.
        extended: u64,
    },
    /// The source started its numbers anew; the first of the new run.
    Restarted {
        /// As in `Accepted`, unrelated to earlier ones.
        extended: u64,
    },
    /// Seen before.
    Duplicate,
    /// Far from all others; believed only if the next one follows it.
    Rejected,
}

/// Received and lost packets of one source.
#[derive(Clone, Debug, Default)]
pub struct SequenceTracker {
    run: Option<Run>,
    /// Sums of the runs before a restart.
    earlier_received: u64,
    earlier_lost: u64,
    duplicates: u64,
    /// The number that would confirm a jump.
    awaited: Option<u16>,
    /// At the last report: expected and received of this run.
    reported: (u64, u64),
}

/// One unbroken run of numbers.
#[derive(Clone, Debug)]
struct Run {
    /// Starts one cycle up, so that packets before the first stay positive.
    highest: u64,
    base: u64,
    received: u64,
    /// Bit n: the packet `highest - n` was received.
    window: u128,
}

/// Loss since the last time it was asked for, and in all (RFC 3550 A.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossReport {
    /// Of the interval, in 1/256.
    pub fraction_lost: u8,
    /// Of the whole run; negative is impossible because duplicates are not counted.
    pub cumulative_lost: u32,
    /// Low 32 bits of the extended highest sequence number.
    pub highest_sequence: u32,
}

impl SequenceTracker {
    /// Takes note of one packet.
    pub fn update(&mut self, sequence: u16) -> Sequenced {
        let Some(run) = &mut self.run else {
            let run = self.run.insert(Run::starting_at(sequence));
            return Sequenced::Accepted {
                extended: run.highest,
            };
        };
        let ahead = sequence.wrapping_sub(run.low());
        let behind = run.low().wrapping_sub(sequence);
        let verdict = if ahead == 0 {
            Sequenced::Duplicate
        } else if ahead < MAX_DROPOUT {
            run.advance(ahead)
        } else if behind <= MAX_MISORDER {
            run.fill_in(behind)
        } else if self.awaited == Some(sequence) {
            return self.restart(sequence);
        } else {
            self.awaited = Some(sequence.wrapping_add(1));
            return Sequenced::Rejected;
        };
        match verdict {
            Sequenced::Duplicate => self.duplicates += 1,
            _ => self.awaited = None,
        }
        verdict
    }

    /// Packets received, duplicates not counted.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.earlier_received + self.run.as_ref().map_or(0, |run| run.received)
    }

    /// Packets that were sent but did not arrive.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.earlier_lost + self.run.as_ref().map_or(0, Run::lost)
    }

    /// Packets that arrived more than once.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Loss for the next report; starts a new interval. `None` before the first packet.
    pub fn report(&mut self) -> Option<LossReport> {
        let run = self.run.as_ref()?;
        let (expected, received) = (run.expected(), run.received);
        let expected_now = expected.saturating_sub(self.reported.0);
        let received_now = received.saturating_sub(self.reported.1);
        self.reported = (expected, received);
        let lost_now = expected_now.saturating_sub(received_now);
        let fraction = (lost_now * 256).checked_div(expected_now).unwrap_or(0);
        Some(LossReport {
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            cumulative_lost: u32::try_from(run.lost())
                .map_or(0x7f_ffff, |lost| lost.min(0x7f_ffff)),
            highest_sequence: u32::try_from((run.highest - CYCLE) & 0xffff_ffff)
                .expect("masked to 32 bits"),
        })
    }

    fn restart(&mut self, sequence: u16) -> Sequenced {
        self.earlier_received = self.received();
        self.earlier_lost = self.lost();
        self.reported = (0, 0);
        self.awaited = None;
        let run = self.run.insert(Run::starting_at(sequence));
        Sequenced::Restarted {
            extended: run.highest,
        }
    }
}

const CYCLE: u64 = 1 << 16;

impl Run {
    fn starting_at(sequence: u16) -> Self {
        let highest = CYCLE + u64::from(sequence);
        Self {
            highest,
            base: highest,
            received: 1,
            window: 1,
        }
    }

    fn low(&self) -> u16 {
        u16::try_from(self.highest % CYCLE).expect("below 2^16")
    }

    fn advance(&mut self, ahead: u16) -> Sequenced {
        self.highest += u64::from(ahead);
        self.window = self.window.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
        self.received += 1;
        Sequenced::Accepted {
            extended: self.highest,
        }
    }

    fn fill_in(&mut self, behind: u16) -> Sequenced {
        let bit = 1_u128 << behind;
        if self.window & bit != 0 {
            return Sequenced::Duplicate;
        }
        self.window |= bit;
        self.received += 1;
        let extended = self.highest - u64::from(behind);
        self.base = self.base.min(extended);
        Sequenced::Accepted { extended }
    }

    fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }

    fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn feed(
        tracker: &mut SequenceTracker,
        numbers: impl IntoIterator<Item = u16>,
    ) -> Vec<Sequenced> {
        numbers
            .into_iter()
            .map(|number| tracker.update(number))
            .collect()
    }

    #[test]
    fn numbers_count_on_across_the_wrap() {
        let mut tracker = SequenceTracker::default();
        let seen = feed(&mut tracker, [65_534, 65_535, 0, 1]);
        let first = CYCLE + 65_534;
        let expected: Vec<_> = (first..first + 4)
            .map(|extended| Sequenced::Accepted { extended })
            .collect();
        assert_eq!(seen, expected);
        assert_eq!((tracker.received(), tracker.lost()), (4, 0));
        assert_eq!(tracker.report().unwrap().highest_sequence, 65_537);
    }

    #[test]
    fn a_packet_before_the_first_belongs_to_the_previous_cycle() {
        let mut tracker = SequenceTracker::default();
        feed(&mut tracker, [0, 65_535, 1]);
        assert_eq!((tracker.received(), tracker.lost()), (3, 0));
    }

    #[test]
    fn loss_is_what_is_missing_between_the_first_and_the_highest() {
        let mut tracker = SequenceTracker::default();
        feed(&mut tracker, [10, 11, 13, 14]);
        assert_eq!(tracker.lost(), 1);
        assert_eq!(
            tracker.report().unwrap().fraction_lost,
            51,
            "one of five, in 1/256"
        );
        feed(&mut tracker, [12]);
        assert_eq!(tracker.lost(), 0, "it came after all");
        assert_eq!(tracker.report().unwrap().fraction_lost, 0);
    }

    #[test]
    fn duplicates_do_not_hide_loss() {
        let mut tracker = SequenceTracker::default();
        let seen = feed(&mut tracker, [1, 1, 3, 3, 1]);
        assert_eq!(
            seen.iter()
                .filter(|&&verdict| verdict == Sequenced::Duplicate)
                .count(),
            3
        );
        assert_eq!(
            (tracker.received(), tracker.lost(), tracker.duplicates()),
            (2, 1, 3)
        );
    }

    #[test]
    fn a_jump_is_believed_when_the_next_packet_confirms_it() {
        let mut tracker = SequenceTracker::default();
        feed(&mut tracker, [1, 2, 4]);
        assert_eq!(tracker.update(20_000), Sequenced::Rejected);
        assert_eq!(
            tracker.update(5),
            Sequenced::Accepted {
                extended: CYCLE + 5
            },
            "a stray packet changes nothing"
        );
        assert_eq!(
            tracker.update(20_001),
            Sequenced::Rejected,
            "not in a row with the first"
        );
        assert_eq!(
            tracker.update(20_002),
            Sequenced::Restarted {
                extended: CYCLE + 20_002
            }
        );
        assert_eq!(
            (tracker.received(), tracker.lost()),
            (5, 1),
            "the earlier run still counts"
        );
    }

    proptest! {
        #[test]
        fn received_and_lost_add_up_for_any_loss(start in any::<u16>(), keep in proptest::collection::vec(any::<bool>(), 2..2000)) {
            let mut tracker = SequenceTracker::default();
            let mut numbers: Vec<u16> = (0..).zip(&keep).filter(|(_, keep)| **keep).map(|(n, _)| start.wrapping_add(n)).collect();
            numbers.dedup();
            feed(&mut tracker, numbers.iter().copied());
            prop_assert_eq!(tracker.received(), numbers.len() as u64);
            if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
                let span = u64::from(last.wrapping_sub(*first)) + 1;
                prop_assert_eq!(tracker.lost(), span - numbers.len() as u64);
            }
        }
    }
}
