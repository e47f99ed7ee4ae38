//! Links that are mailed to people and work once. The mail has a random token; here lies only its hash.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::micros::UnixMicros;
use crate::row::one_time_link as row;
use crate::token::{hash, random};
use crate::{LinkPurpose, Secret, StoreError};

/// How long a link works.
pub const LINK_LIFE: Duration = Duration::hours(1);

/// What a link is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewLink<'a> {
    /// What it does.
    pub purpose: LinkPurpose,
    /// For whom; a link for nobody does nothing.
    pub user: Option<Uuid>,
    /// What else it is about, such as the new address.
    pub value: Option<&'a str>,
}

/// A link that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedLink {
    /// For whom.
    pub user: Uuid,
    /// What else it is about.
    pub value: Option<String>,
}

/// Makes a link and gives its token, 43 characters (256 bits). Any other of the same person and purpose ends.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn insert(
    new: &NewLink<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Secret, StoreError> {
    row::Entity::delete_many()
        .filter(row::Column::UserId.eq(new.user))
        .filter(row::Column::Purpose.eq(new.purpose.as_str()))
        .exec(db)
        .await?;
    let token = random();
    let made = row::Model {
        token_hash: hash(token.reveal()),
        purpose: new.purpose.as_str().to_owned(),
        user_id: new.user,
        value: new.value.map(str::to_owned),
        expires_at: (now + LINK_LIFE).into(),
    };
    row::Entity::insert(row::ActiveModel::from(made))
        .exec_without_returning(db)
        .await?;
    Ok(token)
}

/// Whether there is a link of `token` for this purpose that still works.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn works(
    purpose: LinkPurpose,
    token: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    Ok(find_row(purpose, token, now, db).await?.is_some())
}

/// Uses up the link of `token`. `None` if there is none for this purpose, it is over, or somebody was faster.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn take(
    purpose: LinkPurpose,
    token: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<UsedLink>, StoreError> {
    let Some(found) = find_row(purpose, token, now, db).await? else {
        return Ok(None);
    };
    let deleted = row::Entity::delete_by_id(found.token_hash).exec(db).await?;
    let used = found.user_id.map(|user| UsedLink {
        user,
        value: found.value,
    });
    Ok(used.filter(|_| deleted.rows_affected == 1))
}

/// Ends all links of a user.
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

/// Removes links whose time is over; returns how many.
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

async fn find_row(
    purpose: LinkPurpose,
    token: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<row::Model>, StoreError> {
    Ok(row::Entity::find_by_id(hash(token))
        .filter(row::Column::Purpose.eq(purpose.as_str()))
        .filter(row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .one(db)
        .await?)
}
