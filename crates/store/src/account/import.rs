//! Many accounts of Tandem's own provider at once: the numbers of a telephone system that is replaced.

use sea_orm::{ActiveValue::Set, EntityTrait};
use time::OffsetDateTime;
use uuid::Uuid;

use super::password::password_place;
use super::{AccountFields, changes};
use crate::row::account as row;
use crate::{Db, Secret, StoreError, Vault, begin, commit, id, provider};

/// Rows in one statement; PostgreSQL and SQLite take 32,766 values at most.
const ROWS_PER_STATEMENT: usize = 500;

/// An account to make: everything else is as for an account made by hand with nothing filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The user of the address-of-record, and the name that people read.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// Makes accounts at the tenant's own provider: all or none.
///
/// # Errors
///
/// [`StoreError::Conflict`] with `username` if one of them is there already or is given twice, [`StoreError::NotFound`] if there is
/// no such tenant, [`StoreError::Database`].
pub async fn import(
    tenant: Uuid,
    accounts: &[Imported],
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    let own = provider::load_own(tenant, &transaction).await?;
    for some in accounts.chunks(ROWS_PER_STATEMENT) {
        let rows = some
            .iter()
            .map(|account| new_row(tenant, own.id, account, vault, now));
        row::Entity::insert_many(rows)
            .exec_without_returning(&transaction)
            .await?;
    }
    commit(transaction).await
}

fn new_row(
    tenant: Uuid,
    provider_id: Uuid,
    account: &Imported,
    vault: &Vault,
    now: OffsetDateTime,
) -> row::ActiveModel {
    let fields = AccountFields {
        provider_id,
        name: account.username.clone(),
        username: account.username.clone(),
        auth_username: None,
        enter_on_device: false,
        transport: None,
        display_name: None,
        codecs: Vec::new(),
        dialing_rules: Vec::new(),
        push: true,
    };
    let id = id::new(now);
    let place = password_place(id, 1);
    row::ActiveModel {
        id: Set(id),
        tenant_id: Set(tenant),
        password_sealed: Set(Some(vault.seal_text(&account.password, &place))),
        secret_version: Set(place.version),
        enabled: Set(true),
        created_at: Set(now.into()),
        version: Set(1),
        ..changes(&fields)
    }
}
