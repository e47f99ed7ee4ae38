//! Where a tenant wants to be told of what happens. The secret that signs what is told is sealed; the one before it stays while both sign.
//! `events` has the kinds of events, with spaces between them.

use sea_orm_migration::prelude::*;

use crate::column::{
    boolean, bytes, id, integer, key, optional_bytes, optional_integer, optional_text, text,
};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0054_create_webhooks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("webhooks")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(text("name"))
                    .col(text("url"))
                    .col(text("events"))
                    .col(boolean("enabled"))
                    .col(optional_text("off_reason"))
                    .col(bytes("secret_sealed"))
                    .col(integer("secret_version"))
                    .col(optional_bytes("previous_sealed"))
                    .col(optional_integer("previous_until"))
                    .col(optional_integer("failing_since"))
                    .col(integer("dropped"))
                    .col(integer("created_at"))
                    .col(integer("version"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("webhooks", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("webhooks_by_tenant")
                    .table("webhooks")
                    .col("tenant_id")
                    .col("id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("webhooks").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
