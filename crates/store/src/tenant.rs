//! Tenants: one company each. A tenant is made together with Tandem's own provider.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::list::{Key, contains, page, sort_name};
use crate::row::{membership as member_row, tenant as row};
use crate::{
    Db, Page, PageRequest, Role, StoreError, begin, call, commit, id, membership, provider,
};

/// A company and its SIP domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The row's key.
    pub id: Uuid,
    /// The name in addresses: lower-case letters, digits and dashes.
    pub slug: String,
    /// The name that people read.
    pub name: String,
    /// The domain of its addresses-of-record at Tandem's proxy, in lower case.
    pub sip_domain: String,
    /// Whether it was made for showing Tandem.
    pub demonstration: bool,
    /// Whether its owners and administrators must have a second factor.
    pub second_factor_required: bool,
    /// Whether all but its owners must sign in through its provider; see [`sign_on`](crate::sign_on).
    pub sign_on_required: bool,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Grows with each change.
    pub version: u64,
}

/// What a tenant is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewTenant<'a> {
    /// The name in addresses.
    pub slug: &'a str,
    /// The name that people read.
    pub name: &'a str,
    /// The domain of its addresses-of-record; kept in lower case.
    pub sip_domain: &'a str,
    /// Whether it is made for showing Tandem.
    pub demonstration: bool,
    /// The user who becomes its owner.
    pub owner: Uuid,
}

/// Makes a tenant, its owner's membership and Tandem's own provider.
///
/// # Errors
///
/// [`StoreError::Conflict`] with `slug` if slug or SIP domain is taken, [`StoreError::Database`].
pub async fn insert(
    new: &NewTenant<'_>,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Tenant, StoreError> {
    let transaction = begin(db).await?;
    let tenant_row = row::Model {
        id: id::new(now),
        slug: new.slug.to_owned(),
        name: new.name.to_owned(),
        sort_name: sort_name(new.name),
        sip_domain: new.sip_domain.to_lowercase(),
        demonstration: new.demonstration,
        created_at: now.into(),
        version: 1,
        call_retention_days: call::DEFAULT_DAYS.into(),
        second_factor_required: false,
        sign_on_required: false,
    };
    let tenant = Tenant::from(tenant_row.clone());
    row::Entity::insert(row::ActiveModel::from(tenant_row))
        .exec_without_returning(&transaction)
        .await?;
    provider::insert_own(&tenant, now, &transaction).await?;
    membership::insert(tenant.id, new.owner, Role::Owner, now, &transaction).await?;
    commit(transaction).await?;
    Ok(tenant)
}

/// The tenant with that key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn load(id: Uuid, db: &impl ConnectionTrait) -> Result<Tenant, StoreError> {
    let found = row::Entity::find_by_id(id).one(db).await?;
    found.map(Tenant::from).ok_or(StoreError::NotFound)
}

/// The tenant with that slug, or `None`.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn find_by_slug(
    slug: &str,
    db: &impl ConnectionTrait,
) -> Result<Option<Tenant>, StoreError> {
    let found = row::Entity::find()
        .filter(row::Column::Slug.eq(slug))
        .one(db)
        .await?;
    Ok(found.map(Tenant::from))
}

/// All tenants by name, for the administrator of the installation.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn list(
    request: &PageRequest,
    db: &impl ConnectionTrait,
) -> Result<Page<Tenant>, StoreError> {
    let mut select = row::Entity::find();
    for word in request.words() {
        select = select.filter(contains(row::Column::SortName, &word));
    }
    let key = Key::Column(row::Column::SortName);
    let rows = page(select, key, row::Column::Id, request, db).await?;
    Ok(rows.map(Tenant::from))
}

/// The tenants that a user is a member of by name, with the user's role in each.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list_by_user(
    user: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Vec<(Tenant, Role)>, StoreError> {
    let memberships = member_row::Entity::find()
        .filter(member_row::Column::UserId.eq(user))
        .all(db)
        .await?;
    let tenants = row::Entity::find()
        .filter(row::Column::Id.is_in(memberships.iter().map(|membership| membership.tenant_id)))
        .order_by_asc(row::Column::SortName)
        .order_by_asc(row::Column::Id)
        .all(db)
        .await?;
    let mut listed = Vec::with_capacity(tenants.len());
    for tenant in tenants {
        if let Some(membership) = memberships.iter().find(|m| m.tenant_id == tenant.id) {
            listed.push((tenant.into(), membership::role(membership)?));
        }
    }
    Ok(listed)
}

/// How many tenants there are.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, StoreError> {
    Ok(row::Entity::find().count(db).await?)
}

/// Decides whether owners and administrators of the tenant must have a second factor.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn require_second_factor(
    id: Uuid,
    required: bool,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let updated = row::Entity::update_many()
        .set(row::ActiveModel {
            second_factor_required: Set(required),
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

impl From<row::Model> for Tenant {
    fn from(row: row::Model) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            sip_domain: row.sip_domain,
            demonstration: row.demonstration,
            second_factor_required: row.second_factor_required,
            sign_on_required: row.sign_on_required,
            created_at: row.created_at.into(),
            version: row.version.unsigned_abs(),
        }
    }
}
