//! Status of devices and accounts: what the database knows joined with who is there.

use api::{AccountStatus, DeviceStatus};
use store::device::Device;
use uuid::Uuid;

use crate::presence::Presence;

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
