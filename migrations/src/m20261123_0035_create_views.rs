//! Views of lists that people have saved, each for themselves.

use sea_orm_migration::prelude::*;

use crate::column::{id, integer, key, optional_text, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0035_create_views"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let owner = |column: &'static str, table: &'static str| {
            ForeignKey::create()
                .from("views", column)
                .to(table, "id")
                .on_delete(ForeignKeyAction::Cascade)
                .to_owned()
        };
        manager
            .create_table(
                Table::create()
                    .table("views")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(id("user_id"))
                    .col(text("list"))
                    .col(text("name"))
                    .col(text("search"))
                    .col(text("sort"))
                    .col(text("filters"))
                    .col(optional_text("columns"))
                    .col(integer("created_at"))
                    .index(
                        Index::create()
                            .unique()
                            .name("views_name_key")
                            .col("tenant_id")
                            .col("user_id")
                            .col("list")
                            .col("name"),
                    )
                    .foreign_key(&mut owner("tenant_id", "tenants"))
                    .foreign_key(&mut owner("user_id", "users"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("views_by_user")
                    .table("views")
                    .col("user_id")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("views").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
