//! Who guesses passwords is slowed down: a source that was wrong too often is ignored for a while, and an account at which too many
//! sources guess listens to strangers only now and then.
//!
//! Being ignored costs us nothing and tells a guesser nothing, not even whether there is such a user. Never ignored is who has proven
//! that account on the same flow lately, and who writes from where a device of it is registered: a guesser elsewhere, or behind the same
//! router, cannot lock the owner out. `door.rs` asks for both.
//!
//! Invariant: every table is bounded; the entry that was made first is forgotten first.
//!
//! Not here: floods, which are met before parsing (the `sip-io` crate).

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use sip::{Aor, Flow};

use crate::proven::Proven;

/// How much guessing is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuessingPolicy {
    /// Wrong credentials of one source within `window`, of any accounts, that have it ignored.
    pub source_failures: u32,
    /// Wrong credentials for one account within `window`, of any sources, that have strangers slowed down.
    pub account_failures: u32,
    /// How long a wrong one counts.
    pub window: Duration,
    /// How long a source is ignored.
    pub ban: Duration,
    /// How often a stranger is listened to at an account where guessing goes on.
    pub slow: Duration,
    /// Sources and accounts that are watched at most, each.
    pub capacity: usize,
}

impl Default for GuessingPolicy {
    fn default() -> Self {
        Self {
            source_failures: 10,
            account_failures: 20,
            window: Duration::from_secs(60),
            ban: Duration::from_secs(600),
            slow: Duration::from_secs(2),
            capacity: 10_000,
        }
    }
}

/// A source that is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Its address; of IPv6 the first of its network of 64 bits.
    pub source: IpAddr,
    /// How long it is still ignored.
    pub left: Duration,
}

/// Wrong credentials lately.
#[derive(Clone, Copy, Debug)]
struct Strikes {
    since: Instant,
    count: u32,
    /// Nothing is listened to before.
    deaf_until: Instant,
}

/// What is remembered of guessers.
#[derive(Debug)]
pub(crate) struct Guessing {
    policy: GuessingPolicy,
    sources: Table<IpAddr>,
    accounts: Table<Aor>,
    proven: Proven,
}

impl Guessing {
    pub(crate) fn new(policy: GuessingPolicy) -> Self {
        Self {
            policy,
            sources: Table::default(),
            accounts: Table::default(),
            proven: Proven::default(),
        }
    }

    /// The account has been proven on this flow: no ban hits it there.
    pub(crate) fn prove(&mut self, aor: &Aor, flow: &Flow) {
        self.proven.insert(aor, flow);
    }

    /// Whether the account has been proven on this flow lately.
    pub(crate) fn is_proven(&self, aor: &Aor, flow: &Flow) -> bool {
        self.proven.contains(aor, flow)
    }

    /// Who is ignored now, in the order of the addresses.
    pub(crate) fn bans(&self, now: Instant) -> Vec<Ban> {
        let entries = self.sources.entries.iter();
        let mut bans: Vec<_> = entries
            .filter(|(_, strikes)| strikes.deaf_until > now)
            .map(|(source, strikes)| Ban {
                source: *source,
                left: strikes.deaf_until - now,
            })
            .collect();
        bans.sort_unstable_by_key(|ban| ban.source);
        bans
    }

    /// Whether nothing from there is listened to.
    pub(crate) fn is_banned(&self, peer: IpAddr, now: Instant) -> bool {
        let strikes = self.sources.entries.get(&source(peer));
        strikes.is_some_and(|strikes| strikes.deaf_until > now)
    }

    /// Whether a stranger's credentials for this account are looked at now.
    pub(crate) fn listens(&mut self, aor: &Aor, now: Instant) -> bool {
        let Some(strikes) = self.accounts.entries.get_mut(aor) else {
            return true;
        };
        if now.saturating_duration_since(strikes.since) >= self.policy.window
            || strikes.count < self.policy.account_failures
        {
            return true;
        }
        let listens = strikes.deaf_until <= now;
        if listens {
            strikes.deaf_until = now + self.policy.slow;
        }
        listens
    }

