//! The order of names beside what contacts are searched by, so that a page of finds is read in order from one table.
//!
//! SQLite: the index holds the text too, and is walked alone. PostgreSQL bounds what an index row holds, so there the text stays out of it.

use sea_orm_migration::prelude::*;

use crate::column::optional_sort_text;

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0057_add_order_to_contact_search"
    }
}

const FILL: &str = "UPDATE contact_search SET sort_name = \
     (SELECT sort_name FROM contacts WHERE contacts.id = contact_search.contact_id)";

const INDEX: &str = "contact_search_by_name";

/// What an update of anything but the text leaves alone.
const SQLITE_TRIGGER: &str = "
DROP TRIGGER contact_search_update;
CREATE TRIGGER contact_search_update AFTER UPDATE OF text ON contact_search BEGIN
    INSERT INTO contact_search_index (contact_search_index, rowid, text)
        VALUES ('delete', old.seq, old.text);
    INSERT INTO contact_search_index (rowid, text) VALUES (new.seq, new.text);
END;";

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sqlite = manager.get_database_backend() == sea_orm::DbBackend::Sqlite;
        let db = manager.get_connection();
        if sqlite {
            db.execute_unprepared(SQLITE_TRIGGER).await?;
        }
        let column = optional_sort_text("sort_name", manager);
        let add = Table::alter()
            .table("contact_search")
            .add_column(column)
            .take();
        manager.alter_table(add).await?;
        db.execute_unprepared(FILL).await?;
        let mut index = Index::create()
            .name(INDEX)
            .table("contact_search")
            .col("tenant_id")
            .col("sort_name")
            .col("contact_id")
            .take();
        if sqlite {
            index.col("text");
        }
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name(INDEX).table("contact_search").to_owned();
        manager.drop_index(index).await?;
        let drop = Table::alter()
            .table("contact_search")
            .drop_column("sort_name")
            .take();
        manager.alter_table(drop).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
