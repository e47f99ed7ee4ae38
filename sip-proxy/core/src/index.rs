//! From an address-of-record to the slot that has its bindings.
//!
//! Four bytes for each slot of an open-addressed table with linear probing: the address itself lies only in the slot, so whoever looks up
//! says how to read it. One of the bytes is of the hash, so that others than the one that is looked for are hardly ever read. The hash is
//! keyed, so that nobody can choose addresses that collide.
//!
//! Invariant: between a slot's own place and where it lies there is no empty place.

use std::hash::{BuildHasher, Hash, RandomState};

const EMPTY: u32 = u32::MAX;

/// The table is at least so large.
const MIN_PLACES: usize = 16;

/// Bits of a place that name the slot; those above are of its hash.
const SLOT_BITS: u32 = 24;

/// Slots must lie below; the highest number would look like nothing.
pub(crate) const MAX_SLOTS: u32 = (1 << SLOT_BITS) - 1;

/// Slots by the hash of their key.
#[derive(Debug)]
pub(crate) struct Index {
    places: Vec<u32>,
    used: usize,
    hasher: RandomState,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            places: vec![EMPTY; MIN_PLACES],
            used: 0,
            hasher: RandomState::new(),
        }
    }
}

impl Index {
    /// The slot whose key is `key`; `key_of` reads the key of a slot.
    pub(crate) fn find<K: Hash + Eq>(&self, key: &K, key_of: impl Fn(u32) -> K) -> Option<u32> {
        let (mut place, mark) = self.own_place(key);
        loop {
            match self.places[place] {
                EMPTY => return None,
                found if found & !MAX_SLOTS == mark && key_of(found & MAX_SLOTS) == *key => {
                    return Some(found & MAX_SLOTS);
                }
                _ => place = self.after(place),
            }
        }
    }

    /// Adds a slot below [`MAX_SLOTS`], whose key must not be there yet.
    pub(crate) fn insert<K: Hash>(&mut self, slot: u32, key_of: impl Fn(u32) -> K) {
        // Seven eighths full at most.
        if (self.used + 1) * 8 > self.places.len() * 7 {
            let twice = vec![EMPTY; self.places.len() * 2];
            let before = std::mem::replace(&mut self.places, twice);
            for found in before.into_iter().filter(|found| *found != EMPTY) {
                self.put(found & MAX_SLOTS, &key_of(found & MAX_SLOTS));
            }
        }
        self.put(slot, &key_of(slot));
        self.used += 1;
    }

    /// Removes a slot, whose key must still be readable.
    pub(crate) fn remove<K: Hash>(&mut self, slot: u32, key_of: impl Fn(u32) -> K) {
        let (mut hole, mark) = self.own_place(&key_of(slot));
        while self.places[hole] != mark | slot {
            if self.places[hole] == EMPTY {
                return;
            }
            hole = self.after(hole);
        }
        self.used -= 1;
        // Whoever stands behind the hole and would be cut off from his own place moves into it.
        let mut next = self.after(hole);
        while self.places[next] != EMPTY {
            let (own, _) = self.own_place(&key_of(self.places[next] & MAX_SLOTS));
            let distance = |from: usize| next.wrapping_sub(from) & (self.places.len() - 1);
            if distance(own) >= distance(hole) {
                self.places[hole] = self.places[next];
                hole = next;
            }
            next = self.after(next);
        }
        self.places[hole] = EMPTY;
    }

    fn put<K: Hash>(&mut self, slot: u32, key: &K) {
        let (mut place, mark) = self.own_place(key);
        while self.places[place] != EMPTY {
            place = self.after(place);
        }
        self.places[place] = mark | slot;
    }

    /// Where a key would stand if nobody else did, and what marks it there.
    fn own_place<K: Hash>(&self, key: &K) -> (usize, u32) {
        let hash = self.hasher.hash_one(key);
        let mask = u64::try_from(self.places.len() - 1).unwrap_or(u64::MAX);
        let mark = u32::try_from(hash >> u32::BITS).unwrap_or(0) & !MAX_SLOTS;
        (usize::try_from(hash & mask).unwrap_or(0), mark)
    }

    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.places.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_is_found_until_it_goes_out() {
        let texts: Vec<String> = (0..2_000).map(|n| format!("sip:{n}@acme.test")).collect();
        let text_of = |slot: u32| texts[slot as usize].as_bytes();
        let mut index = Index::default();
        for slot in 0..2_000 {
            index.insert(slot, text_of);
        }
        for slot in (0..2_000).step_by(3) {
            index.remove(slot, text_of);
        }
        for slot in 0..2_000 {
            let expected = (slot % 3 != 0).then_some(slot);
            assert_eq!(index.find(&text_of(slot), text_of), expected, "{slot}");
        }
        for slot in (0..2_000).filter(|slot| slot % 3 != 0) {
            index.remove(slot, text_of);
        }
        assert!(index.used == 0 && index.places.iter().all(|place| *place == EMPTY));
        assert_eq!(index.find(&&b"sip:nobody@acme.test"[..], text_of), None);
    }
}
