//! What live statuses are made of: a few columns of all devices and accounts of a tenant, or of some.
//!
//! A tenant may have tens of thousands of both, so whole rows are neither read nor kept for this.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::account::aor;
use crate::device::Applied;
use crate::micros::UnixMicros;
use crate::row::{
    account as account_row, activation as activation_row, desk_phone as desk_phone_row,
    device as device_row, device_account as line_row, mail as mail_row, provider as provider_row,
};
use crate::{MailState, StoreError};

/// The most that are asked for by name; whoever wants to know of more reads all.
pub const MAX_NAMED: usize = 256;

/// Of which devices or accounts.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// All of the tenant.
    All,
    /// These, as far as there are such; at most [`MAX_NAMED`] are looked at.
    These(&'a [Uuid]),
}

/// What can be said of a device without knowing who is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceStanding {
    /// The device.
    pub id: Uuid,
    /// Whether a phone has become it.
    pub activated: bool,
    /// How its phone stands to its configuration.
    pub applied: Applied,
    /// How far the mail with its activation is, while that can be used.
    pub instructions: Option<MailState>,
    /// Whether it is a desk phone.
    pub desk_phone: bool,
    /// Its accounts, in order.
    pub accounts: Vec<Uuid>,
}

/// What can be said of an account without knowing who is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountStanding {
    /// The account.
    pub id: Uuid,
    /// `sip:user@domain`.
    pub aor: String,
}

/// How devices of the tenant stand, in no order.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list_devices(
    tenant: Uuid,
    which: Which<'_>,
    db: &impl ConnectionTrait,
) -> Result<Vec<DeviceStanding>, StoreError> {
    type Columns = (Uuid, i64, Option<i64>, Option<UnixMicros>);
    let rows: Vec<Columns> = device_row::Entity::find()
        .select_only()
        .column(device_row::Column::Id)
        .column(device_row::Column::ConfigurationVersion)
        .column(device_row::Column::AppliedVersion)
        .column(device_row::Column::ActivatedAt)
        .filter(device_row::Column::TenantId.eq(tenant))
        .filter(which.among(device_row::Column::Id))
        .into_tuple()
        .all(db)
        .await?;
    let mut accounts = accounts_by_device(tenant, which, db).await?;
    let instructions = instructions_by_device(tenant, which, db).await?;
    let desk_phones = desk_phones(tenant, which, db).await?;
    let standings = rows
        .into_iter()
        .map(|(id, configured, applied, activated_at)| DeviceStanding {
            id,
            activated: activated_at.is_some(),
            applied: Applied::new(applied, &configured),
            instructions: instructions.get(&id).copied(),
            desk_phone: desk_phones.contains(&id),
            accounts: accounts.remove(&id).unwrap_or_default(),
        });
    Ok(standings.collect())
}

/// How accounts of the tenant stand, in no order.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn list_accounts(
    tenant: Uuid,
    which: Which<'_>,
    db: &impl ConnectionTrait,
) -> Result<Vec<AccountStanding>, StoreError> {
    let servers: HashMap<Uuid, String> = provider_row::Entity::find()
        .select_only()
        .column(provider_row::Column::Id)
        .column(provider_row::Column::Server)
        .filter(provider_row::Column::TenantId.eq(tenant))
        .into_tuple::<(Uuid, String)>()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let rows: Vec<(Uuid, String, Uuid)> = account_row::Entity::find()
        .select_only()
        .column(account_row::Column::Id)
        .column(account_row::Column::Username)
        .column(account_row::Column::ProviderId)
        .filter(account_row::Column::TenantId.eq(tenant))
        .filter(which.among(account_row::Column::Id))
        .into_tuple()
        .all(db)
        .await?;
    // A provider that came between the two queries is read with the next change.
    let standings = rows.into_iter().filter_map(|(id, username, provider)| {
        let aor = aor(&username, servers.get(&provider)?);
        Some(AccountStanding { id, aor })
    });
    Ok(standings.collect())
}

impl Which<'_> {
    fn among(self, column: impl ColumnTrait) -> Condition {
        match self {
            Self::All => Condition::all(),
            Self::These(ids) => {
                let ids = ids.iter().take(MAX_NAMED).copied();
                Condition::all().add(column.is_in(ids))
            }
        }
    }
}

async fn accounts_by_device(
    tenant: Uuid,
    which: Which<'_>,
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, Vec<Uuid>>, StoreError> {
    let lines: Vec<(Uuid, Uuid)> = line_row::Entity::find()
        .select_only()
        .column(line_row::Column::DeviceId)
        .column(line_row::Column::AccountId)
        .filter(line_row::Column::TenantId.eq(tenant))
        .filter(which.among(line_row::Column::DeviceId))
        .order_by_asc(line_row::Column::DeviceId)
        .order_by_asc(line_row::Column::Position)
        .into_tuple()
        .all(db)
        .await?;
    let mut by_device: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (device, account) in lines {
        by_device.entry(device).or_default().push(account);
    }
    Ok(by_device)
}

async fn desk_phones(
    tenant: Uuid,
    which: Which<'_>,
    db: &impl ConnectionTrait,
) -> Result<HashSet<Uuid>, StoreError> {
    let devices: Vec<Uuid> = desk_phone_row::Entity::find()
        .select_only()
        .column(desk_phone_row::Column::DeviceId)
        .filter(desk_phone_row::Column::TenantId.eq(tenant))
        .filter(which.among(desk_phone_row::Column::DeviceId))
        .into_tuple()
        .all(db)
        .await?;
    Ok(devices.into_iter().collect())
}

async fn instructions_by_device(
    tenant: Uuid,
    which: Which<'_>,
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, MailState>, StoreError> {
    let usable = Condition::all()
        .add(activation_row::Column::TenantId.eq(tenant))
        .add(activation_row::Column::UsedAt.is_null())
        .add(activation_row::Column::MailId.is_not_null())
        .add(which.among(activation_row::Column::DeviceId));
    let sent: Vec<(Uuid, Uuid)> = activation_row::Entity::find()
        .select_only()
        .column(activation_row::Column::DeviceId)
        .column(activation_row::Column::MailId)
        .filter(usable.clone())
        .into_tuple()
        .all(db)
        .await?;
    let mails = Query::select()
        .column(activation_row::Column::MailId)
        .from(activation_row::Entity)
        .cond_where(usable)
        .take();
    let states: HashMap<Uuid, String> = mail_row::Entity::find()
        .select_only()
        .column(mail_row::Column::Id)
        .column(mail_row::Column::State)
        .filter(mail_row::Column::Id.in_subquery(mails))
        .into_tuple::<(Uuid, String)>()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let known = sent.into_iter().filter_map(|(device, mail)| {
        let state = states.get(&mail)?;
        Some(state.parse().map(|state| (device, state)))
    });
    known
        .collect::<Result<_, _>>()
        .map_err(|_| StoreError::Corrupt {
            table: "mails",
            column: "state",
        })
}
