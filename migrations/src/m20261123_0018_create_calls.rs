//! Calls that were made and that go on, one row for each two sides and each tenant that has one of them.
//!
//! Accounts and devices are named and not referenced: a call outlives them. Keys are made of the start of the call, so every list is
//! paged by them, newest first; each index serves one filter at any depth.

use sea_orm_migration::prelude::*;

use crate::column::{
    id, integer, key, optional_id, optional_integer, optional_text, sort_text, text,
};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0018_create_calls"
    }
}

/// The columns that lists are filtered by.
const FILTERS: &[(&str, &str)] = &[
    ("calls_by_outcome", "outcome"),
    ("calls_by_direction", "direction"),
    ("calls_by_caller_account", "caller_account_id"),
    ("calls_by_callee_account", "callee_account_id"),
    ("calls_by_caller_number", "caller_number"),
    ("calls_by_callee_number", "callee_number"),
    ("calls_by_call", "call_id"),
];

/// After a crash they are found without looking at the others.
const ONGOING: &str = "CREATE INDEX calls_ongoing ON calls (id) WHERE outcome = 'ongoing'";

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("calls")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(id("call_id"))
                    .col(text("source"))
                    .col(text("direction"))
                    .col(integer("started_at"))
                    .col(optional_integer("answered_at"))
                    .col(optional_integer("ended_at"))
                    .col(text("outcome"))
                    .col(optional_text("reason"))
                    .col(optional_integer("status"))
                    .col(optional_text("link"))
                    .col(optional_text("linked_by"))
                    .col(optional_id("caller_account_id"))
                    .col(optional_id("caller_device_id"))
                    .col(optional_text("caller_address"))
                    .col(optional_text("caller_name"))
                    .col(optional_text("caller_number"))
                    .col(optional_id("callee_account_id"))
                    .col(optional_id("callee_device_id"))
                    .col(optional_text("callee_address"))
                    .col(optional_text("callee_name"))
                    .col(optional_text("callee_number"))
                    .col(text("dialled"))
                    .col(optional_text("sip_call_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("calls", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        let mut by_time = Index::create().name("calls_by_time").table("calls").take();
        by_time.col("tenant_id").col("id");
        manager.create_index(by_time).await?;
        for (name, column) in FILTERS {
            let mut index = Index::create().name(*name).table("calls").take();
            index.col("tenant_id").col(*column).col("id");
            manager.create_index(index).await?;
        }
        manager.get_connection().execute_unprepared(ONGOING).await?;
        // The numbers that occur in a tenant's calls, each once: there are far fewer than calls, so a part of a number is looked for here.
        manager
            .create_table(
                Table::create()
                    .table("call_numbers")
                    .col(id("tenant_id"))
                    .col(sort_text("number", manager))
                    .primary_key(Index::create().col("tenant_id").col("number"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("call_numbers", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("call_numbers").take())
            .await?;
        manager
            .drop_table(Table::drop().table("calls").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
