//! Live channels of devices: the version to have, where the directory is, and the end.
//!
//! A device's channel carries a state, not a queue: a device that reads slowly gets the newest version
//! once. A revocation is the last thing a channel says.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use store::directory::Position;
use tokio::sync::watch;
use uuid::Uuid;

use crate::metrics::Present;

/// What a device must know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signal {
    /// Version of the configuration to have.
    pub(crate) version: u64,
    /// The newest position of the directory.
    pub(crate) directory: Option<Position>,
    /// Sign out and wipe the secrets.
    pub(crate) revoked: bool,
}

/// All open channels.
#[derive(Debug, Default)]
pub(crate) struct DeviceChannels(Mutex<HashMap<Uuid, Channels>>);

/// Those of one device.
#[derive(Debug)]
struct Channels {
    tenant: Uuid,
    sender: watch::Sender<Signal>,
}

/// An open channel; closed when dropped.
#[derive(Debug)]
pub(crate) struct DeviceChannel {
    pub(crate) signals: watch::Receiver<Signal>,
    device: Uuid,
    all: Arc<DeviceChannels>,
    _present: Present,
}

impl DeviceChannels {
    /// Opens a channel, or `None` if the device has too many.
    pub(crate) fn open(self: &Arc<Self>, device: Uuid, tenant: Uuid) -> Option<DeviceChannel> {
        let mut channels = self.lock();
        let Channels { sender, .. } = channels.entry(device).or_insert_with(|| Channels {
            tenant,
            sender: watch::Sender::default(),
        });
        (sender.receiver_count() < MAX_PER_DEVICE).then(|| DeviceChannel {
            signals: sender.subscribe(),
            device,
            all: Arc::clone(self),
            _present: Present::device(),
        })
    }

    /// Whether anybody listens for the device.
    pub(crate) fn is_open(&self, device: Uuid) -> bool {
        self.lock().contains_key(&device)
    }

    /// The device's configuration has this version now. An older version changes nothing.
    pub(crate) fn announce(&self, device: Uuid, version: u64) {
        if let Some(Channels { sender, .. }) = self.lock().get(&device) {
            sender.send_if_modified(|signal| {
                let newer = version > signal.version;
                signal.version = signal.version.max(version);
                newer
            });
        }
    }

    /// Whether any device of the tenant listens.
    pub(crate) fn has_some_of(&self, tenant: Uuid) -> bool {
        self.lock().values().any(|known| known.tenant == tenant)
    }

    /// The tenant's directory is there now. An older position changes nothing.
    pub(crate) fn announce_directory(&self, tenant: Uuid, position: Position) {
        for known in self.lock().values() {
            if known.tenant == tenant {
                known.sender.send_if_modified(|signal| {
                    let newer = signal
                        .directory
                        .is_none_or(|told| position.is_newer_than(&told));
                    if newer {
                        signal.directory = Some(position);
                    }
                    newer
                });
            }
        }
    }

    /// Ends all channels of the device. One that is opened later is not concerned.
    pub(crate) fn revoke(&self, device: Uuid) {
        if let Some(Channels { sender, .. }) = self.lock().remove(&device) {
            sender.send_modify(|signal| signal.revoked = true);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Channels>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for DeviceChannel {
    fn drop(&mut self) {
        let mut channels = self.all.lock();
        let last = channels
            .get(&self.device)
            .is_some_and(|Channels { sender, .. }| {
                let probe = sender.subscribe();
                // The probe and this receiver still count.
                probe.same_channel(&self.signals) && sender.receiver_count() <= 2
            });
        if last {
            channels.remove(&self.device);
        }
    }
}

/// A softphone has one; another is open for a moment while it reconnects.
const MAX_PER_DEVICE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: Uuid = Uuid::from_u128(1);

    #[test]
    fn the_newest_version_wins_and_a_closed_channel_leaves_nothing() {
        let channels = Arc::new(DeviceChannels::default());
        let device = Uuid::now_v7();
        channels.announce(device, 9);
        let mut channel = channels.open(device, TENANT).unwrap();
        channels.announce(device, 3);
        channels.announce(device, 2);
        assert_eq!(channel.signals.borrow_and_update().version, 3);
        drop(channel);
        assert!(channels.lock().is_empty());
    }

    #[test]
    fn a_revocation_reaches_open_channels_but_not_later_ones() {
        let channels = Arc::new(DeviceChannels::default());
        let device = Uuid::now_v7();
        let before = channels.open(device, TENANT).unwrap();
        channels.revoke(device);
        let after = channels.open(device, TENANT).unwrap();
        assert!(before.signals.borrow().revoked);
        assert!(!after.signals.borrow().revoked);
        drop(before);
        channels.announce(device, 5);
        assert_eq!(
            after.signals.borrow().version,
            5,
            "closing the old one kept the new one"
        );
    }

    #[test]
    fn channels_of_one_device_are_limited() {
        let channels = Arc::new(DeviceChannels::default());
        let device = Uuid::now_v7();
        let open: Vec<_> = (0..MAX_PER_DEVICE)
            .map(|_| channels.open(device, TENANT).unwrap())
            .collect();
        assert!(channels.open(device, TENANT).is_none());
        drop(open);
        assert!(channels.lock().is_empty());
    }
}
