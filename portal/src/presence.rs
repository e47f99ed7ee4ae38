//! Who is there: bindings at the proxy, live channels of devices, and what devices say of their lines.
//!
//! Kept in memory only; after a start the proxy and the devices tell it again. What a device said of its
//! lines counts as long as the device is online and is forgotten with it.

use std::{
    collections::{HashMap, HashSet},
    sync::{PoisonError, RwLock},
};

use api::{LineReport, LineState, Registration, RegistrationChange};
use store::Online;
use uuid::Uuid;

/// The state of all devices and addresses-of-record.
#[derive(Debug, Default)]
pub(crate) struct Presence(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    /// Devices bound, by address-of-record. What is bound without the instance-id of a softphone counts as `None`: a desk phone, or a phone
    /// that nobody told the portal of.
    bindings: HashMap<String, Vec<Option<Uuid>>>,
    /// Number of bindings by device.
    bound: HashMap<Uuid, usize>,
    devices: HashMap<Uuid, Connected>,
}

#[derive(Debug, Default)]
struct Connected {
    channels: usize,
    /// Accounts that the device says are registered.
    lines: HashSet<Uuid>,
}

impl Presence {
    /// All bindings are these.
    pub(crate) fn set_registrations(&self, registrations: Vec<Registration>) {
        let mut by_aor: HashMap<String, Vec<Registration>> = HashMap::new();
        for registration in registrations {
            by_aor
                .entry(registration.aor.clone())
                .or_default()
                .push(registration);
        }
        let mut state = self.write();
        state.bindings.clear();
        state.bound.clear();
        for (aor, registrations) in by_aor {
            state.bind(RegistrationChange { aor, registrations });
        }
        let connected: Vec<_> = state.devices.keys().copied().collect();
        state.forget_absent(&connected);
    }

    /// The bindings of one address-of-record are these. Gives the devices that were bound or are now.
    pub(crate) fn set_bindings(&self, change: RegistrationChange) -> Vec<Uuid> {
        let mut state = self.write();
        let devices = state.bind(change);
        state.forget_absent(&devices);
        devices
    }

    /// The device has opened a live channel.
    pub(crate) fn channel_opened(&self, device: Uuid) {
        self.write().devices.entry(device).or_default().channels += 1;
    }

    /// The device has closed a live channel.
    pub(crate) fn channel_closed(&self, device: Uuid) {
        let mut state = self.write();
        if let Some(connected) = state.devices.get_mut(&device) {
            connected.channels = connected.channels.saturating_sub(1);
        }
        state.forget_absent(&[device]);
    }

    /// The device tells of its lines. Ignored while the device is not online.
    pub(crate) fn reported(&self, device: Uuid, lines: &[LineReport]) {
        let mut state = self.write();
        if state.is_online(device) {
            state.devices.entry(device).or_default().lines = lines
                .iter()
                .filter(|line| line.state == LineState::Connected)
                .map(|line| line.account_id)
                .take(MAX_LINES)
                .collect();
        }
    }

    /// The device has a live channel, or a binding at the proxy.
    pub(crate) fn is_device_online(&self, device: Uuid) -> bool {
        self.read().is_online(device)
    }

    /// One of the addresses-of-record has a binding that is no softphone's. Which desk phone's it is cannot be told.
    pub(crate) fn is_desk_phone_online(&self, aors: &[&str]) -> bool {
        let state = self.read();
        let bound = |aor: &&str| {
            state
                .bindings
                .get(*aor)
                .is_some_and(|all| all.contains(&None))
        };
        aors.iter().any(bound)
    }

    /// A binding at the proxy exists, or one of the devices says that the account is registered.
    pub(crate) fn is_account_online(&self, account: Uuid, aor: &str, devices: &[Uuid]) -> bool {
        let state = self.read();
        let said_so = |device: &Uuid| {
            state
                .devices
                .get(device)
                .is_some_and(|connected| connected.lines.contains(&account))
        };
        state.bindings.contains_key(aor) || devices.iter().any(said_so)
    }

