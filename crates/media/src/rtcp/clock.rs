//! NTP timestamps from a monotonic clock, and the round trip they give (RFC 3550 sections 4, 6.4.1).

use std::time::{Duration, Instant};

/// Seconds from 1900, where NTP starts, to 1970.
const NTP_TO_UNIX_SECS: u64 = 2_208_988_800;

/// Ties a moment of the monotonic clock to the time of day.
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    at: Instant,
    since_unix_epoch: Duration,
}

impl WallClock {
    /// The time of day was `since_unix_epoch` at `at`.
    #[must_use]
    pub fn new(at: Instant, since_unix_epoch: Duration) -> Self {
        Self {
            at,
            since_unix_epoch,
        }
    }

    /// 64-bit NTP timestamp of `now`: seconds, then 2^-32 of a second.
    #[must_use]
    pub fn ntp(&self, now: Instant) -> u64 {
        let unix = self.since_unix_epoch + now.saturating_duration_since(self.at);
        let secs = unix.as_secs().wrapping_add(NTP_TO_UNIX_SECS);
        let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
        (secs << 32) | fraction
    }
}

/// The middle 32 bits of an NTP timestamp: 2^-16 of a second.
#[must_use]
pub fn ntp_middle(ntp: u64) -> u32 {
    u32::try_from((ntp >> 16) & 0xffff_ffff).expect("masked to 32 bits")
}

/// Time there and back, from a report block about us that came at `ntp_now`. `None` if the peer has
/// not seen a sender report of ours, or if its numbers make no sense.
#[must_use]
pub fn round_trip(ntp_now: u64, last_sender_report: u32, delay_since: u32) -> Option<Duration> {
    if last_sender_report == 0 {
        return None;
    }
    let elapsed = ntp_middle(ntp_now)
        .wrapping_sub(last_sender_report)
        .wrapping_sub(delay_since);
    // Half the range and more is a small negative number: the peer's clock is coarse.
    let elapsed = if elapsed > u32::MAX / 2 { 0 } else { elapsed };
    (elapsed < 60 << 16).then(|| Duration::from_nanos(u64::from(elapsed) * 1_000_000_000 / 65_536))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_counts_from_1900_in_fixed_point() {
        let start = crate::any_instant();
        let clock = WallClock::new(start, Duration::from_secs(1));
        assert_eq!(clock.ntp(start) >> 32, NTP_TO_UNIX_SECS + 1);
        assert_eq!(
            clock.ntp(start + Duration::from_millis(250)) & 0xffff_ffff,
            1 << 30
        );
    }

    /// The numbers of the figure in RFC 3550 section 6.4.1.
    #[test]
    fn round_trip_of_the_figure_in_the_standard() {
        let ntp_now = 0xb710_8000_u64 << 16;
        let round_trip = round_trip(ntp_now, 0xb705_2000, 0x0005_4000).unwrap();
        assert_eq!(round_trip, Duration::from_millis(6_125));
    }

    #[test]
    fn senseless_numbers_give_no_round_trip() {
        let now = 0xb710_8000_u64 << 16;
        assert_eq!(round_trip(now, 0, 0), None);
        assert_eq!(
            round_trip(now, 0xb710_8001, 0),
            Some(Duration::ZERO),
            "a coarse clock"
        );
        assert_eq!(round_trip(now, 0xb610_8000, 0), None, "more than a minute");
    }
}
