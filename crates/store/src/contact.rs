//! People of a tenant, with numbers and e-mail addresses, and the search for them.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, IntoCondition};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::list::{check_updated, check_version, page};
use crate::row::{
    contact as row, contact_email as email_row, contact_number as number_row,
    contact_search as search_row, device as device_row,
};
use crate::{
    Cursor, Db, EmailLabel, Page, PageRequest, Reference, StoreError, begin, commit, device, id,
};

pub(crate) mod search;

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
    insert_parts(tenant, id, fields, &transaction).await?;
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
    delete_parts(id, &transaction).await?;
    insert_parts(tenant, id, fields, &transaction).await?;
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
    let contact = load(tenant, id, &transaction).await?;
    if !contact.devices.is_empty() {
        return Err(StoreError::InUse {
            by: contact.devices,
        });
    }
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
    let row = load_row(tenant, id, db).await?;
    let mut contacts = complete(vec![row], db).await?;
    contacts.pop().ok_or(StoreError::NotFound)
}

/// The contacts of a tenant by last and first name; the search looks at names, company, job title,
/// numbers and e-mail addresses, and finds parts of words.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    request: &PageRequest,
    db: &impl ConnectionTrait,
) -> Result<Page<Contact>, StoreError> {
    let words = request.words();
    let matching = if words.is_empty() {
        row::Column::TenantId.eq(tenant).into_condition()
    } else {
        search::matching(tenant, &words, db).await?
    };
    let select = row::Entity::find().filter(matching);
    let rows = page(select, row::Column::SortName, row::Column::Id, request)
        .all(db)
        .await?;
    let cut = Page::cut(rows, request, |row| Cursor {
        name: row.sort_name.clone(),
        id: row.id,
    });
    Ok(Page {
        items: complete(cut.items, db).await?,
        next: cut.next,
    })
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
        sort_name: Set(format!("{} {}", fields.last_name, fields.first_name).to_lowercase()),
        company: Set(fields.company.clone()),
        job_title: Set(fields.job_title.clone()),
        in_directory: Set(fields.in_directory),
        ..Default::default()
    }
}

async fn delete_parts(contact: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    number_row::Entity::delete_many()
        .filter(number_row::Column::ContactId.eq(contact))
        .exec(db)
        .await?;
    email_row::Entity::delete_many()
        .filter(email_row::Column::ContactId.eq(contact))
        .exec(db)
        .await?;
    search_row::Entity::delete_many()
        .filter(search_row::Column::ContactId.eq(contact))
        .exec(db)
        .await?;
    Ok(())
}

async fn insert_parts(
    tenant: Uuid,
    contact: Uuid,
    fields: &ContactFields,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let numbers = (0..)
        .zip(&fields.numbers)
        .map(|(position, number)| number_row::ActiveModel {
            contact_id: Set(contact),
            position: Set(position),
            tenant_id: Set(tenant),
            number: Set(number.number.clone()),
            label: Set(number.label.clone()),
        });
    let emails = (0..)
        .zip(&fields.emails)
        .map(|(position, email)| email_row::ActiveModel {
            contact_id: Set(contact),
            position: Set(position),
            tenant_id: Set(tenant),
            address: Set(email.address.clone()),
            label: Set(email.label.as_str().to_owned()),
        });
    if !fields.numbers.is_empty() {
        number_row::Entity::insert_many(numbers)
            .exec_without_returning(db)
            .await?;
    }
    email_row::Entity::insert_many(emails)
        .exec_without_returning(db)
        .await?;
    let search = search_row::ActiveModel {
        seq: NotSet,
        tenant_id: Set(tenant),
        contact_id: Set(contact),
        text: Set(search::text(fields)),
    };
    search_row::Entity::insert(search)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

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

/// Adds numbers, addresses and devices to the rows: three queries for all of them.
async fn complete(
    rows: Vec<row::Model>,
    db: &impl ConnectionTrait,
) -> Result<Vec<Contact>, StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut numbers = numbers_by_contact(&ids, db).await?;
    let mut emails = emails_by_contact(&ids, db).await?;
    let mut devices = devices_by_contact(&ids, db).await?;
    let contacts = rows.into_iter().map(|row| Contact {
        numbers: numbers.remove(&row.id).unwrap_or_default(),
        emails: emails.remove(&row.id).unwrap_or_default(),
        devices: devices.remove(&row.id).unwrap_or_default(),
        id: row.id,
        first_name: row.first_name,
        last_name: row.last_name,
        company: row.company,
        job_title: row.job_title,
        in_directory: row.in_directory,
        created_at: row.created_at.into(),
        version: row.version.unsigned_abs(),
    });
    Ok(contacts.collect())
}

async fn numbers_by_contact(
    contacts: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, Vec<ContactNumber>>, StoreError> {
    let rows = number_row::Entity::find()
        .filter(number_row::Column::ContactId.is_in(contacts.iter().copied()))
        .order_by_asc(number_row::Column::Position)
        .all(db)
        .await?;
    let mut by_contact: HashMap<Uuid, Vec<ContactNumber>> = HashMap::new();
    for row in rows {
        by_contact
            .entry(row.contact_id)
            .or_default()
            .push(ContactNumber {
                number: row.number,
                label: row.label,
            });
    }
    Ok(by_contact)
}

async fn emails_by_contact(
    contacts: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, Vec<ContactEmail>>, StoreError> {
    let rows = email_row::Entity::find()
        .filter(email_row::Column::ContactId.is_in(contacts.iter().copied()))
        .order_by_asc(email_row::Column::Position)
        .all(db)
        .await?;
    let mut by_contact: HashMap<Uuid, Vec<ContactEmail>> = HashMap::new();
    for row in rows {
        let label = row.label.parse().map_err(|_| StoreError::Corrupt {
            table: "contact_emails",
            column: "label",
        })?;
        by_contact
            .entry(row.contact_id)
            .or_default()
            .push(ContactEmail {
                address: row.address,
                label,
            });
    }
    Ok(by_contact)
}

async fn devices_by_contact(
    contacts: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, Vec<Reference>>, StoreError> {
    let rows = device_row::Entity::find()
        .filter(device_row::Column::ContactId.is_in(contacts.iter().copied()))
        .order_by_asc(device_row::Column::SortName)
        .all(db)
        .await?;
    let mut by_contact: HashMap<Uuid, Vec<Reference>> = HashMap::new();
    for row in rows {
        by_contact
            .entry(row.contact_id)
            .or_default()
            .push(Reference {
                id: row.id,
                name: row.name,
            });
    }
    Ok(by_contact)
}
