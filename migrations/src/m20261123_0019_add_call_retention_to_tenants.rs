//! For how many days a tenant keeps its calls; 0 keeps them for ever.

use sea_orm_migration::prelude::*;

use crate::column::integer;

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0019_add_call_retention_to_tenants"
    }
}

/// A year.
const DEFAULT_DAYS: i64 = 365;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let days = integer("call_retention_days").default(DEFAULT_DAYS).take();
        manager
            .alter_table(Table::alter().table("tenants").add_column(days).take())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("tenants")
                    .drop_column("call_retention_days")
                    .take(),
            )
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
