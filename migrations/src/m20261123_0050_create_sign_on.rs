//! Sign-on through a tenant's OpenID provider: settings, the domains that lead to a tenant, which person a subject of the provider is, and
//! sign-ins that are under way. Sessions remember the tenant whose provider vouched for them, since they are good for no other.

use sea_orm_migration::prelude::*;

use crate::column::{
    boolean, bytes, id, integer, key, optional_bytes, optional_id, optional_text, text,
};

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0050_create_sign_on"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [settings(), domains(), identities(), attempts()] {
            manager.create_table(table).await?;
        }
        for (index, table, column) in INDEXES {
            let index = Index::create()
                .name(*index)
                .table(*table)
                .col(*column)
                .take();
            manager.create_index(index).await?;
        }
        for (table, column) in [
            ("sessions", optional_id("sign_on_tenant_id")),
            ("sessions", no("second_factor_elsewhere")),
            ("half_sign_ins", optional_id("sign_on_tenant_id")),
            ("tenants", no("sign_on_required")),
        ] {
            let table = Table::alter().table(table).add_column(column).take();
            manager.alter_table(table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [
            ("tenants", "sign_on_required"),
            ("half_sign_ins", "sign_on_tenant_id"),
            ("sessions", "second_factor_elsewhere"),
            ("sessions", "sign_on_tenant_id"),
        ] {
            let table = Table::alter().table(table).drop_column(column).take();
            manager.alter_table(table).await?;
        }
        for table in [
            "sign_on_attempts",
            "sign_on_identities",
            "sign_on_domains",
            "sign_on_settings",
        ] {
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

const INDEXES: &[(&str, &str, &str)] = &[
    ("sign_on_domains_by_tenant", "sign_on_domains", "tenant_id"),
    (
        "sign_on_identities_by_user",
        "sign_on_identities",
        "user_id",
    ),
    (
        "sign_on_attempts_by_tenant",
        "sign_on_attempts",
        "tenant_id",
    ),
];

fn settings() -> TableCreateStatement {
    Table::create()
        .table("sign_on_settings")
        .col(key("tenant_id"))
        .col(text("name"))
        .col(text("issuer"))
        .col(text("client_id"))
        .col(optional_bytes("client_secret_sealed"))
        .col(integer("secret_version"))
        .col(text("new_people"))
        .col(boolean("trusts_addresses"))
        .col(boolean("trusts_second_factor"))
        .col(integer("version"))
        .foreign_key(&mut of_tenant("sign_on_settings"))
        .take()
}

fn domains() -> TableCreateStatement {
    Table::create()
        .table("sign_on_domains")
        .col(text("domain"))
        .col(id("tenant_id"))
        .primary_key(Index::create().name("sign_on_domains_pkey").col("domain"))
        .foreign_key(&mut of_tenant("sign_on_domains"))
        .take()
}

fn identities() -> TableCreateStatement {
    Table::create()
        .table("sign_on_identities")
        .col(id("tenant_id"))
        .col(text("issuer"))
        .col(text("subject"))
        .col(id("user_id"))
        .col(integer("created_at"))
        .primary_key(
            Index::create()
                .name("sign_on_identities_pkey")
                .col("tenant_id")
                .col("issuer")
                .col("subject"),
        )
        .foreign_key(
            ForeignKey::create()
                .from_tbl("sign_on_identities")
                .from_col("tenant_id")
                .from_col("user_id")
                .to_tbl("memberships")
                .to_col("tenant_id")
                .to_col("user_id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .index(
            Index::create()
                .unique()
                .name("sign_on_identities_user_key")
                .col("tenant_id")
                .col("issuer")
                .col("user_id"),
        )
        .take()
}

fn attempts() -> TableCreateStatement {
    Table::create()
        .table("sign_on_attempts")
        .col(bytes("state_hash"))
        .col(bytes("browser_hash"))
        .col(id("tenant_id"))
        .col(optional_id("confirms_user_id"))
        .col(optional_text("next"))
        .col(integer("expires_at"))
        .primary_key(Index::create().col("state_hash"))
        .foreign_key(&mut of_tenant("sign_on_attempts"))
        .take()
}

fn of_tenant(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, "tenant_id")
        .to("tenants", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}

fn no(column: &'static str) -> ColumnDef {
    ColumnDef::new(column)
        .boolean()
        .not_null()
        .default(false)
        .take()
}
