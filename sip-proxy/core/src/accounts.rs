//! What is known of accounts, so that the store is asked once and not for every request.
//!
//! Who is not there is remembered too, for a shorter time. The edge tells what has changed ([`Command::AccountChanged`]); the
//! lifetimes are for changes that it does not hear of.
//!
//! A hundred thousand accounts are mostly text and hashes; each is one packed allocation, and they stand in a ring in the order they
//! were loaded. The index finds them by their address, which lies only in the packed bytes:
//!
//! ```text
//!   0 until │ 4 lengths of address, user name, display name │ 10 the address │ tenant │ account │ hashes │ both names
//! ```
//!
//! Numbers are little-endian; of an address without account nothing follows. Left out are hashes of a password for algorithms that are
//! never accepted, and the user name where it is the address's own.
//!
//! Invariants: at most `capacity` accounts are remembered; the one that was loaded first is forgotten first. Every account in the ring
//! stands in the index once, under its number.
//!
//! Not here: requests that wait for a look-up (`waiting.rs`).
//!
//! [`Command::AccountChanged`]: crate::Command::AccountChanged

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip::{Algorithm, Aor, DigestSecret};

use crate::effect::{Account, Owner};
use crate::index::Index;

/// Numbers of accounts go round below this.
const NUMBERS: u32 = 1 << 31;

/// Before the address.
const HEAD: usize = 10;

/// A length that says: the same as the user of the address, or none.
const ABSENT: u16 = u16::MAX;

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
    ring: VecDeque<Option<Box<[u8]>>>,
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
            first: 0,
            index: Index::default(),
            len: 0,
            start: None,
        }
    }

    /// What is known of `aor`; `None` if the store must be asked.
    pub(crate) fn find(&self, aor: &Aor, now: Instant) -> Option<Known> {
        let packed = Packed(self.packed(self.number(aor)?));
        (packed.until() > self.secs(now)).then(|| packed.account(aor, self.hashes).map(Arc::new))
    }

    /// Remembers what the store said.
    pub(crate) fn remember(&mut self, aor: &Aor, account: Option<&Account>, now: Instant) {
        self.start.get_or_insert(now);
        self.forget(aor);
        let lifetime = match account {
            Some(_) => self.policy.lifetime,
            None => self.policy.absent_lifetime,
        };
        let Some(packed) = pack(aor, account, self.hashes, self.secs(now + lifetime)) else {
            return;
        };
        self.make_room(now);
        let Ok(behind) = u32::try_from(self.ring.len()) else {
            return;
        };
        self.ring.push_back(Some(packed));
        let number = (self.first + behind) % NUMBERS;
        let (ring, first) = (&self.ring, self.first);
        let text_of = |number| Packed(nth(ring, first, number)).address();
        self.index.insert(number, text_of);
        self.len += 1;
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
        let now_secs = self.secs(now);
        while let Some(first) = self.ring.front() {
            let is_over = first
                .as_deref()
                .is_none_or(|packed| Packed(packed).until() <= now_secs);
            // Twice the capacity bounds the ring where the same accounts are loaded again and again.
            let is_full =
                self.len >= self.policy.capacity || self.ring.len() >= 2 * self.policy.capacity;
            if !is_over && !is_full {
                return;
            }
            if first.is_some() {
                self.remove(self.first);
            }
            self.ring.pop_front();
            self.first = (self.first + 1) % NUMBERS;
        }
    }

    fn remove(&mut self, number: u32) {
        let (ring, first) = (&self.ring, self.first);
        let text_of = |number| Packed(nth(ring, first, number)).address();
        self.index.remove(number, text_of);
        self.len -= 1;
        if let Some(place) = self.ring.get_mut(distance(self.first, number)) {
            *place = None;
        }
    }

    fn number(&self, aor: &Aor) -> Option<u32> {
        let text_of = |number| Packed(self.packed(number)).address();
        self.index.find(aor.as_str().as_bytes(), text_of)
    }

    fn packed(&self, number: u32) -> &[u8] {
        nth(&self.ring, self.first, number)
    }

    fn secs(&self, now: Instant) -> u32 {
        let since = self
            .start
            .map_or(0, |start| now.saturating_duration_since(start).as_secs());
        u32::try_from(since).unwrap_or(u32::MAX)
    }
}

