//! SIP accounts at a provider. The password is written, sealed, and read only for the device or the
//! proxy that needs it.

use std::collections::HashMap;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder,
    QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::list::{check_updated, check_version, sort_name};
use crate::row::{
    account as row, device as device_row, device_account as line_row, provider as provider_row,
};
use crate::{
    Codec, Db, Reference, Secret, SipTransport, StoreError, Vault, begin, commit, dependents,
    device, directory, id, provider,
};

mod credentials;
pub(crate) mod dialing;
mod import;
mod list;
mod numbering;
mod owner;
mod password;

pub use credentials::{
    Credentials, Position, find_credentials, find_many_credentials, load_some_credentials,
};
pub use dialing::{DialingRule, MAX_RULES};
pub use import::{Imported, import};
pub use list::{AccountFilter, AccountSort, list};
pub use numbering::next_username;
pub use owner::{Owner, find_owner};
pub(crate) use password::unseal;
pub use password::{Rotated, load_password, rotate, rotate_passwords, set_password};

use password::password_place;

/// A user name at a registrar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The row's key.
    pub id: Uuid,
    /// The provider and its name.
    pub provider: Reference,
    /// The domain of the address-of-record: the provider's server.
    pub domain: String,
    /// Whether the provider is Tandem's own proxy.
    pub own: bool,
    /// The name that people read.
    pub name: String,
    /// The user of the address-of-record; other phones dial it.
    pub username: String,
    /// The user name for digest, if it is another one.
    pub auth_username: Option<String>,
    /// Whether a password is stored.
    pub has_password: bool,
    /// Whether the person enters the password on the device.
    pub enter_on_device: bool,
    /// How the registrar is reached, if not as the provider says.
    pub transport: Option<SipTransport>,
    /// The name that callees see.
    pub display_name: Option<String>,
    /// Codecs, the preferred first; empty means all in our order.
    pub codecs: Vec<Codec>,
    /// How numbers are changed before they are called; the first rule that fits counts.
    pub dialing_rules: Vec<DialingRule>,
    /// Whether calls wake the phone by push.
    pub push: bool,
    /// Whether the account may be used.
    pub enabled: bool,
    /// The devices that have this account.
    pub devices: Vec<Reference>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Grows with each change.
    pub version: u64,
}

impl Account {
    /// The address-of-record: `sip:user@domain`.
    pub fn aor(&self) -> String {
        aor(&self.username, &self.domain)
    }
}

/// What an account is made of, but for the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFields {
    /// The provider, of the same tenant.
    pub provider_id: Uuid,
    /// The name that people read.
    pub name: String,
    /// The user of the address-of-record.
    pub username: String,
    /// The user name for digest, if it is another one.
    pub auth_username: Option<String>,
    /// Whether the person enters the password on the device.
    pub enter_on_device: bool,
    /// How the registrar is reached, if not as the provider says.
    pub transport: Option<SipTransport>,
    /// The name that callees see.
    pub display_name: Option<String>,
    /// Codecs, the preferred first; empty means all in our order.
    pub codecs: Vec<Codec>,
    /// How numbers are changed before they are called; the first rule that fits counts.
    pub dialing_rules: Vec<DialingRule>,
    /// Whether calls wake the phone by push.
    pub push: bool,
}

