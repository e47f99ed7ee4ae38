//! Key files in a backup: encrypted with a passphrase in the age format, so that `age --decrypt` opens them as well.
//!
//! The passphrase comes from a file or is asked for; it is never an argument, which others on the machine could read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use age::secrecy::SecretString;
use age::{Decryptor, Encryptor, scrypt};
use store::backup::Attachment;
use zeroize::Zeroizing;

/// Why keys are not taken or given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("the passphrase cannot be read from {path}: {source}")]
    PassphraseFile { path: PathBuf, source: io::Error },
    #[error("the passphrase is shorter than {MIN_PASSPHRASE} signs")]
    ShortPassphrase,
    #[error("the two passphrases differ")]
    Different,
    #[error("there is nobody to ask for the passphrase: name a file with --passphrase-file")]
    NobodyThere,
    #[error("the passphrase cannot be asked for: {0}")]
    Ask(io::Error),
    #[error("{path} cannot be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} cannot be written: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{name} cannot be encrypted: {source}")]
    Encrypt { name: String, source: io::Error },
    #[error("{name} cannot be decrypted: {what}; is the passphrase right?")]
    Decrypt { name: String, what: String },
    #[error("{path} is there and differs; with --replace it is kept as {}", kept_as(path).display())]
    Differs { path: PathBuf },
}

