//! Whether the maker of a key had given a second factor to the tenant's provider, which is trusted with that. Keys from before count as
//! made without.

use sea_orm_migration::prelude::*;

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0059_add_second_factor_to_api_keys"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new("second_factor_elsewhere")
            .boolean()
            .not_null()
            .default(false)
            .take();
        let table = Table::alter().table("api_keys").add_column(column).take();
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table("api_keys")
            .drop_column("second_factor_elsewhere")
            .take();
        manager.alter_table(table).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
