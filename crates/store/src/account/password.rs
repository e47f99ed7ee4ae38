//! The passwords of accounts: written by people, read by the proxy, replaced when a device is lost.

use std::collections::HashMap;

use sea_orm::sea_query::Query;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{aor, load, load_row, write};
use crate::row::{account as row, provider as provider_row, tenant as tenant_row};
use crate::{Db, Place, Reference, Secret, StoreError, Vault, begin, commit, device};

/// What the proxy needs to authenticate and route to one of its own accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The account.
    pub account_id: Uuid,
    /// Its tenant.
    pub tenant_id: Uuid,
    /// `sip:user@domain`.
    pub aor: String,
    /// The user name for digest.
    pub username: String,
    /// The realm for digest: the tenant's SIP domain.
    pub realm: String,
    /// The password; `None` if the person enters it on the device, so that nobody can register.
    pub password: Option<Secret>,
    /// The name that callees see.
    pub display_name: Option<String>,
    /// Whether the account may be used.
    pub enabled: bool,
}

/// An account of Tandem's own provider that got a new password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The account.
    pub account_id: Uuid,
    /// `sip:user@domain`.
    pub aor: String,
    /// The devices whose configuration changed with it.
    pub devices: Vec<Reference>,
}

/// Gives an account another password; its devices learn of it.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn set_password(
    tenant: Uuid,
    id: Uuid,
    password: &Secret,
    vault: &Vault,
    db: &impl Db,
) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    let before = load_row(tenant, id, &transaction).await?;
    let place = password_place(id, before.secret_version + 1);
    let changed = row::ActiveModel {
        password_sealed: Set(Some(vault.seal_text(password, &place))),
        secret_version: Set(place.version),
        ..Default::default()
    };
    write(changed, &before, &transaction).await?;
    commit(transaction).await
}

/// Gives new random passwords to the accounts of a device at Tandem's own provider, because the device
/// is not trusted any more. Accounts whose password is entered on the device are left alone.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn rotate_passwords(
    tenant: Uuid,
    device: Uuid,
    vault: &Vault,
    db: &impl Db,
) -> Result<Vec<Rotated>, StoreError> {
    let transaction = begin(db).await?;
    let device = device::load(tenant, device, &transaction).await?;
    let mut rotated = Vec::new();
    for account in device.accounts {
        let account = load(tenant, account.id, &transaction).await?;
        if !account.own || account.enter_on_device {
            continue;
        }
        set_password(
            tenant,
            account.id,
            &Secret::random_password(),
            vault,
            &transaction,
        )
        .await?;
        rotated.push(Rotated {
            account_id: account.id,
            aor: account.aor(),
            devices: account.devices,
        });
    }
    commit(transaction).await?;
    Ok(rotated)
}

/// The stored password, or `None` if there is none.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Vault`] if it does not open, [`StoreError::Database`].
pub async fn load_password(
    tenant: Uuid,
    id: Uuid,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<Option<Secret>, StoreError> {
    unseal(&load_row(tenant, id, db).await?, vault)
}

/// The account of Tandem's own provider with the address-of-record `sip:user@domain`, or `None`.
/// `user` is compared exactly, `domain` in any case.
///
/// # Errors
///
/// [`StoreError::Vault`] if the password does not open, [`StoreError::Database`].
pub async fn find_credentials(
    user: &str,
    domain: &str,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<Option<Credentials>, StoreError> {
    let mut found = find_many_credentials(&[user], domain, vault, db).await?;
    found.remove(user).transpose()
}

/// The accounts of Tandem's own provider with the addresses-of-record `sip:user@domain`, by user; at most a few
/// thousand at once. Who is not there does not exist. `users` are compared exactly, `domain` in any case.
///
/// # Errors
///
/// [`StoreError::Database`]. For one account [`StoreError::Vault`] if its password does not open.
pub async fn find_many_credentials(
    users: &[&str],
    domain: &str,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<HashMap<String, Result<Credentials, StoreError>>, StoreError> {
    let domain = domain.to_lowercase();
    let tenant = Query::select()
        .column(tenant_row::Column::Id)
        .from(tenant_row::Entity)
        .and_where(tenant_row::Column::SipDomain.eq(domain.as_str()))
        .take();
    let own = Query::select()
        .column(provider_row::Column::Id)
        .from(provider_row::Entity)
        .and_where(provider_row::Column::Own.eq(true))
        .and_where(provider_row::Column::TenantId.in_subquery(tenant))
        .take();
    // As many as a power of two, the last one several times: few statements, which every connection prepares once.
    let padding = users.len().next_power_of_two() - users.len();
    let last = users.last().copied();
    let users = users.iter().copied();
    let padded = users.chain(
        last.into_iter()
            .flat_map(|last| std::iter::repeat_n(last, padding)),
    );
    let rows = row::Entity::find()
        .filter(row::Column::ProviderId.in_subquery(own))
        .filter(row::Column::Username.is_in(padded))
        .all(db)
        .await?;
    let read = |row: row::Model| (row.username.clone(), credentials(row, &domain, vault));
    Ok(rows.into_iter().map(read).collect())
}

fn credentials(row: row::Model, realm: &str, vault: &Vault) -> Result<Credentials, StoreError> {
    Ok(Credentials {
        account_id: row.id,
        tenant_id: row.tenant_id,
        aor: aor(&row.username, realm),
        password: unseal(&row, vault)?,
        username: row.auth_username.unwrap_or(row.username),
        realm: realm.to_owned(),
        display_name: row.display_name,
        enabled: row.enabled,
    })
}

pub(crate) fn unseal(row: &row::Model, vault: &Vault) -> Result<Option<Secret>, StoreError> {
    let Some(sealed) = &row.password_sealed else {
        return Ok(None);
    };
    let place = password_place(row.id, row.secret_version);
    Ok(Some(vault.open_text(sealed, &place)?))
}

pub(super) fn password_place(id: Uuid, version: i64) -> Place {
    Place {
        table: "sip_accounts",
        id,
        column: "password_sealed",
        version,
    }
}
