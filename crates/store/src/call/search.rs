//! Which calls a filter leaves in, and the way to them.
//!
//! A person is a set of accounts and numbers. If it is small, the first calls of each are taken from its index and put in order, so that a
//! page costs the same at any depth and however rare the person is. If it is large, its calls are many, and the walk along all calls of
//! the tenant soon has a page.

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter, QuerySelect,
    QueryTrait, TryGetable,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::CallFilter;
use crate::list::{contains, sort_name};
use crate::number::part_of_number;
use crate::page::words_of;
use crate::row::{
    account as account_row, call as row, call_number as number_row, contact as contact_row,
    contact_number as contact_number_row, device as device_row, device_account as line_row,
};
use crate::{StoreError, contact};

/// Accounts and numbers for which calls are taken from the indexes one by one.
const FEW: u64 = 32;

/// Ways to find a side of a call; each is a question for one column.
struct Parties {
    accounts: Option<SelectStatement>,
    numbers: Option<SelectStatement>,
}

/// Where a page begins, in which direction it goes, and how many calls it takes.
pub(super) struct Walk {
    pub(super) after: Option<Uuid>,
    pub(super) descending: bool,
    pub(super) rows: u64,
}

/// The calls of a walk that the filter leaves in, and perhaps more.
pub(super) async fn wanted(
    tenant: Uuid,
    filter: &CallFilter,
    walk: &Walk,
    db: &impl ConnectionTrait,
) -> Result<Condition, StoreError> {
    let mut plain = plain(tenant, filter);
    if let Some(after) = walk.after {
        plain = plain.add(match walk.descending {
            true => row::Column::Id.lt(after),
            false => row::Column::Id.gt(after),
        });
    }
    let mut narrowest: Option<(usize, Keys)> = None;
    let criteria = criteria(tenant, filter, db).await?;
    for (at, parties) in criteria.iter().enumerate() {
        if let Some(keys) = parties.few(db).await?
            && narrowest
                .as_ref()
                .is_none_or(|(_, other)| keys.len() < other.len())
        {
            narrowest = Some((at, keys));
        }
    }
    for (at, parties) in criteria.iter().enumerate() {
        if narrowest.as_ref().is_none_or(|(narrow, _)| *narrow != at) {
            plain = plain.add(parties.condition());
        }
    }
    let Some((_, keys)) = narrowest else {
        return Ok(plain);
    };
    Ok(keys.first(&plain, walk))
}

/// All calls that the filter leaves in.
pub(super) async fn all(
    tenant: Uuid,
    filter: &CallFilter,
    db: &impl ConnectionTrait,
) -> Result<Condition, StoreError> {
    let criteria = criteria(tenant, filter, db).await?;
    let plain = plain(tenant, filter);
    Ok(criteria
        .iter()
        .fold(plain, |all, parties| all.add(parties.condition())))
}

/// What does not ask for a person.
fn plain(tenant: Uuid, filter: &CallFilter) -> Condition {
    let mut plain = Condition::all();
    if !filter.outcomes.is_empty() {
        let outcomes = filter.outcomes.iter().map(|outcome| outcome.as_str());
        plain = plain.add(row::Column::Outcome.is_in(outcomes));
    }
    if !filter.directions.is_empty() {
        let directions = filter.directions.iter().map(|direction| direction.as_str());
        plain = plain.add(row::Column::Direction.is_in(directions));
    }
    plain
        .add(row::Column::TenantId.eq(tenant))
        .add_option(filter.from.map(|from| row::Column::Id.gte(first_id(from))))
        .add_option(
            filter
                .until
                .map(|until| row::Column::Id.lt(first_id(until))),
        )
}

/// The smallest key of a call that begins in this millisecond or later (RFC 9562, section 5.7).
pub(super) fn first_id(at: OffsetDateTime) -> Uuid {
    let ms = at.unix_timestamp_nanos().div_euclid(1_000_000);
    let ms = u128::try_from(ms).unwrap_or(0).min((1 << 48) - 1);
    Uuid::from_u128(ms << 80)
}

async fn criteria(
    tenant: Uuid,
    filter: &CallFilter,
    db: &impl ConnectionTrait,
) -> Result<Vec<Parties>, StoreError> {
    let mut criteria = Vec::new();
    if let Some(account) = filter.account {
        criteria.push(Parties {
            accounts: Some(account_ids(
                tenant,
                Condition::all().add(account_row::Column::Id.eq(account)),
            )),
            numbers: None,
        });
    }
    if let Some(person) = filter.contact {
        let person = Condition::all()
            .add(contact_row::Column::TenantId.eq(tenant))
            .add(contact_row::Column::Id.eq(person));
        criteria.push(Parties::of_contacts(person));
    }
    let search = filter.search.as_deref().map(str::trim).unwrap_or_default();
    if let Some(part) = part_of_number(search) {
        criteria.push(Parties {
            accounts: None,
            numbers: Some(numbers(tenant, &part)),
        });
    } else if !search.is_empty() {
        criteria.push(Parties::named(tenant, search, db).await?);
    }
    Ok(criteria)
}

