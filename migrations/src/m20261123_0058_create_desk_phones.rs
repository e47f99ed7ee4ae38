//! Devices that are desk phones: they fetch their settings from an address that only they know, of which the hash of its secret part
//! lies here.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, id, integer, key, optional_integer, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0058_create_desk_phones"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("desk_phones")
                    .col(key("device_id"))
                    .col(id("tenant_id"))
                    .col(text("make"))
                    .col(bytes("token_hash"))
                    .col(integer("made_at"))
                    .col(optional_integer("fetched_at"))
                    .index(
                        Index::create()
                            .unique()
                            .name("desk_phones_token_key")
                            .col("token_hash"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("desk_phones", ("tenant_id", "device_id"))
                            .to("devices", ("tenant_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("desk_phones").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
