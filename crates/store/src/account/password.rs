//! The passwords of accounts: written by people, replaced when a device is lost.
//!
//! Not here: how the proxy reads them (`credentials.rs`).

use sea_orm::{ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::{load, load_row, write};
use crate::row::account as row;
use crate::{Db, Place, Reference, Secret, StoreError, Vault, begin, commit, device, directory};

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
    directory::lock(tenant, &transaction).await?;
    let device = device::load(tenant, device, &transaction).await?;
    let accounts: Vec<_> = device.accounts.iter().map(|account| account.id).collect();
    let rotated = rotate(tenant, &accounts, vault, &transaction).await?;
    commit(transaction).await?;
    Ok(rotated)
}

/// The same for accounts that a device knows and has no more. Those that do not exist are left out.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn rotate(
    tenant: Uuid,
    accounts: &[Uuid],
    vault: &Vault,
    db: &impl Db,
) -> Result<Vec<Rotated>, StoreError> {
    let transaction = begin(db).await?;
    directory::lock(tenant, &transaction).await?;
    let mut rotated = Vec::new();
    for id in accounts {
        let account = match load(tenant, *id, &transaction).await {
            Err(StoreError::NotFound) => continue,
            loaded => loaded?,
        };
        if !account.own || account.enter_on_device {
            continue;
        }
        let password = Secret::random_password();
        set_password(tenant, *id, &password, vault, &transaction).await?;
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

pub(crate) fn unseal(row: &row::Model, vault: &Vault) -> Result<Option<Secret>, StoreError> {
    let place = password_place(row.id, row.secret_version);
    open(row.password_sealed.as_deref(), &place, vault)
}

pub(super) fn open(
    sealed: Option<&[u8]>,
    place: &Place,
    vault: &Vault,
) -> Result<Option<Secret>, StoreError> {
    let opened = sealed.map(|sealed| vault.open_text(sealed, place));
    Ok(opened.transpose()?)
}

pub(super) fn password_place(id: Uuid, version: i64) -> Place {
    Place {
        table: "sip_accounts",
        id,
        column: "password_sealed",
        version,
    }
}
