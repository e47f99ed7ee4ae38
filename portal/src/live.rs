//! The live channel of the pages: per tenant the statuses of all devices and accounts, numbered.
//!
//! While somebody looks at a tenant, one task owns its board. Whatever happens only wakes the task; it
//! compares the statuses with those sent last and sends the difference, at most ten times a second, so
//! a device that flaps a hundred times between two frames is sent once. The last frames are kept: a page
//! that comes back within a minute gets what it missed, any other gets a snapshot. A page that reads too
//! slowly loses its place in the queue and gets a snapshot too.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use api::{AccountLive, DeviceLive, LiveFrame, LivePosition};
use tokio::{
    select,
    sync::{Notify, broadcast, watch},
    time::{Instant, sleep, sleep_until},
};
use tracing::{error, warn};
use uuid::Uuid;

use crate::{
    app::App,
    following::Following,
    presence::Presence,
    status::{self, Directory},
};

/// The boards of all tenants that somebody looks at.
#[derive(Debug, Default)]
pub(crate) struct LiveHub(Mutex<HashMap<Uuid, Arc<Board>>>);

/// One tenant's statuses.
#[derive(Debug)]
struct Board {
    tenant: Uuid,
    frames: Mutex<Frames>,
    aors: Mutex<HashSet<String>>,
    stale: AtomicBool,
    calls: AtomicBool,
    wake: Notify,
    ready: watch::Sender<bool>,
}

/// What was sent.
#[derive(Debug)]
struct Frames {
    epoch: Uuid,
    seq: u64,
    devices: HashMap<Uuid, DeviceLive>,
    accounts: HashMap<Uuid, AccountLive>,
    kept: VecDeque<Numbered>,
    sender: broadcast::Sender<Numbered>,
}

/// A frame as text, made once for everybody.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    seq: u64,
    pub(crate) text: Arc<str>,
}

/// A place in the stream of frames.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// To be sent first.
    pub(crate) first: Vec<Arc<str>>,
    /// To be sent then.
    pub(crate) frames: Following,
}

impl LiveHub {
    /// Something about the tenant was written: devices, accounts, or which belongs to which.
    pub(crate) fn changed(&self, tenant: Uuid) {
        if let Some(board) = self.lock().get(&tenant) {
            board.stale.store(true, Ordering::Release);
            board.wake.notify_one();
        }
    }

    /// The tenant has other calls than before.
    pub(crate) fn calls_changed(&self, tenant: Uuid) {
        if let Some(board) = self.lock().get(&tenant) {
            board.calls_changed();
        }
    }

    /// Any tenant may have other calls.
    pub(crate) fn all_calls_changed(&self) {
        for board in self.lock().values() {
            board.calls_changed();
        }
    }

    /// A device came or went, or told of its lines.
    pub(crate) fn device_moved(&self, tenant: Uuid) {
        if let Some(board) = self.lock().get(&tenant) {
            board.wake.notify_one();
        }
    }

    /// The bindings of this address-of-record changed.
    pub(crate) fn bindings_moved(&self, aor: &str) {
        for board in self.lock().values() {
            let aors = board.aors.lock().unwrap_or_else(PoisonError::into_inner);
            if aors.contains(aor) {
                board.wake.notify_one();
            }
        }
    }

