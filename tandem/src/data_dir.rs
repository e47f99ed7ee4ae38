//! The data directory: database, keys, and the lock that keeps a second server out.
//!
//! Everything in it is for the server's own user alone (0700). Not here: what lies in it; the store and the portal name
//! their own files.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Why a data directory cannot be used. The texts are for the person who started the server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    #[error("the data directory {path} cannot be created: {source}")]
    Create { path: PathBuf, source: io::Error },
    #[error("{path} cannot be opened: {source}")]
    Open { path: PathBuf, source: io::Error },
    #[error(
        "another tandem serve is using the data directory {path}; stop it, or give this one a --data-dir of its own"
    )]
    InUse { path: PathBuf },
}

/// A data directory that exists.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

/// Held while the server runs; the system gives the lock up when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct DataDirLock {
    _file: File,
}

impl DataDir {
    /// Opens the directory, which is made if it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| DataDirError::Create {
                path: path.to_path_buf(),
                source,
            })?;
        Ok(Self(path.to_path_buf()))
    }

    /// Keeps every other `tandem serve` out of the directory.
    pub(crate) fn lock(&self) -> Result<DataDirLock, DataDirError> {
        let path = self.0.join(LOCK);
        let open = |source| DataDirError::Open {
            path: path.clone(),
            source,
        };
        let file = File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(open)?;
        match file.try_lock() {
            Ok(()) => Ok(DataDirLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse {
                path: self.0.clone(),
            }),
            Err(TryLockError::Error(source)) => Err(open(source)),
        }
    }

    /// Whether a `tandem serve` uses the directory at this moment. Nothing is made.
    pub(crate) fn is_in_use(path: &Path) -> bool {
        let held = File::open(path.join(LOCK)).map(|file| file.try_lock());
        matches!(held, Ok(Err(TryLockError::WouldBlock)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

const LOCK: &str = "tandem.lock";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_and_names_the_directory() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(&folder.path().join("data")).unwrap();
        assert!(!DataDir::is_in_use(data_dir.path()));
        let _held = data_dir.lock().unwrap();
        assert!(DataDir::is_in_use(data_dir.path()));
        let refusal = data_dir.lock().unwrap_err();
        assert!(matches!(refusal, DataDirError::InUse { .. }), "{refusal}");
        assert!(refusal.to_string().contains("data"), "{refusal}");
    }

    #[test]
    fn a_released_lock_can_be_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(folder.path()).unwrap();
        drop(data_dir.lock().unwrap());
        data_dir.lock().unwrap();
    }
}
