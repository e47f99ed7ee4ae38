//! Calls of a tenant: who called whom, when, and what became of it.
//!
//! A row is of two sides and one tenant. Its key is made of the start of the call ([`new_id`]), so that lists go by the key alone, newest
//! first, and a range of time is a range of keys. Rows name accounts and devices and do not reference them: a call outlives them; who they
//! belong to now is found when a call is read.
//!
//! `call/search.rs`: whose calls are found by a person or a number. `call/parties.rs`: who the parties are now. `call/retention.rs`: how long
//! calls are kept.

use std::collections::{BTreeSet, HashMap};

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::batch::fitting;
use crate::list::{Key, page, total};
use crate::row::{call as row, call_number as number_row};
use crate::words::words;
use crate::{
    CallDirection, CallLink, CallOutcome, CallReason, CallSource, Db, Page, PageRequest, Reference,
    Sort, SortColumn, StoreError, begin, commit, id, webhook,
};

mod parties;
mod retention;
mod search;

use search::Walk;

pub(crate) use retention::DEFAULT_DAYS;
pub use retention::{
    Retention, delete_expired, delete_unused_numbers, load_retention, set_retention,
};

/// A call of two sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The row's key: [`new_id`] of its start.
    pub id: Uuid,
    /// What the row is of; transfers and redirections go on with the same call.
    pub call_id: Uuid,
    /// Who has told of it.
    pub source: CallSource,
    /// Where it came from and went to.
    pub direction: CallDirection,
    /// When it was asked for.
    pub started_at: OffsetDateTime,
    /// When somebody answered.
    pub answered_at: Option<OffsetDateTime>,
    /// When it ended; `None` while it goes on, and for ever if it was interrupted.
    pub ended_at: Option<OffsetDateTime>,
    /// What became of it.
    pub outcome: CallOutcome,
    /// Why it ended.
    pub reason: Option<CallReason>,
    /// The final status of SIP (RFC 3261, section 21).
    pub status: Option<u16>,
    /// How the two came together, if the one did not call the other, and who saw to that: an address.
    pub link: Option<(CallLink, String)>,
    /// Who called.
    pub caller: Party,
    /// Who was called, with the device that answered.
    pub callee: Party,
    /// What the caller dialled; empty if nobody has dialled it.
    pub dialled: String,
    /// The Call-ID of the caller's leg, by which a trace is found.
    pub sip_call_id: Option<String>,
}

/// One side of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// The account, if it is one of this tenant.
    pub account_id: Option<Uuid>,
    /// The device, if it is one of ours.
    pub device_id: Option<Uuid>,
    /// Its address, `sip:user@domain`; `None` if it is withheld.
    pub address: Option<String>,
    /// The name that it gave.
    pub name: Option<String>,
    /// The number, normalised, or the user of the address.
    pub number: Option<String>,
}

/// Who a party is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The account.
    pub account: Option<Reference>,
    /// The device.
    pub device: Option<Reference>,
    /// The person.
    pub contact: Option<Reference>,
}

/// A call and who its parties are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCall {
    /// As it was written.
    pub call: Call,
    /// Who called.
    pub caller: Known,
    /// Who was called.
    pub callee: Known,
}

/// Which calls are wanted; everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// One side is this person: one of the numbers, or an account on one of the devices.
    pub contact: Option<Uuid>,
    /// One side is this account.
    pub account: Option<Uuid>,
    /// Begun at this moment or later.
    pub from: Option<OffsetDateTime>,
    /// Begun before this moment.
    pub until: Option<OffsetDateTime>,
    /// With one of these outcomes, unless there are none.
    pub outcomes: Vec<CallOutcome>,
    /// In one of these directions, unless there are none.
    pub directions: Vec<CallDirection>,
    /// A part of a number, or a part of the name of a person or an account, on either side.
    pub search: Option<String>,
}