    /// A stranger's credentials were wrong; whether his address is banned from now on.
    pub(crate) fn note(&mut self, peer: IpAddr, aor: &Aor, now: Instant) -> bool {
        let GuessingPolicy {
            window,
            ban,
            source_failures,
            capacity,
            ..
        } = self.policy;
        self.accounts.strike(aor.clone(), window, capacity, now);
        let strikes = self.sources.strike(source(peer), window, capacity, now);
        let is_banned = strikes.count >= source_failures;
        if is_banned {
            *strikes = Strikes {
                since: now,
                count: 0,
                deaf_until: now + ban,
            };
        }
        is_banned
    }

    /// An operator knows better.
    pub(crate) fn pardon(&mut self, peer: IpAddr) {
        self.sources.remove(&source(peer));
    }
}

/// What one subscriber has of addresses: one of IPv4, a network of 64 bits of IPv6.
fn source(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[derive(Debug)]
struct Table<K> {
    entries: HashMap<K, Strikes>,
    /// The same, in the order they were made.
    order: VecDeque<K>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Clone + Eq + Hash> Table<K> {
    fn remove(&mut self, key: &K) {
        if self.entries.remove(key).is_some() {
            self.order.retain(|known| known != key);
        }
    }

    fn strike(&mut self, key: K, window: Duration, capacity: usize, now: Instant) -> &mut Strikes {
        if !self.entries.contains_key(&key) {
            self.order.push_back(key.clone());
            while self.order.len() > capacity
                && let Some(oldest) = self.order.pop_front()
            {
                self.entries.remove(&oldest);
            }
        }
        let strikes = self.entries.entry(key).or_insert(Strikes {
            since: now,
            count: 0,
            deaf_until: now,
        });
        if now.saturating_duration_since(strikes.since) >= window {
            strikes.since = now;
            strikes.count = 0;
        }
        strikes.count += 1;
        strikes
    }
}

#[cfg(test)]
mod tests {
    use testkit::sim_net::SimNet;

    use super::*;

    fn aor() -> Aor {
        Aor::parse("sip:1001@acme.test").unwrap()
    }

    #[test]
    fn failures_far_apart_ban_nobody() {
        let mut guessing = Guessing::new(GuessingPolicy::default());
        let peer = IpAddr::from([203, 0, 113, 9]);
        let mut now = SimNet::start();
        for _ in 0..100 {
            assert!(!guessing.note(peer, &aor(), now));
            now += Duration::from_secs(10);
        }
        assert!(!guessing.is_banned(peer, now));
    }

    #[test]
    fn a_network_of_ipv6_is_one_source_and_a_pardon_ends_its_ban() {
        let mut guessing = Guessing::new(GuessingPolicy::default());
        let now = SimNet::start();
        let banned = (0..10).any(|host: u16| {
            let peer = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host);
            guessing.note(peer.into(), &aor(), now)
        });
        let other: IpAddr = "2001:db8:0:1::ffff".parse().unwrap();
        assert!(banned && guessing.is_banned(other, now));
        assert!(!guessing.is_banned("2001:db8:0:2::1".parse().unwrap(), now));
        assert_eq!(guessing.bans(now).len(), 1);
        guessing.pardon(other);
        assert!(!guessing.is_banned(other, now) && guessing.bans(now).is_empty());
    }

    #[test]
    fn the_tables_never_outgrow_their_capacity() {
        let mut guessing = Guessing::new(GuessingPolicy {
            capacity: 8,
            ..GuessingPolicy::default()
        });
        let now = SimNet::start();
        for host in 0..200 {
            guessing.note(IpAddr::from([203, 0, 113, host]), &aor(), now);
        }
        assert!(guessing.sources.entries.len() <= 8 && guessing.sources.order.len() <= 8);
    }
}
