use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use store::audit::{self, NewAuditEntry};
use store::backup::{self, Archive, Attachment, BackupError};
use store::mail::{self, MailSenders, NewMail};
use store::{
    Database, MailKind, PageRequest, SchemaState, Secret, StoreConfig, account, contact, directory,
    open, tenant,
};
use tempfile::TempDir;
use time::Duration;

use crate::ground::{Ground, NOW, contact_fields, on_both, search};

on_both! {
    what_was_backed_up_is_the_same_in_either_database,
    a_backup_sees_one_moment_while_others_write,
    a_database_with_rows_is_replaced_only_if_that_is_said,
    what_fails_at_the_very_end_has_changed_nothing,
    mails_that_waited_at_the_backup_are_not_sent_again,
}

const PASSWORD: &str = "secret-101";

/// Something of everything.
async fn filled(ground: &Ground) {
    let account = ground.account("101").await;
    ground.device("Desk", &[&account]).await;
    let odd = contact_fields("Ünïcode \u{1F4DE}", "\"quoted\\\"\n");
    contact::insert(ground.tenant.id, &odd, NOW, &ground.db)
        .await
        .unwrap();
    note("a first entry", &ground.db).await;
}

async fn note(detail: &str, db: &Database) {
    let entry = NewAuditEntry {
        actor: "system",
        action: "test.note",
        subject: "backup",
        detail,
        ..NewAuditEntry::default()
    };
    audit::append(None, &entry, NOW, db).await.unwrap();
}

async fn back_up(path: &Path, db: &Database) -> backup::Summary {
    let file = std::fs::File::create(path).unwrap();
    let key = Attachment {
        name: "master.key.age".to_owned(),
        bytes: vec![0, 1, 255],
    };
    let (_, summary) = backup::write(file, &[key], vec!["aabbccdd".to_owned()], NOW, db)
        .await
        .unwrap();
    summary
}

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// Tables and rows of a backup without head and end, whatever their order.
fn rows(path: &Path) -> BTreeSet<String> {
    let text = unpacked(path);
    let lines: Vec<_> = text.lines().collect();
    lines[1..lines.len() - 1]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

async fn empty(folder: &TempDir, postgresql: bool) -> Option<Database> {
    let url = if postgresql {
        testkit::postgres::database_url()?
    } else {
        format!("sqlite:{}", folder.path().join("restored.db").display())
    };
    Some(open(&url, &StoreConfig::default()).await.unwrap())
}

async fn what_was_backed_up_is_the_same_in_either_database(ground: Ground) {
    filled(&ground).await;
    let path = ground.folder.path().join("backup");
    let written = back_up(&path, &ground.db).await;
    assert!(!unpacked(&path).contains(PASSWORD));
    let archive = Archive::open(&path).unwrap();
    assert_eq!(archive.summary(), &written);
    assert_eq!(archive.files()[0].bytes, [0, 1, 255]);
    let devices = ("devices".to_owned(), 1);
    assert!(written.tables.contains(&devices), "{:?}", written.tables);

    for postgresql in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let Some(db) = empty(&folder, postgresql).await else {
            continue;
        };
        archive.restore(false, || Ok(()), NOW, &db).await.unwrap();
        let again = folder.path().join("again");
        back_up(&again, &db).await;
        assert_eq!(rows(&path), rows(&again), "postgresql: {postgresql}");
        let found = tenant::load(ground.tenant.id, &db).await.unwrap();
        assert_eq!(found, ground.tenant);
        // The sealed password opens with the key that sealed it, the search index is there, and new rows have keys of their own.
        let credentials =
            account::find_credentials("101", &found.sip_domain, &ground.vault, &db).await;
        assert!(credentials.unwrap().is_some());
        let fields = contact_fields("New", "Person");
        contact::insert(found.id, &fields, NOW, &db).await.unwrap();
        // The directory was numbered anew: who knows it from before begins again.
        let before = directory::position(found.id, &ground.db).await.unwrap();
        let changes = directory::changes(found.id, Some(&before), 100, &db);
        let changes = changes.await.unwrap();
        assert!(changes.whole && !changes.more);
        let listed = contact::list(
            found.id,
            &contact::ContactFilter::default(),
            &PageRequest::default(),
            &db,
        )
        .await;
        let shown = listed
            .unwrap()
            .items
            .into_iter()
            .filter(|one| one.in_directory);
        assert_eq!(changes.entries.len(), shown.count());
        for (words, count) in [("quoted", 1), ("person", 1)] {
            let listed = contact::list(
                found.id,
                &contact::ContactFilter::default(),
                &search(words),
                &db,
            )
            .await
            .unwrap();
            assert_eq!(listed.items.len(), count, "{words}");
        }
        assert!(SchemaState::of(&db).await.unwrap().is_current());
    }
}

