//! What an activated device is told: its lines with their passwords. Only the device sees it.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::account::dialing::{self, DialingRule};
use crate::row::{account as account_row, device_account as line_row, provider as provider_row};
use crate::{Codec, Secret, SipTransport, StoreError, Vault, account, contact, provider, tenant};

/// Everything that a device must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Grows with each change.
    pub version: u64,
    /// The device.
    pub device_id: Uuid,
    /// The device's name.
    pub device_name: String,
    /// First and last name of the person.
    pub contact_name: String,
    /// The company.
    pub tenant_name: String,
    /// One line for each account, in order.
    pub lines: Vec<Line>,
}

/// An account with its password and provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The account.
    pub account_id: Uuid,
    /// The account's name.
    pub name: String,
    /// The name that callees see.
    pub display_name: Option<String>,
    /// The user of the address-of-record.
    pub username: String,
    /// The domain of the address-of-record: the provider's server.
    pub domain: String,
    /// The registrar's port, or `None` to find it by DNS.
    pub port: Option<u16>,
    /// The user name for digest, if it is another one.
    pub auth_username: Option<String>,
    /// The password, or `None` if the person enters it on the device.
    pub password: Option<Secret>,
    /// Whether the person enters the password on the device.
    pub enter_on_device: bool,
    /// How the registrar is reached.
    pub transport: SipTransport,
    /// A proxy that everything is sent through, as the provider's row says.
    pub outbound_proxy: Option<String>,
    /// Whether the registrar is Tandem's own proxy.
    pub own: bool,
    /// Codecs, the preferred first; empty means all in our order.
    pub codecs: Vec<Codec>,
    /// How numbers are changed before they are called; the first rule that fits counts.
    pub dialing_rules: Vec<DialingRule>,
}

/// The configuration of a device, with the passwords of its lines. Read it in a transaction if version
/// and lines must be of the same moment.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Vault`] if a password does not open,
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load_configuration(
    tenant: Uuid,
    device: Uuid,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<Configuration, StoreError> {
    let device = super::load_row(tenant, device, db).await?;
    let contact = contact::load_row(tenant, device.contact_id, db).await?;
    Ok(Configuration {
        version: device.configuration_version.unsigned_abs(),
        device_id: device.id,
        lines: lines(device.id, vault, db).await?,
        device_name: device.name,
        contact_name: contact::full_name(&contact.first_name, &contact.last_name),
        tenant_name: tenant::load(tenant, db).await?.name,
    })
}

async fn lines(
    device: Uuid,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<Vec<Line>, StoreError> {
    let positions = line_row::Entity::find()
        .filter(line_row::Column::DeviceId.eq(device))
        .order_by_asc(line_row::Column::Position)
        .all(db)
        .await?;
    let mut accounts: HashMap<Uuid, account_row::Model> = account_row::Entity::find()
        .filter(account_row::Column::Id.is_in(positions.iter().map(|line| line.account_id)))
        .all(db)
        .await?
        .into_iter()
        .map(|account| (account.id, account))
        .collect();
    let providers = provider_row::Entity::find()
        .filter(
            provider_row::Column::Id.is_in(accounts.values().map(|account| account.provider_id)),
        )
        .all(db)
        .await?;
    let mut lines = Vec::with_capacity(positions.len());
    for position in positions {
        let account = accounts.remove(&position.account_id);
        let provider = |id| providers.iter().find(|provider| provider.id == id);
        if let Some((account, provider)) = account.and_then(|account| {
            let provider = provider(account.provider_id)?;
            Some((account, provider))
        }) {
            lines.push(line(account, provider, vault)?);
        }
    }
    Ok(lines)
}

fn line(
    account: account_row::Model,
    provider: &provider_row::Model,
    vault: &Vault,
) -> Result<Line, StoreError> {
    let transport = match account::transport(&account)? {
        Some(transport) => transport,
        None => provider::transport(&provider.transport)?,
    };
    Ok(Line {
        account_id: account.id,
        password: account::unseal(&account, vault)?,
        codecs: account::codecs(&account)?,
        dialing_rules: dialing::rules(&account.dialing_rules)?,
        transport,
        port: provider::port(provider.port)?,
        domain: provider.server.clone(),
        outbound_proxy: provider.outbound_proxy.clone(),
        own: provider.own,
        name: account.name,
        display_name: account.display_name,
        username: account.username,
        auth_username: account.auth_username,
        enter_on_device: account.enter_on_device,
    })
}
