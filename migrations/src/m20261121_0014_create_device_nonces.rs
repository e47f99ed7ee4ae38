//! Nonces that a device has spent, kept while a replay would still be in time.

use sea_orm_migration::prelude::*;

use crate::column::{id, integer, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0014_create_device_nonces"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("device_nonces")
                    .col(id("device_id"))
                    .col(text("nonce"))
                    .col(integer("expires_at"))
                    .primary_key(Index::create().col("device_id").col("nonce"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("device_nonces", "device_id")
                            .to("devices", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("device_nonces_by_expiry")
                    .table("device_nonces")
                    .col("expires_at")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("device_nonces").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
