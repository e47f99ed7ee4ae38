//! Service providers. Exactly one row per tenant is `own`: Tandem's proxy.

use sea_orm_migration::prelude::*;

use crate::column::{boolean, id, integer, key, optional_integer, optional_text, sort_text, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0005_create_providers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("providers")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(text("name"))
                    .col(sort_text("sort_name", manager))
                    .col(text("server"))
                    .col(optional_integer("port"))
                    .col(text("transport"))
                    .col(optional_text("outbound_proxy"))
                    .col(boolean("own"))
                    .col(integer("created_at"))
                    .col(integer("version"))
                    .index(
                        Index::create()
                            .unique()
                            .name("providers_tenant_id_key")
                            .col("tenant_id")
                            .col("id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("providers", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("providers_by_name")
                    .table("providers")
                    .col("tenant_id")
                    .col("sort_name")
                    .col("id")
                    .take(),
            )
            .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX providers_own_key ON providers (tenant_id) WHERE own",
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("providers").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
