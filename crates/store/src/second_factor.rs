//! Second factors: the sealed key of a person's authenticator app (RFC 6238), recovery codes that stand in for it, and sign-ins that wait
//! for either.
//!
//! What a code must be is computed by the caller; here it is decided that no time step and no recovery code counts twice.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::micros::UnixMicros;
use crate::row::{half_sign_in as half_row, recovery_code as code_row, second_factor as row};
use crate::token::{hash, random};
use crate::{Db, Place, Secret, StoreError, Vault, begin, commit, user};

/// How long a sign-in waits for its second factor.
pub const HALF_SIGN_IN_LIFE: Duration = Duration::minutes(5);

/// The second factor of a user.
#[derive(Clone, Debug)]
pub struct SecondFactor {
    /// The key that app and server share, as the caller wrote it.
    pub secret: Secret,
    /// Since when it is asked for; `None` while the app has not shown a code.
    pub confirmed_at: Option<OffsetDateTime>,
}

/// The second factor of a user, whether confirmed or not.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Vault`].
pub async fn find(
    user: Uuid,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<Option<SecondFactor>, StoreError> {
    let Some(found) = row::Entity::find_by_id(user).one(db).await? else {
        return Ok(None);
    };
    let place = place(user, found.secret_version);
    Ok(Some(SecondFactor {
        secret: vault.open_text(&found.secret_sealed, &place)?,
        confirmed_at: found.confirmed_at.map(Into::into),
    }))
}

/// Since when the user's second factor is asked for; `None` if it is not.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn confirmed_at(
    user: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Option<OffsetDateTime>, StoreError> {
    let found = row::Entity::find_by_id(user).one(db).await?;
    Ok(found.and_then(|row| row.confirmed_at).map(Into::into))
}

/// Which of these users have a confirmed second factor.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn list_confirmed(
    users: impl IntoIterator<Item = Uuid>,
    db: &impl ConnectionTrait,
) -> Result<Vec<Uuid>, StoreError> {
    let rows = row::Entity::find()
        .filter(row::Column::UserId.is_in(users))
        .filter(row::Column::ConfirmedAt.is_not_null())
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.user_id).collect())
}

/// Begins with a new key, which counts once it is confirmed. One that was not confirmed is replaced.
///
/// # Errors
///
/// [`StoreError::Conflict`] with `second_factor` if there is a confirmed one, [`StoreError::Database`].
pub async fn begin_with(
    user: Uuid,
    secret: &Secret,
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    let before = row::Entity::find_by_id(user).one(&transaction).await?;
    let version = match before {
        Some(row) if row.confirmed_at.is_some() => {
            return Err(StoreError::Conflict {
                field: "second_factor",
            });
        }
        Some(row) => row.secret_version + 1,
        None => 1,
    };
    row::Entity::delete_by_id(user).exec(&transaction).await?;
    let new = row::Model {
        user_id: user,
        secret_sealed: vault.seal_text(secret, &place(user, version)),
        secret_version: version,
        confirmed_at: None,
        last_step: 0,
        created_at: now.into(),
    };
    row::Entity::insert(row::ActiveModel::from(new))
        .exec_without_returning(&transaction)
        .await?;
    commit(transaction).await
}

