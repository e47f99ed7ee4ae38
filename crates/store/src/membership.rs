//! Which user may do what in which tenant.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::row::{membership as row, user as user_row};
use crate::user::User;
use crate::{Cursor, Page, PageRequest, Role, StoreError};

/// A user of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// What the user may do in the tenant.
    pub role: Role,
}

/// Makes a user a member of a tenant.
///
/// # Errors
///
/// [`StoreError::Conflict`] with `email` if the user is a member already, [`StoreError::Database`].
pub async fn insert(
    tenant: Uuid,
    user: Uuid,
    role: Role,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let new = row::Model {
        tenant_id: tenant,
        user_id: user,
        role: role.as_str().to_owned(),
        created_at: now.into(),
    };
    row::Entity::insert(row::ActiveModel::from(new))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// What the user may do in the tenant, or `None` if the user is no member.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn find_role(
    tenant: Uuid,
    user: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Option<Role>, StoreError> {
    let found = row::Entity::find_by_id((tenant, user)).one(db).await?;
    found.as_ref().map(role).transpose()
}

/// The members of a tenant in the order in which they were made users.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    request: &PageRequest,
    db: &impl ConnectionTrait,
) -> Result<Page<Member>, StoreError> {
    let mut select = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
    if let Some(cursor) = &request.after {
        select = select.filter(row::Column::UserId.gt(cursor.id));
    }
    let rows = select
        .order_by_asc(row::Column::UserId)
        .limit(request.rows() + 1)
        .all(db)
        .await?;
    let cut = Page::cut(rows, request, |row| Cursor {
        name: String::new(),
        id: row.user_id,
    });
    let users = user_row::Entity::find()
        .filter(user_row::Column::Id.is_in(cut.items.iter().map(|row| row.user_id)))
        .order_by_asc(user_row::Column::Id)
        .all(db)
        .await?;
    let mut items = Vec::with_capacity(users.len());
    for (row, user) in cut.items.iter().zip(users) {
        items.push(Member {
            user: user.into(),
            role: role(row)?,
        });
    }
    Ok(Page {
        items,
        next: cut.next,
    })
}

pub(crate) fn role(row: &row::Model) -> Result<Role, StoreError> {
    row.role.parse().map_err(|_| StoreError::Corrupt {
        table: "memberships",
        column: "role",
    })
}
