//! What is known of accounts, so that the store is asked once and not for every request.
//!
//! Who is not there is remembered too, for a shorter time. The edge tells what has changed ([`Command::AccountChanged`]); the
//! lifetimes are for changes that it does not hear of.
//!
//! Invariant: at most `capacity` accounts are remembered; the one that was loaded first is forgotten first.
//!
//! Not here: requests that wait for a look-up (`waiting.rs`).
//!
//! [`Command::AccountChanged`]: crate::Command::AccountChanged

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip::Aor;

use crate::effect::Account;

/// How long and how many accounts are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountCachePolicy {
    /// How many at most.
    pub capacity: usize,
    /// How long an account that exists counts.
    pub lifetime: Duration,
    /// How long it counts that there is none.
    pub absent_lifetime: Duration,
}

impl Default for AccountCachePolicy {
    fn default() -> Self {
        Self {
            capacity: 100_000,
            lifetime: Duration::from_secs(600),
            absent_lifetime: Duration::from_secs(60),
        }
    }
}

/// What the store said of an address-of-record: its account, or that there is none.
pub(crate) type Known = Option<Arc<Account>>;

#[derive(Debug)]
struct Entry {
    account: Known,
    until: Instant,
    /// Tells the entry from an earlier one of the same address in the order.
    serial: u64,
}

/// The accounts that were looked up lately.
#[derive(Debug)]
pub(crate) struct Accounts {
    policy: AccountCachePolicy,
    entries: HashMap<Aor, Entry>,
    /// In the order they were loaded; entries that were replaced or forgotten since are passed over.
    order: VecDeque<(Aor, u64)>,
    next_serial: u64,
}

impl Accounts {
    pub(crate) fn new(policy: AccountCachePolicy) -> Self {
        Self {
            policy,
            entries: HashMap::new(),
            order: VecDeque::new(),
            next_serial: 0,
        }
    }

    /// What is known of `aor`; `None` if the store must be asked.
    pub(crate) fn find(&self, aor: &Aor, now: Instant) -> Option<Known> {
        let entry = self.entries.get(aor)?;
        (entry.until > now).then(|| entry.account.clone())
    }

    /// Remembers what the store said.
    pub(crate) fn remember(&mut self, aor: Aor, account: Known, now: Instant) {
        let lifetime = match account {
            Some(_) => self.policy.lifetime,
            None => self.policy.absent_lifetime,
        };
        let serial = self.next_serial;
        self.next_serial += 1;
        self.order.push_back((aor.clone(), serial));
        self.entries.insert(
            aor,
            Entry {
                account,
                until: now + lifetime,
                serial,
            },
        );
        // Twice the capacity bounds the order where the same accounts are loaded again and again.
        while self.entries.len() > self.policy.capacity
            || self.order.len() > 2 * self.policy.capacity
        {
            let Some((oldest, serial)) = self.order.pop_front() else {
                break;
            };
            if self
                .entries
                .get(&oldest)
                .is_some_and(|entry| entry.serial == serial)
            {
                self.entries.remove(&oldest);
            }
        }
    }

    /// The account has changed: the store is asked the next time.
    pub(crate) fn forget(&mut self, aor: &Aor) {
        self.entries.remove(aor);
    }

    /// Anything may have changed.
    pub(crate) fn forget_all(&mut self) {
        self.entries.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aor(user: u32) -> Aor {
        Aor::parse(&format!("sip:{user}@acme.test")).unwrap()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "simulated time must start somewhere"
    )]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn absence_is_remembered_for_its_own_time() {
        let now = start();
        let mut accounts = Accounts::new(AccountCachePolicy::default());
        assert_eq!(
            accounts.find(&aor(1), now).map(|known| known.is_some()),
            None
        );
        accounts.remember(aor(1), None, now);
        let known = |after| {
            let at = now + Duration::from_secs(after);
            accounts.find(&aor(1), at).map(|known| known.is_some())
        };
        assert_eq!((known(59), known(60)), (Some(false), None));
    }

    #[test]
    fn the_table_never_outgrows_its_capacity() {
        let now = start();
        let mut accounts = Accounts::new(AccountCachePolicy {
            capacity: 3,
            ..AccountCachePolicy::default()
        });
        for user in 0..10 {
            accounts.remember(aor(user), None, now);
            accounts.remember(aor(0), None, now);
        }
        assert!(accounts.entries.len() <= 3 && accounts.order.len() <= 6);
        assert!(accounts.find(&aor(0), now).is_some());
        accounts.forget(&aor(0));
        assert!(accounts.find(&aor(0), now).is_none());
        accounts.forget_all();
        assert!(accounts.find(&aor(9), now).is_none());
    }
}
