//! Signing up: what somebody said of themselves, until a link that was mailed to them confirms it, and what they agreed to afterwards.
//! Here lies only the hash of the link's token. Puzzles that were solved are remembered, so that each counts once.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::micros::UnixMicros;
use crate::row::{sign_up as row, solved_puzzle as puzzle_row};
use crate::token::{hash, random};
use crate::user::email_key;
use crate::{Secret, StoreError, id};

/// How long the link works; afterwards nothing is left of a sign-up that nobody confirmed.
pub const SIGN_UP_LIFE: Duration = Duration::hours(24);

/// What somebody said of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSignUp<'a> {
    /// The e-mail address.
    pub email: &'a str,
    /// First name.
    pub first_name: &'a str,
    /// Last name.
    pub last_name: &'a str,
    /// The company, if there is one.
    pub company: Option<&'a str>,
    /// Telephone number in E.164.
    pub phone: &'a str,
    /// Country by ISO 3166-1 alpha-2.
    pub country: &'a str,
    /// Whether they want news.
    pub news: bool,
    /// The address of the terms that they agreed to.
    pub terms: &'a str,
    /// The address of the privacy statement that they agreed to.
    pub privacy: &'a str,
    /// The hash of the password as a PHC string.
    pub password_phc: &'a Secret,
}

/// Somebody who confirmed their address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignUp {
    /// The row's key.
    pub id: Uuid,
    /// The e-mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// The company, if there is one.
    pub company: Option<String>,
    /// Telephone number in E.164.
    pub phone: String,
    /// Country by ISO 3166-1 alpha-2.
    pub country: String,
    /// Whether they want news.
    pub news: bool,
    /// The address of the terms that they agreed to.
    pub terms: String,
    /// The address of the privacy statement that they agreed to.
    pub privacy: String,
    /// The hash of the password as a PHC string.
    pub password_phc: Secret,
    /// When they signed up.
    pub created_at: OffsetDateTime,
}

/// Notes a sign-up and gives the token for the link, 43 characters (256 bits). One of the same address that nobody confirmed ends.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn insert(
    new: &NewSignUp<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Secret, StoreError> {
    row::Entity::delete_many()
        .filter(row::Column::EmailKey.eq(email_key(new.email)))
        .filter(row::Column::ConfirmedAt.is_null())
        .exec(db)
        .await?;
    let token = random();
    let made = row::Model {
        id: id::new(now),
        email: new.email.trim().to_owned(),
        email_key: email_key(new.email),
        first_name: new.first_name.to_owned(),
        last_name: new.last_name.to_owned(),
        company: new.company.map(str::to_owned),
        phone: new.phone.to_owned(),
        country: new.country.to_owned(),
        news: new.news,
        terms: new.terms.to_owned(),
        privacy: new.privacy.to_owned(),
        password_phc: Some(new.password_phc.reveal().to_owned()),
        token_hash: Some(hash(token.reveal())),
        created_at: now.into(),
        expires_at: (now + SIGN_UP_LIFE).into(),
        confirmed_at: None,
        tenant_id: None,
    };
    row::Entity::insert(row::ActiveModel::from(made))
        .exec_without_returning(db)
        .await?;
    Ok(token)
}

/// The address and the hash of the password of the sign-up that the link of `token` confirms. `None` if there is none, or it is over.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn find(
    token: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<(String, Secret)>, StoreError> {
    let found = find_row(token, now, db).await?;
    Ok(found.and_then(|row| Some((row.email, Secret::new(row.password_phc?)))))
}

/// Uses up the link of `token`. `None` if there is none, it is over, or somebody was faster. The password's hash is forgotten here.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn confirm(
    token: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<SignUp>, StoreError> {
    let Some(found) = find_row(token, now, db).await? else {
        return Ok(None);
    };
    let updated = row::Entity::update_many()
        .set(row::ActiveModel {
            token_hash: Set(None),
            password_phc: Set(None),
            confirmed_at: Set(Some(now.into())),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(found.id))
        .filter(row::Column::TokenHash.eq(hash(token)))
        .exec(db)
        .await?;
    let sign_up = SignUp::from(found);
    Ok((updated.rows_affected == 1).then_some(sign_up))
}

/// Remembers which tenant somebody made by signing up. What they agreed to is kept as long as the tenant is.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn belongs_to(
    id: Uuid,
    tenant: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    row::Entity::update_many()
        .set(row::ActiveModel {
            tenant_id: Set(Some(tenant)),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Uses up a puzzle until it expires by itself; `false` if it was used before.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn use_puzzle(
    puzzle: &str,
    expires_at: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let used = puzzle_row::ActiveModel::from(puzzle_row::Model {
        puzzle_hash: hash(puzzle),
        expires_at: expires_at.into(),
    });
    let inserted = puzzle_row::Entity::insert(used)
        .on_conflict(
            OnConflict::column(puzzle_row::Column::PuzzleHash)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(db)
        .await?;
    Ok(inserted == 1)
}

/// Removes sign-ups that nobody confirmed in time, and puzzles that have expired; returns how many.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_expired(
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let sign_ups = row::Entity::delete_many()
        .filter(row::Column::ConfirmedAt.is_null())
        .filter(row::Column::ExpiresAt.lte(UnixMicros::from(now)))
        .exec(db)
        .await?;
    let puzzles = puzzle_row::Entity::delete_many()
        .filter(puzzle_row::Column::ExpiresAt.lte(UnixMicros::from(now)))
        .exec(db)
        .await?;
    Ok(sign_ups.rows_affected + puzzles.rows_affected)
}

async fn find_row(
    token: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<row::Model>, StoreError> {
    Ok(row::Entity::find()
        .filter(row::Column::TokenHash.eq(hash(token)))
        .filter(row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .one(db)
        .await?)
}

impl From<row::Model> for SignUp {
    fn from(row: row::Model) -> Self {
        Self {
            id: row.id,
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            company: row.company,
            phone: row.phone,
            country: row.country,
            news: row.news,
            terms: row.terms,
            privacy: row.privacy,
            password_phc: Secret::new(row.password_phc.unwrap_or_default()),
            created_at: row.created_at.into(),
        }
    }
}
