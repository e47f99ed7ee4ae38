//! What no source file may contain, wherever a compiler lint cannot see it.

use std::path::{Path, PathBuf};

use tests::{files_below, workspace_root};

/// Parts of rsip that misread legal messages (`docs/decisions/0001-sip-codec.md`); it stores headers, nothing else.
const RSIP_BEYOND_STORAGE: &[&str] = &[
    "rsip::SipMessage",
    "rsip::Request",
    "rsip::Response",
    "rsip::Uri",
    "rsip::typed",
    "rsip::headers::typed",
    "ToTypedHeader",
    "DigestGenerator",
];

#[test]
fn rsip_is_a_header_store_and_no_parser() {
    assert_absent(
        &rust_sources(),
        RSIP_BEYOND_STORAGE,
        "parse with the sip crate's own codec",
    );
}

#[test]
fn tests_do_not_sleep() {
    let sources: Vec<_> = files_below(".", "rs")
        .into_iter()
        .filter(|path| !is_this_guard(path))
        .collect();
    assert_absent(
        &tests_of(&sources),
        &["thread::sleep(", "time::sleep("],
        "wait for an event or use a simulated clock",
    );
}

#[test]
fn no_test_is_left_out() {
    assert_absent(
        &rust_sources(),
        &["#[ignore", "todo!(", "unimplemented!("],
        "assert today's result and say why it is wrong",
    );
}

#[test]
fn no_path_of_a_machine_is_in_the_tree() {
    let mut texts = rust_sources();
    for (folder, extension) in [
        ("docs", "md"),
        ("scripts", "py"),
        ("scripts", "sh"),
        ("web", "ts"),
        ("web", "tsx"),
    ] {
        texts.extend(files_below(folder, extension).into_iter().map(read));
    }
    assert_absent(
        &texts,
        &["/home/", "/Users/", "/root/"],
        "a path of one machine",
    );
}

fn assert_absent(sources: &[(PathBuf, String)], banned: &[&str], instead: &str) {
    let root = workspace_root();
    let mut found = Vec::new();
    for (path, text) in sources {
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = banned.iter().find(|word| line.contains(**word)) {
                let path = path.strip_prefix(&root).unwrap_or(path);
                found.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{instead}: {found:#?}");
}

fn rust_sources() -> Vec<(PathBuf, String)> {
    files_below(".", "rs")
        .into_iter()
        .filter(|path| !is_this_guard(path))
        .map(read)
        .collect()
}

/// Only the test parts: whole files under a `tests` folder, and what follows `mod tests` elsewhere.
fn tests_of(paths: &[PathBuf]) -> Vec<(PathBuf, String)> {
    paths
        .iter()
        .map(|path| read(path.clone()))
        .filter_map(|(path, text)| {
            let whole = path.components().any(|part| part.as_os_str() == "tests");
            if whole {
                return Some((path, text));
            }
            let start = text.find("mod tests {")?;
            Some((path, text[start..].to_owned()))
        })
        .collect()
}

fn read(path: PathBuf) -> (PathBuf, String) {
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (path, text)
}

/// The guards name what they forbid.
fn is_this_guard(path: &Path) -> bool {
    path.starts_with(workspace_root().join("tests/architecture"))
}
