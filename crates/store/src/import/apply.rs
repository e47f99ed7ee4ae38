//! An import done, or taken back: some rows in each transaction.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, Order, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Import, ImportResult, ImportRow, ImportRowState, ImportState, progress};
use crate::contact::{self, Contact, ContactFields};
use crate::row::{contact as contact_row, contact_import as import_row, contact_import_row as row};
use crate::{Db, Reference, StoreError};

/// Rows in one transaction: others who write wait for as long as these take.
const ROWS: u64 = 200;

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Some rows; there may be more.
    Went {
        /// Contacts that were made, or deleted again.
        created: Vec<Reference>,
        /// Contacts that were changed, or changed back.
        updated: Vec<Reference>,
        /// Devices of these.
        devices: Vec<Uuid>,
        /// How many rows could not be taken back.
        kept: usize,
    },
    /// There are no more rows.
    Finished,
    /// A contact is not as the plan says; nothing was done.
    Changed,
    /// Somebody else has taken the import further.
    Stopped,
}

/// Whether the contacts that the import changes are as they were when it was made.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn is_current(import: Uuid, db: &impl ConnectionTrait) -> Result<bool, StoreError> {
    let as_it_was = Query::select()
        .expr(Expr::val(1))
        .from(contact_row::Entity)
        .and_where(
            Expr::col((contact_row::Entity, contact_row::Column::Id))
                .equals((row::Entity, row::Column::ContactId)),
        )
        .and_where(
            Expr::col((contact_row::Entity, contact_row::Column::Version))
                .equals((row::Entity, row::Column::Version)),
        )
        .take();
    let changed = row::Entity::find()
        .filter(row::Column::ImportId.eq(import))
        .filter(row::Column::Result.eq(ImportResult::Update.as_str()))
        .filter(Expr::exists(as_it_was).not())
        .count(db)
        .await?;
    Ok(changed == 0)
}

/// Does some rows. Call it in a transaction, which is to be dropped if the answer is [`Step::Changed`].
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn apply_some(
    import: &Import,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Step, StoreError> {
    if !hold(import, &[ImportState::Committing], db).await? {
        return Ok(Step::Stopped);
    }
    let rows = next(import, ImportRowState::Waiting, Order::Asc, db).await?;
    if rows.is_empty() {
        return Ok(Step::Finished);
    }
    let (mut creates, mut updates) = (Vec::new(), Vec::new());
    for (_, row) in &rows {
        let (Some(id), Some(fields)) = (row.plan.contact, &row.plan.fields) else {
            continue;
        };
        match row.plan.version {
            None => creates.push((id, fields)),
            Some(version) => updates.push((id, version, fields)),
        }
    }
    let addresses: Vec<String> = creates
        .iter()
        .flat_map(|(_, fields)| fields.emails.iter().map(|email| email.address.clone()))
        .collect();
    if !contact::find_by_emails(import.tenant_id, &addresses, db)
        .await?
        .is_empty()
    {
        return Ok(Step::Changed);
    }
    contact::insert_many(import.tenant_id, &creates, now, db).await?;
    match contact::update_many(import.tenant_id, &updates, db).await {
        Err(StoreError::NotFound | StoreError::StaleVersion { .. }) => return Ok(Step::Changed),
        written => written?,
    }
    let ids: Vec<Uuid> = updates.iter().map(|(id, ..)| *id).collect();
    let changed = contact::load_many(import.tenant_id, &ids, db).await?;
    let done: Vec<Uuid> = rows.iter().map(|(id, _)| *id).collect();
    mark(&done, ImportRowState::Done, db).await?;
    progress(import.id, rows.len(), 0, db).await?;
    Ok(Step::Went {
        created: creates
            .iter()
            .map(|(id, fields)| named(*id, fields))
            .collect(),
        updated: changed.iter().map(reference).collect(),
        devices: devices(&changed),
        kept: 0,
    })
}

/// Takes some rows back, the last first. A contact that was changed since, or has devices now, stays as it is. Call it in a transaction.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn take_back_some(import: &Import, db: &impl Db) -> Result<Step, StoreError> {
    let states = [ImportState::Reverting, ImportState::Undoing];
    if !hold(import, &states, db).await? {
        return Ok(Step::Stopped);
    }
    let rows = next(import, ImportRowState::Done, Order::Desc, db).await?;
    if rows.is_empty() {
        return Ok(Step::Finished);
    }
    let ids: Vec<Uuid> = rows
        .iter()
        .filter_map(|(_, row)| row.plan.contact)
        .collect();
    let found = contact::load_many(import.tenant_id, &ids, db).await?;
    let found: HashMap<Uuid, Contact> = found.into_iter().map(|one| (one.id, one)).collect();
    let (mut undone, mut kept) = (Vec::new(), Vec::new());
    let (mut deleted, mut restored) = (Vec::new(), Vec::new());
    for (id, row) in &rows {
        let contact = row.plan.contact.and_then(|id| found.get(&id));
        match way_back(row, contact) {
            Back::Nothing => undone.push(*id),
            Back::Delete(contact) => {
                undone.push(*id);
                deleted.push(contact);
            }
            Back::Restore(contact, fields) => {
                undone.push(*id);
                restored.push((contact, fields));
            }
            Back::Keep(why) => kept.push((*id, why)),
        }
    }
    let ids: Vec<Uuid> = deleted.iter().map(|contact| contact.id).collect();
    contact::delete_many(import.tenant_id, &ids, db).await?;
    let former: Vec<_> = restored
        .iter()
        .map(|(contact, fields)| (contact.id, contact.version, *fields))
        .collect();
    contact::update_many(import.tenant_id, &former, db).await?;
    mark(&undone, ImportRowState::Undone, db).await?;
    for (id, why) in &kept {
        keep(*id, why, db).await?;
    }
    progress(import.id, rows.len(), kept.len(), db).await?;
    let devices = restored.iter().flat_map(|(contact, _)| &contact.devices);
    Ok(Step::Went {
        created: deleted.iter().map(|contact| reference(contact)).collect(),
        updated: restored
            .iter()
            .map(|(contact, _)| reference(contact))
            .collect(),
        devices: devices.map(|device| device.id).collect(),
        kept: kept.len(),
    })
}