impl CallFilter {
    /// Whether it leaves every call in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

words! {
    /// What calls can be ordered by.
    CallSort {
        /// When it was asked for.
        StartedAt = "started_at",
    }
}

impl SortColumn for CallSort {
    const USUAL: Sort<Self> = Sort::descending(Self::StartedAt);
}

/// A key for a call that began at `started_at`. Made once; whoever tells more of the call later uses it again.
#[must_use]
pub fn new_id(started_at: OffsetDateTime) -> Uuid {
    id::new(started_at)
}

/// Writes calls of any tenants, all or none; what is there with the same key is replaced. Of several with one key the last counts. Webhooks are
/// told of those that have ended.
///
/// # Errors
///
/// [`StoreError::Database`], also if one of the tenants does not exist.
pub async fn append(calls: &[(Uuid, Call)], db: &impl Db) -> Result<(), StoreError> {
    let latest: HashMap<Uuid, &(Uuid, Call)> =
        calls.iter().map(|entry| (entry.1.id, entry)).collect();
    let mut latest: Vec<_> = latest.into_values().collect();
    // Neighbours in the table share a page.
    latest.sort_unstable_by_key(|(_, call)| call.id);
    let numbers: BTreeSet<(Uuid, &str)> = latest
        .iter()
        .flat_map(|(tenant, call)| {
            let numbers = [&call.caller.number, &call.callee.number];
            let numbers = numbers.into_iter().flatten();
            numbers.map(|number| (*tenant, number.as_str()))
        })
        .collect();
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    let transaction = begin(db).await?;
    webhook::tell_calls(&latest, &transaction).await?;
    while !latest.is_empty() {
        let some = latest.split_off(latest.len() - fitting(latest.len()));
        let some = some.into_iter();
        row::Entity::insert_many(some.map(|(tenant, call)| to_row(*tenant, call)))
            .on_conflict(replace())
            .exec_without_returning(&transaction)
            .await?;
    }
    while !numbers.is_empty() {
        let some = numbers.split_off(numbers.len() - fitting(numbers.len()));
        let some = some.into_iter().map(|(tenant, number)| {
            number_row::ActiveModel::from(number_row::Model {
                tenant_id: tenant,
                number: number.to_owned(),
            })
        });
        let key = [number_row::Column::TenantId, number_row::Column::Number];
        number_row::Entity::insert_many(some)
            .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
            .exec_without_returning(&transaction)
            .await?;
    }
    commit(transaction).await
}

/// Calls that go on according to the proxy are interrupted: it has just started and knows of none. How many there were.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn interrupt(db: &impl ConnectionTrait) -> Result<u64, StoreError> {
    let interrupted = row::ActiveModel {
        outcome: sea_orm::Set(CallOutcome::Interrupted.as_str().to_owned()),
        ..Default::default()
    };
    let updated = row::Entity::update_many()
        .set(interrupted)
        .filter(row::Column::Outcome.eq(CallOutcome::Ongoing.as_str()))
        .filter(row::Column::Source.eq(CallSource::Proxy.as_str()))
        .exec(db)
        .await?;
    Ok(updated.rows_affected)
}

/// The calls of a tenant, newest first unless asked otherwise. `request.search` is not looked at: the filter has its own.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    filter: &CallFilter,
    request: &PageRequest<CallSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<KnownCall>, StoreError> {
    let walk = Walk {
        after: request.after.as_ref().map(|cursor| cursor.id),
        descending: request.sort.descending,
        rows: request.rows() + 1,
    };
    let wanted = search::wanted(tenant, filter, &walk, db).await?;
    let uncounted = PageRequest {
        total: false,
        ..request.clone()
    };
    let select = row::Entity::find().filter(wanted);
    let found = page(select, Key::Age, row::Column::Id, &uncounted, db).await?;
    let total = match request.total {
        true => {
            let all = row::Entity::find().filter(search::all(tenant, filter, db).await?);
            Some(total(all, row::Column::Id, db).await?)
        }
        false => None,
    };
    Ok(Page {
        items: read(tenant, found.items, db).await?,
        next: found.next,
        total,
    })
}

/// The call with that key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<KnownCall, StoreError> {
    let found = own(tenant, id).one(db).await?;
    let mut calls = read(tenant, found.into_iter().collect(), db).await?;
    calls.pop().ok_or(StoreError::NotFound)
}

/// The calls that belong together, the first one first; at most a hundred.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list_chain(
    tenant: Uuid,
    call_id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Vec<KnownCall>, StoreError> {
    let rows = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::CallId.eq(call_id))
        .order_by_asc(row::Column::Id)
        .limit(MAX_CHAIN)
        .all(db)
        .await?;
    read(tenant, rows, db).await
}

const MAX_CHAIN: u64 = 100;

/// Erases a call that has ended.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Protected`] while it goes on, [`StoreError::Database`].
pub async fn delete(tenant: Uuid, id: Uuid, db: &impl Db) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    let call = own(tenant, id).one(&transaction).await?;
    let call = call.ok_or(StoreError::NotFound)?;
    if call.outcome == CallOutcome::Ongoing.as_str() {
        return Err(StoreError::Protected);
    }
    row::Entity::delete_by_id(id).exec(&transaction).await?;
    delete_unused_numbers(tenant, &transaction).await?;
    webhook::forget_erased_calls(tenant, &transaction).await?;
    commit(transaction).await
}

