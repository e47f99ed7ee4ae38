//! What contacts have several of, numbers and e-mail addresses, and the text by which they are found: for many contacts in few statements.

use std::borrow::Borrow;

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter,
    QuerySelect, Select,
};
use uuid::Uuid;

use super::{Contact, ContactEmail, ContactFields, ContactNumber, search, sort_key};
use crate::row::{
    contact as row, contact_email as email_row, contact_number as number_row,
    contact_search as search_row,
};
use crate::{Reference, StoreError};

/// Rows in one statement: with five values each far below what either database takes.
const ROWS: usize = 1_000;

/// Writes the parts of contacts that have none.
pub(super) async fn insert(
    tenant: Uuid,
    contacts: &[(Uuid, &ContactFields)],
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let numbers: Vec<_> = contacts
        .iter()
        .flat_map(|(contact, fields)| (0..).zip(&fields.numbers).map(|part| (*contact, part)))
        .map(|(contact, (position, number))| number_row::ActiveModel {
            contact_id: Set(contact),
            position: Set(position),
            tenant_id: Set(tenant),
            number: Set(number.number.clone()),
            label: Set(number.label.clone()),
        })
        .collect();
    let emails: Vec<_> = contacts
        .iter()
        .flat_map(|(contact, fields)| (0..).zip(&fields.emails).map(|part| (*contact, part)))
        .map(|(contact, (position, email))| email_row::ActiveModel {
            contact_id: Set(contact),
            position: Set(position),
            tenant_id: Set(tenant),
            address: Set(email.address.clone()),
            label: Set(email.label.as_str().to_owned()),
        })
        .collect();
    let texts: Vec<_> = contacts
        .iter()
        .map(|(contact, fields)| search_row::ActiveModel {
            seq: NotSet,
            tenant_id: Set(tenant),
            contact_id: Set(*contact),
            text: Set(search::text(fields)),
            sort_name: Set(Some(sort_key(fields))),
        })
        .collect();
    for some in numbers.chunks(ROWS) {
        let insert = number_row::Entity::insert_many(some.to_vec());
        insert.exec_without_returning(db).await?;
    }
    for some in emails.chunks(ROWS) {
        let insert = email_row::Entity::insert_many(some.to_vec());
        insert.exec_without_returning(db).await?;
    }
    for some in texts.chunks(ROWS) {
        let insert = search_row::Entity::insert_many(some.to_vec());
        insert.exec_without_returning(db).await?;
    }
    Ok(())
}

/// Removes the parts of these contacts.
pub(super) async fn delete(contacts: &[Uuid], db: &impl ConnectionTrait) -> Result<(), StoreError> {
    number_row::Entity::delete_many()
        .filter(number_row::Column::ContactId.is_in(contacts.iter().copied()))
        .exec(db)
        .await?;
    email_row::Entity::delete_many()
        .filter(email_row::Column::ContactId.is_in(contacts.iter().copied()))
        .exec(db)
        .await?;
    search_row::Entity::delete_many()
        .filter(search_row::Column::ContactId.is_in(contacts.iter().copied()))
        .exec(db)
        .await?;
    Ok(())
}

/// How many numbers and how many e-mail addresses a contact of the tenant has at most.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn most_parts(
    tenant: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(usize, usize), StoreError> {
    let numbers: Option<Option<i64>> = number_row::Entity::find()
        .filter(number_row::Column::TenantId.eq(tenant))
        .select_only()
        .column_as(number_row::Column::Position.max(), "most")
        .into_tuple()
        .one(db)
        .await?;
    let emails: Option<Option<i64>> = email_row::Entity::find()
        .filter(email_row::Column::TenantId.eq(tenant))
        .select_only()
        .column_as(email_row::Column::Position.max(), "most")
        .into_tuple()
        .one(db)
        .await?;
    let count = |most: Option<Option<i64>>| {
        let last = most.flatten().and_then(|last| usize::try_from(last).ok());
        last.map_or(0, |last| last + 1)
    };
    Ok((count(numbers), count(emails)))
}

/// A contact as the database gives it: in one row, since a row of a database costs more than what stands in it.
#[derive(FromQueryResult)]
pub(super) struct Whole {
    #[sea_orm(nested)]
    row: row::Model,
    numbers: String,
    emails: String,
    devices: String,
}

/// The same contacts with what they have several of, in order; read as [`Whole`].
pub(super) fn with_parts(contacts: Select<row::Entity>, backend: DbBackend) -> Select<row::Entity> {
    contacts
        .expr_as(NUMBERS.of_contact(backend), "numbers")
        .expr_as(EMAILS.of_contact(backend), "emails")
        .expr_as(devices_of_contact(backend), "devices")
}

