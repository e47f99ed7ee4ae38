//! From a master key to the session keys of one direction (RFC 3711 section 4.3, RFC 7714 section 11).

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use sdp::MasterKey;
use zeroize::Zeroizing;

use super::cipher::Cipher;

/// Which packets the keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traffic {
    Rtp,
    Rtcp,
}

/// What a session key is for: the labels of RFC 3711 section 4.3.2; those of RTCP come three later.
#[derive(Clone, Copy)]
enum Label {
    Encryption = 0,
    Authentication = 1,
    Salt = 2,
}

/// Length of the key of HMAC-SHA1 (RFC 3711 section 5.2).
const MAC_KEY_BYTES: usize = 20;
/// Longest session key.
const MAX_KEY_BYTES: usize = 32;

/// The cipher for one kind of packets under a master key.
pub(super) fn derive(master: &MasterKey, traffic: Traffic) -> Cipher {
    let suite = master.suite();
    let mut key = Zeroizing::new([0; MAX_KEY_BYTES]);
    let mut mac_key = Zeroizing::new([0; MAC_KEY_BYTES]);
    let mut salt = Zeroizing::new([0; 14]);
    let key = &mut key[..suite.key_bytes()];
    let salt = &mut salt[..suite.salt_bytes()];
    fill(master, traffic, Label::Encryption, key);
    fill(master, traffic, Label::Authentication, &mut mac_key[..]);
    fill(master, traffic, Label::Salt, salt);
    Cipher::new(suite, traffic, key, &mac_key[..], salt)
}

/// The pseudo-random function is the key stream of AES in counter mode; a salt of 12 bytes counts
/// as one of 14 with two zeros behind.
fn fill(master: &MasterKey, traffic: Traffic, label: Label, out: &mut [u8]) {
    let mut iv = [0; 16];
    let salt = master.salt();
    iv[..salt.len()].copy_from_slice(salt);
    iv[7] ^= match traffic {
        Traffic::Rtp => label as u8,
        Traffic::Rtcp => label as u8 + 3,
    };
    out.fill(0);
    counter_mode(master.key())
        .less_safe_encrypt(out, EncryptionContext::Iv128(FixedLength::from(iv)))
        .expect("any number of bytes can be encrypted in counter mode");
}

/// AES in counter mode under a key of 16 or 32 bytes.
pub(super) fn counter_mode(key: &[u8]) -> EncryptingKey {
    let algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
    UnboundCipherKey::new(algorithm, key)
        .and_then(EncryptingKey::ctr)
        .expect("a master key has the length of its suite")
}

#[cfg(test)]
mod tests {
    use sdp::SrtpSuite;

    use super::*;
    use crate::srtp::tests::{hex, vectors};

    #[test]
    fn keys_are_derived_as_in_appendix_b_3_of_rfc_3711() {
        let vectors = vectors("rfc3711-srtp.json");
        let read = |name: &str| {
            let mut named = vectors.iter().filter(|(found, _)| found == name);
            named.next().unwrap().1.clone()
        };
        let suite = SrtpSuite::AesCm128HmacSha1_80;
        let master = MasterKey::new(suite, &read("master_key"), &read("master_salt")).unwrap();
        for (label, name) in [
            (Label::Encryption, "cipher_key"),
            (Label::Salt, "cipher_salt"),
            (Label::Authentication, "auth_key"),
        ] {
            let expected = read(name);
            let mut out = vec![0xff; expected.len()];
            fill(&master, Traffic::Rtp, label, &mut out);
            assert_eq!(out, expected, "{name}");
        }
    }

    #[test]
    fn the_key_stream_is_that_of_appendix_b_2_of_rfc_3711() {
        let vectors = vectors("rfc3711-srtp.json");
        let (_, key) = vectors.iter().find(|(name, _)| name == "key").unwrap();
        let cipher = counter_mode(key);
        let is_counter = |name: &str| name.len() == 32;
        let blocks: Vec<_> = vectors
            .iter()
            .filter(|(name, _)| is_counter(name))
            .collect();
        assert!(blocks.len() >= 6);
        for (counter, block) in blocks {
            let iv: [u8; 16] = hex(counter).unwrap().try_into().unwrap();
            let mut out = [0; 16];
            cipher
                .less_safe_encrypt(&mut out, EncryptionContext::Iv128(FixedLength::from(iv)))
                .unwrap();
            assert_eq!(out[..], block[..]);
        }
    }
}
