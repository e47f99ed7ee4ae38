//! Service providers: where SIP accounts register. One per tenant is Tandem's own proxy.

use std::collections::HashMap;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::list::sort_name;
use crate::row::{account as account_row, provider as row};
use crate::tenant::Tenant;
use crate::{Db, SipTransport, StoreError, begin, commit, dependents, device, id};

mod list;

pub use list::{ProviderFilter, ProviderSort, list};

/// What Tandem's own provider is called at first.
const OWN_NAME: &str = "Tandem";

/// A registrar and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// The row's key.
    pub id: Uuid,
    /// The name that people read.
    pub name: String,
    /// Host name or address; the domain of its addresses-of-record.
    pub server: String,
    /// The port, or `None` to find it by DNS.
    pub port: Option<u16>,
    /// How it is reached.
    pub transport: SipTransport,
    /// A proxy that everything is sent through.
    pub outbound_proxy: Option<String>,
    /// Whether this is Tandem's own proxy.
    pub own: bool,
    /// How many accounts it has.
    pub account_count: u64,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Grows with each change.
    pub version: u64,
}

/// What a provider is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderFields {
    /// The name that people read.
    pub name: String,
    /// Host name or address.
    pub server: String,
    /// The port, or `None` to find it by DNS.
    pub port: Option<u16>,
    /// How it is reached.
    pub transport: SipTransport,
    /// A proxy that everything is sent through.
    pub outbound_proxy: Option<String>,
}

/// Makes a provider.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn insert(
    tenant: Uuid,
    fields: &ProviderFields,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Provider, StoreError> {
    let new = row::Model {
        id: id::new(now),
        tenant_id: tenant,
        name: fields.name.clone(),
        sort_name: sort_name(&fields.name),
        server: fields.server.to_lowercase(),
        port: fields.port.map(i64::from),
        transport: fields.transport.as_str().to_owned(),
        outbound_proxy: fields.outbound_proxy.clone(),
        own: false,
        created_at: now.into(),
        version: 1,
    };
    insert_row(new, db).await
}

/// Makes Tandem's own provider; its server is the tenant's SIP domain.
pub(crate) async fn insert_own(
    tenant: &Tenant,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Provider, StoreError> {
    let new = row::Model {
        id: id::new(now),
        tenant_id: tenant.id,
        name: OWN_NAME.to_owned(),
        sort_name: sort_name(OWN_NAME),
        server: tenant.sip_domain.clone(),
        port: None,
        transport: SipTransport::Udp.as_str().to_owned(),
        outbound_proxy: None,
        own: true,
        created_at: now.into(),
        version: 1,
    };
    insert_row(new, db).await
}

async fn insert_row(new: row::Model, db: &impl ConnectionTrait) -> Result<Provider, StoreError> {
    let provider = to_provider(new.clone(), 0)?;
    row::Entity::insert(row::ActiveModel::from(new))
        .exec_without_returning(db)
        .await?;
    Ok(provider)
}

/// Changes a provider; its devices learn of it. Of Tandem's own only the name changes.
///
/// # Errors
///
/// [`StoreError::NotFound`]; [`StoreError::StaleVersion`] if `expected` is given and is not the row's
/// version; [`StoreError::Database`].
pub async fn update(
    tenant: Uuid,
    id: Uuid,
    fields: &ProviderFields,
    expected: Option<u64>,
    db: &impl Db,
) -> Result<Provider, StoreError> {
    let transaction = begin(db).await?;
    let before = load_row(tenant, id, &transaction).await?;
    crate::list::check_version(before.version, expected)?;
    let named = row::ActiveModel {
        name: Set(fields.name.clone()),
        sort_name: Set(sort_name(&fields.name)),
        ..Default::default()
    };
    let changes = if before.own {
        named
    } else {
        row::ActiveModel {
            server: Set(fields.server.to_lowercase()),
            port: Set(fields.port.map(i64::from)),
            transport: Set(fields.transport.as_str().to_owned()),
            outbound_proxy: Set(fields.outbound_proxy.clone()),
            ..named
        }
    };
    let updated = row::Entity::update_many()
        .set(changes)
        .col_expr(row::Column::Version, Expr::cust("version + 1"))
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::Version.eq(before.version))
        .exec(&transaction)
        .await?;
    crate::list::check_updated(updated.rows_affected, before.version)?;
    device::touch_by_provider(tenant, id, &transaction).await?;
    let provider = load(tenant, id, &transaction).await?;
    commit(transaction).await?;
    Ok(provider)
}

