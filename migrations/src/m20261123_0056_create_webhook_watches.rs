//! Tenants whose webhooks are told who comes and goes, and the devices and accounts that they were last told to be there. So what came or
//! went while the server was away is told when it is back, and nothing twice.

use sea_orm_migration::prelude::*;

use crate::column::{id, integer, key};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0056_create_webhook_watches"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("webhook_watches")
                    .col(key("tenant_id"))
                    .col(integer("created_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("webhook_watches", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("webhook_present")
                    .col(id("tenant_id"))
                    .col(id("object_id"))
                    .primary_key(Index::create().col("tenant_id").col("object_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("webhook_present", "tenant_id")
                            .to("webhook_watches", "tenant_id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["webhook_present", "webhook_watches"] {
            manager
                .drop_table(Table::drop().table(table).take())
                .await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