/// How a row is taken back.
enum Back<'a> {
    Nothing,
    Delete(&'a Contact),
    Restore(&'a Contact, &'a ContactFields),
    Keep(&'static str),
}

const CHANGED: &str = "The contact was changed after the import.";
const USED: &str = "The contact has a device now.";
const GONE: &str = "The contact was deleted after the import.";

fn way_back<'a>(row: &'a ImportRow, contact: Option<&'a Contact>) -> Back<'a> {
    let made = row.plan.version.is_none();
    let Some(contact) = contact else {
        return if made {
            Back::Nothing
        } else {
            Back::Keep(GONE)
        };
    };
    let written = row.plan.version.map_or(1, |version| version + 1);
    match &row.plan.before {
        _ if contact.version != written => Back::Keep(CHANGED),
        None if !contact.devices.is_empty() => Back::Keep(USED),
        None => Back::Delete(contact),
        Some(before) => Back::Restore(contact, before),
    }
}

/// Keeps others from going on with the import until the end of the transaction, if it is in one of these states.
async fn hold(
    import: &Import,
    states: &[ImportState],
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let held = import_row::Entity::update_many()
        .col_expr(
            import_row::Column::Progress,
            Expr::col(import_row::Column::Progress),
        )
        .filter(import_row::Column::Id.eq(import.id))
        .filter(import_row::Column::State.is_in(states.iter().map(|state| state.as_str())))
        .exec(db)
        .await?;
    Ok(held.rows_affected == 1)
}

/// The next rows that write something, with their keys.
async fn next(
    import: &Import,
    state: ImportRowState,
    order: Order,
    db: &impl ConnectionTrait,
) -> Result<Vec<(Uuid, ImportRow)>, StoreError> {
    let writing = [ImportResult::Create, ImportResult::Update];
    let rows = row::Entity::find()
        .filter(row::Column::ImportId.eq(import.id))
        .filter(row::Column::State.eq(state.as_str()))
        .filter(row::Column::Result.is_in(writing.map(ImportResult::as_str)))
        .order_by(row::Column::Number, order)
        .limit(ROWS)
        .all(db)
        .await?;
    rows.into_iter()
        .map(|row| Ok((row.id, ImportRow::try_from(row)?)))
        .collect()
}

async fn mark(
    rows: &[Uuid],
    state: ImportRowState,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    row::Entity::update_many()
        .set(row::ActiveModel {
            state: Set(state.as_str().to_owned()),
            ..Default::default()
        })
        .filter(row::Column::Id.is_in(rows.iter().copied()))
        .exec(db)
        .await?;
    Ok(())
}

async fn keep(id: Uuid, why: &str, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    row::Entity::update_many()
        .set(row::ActiveModel {
            state: Set(ImportRowState::Kept.as_str().to_owned()),
            errors: Set(json!([["", why]]).to_string()),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

fn named(id: Uuid, fields: &ContactFields) -> Reference {
    Reference {
        id,
        name: contact::full_name(&fields.first_name, &fields.last_name),
    }
}

fn reference(contact: &Contact) -> Reference {
    Reference {
        id: contact.id,
        name: contact.name(),
    }
}

fn devices(contacts: &[Contact]) -> Vec<Uuid> {
    let devices = contacts.iter().flat_map(|contact| &contact.devices);
    devices.map(|device| device.id).collect()
}
