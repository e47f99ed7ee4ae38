//! What is known of accounts, so that the store is asked once and not for every request.
//!
//! Who is not there is remembered too, for a shorter time. The edge tells what has changed ([`Command::AccountChanged`]); the
//! lifetimes are for changes that it does not hear of.
//!
//! A hundred thousand accounts are mostly text and hashes; each is packed, and they stand in a ring in the order they were loaded. The
//! index finds them by user and domain, which lie only in the packed bytes:
//!
//! ```text
//!   0 until │ flags │ domain │ user │ tenant │ account │ hashes │ the user name and the name that is shown, where there are any
//! ```
//!
//! Domains and tenants are [`Names`]; of an address without account nothing follows the user. Left out are hashes of a password for
//! algorithms that are never accepted, and the user name where it is the address's own.
//!
//! Invariants: at most `capacity` accounts are remembered; the one that was loaded first is forgotten first. Every account in the ring
//! stands in the index once, under its number.
//!
//! Not here: requests that wait for a look-up (`waiting.rs`).
//!
//! [`Command::AccountChanged`]: crate::Command::AccountChanged

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sip::{Algorithm, Aor, DigestSecret};

use crate::effect::{Account, Owner};
use crate::index::{Index, MAX_SLOTS};
use crate::names::Names;
use crate::reader::{Reader, push_counted, push_number};
use crate::shelf::{Handle, Shelf};
use crate::shelved::Key;

/// Numbers of accounts go round below this.
const NUMBERS: u32 = MAX_SLOTS;

/// Of the seconds until when an account counts.
const UNTIL: usize = 4;

const EXISTS: u8 = 1;
const HAS_USERNAME: u8 = 1 << 1;
const HAS_DISPLAY_NAME: u8 = 1 << 2;
/// Read before anybody asked.
const AHEAD: u8 = 1 << 3;

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

/// Which hashes of a password are kept.
#[derive(Clone, Copy, Debug)]
struct Hashes {
    md5: bool,
    sha256: bool,
    sha512_256: bool,
}

