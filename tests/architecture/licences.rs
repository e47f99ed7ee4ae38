//! The licences of everything that is built, against the list in `deny.toml`.

use cargo_metadata::MetadataCommand;
use serde::Deserialize;
use spdx::{Expression, ParseMode};
use tests::workspace_root;

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    clarify: Vec<Clarify>,
}

#[derive(Deserialize)]
struct Clarify {
    #[serde(rename = "crate")]
    name: String,
    expression: String,
}

#[test]
fn every_dependency_has_a_licence_that_deny_toml_allows() {
    let text =
        std::fs::read_to_string(workspace_root().join("deny.toml")).expect("deny.toml is there");
    let deny: Deny = toml::from_str(&text).expect("deny.toml is well formed");
    let metadata = MetadataCommand::new()
        .manifest_path(workspace_root().join("Cargo.toml"))
        .exec()
        .expect("cargo describes the dependency tree");
    let refused: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_some())
        .filter_map(|package| {
            let clarified = deny
                .licenses
                .clarify
                .iter()
                .find(|clarify| clarify.name == *package.name);
            let licence = clarified
                .map(|clarify| clarify.expression.clone())
                .or_else(|| package.license.clone());
            let allowed = licence
                .as_deref()
                .is_some_and(|licence| is_allowed(licence, &deny.licenses.allow));
            (!allowed).then(|| format!("{} {}: {licence:?}", package.name, package.version))
        })
        .collect();
    assert!(refused.is_empty(), "not allowed by deny.toml: {refused:#?}");
}

fn is_allowed(licence: &str, allow: &[String]) -> bool {
    let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
        return false;
    };
    expression.evaluate(|requirement| allow.contains(&requirement.to_string()))
}
