//! What devices have of the company directory: every change of an entry has a number, and the entries that left it stay behind as
//! tombstones, so that a device asks only for what is newer than what it has.
//!
//! `directories` has a row for each tenant: its `epoch`, which is another one after a restore, and the last number of which a tombstone was
//! forgotten. `directory_entries` has the number of the last change of each contact. The next step keeps both.

use sea_orm_migration::prelude::*;

use crate::column::{boolean, id, integer, key};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0043_create_directories"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("directories")
                    .col(key("tenant_id"))
                    .col(id("epoch"))
                    .col(integer("forgotten"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("directories", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        // No reference to the contact: its tombstone outlives it.
        manager
            .create_table(
                Table::create()
                    .table("directory_entries")
                    .col(key("contact_id"))
                    .col(id("tenant_id"))
                    .col(integer("change"))
                    .col(boolean("present"))
                    .index(
                        Index::create()
                            .unique()
                            .name("directory_entries_change_key")
                            .col("tenant_id")
                            .col("change"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("directory_entries", "tenant_id")
                            .to("directories", "tenant_id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("directory_entries").take())
            .await?;
        manager
            .drop_table(Table::drop().table("directories").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
