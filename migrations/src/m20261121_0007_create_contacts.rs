//! People of a tenant, as the directory shows them.

use sea_orm_migration::prelude::*;

use crate::column::{boolean, id, integer, key, optional_text, sort_text, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0007_create_contacts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("contacts")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(text("first_name"))
                    .col(text("last_name"))
                    .col(sort_text("sort_name", manager))
                    .col(optional_text("company"))
                    .col(optional_text("job_title"))
                    .col(boolean("in_directory"))
                    .col(integer("created_at"))
                    .col(integer("version"))
                    .index(
                        Index::create()
                            .unique()
                            .name("contacts_tenant_id_key")
                            .col("tenant_id")
                            .col("id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("contacts", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("contacts_by_name")
                    .table("contacts")
                    .col("tenant_id")
                    .col("sort_name")
                    .col("id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("contacts").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
