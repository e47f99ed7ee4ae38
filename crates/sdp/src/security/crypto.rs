//! The attribute `crypto` (RFC 4568): one suite with its key, as one side offers or accepts it.
//!
//! ```text
//! 1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^31|1:4 WSH=128
//! tag suite                        master key and salt                      life MKI session parameters
//! ```
//!
//! An error says what was wrong, never what was written: it could be the key.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::{MasterKey, Mki, SrtpSuite};

/// Some peers leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Longest key and salt that are decoded, in bytes, with a block to spare for the decoder.
const MAX_DECODED_BYTES: usize = 64;

/// The smallest replay window that may be asked for (RFC 4568 section 6.3.6).
const MIN_WINDOW: u32 = 64;

/// One `a=crypto` that we can carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptoAttribute {
    /// Names it in the answer: 1–999,999,999.
    pub tag: u32,
    /// What its writer protects with.
    pub key: MasterKey,
}

/// Why an `a=crypto` cannot be carried out; the next one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// It does not follow the grammar.
    #[error("the crypto attribute is malformed")]
    Malformed,
    /// A suite that we do not have.
    #[error("the crypto suite is unknown")]
    UnknownSuite,
    /// Another key method than `inline`.
    #[error("the key method is unknown")]
    UnknownMethod,
    /// Several keys in one attribute.
    #[error("it has more than one key")]
    ManyKeys,
    /// Not base64, or not as long as the suite wants.
    #[error("the key has the wrong length or is not base64")]
    Key,
    /// The lifetime is zero, above that of the suite, or unreadable.
    #[error("the lifetime of the key is out of range")]
    Lifetime,
    /// The field that names the key is unreadable or out of range.
    #[error("the identifier of the key is out of range")]
    Mki,
    /// A session parameter that would leave packets open, or that is not known.
    #[error("a session parameter is not supported")]
    Parameter,
}

impl CryptoAttribute {
    /// Reads the value of an attribute.
    ///
    /// # Errors
    ///
    /// [`CryptoError`] says why it is to be declined.
    pub fn parse(value: &str) -> Result<Self, CryptoError> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().and_then(tag).ok_or(CryptoError::Malformed)?;
        let suite = words.next().ok_or(CryptoError::Malformed)?;
        let keys = words.next().ok_or(CryptoError::Malformed)?;
        let suite = SrtpSuite::from_name(suite).ok_or(CryptoError::UnknownSuite)?;
        let key = key(suite, keys)?;
        words.try_for_each(parameter)?;
        Ok(Self { tag, key })
    }

    /// As the value of an attribute: secret. No lifetime is written, so that of the suite holds.
    #[must_use]
    pub fn to_value(&self) -> Zeroizing<String> {
        let suite = self.key.suite().name();
        let mut value = Zeroizing::new(String::with_capacity(128));
        value.push_str(&format!("{} {suite} inline:", self.tag));
        BASE64.encode_string(self.key.key_and_salt(), &mut value);
        if let Some(Mki {
            value: mki,
            len_bytes,
        }) = self.key.mki()
        {
            value.push_str(&format!("|{mki}:{len_bytes}"));
        }
        value
    }
}

fn tag(word: &str) -> Option<u32> {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit()) && word.len() <= 9;
    word.parse().ok().filter(|_| is_number)
}

fn key(suite: SrtpSuite, keys: &str) -> Result<MasterKey, CryptoError> {
    if keys.contains(';') {
        return Err(CryptoError::ManyKeys);
    }
    let (method, key) = keys.split_once(':').ok_or(CryptoError::Malformed)?;
    if !method.eq_ignore_ascii_case("inline") {
        return Err(CryptoError::UnknownMethod);
    }
    let mut parts = key.split('|');
    let text = parts.next().ok_or(CryptoError::Malformed)?;
    let mut decoded = Zeroizing::new([0; MAX_DECODED_BYTES]);
    let len = BASE64
        .decode_slice(text, &mut decoded[..])
        .map_err(|_| CryptoError::Key)?;
    let (key, salt) = decoded[..len]
        .split_at_checked(suite.key_bytes())
        .ok_or(CryptoError::Key)?;
    let key = MasterKey::new(suite, key, salt).ok_or(CryptoError::Key)?;
    Ok(key.with_mki(lifetime_and_mki(parts)?))
}

