//! One packet under session keys, in place: AES-CM with HMAC-SHA1 (RFC 3711 section 4) or AES-GCM (RFC 7714).
//!
//! ```text
//!  RTP,  AES-CM:  header │ encrypted            │ MKI │ tag         GCM:  header │ encrypted │ tag │ MKI
//!  RTCP, AES-CM:  8 bytes│ encrypted │ E, index │ MKI │ tag         GCM:  8 bytes│ encrypted │ tag │ E, index │ MKI
//! ```
//!
//! The field of the MKI is left to the caller: it is moved over, never read.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{EncryptingKey, EncryptionContext};
use aws_lc_rs::iv::FixedLength;
use hmac::{Hmac, KeyInit, Mac};
use sdp::SrtpSuite;
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::keys::{Traffic, counter_mode};

/// Length of a tag of AES-GCM.
const GCM_TAG_BYTES: usize = 16;
/// Length of the field with the E bit and the index.
pub(super) const INDEX_BYTES: usize = 4;
/// What of an RTCP packet stays readable.
pub(super) const RTCP_HEADER_BYTES: usize = 8;

/// The tag does not fit the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forged;

/// The session keys of one kind of packets in one direction.
#[expect(
    clippy::large_enum_variant,
    reason = "a call has four of them, and most are of the large kind"
)]
pub(super) enum Cipher {
    CounterMode {
        aes: EncryptingKey,
        salt: [u8; 14],
        mac: Hmac<Sha1>,
        tag_bytes: usize,
    },
    Gcm {
        key: LessSafeKey,
        salt: [u8; 12],
    },
}

/// Which packet of which source: no two packets under one key have the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(super) ssrc: u32,
    /// RTP: roll-over counter and sequence number, 48 bits. RTCP: 31 bits.
    pub(super) index: u64,
}

impl Position {
    /// Both as they go into an initial vector: 4 and 6 bytes.
    fn bytes(self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..4].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes[4..].copy_from_slice(&self.index.to_be_bytes()[2..]);
        bytes
    }

    fn rollover(self) -> [u8; 4] {
        let [_, _, a, b, c, d, _, _] = self.index.to_be_bytes();
        [a, b, c, d]
    }
}

impl Cipher {
    pub(super) fn new(
        suite: SrtpSuite,
        traffic: Traffic,
        key: &[u8],
        mac_key: &[u8],
        salt: &[u8],
    ) -> Self {
        let tag_bytes = match (suite, traffic) {
            (SrtpSuite::AesCm128HmacSha1_32, Traffic::Rtp) => 4,
            _ => 10,
        };
        let algorithm = match suite {
            SrtpSuite::AeadAes128Gcm => &AES_128_GCM,
            SrtpSuite::AeadAes256Gcm => &AES_256_GCM,
            SrtpSuite::AesCm128HmacSha1_80 | SrtpSuite::AesCm128HmacSha1_32 => {
                return Self::CounterMode {
                    aes: counter_mode(key),
                    salt: salt.try_into().expect("AES-CM has a salt of 14 bytes"),
                    mac: Hmac::new_from_slice(mac_key).expect("HMAC takes a key of any length"),
                    tag_bytes,
                };
            }
        };
        let key = UnboundKey::new(algorithm, key).expect("a key has the length of its suite");
        Self::Gcm {
            key: LessSafeKey::new(key),
            salt: salt.try_into().expect("AES-GCM has a salt of 12 bytes"),
        }
    }

    /// Length of a tag.
    pub(super) fn tag_bytes(&self) -> usize {
        match self {
            Self::CounterMode { tag_bytes, .. } => *tag_bytes,
            Self::Gcm { .. } => GCM_TAG_BYTES,
        }
    }

    /// Whether a failed attempt to open a packet leaves it as it was.
    pub(super) fn keeps_forged(&self) -> bool {
        matches!(self, Self::CounterMode { .. })
    }

