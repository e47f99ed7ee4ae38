//! How a tenant sends mail. The server's password is sealed and read only by who sends.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::list::{check_updated, check_version};
use crate::row::mail_settings as row;
use crate::{Db, Language, MailSecurity, Place, Secret, StoreError, Vault, begin, commit, tenant};

/// How a tenant sends mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// The language of mails to people who have none.
    pub language: Language,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<String>,
    /// Where the app is to be had.
    pub apps: AppLinks,
    /// The tenant's own server; without one the installation's counts.
    pub server: Option<MailServer>,
    /// Grows with each change; 0 while nothing was set.
    pub version: u64,
}

/// Where the app is to be had for each system, as `https://` addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppLinks {
    /// Windows.
    pub windows: Option<String>,
    /// macOS.
    pub macos: Option<String>,
    /// Linux.
    pub linux: Option<String>,
    /// Android.
    pub android: Option<String>,
    /// iOS.
    pub ios: Option<String>,
}

/// A mail server and who sends by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken with.
    pub security: MailSecurity,
    /// The name that receivers see.
    pub sender_name: Option<String>,
    /// The address that mails come from.
    pub sender_address: String,
    /// The user name, if the server asks for one.
    pub username: Option<String>,
    /// The password, if one is stored.
    pub password: Option<Secret>,
}

/// What a tenant's settings are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettingsFields {
    /// The language of mails to people who have none.
    pub language: Language,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<String>,
    /// Where the app is to be had.
    pub apps: AppLinks,
    /// The tenant's own server.
    pub server: Option<MailServerFields>,
}

/// What a tenant's server is made of, but for the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServerFields {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken with.
    pub security: MailSecurity,
    /// The name that receivers see.
    pub sender_name: Option<String>,
    /// The address that mails come from.
    pub sender_address: String,
    /// The user name, if the server asks for one.
    pub username: Option<String>,
}

/// How the tenant sends mail; the usual if it never said.
///
/// # Errors
///
/// [`StoreError::NotFound`] if there is no such tenant, [`StoreError::Vault`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load_settings(
    tenant: Uuid,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<MailSettings, StoreError> {
    match row::Entity::find_by_id(tenant).one(db).await? {
        Some(row) => settings(row, vault),
        None => {
            tenant::load(tenant, db).await?;
            Ok(MailSettings {
                language: Language::English,
                reply_to: None,
                apps: AppLinks::default(),
                server: None,
                version: 0,
            })
        }
    }
}

/// Sets how the tenant sends mail. Without `password` the stored one stays while host and user name do: a password is never sent to a
/// server that it was not entered for.
///
/// # Errors
///
/// [`StoreError::NotFound`] if there is no such tenant, [`StoreError::StaleVersion`] if `expected` is given and is not the version,
/// [`StoreError::Vault`], [`StoreError::Database`].
pub async fn set_settings(
    tenant: Uuid,
    fields: &MailSettingsFields,
    password: Option<&Secret>,
    expected: Option<u64>,
    vault: &Vault,
    db: &impl Db,
) -> Result<MailSettings, StoreError> {
    let transaction = begin(db).await?;
    let before = row::Entity::find_by_id(tenant).one(&transaction).await?;
    let version = before.as_ref().map_or(0, |row| row.version);
    check_version(version, expected)?;
    let secret_version = before.as_ref().map_or(0, |row| row.secret_version) + 1;
    let stays = before
        .as_ref()
        .is_some_and(|before| is_same_account(before, fields));
    let mut values = changes(fields);
    match password {
        Some(password) if has_user(fields) => {
            let sealed = vault.seal_text(password, &place(tenant, secret_version));
            values.password_sealed = Set(Some(sealed));
            values.secret_version = Set(secret_version);
        }
        _ if stays => {}
        _ => {
            values.password_sealed = Set(None);
            values.secret_version = Set(secret_version);
        }
    }
    if before.is_some() {
        let updated = row::Entity::update_many()
            .set(values)
            .col_expr(row::Column::Version, Expr::cust("version + 1"))
            .filter(row::Column::TenantId.eq(tenant))
            .filter(row::Column::Version.eq(version))
            .exec(&transaction)
            .await?;
        check_updated(updated.rows_affected, version)?;
    } else {
        tenant::load(tenant, &transaction).await?;
        values.tenant_id = Set(tenant);
        values.version = Set(1);
        row::Entity::insert(values)
            .exec_without_returning(&transaction)
            .await?;
    }
    let now = load_settings(tenant, vault, &transaction).await?;
    commit(transaction).await?;
    Ok(now)
}

fn has_user(fields: &MailSettingsFields) -> bool {
    let server = fields.server.as_ref();
    server.is_some_and(|server| server.username.is_some())
}

fn is_same_account(before: &row::Model, fields: &MailSettingsFields) -> bool {
    fields.server.as_ref().is_some_and(|server| {
        server.username.is_some()
            && server.username == before.username
            && before.host.as_deref() == Some(&server.host)
    })
}

fn changes(fields: &MailSettingsFields) -> row::ActiveModel {
    let server = fields.server.as_ref();
    row::ActiveModel {
        language: Set(fields.language.as_str().to_owned()),
        reply_to: Set(fields.reply_to.clone()),
        download_windows: Set(fields.apps.windows.clone()),
        download_macos: Set(fields.apps.macos.clone()),
        download_linux: Set(fields.apps.linux.clone()),
        download_android: Set(fields.apps.android.clone()),
        download_ios: Set(fields.apps.ios.clone()),
        host: Set(server.map(|server| server.host.clone())),
        port: Set(server.map(|server| i64::from(server.port))),
        security: Set(server.map(|server| server.security.as_str().to_owned())),
        sender_name: Set(server.and_then(|server| server.sender_name.clone())),
        sender_address: Set(server.map(|server| server.sender_address.clone())),
        username: Set(server.and_then(|server| server.username.clone())),
        ..Default::default()
    }
}

fn settings(row: row::Model, vault: &Vault) -> Result<MailSettings, StoreError> {
    Ok(MailSettings {
        language: row.language.parse().map_err(|_| corrupt("language"))?,
        server: server(&row, vault)?,
        reply_to: row.reply_to,
        apps: AppLinks {
            windows: row.download_windows,
            macos: row.download_macos,
            linux: row.download_linux,
            android: row.download_android,
            ios: row.download_ios,
        },
        version: row.version.unsigned_abs(),
    })
}

fn server(row: &row::Model, vault: &Vault) -> Result<Option<MailServer>, StoreError> {
    let Some(host) = row.host.clone() else {
        return Ok(None);
    };
    let security = row.security.as_deref().ok_or(corrupt("security"))?;
    let password = row.password_sealed.as_deref();
    Ok(Some(MailServer {
        host,
        port: row
            .port
            .and_then(|port| u16::try_from(port).ok())
            .ok_or(corrupt("port"))?,
        security: security.parse().map_err(|_| corrupt("security"))?,
        sender_name: row.sender_name.clone(),
        sender_address: row
            .sender_address
            .clone()
            .ok_or(corrupt("sender_address"))?,
        username: row.username.clone(),
        password: password
            .map(|sealed| vault.open_text(sealed, &place(row.tenant_id, row.secret_version)))
            .transpose()?,
    }))
}

fn corrupt(column: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: "mail_settings",
        column,
    }
}

fn place(tenant: Uuid, version: i64) -> Place {
    Place {
        table: "mail_settings",
        id: tenant,
        column: "password_sealed",
        version,
    }
}
