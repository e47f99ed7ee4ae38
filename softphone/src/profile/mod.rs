//! The profile: the folder in which an activated softphone keeps what it must remember.
//!
//! ```text
//! profile.json   who we are and, sealed, the device key and the configuration with its passwords
//! directory.json the company directory
//! profile.key    the key of the seal, only where the system has no key store
//! lock           held by the running softphone
//! control.sock   how other commands reach it
//! ```
//!
//! Everything that changes together is in the one file `profile.json`, which is only ever replaced
//! as a whole: a kill at any moment leaves the old state or the new one. All files have mode 0600
//! in a folder with mode 0700.
//!
//! Not here: how the profile comes to be (`portal/activation.rs`).

mod atomic_file;
mod directory;
mod key_store;
mod lock;
mod seal;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use api::{DeviceConfiguration, Line, Secret};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

pub use directory::StoredDirectory;
pub use key_store::{KeyPlace, KeyPlaceChoice, KeyStoreError};
pub use lock::ProfileLock;

use key_store::{KeyStore, ProfileKey};

/// What the first field of `profile.json` says.
const FORMAT: &str = "tandem-softphone-profile";

/// The layout that this program writes and reads.
const VERSION: u32 = 1;

/// Four lines with every field at its longest stay far below.
const MAX_PROFILE_BYTES: u64 = 1024 * 1024;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// There is no activated profile in the folder.
    #[error("this softphone is not activated yet: run `softphone activate` first")]
    NotActivated,
    /// The file is damaged, or not ours.
    #[error(
        "{path} is damaged or not a profile of this program; restore it or remove it and activate again"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error("{path} was written by a newer version of this program (layout {version})")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its layout.
        version: u32,
    },
    /// Its key is not the one it was sealed with.
    #[error(
        "the secrets in {path} cannot be opened: they belong to another user or machine; activate again"
    )]
    Sealed {
        /// The file.
        path: PathBuf,
    },
    /// The key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyStoreError),
    /// A softphone runs on it.
    #[error("another softphone is running with the profile in {folder}")]
    InUse {
        /// The profile's folder.
        folder: PathBuf,
    },
    /// The file system refused.
    #[error("{path}: {error}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Why a password was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// No line of that name, or none that needs a password.
    #[error("there is no line that a password can be entered for")]
    NoLine,
    /// Several lines fit.
    #[error("there are several lines: say for which one the password is")]
    Ambiguous,
    /// The portal gives it.
    #[error("the password of this line comes from the portal")]
    FromPortal,
}

/// The folder of a profile, activated or not.
#[derive(Clone, Debug)]
pub struct ProfileFolder {
    path: PathBuf,
    keys: KeyStore,
}

/// What an activated device knows about itself.
#[derive(Clone)]
pub struct Profile {
    /// Address of the portal, such as `https://portal.example`.
    pub portal: String,
    /// The device.
    pub device_id: Uuid,
    /// Where the key of the seal is.
    pub key_place: KeyPlace,
    /// Proves that we are this device.
    pub device_key: SigningKey,
    /// The last configuration that the portal gave, passwords included.
    pub configuration: DeviceConfiguration,
    /// Passwords that the person entered, by account.
    pub entered_passwords: BTreeMap<Uuid, Secret>,
}

/// `profile.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    format: String,
    version: u32,
    portal: String,
    device_id: Uuid,
    key_place: KeyPlace,
    sealed: String,
}

/// What is inside the seal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    device_key: [u8; 32],
    configuration: DeviceConfiguration,
    #[serde(default)]
    entered_passwords: BTreeMap<Uuid, Secret>,
}

impl ProfileFolder {
    /// The profile in `path`; nothing is touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            keys: KeyStore::new(&path),
            path,
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether an activation has been completed here.
    pub fn is_activated(&self) -> bool {
        self.file().exists()
    }

    /// Takes the right to run on this profile, until the lock is dropped.
    ///
    /// # Errors
    ///
    /// [`ProfileError::InUse`] if somebody else has it.
    pub fn lock(&self) -> Result<ProfileLock, ProfileError> {
        self.make_folder()?;
        let lock = ProfileLock::take(&self.path)?;
        self.remove_leftovers();
        Ok(lock)
    }

