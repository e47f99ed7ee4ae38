//! Status of devices and accounts: what the database knows joined with who is there.

use api::{AccountStatus, DeviceStatus};
use store::device::Device;
use uuid::Uuid;

use crate::presence::Presence;

/// By what a device is known to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sign<'a> {
    /// A live channel or the instance-id that it was given: a softphone.
    Own,
    /// A registration of one of these addresses-of-record that is no softphone's: a desk phone.
    Lines(Vec<&'a str>),
}

pub(crate) fn device_status(
    device: Uuid,
    activated: bool,
    sign: &Sign<'_>,
    presence: &Presence,
) -> DeviceStatus {
    let there = || match sign {
        Sign::Own => presence.is_device_online(device),
        Sign::Lines(aors) => presence.is_desk_phone_online(aors),
    };
    if !activated {
        DeviceStatus::NotActivated
    } else if there() {
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
