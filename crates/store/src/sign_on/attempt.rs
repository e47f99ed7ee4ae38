//! Sign-ins that are at the provider. The browser has a random text in a cookie, the provider's answer brings another (`state`, RFC 6749
//! section 10.12); here lie the hashes of both.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::micros::UnixMicros;
use crate::row::sign_on_attempt as row;
use crate::token::hash;
use crate::{Secret, StoreError};

/// How long somebody may take at the provider.
pub const ATTEMPT_LIFE: Duration = Duration::minutes(10);

/// What a sign-in begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewAttempt<'a> {
    /// What the provider's answer brings.
    pub state: &'a Secret,
    /// What the browser keeps.
    pub browser: &'a str,
    /// Whose provider.
    pub tenant: Uuid,
    /// Who proves anew who they are, if it is no sign-in.
    pub confirms: Option<Uuid>,
    /// Where the person wanted to go.
    pub next: Option<&'a str>,
}

/// A sign-in that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Whose provider.
    pub tenant: Uuid,
    /// Who proves anew who they are, if it is no sign-in.
    pub confirms: Option<Uuid>,
    /// Where the person wanted to go.
    pub next: Option<String>,
}

/// Notes that a sign-in begins.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn insert_attempt(
    new: &NewAttempt<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let made = row::Model {
        state_hash: hash(new.state.reveal()),
        browser_hash: hash(new.browser),
        tenant_id: new.tenant,
        confirms_user_id: new.confirms,
        next: new.next.map(str::to_owned),
        expires_at: (now + ATTEMPT_LIFE).into(),
    };
    row::Entity::insert(row::ActiveModel::from(made))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Uses up the sign-in that this browser began. `None` if there is none, it took too long, or was used already.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn take_attempt(
    state: &str,
    browser: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<Attempt>, StoreError> {
    let found = row::Entity::find_by_id(hash(state))
        .filter(row::Column::BrowserHash.eq(hash(browser)))
        .filter(row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .one(db)
        .await?;
    let Some(found) = found else { return Ok(None) };
    let deleted = row::Entity::delete_by_id(found.state_hash).exec(db).await?;
    Ok((deleted.rows_affected == 1).then_some(Attempt {
        tenant: found.tenant_id,
        confirms: found.confirms_user_id,
        next: found.next,
    }))
}

/// Removes sign-ins that took too long; returns how many.
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

pub(super) async fn delete_by_tenant(
    tenant: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    row::Entity::delete_many()
        .filter(row::Column::TenantId.eq(tenant))
        .exec(db)
        .await?;
    Ok(())
}
