//! What contacts have several of, numbers and e-mail addresses, and the text by which they are found: for many contacts in few statements.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{ContactEmail, ContactFields, ContactNumber, search};
use crate::StoreError;
use crate::row::{
    contact_email as email_row, contact_number as number_row, contact_search as search_row,
};

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

/// The numbers of each contact, in order.
pub(super) async fn numbers(
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
        let number = ContactNumber {
            number: row.number,
            label: row.label,
        };
        by_contact.entry(row.contact_id).or_default().push(number);
    }
    Ok(by_contact)
}

/// The e-mail addresses of each contact, in order.
pub(super) async fn emails(
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
        let email = ContactEmail {
            address: row.address,
            label,
        };
        by_contact.entry(row.contact_id).or_default().push(email);
    }
    Ok(by_contact)
}
