//! The last use of every nonce in use, in two generations: when the younger one is full, or as old as a nonce gets, the older one is
//! forgotten.
//!
//! A nonce is looked for where it can be: one that was issued after all of a generation is not in it. So a use touches one entry of one table.
//!
//! Invariants: a nonce stands in one generation. What is not remembered though it may have been used is [`Remembered::Forgotten`],
//! never unused.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::key_map::KeyHasher;

use super::nonce::NonceId;

/// The last use of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) count: u32,
    /// A hash of the message, halved so that a use takes twelve bytes; zero where copies do not matter.
    pub(super) message: [u32; 2],
}

/// What is known of a nonce.
pub(super) enum Remembered<'a> {
    /// It was never used.
    Unused,
    /// How it was used last.
    Used(&'a mut Use),
    /// It may have been used.
    Forgotten,
}

impl Hash for NonceId {
    /// Its random part is as good as any hash of it, and only nonces of our own come here.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.random());
    }
}

#[derive(Default)]
struct Generation {
    uses: HashMap<NonceId, Use, BuildHasherDefault<KeyHasher>>,
    /// The one that was issued last.
    latest: Option<NonceId>,
}

impl Generation {
    fn find(&mut self, nonce: NonceId) -> Option<&mut Use> {
        match self.latest {
            Some(latest) if nonce <= latest => self.uses.get_mut(&nonce),
            _ => None,
        }
    }
}

/// The uses that are remembered.
#[derive(Default)]
pub(super) struct Uses {
    recent: Generation,
    former: Generation,
    /// When the recent one was begun.
    since_secs: u64,
    /// Nonces up to this one may have been forgotten before their time.
    forgotten: Option<NonceId>,
}

impl Uses {
    pub(super) fn len(&self) -> usize {
        self.recent.uses.len() + self.former.uses.len()
    }

    /// What is known of a nonce that has not expired.
    pub(super) fn find(&mut self, nonce: NonceId) -> Remembered<'_> {
        if self.forgotten.is_some_and(|last| nonce <= last) {
            return Remembered::Forgotten;
        }
        let known = self.recent.find(nonce);
        match known.or_else(|| self.former.find(nonce)) {
            Some(last) => Remembered::Used(last),
            None => Remembered::Unused,
        }
    }

    /// Remembers the first use of a nonce, in a generation of at most `max` that is begun no longer than `lifetime_secs` ago.
    pub(super) fn insert(
        &mut self,
        nonce: NonceId,
        this: Use,
        (max, lifetime_secs): (usize, u64),
        now_secs: u64,
    ) {
        if self.recent.uses.len() >= max || self.since_secs + lifetime_secs < now_secs {
            std::mem::swap(&mut self.recent, &mut self.former);
            self.recent.uses.clear();
            self.forgotten = self.forgotten.max(self.recent.latest.take());
            self.since_secs = now_secs;
        }
        self.recent.uses.insert(nonce, this);
        self.recent.latest = self.recent.latest.max(Some(nonce));
    }
}
