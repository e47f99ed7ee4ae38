//! `tandem serve --check-config`: what would not do is said, each with what to do, and decides how the command ends.

use std::path::Path;

use testkit::certificates::{Authority, Subject, Validity};
use tests::{Finished, Server, output_of, program};
use tokio::process::Command;

async fn checked(folder: &Path, config: &str) -> Finished {
    let path = folder.join("tandem.toml");
    std::fs::write(&path, config).expect("a file");
    let mut command = Command::new(program("tandem"));
    command
        .args(["serve", "--check-config", "--config"])
        .arg(path)
        .env_remove("TANDEM_DATABASE_URL")
        .env_remove("TANDEM_DATA_DIR");
    output_of(&mut command).await
}

/// A configuration of free ports, and more.
fn config(folder: &Path, http: &str, rest: &str) -> String {
    let data = folder.join("data");
    format!(
        "data_dir = {data:?}\n{rest}\n[sip]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\n{http}\n"
    )
}

#[tokio::test]
async fn a_good_configuration_is_printed_and_nothing_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = checked(folder.path(), &config(folder.path(), "", "")).await;
    assert!(good.status.success(), "{}", good.stderr);
    assert!(
        good.stdout.contains("listen = \"127.0.0.1:0\""),
        "{}",
        good.stdout
    );
    assert!(good.stderr.contains("advice: data_dir"), "{}", good.stderr);
    assert!(!folder.path().join("data").exists());
}

#[tokio::test]
async fn an_unknown_key_is_told_with_its_line_and_what_was_meant() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = checked(
        folder.path(),
        "[http]\nlisten = \"127.0.0.1:0\"\npublik_url = \"x\"\n",
    )
    .await;
    assert!(!wrong.status.success());
    let expected = "line 3: there is no key `publik_url` here; did you mean `public_url`?";
    assert!(wrong.stderr.contains(expected), "{}", wrong.stderr);
}

#[tokio::test]
async fn a_certificate_must_be_there_be_valid_and_be_for_the_public_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("Tests").expect("an authority");
    for (name, validity, found) in [
        ("phones.example.com", Validity::Valid, None),
        (
            "other.example.com",
            Validity::Valid,
            Some("is not for phones.example.com"),
        ),
        (
            "phones.example.com",
            Validity::Expired,
            Some("ended on 2021-01-01"),
        ),
    ] {
        let subject = Subject {
            dns: vec![name.to_owned()],
            validity,
            ..Subject::default()
        };
        let issued = authority.issue(&subject).expect("a certificate");
        let (chain, key) = issued.write(folder.path(), "portal").expect("files");
        let http = format!(
            "public_url = \"https://phones.example.com\"\ncertificate = {chain:?}\nkey = {key:?}"
        );
        let checked = checked(folder.path(), &config(folder.path(), &http, "")).await;
        assert_eq!(
            checked.status.success(),
            found.is_none(),
            "{}",
            checked.stderr
        );
        assert!(
            checked.stderr.contains(found.unwrap_or_default()),
            "{}",
            checked.stderr
        );
    }
    let http = "public_url = \"https://x\"\ncertificate = \"missing.crt\"\nkey = \"missing.key\"";
    let missing = checked(folder.path(), &config(folder.path(), http, "")).await;
    assert!(
        missing.stderr.contains("problem: http.certificate: ")
            && missing.stderr.contains("missing.crt"),
        "{}",
        missing.stderr
    );
}

#[tokio::test]
async fn addresses_in_use_databases_that_do_not_answer_and_exposed_keys_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start().await;
    let http = server.portal_url.trim_start_matches("http://");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    std::fs::write(data.join("master.key"), "00000000 00\n").expect("a file");
    let text = format!(
        "data_dir = {data:?}\ndatabase_url = \"postgres://nobody:canary-password@127.0.0.1:1/none\"\n\
         [http]\nlisten = \"{http}\"\n[sip]\nlisten = \"192.0.2.1:5060\"\n"
    );
    let checked = checked(folder.path(), &text).await;
    assert!(!checked.status.success());
    for found in [
        "http.listen: ",
        "is another server running there?",
        "sip.listen: 192.0.2.1:5060",
        "this machine does not have the address",
        "problem: database_url: ",
        "problem: key file ",
        "advice: data_dir: ",
    ] {
        assert!(
            checked.stderr.contains(found),
            "{found}\n{}",
            checked.stderr
        );
    }
    let all = format!("{}{}", checked.stdout, checked.stderr);
    assert!(!all.contains("canary-password"), "{all}");
}
