//! Identifiers that others must not guess: branches, tags, Call-IDs, client nonces.
//!
//! One seeded source per machine. The same seed and the same inputs give the same bytes on the
//! wire, which lets simulations run twice and be compared; in production the seed comes from the
//! operating system.

use std::fmt;
use std::ops::Deref;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What every branch of RFC 3261 begins with (section 8.1.1.7).
const MAGIC_COOKIE: &str = "z9hG4bK";

/// Seeded source of identifiers.
pub struct Ids {
    rng: ChaCha20Rng,
    call_id_prefix: Box<str>,
}

impl Ids {
    /// A source that always yields the same sequence for the same `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self {
            rng: ChaCha20Rng::from_seed(seed),
            call_id_prefix: Box::default(),
        }
    }

    /// The same source, whose Call-IDs begin with `prefix`, of the characters of a word (RFC 3261, section 25.1): where several
    /// machines share an address it tells whose they are.
    #[must_use]
    pub fn with_call_id_prefix(self, prefix: &str) -> Self {
        Self {
            call_id_prefix: prefix.into(),
            ..self
        }
    }

    /// A source of its own, for another machine: independent of what this one yields later.
    pub fn fork(&mut self) -> Self {
        Self::from_seed(self.bytes())
    }

    /// A Via branch: the magic cookie and 96 random bits (RFC 3261, section 8.1.1.7).
    pub fn branch(&mut self) -> String {
        hex_behind(MAGIC_COOKIE, &self.bytes::<12>())
    }

    /// A From or To tag of 64 random bits (RFC 3261, section 19.3 asks for 32).
    pub fn tag(&mut self) -> String {
        self.hex::<8>()
    }

    /// A Call-ID of 128 random bits; no host part, which would tell where we are.
    pub fn call_id(&mut self) -> String {
        let random = self.bytes::<16>();
        hex_behind(&self.call_id_prefix, &random)
    }

    /// A client nonce for digest authentication, 64 random bits.
    pub fn cnonce(&mut self) -> String {
        self.hex::<8>()
    }

    /// 32 random bits.
    pub fn u32(&mut self) -> u32 {
        self.rng.next_u32()
    }

    /// 64 random bits.
    pub fn u64(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    fn hex<const N: usize>(&mut self) -> String {
        hex(&self.bytes::<N>())
    }
}

impl fmt::Debug for Ids {
    /// The state would let a reader of the log guess every later identifier.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids(***)")
    }
}

/// A From or To tag of 64 bits as it stands in a message: lower-case hexadecimal (RFC 3261, section 19.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tag([u8; 16]);

impl Tag {
    pub(crate) fn new(number: u64) -> Self {
        let mut digits = [0; 16];
        write_hex(&number.to_be_bytes(), &mut digits);
        Self(digits)
    }
}

impl Deref for Tag {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    hex_behind("", bytes)
}

/// Lower-case hexadecimal, as many digits as there is room for.
pub(crate) fn write_hex(bytes: &[u8], digits: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

fn hex_behind(prefix: &str, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(prefix.len() + 2 * bytes.len());
    text.push_str(prefix);
    for byte in bytes {
        let mut digits = [0; 2];
        write_hex(&[*byte], &mut digits);
        text.extend(digits.map(char::from));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_gives_the_same_identifiers() {
        let mut first = Ids::from_seed([7; 32]);
        let mut second = Ids::from_seed([7; 32]);
        assert_eq!(first.branch(), second.branch());
        assert_eq!(first.tag(), second.tag());
        assert_eq!(first.fork().u64(), second.fork().u64());
    }

    #[test]
    fn identifiers_do_not_repeat() {
        let mut ids = Ids::from_seed([1; 32]);
        assert_ne!(ids.tag(), ids.tag());
        assert!(ids.branch().starts_with(MAGIC_COOKIE));
        assert_eq!(ids.call_id().len(), 32);
        let mut ids = ids.with_call_id_prefix("a-");
        assert!(ids.call_id().starts_with("a-") && ids.call_id() != ids.call_id());
    }

    #[test]
    fn debug_output_tells_nothing() {
        assert_eq!(format!("{:?}", Ids::from_seed([1; 32])), "Ids(***)");
    }
}
