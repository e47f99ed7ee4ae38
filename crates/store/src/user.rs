//! People who sign in to the portal. Passwords are hashed by the caller; here lies the PHC string.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::row::user as row;
use crate::{Secret, StoreError, Transaction, id};

/// Somebody who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The row's key.
    pub id: Uuid,
    /// The e-mail address as it was written; found in any case.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Whether the user may make tenants and see all of them.
    pub installation_administrator: bool,
    /// Whether the password is a one-time password that must be replaced first.
    pub must_set_password: bool,
    /// When the user was made.
    pub created_at: OffsetDateTime,
    /// Grows with each new password and each change of the second factor ([`still_proves`]).
    pub version: u64,
}

/// What a user is made of. The password is a one-time password.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// The e-mail address.
    pub email: &'a str,
    /// First name.
    pub first_name: &'a str,
    /// Last name.
    pub last_name: &'a str,
    /// Whether the user may make tenants and see all of them.
    pub installation_administrator: bool,
    /// The hash of the one-time password as a PHC string.
    pub password_phc: &'a Secret,
}

/// Makes a user who must set a password at the first sign-in.
///
/// # Errors
///
/// [`StoreError::Conflict`] with `email`, [`StoreError::Database`].
pub async fn insert(
    new: &NewUser<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<User, StoreError> {
    let user_row = row::Model {
        id: id::new(now),
        email: new.email.trim().to_owned(),
        email_key: email_key(new.email),
        first_name: new.first_name.to_owned(),
        last_name: new.last_name.to_owned(),
        password_phc: new.password_phc.reveal().to_owned(),
        must_set_password: true,
        installation_administrator: new.installation_administrator,
        created_at: now.into(),
        version: 1,
    };
    let user = User::from(user_row.clone());
    row::Entity::insert(row::ActiveModel::from(user_row))
        .exec_without_returning(db)
        .await?;
    Ok(user)
}

/// The user with that key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn load(id: Uuid, db: &impl ConnectionTrait) -> Result<User, StoreError> {
    let found = row::Entity::find_by_id(id).one(db).await?;
    found.map(User::from).ok_or(StoreError::NotFound)
}

/// The user with that e-mail address in any case and the hash of the password, or `None`.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn find_by_email(
    email: &str,
    db: &impl ConnectionTrait,
) -> Result<Option<(User, Secret)>, StoreError> {
    let found = row::Entity::find()
        .filter(row::Column::EmailKey.eq(email_key(email)))
        .one(db)
        .await?;
    Ok(found.map(|row| {
        let password_phc = Secret::new(row.password_phc.as_str());
        (row.into(), password_phc)
    }))
}

/// The hash of the user's password.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn load_password(id: Uuid, db: &impl ConnectionTrait) -> Result<Secret, StoreError> {
    let found = row::Entity::find_by_id(id).one(db).await?;
    found
        .map(|row| Secret::new(row.password_phc))
        .ok_or(StoreError::NotFound)
}

/// Replaces the password by one that the user chose.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn set_password(
    id: Uuid,
    password_phc: &Secret,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    replace_password(id, password_phc, false, db).await
}

/// Replaces the password by a one-time password that the user must replace at the next sign-in.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn set_one_time_password(
    id: Uuid,
    password_phc: &Secret,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    replace_password(id, password_phc, true, db).await
}

/// Whether what somebody proved of the user at this `version` still counts: password and second factor are what they were. They stay so
/// until the end of the transaction, so what begins in it cannot be missed by who ends everything that rests on the old ones.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn still_proves(id: Uuid, version: u64, db: &Transaction) -> Result<bool, StoreError> {
    let found = row::Entity::find_by_id(id)
        .filter(row::Column::Version.eq(version.cast_signed()))
        .lock_exclusive()
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// What anybody has proved of the user until now counts no more for what is still to begin.
pub(crate) async fn outdate_proofs(id: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    row::Entity::update_many()
        .col_expr(row::Column::Version, Expr::cust("version + 1"))
        .filter(row::Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Gives the user another e-mail address.
///
/// # Errors
///
/// [`StoreError::Conflict`] with `email`, [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn set_email(id: Uuid, email: &str, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    let updated = row::Entity::update_many()
        .set(row::ActiveModel {
            email: Set(email.trim().to_owned()),
            email_key: Set(email_key(email)),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(id))
        .exec(db)
        .await?;
    if updated.rows_affected == 0 {
        return Err(StoreError::NotFound);
    }
    Ok(())
}

/// Whether two e-mail addresses are the same user's: case does not count.
pub fn is_same_address(one: &str, other: &str) -> bool {
    email_key(one) == email_key(other)
}

/// How many users there are; 0 means that the installation is new.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, StoreError> {
    Ok(row::Entity::find().count(db).await?)
}

async fn replace_password(
    id: Uuid,
    password_phc: &Secret,
    must_set_password: bool,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let updated = row::Entity::update_many()
        .set(row::ActiveModel {
            password_phc: Set(password_phc.reveal().to_owned()),
            must_set_password: Set(must_set_password),
            ..Default::default()
        })
        .col_expr(row::Column::Version, Expr::cust("version + 1"))
        .filter(row::Column::Id.eq(id))
        .exec(db)
        .await?;
    if updated.rows_affected == 0 {
        return Err(StoreError::NotFound);
    }
    Ok(())
}

pub(crate) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

impl From<row::Model> for User {
    fn from(row: row::Model) -> Self {
        Self {
            id: row.id,
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            installation_administrator: row.installation_administrator,
            must_set_password: row.must_set_password,
            created_at: row.created_at.into(),
            version: row.version.unsigned_abs(),
        }
    }
}
