//! Desk phones: devices that are not activated but fetch their settings, as a file, from an address with a secret part.
//!
//! Of the secret only the hash is kept. It takes the place of the device's activation, and whatever ends that ends it
//! ([`crate::activation::replace`]).

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::micros::UnixMicros;
use crate::row::{desk_phone as row, device as device_row};
use crate::token::{hash, random};
use crate::{
    Db, DeskPhoneMake, Secret, StoreError, Transaction, activation, begin, commit, device,
};

/// What is known of a device as a desk phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeskPhone {
    /// Who has made it.
    pub make: DeskPhoneMake,
    /// When its address was made.
    pub made_at: OffsetDateTime,
    /// When it fetched its settings last.
    pub fetched_at: Option<OffsetDateTime>,
}

/// The desk phone that an address belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed {
    /// The device.
    pub device_id: Uuid,
    /// Its tenant.
    pub tenant_id: Uuid,
    /// Who has made it.
    pub make: DeskPhoneMake,
    token_hash: Vec<u8>,
}

/// Makes the device a desk phone and gives the secret part of its address, 43 characters (256 bits). Activation, key and an
/// address of before are void at once. If it was activated, rotate the passwords of its accounts too
/// ([`crate::account::rotate_passwords`]).
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn replace(
    tenant: Uuid,
    device: Uuid,
    make: DeskPhoneMake,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Secret, StoreError> {
    let transaction = begin(db).await?;
    device::load_row(tenant, device, &transaction).await?;
    activation::end(device, now, &transaction).await?;
    device_row::Entity::update_many()
        .set(device_row::ActiveModel {
            app_version: Set(None),
            platform: Set(Some(make.as_str().to_owned())),
            ..Default::default()
        })
        .filter(device_row::Column::Id.eq(device))
        .exec(&transaction)
        .await?;
    let token = random();
    let made = row::Model {
        device_id: device,
        tenant_id: tenant,
        make: make.as_str().to_owned(),
        token_hash: hash(token.reveal()),
        made_at: now.into(),
        fetched_at: None,
    };
    row::Entity::insert(row::ActiveModel::from(made))
        .exec_without_returning(&transaction)
        .await?;
    commit(transaction).await?;
    Ok(token)
}

/// The desk phone with this secret in its address, whichever tenant it belongs to; `None` if there is none, or no longer.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn find(token: &str, db: &impl ConnectionTrait) -> Result<Option<Addressed>, StoreError> {
    let found = row::Entity::find()
        .filter(row::Column::TokenHash.eq(hash(token)))
        .one(db)
        .await?;
    let addressed = |found: row::Model| {
        Ok(Addressed {
            device_id: found.device_id,
            tenant_id: found.tenant_id,
            make: make(&found.make)?,
            token_hash: found.token_hash,
        })
    };
    found.map(addressed).transpose()
}

/// Notes that the phone fetched its settings, all changes up to now with them; `agent` is what it calls itself. Gives whether
/// it has become the device by that. Call it in the transaction in which the settings are read, before that.
///
/// # Errors
///
/// [`StoreError::NotFound`] if the address is void by now, [`StoreError::Database`].
pub async fn set_fetched(
    phone: &Addressed,
    agent: Option<&str>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    // The address first, as whoever ends it does: two orders of locks would be a deadlock.
    let fetched = row::Entity::update_many()
        .set(row::ActiveModel {
            fetched_at: Set(Some(now.into())),
            ..Default::default()
        })
        .filter(row::Column::DeviceId.eq(phone.device_id))
        .filter(row::Column::TokenHash.eq(phone.token_hash.clone()))
        .exec(db)
        .await?;
    if fetched.rows_affected != 1 {
        return Err(StoreError::NotFound);
    }
    let device = device_row::Column::Id.eq(phone.device_id);
    let first = device_row::Entity::update_many()
        .set(device_row::ActiveModel {
            activated_at: Set(Some(now.into())),
            revoked_at: Set(None),
            ..Default::default()
        })
        .filter(device.clone())
        .filter(device_row::Column::ActivatedAt.is_null())
        .exec(db)
        .await?;
    let mut seen = device_row::Entity::update_many()
        .set(device_row::ActiveModel {
            last_seen_at: Set(Some(now.into())),
            ..Default::default()
        })
        .col_expr(
            device_row::Column::AppliedVersion,
            device_row::Column::ConfigurationVersion.into_expr(),
        )
        .filter(device);
    if let Some(agent) = agent {
        seen = seen.col_expr(device_row::Column::AppVersion, agent.into());
    }
    seen.exec(db).await?;
    Ok(first.rows_affected == 1)
}

/// The device is no desk phone any more, if it was one, and not what that said of itself.
pub(crate) async fn end(device: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    let ended = row::Entity::delete_by_id(device).exec(db).await?;
    if ended.rows_affected == 0 {
        return Ok(());
    }
    device_row::Entity::update_many()
        .set(device_row::ActiveModel {
            app_version: Set(None),
            platform: Set(None),
            ..Default::default()
        })
        .filter(device_row::Column::Id.eq(device))
        .exec(db)
        .await?;
    Ok(())
}

/// Nobody fetches the device's settings until the end of the transaction.
pub(crate) async fn hold(device: Uuid, db: &Transaction) -> Result<(), StoreError> {
    row::Entity::find_by_id(device)
        .lock_exclusive()
        .one(db)
        .await?;
    Ok(())
}

/// Those of the devices that are desk phones.
pub(crate) async fn by_device(
    devices: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, DeskPhone>, StoreError> {
    type Columns = (Uuid, String, UnixMicros, Option<UnixMicros>);
    let rows: Vec<Columns> = row::Entity::find()
        .select_only()
        .column(row::Column::DeviceId)
        .column(row::Column::Make)
        .column(row::Column::MadeAt)
        .column(row::Column::FetchedAt)
        .filter(row::Column::DeviceId.is_in(devices.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    let phones = rows
        .into_iter()
        .map(|(device, made_by, made_at, fetched_at)| {
            let phone = DeskPhone {
                make: make(&made_by)?,
                made_at: made_at.into(),
                fetched_at: fetched_at.map(OffsetDateTime::from),
            };
            Ok((device, phone))
        });
    phones.collect()
}

fn make(text: &str) -> Result<DeskPhoneMake, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt {
        table: "desk_phones",
        column: "make",
    })
}