fn nth(ring: &VecDeque<Option<Box<[u8]>>>, first: u32, number: u32) -> &[u8] {
    let place = ring.get(distance(first, number));
    place.and_then(Option::as_deref).unwrap_or_default()
}

fn distance(first: u32, number: u32) -> usize {
    usize::try_from(number.wrapping_sub(first) % NUMBERS).unwrap_or(usize::MAX)
}

/// `None` if a text is too long to be one of an account.
fn pack(aor: &Aor, account: Option<&Account>, hashes: Hashes, until: u32) -> Option<Box<[u8]>> {
    let address = aor.as_str();
    let username = account
        .map(|account| account.auth_username.as_str())
        .filter(|username| *username != aor.user());
    let display_name = account.and_then(|account| account.display_name.as_deref());
    let mut packed = Vec::with_capacity(HEAD + address.len());
    packed.extend(until.to_le_bytes());
    for text in [Some(address), username, display_name] {
        let length = text.map_or(Some(ABSENT), |text| {
            u16::try_from(text.len())
                .ok()
                .filter(|length| *length != ABSENT)
        });
        packed.extend(length?.to_le_bytes());
    }
    packed.extend(address.as_bytes());
    if let Some(Account { owner, secret, .. }) = account {
        packed.extend(owner.tenant.to_le_bytes());
        packed.extend(owner.account.to_le_bytes());
        if hashes.md5 {
            packed.extend(secret.md5_ha1);
        }
        if hashes.sha256 {
            packed.extend(secret.sha256_ha1);
        }
        if hashes.sha512_256 {
            packed.extend(secret.sha512_256_ha1);
        }
    }
    for text in [username, display_name].into_iter().flatten() {
        packed.extend(text.as_bytes());
    }
    Some(packed.into())
}

/// Packed bytes, read in place.
struct Packed<'a>(&'a [u8]);

impl<'a> Packed<'a> {
    fn until(&self) -> u32 {
        self.0
            .first_chunk()
            .map_or(0, |until| u32::from_le_bytes(*until))
    }

    fn address(&self) -> &'a [u8] {
        let length = self.length(4).unwrap_or(0);
        self.0.get(HEAD..HEAD + length).unwrap_or_default()
    }

    /// The account of `aor`, if it has one.
    fn account(&self, aor: &Aor, hashes: Hashes) -> Option<Account> {
        let mut rest = Reader(self.0.get(HEAD + self.address().len()..)?);
        let owner = Owner {
            tenant: u128::from_le_bytes(rest.array()?),
            account: u128::from_le_bytes(rest.array()?),
        };
        let secret = DigestSecret {
            md5_ha1: match hashes.md5 {
                true => rest.array()?,
                false => [0; 16],
            },
            sha256_ha1: match hashes.sha256 {
                true => rest.array()?,
                false => [0; 32],
            },
            sha512_256_ha1: match hashes.sha512_256 {
                true => rest.array()?,
                false => [0; 32],
            },
        };
        let auth_username = match self.length(6) {
            Some(length) => rest.text(length)?.to_owned(),
            None => aor.user().to_owned(),
        };
        let display_name = match self.length(8) {
            Some(length) => Some(rest.text(length)?.to_owned()),
            None => None,
        };
        Some(Account {
            owner,
            aor: aor.clone(),
            auth_username,
            secret,
            display_name,
        })
    }

    fn length(&self, at: usize) -> Option<usize> {
        let bytes = self.0.get(at..)?.first_chunk()?;
        let length = u16::from_le_bytes(*bytes);
        (length != ABSENT).then_some(usize::from(length))
    }
}

