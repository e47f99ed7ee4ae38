//! Pairs of ports for legs that the shared port cannot tell apart: which are free, whose the others are.
//!
//! A pair is picked at random, and one that was given back is left alone for a while, if there is any other:
//! who has not heard that the call is over still sends there, and must not get into the next one.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How long a pair rests: the time after which a BYE that was not answered is given up (RFC 3261, timer F).
const REST: Duration = Duration::from_secs(32);

/// Whom pairs are counted for: an account, by a number of the owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnerId(pub u64);

/// Why there is no pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PairError {
    /// Too many calls that need one.
    #[error(
        "all {pairs} pairs of relay ports are in use: let a call end, or give the relay a larger range"
    )]
    AllInUse {
        /// How many there are.
        pairs: usize,
    },
    /// The account has as many as it may.
    #[error("the account uses {quota} pairs of relay ports, as many as one may")]
    QuotaReached {
        /// How many it may have.
        quota: usize,
    },
}

/// See the module header.
pub struct PairPool {
    pairs: usize,
    quota: usize,
    free: Vec<u16>,
    resting: VecDeque<(Instant, u16)>,
    used: HashMap<u16, OwnerId>,
    by_owner: HashMap<OwnerId, usize>,
    random: ChaCha8Rng,
}

impl PairPool {
    /// With the RTP ports of all pairs; one owner gets at most `quota` of them.
    #[must_use]
    pub fn new(rtp_ports: Vec<u16>, quota: usize, seed: u64) -> Self {
        Self {
            pairs: rtp_ports.len(),
            quota,
            free: rtp_ports,
            resting: VecDeque::new(),
            used: HashMap::new(),
            by_owner: HashMap::new(),
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Pairs in use.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.len()
    }

    /// A pair for this owner, by its RTP port.
    ///
    /// # Errors
    ///
    /// [`PairError`].
    pub fn take(&mut self, owner: OwnerId, now: Instant) -> Result<u16, PairError> {
        let quota = self.quota;
        let has = self.by_owner.get(&owner).copied().unwrap_or(0);
        if has >= quota {
            return Err(PairError::QuotaReached { quota });
        }
        while let Some((_, port)) = self.resting.pop_front_if(|(until, _)| *until <= now) {
            self.free.push(port);
        }
        let port = if self.free.is_empty() {
            let longest = self.resting.pop_front();
            let none = PairError::AllInUse { pairs: self.pairs };
            longest.map(|(_, port)| port).ok_or(none)?
        } else {
            let among = u64::try_from(self.free.len()).unwrap_or(u64::MAX);
            let at = usize::try_from(self.random.next_u64() % among).unwrap_or(0);
            self.free.swap_remove(at)
        };
        self.used.insert(port, owner);
        self.by_owner.insert(owner, has + 1);
        Ok(port)
    }

    /// The pair is not used any more.
    pub fn give_back(&mut self, port: u16, now: Instant) {
        let Some(owner) = self.used.remove(&port) else {
            return;
        };
        self.resting.push_back((now + REST, port));
        if let Some(has) = self.by_owner.get_mut(&owner) {
            *has -= 1;
            if *has == 0 {
                self.by_owner.remove(&owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: OwnerId = OwnerId(1);
    const BOB: OwnerId = OwnerId(2);

    fn pool(pairs: u16, quota: usize) -> PairPool {
        let ports = (0..pairs).map(|n| 20_000 + n * 2).collect();
        PairPool::new(ports, quota, 7)
    }

    #[test]
    fn every_pair_is_given_once_and_then_exhaustion_is_said() {
        let now = crate::any_instant();
        let mut pool = pool(50, 100);
        let mut taken: Vec<_> = (0..50).map(|_| pool.take(ALICE, now).unwrap()).collect();
        assert_eq!(pool.take(BOB, now), Err(PairError::AllInUse { pairs: 50 }));
        assert!(!taken.is_sorted(), "picked at random");
        taken.sort_unstable();
        taken.dedup();
        assert_eq!((taken.len(), pool.used()), (50, 50));
    }

    #[test]
    fn an_account_has_its_quota_and_gets_it_back() {
        let now = crate::any_instant();
        let mut pool = pool(50, 2);
        let port = pool.take(ALICE, now).unwrap();
        pool.take(ALICE, now).unwrap();
        assert_eq!(
            pool.take(ALICE, now),
            Err(PairError::QuotaReached { quota: 2 })
        );
        pool.take(BOB, now).unwrap();
        pool.give_back(port, now);
        pool.give_back(port, now);
        pool.take(ALICE, now).unwrap();
        assert_eq!(
            pool.take(ALICE, now),
            Err(PairError::QuotaReached { quota: 2 })
        );
    }

    #[test]
    fn a_pair_rests_before_it_is_used_again_unless_there_is_no_other() {
        let now = crate::any_instant();
        let mut pool = pool(3, 9);
        let first = pool.take(ALICE, now).unwrap();
        pool.give_back(first, now);
        assert_ne!(pool.take(ALICE, now), Ok(first));
        assert_ne!(pool.take(ALICE, now), Ok(first));
        assert_eq!(pool.take(ALICE, now), Ok(first), "better than no call");
        pool.give_back(first, now);
        assert_eq!(pool.take(ALICE, now + REST), Ok(first));
    }
}
