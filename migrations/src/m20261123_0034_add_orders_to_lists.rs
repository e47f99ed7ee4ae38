//! What lists can be ordered by besides the name: a column for it where the value itself will not do, and indexes that a page of any
//! depth is read from.

use sea_orm_migration::prelude::*;

use crate::column::optional_sort_text;

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0034_add_orders_to_lists"
    }
}

/// Name, table, column; the tenant comes before it and the key after it.
const INDEXES: [(&str, &str, &str); 6] = [
    ("contacts_by_company", "contacts", "sort_company"),
    ("sip_accounts_by_username", "sip_accounts", "username"),
    ("providers_by_server", "providers", "server"),
    ("devices_by_platform", "devices", "platform"),
    ("devices_by_app_version", "devices", "app_version"),
    ("devices_by_last_seen", "devices", "last_seen_at"),
];

/// SQLite puts only A to Z in lower case; the rest follows when the contact is changed next.
const FILL: &str = "UPDATE contacts SET sort_company = lower(substr(trim(company), 1, 100)) \
     WHERE company IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = optional_sort_text("sort_company", manager);
        let add = Table::alter().table("contacts").add_column(column).take();
        manager.alter_table(add).await?;
        manager.get_connection().execute_unprepared(FILL).await?;
        for (name, table, column) in INDEXES {
            manager
                .create_index(
                    Index::create()
                        .name(name)
                        .table(table)
                        .col("tenant_id")
                        .col(column)
                        .col("id")
                        .take(),
                )
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, table, _) in INDEXES {
            let index = Index::drop().name(name).table(table).to_owned();
            manager.drop_index(index).await?;
        }
        let drop = Table::alter()
            .table("contacts")
            .drop_column("sort_company")
            .take();
        manager.alter_table(drop).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
