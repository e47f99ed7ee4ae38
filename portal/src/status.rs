//! Status of devices and accounts: what the database knows joined with who is there.

use api::{AccountLive, AccountStatus, DeviceLive, DeviceStatus};
use store::{
    MAX_PAGE, Page, PageRequest, SortColumn, StoreError,
    account::AccountFilter,
    device::{Device, DeviceFilter},
};
use uuid::Uuid;

use crate::{app::App, mail, presence::Presence};

/// What must be known of a tenant to say who is online.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    pub(crate) devices: Vec<KnownDevice>,
    pub(crate) accounts: Vec<KnownAccount>,
}

#[derive(Clone, Debug)]
pub(crate) struct KnownDevice {
    pub(crate) id: Uuid,
    pub(crate) activated: bool,
    pub(crate) pending_update: bool,
    /// How far the mail with its activation is.
    pub(crate) instructions: Option<api::MailState>,
}

#[derive(Clone, Debug)]
pub(crate) struct KnownAccount {
    pub(crate) id: Uuid,
    pub(crate) aor: String,
    pub(crate) devices: Vec<Uuid>,
}

impl Directory {
    /// The statuses now.
    pub(crate) fn statuses(&self, presence: &Presence) -> (Vec<DeviceLive>, Vec<AccountLive>) {
        let devices = self.devices.iter().map(|device| DeviceLive {
            id: device.id,
            status: device_status(device.id, device.activated, presence),
            pending_update: device.pending_update,
            instructions: device.instructions,
        });
        let accounts = self.accounts.iter().map(|account| AccountLive {
            id: account.id,
            status: account_status(account.id, &account.aor, &account.devices, presence),
        });
        (devices.collect(), accounts.collect())
    }
}

pub(crate) fn device_status(device: Uuid, activated: bool, presence: &Presence) -> DeviceStatus {
    if !activated {
        DeviceStatus::NotActivated
    } else if presence.is_device_online(device) {
        DeviceStatus::Online
    } else {
        DeviceStatus::Offline
    }
}

pub(crate) fn account_status(
    account: Uuid,
    aor: &str,
    devices: &[Uuid],
    presence: &Presence,
) -> AccountStatus {
    if devices.is_empty() {
        AccountStatus::NotInUse
    } else if presence.is_account_online(account, aor, devices) {
        AccountStatus::Online
    } else {
        AccountStatus::Offline
    }
}

/// The device has not yet said that it applied the current configuration.
pub(crate) fn is_update_pending(device: &Device) -> bool {
    device.activated_at.is_some()
        && device
            .applied_version
            .is_none_or(|applied| applied < device.configuration_version)
}

/// Reads all devices and accounts of the tenant.
pub(crate) async fn load(tenant: Uuid, app: &App) -> Result<Directory, StoreError> {
    let mut directory = Directory::default();
    let (mut request, all) = (first_page(), DeviceFilter::default());
    loop {
        let page = store::device::list(tenant, &all, &request, &app.db).await?;
        let Page { items, next, .. } = page;
        directory.devices.extend(items.iter().map(|device| {
            KnownDevice {
                id: device.id,
                activated: device.activated_at.is_some(),
                pending_update: is_update_pending(device),
                instructions: device
                    .instructions
                    .as_ref()
                    .map(|mail| mail::wire::state(mail.state)),
            }
        }));
        request.after = next;
        if request.after.is_none() {
            break;
        }
    }
    let (mut request, all) = (first_page(), AccountFilter::default());
    loop {
        let page = store::account::list(tenant, &all, &request, &app.db).await?;
        let Page { items, next, .. } = page;
        directory
            .accounts
            .extend(items.iter().map(|account| KnownAccount {
                id: account.id,
                aor: account.aor(),
                devices: account.devices.iter().map(|device| device.id).collect(),
            }));
        request.after = next;
        if request.after.is_none() {
            break;
        }
    }
    Ok(directory)
}

fn first_page<S: SortColumn>() -> PageRequest<S> {
    PageRequest {
        limit: MAX_PAGE,
        ..PageRequest::default()
    }
}
