//! All bindings of an address-of-record in one row, in place of a row for each: written far more often than
//! read, so there is nothing in it but the key, the end and bytes. Bindings of before are left behind; their
//! phones register again.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, integer};
use crate::m20261121_0015_create_bindings as bindings;

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0017_create_registrations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bindings::Step.down(manager).await?;
        manager
            .create_table(
                Table::create()
                    .table("registrations")
                    .col(integer("id").primary_key())
                    .col(integer("expires_at"))
                    .col(bytes("bindings"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("registrations").take())
            .await?;
        bindings::Step.up(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
