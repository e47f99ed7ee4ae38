//! Imports of contacts and what became of each row, and an index by which contacts are found by their e-mail addresses.
//!
//! A row has what is to be written and, for a contact that is changed, what it was before, so that the import can be taken back.

use sea_orm_migration::prelude::*;

use crate::column::{id, integer, key, optional_id, optional_integer, optional_text, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0036_create_contact_imports"
    }
}

/// In both only A to Z change their case, so that both find the same.
const SQLITE_INDEX: &str =
    "CREATE INDEX contact_emails_by_address ON contact_emails (tenant_id, lower(address))";
const POSTGRES_INDEX: &str = r#"CREATE INDEX contact_emails_by_address
    ON contact_emails (tenant_id, lower(address COLLATE "C"))"#;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => POSTGRES_INDEX,
            _ => SQLITE_INDEX,
        };
        manager.get_connection().execute_unprepared(index).await?;
        manager.create_table(imports()).await?;
        manager
            .create_index(
                Index::create()
                    .name("contact_imports_by_tenant")
                    .table("contact_imports")
                    .col("tenant_id")
                    .col("id")
                    .take(),
            )
            .await?;
        manager.create_table(rows()).await?;
        manager
            .create_index(
                Index::create()
                    .name("contact_import_rows_by_number")
                    .table("contact_import_rows")
                    .col("import_id")
                    .col("number")
                    .col("id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["contact_import_rows", "contact_imports"] {
            manager
                .drop_table(Table::drop().table(table).take())
                .await?;
        }
        let index = Index::drop()
            .name("contact_emails_by_address")
            .table("contact_emails")
            .to_owned();
        manager.drop_index(index).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn imports() -> TableCreateStatement {
    Table::create()
        .table("contact_imports")
        .col(key("id"))
        .col(id("tenant_id"))
        .col(text("made_by"))
        .col(text("file_name"))
        .col(text("encoding"))
        .col(text("separator"))
        .col(text("columns"))
        .col(text("state"))
        .col(integer("created"))
        .col(integer("updated"))
        .col(integer("unchanged"))
        .col(integer("refused"))
        .col(integer("progress"))
        .col(integer("kept"))
        .col(integer("created_at"))
        .col(optional_integer("committed_at"))
        .col(optional_integer("undone_at"))
        .foreign_key(
            ForeignKey::create()
                .from("contact_imports", "tenant_id")
                .to("tenants", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

fn rows() -> TableCreateStatement {
    Table::create()
        .table("contact_import_rows")
        .col(key("id"))
        .col(id("import_id"))
        .col(integer("number"))
        .col(integer("line"))
        .col(text("result"))
        .col(text("state"))
        .col(text("name"))
        .col(optional_id("contact_id"))
        .col(optional_integer("version"))
        .col(optional_text("fields"))
        .col(optional_text("before"))
        .col(text("errors"))
        .foreign_key(
            ForeignKey::create()
                .from("contact_import_rows", "import_id")
                .to("contact_imports", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}
