//! What exactly was changed, by whom from where, and a chain of hashes that shows a removed or altered entry.
//!
//! `sequence` counts the entries of a tenant (or of the installation) from 1, `hash` is over the entry and
//! the hash before it; entries older than this step have neither. `audit_chains` has the end of each chain;
//! its key is the tenant's, or nil for the installation.

use sea_orm_migration::prelude::*;

use crate::column::{
    bytes, integer, key, optional_bytes, optional_id, optional_integer, optional_text,
};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0025_add_chain_to_audit_entries"
    }
}

const ADDED: [&str; 5] = ["object_id", "source", "changes", "sequence", "hash"];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            optional_id("object_id"),
            optional_text("source"),
            optional_text("changes"),
            optional_integer("sequence"),
            optional_bytes("hash"),
        ];
        for column in columns {
            manager
                .alter_table(
                    Table::alter()
                        .table("audit_entries")
                        .add_column(column)
                        .take(),
                )
                .await?;
        }
        manager
            .create_index(
                Index::create()
                    .name("audit_entries_by_sequence")
                    .table("audit_entries")
                    .col("tenant_id")
                    .col("sequence")
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("audit_chains")
                    .col(key("chain"))
                    .col(integer("sequence"))
                    .col(bytes("hash"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("audit_chains").take())
            .await?;
        manager
            .drop_index(
                Index::drop()
                    .name("audit_entries_by_sequence")
                    .table("audit_entries")
                    .to_owned(),
            )
            .await?;
        for column in ADDED {
            manager
                .alter_table(
                    Table::alter()
                        .table("audit_entries")
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
