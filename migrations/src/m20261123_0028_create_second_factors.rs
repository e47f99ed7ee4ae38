//! Second factors of people (RFC 6238), the codes that stand in for one, and sign-ins that wait for one.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, id, integer, key, optional_integer};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0028_create_second_factors"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let factors = Table::create()
            .table("second_factors")
            .col(key("user_id"))
            .col(bytes("secret_sealed"))
            .col(integer("secret_version"))
            .col(optional_integer("confirmed_at"))
            .col(integer("last_step"))
            .col(integer("created_at"))
            .foreign_key(&mut of_user("second_factors"))
            .take();
        let recovery = Table::create()
            .table("recovery_codes")
            .col(id("user_id"))
            .col(bytes("code_hash"))
            .primary_key(Index::create().col("user_id").col("code_hash"))
            .foreign_key(&mut of_user("recovery_codes"))
            .take();
        let half = Table::create()
            .table("half_sign_ins")
            .col(bytes("token_hash"))
            .col(id("user_id"))
            .col(integer("expires_at"))
            .primary_key(Index::create().col("token_hash"))
            .foreign_key(&mut of_user("half_sign_ins"))
            .take();
        for table in [factors, recovery, half] {
            manager.create_table(table).await?;
        }
        let by_user = Index::create()
            .name("half_sign_ins_by_user")
            .table("half_sign_ins")
            .col("user_id")
            .take();
        manager.create_index(by_user).await?;
        let required = ColumnDef::new("second_factor_required")
            .boolean()
            .not_null()
            .default(false)
            .take();
        let tenants = Table::alter().table("tenants").add_column(required).take();
        manager.alter_table(tenants).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tenants = Table::alter()
            .table("tenants")
            .drop_column("second_factor_required")
            .take();
        manager.alter_table(tenants).await?;
        for table in ["half_sign_ins", "recovery_codes", "second_factors"] {
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

fn of_user(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, "user_id")
        .to("users", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}
