//! The company directory on disk: `directory.json` in the profile's folder, replaced as a whole.
//!
//! It has no secrets, but names and numbers of people, so it is for its owner alone like the rest and goes with the profile. A file that
//! cannot be read is as good as none: the portal has it all.

use std::collections::BTreeMap;
use std::io;

use api::{DirectoryChanges, DirectoryEntry};
use serde::{Deserialize, Serialize};
use softphone_core::{Directory, Internal, Number, Person, plain_text};
use uuid::Uuid;

use super::{ProfileError, ProfileFolder, atomic_file};

/// What the first field of the file says.
const FORMAT: &str = "tandem-softphone-directory";

/// The layout that this program writes and reads.
const VERSION: u32 = 1;

/// More people are not kept.
const MAX_PEOPLE: usize = 100_000;

/// Two thousand bytes for each of them, which few people fill.
const MAX_FILE_BYTES: u64 = 200_000_000;

/// Longest name, number or address that is shown, in characters.
const MAX_TEXT: usize = 100;

/// A copy of the portal's directory, and how new it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredDirectory {
    /// Where to go on reading; `None` to begin.
    pub position: Option<String>,
    entries: BTreeMap<Uuid, DirectoryEntry>,
}

/// `directory.json`.
#[derive(Serialize, Deserialize)]
struct DirectoryFile {
    format: String,
    version: u32,
    /// Another device's directory may be another company's.
    device_id: Uuid,
    position: Option<String>,
    entries: Vec<DirectoryEntry>,
}

impl StoredDirectory {
    /// Does to this copy what the portal says.
    pub fn apply(&mut self, changes: DirectoryChanges) {
        if changes.whole {
            self.entries.clear();
        }
        for id in &changes.removed {
            self.entries.remove(id);
        }
        for entry in changes.entries {
            if self.entries.len() < MAX_PEOPLE || self.entries.contains_key(&entry.id) {
                self.entries.insert(entry.id, entry);
            }
        }
        self.position = Some(changes.position);
    }

    /// The people in it, with texts that may be shown.
    #[must_use]
    pub fn to_directory(&self) -> Directory {
        Directory::new(self.entries.values().map(person))
    }
}

impl ProfileFolder {
    /// The directory of this device as it was kept last.
    #[must_use]
    pub fn load_directory(&self, device_id: Uuid) -> StoredDirectory {
        let path = self.directory_file();
        let bytes = match atomic_file::read(&path, MAX_FILE_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return StoredDirectory::default();
            }
            Err(error) => {
                tracing::warn!(%error, "the company directory on disk cannot be read");
                return StoredDirectory::default();
            }
        };
        let file = serde_json::from_slice::<DirectoryFile>(&bytes).ok();
        let known = |file: &DirectoryFile| {
            file.format == FORMAT && file.version == VERSION && file.device_id == device_id
        };
        let Some(file) = file.filter(known) else {
            tracing::warn!(
                "the company directory on disk is damaged or another device's: it is read anew"
            );
            return StoredDirectory::default();
        };
        let entries = file.entries.into_iter().take(MAX_PEOPLE);
        StoredDirectory {
            position: file.position,
            entries: entries.map(|entry| (entry.id, entry)).collect(),
        }
    }

    /// Keeps the directory of this device; the one that was there is replaced.
    ///
    /// # Errors
    ///
    /// [`ProfileError::File`]; what was there before is still there.
    pub fn save_directory(
        &self,
        device_id: Uuid,
        directory: &StoredDirectory,
    ) -> Result<(), ProfileError> {
        let file = DirectoryFile {
            format: FORMAT.to_owned(),
            version: VERSION,
            device_id,
            position: directory.position.clone(),
            entries: directory.entries.values().cloned().collect(),
        };
        let bytes = serde_json::to_vec(&file).expect("plain values become JSON");
        let path = self.directory_file();
        atomic_file::replace(&path, &bytes).map_err(|error| ProfileError::File { path, error })
    }

    pub(super) fn remove_directory(&self) -> Result<(), ProfileError> {
        let path = self.directory_file();
        atomic_file::remove(&path).map_err(|error| ProfileError::File { path, error })
    }

    fn directory_file(&self) -> std::path::PathBuf {
        self.path.join("directory.json")
    }
}

