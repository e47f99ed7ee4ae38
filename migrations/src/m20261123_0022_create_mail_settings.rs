//! How each tenant sends mail: its SMTP server, the password sealed, and what its mails say beside their text.
//! Without a row, or without a host, the installation's server counts.

use sea_orm_migration::prelude::*;

use crate::column::{integer, key, optional_bytes, optional_integer, optional_text, text};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0022_create_mail_settings"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("mail_settings")
                    .col(key("tenant_id"))
                    .col(text("language"))
                    .col(optional_text("reply_to"))
                    .col(optional_text("download_windows"))
                    .col(optional_text("download_macos"))
                    .col(optional_text("download_linux"))
                    .col(optional_text("download_android"))
                    .col(optional_text("download_ios"))
                    .col(optional_text("host"))
                    .col(optional_integer("port"))
                    .col(optional_text("security"))
                    .col(optional_text("sender_name"))
                    .col(optional_text("sender_address"))
                    .col(optional_text("username"))
                    .col(optional_bytes("password_sealed"))
                    .col(integer("secret_version"))
                    .col(integer("version"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("mail_settings", "tenant_id")
                            .to("tenants", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("mail_settings").take())
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
