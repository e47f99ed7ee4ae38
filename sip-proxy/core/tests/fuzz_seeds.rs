//! The samples and every input that ever broke a promise of the registrar, through the check of its fuzz target.

#[expect(unreachable_pub, reason = "the fuzz target needs it public")]
#[path = "../../../fuzz/src/registrar_checks.rs"]
mod registrar_checks;

use std::path::Path;

#[test]
fn operations_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/registrar");
    let mut seeds: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 6);
    for seed in seeds {
        // Shown only if the check fails.
        println!("{}", seed.display());
        registrar_checks::operations(&std::fs::read(&seed).unwrap());
    }
}
