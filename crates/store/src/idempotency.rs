//! Requests that make something and may come again because their answer was lost: each is carried out once
//! (draft-ietf-httpapi-idempotency-key-header-07, section 2).
//!
//! A key is [reserved](reserve) before its request is carried out, and [marked](mark_done) in the transaction of what is made. So nothing
//! is made twice, whoever dies when: an attempt that was given up can be taken over, and one that was taken over cannot be marked. The
//! answer is kept sealed, because people's data are in it; key and request are kept as keyed hashes.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::micros::UnixMicros;
use crate::row::idempotency_key as row;
use crate::{Db, Place, StoreError, Vault, begin, commit, id};

/// How long a key is remembered.
pub const LIFETIME: Duration = Duration::hours(24);

/// How many keys a user can have; a further one makes the oldest forgotten.
pub const MAX_KEYS: u64 = 1000;

/// Longer answers are not kept.
pub const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// After this an attempt that is not done counts as given up. Longer than any request may take.
const PATIENCE: Duration = Duration::minutes(2);

const KEY: &str = "idempotency key";
const REQUEST: &str = "idempotent request";

/// A request with a key.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who asks.
    pub user: Uuid,
    /// In which tenant; `None`: in the installation.
    pub tenant: Option<Uuid>,
    /// The key, which means something to this user in this tenant only.
    pub key: &'a str,
    /// What is asked for: method, path and body.
    pub request: &'a [u8],
}

/// The right to carry a request out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    key: Uuid,
    number: Uuid,
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// Carry it out, then [`mark_done`] and [`keep`], or [`release`].
    First(Attempt),
    /// Somebody else is about it.
    InProgress,
    /// The key was used for another request.
    Different,
    /// It was carried out; `None` if what was answered is not known.
    Done(Option<Answer>),
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The entity tag.
    pub etag: Option<String>,
    /// The body, JSON.
    pub body: Vec<u8>,
}

/// Reserves the key for this request, or says what became of it.
///
/// # Errors
///
/// [`StoreError::Vault`] if a kept answer does not open, [`StoreError::Database`].
pub async fn reserve(
    asked: &Asked<'_>,
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Reservation, StoreError> {
    let transaction = begin(db).await?;
    let hashes = vault.lookup_hashes(KEY, &asked.place());
    let found = row::Entity::find()
        .filter(row::Column::KeyHash.is_in(hashes))
        .one(&transaction)
        .await?;
    let reservation = match found {
        Some(found) if OffsetDateTime::from(found.created_at) + LIFETIME > now => {
            judge(found, asked, vault, now, &transaction).await?
        }
        expired => {
            if let Some(expired) = expired {
                row::Entity::delete_by_id(expired.id)
                    .exec(&transaction)
                    .await?;
            }
            forget_oldest(asked.user, &transaction).await?;
            match insert(asked, vault, now, &transaction).await {
                // The other one is about it in this moment.
                Err(StoreError::Conflict { .. }) => return Ok(Reservation::InProgress),
                attempt => Reservation::First(attempt?),
            }
        }
    };
    commit(transaction).await?;
    Ok(reservation)
}

/// Notes that the request is carried out. Call it in the transaction of what it makes.
///
/// # Errors
///
/// [`StoreError::Superseded`] if the attempt was taken over, [`StoreError::Database`].
pub async fn mark_done(attempt: Attempt, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    let marked = row::Entity::update_many()
        .set(row::ActiveModel {
            done: Set(true),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(attempt.key))
        .filter(row::Column::Attempt.eq(attempt.number))
        .exec(db)
        .await?;
    if marked.rows_affected == 1 {
        Ok(())
    } else {
        Err(StoreError::Superseded)
    }
}

/// Keeps what was answered, for the next time. An answer of more than [`MAX_ANSWER_BYTES`] is not kept.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn keep(
    attempt: Attempt,
    answer: &Answer,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let kept = (answer.body.len() <= MAX_ANSWER_BYTES)
        .then(|| vault.seal(&answer.body, &place(attempt.key)));
    row::Entity::update_many()
        .set(row::ActiveModel {
            attempt_until: Set(OffsetDateTime::UNIX_EPOCH.into()),
            done: Set(true),
            status: Set(Some(answer.status.into())),
            etag: Set(answer.etag.clone()),
            answer_sealed: Set(kept),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(attempt.key))
        .filter(row::Column::Attempt.eq(attempt.number))
        .exec(db)
        .await?;
    Ok(())
}

/// Gives the key back after a request that was refused.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn release(attempt: Attempt, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    row::Entity::delete_many()
        .filter(row::Column::Id.eq(attempt.key))
        .filter(row::Column::Attempt.eq(attempt.number))
        .filter(row::Column::Done.eq(false))
        .exec(db)
        .await?;
    Ok(())
}

/// Removes keys whose time is over; returns how many.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_expired(
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let deleted = row::Entity::delete_many()
        .filter(row::Column::CreatedAt.lte(UnixMicros::from(now - LIFETIME)))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected)
}

