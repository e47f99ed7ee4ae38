//! Keys with which programs use the interface on behalf of a member, found by the hash of the key.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, id, integer, key, optional_integer, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0031_create_api_keys"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("api_keys")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(id("user_id"))
                    .col(text("name"))
                    .col(text("prefix"))
                    .col(bytes("key_hash"))
                    .col(text("scopes"))
                    .col(integer("created_at"))
                    .col(optional_integer("expires_at"))
                    .col(optional_integer("last_used_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from_tbl("api_keys")
                            .from_col("tenant_id")
                            .from_col("user_id")
                            .to_tbl("memberships")
                            .to_col("tenant_id")
                            .to_col("user_id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("api_keys_hash_key")
                    .table("api_keys")
                    .col("key_hash")
                    .unique()
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("api_keys_by_member")
                    .table("api_keys")
                    .col("tenant_id")
                    .col("user_id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("api_keys").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
