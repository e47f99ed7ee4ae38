//! The seeds of the fuzz targets for secured media, and every input that ever broke a promise, through their checks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(unreachable_pub, reason = "the fuzz targets need it public")]
#[path = "../../../fuzz/src/srtp_checks.rs"]
mod srtp_checks;

use std::fs;
use std::path::Path;

/// Runs `check` on every seed of `target`.
fn try_seeds(target: &str, check: fn(&[u8])) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut seeds = 0;
    for entry in fs::read_dir(root.join("fuzz/seeds").join(target)).unwrap() {
        let path = entry.unwrap().path();
        // Shown only if the check fails.
        println!("{}", path.display());
        check(&fs::read(path).unwrap());
        seeds += 1;
    }
    assert!(seeds > 0);
}

#[test]
fn what_fuzzing_checks_holds_for_every_seed() {
    try_seeds("srtp", srtp_checks::packets);
    try_seeds("srtp_round_trip", srtp_checks::round_trip);
    try_seeds("crypto", srtp_checks::attributes);
}
