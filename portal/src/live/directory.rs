//! The devices and accounts of a tenant as far as their statuses hang on the database, and which belong to which.
//!
//! Changes are taken in one by one; each says whose statuses it may have moved. Not here: who is there
//! ([`Presence`](crate::presence::Presence)) and what was sent ([`super::frames`]).

use std::collections::{BTreeSet, HashMap, HashSet};

use api::{AccountLive, DeviceLive};
use store::standing::{AccountStanding, DeviceStanding};
use uuid::Uuid;

use crate::{
    mail,
    presence::Presence,
    status::{Sign, account_status, device_status, waiting},
};

/// What is known of a tenant.
#[derive(Debug, Default)]
pub(super) struct Directory {
    devices: HashMap<Uuid, DeviceStanding>,
    /// Address-of-record by account.
    accounts: HashMap<Uuid, String>,
    /// The devices that have an account.
    holders: HashMap<Uuid, BTreeSet<Uuid>>,
    by_aor: HashMap<String, BTreeSet<Uuid>>,
}

/// Whose statuses may be others than before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) devices: HashSet<Uuid>,
    pub(super) accounts: HashSet<Uuid>,
}

impl Directory {
    pub(super) fn new(devices: Vec<DeviceStanding>, accounts: Vec<AccountStanding>) -> Self {
        let mut directory = Self::default();
        let mut moved = Moved::default();
        directory.set_accounts(&[], accounts, &mut moved);
        directory.set_devices(&[], devices, &mut moved);
        directory
    }

    /// These devices were asked for and found; what was not found is gone.
    pub(super) fn set_devices(
        &mut self,
        asked: &[Uuid],
        found: Vec<DeviceStanding>,
        moved: &mut Moved,
    ) {
        for id in asked {
            self.remove_device(*id, moved);
        }
        for device in found {
            self.remove_device(device.id, moved);
            for account in &device.accounts {
                self.holders.entry(*account).or_default().insert(device.id);
                moved.accounts.insert(*account);
            }
            moved.devices.insert(device.id);
            self.devices.insert(device.id, device);
        }
    }

    /// These accounts were asked for and found; what was not found is gone.
    pub(super) fn set_accounts(
        &mut self,
        asked: &[Uuid],
        found: Vec<AccountStanding>,
        moved: &mut Moved,
    ) {
        for id in asked {
            self.remove_account(*id, moved);
        }
        for AccountStanding { id, aor } in found {
            self.remove_account(id, moved);
            self.by_aor.entry(aor.clone()).or_default().insert(id);
            self.accounts.insert(id, aor);
            moved.accounts.insert(id);
            moved.devices.extend(self.desk_phones_of(id));
        }
    }

    /// The device came, went or said something; its accounts hang on it.
    pub(super) fn device_moved(&self, id: Uuid, moved: &mut Moved) {
        if let Some(device) = self.devices.get(&id) {
            moved.devices.insert(id);
            moved.accounts.extend(&device.accounts);
        }
    }

    /// The bindings of the address-of-record are others.
    pub(super) fn aor_moved(&self, aor: &str, moved: &mut Moved) {
        for account in self.by_aor.get(aor).into_iter().flatten() {
            moved.accounts.insert(*account);
            moved.devices.extend(self.desk_phones_of(*account));
        }
    }

    /// The desk phones that have the account: their status hangs on its bindings.
    fn desk_phones_of(&self, account: Uuid) -> impl Iterator<Item = Uuid> {
        let holders = self.holders.get(&account).into_iter().flatten().copied();
        holders.filter(|id| self.devices.get(id).is_some_and(|device| device.desk_phone))
    }

    /// Everybody may have come or gone.
    pub(super) fn everything(&self) -> Moved {
        Moved {
            devices: self.devices.keys().copied().collect(),
            accounts: self.accounts.keys().copied().collect(),
        }
    }

    /// The device's status now; `None` if there is no such device.
    pub(super) fn device(&self, id: Uuid, presence: &Presence) -> Option<DeviceLive> {
        let device = self.devices.get(&id)?;
        let status = device_status(id, device.activated, &self.sign_of(device), presence);
        let waits = waiting(status, device.applied);
        Some(DeviceLive {
            id,
            status,
            not_started: waits.not_started,
            pending_update: waits.pending_update,
            instructions: device.instructions.map(mail::wire::state),
        })
    }

    fn sign_of(&self, device: &DeviceStanding) -> Sign<'_> {
        if !device.desk_phone {
            return Sign::Own;
        }
        let aors = device
            .accounts
            .iter()
            .filter_map(|id| self.accounts.get(id));
        Sign::Lines(aors.map(String::as_str).collect())
    }

    /// The account's status now; `None` if there is no such account.
    pub(super) fn account(&self, id: Uuid, presence: &Presence) -> Option<AccountLive> {
        let aor = self.accounts.get(&id)?;
        let holders: Vec<Uuid> = self
            .holders
            .get(&id)
            .into_iter()
            .flatten()
            .copied()
            .collect();
        Some(AccountLive {
            id,
            status: account_status(id, aor, &holders, presence),
        })
    }

    fn remove_device(&mut self, id: Uuid, moved: &mut Moved) {
        moved.devices.insert(id);
        let Some(before) = self.devices.remove(&id) else {
            return;
        };
        for account in before.accounts {
            if let Some(holders) = self.holders.get_mut(&account) {
                holders.remove(&id);
                if holders.is_empty() {
                    self.holders.remove(&account);
                }
            }
            moved.accounts.insert(account);
        }
    }

    fn remove_account(&mut self, id: Uuid, moved: &mut Moved) {
        moved.accounts.insert(id);
        let Some(aor) = self.accounts.remove(&id) else {
            return;
        };
        if let Some(same) = self.by_aor.get_mut(&aor) {
            same.remove(&id);
            if same.is_empty() {
                self.by_aor.remove(&aor);
            }
        }
    }
}

