//! The numbers and the addresses of a contact lie in the order of their key on SQLite, so that those of a contact are read from one place.
//!
//! A table of SQLite has its rows in the order they were written, and finds them by an index beside it, unless it says otherwise.

use sea_orm::ConnectionTrait;
use sea_orm_migration::prelude::*;

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0063_keep_parts_of_contacts_together"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rebuild(manager, " WITHOUT ROWID").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rebuild(manager, "").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// The table, what it holds of a contact, and its index.
const TABLES: [(&str, &str, &str); 2] = [
    (
        "contact_numbers",
        "number",
        "contact_numbers_by_number ON contact_numbers (tenant_id, number)",
    ),
    (
        "contact_emails",
        "address",
        "contact_emails_by_address ON contact_emails (tenant_id, lower(address))",
    ),
];

async fn rebuild(manager: &SchemaManager<'_>, layout: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != sea_orm::DbBackend::Sqlite {
        return Ok(());
    }
    for (table, value, index) in TABLES {
        let statements = format!(
            "CREATE TABLE parts (
                tenant_id uuid_text NOT NULL,
                contact_id uuid_text NOT NULL,
                position integer NOT NULL,
                {value} text NOT NULL,
                label text NOT NULL,
                PRIMARY KEY (contact_id, position),
                FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id) ON DELETE CASCADE
            ){layout};
            INSERT INTO parts SELECT tenant_id, contact_id, position, {value}, label FROM {table} ORDER BY contact_id, position;
            DROP TABLE {table};
            ALTER TABLE parts RENAME TO {table};
            CREATE INDEX {index};"
        );
        manager
            .get_connection()
            .execute_unprepared(&statements)
            .await?;
    }
    Ok(())
}
