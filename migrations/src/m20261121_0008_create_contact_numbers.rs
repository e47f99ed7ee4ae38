//! Telephone numbers of a contact, in order.

use sea_orm_migration::prelude::*;

use crate::column::{id, integer, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0008_create_contact_numbers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("contact_numbers")
                    .col(id("tenant_id"))
                    .col(id("contact_id"))
                    .col(integer("position"))
                    .col(text("number"))
                    .col(text("label"))
                    .primary_key(Index::create().col("contact_id").col("position"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("contact_numbers", ("tenant_id", "contact_id"))
                            .to("contacts", ("tenant_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("contact_numbers_by_number")
                    .table("contact_numbers")
                    .col("tenant_id")
                    .col("number")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("contact_numbers").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
