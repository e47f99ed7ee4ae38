//! `tandem backup` while the server runs, and `tandem restore` into either database.

use std::io::Read;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use tests::{Finished, Phone, Portal, Server, output_of, program};
use tokio::process::Command;

const PASSWORD: &str = "canary-of-the-backup";
const PASSPHRASE: &str = "correct horse battery staple";

async fn tandem(arguments: &[&str], paths: &[(&str, &Path)]) -> Finished {
    let mut command = Command::new(program("tandem"));
    command
        .args(arguments)
        .env_remove("TANDEM_CONFIG")
        .env_remove("TANDEM_DATABASE_URL")
        .stdin(std::process::Stdio::null());
    for (option, path) in paths {
        command.arg(option).arg(path);
    }
    output_of(&mut command).await
}

fn said(finished: &Finished) -> &str {
    assert!(finished.status.success(), "{}", finished.stderr);
    &finished.stdout
}

fn refused(finished: &Finished) -> &str {
    assert!(!finished.status.success(), "{}", finished.stdout);
    &finished.stderr
}

/// A server with a tenant, an account with a known password and an activated phone.
struct World {
    server: Server,
    portal: Portal,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let server = Server::start().await;
        let portal = server.administrator().await;
        let tenant = portal.tenant("acme").await;
        tenant.account("2001", PASSWORD).await;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("passphrase"), format!("{PASSPHRASE}\n"))
            .expect("a file");
        Self {
            server,
            portal,
            folder,
        }
    }

    async fn back_up(&self, name: &str, arguments: &[&str], more: &[(&str, &Path)]) -> Finished {
        let to = self.folder.path().join(name);
        let data = self.server.data_dir();
        let mut paths = vec![("--to", to.as_path()), ("--data-dir", data.as_path())];
        paths.extend(more);
        tandem(&[&["backup"], arguments].concat(), &paths).await
    }
}

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).expect("the backup");
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("a backup is text");
    text
}

#[tokio::test]
async fn a_backup_of_a_running_server_comes_back_with_everything_on_either_database() {
    let world = World::new().await;
    let tenants = world.portal.get("/tenants").await;
    let tenant_id = tenants["items"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let passphrase = world.folder.path().join("passphrase");
    let made = world
        .back_up(
            "keys.backup",
            &["--with-keys"],
            &[("--passphrase-file", &passphrase)],
        )
        .await;
    let told = said(&made).to_owned();
    assert!(
        told.contains("1  sip_accounts") && told.contains("master.key.age"),
        "{told}"
    );
    let backup = world.folder.path().join("keys.backup");
    let listed = tandem(&["backup"], &[("--list", &backup)]).await;
    assert_eq!(said(&listed), told);
    let text = unpacked(&backup);
    for secret in [PASSWORD, PASSPHRASE] {
        assert!(!text.contains(secret) && !told.contains(secret), "{secret}");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(&backup).expect("the file").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);

    for postgresql in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let url = if postgresql {
            let Some(url) = testkit::postgres::database_url() else {
                continue;
            };
            std::fs::write(
                folder.path().join("tandem.toml"),
                format!("database_url = {url:?}\n"),
            )
            .expect("a file");
            url
        } else {
            format!("sqlite://{}", data.join("tandem.db").display())
        };
        let restored = tandem(
            &["restore", "--with-keys", "--database-url", &url],
            &[
                ("--from", &backup),
                ("--data-dir", &data),
                ("--passphrase-file", &passphrase),
            ],
        )
        .await;
        said(&restored);
        let server = Server::on(folder).await;
        let base = server.portal_url.clone();
        if postgresql {
            let others = tempfile::tempdir().expect("a folder");
            let again = tandem(
                &[
                    "restore",
                    "--replace",
                    "--lose-secrets",
                    "--database-url",
                    &url,
                ],
                &[("--from", &backup), ("--data-dir", others.path())],
            )
            .await;
            assert!(
                refused(&again).contains("stop the servers"),
                "{}",
                again.stderr
            );
        }
        // The same person, by the password that was restored.
        let administrator = world.portal.elsewhere(&base).await;
        let accounts = administrator
            .get(&format!("/tenants/{tenant_id}/accounts"))
            .await;
        assert_eq!(accounts["items"][0]["username"], "2001", "{accounts}");
        // New things can be made: the keys that came with it seal and open.
        let tenant = administrator.tenant("later").await;
        let mut phone = Phone::new();
        phone
            .activate(&base, &tenant.device("1001").await.code)
            .await;
        phone.run(&[]).await;
    }
}

#[tokio::test]
async fn nothing_is_restored_over_something_or_from_something_damaged() {
    let world = World::new().await;
    let data = world.server.data_dir();
    let backup = world.folder.path().join("plain.backup");
    let made = world.back_up("plain.backup", &[], &[]).await;
    assert!(
        made.stderr.contains("The keys are not in it"),
        "{}",
        made.stderr
    );
    said(&made);
    let again = world.back_up("plain.backup", &[], &[]).await;
    assert!(
        refused(&again).contains("is there already"),
        "{}",
        again.stderr
    );

    let running = tandem(
        &["restore", "--replace"],
        &[("--from", &backup), ("--data-dir", &data)],
    )
    .await;
    assert!(
        refused(&running).contains("another tandem serve"),
        "{}",
        running.stderr
    );

    let elsewhere = world.folder.path().join("elsewhere");
    let options = [
        ("--from", backup.as_path()),
        ("--data-dir", elsewhere.as_path()),
    ];
    let without_keys = tandem(&["restore"], &options).await;
    assert!(
        refused(&without_keys).contains("Put your copy of master.key"),
        "{}",
        without_keys.stderr
    );
    let no_keys = tandem(&["restore", "--with-keys"], &options).await;
    assert!(
        refused(&no_keys).contains("no keys in the backup"),
        "{}",
        no_keys.stderr
    );
    assert!(!elsewhere.join("tandem.db").exists(), "nothing was made");
    std::fs::copy(data.join("master.key"), elsewhere.join("master.key")).expect("a copy");
    said(&tandem(&["restore"], &options).await);
    let twice = tandem(&["restore"], &options).await;
    assert!(refused(&twice).contains("--replace"), "{}", twice.stderr);
    said(&tandem(&["restore", "--replace"], &options).await);

    let bytes = std::fs::read(&backup).expect("the backup");
    std::fs::write(&backup, &bytes[..bytes.len() - 20]).expect("a file");
    let before = std::fs::read(elsewhere.join("tandem.db")).expect("the database");
    let damaged = tandem(&["restore", "--replace"], &options).await;
    assert!(refused(&damaged).contains("damaged"), "{}", damaged.stderr);
    assert_eq!(
        std::fs::read(elsewhere.join("tandem.db")).expect("the database"),
        before
    );
    // The server has gone on all the time.
    world
        .portal
        .create("/tenants", json!({"name": "Later", "slug": "later"}))
        .await;
}