/// Makes an account.
///
/// # Errors
///
/// [`StoreError::UnknownReference`] with `provider_id`, [`StoreError::Conflict`] with `username`,
/// [`StoreError::Database`].
pub async fn insert(
    tenant: Uuid,
    fields: &AccountFields,
    password: Option<&Secret>,
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Account, StoreError> {
    let transaction = begin(db).await?;
    check_provider(tenant, fields.provider_id, &transaction).await?;
    let id = id::new(now);
    let place = password_place(id, 1);
    let new = row::ActiveModel {
        id: Set(id),
        tenant_id: Set(tenant),
        password_sealed: Set(password.map(|password| vault.seal_text(password, &place))),
        secret_version: Set(place.version),
        enabled: Set(true),
        created_at: Set(now.into()),
        version: Set(1),
        ..changes(fields)
    };
    row::Entity::insert(new)
        .exec_without_returning(&transaction)
        .await?;
    let account = load(tenant, id, &transaction).await?;
    commit(transaction).await?;
    Ok(account)
}

/// Changes an account; its devices learn of it. Without `password` the stored one stays, unless the
/// person is to enter it on the device: then it is erased.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::UnknownReference`] with `provider_id`,
/// [`StoreError::Conflict`] with `username`, [`StoreError::StaleVersion`] if `expected` is given and is
/// not the row's version, [`StoreError::Database`].
pub async fn update(
    tenant: Uuid,
    id: Uuid,
    fields: &AccountFields,
    password: Option<&Secret>,
    expected: Option<u64>,
    vault: &Vault,
    db: &impl Db,
) -> Result<Account, StoreError> {
    let transaction = begin(db).await?;
    directory::lock(tenant, &transaction).await?;
    let before = load_row(tenant, id, &transaction).await?;
    check_version(before.version, expected)?;
    check_provider(tenant, fields.provider_id, &transaction).await?;
    let mut changed = changes(fields);
    if let Some(password) = password {
        let place = password_place(id, before.secret_version + 1);
        changed.password_sealed = Set(Some(vault.seal_text(password, &place)));
        changed.secret_version = Set(place.version);
    } else if fields.enter_on_device {
        changed.password_sealed = Set(None);
    }
    write(changed, &before, &transaction).await?;
    let account = load(tenant, id, &transaction).await?;
    commit(transaction).await?;
    Ok(account)
}

/// Deletes an account that no device has.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::InUse`] with the devices, [`StoreError::Database`].
pub async fn delete(tenant: Uuid, id: Uuid, db: &impl Db) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    dependents::of_account(tenant, id, &transaction)
        .await?
        .check()?;
    row::Entity::delete_by_id(id).exec(&transaction).await?;
    commit(transaction).await
}

/// The account with that key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Account, StoreError> {
    let row = load_row(tenant, id, db).await?;
    let mut accounts = complete(vec![row], db).await?;
    accounts.pop().ok_or(StoreError::NotFound)
}

/// The account with that key, which no device has. Inside a transaction it stays so until the end of it.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::InUse`] with the devices, [`StoreError::Database`],
/// [`StoreError::Corrupt`].
pub async fn load_unused(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Account, StoreError> {
    directory::lock(tenant, db).await?;
    // A lock on the row keeps others from putting the account on a device meanwhile.
    row::Entity::find_by_id(id)
        .filter(row::Column::TenantId.eq(tenant))
        .lock_exclusive()
        .one(db)
        .await?
        .ok_or(StoreError::NotFound)?;
    dependents::of_account(tenant, id, db).await?.check()?;
    load(tenant, id, db).await
}

pub(crate) fn aor(username: &str, domain: &str) -> String {
    format!("sip:{username}@{domain}")
}

pub(crate) fn codecs(row: &row::Model) -> Result<Vec<Codec>, StoreError> {
    let words = row.codecs.split(',').filter(|word| !word.is_empty());
    words
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|_| corrupt("codecs"))
}

pub(crate) fn transport(row: &row::Model) -> Result<Option<SipTransport>, StoreError> {
    let word = row.transport.as_deref();
    word.map(str::parse)
        .transpose()
        .map_err(|_| corrupt("transport"))
}

fn corrupt(column: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: "sip_accounts",
        column,
    }
}

fn changes(fields: &AccountFields) -> row::ActiveModel {
    let codecs: Vec<&str> = fields.codecs.iter().map(|codec| codec.as_str()).collect();
    row::ActiveModel {
        provider_id: Set(fields.provider_id),
        name: Set(fields.name.clone()),
        sort_name: Set(sort_name(&fields.name)),
        username: Set(fields.username.clone()),
        auth_username: Set(fields.auth_username.clone()),
        enter_on_device: Set(fields.enter_on_device),
        transport: Set(fields
            .transport
            .map(|transport| transport.as_str().to_owned())),
        display_name: Set(fields.display_name.clone()),
        codecs: Set(codecs.join(",")),
        dialing_rules: Set(dialing::text(&fields.dialing_rules)),
        push: Set(fields.push),
        ..Default::default()
    }
}