fn person(entry: &DirectoryEntry) -> Person {
    let shown = |text: &str| plain_text(text.trim(), MAX_TEXT);
    let internal = entry.internal.iter().map(|internal| Internal {
        number: shown(&internal.number),
        address: shown(&internal.address),
    });
    let numbers = entry.numbers.iter().map(|number| Number {
        number: shown(&number.number),
        label: shown(&number.label),
    });
    Person {
        id: entry.id.as_u128(),
        name: shown(&format!("{} {}", entry.first_name, entry.last_name)),
        company: entry.company.as_deref().map(shown),
        job_title: entry.job_title.as_deref().map(shown),
        internal: internal.collect(),
        numbers: numbers.collect(),
        emails: entry
            .emails
            .iter()
            .map(|email| shown(&email.address))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: Uuid = Uuid::from_u128(7);

    fn entry(id: u128, first_name: &str) -> DirectoryEntry {
        DirectoryEntry {
            id: Uuid::from_u128(id),
            first_name: first_name.to_owned(),
            last_name: "Example".to_owned(),
            company: None,
            job_title: None,
            internal: Vec::new(),
            numbers: Vec::new(),
            emails: Vec::new(),
        }
    }

    fn changes(whole: bool, entries: Vec<DirectoryEntry>, removed: &[u128]) -> DirectoryChanges {
        DirectoryChanges {
            whole,
            entries,
            removed: removed.iter().copied().map(Uuid::from_u128).collect(),
            position: "next".to_owned(),
            more: false,
        }
    }

    fn names(stored: &StoredDirectory) -> Vec<String> {
        let directory = stored.to_directory();
        let people = directory.search("").into_iter();
        people.map(|person| person.name.clone()).collect()
    }

    #[test]
    fn changes_are_taken_in_and_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let profile = ProfileFolder::new(folder.path());
        let mut stored = profile.load_directory(DEVICE);
        assert_eq!(stored, StoredDirectory::default());
        stored.apply(changes(true, vec![entry(1, "Ann"), entry(2, "Ben")], &[]));
        stored.apply(changes(false, vec![entry(1, "Anna")], &[2, 9]));
        assert_eq!(names(&stored), ["Anna Example"]);
        profile.save_directory(DEVICE, &stored).unwrap();
        assert_eq!(profile.load_directory(DEVICE), stored);
        assert_eq!(stored.position.as_deref(), Some("next"));
        stored.apply(changes(true, vec![entry(3, "Cleo")], &[]));
        assert_eq!(names(&stored), ["Cleo Example"]);

        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let file = std::fs::metadata(profile.directory_file()).unwrap();
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_is_damaged_or_another_devices_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let profile = ProfileFolder::new(folder.path());
        let mut stored = StoredDirectory::default();
        stored.apply(changes(true, vec![entry(1, "Ann")], &[]));
        profile.save_directory(DEVICE, &stored).unwrap();
        let other = profile.load_directory(Uuid::from_u128(8));
        assert_eq!(other, StoredDirectory::default());
        std::fs::write(profile.directory_file(), b"{\"format\":").unwrap();
        assert_eq!(profile.load_directory(DEVICE), StoredDirectory::default());
        profile.remove_directory().unwrap();
        assert!(!profile.directory_file().exists());
        profile.remove_directory().unwrap();
    }

    #[test]
    fn names_from_the_portal_cannot_deceive() {
        let mut stored = StoredDirectory::default();
        let deceptive = entry(1, "Ann\u{202e}\u{1b}[31m");
        stored.apply(changes(true, vec![deceptive], &[]));
        assert_eq!(names(&stored), ["Ann\\u{202e}\\u{1b}[31m Example"]);
    }
}
