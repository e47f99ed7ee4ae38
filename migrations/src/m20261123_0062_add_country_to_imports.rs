//! In which country an import took numbers without a country code to be. Imports of before took them to be in none.

use sea_orm_migration::prelude::*;

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0062_add_country_to_imports"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("contact_imports")
                    .add_column(ColumnDef::new("country").text())
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("contact_imports")
                    .drop_column("country")
                    .take(),
            )
            .await
    }
}
