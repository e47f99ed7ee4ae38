//! Mails on their way: queued in the transaction of what causes them, sent by one task, kept for a while as an account of what became
//! of them.
//!
//! The content is sealed, because it may carry a link that opens something, and erased as soon as it is of no more use: when the mail
//! was sent, put into the mailbox or given up, or when its activation was used, replaced or has expired, which also keeps it from being sent
//! ([`MailState::Superseded`]).
//!
//! Whoever sends takes a mail with a lease ([`take`]). A process that dies meanwhile leaves it to whoever comes after the lease, so a mail
//! is sent once, and twice only if the process died between the server's answer and the note of it. The key of the row makes the
//! Message-ID, so that both copies are one to the receiver.
//!
//! Not here: what a mail looks like, and SMTP. Both are in the portal.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::micros::UnixMicros;
use crate::row::{activation as activation_row, mail as row};
use crate::{MailKind, MailReason, MailState, Place, Secret, StoreError, Vault, id};

mod list;
mod settings;

pub use list::{MailFilter, MailSort, list};
pub use settings::{
    AppLinks, MailServer, MailServerFields, MailSettings, MailSettingsFields, load_settings,
    set_settings,
};

/// How many mails of one tenant can wait; those of no tenant count as one more tenant.
pub const MAX_QUEUED: u64 = 1_000;

/// How long it is known what became of a mail. Longer than any activation lives.
pub const KEPT: Duration = Duration::days(40);

/// A mail that was asked for, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The row's key.
    pub id: Uuid,
    /// The tenant that sends it; `None` if the installation does.
    pub tenant_id: Option<Uuid>,
    /// What it is about.
    pub kind: MailKind,
    /// Whom it goes to.
    pub recipient: String,
    /// How far it is.
    pub state: MailState,
    /// Why the last attempt failed.
    pub reason: Option<MailReason>,
    /// What the server said to the last attempt, in its words.
    pub detail: Option<String>,
    /// How often it was tried, an attempt under way included.
    pub attempts: u32,
    /// When it is tried next, while it waits.
    pub next_attempt_at: Option<OffsetDateTime>,
    /// When it was queued.
    pub created_at: OffsetDateTime,
    /// When it was sent, put into the mailbox, given up or superseded.
    pub ended_at: Option<OffsetDateTime>,
}

/// A mail to be queued.
#[derive(Clone, Copy, Debug)]
pub struct NewMail<'a> {
    /// The tenant that sends it; `None` if the installation does.
    pub tenant: Option<Uuid>,
    /// The device whose open activation it carries: with that it is superseded.
    pub device: Option<Uuid>,
    /// What it is about.
    pub kind: MailKind,
    /// Whom it goes to.
    pub recipient: &'a str,
    /// Everything that it says.
    pub content: &'a Secret,
}

/// A mail that the caller is to send now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenMail {
    /// What it is.
    pub mail: Mail,
    /// What it says.
    pub content: Secret,
}

/// Why an attempt did not send a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailFailure<'a> {
    /// Why.
    pub reason: MailReason,
    /// What the server said, in its words.
    pub detail: &'a str,
}

/// Queues a mail. Call it in the transaction of what causes it.
///
/// # Errors
///
/// [`StoreError::Count`] with `mails` if too many wait, [`StoreError::NotFound`] if the device is not the tenant's or has no activation,
/// [`StoreError::Database`].
pub async fn enqueue(
    new: &NewMail<'_>,
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Mail, StoreError> {
    check_room(new.tenant, db).await?;
    let activation = match new.device {
        Some(device) => Some(activation_of(new.tenant, device, db).await?),
        None => None,
    };
    let id = id::new(now);
    let queued = row::Model {
        id,
        tenant_id: new.tenant,
        activation_id: activation,
        kind: new.kind.as_str().to_owned(),
        recipient: new.recipient.to_owned(),
        state: MailState::Queued.as_str().to_owned(),
        reason: None,
        detail: None,
        attempts: 0,
        next_attempt_at: Some(now.into()),
        created_at: now.into(),
        ended_at: None,
        content_sealed: Some(vault.seal_text(new.content, &place(id))),
    };
    if let Some(activation) = activation {
        // An earlier mail of the same activation need not follow this one.
        supersede_by_activations(&[activation], now, db).await?;
        note_in_activation(activation, id, db).await?;
    }
    row::Entity::insert(row::ActiveModel::from(queued.clone()))
        .exec_without_returning(db)
        .await?;
    queued.try_into()
}

/// Whose mails are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSenders {
    /// Everybody's.
    All,
    /// Those of no tenant.
    Installation,
}

