//! What happened and is to be told: noted in the transaction in which it happens, for every webhook that wants it.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use time::OffsetDateTime;
use tracing::warn;
use uuid::Uuid;

use super::delivery::DeliveryState;
use super::outbox::DeliveryReason;
use crate::call::Call;
use crate::list::is_among;
use crate::row::{
    call as call_row, webhook as webhook_row, webhook_delivery as delivery_row,
    webhook_event as row,
};
use crate::words::words;
use crate::{StoreError, id};

/// How many deliveries of one tenant can wait; for a further one the oldest is dropped.
pub const MAX_WAITING: u64 = 5_000;

words! {
    /// What can happen that webhooks are told of.
    EventKind {
        /// A contact was made.
        ContactCreated = "contact.created",
        /// A contact was changed.
        ContactUpdated = "contact.updated",
        /// A contact was deleted.
        ContactDeleted = "contact.deleted",
        /// A SIP account was made.
        AccountCreated = "account.created",
        /// A SIP account was changed.
        AccountUpdated = "account.updated",
        /// A SIP account was deleted.
        AccountDeleted = "account.deleted",
        /// A SIP account has a registration where it had none.
        AccountRegistered = "account.registered",
        /// The last registration of a SIP account has ended.
        AccountUnregistered = "account.unregistered",
        /// A device was made.
        DeviceCreated = "device.created",
        /// A device was changed.
        DeviceUpdated = "device.updated",
        /// A device was deleted.
        DeviceDeleted = "device.deleted",
        /// A phone has become the device.
        DeviceActivated = "device.activated",
        /// A device is there where it was not.
        DeviceOnline = "device.online",
        /// A device is not there any more.
        DeviceOffline = "device.offline",
        /// A service provider was made.
        ProviderCreated = "provider.created",
        /// A service provider was changed.
        ProviderUpdated = "provider.updated",
        /// A service provider was deleted.
        ProviderDeleted = "provider.deleted",
        /// A call, or an attempt at one, has ended.
        CallEnded = "call.ended",
        /// An import of contacts was carried out.
        ImportCommitted = "import.committed",
        /// Somebody has become a member of the tenant.
        MemberJoined = "member.joined",
        /// Somebody asked for a test.
        WebhookTest = "webhook.test",
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The row's key: it names the event to the receiver, however often it is told.
    pub id: Uuid,
    /// What.
    pub kind: EventKind,
    /// To which object.
    pub object_id: Option<Uuid>,
    /// When.
    pub occurred_at: OffsetDateTime,
    /// What is told of it, JSON; `None` until it is told for the first time, if it was not known before ([`set_data`]).
    pub data: Option<String>,
}

/// Something that happens in this moment.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a> {
    /// What.
    pub kind: EventKind,
    /// To which object.
    pub object: Option<Uuid>,
    /// What is told of it, JSON.
    pub data: Option<&'a str>,
}

/// Notes an event for every webhook of the tenant that wants it. Call it in the transaction in which it happens.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn tell(
    tenant: Uuid,
    event: &NewEvent<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let wanting = wanting(&[tenant], event.kind, db).await?;
    let webhooks: Vec<Uuid> = wanting.into_values().flatten().collect();
    if webhooks.is_empty() {
        return Ok(());
    }
    note(tenant, event, &webhooks, now, db).await?;
    keep_bound(tenant, now, db).await
}

/// Notes an event for this webhook alone, whatever it wants; gives the delivery's key.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn tell_one(
    tenant: Uuid,
    webhook: Uuid,
    event: &NewEvent<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Uuid, StoreError> {
    let noted = note(tenant, event, &[webhook], now, db).await?;
    keep_bound(tenant, now, db).await?;
    Ok(noted)
}

