//! The seeds of the fuzz target for sound files, and every file that ever broke a promise, through its check.

#[expect(unreachable_pub, reason = "the fuzz target needs it public")]
#[path = "../../../fuzz/src/file_checks.rs"]
mod file_checks;

use std::fs;
use std::path::Path;

#[test]
fn what_fuzzing_checks_of_sound_files_holds_for_every_seed() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/sound_file");
    for entry in fs::read_dir(seeds).unwrap() {
        let path = entry.unwrap().path();
        // Shown only if the check fails.
        println!("{}", path.display());
        file_checks::sound_file(&fs::read(path).unwrap());
    }
}
