//! People who signed up: until they confirm their address, and what they agreed to afterwards. And puzzles that were solved, so that each counts once.

use sea_orm_migration::prelude::*;

use crate::column::{
    boolean, bytes, integer, key, optional_bytes, optional_id, optional_integer, optional_text,
    text,
};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0051_create_sign_ups"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sign_ups = Table::create()
            .table("sign_ups")
            .col(key("id"))
            .col(text("email"))
            .col(text("email_key"))
            .col(text("first_name"))
            .col(text("last_name"))
            .col(optional_text("company"))
            .col(text("phone"))
            .col(text("country"))
            .col(boolean("news"))
            .col(text("terms"))
            .col(text("privacy"))
            .col(optional_text("password_phc"))
            .col(optional_bytes("token_hash"))
            .col(integer("created_at"))
            .col(integer("expires_at"))
            .col(optional_integer("confirmed_at"))
            .col(optional_id("tenant_id"))
            .foreign_key(
                ForeignKey::create()
                    .from("sign_ups", "tenant_id")
                    .to("tenants", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .take();
        let puzzles = Table::create()
            .table("solved_puzzles")
            .col(bytes("puzzle_hash"))
            .col(integer("expires_at"))
            .primary_key(
                Index::create()
                    .name("solved_puzzles_pkey")
                    .col("puzzle_hash"),
            )
            .take();
        for table in [sign_ups, puzzles] {
            manager.create_table(table).await?;
        }
        for (index, column) in [
            ("sign_ups_by_email", "email_key"),
            ("sign_ups_by_token", "token_hash"),
        ] {
            let index = Index::create()
                .name(index)
                .table("sign_ups")
                .col(column)
                .take();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["solved_puzzles", "sign_ups"] {
            manager
                .drop_table(Table::drop().table(table).take())
                .await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