    /// Any bindings may have changed.
    pub(crate) fn everything_moved(&self) {
        for board in self.lock().values() {
            board.wake.notify_one();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<Board>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Joins the stream of the tenant after `position`, or with a snapshot. `None` while stopping.
pub(crate) async fn subscribe(
    tenant: Uuid,
    position: Option<LivePosition>,
    app: &App,
) -> Option<Subscription> {
    loop {
        let (board, mut ready) = board_of(tenant, app);
        select! {
            () = app.stop.cancelled() => return None,
            outcome = ready.wait_for(|ready| *ready) => if outcome.is_err() { continue },
        }
        // Under the hub's lock a board without listeners is not taken away.
        let boards = app.live.lock();
        if boards
            .get(&tenant)
            .is_some_and(|current| Arc::ptr_eq(current, &board))
        {
            return Some(board.lock().subscribe(position));
        }
    }
}

/// The tenant's board, made now if nobody looked until now.
fn board_of(tenant: Uuid, app: &App) -> (Arc<Board>, watch::Receiver<bool>) {
    let mut boards = app.live.lock();
    let board = boards.entry(tenant).or_insert_with(|| {
        let board = Arc::new(Board::new(tenant));
        tokio::spawn(run(Arc::clone(&board), app.clone()));
        board
    });
    (Arc::clone(board), board.ready.subscribe())
}

/// Keeps the board true until nobody has looked for a while.
async fn run(board: Arc<Board>, app: App) {
    let mut directory = Directory::default();
    let mut unwatched_since: Option<Instant> = None;
    loop {
        if board.stale.swap(false, Ordering::AcqRel) {
            match status::load(board.tenant, &app).await {
                Ok(loaded) => {
                    board.know(&loaded);
                    directory = loaded;
                    board.update(&directory, &app.presence);
                    board.ready.send_replace(true);
                }
                Err(error) => {
                    error!(%error, "statuses could not be loaded");
                    board.stale.store(true, Ordering::Release);
                    board.wake.notify_one();
                    sleep(RETRY).await;
                }
            }
        } else {
            board.update(&directory, &app.presence);
        }
        let unwatched = board.lock().sender.receiver_count() == 0;
        unwatched_since = unwatched.then(|| unwatched_since.unwrap_or_else(Instant::now));
        let check = unwatched_since.unwrap_or_else(Instant::now) + KEEP;
        select! {
            () = app.stop.cancelled() => return,
            () = board.wake.notified() => sleep(PAUSE).await,
            () = sleep_until(check) => {
                let mut boards = app.live.lock();
                if unwatched && board.lock().sender.receiver_count() == 0 {
                    boards.remove(&board.tenant);
                    return;
                }
            }
        }
    }
}

impl Board {
    fn new(tenant: Uuid) -> Self {
        Self {
            tenant,
            frames: Mutex::new(Frames::new()),
            aors: Mutex::default(),
            stale: AtomicBool::new(true),
            calls: AtomicBool::new(false),
            wake: Notify::new(),
            ready: watch::Sender::new(false),
        }
    }

    fn calls_changed(&self) {
        self.calls.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    fn update(&self, directory: &Directory, presence: &Presence) {
        let calls = self.calls.swap(false, Ordering::AcqRel);
        self.lock().update(directory, presence, calls);
    }

    fn know(&self, directory: &Directory) {
        let aors = directory.accounts.iter().map(|account| account.aor.clone());
        *self.aors.lock().unwrap_or_else(PoisonError::into_inner) = aors.collect();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Frames> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Frames {
    fn new() -> Self {
        Self {
            epoch: Uuid::new_v4(),
            seq: 0,
            devices: HashMap::new(),
            accounts: HashMap::new(),
            kept: VecDeque::new(),
            sender: broadcast::Sender::new(QUEUE),
        }
    }

    fn update(&mut self, directory: &Directory, presence: &Presence, calls: bool) {
        let (devices, accounts) = directory.statuses(presence);
        let changed_devices: Vec<_> = devices
            .iter()
            .filter(|device| self.devices.get(&device.id) != Some(device))
            .cloned()
            .collect();
        let changed_accounts: Vec<_> = accounts
            .iter()
            .filter(|account| self.accounts.get(&account.id) != Some(account))
            .cloned()
            .collect();
        self.devices = devices
            .into_iter()
            .map(|device| (device.id, device))
            .collect();
        self.accounts = accounts
            .into_iter()
            .map(|account| (account.id, account))
            .collect();
        if changed_devices.is_empty() && changed_accounts.is_empty() && !calls {
            return;
        }
        self.seq += 1;
        self.send(&LiveFrame::Delta {
            seq: self.seq,
            devices: changed_devices,
            accounts: changed_accounts,
            calls,
        });
    }

    fn send(&mut self, frame: &LiveFrame) {
        let Some(text) = text_of(frame) else { return };
        let frame = Numbered {
            seq: self.seq,
            text,
        };
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(frame.clone());
        // An error says that nobody listens.
        let _ = self.sender.send(frame);
    }

    fn subscribe(&self, position: Option<LivePosition>) -> Subscription {
        let first = position
            .and_then(|position| self.missed(position))
            .unwrap_or_else(|| self.snapshot().into_iter().collect());
        Subscription {
            first,
            frames: Following::new(self.sender.subscribe()),
        }
    }

    /// The frames after `position`, if all of them are still kept.
    fn missed(&self, position: LivePosition) -> Option<Vec<Arc<str>>> {
        let oldest = self.kept.front().map_or(self.seq + 1, |frame| frame.seq);
        let known =
            position.epoch == self.epoch && position.seq <= self.seq && position.seq + 1 >= oldest;
        known.then(|| {
            self.kept
                .iter()
                .filter(|frame| frame.seq > position.seq)
                .map(|frame| Arc::clone(&frame.text))
                .collect()
        })
    }

    fn snapshot(&self) -> Option<Arc<str>> {
        let mut devices: Vec<_> = self.devices.values().cloned().collect();
        let mut accounts: Vec<_> = self.accounts.values().cloned().collect();
        devices.sort_by_key(|device| device.id);
        accounts.sort_by_key(|account| account.id);
        text_of(&LiveFrame::Snapshot {
            epoch: self.epoch,
            seq: self.seq,
            devices,
            accounts,
        })
    }
}

fn text_of(frame: &LiveFrame) -> Option<Arc<str>> {
    match serde_json::to_string(frame) {
        Ok(text) => Some(text.into()),
        Err(error) => {
            warn!(%error, "a live frame could not be written");
            None
        }
    }
}

/// Between two frames of a tenant.
const PAUSE: Duration = Duration::from_millis(100);
/// After the database failed.
const RETRY: Duration = Duration::from_secs(1);
/// A board is kept so long after the last page has gone.
const KEEP: Duration = Duration::from_secs(60);
/// Frames to catch up with.
const KEPT: usize = 512;
/// Frames a page may lag behind.
const QUEUE: usize = 64;

#[cfg(test)]
mod tests {
    use api::{AccountStatus, DeviceStatus};

    use super::*;
    use crate::status::{KnownAccount, KnownDevice};

    fn directory() -> (Directory, Uuid) {
        let (device, account) = (Uuid::now_v7(), Uuid::now_v7());
        let directory = Directory {
            devices: vec![KnownDevice {
                id: device,
                activated: true,
                pending_update: false,
                instructions: None,
            }],
            accounts: vec![KnownAccount {
                id: account,
                aor: "sip:101@acme.tandem.localhost".to_owned(),
                devices: vec![device],
            }],
        };
        (directory, device)
    }

    fn read(text: &str) -> LiveFrame {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn only_what_changed_is_sent() {
        let (directory, device) = directory();
        let (mut frames, presence) = (Frames::new(), Presence::default());
        frames.update(&directory, &presence, false);
        let mut subscription = frames.subscribe(None);
        let LiveFrame::Snapshot {
            seq,
            devices,
            accounts,
            ..
        } = read(&subscription.first[0])
        else {
            panic!("a snapshot comes first");
        };
        assert_eq!((seq, devices.len(), accounts.len()), (1, 1, 1));
        assert_eq!(devices[0].status, DeviceStatus::Offline);
        assert_eq!(accounts[0].status, AccountStatus::Offline);

        frames.update(&directory, &presence, false);
        presence.channel_opened(device);
        frames.update(&directory, &presence, false);
        let LiveFrame::Delta {
            seq,
            devices,
            accounts,
            ..
        } = read(&subscription.frames.try_recv().unwrap().text)
        else {
            panic!("then differences");
        };
        assert_eq!((seq, devices.len(), accounts.len()), (2, 1, 0));
        assert_eq!(devices[0].status, DeviceStatus::Online);
        assert!(subscription.frames.try_recv().is_err());
    }

    #[test]
    fn a_page_that_comes_back_gets_what_it_missed() {
        let (directory, device) = directory();
        let (mut frames, presence) = (Frames::new(), Presence::default());
        frames.update(&directory, &presence, false);
        let at = |epoch, seq| Some(LivePosition { epoch, seq });
        let epoch = frames.epoch;
        for _ in 0..2 {
            presence.channel_opened(device);
            frames.update(&directory, &presence, false);
            presence.channel_closed(device);
            frames.update(&directory, &presence, false);
        }
        assert_eq!(frames.seq, 5);
        assert_eq!(frames.subscribe(at(epoch, 5)).first.len(), 0);
        let missed: Vec<_> = frames.subscribe(at(epoch, 2)).first;
        let seqs: Vec<_> = missed
            .iter()
            .map(|text| match read(text) {
                LiveFrame::Delta { seq, .. } => seq,
                LiveFrame::Snapshot { .. } => 0,
            })
            .collect();
        assert_eq!(seqs, [3, 4, 5]);
        for position in [at(epoch, 6), at(Uuid::new_v4(), 3)] {
            let first = frames.subscribe(position).first;
            assert!(matches!(
                read(&first[0]),
                LiveFrame::Snapshot { seq: 5, .. }
            ));
        }
    }

    #[test]
    fn what_is_no_longer_kept_is_replaced_by_a_snapshot() {
        let (directory, device) = directory();
        let (mut frames, presence) = (Frames::new(), Presence::default());
        frames.update(&directory, &presence, false);
        for _ in 0..KEPT {
            presence.channel_opened(device);
            frames.update(&directory, &presence, false);
            presence.channel_closed(device);
            frames.update(&directory, &presence, false);
        }
        assert_eq!(frames.kept.len(), KEPT);
        let position = Some(LivePosition {
            epoch: frames.epoch,
            seq: 1,
        });
        let first = frames.subscribe(position).first;
        assert!(matches!(read(&first[0]), LiveFrame::Snapshot { .. }));
    }
}
