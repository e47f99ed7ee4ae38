//! Envelope encryption of secrets at rest, and keyed hashes to find secrets by.
//!
//! Each value is encrypted with a key of its own by XChaCha20-Poly1305, and that key is wrapped by a
//! master key from the key file, which lies outside the database. Both bind the place of the value
//! (table, row, column, version), so a sealed value that is moved to another row, or put back after a
//! newer one was stored, does not open.
//!
//! The key file has one `<key id> <key>` per line, both in hexadecimal. The last key seals, all of them
//! open: to rotate, append a line; old values stay readable.
//!
//! A sealed value: format (1 byte), key id (4), nonce (24), wrapped key (32 + 16), nonce (24),
//! ciphertext (n + 16).

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use rand::Rng;
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Secret;

const FORMAT: u8 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const WRAPPED_BYTES: usize = KEY_BYTES + TAG_BYTES;
const PREAMBLE: &str = "# Tandem's master keys. Whoever has this file and the database can read all SIP passwords.\n\
                        # Without it they are lost: keep a copy, apart from the copies of the database.\n";

/// Where a sealed value belongs. It opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The row.
    pub id: Uuid,
    /// The column.
    pub column: &'static str,
    /// Which value of that column: grows with each new secret.
    pub version: i64,
}

impl Place {
    fn bytes(&self) -> Vec<u8> {
        let Self {
            table,
            id,
            column,
            version,
        } = self;
        format!("{table}:{id}:{column}:{version}").into_bytes()
    }
}

/// Why the key file or a sealed value cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The key file cannot be read or made.
    #[error("key file {}: {source}", path.display())]
    File {
        /// The key file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others than the owner may read the key file.
    #[error("key file {} is open to others; run: chmod 600 {0}", path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
    },
    /// The key file holds something that is not a key.
    #[error("key file {}, line {line}: not a key", path.display())]
    Malformed {
        /// The key file.
        path: PathBuf,
        /// The line, from 1; 0 if there is no key at all.
        line: usize,
    },
    /// The value was sealed with a key that the key file lacks.
    #[error("sealed with a key that is not in the key file")]
    UnknownKey,
    /// The value was changed, or sealed for another place.
    #[error("the sealed value does not belong here")]
    Refused,
}

/// Seals and opens secrets. Cheap to clone; `Debug` prints no key.
#[derive(Clone)]
pub struct Vault {
    /// Never empty; the last one seals.
    keys: Arc<[MasterKey]>,
}

struct MasterKey {
    id: [u8; 4],
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({} keys)", self.keys.len())
    }
}

impl Vault {
    /// Reads the key file at `path`, or makes one with a new key, for its owner only (0600).
    ///
    /// # Errors
    ///
    /// [`VaultError::File`], [`VaultError::Exposed`] or [`VaultError::Malformed`].
    pub fn open_or_create(path: &Path) -> Result<Self, VaultError> {
        let file_error = |source| VaultError::File {
            path: path.to_owned(),
            source,
        };
        match fs::metadata(path) {
            Ok(_) => Self::open_file(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_key_file(path).map_err(file_error)?;
                Self::open_file(path)
            }
            Err(error) => Err(file_error(error)),
        }
    }

