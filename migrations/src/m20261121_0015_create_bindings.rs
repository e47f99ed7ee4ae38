//! Bindings of the registrar, written behind. No reference to the account: a batch must not fail
//! because one account was deleted meanwhile; leftovers end with their expiry.

use sea_orm_migration::prelude::*;

use crate::column::{id, integer, optional_integer, optional_text, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261121_0015_create_bindings"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("bindings")
                    .col(text("aor"))
                    .col(text("binding_key"))
                    .col(id("tenant_id"))
                    .col(id("account_id"))
                    .col(text("contact"))
                    .col(optional_text("instance"))
                    .col(optional_integer("reg_id"))
                    .col(text("call_id"))
                    .col(integer("cseq"))
                    .col(integer("q_thousandths"))
                    .col(text("path"))
                    .col(text("transport"))
                    .col(text("local_address"))
                    .col(text("peer_address"))
                    .col(optional_text("user_agent"))
                    .col(integer("registered_at"))
                    .col(integer("expires_at"))
                    .primary_key(Index::create().col("aor").col("binding_key"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("bindings_by_expiry")
                    .table("bindings")
                    .col("expires_at")
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("bindings").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