/// Erases all calls that the filter leaves in and that have ended; how many there were.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_many(
    tenant: Uuid,
    filter: &CallFilter,
    db: &impl Db,
) -> Result<u64, StoreError> {
    let transaction = begin(db).await?;
    let deleted = row::Entity::delete_many()
        .filter(ended(tenant, filter, &transaction).await?)
        .exec(&transaction)
        .await?;
    delete_unused_numbers(tenant, &transaction).await?;
    webhook::forget_erased_calls(tenant, &transaction).await?;
    commit(transaction).await?;
    Ok(deleted.rows_affected)
}

/// How many calls [`delete_many`] would erase.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn count(
    tenant: Uuid,
    filter: &CallFilter,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let wanted = ended(tenant, filter, db).await?;
    Ok(row::Entity::find().filter(wanted).count(db).await?)
}

async fn ended(
    tenant: Uuid,
    filter: &CallFilter,
    db: &impl ConnectionTrait,
) -> Result<Condition, StoreError> {
    let wanted = search::all(tenant, filter, db).await?;
    Ok(wanted.add(row::Column::Outcome.ne(CallOutcome::Ongoing.as_str())))
}

fn own(tenant: Uuid, id: Uuid) -> sea_orm::Select<row::Entity> {
    row::Entity::find_by_id(id).filter(row::Column::TenantId.eq(tenant))
}

async fn read(
    tenant: Uuid,
    rows: Vec<row::Model>,
    db: &impl ConnectionTrait,
) -> Result<Vec<KnownCall>, StoreError> {
    let calls: Result<Vec<Call>, _> = rows.into_iter().map(from_row).collect();
    parties::known(tenant, calls?, db).await
}

fn to_row(tenant: Uuid, call: &Call) -> row::ActiveModel {
    let (caller, callee) = (call.caller.clone(), call.callee.clone());
    let word = |word: &'static str| word.to_owned();
    row::ActiveModel::from(row::Model {
        id: call.id,
        tenant_id: tenant,
        call_id: call.call_id,
        source: word(call.source.as_str()),
        direction: word(call.direction.as_str()),
        started_at: call.started_at.into(),
        answered_at: call.answered_at.map(Into::into),
        ended_at: call.ended_at.map(Into::into),
        outcome: word(call.outcome.as_str()),
        reason: call.reason.map(|reason| word(reason.as_str())),
        status: call.status.map(i64::from),
        link: call.link.as_ref().map(|(link, _)| word(link.as_str())),
        linked_by: call.link.as_ref().map(|(_, by)| by.clone()),
        caller_account_id: caller.account_id,
        caller_device_id: caller.device_id,
        caller_address: caller.address,
        caller_name: caller.name,
        caller_number: caller.number,
        callee_account_id: callee.account_id,
        callee_device_id: callee.device_id,
        callee_address: callee.address,
        callee_name: callee.name,
        callee_number: callee.number,
        dialled: call.dialled.clone(),
        sip_call_id: call.sip_call_id.clone(),
    })
}

/// What may be told anew of a call.
fn replace() -> OnConflict {
    OnConflict::column(row::Column::Id)
        .update_columns([
            row::Column::CallId,
            row::Column::AnsweredAt,
            row::Column::EndedAt,
            row::Column::Outcome,
            row::Column::Reason,
            row::Column::Status,
            row::Column::CalleeAccountId,
            row::Column::CalleeDeviceId,
            row::Column::CalleeAddress,
            row::Column::CalleeName,
            row::Column::CalleeNumber,
        ])
        .to_owned()
}

fn from_row(row: row::Model) -> Result<Call, StoreError> {
    let corrupt = |column| StoreError::Corrupt {
        table: "calls",
        column,
    };
    let link = match (row.link, row.linked_by) {
        (Some(link), Some(by)) => Some((link.parse().map_err(|_| corrupt("link"))?, by)),
        _ => None,
    };
    let reason = row.reason.map(|reason| reason.parse());
    let status = row.status.map(u16::try_from);
    Ok(Call {
        id: row.id,
        call_id: row.call_id,
        source: row.source.parse().map_err(|_| corrupt("source"))?,
        direction: row.direction.parse().map_err(|_| corrupt("direction"))?,
        started_at: row.started_at.into(),
        answered_at: row.answered_at.map(Into::into),
        ended_at: row.ended_at.map(Into::into),
        outcome: row.outcome.parse().map_err(|_| corrupt("outcome"))?,
        reason: reason.transpose().map_err(|_| corrupt("reason"))?,
        status: status.transpose().map_err(|_| corrupt("status"))?,
        link,
        caller: Party {
            account_id: row.caller_account_id,
            device_id: row.caller_device_id,
            address: row.caller_address,
            name: row.caller_name,
            number: row.caller_number,
        },
        callee: Party {
            account_id: row.callee_account_id,
            device_id: row.callee_device_id,
            address: row.callee_address,
            name: row.callee_name,
            number: row.callee_number,
        },
        dialled: row.dialled,
        sip_call_id: row.sip_call_id,
    })
}
