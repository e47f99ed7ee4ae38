//! Which indices were seen: the replay list, and the guess of the roll-over counter
//! (RFC 3711 sections 3.3.1 and 3.3.2).

/// Indices that are remembered behind the highest one; RFC 3711 asks for 64 at least.
pub(super) const WINDOW: u64 = 128;
/// Indices of RTP have 48 bits.
const MAX_RTP_INDEX: u64 = (1 << 48) - 1;

/// An index that was seen before, or is too old to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replayed;

/// The indices of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReplayWindow {
    highest: u64,
    /// Bit n: `highest - n` was seen.
    seen: u128,
}

/// What a sequence number means next to the highest index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// The index.
    Index(u64),
    /// Before the first packet.
    TooOld,
    /// The roll-over counter is used up.
    Exhausted,
}

impl ReplayWindow {
    /// Of a source of which one packet was seen.
    pub(super) fn starting_at(index: u64) -> Self {
        Self {
            highest: index,
            seen: 1,
        }
    }

    /// The index nearest to the highest one with this sequence number.
    pub(super) fn guess(&self, sequence: u16) -> Guess {
        let low = u16::try_from(self.highest & 0xffff).expect("masked to 16 bits");
        let ahead = sequence.wrapping_sub(low);
        let index = if ahead < 0x8000 {
            self.highest.checked_add(ahead.into())
        } else {
            self.highest.checked_sub(low.wrapping_sub(sequence).into())
        };
        match index {
            None => Guess::TooOld,
            Some(index) if index > MAX_RTP_INDEX => Guess::Exhausted,
            Some(index) => Guess::Index(index),
        }
    }

    /// Whether a packet with this index would be new.
    pub(super) fn check(&self, index: u64) -> Result<(), Replayed> {
        let Some(behind) = self.highest.checked_sub(index) else {
            return Ok(());
        };
        if behind < WINDOW && self.seen >> behind & 1 == 0 {
            Ok(())
        } else {
            Err(Replayed)
        }
    }

    /// Takes note of a packet that is new and genuine.
    pub(super) fn accept(&mut self, index: u64) {
        match index.checked_sub(self.highest) {
            Some(ahead) => {
                let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
                self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
                self.highest = index;
            }
            None => {
                let behind = u32::try_from(self.highest - index).unwrap_or(u32::MAX);
                self.seen |= 1_u128.checked_shl(behind).unwrap_or(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_counter_rolls_over_and_late_packets_belong_before_it() {
        let mut window = ReplayWindow::starting_at(65_534);
        assert_eq!(window.guess(1), Guess::Index(65_537));
        window.accept(65_537);
        assert_eq!(window.guess(65_535), Guess::Index(65_535));
        assert_eq!(window.guess(2), Guess::Index(65_538));
    }

    #[test]
    fn nothing_is_before_the_first_number_or_behind_the_last() {
        assert_eq!(ReplayWindow::starting_at(3).guess(65_535), Guess::TooOld);
        assert_eq!(
            ReplayWindow::starting_at(MAX_RTP_INDEX).guess(0),
            Guess::Exhausted
        );
    }

    #[test]
    fn what_was_seen_or_is_older_than_the_window_is_a_replay() {
        let mut window = ReplayWindow::starting_at(1_000);
        assert_eq!(window.check(1_000), Err(Replayed));
        assert_eq!(window.check(1_000 - WINDOW), Err(Replayed));
        assert_eq!(window.check(1_001 - WINDOW), Ok(()));
        window.accept(1_001 - WINDOW);
        assert_eq!(window.check(1_001 - WINDOW), Err(Replayed));
        window.accept(1_000_000);
        assert_eq!(window.check(1_000), Err(Replayed));
        assert_eq!(window.check(999_999), Ok(()));
    }

    proptest! {
        /// The list of all that was seen is the model.
        #[test]
        fn no_index_passes_twice(indices in proptest::collection::vec(0_u64..600, 1..300)) {
            let mut window = ReplayWindow::starting_at(300);
            let mut seen = vec![300];
            for index in indices {
                let highest = *seen.iter().max().unwrap();
                let is_new = !seen.contains(&index) && index + WINDOW > highest;
                prop_assert_eq!(window.check(index).is_ok(), is_new, "{}", index);
                if is_new {
                    window.accept(index);
                    seen.push(index);
                }
            }
        }

        #[test]
        fn the_guess_is_right_within_half_a_cycle(highest in 40_000_u64..1 << 40, away in -32_767_i64..=32_767) {
            let index = highest.checked_add_signed(away).unwrap();
            let sequence = u16::try_from(index & 0xffff).unwrap();
            prop_assert_eq!(ReplayWindow::starting_at(highest).guess(sequence), Guess::Index(index));
        }
    }
}