    /// Reads the key file at `path`, which must be there.
    ///
    /// # Errors
    ///
    /// As [`Self::open_or_create`].
    pub fn open_file(path: &Path) -> Result<Self, VaultError> {
        let owned = || path.to_owned();
        let file_error = |source| VaultError::File {
            path: owned(),
            source,
        };
        let metadata = fs::metadata(path).map_err(file_error)?;
        if is_exposed(&metadata) {
            return Err(VaultError::Exposed { path: owned() });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(file_error)?);
        let mut keys = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            keys.push(MasterKey::parse(line).ok_or_else(|| VaultError::Malformed {
                path: owned(),
                line: number + 1,
            })?);
        }
        if keys.is_empty() {
            return Err(VaultError::Malformed {
                path: owned(),
                line: 0,
            });
        }
        Ok(Self { keys: keys.into() })
    }

    /// What the master keys are called: eight digits each, chosen with the key and no part of it.
    #[must_use]
    pub fn key_names(&self) -> Vec<String> {
        self.keys
            .iter()
            .map(|key| (*hex(&key.id)).clone())
            .collect()
    }

    /// Encrypts `secret` for `place` and nowhere else.
    pub(crate) fn seal(&self, secret: &[u8], place: &Place) -> Vec<u8> {
        let master = self.keys.last().expect("a vault has a key");
        let mut own_key = Zeroizing::new([0; KEY_BYTES]);
        rand::rng().fill_bytes(&mut *own_key);
        let mut sealed = vec![FORMAT];
        sealed.extend(master.id);
        sealed.extend(encrypt(&master.key, &*own_key, place));
        sealed.extend(encrypt(&own_key, secret, place));
        sealed
    }

    /// Decrypts what was sealed for `place`.
    pub(crate) fn open(
        &self,
        sealed: &[u8],
        place: &Place,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (&[FORMAT, ref id @ ..], rest) =
            sealed.split_at_checked(5).ok_or(VaultError::Refused)?
        else {
            return Err(VaultError::Refused);
        };
        let master = self
            .keys
            .iter()
            .find(|key| key.id == id)
            .ok_or(VaultError::UnknownKey)?;
        let (wrapped, ciphertext) = rest
            .split_at_checked(NONCE_BYTES + WRAPPED_BYTES)
            .ok_or(VaultError::Refused)?;
        let own_key = decrypt(&master.key, wrapped, place)?;
        let own_key =
            <&[u8; KEY_BYTES]>::try_from(own_key.as_slice()).map_err(|_| VaultError::Refused)?;
        decrypt(own_key, ciphertext, place)
    }

    /// Seals a text.
    pub(crate) fn seal_text(&self, secret: &Secret, place: &Place) -> Vec<u8> {
        self.seal(secret.reveal().as_bytes(), place)
    }

    /// Opens a text.
    pub(crate) fn open_text(&self, sealed: &[u8], place: &Place) -> Result<Secret, VaultError> {
        let bytes = self.open(sealed, place)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| VaultError::Refused)?;
        Ok(Secret::new(text))
    }

    /// Proves that a text was written here: what only who has the key file can make of it. `purpose` keeps texts of different kinds apart.
    /// After a rotation of the keys it is another.
    #[must_use]
    pub fn sign(&self, purpose: &str, text: &[u8]) -> Vec<u8> {
        self.lookup_hash(purpose, text)
    }

    /// What `secret` is stored and found by: a hash that means nothing without the key file.
    /// `purpose` keeps equal secrets of different kinds apart.
    pub(crate) fn lookup_hash(&self, purpose: &str, secret: &[u8]) -> Vec<u8> {
        self.keys
            .last()
            .expect("a vault has a key")
            .lookup_hash(purpose, secret)
    }

    /// The hashes that `secret` may be stored under: one for each master key.
    pub(crate) fn lookup_hashes(&self, purpose: &str, secret: &[u8]) -> Vec<Vec<u8>> {
        self.keys
            .iter()
            .map(|key| key.lookup_hash(purpose, secret))
            .collect()
    }
}

impl MasterKey {
    fn parse(line: &str) -> Option<Self> {
        let (id, key) = line.trim().split_once(' ')?;
        let mut parsed = Self {
            id: [0; 4],
            key: Zeroizing::new([0; KEY_BYTES]),
        };
        read_hex(id, &mut parsed.id)?;
        read_hex(key, &mut *parsed.key)?;
        Some(parsed)
    }

    fn lookup_hash(&self, purpose: &str, secret: &[u8]) -> Vec<u8> {
        let lookup_key =
            Zeroizing::new(authenticate(&*self.key, &[b"tandem lookup key, version 1"]));
        authenticate(&*lookup_key, &[purpose.as_bytes(), &[0], secret]).to_vec()
    }
}

fn authenticate(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Nonce and ciphertext of `plain`.
fn encrypt(key: &[u8; KEY_BYTES], plain: &[u8], place: &Place) -> Vec<u8> {
    let mut nonce = [0; NONCE_BYTES];
    rand::rng().fill_bytes(&mut nonce);
    let aad = place.bytes();
    let payload = Payload {
        msg: plain,
        aad: &aad,
    };
    let ciphertext = XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a secret is shorter than 256 GB");
    [nonce.as_slice(), &ciphertext].concat()
}

fn decrypt(
    key: &[u8; KEY_BYTES],
    encrypted: &[u8],
    place: &Place,
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (nonce, ciphertext) = encrypted
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(VaultError::Refused)?;
    let aad = place.bytes();
    let payload = Payload {
        msg: ciphertext,
        aad: &aad,
    };
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(*nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| VaultError::Refused)
}

/// Writes the file beside its place and links it there, so that it is whole or absent and an existing
/// one is never replaced.
fn create_key_file(path: &Path) -> io::Result<()> {
    let new = path.with_extension(format!("{}.new", Uuid::new_v4().simple()));
    let written = write_new_key(&new).and_then(|()| match fs::hard_link(&new, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    fs::remove_file(&new)?;
    written?;
    #[cfg(unix)]
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn write_new_key(path: &Path) -> io::Result<()> {
    let mut bytes = Zeroizing::new([0; 4 + KEY_BYTES]);
    rand::rng().fill_bytes(&mut *bytes);
    let (id, key) = bytes.split_at(4);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let line = Zeroizing::new(format!("{} {}\n", *hex(id), *hex(key)));
    file.write_all(PREAMBLE.as_bytes())?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    false
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Fills `bytes` from exactly as many pairs of hexadecimal digits.
fn read_hex(text: &str, bytes: &mut [u8]) -> Option<()> {
    if !text.is_ascii() || text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? * 16 + low?).ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests;
