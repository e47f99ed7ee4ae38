//! Deliveries on their way: taken with a lease, and what came of each attempt.
//!
//! A process that dies while it tells an event leaves the delivery to whoever comes after the lease. So an event may be told twice, with the
//! same key; it is never told out of a transaction that did not happen.

use std::collections::HashSet;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::delivery::{Delivery, DeliveryState, to_delivery, to_event};
use super::{OffReason, secrets};
use crate::micros::UnixMicros;
use crate::row::{webhook as webhook_row, webhook_delivery as row, webhook_event as event_row};
use crate::words::words;
use crate::{Secret, StoreError, Vault};

words! {
    /// Why a receiver did not take an event.
    DeliveryReason {
        /// The receiver's name leads nowhere.
        UnknownHost = "unknown_host",
        /// The receiver's address is one that this installation does not connect to.
        ForbiddenHost = "forbidden_host",
        /// Nobody answers at the receiver's address.
        Unreachable = "unreachable",
        /// The receiver does not speak TLS as it should, or its certificate is not good.
        Tls = "tls",
        /// The receiver took too long.
        Timeout = "timeout",
        /// The receiver sent us elsewhere, which is not followed.
        Redirect = "redirect",
        /// The receiver answered with a status that is not 2xx.
        Status = "status",
        /// What the receiver said is not HTTP.
        Protocol = "protocol",
        /// Too many events waited.
        Overflow = "overflow",
        /// The webhook was switched off.
        SwitchedOff = "switched_off",
        /// What the event was about was erased before it could be told.
        Erased = "erased",
        /// The event could not be told for a reason on our side.
        Internal = "internal",
    }
}

/// A delivery that the caller is to carry out now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What is told.
    pub delivery: Delivery,
    /// What people call the webhook.
    pub name: String,
    /// Where it is told.
    pub url: String,
    /// What signs it, the present secret first.
    pub secrets: Vec<Secret>,
    /// Since when the receiver has taken nothing.
    pub failing_since: Option<OffsetDateTime>,
}

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempted<'a> {
    /// Why it failed, if it did.
    pub reason: Option<DeliveryReason>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// How the answer began.
    pub excerpt: &'a str,
    /// How long it took.
    pub took: Duration,
}

/// Takes the delivery that has waited longest after its time, for `lease`: nobody else gets it until that is over. Those of webhooks or
/// tenants that are busy are left alone. `None` if none is due.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn take(
    lease: Duration,
    busy_webhooks: &HashSet<Uuid>,
    busy_tenants: &HashSet<Uuid>,
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<Taken>, StoreError> {
    loop {
        let due = row::Entity::find()
            .filter(row::Column::NextAttemptAt.lte(UnixMicros::from(now)))
            .filter(row::Column::WebhookId.is_not_in(busy_webhooks.iter().copied()))
            .filter(row::Column::TenantId.is_not_in(busy_tenants.iter().copied()))
            .order_by_asc(row::Column::NextAttemptAt)
            .order_by_asc(row::Column::Id)
            .one(db)
            .await?;
        let Some(due) = due else { return Ok(None) };
        let taken = row::Entity::update_many()
            .set(row::ActiveModel {
                next_attempt_at: Set(Some((now + lease).into())),
                attempted_at: Set(Some(now.into())),
                ..Default::default()
            })
            .col_expr(row::Column::Attempts, Expr::cust("attempts + 1"))
            .filter(row::Column::Id.eq(due.id))
            .filter(row::Column::NextAttemptAt.eq(due.next_attempt_at))
            .exec(db)
            .await?;
        if taken.rows_affected != 1 {
            // Somebody else was faster, or it was dropped.
            continue;
        }
        let webhook = webhook_row::Entity::find_by_id(due.webhook_id)
            .one(db)
            .await?;
        let event = event_row::Entity::find_by_id(due.event_id).one(db).await?;
        let (Some(webhook), Some(event)) = (webhook, event) else {
            // Both take it along when they go.
            continue;
        };
        let Ok(secrets) = secrets(&webhook, vault, now) else {
            let attempted = Attempted {
                reason: Some(DeliveryReason::Internal),
                status: None,
                excerpt: "",
                took: Duration::ZERO,
            };
            give_up(due.id, &attempted, now, db).await?;
            continue;
        };
        let mut delivery = to_delivery(due, to_event(event)?)?;
        delivery.attempts += 1;
        return Ok(Some(Taken {
            delivery,
            name: webhook.name,
            url: webhook.url,
            secrets,
            failing_since: webhook.failing_since.map(Into::into),
        }));
    }
}

/// When the next delivery is due; `None` if none waits.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn next_due(db: &impl ConnectionTrait) -> Result<Option<OffsetDateTime>, StoreError> {
    let next = row::Entity::find()
        .select_only()
        .column(row::Column::NextAttemptAt)
        .filter(row::Column::NextAttemptAt.is_not_null())
        .order_by_asc(row::Column::NextAttemptAt)
        .limit(1)
        .into_tuple::<UnixMicros>()
        .one(db)
        .await?;
    Ok(next.map(OffsetDateTime::from))
}

/// How many deliveries wait, of all tenants.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn count_waiting(db: &impl ConnectionTrait) -> Result<u64, StoreError> {
    Ok(row::Entity::find()
        .filter(row::Column::NextAttemptAt.is_not_null())
        .count(db)
        .await?)
}

