//! What is in the way of a deletion, and what would become of it.

use std::collections::HashSet;

use sea_orm::sea_query::{Condition, ExprTrait, IntoCondition, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use uuid::Uuid;

use crate::row::{account as account_row, device as device_row, device_account as line_row};
use crate::words::words;
use crate::{StoreError, contact, provider};

/// So many are named; all are counted.
pub const MAX_DEPENDENTS: u64 = 20;

words! {
    /// What depends on something.
    DependentKind {
        /// A SIP account.
        Account = "account",
        /// A device.
        Device = "device",
    }
}

words! {
    /// What would become of it.
    DependentEffect {
        /// It would be without what it belongs to, so it has to go first.
        Removed = "removed",
        /// It would keep its other accounts.
        LosesAccount = "loses_account",
        /// It would have no account left.
        SignsOut = "signs_out",
    }
}

/// Something that depends on what is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependent {
    /// What it is.
    pub kind: DependentKind,
    /// The row's key.
    pub id: Uuid,
    /// The name that people read.
    pub name: String,
    /// What would become of it.
    pub effect: DependentEffect,
}

/// All that depends on something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependents {
    /// The first [`MAX_DEPENDENTS`], accounts before devices, by name.
    pub items: Vec<Dependent>,
    /// How many there are.
    pub count: u64,
}

impl Dependents {
    /// Refuses a deletion that something is in the way of.
    pub(crate) fn check(self) -> Result<(), StoreError> {
        match self.count {
            0 => Ok(()),
            _ => Err(StoreError::InUse(self)),
        }
    }
}

/// The accounts of a provider, and the devices that have one of them.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn of_provider(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Dependents, StoreError> {
    provider::load_row(tenant, id, db).await?;
    let own = account_row::Column::ProviderId.eq(id);
    let accounts = account_row::Entity::find()
        .filter(account_row::Column::TenantId.eq(tenant))
        .filter(own.clone());
    let mut dependents = Dependents {
        items: Vec::new(),
        count: accounts.clone().count(db).await?,
    };
    let named = accounts
        .order_by_asc(account_row::Column::SortName)
        .limit(MAX_DEPENDENTS)
        .all(db)
        .await?;
    dependents.items = named
        .into_iter()
        .map(|account| Dependent {
            kind: DependentKind::Account,
            id: account.id,
            name: account.name,
            effect: DependentEffect::Removed,
        })
        .collect();
    add_devices(&mut dependents, tenant, own.into_condition(), db).await?;
    Ok(dependents)
}

/// The devices that have an account.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn of_account(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Dependents, StoreError> {
    crate::account::load_row(tenant, id, db).await?;
    let mut dependents = Dependents::default();
    let own = account_row::Column::Id.eq(id).into_condition();
    add_devices(&mut dependents, tenant, own, db).await?;
    Ok(dependents)
}

/// The devices of a contact.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`].
pub async fn of_contact(
    tenant: Uuid,
    id: Uuid,
    db: &impl ConnectionTrait,
) -> Result<Dependents, StoreError> {
    contact::load_row(tenant, id, db).await?;
    let devices = device_row::Entity::find()
        .filter(device_row::Column::TenantId.eq(tenant))
        .filter(device_row::Column::ContactId.eq(id));
    let count = devices.clone().count(db).await?;
    let items = named(devices, MAX_DEPENDENTS, db).await?.into_iter();
    Ok(Dependents {
        items: items.map(|device| signed_out(device, true)).collect(),
        count,
    })
}

/// The devices with one of these accounts, after what is there already.
async fn add_devices(
    dependents: &mut Dependents,
    tenant: Uuid,
    accounts: Condition,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let accounts = Query::select()
        .column(account_row::Column::Id)
        .from(account_row::Entity)
        .cond_where(accounts)
        .take();
    let gone = line_row::Column::AccountId.in_subquery(accounts);
    let devices = device_row::Entity::find()
        .filter(device_row::Column::TenantId.eq(tenant))
        .filter(device_row::Column::Id.in_subquery(devices_with(gone.clone().into_condition())));
    dependents.count += devices.clone().count(db).await?;
    let room = MAX_DEPENDENTS.saturating_sub(u64::try_from(dependents.items.len()).unwrap_or(0));
    let devices = named(devices, room, db).await?;
    let other_lines = line_row::Entity::find()
        .filter(line_row::Column::DeviceId.is_in(devices.iter().map(|device| device.id)))
        .filter(gone.not())
        .all(db)
        .await?;
    let staying: HashSet<Uuid> = other_lines.into_iter().map(|line| line.device_id).collect();
    let devices = devices.into_iter().map(|device| {
        let signs_out = !staying.contains(&device.id);
        signed_out(device, signs_out)
    });
    dependents.items.extend(devices);
    Ok(())
}

fn devices_with(lines: Condition) -> SelectStatement {
    Query::select()
        .column(line_row::Column::DeviceId)
        .from(line_row::Entity)
        .cond_where(lines)
        .take()
}

async fn named(
    devices: Select<device_row::Entity>,
    most: u64,
    db: &impl ConnectionTrait,
) -> Result<Vec<device_row::Model>, StoreError> {
    if most == 0 {
        return Ok(Vec::new());
    }
    let devices = devices.order_by_asc(device_row::Column::SortName);
    Ok(devices.limit(most).all(db).await?)
}

fn signed_out(device: device_row::Model, signs_out: bool) -> Dependent {
    Dependent {
        kind: DependentKind::Device,
        id: device.id,
        name: device.name,
        effect: match signs_out {
            true => DependentEffect::SignsOut,
            false => DependentEffect::LosesAccount,
        },
    }
}
