//! Tells webhooks who comes and goes: for each tenant that has one told of it, one task follows the live statuses as a page does, and compares
//! them with what was told last.
//!
//! What moves back within [`GATHERING`] is not told. After a start, devices have some time to come back before those that have not are told
//! to be gone.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use api::{AccountStatus, DeviceStatus, LiveFrame};
use serde::Serialize;
use store::{
    StoreError,
    webhook::{self, EventKind, NewEvent},
};
use time::OffsetDateTime;
use tokio::{
    select,
    sync::broadcast::error::RecvError,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use uuid::Uuid;

use crate::{app::App, following::Following, live, wire};

/// Devices and accounts of a tenant by what the live statuses say.
#[derive(Debug, Default)]
struct Seen(HashMap<Uuid, (Kind, bool)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Device,
    Account,
}

/// Somebody who came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moved {
    id: Uuid,
    kind: Kind,
    there: bool,
}

impl App {
    /// Has a task for each tenant that wants one, until the portal stops.
    pub(crate) async fn watch_presence(self) {
        let settled = Instant::now() + self.webhooks.times.settling;
        let mut watched: HashMap<Uuid, CancellationToken> = HashMap::new();
        loop {
            match webhook::list_watching(&self.db).await {
                Ok(wanted) => {
                    let (gone, kept) = watched
                        .into_iter()
                        .partition(|(tenant, _)| !wanted.contains(tenant));
                    watched = kept;
                    self.end_watches(gone).await;
                    for tenant in wanted {
                        watched.entry(tenant).or_insert_with(|| {
                            let stop = self.stop.child_token();
                            tokio::spawn(self.clone().watch(tenant, settled, stop.clone()));
                            stop
                        });
                    }
                }
                Err(error) => {
                    error!(%error, "which webhooks want to know who comes and goes cannot be read");
                }
            }
            select! {
                () = self.stop.cancelled() => return,
                () = self.webhooks.wanted.notified() => {}
                () = sleep(LOOK) => {}
            }
        }
    }

    async fn end_watches(&self, gone: HashMap<Uuid, CancellationToken>) {
        for (tenant, stop) in gone {
            stop.cancel();
            if let Err(error) = webhook::end_watch(tenant, &self.db).await {
                error!(%error, "a tenant is still watched");
            }
        }
    }

    async fn watch(self, tenant: Uuid, settled: Instant, stop: CancellationToken) {
        loop {
            let ended = select! {
                () = stop.cancelled() => return,
                ended = self.follow_tenant(tenant, settled) => ended,
            };
            if let Err(error) = ended {
                error!(%error, "webhooks are not told who comes and goes");
                select! {
                    () = stop.cancelled() => return,
                    () = sleep(RETRY) => {}
                }
            }
        }
    }

    /// Follows until frames were missed.
    async fn follow_tenant(&self, tenant: Uuid, settled: Instant) -> Result<(), StoreError> {
        let Some(subscription) = live::subscribe(tenant, None, self).await else {
            return Ok(());
        };
        let mut frames = subscription.frames.uncounted();
        let mut seen = Seen::default();
        for text in &subscription.first {
            seen.take(text);
        }
        let told = webhook::find_present(tenant, &self.db).await?;
        let mut told = match told {
            Some(told) => {
                sleep_until(settled).await;
                told
            }
            None => {
                let there = seen.there();
                let now = OffsetDateTime::now_utc();
                webhook::begin_watch(tenant, &there, now, &self.db).await?;
                there
            }
        };
        loop {
            // Until nothing more is there to be read, so that many who come at once are told at once.
            if seen.catch_up(&mut frames).is_err() {
                return Ok(());
            }
            self.tell_moved(tenant, &seen, &mut told).await?;
            match frames.recv().await {
                Ok(frame) => seen.take(&frame.text),
                Err(RecvError::Lagged(_) | RecvError::Closed) => return Ok(()),
            }
            sleep(GATHERING).await;
        }
    }

    async fn tell_moved(
        &self,
        tenant: Uuid,
        seen: &Seen,
        told: &mut HashSet<Uuid>,
    ) -> Result<(), StoreError> {
        let moved = seen.moved(told);
        for some in moved.chunks(TOGETHER) {
            let mut events = Vec::with_capacity(some.len());
            for one in some {
                if let Some(data) = self.data_of(tenant, one).await? {
                    events.push((one, data));
                }
            }
            let events: Vec<_> = events
                .iter()
                .map(|(one, data)| NewEvent {
                    kind: one.event(),
                    object: Some(one.id),
                    data: Some(data),
                })
                .collect();
            let ids = |there| {
                let those = some.iter().filter(move |one| one.there == there);
                those.map(|one| one.id).collect::<Vec<_>>()
            };
            let (came, went) = (ids(true), ids(false));
            let now = OffsetDateTime::now_utc();
            webhook::tell_presence(tenant, &came, &went, &events, now, &self.db).await?;
            told.extend(came);
            for id in went {
                told.remove(&id);
            }
            self.webhooks.wake();
        }
        Ok(())
    }

