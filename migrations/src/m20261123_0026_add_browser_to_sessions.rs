//! What people recognise a session by, and when its person last proved to be there.

use sea_orm_migration::prelude::*;

use crate::column::{optional_integer, optional_text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0026_add_browser_to_sessions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            optional_text("browser"),
            optional_text("address"),
            optional_integer("confirmed_at"),
        ] {
            let table = Table::alter().table("sessions").add_column(column).take();
            manager.alter_table(table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["browser", "address", "confirmed_at"] {
            let table = Table::alter().table("sessions").drop_column(column).take();
            manager.alter_table(table).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
