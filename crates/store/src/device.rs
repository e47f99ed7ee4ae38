//! Devices: a phone with one to four SIP accounts, its key if it is a softphone, and what it has been told.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, Query, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::contact::full_name;
use crate::list::{check_updated, check_version, sort_name};
use crate::row::{
    account as account_row, contact as contact_row, device as row, device_account as line_row,
    provider as provider_row,
};
use crate::{
    Db, Reference, StoreError, account, activation, begin, commit, contact,
    desk_phone::{self, DeskPhone},
    directory, id,
    mail::Mail,
};

mod configuration;
mod credential;
mod list;

pub use configuration::{Configuration, Line, load_configuration};
pub use credential::{
    DeviceCredential, MAX_NONCES, Report, find_credential, report, set_seen, spend_nonce,
};
pub use list::{DeviceFilter, DeviceSort, list};

/// How many accounts a device can have.
pub const MAX_ACCOUNTS: usize = 4;

/// How the phone of a device stands to its configuration, by what it said since its activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It has not said anything yet.
    Nothing,
    /// It has applied one that is not the current one any more.
    Older,
    /// It has applied the current one.
    Current,
}

impl Applied {
    /// By what was applied last and what there is.
    pub(crate) fn new<T: PartialOrd>(applied: Option<T>, current: &T) -> Self {
        match applied {
            None => Self::Nothing,
            Some(applied) if applied < *current => Self::Older,
            Some(_) => Self::Current,
        }
    }
}

/// A phone of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The row's key; the SIP instance-id is `urn:uuid:` and this.
    pub id: Uuid,
    /// The name that people read.
    pub name: String,
    /// Whose it is.
    pub contact: Reference,
    /// Its accounts, in order.
    pub accounts: Vec<DeviceAccount>,
    /// Grows with each change that the device must learn of.
    pub configuration_version: u64,
    /// The configuration version that the device said it applied.
    pub applied_version: Option<u64>,
    /// The version of the app, as the device said.
    pub app_version: Option<String>,
    /// The operating system, as the device said.
    pub platform: Option<String>,
    /// When it was activated; `None` while it is not.
    pub activated_at: Option<OffsetDateTime>,
    /// When it was heard of last.
    pub last_seen_at: Option<OffsetDateTime>,
    /// The last mail with its activation, while that can be used.
    pub instructions: Option<Mail>,
    /// What is known of it as a desk phone, if it is one.
    pub desk_phone: Option<DeskPhone>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Grows with each change by a person.
    pub version: u64,
}

impl Device {
    /// How its phone stands to its configuration.
    pub fn applied(&self) -> Applied {
        Applied::new(self.applied_version, &self.configuration_version)
    }
}

/// An account of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceAccount {
    /// The account.
    pub id: Uuid,
    /// The name that people read.
    pub name: String,
    /// The user name at the provider.
    pub username: String,
    /// `sip:user@domain`.
    pub aor: String,
    /// Whether it is an account of Tandem's own proxy.
    pub own: bool,
}

/// What a device is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceFields {
    /// The name that people read.
    pub name: String,
    /// Whose it is.
    pub contact_id: Uuid,
    /// 1 to [`MAX_ACCOUNTS`] different accounts, in order.
    pub account_ids: Vec<Uuid>,
}

/// Makes a device, not activated. See [`crate::activation::replace`] for its activation.
///
/// # Errors
///
/// [`StoreError::Count`], [`StoreError::UnknownReference`] or [`StoreError::Conflict`] (the same twice)
/// with `account_ids`, [`StoreError::UnknownReference`] with `contact_id`, [`StoreError::Database`].
pub async fn insert(
    tenant: Uuid,
    fields: &DeviceFields,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Device, StoreError> {
    let transaction = begin(db).await?;
    check_references(tenant, fields, &transaction).await?;
    let id = id::new(now);
    let new = row::ActiveModel {
        id: Set(id),
        tenant_id: Set(tenant),
        configuration_version: Set(1),
        credential_generation: Set(1),
        created_at: Set(now.into()),
        version: Set(1),
        ..changes(fields)
    };
    row::Entity::insert(new)
        .exec_without_returning(&transaction)
        .await?;
    insert_lines(tenant, id, &fields.account_ids, &transaction).await?;
    let device = load(tenant, id, &transaction).await?;
    commit(transaction).await?;
    Ok(device)
}

/// Changes a device, which learns of it.
///
/// # Errors
///
/// As [`insert`]; [`StoreError::NotFound`]; [`StoreError::StaleVersion`] if `expected` is given and is
/// not the row's version.
pub async fn update(
    tenant: Uuid,
    id: Uuid,
    fields: &DeviceFields,
    expected: Option<u64>,
    db: &impl Db,
) -> Result<Device, StoreError> {
    let transaction = begin(db).await?;
    directory::lock(tenant, &transaction).await?;
    let before = load_row(tenant, id, &transaction).await?;
    check_version(before.version, expected)?;
    check_references(tenant, fields, &transaction).await?;
    let updated = row::Entity::update_many()
        .set(changes(fields))
        .col_expr(row::Column::Version, Expr::cust("version + 1"))
        .col_expr(
            row::Column::ConfigurationVersion,
            Expr::cust("configuration_version + 1"),
        )
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::Version.eq(before.version))
        .exec(&transaction)
        .await?;
    check_updated(updated.rows_affected, before.version)?;
    line_row::Entity::delete_many()
        .filter(line_row::Column::DeviceId.eq(id))
        .exec(&transaction)
        .await?;
    insert_lines(tenant, id, &fields.account_ids, &transaction).await?;
    let device = load(tenant, id, &transaction).await?;
    commit(transaction).await?;
    Ok(device)
}

