//! What a contact is searched by, in lower case, with a trigram index.
//!
//! SQLite: an FTS5 table with the `trigram` tokenizer over `contact_search`, kept equal by triggers.
//! PostgreSQL: a GIN index with `gin_trgm_ops`. Where the extension `pg_trgm` may not be created the
//! step goes on without the index: searching still works, as a scan of the tenant's rows.

use sea_orm_migration::prelude::*;

use crate::column::{id, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0010_create_contact_search"
    }
}

const SQLITE_INDEX: &str = "
CREATE VIRTUAL TABLE contact_search_index
    USING fts5(text, content='contact_search', content_rowid='seq', tokenize='trigram');
CREATE TRIGGER contact_search_insert AFTER INSERT ON contact_search BEGIN
    INSERT INTO contact_search_index (rowid, text) VALUES (new.seq, new.text);
END;
CREATE TRIGGER contact_search_delete AFTER DELETE ON contact_search BEGIN
    INSERT INTO contact_search_index (contact_search_index, rowid, text)
        VALUES ('delete', old.seq, old.text);
END;
CREATE TRIGGER contact_search_update AFTER UPDATE ON contact_search BEGIN
    INSERT INTO contact_search_index (contact_search_index, rowid, text)
        VALUES ('delete', old.seq, old.text);
    INSERT INTO contact_search_index (rowid, text) VALUES (new.seq, new.text);
END;";

/// The inner block is a savepoint: without the right to create the extension the step still stands.
const POSTGRES_INDEX: &str = "
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX contact_search_trigrams ON contact_search USING gin (text gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'no trigram index for contacts: %', SQLERRM;
END $$";

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("contact_search")
                    .col(
                        ColumnDef::new("seq")
                            .big_integer()
                            .not_null()
                            .auto_increment()
                            .primary_key(),
                    )
                    .col(id("tenant_id"))
                    .col(id("contact_id"))
                    .col(text("text"))
                    .index(
                        Index::create()
                            .unique()
                            .name("contact_search_contact_key")
                            .col("contact_id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("contact_search", ("tenant_id", "contact_id"))
                            .to("contacts", ("tenant_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        let index = match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => POSTGRES_INDEX,
            _ => SQLITE_INDEX,
        };
        manager.get_connection().execute_unprepared(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == sea_orm::DbBackend::Sqlite {
            let index = "DROP TABLE contact_search_index";
            manager.get_connection().execute_unprepared(index).await?;
        }
        manager
            .drop_table(Table::drop().table("contact_search").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
