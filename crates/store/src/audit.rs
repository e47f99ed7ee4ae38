//! Who changed what and when. Entries are appended and read, never changed.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::row::audit_entry as row;
use crate::{Cursor, Page, PageRequest, StoreError, id};

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
}

/// What is to be noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewAuditEntry<'a> {
    /// Who.
    pub actor: &'a str,
    /// What.
    pub action: &'a str,
    /// On what.
    pub subject: &'a str,
    /// More about it; never a secret.
    pub detail: &'a str,
}

/// Notes what was done, in `tenant` or, with `None`, in the installation. Call it in the transaction of
/// the change.
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
    let new = row::Model {
        id: id::new(now),
        tenant_id: tenant,
        at: now.into(),
        actor: new.actor.to_owned(),
        action: new.action.to_owned(),
        subject: new.subject.to_owned(),
        detail: new.detail.to_owned(),
    };
    row::Entity::insert(row::ActiveModel::from(new))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// What was done in a tenant, newest first. `search` is not looked at.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn list(
    tenant: Uuid,
    request: &PageRequest,
    db: &impl ConnectionTrait,
) -> Result<Page<AuditEntry>, StoreError> {
    let mut select = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
    if let Some(cursor) = &request.after {
        select = select.filter(row::Column::Id.lt(cursor.id));
    }
    let rows = select
        .order_by_desc(row::Column::Id)
        .limit(request.rows() + 1)
        .all(db)
        .await?;
    let cut = Page::cut(rows, request, |row| Cursor {
        name: String::new(),
        id: row.id,
    });
    Ok(cut.map(AuditEntry::from))
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
        }
    }
}
