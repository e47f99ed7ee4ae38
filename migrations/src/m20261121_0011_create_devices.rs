//! Devices. `configuration_version` grows with every change that the device must learn of;
//! `credential_generation` grows when the device loses its key.

use sea_orm_migration::prelude::*;

use crate::column::{
    id, integer, key, optional_bytes, optional_integer, optional_text, sort_text, text,
};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0011_create_devices"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("devices")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(id("contact_id"))
                    .col(text("name"))
                    .col(sort_text("sort_name", manager))
                    .col(integer("configuration_version"))
                    .col(optional_integer("applied_version"))
                    .col(optional_text("app_version"))
                    .col(optional_text("platform"))
                    .col(optional_bytes("public_key"))
                    .col(integer("credential_generation"))
                    .col(optional_integer("activated_at"))
                    .col(optional_integer("revoked_at"))
                    .col(optional_integer("last_seen_at"))
                    .col(integer("created_at"))
                    .col(integer("version"))
                    .index(
                        Index::create()
                            .unique()
                            .name("devices_tenant_id_key")
                            .col("tenant_id")
                            .col("id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("devices", ("tenant_id", "contact_id"))
                            .to("contacts", ("tenant_id", "id"))
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("devices", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("devices_by_name")
                    .table("devices")
                    .col("tenant_id")
                    .col("sort_name")
                    .col("id")
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("devices_by_contact")
                    .table("devices")
                    .col("contact_id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("devices").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
