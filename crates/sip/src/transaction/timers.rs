//! Timer values and the timers that are set in one transaction (RFC 3261, section 17 and annex A).
//!
//! | timer | machine | value | what it does |
//! |---|---|---|---|
//! | A | INVITE client | T1, doubling | sends the request again, UDP only |
//! | B | INVITE client | 64·T1 | gives up without any response |
//! | C | INVITE client | [`Timers::ringing`] | gives up on a call that only rings |
//! | D | INVITE client | 64·T1, 0 if reliable | absorbs repeated finals |
//! | E | non-INVITE client | T1, doubling to T2 | sends the request again, UDP only |
//! | F | non-INVITE client | 64·T1 | gives up |
//! | G | INVITE server | T1, doubling to T2 | sends the final again, UDP only |
//! | H | INVITE server | 64·T1 | gives up waiting for the ACK |
//! | I | INVITE server | T4, 0 if reliable | absorbs repeated ACKs |
//! | J | non-INVITE server | 64·T1, 0 if reliable | absorbs repeated requests |
//! | K | non-INVITE client | T4, 0 if reliable | absorbs repeated finals |
//! | L | INVITE server | 64·T1 | lets repeated 2xx out (RFC 6026) |
//! | M | INVITE client | 64·T1 | lets repeated 2xx in (RFC 6026) |
//! | Trying | INVITE server | 200 ms | sends 100 if the user has said nothing |
//! | Guard | servers | [`Timers::ringing`] or 64·T1 | ends what the user never answers |
//! | Cancelled | INVITE client | 64·T1 | gives up on a cancelled call without final |

use std::time::{Duration, Instant};

/// The base values of RFC 3261, table 4, and our own guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Estimate of the round-trip time; 500 ms.
    pub t1: Duration,
    /// Longest interval between retransmissions; 4 s.
    pub t2: Duration,
    /// How long a message may stay in the network; 5 s.
    pub t4: Duration,
    /// How long an INVITE may stay without a final response after its last provisional one (as
    /// a client) or after its arrival (as a server): timer C, more than 3 minutes; 5 minutes.
    pub ringing: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            ringing: Duration::from_secs(300),
        }
    }
}

impl Timers {
    /// 64·T1: how long a transaction tries, 32 s.
    pub fn patience(&self) -> Duration {
        64 * self.t1
    }

    /// No value below 1 ms, so that no timer can fire at the moment it is set.
    pub(crate) fn at_least_a_millisecond(self) -> Self {
        let floor = |value: Duration| value.max(Duration::from_millis(1));
        Self {
            t1: floor(self.t1),
            t2: floor(self.t2),
            t4: floor(self.t4),
            ringing: floor(self.ringing),
        }
    }
}

/// How long an INVITE may be without any response before the transaction sends 100 by itself
/// (RFC 3261, section 17.2.1).
pub(crate) const TRYING_AFTER: Duration = Duration::from_millis(200);

/// Timers by their letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
    K,
    L,
    M,
    Trying,
    Guard,
    Cancelled,
}

/// The timers that run in one transaction: never more than three.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Running([Option<(Timer, Instant)>; 3]);

impl Running {
    /// Starts `timer`, or moves it if it runs already.
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.stop(timer);
        let free = self.0.iter_mut().find(|slot| slot.is_none());
        *free.expect("no state runs more than three timers") = Some((timer, at));
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        for slot in &mut self.0 {
            if slot.is_some_and(|(running, _)| running == timer) {
                *slot = None;
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0 = [None; 3];
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().map(|&(_, at)| at).min()
    }

    /// Takes out the earliest timer that is due at `now`.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let slot = self
            .0
            .iter_mut()
            .filter(|slot| slot.is_some_and(|(_, at)| at <= now))
            .min_by_key(|slot| slot.map(|(_, at)| at))?;
        slot.take().map(|(timer, _)| timer)
    }
}
