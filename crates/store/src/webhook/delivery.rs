//! What became of each telling of an event to a webhook, and telling it again.

use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::event::{self, Event, EventKind};
use super::outbox::DeliveryReason;
use crate::list::{Key, page};
use crate::micros::UnixMicros;
use crate::row::{webhook as webhook_row, webhook_delivery as row, webhook_event as event_row};
use crate::words::words;
use crate::{Page, PageRequest, Sort, SortColumn, StoreError};

/// For how long it is known what became of a delivery.
pub const KEPT: Duration = Duration::days(14);

/// Of how many deliveries of a webhook that ended it is known what became of them.
pub const MAX_KEPT: u64 = 1_000;

words! {
    /// How far a delivery is.
    DeliveryState {
        /// It waits, for its first or for another attempt.
        Waiting = "waiting",
        /// The receiver took it.
        Delivered = "delivered",
        /// It is not tried again.
        Failed = "failed",
        /// It was given up before the receiver could take it: too many waited, or the webhook was switched off.
        Dropped = "dropped",
    }
}

/// A telling of an event to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The row's key.
    pub id: Uuid,
    /// Of which tenant.
    pub tenant_id: Uuid,
    /// To which webhook.
    pub webhook_id: Uuid,
    /// What is told.
    pub event: Event,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was tried, an attempt under way included.
    pub attempts: u32,
    /// When it is tried next, while it waits.
    pub next_attempt_at: Option<OffsetDateTime>,
    /// When it was noted.
    pub created_at: OffsetDateTime,
    /// When it was tried last.
    pub attempted_at: Option<OffsetDateTime>,
    /// When it was delivered, given up or dropped.
    pub ended_at: Option<OffsetDateTime>,
    /// Why the last attempt failed, or there is none.
    pub reason: Option<DeliveryReason>,
    /// The HTTP status of the last answer.
    pub status: Option<u16>,
    /// How the last answer began.
    pub excerpt: Option<String>,
    /// How long the last attempt took, in milliseconds.
    pub took_ms: Option<u32>,
}

words! {
    /// What deliveries can be ordered by.
    DeliverySort {
        /// When they were noted.
        CreatedAt = "created_at",
    }
}

impl SortColumn for DeliverySort {
    const USUAL: Sort<Self> = Sort::descending(Self::CreatedAt);
}

/// Which deliveries are wanted; a list without values leaves all in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// In one of these states.
    pub states: Vec<DeliveryState>,
    /// Of one of these events.
    pub events: Vec<EventKind>,
}

/// The deliveries of a webhook, the newest first unless asked otherwise.
///
/// # Errors
///
/// [`StoreError::NotFound`] if there is no such webhook, [`StoreError::ForeignCursor`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list_deliveries(
    tenant: Uuid,
    webhook: Uuid,
    filter: &DeliveryFilter,
    request: &PageRequest<DeliverySort>,
    db: &impl ConnectionTrait,
) -> Result<Page<Delivery>, StoreError> {
    super::load_row(tenant, webhook, db).await?;
    let mut select = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::WebhookId.eq(webhook));
    if !filter.states.is_empty() {
        let states = filter.states.iter().map(|state| state.as_str());
        select = select.filter(row::Column::State.is_in(states));
    }
    if !filter.events.is_empty() {
        let kinds = filter.events.iter().map(|kind| kind.as_str());
        let events = Query::select()
            .column(event_row::Column::Id)
            .from(event_row::Entity)
            .and_where(event_row::Column::TenantId.eq(tenant))
            .and_where(event_row::Column::Kind.is_in(kinds))
            .take();
        select = select.filter(row::Column::EventId.in_subquery(events));
    }
    let rows = page(select, Key::Age, row::Column::Id, request, db).await?;
    Ok(Page {
        items: with_events(rows.items, db).await?,
        next: rows.next,
        total: rows.total,
    })
}

/// The delivery with that key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load_delivery(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Delivery, StoreError> {
    let found = row::Entity::find_by_id(id)
        .filter(row::Column::TenantId.eq(tenant))
        .one(db)
        .await?;
    let mut found = with_events(found.into_iter().collect(), db).await?;
    found.pop().ok_or(StoreError::NotFound)
}