impl Hashes {
    fn of(accepted: &[Algorithm]) -> Self {
        use Algorithm::{Md5, Md5Sess, Sha256, Sha256Sess, Sha512_256, Sha512_256Sess};
        let any = |own: [Algorithm; 2]| own.iter().any(|own| accepted.contains(own));
        Self {
            md5: any([Md5, Md5Sess]),
            sha256: any([Sha256, Sha256Sess]),
            sha512_256: any([Sha512_256, Sha512_256Sess]),
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
        let packed = self.packed(self.number(aor)?)?;
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
        let number = (self.first + behind) % NUMBERS;
        let (ring, shelf, first) = (&self.ring, &self.shelf, self.first);
        self.index
            .insert(number, |number| key(nth(ring, shelf, first, number)));
        self.len += 1;
    }

    /// Remembers an account that nobody has asked for: anew if it is known, otherwise only where there is room, so that it
    /// never takes that of one that is in use.
    pub(crate) fn remember_ahead(&mut self, account: &Account, now: Instant) {
        let is_known = self.number(&account.aor).is_some();
        self.drop_first(now, |_| false);
        if is_known || self.len < self.policy.capacity {
            self.keep(&account.aor, Some(account), AHEAD, now);
        }
    }

    /// Whether the account was read before anybody asked, so that no request has waited for it yet.
    pub(crate) fn is_ahead(&self, aor: &Aor) -> bool {
        let packed = self.number(aor).and_then(|number| self.packed(number));
        packed
            .and_then(Head::read)
            .is_some_and(|head| head.flags & AHEAD != 0)
    }

    /// The account has changed: the store is asked the next time.
    pub(crate) fn forget(&mut self, aor: &Aor) {
        if let Some(number) = self.number(aor) {
            self.remove(number);
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
            let is_there = first.is_some();
            if !is_over && !is_full(self) {
                return;
            }
            if is_there {
                self.remove(self.first);
            }
            self.ring.pop_front();
            self.first = (self.first + 1) % NUMBERS;
        }
    }

    fn remove(&mut self, number: u32) {
        let (ring, shelf, first) = (&self.ring, &self.shelf, self.first);
        self.index
            .remove(number, |number| key(nth(ring, shelf, first, number)));
        self.len -= 1;
        let place = self.ring.get_mut(distance(self.first, number));
        if let Some(handle) = place.and_then(Option::take) {
            let packed = self.shelf.read(handle).to_vec();
            self.shelf.remove(handle);
            self.release(&packed);
        }
    }

    fn number(&self, aor: &Aor) -> Option<u32> {
        let domain = self.names.find(aor.host().as_bytes())?;
        let user = aor.user().as_bytes();
        self.index.find(&Key { domain, user }, |number| {
            key(nth(&self.ring, &self.shelf, self.first, number))
        })
    }

    fn packed(&self, number: u32) -> Option<&[u8]> {
        let place = self.ring.get(distance(self.first, number));
        place
            .copied()
            .flatten()
            .map(|handle| self.shelf.read(handle))
    }

    /// `None` if there are too many names.
    fn pack(
        &mut self,
        aor: &Aor,
        account: Option<&Account>,
        flags: u8,
        until: u32,
    ) -> Option<Vec<u8>> {
        let username = account
            .map(|account| account.auth_username.as_bytes())
            .filter(|username| *username != aor.user().as_bytes());
        let display_name = account.and_then(|account| account.display_name.as_deref());
        let display_name = display_name.map(str::as_bytes);
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flags
            | flag(account.is_some(), EXISTS)
            | flag(username.is_some(), HAS_USERNAME)
            | flag(display_name.is_some(), HAS_DISPLAY_NAME);
        let mut packed = Vec::with_capacity(128);
        packed.extend(until.to_le_bytes());
        packed.push(flags);
        push_number(self.names.keep(aor.host().as_bytes())?.into(), &mut packed);
        push_counted(aor.user().as_bytes(), &mut packed);
        if let Some(Account { owner, secret, .. }) = account {
            let tenant = self.names.keep(&owner.tenant.to_le_bytes())?;
            push_number(tenant.into(), &mut packed);
            packed.extend(owner.account.to_le_bytes());
            if self.hashes.md5 {
                packed.extend(secret.md5_ha1);
            }
            if self.hashes.sha256 {
                packed.extend(secret.sha256_ha1);
            }
            if self.hashes.sha512_256 {
                packed.extend(secret.sha512_256_ha1);
            }
        }
        for text in [username, display_name].into_iter().flatten() {
            push_counted(text, &mut packed);
        }
        Some(packed)
    }

    /// The account of `aor`, if it has one.
    fn unpack<'a>(&'a self, packed: &'a [u8], aor: &'a Aor) -> Option<AccountRef<'a>> {
        let Head {
            flags, mut rest, ..
        } = Head::read(packed)?;
        if flags & EXISTS == 0 {
            return None;
        }
        let tenant = self.names.text(rest.u32()?).first_chunk()?;
        let owner = Owner {
            tenant: u128::from_le_bytes(*tenant),
            account: u128::from_le_bytes(rest.array()?),
        };
        let secret = DigestSecret {
            md5_ha1: match self.hashes.md5 {
                true => rest.array()?,
                false => [0; 16],
            },
            sha256_ha1: match self.hashes.sha256 {
                true => rest.array()?,
                false => [0; 32],
            },
            sha512_256_ha1: match self.hashes.sha512_256 {
                true => rest.array()?,
                false => [0; 32],
            },
        };
        let auth_username = match flags & HAS_USERNAME {
            0 => aor.user(),
            _ => text(&mut rest)?,
        };
        let display_name = match flags & HAS_DISPLAY_NAME {
            0 => None,
            _ => Some(text(&mut rest)?),
        };
        Some(AccountRef {
            owner,
            aor,
            auth_username,
            secret,
            display_name,
        })
    }

    /// The names of a packed account are no longer kept for it.
    fn release(&mut self, packed: &[u8]) {
        let Some(Head {
            key,
            flags,
            mut rest,
        }) = Head::read(packed)
        else {
            return;
        };
        self.names.release(key.domain);
        if flags & EXISTS != 0
            && let Some(tenant) = rest.u32()
        {
            self.names.release(tenant);
        }
    }

    fn secs(&self, now: Instant) -> u32 {
        let since = self
            .start
            .map_or(0, |start| now.saturating_duration_since(start).as_secs());
        u32::try_from(since).unwrap_or(u32::MAX)
    }
}

fn nth<'a>(ring: &VecDeque<Option<Handle>>, shelf: &'a Shelf, first: u32, number: u32) -> &'a [u8] {
    let handle = ring.get(distance(first, number)).copied().flatten();
    handle.map_or(&[], |handle| shelf.read(handle))
}

fn distance(first: u32, number: u32) -> usize {
    let distance = (u64::from(number) + u64::from(NUMBERS) - u64::from(first)) % u64::from(NUMBERS);
    usize::try_from(distance).unwrap_or(usize::MAX)
}

/// The second at which a packed account is over.
fn until(packed: &[u8]) -> u32 {
    packed
        .first_chunk()
        .map_or(0, |until| u32::from_le_bytes(*until))
}

/// What a packed account is found by; of bytes that are none, what nothing is found by.
fn key(packed: &[u8]) -> Key<'_> {
    Head::read(packed).map_or(Key::NONE, |head| head.key)
}

/// What every packed account begins with.
struct Head<'a> {
    flags: u8,
    key: Key<'a>,
    rest: Reader<'a>,
}

impl<'a> Head<'a> {
    fn read(packed: &'a [u8]) -> Option<Self> {
        let mut rest = Reader::new(packed.get(UNTIL..)?);
        Some(Self {
            flags: rest.byte()?,
            key: Key::read(&mut rest)?,
            rest,
        })
    }
}

fn text<'a>(rest: &mut Reader<'a>) -> Option<&'a str> {
    str::from_utf8(rest.counted()?).ok()
}

#[cfg(test)]
mod tests;
