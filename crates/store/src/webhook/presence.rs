//! Who comes and goes, for tenants that have a webhook told of it: whom the webhooks were last told to be there.
//!
//! It is kept so that what comes or goes while the server is away is told when it is back, and nothing twice. A tenant's first look tells
//! nothing: who is there then was there before.

use std::collections::HashSet;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::event::{self, EventKind, NewEvent};
use crate::batch::fitting;
use crate::list::contains;
use crate::row::{webhook as webhook_row, webhook_present as row, webhook_watch as watch_row};
use crate::{Db, StoreError, begin, commit};

/// What tells of somebody who comes or goes.
const KINDS: [EventKind; 4] = [
    EventKind::DeviceOnline,
    EventKind::DeviceOffline,
    EventKind::AccountRegistered,
    EventKind::AccountUnregistered,
];

/// The tenants that have a webhook told of who comes and goes.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn list_watching(db: &impl ConnectionTrait) -> Result<HashSet<Uuid>, StoreError> {
    let wanted = KINDS.iter().fold(Condition::any(), |wanted, kind| {
        wanted.add(contains(webhook_row::Column::Events, kind.as_str()))
    });
    let tenants: Vec<Uuid> = webhook_row::Entity::find()
        .select_only()
        .column(webhook_row::Column::TenantId)
        .filter(webhook_row::Column::Enabled.eq(true))
        .filter(wanted)
        .into_tuple()
        .all(db)
        .await?;
    Ok(tenants.into_iter().collect())
}

/// The devices and accounts of the tenant that were last told to be there; `None` if it is not watched yet.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn find_present(
    tenant: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Option<HashSet<Uuid>>, StoreError> {
    if watch_row::Entity::find_by_id(tenant)
        .one(db)
        .await?
        .is_none()
    {
        return Ok(None);
    }
    let present: Vec<Uuid> = row::Entity::find()
        .select_only()
        .column(row::Column::ObjectId)
        .filter(row::Column::TenantId.eq(tenant))
        .into_tuple()
        .all(db)
        .await?;
    Ok(Some(present.into_iter().collect()))
}

/// From now on it is told who comes and goes; these are there.
///
/// # Errors
///
/// [`StoreError::Database`], also if there is no such tenant.
pub async fn begin_watch(
    tenant: Uuid,
    present: &HashSet<Uuid>,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    watch_row::Entity::delete_by_id(tenant)
        .exec(&transaction)
        .await?;
    let watch = watch_row::Model {
        tenant_id: tenant,
        created_at: now.into(),
    };
    watch_row::Entity::insert(watch_row::ActiveModel::from(watch))
        .exec_without_returning(&transaction)
        .await?;
    let present: Vec<Uuid> = present.iter().copied().collect();
    add(tenant, present, &transaction).await?;
    commit(transaction).await
}

/// It is not told any more who comes and goes.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn end_watch(tenant: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    watch_row::Entity::delete_by_id(tenant).exec(db).await?;
    Ok(())
}

/// Notes that these came and these went, and tells the events of it: both or nothing.
///
/// # Errors
///
/// [`StoreError::Database`], also if the tenant is not watched; [`StoreError::Corrupt`].
pub async fn tell_presence(
    tenant: Uuid,
    came: &[Uuid],
    went: &[Uuid],
    events: &[NewEvent<'_>],
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    add(tenant, came.to_vec(), &transaction).await?;
    row::Entity::delete_many()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(crate::list::is_among(
            row::Column::ObjectId,
            went.iter().copied(),
            transaction.get_database_backend(),
        ))
        .exec(&transaction)
        .await?;
    for event in events {
        event::tell(tenant, event, now, &transaction).await?;
    }
    commit(transaction).await
}

async fn add(
    tenant: Uuid,
    mut present: Vec<Uuid>,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let key = [row::Column::TenantId, row::Column::ObjectId];
    while !present.is_empty() {
        let some = present.split_off(present.len() - fitting(present.len()));
        let some = some.into_iter().map(|object| {
            row::ActiveModel::from(row::Model {
                tenant_id: tenant,
                object_id: object,
            })
        });
        row::Entity::insert_many(some)
            .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}