/// What a passphrase is given by.
pub(crate) fn passphrase(file: Option<&Path>, is_new: bool) -> Result<SecretString, KeyError> {
    let text = match file {
        Some(path) => first_line(path).map_err(|source| KeyError::PassphraseFile {
            path: path.to_owned(),
            source,
        })?,
        None if !io::stdin().is_terminal() => return Err(KeyError::NobodyThere),
        None => ask("Passphrase of the keys: ")?,
    };
    if is_new && text.chars().count() < MIN_PASSPHRASE {
        return Err(KeyError::ShortPassphrase);
    }
    if is_new && file.is_none() && ask("Once more: ")? != text {
        return Err(KeyError::Different);
    }
    Ok(SecretString::from(text.as_str()))
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, KeyError> {
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(KeyError::Ask)
}

fn first_line(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    BufReader::new(File::open(path)?).read_line(&mut line)?;
    let text = line.trim_end_matches(['\r', '\n']);
    Ok(Zeroizing::new(text.to_owned()))
}

/// All key files of a data directory, encrypted.
pub(crate) fn sealed(
    data_dir: &Path,
    passphrase: &SecretString,
) -> Result<Vec<Attachment>, KeyError> {
    let mut sealed = Vec::new();
    for path in key_files(data_dir)? {
        let name = file_name(&path);
        let bytes = fs::read(&path)
            .map(Zeroizing::new)
            .map_err(|source| KeyError::Read { path, source })?;
        let bytes = encrypt(&bytes, passphrase).map_err(|source| KeyError::Encrypt {
            name: name.clone(),
            source,
        })?;
        let name = format!("{name}{SEALED}");
        sealed.push(Attachment { name, bytes });
    }
    Ok(sealed)
}

fn key_files(data_dir: &Path) -> Result<Vec<PathBuf>, KeyError> {
    let unread = |source| KeyError::Read {
        path: data_dir.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(data_dir).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.extension().is_some_and(|extension| extension == "key") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn encrypt(bytes: &[u8], passphrase: &SecretString) -> io::Result<Vec<u8>> {
    let mut sealed = Vec::new();
    let mut writer =
        Encryptor::with_user_passphrase(passphrase.clone()).wrap_output(&mut sealed)?;
    writer.write_all(bytes)?;
    writer.finish()?;
    Ok(sealed)
}

fn decrypt(
    file: &Attachment,
    passphrase: &SecretString,
) -> Result<Zeroizing<Vec<u8>>, Box<dyn std::error::Error>> {
    let identity = scrypt::Identity::new(passphrase.clone());
    let decryptor = Decryptor::new_buffered(file.bytes.as_slice())?;
    let mut bytes = Zeroizing::new(Vec::new());
    decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))?
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Key files that lie beside their places. What is not put in place vanishes again.
#[derive(Debug, Default)]
pub(crate) struct Staged(Vec<Place>);

#[derive(Debug)]
struct Place {
    new: PathBuf,
    path: PathBuf,
    /// Whether another file is there, which is to be kept.
    replaces: bool,
    placed: bool,
}

impl Staged {
    /// Decrypts the key files of a backup and writes them beside their places.
    pub(crate) fn write(
        files: &[Attachment],
        passphrase: &SecretString,
        data_dir: &Path,
        replace: bool,
    ) -> Result<Self, KeyError> {
        let mut staged = Self::default();
        for file in files {
            let Some(name) = file.name.strip_suffix(SEALED) else {
                continue;
            };
            let bytes = decrypt(file, passphrase).map_err(|error| KeyError::Decrypt {
                name: name.to_owned(),
                what: error.to_string(),
            })?;
            let path = data_dir.join(name);
            let there = fs::read(&path).map(Zeroizing::new).ok();
            if there.as_ref() == Some(&bytes) {
                continue;
            }
            if there.is_some() && !replace {
                return Err(KeyError::Differs { path });
            }
            let new = data_dir.join(format!("{name}.restored"));
            staged.0.push(Place {
                new: new.clone(),
                path,
                replaces: there.is_some(),
                placed: false,
            });
            write_private(&new, &bytes).map_err(|source| KeyError::Write { path: new, source })?;
        }
        Ok(staged)
    }

    /// Puts all of them in place, or none.
    pub(crate) fn place(&mut self) -> io::Result<()> {
        for place in &mut self.0 {
            if place.replaces {
                fs::rename(&place.path, kept_as(&place.path))?;
            }
            fs::rename(&place.new, &place.path)?;
            place.placed = true;
        }
        if let Some(folder) = self.0.first().and_then(|place| place.path.parent()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// All is well: what was placed stays.
    pub(crate) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Staged {
    /// Puts everything back as it was. What cannot be put back is still there under its other name.
    fn drop(&mut self) {
        for place in &self.0 {
            let _ = match (place.placed, place.replaces) {
                (true, true) => fs::rename(kept_as(&place.path), &place.path),
                (true, false) => fs::remove_file(&place.path),
                (false, _) => {
                    let _ = fs::remove_file(&place.new);
                    match place.path.exists() {
                        false => fs::rename(kept_as(&place.path), &place.path),
                        true => Ok(()),
                    }
                }
            };
        }
    }
}

fn kept_as(path: &Path) -> PathBuf {
    path.with_extension("key.before-restore")
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

const SEALED: &str = ".age";
const MIN_PASSPHRASE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "correct horse battery staple";

    fn folder_with(key: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("master.key"), key).unwrap();
        fs::write(folder.path().join("tandem.db"), "no key").unwrap();
        folder
    }

    #[test]
    fn keys_are_sealed_and_come_back_with_the_passphrase_alone() {
        let from = folder_with("the key itself");
        let secret = SecretString::from(PASSPHRASE);
        let files = sealed(from.path(), &secret).unwrap();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].name, "master.key.age");
        assert!(files[0].bytes.starts_with(b"age-encryption.org/v1"));
        assert!(!files[0].bytes.windows(7).any(|bytes| bytes == b"the key"));

        let to = tempfile::tempdir().unwrap();
        let wrong = SecretString::from("another passphrase");
        let refused = Staged::write(&files, &wrong, to.path(), false).unwrap_err();
        assert!(matches!(refused, KeyError::Decrypt { .. }), "{refused}");
        let mut staged = Staged::write(&files, &secret, to.path(), false).unwrap();
        staged.place().unwrap();
        staged.keep();
        let path = to.path().join("master.key");
        assert_eq!(fs::read_to_string(&path).unwrap(), "the key itself");
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);

        // Another key is neither lost nor replaced unasked, and is back if something fails after it was placed.
        let other = folder_with("another key");
        let path = other.path().join("master.key");
        let differs = Staged::write(&files, &secret, other.path(), false).unwrap_err();
        assert!(matches!(differs, KeyError::Differs { .. }), "{differs}");
        let mut staged = Staged::write(&files, &secret, other.path(), true).unwrap();
        staged.place().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "the key itself");
        drop(staged);
        assert_eq!(fs::read_to_string(&path).unwrap(), "another key");
        assert_eq!(
            fs::read_dir(other.path()).unwrap().count(),
            2,
            "nothing lies about"
        );
        let mut staged = Staged::write(&files, &secret, other.path(), true).unwrap();
        staged.place().unwrap();
        staged.keep();
        let kept = other.path().join("master.key.before-restore");
        assert_eq!(fs::read_to_string(kept).unwrap(), "another key");
    }

    #[test]
    fn a_passphrase_is_the_first_line_of_its_file_and_not_short() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        fs::write(&path, format!("{PASSPHRASE}\nmore\n")).unwrap();
        let read = passphrase(Some(&path), true).unwrap();
        assert_eq!(age::secrecy::ExposeSecret::expose_secret(&read), PASSPHRASE);
        fs::write(&path, "short\n").unwrap();
        assert!(matches!(
            passphrase(Some(&path), true),
            Err(KeyError::ShortPassphrase)
        ));
        let missing = folder.path().join("missing");
        let error = passphrase(Some(&missing), true).unwrap_err().to_string();
        assert!(error.contains("missing"), "{error}");
    }
}
