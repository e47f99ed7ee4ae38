//! An account in few bytes.
//!
//! ```text
//!   0 until │ flags │ domain │ user │ tenant │ account │ hashes │ the user name and the name that is shown, where there are any
//! ```
//!
//! Domains and tenants are [`Names`](crate::names::Names); of an address without account nothing follows the user. Left out are hashes of a
//! password for algorithms that are never accepted, and the user name where it is the address's own.
//!
//! Not here: where the bytes lie, and for how long (`accounts.rs`).

use sip::{Algorithm, Aor, DigestSecret};

use super::{AccountRef, Accounts};
use crate::effect::{Account, Owner};
use crate::reader::{Reader, push_counted, push_number};
use crate::shelved::Key;

/// Of the seconds until when an account counts.
const UNTIL: usize = 4;

const EXISTS: u8 = 1;
const HAS_USERNAME: u8 = 1 << 1;
const HAS_DISPLAY_NAME: u8 = 1 << 2;
/// Read before anybody asked.
pub(super) const AHEAD: u8 = 1 << 3;

/// Which hashes of a password are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hashes {
    md5: bool,
    sha256: bool,
    sha512_256: bool,
}

impl Hashes {
    pub(super) fn of(accepted: &[Algorithm]) -> Self {
        use Algorithm::{Md5, Md5Sess, Sha256, Sha256Sess, Sha512_256, Sha512_256Sess};
        let any = |own: [Algorithm; 2]| own.iter().any(|own| accepted.contains(own));
        Self {
            md5: any([Md5, Md5Sess]),
            sha256: any([Sha256, Sha256Sess]),
            sha512_256: any([Sha512_256, Sha512_256Sess]),
        }
    }
}

impl Accounts {
    /// `None` if there are too many names.
    pub(super) fn pack(
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
    pub(super) fn unpack<'a>(&'a self, packed: &'a [u8], aor: &'a Aor) -> Option<AccountRef<'a>> {
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
    pub(super) fn release(&mut self, packed: &[u8]) {
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
}

/// The second at which a packed account is over.
pub(super) fn until(packed: &[u8]) -> u32 {
    packed
        .first_chunk()
        .map_or(0, |until| u32::from_le_bytes(*until))
}

/// What a packed account is found by; of bytes that are none, what nothing is found by.
pub(super) fn key(packed: &[u8]) -> Key<'_> {
    Head::read(packed).map_or(Key::NONE, |head| head.key)
}

/// What every packed account begins with.
pub(super) struct Head<'a> {
    pub(super) flags: u8,
    pub(super) key: Key<'a>,
    rest: Reader<'a>,
}

impl<'a> Head<'a> {
    pub(super) fn read(packed: &'a [u8]) -> Option<Self> {
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