/// Writes `changed` over `before` and tells the devices.
async fn write(
    changed: row::ActiveModel,
    before: &row::Model,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let updated = row::Entity::update_many()
        .set(changed)
        .col_expr(row::Column::Version, Expr::cust("version + 1"))
        .filter(row::Column::Id.eq(before.id))
        .filter(row::Column::Version.eq(before.version))
        .exec(db)
        .await?;
    check_updated(updated.rows_affected, before.version)?;
    device::touch_by_account(before.tenant_id, before.id, db).await
}

async fn check_provider(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    match provider::load_row(tenant, id, db).await {
        Err(StoreError::NotFound) => Err(StoreError::UnknownReference {
            field: "provider_id",
        }),
        loaded => loaded.map(drop),
    }
}

pub(crate) async fn load_row(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<row::Model, StoreError> {
    row::Entity::find_by_id(id)
        .filter(row::Column::TenantId.eq(tenant))
        .one(db)
        .await?
        .ok_or(StoreError::NotFound)
}

/// Adds provider and devices to the rows: two queries for all of them.
pub(crate) async fn complete(
    rows: Vec<row::Model>,
    db: &impl ConnectionTrait,
) -> Result<Vec<Account>, StoreError> {
    let providers: HashMap<Uuid, provider_row::Model> = provider_row::Entity::find()
        .filter(provider_row::Column::Id.is_in(rows.iter().map(|row| row.provider_id)))
        .all(db)
        .await?
        .into_iter()
        .map(|provider| (provider.id, provider))
        .collect();
    let mut devices = devices_by_account(&rows, db).await?;
    rows.into_iter()
        .map(|row| {
            let provider = providers
                .get(&row.provider_id)
                .ok_or_else(|| corrupt("provider_id"))?;
            let devices = devices.remove(&row.id).unwrap_or_default();
            to_account(row, provider, devices)
        })
        .collect()
}

async fn devices_by_account(
    accounts: &[row::Model],
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, Vec<Reference>>, StoreError> {
    let device_of_line = line_row::Entity::belongs_to(device_row::Entity)
        .from(line_row::Column::DeviceId)
        .to(device_row::Column::Id);
    let lines: Vec<(Uuid, Uuid, String)> = line_row::Entity::find()
        .join(JoinType::InnerJoin, device_of_line.into())
        .select_only()
        .column(line_row::Column::AccountId)
        .column(device_row::Column::Id)
        .column(device_row::Column::Name)
        .filter(line_row::Column::AccountId.is_in(accounts.iter().map(|account| account.id)))
        .order_by_asc(device_row::Column::SortName)
        .into_tuple()
        .all(db)
        .await?;
    let mut by_account: HashMap<Uuid, Vec<Reference>> = HashMap::new();
    for (account, id, name) in lines {
        let device = Reference { id, name };
        by_account.entry(account).or_default().push(device);
    }
    Ok(by_account)
}

fn to_account(
    row: row::Model,
    provider: &provider_row::Model,
    devices: Vec<Reference>,
) -> Result<Account, StoreError> {
    Ok(Account {
        id: row.id,
        provider: Reference {
            id: provider.id,
            name: provider.name.clone(),
        },
        domain: provider.server.clone(),
        own: provider.own,
        transport: transport(&row)?,
        codecs: codecs(&row)?,
        dialing_rules: dialing::rules(&row.dialing_rules)?,
        has_password: row.password_sealed.is_some(),
        name: row.name,
        username: row.username,
        auth_username: row.auth_username,
        enter_on_device: row.enter_on_device,
        display_name: row.display_name,
        push: row.push,
        enabled: row.enabled,
        devices,
        created_at: row.created_at.into(),
        version: row.version.unsigned_abs(),
    })
}
