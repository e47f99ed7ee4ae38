//! How much strangers may send: a token bucket per source address, asked before anything is
//! parsed.
//!
//! The table has a fixed number of buckets, and a secret hash says which one a source uses. Memory
//! is constant, nothing needs to be evicted, and nobody can choose whose bucket he shares. Sources
//! that forge many addresses empty many buckets: then strangers as a whole have to wait, which is
//! what a limit on all of them would do.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

/// Buckets of one loop.
const BUCKETS: usize = 8_192;

/// What one message takes.
const TOKEN: u32 = 1_000;

/// The share of a bucket that is kept for messages with credentials.
const RESERVE: u32 = 2;

/// What one source may send while it is a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRate {
    /// Messages per second in the long run.
    pub per_second: u32,
    /// Messages at once after a pause.
    pub burst: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// What has been taken out, in thousandths of a message.
    taken: u32,
    /// Milliseconds since the start of the table.
    at: u32,
}

/// The buckets of one loop.
#[derive(Debug)]
pub(crate) struct SourceBuckets {
    rate: SourceRate,
    start: Instant,
    hasher: RandomState,
    buckets: Vec<Bucket>,
}

impl SourceBuckets {
    pub(crate) fn new(rate: SourceRate, now: Instant) -> Self {
        Self {
            rate,
            start: now,
            hasher: RandomState::new(),
            buckets: vec![Bucket::default(); BUCKETS],
        }
    }

    /// Whether one more message of `source` may pass. The last part of a bucket is only for those
    /// who `have_credentials`, which is asked only when it matters.
    pub(crate) fn take(
        &mut self,
        source: IpAddr,
        have_credentials: impl FnOnce() -> bool,
        now: Instant,
    ) -> bool {
        let hash = self.hasher.hash_one(network(source));
        let index = usize::try_from(hash % (BUCKETS as u64)).unwrap_or_default();
        let elapsed = now.saturating_duration_since(self.start);
        // Wraps after seven weeks, when a source that was silent so long gets less once.
        let at = u32::try_from(elapsed.as_millis() & u128::from(u32::MAX)).unwrap_or_default();
        let bucket = &mut self.buckets[index];
        let refill = at
            .wrapping_sub(bucket.at)
            .saturating_mul(self.rate.per_second);
        bucket.taken = bucket.taken.saturating_sub(refill);
        bucket.at = at;
        let size = self.rate.burst.saturating_mul(TOKEN);
        let after = bucket.taken.saturating_add(TOKEN);
        let open_to_all = size - size / RESERVE;
        if after > size || (after > open_to_all && !have_credentials()) {
            return false;
        }
        bucket.taken = after;
        true
    }
}

/// What counts as one source: an IPv4 address, or the network that one IPv6 subscriber has.
fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => address.into(),
            None => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RATE: SourceRate = SourceRate {
        per_second: 10,
        burst: 100,
    };

    fn source(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many of `count` messages pass.
    fn pass(buckets: &mut SourceBuckets, source: IpAddr, credentials: bool, now: Instant) -> u32 {
        (0..1_000)
            .map(|_| u32::from(buckets.take(source, || credentials, now)))
            .sum()
    }

    #[test]
    fn a_flood_leaves_room_for_messages_with_credentials_from_its_own_address() {
        let now = Instant::now();
        let mut buckets = SourceBuckets::new(RATE, now);
        let source = source("192.0.2.1");
        assert_eq!(pass(&mut buckets, source, false, now), 50);
        assert_eq!(pass(&mut buckets, source, true, now), 50);
        assert_eq!(pass(&mut buckets, source, true, now), 0);
        // A second later ten more, and those first for credentials.
        let later = now + Duration::from_secs(1);
        assert_eq!(pass(&mut buckets, source, false, later), 0);
        assert_eq!(pass(&mut buckets, source, true, later), 10);
        // After a long pause the whole burst, and no more than that.
        let much_later = now + Duration::from_secs(1_000);
        assert_eq!(pass(&mut buckets, source, true, much_later), 100);
    }

    #[test]
    fn one_source_does_not_use_up_what_another_may_send() {
        let now = Instant::now();
        let mut buckets = SourceBuckets::new(RATE, now);
        pass(&mut buckets, source("192.0.2.1"), true, now);
        let others = (0..10_u8).map(|host| IpAddr::from([198, 51, 100, host]));
        // One or another may share the bucket of the first.
        let free = others
            .filter(|&other| buckets.take(other, || false, now))
            .count();
        assert!(free >= 8, "{free}");
    }

    #[test]
    fn the_addresses_of_one_subscriber_are_one_source() {
        assert_eq!(
            network(source("2001:db8::1")),
            network(source("2001:db8::ffff:1"))
        );
        assert_ne!(
            network(source("2001:db8::1")),
            network(source("2001:db8:0:1::1"))
        );
        assert_eq!(network(source("::ffff:192.0.2.1")), source("192.0.2.1"));
    }
}