/// Takes the mail that has waited longest after its time, for `lease`: nobody else gets it until that is over. Mails of others than the
/// `senders` and of tenants that are `busy` are left alone. `None` if none is due.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn take(
    lease: Duration,
    senders: MailSenders,
    busy: &[Option<Uuid>],
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<TakenMail>, StoreError> {
    loop {
        let mut waiting = row::Entity::find();
        if senders == MailSenders::Installation {
            waiting = waiting.filter(row::Column::TenantId.is_null());
        }
        for tenant in busy {
            // A comparison with NULL would be neither true nor false.
            waiting = waiting.filter(match tenant {
                Some(tenant) => Condition::any()
                    .add(row::Column::TenantId.ne(*tenant))
                    .add(row::Column::TenantId.is_null()),
                None => Condition::any().add(row::Column::TenantId.is_not_null()),
            });
        }
        let due = waiting
            .filter(row::Column::NextAttemptAt.lte(UnixMicros::from(now)))
            .order_by_asc(row::Column::NextAttemptAt)
            .one(db)
            .await?;
        let Some(due) = due else { return Ok(None) };
        let taken = row::Entity::update_many()
            .set(row::ActiveModel {
                next_attempt_at: Set(Some((now + lease).into())),
                ..Default::default()
            })
            .col_expr(row::Column::Attempts, Expr::cust("attempts + 1"))
            .filter(row::Column::Id.eq(due.id))
            .filter(row::Column::NextAttemptAt.eq(due.next_attempt_at))
            .exec(db)
            .await?;
        if taken.rows_affected != 1 {
            // Somebody else was faster, or it was superseded.
            continue;
        }
        if let Some(activation) = due.activation_id
            && !is_open(activation, now, db).await?
        {
            supersede_by_activations(&[activation], now, db).await?;
            continue;
        }
        let content = due
            .content_sealed
            .as_deref()
            .map(|sealed| vault.open_text(sealed, &place(due.id)));
        let Some(Ok(content)) = content else {
            let failure = MailFailure {
                reason: MailReason::Internal,
                detail: "",
            };
            fail(due.id, &failure, now, db).await?;
            continue;
        };
        let mut mail = Mail::try_from(due)?;
        mail.attempts += 1;
        return Ok(Some(TakenMail { mail, content }));
    }
}

/// When the next mail is due; `None` if none waits.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn next_due(db: &impl ConnectionTrait) -> Result<Option<OffsetDateTime>, StoreError> {
    let next = row::Entity::find()
        .filter(row::Column::NextAttemptAt.is_not_null())
        .order_by_asc(row::Column::NextAttemptAt)
        .one(db)
        .await?;
    Ok(next
        .and_then(|mail| mail.next_attempt_at)
        .map(OffsetDateTime::from))
}

/// How many mails wait, of everybody.
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

/// The mail has left: its content is erased.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn set_sent(
    id: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    arrived(id, MailState::Sent, now, db).await
}

/// The mail was put into the mailbox, which has the only copy now: its content is erased here.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn set_kept(
    id: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    arrived(id, MailState::Kept, now, db).await
}

/// Also when it was superseded while it was on its way: it is out.
async fn arrived(
    id: Uuid,
    state: MailState,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let mail = Condition::all().add(row::Column::Id.eq(id));
    end(mail, state, now, db).await.map(drop)
}

/// The mail is not tried again: its content is erased.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn fail(
    id: Uuid,
    failure: &MailFailure<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let waiting = Condition::all()
        .add(row::Column::Id.eq(id))
        .add(row::Column::State.eq(MailState::Queued.as_str()));
    note_failure(id, failure, None, db).await?;
    end(waiting, MailState::Failed, now, db).await.map(drop)
}

/// The mail is tried again at `next`.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn postpone(
    id: Uuid,
    failure: &MailFailure<'_>,
    next: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    note_failure(id, failure, Some(next), db).await
}

/// The mail with that key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load(
    tenant: Option<Uuid>,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Mail, StoreError> {
    row::Entity::find_by_id(id)
        .filter(of_tenant(tenant))
        .one(db)
        .await?
        .ok_or(StoreError::NotFound)?
        .try_into()
}