/// Deletes a device with its activation; a mail that waits with it is not sent. Rotate the passwords of its accounts before
/// ([`account::rotate_passwords`]).
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn delete(tenant: Uuid, id: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    directory::lock(tenant, db).await?;
    let deleted = row::Entity::delete_many()
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::TenantId.eq(tenant))
        .exec(db)
        .await?;
    if deleted.rows_affected == 0 {
        return Err(StoreError::NotFound);
    }
    Ok(())
}

/// The device with that key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load(tenant: Uuid, id: Uuid, db: &impl ConnectionTrait) -> Result<Device, StoreError> {
    let row = load_row(tenant, id, db).await?;
    let mut devices = complete(vec![row], db).await?;
    devices.pop().ok_or(StoreError::NotFound)
}

/// The devices that have an account of the provider: those that a change of the provider reaches.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn list_ids_by_provider(
    tenant: Uuid,
    provider: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Vec<Uuid>, StoreError> {
    let devices = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(has_account_of(provider))
        .all(db)
        .await?;
    Ok(devices.into_iter().map(|device| device.id).collect())
}

/// The configuration of all devices with the account changed.
pub(crate) async fn touch_by_account(
    tenant: Uuid,
    account: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let lines = Query::select()
        .column(line_row::Column::DeviceId)
        .from(line_row::Entity)
        .and_where(line_row::Column::AccountId.eq(account))
        .take();
    touch(tenant, row::Column::Id.in_subquery(lines), db).await
}

/// The configuration of all devices with an account of the provider changed.
pub(crate) async fn touch_by_provider(
    tenant: Uuid,
    provider: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    touch(tenant, has_account_of(provider), db).await
}

/// The configuration of all devices of the contact changed.
pub(crate) async fn touch_by_contact(
    tenant: Uuid,
    contact: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    touch(tenant, row::Column::ContactId.eq(contact), db).await
}

/// The configuration of all devices of these contacts changed.
pub(crate) async fn touch_by_contacts(
    tenant: Uuid,
    contacts: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    touch(
        tenant,
        row::Column::ContactId.is_in(contacts.iter().copied()),
        db,
    )
    .await
}

async fn touch(
    tenant: Uuid,
    which: SimpleExpr,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    row::Entity::update_many()
        .col_expr(
            row::Column::ConfigurationVersion,
            Expr::cust("configuration_version + 1"),
        )
        .filter(row::Column::TenantId.eq(tenant))
        .filter(which)
        .exec(db)
        .await?;
    Ok(())
}

fn has_account_of(provider: Uuid) -> SimpleExpr {
    let accounts = Query::select()
        .column(account_row::Column::Id)
        .from(account_row::Entity)
        .and_where(account_row::Column::ProviderId.eq(provider))
        .take();
    let lines = Query::select()
        .column(line_row::Column::DeviceId)
        .from(line_row::Entity)
        .and_where(line_row::Column::AccountId.in_subquery(accounts))
        .take();
    row::Column::Id.in_subquery(lines)
}

fn changes(fields: &DeviceFields) -> row::ActiveModel {
    row::ActiveModel {
        contact_id: Set(fields.contact_id),
        name: Set(fields.name.clone()),
        sort_name: Set(sort_name(&fields.name)),
        ..Default::default()
    }
}