/// What is to be done about a request whose key is known.
async fn judge(
    found: row::Model,
    asked: &Asked<'_>,
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Reservation, StoreError> {
    let requests = vault.lookup_hashes(REQUEST, asked.request);
    if !requests.contains(&found.request_hash) {
        return Ok(Reservation::Different);
    }
    let until = OffsetDateTime::from(found.attempt_until);
    match (found.done, answer(&found, vault)?) {
        (true, Some(answer)) => return Ok(Reservation::Done(Some(answer))),
        // Between the commit and the keeping of the answer, too.
        _ if until > now => return Ok(Reservation::InProgress),
        (true, None) => return Ok(Reservation::Done(None)),
        (false, _) => {}
    }
    let attempt = Attempt {
        key: found.id,
        number: id::new(now),
    };
    let taken_over = row::Entity::update_many()
        .set(row::ActiveModel {
            attempt: Set(attempt.number),
            attempt_until: Set((now + PATIENCE).into()),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(found.id))
        .filter(row::Column::Attempt.eq(found.attempt))
        .filter(row::Column::Done.eq(false))
        .exec(db)
        .await?;
    Ok(match taken_over.rows_affected {
        1 => Reservation::First(attempt),
        _ => Reservation::InProgress,
    })
}

fn answer(found: &row::Model, vault: &Vault) -> Result<Option<Answer>, StoreError> {
    let (Some(status), Some(sealed)) = (found.status, &found.answer_sealed) else {
        return Ok(None);
    };
    Ok(Some(Answer {
        status: u16::try_from(status).map_err(|_| StoreError::Corrupt {
            table: "idempotency_keys",
            column: "status",
        })?,
        etag: found.etag.clone(),
        body: vault.open(sealed, &place(found.id))?.to_vec(),
    }))
}

async fn insert(
    asked: &Asked<'_>,
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Attempt, StoreError> {
    let attempt = Attempt {
        key: id::new(now),
        number: id::new(now),
    };
    let new = row::Model {
        id: attempt.key,
        user_id: asked.user,
        tenant_id: asked.tenant,
        key_hash: vault.lookup_hash(KEY, &asked.place()),
        request_hash: vault.lookup_hash(REQUEST, asked.request),
        attempt: attempt.number,
        attempt_until: (now + PATIENCE).into(),
        done: false,
        status: None,
        etag: None,
        answer_sealed: None,
        created_at: now.into(),
    };
    row::Entity::insert(row::ActiveModel::from(new))
        .exec_without_returning(db)
        .await?;
    Ok(attempt)
}

/// Makes room for one more key of the user.
async fn forget_oldest(user: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    let own = || row::Entity::find().filter(row::Column::UserId.eq(user));
    if own().count(db).await? < MAX_KEYS {
        return Ok(());
    }
    if let Some(oldest) = own().order_by_asc(row::Column::CreatedAt).one(db).await? {
        row::Entity::delete_by_id(oldest.id).exec(db).await?;
    }
    Ok(())
}

impl Asked<'_> {
    /// The key together with where it counts.
    fn place(&self) -> Vec<u8> {
        let tenant = self.tenant.unwrap_or_default();
        [self.user.as_bytes(), tenant.as_bytes(), self.key.as_bytes()].concat()
    }
}

/// An answer is written once, so it is always the first version.
fn place(key: Uuid) -> Place {
    Place {
        table: "idempotency_keys",
        id: key,
        column: "answer_sealed",
        version: 1,
    }
}
