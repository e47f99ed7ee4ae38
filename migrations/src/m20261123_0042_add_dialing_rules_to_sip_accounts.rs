//! How numbers are changed before they are called, one rule a line; see `store::account`.

use sea_orm_migration::prelude::*;

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0042_add_dialing_rules_to_sip_accounts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new("dialing_rules")
            .text()
            .not_null()
            .default("")
            .take();
        manager
            .alter_table(
                Table::alter()
                    .table("sip_accounts")
                    .add_column(column)
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("sip_accounts")
                    .drop_column("dialing_rules")
                    .take(),
            )
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