    /// Encrypts the RTP packet in `buffer[..len]`; behind it is room for the MKI and the tag.
    pub(super) fn protect_rtp(
        &self,
        buffer: &mut [u8],
        header: usize,
        len: usize,
        mki: &[u8],
        at: Position,
    ) {
        let (packet, rest) = buffer.split_at_mut(len);
        let (head, payload) = packet.split_at_mut(header);
        match self {
            Self::CounterMode { mac, .. } => {
                self.apply_key_stream(payload, at);
                let tag = authenticate(mac, packet, &at.rollover());
                let (field, rest) = rest.split_at_mut(mki.len());
                field.copy_from_slice(mki);
                rest[..self.tag_bytes()].copy_from_slice(&tag[..self.tag_bytes()]);
            }
            Self::Gcm { key, salt } => {
                let tag = seal(key, salt, at, head, payload);
                rest[..GCM_TAG_BYTES].copy_from_slice(&tag);
                rest[GCM_TAG_BYTES..GCM_TAG_BYTES + mki.len()].copy_from_slice(mki);
            }
        }
    }

    /// Checks and decrypts an RTP packet; says how long the plain one at the start of the buffer is.
    pub(super) fn unprotect_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        mki_bytes: usize,
        at: Position,
    ) -> Result<usize, Forged> {
        let tag_bytes = self.tag_bytes();
        let len = packet
            .len()
            .checked_sub(tag_bytes + mki_bytes)
            .filter(|&len| len >= header)
            .ok_or(Forged)?;
        let (plain, rest) = packet.split_at_mut(len);
        match self {
            Self::CounterMode { mac, .. } => {
                let tag = &rest[mki_bytes..];
                let expected = authenticate(mac, plain, &at.rollover());
                verify(tag, &expected)?;
                self.apply_key_stream(&mut plain[header..], at);
            }
            Self::Gcm { key, salt } => {
                let (head, payload) = plain.split_at_mut(header);
                open(key, salt, at, head, payload, &rest[..GCM_TAG_BYTES])?;
            }
        }
        Ok(len)
    }

    /// Encrypts the RTCP packet in `buffer[..len]`; behind it is room for index, MKI and tag.
    pub(super) fn protect_rtcp(&self, buffer: &mut [u8], len: usize, mki: &[u8], at: Position) {
        let word = encrypted_index(at);
        match self {
            Self::CounterMode { mac, .. } => {
                self.apply_key_stream(&mut buffer[RTCP_HEADER_BYTES..len], at);
                let (packet, rest) = buffer.split_at_mut(len);
                let (field, rest) = rest.split_at_mut(INDEX_BYTES);
                field.copy_from_slice(&word);
                let tag = authenticate(mac, packet, &word);
                rest[..mki.len()].copy_from_slice(mki);
                rest[mki.len()..mki.len() + self.tag_bytes()]
                    .copy_from_slice(&tag[..self.tag_bytes()]);
            }
            Self::Gcm { key, salt } => {
                let (packet, rest) = buffer.split_at_mut(len);
                let (head, body) = packet.split_at_mut(RTCP_HEADER_BYTES);
                let tag = seal(key, salt, at, &associated(head, word), body);
                let (field, rest) = rest.split_at_mut(GCM_TAG_BYTES);
                field.copy_from_slice(&tag);
                rest[..INDEX_BYTES].copy_from_slice(&word);
                rest[INDEX_BYTES..INDEX_BYTES + mki.len()].copy_from_slice(mki);
            }
        }
    }

    /// Where the E bit and the index of an RTCP packet are.
    pub(super) fn rtcp_index(&self, packet: &[u8], mki_bytes: usize) -> Option<[u8; INDEX_BYTES]> {
        let behind = match self {
            Self::CounterMode { tag_bytes, .. } => tag_bytes + mki_bytes,
            Self::Gcm { .. } => mki_bytes,
        };
        let end = packet.len().checked_sub(behind)?;
        let start = end.checked_sub(INDEX_BYTES)?;
        packet.get(start..end)?.try_into().ok()
    }

    /// Checks and decrypts an RTCP packet; says how long the plain one at the start of the buffer is.
    pub(super) fn unprotect_rtcp(
        &self,
        packet: &mut [u8],
        mki_bytes: usize,
        at: Position,
    ) -> Result<usize, Forged> {
        let word = encrypted_index(at);
        let len = packet
            .len()
            .checked_sub(INDEX_BYTES + mki_bytes + self.tag_bytes())
            .filter(|&len| len >= RTCP_HEADER_BYTES)
            .ok_or(Forged)?;
        let (plain, rest) = packet.split_at_mut(len);
        match self {
            Self::CounterMode { mac, .. } => {
                let expected = authenticate(mac, plain, &word);
                verify(&rest[INDEX_BYTES + mki_bytes..], &expected)?;
                self.apply_key_stream(&mut plain[RTCP_HEADER_BYTES..], at);
            }
            Self::Gcm { key, salt } => {
                let (head, body) = plain.split_at_mut(RTCP_HEADER_BYTES);
                let associated = associated(head, word);
                open(key, salt, at, &associated, body, &rest[..GCM_TAG_BYTES])?;
            }
        }
        Ok(len)
    }

    /// RFC 3711 section 4.1.1.
    fn apply_key_stream(&self, bytes: &mut [u8], at: Position) {
        let Self::CounterMode { aes, salt, .. } = self else {
            return;
        };
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(salt);
        xor(&mut iv[4..14], &at.bytes());
        aes.less_safe_encrypt(bytes, EncryptionContext::Iv128(FixedLength::from(iv)))
            .expect("any number of bytes can be encrypted in counter mode");
    }
}

