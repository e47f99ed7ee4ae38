//! Whether the documents say what the configuration is: tests only.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use toml::Table;

use crate::config::Config;

/// Stands where nothing is known.
const PROBE: &str = "no_such_key";

/// Every key that the configuration takes, with the tables that it stands in. The parser tells them itself, asked for one that is none.
fn known_keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut open = vec![String::new()];
    while let Some(table) = open.pop() {
        for key in keys_in(&table) {
            let path = format!("{table}{key}");
            if path == "sip.numbers.domains" {
                // Its keys are domains, and all have the same.
                open.push(format!("{path}.\"a.example\"."));
            } else if keys_in(&format!("{path}.")).is_empty() {
                keys.insert(path);
            } else {
                open.push(format!("{path}."));
            }
        }
    }
    keys
}

/// What a table may have; nothing if this is no table.
fn keys_in(table: &str) -> Vec<String> {
    let text = format!("{table}{PROBE} = 1");
    let Err(error) = toml::from_str::<Config>(&text) else {
        return Vec::new();
    };
    let message = error.message();
    if !message.starts_with(&format!("unknown field `{PROBE}`")) {
        return Vec::new();
    }
    let quoted = message.split('`').skip(1).step_by(2).skip(1);
    quoted.map(str::to_owned).collect()
}

/// Every key of a text, whether it is set or commented out.
fn keys_of(text: &str) -> BTreeSet<String> {
    let set: String = text
        .lines()
        .map(|line| {
            let bare = line.trim_start_matches("# ");
            let is_key = bare.split(" = ").next().is_some_and(|key| {
                bare.contains(" = ") && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            });
            let is_table = bare.starts_with('[') && bare.contains(']');
            if is_key || is_table { bare } else { "" }
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let parsed = toml::from_str::<Config>(&set);
    assert!(parsed.is_ok(), "{}\n{set}", parsed.unwrap_err());
    let mut keys = BTreeSet::new();
    collect(&set.parse().unwrap(), "", &mut keys);
    keys
}

fn collect(table: &Table, path: &str, keys: &mut BTreeSet<String>) {
    for (key, value) in table {
        let key = match path {
            // Which domain it is matters not.
            "sip.numbers.domains." => "\"a.example\"",
            _ => key,
        };
        match value.as_table() {
            Some(table) => collect(table, &format!("{path}{key}."), keys),
            None => drop(keys.insert(format!("{path}{key}"))),
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

#[test]
fn every_key_is_documented_and_every_documented_key_is_known() {
    let known = known_keys();
    assert!(known.contains("sip.bans.ban_secs"), "{known:?}");
    let operations = read("docs/operations.md");
    let example = operations.split("```toml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    assert_eq!(keys_of(example), known, "docs/operations.md");
    assert_eq!(
        keys_of(&read("packaging/tandem.toml")),
        known,
        "packaging/tandem.toml"
    );
}
