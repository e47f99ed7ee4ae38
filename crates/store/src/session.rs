//! Sign-in sessions. The browser holds a random token; here lies only its hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder,
};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::micros::UnixMicros;
use crate::row::session as row;
use crate::{Db, Secret, StoreError, begin, commit};

/// How many sessions a user can have; a further one ends the oldest.
pub const MAX_SESSIONS: u64 = 20;

/// How much `last_seen_at` may lag behind, so that not every request writes.
const SEEN_GRANULARITY: Duration = Duration::minutes(1);

/// How long a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLifetime {
    /// From the sign-in, whatever happens.
    pub absolute: Duration,
    /// From the last request. At least a few minutes: it is measured to the minute.
    pub idle: Duration,
}

/// A session that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who signed in.
    pub user_id: Uuid,
    /// When.
    pub created_at: OffsetDateTime,
    /// When it ends whatever happens.
    pub expires_at: OffsetDateTime,
}

/// Begins a session and gives its token: 43 characters (256 bits) for the cookie.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn insert(
    user: Uuid,
    lifetime: &SessionLifetime,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Secret, StoreError> {
    let mut bytes = Zeroizing::new([0; 32]);
    rand::rng().fill_bytes(&mut *bytes);
    let token = Secret::new(URL_SAFE_NO_PAD.encode(*bytes));
    let new = row::Model {
        token_hash: hash(token.reveal()),
        user_id: user,
        created_at: now.into(),
        last_seen_at: now.into(),
        expires_at: (now + lifetime.absolute).into(),
    };
    let transaction = begin(db).await?;
    end_oldest(user, &transaction).await?;
    row::Entity::insert(row::ActiveModel::from(new))
        .exec_without_returning(&transaction)
        .await?;
    commit(transaction).await?;
    Ok(token)
}

/// The living session of `token`, or `None`; notes that it was seen.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn find(
    token: &str,
    lifetime: &SessionLifetime,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<Session>, StoreError> {
    let found = row::Entity::find_by_id(hash(token))
        .filter(row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .filter(row::Column::LastSeenAt.gt(UnixMicros::from(now - lifetime.idle)))
        .one(db)
        .await?;
    let Some(found) = found else { return Ok(None) };
    if OffsetDateTime::from(found.last_seen_at) + SEEN_GRANULARITY < now {
        row::Entity::update_many()
            .set(row::ActiveModel {
                last_seen_at: Set(now.into()),
                ..Default::default()
            })
            .filter(row::Column::TokenHash.eq(found.token_hash))
            .exec(db)
            .await?;
    }
    Ok(Some(Session {
        user_id: found.user_id,
        created_at: found.created_at.into(),
        expires_at: found.expires_at.into(),
    }))
}

/// Ends the session of `token`; there may be none.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete(token: &str, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    row::Entity::delete_by_id(hash(token)).exec(db).await?;
    Ok(())
}

/// Ends all sessions of the user but the one of `token`.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_others(
    user: Uuid,
    token: &str,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    row::Entity::delete_many()
        .filter(row::Column::UserId.eq(user))
        .filter(row::Column::TokenHash.ne(hash(token)))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends all sessions of the user.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_by_user(user: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    row::Entity::delete_many()
        .filter(row::Column::UserId.eq(user))
        .exec(db)
        .await?;
    Ok(())
}

/// Removes sessions whose time is over; returns how many.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_expired(
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let deleted = row::Entity::delete_many()
        .filter(row::Column::ExpiresAt.lte(UnixMicros::from(now)))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected)
}

/// Makes room for one more session of the user.
async fn end_oldest(user: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    let own = || row::Entity::find().filter(row::Column::UserId.eq(user));
    if own().count(db).await? < MAX_SESSIONS {
        return Ok(());
    }
    let oldest = own().order_by_asc(row::Column::CreatedAt).one(db).await?;
    if let Some(oldest) = oldest {
        row::Entity::delete_by_id(oldest.token_hash)
            .exec(db)
            .await?;
    }
    Ok(())
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