/// Deletes a provider without accounts.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Protected`] for Tandem's own, [`StoreError::InUse`],
/// [`StoreError::Database`].
pub async fn delete(tenant: Uuid, id: Uuid, db: &impl Db) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    if load_row(tenant, id, &transaction).await?.own {
        return Err(StoreError::Protected);
    }
    dependents::of_provider(tenant, id, &transaction)
        .await?
        .check()?;
    row::Entity::delete_by_id(id).exec(&transaction).await?;
    commit(transaction).await
}

/// The provider with that key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Provider, StoreError> {
    let row = load_row(tenant, id, db).await?;
    let count = account_counts(&[id], db).await?.get(&id).copied();
    to_provider(row, count.unwrap_or(0))
}

/// Tandem's own provider of the tenant.
///
/// # Errors
///
/// [`StoreError::NotFound`] if there is no such tenant, [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load_own(tenant: Uuid, db: &impl ConnectionTrait) -> Result<Provider, StoreError> {
    let own = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::Own.eq(true))
        .one(db)
        .await?
        .ok_or(StoreError::NotFound)?;
    load(tenant, own.id, db).await
}

/// In which ways accounts are registered that say so themselves: provider and transport, each once.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list_account_transports(
    tenant: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Vec<(Uuid, SipTransport)>, StoreError> {
    let ways: Vec<(Uuid, String)> = account_row::Entity::find()
        .select_only()
        .column(account_row::Column::ProviderId)
        .column(account_row::Column::Transport)
        .filter(account_row::Column::TenantId.eq(tenant))
        .filter(account_row::Column::Transport.is_not_null())
        .distinct()
        .order_by_asc(account_row::Column::ProviderId)
        .order_by_asc(account_row::Column::Transport)
        .into_tuple()
        .all(db)
        .await?;
    let ways = ways.into_iter();
    ways.map(|(provider, word)| Ok((provider, transport(&word)?)))
        .collect()
}

pub(crate) async fn load_row(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<row::Model, StoreError> {
    row::Entity::find_by_id(id)
        .filter(row::Column::TenantId.eq(tenant))
        .one(db)
        .await?
        .ok_or(StoreError::NotFound)
}

async fn account_counts(
    providers: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, u64>, StoreError> {
    let counted: Vec<(Uuid, i64)> = account_row::Entity::find()
        .select_only()
        .column(account_row::Column::ProviderId)
        .column_as(account_row::Column::Id.count(), "count")
        .filter(account_row::Column::ProviderId.is_in(providers.iter().copied()))
        .group_by(account_row::Column::ProviderId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(counted
        .into_iter()
        .map(|(id, count)| (id, count.unsigned_abs()))
        .collect())
}

fn to_provider(row: row::Model, account_count: u64) -> Result<Provider, StoreError> {
    Ok(Provider {
        id: row.id,
        port: port(row.port)?,
        transport: transport(&row.transport)?,
        name: row.name,
        server: row.server,
        outbound_proxy: row.outbound_proxy,
        own: row.own,
        account_count,
        created_at: row.created_at.into(),
        version: row.version.unsigned_abs(),
    })
}

pub(crate) fn port(port: Option<i64>) -> Result<Option<u16>, StoreError> {
    port.map(u16::try_from)
        .transpose()
        .map_err(|_| StoreError::Corrupt {
            table: "providers",
            column: "port",
        })
}

pub(crate) fn transport(word: &str) -> Result<SipTransport, StoreError> {
    word.parse().map_err(|_| StoreError::Corrupt {
        table: "providers",
        column: "transport",
    })
}
