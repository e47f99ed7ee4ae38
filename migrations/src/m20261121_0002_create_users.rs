//! People who sign in to the portal. `email_key` is the address in lower case.

use sea_orm_migration::prelude::*;

use crate::column::{boolean, integer, key, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0002_create_users"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("users")
                    .col(key("id"))
                    .col(text("email"))
                    .col(text("email_key"))
                    .col(text("first_name"))
                    .col(text("last_name"))
                    .col(text("password_phc"))
                    .col(boolean("must_set_password"))
                    .col(boolean("installation_administrator"))
                    .col(integer("created_at"))
                    .col(integer("version"))
                    .index(
                        Index::create()
                            .unique()
                            .name("users_email_key_key")
                            .col("email_key"),
                    )
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("users").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
