//! Whose account an address is.

use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use crate::StoreError;
use crate::row::{account as row, provider as provider_row, tenant as tenant_row};

/// An account and its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Owner {
    /// The account.
    pub id: Uuid,
    /// Its tenant.
    pub tenant_id: Uuid,
}

/// Whose account of Tandem's own provider has the address-of-record `sip:user@domain`, or `None`. `user` is compared exactly, `domain` in
/// any case.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn find_owner(
    user: &str,
    domain: &str,
    db: &impl ConnectionTrait,
) -> Result<Option<Owner>, StoreError> {
    let tenant = Query::select()
        .column(tenant_row::Column::Id)
        .from(tenant_row::Entity)
        .and_where(tenant_row::Column::SipDomain.eq(domain.to_lowercase()))
        .take();
    let own = Query::select()
        .column(provider_row::Column::Id)
        .from(provider_row::Entity)
        .and_where(provider_row::Column::Own.eq(true))
        .and_where(provider_row::Column::TenantId.in_subquery(tenant))
        .take();
    let found = row::Entity::find()
        .select_only()
        .columns([row::Column::Id, row::Column::TenantId])
        .filter(row::Column::ProviderId.in_subquery(own))
        .filter(row::Column::Username.eq(user))
        .into_model::<Owner>()
        .one(db)
        .await?;
    Ok(found)
}
