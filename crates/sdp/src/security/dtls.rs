//! What descriptions say for DTLS-SRTP (RFC 5763): whose certificate it must be (`fingerprint`, RFC 8122) and who
//! begins the handshake (`setup`, RFC 4145).

use std::fmt;

/// Longest hash, in bytes.
const MAX_HASH_BYTES: usize = 64;

/// A hash function for fingerprints. Others (MD5, SHA-1) can be forged and are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FingerprintHash {
    /// 32 bytes; what everybody writes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl FingerprintHash {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name in `a=fingerprint`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// Length of a hash in bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The hash of a certificate. Public.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    hash: FingerprintHash,
    bytes: [u8; MAX_HASH_BYTES],
}

impl Fingerprint {
    /// A hash that was computed; `None` if it has another length than that of the function.
    #[must_use]
    pub fn new(hash: FingerprintHash, computed: &[u8]) -> Option<Self> {
        if computed.len() != hash.bytes() {
            return None;
        }
        let mut bytes = [0; MAX_HASH_BYTES];
        bytes[..computed.len()].copy_from_slice(computed);
        Some(Self { hash, bytes })
    }

    /// Reads the value of an attribute: `sha-256 AB:CD:…`. `None` if it is malformed or of another function.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (name, digits) = value.trim().split_once(' ')?;
        let hash = FingerprintHash::ALL
            .into_iter()
            .find(|hash| hash.name().eq_ignore_ascii_case(name))?;
        let mut bytes = [0; MAX_HASH_BYTES];
        let mut pairs = digits.trim().split(':');
        for byte in &mut bytes[..hash.bytes()] {
            let pair = pairs.next().filter(|pair| pair.len() == 2)?;
            // A sign would pass as a digit.
            let is_hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(pair, 16).ok().filter(|_| is_hex)?;
        }
        pairs.next().is_none().then_some(Self { hash, bytes })
    }

    /// How it was computed.
    #[must_use]
    pub fn hash(&self) -> FingerprintHash {
        self.hash
    }

    /// What came out.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.hash.bytes()]
    }
}

/// As the attribute carries it.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.name())?;
        for (at, byte) in self.as_bytes().iter().enumerate() {
            let before = if at == 0 { ' ' } else { ':' };
            write!(f, "{before}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Who begins (RFC 4145 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setup {
    /// The writer begins.
    Active,
    /// The writer waits.
    Passive,
    /// Only in an offer: the answer decides.
    ActPass,
    /// Nobody for now.
    HoldConn,
}

impl Setup {
    const ALL: [Self; 4] = [Self::Active, Self::Passive, Self::ActPass, Self::HoldConn];

    /// The value of the attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
            Self::HoldConn => "holdconn",
        }
    }

    /// Reads the value of the attribute.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|setup| setup.as_str().eq_ignore_ascii_case(value.trim()))
    }
}

/// Our part in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DtlsRole {
    /// We begin.
    Client,
    /// We wait.
    Server,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fingerprints_are_read_in_any_case_and_written_in_capitals() {
        let digits = ["ab"; 32].join(":");
        let read = Fingerprint::parse(&format!("SHA-256 {digits}")).unwrap();
        assert_eq!(read.as_bytes(), [0xab; 32]);
        let written = read.to_string();
        assert_eq!(written, format!("sha-256 {}", digits.to_uppercase()));
        assert_eq!(Fingerprint::parse(&written), Some(read));
        assert_eq!(Fingerprint::new(read.hash(), read.as_bytes()), Some(read));
        assert_eq!(Fingerprint::new(read.hash(), &[1; 31]), None);
    }

    #[test]
    fn weak_or_malformed_fingerprints_are_none() {
        let sha256 = |digits: &str| format!("sha-256 {digits}");
        for value in [
            String::new(),
            "sha-256".to_owned(),
            format!("sha-1 {}", ["ab"; 20].join(":")),
            format!("md5 {}", ["ab"; 16].join(":")),
            sha256(&["ab"; 31].join(":")),
            sha256(&["ab"; 33].join(":")),
            sha256(&["a"; 32].join(":")),
            sha256(&["+a"; 32].join(":")),
            sha256(&"ab".repeat(32)),
        ] {
            assert_eq!(Fingerprint::parse(&value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(value in "\\PC{0,120}", digits in "[0-9a-f:é]{0,200}") {
            let _ = (Fingerprint::parse(&value), Setup::parse(&value));
            let _ = Fingerprint::parse(&format!("sha-256 {digits}"));
        }
    }
}
