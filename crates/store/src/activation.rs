//! Activations: the token and the code by which a device gets its identity, once.
//!
//! Both are found by keyed hash. Sealed copies are kept for showing, and erased when the activation is
//! used, replaced or expired. Whatever is wrong with a presented secret, the answer is the same.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
    QuerySelect,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::micros::UnixMicros;
use crate::row::{activation as row, device as device_row, mail as mail_row};
use crate::{
    ActivationCode, ActivationToken, Db, Place, StoreError, Transaction, Vault, VaultError, begin,
    commit, desk_phone, device, id,
    mail::{self, Mail},
};

/// How long an activation lives if nothing else is said.
pub const DEFAULT_LIFETIME: Duration = Duration::days(7);

/// How long an activation can live.
pub const MAX_LIFETIME: Duration = Duration::days(30);

/// For how long the phone that used an activation may ask again: its answer can be lost on the way.
pub const REPEAT_TIME: Duration = Duration::minutes(10);

const TOKEN: &str = "activation token";
const CODE: &str = "activation code";

/// The current activation of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Whether it can be used.
    pub state: ActivationState,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it ends unused.
    pub expires_at: OffsetDateTime,
    /// The last mail that it went out with.
    pub mail: Option<Mail>,
    /// Whether pages keep token and code to themselves, because a mail has them.
    pub hidden: bool,
}

/// Whether an activation can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActivationState {
    /// It can, by either secret.
    Open {
        /// The token for link and QR code.
        token: ActivationToken,
        /// The code to type.
        code: ActivationCode,
    },
    /// It was used.
    Used,
    /// Its time is over.
    Expired,
}

/// What a phone presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The token of the link.
    Token(ActivationToken),
    /// The typed code.
    Code(ActivationCode),
}

/// What a phone says of itself when it is activated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phone<'a> {
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
    /// The version of the app.
    pub app_version: &'a str,
    /// The operating system.
    pub platform: &'a str,
}

/// An activation that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// What the device is from now on.
    pub credential: device::DeviceCredential,
    /// Whether the phone has used it before and asks again.
    pub again: bool,
}

/// Gives a device a new activation. The one before is void, so is the address of a desk phone, and an activated device loses its
/// key at once. Rotate the passwords of its accounts too ([`crate::account::rotate_passwords`]).
///
/// `lifetime` is cut to [`MAX_LIFETIME`].
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn replace(
    tenant: Uuid,
    device: Uuid,
    lifetime: Duration,
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Activation, StoreError> {
    let transaction = begin(db).await?;
    device::load_row(tenant, device, &transaction).await?;
    end(device, now, &transaction).await?;
    let (token, code) = (ActivationToken::random(), ActivationCode::random());
    let id = id::new(now);
    let expires_at = now + lifetime.min(MAX_LIFETIME);
    let new = row::Model {
        id,
        tenant_id: tenant,
        device_id: device,
        token_hash: vault.lookup_hash(TOKEN, token.text().as_bytes()),
        code_hash: vault.lookup_hash(CODE, code.plain().as_bytes()),
        token_sealed: Some(vault.seal(token.text().as_bytes(), &place(id, "token_sealed"))),
        code_sealed: Some(vault.seal(code.plain().as_bytes(), &place(id, "code_sealed"))),
        created_at: now.into(),
        expires_at: expires_at.into(),
        used_at: None,
        mail_id: None,
        hidden: false,
    };
    row::Entity::insert(row::ActiveModel::from(new))
        .exec_without_returning(&transaction)
        .await?;
    commit(transaction).await?;
    Ok(Activation {
        state: ActivationState::Open { token, code },
        created_at: now,
        expires_at,
        mail: None,
        hidden: false,
    })
}

/// Nobody uses the device's activation, or its address as a desk phone, until the end of the transaction: whether the device is activated can be read and relied on. First in
/// the transaction, as everywhere: two orders of locks would be a deadlock.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn hold(tenant: Uuid, device: Uuid, db: &Transaction) -> Result<(), StoreError> {
    row::Entity::find()
        .filter(row::Column::DeviceId.eq(device))
        .filter(row::Column::TenantId.eq(tenant))
        .lock_exclusive()
        .one(db)
        .await?;
    desk_phone::hold(device, db).await
}

