//! From an address-of-record to what is kept of it: the number of its slot, and where its piece lies on the shelf.
//!
//! Eight bytes for each slot of an open-addressed table with linear probing: the address itself lies only in the piece, so whoever looks up
//! says how to read it. One of the bytes is of the hash, so that others than the one that is looked for are hardly ever read; the handle
//! stands beside the number, so that the piece is one fetch from memory behind the place and not two. The hash is keyed, so that nobody
//! can choose addresses that collide.
//!
//! Invariants: between a slot's own place and where it lies there is no empty place. The handle of each is that of its piece.

use std::hash::{BuildHasher, Hash, RandomState};

use crate::shelf::Handle;

const EMPTY: u32 = u32::MAX;

/// The table is at least so large.
const MIN_PLACES: usize = 16;

/// What stands at one place of the table.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The slot, and above it the mark.
    slot: u32,
    handle: Option<Handle>,
}

const NOTHING: Place = Place {
    slot: EMPTY,
    handle: None,
};

/// What was looked for, and where its piece lies now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) slot: u32,
    pub(crate) handle: Handle,
}

/// Bits of a place that name the slot; those above are of its hash.
const SLOT_BITS: u32 = 24;

/// Slots must lie below; the highest number would look like nothing.
pub(crate) const MAX_SLOTS: u32 = (1 << SLOT_BITS) - 1;

/// Slots by the hash of their key.
#[derive(Debug)]
pub(crate) struct Index {
    places: Vec<Place>,
    used: usize,
    hasher: RandomState,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            places: vec![NOTHING; MIN_PLACES],
            used: 0,
            hasher: RandomState::new(),
        }
    }
}

impl Index {
    /// The one whose key is `key`; `key_at` reads the key of a piece.
    pub(crate) fn find<K: Hash + Eq>(
        &self,
        key: &K,
        key_at: impl Fn(Handle) -> K,
    ) -> Option<Found> {
        let (mut place, mark) = self.own_place(key);
        loop {
            let Place { slot, handle } = self.places[place];
            match handle {
                _ if slot == EMPTY => return None,
                Some(handle) if slot & !MAX_SLOTS == mark && key_at(handle) == *key => {
                    let slot = slot & MAX_SLOTS;
                    return Some(Found { slot, handle });
                }
                _ => place = self.after(place),
            }
        }
    }

    /// Adds a slot below [`MAX_SLOTS`] with its piece, whose key must not be there yet.
    pub(crate) fn insert<K: Hash>(&mut self, new: Found, key_at: impl Fn(Handle) -> K) {
        // Seven eighths full at most.
        if (self.used + 1) * 8 > self.places.len() * 7 {
            let twice = vec![NOTHING; self.places.len() * 2];
            for Place { slot, handle } in std::mem::replace(&mut self.places, twice) {
                if let Some(handle) = handle {
                    let slot = slot & MAX_SLOTS;
                    self.put(Found { slot, handle }, &key_at(handle));
                }
            }
        }
        self.put(new, &key_at(new.handle));
        self.used += 1;
    }

    /// The piece of a slot lies elsewhere now, with the same key.
    pub(crate) fn moved<K: Hash>(&mut self, now: Found, key_at: impl Fn(Handle) -> K) {
        if let Some(place) = self.place_of(now.slot, &key_at(now.handle)) {
            self.places[place].handle = Some(now.handle);
        }
    }

    /// Removes a slot, whose key must still be readable.
    pub(crate) fn remove<K: Hash>(&mut self, old: Found, key_at: impl Fn(Handle) -> K) {
        let Some(mut hole) = self.place_of(old.slot, &key_at(old.handle)) else {
            return;
        };
        self.used -= 1;
        // Whoever stands behind the hole and would be cut off from his own place moves into it.
        let mut next = self.after(hole);
        while let Some(handle) = self.places[next].handle {
            let (own, _) = self.own_place(&key_at(handle));
            let distance = |from: usize| next.wrapping_sub(from) & (self.places.len() - 1);
            if distance(own) >= distance(hole) {
                self.places[hole] = self.places[next];
                hole = next;
            }
            next = self.after(next);
        }
        self.places[hole] = NOTHING;
    }

    fn put<K: Hash>(&mut self, Found { slot, handle }: Found, key: &K) {
        let (mut place, mark) = self.own_place(key);
        while self.places[place].handle.is_some() {
            place = self.after(place);
        }
        self.places[place] = Place {
            slot: mark | slot,
            handle: Some(handle),
        };
    }

    /// Where a slot with this key stands.
    fn place_of<K: Hash>(&self, slot: u32, key: &K) -> Option<usize> {
        let (mut place, mark) = self.own_place(key);
        while self.places[place].handle.is_some() {
            if self.places[place].slot == mark | slot {
                return Some(place);
            }
            place = self.after(place);
        }
        None
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
    use crate::shelf::Shelf;

    use super::*;

    #[test]
    fn what_goes_in_is_found_until_it_goes_out() {
        let mut shelf = Shelf::default();
        let text = |slot: u32| format!("sip:{slot}@acme.test").into_bytes();
        let put = |shelf: &mut Shelf, slot: u32| Found {
            slot,
            handle: shelf.put(&text(slot)).unwrap(),
        };
        let mut all: Vec<_> = (0..2_000).map(|slot| put(&mut shelf, slot)).collect();
        // Pieces end with zeros.
        let text_at = |shelf: &Shelf, handle: Handle| {
            let mut piece = shelf.read(handle).to_vec();
            piece.retain(|byte| *byte != 0);
            piece
        };
        let mut index = Index::default();
        for found in &all {
            index.insert(*found, |handle| text_at(&shelf, handle));
        }
        for found in all.iter_mut().step_by(7) {
            *found = put(&mut shelf, found.slot);
            index.moved(*found, |handle| text_at(&shelf, handle));
        }
        for found in all.iter().step_by(3) {
            index.remove(*found, |handle| text_at(&shelf, handle));
        }
        for found in &all {
            let expected = (found.slot % 3 != 0).then_some(*found);
            let seen = index.find(&text(found.slot), |handle| text_at(&shelf, handle));
            assert_eq!(seen, expected);
        }
        for found in all.iter().filter(|found| found.slot % 3 != 0) {
            index.remove(*found, |handle| text_at(&shelf, handle));
        }
        let is_empty = |place: &Place| place.handle.is_none() && place.slot == EMPTY;
        assert!(index.used == 0 && index.places.iter().all(is_empty));
        let nobody = b"sip:nobody@acme.test".to_vec();
        assert_eq!(index.find(&nobody, |handle| text_at(&shelf, handle)), None);
    }
}
