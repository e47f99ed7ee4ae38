//! The samples and every input that ever broke a promise, through the checks of the fuzz targets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(unreachable_pub, reason = "the fuzz targets need it public")]
#[path = "../../../fuzz/src/sip_checks.rs"]
mod sip_checks;

use std::fs;
use std::path::{Path, PathBuf};

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Runs `check` on every seed of `target`.
fn try_seeds(target: &str, check: fn(&[u8])) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let seeds = files_below(&root.join("fuzz/seeds").join(target));
    assert!(!seeds.is_empty());
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        // Shown only if the check fails.
        println!("{}", seed.display());
        check(&bytes);
    }
}

fn torture() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sip-torture");
    let messages: Vec<_> = files_below(&root)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "dat"))
        .map(|path| fs::read(path).unwrap())
        .collect();
    assert!(messages.len() >= 62);
    messages
}

#[test]
fn datagrams_hold() {
    try_seeds("datagram", sip_checks::datagram);
    for message in torture() {
        sip_checks::datagram(&message);
    }
}

#[test]
fn streams_hold_wherever_they_are_cut() {
    for message in torture() {
        for cuts in [[0; 8], [3, 40, 1, 0, 255, 16, 7, 64], [1; 8]] {
            sip_checks::stream(&[&cuts, message.as_slice(), b"\r\n\r\n", &message].concat());
        }
    }
}

#[test]
fn uris_hold() {
    try_seeds("uri", sip_checks::uri);
}

#[test]
fn header_values_hold() {
    try_seeds("name_addr", sip_checks::name_addr);
}

#[test]
fn challenges_hold() {
    try_seeds("challenge", sip_checks::challenge);
}