/// Tells the event of a delivery again, by another one that is due at once.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn redeliver(
    tenant: Uuid,
    id: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Delivery, StoreError> {
    let before = load_delivery(tenant, id, db).await?;
    let again = event::waiting(tenant, before.webhook_id, before.event.id, now);
    row::Entity::insert(row::ActiveModel::from(again.clone()))
        .exec_without_returning(db)
        .await?;
    event::keep_bound(tenant, now, db).await?;
    to_delivery(again, before.event)
}

/// Forgets deliveries that ended long ago ([`KEPT`]) or are more than are kept of a webhook ([`MAX_KEPT`]), and events that nobody is to be
/// told of any more; returns how many of both.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn sweep(now: OffsetDateTime, db: &impl ConnectionTrait) -> Result<u64, StoreError> {
    let old = row::Entity::delete_many()
        .filter(row::Column::EndedAt.lt(UnixMicros::from(now - KEPT)))
        .exec(db)
        .await?;
    let mut forgotten = old.rows_affected;
    let webhooks: Vec<Uuid> = webhook_row::Entity::find()
        .select_only()
        .column(webhook_row::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    for webhook in webhooks {
        let ended = || {
            row::Entity::find()
                .filter(row::Column::WebhookId.eq(webhook))
                .filter(row::Column::NextAttemptAt.is_null())
        };
        let newest_too_many: Option<Uuid> = ended()
            .select_only()
            .column(row::Column::Id)
            .order_by_desc(row::Column::Id)
            .offset(MAX_KEPT)
            .limit(1)
            .into_tuple()
            .one(db)
            .await?;
        let Some(newest) = newest_too_many else {
            continue;
        };
        let deleted = row::Entity::delete_many()
            .filter(row::Column::WebhookId.eq(webhook))
            .filter(row::Column::NextAttemptAt.is_null())
            .filter(row::Column::Id.lte(newest))
            .exec(db)
            .await?;
        forgotten += deleted.rows_affected;
    }
    Ok(forgotten + event::forget_untold(db).await?)
}

async fn with_events(
    rows: Vec<row::Model>,
    db: &impl ConnectionTrait,
) -> Result<Vec<Delivery>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let events = event_row::Entity::find()
        .filter(event_row::Column::Id.is_in(rows.iter().map(|row| row.event_id)))
        .all(db)
        .await?;
    let events: HashMap<Uuid, event_row::Model> =
        events.into_iter().map(|event| (event.id, event)).collect();
    // An event goes only together with its deliveries: one that is missing went between the two queries.
    let known = rows.into_iter().filter_map(|row| {
        let event = events.get(&row.event_id)?.clone();
        Some(to_event(event).and_then(|event| to_delivery(row, event)))
    });
    known.collect()
}

pub(super) fn to_event(row: event_row::Model) -> Result<Event, StoreError> {
    Ok(Event {
        id: row.id,
        kind: row.kind.parse().map_err(|_| StoreError::Corrupt {
            table: "webhook_events",
            column: "kind",
        })?,
        object_id: row.object_id,
        occurred_at: row.occurred_at.into(),
        data: row.data,
    })
}

pub(super) fn to_delivery(row: row::Model, event: Event) -> Result<Delivery, StoreError> {
    let corrupt = |column| StoreError::Corrupt {
        table: "webhook_deliveries",
        column,
    };
    let reason = row.reason.map(|word| word.parse()).transpose();
    let status = row.status.map(u16::try_from).transpose();
    Ok(Delivery {
        id: row.id,
        tenant_id: row.tenant_id,
        webhook_id: row.webhook_id,
        event,
        state: row.state.parse().map_err(|_| corrupt("state"))?,
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        next_attempt_at: row.next_attempt_at.map(Into::into),
        created_at: row.created_at.into(),
        attempted_at: row.attempted_at.map(Into::into),
        ended_at: row.ended_at.map(Into::into),
        reason: reason.map_err(|_| corrupt("reason"))?,
        status: status.map_err(|_| corrupt("status"))?,
        excerpt: row.excerpt,
        took_ms: row
            .took_ms
            .map(|took| u32::try_from(took).unwrap_or(u32::MAX)),
    })
}