/// Both may be absent; the identifier is the one with a colon. A lifetime is only read: the peer ends with its own key.
fn lifetime_and_mki<'a>(parts: impl Iterator<Item = &'a str>) -> Result<Option<Mki>, CryptoError> {
    let (mut has_lifetime, mut mki) = (false, None);
    for part in parts {
        match part.split_once(':') {
            Some(_) if mki.is_some() => return Err(CryptoError::Malformed),
            Some((value, len)) => mki = Some(read_mki(value, len).ok_or(CryptoError::Mki)?),
            None if has_lifetime || mki.is_some() => return Err(CryptoError::Malformed),
            None => {
                check_lifetime(part).ok_or(CryptoError::Lifetime)?;
                has_lifetime = true;
            }
        }
    }
    Ok(mki)
}

/// `2^20` or decimal, at most 2^48 packets (RFC 3711 section 9.2).
fn check_lifetime(text: &str) -> Option<()> {
    let packets: u64 = match text.strip_prefix("2^") {
        Some(power) => 1_u64.checked_shl(power.parse().ok()?)?,
        None => text.parse().ok()?,
    };
    (1..=1 << 48).contains(&packets).then_some(())
}

fn read_mki(value: &str, len: &str) -> Option<Mki> {
    let value: u64 = value.parse().ok()?;
    let len_bytes: u8 = len.parse().ok()?;
    let fits = len_bytes >= 8 || value < 1 << (8 * u32::from(len_bytes));
    ((1..=128).contains(&len_bytes) && fits).then_some(Mki { value, len_bytes })
}