    /// All that are there, with the users of one domain.
    pub(crate) fn online(&self, domain: &str) -> Online {
        let state = self.read();
        let user = |aor: &String| {
            let (user, host) = aor.strip_prefix("sip:")?.rsplit_once('@')?;
            (host == domain).then(|| user.to_owned())
        };
        let strangers = state
            .bindings
            .iter()
            .filter(|(_, devices)| devices.contains(&None));
        let connected = state.devices.iter();
        let channels = connected
            .filter(|(_, connected)| connected.channels > 0)
            .map(|(device, _)| *device);
        let lines = state.devices.iter().flat_map(|(device, connected)| {
            let lines = connected.lines.iter();
            lines.map(|account| (*device, *account))
        });
        Online {
            domain: domain.to_owned(),
            users: state.bindings.keys().filter_map(user).collect(),
            strangers: strangers.filter_map(|(aor, _)| user(aor)).collect(),
            devices: state.bound.keys().copied().chain(channels).collect(),
            lines: lines.collect(),
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gives the devices that were bound before or are now.
    fn bind(&mut self, change: RegistrationChange) -> Vec<Uuid> {
        let RegistrationChange { aor, registrations } = change;
        let before = self.bindings.remove(&aor).unwrap_or_default();
        let mut devices: Vec<Uuid> = before.into_iter().flatten().collect();
        for device in &devices {
            if let Some(count) = self.bound.get_mut(device) {
                *count -= 1;
                if *count == 0 {
                    self.bound.remove(device);
                }
            }
        }
        if registrations.is_empty() {
            return devices;
        }
        let now: Vec<_> = registrations
            .iter()
            .map(|registration| registration.instance.as_deref().and_then(device_of))
            .collect();
        for device in now.iter().flatten() {
            *self.bound.entry(*device).or_default() += 1;
        }
        devices.extend(now.iter().flatten());
        self.bindings.insert(aor, now);
        devices
    }

    fn is_online(&self, device: Uuid) -> bool {
        self.devices
            .get(&device)
            .is_some_and(|connected| connected.channels > 0)
            || self.bound.contains_key(&device)
    }

    /// Forgets what those of these devices said that are not there any more.
    fn forget_absent(&mut self, devices: &[Uuid]) {
        for device in devices {
            if !self.is_online(*device) {
                self.devices.remove(device);
            }
        }
    }
}

/// The device with this instance-id, if it is the kind that devices of the portal have ([`api::instance_id`]): the UUID is of version 7.
/// Desk phones make theirs up themselves, of their MAC address or of chance (RFC 5626 section 4.1), so it is of another version.
fn device_of(instance: &str) -> Option<Uuid> {
    let (scheme, id) = instance.rsplit_once(':')?;
    let id = Uuid::try_parse(id).ok()?;
    let ours = scheme.eq_ignore_ascii_case("urn:uuid") && id.get_version_num() == 7;
    ours.then_some(id)
}

/// A device has at most four accounts.
const MAX_LINES: usize = 4;

#[cfg(test)]
mod tests {
    use api::instance_id;
    use time::OffsetDateTime;

    use super::*;

    const AOR: &str = "sip:101@acme.tandem.localhost";

    fn bound(aor: &str, device: Option<Uuid>) -> Registration {
        Registration {
            aor: aor.to_owned(),
            instance: device.map(instance_id),
            expires_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    fn change(aor: &str, devices: &[Option<Uuid>]) -> RegistrationChange {
        RegistrationChange {
            aor: aor.to_owned(),
            registrations: devices.iter().map(|device| bound(aor, *device)).collect(),
        }
    }

    fn connected(account: Uuid) -> LineReport {
        LineReport {
            account_id: account,
            state: LineState::Connected,
            reason: None,
        }
    }

    #[test]
    fn a_binding_makes_account_and_device_online_until_it_ends() {
        let (presence, device, account) = (Presence::default(), Uuid::now_v7(), Uuid::now_v7());
        presence.set_bindings(change(AOR, &[Some(device), None]));
        assert!(presence.is_device_online(device));
        assert!(presence.is_account_online(account, AOR, &[]));
        presence.set_bindings(change(AOR, &[None]));
        assert!(!presence.is_device_online(device));
        assert!(presence.is_account_online(account, AOR, &[]));
        presence.set_bindings(change(AOR, &[]));
        assert!(!presence.is_account_online(account, AOR, &[]));
        assert!(presence.read().bound.is_empty() && presence.read().bindings.is_empty());
    }

    #[test]
    fn a_device_with_two_accounts_stays_online_with_the_second() {
        let (presence, device) = (Presence::default(), Uuid::now_v7());
        presence.set_registrations(vec![
            bound("sip:1@a", Some(device)),
            bound("sip:2@a", Some(device)),
        ]);
        presence.set_bindings(change("sip:1@a", &[]));
        assert!(presence.is_device_online(device));
        presence.set_registrations(Vec::new());
        assert!(!presence.is_device_online(device));
    }

    #[test]
    fn a_desk_phone_is_there_by_a_binding_that_is_no_softphones() {
        let (presence, softphone) = (Presence::default(), Uuid::now_v7());
        let there = || presence.is_desk_phone_online(&["sip:other@a", AOR]);
        presence.set_bindings(change(AOR, &[Some(softphone)]));
        assert!(!there());
        assert!(
            presence
                .online("acme.tandem.localhost")
                .strangers
                .is_empty()
        );
        for own in [None, Some(Uuid::new_v4())] {
            presence.set_bindings(change(AOR, &[Some(softphone), own]));
            assert!(there(), "{own:?}");
            assert!(presence.is_device_online(softphone));
            let online = presence.online("acme.tandem.localhost");
            assert_eq!(online.strangers, ["101"]);
            assert_eq!(online.devices, [softphone]);
        }
        presence.set_bindings(change(AOR, &[Some(softphone)]));
        assert!(!there());
    }

    #[test]
    fn what_a_device_says_counts_while_it_is_online() {
        let (presence, device, account) = (Presence::default(), Uuid::now_v7(), Uuid::now_v7());
        let online = || presence.is_account_online(account, "sip:x@provider.example", &[device]);
        presence.reported(device, &[connected(account)]);
        assert!(!online(), "nobody is there to say it");
        presence.channel_opened(device);
        presence.channel_opened(device);
        presence.reported(device, &[connected(account)]);
        assert!(online());
        presence.channel_closed(device);
        assert!(online(), "one channel is left");
        presence.channel_closed(device);
        assert!(!online());
        assert!(presence.read().devices.is_empty());
    }
}