/// What is still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use testkit::sim_net::SimNet;

    use super::*;

    const ALL: [Algorithm; 3] = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256];

    fn aor(user: u32) -> Aor {
        Aor::parse(&format!("sip:{user}@acme.test")).unwrap()
    }

    #[test]
    fn absence_is_remembered_for_its_own_time() {
        let now = SimNet::start();
        let mut accounts = Accounts::new(AccountCachePolicy::default(), &ALL);
        assert_eq!(
            accounts.find(&aor(1), now).map(|known| known.is_some()),
            None
        );
        accounts.remember(&aor(1), None, now);
        let known = |after| {
            let at = now + Duration::from_secs(after);
            accounts.find(&aor(1), at).map(|known| known.is_some())
        };
        assert_eq!((known(59), known(60)), (Some(false), None));
    }

    #[test]
    fn the_table_never_outgrows_its_capacity() {
        let now = SimNet::start();
        let policy = AccountCachePolicy {
            capacity: 3,
            ..AccountCachePolicy::default()
        };
        let mut accounts = Accounts::new(policy, &ALL);
        for user in 0..10 {
            accounts.remember(&aor(user), None, now);
            accounts.remember(&aor(0), None, now);
        }
        assert!(accounts.len <= 3 && accounts.ring.len() <= 6);
        assert!(accounts.find(&aor(0), now).is_some());
        accounts.forget(&aor(0));
        assert!(accounts.find(&aor(0), now).is_none());
        accounts.forget_all();
        assert!(accounts.find(&aor(9), now).is_none());
    }
    fn account(user: u32, auth_username: &str, display_name: Option<&str>) -> Account {
        Account {
            owner: Owner {
                tenant: 1 << 100,
                account: user.into(),
            },
            aor: aor(user),
            auth_username: auth_username.to_owned(),
            secret: DigestSecret::from_password(auth_username, "acme.test", "secret"),
            display_name: display_name.map(str::to_owned),
        }
    }

    fn same(one: &Account, other: &Account) -> bool {
        let parts = |account: &Account| {
            let DigestSecret {
                md5_ha1,
                sha256_ha1,
                sha512_256_ha1,
            } = account.secret;
            let names = (account.auth_username.clone(), account.display_name.clone());
            let hashes = (md5_ha1, sha256_ha1, sha512_256_ha1);
            (account.owner, account.aor.clone(), names, hashes)
        };
        parts(one) == parts(other)
    }

    #[test]
    fn an_account_is_found_as_it_was_told() {
        let now = SimNet::start();
        let mut accounts = Accounts::new(AccountCachePolicy::default(), &ALL);
        let told = [
            account(1, "1", None),
            account(2, "somebody else", None),
            account(3, "3", Some("")),
            account(4, "", Some("Zoë Doe")),
        ];
        for account in &told {
            accounts.remember(&account.aor, Some(account), now);
        }
        for account in &told {
            let found = accounts.find(&account.aor, now).unwrap().unwrap();
            assert!(same(&found, account), "{}", account.aor);
        }
        let changed = account(2, "2", Some("Two"));
        accounts.remember(&changed.aor, Some(&changed), now);
        let found = accounts.find(&changed.aor, now).unwrap().unwrap();
        assert!(same(&found, &changed) && accounts.len == 4);
    }

    #[test]
    fn only_hashes_that_may_be_asked_for_are_kept() {
        let now = SimNet::start();
        let mut accounts = Accounts::new(AccountCachePolicy::default(), &[Algorithm::Sha256Sess]);
        let told = account(1, "other", Some("One"));
        accounts.remember(&told.aor, Some(&told), now);
        let found = accounts.find(&told.aor, now).unwrap().unwrap();
        assert_eq!(found.secret.sha256_ha1, told.secret.sha256_ha1);
        assert_eq!(found.secret.md5_ha1, [0; 16]);
        assert_eq!(
            (&found.auth_username, &found.display_name),
            (&told.auth_username, &told.display_name)
        );
    }

    #[test]
    fn who_is_over_makes_room_and_numbers_go_round() {
        let mut now = SimNet::start();
        let policy = AccountCachePolicy {
            capacity: 100,
            ..AccountCachePolicy::default()
        };
        let mut accounts = Accounts::new(policy, &ALL);
        accounts.first = NUMBERS - 7;
        for user in 0..50 {
            let account = account(user, "x", None);
            accounts.remember(&account.aor, Some(&account), now);
        }
        for user in 0..50 {
            let found = accounts.find(&aor(user), now).unwrap().unwrap();
            assert_eq!(found.owner.account, u128::from(user));
        }
        assert_eq!(accounts.first, NUMBERS - 7);
        now += policy.lifetime;
        accounts.remember(&aor(60), None, now);
        assert_eq!((accounts.len, accounts.ring.len()), (1, 1));
        assert!(accounts.find(&aor(60), now).unwrap().is_none());
    }
}