/// What changes packets is declined; a hint, and what may be ignored, passes (RFC 4568 section 6.3).
fn parameter(word: &str) -> Result<(), CryptoError> {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    let is_harmless = match name {
        "KDR" => value == "0",
        "WSH" => value.parse().is_ok_and(|window: u32| window >= MIN_WINDOW),
        // An unknown extension that need not be understood (section 6.3.7).
        name => name.len() > 1 && name.starts_with('-'),
    };
    if is_harmless {
        Ok(())
    } else {
        Err(CryptoError::Parameter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From RFC 4568 section 9.1... the key of the first example there.
    const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    fn parse(value: &str) -> Result<CryptoAttribute, CryptoError> {
        CryptoAttribute::parse(value)
    }

    #[test]
    fn examples_of_the_rfc_are_read_and_written() {
        let value = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4");
        let read = parse(&value).unwrap();
        assert_eq!(read.tag, 1);
        assert_eq!(read.key.suite(), SrtpSuite::AesCm128HmacSha1_80);
        assert_eq!(read.key.key(), b"wDfvg&T+)xG7@fb5");
        assert_eq!(read.key.salt(), b"jU,RaA}\\|p0%*#");
        assert_eq!(
            read.key.mki(),
            Some(Mki {
                value: 1,
                len_bytes: 4
            })
        );
        assert_eq!(*read.to_value(), value.replace("|2^20", ""));
        let plain = format!("999999999 AES_CM_128_HMAC_SHA1_32 inline:{KEY}");
        assert_eq!(*parse(&plain).unwrap().to_value(), plain);
    }

    #[test]
    fn keys_of_every_suite_survive_writing_and_reading_with_and_without_padding() {
        for suite in SrtpSuite::ALL {
            let key = MasterKey::generate(suite, |bytes| bytes.fill(0xa5));
            let written = CryptoAttribute { tag: 7, key };
            let value = written.to_value();
            assert_eq!(parse(&value).as_ref(), Ok(&written), "{suite}");
            assert_eq!(parse(value.trim_end_matches('=')), Ok(written), "{suite}");
        }
    }

    #[test]
    fn what_cannot_be_carried_out_is_declined_with_its_reason() {
        let usual = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
        let with = |end: &str| format!("{usual}{end}");
        let cases = [
            (String::new(), CryptoError::Malformed),
            ("1".to_owned(), CryptoError::Malformed),
            (usual.replacen('1', "-1", 1), CryptoError::Malformed),
            (usual.replacen('1', "1234567890", 1), CryptoError::Malformed),
            (usual.replace("inline:", "inline"), CryptoError::Malformed),
            (
                usual.replace("inline", "outline"),
                CryptoError::UnknownMethod,
            ),
            (usual.replace("AES_CM", "F8"), CryptoError::UnknownSuite),
            (
                usual.replace("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"),
                CryptoError::Key,
            ),
            (usual.replace("d0Rm", ""), CryptoError::Key),
            (usual.replace("d0Rm", "d0R?"), CryptoError::Key),
            (with(&"A".repeat(500)), CryptoError::Key),
            (with(&format!(";inline:{KEY}")), CryptoError::ManyKeys),
            (with("|0"), CryptoError::Lifetime),
            (with("|2^49"), CryptoError::Lifetime),
            (with("|2^999"), CryptoError::Lifetime),
            (with("|"), CryptoError::Lifetime),
            (with("|1:0"), CryptoError::Mki),
            (with("|1:129"), CryptoError::Mki),
            (with("|256:1"), CryptoError::Mki),
            (with("|1:4|2^20"), CryptoError::Malformed),
            (with("|2^20|2^20"), CryptoError::Malformed),
            (with(" UNENCRYPTED_SRTP"), CryptoError::Parameter),
            (with(" UNENCRYPTED_SRTCP"), CryptoError::Parameter),
            (with(" UNAUTHENTICATED_SRTP"), CryptoError::Parameter),
            (with(" KDR=1"), CryptoError::Parameter),
            (with(" FEC_ORDER=FEC_SRTP"), CryptoError::Parameter),
            (with(" WSH=63"), CryptoError::Parameter),
            (with(" NEW=1"), CryptoError::Parameter),
        ];
        for (value, error) in cases {
            assert_eq!(parse(&value), Err(error), "{value}");
        }
        for harmless in [" WSH=64 KDR=0", " -X=1", "|2^48", "|1048576"] {
            assert!(parse(&with(harmless)).is_ok(), "{harmless}");
        }
    }

    #[test]
    fn no_error_and_no_debug_output_repeats_the_key() {
        let value = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
        let printed = format!("{:?}", parse(&value));
        assert!(
            !printed.contains(KEY) && !printed.contains("119, 68"),
            "{printed}"
        );
        let printed = format!("{:?}", parse(&value.replace("|", "")).unwrap().key);
        assert!(printed.contains("AesCm128HmacSha1_80"));
        let error = parse(&format!("{value}AA")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&KEY[..8]));
    }

    proptest! {
        #[test]
        fn no_text_panics(value in "[ -~]{0,80}", tail in "[|:;= A-Za-z0-9+/^-]{0,60}") {
            let _ = parse(&value);
            let _ = parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{tail}"));
            let _ = parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{tail}"));
        }

        #[test]
        fn what_is_read_is_written_and_read_alike(mki in proptest::option::of((any::<u64>(), 8_u8..=128)), bytes in any::<[u8; 44]>(), tag in 0_u32..1_000_000_000) {
            for suite in SrtpSuite::ALL {
                let key = MasterKey::generate(suite, |out| out.copy_from_slice(&bytes[..out.len()]));
                let key = key.with_mki(mki.map(|(value, len_bytes)| Mki { value, len_bytes }));
                let written = CryptoAttribute { tag, key };
                prop_assert_eq!(parse(&written.to_value()), Ok(written));
            }
        }
    }
}