    /// Reads the profile.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] says what is wrong with it; the files are left as they are.
    pub fn load(&self) -> Result<Profile, ProfileError> {
        let path = self.file();
        let bytes =
            atomic_file::read(&path, MAX_PROFILE_BYTES).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => ProfileError::NotActivated,
                io::ErrorKind::FileTooLarge => ProfileError::Corrupt { path: path.clone() },
                _ => ProfileError::File {
                    path: path.clone(),
                    error,
                },
            })?;
        let file = parse(&bytes, &path)?;
        let key = match self.keys.load(file.key_place, &key_name(file.device_id)) {
            Err(KeyStoreError::Missing) => return Err(ProfileError::Sealed { path }),
            key => key?,
        };
        let plain = seal::open(&file.sealed, &context(&file.portal, file.device_id), &key)
            .ok_or(ProfileError::Sealed { path: path.clone() })?;
        let mut secrets: Secrets =
            serde_json::from_slice(&plain).map_err(|_| ProfileError::Corrupt { path })?;
        let device_key = SigningKey::from_bytes(&secrets.device_key);
        secrets.device_key.zeroize();
        Ok(Profile {
            portal: file.portal,
            device_id: file.device_id,
            key_place: file.key_place,
            device_key,
            configuration: secrets.configuration,
            entered_passwords: secrets.entered_passwords,
        })
    }

    /// Writes the profile; the one that was there is replaced.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Key`] or [`ProfileError::File`]; what was there before is still there.
    pub fn save(&self, profile: &Profile) -> Result<(), ProfileError> {
        self.make_folder()?;
        let key = self
            .keys
            .create(profile.key_place, &key_name(profile.device_id))?;
        let path = self.file();
        atomic_file::replace(&path, &profile.to_json(&key))
            .map_err(|error| ProfileError::File { path, error })
    }

    /// Forgets everything: first the key, so that an interrupted wipe leaves nothing readable.
    /// The folder itself goes too if nothing else is in it.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Key`] or [`ProfileError::File`] if something could not be removed.
    pub fn wipe(&self) -> Result<(), ProfileError> {
        let path = self.file();
        let known = atomic_file::read(&path, MAX_PROFILE_BYTES)
            .ok()
            .and_then(|bytes| parse(&bytes, &path).ok());
        if let Some(file) = known {
            self.keys
                .delete(file.key_place, &key_name(file.device_id))?;
        }
        self.keys.delete(KeyPlace::File, "")?;
        self.remove_directory()?;
        atomic_file::remove(&path).map_err(|error| ProfileError::File { path, error })?;
        self.remove_leftovers();
        // A lock that is still held stays held: what goes is its name.
        let _ = std::fs::remove_file(self.path.join("lock"));
        // Other programs' files may be in it; then it stays.
        let _ = std::fs::remove_dir(&self.path);
        Ok(())
    }

    /// Removes the key of an activation that was not completed.
    pub(crate) fn forget_key(&self, place: KeyPlace, device_id: Uuid) {
        if let Err(error) = self.keys.delete(place, &key_name(device_id)) {
            tracing::warn!(%error, "the key of an unfinished activation stays behind");
        }
    }

    /// Files that a kill in the middle of a write left behind.
    fn remove_leftovers(&self) {
        let Ok(entries) = std::fs::read_dir(&self.path) else {
            return;
        };
        for entry in entries.flatten() {
            if entry
                .file_name()
                .to_string_lossy()
                .starts_with(atomic_file::UNFINISHED)
            {
                // It is in nobody's way; the next start tries again.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    fn file(&self) -> PathBuf {
        self.path.join("profile.json")
    }

    /// Makes the folder for us alone; one that exists is left as it is.
    fn make_folder(&self) -> Result<(), ProfileError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&self.path)
            .map_err(|error| ProfileError::File {
                path: self.path.clone(),
                error,
            })
    }
}

/// Decides where the key of a new profile will be kept.
///
/// # Errors
///
/// [`KeyStoreError::Unavailable`] if the operating system's key store was demanded and there is
/// none.
pub fn choose_key_place(choice: KeyPlaceChoice) -> Result<KeyPlace, KeyStoreError> {
    KeyStore::choose(choice)
}

impl Profile {
    /// The SIP password of a line: the portal's, or where the person is to enter it, theirs.
    pub fn password_of(&self, line: &Line) -> Option<Secret> {
        let entered = || self.entered_passwords.get(&line.account_id);
        line.password
            .as_ref()
            .or_else(|| entered().filter(|_| line.enter_on_device))
            .cloned()
    }

    /// Takes in a password that the person entered.
    ///
    /// # Errors
    ///
    /// [`PasswordError`] if there is no such line, or the portal gives its password.
    pub fn enter_password(
        &mut self,
        line: Option<&str>,
        password: Secret,
    ) -> Result<(), PasswordError> {
        let is_meant = |known: &&Line| match line {
            Some(name) => known.name.eq_ignore_ascii_case(name) || known.username == name,
            None => known.enter_on_device,
        };
        let mut meant = self.configuration.lines.iter().filter(is_meant);
        let known = meant.next().ok_or(PasswordError::NoLine)?;
        if meant.next().is_some() {
            return Err(PasswordError::Ambiguous);
        }
        if !known.enter_on_device {
            return Err(PasswordError::FromPortal);
        }
        self.entered_passwords.insert(known.account_id, password);
        Ok(())
    }

    fn to_json(&self, key: &ProfileKey) -> Vec<u8> {
        let mut secrets = Secrets {
            device_key: self.device_key.to_bytes(),
            configuration: self.configuration.clone(),
            entered_passwords: self.entered_passwords.clone(),
        };
        let plain = Zeroizing::new(serde_json::to_vec(&secrets).expect("plain values become JSON"));
        secrets.device_key.zeroize();
        let file = ProfileFile {
            format: FORMAT.to_owned(),
            version: VERSION,
            portal: self.portal.clone(),
            device_id: self.device_id,
            key_place: self.key_place,
            sealed: seal::seal(&plain, &context(&self.portal, self.device_id), key),
        };
        serde_json::to_vec_pretty(&file).expect("plain values become JSON")
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("portal", &self.portal)
            .field("device_id", &self.device_id)
            .finish_non_exhaustive()
    }
}

fn parse(bytes: &[u8], path: &Path) -> Result<ProfileFile, ProfileError> {
    /// Only what tells whose file it is.
    #[derive(Deserialize)]
    struct Head {
        format: String,
        version: u32,
    }
    let corrupt = || ProfileError::Corrupt {
        path: path.to_owned(),
    };
    let head: Head = serde_json::from_slice(bytes).map_err(|_| corrupt())?;
    if head.format != FORMAT {
        return Err(corrupt());
    }
    if head.version > VERSION {
        return Err(ProfileError::TooNew {
            path: path.to_owned(),
            version: head.version,
        });
    }
    serde_json::from_slice(bytes).map_err(|_| corrupt())
}

/// What the seal is bound to: the file's public part cannot be swapped under it.
fn context(portal: &str, device_id: Uuid) -> String {
    format!("{FORMAT}\n{VERSION}\n{device_id}\n{portal}")
}

/// How the key store lists the key of a device.
fn key_name(device_id: Uuid) -> String {
    format!("device {device_id}")
}

#[cfg(test)]
mod tests;
