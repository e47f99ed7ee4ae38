//! The chain of audit entries: each hash covers its entry and the hash before it (SHA-256).
//!
//! The end of each chain is a row that whoever appends holds until its transaction ends, so numbers have no
//! gaps: PostgreSQL locks that row, SQLite has one writer anyway.

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::StoreError;
use crate::row::{audit_chain as end_row, audit_entry as row};

/// What is known of a chain after all of it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many entries are chained.
    pub entries: u64,
    /// The number of the first entry that is missing or was altered; `None` if the chain is whole.
    pub broken_at: Option<u64>,
    /// The hash of the last entry, empty before the first one. Whoever keeps it elsewhere can tell later that nothing before it was changed.
    pub hash: Vec<u8>,
}

/// The end of the tenant's chain, or of the installation's, held until the transaction ends.
pub(super) async fn lock(
    tenant: Option<Uuid>,
    db: &impl ConnectionTrait,
) -> Result<end_row::Model, StoreError> {
    let chain = tenant.unwrap_or_default();
    let find = || end_row::Entity::find_by_id(chain).lock_exclusive().one(db);
    if let Some(end) = find().await? {
        return Ok(end);
    }
    let first = end_row::ActiveModel {
        chain: Set(chain),
        sequence: Set(0),
        hash: Set(Vec::new()),
    };
    end_row::Entity::insert(first)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    find().await?.ok_or(StoreError::NotFound)
}

/// The chain ends with this hash now.
pub(super) async fn extend(
    end: &end_row::Model,
    hash: Vec<u8>,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let next = end_row::ActiveModel {
        sequence: Set(end.sequence + 1),
        hash: Set(hash),
        ..Default::default()
    };
    end_row::Entity::update_many()
        .set(next)
        .filter(end_row::Column::Chain.eq(end.chain))
        .exec(db)
        .await?;
    Ok(())
}

/// Reads the whole chain of a tenant, or of the installation, and compares each hash.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn verify(
    tenant: Option<Uuid>,
    db: &impl ConnectionTrait,
) -> Result<Verified, StoreError> {
    let chain = tenant.unwrap_or_default();
    let end = end_row::Entity::find_by_id(chain).one(db).await?;
    let (length, last) = end.map_or((0, Vec::new()), |end| (end.sequence, end.hash));
    let (mut sequence, mut hash_before) = (0, Vec::new());
    let broken = |sequence: i64| Verified {
        entries: length.unsigned_abs(),
        broken_at: Some(sequence.unsigned_abs()),
        hash: last.clone(),
    };
    while sequence < length {
        let entries = entries_after(tenant, sequence, length, db).await?;
        if entries.is_empty() {
            return Ok(broken(sequence + 1));
        }
        for entry in entries {
            let expected = hash(&hash_before, &entry);
            if entry.sequence != Some(sequence + 1) || entry.hash.as_ref() != Some(&expected) {
                return Ok(broken(sequence + 1));
            }
            sequence += 1;
            hash_before = expected;
        }
    }
    if hash_before != last {
        return Ok(broken(length));
    }
    Ok(Verified {
        entries: length.unsigned_abs(),
        broken_at: None,
        hash: last,
    })
}

/// Entries that are read at once.
const BATCH: u64 = 500;

async fn entries_after(
    tenant: Option<Uuid>,
    sequence: i64,
    length: i64,
    db: &impl ConnectionTrait,
) -> Result<Vec<row::Model>, StoreError> {
    let own = match tenant {
        Some(tenant) => row::Column::TenantId.eq(tenant),
        None => row::Column::TenantId.is_null(),
    };
    Ok(row::Entity::find()
        .filter(own)
        .filter(row::Column::Sequence.gt(sequence))
        .filter(row::Column::Sequence.lte(length))
        .order_by_asc(row::Column::Sequence)
        .limit(BATCH)
        .all(db)
        .await?)
}

/// The hash of an entry that follows `before`. Every part has its length in front, so that no two entries
/// look alike.
pub(super) fn hash(before: &[u8], entry: &row::Model) -> Vec<u8> {
    let mut digest = Sha256::new();
    let mut part = |bytes: Option<&[u8]>| {
        let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
        digest.update(length.to_be_bytes());
        digest.update(bytes.unwrap_or_default());
    };
    part(Some(before));
    part(Some(&entry.sequence.unwrap_or_default().to_be_bytes()));
    part(Some(entry.id.as_bytes()));
    part(entry.tenant_id.as_ref().map(|id| id.as_bytes().as_slice()));
    part(Some(&entry.at.get().to_be_bytes()));
    for text in [&entry.actor, &entry.action, &entry.subject, &entry.detail] {
        part(Some(text.as_bytes()));
    }
    part(entry.object_id.as_ref().map(|id| id.as_bytes().as_slice()));
    part(entry.source.as_deref().map(str::as_bytes));
    part(entry.changes.as_deref().map(str::as_bytes));
    digest.finalize().to_vec()
}