/// The current activation of a device.
///
/// # Errors
///
/// [`StoreError::NotFound`] if there is no such device or it never had one, [`StoreError::Vault`],
/// [`StoreError::Database`].
pub async fn load(
    tenant: Uuid,
    device: Uuid,
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<Activation, StoreError> {
    let found = row::Entity::find()
        .filter(row::Column::DeviceId.eq(device))
        .filter(row::Column::TenantId.eq(tenant))
        .one(db)
        .await?
        .ok_or(StoreError::NotFound)?;
    let state = match (&found.token_sealed, &found.code_sealed) {
        _ if found.used_at.is_some() => ActivationState::Used,
        _ if found.expires_at <= now.into() => ActivationState::Expired,
        (Some(token), Some(code)) => {
            let token = vault.open_text(token, &place(found.id, "token_sealed"))?;
            let code = vault.open_text(code, &place(found.id, "code_sealed"))?;
            ActivationState::Open {
                token: ActivationToken::parse(token.reveal()).ok_or(VaultError::Refused)?,
                code: ActivationCode::parse(code.reveal()).ok_or(VaultError::Refused)?,
            }
        }
        _ => ActivationState::Expired,
    };
    Ok(Activation {
        state,
        created_at: found.created_at.into(),
        expires_at: found.expires_at.into(),
        mail: match found.mail_id {
            Some(id) => mail::load_some(&[id], db).await?.pop(),
            None => None,
        },
        hidden: found.hidden,
    })
}

/// Lets pages show token and code again, although a mail has them.
///
/// # Errors
///
/// [`StoreError::NotFound`] if there is no such device or it never had an activation, [`StoreError::Database`].
pub async fn unhide(
    tenant: Uuid,
    device: Uuid,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let updated = row::Entity::update_many()
        .set(row::ActiveModel {
            hidden: Set(false),
            ..Default::default()
        })
        .filter(row::Column::DeviceId.eq(device))
        .filter(row::Column::TenantId.eq(tenant))
        .exec(db)
        .await?;
    if updated.rows_affected == 0 {
        return Err(StoreError::NotFound);
    }
    Ok(())
}

/// Uses an activation: the phone's key becomes the device's. Of any number of phones with the same
/// secret exactly one succeeds, and it may ask again for [`REPEAT_TIME`]: nobody else knows secret and key.
///
/// # Errors
///
/// [`StoreError::NotFound`] if the secret is unknown, used, replaced or expired, without telling which;
/// [`StoreError::Database`].
pub async fn redeem(
    presented: &Presented,
    phone: &Phone<'_>,
    vault: &Vault,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Redeemed, StoreError> {
    let transaction = begin(db).await?;
    let found = row::Entity::find()
        .filter(presented.condition(vault))
        .one(&transaction)
        .await?
        .ok_or(StoreError::NotFound)?;
    let used = row::Entity::update_many()
        .set(row::ActiveModel {
            used_at: Set(Some(now.into())),
            token_sealed: Set(None),
            code_sealed: Set(None),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(found.id))
        .filter(row::Column::UsedAt.is_null())
        .filter(row::Column::ExpiresAt.gt(UnixMicros::from(now)))
        .exec(&transaction)
        .await?;
    if used.rows_affected != 1 {
        let credential = again(found.id, phone, now, &transaction).await?;
        return Ok(Redeemed {
            credential,
            again: true,
        });
    }
    activate(found.device_id, phone, now, &transaction).await?;
    mail::supersede_by_activations(&[found.id], now, &transaction).await?;
    let credential = device::find_credential(found.device_id, &transaction)
        .await?
        .ok_or(StoreError::NotFound)?;
    commit(transaction).await?;
    Ok(Redeemed {
        credential,
        again: false,
    })
}

/// The device of an activation that this phone has just used.
async fn again(
    id: Uuid,
    phone: &Phone<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<device::DeviceCredential, StoreError> {
    let since = UnixMicros::from(now - REPEAT_TIME);
    let found = row::Entity::find_by_id(id)
        .filter(row::Column::UsedAt.gt(since))
        .one(db)
        .await?
        .ok_or(StoreError::NotFound)?;
    let credential = device::find_credential(found.device_id, db).await?;
    credential
        .filter(|credential| credential.public_key == phone.public_key)
        .ok_or(StoreError::NotFound)
}

/// Erases the sealed copies of activations whose time is over; returns how many.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn erase_expired(
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<u64, StoreError> {
    let erased = row::Entity::update_many()
        .set(row::ActiveModel {
            token_sealed: Set(None),
            code_sealed: Set(None),
            ..Default::default()
        })
        .filter(row::Column::ExpiresAt.lte(UnixMicros::from(now)))
        .filter(
            Condition::any()
                .add(row::Column::TokenSealed.is_not_null())
                .add(row::Column::CodeSealed.is_not_null()),
        )
        .exec(db)
        .await?;
    Ok(erased.rows_affected)
}

impl Presented {
    fn condition(&self, vault: &Vault) -> Condition {
        let known = match self {
            Self::Token(token) => {
                let hashes = vault.lookup_hashes(TOKEN, token.text().as_bytes());
                row::Column::TokenHash.is_in(hashes)
            }
            Self::Code(code) => {
                let hashes = vault.lookup_hashes(CODE, code.plain().as_bytes());
                row::Column::CodeHash.is_in(hashes)
            }
        };
        Condition::all().add(known)
    }
}

/// Mails that wait to take the device's activation to its person are not sent.
pub(crate) async fn supersede_mails(
    device: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let found = row::Entity::find()
        .filter(row::Column::DeviceId.eq(device))
        .one(db)
        .await?;
    if let Some(found) = found {
        mail::supersede_by_activations(&[found.id], now, db).await?;
    }
    Ok(())
}

/// The last mails of open activations, by device.
pub(crate) async fn mails_by_device(
    devices: &[Uuid],
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, Mail>, StoreError> {
    let sent: Vec<(Uuid, Uuid)> = row::Entity::find()
        .select_only()
        .column(row::Column::DeviceId)
        .column(row::Column::MailId)
        .filter(row::Column::DeviceId.is_in(devices.iter().copied()))
        .filter(row::Column::UsedAt.is_null())
        .filter(row::Column::MailId.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    if sent.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = sent.iter().map(|(_, mail)| *mail).collect();
    let mut mails: HashMap<Uuid, Mail> = mail::load_some(&ids, db)
        .await?
        .into_iter()
        .map(|mail| (mail.id, mail))
        .collect();
    Ok(sent
        .into_iter()
        .filter_map(|(device, mail)| Some((device, mails.remove(&mail)?)))
        .collect())
}

/// The device whose activation is in a mail, or `None`.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn find_device(
    mail: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Option<Uuid>, StoreError> {
    let activation = Query::select()
        .column(mail_row::Column::ActivationId)
        .from(mail_row::Entity)
        .and_where(mail_row::Column::Id.eq(mail))
        .take();
    let found = row::Entity::find()
        .filter(row::Column::Id.in_subquery(activation))
        .one(db)
        .await?;
    Ok(found.map(|activation| activation.device_id))
}

/// Ends whatever a phone could be the device by: its activation, its address as a desk phone, its key.
pub(crate) async fn end(
    device: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    supersede_mails(device, now, db).await?;
    // The activation first, as in `redeem`, and the desk phone before the device, as when one fetches its settings: two orders of
    // locks would be a deadlock.
    row::Entity::delete_many()
        .filter(row::Column::DeviceId.eq(device))
        .exec(db)
        .await?;
    desk_phone::end(device, db).await?;
    revoke(device, now, db).await
}

/// Takes the device's key away, if it has one, and its being activated.
async fn revoke(
    device: Uuid,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    device_row::Entity::update_many()
        .set(device_row::ActiveModel {
            public_key: Set(None),
            activated_at: Set(None),
            applied_version: Set(None),
            revoked_at: Set(Some(now.into())),
            ..Default::default()
        })
        .col_expr(
            device_row::Column::CredentialGeneration,
            Expr::cust("credential_generation + 1"),
        )
        .filter(device_row::Column::Id.eq(device))
        .filter(device_row::Column::ActivatedAt.is_not_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Gives the device the phone's key.
async fn activate(
    device: Uuid,
    phone: &Phone<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    device_row::Entity::update_many()
        .set(device_row::ActiveModel {
            public_key: Set(Some(phone.public_key.to_vec())),
            app_version: Set(Some(phone.app_version.to_owned())),
            platform: Set(Some(phone.platform.to_owned())),
            activated_at: Set(Some(now.into())),
            revoked_at: Set(None),
            applied_version: Set(None),
            last_seen_at: Set(Some(now.into())),
            ..Default::default()
        })
        .filter(device_row::Column::Id.eq(device))
        .exec(db)
        .await?;
    Ok(())
}

/// An activation's secrets never change, so they are always the first version.
fn place(id: Uuid, column: &'static str) -> Place {
    Place {
        table: "activations",
        id,
        column,
        version: 1,
    }
}
