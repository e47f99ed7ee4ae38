//! One request until it is answered (RFC 8489 section 6.2.1): repeated after 500 ms, then after twice the time before,
//! seven times in all; 39.5 s after the first one nobody is waited for any longer.

use std::time::{Duration, Instant};

use crate::message::TransactionId;

/// RTO.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Rc: how often a request is sent.
const MAX_SENT: u32 = 7;
/// Rm: the last wait, in first waits.
const LAST_WAIT_FACTOR: u32 = 16;

/// A request under way.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) id: TransactionId,
    bytes: Vec<u8>,
    sent: u32,
    next: Instant,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due<'a> {
    /// Send this.
    Send(&'a [u8]),
    /// Nothing until [`Transaction::next`].
    Nothing,
    /// Nobody answered.
    Expired,
}

impl Transaction {
    /// To be sent at once.
    pub(crate) fn new(id: TransactionId, bytes: Vec<u8>, now: Instant) -> Self {
        Self {
            id,
            bytes,
            sent: 0,
            next: now,
        }
    }

    /// When to ask again.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// What is due at `now`; afterwards the deadline is later than `now`, unless it expired.
    pub(crate) fn poll(&mut self, now: Instant) -> Due<'_> {
        if now < self.next {
            return Due::Nothing;
        }
        if self.sent == MAX_SENT {
            return Due::Expired;
        }
        self.sent += 1;
        let wait = if self.sent == MAX_SENT {
            FIRST_WAIT * LAST_WAIT_FACTOR
        } else {
            FIRST_WAIT * 2_u32.pow(self.sent - 1)
        };
        self.next = now + wait;
        Due::Send(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::any_instant;

    #[test]
    fn a_request_is_sent_when_rfc_8489_says_and_given_up_after_39_5_s() {
        let start = any_instant();
        let mut transaction = Transaction::new([1; 12], vec![7], start);
        let mut sent = Vec::new();
        let end = loop {
            let now = transaction.next();
            match transaction.poll(now) {
                Due::Send(bytes) => {
                    assert_eq!(bytes, [7]);
                    sent.push((now - start).as_millis());
                }
                Due::Nothing => panic!("the deadline had come"),
                Due::Expired => break now,
            }
            assert_eq!(transaction.poll(now), Due::Nothing);
        };
        assert_eq!(sent, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
        assert_eq!((end - start).as_millis(), 39_500);
    }
}
