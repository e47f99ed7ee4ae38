//! Maps whose keys we count up ourselves (transactions, calls, bridges) or that are keyed hashes already (fingerprints, trusted flows).
//!
//! Such keys need no protection from whoever would choose them badly. Of those that are counted the latest are looked up most: they lie
//! side by side.
//!
//! Invariant: a key hashes to one number that no peer chooses.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by a number of our own.
pub type KeyMap<K, V> = HashMap<K, V, BuildHasherDefault<KeyHasher>>;

/// Spreads numbers that follow each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyHasher(u64);

/// The table tells the entries of a group apart by these bits.
const TOP: u64 = 0x7F << 57;

/// 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0.rotate_left(8) ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key & !TOP | key.wrapping_mul(SPREAD) & TOP;
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::*;

    #[test]
    fn keys_that_follow_each_other_lie_side_by_side_and_are_told_apart() {
        let hash = |key: u64| BuildHasherDefault::<KeyHasher>::default().hash_one(key);
        for key in 1_000_000..1_000_100 {
            assert_eq!(hash(key + 1) & !TOP, (hash(key) & !TOP) + 1);
        }
        let tops: std::collections::HashSet<_> = (0..128).map(|key| hash(key) & TOP).collect();
        assert!(tops.len() > 64, "{}", tops.len());
    }
}