async fn check_references(
    tenant: Uuid,
    fields: &DeviceFields,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    if fields.account_ids.is_empty() || fields.account_ids.len() > MAX_ACCOUNTS {
        return Err(StoreError::Count {
            field: "account_ids",
            max: MAX_ACCOUNTS,
        });
    }
    match contact::load_row(tenant, fields.contact_id, db).await {
        Err(StoreError::NotFound) => {
            return Err(StoreError::UnknownReference {
                field: "contact_id",
            });
        }
        loaded => loaded?,
    };
    for (place, id) in fields.account_ids.iter().enumerate() {
        if fields.account_ids[..place].contains(id) {
            return Err(StoreError::Conflict {
                field: "account_ids",
            });
        }
        let known = account_row::Entity::find_by_id(*id)
            .filter(account_row::Column::TenantId.eq(tenant))
            .count(db)
            .await?;
        if known == 0 {
            return Err(StoreError::UnknownReference {
                field: "account_ids",
            });
        }
    }
    Ok(())
}

async fn insert_lines(
    tenant: Uuid,
    device: Uuid,
    accounts: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let lines = (0..)
        .zip(accounts)
        .map(|(position, account)| line_row::ActiveModel {
            device_id: Set(device),
            position: Set(position),
            tenant_id: Set(tenant),
            account_id: Set(*account),
        });
    line_row::Entity::insert_many(lines)
        .exec_without_returning(db)
        .await?;
    Ok(())
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

/// Adds contact and accounts to the rows: a few queries for all of them.
pub(crate) async fn complete(
    rows: Vec<row::Model>,
    db: &impl ConnectionTrait,
) -> Result<Vec<Device>, StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let owners = rows.iter().map(|row| row.contact_id);
    let owners: Vec<(Uuid, String, String)> = contact_row::Entity::find()
        .select_only()
        .column(contact_row::Column::Id)
        .column(contact_row::Column::FirstName)
        .column(contact_row::Column::LastName)
        .filter(contact_row::Column::Id.is_in(owners))
        .into_tuple()
        .all(db)
        .await?;
    let names = owners
        .iter()
        .map(|(id, first, last)| (*id, full_name(first, last)));
    let names: HashMap<Uuid, String> = names.collect();
    let mut accounts = accounts_by_device(&ids, db).await?;
    let mut mails = activation::mails_by_device(&ids, db).await?;
    let mut desk_phones = desk_phone::by_device(&ids, db).await?;
    let devices = rows.into_iter().map(|row| {
        let name = names.get(&row.contact_id).cloned().unwrap_or_default();
        let accounts = accounts.remove(&row.id).unwrap_or_default();
        Device {
            instructions: mails.remove(&row.id),
            desk_phone: desk_phones.remove(&row.id),
            ..to_device(row, name, accounts)
        }
    });
    Ok(devices.collect())
}

/// The accounts of each device, in the order of its lines.
async fn accounts_by_device(
    devices: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, Vec<DeviceAccount>>, StoreError> {
    let account_of_line = line_row::Entity::belongs_to(account_row::Entity)
        .from(line_row::Column::AccountId)
        .to(account_row::Column::Id);
    let provider_of_account = account_row::Entity::belongs_to(provider_row::Entity)
        .from(account_row::Column::ProviderId)
        .to(provider_row::Column::Id);
    let lines: Vec<(Uuid, Uuid, String, String, String, bool)> = line_row::Entity::find()
        .join(JoinType::InnerJoin, account_of_line.into())
        .join(JoinType::InnerJoin, provider_of_account.into())
        .select_only()
        .column(line_row::Column::DeviceId)
        .column(account_row::Column::Id)
        .column(account_row::Column::Name)
        .column(account_row::Column::Username)
        .column(provider_row::Column::Server)
        .column(provider_row::Column::Own)
        .filter(line_row::Column::DeviceId.is_in(devices.iter().copied()))
        .order_by_asc(line_row::Column::Position)
        .into_tuple()
        .all(db)
        .await?;
    let mut by_device: HashMap<Uuid, Vec<DeviceAccount>> = HashMap::new();
    for (device, id, name, username, server, own) in lines {
        let aor = account::aor(&username, &server);
        let account = DeviceAccount {
            id,
            name,
            username,
            aor,
            own,
        };
        by_device.entry(device).or_default().push(account);
    }
    Ok(by_device)
}

fn to_device(row: row::Model, contact: String, accounts: Vec<DeviceAccount>) -> Device {
    Device {
        id: row.id,
        name: row.name,
        contact: Reference {
            id: row.contact_id,
            name: contact,
        },
        accounts,
        configuration_version: row.configuration_version.unsigned_abs(),
        applied_version: row.applied_version.map(i64::unsigned_abs),
        app_version: row.app_version,
        platform: row.platform,
        activated_at: row.activated_at.map(OffsetDateTime::from),
        last_seen_at: row.last_seen_at.map(OffsetDateTime::from),
        instructions: None,
        desk_phone: None,
        created_at: row.created_at.into(),
        version: row.version.unsigned_abs(),
    }
}
