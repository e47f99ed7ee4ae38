//! What is known of accounts, so that the store is asked once and not for every request.
//!
//! Who is not there is remembered too, for a shorter time. The edge tells what has changed ([`Command::AccountChanged`]); the
//! lifetimes are for changes that it does not hear of.
//!
//! A hundred thousand accounts are mostly text and hashes; each is packed (`accounts/packed.rs`), and they stand in a ring in the order they
//! were loaded. The index finds them by user and domain, which lie only in the packed bytes.
//!
//! Invariants: at most `capacity` accounts are remembered; the one that was loaded first is forgotten first. Every account in the ring
//! stands in the index once, under its number and with its handle.
//!
//! Not here: requests that wait for a look-up (`waiting.rs`).
//!
//! [`Command::AccountChanged`]: crate::Command::AccountChanged

mod packed;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sip::{Algorithm, Aor, DigestSecret};

use packed::{AHEAD, Hashes, Head, key, until};

use crate::effect::{Account, Owner};
use crate::index::{Found, Index, MAX_SLOTS};
use crate::names::Names;
use crate::shelf::{Handle, Shelf};
use crate::shelved::Key;

/// Numbers of accounts go round below this.
const NUMBERS: u32 = MAX_SLOTS;

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

/// An account as it is remembered, nothing of it copied that is text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountRef<'a> {
    pub(crate) aor: &'a Aor,
    pub(crate) owner: Owner,
    pub(crate) auth_username: &'a str,
    pub(crate) secret: DigestSecret,
    pub(crate) display_name: Option<&'a str>,
}

impl<'a> AccountRef<'a> {
    pub(crate) fn new(account: &'a Account) -> Self {
        Self {
            aor: &account.aor,
            owner: account.owner,
            auth_username: &account.auth_username,
            secret: account.secret,
            display_name: account.display_name.as_deref(),
        }
    }

    /// For who keeps it longer.
    pub(crate) fn to_account(self) -> Account {
        Account {
            owner: self.owner,
            aor: self.aor.clone(),
            auth_username: self.auth_username.to_owned(),
            secret: self.secret,
            display_name: self.display_name.map(str::to_owned),
        }
    }
}

/// The accounts that were looked up lately.
#[derive(Debug)]
pub(crate) struct Accounts {
    policy: AccountCachePolicy,
    hashes: Hashes,
    /// Packed, in the order they were loaded; empty where one was replaced or forgotten since.
    ring: VecDeque<Option<Handle>>,
    shelf: Shelf,
    names: Names,
    /// The number of the first in the ring.
    first: u32,
    index: Index,
    len: usize,
    /// From which seconds are counted.
    start: Option<Instant>,
}

impl Accounts {
    /// For a server that accepts these algorithms; of what is found, hashes for others are zero.
    pub(crate) fn new(policy: AccountCachePolicy, accepted: &[Algorithm]) -> Self {
        Self::with(policy, Hashes::of(accepted))
    }

    fn with(policy: AccountCachePolicy, hashes: Hashes) -> Self {
        Self {
            policy,
            hashes,
            ring: VecDeque::new(),
            shelf: Shelf::default(),
            names: Names::default(),
            first: 0,
            index: Index::default(),
            len: 0,
            start: None,
        }
    }

    /// What is known of `aor`: its account, or that there is none; `None` if the store must be asked.
    pub(crate) fn find<'a>(&'a self, aor: &'a Aor, now: Instant) -> Option<Option<AccountRef<'a>>> {
        let packed = self.shelf.read(self.place(aor)?.handle);
        let is_good = until(packed) > self.secs(now);
        is_good.then(|| self.unpack(packed, aor))
    }

    /// Remembers what the store said.
    pub(crate) fn remember(&mut self, aor: &Aor, account: Option<&Account>, now: Instant) {
        self.keep(aor, account, 0, now);
    }

