//! Keys with which programs use the interface on behalf of a member. The program has the key; here lies only its hash, and its beginning,
//! by which people tell keys apart. A key goes with the membership that it belongs to.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::list::{Key, page};
use crate::micros::UnixMicros;
use crate::row::{api_key as row, tenant as tenant_row, user as user_row};
use crate::token::{hash, random};
use crate::words::words;
use crate::{Page, PageRequest, Secret, Sort, SortColumn, StoreError, id};

/// How every key begins, so that scanners for leaked secrets recognise one.
pub const API_KEY_START: &str = "tdm_";

/// How many keys a tenant can have.
pub const MAX_API_KEYS: u64 = 100;

/// How much `last_used_at` may lag behind, so that not every request writes.
const USED_GRANULARITY: Duration = Duration::minutes(1);

/// Characters of the random part that people see.
const SHOWN: usize = 8;

/// A key without what opens anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The row's key.
    pub id: Uuid,
    /// Of which tenant.
    pub tenant_id: Uuid,
    /// On whose behalf.
    pub user_id: Uuid,
    /// E-mail address of that user.
    pub made_by: String,
    /// What people call it.
    pub name: String,
    /// Its beginning.
    pub prefix: String,
    /// What it may be used for, as words of the caller's.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Until when it works; `None` for ever.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<OffsetDateTime>,
    /// Whether its maker had given a second factor to the tenant's provider, which was trusted with that.
    pub second_factor_elsewhere: bool,
}

/// What a key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewApiKey<'a> {
    /// On whose behalf it works.
    pub user: Uuid,
    /// What people call it.
    pub name: &'a str,
    /// What it may be used for; no word has a space in it.
    pub scopes: &'a [String],
    /// Until when it works.
    pub expires_at: Option<OffsetDateTime>,
    /// Whether the maker has given a second factor to the tenant's provider, which is trusted with that.
    pub second_factor_elsewhere: bool,
}

/// Makes a key, and gives it: `tdm_` and 43 characters (256 bits).
///
/// # Errors
///
/// [`StoreError::Count`] with `api_keys` if the tenant has too many, [`StoreError::Database`].
pub async fn insert(
    tenant: Uuid,
    new: &NewApiKey<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(ApiKey, Secret), StoreError> {
    let of_tenant = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
    if of_tenant.count(db).await? >= MAX_API_KEYS {
        return Err(StoreError::Count {
            field: "api_keys",
            max: 100,
        });
    }
    let key = Secret::new(format!("{API_KEY_START}{}", random().reveal()));
    let shown: String = key
        .reveal()
        .chars()
        .take(API_KEY_START.len() + SHOWN)
        .collect();
    let made = row::Model {
        id: id::new(now),
        tenant_id: tenant,
        user_id: new.user,
        name: new.name.to_owned(),
        prefix: shown,
        key_hash: hash(key.reveal()),
        scopes: new.scopes.join(" "),
        created_at: now.into(),
        expires_at: new.expires_at.map(Into::into),
        last_used_at: None,
        second_factor_elsewhere: new.second_factor_elsewhere,
    };
    row::Entity::insert(row::ActiveModel::from(made.clone()))
        .exec_without_returning(db)
        .await?;
    Ok((with_maker(vec![made], db).await?.remove(0), key))
}

words! {
    /// What keys can be ordered by.
    ApiKeySort {
        /// When they were made.
        CreatedAt = "created_at",
    }
}

impl SortColumn for ApiKeySort {
    const USUAL: Sort<Self> = Sort::ascending(Self::CreatedAt);
}

/// The keys of a tenant, those that are over too.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn list(
    tenant: Uuid,
    request: &PageRequest<ApiKeySort>,
    db: &impl ConnectionTrait,
) -> Result<Page<ApiKey>, StoreError> {
    let select = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
    let rows = page(select, Key::Age, row::Column::Id, request, db).await?;
    Ok(Page {
        items: with_maker(rows.items, db).await?,
        next: rows.next,
        total: rows.total,
    })
}

/// A key of somebody, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedKey {
    /// What people call it.
    pub name: String,
    /// The name of the tenant that it is for.
    pub tenant: String,
}

/// The keys of all tenants that work on behalf of this user now, the oldest first.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn list_by_user(
    user: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Vec<NamedKey>, StoreError> {
    let works = Condition::any()
        .add(row::Column::ExpiresAt.is_null())
        .add(row::Column::ExpiresAt.gt(UnixMicros::from(now)));
    let keys = row::Entity::find()
        .filter(row::Column::UserId.eq(user))
        .filter(works)
        .order_by_asc(row::Column::Id)
        .all(db)
        .await?;
    let tenants = tenant_row::Entity::find()
        .filter(tenant_row::Column::Id.is_in(keys.iter().map(|key| key.tenant_id)))
        .all(db)
        .await?;
    let named = |key: row::Model| {
        let of = tenants.iter().find(|tenant| tenant.id == key.tenant_id);
        NamedKey {
            name: key.name,
            tenant: of.map(|tenant| tenant.name.clone()).unwrap_or_default(),
        }
    };
    Ok(keys.into_iter().map(named).collect())
}

/// The key, unless it is over; notes that it was used.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn find(
    key: &str,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Option<ApiKey>, StoreError> {
    let found = row::Entity::find()
        .filter(row::Column::KeyHash.eq(hash(key)))
        .one(db)
        .await?;
    let over = |row: &row::Model| {
        row.expires_at
            .is_some_and(|at| OffsetDateTime::from(at) <= now)
    };
    let Some(found) = found.filter(|row| !over(row)) else {
        return Ok(None);
    };
    let fresh = found
        .last_used_at
        .is_some_and(|at| OffsetDateTime::from(at) + USED_GRANULARITY > now);
    if !fresh {
        row::Entity::update_many()
            .set(row::ActiveModel {
                last_used_at: Set(Some(now.into())),
                ..Default::default()
            })
            .filter(row::Column::Id.eq(found.id))
            .exec(db)
            .await?;
    }
    Ok(with_maker(vec![found], db).await?.pop())
}

/// Ends a key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn delete(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<ApiKey, StoreError> {
    let found = row::Entity::find_by_id(id)
        .filter(row::Column::TenantId.eq(tenant))
        .one(db)
        .await?
        .ok_or(StoreError::NotFound)?;
    row::Entity::delete_by_id(id).exec(db).await?;
    Ok(with_maker(vec![found], db).await?.remove(0))
}

/// The keys with the addresses of who made them.
async fn with_maker(
    rows: Vec<row::Model>,
    db: &impl ConnectionTrait,
) -> Result<Vec<ApiKey>, StoreError> {
    let users = user_row::Entity::find()
        .filter(user_row::Column::Id.is_in(rows.iter().map(|row| row.user_id)))
        .all(db)
        .await?;
    let email = |id| {
        let user = users.iter().find(|user| user.id == id);
        user.map(|user| user.email.clone()).unwrap_or_default()
    };
    let one = |row: row::Model| ApiKey {
        made_by: email(row.user_id),
        id: row.id,
        tenant_id: row.tenant_id,
        user_id: row.user_id,
        name: row.name,
        prefix: row.prefix,
        scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
        created_at: row.created_at.into(),
        expires_at: row.expires_at.map(Into::into),
        last_used_at: row.last_used_at.map(Into::into),
        second_factor_elsewhere: row.second_factor_elsewhere,
    };
    Ok(rows.into_iter().map(one).collect())
}
