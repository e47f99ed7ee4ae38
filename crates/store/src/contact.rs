//! People of a tenant, with numbers and e-mail addresses, and the search for them.

use std::collections::HashMap;

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::list::{check_updated, check_version, is_among, sort_name};
use crate::row::contact as row;
use crate::{
    Db, EmailLabel, Reference, StoreError, begin, commit, dependents, device, directory, id,
};

mod bulk;
mod list;
mod parts;
pub(crate) mod search;

pub use bulk::{
    Refusal, Refused, delete_many, find_by_emails, insert_many, list_ids, load_many,
    set_in_directory, update_many,
};
pub use list::{ContactFilter, ContactSort, list};
pub use parts::most_parts;

/// How many numbers a contact can have.
pub const MAX_NUMBERS: usize = 20;

/// How many e-mail addresses a contact can have.
pub const MAX_EMAILS: usize = 20;

/// A person of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The row's key.
    pub id: Uuid,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Company.
    pub company: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Whether the company directory shows the person.
    pub in_directory: bool,
    /// Telephone numbers, in order.
    pub numbers: Vec<ContactNumber>,
    /// E-mail addresses, in order.
    pub emails: Vec<ContactEmail>,
    /// The person's devices.
    pub devices: Vec<Reference>,
    /// What is dialled within the company to reach the person: the user names of the accounts at Tandem's own provider that the devices
    /// have.
    pub extensions: Vec<String>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Grows with each change.
    pub version: u64,
}

impl Contact {
    /// First and last name.
    pub fn name(&self) -> String {
        full_name(&self.first_name, &self.last_name)
    }
}

/// A telephone number of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactNumber {
    /// The number, E.164 with `+`.
    pub number: String,
    /// What it is for.
    pub label: String,
}

/// An e-mail address of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactEmail {
    /// The address.
    pub address: String,
    /// What it is for.
    pub label: EmailLabel,
}

/// What a contact is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactFields {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Company.
    pub company: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Whether the company directory shows the person.
    pub in_directory: bool,
    /// Telephone numbers, in order; at most [`MAX_NUMBERS`].
    pub numbers: Vec<ContactNumber>,
    /// E-mail addresses, in order; 1 to [`MAX_EMAILS`].
    pub emails: Vec<ContactEmail>,
}

/// Makes a contact.
///
/// # Errors
///
/// [`StoreError::Count`] with `numbers` or `emails`, [`StoreError::Database`].
pub async fn insert(
    tenant: Uuid,
    fields: &ContactFields,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Contact, StoreError> {
    check_counts(fields)?;
    let transaction = begin(db).await?;
    let id = id::new(now);
    let new = row::ActiveModel {
        id: Set(id),
        tenant_id: Set(tenant),
        created_at: Set(now.into()),
        version: Set(1),
        ..changes(fields)
    };
    row::Entity::insert(new)
        .exec_without_returning(&transaction)
        .await?;
    parts::insert(tenant, &[(id, fields)], &transaction).await?;
    let contact = load(tenant, id, &transaction).await?;
    commit(transaction).await?;
    Ok(contact)
}

/// Changes a contact; its devices learn of it.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Count`], [`StoreError::StaleVersion`] if `expected` is given
/// and is not the row's version, [`StoreError::Database`].
pub async fn update(
    tenant: Uuid,
    id: Uuid,
    fields: &ContactFields,
    expected: Option<u64>,
    db: &impl Db,
) -> Result<Contact, StoreError> {
    check_counts(fields)?;
    let transaction = begin(db).await?;
    directory::lock(tenant, &transaction).await?;
    let before = load_row(tenant, id, &transaction).await?;
    check_version(before.version, expected)?;
    let updated = row::Entity::update_many()
        .set(changes(fields))
        .col_expr(row::Column::Version, Expr::cust("version + 1"))
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::Version.eq(before.version))
        .exec(&transaction)
        .await?;
    check_updated(updated.rows_affected, before.version)?;
    parts::delete(&[id], &transaction).await?;
    parts::insert(tenant, &[(id, fields)], &transaction).await?;
    device::touch_by_contact(tenant, id, &transaction).await?;
    let contact = load(tenant, id, &transaction).await?;
    commit(transaction).await?;
    Ok(contact)
}

/// Deletes a contact without devices.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::InUse`] with the devices, [`StoreError::Database`].
pub async fn delete(tenant: Uuid, id: Uuid, db: &impl Db) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    directory::lock(tenant, &transaction).await?;
    dependents::of_contact(tenant, id, &transaction)
        .await?
        .check()?;
    row::Entity::delete_by_id(id).exec(&transaction).await?;
    commit(transaction).await
}

/// The contact with that key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Contact, StoreError> {
    let wanted = row::Entity::find_by_id(id).filter(row::Column::TenantId.eq(tenant));
    read(wanted, db).await?.pop().ok_or(StoreError::NotFound)
}

fn check_counts(fields: &ContactFields) -> Result<(), StoreError> {
    if fields.numbers.len() > MAX_NUMBERS {
        return Err(StoreError::Count {
            field: "numbers",
            max: MAX_NUMBERS,
        });
    }
    if fields.emails.is_empty() || fields.emails.len() > MAX_EMAILS {
        return Err(StoreError::Count {
            field: "emails",
            max: MAX_EMAILS,
        });
    }
    Ok(())
}

fn changes(fields: &ContactFields) -> row::ActiveModel {
    row::ActiveModel {
        first_name: Set(fields.first_name.clone()),
        last_name: Set(fields.last_name.clone()),
        sort_name: Set(sort_key(fields)),
        company: Set(fields.company.clone()),
        sort_company: Set(fields.company.as_deref().map(sort_company)),
        job_title: Set(fields.job_title.clone()),
        in_directory: Set(fields.in_directory),
        ..Default::default()
    }
}

/// What lists of people are ordered by: the last name, then the first.
fn sort_key(fields: &ContactFields) -> String {
    format!("{} {}", fields.last_name, fields.first_name).to_lowercase()
}

/// The company that lists are ordered by: as much of it as an index takes.
fn sort_company(company: &str) -> String {
    sort_name(company).chars().take(SORTED_CHARACTERS).collect()
}

const SORTED_CHARACTERS: usize = 100;

pub(crate) fn full_name(first_name: &str, last_name: &str) -> String {
    format!("{first_name} {last_name}").trim().to_owned()
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

/// The contacts that are selected, whole, in whatever order `select` has.
pub(crate) async fn read(
    select: Select<row::Entity>,
    db: &impl ConnectionTrait,
) -> Result<Vec<Contact>, StoreError> {
    let select = parts::with_parts(select, db.get_database_backend());
    let rows: Vec<parts::Whole> = select.into_model().all(db).await?;
    rows.into_iter().map(Contact::try_from).collect()
}

/// The contacts with these keys, in this order; those that are not there are left out.
pub(crate) async fn read_in_order(
    ids: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<Vec<Contact>, StoreError> {
    let among = is_among(
        row::Column::Id,
        ids.iter().copied(),
        db.get_database_backend(),
    );
    let mut contacts = read(row::Entity::find().filter(among), db).await?;
    let place: HashMap<Uuid, usize> = ids.iter().copied().zip(0..).collect();
    contacts.sort_by_key(|contact| place.get(&contact.id).copied());
    Ok(contacts)
}
