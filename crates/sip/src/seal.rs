//! Small values that others carry for us: nobody can read them, and only ours come back.
//!
//! `nonce ‖ value xor pad ‖ mac` in hexadecimal, the pad `HMAC-SHA256(key, "pad" ‖ nonce)`, the mac 8 bytes of
//! `HMAC-SHA256(key, "mac" ‖ nonce ‖ sealed value)`. Nothing has to be remembered about what was given away.
//!
//! Not here: the nonces of digest (`digest/server.rs`), which hide nothing.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::ids::hex;

const NONCE: usize = 6;
const MAC: usize = 8;

/// Longest value: one block of the pad.
const MAX_VALUE: usize = 32;

/// A key to seal values with.
pub struct Seal {
    key: [u8; 32],
}

impl Seal {
    /// Values sealed with the same key can be opened with it.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Seals a value of 32 bytes at most; what is longer is cut. `nonce` must be random: the same one shows which
    /// bits of two values differ.
    pub fn close(&self, value: &[u8], nonce: [u8; NONCE]) -> String {
        let value = &value[..value.len().min(MAX_VALUE)];
        let mut sealed = nonce.to_vec();
        sealed.extend(
            value
                .iter()
                .zip(self.pad(&nonce))
                .map(|(byte, pad)| byte ^ pad),
        );
        let mac = self.mac(&sealed);
        sealed.extend(mac);
        hex(&sealed)
    }

    /// The value, if it was sealed with this key.
    pub fn open(&self, text: &str) -> Option<Vec<u8>> {
        let bytes = from_hex(text)?;
        let (sealed, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
        let (nonce, value) = sealed.split_first_chunk::<NONCE>()?;
        if value.len() > MAX_VALUE || !bool::from(self.mac(sealed).ct_eq(mac)) {
            return None;
        }
        Some(
            value
                .iter()
                .zip(self.pad(nonce))
                .map(|(byte, pad)| byte ^ pad)
                .collect(),
        )
    }

    fn pad(&self, nonce: &[u8; NONCE]) -> [u8; 32] {
        self.hmac(b"pad", nonce)
    }

    fn mac(&self, sealed: &[u8]) -> [u8; MAC] {
        let mut short = [0; MAC];
        short.copy_from_slice(&self.hmac(b"mac", sealed)[..MAC]);
        short
    }

    fn hmac(&self, purpose: &[u8], data: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes any key length");
        mac.update(purpose);
        mac.update(data);
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(***)")
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 2 * (NONCE + MAX_VALUE + MAC) {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_the_same_key_only() {
        let seal = Seal::new([1; 32]);
        let text = seal.close(b"slot 42", [9; 6]);
        assert_eq!(seal.open(&text).as_deref(), Some(&b"slot 42"[..]));
        assert_eq!(Seal::new([2; 32]).open(&text), None);
        assert!(!text.contains(&hex(b"slot")));
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(
                seal.open(std::str::from_utf8(&changed).unwrap()),
                None,
                "{at}"
            );
        }
    }

    #[test]
    fn what_is_no_seal_does_not_open() {
        for text in [
            "",
            "0",
            "zz",
            "00112233445566778899aabb",
            "\u{e9}\u{e9}",
            &"00".repeat(99),
        ] {
            assert_eq!(Seal::new([1; 32]).open(text), None, "{text}");
        }
    }
}
