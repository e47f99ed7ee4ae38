//! E-mail addresses of a contact, in order.

use sea_orm_migration::prelude::*;

use crate::column::{id, integer, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0009_create_contact_emails"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("contact_emails")
                    .col(id("tenant_id"))
                    .col(id("contact_id"))
                    .col(integer("position"))
                    .col(text("address"))
                    .col(text("label"))
                    .primary_key(Index::create().col("contact_id").col("position"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("contact_emails", ("tenant_id", "contact_id"))
                            .to("contacts", ("tenant_id", "id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("contact_emails").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
