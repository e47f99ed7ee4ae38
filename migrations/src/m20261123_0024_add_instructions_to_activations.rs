//! The mail that took an activation to its person, and whether link and code are hidden from the page since then.

use sea_orm_migration::prelude::*;

use crate::column::{boolean, optional_id};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0024_add_instructions_to_activations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column at a time: SQLite adds no two in one statement.
        for column in [
            optional_id("mail_id"),
            boolean("hidden").default(false).take(),
        ] {
            manager
                .alter_table(
                    Table::alter()
                        .table("activations")
                        .add_column(column)
                        .take(),
                )
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["mail_id", "hidden"] {
            manager
                .alter_table(
                    Table::alter()
                        .table("activations")
                        .drop_column(column)
                        .take(),
                )
                .await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
