//! SRTP crypto suites and master keys (RFC 4568 section 6.2, RFC 7714 section 14.2).

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The longest master key and master salt together, in bytes.
const MAX_KEY_BYTES: usize = 32 + 12;

/// How packets are encrypted and authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SrtpSuite {
    /// AES-128 in counter mode, HMAC-SHA1 cut to 80 bits: the one that everybody has.
    AesCm128HmacSha1_80,
    /// The same with 32 bits for RTP; RTCP has 80 (RFC 4568 section 6.2.2).
    AesCm128HmacSha1_32,
    /// AES-128 in Galois/counter mode, tags of 16 bytes.
    AeadAes128Gcm,
    /// AES-256 in Galois/counter mode, tags of 16 bytes.
    AeadAes256Gcm,
}

impl SrtpSuite {
    /// Every suite, in the order in which we offer them.
    pub const ALL: [Self; 4] = [
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
    ];

    /// The suites to offer and to accept, preferred first: tags of 32 bits are too easily forged to be asked for.
    pub const USUAL: [Self; 3] = [
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::AesCm128HmacSha1_80,
    ];

    /// The name in `a=crypto`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// The suite of this name; some peers write it in small letters.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Length of the master key in bytes.
    #[must_use]
    pub fn key_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Length of the master salt in bytes.
    #[must_use]
    pub fn salt_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }
}

impl fmt::Display for SrtpSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names a master key in every packet (RFC 3711 section 3.1): a number of so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mki {
    /// What the field holds, high bytes first.
    pub value: u64,
    /// Length of the field, 1–128.
    pub len_bytes: u8,
}

/// A master key with its salt: what encrypts one direction of one stream.
///
/// Wiped when dropped; its `Debug` tells the suite only.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey {
    #[zeroize(skip)]
    suite: SrtpSuite,
    #[zeroize(skip)]
    mki: Option<Mki>,
    bytes: [u8; MAX_KEY_BYTES],
}

impl MasterKey {
    /// A key of exactly the length that the suite wants; `None` for any other.
    #[must_use]
    pub fn new(suite: SrtpSuite, key: &[u8], salt: &[u8]) -> Option<Self> {
        if key.len() != suite.key_bytes() || salt.len() != suite.salt_bytes() {
            return None;
        }
        let mut bytes = [0; MAX_KEY_BYTES];
        bytes[..key.len()].copy_from_slice(key);
        bytes[key.len()..key.len() + salt.len()].copy_from_slice(salt);
        Some(Self {
            suite,
            mki: None,
            bytes,
        })
    }

    /// A new key for the suite; `fill` writes bytes that nobody can guess.
    #[must_use]
    pub fn generate(suite: SrtpSuite, mut fill: impl FnMut(&mut [u8])) -> Self {
        let mut key = Self {
            suite,
            mki: None,
            bytes: [0; MAX_KEY_BYTES],
        };
        fill(&mut key.bytes[..suite.key_bytes() + suite.salt_bytes()]);
        key
    }

    /// The same key, named by a field in every packet.
    #[must_use]
    pub fn with_mki(mut self, mki: Option<Mki>) -> Self {
        self.mki = mki;
        self
    }

    /// What it is for.
    #[must_use]
    pub fn suite(&self) -> SrtpSuite {
        self.suite
    }

    /// Its name in packets, if it has one.
    #[must_use]
    pub fn mki(&self) -> Option<Mki> {
        self.mki
    }

    /// The master key: secret.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.bytes[..self.suite.key_bytes()]
    }

    /// The master salt.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.key_and_salt()[self.suite.key_bytes()..]
    }

    /// Both, as `inline:` carries them: secret.
    #[must_use]
    pub fn key_and_salt(&self) -> &[u8] {
        &self.bytes[..self.suite.key_bytes() + self.suite.salt_bytes()]
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey")
            .field("suite", &self.suite)
            .field("mki", &self.mki)
            .finish_non_exhaustive()
    }
}
