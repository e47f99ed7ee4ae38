//! How long calls are kept.

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::search::first_id;
use crate::list::{check_updated, check_version};
use crate::row::{call as row, call_number as number_row, tenant as tenant_row};
use crate::{Db, StoreError, begin, commit, webhook};

/// For how long a tenant keeps its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days; 0 keeps them for ever.
    pub days: u32,
    /// The version of the tenant.
    pub version: u64,
}

/// Days for which a new tenant keeps its calls.
pub(crate) const DEFAULT_DAYS: u32 = 365;

/// Calls that are deleted in one step, so that nobody who writes waits long.
const STEP: u64 = 2_000;

/// For how long the tenant keeps its calls.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn load_retention(
    tenant: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Retention, StoreError> {
    let row = tenant_row::Entity::find_by_id(tenant).one(db).await?;
    row.map(|row| retention(&row)).ok_or(StoreError::NotFound)
}

/// Changes for how long the tenant keeps its calls. What is too old then goes with the next [`delete_expired`].
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::StaleVersion`] if `expected` is given and is not the tenant's version,
/// [`StoreError::Database`].
pub async fn set_retention(
    tenant: Uuid,
    days: u32,
    expected: Option<u64>,
    db: &impl Db,
) -> Result<Retention, StoreError> {
    let transaction = begin(db).await?;
    let before = tenant_row::Entity::find_by_id(tenant);
    let before = before.one(&transaction).await?;
    let before = before.ok_or(StoreError::NotFound)?;
    check_version(before.version, expected)?;
    let updated = tenant_row::Entity::update_many()
        .set(tenant_row::ActiveModel {
            call_retention_days: Set(days.into()),
            ..Default::default()
        })
        .col_expr(tenant_row::Column::Version, Expr::cust("version + 1"))
        .filter(tenant_row::Column::Id.eq(tenant))
        .filter(tenant_row::Column::Version.eq(before.version))
        .exec(&transaction)
        .await?;
    check_updated(updated.rows_affected, before.version)?;
    commit(transaction).await?;
    Ok(Retention {
        days,
        version: before.version.unsigned_abs() + 1,
    })
}

/// Deletes the calls of all tenants that are older than their tenant keeps them; how many there were. A call that goes on stays.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_expired(now: OffsetDateTime, db: &impl Db) -> Result<u64, StoreError> {
    let tenants = tenant_row::Entity::find()
        .filter(tenant_row::Column::CallRetentionDays.gt(0))
        .all(db)
        .await?;
    let mut all = 0;
    for tenant in tenants {
        let kept = Duration::days(retention(&tenant).days.into());
        let Some(oldest) = now.checked_sub(kept) else {
            continue;
        };
        let deleted = delete_before(tenant.id, oldest, db).await?;
        if deleted > 0 {
            delete_unused_numbers(tenant.id, db).await?;
            webhook::forget_erased_calls(tenant.id, db).await?;
        }
        all += deleted;
    }
    Ok(all)
}

async fn delete_before(
    tenant: Uuid,
    oldest: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let ongoing = crate::CallOutcome::Ongoing.as_str();
    let mut all = 0;
    loop {
        let some = row::Entity::find()
            .select_only()
            .column(row::Column::Id)
            .filter(row::Column::TenantId.eq(tenant))
            .filter(row::Column::Id.lt(first_id(oldest)))
            .filter(row::Column::Outcome.ne(ongoing))
            .limit(STEP);
        let some = sea_orm::QueryTrait::into_query(some);
        let deleted = row::Entity::delete_many()
            .filter(row::Column::Id.in_subquery(some))
            .exec(db)
            .await?;
        all += deleted.rows_affected;
        if deleted.rows_affected < STEP {
            return Ok(all);
        }
    }
}

/// Forgets the numbers of a tenant that no call has any more.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_unused_numbers(
    tenant: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let call_with = |column: row::Column| {
        let number = Expr::col((number_row::Entity, number_row::Column::Number));
        let select = Query::select()
            .expr(Expr::val(1))
            .from(row::Entity)
            .and_where(row::Column::TenantId.eq(tenant))
            .and_where(Expr::col((row::Entity, column)).eq(number))
            .take();
        Expr::exists(select).not()
    };
    number_row::Entity::delete_many()
        .filter(number_row::Column::TenantId.eq(tenant))
        .filter(call_with(row::Column::CallerNumber))
        .filter(call_with(row::Column::CalleeNumber))
        .exec(db)
        .await?;
    Ok(())
}

fn retention(row: &tenant_row::Model) -> Retention {
    Retention {
        days: u32::try_from(row.call_retention_days).unwrap_or(0),
        version: row.version.unsigned_abs(),
    }
}
