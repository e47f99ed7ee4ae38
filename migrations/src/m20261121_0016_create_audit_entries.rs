//! Who changed what and when. Rows outlive what they speak of, so nothing is referenced.

use sea_orm_migration::prelude::*;

use crate::column::{integer, key, optional_id, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0016_create_audit_entries"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit_entries")
                    .col(key("id"))
                    .col(optional_id("tenant_id"))
                    .col(integer("at"))
                    .col(text("actor"))
                    .col(text("action"))
                    .col(text("subject"))
                    .col(text("detail"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("audit_entries_by_tenant")
                    .table("audit_entries")
                    .col("tenant_id")
                    .col("id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("audit_entries").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
