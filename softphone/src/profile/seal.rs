//! Sealed text: XChaCha20-Poly1305 with a random nonce, bound to the profile it belongs to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::key_store::ProfileKey;

/// Length of the nonce in front of the sealed bytes.
const NONCE_BYTES: usize = 24;

/// Seals `plain`; it opens only with the same key and the same `context`.
pub(crate) fn seal(plain: &[u8], context: &str, key: &ProfileKey) -> String {
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let payload = Payload {
        msg: plain,
        aad: context.as_bytes(),
    };
    let sealed = XChaCha20Poly1305::new(key.as_slice().try_into().expect("32 bytes are a key"))
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a short text in memory can be sealed");
    STANDARD.encode([nonce.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] made, or `None` if it is not that.
pub(crate) fn open(sealed: &str, context: &str, key: &ProfileKey) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = STANDARD.decode(sealed).ok()?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
    let payload = Payload {
        msg: sealed,
        aad: context.as_bytes(),
    };
    XChaCha20Poly1305::new(key.as_slice().try_into().expect("32 bytes are a key"))
        .decrypt(&XNonce::from(*nonce), payload)
        .ok()
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_only_with_its_key_in_its_context_and_untouched() {
        let key = Zeroizing::new([7; 32]);
        let sealed = seal(b"secret", "profile a", &key);
        assert_eq!(
            open(&sealed, "profile a", &key).unwrap().as_slice(),
            b"secret"
        );
        assert!(open(&sealed, "profile b", &key).is_none());
        assert!(open(&sealed, "profile a", &Zeroizing::new([8; 32])).is_none());
        let mut bytes = STANDARD.decode(&sealed).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        assert!(open(&STANDARD.encode(bytes), "profile a", &key).is_none());
        assert!(open("", "profile a", &key).is_none());
        assert!(open("no base64!", "profile a", &key).is_none());
    }
}
