//! Who changed what and when. Entries are appended and read, never changed.
//!
//! The entries of a tenant, and those of the installation, each form a chain (see `audit/chain.rs`): an entry's hash
//! covers the entry and the hash before it, so that an entry that was altered or removed is found by
//! [`verify`]. What the log says of a change is made by the caller and never holds a secret.

mod chain;

use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::list::{Key, contains_in_any_case, page};
use crate::micros::UnixMicros;
use crate::row::audit_entry as row;
use crate::words::words;
use crate::{Page, PageRequest, Sort, SortColumn, StoreError, id};

pub use chain::{Verified, verify};

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// The row's key.
    pub id: Uuid,
    /// When.
    pub at: OffsetDateTime,
    /// Who: an e-mail address, `device` and its id, or `system`.
    pub actor: String,
    /// What, as `object.verb`: `account.update`.
    pub action: String,
    /// On what: its name or id.
    pub subject: String,
    /// More about it in words; never a secret.
    pub detail: String,
    /// The row that it was done to, which may be gone by now.
    pub object: Option<Uuid>,
    /// The address that it was asked from.
    pub source: Option<String>,
    /// Each changed field with its value before and after, as a JSON object.
    pub changes: Option<String>,
    /// Its number in the chain; entries of older versions have none.
    pub sequence: Option<u64>,
}

/// What is to be noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewAuditEntry<'a> {
    /// Who.
    pub actor: &'a str,
    /// What.
    pub action: &'a str,
    /// On what.
    pub subject: &'a str,
    /// More about it; never a secret.
    pub detail: &'a str,
    /// The row that it was done to.
    pub object: Option<Uuid>,
    /// The address that it was asked from.
    pub source: Option<&'a str>,
    /// Each changed field with its value before and after, as a JSON object; never a secret.
    pub changes: Option<&'a str>,
}

/// Which entries are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who did it, as a whole.
    pub actor: Option<String>,
    /// The action, or how it begins: `account.` finds all that was done to accounts.
    pub action: Option<String>,
    /// Done to this row.
    pub object: Option<Uuid>,
    /// Not before.
    pub from: Option<OffsetDateTime>,
    /// Before.
    pub until: Option<OffsetDateTime>,
}

/// Notes what was done, in `tenant` or, with `None`, in the installation. Call it in the transaction of
/// the change, last: until the end of the transaction no other entry of the chain can be made.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn append(
    tenant: Option<Uuid>,
    new: &NewAuditEntry<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let end = chain::lock(tenant, db).await?;
    let mut entry = row::Model {
        id: id::new(now),
        tenant_id: tenant,
        at: now.into(),
        actor: new.actor.to_owned(),
        action: new.action.to_owned(),
        subject: new.subject.to_owned(),
        detail: new.detail.to_owned(),
        object_id: new.object,
        source: new.source.map(str::to_owned),
        changes: new.changes.map(str::to_owned),
        sequence: Some(end.sequence + 1),
        hash: None,
    };
    let hash = chain::hash(&end.hash, &entry);
    entry.hash = Some(hash.clone());
    chain::extend(&end, hash, db).await?;
    row::Entity::insert(row::ActiveModel::from(entry))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

words! {
    /// What the entries can be ordered by.
    AuditSort {
        /// When it was done.
        At = "at",
    }
}

impl SortColumn for AuditSort {
    const USUAL: Sort<Self> = Sort::descending(Self::At);
}

/// What was done in a tenant, newest first unless asked otherwise. Each word of the search is in the actor or the subject.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`], [`StoreError::Database`].
pub async fn list(
    tenant: Uuid,
    filter: &AuditFilter,
    request: &PageRequest<AuditSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<AuditEntry>, StoreError> {
    let mut select = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(filter.condition());
    for word in request.words() {
        select = select.filter(
            Condition::any()
                .add(contains_in_any_case(row::Column::Actor, &word))
                .add(contains_in_any_case(row::Column::Subject, &word)),
        );
    }
    let rows = page(select, Key::Age, row::Column::Id, request, db).await?;
    Ok(rows.map(AuditEntry::from))
}

impl AuditFilter {
    fn condition(&self) -> Condition {
        let (action, object) = (self.action.as_deref(), self.object);
        let actor = self.actor.as_deref();
        Condition::all()
            .add_option(actor.map(|actor| row::Column::Actor.eq(actor)))
            .add_option(action.map(|action| row::Column::Action.starts_with(action)))
            .add_option(object.map(|object| row::Column::ObjectId.eq(object)))
            .add_option(
                self.from
                    .map(|from| row::Column::At.gte(UnixMicros::from(from))),
            )
            .add_option(
                self.until
                    .map(|until| row::Column::At.lt(UnixMicros::from(until))),
            )
    }
}

impl From<row::Model> for AuditEntry {
    fn from(row: row::Model) -> Self {
        Self {
            id: row.id,
            at: row.at.into(),
            actor: row.actor,
            action: row.action,
            subject: row.subject,
            detail: row.detail,
            object: row.object_id,
            source: row.source,
            changes: row.changes,
            sequence: row.sequence.map(i64::unsigned_abs),
        }
    }
}
