//! Bindings of the registrar. The proxy keeps them in memory and writes them behind, so that a restart
//! finds them again.

use std::net::SocketAddr;

use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::micros::UnixMicros;
use crate::row::binding as row;
use crate::{Db, StoreError, begin, commit};

/// Rows in one statement; PostgreSQL and SQLite take 32,766 values at most.
const ROWS_PER_STATEMENT: usize = 500;

/// A contact of an address-of-record, RFC 3261 section 10, with the flow it came over, RFC 5626.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The address-of-record: `sip:user@domain`.
    pub aor: String,
    /// What makes it the same binding within the address-of-record: instance-id and reg-id, or contact.
    pub key: String,
    /// The account's tenant.
    pub tenant_id: Uuid,
    /// The account.
    pub account_id: Uuid,
    /// The Contact header field's value as the phone sent it.
    pub contact: String,
    /// `+sip.instance` without brackets.
    pub instance: Option<String>,
    /// `reg-id`.
    pub reg_id: Option<u32>,
    /// Call-ID of the REGISTER.
    pub call_id: String,
    /// CSeq number of the REGISTER.
    pub cseq: u32,
    /// `q` in thousandths, 0 to 1000.
    pub q_thousandths: u16,
    /// Path header field values, the topmost first, RFC 3327.
    pub path: Vec<String>,
    /// Transport of the flow: `UDP`, `TCP`, `TLS`, `WS`, `WSS`.
    pub transport: String,
    /// Our address of the flow.
    pub local: SocketAddr,
    /// The phone's address of the flow.
    pub peer: SocketAddr,
    /// User-Agent of the REGISTER.
    pub user_agent: Option<String>,
    /// When the binding was made or refreshed.
    pub registered_at: OffsetDateTime,
    /// When it ends.
    pub expires_at: OffsetDateTime,
}

/// Names one binding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BindingKey {
    /// The address-of-record.
    pub aor: String,
    /// [`Binding::key`].
    pub key: String,
}

/// Writes and removes bindings together: all or nothing. A binding must not be in both lists, nor twice
/// in one.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn save(
    upserts: &[Binding],
    deletes: &[BindingKey],
    db: &impl Db,
) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    for some in upserts.chunks(ROWS_PER_STATEMENT) {
        row::Entity::insert_many(
            some.iter()
                .map(|binding| row::ActiveModel::from(to_row(binding))),
        )
        .on_conflict(replace_row())
        .exec_without_returning(&transaction)
        .await?;
    }
    for some in deletes.chunks(ROWS_PER_STATEMENT) {
        let mut any = Condition::any();
        for BindingKey { aor, key } in some {
            any = any.add(
                row::Column::Aor
                    .eq(aor)
                    .and(row::Column::BindingKey.eq(key)),
            );
        }
        row::Entity::delete_many()
            .filter(any)
            .exec(&transaction)
            .await?;
    }
    commit(transaction).await
}

/// All bindings that are alive at `now`, for the start of the proxy; at most `limit`, those that live
/// longest first. Rows that cannot be read are left out with a warning: their phones register again.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn load_all(
    now: OffsetDateTime,
    limit: u64,
    db: &impl ConnectionTrait,
) -> Result<Vec<Binding>, StoreError> {
    use sea_orm::QueryOrder;

    let rows = row::Entity::find()
        .filter(row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .order_by_desc(row::Column::ExpiresAt)
        .limit(limit)
        .all(db)
        .await?;
    let read = rows.into_iter().filter_map(|row| {
        let binding = from_row(row);
        if binding.is_none() {
            tracing::warn!("a stored binding cannot be read");
        }
        binding
    });
    Ok(read.collect())
}

/// Removes bindings whose time is over; returns how many.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn delete_expired(
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let deleted = row::Entity::delete_many()
        .filter(row::Column::ExpiresAt.lte(UnixMicros::from(now)))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected)
}

fn replace_row() -> OnConflict {
    use row::Column;

    OnConflict::columns([Column::Aor, Column::BindingKey])
        .update_columns([
            Column::TenantId,
            Column::AccountId,
            Column::Contact,
            Column::Instance,
            Column::RegId,
            Column::CallId,
            Column::Cseq,
            Column::QThousandths,
            Column::Path,
            Column::Transport,
            Column::LocalAddress,
            Column::PeerAddress,
            Column::UserAgent,
            Column::RegisteredAt,
            Column::ExpiresAt,
        ])
        .to_owned()
}

fn to_row(binding: &Binding) -> row::Model {
    row::Model {
        aor: binding.aor.clone(),
        binding_key: binding.key.clone(),
        tenant_id: binding.tenant_id,
        account_id: binding.account_id,
        contact: binding.contact.clone(),
        instance: binding.instance.clone(),
        reg_id: binding.reg_id.map(i64::from),
        call_id: binding.call_id.clone(),
        cseq: i64::from(binding.cseq),
        q_thousandths: i64::from(binding.q_thousandths),
        path: serde_json::Value::from(binding.path.clone()).to_string(),
        transport: binding.transport.clone(),
        local_address: binding.local.to_string(),
        peer_address: binding.peer.to_string(),
        user_agent: binding.user_agent.clone(),
        registered_at: binding.registered_at.into(),
        expires_at: binding.expires_at.into(),
    }
}

fn from_row(row: row::Model) -> Option<Binding> {
    Some(Binding {
        reg_id: row.reg_id.map(u32::try_from).transpose().ok()?,
        cseq: u32::try_from(row.cseq).ok()?,
        q_thousandths: u16::try_from(row.q_thousandths).ok()?,
        path: serde_json::from_str(&row.path).ok()?,
        local: row.local_address.parse().ok()?,
        peer: row.peer_address.parse().ok()?,
        aor: row.aor,
        key: row.binding_key,
        tenant_id: row.tenant_id,
        account_id: row.account_id,
        contact: row.contact,
        instance: row.instance,
        call_id: row.call_id,
        transport: row.transport,
        user_agent: row.user_agent,
        registered_at: row.registered_at.into(),
        expires_at: row.expires_at.into(),
    })
}
