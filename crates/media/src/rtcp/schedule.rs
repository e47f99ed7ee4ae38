//! When to send RTCP (RFC 3550 sections 6.2 and 6.3), for a session of two.
//!
//! The interval follows from the bandwidth but is at least 5 s (half of that at first), times a
//! random factor from 0.5 to 1.5, over e - 1.5. At expiry it is drawn again and the packet sent
//! only if the new one has passed as well (timer reconsideration, section 6.3.6).

use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// What RTCP may use: 5 % of an 80 kbit/s call, in bytes per second.
const BANDWIDTH_BYTES_PER_SEC: f64 = 500.0;
const MIN_INTERVAL_SECS: f64 = 5.0;
/// Makes up for the bias of reconsideration towards longer intervals.
const COMPENSATION: f64 = std::f64::consts::E - 1.5;
const MEMBERS: f64 = 2.0;
/// IP and UDP headers count too (section 6.2).
const LOWER_LAYERS_BYTES: f64 = 28.0;

/// What to do when the deadline has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Send a report now.
    Send,
    /// Not yet; the deadline has moved.
    Later,
}

/// The next deadline for a report.
#[derive(Clone, Debug)]
pub struct Schedule {
    random: ChaCha8Rng,
    average_bytes: f64,
    last: Instant,
    next: Instant,
    has_sent: bool,
}

impl Schedule {
    /// The session starts now. The first report comes after about 2.5 s.
    #[must_use]
    pub fn new(random: ChaCha8Rng, now: Instant) -> Self {
        let mut schedule = Self {
            random,
            average_bytes: 100.0 + LOWER_LAYERS_BYTES,
            last: now,
            next: now,
            has_sent: false,
        };
        schedule.next = now + schedule.draw();
        schedule
    }

    /// When to ask [`Schedule::expire`] next.
    #[must_use]
    pub fn next(&self) -> Instant {
        self.next
    }

    /// The deadline has come: send or wait on. Afterwards the deadline is later than `now`.
    pub fn expire(&mut self, now: Instant) -> Due {
        let due = self.last + self.draw();
        if due > now {
            self.next = due;
            return Due::Later;
        }
        self.last = now;
        self.has_sent = true;
        self.next = now + self.draw();
        Due::Send
    }

    /// A compound packet of this size was sent or received.
    pub fn note_packet(&mut self, len_bytes: usize) {
        let len = f64::from(u16::try_from(len_bytes).unwrap_or(u16::MAX)) + LOWER_LAYERS_BYTES;
        self.average_bytes += (len - self.average_bytes) / 16.0;
    }

    fn draw(&mut self) -> Duration {
        let minimum = if self.has_sent {
            MIN_INTERVAL_SECS
        } else {
            MIN_INTERVAL_SECS / 2.0
        };
        let interval = (MEMBERS * self.average_bytes / BANDWIDTH_BYTES_PER_SEC).max(minimum);
        let unit = f64::from(self.random.next_u32()) / (f64::from(u32::MAX) + 1.0);
        Duration::from_secs_f64(interval * (0.5 + unit) / COMPENSATION)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// Seconds between reports over many sessions, first ones apart.
    fn intervals(sessions: u64) -> (Vec<f64>, Vec<f64>) {
        let start = crate::any_instant();
        let (mut first, mut later) = (Vec::new(), Vec::new());
        for seed in 0..sessions {
            let mut schedule = Schedule::new(ChaCha8Rng::seed_from_u64(seed), start);
            let mut last = start;
            for n in 0..10 {
                let sent = loop {
                    let now = schedule.next();
                    let due = schedule.expire(now);
                    assert!(schedule.next() > now, "would spin");
                    if due == Due::Send {
                        break now;
                    }
                };
                let list = if n == 0 { &mut first } else { &mut later };
                list.push((sent - last).as_secs_f64());
                last = sent;
            }
        }
        (first, later)
    }

    #[test]
    fn reports_are_spread_around_five_seconds_the_first_around_half_of_that() {
        let (first, later) = intervals(500);
        let mean =
            |list: &[f64]| list.iter().sum::<f64>() / f64::from(u32::try_from(list.len()).unwrap());
        assert!((mean(&first) - 2.5).abs() < 0.25, "{}", mean(&first));
        assert!((mean(&later) - 5.0).abs() < 0.25, "{}", mean(&later));
        for interval in later {
            assert!((2.0..=6.2).contains(&interval), "{interval}");
        }
    }

    #[test]
    fn large_packets_make_reports_rarer() {
        let now = crate::any_instant();
        let mut schedule = Schedule::new(ChaCha8Rng::seed_from_u64(1), now);
        for _ in 0..200 {
            schedule.note_packet(60_000);
        }
        schedule.expire(now + Duration::from_secs(1_000));
        assert!(schedule.next() > now + Duration::from_secs(1_050));
    }

    #[test]
    fn the_same_seed_gives_the_same_deadlines() {
        let now = crate::any_instant();
        let deadline = |seed| Schedule::new(ChaCha8Rng::seed_from_u64(seed), now).next();
        assert_eq!(deadline(7), deadline(7));
        assert_ne!(deadline(7), deadline(8));
    }
}
