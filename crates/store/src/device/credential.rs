//! What an activated device proves itself with, and what it says of itself.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::StoreError;
use crate::micros::UnixMicros;
use crate::row::{device as row, device_nonce as nonce_row};

/// How many nonces of one device are remembered; more in the time of a replay is an attack.
pub const MAX_NONCES: u64 = 256;

/// What proves that a request comes from an activated device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCredential {
    /// The device.
    pub device_id: Uuid,
    /// Its tenant.
    pub tenant_id: Uuid,
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
    /// Grows whenever the device loses its key: a token made for an earlier one is void.
    pub generation: u64,
}

/// What a device says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report<'a> {
    /// The configuration version that it applied.
    pub applied_version: u64,
    /// The version of the app.
    pub app_version: &'a str,
    /// The operating system.
    pub platform: &'a str,
}

/// The key of an activated device, whichever tenant it belongs to; `None` if there is no such device or
/// it is not activated.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn find_credential(
    device: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Option<DeviceCredential>, StoreError> {
    let found = row::Entity::find_by_id(device).one(db).await?;
    let Some((found, public_key)) =
        found.and_then(|mut row| row.public_key.take().map(|key| (row, key)))
    else {
        return Ok(None);
    };
    Ok(Some(DeviceCredential {
        device_id: found.id,
        tenant_id: found.tenant_id,
        public_key: public_key.try_into().map_err(|_| StoreError::Corrupt {
            table: "devices",
            column: "public_key",
        })?,
        generation: found.credential_generation.unsigned_abs(),
    }))
}

/// Spends a nonce of a device: it works once while `expires_at` is ahead.
///
/// # Errors
///
/// [`StoreError::Conflict`] with `nonce` if it was spent before, [`StoreError::Count`] if the device
/// spends too many, [`StoreError::Database`].
pub async fn spend_nonce(
    device: Uuid,
    nonce: &str,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let own = nonce_row::Column::DeviceId.eq(device);
    nonce_row::Entity::delete_many()
        .filter(own.clone())
        .filter(nonce_row::Column::ExpiresAt.lte(UnixMicros::from(now)))
        .exec(db)
        .await?;
    if nonce_row::Entity::find().filter(own).count(db).await? >= MAX_NONCES {
        return Err(StoreError::Count {
            field: "nonce",
            max: usize::try_from(MAX_NONCES).unwrap_or(usize::MAX),
        });
    }
    let new = nonce_row::Model {
        device_id: device,
        nonce: nonce.to_owned(),
        expires_at: expires_at.into(),
    };
    nonce_row::Entity::insert(nonce_row::ActiveModel::from(new))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Notes what a device says of itself, and that it was heard of.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn report(
    tenant: Uuid,
    device: Uuid,
    report: &Report<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let said = row::ActiveModel {
        applied_version: Set(i64::try_from(report.applied_version).ok()),
        app_version: Set(Some(report.app_version.to_owned())),
        platform: Set(Some(report.platform.to_owned())),
        last_seen_at: Set(Some(now.into())),
        ..Default::default()
    };
    write_activated(tenant, device, said, db).await
}

/// Notes that a device was heard of.
///
/// # Errors
///
/// [`StoreError::NotFound`] if it is not activated, [`StoreError::Database`].
pub async fn set_seen(
    tenant: Uuid,
    device: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let seen = row::ActiveModel {
        last_seen_at: Set(Some(now.into())),
        ..Default::default()
    };
    write_activated(tenant, device, seen, db).await
}

async fn write_activated(
    tenant: Uuid,
    device: Uuid,
    values: row::ActiveModel,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let updated = row::Entity::update_many()
        .set(values)
        .filter(row::Column::Id.eq(device))
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::PublicKey.is_not_null())
        .exec(db)
        .await?;
    if updated.rows_affected == 0 {
        return Err(StoreError::NotFound);
    }
    Ok(())
}
