//! When a delivery is tried again, and when a receiver counts as gone.

use std::time::Duration;

use time::OffsetDateTime;

/// What is done after an attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Try again then.
    At(OffsetDateTime),
    /// Give the delivery up.
    GiveUp,
    /// Give it up, and switch the webhook off: nor has its receiver taken anything else for [`FAILING`].
    SwitchOff,
}

/// An attempt that failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    /// How many there were, this one included.
    pub(super) attempts: u32,
    /// When the delivery was asked for.
    pub(super) created_at: OffsetDateTime,
    /// Since when the receiver has taken nothing.
    pub(super) failing_since: Option<OffsetDateTime>,
    /// What the receiver asked to wait (RFC 9110 section 10.2.3).
    pub(super) retry_after: Option<Duration>,
}

/// `jitter` is around 1, so that what failed together is not tried together.
pub(super) fn after(failed: &Failed, first: Duration, jitter: f64, now: OffsetDateTime) -> Next {
    let asked = failed.retry_after.unwrap_or_default().min(LONGEST);
    let pause = pause_after(failed.attempts, first)
        .mul_f64(jitter)
        .max(asked);
    let next = now + pause;
    let is_gone = failed
        .failing_since
        .is_some_and(|since| now >= since + FAILING);
    if next <= failed.created_at + PATIENCE {
        Next::At(next)
    } else if is_gone {
        Next::SwitchOff
    } else {
        Next::GiveUp
    }
}

/// `first` after the first attempt, then four times as long each time, at most six hours.
fn pause_after(attempts: u32, first: Duration) -> Duration {
    let factor = 4_u32.saturating_pow(attempts.saturating_sub(1));
    first.saturating_mul(factor).min(LONGEST)
}

/// For how long a delivery is tried.
const PATIENCE: time::Duration = time::Duration::days(3);
/// For how long a receiver may take nothing.
const FAILING: time::Duration = time::Duration::days(5);
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 09:00 UTC);
    const FIRST: Duration = Duration::from_secs(10);

    fn failed(attempts: u32) -> Failed {
        Failed {
            attempts,
            created_at: NOW,
            failing_since: None,
            retry_after: None,
        }
    }

    #[test]
    fn pauses_grow_to_six_hours_and_end_after_three_days() {
        let (mut now, mut attempts, mut pauses) = (NOW, 1, Vec::new());
        while let Next::At(next) = after(&failed(attempts), FIRST, 1.0, now) {
            pauses.push((next - now).whole_seconds());
            (now, attempts) = (next, attempts + 1);
        }
        assert_eq!(pauses[..7], [10, 40, 160, 640, 2560, 10_240, 21_600]);
        assert!(pauses[7..].iter().all(|pause| *pause == 21_600));
        assert_eq!(attempts, 18);
        let lasted = now - NOW;
        assert!(lasted > time::Duration::hours(66) && lasted <= PATIENCE);
    }

    #[test]
    fn jitter_moves_an_attempt_and_many_attempts_overflow_nothing() {
        let early = after(&failed(1), FIRST, 0.8, NOW);
        assert_eq!(early, Next::At(NOW + Duration::from_secs(8)));
        let last = after(&failed(u32::MAX), FIRST, 1.2, NOW);
        assert_eq!(last, Next::At(NOW + LONGEST.mul_f64(1.2)));
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_but_not_for_a_shorter_one_or_for_ever() {
        let asking = |secs| Failed {
            retry_after: Some(Duration::from_secs(secs)),
            ..failed(2)
        };
        for (asked, pause) in [(1, 40), (100, 100), (u64::MAX, 21_600)] {
            let next = after(&asking(asked), FIRST, 1.0, NOW);
            assert_eq!(next, Next::At(NOW + Duration::from_secs(pause)), "{asked}");
        }
    }

    #[test]
    fn a_receiver_that_takes_nothing_for_five_days_is_gone() {
        let since = |days| Failed {
            created_at: NOW - PATIENCE,
            failing_since: Some(NOW - time::Duration::days(days)),
            ..failed(18)
        };
        assert_eq!(after(&since(4), FIRST, 1.0, NOW), Next::GiveUp);
        assert_eq!(after(&since(5), FIRST, 1.0, NOW), Next::SwitchOff);
    }

    #[test]
    fn what_is_seldom_told_is_tried_for_three_days_however_long_ago_the_receiver_failed() {
        let seldom = Failed {
            failing_since: Some(NOW - time::Duration::days(30)),
            ..failed(1)
        };
        assert!(matches!(after(&seldom, FIRST, 1.0, NOW), Next::At(_)));
    }
}
