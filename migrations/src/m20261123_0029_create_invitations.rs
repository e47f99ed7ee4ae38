//! People who were invited into a tenant and have not come yet.

use sea_orm_migration::prelude::*;

use crate::column::{bytes, id, integer, key, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0029_create_invitations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("invitations")
                    .col(key("id"))
                    .col(id("tenant_id"))
                    .col(text("email"))
                    .col(text("email_key"))
                    .col(text("role"))
                    .col(text("invited_by"))
                    .col(bytes("token_hash"))
                    .col(integer("created_at"))
                    .col(integer("expires_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("invitations", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        for (name, columns) in [
            ("invitations_email_key", &["tenant_id", "email_key"][..]),
            ("invitations_token_key", &["token_hash"][..]),
        ] {
            let mut index = Index::create()
                .name(name)
                .table("invitations")
                .unique()
                .take();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("invitations").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