impl Moved {
    pub(super) fn add(&mut self, other: Self) {
        self.devices.extend(other.devices);
        self.accounts.extend(other.accounts);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.devices.is_empty() && self.accounts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use api::{AccountStatus, DeviceStatus, Registration, RegistrationChange, instance_id};
    use store::device::Applied;
    use time::OffsetDateTime;

    use super::*;

    const AOR: &str = "sip:101@acme.tandem.localhost";

    fn device(id: Uuid, accounts: &[Uuid]) -> DeviceStanding {
        DeviceStanding {
            id,
            activated: true,
            applied: Applied::Current,
            instructions: None,
            desk_phone: false,
            accounts: accounts.to_vec(),
        }
    }

    fn account(id: Uuid) -> AccountStanding {
        AccountStanding {
            id,
            aor: AOR.to_owned(),
        }
    }

    #[test]
    fn a_device_moves_its_accounts_of_before_and_now() {
        let [phone, one, two] = [1, 2, 3].map(Uuid::from_u128);
        let mut directory = Directory::new(vec![device(phone, &[one])], vec![account(one)]);
        let mut moved = Moved::default();
        directory.set_devices(&[phone], vec![device(phone, &[two])], &mut moved);
        assert_eq!(moved.devices, HashSet::from([phone]));
        assert_eq!(moved.accounts, HashSet::from([one, two]));
        let presence = Presence::default();
        let status = directory.account(one, &presence).unwrap().status;
        assert_eq!(status, AccountStatus::NotInUse);
        assert_eq!(directory.account(two, &presence), None, "not yet known");
        directory.set_accounts(&[], vec![account(two)], &mut moved);
        let status = directory.account(two, &presence).unwrap().status;
        assert_eq!(
            status,
            AccountStatus::Offline,
            "the device was known before"
        );
    }

    #[test]
    fn what_is_asked_for_and_not_found_is_gone() {
        let [phone, line] = [1, 2].map(Uuid::from_u128);
        let mut directory = Directory::new(vec![device(phone, &[line])], vec![account(line)]);
        let mut moved = Moved::default();
        directory.set_devices(&[phone], Vec::new(), &mut moved);
        let presence = Presence::default();
        assert_eq!(directory.device(phone, &presence), None);
        let left = directory.account(line, &presence).unwrap();
        assert_eq!(left.status, AccountStatus::NotInUse);
        directory.set_accounts(&[line], Vec::new(), &mut moved);
        assert_eq!(directory.account(line, &presence), None);
        assert!(directory.by_aor.is_empty() && directory.holders.is_empty());
    }

    #[test]
    fn an_address_moves_its_accounts_and_a_device_what_hangs_on_it() {
        let (phone, line) = (Uuid::now_v7(), Uuid::from_u128(2));
        let directory = Directory::new(vec![device(phone, &[line])], vec![account(line)]);
        let mut moved = Moved::default();
        directory.aor_moved("sip:102@acme.tandem.localhost", &mut moved);
        directory.device_moved(Uuid::from_u128(9), &mut moved);
        assert!(moved.is_empty());
        directory.aor_moved(AOR, &mut moved);
        assert_eq!(moved.accounts, HashSet::from([line]));
        directory.device_moved(phone, &mut moved);
        assert_eq!(moved, directory.everything());

        let presence = Presence::default();
        presence.set_bindings(RegistrationChange {
            aor: AOR.to_owned(),
            registrations: vec![Registration {
                aor: AOR.to_owned(),
                instance: Some(instance_id(phone)),
                expires_at: OffsetDateTime::UNIX_EPOCH,
            }],
        });
        let status = directory.device(phone, &presence).unwrap().status;
        assert_eq!(status, DeviceStatus::Online);
        let status = directory.account(line, &presence).unwrap().status;
        assert_eq!(status, AccountStatus::Online);
    }
    #[test]
    fn a_desk_phone_comes_and_goes_with_the_bindings_of_its_lines() {
        let [phone, line] = [1, 2].map(Uuid::from_u128);
        let desk_phone = DeviceStanding {
            desk_phone: true,
            ..device(phone, &[line])
        };
        let directory = Directory::new(vec![desk_phone], vec![account(line)]);
        let presence = Presence::default();
        let status = || directory.device(phone, &presence).unwrap().status;
        assert_eq!(status(), DeviceStatus::Offline);
        presence.set_bindings(RegistrationChange {
            aor: AOR.to_owned(),
            registrations: vec![Registration {
                aor: AOR.to_owned(),
                instance: None,
                expires_at: OffsetDateTime::UNIX_EPOCH,
            }],
        });
        assert_eq!(status(), DeviceStatus::Online);
        let mut moved = Moved::default();
        directory.aor_moved(AOR, &mut moved);
        assert_eq!(moved, directory.everything());
    }
}
