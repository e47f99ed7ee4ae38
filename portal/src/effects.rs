//! What follows a committed write: the proxy, the devices and the pages learn of it.
//!
//! Nothing here can fail the request: the database already says the truth, and whoever is not reached
//! now asks it later. That the caller leaves does not stop it either: what may write in a tenant goes on to its end (`access/authorize.rs`).

use std::time::Duration;

use api::{ControlAnswer, ControlError, LiveList, instance_id};
use store::{Reference, account::Rotated, device::Device};
use tokio::time::timeout;
use tracing::{error, warn};
use uuid::Uuid;

use crate::{app::App, live::Written};

impl App {
    /// The pages learn what was written, and of the devices each that is there.
    pub(crate) async fn announce(&self, tenant: Uuid, written: Written) {
        for device in &written.devices {
            if !self.channels.is_open(*device) {
                continue;
            }
            match store::device::load(tenant, *device, &self.db).await {
                Ok(loaded) => self
                    .channels
                    .announce(*device, loaded.configuration_version),
                Err(error) => error!(%error, "a device was not told of its new configuration"),
            }
        }
        self.live.written(tenant, written);
    }

    /// The device is out: bindings end, channels end, the other devices of its accounts get the new
    /// passwords.
    ///
    /// Which bindings are a desk phone's cannot be told, so all of its accounts end: the softphones among them register again with the
    /// new password.
    pub(crate) async fn sign_out(&self, tenant: Uuid, device: &Device, rotated: Vec<Rotated>) {
        let (desk_phone, device) = (device.desk_phone.is_some(), device.id);
        self.channels.revoke(device);
        // The accounts first: while the proxy knows the old passwords, what it drops can register anew.
        for account in &rotated {
            self.tell_proxy(self.proxy.account_changed(&account.aor))
                .await;
            if desk_phone {
                self.tell_proxy(self.proxy.drop_bindings(&account.aor))
                    .await;
            }
        }
        let instance = instance_id(device);
        self.tell_proxy(self.proxy.revoke_device(&instance)).await;
        // The list of contacts has their devices and extensions.
        let written = Written::devices(others(&rotated, device))
            .and_devices([device])
            .and_list(LiveList::Contacts);
        self.announce(tenant, written).await;
    }

    /// The device has these accounts no more: their bindings end, and their other devices get the new passwords.
    pub(crate) async fn take_off(&self, tenant: Uuid, device: Uuid, rotated: Vec<Rotated>) {
        for account in &rotated {
            self.tell_proxy(self.proxy.account_changed(&account.aor))
                .await;
            self.tell_proxy(self.proxy.drop_bindings(&account.aor))
                .await;
        }
        // The list of contacts has their devices and extensions.
        let written = Written::devices(others(&rotated, device))
            .and_devices([device])
            .and_list(LiveList::Contacts);
        self.announce(tenant, written).await;
    }

    /// Waits until the proxy has acted, but not for ever.
    pub(crate) async fn tell_proxy(&self, answer: ControlAnswer<'_, ()>) {
        match timeout(PATIENCE, answer).await {
            Ok(Ok(())) => {}
            Ok(Err(ControlError::Unreachable)) | Err(_) => {
                warn!("the proxy did not learn of a change");
            }
        }
    }
}

/// The devices that have these accounts too.
fn others(rotated: &[Rotated], device: Uuid) -> Vec<Uuid> {
    let devices = rotated.iter().flat_map(|account| &account.devices);
    devices
        .map(|reference| reference.id)
        .filter(|other| *other != device)
        .collect()
}

/// The keys of these.
pub(crate) fn ids(references: &[Reference]) -> Vec<Uuid> {
    references.iter().map(|reference| reference.id).collect()
}

const PATIENCE: Duration = Duration::from_secs(5);