impl Parties {
    fn of_contacts(contacts: Condition) -> Self {
        let contacts = contact_row::Entity::find()
            .filter(contacts)
            .select_only()
            .column(contact_row::Column::Id)
            .into_query();
        let devices = Query::select()
            .column(device_row::Column::Id)
            .from(device_row::Entity)
            .and_where(device_row::Column::ContactId.in_subquery(contacts.clone()))
            .take();
        Self {
            accounts: Some(
                Query::select()
                    .column(line_row::Column::AccountId)
                    .from(line_row::Entity)
                    .and_where(line_row::Column::DeviceId.in_subquery(devices))
                    .take(),
            ),
            numbers: Some(
                Query::select()
                    .column(contact_number_row::Column::Number)
                    .from(contact_number_row::Entity)
                    .and_where(contact_number_row::Column::ContactId.in_subquery(contacts))
                    .take(),
            ),
        }
    }

    /// People and accounts whose names contain the words, and addresses that do.
    async fn named(
        tenant: Uuid,
        search: &str,
        db: &impl ConnectionTrait,
    ) -> Result<Self, StoreError> {
        let words = words_of(search);
        let contacts = contact::search::matching(tenant, &words, db).await?;
        let mut named = Self::of_contacts(contacts);
        let names = words.iter().fold(Condition::all(), |all, word| {
            all.add(contains(account_row::Column::SortName, word))
        });
        if let Some(accounts) = &mut named.accounts {
            accounts.union(UnionType::Distinct, account_ids(tenant, names));
        }
        if let Some(all) = &mut named.numbers {
            all.union(UnionType::Distinct, numbers(tenant, &sort_name(search)));
        }
        Ok(named)
    }

    /// One of the two sides is one of these.
    fn condition(&self) -> Condition {
        let mut any = Condition::any();
        if let Some(accounts) = &self.accounts {
            any = any
                .add(row::Column::CallerAccountId.in_subquery(accounts.clone()))
                .add(row::Column::CalleeAccountId.in_subquery(accounts.clone()));
        }
        if let Some(numbers) = &self.numbers {
            any = any
                .add(row::Column::CallerNumber.in_subquery(numbers.clone()))
                .add(row::Column::CalleeNumber.in_subquery(numbers.clone()));
        }
        any
    }

    /// All of them, if they are few.
    async fn few(&self, db: &impl ConnectionTrait) -> Result<Option<Keys>, StoreError> {
        let mut keys = Keys::default();
        if let Some(accounts) = &self.accounts {
            keys.accounts = first(accounts, db).await?;
        }
        if let Some(numbers) = &self.numbers {
            keys.numbers = first(numbers, db).await?;
        }
        let most = usize::try_from(FEW).unwrap_or(usize::MAX);
        Ok((keys.len() <= most).then_some(keys))
    }
}

/// The first of what a subquery finds, one more than are [`FEW`].
async fn first<T: TryGetable>(
    found: &SelectStatement,
    db: &impl ConnectionTrait,
) -> Result<Vec<T>, StoreError> {
    let mut select = Query::select();
    select
        .column(Asterisk)
        .from_subquery(found.clone(), "found")
        .limit(FEW + 1);
    let statement = db.get_database_backend().build(&select);
    let rows = db.query_all_raw(statement).await?;
    let keys: Result<Vec<T>, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
    Ok(keys?)
}

/// Accounts and numbers.
#[derive(Default)]
struct Keys {
    accounts: Vec<Uuid>,
    numbers: Vec<String>,
}

impl Keys {
    fn len(&self) -> usize {
        self.accounts.len() + self.numbers.len()
    }

    /// The first calls of the walk of each of them, as keys.
    fn first(&self, plain: &Condition, walk: &Walk) -> Condition {
        let order = match walk.descending {
            true => Order::Desc,
            false => Order::Asc,
        };
        let accounts = self.accounts.iter().flat_map(|account| {
            [
                row::Column::CallerAccountId.eq(*account),
                row::Column::CalleeAccountId.eq(*account),
            ]
        });
        let numbers = self.numbers.iter().flat_map(|number| {
            [
                row::Column::CallerNumber.eq(number.as_str()),
                row::Column::CalleeNumber.eq(number.as_str()),
            ]
        });
        let mut all: Option<SelectStatement> = None;
        for of_one in accounts.chain(numbers) {
            let first = Query::select()
                .column((row::Entity, row::Column::Id))
                .from(row::Entity)
                .cond_where(plain.clone())
                .and_where(of_one)
                .order_by((row::Entity, row::Column::Id), order.clone())
                .limit(walk.rows)
                .take();
            // SQLite takes order and limit within a union only so.
            let mut first = Query::select()
                .column(row::Column::Id)
                .from_subquery(first, "first_ones")
                .take();
            match &mut all {
                None => all = Some(std::mem::take(&mut first)),
                Some(all) => {
                    all.union(UnionType::Distinct, first);
                }
            }
        }
        match all {
            None => Condition::all().add(Expr::val(1).eq(0)),
            Some(all) => Condition::all().add(row::Column::Id.in_subquery(all)),
        }
    }
}

fn account_ids(tenant: Uuid, condition: Condition) -> SelectStatement {
    Query::select()
        .column(account_row::Column::Id)
        .from(account_row::Entity)
        .and_where(account_row::Column::TenantId.eq(tenant))
        .cond_where(condition)
        .take()
}

/// The numbers in the tenant's calls that contain this.
fn numbers(tenant: Uuid, part: &str) -> SelectStatement {
    Query::select()
        .column(number_row::Column::Number)
        .from(number_row::Entity)
        .and_where(number_row::Column::TenantId.eq(tenant))
        .and_where(contains(number_row::Column::Number, part))
        .take()
}
