use store::{ConnectError, ConnectionTrait, StoreConfig, connect, tenant};

use crate::ground::Ground;

#[tokio::test]
async fn the_sqlite_files_are_for_their_owner_only_and_open_again() {
    use std::os::unix::fs::PermissionsExt;

    let ground = Ground::on_sqlite().await;
    let path = ground.folder.path().join("tandem.db");
    for name in ["tandem.db", "tandem.db-wal", "tandem.db-shm"] {
        let metadata = std::fs::metadata(ground.folder.path().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    let url = format!("sqlite://{}", path.display());
    let again = connect(&url, &StoreConfig::default()).await.unwrap();
    let found = tenant::load(ground.tenant.id, &again).await.unwrap();
    assert_eq!(found, ground.tenant);
}

#[tokio::test]
async fn a_path_with_odd_signs_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("50% of ä file#1.db");
    let url = format!("sqlite:{}", path.display());
    connect(&url, &StoreConfig::default()).await.unwrap();
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    assert_eq!(names, ["50% of ä file#1.db"]);
}

#[tokio::test]
async fn sqlite_enforces_references() {
    let ground = Ground::on_sqlite().await;
    let orphan = "INSERT INTO memberships (tenant_id, user_id, role, created_at) \
                  VALUES (x'00', x'00', 'owner', 0)";
    let error = ground.db.execute_unprepared(orphan).await.unwrap_err();
    assert!(error.to_string().contains("FOREIGN KEY"), "{error}");
}

#[tokio::test]
async fn other_databases_and_missing_folders_are_refused() {
    let config = StoreConfig::default();
    let error = connect("mysql://localhost/x", &config).await.unwrap_err();
    assert!(matches!(error, ConnectError::Scheme));
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("none/tandem.db").display());
    let error = connect(&url, &config).await.unwrap_err();
    assert!(matches!(error, ConnectError::File(_)));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tandem.db");
    std::fs::write(&path, "This is a letter, not a database. ".repeat(100)).unwrap();
    let url = format!("sqlite:{}", path.display());
    let error = connect(&url, &StoreConfig::default()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Open(_)), "{error}");
}
