//! What happened and is to be told, and each telling of it to one webhook. `data` is absent until it is told for the first time, where
//! whoever noted the event does not know the words of the interface. `next_attempt_at` is absent unless the delivery waits, so that the
//! indexes of those that wait stay small.

use sea_orm_migration::prelude::*;

use crate::column::{id, integer, key, optional_id, optional_integer, optional_text, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0055_create_webhook_deliveries"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("webhook_events")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(text("kind"))
                    .col(optional_id("object_id"))
                    .col(integer("occurred_at"))
                    .col(optional_text("data"))
                    .foreign_key(&mut cascade("webhook_events", "tenant_id", "tenants"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("webhook_deliveries")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(id("webhook_id"))
                    .col(id("event_id"))
                    .col(text("state"))
                    .col(integer("attempts"))
                    .col(optional_integer("next_attempt_at"))
                    .col(integer("created_at"))
                    .col(optional_integer("attempted_at"))
                    .col(optional_integer("ended_at"))
                    .col(optional_text("reason"))
                    .col(optional_integer("status"))
                    .col(optional_text("excerpt"))
                    .col(optional_integer("took_ms"))
                    .foreign_key(&mut cascade("webhook_deliveries", "tenant_id", "tenants"))
                    .foreign_key(&mut cascade("webhook_deliveries", "webhook_id", "webhooks"))
                    .foreign_key(&mut cascade(
                        "webhook_deliveries",
                        "event_id",
                        "webhook_events",
                    ))
                    .take(),
            )
            .await?;
        for (name, table, columns) in [
            (
                "webhook_events_by_tenant",
                "webhook_events",
                &["tenant_id"] as &[_],
            ),
            ("webhook_events_by_object", "webhook_events", &["object_id"]),
            (
                "webhook_deliveries_by_next_attempt",
                "webhook_deliveries",
                &["next_attempt_at"],
            ),
            (
                "webhook_deliveries_by_tenant",
                "webhook_deliveries",
                &["tenant_id", "next_attempt_at"],
            ),
            (
                "webhook_deliveries_by_webhook",
                "webhook_deliveries",
                &["webhook_id", "id"],
            ),
            (
                "webhook_deliveries_by_event",
                "webhook_deliveries",
                &["event_id"],
            ),
            (
                "webhook_deliveries_by_age",
                "webhook_deliveries",
                &["ended_at"],
            ),
        ] {
            let mut index = Index::create().name(name).table(table).take();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["webhook_deliveries", "webhook_events"] {
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

/// What it refers to takes it along when it goes.
fn cascade(
    table: &'static str,
    column: &'static str,
    to: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, column)
        .to(to, "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}
