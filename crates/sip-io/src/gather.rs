//! Letting datagrams gather: a loop that is busy anyway sleeps a moment before it looks again, so
//! that one wake-up and one system call serve several messages.
//!
//! Only when the rate of the last turns makes several datagrams likely within the pause: at lower
//! rates nothing would gather and every message would wait for nothing. The pause is a sleep of the
//! thread, far shorter than the runtime's timers can be.

use std::time::{Duration, Instant};

use crate::udp::Sockets;

/// Datagrams that a pause must be likely to bring.
const WORTH: u32 = 4;

/// A longer time between two datagrams counts as this.
const LONGEST_GAP: Duration = Duration::from_millis(10);

/// The state of a loop's pauses.
#[derive(Debug)]
pub(crate) struct Gather {
    pause: Duration,
    /// Mean time between two datagrams.
    gap: Duration,
    last: Instant,
    /// Whether the turn that was noted last brought anything.
    received: bool,
    turns: u32,
}

impl Gather {
    pub(crate) fn new(pause: Duration, now: Instant) -> Self {
        Self {
            pause,
            gap: LONGEST_GAP,
            last: now,
            received: false,
            turns: 0,
        }
    }

    /// Notes how many datagrams a turn brought.
    pub(crate) fn note(&mut self, received: usize, now: Instant) {
        self.turns = self.turns.wrapping_add(1);
        self.received = received > 0;
        let Ok(count) = u32::try_from(received) else {
            return;
        };
        if count == 0 {
            return;
        }
        let gap = now.saturating_duration_since(self.last) / count;
        self.gap = (self.gap * 3 + gap.min(LONGEST_GAP)) / 4;
        self.last = now;
    }

    /// Whether a pause now would bring more.
    pub(crate) fn expects_more(&self) -> bool {
        self.received && self.gap * WORTH < self.pause
    }

    /// How many turns have been noted.
    pub(crate) fn turns(&self) -> u32 {
        self.turns
    }

    /// Sleeps if that brings more, and has the sockets looked at afterwards.
    pub(crate) fn pause(&self, sockets: &mut Sockets) {
        if self.expects_more() {
            std::thread::sleep(self.pause);
            sockets.look_everywhere();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_micros(200);

    /// Whether a loop that has had `rate` datagrams a second for a while pauses.
    fn pauses_at(rate: u32) -> bool {
        let mut now = Instant::now();
        let mut gather = Gather::new(PAUSE, now);
        for _ in 0..100 {
            now += Duration::from_secs(1) / rate;
            gather.note(1, now);
        }
        gather.expects_more()
    }

    #[test]
    fn a_loop_pauses_only_when_the_pause_brings_more() {
        assert!(pauses_at(40_000));
        assert!(pauses_at(21_000));
        assert!(!pauses_at(19_000));
        assert!(!pauses_at(10));
    }

    #[test]
    fn the_first_datagrams_after_a_silence_do_not_wait() {
        let start = Instant::now();
        let mut gather = Gather::new(PAUSE, start);
        gather.note(3, start + Duration::from_secs(1));
        assert!(!gather.expects_more());
        gather.note(0, start + Duration::from_secs(1));
        assert!(!gather.expects_more());
    }

    #[test]
    fn without_a_pause_nothing_is_ever_expected() {
        let start = Instant::now();
        let mut gather = Gather::new(Duration::ZERO, start);
        gather.note(64, start);
        gather.note(64, start);
        assert!(!gather.expects_more());
    }
}
