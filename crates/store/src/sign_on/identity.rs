//! Which member a subject of a tenant's provider is. Once bound, the address no longer matters: issuer and subject name a person
//! (OpenID Connect Core 1.0 section 5.7). Who leaves the tenant is forgotten here too.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::StoreError;
use crate::row::sign_on_identity as row;

/// The member that the provider's subject is, if it is bound.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn find_identity(
    tenant: Uuid,
    issuer: &str,
    subject: &str,
    db: &impl ConnectionTrait,
) -> Result<Option<Uuid>, StoreError> {
    let key = (tenant, issuer.to_owned(), subject.to_owned());
    let found = row::Entity::find_by_id(key).one(db).await?;
    Ok(found.map(|row| row.user_id))
}

/// Binds a subject of the provider to a member.
///
/// # Errors
///
/// [`StoreError::Conflict`] with `email` if the member is another subject already, [`StoreError::Database`].
pub async fn bind(
    tenant: Uuid,
    issuer: &str,
    subject: &str,
    user: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let made = row::Model {
        tenant_id: tenant,
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        user_id: user,
        created_at: now.into(),
    };
    row::Entity::insert(row::ActiveModel::from(made))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Whether somebody of the tenant ever came from this issuer.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn is_used(
    tenant: Uuid,
    issuer: &str,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let bound = row::Entity::find()
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::Issuer.eq(issuer));
    Ok(bound.count(db).await? > 0)
}