/// The mails with these keys, in no order; those that are gone are left out.
pub(crate) async fn load_some(
    ids: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<Vec<Mail>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = row::Entity::find()
        .filter(row::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?;
    rows.into_iter().map(Mail::try_from).collect()
}

/// Forgets mails that ended long ago ([`KEPT`]) and supersedes those whose activation is no more or has expired; returns how many of both.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn sweep(now: OffsetDateTime, db: &impl ConnectionTrait) -> Result<u64, StoreError> {
    let waiting: Vec<Uuid> = row::Entity::find()
        .filter(row::Column::NextAttemptAt.is_not_null())
        .filter(row::Column::ActivationId.is_not_null())
        .all(db)
        .await?
        .into_iter()
        .filter_map(|mail| mail.activation_id)
        .collect();
    let open: Vec<Uuid> = activation_row::Entity::find()
        .filter(activation_row::Column::Id.is_in(waiting.iter().copied()))
        .filter(activation_row::Column::UsedAt.is_null())
        .filter(activation_row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .all(db)
        .await?
        .into_iter()
        .map(|activation| activation.id)
        .collect();
    let over: Vec<Uuid> = waiting
        .into_iter()
        .filter(|id| !open.contains(id))
        .collect();
    let superseded = supersede_by_activations(&over, now, db).await?;
    let forgotten = row::Entity::delete_many()
        .filter(row::Column::CreatedAt.lt(UnixMicros::from(now - KEPT)))
        .exec(db)
        .await?;
    Ok(superseded + forgotten.rows_affected)
}

/// What waits is not sent: a backup that is restored does not know what has left since.
///
/// # Errors
///
/// [`StoreError::Database`].
pub(crate) async fn supersede_all(
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let waiting = Condition::all().add(row::Column::State.eq(MailState::Queued.as_str()));
    end(waiting, MailState::Superseded, now, db).await
}

/// What waits for these activations is not sent; returns how many.
pub(crate) async fn supersede_by_activations(
    activations: &[Uuid],
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    if activations.is_empty() {
        return Ok(0);
    }
    let waiting = Condition::all()
        .add(row::Column::ActivationId.is_in(activations.iter().copied()))
        .add(row::Column::State.eq(MailState::Queued.as_str()));
    end(waiting, MailState::Superseded, now, db).await
}

async fn end(
    which: Condition,
    state: MailState,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let mut values = row::ActiveModel {
        state: Set(state.as_str().to_owned()),
        next_attempt_at: Set(None),
        ended_at: Set(Some(now.into())),
        content_sealed: Set(None),
        ..Default::default()
    };
    if matches!(state, MailState::Sent | MailState::Kept) {
        values.reason = Set(None);
        values.detail = Set(None);
    }
    let ended = row::Entity::update_many()
        .set(values)
        .filter(which)
        .exec(db)
        .await?;
    Ok(ended.rows_affected)
}

async fn note_failure(
    id: Uuid,
    failure: &MailFailure<'_>,
    next: Option<OffsetDateTime>,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let mut values = row::ActiveModel {
        reason: Set(Some(failure.reason.as_str().to_owned())),
        detail: Set(Some(failure.detail.to_owned()).filter(|detail| !detail.is_empty())),
        ..Default::default()
    };
    if let Some(next) = next {
        values.next_attempt_at = Set(Some(next.into()));
    }
    row::Entity::update_many()
        .set(values)
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::State.eq(MailState::Queued.as_str()))
        .exec(db)
        .await?;
    Ok(())
}

async fn check_room(tenant: Option<Uuid>, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    let waiting = row::Entity::find()
        .filter(of_tenant(tenant))
        .filter(row::Column::NextAttemptAt.is_not_null())
        .count(db)
        .await?;
    if waiting >= MAX_QUEUED {
        return Err(StoreError::Count {
            field: "mails",
            max: usize::try_from(MAX_QUEUED).unwrap_or(usize::MAX),
        });
    }
    Ok(())
}

async fn is_open(
    activation: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let open = activation_row::Entity::find_by_id(activation)
        .filter(activation_row::Column::UsedAt.is_null())
        .filter(activation_row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .count(db)
        .await?;
    Ok(open == 1)
}

async fn activation_of(
    tenant: Option<Uuid>,
    device: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Uuid, StoreError> {
    let found = activation_row::Entity::find()
        .filter(activation_row::Column::DeviceId.eq(device))
        .filter(activation_row::Column::TenantId.eq(tenant.ok_or(StoreError::NotFound)?))
        .one(db)
        .await?;
    found
        .map(|activation| activation.id)
        .ok_or(StoreError::NotFound)
}

/// The activation went out with this mail, so its page need not show it any more.
async fn note_in_activation(
    activation: Uuid,
    mail: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    activation_row::Entity::update_many()
        .set(activation_row::ActiveModel {
            mail_id: Set(Some(mail)),
            hidden: Set(true),
            ..Default::default()
        })
        .filter(activation_row::Column::Id.eq(activation))
        .exec(db)
        .await?;
    Ok(())
}

fn of_tenant(tenant: Option<Uuid>) -> Condition {
    Condition::all().add(match tenant {
        Some(tenant) => row::Column::TenantId.eq(tenant),
        None => row::Column::TenantId.is_null(),
    })
}

impl TryFrom<row::Model> for Mail {
    type Error = StoreError;

    fn try_from(row: row::Model) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::Corrupt {
            table: "mails",
            column,
        };
        Ok(Self {
            id: row.id,
            tenant_id: row.tenant_id,
            kind: row.kind.parse().map_err(|_| corrupt("kind"))?,
            recipient: row.recipient,
            state: row.state.parse().map_err(|_| corrupt("state"))?,
            reason: row
                .reason
                .map(|reason| reason.parse().map_err(|_| corrupt("reason")))
                .transpose()?,
            detail: row.detail,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            next_attempt_at: row.next_attempt_at.map(OffsetDateTime::from),
            created_at: row.created_at.into(),
            ended_at: row.ended_at.map(OffsetDateTime::from),
        })
    }
}

/// The content never changes, so it is always the first version.
fn place(id: Uuid) -> Place {
    Place {
        table: "mails",
        id,
        column: "content_sealed",
        version: 1,
    }
}
