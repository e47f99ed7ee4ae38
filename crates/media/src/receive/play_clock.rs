//! When a frame is taken, without the unevenness of who takes it.
//!
//! A sound card's wants are looked at every few milliseconds, so one frame is taken a little early and the next a
//! little late. A jitter buffer that believed each of these moments would make sound shorter and longer for nothing.
//! The early ones count: what they need has to be there.

use std::time::{Duration, Instant};

use crate::frame::FRAME_DURATION;

/// A frame so far from its moment says that there was a pause.
const PAUSE: Duration = Duration::from_millis(40);
/// One part in so many of what a frame is early, or late, moves the clock.
const PARTS_OF_EARLY: u32 = 4;
const PARTS_OF_LATE: u32 = 128;

/// See the module header.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PlayClock {
    next: Option<Instant>,
}

impl PlayClock {
    /// A frame is taken at `now`: its moment by an even clock.
    pub(super) fn frame(&mut self, now: Instant) -> Instant {
        let expected = self.next.unwrap_or(now);
        let early = expected.saturating_duration_since(now);
        let late = now.saturating_duration_since(expected);
        let moment = if early.max(late) > PAUSE {
            now
        } else {
            expected - early / PARTS_OF_EARLY + late / PARTS_OF_LATE
        };
        self.next = Some(moment + FRAME_DURATION);
        moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Differences of moments in microseconds, after frames were taken so many milliseconds late.
    fn steps(late_ms: impl Iterator<Item = u32>) -> Vec<u128> {
        let start = crate::any_instant();
        let mut clock = PlayClock::default();
        let moments: Vec<_> = (0..)
            .zip(late_ms)
            .map(|(n, late)| clock.frame(start + n * FRAME_DURATION + late * MS))
            .collect();
        let step = |pair: &[Instant]| (pair[1] - pair[0]).as_micros();
        moments.windows(2).map(step).collect()
    }

    #[test]
    fn frames_taken_unevenly_have_even_moments() {
        let uneven = (0..2_000).map(|n: u32| n * n % 7 % 2 * 5);
        let steps = steps(uneven);
        assert!(
            steps[100..]
                .iter()
                .all(|step| (9_900..10_100).contains(step)),
            "{steps:?}"
        );
    }

    #[test]
    fn the_clock_follows_frames_that_come_earlier_at_once_and_later_ones_slowly() {
        let start = crate::any_instant();
        let at = |n: u32| start + 100 * MS + n * FRAME_DURATION;
        let mut clock = PlayClock::default();
        clock.frame(at(0));
        let early = (1..20).map(|n| clock.frame(at(n) - 8 * MS)).last().unwrap();
        assert!(early - (at(19) - 8 * MS) < MS);
        let soon = (20..40).map(|n| clock.frame(at(n))).last().unwrap();
        assert!(at(39) - soon > 6 * MS);
        let later = (40..800).map(|n| clock.frame(at(n))).last().unwrap();
        assert!(at(799) - later < MS);
    }

    #[test]
    fn after_a_pause_it_begins_anew() {
        let start = crate::any_instant();
        let mut clock = PlayClock::default();
        clock.frame(start);
        let back = start + 5_000 * MS;
        assert_eq!(clock.frame(back), back);
    }
}
