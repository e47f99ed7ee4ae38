//! The seeds of the fuzz target for ICE, and every input that ever broke a promise, through its check.

#![expect(unreachable_pub, reason = "the fuzz targets need it public")]

#[path = "../../../fuzz/src/ice_checks.rs"]
mod ice_checks;
#[path = "../../../fuzz/src/input.rs"]
mod input;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[test]
fn what_fuzzing_checks_of_ice_holds_for_every_seed() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/ice");
    let mut count = 0;
    for entry in fs::read_dir(seeds).unwrap() {
        let path = entry.unwrap().path();
        // Shown only if the check fails.
        println!("{}", path.display());
        ice_checks::operations(&fs::read(path).unwrap());
        count += 1;
    }
    assert!(count > 0);
}

proptest! {
    #[test]
    fn any_course_of_datagrams_and_time_is_survived(data in prop::collection::vec(any::<u8>(), 0..600)) {
        ice_checks::operations(&data);
    }
}
