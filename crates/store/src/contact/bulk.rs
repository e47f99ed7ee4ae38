//! Many contacts at once, in few statements. Each function takes as many as one short transaction should have: a few hundred.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Contact, ContactFields, ContactFilter, changes, check_counts, list, parts, read};
use crate::list::{check_updated, check_version};
use crate::row::{contact as row, contact_email as email_row};
use crate::{Db, StoreError, begin, commit, device, directory};

/// A contact that was left as it is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub id: Uuid,
    /// Why.
    pub why: Refusal,
}

/// Why a contact was left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it belongs to another tenant.
    NotFound,
    /// It has devices.
    InUse(Box<Contact>),
}

/// The contacts with these keys; those that are not there are left out. In no order.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load_many(
    tenant: Uuid,
    ids: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<Vec<Contact>, StoreError> {
    let wanted = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::Id.is_in(ids.iter().copied()));
    read(wanted, db).await
}

/// The contacts that have one of these addresses, in any case of A to Z.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn find_by_emails(
    tenant: Uuid,
    addresses: &[String],
    db: &impl ConnectionTrait,
) -> Result<Vec<Contact>, StoreError> {
    let addresses = addresses.iter().map(|address| address.to_ascii_lowercase());
    let owners = Query::select()
        .column(email_row::Column::ContactId)
        .from(email_row::Entity)
        .and_where(email_row::Column::TenantId.eq(tenant))
        .and_where(address_key(db.get_database_backend()).is_in(addresses))
        .take();
    let wanted = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::Id.in_subquery(owners));
    read(wanted, db).await
}

/// The address as the index of addresses has it.
fn address_key(backend: DbBackend) -> SimpleExpr {
    Expr::cust(match backend {
        DbBackend::Postgres => r#"lower(address COLLATE "C")"#,
        _ => "lower(address)",
    })
}

/// The keys of the contacts that the filter and the search leave in, in the order of the keys, after one of them.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn list_ids(
    tenant: Uuid,
    filter: &ContactFilter,
    search: Option<&str>,
    after: Option<Uuid>,
    limit: u64,
    db: &impl ConnectionTrait,
) -> Result<Vec<Uuid>, StoreError> {
    let mut matching = list::matching(tenant, filter, search, db).await?;
    if let Some(after) = after {
        matching = matching.add(row::Column::Id.gt(after));
    }
    let ids = row::Entity::find()
        .filter(matching)
        .select_only()
        .column(row::Column::Id)
        .order_by_asc(row::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    Ok(ids)
}

/// Makes contacts with keys of the caller's, all or none.
///
/// # Errors
///
/// [`StoreError::Conflict`] with `id` if a key exists, [`StoreError::Count`], [`StoreError::Database`].
pub async fn insert_many(
    tenant: Uuid,
    contacts: &[(Uuid, &ContactFields)],
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<(), StoreError> {
    if contacts.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(contacts.len());
    for (id, fields) in contacts {
        check_counts(fields)?;
        rows.push(row::ActiveModel {
            id: Set(*id),
            tenant_id: Set(tenant),
            created_at: Set(now.into()),
            version: Set(1),
            ..changes(fields)
        });
    }
    let transaction = begin(db).await?;
    row::Entity::insert_many(rows)
        .exec_without_returning(&transaction)
        .await?;
    parts::insert(tenant, contacts, &transaction).await?;
    commit(transaction).await
}

/// Changes contacts that are still of this version, all or none; their devices learn of it.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::StaleVersion`], [`StoreError::Count`], [`StoreError::Database`].
pub async fn update_many(
    tenant: Uuid,
    contacts: &[(Uuid, u64, &ContactFields)],
    db: &impl Db,
) -> Result<(), StoreError> {
    if contacts.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = contacts.iter().map(|(id, ..)| *id).collect();
    let transaction = begin(db).await?;
    directory::lock(tenant, &transaction).await?;
    let versions = versions(tenant, &ids, &transaction).await?;
    for (id, expected, fields) in contacts {
        check_counts(fields)?;
        let current = *versions.get(id).ok_or(StoreError::NotFound)?;
        check_version(current, Some(*expected))?;
        let updated = row::Entity::update_many()
            .set(changes(fields))
            .col_expr(row::Column::Version, Expr::cust("version + 1"))
            .filter(row::Column::Id.eq(*id))
            .filter(row::Column::Version.eq(current))
            .exec(&transaction)
            .await?;
        check_updated(updated.rows_affected, current)?;
    }
    parts::delete(&ids, &transaction).await?;
    let written: Vec<_> = contacts
        .iter()
        .map(|(id, _, fields)| (*id, *fields))
        .collect();
    parts::insert(tenant, &written, &transaction).await?;
    device::touch_by_contacts(tenant, &ids, &transaction).await?;
    commit(transaction).await
}

async fn versions(
    tenant: Uuid,
    ids: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, i64>, StoreError> {
    let found: Vec<(Uuid, i64)> = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::Id.is_in(ids.iter().copied()))
        .select_only()
        .columns([row::Column::Id, row::Column::Version])
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().collect())
}

/// Deletes those of the contacts that are there and have no device; says what they were, and which were left.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn delete_many(
    tenant: Uuid,
    ids: &[Uuid],
    db: &impl Db,
) -> Result<(Vec<Contact>, Vec<Refused>), StoreError> {
    let transaction = begin(db).await?;
    directory::lock(tenant, &transaction).await?;
    let found = load_many(tenant, ids, &transaction).await?;
    let mut refused = missing(ids, &found);
    let (free, used): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|contact| contact.devices.is_empty());
    refused.extend(used.into_iter().map(|contact| Refused {
        id: contact.id,
        why: Refusal::InUse(Box::new(contact)),
    }));
    row::Entity::delete_many()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::Id.is_in(free.iter().map(|contact| contact.id)))
        .exec(&transaction)
        .await?;
    commit(transaction).await?;
    Ok((free, refused))
}

/// Shows those of the contacts that are there in the company directory, or hides them; says which were changed, as they were before, and
/// which were left. A contact that is shown or hidden already is neither.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn set_in_directory(
    tenant: Uuid,
    ids: &[Uuid],
    shown: bool,
    db: &impl Db,
) -> Result<(Vec<Contact>, Vec<Refused>), StoreError> {
    let transaction = begin(db).await?;
    directory::lock(tenant, &transaction).await?;
    let found = load_many(tenant, ids, &transaction).await?;
    let refused = missing(ids, &found);
    let others: Vec<_> = found
        .into_iter()
        .filter(|contact| contact.in_directory != shown)
        .collect();
    let changed: Vec<Uuid> = others.iter().map(|contact| contact.id).collect();
    row::Entity::update_many()
        .col_expr(row::Column::InDirectory, Expr::val(shown))
        .col_expr(row::Column::Version, Expr::cust("version + 1"))
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::Id.is_in(changed.iter().copied()))
        .exec(&transaction)
        .await?;
    device::touch_by_contacts(tenant, &changed, &transaction).await?;
    commit(transaction).await?;
    Ok((others, refused))
}

/// Those of the keys that nothing was found for.
fn missing(ids: &[Uuid], found: &[Contact]) -> Vec<Refused> {
    let known: HashSet<Uuid> = found.iter().map(|contact| contact.id).collect();
    ids.iter()
        .filter(|id| !known.contains(id))
        .map(|id| Refused {
            id: *id,
            why: Refusal::NotFound,
        })
        .collect()
}
