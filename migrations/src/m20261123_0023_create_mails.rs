//! Mails that wait to be sent, and what became of those that were. The content is sealed and erased once it is of no more use.
//! `next_attempt_at` is absent unless the mail waits, so that the index of those that wait stays small.

use sea_orm_migration::prelude::*;

use crate::column::{
    integer, key, optional_bytes, optional_id, optional_integer, optional_text, text,
};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0023_create_mails"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("mails")
                    .col(key("id"))
                    .col(optional_id("tenant_id"))
                    .col(optional_id("activation_id"))
                    .col(text("kind"))
                    .col(text("recipient"))
                    .col(text("state"))
                    .col(optional_text("reason"))
                    .col(optional_text("detail"))
                    .col(integer("attempts"))
                    .col(optional_integer("next_attempt_at"))
                    .col(integer("created_at"))
                    .col(optional_integer("ended_at"))
                    .col(optional_bytes("content_sealed"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("mails", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        for (name, columns) in [
            ("mails_by_next_attempt", &["next_attempt_at"] as &[_]),
            ("mails_by_tenant", &["tenant_id", "id"]),
            ("mails_by_activation", &["activation_id"]),
            ("mails_by_age", &["created_at"]),
        ] {
            let mut index = Index::create().name(name).table("mails").take();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("mails").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
