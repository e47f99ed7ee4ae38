//! Keyed hashes: what we hand out and want to know again without remembering it.
//!
//! [`KeyedHash`] is for what others would gain from forging. [`KeyedNumber`] is for what they must only not foretell; it is many times
//! cheaper (`docs/decisions/0012-siphash-for-tags.md`, `docs/decisions/0015-lighter-siphash.md`).

use std::hash::Hasher;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use siphasher::sip::SipHasher13;
use subtle::ConstantTimeEq;

/// HMAC with SHA-256. Keyed once: a signature starts from a copy.
#[derive(Clone)]
pub(crate) struct KeyedHash(Hmac<Sha256>);

impl KeyedHash {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(Hmac::new_from_slice(&key).expect("HMAC takes any key length"))
    }

    /// A hash with a key of its own for one of several purposes.
    pub(crate) fn for_purpose(&self, purpose: &str) -> Self {
        Self::new(self.hash([purpose.as_bytes()]))
    }

    /// The hash of two parts, the first of which always has the same length. With up to 55 bytes in both it takes the two compressions
    /// that it cannot do without.
    pub(crate) fn hash_behind<const N: usize>(&self, fixed: &[u8; N], rest: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(fixed);
        mac.update(rest);
        mac.finalize().into_bytes().into()
    }

    /// The hash of the parts, each told from the next by its length. The first part should say
    /// what it is for, so that one key can serve several purposes.
    pub(crate) fn hash<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            let len = u32::try_from(part.len()).unwrap_or(u32::MAX);
            mac.update(&len.to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The first bytes of the hash.
    pub(crate) fn short<'a, const N: usize>(
        &self,
        parts: impl IntoIterator<Item = &'a [u8]>,
    ) -> [u8; N] {
        let full = self.hash(parts);
        let mut short = [0; N];
        short.copy_from_slice(&full[..N]);
        short
    }
}

/// SipHash-1-3: a number that nobody can foretell without the key.
#[derive(Clone)]
pub(crate) struct KeyedNumber {
    keys: (u64, u64),
}

impl KeyedNumber {
    pub(crate) fn new(key: [u8; 16]) -> Self {
        Self {
            keys: SipHasher13::new_with_key(&key).keys(),
        }
    }

    /// The number of the parts, each behind its length and in whole words, which are what the hash takes most easily.
    pub(crate) fn of<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
        // Begun anew, not copied: that it holds no half of a word can then be seen, and need not be asked with each.
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        for part in parts {
            hasher.write_u64(part.len() as u64);
            let (words, rest) = part.as_chunks();
            for word in words {
                hasher.write_u64(u64::from_le_bytes(*word));
            }
            hasher.write_u64(last_word(part, rest.len()));
        }
        hasher.finish()
    }
}

/// The last `count` bytes of a part, fewer than eight, as a word: mostly cut out of its last eight, which takes no copy.
fn last_word(part: &[u8], count: usize) -> u64 {
    match (part.last_chunk(), count) {
        (Some(_), 0) => 0,
        (Some(tail), _) => u64::from_le_bytes(*tail) >> (64 - 8 * count),
        (None, _) => {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            u64::from_le_bytes(word)
        }
    }
}

impl std::fmt::Debug for KeyedNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyedNumber(***)")
    }
}

/// Whether both are the same, in a time that does not tell where they differ. All words together are asked once: what keeps the
/// compiler from cutting a comparison short costs more than a comparison.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    let (a_words, a_rest) = a.as_chunks();
    let (b_words, b_rest) = b.as_chunks();
    let words = a_words.iter().zip(b_words);
    let differ = words.fold(0, |differ, (a, b)| {
        differ | (u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b))
    });
    let is_same = a_words.len() == b_words.len();
    is_same & bool::from(differ.ct_eq(&0)) & bool::from(a_rest.ct_eq(b_rest))
}

impl std::fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyedHash(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_are_only_the_same() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        for len in 0..=bytes.len() {
            assert!(same(&bytes[..len], &bytes[..len]));
            for shorter in 0..len {
                assert!(!same(&bytes[..len], &bytes[..shorter]));
                assert!(!same(&bytes[..shorter], &bytes[..len]));
            }
            for at in 0..len {
                let mut other = bytes;
                other[at] ^= 0x80;
                assert!(!same(&bytes[..len], &other[..len]), "{at} of {len}");
            }
        }
    }

    #[test]
    fn numbers_are_those_of_siphash_1_3_and_depend_on_where_a_part_ends() {
        let key = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let number = KeyedNumber::new(key);
        // The vectors for the key of rising bytes begin with the hash of nothing.
        assert_eq!(number.of([]), 0xabac_0158_050f_c4dc);
        let words = [
            &3_u64.to_le_bytes()[..],
            b"abc\0\0\0\0\0",
            &8_u64.to_le_bytes(),
            b"abcdefgh",
            &[0; 8],
            &10_u64.to_le_bytes(),
            b"abcdefghij\0\0\0\0\0\0",
        ]
        .concat();
        let whole = SipHasher13::new_with_key(&key).hash(&words);
        assert_eq!(number.of([&b"abc"[..], b"abcdefgh", b"abcdefghij"]), whole);
        assert_eq!(number.of([&b"ab"[..], b"c"]), number.of([&b"ab"[..], b"c"]));
        assert_ne!(number.of([&b"ab"[..], b"c"]), number.of([&b"a"[..], b"bc"]));
        assert_ne!(
            number.of([&b"ab"[..]]),
            KeyedNumber::new([7; 16]).of([&b"ab"[..]])
        );
    }
}
