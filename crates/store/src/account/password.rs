//! The passwords of accounts: written by people, read by the proxy, replaced when a device is lost.

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{aor, load, load_row, write};
use crate::row::{account as row, tenant as tenant_row};
use crate::{Db, Place, Reference, Secret, StoreError, Vault, begin, commit, device, provider};

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
    let tenant = tenant_row::Entity::find()
        .filter(tenant_row::Column::SipDomain.eq(domain.to_lowercase()))
        .one(db)
        .await?;
    let Some(tenant) = tenant else {
        return Ok(None);
    };
    let own = provider::load_own(tenant.id, db).await?;
    let found = row::Entity::find()
        .filter(row::Column::ProviderId.eq(own.id))
        .filter(row::Column::Username.eq(user))
        .one(db)
        .await?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(Credentials {
        account_id: found.id,
        tenant_id: found.tenant_id,
        aor: aor(&found.username, &tenant.sip_domain),
        password: unseal(&found, vault)?,
        username: found.auth_username.unwrap_or(found.username),
        realm: tenant.sip_domain,
        display_name: found.display_name,
        enabled: found.enabled,
    }))
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
