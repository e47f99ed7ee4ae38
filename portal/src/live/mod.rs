//! The live channel of the pages: per tenant the statuses of all devices and accounts, numbered.
//!
//! While somebody looks at a tenant, one task owns its board. Whatever happens is noted on the board and wakes the
//! task; it reads the rows that were written, works out the statuses that may have moved, and sends the difference, at
//! most fifty times a second, so a device that flaps a hundred times between two frames is sent once. What it costs
//! hangs on what happens, not on how many devices the tenant has. The last frames are kept: a page that comes back
//! within a minute gets what it missed, any other gets a snapshot; so does a page that reads too slowly.
//!
//! Not here: who is there ([`Presence`](crate::presence::Presence)), the socket ([`crate::handlers`]).

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use api::{LiveList, LivePosition};
use store::{
    StoreError,
    standing::{self, AccountStanding, DeviceStanding, MAX_NAMED, Which},
};
use tokio::{
    select,
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until},
};
use tracing::error;
use uuid::Uuid;

use crate::{app::App, presence::Presence};

mod directory;
mod frames;
mod written;

use directory::{Directory, Moved};
use frames::Frames;
pub(crate) use frames::{Numbered, Subscription};
pub(crate) use written::Written;

/// The boards of all tenants that somebody looks at.
#[derive(Debug, Default)]
pub(crate) struct LiveHub(Mutex<HashMap<Uuid, Arc<Board>>>);

/// One tenant's statuses.
#[derive(Debug)]
struct Board {
    tenant: Uuid,
    state: Mutex<State>,
    wake: Notify,
    ready: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    directory: Directory,
    frames: Frames,
    pending: Pending,
}

/// What happened since the last frame.
#[derive(Debug, Default)]
struct Pending {
    written: Written,
    moved: Moved,
    everybody: bool,
}

/// Rows that were read anew.
struct Fresh {
    asked: Option<(Vec<Uuid>, Vec<Uuid>)>,
    devices: Vec<DeviceStanding>,
    accounts: Vec<AccountStanding>,
}

impl LiveHub {
    /// Something of the tenant was written.
    pub(crate) fn written(&self, tenant: Uuid, written: Written) {
        self.on(tenant, |state| state.pending.written.add(written));
    }

    /// A device came or went, or told of its lines.
    pub(crate) fn device_moved(&self, tenant: Uuid, device: Uuid) {
        self.on(tenant, |state| {
            let State {
                directory, pending, ..
            } = state;
            directory.device_moved(device, &mut pending.moved);
        });
    }

    /// The bindings of this address-of-record changed, and with them these devices came or went.
    pub(crate) fn bindings_moved(&self, aor: &str, devices: &[Uuid]) {
        for board in self.lock().values() {
            let mut state = board.lock();
            let State {
                directory, pending, ..
            } = &mut *state;
            directory.aor_moved(aor, &mut pending.moved);
            for device in devices {
                directory.device_moved(*device, &mut pending.moved);
            }
            if !pending.moved.is_empty() {
                board.wake.notify_one();
            }
        }
    }

    /// Any bindings may have changed.
    pub(crate) fn everybody_moved(&self) {
        for board in self.lock().values() {
            board.lock().pending.everybody = true;
            board.wake.notify_one();
        }
    }

    /// Any tenant may have other calls.
    pub(crate) fn all_calls_changed(&self) {
        for board in self.lock().values() {
            let written = Written::list(LiveList::Calls);
            board.lock().pending.written.add(written);
            board.wake.notify_one();
        }
    }