    /// What is told of a device or account; `None` if it is no more.
    async fn data_of(&self, tenant: Uuid, moved: &Moved) -> Result<Option<String>, StoreError> {
        let data = match moved.kind {
            Kind::Device => store::device::load(tenant, moved.id, &self.db)
                .await
                .map(|device| written(&wire::device(device, &self.presence))),
            Kind::Account => store::account::load(tenant, moved.id, &self.db)
                .await
                .map(|account| written(&wire::account(account, &self.presence))),
        };
        match data {
            Ok(data) => Ok(data),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Seen {
    /// Takes in a frame.
    fn take(&mut self, text: &str) {
        let (devices, accounts) = match serde_json::from_str(text) {
            Ok(
                LiveFrame::Snapshot {
                    devices, accounts, ..
                }
                | LiveFrame::Delta {
                    devices, accounts, ..
                },
            ) => (devices, accounts),
            Err(error) => return warn!(%error, "a live frame cannot be read"),
        };
        for device in devices {
            let there = device.status == DeviceStatus::Online;
            self.0.insert(device.id, (Kind::Device, there));
        }
        for account in accounts {
            let there = account.status == AccountStatus::Online;
            self.0.insert(account.id, (Kind::Account, there));
        }
    }

    /// Takes in what waits; fails if frames were missed.
    fn catch_up(&mut self, frames: &mut Following) -> Result<(), RecvError> {
        use tokio::sync::broadcast::error::TryRecvError;
        loop {
            match frames.try_recv() {
                Ok(frame) => self.take(&frame.text),
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Lagged(missed)) => return Err(RecvError::Lagged(missed)),
                Err(TryRecvError::Closed) => return Err(RecvError::Closed),
            }
        }
    }

    fn there(&self) -> HashSet<Uuid> {
        let there = self.0.iter().filter(|(_, (_, there))| *there);
        there.map(|(id, _)| *id).collect()
    }

    /// Whoever is there and was not told to be, and the other way round. What was told to be there and is no more is forgotten as gone.
    fn moved(&self, told: &HashSet<Uuid>) -> Vec<Moved> {
        let differs = |(id, (kind, there)): (&Uuid, &(Kind, bool))| {
            (*there != told.contains(id)).then_some(Moved {
                id: *id,
                kind: *kind,
                there: *there,
            })
        };
        let forgotten = told.iter().filter(|id| !self.0.contains_key(id));
        let forgotten = forgotten.map(|id| Moved {
            id: *id,
            // Nothing is found under this key, whichever it was.
            kind: Kind::Device,
            there: false,
        });
        let mut moved: Vec<_> = self.0.iter().filter_map(differs).chain(forgotten).collect();
        moved.sort_unstable_by_key(|moved| moved.id);
        moved
    }
}

impl Moved {
    fn event(self) -> EventKind {
        match (self.kind, self.there) {
            (Kind::Device, true) => EventKind::DeviceOnline,
            (Kind::Device, false) => EventKind::DeviceOffline,
            (Kind::Account, true) => EventKind::AccountRegistered,
            (Kind::Account, false) => EventKind::AccountUnregistered,
        }
    }
}

fn written(data: &impl Serialize) -> Option<String> {
    serde_json::to_string(data).ok()
}

/// What moves back within this time is not told.
const GATHERING: Duration = Duration::from_millis(500);
/// Events in one transaction.
const TOGETHER: usize = 100;
/// Somebody else on the same database may have changed webhooks.
const LOOK: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use api::{AccountLive, DeviceLive};

    use super::*;

    fn frame(devices: &[(Uuid, DeviceStatus)], accounts: &[(Uuid, AccountStatus)]) -> String {
        let devices = devices.iter().map(|(id, status)| DeviceLive {
            id: *id,
            status: *status,
            not_started: false,
            pending_update: false,
            instructions: None,
        });
        let accounts = accounts.iter().map(|(id, status)| AccountLive {
            id: *id,
            status: *status,
        });
        let frame = LiveFrame::Delta {
            seq: 1,
            devices: devices.collect(),
            accounts: accounts.collect(),
            lists: Vec::new(),
        };
        serde_json::to_string(&frame).unwrap()
    }

    #[test]
    fn only_who_is_not_as_told_has_moved() {
        let [phone, desk, line] = [1, 2, 3].map(Uuid::from_u128);
        let mut seen = Seen::default();
        seen.take(&frame(
            &[(phone, DeviceStatus::Online), (desk, DeviceStatus::Offline)],
            &[(line, AccountStatus::Online)],
        ));
        assert_eq!(seen.there(), HashSet::from([phone, line]));
        let moved = |seen: &Seen, told: &[Uuid]| {
            let moved = seen.moved(&told.iter().copied().collect());
            let said = moved.into_iter().map(|one| (one.id, one.event()));
            said.collect::<Vec<_>>()
        };
        assert_eq!(moved(&seen, &[phone, line]), []);
        assert_eq!(
            moved(&seen, &[desk]),
            [
                (phone, EventKind::DeviceOnline),
                (desk, EventKind::DeviceOffline),
                (line, EventKind::AccountRegistered)
            ]
        );
        seen.take(&frame(&[], &[(line, AccountStatus::NotInUse)]));
        let gone = [(line, EventKind::AccountUnregistered)];
        assert_eq!(moved(&seen, &[phone, line]), gone);
    }

    #[test]
    fn who_was_told_to_be_there_and_is_no_more_is_forgotten() {
        let gone = Uuid::from_u128(7);
        let moved = Seen::default().moved(&HashSet::from([gone]));
        assert_eq!(moved.len(), 1);
        assert!(!moved[0].there);
    }
}
