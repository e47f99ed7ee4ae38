//! From an address-of-record to the slot that has its bindings.
//!
//! Four bytes for each slot of an open-addressed table with linear probing: the address itself lies only in the slot, so whoever looks up
//! says how to read it. The hash is keyed, so that nobody can choose addresses that collide.
//!
//! Invariant: between a slot's own place and where it lies there is no empty place.

use std::hash::{BuildHasher, RandomState};

const EMPTY: u32 = u32::MAX;

/// The table is at least so large.
const MIN_PLACES: usize = 16;

/// Slots by the hash of their text.
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
    /// The slot whose text is `text`; `text_of` reads the text of a slot.
    pub(crate) fn find<'a>(&self, text: &[u8], text_of: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        let mut place = self.own_place(text);
        loop {
            match self.places[place] {
                EMPTY => return None,
                slot if text_of(slot) == text => return Some(slot),
                _ => place = self.after(place),
            }
        }
    }

    /// Adds a slot, whose text must not be there yet.
    pub(crate) fn insert<'a>(&mut self, slot: u32, text_of: impl Fn(u32) -> &'a [u8]) {
        // Three quarters full at most.
        if (self.used + 1) * 4 > self.places.len() * 3 {
            let twice = vec![EMPTY; self.places.len() * 2];
            let before = std::mem::replace(&mut self.places, twice);
            for slot in before.into_iter().filter(|slot| *slot != EMPTY) {
                self.put(slot, text_of(slot));
            }
        }
        self.put(slot, text_of(slot));
        self.used += 1;
    }

    /// Removes a slot, whose text must still be readable.
    pub(crate) fn remove<'a>(&mut self, slot: u32, text_of: impl Fn(u32) -> &'a [u8]) {
        let mut hole = self.own_place(text_of(slot));
        while self.places[hole] != slot {
            if self.places[hole] == EMPTY {
                return;
            }
            hole = self.after(hole);
        }
        self.used -= 1;
        // Whoever stands behind the hole and would be cut off from his own place moves into it.
        let mut next = self.after(hole);
        while self.places[next] != EMPTY {
            let own = self.own_place(text_of(self.places[next]));
            let distance = |from: usize| next.wrapping_sub(from) & (self.places.len() - 1);
            if distance(own) >= distance(hole) {
                self.places[hole] = self.places[next];
                hole = next;
            }
            next = self.after(next);
        }
        self.places[hole] = EMPTY;
    }

    fn put(&mut self, slot: u32, text: &[u8]) {
        let mut place = self.own_place(text);
        while self.places[place] != EMPTY {
            place = self.after(place);
        }
        self.places[place] = slot;
    }

    fn own_place(&self, text: &[u8]) -> usize {
        let mask = u64::try_from(self.places.len() - 1).unwrap_or(u64::MAX);
        usize::try_from(self.hasher.hash_one(text) & mask).unwrap_or(0)
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
            assert_eq!(index.find(text_of(slot), text_of), expected, "{slot}");
        }
        for slot in (0..2_000).filter(|slot| slot % 3 != 0) {
            index.remove(slot, text_of);
        }
        assert!(index.used == 0 && index.places.iter().all(|place| *place == EMPTY));
        assert_eq!(index.find(b"sip:nobody@acme.test", text_of), None);
    }
}
