//! Who may depend on whom: the layers, the purity of the cores, the one place for SQL.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use tests::workspace_root;

/// Our crates that each of our crates may use, dev-dependencies aside.
const LAYERS: &[(&str, &[&str])] = &[
    ("sip", &[]),
    ("sdp", &[]),
    ("media", &["sdp", "stun"]),
    ("ua", &["sip", "sdp"]),
    ("stun", &[]),
    ("sip-io", &["sip"]),
    ("media-io", &["media", "stun"]),
    ("migrations", &[]),
    ("store", &["sip", "migrations"]),
    ("api", &[]),
    ("testkit", &["sip"]),
    ("softphone-core", &["ua", "sip", "sdp"]),
    (
        "softphone",
        &[
            "softphone-core",
            "ua",
            "sip",
            "sdp",
            "media",
            "sip-io",
            "media-io",
            "api",
        ],
    ),
    ("sip-proxy-core", &["ua", "sip", "sdp"]),
    (
        "sip-proxy",
        &[
            "sip-proxy-core",
            "ua",
            "sip",
            "sdp",
            "sip-io",
            "media-io",
            "api",
            "store",
        ],
    ),
    ("portal", &["store", "api", "sip", "web-pages"]),
    ("web-pages", &[]),
    ("tandem", &["portal", "sip-proxy", "store", "api"]),
    ("tests", &["store", "testkit"]),
    (
        "bench",
        &["media", "media-io", "sip", "sip-proxy-core", "store"],
    ),
];

/// What each pure crate may use from outside: nothing with a clock, a socket, a task or a lock (I1).
const PURE: &[(&str, &[&str])] = &[
    (
        "sip",
        &[
            "bytes",
            "md-5",
            "memchr",
            "rand_chacha",
            "rsip",
            "sha2",
            "hmac",
            "siphasher",
            "subtle",
            "thiserror",
            "tracing",
        ],
    ),
    (
        "sdp",
        &["base64", "bytes", "memchr", "thiserror", "zeroize"],
    ),
    ("ua", &["bytes", "quick-xml", "thiserror", "tracing"]),
    (
        "media",
        &[
            "audio-codec",
            "aws-lc-rs",
            "bytes",
            "dimpl",
            "fearless_simd",
            "hmac",
            "nnnoiseless",
            "opusic-c",
            "rand_chacha",
            "realfft",
            "rtcp-types",
            "rtp-rs",
            "rubato",
            "sha1",
            "sonora-agc2",
            "sonora-simd",
            "subtle",
            "thiserror",
            "tracing",
            "zeroize",
        ],
    ),
    (
        "stun",
        &[
            "is",
            "rand_chacha",
            "stun-rs",
            "thiserror",
            "tracing",
            "zeroize",
        ],
    ),
    ("softphone-core", &["bytes", "thiserror", "tracing"]),
    (
        "sip-proxy-core",
        &["bytes", "ipnet", "thiserror", "tracing"],
    ),
];

#[test]
fn layers_use_only_what_the_architecture_allows() {
    let normal = normal_dependencies(&metadata());
    let listed: BTreeSet<_> = LAYERS.iter().map(|(name, _)| *name).collect();
    let ours: BTreeSet<_> = normal.keys().map(String::as_str).collect();
    assert_eq!(
        ours, listed,
        "every package of the workspace stands in the table of layers"
    );
    for (name, allowed) in LAYERS {
        let extra: Vec<_> = normal[*name]
            .iter()
            .filter(|used| ours.contains(used.as_str()) && !allowed.contains(&used.as_str()))
            .collect();
        assert!(extra.is_empty(), "{name} must not use {extra:?}");
    }
}

#[test]
fn pure_crates_use_only_what_is_listed_i1() {
    let normal = normal_dependencies(&metadata());
    for (name, allowed) in PURE {
        let extra: Vec<_> = normal[*name]
            .iter()
            .filter(|used| !normal.contains_key(*used) && !allowed.contains(&used.as_str()))
            .collect();
        assert!(extra.is_empty(), "{name} must not depend on {extra:?}");
    }
}

#[test]
fn every_pure_crate_forbids_clocks_sockets_and_locks_by_lint_i1() {
    let folders = [
        "crates/sip",
        "crates/sdp",
        "crates/ua",
        "crates/media",
        "crates/stun",
        "softphone/core",
        "sip-proxy/core",
    ];
    for folder in folders {
        let path = workspace_root().join(folder).join("clippy.toml");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for banned in [
            "std::time::Instant::now",
            "std::time::SystemTime::now",
            "std::thread::sleep",
            "std::sync::Mutex",
            "std::net::UdpSocket",
        ] {
            assert!(
                text.contains(banned),
                "{folder}/clippy.toml does not forbid {banned}"
            );
        }
    }
}

#[test]
fn only_store_and_migrations_speak_sql_i9() {
    for (name, used) in normal_dependencies(&metadata()) {
        let sql = used
            .iter()
            .any(|used| used.starts_with("sea-orm") || used.starts_with("sqlx"));
        let may = ["store", "migrations"].contains(&name.as_str());
        assert!(
            may || !sql,
            "{name} must reach the database through the store crate"
        );
    }
}

#[test]
fn domain_crates_do_not_serialise_i7() {
    let normal = normal_dependencies(&metadata());
    for name in [
        "sip",
        "sdp",
        "ua",
        "media",
        "stun",
        "softphone-core",
        "sip-proxy-core",
    ] {
        assert!(
            !normal[name].contains("serde"),
            "{name}: wire types live in the api crate"
        );
    }
    assert!(
        !normal["store"].contains("api"),
        "the store does not know the wire"
    );
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(workspace_root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo describes the workspace")
}

/// Names of the normal dependencies of each package of the workspace.
fn normal_dependencies(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    metadata
        .workspace_packages()
        .iter()
        .map(|package| {
            let used = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| dependency.name.clone())
                .collect();
            (package.name.to_string(), used)
        })
        .collect()
}
