//! Webhooks: where a tenant wants to be told of what happens, and what is on its way there.
//!
//! ```text
//!   whatever happens ── tell, in its transaction ──► an event, and a delivery for each webhook that wants it
//!                                                      │ take, with a lease
//!                                                      ▼
//!                      delivered, later, given up ◄── whoever sends (in the portal)
//! ```
//!
//! An event that nobody wants to be told of leaves no row. What became of a delivery is kept for a while ([`KEPT`], [`MAX_KEPT`]), with what
//! was told, so that it can be told again.
//!
//! The secret that signs what is told lies sealed. When it is replaced, the one before it signs too until its time is over, so that a
//! receiver can change from one to the other.
//!
//! Not here: what an event says, signatures, and HTTP. They are in the portal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
};
use time::OffsetDateTime;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::list::{Key, check_updated, check_version, contains_in_any_case, page};
use crate::row::webhook as row;
use crate::words::words;
use crate::{
    Db, Page, PageRequest, Place, Secret, Sort, SortColumn, StoreError, Vault, begin, commit, id,
};

mod delivery;
mod event;
mod outbox;
mod presence;

pub use delivery::{
    Delivery, DeliveryFilter, DeliverySort, DeliveryState, KEPT, MAX_KEPT, list_deliveries,
    load_delivery, redeliver, sweep,
};
pub use event::{Event, EventKind, MAX_WAITING, NewEvent, set_data, tell, tell_one};
pub(crate) use event::{forget_erased_calls, tell_calls};
pub use outbox::{
    Attempted, DeliveryReason, Taken, count_waiting, give_up, next_due, postpone, release,
    set_delivered, switch_off, take,
};
pub use presence::{begin_watch, end_watch, find_present, list_watching, tell_presence};

/// How many webhooks a tenant can have.
pub const MAX_WEBHOOKS: u64 = 20;

/// How every secret begins (Standard Webhooks 1.0, "Signature scheme").
pub const SECRET_START: &str = "whsec_";

/// Bytes of a secret; the standard wants 24 to 64.
const SECRET_BYTES: usize = 32;

words! {
    /// Why a webhook is off although nobody switched it off.
    OffReason {
        /// The receiver said that it is gone for good (410).
        Gone = "gone",
        /// The receiver took nothing for days.
        Failing = "failing",
    }
}

/// Where a tenant wants to be told of what happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The row's key.
    pub id: Uuid,
    /// Of which tenant.
    pub tenant_id: Uuid,
    /// What people call it.
    pub name: String,
    /// Where it is told: `https`.
    pub url: String,
    /// Of what.
    pub events: Vec<EventKind>,
    /// Whether it is told at all.
    pub enabled: bool,
    /// Why not, if nobody switched it off.
    pub off_reason: Option<OffReason>,
    /// Until when the secret before the present one signs too.
    pub previous_until: Option<OffsetDateTime>,
    /// Since when the receiver has taken nothing.
    pub failing_since: Option<OffsetDateTime>,
    /// How many deliveries were dropped because too many waited, since it was last switched on.
    pub dropped: u64,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Counts changes.
    pub version: u64,
}

/// What people say of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookFields {
    /// What they call it.
    pub name: String,
    /// Where it is told.
    pub url: String,
    /// Of what.
    pub events: Vec<EventKind>,
    /// Whether it is told at all.
    pub enabled: bool,
}

words! {
    /// What webhooks can be ordered by.
    WebhookSort {
        /// When they were made.
        CreatedAt = "created_at",
    }
}

impl SortColumn for WebhookSort {
    const USUAL: Sort<Self> = Sort::ascending(Self::CreatedAt);
}

/// Makes a webhook, and gives the secret that signs what it is told: `whsec_` and the base64 of 32 bytes.
///
/// # Errors
///
/// [`StoreError::Count`] with `webhooks` if the tenant has too many, [`StoreError::Database`].
pub async fn insert(
    tenant: Uuid,
    fields: &WebhookFields,
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(Webhook, Secret), StoreError> {
    let of_tenant = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
    if of_tenant.count(db).await? >= MAX_WEBHOOKS {
        return Err(StoreError::Count {
            field: "webhooks",
            max: usize::try_from(MAX_WEBHOOKS).unwrap_or(usize::MAX),
        });
    }
    let (id, secret) = (id::new(now), random_secret());
    let made = row::Model {
        id,
        tenant_id: tenant,
        name: fields.name.clone(),
        url: fields.url.clone(),
        events: event::written(&fields.events),
        enabled: fields.enabled,
        off_reason: None,
        secret_sealed: vault.seal_text(&secret, &place(id, 1)),
        secret_version: 1,
        previous_sealed: None,
        previous_until: None,
        failing_since: None,
        dropped: 0,
        created_at: now.into(),
        version: 1,
    };
    row::Entity::insert(row::ActiveModel::from(made.clone()))
        .exec_without_returning(db)
        .await?;
    Ok((made.try_into()?, secret))
}

/// The webhooks of a tenant; the search looks at name and address.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    request: &PageRequest<WebhookSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<Webhook>, StoreError> {
    let mut select = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
    for word in request.words() {
        select = select.filter(
            sea_orm::Condition::any()
                .add(contains_in_any_case(row::Column::Name, &word))
                .add(contains_in_any_case(row::Column::Url, &word)),
        );
    }
    let rows = page(select, Key::Age, row::Column::Id, request, db).await?;
    let items: Result<_, _> = rows.items.into_iter().map(Webhook::try_from).collect();
    Ok(Page {
        items: items?,
        next: rows.next,
        total: rows.total,
    })
}

