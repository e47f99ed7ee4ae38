//! What the cross-crate tests share: the workspace's files, and its real programs.
//!
//! [`files_below`] is for guards over the tree. [`Server`], [`Portal`] and [`Phone`] are the real programs on ports and folders of
//! their own, driven the way people drive them; [`write_tone`] and [`share_of_tone`] tell whether sound has arrived.
//!
//! Not here: simulated networks and databases, which single crates use as well (`crates/testkit`).

mod phone;
mod portal;
mod programs;
mod server;
mod tone;
mod trust;
mod waiting;

pub use phone::{Phone, text_of};
pub use portal::{NewDevice, Portal, Tenant};
pub use programs::{Finished, output_of, program};
pub use server::{Certificate, Server, serve_command};
pub use tone::{
    Side, has_tone_after, has_tones, seconds_of, share_of_tone, write_soft_tone,
    write_stereo_tones, write_tone,
};
pub use trust::Trust;
pub use waiting::{free_port, happens, until, until_or_tell, until_within};

use std::path::{Path, PathBuf};

/// The root of the workspace.
#[must_use]
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests package lies in the workspace root")
        .to_path_buf()
}

/// Every file below `folder` of the workspace whose name ends in `.{extension}`, build results left out.
///
/// # Panics
///
/// If a folder cannot be read: a guard that sees nothing must not pass.
#[must_use]
pub fn files_below(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![workspace_root().join(folder)];
    while let Some(folder) = open.pop() {
        let entries = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("a folder entry can be read").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                let generated = ["target", "node_modules", "dist", "var"].contains(&name.as_str());
                if !generated && !name.starts_with('.') {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
