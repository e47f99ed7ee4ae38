//! Bindings of the registrar. The proxy keeps them in memory and writes a row for each address-of-record
//! that has changed, so that a restart finds them again.
//!
//! What is in a row only the proxy knows: to the store it is bytes. The key is 63 bits of a hash of the
//! address-of-record, because a number is found and replaced at a fraction of what a text costs.

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use sha2::{Digest, Sha256};

use crate::batch::fitting;
use crate::row::registration as row;
use crate::{Db, StoreError, begin, commit};

/// Rows that are read at once.
const PAGE: u64 = 1_000;

/// All bindings of an address-of-record, RFC 3261 section 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration<'a> {
    /// The address-of-record: `sip:user@domain`.
    pub aor: &'a str,
    /// Its bindings; `None` removes the row.
    pub bindings: Option<&'a [u8]>,
    /// When the last of them ends, in seconds since 1970.
    pub expires_unix_secs: u32,
}

/// Writes and removes rows together: all or nothing. An address-of-record must not be there twice.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn save(registrations: Vec<Registration<'_>>, db: &impl Db) -> Result<(), StoreError> {
    let mut upserts = Vec::new();
    let mut deletes = Vec::new();
    for registration in registrations {
        let id = id(registration.aor);
        match registration.bindings {
            None => deletes.push(id),
            Some(bindings) => upserts.push((id, registration.expires_unix_secs, bindings)),
        }
    }
    // Neighbours in the table share a page.
    upserts.sort_unstable_by_key(|(id, ..)| *id);
    let transaction = begin(db).await?;
    while !upserts.is_empty() {
        // Copied for one statement at a time.
        let some = upserts.split_off(upserts.len() - fitting(upserts.len()));
        let some = some
            .into_iter()
            .map(|(id, expires, bindings)| row::ActiveModel {
                id: Set(id),
                expires_at: Set(expires.into()),
                bindings: Set(bindings.to_vec()),
            });
        row::Entity::insert_many(some)
            .on_conflict(replace_row())
            .exec_without_returning(&transaction)
            .await?;
    }
    while !deletes.is_empty() {
        let some = deletes.split_off(deletes.len() - fitting(deletes.len()));
        row::Entity::delete_many()
            .filter(row::Column::Id.is_in(some))
            .exec(&transaction)
            .await?;
    }
    commit(transaction).await
}

/// Where a reader of all rows is: behind the row with this key.
#[derive(Clone, Copy, Debug)]
pub struct Position(i64);

impl Position {
    /// Before the first row.
    pub const START: Self = Self(-1);
}

/// The bindings of the next rows behind `from` that are alive at `now_unix_secs`, for the start of the proxy,
/// and where to go on; `None` after the last. At most a thousand at once, so that nobody holds all of them twice.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn load_some(
    from: Position,
    now_unix_secs: u32,
    db: &impl ConnectionTrait,
) -> Result<(Vec<Vec<u8>>, Option<Position>), StoreError> {
    let rows = row::Entity::find()
        .select_only()
        .columns([row::Column::Id, row::Column::Bindings])
        .filter(row::Column::Id.gt(from.0))
        .filter(row::Column::ExpiresAt.gt(i64::from(now_unix_secs)))
        .order_by_asc(row::Column::Id)
        .limit(PAGE)
        .into_model::<Bindings>()
        .all(db)
        .await?;
    let next = rows.last().map(|last| Position(last.id));
    Ok((rows.into_iter().map(|row| row.bindings).collect(), next))
}

/// Removes rows whose time is over; returns how many.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_expired(
    now_unix_secs: u32,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let deleted = row::Entity::delete_many()
        .filter(row::Column::ExpiresAt.lte(i64::from(now_unix_secs)))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected)
}

#[derive(FromQueryResult)]
struct Bindings {
    id: i64,
    bindings: Vec<u8>,
}

/// Not to be guessed backwards and hard to collide on purpose, so that no address replaces another's row.
fn id(aor: &str) -> i64 {
    let hash = Sha256::digest(aor.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_be_bytes(first) & i64::MAX
}

fn replace_row() -> OnConflict {
    OnConflict::column(row::Column::Id)
        .update_columns([row::Column::ExpiresAt, row::Column::Bindings])
        .to_owned()
}