/// The receiver took it: the webhook is well.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn set_delivered(
    delivery: &Delivery,
    attempted: &Attempted<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let state = DeliveryState::Delivered;
    // Also when it was dropped while it was on its way: it did arrive.
    row::Entity::update_many()
        .set(ended(state, attempted, now))
        .filter(row::Column::Id.eq(delivery.id))
        .exec(db)
        .await?;
    webhook_row::Entity::update_many()
        .set(webhook_row::ActiveModel {
            failing_since: Set(None),
            ..Default::default()
        })
        .filter(webhook_row::Column::Id.eq(delivery.webhook_id))
        .filter(webhook_row::Column::FailingSince.is_not_null())
        .exec(db)
        .await?;
    Ok(())
}

/// It is tried again at `next`.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn postpone(
    delivery: &Delivery,
    attempted: &Attempted<'_>,
    next: OffsetDateTime,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    row::Entity::update_many()
        .set(row::ActiveModel {
            next_attempt_at: Set(Some(next.into())),
            ..noted(attempted)
        })
        .filter(row::Column::Id.eq(delivery.id))
        .filter(row::Column::State.eq(DeliveryState::Waiting.as_str()))
        .exec(db)
        .await?;
    note_failing(delivery.webhook_id, now, db).await
}

/// These were taken and are not carried out: they are due again at once.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn release(
    deliveries: &[Uuid],
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    if deliveries.is_empty() {
        return Ok(());
    }
    row::Entity::update_many()
        .set(row::ActiveModel {
            next_attempt_at: Set(Some(now.into())),
            ..Default::default()
        })
        .filter(row::Column::Id.is_in(deliveries.iter().copied()))
        .filter(row::Column::State.eq(DeliveryState::Waiting.as_str()))
        .exec(db)
        .await?;
    Ok(())
}

/// It is not tried again.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn give_up(
    delivery: Uuid,
    attempted: &Attempted<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    row::Entity::update_many()
        .set(ended(DeliveryState::Failed, attempted, now))
        .filter(row::Column::Id.eq(delivery))
        .filter(row::Column::State.eq(DeliveryState::Waiting.as_str()))
        .exec(db)
        .await?;
    Ok(())
}

/// Switches a webhook off, because of its receiver, and drops what waits for it. Not if it is off already or, unless it is
/// [`OffReason::Gone`], if the receiver has taken something since it was known to fail since `failing_since`. Whether it was done.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn switch_off(
    webhook: Uuid,
    reason: OffReason,
    failing_since: Option<OffsetDateTime>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let mut still = Condition::all().add(webhook_row::Column::Enabled.eq(true));
    if reason == OffReason::Failing {
        let since = failing_since.map(UnixMicros::from);
        still = still.add(webhook_row::Column::FailingSince.eq(since));
    }
    let switched = webhook_row::Entity::update_many()
        .set(webhook_row::ActiveModel {
            enabled: Set(false),
            off_reason: Set(Some(reason.as_str().to_owned())),
            ..Default::default()
        })
        .col_expr(webhook_row::Column::Version, Expr::cust("version + 1"))
        .filter(webhook_row::Column::Id.eq(webhook))
        .filter(still)
        .exec(db)
        .await?;
    let switched = switched.rows_affected == 1;
    if switched {
        cancel(webhook, now, db).await?;
    }
    Ok(switched)
}

/// Drops what waits for a webhook.
pub(super) async fn cancel(
    webhook: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    row::Entity::update_many()
        .set(row::ActiveModel {
            state: Set(DeliveryState::Dropped.as_str().to_owned()),
            reason: Set(Some(DeliveryReason::SwitchedOff.as_str().to_owned())),
            next_attempt_at: Set(None),
            ended_at: Set(Some(now.into())),
            ..Default::default()
        })
        .filter(row::Column::WebhookId.eq(webhook))
        .filter(row::Column::State.eq(DeliveryState::Waiting.as_str()))
        .exec(db)
        .await?;
    Ok(())
}

/// Since now the receiver takes nothing, unless that is known already.
async fn note_failing(
    webhook: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    webhook_row::Entity::update_many()
        .set(webhook_row::ActiveModel {
            failing_since: Set(Some(now.into())),
            ..Default::default()
        })
        .filter(webhook_row::Column::Id.eq(webhook))
        .filter(webhook_row::Column::FailingSince.is_null())
        .exec(db)
        .await?;
    Ok(())
}

fn ended(state: DeliveryState, attempted: &Attempted<'_>, now: OffsetDateTime) -> row::ActiveModel {
    row::ActiveModel {
        state: Set(state.as_str().to_owned()),
        next_attempt_at: Set(None),
        ended_at: Set(Some(now.into())),
        ..noted(attempted)
    }
}

fn noted(attempted: &Attempted<'_>) -> row::ActiveModel {
    let took = i64::try_from(attempted.took.whole_milliseconds()).unwrap_or(i64::MAX);
    row::ActiveModel {
        reason: Set(attempted.reason.map(|reason| reason.as_str().to_owned())),
        status: Set(attempted.status.map(i64::from)),
        excerpt: Set(Some(attempted.excerpt.to_owned()).filter(|excerpt| !excerpt.is_empty())),
        took_ms: Set(Some(took)),
        ..Default::default()
    }
}
