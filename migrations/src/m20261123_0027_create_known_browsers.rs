//! Browsers that people signed in with before: a sign-in with another one is told to them.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, id, integer};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0027_create_known_browsers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("known_browsers")
                    .col(id("user_id"))
                    .col(bytes("token_hash"))
                    .col(integer("last_used_at"))
                    .primary_key(Index::create().col("user_id").col("token_hash"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("known_browsers", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("known_browsers").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
