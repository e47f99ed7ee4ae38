//! Every step goes forward, back and forward again, on both databases.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use migrations::{Migrator, MigratorTrait};
use sea_orm_migration::SchemaManager;
use sea_orm_migration::sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

const TABLES: &[&str] = &[
    "tenants",
    "users",
    "memberships",
    "sessions",
    "providers",
    "sip_accounts",
    "contacts",
    "contact_numbers",
    "contact_emails",
    "contact_search",
    "devices",
    "device_accounts",
    "activations",
    "device_nonces",
    "registrations",
    "audit_entries",
    "mail_settings",
    "mails",
    "calls",
    "call_numbers",
    "directories",
    "directory_entries",
    "webhooks",
    "webhook_events",
    "webhook_deliveries",
    "webhook_watches",
    "webhook_present",
];

async fn open(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(2).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

async fn tables_there(db: &DatabaseConnection) -> usize {
    let manager = SchemaManager::new(db);
    let mut count = 0;
    for table in TABLES {
        count += usize::from(manager.has_table(table).await.unwrap());
    }
    count
}

async fn up_down_up(db: &DatabaseConnection) {
    Migrator::up(db, None).await.unwrap();
    assert_eq!(tables_there(db).await, TABLES.len());
    Migrator::down(db, None).await.unwrap();
    assert_eq!(tables_there(db).await, 0);
    Migrator::up(db, None).await.unwrap();
    assert_eq!(tables_there(db).await, TABLES.len());
    // Started again: nothing to do.
    Migrator::up(db, None).await.unwrap();
}

#[tokio::test]
async fn every_step_goes_up_down_and_up_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tandem.db");
    up_down_up(&open(&format!("sqlite:{}?mode=rwc", path.display())).await).await;
}

#[tokio::test]
async fn every_step_goes_up_down_and_up_on_postgresql() {
    let Some(url) = testkit::postgres::database_url() else {
        return;
    };
    let db = open(&url).await;
    up_down_up(&db).await;
    let index = "SELECT 'contact_search_trigrams'::regclass";
    db.execute_unprepared(index)
        .await
        .expect("the trigram index");
}

#[tokio::test]
async fn without_the_right_to_add_an_extension_postgresql_goes_without_its_index() {
    let Some(url) = testkit::postgres::database_url() else {
        return;
    };
    let db = open(&url).await;
    for statement in [
        "CREATE ROLE plain_user LOGIN",
        "CREATE SCHEMA plain AUTHORIZATION plain_user",
        "ALTER ROLE plain_user SET search_path = plain",
    ] {
        db.execute_unprepared(statement).await.unwrap();
    }
    let plain = open(&url.replace("postgres@", "plain_user@")).await;
    up_down_up(&plain).await;
    let index = "SELECT 'contact_search_trigrams'::regclass";
    assert!(plain.execute_unprepared(index).await.is_err());
}

/// What was written last is the newest of all for a database, so a backup of it tells which program can read it.
#[test]
fn steps_are_in_the_order_of_their_names() {
    let steps = Migrator::migrations();
    let names: Vec<_> = steps.iter().map(|step| step.name().to_owned()).collect();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(names, sorted);
}
