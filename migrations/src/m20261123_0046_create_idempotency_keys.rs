//! Requests to make something that may come again because their answer was lost. Key and request are kept as keyed hashes, the answer
//! sealed; `done` is set in the transaction of what the request made.

use sea_orm_migration::prelude::*;

use crate::column::{
    boolean, bytes, id, integer, key, optional_bytes, optional_id, optional_integer, optional_text,
};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0046_create_idempotency_keys"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("idempotency_keys")
                    .col(key("id"))
                    .col(id("user_id"))
                    .col(optional_id("tenant_id"))
                    .col(bytes("key_hash"))
                    .col(bytes("request_hash"))
                    .col(id("attempt"))
                    .col(integer("attempt_until"))
                    .col(boolean("done"))
                    .col(optional_integer("status"))
                    .col(optional_text("etag"))
                    .col(optional_bytes("answer_sealed"))
                    .col(integer("created_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("idempotency_keys", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("idempotency_keys", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .index(
                        Index::create()
                            .unique()
                            .name("idempotency_keys_key_hash_key")
                            .col("key_hash"),
                    )
                    .take(),
            )
            .await?;
        for (name, columns) in [
            (
                "idempotency_keys_by_user",
                &["user_id", "created_at"] as &[_],
            ),
            ("idempotency_keys_by_tenant", &["tenant_id"]),
            ("idempotency_keys_by_age", &["created_at"]),
        ] {
            let mut index = Index::create().name(name).table("idempotency_keys").take();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("idempotency_keys").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