fn authenticate(mac: &Hmac<Sha1>, packet: &[u8], behind: &[u8]) -> [u8; 20] {
    let mut mac = mac.clone();
    mac.update(packet);
    mac.update(behind);
    mac.finalize().into_bytes().into()
}

/// In constant time; `tag` may be cut.
fn verify(tag: &[u8], expected: &[u8; 20]) -> Result<(), Forged> {
    let is_right = tag.ct_eq(&expected[..tag.len()]);
    if bool::from(is_right) {
        Ok(())
    } else {
        Err(Forged)
    }
}

/// RFC 7714 section 8.1 and 9.1: two zero bytes, SSRC, index; exclusive-or the salt.
fn nonce(salt: &[u8; 12], at: Position) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce[2..], &at.bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn seal(
    key: &LessSafeKey,
    salt: &[u8; 12],
    at: Position,
    associated: &[u8],
    text: &mut [u8],
) -> [u8; GCM_TAG_BYTES] {
    let tag = key
        .seal_in_place_separate_tag(nonce(salt, at), Aad::from(associated), text)
        .expect("a datagram is far below the limits of AES-GCM");
    tag.as_ref().try_into().expect("AES-GCM makes 16 bytes")
}

fn open(
    key: &LessSafeKey,
    salt: &[u8; 12],
    at: Position,
    associated: &[u8],
    text: &mut [u8],
    tag: &[u8],
) -> Result<(), Forged> {
    key.open_in_place_separate_tag(nonce(salt, at), Aad::from(associated), tag, text)
        .map(|_| ())
        .map_err(|_| Forged)
}

/// What RTCP authenticates beside the encrypted part (RFC 7714 section 9.2).
fn associated(head: &[u8], word: [u8; INDEX_BYTES]) -> [u8; RTCP_HEADER_BYTES + INDEX_BYTES] {
    let mut bytes = [0; RTCP_HEADER_BYTES + INDEX_BYTES];
    bytes[..RTCP_HEADER_BYTES].copy_from_slice(head);
    bytes[RTCP_HEADER_BYTES..].copy_from_slice(&word);
    bytes
}

/// The E bit, set because we never leave RTCP readable, and the index.
fn encrypted_index(at: Position) -> [u8; INDEX_BYTES] {
    let [_, _, _, _, a, b, c, d] = at.index.to_be_bytes();
    [a | 0x80, b, c, d]
}

fn xor(bytes: &mut [u8], with: &[u8]) {
    for (byte, with) in bytes.iter_mut().zip(with) {
        *byte ^= with;
    }
}
