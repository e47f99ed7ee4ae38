//! Nonces that prove themselves.
//!
//! A nonce is `time ‖ random ‖ HMAC(key, time ‖ random ‖ realm)` in 36 characters, so that nothing
//! needs to be remembered about a challenge: an attacker can ask for as many as he likes. 56
//! random bits keep two clients from ever getting the same one; 128 bits of HMAC are nothing to
//! guess at.

use crate::base64url;
use crate::ids::Ids;
use crate::keyed::{KeyedHash, same};

const TIME_BYTES: usize = 4;
const RANDOM_BYTES: usize = 7;
const MAC_BYTES: usize = 16;
const HEAD_BYTES: usize = TIME_BYTES + RANDOM_BYTES;
const NONCE_BYTES: usize = HEAD_BYTES + MAC_BYTES;

/// When a nonce was made, and its random part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NonceId {
    time: u32,
    /// Its last seven bytes.
    random: u64,
}

impl NonceId {
    pub(super) fn new(issued_secs: u64, ids: &mut Ids) -> Self {
        let random = ids.bytes::<RANDOM_BYTES>();
        // Seconds that do not fit are as good as any: such a clock has no nonce that is current.
        let time = u32::try_from(issued_secs).unwrap_or(u32::MAX);
        Self::from_parts(time.to_be_bytes(), random)
    }

    fn from_parts(time: [u8; TIME_BYTES], random: [u8; RANDOM_BYTES]) -> Self {
        let [a, b, c, d, e, f, g] = random;
        Self {
            time: u32::from_be_bytes(time),
            random: u64::from_be_bytes([0, a, b, c, d, e, f, g]),
        }
    }

    fn bytes(self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        head[..TIME_BYTES].copy_from_slice(&self.time.to_be_bytes());
        head[TIME_BYTES..].copy_from_slice(&self.random.to_be_bytes()[1..]);
        head
    }

    /// Unix time of the challenge, in seconds.
    pub(super) fn issued_secs(self) -> u64 {
        self.time.into()
    }
}

/// Signs nonces and knows its own again.
pub(super) struct Signer(KeyedHash);

impl Signer {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self(KeyedHash::new(key))
    }

    /// The nonce as text.
    pub(super) fn write(&self, id: NonceId, realm: &str) -> String {
        let mut bytes = [0; NONCE_BYTES];
        let (head, mac) = bytes.split_at_mut(HEAD_BYTES);
        head.copy_from_slice(&id.bytes());
        mac.copy_from_slice(&self.sign(id, realm));
        base64url::encode(&bytes)
    }

    /// The time and random part of a nonce, if we made it for `realm`.
    pub(super) fn read(&self, nonce: &str, realm: &str) -> Option<NonceId> {
        let mut bytes = [0; NONCE_BYTES];
        if base64url::decode(nonce, &mut bytes)?.len() != NONCE_BYTES {
            return None;
        }
        let (head, mac) = bytes.split_at(HEAD_BYTES);
        let (time, random) = head.split_at(TIME_BYTES);
        let id = NonceId::from_parts(time.try_into().ok()?, random.try_into().ok()?);
        same(&self.sign(id, realm), mac).then_some(id)
    }

    /// 32 bytes that only we can tell, the same for one user and realm.
    pub(super) fn noise(&self, username: &str, realm: &str) -> [u8; 32] {
        self.0.hash(["nobody", username, realm].map(str::as_bytes))
    }

    fn sign(&self, id: NonceId, realm: &str) -> [u8; MAC_BYTES] {
        self.0
            .short([b"nonce".as_slice(), &id.bytes(), realm.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_known_again_for_its_realm_and_key_only() {
        let mut ids = Ids::from_seed([1; 32]);
        let signer = Signer::new([7; 32]);
        let id = NonceId::new(1_800_000_000, &mut ids);
        let nonce = signer.write(id, "example.com");
        assert_eq!(nonce.len(), 36);
        assert_eq!(signer.read(&nonce, "example.com"), Some(id));
        assert_eq!(id.issued_secs(), 1_800_000_000);
        assert_eq!(signer.read(&nonce, "example.org"), None);
        assert_eq!(Signer::new([8; 32]).read(&nonce, "example.com"), None);
        for at in 0..nonce.len() {
            let mut forged = nonce.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(signer.read(&forged, "example.com"), None, "{forged}");
        }
        for text in [
            "",
            &nonce[..32],
            &format!("{nonce}AAAA"),
            &format!("{nonce}="),
        ] {
            assert_eq!(signer.read(text, "example.com"), None, "{text}");
        }
    }
}