/// The app has shown the code of `step`: from now on it is asked for, of sign-ins under way too. `false` if the user has nothing to confirm.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn confirm(
    user: Uuid,
    step: u64,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    user::outdate_proofs(user, db).await?;
    let updated = row::Entity::update_many()
        .set(row::ActiveModel {
            confirmed_at: Set(Some(now.into())),
            last_step: Set(step.cast_signed()),
            ..Default::default()
        })
        .filter(row::Column::UserId.eq(user))
        .filter(row::Column::ConfirmedAt.is_null())
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Uses up the code of `step`. `false` if it, or that of a later step, was used before (RFC 6238 section 5.2).
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn use_step(
    user: Uuid,
    step: u64,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let updated = row::Entity::update_many()
        .set(row::ActiveModel {
            last_step: Set(step.cast_signed()),
            ..Default::default()
        })
        .filter(row::Column::UserId.eq(user))
        .filter(row::Column::LastStep.lt(step.cast_signed()))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Removes the second factor and the recovery codes. `false` if there was no confirmed one.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete(user: Uuid, db: &impl ConnectionTrait) -> Result<bool, StoreError> {
    user::outdate_proofs(user, db).await?;
    let confirmed = confirmed_at(user, db).await?.is_some();
    row::Entity::delete_by_id(user).exec(db).await?;
    delete_codes(user, db).await?;
    Ok(confirmed)
}

/// Replaces the recovery codes of the user by these.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn set_recovery_codes(
    user: Uuid,
    codes: &[Secret],
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    delete_codes(user, db).await?;
    let rows = codes.iter().map(|code| {
        code_row::ActiveModel::from(code_row::Model {
            user_id: user,
            code_hash: hash(code.reveal()),
        })
    });
    code_row::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Uses up a recovery code. `false` if it is none of the user's, or was used before.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn use_recovery_code(
    user: Uuid,
    code: &str,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let deleted = code_row::Entity::delete_by_id((user, hash(code)))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected == 1)
}

/// How many recovery codes are left.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn count_recovery_codes(
    user: Uuid,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let own = code_row::Entity::find().filter(code_row::Column::UserId.eq(user));
    Ok(own.count(db).await?)
}

/// A sign-in that waits for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfSignIn {
    /// Whose.
    pub user: Uuid,
    /// Whose provider vouched for the person, if it was not their password.
    pub sign_on_tenant: Option<Uuid>,
}

/// Notes that the user proved all but the second factor, and gives a token for the rest of the sign-in: 43 characters (256 bits). It takes the
/// place of any other that the user began.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn insert_half_sign_in(
    half: &HalfSignIn,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Secret, StoreError> {
    delete_half_sign_ins(half.user, db).await?;
    let token = random();
    let new = half_row::Model {
        token_hash: hash(token.reveal()),
        user_id: half.user,
        expires_at: (now + HALF_SIGN_IN_LIFE).into(),
        sign_on_tenant_id: half.sign_on_tenant,
    };
    half_row::Entity::insert(half_row::ActiveModel::from(new))
        .exec_without_returning(db)
        .await?;
    Ok(token)
}

/// The sign-in that `token` goes on with, unless it waited too long.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn find_half_sign_in(
    token: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<HalfSignIn>, StoreError> {
    let found = half_row::Entity::find_by_id(hash(token))
        .filter(half_row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .one(db)
        .await?;
    Ok(found.map(|row| HalfSignIn {
        user: row.user_id,
        sign_on_tenant: row.sign_on_tenant_id,
    }))
}

/// Uses up the sign-in that `token` goes on with. `false` if it waited too long, is over, or somebody was faster.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn take_half_sign_in(
    token: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let deleted = half_row::Entity::delete_many()
        .filter(half_row::Column::TokenHash.eq(hash(token)))
        .filter(half_row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected == 1)
}

/// The sign-ins that the user began are over.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_half_sign_ins(user: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    half_row::Entity::delete_many()
        .filter(half_row::Column::UserId.eq(user))
        .exec(db)
        .await?;
    Ok(())
}

/// The sign-ins for which the tenant's provider vouched are over.
pub(crate) async fn delete_half_sign_ins_by_sign_on(
    tenant: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    half_row::Entity::delete_many()
        .filter(half_row::Column::SignOnTenantId.eq(tenant))
        .exec(db)
        .await?;
    Ok(())
}

/// Removes sign-ins that waited too long; returns how many.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_expired(
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let deleted = half_row::Entity::delete_many()
        .filter(half_row::Column::ExpiresAt.lte(UnixMicros::from(now)))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected)
}

async fn delete_codes(user: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    code_row::Entity::delete_many()
        .filter(code_row::Column::UserId.eq(user))
        .exec(db)
        .await?;
    Ok(())
}

fn place(user: Uuid, version: i64) -> Place {
    Place {
        table: "second_factors",
        id: user,
        column: "secret_sealed",
        version,
    }
}
