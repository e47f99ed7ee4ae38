//! The one current activation of a device: keyed hashes to find it by, sealed copies to show until
//! it is used, reset or expired.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, id, integer, key, optional_bytes, optional_integer};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0013_create_activations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("activations")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(id("device_id"))
                    .col(bytes("token_hash"))
                    .col(bytes("code_hash"))
                    .col(optional_bytes("token_sealed"))
                    .col(optional_bytes("code_sealed"))
                    .col(integer("created_at"))
                    .col(integer("expires_at"))
                    .col(optional_integer("used_at"))
                    .index(
                        Index::create()
                            .unique()
                            .name("activations_device_key")
                            .col("device_id"),
                    )
                    .index(
                        Index::create()
                            .unique()
                            .name("activations_token_key")
                            .col("token_hash"),
                    )
                    .index(
                        Index::create()
                            .unique()
                            .name("activations_code_key")
                            .col("code_hash"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("activations", ("tenant_id", "device_id"))
                            .to("devices", ("tenant_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("activations_by_expiry")
                    .table("activations")
                    .col("expires_at")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("activations").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
