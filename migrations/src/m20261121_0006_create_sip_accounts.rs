//! SIP accounts at a provider. The password is sealed; `secret_version` is part of what the seal binds.

use sea_orm_migration::prelude::*;

use crate::column::{boolean, id, integer, key, optional_bytes, optional_text, sort_text, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0006_create_sip_accounts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("sip_accounts")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(id("provider_id"))
                    .col(text("name"))
                    .col(sort_text("sort_name", manager))
                    .col(text("username"))
                    .col(optional_text("auth_username"))
                    .col(optional_bytes("password_sealed"))
                    .col(integer("secret_version"))
                    .col(boolean("enter_on_device"))
                    .col(optional_text("transport"))
                    .col(optional_text("display_name"))
                    .col(text("codecs"))
                    .col(boolean("push"))
                    .col(boolean("enabled"))
                    .col(integer("created_at"))
                    .col(integer("version"))
                    .index(
                        Index::create()
                            .unique()
                            .name("sip_accounts_tenant_id_key")
                            .col("tenant_id")
                            .col("id"),
                    )
                    .index(
                        Index::create()
                            .unique()
                            .name("sip_accounts_username_key")
                            .col("provider_id")
                            .col("username"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("sip_accounts", ("tenant_id", "provider_id"))
                            .to("providers", ("tenant_id", "id"))
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("sip_accounts", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("sip_accounts_by_name")
                    .table("sip_accounts")
                    .col("tenant_id")
                    .col("sort_name")
                    .col("id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("sip_accounts").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