/// The webhook with that key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Webhook, StoreError> {
    load_row(tenant, id, db).await?.try_into()
}

/// Changes a webhook. Switched off, it forgets what waits for it; switched on, why it was off.
///
/// # Errors
///
/// [`StoreError::NotFound`]; [`StoreError::StaleVersion`] if `expected` is given and is not the row's version;
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn update(
    tenant: Uuid,
    id: Uuid,
    fields: &WebhookFields,
    expected: Option<u64>,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Webhook, StoreError> {
    let transaction = begin(db).await?;
    let before = load_row(tenant, id, &transaction).await?;
    check_version(before.version, expected)?;
    let mut changes = row::ActiveModel {
        name: Set(fields.name.clone()),
        url: Set(fields.url.clone()),
        events: Set(event::written(&fields.events)),
        enabled: Set(fields.enabled),
        ..Default::default()
    };
    if fields.url != before.url {
        // Another receiver, which has failed at nothing.
        changes.failing_since = Set(None);
    }
    if fields.enabled && !before.enabled {
        changes.off_reason = Set(None);
        changes.failing_since = Set(None);
        changes.dropped = Set(0);
    }
    let updated = row::Entity::update_many()
        .set(changes)
        .col_expr(row::Column::Version, Expr::cust("version + 1"))
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::Version.eq(before.version))
        .exec(&transaction)
        .await?;
    check_updated(updated.rows_affected, before.version)?;
    if !fields.enabled {
        outbox::cancel(id, now, &transaction).await?;
    }
    let webhook = load(tenant, id, &transaction).await?;
    commit(transaction).await?;
    Ok(webhook)
}

/// Deletes a webhook with all that waits for it and its history.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn delete(tenant: Uuid, id: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    load_row(tenant, id, db).await?;
    row::Entity::delete_by_id(id).exec(db).await?;
    event::forget_untold(db).await?;
    Ok(())
}

/// Gives a webhook a new secret, and tells it. The one before signs too until `overlap_until`, if that is given.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::StaleVersion`] if somebody else replaced it at the same time, [`StoreError::Database`],
/// [`StoreError::Corrupt`].
pub async fn replace_secret(
    tenant: Uuid,
    id: Uuid,
    overlap_until: Option<OffsetDateTime>,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<(Webhook, Secret), StoreError> {
    let before = load_row(tenant, id, db).await?;
    let secret = random_secret();
    let version = before.secret_version + 1;
    let updated = row::Entity::update_many()
        .set(row::ActiveModel {
            secret_sealed: Set(vault.seal_text(&secret, &place(id, version))),
            secret_version: Set(version),
            previous_sealed: Set(overlap_until.map(|_| before.secret_sealed.clone())),
            previous_until: Set(overlap_until.map(Into::into)),
            ..Default::default()
        })
        .col_expr(row::Column::Version, Expr::cust("version + 1"))
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::SecretVersion.eq(before.secret_version))
        .exec(db)
        .await?;
    check_updated(updated.rows_affected, before.version)?;
    Ok((load(tenant, id, db).await?, secret))
}

/// The secrets that sign now, the present one first.
fn secrets(
    row: &row::Model,
    vault: &Vault,
    now: OffsetDateTime,
) -> Result<Vec<Secret>, StoreError> {
    let mut secrets =
        vec![vault.open_text(&row.secret_sealed, &place(row.id, row.secret_version))?];
    if let (Some(sealed), Some(until)) = (&row.previous_sealed, row.previous_until)
        && OffsetDateTime::from(until) > now
    {
        secrets.push(vault.open_text(sealed, &place(row.id, row.secret_version - 1))?);
    }
    Ok(secrets)
}

fn random_secret() -> Secret {
    let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
    rand::rng().fill_bytes(&mut *bytes);
    Secret::new(format!("{SECRET_START}{}", STANDARD.encode(*bytes)))
}

/// The secret before the present one stays sealed for the place where it was.
fn place(id: Uuid, version: i64) -> Place {
    Place {
        table: "webhooks",
        id,
        column: "secret_sealed",
        version,
    }
}

async fn load_row(
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

impl TryFrom<row::Model> for Webhook {
    type Error = StoreError;

    fn try_from(row: row::Model) -> Result<Self, StoreError> {
        let off_reason = row.off_reason.map(|word| word.parse());
        Ok(Self {
            id: row.id,
            tenant_id: row.tenant_id,
            name: row.name,
            url: row.url,
            events: event::read(&row.events)?,
            enabled: row.enabled,
            off_reason: off_reason.transpose().map_err(|_| StoreError::Corrupt {
                table: "webhooks",
                column: "off_reason",
            })?,
            previous_until: row.previous_until.map(Into::into),
            failing_since: row.failing_since.map(Into::into),
            dropped: row.dropped.unsigned_abs(),
            created_at: row.created_at.into(),
            version: row.version.unsigned_abs(),
        })
    }
}