/// What is told of an event, once that is known. What is told does not change any more.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn set_data(
    event: Uuid,
    data: &str,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    row::Entity::update_many()
        .set(row::ActiveModel {
            data: Set(Some(data.to_owned())),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(event))
        .filter(row::Column::Data.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Notes which of these calls have ended, each once. Their data are read when they are told.
pub(crate) async fn tell_calls(
    calls: &[&(Uuid, Call)],
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let ended = calls.iter().filter(|(_, call)| call.ended_at.is_some());
    let tenants: HashSet<Uuid> = ended.clone().map(|(tenant, _)| *tenant).collect();
    if tenants.is_empty() {
        return Ok(());
    }
    let tenants: Vec<Uuid> = tenants.into_iter().collect();
    let wanting = wanting(&tenants, EventKind::CallEnded, db).await?;
    if wanting.is_empty() {
        return Ok(());
    }
    let ended: Vec<_> = ended
        .filter(|(tenant, _)| wanting.contains_key(tenant))
        .collect();
    let told: HashSet<Uuid> = row::Entity::find()
        .select_only()
        .column(row::Column::ObjectId)
        .filter(row::Column::Kind.eq(EventKind::CallEnded.as_str()))
        .filter(is_among(
            row::Column::ObjectId,
            ended.iter().map(|(_, call)| call.id),
            db.get_database_backend(),
        ))
        .into_tuple::<Uuid>()
        .all(db)
        .await?
        .into_iter()
        .collect();
    for (tenant, call) in ended {
        let (Some(webhooks), Some(ended_at)) = (wanting.get(tenant), call.ended_at) else {
            continue;
        };
        if told.contains(&call.id) {
            continue;
        }
        let event = NewEvent {
            kind: EventKind::CallEnded,
            object: Some(call.id),
            data: None,
        };
        note(*tenant, &event, webhooks, ended_at, db).await?;
        keep_bound(*tenant, ended_at, db).await?;
    }
    Ok(())
}

/// Forgets what is told of calls of the tenant that were erased.
pub(crate) async fn forget_erased_calls(
    tenant: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let call = Query::select()
        .expr(Expr::val(1))
        .from(call_row::Entity)
        .and_where(
            Expr::col((call_row::Entity, call_row::Column::Id))
                .equals((row::Entity, row::Column::ObjectId)),
        )
        .take();
    row::Entity::delete_many()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::Kind.eq(EventKind::CallEnded.as_str()))
        .filter(Expr::exists(call).not())
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets events without a delivery.
pub(super) async fn forget_untold(db: &impl ConnectionTrait) -> Result<u64, StoreError> {
    let delivery = Query::select()
        .expr(Expr::val(1))
        .from(delivery_row::Entity)
        .and_where(
            Expr::col((delivery_row::Entity, delivery_row::Column::EventId))
                .equals((row::Entity, row::Column::Id)),
        )
        .take();
    let forgotten = row::Entity::delete_many()
        .filter(Expr::exists(delivery).not())
        .exec(db)
        .await?;
    Ok(forgotten.rows_affected)
}

/// The webhooks that want this, by tenant; tenants without any are left out.
async fn wanting(
    tenants: &[Uuid],
    kind: EventKind,
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, Vec<Uuid>>, StoreError> {
    let rows: Vec<(Uuid, Uuid, String)> = webhook_row::Entity::find()
        .select_only()
        .column(webhook_row::Column::TenantId)
        .column(webhook_row::Column::Id)
        .column(webhook_row::Column::Events)
        .filter(is_among(
            webhook_row::Column::TenantId,
            tenants.iter().copied(),
            db.get_database_backend(),
        ))
        .filter(webhook_row::Column::Enabled.eq(true))
        .into_tuple()
        .all(db)
        .await?;
    let mut wanting: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (tenant, webhook, events) in rows {
        if read(&events)?.contains(&kind) {
            wanting.entry(tenant).or_default().push(webhook);
        }
    }
    Ok(wanting)
}

/// Gives the key of the last delivery.
async fn note(
    tenant: Uuid,
    event: &NewEvent<'_>,
    webhooks: &[Uuid],
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Uuid, StoreError> {
    let noted = row::Model {
        id: id::new(now),
        tenant_id: tenant,
        kind: event.kind.as_str().to_owned(),
        object_id: event.object,
        occurred_at: now.into(),
        data: event.data.map(str::to_owned),
    };
    let event_id = noted.id;
    row::Entity::insert(row::ActiveModel::from(noted))
        .exec_without_returning(db)
        .await?;
    let deliveries = webhooks
        .iter()
        .map(|webhook| waiting(tenant, *webhook, event_id, now));
    let deliveries: Vec<_> = deliveries.collect();
    let last = deliveries.last().map_or(event_id, |delivery| delivery.id);
    delivery_row::Entity::insert_many(deliveries.into_iter().map(delivery_row::ActiveModel::from))
        .exec_without_returning(db)
        .await?;
    Ok(last)
}

/// A delivery that is due at once.
pub(super) fn waiting(
    tenant: Uuid,
    webhook: Uuid,
    event: Uuid,
    now: OffsetDateTime,
) -> delivery_row::Model {
    delivery_row::Model {
        id: id::new(now),
        tenant_id: tenant,
        webhook_id: webhook,
        event_id: event,
        state: DeliveryState::Waiting.as_str().to_owned(),
        attempts: 0,
        next_attempt_at: Some(now.into()),
        created_at: now.into(),
        attempted_at: None,
        ended_at: None,
        reason: None,
        status: None,
        excerpt: None,
        took_ms: None,
    }
}

/// Drops the oldest deliveries of the tenant that are too many.
pub(super) async fn keep_bound(
    tenant: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let waiting = || {
        delivery_row::Entity::find()
            .filter(delivery_row::Column::TenantId.eq(tenant))
            .filter(delivery_row::Column::NextAttemptAt.is_not_null())
    };
    let too_many = waiting().count(db).await?.saturating_sub(MAX_WAITING);
    if too_many == 0 {
        return Ok(());
    }
    let oldest: Vec<(Uuid, Uuid)> = waiting()
        .select_only()
        .column(delivery_row::Column::Id)
        .column(delivery_row::Column::WebhookId)
        .order_by_asc(delivery_row::Column::Id)
        .limit(too_many)
        .into_tuple()
        .all(db)
        .await?;
    for (delivery, webhook) in oldest {
        delivery_row::Entity::update_many()
            .set(delivery_row::ActiveModel {
                state: Set(DeliveryState::Dropped.as_str().to_owned()),
                reason: Set(Some(DeliveryReason::Overflow.as_str().to_owned())),
                next_attempt_at: Set(None),
                ended_at: Set(Some(now.into())),
                ..Default::default()
            })
            .filter(delivery_row::Column::Id.eq(delivery))
            .exec(db)
            .await?;
        webhook_row::Entity::update_many()
            .col_expr(webhook_row::Column::Dropped, Expr::cust("dropped + 1"))
            .filter(webhook_row::Column::Id.eq(webhook))
            .exec(db)
            .await?;
        warn!(webhook.id = %webhook, "an event was dropped, because too many wait for the receivers of this tenant");
    }
    Ok(())
}

pub(super) fn written(kinds: &[EventKind]) -> String {
    let words: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
    words.join(" ")
}

pub(super) fn read(words: &str) -> Result<Vec<EventKind>, StoreError> {
    let kinds = words.split_whitespace().map(str::parse);
    kinds
        .collect::<Result<_, _>>()
        .map_err(|_| StoreError::Corrupt {
            table: "webhooks",
            column: "events",
        })
}
