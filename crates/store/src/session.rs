//! Sign-in sessions. The browser holds a random token; here lies only its hash.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::micros::UnixMicros;
use crate::row::{session as row, user as user_row};
use crate::token::{hash, random};
use crate::user::User;
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

/// What somebody signed in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedInBy {
    /// What proves the person everywhere: their password, or a link that was mailed to them.
    Own,
    /// A tenant's provider vouched for them. That is good for this tenant only.
    Provider {
        /// Whose provider.
        tenant: Uuid,
        /// When the person proved to the provider who they are, as far as it is known.
        authenticated_at: Option<OffsetDateTime>,
        /// Whether the provider asked for a second factor, and is trusted with that.
        second_factor: bool,
    },
}

/// Who signed in, with what and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSession<'a> {
    /// Who.
    pub user: Uuid,
    /// By what.
    pub by: SignedInBy,
    /// The browser in a few words, such as `Firefox, Linux`.
    pub browser: &'a str,
    /// The address that the sign-in came from.
    pub address: &'a str,
}

/// A session that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What it is spoken of by. It opens nothing: it is a part of the hash.
    pub id: Uuid,
    /// Who signed in.
    pub user_id: Uuid,
    /// The browser in a few words; `None` for one that began before this was noted.
    pub browser: Option<String>,
    /// The address that the sign-in came from.
    pub address: Option<String>,
    /// When it began.
    pub created_at: OffsetDateTime,
    /// When something was last asked with it, to the minute.
    pub last_seen_at: OffsetDateTime,
    /// When it ends whatever happens.
    pub expires_at: OffsetDateTime,
    /// When the person last proved to be the one who signed in.
    pub confirmed_at: Option<OffsetDateTime>,
    /// The only tenant that it is good for, since that tenant's provider vouched for the person.
    pub sign_on_tenant: Option<Uuid>,
    /// Whether that provider asked for a second factor, and is trusted with that.
    pub second_factor_elsewhere: bool,
}

/// Begins a session and gives its token: 43 characters (256 bits) for the cookie.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn insert(
    new: &NewSession<'_>,
    lifetime: &SessionLifetime,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Secret, StoreError> {
    let user = new.user;
    let (confirmed_at, sign_on_tenant_id, second_factor_elsewhere) = match new.by {
        SignedInBy::Own => (Some(now), None, false),
        SignedInBy::Provider {
            tenant,
            authenticated_at,
            second_factor,
        } => (authenticated_at, Some(tenant), second_factor),
    };
    let token = random();
    let new = row::Model {
        token_hash: hash(token.reveal()),
        user_id: user,
        created_at: now.into(),
        last_seen_at: now.into(),
        expires_at: (now + lifetime.absolute).into(),
        browser: Some(new.browser.to_owned()),
        address: Some(new.address.to_owned()),
        confirmed_at: confirmed_at.map(Into::into),
        sign_on_tenant_id,
        second_factor_elsewhere,
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
    let found = find_with_user(token, lifetime, now, db).await?;
    Ok(found.map(|(session, _)| session))
}

/// The same with the user whose session it is.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn find_with_user(
    token: &str,
    lifetime: &SessionLifetime,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<(Session, User)>, StoreError> {
    let user_of_session = row::Entity::belongs_to(user_row::Entity)
        .from(row::Column::UserId)
        .to(user_row::Column::Id);
    let found = row::Entity::find_by_id(hash(token))
        .filter(alive(lifetime, now))
        .join(JoinType::InnerJoin, user_of_session.into())
        .select_also(user_row::Entity)
        .one(db)
        .await?;
    let Some((found, Some(user))) = found else {
        return Ok(None);
    };
    if OffsetDateTime::from(found.last_seen_at) + SEEN_GRANULARITY < now {
        row::Entity::update_many()
            .set(row::ActiveModel {
                last_seen_at: Set(now.into()),
                ..Default::default()
            })
            .filter(row::Column::TokenHash.eq(found.token_hash.clone()))
            .exec(db)
            .await?;
    }
    Ok(Some((found.into(), user.into())))
}

/// The living sessions of a user, the one last used first; at most [`MAX_SESSIONS`].
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn list(
    user: Uuid,
    lifetime: &SessionLifetime,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Vec<Session>, StoreError> {
    let rows = row::Entity::find()
        .filter(row::Column::UserId.eq(user))
        .filter(alive(lifetime, now))
        .order_by_desc(row::Column::LastSeenAt)
        .order_by_desc(row::Column::CreatedAt)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Session::from).collect())
}

/// The person of the session proved at that time to be the one who signed in.
///
/// # Errors
///
/// [`StoreError::NotFound`] if it ended meanwhile, [`StoreError::Database`].
pub async fn confirm(
    token: &str,
    at: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let updated = row::Entity::update_many()
        .set(row::ActiveModel {
            confirmed_at: Set(Some(at.into())),
            ..Default::default()
        })
        .filter(row::Column::TokenHash.eq(hash(token)))
        .exec(db)
        .await?;
    if updated.rows_affected == 0 {
        return Err(StoreError::NotFound);
    }
    Ok(())
}

/// Ends one session of the user by its id, and says which it was.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn delete_one(
    user: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Session, StoreError> {
    let own = row::Entity::find()
        .filter(row::Column::UserId.eq(user))
        .all(db)
        .await?;
    let found = own.into_iter().find(|row| id_of(&row.token_hash) == id);
    let found = found.ok_or(StoreError::NotFound)?;
    row::Entity::delete_by_id(found.token_hash.clone())
        .exec(db)
        .await?;
    Ok(found.into())
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

/// Ends all sessions of the user but the one of `token`; returns how many.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_others(
    user: Uuid,
    token: &str,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let deleted = row::Entity::delete_many()
        .filter(row::Column::UserId.eq(user))
        .filter(row::Column::TokenHash.ne(hash(token)))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected)
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

/// Ends all sessions for which a tenant's provider vouched.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_by_sign_on(tenant: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    row::Entity::delete_many()
        .filter(row::Column::SignOnTenantId.eq(tenant))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends all sessions for which a tenant's provider vouched with a second factor.
///
/// # Errors
///
/// [`StoreError::Database`].
pub(crate) async fn delete_by_second_factor_elsewhere(
    tenant: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    row::Entity::delete_many()
        .filter(row::Column::SignOnTenantId.eq(tenant))
        .filter(row::Column::SecondFactorElsewhere.eq(true))
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

fn alive(lifetime: &SessionLifetime, now: OffsetDateTime) -> Condition {
    Condition::all()
        .add(row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .add(row::Column::LastSeenAt.gt(UnixMicros::from(now - lifetime.idle)))
}

/// The first half of the hash: nobody finds a token by it.
fn id_of(token_hash: &[u8]) -> Uuid {
    let half = token_hash.first_chunk().copied().unwrap_or_default();
    Uuid::from_bytes(half)
}

impl From<row::Model> for Session {
    fn from(row: row::Model) -> Self {
        Self {
            id: id_of(&row.token_hash),
            user_id: row.user_id,
            browser: row.browser,
            address: row.address,
            created_at: row.created_at.into(),
            last_seen_at: row.last_seen_at.into(),
            expires_at: row.expires_at.into(),
            confirmed_at: row.confirmed_at.map(Into::into),
            sign_on_tenant: row.sign_on_tenant_id,
            second_factor_elsewhere: row.second_factor_elsewhere,
        }
    }
}
