//! Which user may do what in which tenant.

use std::collections::HashMap;

use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType,
    PaginatorTrait, QueryFilter, QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::list::{Key, contains, contains_in_any_case, page};
use crate::row::{membership as row, tenant as tenant_row, user as user_row};
use crate::tenant::Tenant;
use crate::user::{self, User};
use crate::words::words;
use crate::{Db, Page, PageRequest, Role, Sort, SortColumn, StoreError, begin, commit};

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

/// The tenant and what the user may do in it, or `None` if there is no such tenant or the user is no member.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn find(
    tenant: Uuid,
    user: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Option<(Tenant, Role)>, StoreError> {
    let tenant_of_member = row::Entity::belongs_to(tenant_row::Entity)
        .from(row::Column::TenantId)
        .to(tenant_row::Column::Id);
    let found = row::Entity::find_by_id((tenant, user))
        .join(JoinType::InnerJoin, tenant_of_member.into())
        .select_also(tenant_row::Entity)
        .one(db)
        .await?;
    let Some((member, Some(tenant))) = found else {
        return Ok(None);
    };
    Ok(Some((tenant.into(), role(&member)?)))
}

/// Whether the user with this e-mail address is a member.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn is_member(
    tenant: Uuid,
    email: &str,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let Some((user, _)) = user::find_by_email(email, db).await? else {
        return Ok(false);
    };
    let found = row::Entity::find_by_id((tenant, user.id)).one(db).await?;
    Ok(found.is_some())
}

/// Gives a member another role, and says which it was.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::LastOwner`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn set_role(
    tenant: Uuid,
    user: Uuid,
    new: Role,
    db: &impl Db,
) -> Result<Role, StoreError> {
    let transaction = begin(db).await?;
    let before = load_locked(tenant, user, &transaction).await?;
    if before == Role::Owner && new != Role::Owner {
        keep_an_owner(tenant, &transaction).await?;
    }
    row::Entity::update_many()
        .set(row::ActiveModel {
            role: Set(new.as_str().to_owned()),
            ..Default::default()
        })
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::UserId.eq(user))
        .exec(&transaction)
        .await?;
    commit(transaction).await?;
    Ok(before)
}

/// Removes a member, and says which role it was.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::LastOwner`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn delete(tenant: Uuid, user: Uuid, db: &impl Db) -> Result<Role, StoreError> {
    let transaction = begin(db).await?;
    let before = load_locked(tenant, user, &transaction).await?;
    if before == Role::Owner {
        keep_an_owner(tenant, &transaction).await?;
    }
    row::Entity::delete_by_id((tenant, user))
        .exec(&transaction)
        .await?;
    commit(transaction).await?;
    Ok(before)
}

/// The role of a member, while nobody else changes members of the tenant: two owners must not go at the same time.
async fn load_locked(
    tenant: Uuid,
    user: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Role, StoreError> {
    tenant_row::Entity::find_by_id(tenant)
        .lock_exclusive()
        .one(db)
        .await?
        .ok_or(StoreError::NotFound)?;
    find_role(tenant, user, db)
        .await?
        .ok_or(StoreError::NotFound)
}

/// Refuses to let one owner go if there is no other.
async fn keep_an_owner(tenant: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    let owners = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::Role.eq(Role::Owner.as_str()))
        .count(db)
        .await?;
    if owners < 2 {
        return Err(StoreError::LastOwner);
    }
    Ok(())
}

words! {
    /// What members can be ordered by.
    MemberSort {
        /// Since when the user exists.
        CreatedAt = "created_at",
    }
}

impl SortColumn for MemberSort {
    const USUAL: Sort<Self> = Sort::ascending(Self::CreatedAt);
}

/// Which members are wanted; a list without values leaves all in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberFilter {
    /// With one of these roles.
    pub roles: Vec<Role>,
}

/// The members of a tenant; the search looks at names and e-mail address.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    filter: &MemberFilter,
    request: &PageRequest<MemberSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<Member>, StoreError> {
    let mut select = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
    if !filter.roles.is_empty() {
        let roles = filter.roles.iter().map(|role| role.as_str());
        select = select.filter(row::Column::Role.is_in(roles));
    }
    for word in request.words() {
        select = select.filter(row::Column::UserId.in_subquery(named(&word)));
    }
    let rows = page(select, Key::Age, row::Column::UserId, request, db).await?;
    let users = user_row::Entity::find()
        .filter(user_row::Column::Id.is_in(rows.items.iter().map(|row| row.user_id)))
        .all(db)
        .await?;
    let mut users: HashMap<Uuid, User> = users
        .into_iter()
        .map(|user| (user.id, User::from(user)))
        .collect();
    let mut items = Vec::with_capacity(rows.items.len());
    for row in &rows.items {
        if let Some(user) = users.remove(&row.user_id) {
            let role = role(row)?;
            items.push(Member { user, role });
        }
    }
    Ok(Page {
        items,
        next: rows.next,
        total: rows.total,
    })
}

/// Users with the word in a name or the address.
fn named(word: &str) -> SelectStatement {
    Query::select()
        .column(user_row::Column::Id)
        .from(user_row::Entity)
        .cond_where(
            Condition::any()
                .add(contains(user_row::Column::EmailKey, word))
                .add(contains_in_any_case(user_row::Column::FirstName, word))
                .add(contains_in_any_case(user_row::Column::LastName, word)),
        )
        .take()
}

pub(crate) fn role(row: &row::Model) -> Result<Role, StoreError> {
    row.role.parse().map_err(|_| StoreError::Corrupt {
        table: "memberships",
        column: "role",
    })
}
