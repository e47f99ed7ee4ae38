//! Nonces that prove themselves.
//!
//! A nonce is `time ‖ random ‖ source ‖ HMAC(key, time ‖ random ‖ source ‖ realm)` in 42
//! characters, so that nothing needs to be remembered about a challenge: an attacker can ask for as
//! many as he likes. 56 random bits keep two clients from ever getting the same one; 96 bits of HMAC
//! are nothing to guess at.
//!
//! The source is the address that the challenge was sent to, without its port, which a NAT may
//! change at any time; of IPv6 the first 64 bits, for phones change the others by themselves. Who
//! answers a nonce has got it; if that is the one it was sent to, he is where he says he is.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;

use crate::base64url;
use crate::ids::Ids;
use crate::keyed::{KeyedHash, same};

const TIME_BYTES: usize = 4;
const RANDOM_BYTES: usize = 7;
const ID_BYTES: usize = TIME_BYTES + RANDOM_BYTES;
const SOURCE_BYTES: usize = 8;
const HEAD_BYTES: usize = ID_BYTES + SOURCE_BYTES;
/// A challenge may be one and a half times as long as its request at most; with sixteen it no longer
/// fits the shortest honest one (RFC 4475, section 3.1.1.6).
const MAC_BYTES: usize = 12;
const NONCE_BYTES: usize = HEAD_BYTES + MAC_BYTES;
const NONCE_CHARS: usize = (NONCE_BYTES * 4).div_ceil(3);

/// When a nonce was made, and its random part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NonceId {
    time: u32,
    /// Seven bytes, halved so that an id takes twelve bytes in the tables of a server.
    random: [u32; 2],
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
            random: [
                u32::from_be_bytes([0, a, b, c]),
                u32::from_be_bytes([d, e, f, g]),
            ],
        }
    }

    pub(super) fn random(self) -> u64 {
        let [high, low] = self.random;
        u64::from(high) << u32::BITS | u64::from(low)
    }

    fn bytes(self) -> [u8; ID_BYTES] {
        let mut bytes = [0; ID_BYTES];
        bytes[..TIME_BYTES].copy_from_slice(&self.time.to_be_bytes());
        let [high, low] = self.random.map(u32::to_be_bytes);
        bytes[TIME_BYTES..TIME_BYTES + 3].copy_from_slice(&high[1..]);
        bytes[TIME_BYTES + 3..].copy_from_slice(&low);
        bytes
    }

    /// Unix time of the challenge, in seconds.
    pub(super) fn issued_secs(self) -> u64 {
        self.time.into()
    }
}

/// What one subscriber has of addresses: one of IPv4, a network of 64 bits of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source([u8; SOURCE_BYTES]);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        let mut bytes = [0; SOURCE_BYTES];
        match address.to_canonical() {
            // As a multicast group, from which nothing ever comes.
            IpAddr::V4(address) => {
                bytes[..4].copy_from_slice(&Ipv4Addr::BROADCAST.octets());
                bytes[4..].copy_from_slice(&address.octets());
            }
            IpAddr::V6(address) => bytes.copy_from_slice(&address.octets()[..SOURCE_BYTES]),
        }
        Self(bytes)
    }
}

/// A nonce of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonce {
    pub(super) id: NonceId,
    /// Where it was sent.
    pub(super) source: Source,
}

impl Nonce {
    fn head(self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        head[..ID_BYTES].copy_from_slice(&self.id.bytes());
        head[ID_BYTES..].copy_from_slice(&self.source.0);
        head
    }
}

/// Signs nonces and knows its own again.
pub(super) struct Signer {
    nonces: KeyedHash,
    nobody: KeyedHash,
}

/// A nonce as it stands in a message.
#[derive(Clone, Copy)]
pub(super) struct NonceText([u8; NONCE_CHARS]);

impl Deref for NonceText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Signer {
    pub(super) fn new(key: [u8; 32]) -> Self {
        let key = KeyedHash::new(key);
        Self {
            nonces: key.for_purpose("nonce"),
            nobody: key.for_purpose("nobody"),
        }
    }

    /// The nonce as text.
    pub(super) fn write(&self, nonce: Nonce, realm: &str) -> NonceText {
        let mut bytes = [0; NONCE_BYTES];
        let (head, mac) = bytes.split_at_mut(HEAD_BYTES);
        head.copy_from_slice(&nonce.head());
        mac.copy_from_slice(&self.sign(&nonce.head(), realm));
        let mut text = NonceText([0; NONCE_CHARS]);
        base64url::write(&bytes, &mut text.0);
        text
    }

    /// What a nonce says, if we made it for `realm`.
    pub(super) fn read(&self, nonce: &str, realm: &str) -> Option<Nonce> {
        let mut bytes = [0; NONCE_BYTES];
        if base64url::decode(nonce, &mut bytes)?.len() != NONCE_BYTES {
            return None;
        }
        let (head, mac) = bytes.split_first_chunk()?;
        let (id, source) = head.split_at(ID_BYTES);
        let (time, random) = id.split_at(TIME_BYTES);
        let nonce = Nonce {
            id: NonceId::from_parts(time.try_into().ok()?, random.try_into().ok()?),
            source: Source(source.try_into().ok()?),
        };
        same(&self.sign(head, realm), mac).then_some(nonce)
    }

    /// 32 bytes that only we can tell, the same for one user and realm.
    pub(super) fn noise(&self, username: &str, realm: &str) -> [u8; 32] {
        self.nobody.hash([username, realm].map(str::as_bytes))
    }

    fn sign(&self, head: &[u8; HEAD_BYTES], realm: &str) -> [u8; MAC_BYTES] {
        let full = self.nonces.hash_behind(head, realm.as_bytes());
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(&full[..MAC_BYTES]);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_known_again_for_its_realm_and_key_only() {
        let mut ids = Ids::from_seed([1; 32]);
        let signer = Signer::new([7; 32]);
        let made = Nonce {
            id: NonceId::new(1_800_000_000, &mut ids),
            source: IpAddr::from([192, 0, 2, 1]).into(),
        };
        let nonce = signer.write(made, "example.com");
        assert_eq!(nonce.len(), 42);
        assert_eq!(signer.read(&nonce, "example.com"), Some(made));
        assert_eq!(made.id.issued_secs(), 1_800_000_000);
        assert_eq!(signer.read(&nonce, "example.org"), None);
        assert_eq!(Signer::new([8; 32]).read(&nonce, "example.com"), None);
        for at in 0..nonce.len() {
            let mut forged = nonce.as_bytes().to_vec();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(signer.read(&forged, "example.com"), None, "{forged}");
        }
        for text in [
            "",
            &nonce[..36],
            &[&*nonce, "AAAA"].concat(),
            &[&*nonce, "="].concat(),
        ] {
            assert_eq!(signer.read(text, "example.com"), None, "{text}");
        }
    }

    #[test]
    fn a_source_is_an_address_of_ipv4_or_a_network_of_ipv6() {
        let source = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(source("192.0.2.1"), source("::ffff:192.0.2.1"));
        assert_eq!(source("2001:db8:0:1::1"), source("2001:db8:0:1:ffff::"));
        for [a, b] in [
            ["192.0.2.1", "192.0.2.2"],
            ["2001:db8:0:1::1", "2001:db8:0:2::1"],
            ["0.0.0.0", "::"],
        ] {
            assert_ne!(source(a), source(b));
        }
    }
}
