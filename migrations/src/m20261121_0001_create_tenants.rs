//! Tenants: one company each, with its SIP domain.

use sea_orm_migration::prelude::*;

use crate::column::{boolean, integer, key, sort_text, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0001_create_tenants"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("tenants")
                    .col(key("id"))
                    .col(text("slug"))
                    .col(text("name"))
                    .col(sort_text("sort_name", manager))
                    .col(text("sip_domain"))
                    .col(boolean("demonstration"))
                    .col(integer("created_at"))
                    .col(integer("version"))
                    .index(
                        Index::create()
                            .unique()
                            .name("tenants_slug_key")
                            .col("slug"),
                    )
                    .index(
                        Index::create()
                            .unique()
                            .name("tenants_sip_domain_key")
                            .col("sip_domain"),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("tenants_by_name")
                    .table("tenants")
                    .col("sort_name")
                    .col("id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("tenants").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
