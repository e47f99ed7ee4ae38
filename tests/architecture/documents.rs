//! Documents that stay true: paths they name exist, every crate has a front page, every feature row a state.

use tests::{files_below, workspace_root};

#[test]
fn paths_named_in_documents_exist() {
    let root = workspace_root();
    let mut documents = files_below("docs", "md");
    documents.push(root.join("README.md"));
    let mut missing = Vec::new();
    for document in documents {
        let text = std::fs::read_to_string(&document).expect("a document can be read");
        for path in text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|quoted| is_path(quoted))
        {
            if !holds_a_file(&root.join(path)) {
                missing.push(format!("{}: {path}", document.display()));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "documents name what is not there: {missing:#?}"
    );
}

/// Whether it is a file or a folder with one: a folder that a move has left empty is only there until the next clone.
fn holds_a_file(path: &std::path::Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => {
            entries.any(|entry| entry.is_ok_and(|entry| holds_a_file(&entry.path())))
        }
        Err(_) => path.is_file(),
    }
}

/// A quoted text is taken for a path of ours if it starts with a folder or file of the workspace root.
fn is_path(quoted: &str) -> bool {
    const ROOTS: &[&str] = &[
        "crates/",
        "softphone/",
        "sip-proxy/",
        "portal/",
        "tandem/",
        "migrations/",
        "web/",
        "tests/",
        "docs/",
        "scripts/",
        "packaging/",
    ];
    let plain = quoted
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    plain && ROOTS.iter().any(|root| quoted.starts_with(root))
}

#[test]
fn every_crate_has_a_front_page() {
    let mut short = Vec::new();
    for file in ["lib.rs", "main.rs"] {
        for path in files_below(".", "rs")
            .into_iter()
            .filter(|path| path.ends_with(format!("src/{file}")))
        {
            let text = std::fs::read_to_string(&path).expect("a source file can be read");
            let header = text
                .lines()
                .take_while(|line| line.starts_with("//!"))
                .count();
            if header < 5 {
                short.push(path);
            }
        }
    }
    assert!(
        short.is_empty(),
        "these need a header that says what the crate is: {short:#?}"
    );
}
