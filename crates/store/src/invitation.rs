//! Invitations into a tenant: an address, a role, and a token that was mailed there. Whoever holds the token may come once.

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::list::{Key, page};
use crate::micros::UnixMicros;
use crate::row::invitation as row;
use crate::token::{hash, random};
use crate::user::email_key;
use crate::words::words;
use crate::{Page, PageRequest, Role, Secret, Sort, SortColumn, StoreError, id};

/// How long an invitation can be accepted after it was last sent.
pub const INVITATION_LIFE: Duration = Duration::days(7);

/// How long one that nobody accepted is still listed.
const LISTED: Duration = Duration::days(30);

/// Somebody who may become a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The row's key.
    pub id: Uuid,
    /// Into which tenant.
    pub tenant_id: Uuid,
    /// Where the invitation was mailed to.
    pub email: String,
    /// What the member will be allowed to do.
    pub role: Role,
    /// Name of who invited.
    pub invited_by: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Until when it can be accepted.
    pub expires_at: OffsetDateTime,
}

/// What an invitation is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewInvitation<'a> {
    /// Where it is mailed to.
    pub email: &'a str,
    /// What the member will be allowed to do.
    pub role: Role,
    /// Name of who invites.
    pub invited_by: &'a str,
}

/// Invites somebody; gives the token for the link, 43 characters (256 bits).
///
/// # Errors
///
/// [`StoreError::Conflict`] with `email` if the address is invited already, [`StoreError::Database`].
pub async fn insert(
    tenant: Uuid,
    new: &NewInvitation<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(Invitation, Secret), StoreError> {
    let token = random();
    let made = row::Model {
        id: id::new(now),
        tenant_id: tenant,
        email: new.email.trim().to_owned(),
        email_key: email_key(new.email),
        role: new.role.as_str().to_owned(),
        invited_by: new.invited_by.to_owned(),
        token_hash: hash(token.reveal()),
        created_at: now.into(),
        expires_at: (now + INVITATION_LIFE).into(),
    };
    let invitation = Invitation::try_from(made.clone())?;
    row::Entity::insert(row::ActiveModel::from(made))
        .exec_without_returning(db)
        .await?;
    Ok((invitation, token))
}

/// Gives a new token and new time to an invitation; the old token ends.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn renew(
    tenant: Uuid,
    id: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(Invitation, Secret), StoreError> {
    let token = random();
    let updated = row::Entity::update_many()
        .set(row::ActiveModel {
            token_hash: Set(hash(token.reveal())),
            expires_at: Set((now + INVITATION_LIFE).into()),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::TenantId.eq(tenant))
        .exec(db)
        .await?;
    if updated.rows_affected == 0 {
        return Err(StoreError::NotFound);
    }
    Ok((load(tenant, id, db).await?, token))
}

words! {
    /// What invitations can be ordered by.
    InvitationSort {
        /// When they were made.
        CreatedAt = "created_at",
    }
}

impl SortColumn for InvitationSort {
    const USUAL: Sort<Self> = Sort::ascending(Self::CreatedAt);
}

/// The invitations of a tenant, those that are over too.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    request: &PageRequest<InvitationSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<Invitation>, StoreError> {
    let select = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
    let rows = page(select, Key::Age, row::Column::Id, request, db).await?;
    let items = rows.items.into_iter().map(Invitation::try_from);
    Ok(Page {
        items: items.collect::<Result<_, _>>()?,
        next: rows.next,
        total: rows.total,
    })
}

/// The invitation that `token` stands for, unless it is over.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn find(
    token: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<Invitation>, StoreError> {
    let found = row::Entity::find()
        .filter(row::Column::TokenHash.eq(hash(token)))
        .filter(row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .one(db)
        .await?;
    found.map(Invitation::try_from).transpose()
}

/// Uses up the invitation that `token` stands for. `None` if there is none, or somebody was faster.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn take(
    token: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<Invitation>, StoreError> {
    let Some(found) = find(token, now, db).await? else {
        return Ok(None);
    };
    let deleted = row::Entity::delete_many()
        .filter(row::Column::TokenHash.eq(hash(token)))
        .exec(db)
        .await?;
    Ok((deleted.rows_affected == 1).then_some(found))
}

/// Takes an invitation back.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn delete(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Invitation, StoreError> {
    let found = load(tenant, id, db).await?;
    row::Entity::delete_by_id(id).exec(db).await?;
    Ok(found)
}

/// Removes invitations that nobody accepted for a long time; returns how many.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_expired(
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let deleted = row::Entity::delete_many()
        .filter(row::Column::ExpiresAt.lte(UnixMicros::from(now - LISTED)))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected)
}

async fn load(tenant: Uuid, id: Uuid, db: &impl ConnectionTrait) -> Result<Invitation, StoreError> {
    let found = row::Entity::find_by_id(id)
        .filter(row::Column::TenantId.eq(tenant))
        .one(db)
        .await?;
    found.ok_or(StoreError::NotFound)?.try_into()
}

impl TryFrom<row::Model> for Invitation {
    type Error = StoreError;

    fn try_from(row: row::Model) -> Result<Self, StoreError> {
        let role = row.role.parse().map_err(|_| StoreError::Corrupt {
            table: "invitations",
            column: "role",
        })?;
        Ok(Self {
            id: row.id,
            tenant_id: row.tenant_id,
            email: row.email,
            role,
            invited_by: row.invited_by,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
        })
    }
}