/// Lets somebody write to the database as soon as the first bytes leave.
struct Meddling<'a> {
    db: &'a Database,
    done: bool,
    bytes: Vec<u8>,
}

impl Write for Meddling<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The header of the packing alone says nothing of the rows.
        if self.bytes.len() > 100 && !self.done {
            self.done = true;
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(note("written meanwhile", self.db));
            });
        }
        self.bytes.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn a_backup_sees_one_moment_while_others_write(ground: Ground) {
    filled(&ground).await;
    for number in 0..8 {
        // Hardly to be packed, so that bytes leave while this table is read.
        let noise: String = (0..500).map(|_| uuid::Uuid::new_v4().to_string()).collect();
        let mut fields = contact_fields("Noise", &number.to_string());
        fields.company = Some(noise);
        contact::insert(ground.tenant.id, &fields, NOW, &ground.db)
            .await
            .unwrap();
    }
    let out = Meddling {
        db: &ground.db,
        done: false,
        bytes: Vec::new(),
    };
    let written = backup::write(out, &[], Vec::new(), NOW, &ground.db).await;
    let (out, _) = written.unwrap();
    assert!(out.done, "somebody wrote meanwhile");
    let path = ground.folder.path().join("backup");
    std::fs::write(&path, out.bytes).unwrap();
    assert!(unpacked(&path).contains("a first entry"));
    assert!(!unpacked(&path).contains("written meanwhile"));
    Archive::open(&path).unwrap();
}

async fn a_database_with_rows_is_replaced_only_if_that_is_said(ground: Ground) {
    let path = ground.folder.path().join("backup");
    back_up(&path, &ground.db).await;
    let archive = Archive::open(&path).unwrap();
    note("later than the backup", &ground.db).await;
    let refused = archive.restore(false, || Ok(()), NOW, &ground.db).await;
    assert!(
        matches!(&refused, Err(BackupError::NotEmpty { table }) if table == "tenants"),
        "{refused:?}"
    );
    let after = ground.folder.path().join("after");
    back_up(&after, &ground.db).await;
    assert!(unpacked(&after).contains("later than the backup"));

    archive
        .restore(true, || Ok(()), NOW, &ground.db)
        .await
        .unwrap();
    back_up(&after, &ground.db).await;
    assert_eq!(rows(&path), rows(&after));
}

async fn what_fails_at_the_very_end_has_changed_nothing(ground: Ground) {
    let path = ground.folder.path().join("backup");
    back_up(&path, &ground.db).await;
    note("later than the backup", &ground.db).await;
    let before = ground.folder.path().join("before");
    back_up(&before, &ground.db).await;
    let archive = Archive::open(&path).unwrap();
    let failed = archive
        .restore(
            true,
            || Err(io::Error::other("the disk is gone")),
            NOW,
            &ground.db,
        )
        .await;
    assert!(matches!(failed, Err(BackupError::Io(_))), "{failed:?}");
    // The same when the file is changed between reading and taking it.
    std::fs::write(&path, packed(&unpacked(&path).replace("ACME", "EVIL"))).unwrap();
    let failed = archive.restore(true, || Ok(()), NOW, &ground.db).await;
    assert!(
        matches!(failed, Err(BackupError::Damaged { .. })),
        "{failed:?}"
    );
    let after = ground.folder.path().join("after");
    back_up(&after, &ground.db).await;
    assert_eq!(rows(&before), rows(&after));
}

