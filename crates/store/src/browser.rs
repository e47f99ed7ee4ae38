//! Browsers that people signed in with before. A browser holds a random token for each of its people; here lies only its hash.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, sea_query::OnConflict,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::row::known_browser as row;
use crate::token::{hash, random};
use crate::{Secret, StoreError};

/// How many browsers of a user are remembered; a further one takes the place of that not used for longest.
pub const MAX_BROWSERS: u64 = 50;

/// What is known of the browser of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquaintance {
    /// The user never signed in before.
    First,
    /// The user signed in with it before.
    Known,
    /// The user signed in before, with others.
    New,
}

/// A token for a browser that has none: 43 characters (256 bits).
pub fn token() -> Secret {
    random()
}

/// Remembers that the user signs in with the browser of `token`, and says whether that is new.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn meet(
    user: Uuid,
    token: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Acquaintance, StoreError> {
    let own = || row::Entity::find().filter(row::Column::UserId.eq(user));
    let count = own().count(db).await?;
    let known = row::Entity::find_by_id((user, hash(token)))
        .one(db)
        .await?
        .is_some();
    if !known && count >= MAX_BROWSERS {
        let oldest = own().order_by_asc(row::Column::LastUsedAt).one(db).await?;
        if let Some(oldest) = oldest {
            row::Entity::delete_by_id((user, oldest.token_hash))
                .exec(db)
                .await?;
        }
    }
    let met = row::ActiveModel {
        user_id: Set(user),
        token_hash: Set(hash(token)),
        last_used_at: Set(now.into()),
    };
    let again = OnConflict::columns([row::Column::UserId, row::Column::TokenHash])
        .update_column(row::Column::LastUsedAt)
        .to_owned();
    row::Entity::insert(met)
        .on_conflict(again)
        .exec_without_returning(db)
        .await?;
    Ok(match (known, count) {
        (true, _) => Acquaintance::Known,
        (false, 0) => Acquaintance::First,
        (false, _) => Acquaintance::New,
    })
}

/// Forgets the browsers of a user: the next sign-in with any of them is new.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn forget(user: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    row::Entity::delete_many()
        .filter(row::Column::UserId.eq(user))
        .exec(db)
        .await?;
    Ok(())
}
