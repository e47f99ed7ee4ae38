//! Links that were mailed to people and work once: to a new password, to another e-mail address.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, integer, optional_id, optional_text, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0030_create_one_time_links"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("one_time_links")
                    .col(bytes("token_hash"))
                    .col(text("purpose"))
                    .col(optional_id("user_id"))
                    .col(optional_text("value"))
                    .col(integer("expires_at"))
                    .primary_key(Index::create().col("token_hash"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("one_time_links", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("one_time_links_by_user")
                    .table("one_time_links")
                    .col("user_id")
                    .col("purpose")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("one_time_links").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
