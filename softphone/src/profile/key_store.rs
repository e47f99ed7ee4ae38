//! Where the key of a profile is kept: the operating system's key store, or a file.
//!
//! One random key of 32 bytes seals everything secret in the profile ([`seal`](super::seal)). With
//! [`KeyPlace::OperatingSystem`] the key lies in the Secret Service, the Keychain or the Credential
//! Manager; taking it out of there makes the sealed text worthless. A machine without one (a
//! server, a container) gets [`KeyPlace::File`]: a file with mode 0600 beside the profile, which
//! protects against other users and careless copies of `profile.json` alone, and the user is told.
//!
//! A key store may ask for a password or hang: every call has its own thread and a deadline.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::atomic_file;

/// Length of the key.
pub(crate) const KEY_BYTES: usize = 32;

/// The key of one profile.
pub(crate) type ProfileKey = Zeroizing<[u8; KEY_BYTES]>;

/// Name under which the key store lists our entries.
const SERVICE: &str = "Tandem softphone";

/// Longest wait for the key store to show that it is there at all.
const PROBE: Duration = Duration::from_secs(3);

/// Longest wait for one answer: a person may have to unlock the key store.
const ANSWER: Duration = Duration::from_secs(60);

/// Which place the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum KeyPlaceChoice {
    /// The key store of the operating system if there is one, else a file.
    #[default]
    Auto,
    /// The key store of the operating system, or fail.
    Os,
    /// A file beside the profile.
    File,
}

/// Where the key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPlace {
    /// The key store of the operating system.
    OperatingSystem,
    /// `profile.key` beside the profile.
    File,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// This machine has no key store, or it does not answer.
    #[error("this system has no key store that answers ({reason})")]
    Unavailable {
        /// What the system said.
        reason: String,
    },
    /// The key store answered, but not with a key.
    #[error("the system's key store refused: {reason}")]
    Refused {
        /// What the key store said.
        reason: String,
    },
    /// There is no key for this profile.
    #[error("the key of this profile is gone")]
    Missing,
    /// The file with the key cannot be read or written.
    #[error("the file with the key cannot be used: {0}")]
    File(#[from] std::io::Error),
}

/// The keys of the profile in one folder.
#[derive(Clone, Debug)]
pub(crate) struct KeyStore {
    file: PathBuf,
}

impl KeyStore {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            file: folder.join("profile.key"),
        }
    }

    /// Decides where a new key will be.
    ///
    /// # Errors
    ///
    /// [`KeyStoreError::Unavailable`] if the operating system's was demanded and there is none.
    pub(crate) fn choose(choice: KeyPlaceChoice) -> Result<KeyPlace, KeyStoreError> {
        if choice == KeyPlaceChoice::File {
            return Ok(KeyPlace::File);
        }
        match probe() {
            Ok(()) => Ok(KeyPlace::OperatingSystem),
            Err(_) if choice == KeyPlaceChoice::Auto => Ok(KeyPlace::File),
            Err(error) => Err(error),
        }
    }

    /// Makes a key for the profile called `name`, or takes the one that is there: replacing a
    /// profile must not make the old one unreadable before the new one is written.
    pub(crate) fn create(&self, place: KeyPlace, name: &str) -> Result<ProfileKey, KeyStoreError> {
        match self.load(place, name) {
            Ok(key) => return Ok(key),
            Err(KeyStoreError::Missing) => {}
            Err(error) => return Err(error),
        }
        let key = Zeroizing::new(rand::random::<[u8; KEY_BYTES]>());
        match place {
            KeyPlace::File => atomic_file::replace(&self.file, key.as_slice())?,
            KeyPlace::OperatingSystem => {
                let secret = key.clone();
                entry(name, ANSWER, move |entry| {
                    entry.set_secret(secret.as_slice())
                })?;
            }
        }
        Ok(key)
    }

    /// The key of the profile called `name`.
    pub(crate) fn load(&self, place: KeyPlace, name: &str) -> Result<ProfileKey, KeyStoreError> {
        let secret = Zeroizing::new(match place {
            KeyPlace::File => match atomic_file::read(&self.file, KEY_BYTES as u64) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(KeyStoreError::Missing);
                }
                read => read?,
            },
            KeyPlace::OperatingSystem => entry(name, ANSWER, keyring::Entry::get_secret)?,
        });
        let key = secret
            .as_slice()
            .try_into()
            .map_err(|_| KeyStoreError::Missing)?;
        Ok(Zeroizing::new(key))
    }

    /// Removes the key; one that is not there is fine.
    pub(crate) fn delete(&self, place: KeyPlace, name: &str) -> Result<(), KeyStoreError> {
        match place {
            KeyPlace::File => Ok(atomic_file::remove(&self.file)?),
            KeyPlace::OperatingSystem => {
                match entry(name, ANSWER, keyring::Entry::delete_credential) {
                    Err(KeyStoreError::Missing) => Ok(()),
                    deleted => deleted,
                }
            }
        }
    }
}

