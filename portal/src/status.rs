//! Status of devices and accounts: what the database knows joined with who is there.

use api::{AccountStatus, DeviceStatus};
use store::device::Applied;
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

/// What an activated device waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// To be started for the first time.
    pub(crate) not_started: bool,
    /// For its phone to apply the current configuration.
    pub(crate) pending_update: bool,
}

pub(crate) fn waiting(status: DeviceStatus, applied: Applied) -> Waiting {
    let (not_started, pending_update) = match (status, applied) {
        (DeviceStatus::NotActivated, _) | (_, Applied::Current) => (false, false),
        // What it fetches when it starts is current anyway.
        (DeviceStatus::Offline, Applied::Nothing) => (true, false),
        (DeviceStatus::Online, Applied::Nothing) | (_, Applied::Older) => (false, true),
    };
    Waiting {
        not_started,
        pending_update,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_is_pending_only_where_a_phone_was_started() {
        let waits = |status, applied| {
            let Waiting {
                not_started,
                pending_update,
            } = waiting(status, applied);
            (not_started, pending_update)
        };
        for applied in [Applied::Nothing, Applied::Older, Applied::Current] {
            assert_eq!(waits(DeviceStatus::NotActivated, applied), (false, false));
        }
        for status in [DeviceStatus::Online, DeviceStatus::Offline] {
            assert_eq!(waits(status, Applied::Older), (false, true));
            assert_eq!(waits(status, Applied::Current), (false, false));
        }
        let new = |status| waits(status, Applied::Nothing);
        assert_eq!(new(DeviceStatus::Offline), (true, false));
        assert_eq!(new(DeviceStatus::Online), (false, true));
    }
}
