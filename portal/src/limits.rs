//! How often something may be tried.
//!
//! A bucket by the generic cell rate algorithm: per key one instant, the *theoretical arrival time*.
//! Only failures count: an attempt that turns out well is given back, or is not taken at all where a
//! hundred phones behind one address may be activated at once. That is why the bucket is ours.
//!
//! The table is bounded. Full of keys that still wait, it refuses new ones: whoever fills it is
//! guessing from a hundred thousand addresses.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// `burst` attempts at once, then one per `interval`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    pub(crate) burst: u32,
    pub(crate) interval: Duration,
}

/// Try again after this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) Duration);

/// One bucket per key.
#[derive(Debug)]
pub(crate) struct Limiter<K> {
    quota: Quota,
    arrivals: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Limiter<K> {
    pub(crate) fn new(quota: Quota) -> Self {
        Self {
            quota,
            arrivals: Mutex::default(),
        }
    }

    /// Counts one attempt.
    pub(crate) fn take(&self, key: K, now: Instant) -> Result<(), Wait> {
        let mut arrivals = self.lock();
        if arrivals.len() >= MAX_KEYS && !arrivals.contains_key(&key) {
            arrivals.retain(|_, arrival| *arrival > now);
            if arrivals.len() >= MAX_KEYS {
                return Err(Wait(self.quota.interval));
            }
        }
        let arrival = self.quota.judge(arrivals.get(&key).copied(), now)?;
        arrivals.insert(key, arrival + self.quota.interval);
        Ok(())
    }

    /// Whether an attempt could be counted now.
    pub(crate) fn check(&self, key: &K, now: Instant) -> Result<(), Wait> {
        self.quota
            .judge(self.lock().get(key).copied(), now)
            .map(drop)
    }

    /// The attempt was a good one: it does not count.
    pub(crate) fn give_back(&self, key: &K) {
        if let Some(arrival) = self.lock().get_mut(key)
            && let Some(earlier) = arrival.checked_sub(self.quota.interval)
        {
            *arrival = earlier;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Quota {
    /// From when the next attempt counts, if it may be made now.
    fn judge(self, arrival: Option<Instant>, now: Instant) -> Result<Instant, Wait> {
        let arrival = arrival.map_or(now, |arrival| arrival.max(now));
        let tolerance = self.interval * self.burst.saturating_sub(1);
        let early = arrival.duration_since(now).saturating_sub(tolerance);
        if early.is_zero() {
            Ok(arrival)
        } else {
            Err(Wait(early))
        }
    }
}

/// What a mail with a link is about. Who asks for the mails of one kind keeps nobody from those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mailed {
    PasswordReset,
    AddressChange,
    SignUp,
}

/// The part of an address that one party is assumed to own: IPv6 hosts get a /64 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source(u128);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(v4.to_ipv6_mapped().to_bits()),
            IpAddr::V6(v6) => Self(v6.to_bits() >> 64 << 64),
        }
    }
}

const MAX_KEYS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        burst: 3,
        interval: Duration::from_secs(10),
    };

    #[test]
    fn after_the_burst_one_attempt_per_interval() {
        let limiter = Limiter::new(QUOTA);
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(limiter.check(&"a", start), Ok(()));
            assert_eq!(limiter.take("a", start), Ok(()));
        }
        assert_eq!(limiter.check(&"a", start), Err(Wait(QUOTA.interval)));
        assert_eq!(limiter.take("a", start), Err(Wait(QUOTA.interval)));
        assert_eq!(limiter.take("b", start), Ok(()));
        let later = start + QUOTA.interval;
        assert_eq!(limiter.take("a", later), Ok(()));
        assert_eq!(limiter.take("a", later), Err(Wait(QUOTA.interval)));
    }

    #[test]
    fn an_attempt_given_back_does_not_count() {
        let limiter = Limiter::new(QUOTA);
        let start = Instant::now();
        for _ in 0..20 {
            assert_eq!(limiter.take("a", start), Ok(()));
            limiter.give_back(&"a");
        }
    }

    #[test]
    fn hosts_of_one_ipv6_network_are_one_source() {
        let source = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(source("2001:db8::1"), source("2001:db8::2:3:4:5"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }
}