    fn keep(&mut self, aor: &Aor, account: Option<&Account>, flags: u8, now: Instant) {
        self.start.get_or_insert(now);
        self.forget(aor);
        let lifetime = match account {
            Some(_) => self.policy.lifetime,
            None => self.policy.absent_lifetime,
        };
        self.make_room(now);
        let behind = u32::try_from(self.ring.len()).ok();
        let Some(behind) = behind.filter(|behind| *behind < NUMBERS) else {
            return;
        };
        let until = self.secs(now + lifetime);
        let Some(packed) = self.pack(aor, account, flags, until) else {
            return;
        };
        let Some(handle) = self.shelf.put(&packed) else {
            self.release(&packed);
            return;
        };
        self.ring.push_back(Some(handle));
        let slot = (self.first + behind) % NUMBERS;
        let shelf = &self.shelf;
        self.index
            .insert(Found { slot, handle }, |handle| key(shelf.read(handle)));
        self.len += 1;
    }

    /// Remembers an account that nobody has asked for: anew if it is known, otherwise only where there is room, so that it
    /// never takes that of one that is in use.
    pub(crate) fn remember_ahead(&mut self, account: &Account, now: Instant) {
        let is_known = self.place(&account.aor).is_some();
        self.drop_first(now, |_| false);
        if is_known || self.len < self.policy.capacity {
            self.keep(&account.aor, Some(account), AHEAD, now);
        }
    }

    /// Whether the account was read before anybody asked, so that no request has waited for it yet.
    pub(crate) fn is_ahead(&self, aor: &Aor) -> bool {
        let packed = self.place(aor).map(|found| self.shelf.read(found.handle));
        packed
            .and_then(Head::read)
            .is_some_and(|head| head.flags & AHEAD != 0)
    }

    /// The account has changed: the store is asked the next time.
    pub(crate) fn forget(&mut self, aor: &Aor) {
        if let Some(found) = self.place(aor) {
            self.remove(found);
        }
    }

    /// Anything may have changed.
    pub(crate) fn forget_all(&mut self) {
        *self = Self {
            start: self.start,
            ..Self::with(self.policy, self.hashes)
        };
    }

    /// Forgets the first as long as they are over or too many.
    fn make_room(&mut self, now: Instant) {
        let capacity = self.policy.capacity;
        // Twice the capacity bounds the ring where the same accounts are loaded again and again.
        self.drop_first(now, |own| {
            own.len >= capacity || own.ring.len() >= 2 * capacity
        });
    }

    /// Forgets the first as long as they are over or `is_full` says so.
    fn drop_first(&mut self, now: Instant, is_full: impl Fn(&Self) -> bool) {
        let now_secs = self.secs(now);
        while let Some(first) = self.ring.front() {
            let is_over = first.is_none_or(|first| until(self.shelf.read(first)) <= now_secs);
            let handle = *first;
            if !is_over && !is_full(self) {
                return;
            }
            if let Some(handle) = handle {
                let slot = self.first;
                self.remove(Found { slot, handle });
            }
            self.ring.pop_front();
            self.first = (self.first + 1) % NUMBERS;
        }
    }

    fn remove(&mut self, old: Found) {
        let shelf = &self.shelf;
        self.index.remove(old, |handle| key(shelf.read(handle)));
        self.len -= 1;
        let place = self.ring.get_mut(distance(self.first, old.slot));
        if let Some(handle) = place.and_then(Option::take) {
            let packed = self.shelf.read(handle).to_vec();
            self.shelf.remove(handle);
            self.release(&packed);
        }
    }

    fn place(&self, aor: &Aor) -> Option<Found> {
        let domain = self.names.find(aor.host().as_bytes())?;
        let user = aor.user().as_bytes();
        let shelf = &self.shelf;
        self.index
            .find(&Key { domain, user }, |handle| key(shelf.read(handle)))
    }

    fn secs(&self, now: Instant) -> u32 {
        let since = self
            .start
            .map_or(0, |start| now.saturating_duration_since(start).as_secs());
        u32::try_from(since).unwrap_or(u32::MAX)
    }
}

fn distance(first: u32, number: u32) -> usize {
    let distance = (u64::from(number) + u64::from(NUMBERS) - u64::from(first)) % u64::from(NUMBERS);
    usize::try_from(distance).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