async fn mails_that_waited_at_the_backup_are_not_sent_again(ground: Ground) {
    let new = NewMail {
        tenant: None,
        device: None,
        kind: MailKind::Test,
        recipient: "grace@example.org",
        content: &Secret::new("a letter".to_owned()),
    };
    let (vault, db) = (&ground.vault, &ground.db);
    mail::enqueue(&new, vault, NOW, db).await.unwrap();
    let path = ground.folder.path().join("backup");
    back_up(&path, db).await;
    let archive = Archive::open(&path).unwrap();
    archive.restore(true, || Ok(()), NOW, db).await.unwrap();
    let due = mail::take(Duration::HOUR, MailSenders::All, &[], vault, NOW, db).await;
    assert_eq!(due.unwrap(), None);
    assert_eq!(mail::next_due(db).await.unwrap(), None);
}

fn packed(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

async fn some_backup() -> (Ground, PathBuf) {
    let ground = Ground::on_sqlite().await;
    filled(&ground).await;
    let path = ground.folder.path().join("backup");
    back_up(&path, &ground.db).await;
    (ground, path)
}

#[tokio::test]
async fn a_damaged_backup_is_refused_wherever_the_damage_is() {
    let (_ground, path) = some_backup().await;
    let whole = std::fs::read(&path).unwrap();
    let mut damaged: Vec<Vec<u8>> = (0..whole.len())
        .step_by(97)
        .map(|length| whole[..length].to_vec())
        .collect();
    for place in (12..whole.len()).step_by(89) {
        let mut flipped = whole.clone();
        flipped[place] ^= 4;
        damaged.push(flipped);
    }
    // Well packed, but not what was written.
    let text = unpacked(&path);
    damaged.push(packed(&text.replace("ACME", "EVIL")));
    damaged.push(packed(&text[..text.len() / 2]));
    damaged.push(packed(&format!("{text}[]\n")));
    let without_a_row: Vec<_> = text
        .lines()
        .filter(|line| !line.contains("a first entry"))
        .collect();
    damaged.push(packed(&(without_a_row.join("\n") + "\n")));
    for bytes in damaged {
        std::fs::write(&path, &bytes).unwrap();
        let error = Archive::open(&path).expect_err("damaged");
        let expected = matches!(error, BackupError::Damaged { .. } | BackupError::NotABackup);
        assert!(expected, "{error:?}");
    }
}

#[tokio::test]
async fn what_is_no_backup_or_a_newer_one_is_refused_as_that() {
    let (ground, path) = some_backup().await;
    let text = unpacked(&path);
    for other in ["a letter".as_bytes().to_vec(), packed("{}\n"), packed("")] {
        std::fs::write(&path, other).unwrap();
        let error = Archive::open(&path).unwrap_err();
        assert!(matches!(error, BackupError::NotABackup), "{error:?}");
    }
    std::fs::write(
        &path,
        packed(&text.replace("\"tandem_backup\":1", "\"tandem_backup\":2")),
    )
    .unwrap();
    let error = Archive::open(&path).unwrap_err();
    assert!(matches!(error, BackupError::Newer { .. }), "{error:?}");

    // A schema with a step that nobody here knows.
    let db = &ground.db;
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m2030_0001_new', 0)";
    store::ConnectionTrait::execute_unprepared(db, newer)
        .await
        .unwrap();
    let unwritten = backup::write(Vec::new(), &[], Vec::new(), NOW, db).await;
    assert!(matches!(unwritten, Err(BackupError::OtherSchema)));
    let steps = "\"steps\":[";
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines[0] = lines[0].replace(steps, &format!("{steps}\"m2030_0001_new\","));
    lines.pop();
    let body = lines.join("\n") + "\n";
    let counts = text
        .lines()
        .next_back()
        .unwrap()
        .split(",\"sha256\"")
        .next()
        .unwrap();
    let digest = sha256(body.as_bytes());
    std::fs::write(
        &path,
        packed(&format!("{body}{counts},\"sha256\":\"{digest}\"}}\n")),
    )
    .unwrap();
    let archive = Archive::open(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let empty = empty(&folder, false).await.unwrap();
    let error = archive
        .restore(false, || Ok(()), NOW, &empty)
        .await
        .unwrap_err();
    assert!(matches!(error, BackupError::Newer { .. }), "{error:?}");
    assert!(SchemaState::of(&empty).await.unwrap().applied.is_empty());
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
