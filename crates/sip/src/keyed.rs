//! A keyed hash: what we hand out and want to know again without remembering it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// HMAC with SHA-256. Keyed once: a signature starts from a copy.
#[derive(Clone)]
pub(crate) struct KeyedHash(Hmac<Sha256>);

impl KeyedHash {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(Hmac::new_from_slice(&key).expect("HMAC takes any key length"))
    }

    /// The hash of the parts, each told from the next by its length. The first part should say
    /// what it is for, so that one key can serve several purposes.
    pub(crate) fn hash<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            // Four bytes, so that what is hashed of a nonce fits into one block of SHA-256.
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

/// Whether both are the same, in a time that does not tell where they differ.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

impl std::fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyedHash(***)")
    }
}