    fn on(&self, tenant: Uuid, note: impl FnOnce(&mut State)) {
        if let Some(board) = self.lock().get(&tenant) {
            note(&mut board.lock());
            board.wake.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Board>>> {
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
            return Some(board.lock().frames.subscribe(position));
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
    let mut unwatched_since: Option<Instant> = None;
    loop {
        let begun = Instant::now();
        if let Err(error) = board.bring_up_to_date(&app).await {
            error!(%error, "statuses could not be loaded");
            board.lock().pending.written.add(Written::anything());
            board.wake.notify_one();
            sleep(RETRY).await;
        }
        let unwatched = !board.lock().frames.is_watched();
        unwatched_since = unwatched.then(|| unwatched_since.unwrap_or_else(Instant::now));
        let check = unwatched_since.unwrap_or_else(Instant::now) + KEEP;
        select! {
            () = app.stop.cancelled() => return,
            // What happens after a pause is sent at once; in a row of changes the next frame waits its turn.
            () = board.wake.notified() => sleep_until(begun + PAUSE).await,
            () = sleep_until(check) => {
                let mut boards = app.live.lock();
                if unwatched && !board.lock().frames.is_watched() {
                    boards.remove(&board.tenant);
                    return;
                }
            }
        }
    }
}

impl Board {
    fn new(tenant: Uuid) -> Self {
        // Everything is read, but nobody has seen lists of before.
        let written = Written {
            anything: true,
            ..Written::default()
        };
        let pending = Pending {
            written,
            ..Pending::default()
        };
        Self {
            tenant,
            state: Mutex::new(State {
                directory: Directory::default(),
                frames: Frames::new(),
                pending,
            }),
            wake: Notify::new(),
            ready: watch::Sender::new(false),
        }
    }

    /// Reads what was written, and sends what is different.
    async fn bring_up_to_date(&self, app: &App) -> Result<(), StoreError> {
        let written = mem::take(&mut self.lock().pending.written);
        let fresh = if written.has_rows() {
            Some(self.read(&written, app).await?)
        } else {
            None
        };
        self.lock().update(fresh, written.lists, &app.presence);
        self.ready.send_replace(true);
        Ok(())
    }

    async fn read(&self, written: &Written, app: &App) -> Result<Fresh, StoreError> {
        let devices: Vec<_> = written.devices.iter().copied().collect();
        let accounts: Vec<_> = written.accounts.iter().copied().collect();
        let many = devices.len().max(accounts.len()) > MAX_NAMED;
        if written.anything || many {
            return Ok(Fresh {
                asked: None,
                devices: standing::list_devices(self.tenant, Which::All, &app.db).await?,
                accounts: standing::list_accounts(self.tenant, Which::All, &app.db).await?,
            });
        }
        let (of_devices, of_accounts) = (Which::These(&devices), Which::These(&accounts));
        let found_devices = standing::list_devices(self.tenant, of_devices, &app.db).await?;
        let found_accounts = standing::list_accounts(self.tenant, of_accounts, &app.db).await?;
        Ok(Fresh {
            asked: Some((devices, accounts)),
            devices: found_devices,
            accounts: found_accounts,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn update(&mut self, fresh: Option<Fresh>, lists: HashSet<LiveList>, presence: &Presence) {
        let mut moved = mem::take(&mut self.pending.moved);
        let everybody = mem::take(&mut self.pending.everybody);
        match fresh {
            None => {}
            Some(Fresh {
                asked: Some((devices, accounts)),
                devices: found_devices,
                accounts: found_accounts,
            }) => {
                self.directory
                    .set_devices(&devices, found_devices, &mut moved);
                self.directory
                    .set_accounts(&accounts, found_accounts, &mut moved);
            }
            Some(Fresh {
                asked: None,
                devices,
                accounts,
            }) => {
                // What is no more must be forgotten too.
                moved.add(self.directory.everything());
                self.directory = Directory::new(devices, accounts);
                moved.add(self.directory.everything());
            }
        }
        if everybody {
            moved.add(self.directory.everything());
        }
        self.frames.update(
            &moved,
            &self.directory,
            presence,
            lists.into_iter().collect(),
        );
    }
}

/// Between two frames of a tenant.
const PAUSE: Duration = Duration::from_millis(20);
/// After the database failed.
const RETRY: Duration = Duration::from_secs(1);
/// A board is kept so long after the last page has gone.
const KEEP: Duration = Duration::from_secs(60);
