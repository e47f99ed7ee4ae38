//! The accounts of a device, in order; four at most.

use sea_orm_migration::prelude::*;

use crate::column::{id, integer};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0012_create_device_accounts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("device_accounts")
                    .col(id("tenant_id"))
                    .col(id("device_id"))
                    .col(integer("position"))
                    .col(id("account_id"))
                    .primary_key(Index::create().col("device_id").col("position"))
                    .index(
                        Index::create()
                            .unique()
                            .name("device_accounts_account_key")
                            .col("device_id")
                            .col("account_id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("device_accounts", ("tenant_id", "device_id"))
                            .to("devices", ("tenant_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("device_accounts", ("tenant_id", "account_id"))
                            .to("sip_accounts", ("tenant_id", "id"))
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .check(Expr::col("position").between(0, 3))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("device_accounts_by_account")
                    .table("device_accounts")
                    .col("account_id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("device_accounts").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
