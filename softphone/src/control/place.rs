//! Where the control socket is.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

/// A socket's address has 108 bytes on Linux, 104 on macOS, with a zero at the end.
const MAX_PATH_BYTES: usize = 100;

/// The control socket of the profile in `folder`.
///
/// Both sides compute it: it depends on the folder and, for folders with a long path, on the
/// user's runtime folder.
pub fn socket_path(folder: &Path) -> PathBuf {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let inside = folder.join("control.sock");
    if inside.as_os_str().len() <= MAX_PATH_BYTES {
        return inside;
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|runtime| runtime.is_absolute());
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    let name = format!("tandem-softphone-{:016x}.sock", hasher.finish());
    runtime.unwrap_or_else(std::env::temp_dir).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_folder_gets_a_short_socket_of_its_own() {
        let short = Path::new("/nowhere/phone");
        assert_eq!(socket_path(short), short.join("control.sock"));
        let long = Path::new("/nowhere").join("x".repeat(120));
        let other = Path::new("/nowhere").join("y".repeat(120));
        assert!(socket_path(&long).as_os_str().len() <= MAX_PATH_BYTES);
        assert_eq!(socket_path(&long), socket_path(&long));
        assert_ne!(socket_path(&long), socket_path(&other));
    }
}
