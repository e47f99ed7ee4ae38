//! One softphone per profile: an exclusive lock that the system releases with the process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::ProfileError;

/// Held while a softphone runs on a profile; released when dropped or when the process ends.
#[derive(Debug)]
pub struct ProfileLock {
    _file: File,
}

impl ProfileLock {
    pub(super) fn take(folder: &Path) -> Result<Self, ProfileError> {
        let path = folder.join("lock");
        let failed = |error| ProfileError::File {
            path: path.clone(),
            error,
        };
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(ProfileError::InUse {
                folder: folder.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