/// Whether the operating system's key store is there. Does not create an entry.
fn probe() -> Result<(), KeyStoreError> {
    if !has_session_bus() {
        return Err(KeyStoreError::Unavailable {
            reason: "no D-Bus session".to_owned(),
        });
    }
    match entry("probe", PROBE, keyring::Entry::get_secret) {
        Ok(_) | Err(KeyStoreError::Missing) => Ok(()),
        Err(error) => Err(error),
    }
}

/// On Linux the Secret Service lives on the session bus; without one asking would only take time.
#[cfg(all(unix, not(target_os = "macos")))]
fn has_session_bus() -> bool {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || runtime.is_some_and(|folder| folder.join("bus").exists())
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn has_session_bus() -> bool {
    true
}

/// Asks the key store on a thread of its own and waits no longer than `patience`.
fn entry<T: Send + 'static>(
    name: &str,
    patience: Duration,
    ask: impl FnOnce(&keyring::Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<T, KeyStoreError> {
    let name = name.to_owned();
    let (answer, answered) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let asked = keyring::Entry::new(SERVICE, &name).and_then(|entry| ask(&entry));
        // Nobody waits any more: the deadline was first.
        let _ = answer.send(asked);
    });
    match answered.recv_timeout(patience) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(keyring::Error::NoEntry)) => Err(KeyStoreError::Missing),
        Ok(Err(error @ (keyring::Error::NoDefaultStore | keyring::Error::PlatformFailure(_)))) => {
            Err(KeyStoreError::Unavailable {
                reason: error.to_string(),
            })
        }
        Ok(Err(error)) => Err(KeyStoreError::Refused {
            reason: error.to_string(),
        }),
        Err(_) => Err(KeyStoreError::Unavailable {
            reason: "no answer in time".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_file_is_kept_until_it_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyStore::new(folder.path());
        assert!(matches!(
            keys.load(KeyPlace::File, "a"),
            Err(KeyStoreError::Missing)
        ));
        let key = keys.create(KeyPlace::File, "a").unwrap();
        assert_eq!(
            keys.create(KeyPlace::File, "b").unwrap(),
            key,
            "the old profile stays readable"
        );
        assert_eq!(keys.load(KeyPlace::File, "a").unwrap(), key);
        keys.delete(KeyPlace::File, "a").unwrap();
        keys.delete(KeyPlace::File, "a").unwrap();
        assert!(matches!(
            keys.load(KeyPlace::File, "a"),
            Err(KeyStoreError::Missing)
        ));
    }

    #[test]
    fn a_file_that_is_no_key_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("profile.key"), b"short").unwrap();
        let keys = KeyStore::new(folder.path());
        assert!(matches!(
            keys.load(KeyPlace::File, "a"),
            Err(KeyStoreError::Missing)
        ));
    }

    #[test]
    fn a_file_can_be_demanded_even_where_there_is_a_key_store() {
        assert_eq!(
            KeyStore::choose(KeyPlaceChoice::File).unwrap(),
            KeyPlace::File
        );
    }
}