impl Borrow<row::Model> for Whole {
    fn borrow(&self) -> &row::Model {
        &self.row
    }
}

impl TryFrom<Whole> for Contact {
    type Error = StoreError;

    fn try_from(whole: Whole) -> Result<Self, StoreError> {
        let (devices, extensions) = read_devices(&whole.devices)?;
        let row = whole.row;
        Ok(Self {
            numbers: NUMBERS.read(&whole.numbers, |number, label| {
                Some(ContactNumber { number, label })
            })?,
            emails: EMAILS.read(&whole.emails, |address, label| {
                let label = label.parse().ok()?;
                Some(ContactEmail { address, label })
            })?,
            devices,
            extensions,
            id: row.id,
            first_name: row.first_name,
            last_name: row.last_name,
            company: row.company,
            job_title: row.job_title,
            in_directory: row.in_directory,
            created_at: row.created_at.into(),
            version: row.version.unsigned_abs(),
        })
    }
}

/// The devices of the contact of the row, with what is dialled within the company to reach each, as a JSON array of arrays. What is dialled
/// is asked of devices that there are: most contacts of a large company have none.
fn devices_of_contact(backend: DbBackend) -> SimpleExpr {
    let lines = "device_accounts JOIN sip_accounts ON sip_accounts.id = device_accounts.account_id \
         JOIN providers ON providers.id = sip_accounts.provider_id \
         WHERE device_accounts.device_id = devices.id AND providers.own";
    Expr::cust(match backend {
        DbBackend::Postgres => format!(
            "CAST(array_to_json(ARRAY(SELECT json_build_array(id, name, ARRAY(SELECT username FROM {lines} ORDER BY position)) \
             FROM devices WHERE contact_id = contacts.id ORDER BY sort_name, id)) AS text)"
        ),
        _ => format!(
            "(SELECT json_group_array(json_array(hex(id), name, json(usernames))) FROM (SELECT id, name, \
             (SELECT json_group_array(username) FROM (SELECT username FROM {lines} ORDER BY position)) AS usernames \
             FROM devices WHERE contact_id = contacts.id ORDER BY sort_name, id))"
        ),
    })
}

/// The devices, and what is dialled, each once: an account can be on several devices.
fn read_devices(list: &str) -> Result<(Vec<Reference>, Vec<String>), StoreError> {
    let corrupt = || StoreError::Corrupt {
        table: "devices",
        column: "name",
    };
    let rows: Vec<(String, String, Vec<String>)> =
        serde_json::from_str(list).map_err(|_| corrupt())?;
    let (mut devices, mut extensions) = (Vec::new(), Vec::new());
    for (id, name, usernames) in rows {
        let id = id.parse().map_err(|_| corrupt())?;
        devices.push(Reference { id, name });
        for username in usernames {
            if !extensions.contains(&username) {
                extensions.push(username);
            }
        }
    }
    Ok((devices, extensions))
}

/// Two columns of the rows of a contact, in an order.
struct Pairs {
    table: &'static str,
    columns: [&'static str; 2],
    order: &'static str,
}

const NUMBERS: Pairs = Pairs {
    table: "contact_numbers",
    columns: ["number", "label"],
    order: "position",
};
const EMAILS: Pairs = Pairs {
    table: "contact_emails",
    columns: ["address", "label"],
    order: "position",
};

impl Pairs {
    /// Those of the contact of the row, as a JSON array of arrays. In PostgreSQL the rows come in the order of an index: an aggregate would
    /// sort them once more.
    fn of_contact(&self, backend: DbBackend) -> SimpleExpr {
        let Self {
            table,
            columns: [first, second],
            order,
        } = self;
        Expr::cust(match backend {
            DbBackend::Postgres => format!(
                "CAST(array_to_json(ARRAY(SELECT json_build_array({first}, {second}) \
                 FROM {table} WHERE contact_id = contacts.id ORDER BY {order})) AS text)"
            ),
            _ => format!(
                "(SELECT json_group_array(json_array({first}, {second})) \
                 FROM (SELECT {first}, {second} FROM {table} WHERE contact_id = contacts.id ORDER BY {order}))"
            ),
        })
    }

    fn read<T>(
        &self,
        list: &str,
        part: impl Fn(String, String) -> Option<T>,
    ) -> Result<Vec<T>, StoreError> {
        let corrupt = || StoreError::Corrupt {
            table: self.table,
            column: self.columns[1],
        };
        let pairs: Vec<(String, String)> = serde_json::from_str(list).map_err(|_| corrupt())?;
        let parts = pairs.into_iter().map(|(first, second)| part(first, second));
        let parts: Option<_> = parts.collect();
        parts.ok_or_else(corrupt)
    }
}
