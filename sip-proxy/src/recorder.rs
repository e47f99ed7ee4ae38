//! Call records on their way to the store: a bounded queue, and one task that writes what has gathered in one transaction.
//!
//! ```text
//!   core ── groups of records ──► this queue ──► rows of each tenant (call_rows.rs) ──► store ──► whoever listens
//!                                   │ full: counted, logged
//! ```
//!
//! No call waits for it. While the store fails, what was told is kept and tried again; what the store refuses for good, such as a call of
//! a tenant that is gone, is dropped alone.
//!
//! Invariant: a row's key is made once, when a call is first told of, and used for everything told later.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sip_proxy_core::CallRecord;
use store::call::{self, Call};
use store::{Database, StoreError, tenant};
use tokio::sync::{broadcast, mpsc};
use tracing::{error, warn};
use uuid::Uuid;

use crate::call_rows::CallRows;
use crate::ladder::Noon;

/// Groups that wait for the store, of at most a thousand records each.
const QUEUE: usize = 64;

/// Groups that are written in one transaction.
const TOGETHER: usize = 4;

/// How long the store is left alone after it has failed.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the last records are tried when the server stops.
const LAST_ATTEMPTS: u32 = 3;

/// Records that belong together, and when they were told.
pub(crate) struct Group {
    pub(crate) shard: usize,
    pub(crate) noon: Noon,
    pub(crate) records: Vec<CallRecord>,
}

/// Where shards tell of calls.
#[derive(Clone)]
pub(crate) struct Recorder {
    groups: mpsc::Sender<Group>,
    lost: Arc<AtomicU64>,
}

impl Recorder {
    /// The queue, and its other end for [`serve`]. What is lost is counted in `lost`.
    pub(crate) fn new(lost: Arc<AtomicU64>) -> (Self, mpsc::Receiver<Group>) {
        let (groups, queue) = mpsc::channel(QUEUE);
        (Self { groups, lost }, queue)
    }

    /// Takes records in, after `dropped` that nobody took.
    pub(crate) fn take(&self, group: Group, dropped: u64) {
        let refused = self.groups.try_send(group).err();
        let refused = refused.map_or(0, |refused| refused.into_inner().records.len());
        let lost = dropped + u64::try_from(refused).unwrap_or(u64::MAX);
        if lost > 0 {
            self.lost.fetch_add(lost, Ordering::Relaxed);
            error!(
                records.lost = lost,
                "call records are lost because the database does not keep up"
            );
        }
    }
}

/// Writes until nobody can tell of a call any more and everything is written.
pub(crate) async fn serve(
    mut queue: mpsc::Receiver<Group>,
    changed: broadcast::Sender<Uuid>,
    lost: Arc<AtomicU64>,
    db: Database,
) {
    let mut rows = CallRows::new(rand::random());
    let mut groups = Vec::new();
    while queue.recv_many(&mut groups, TOGETHER).await > 0 {
        let told = loop {
            match rows.of(&groups, &db).await {
                Ok(told) => break told,
                Err(error) if queue.is_closed() => {
                    error!(%error, "the last call records cannot be written");
                    return;
                }
                Err(error) => warn!(%error, "call records wait for the database"),
            }
            tokio::time::sleep(PATIENCE).await;
        };
        groups.clear();
        let refused = write(&told, &queue, &db).await;
        if refused > 0 {
            lost.fetch_add(refused, Ordering::Relaxed);
            error!(records.lost = refused, "call records cannot be written");
        }
        let mut tenants: Vec<_> = told.iter().map(|(tenant, _)| *tenant).collect();
        tenants.sort_unstable();
        tenants.dedup();
        for tenant in tenants {
            // Nobody may be listening.
            let _ = changed.send(tenant);
        }
    }
}

/// Writes rows, again and again while the store is away; how many it does not take.
async fn write(rows: &[(Uuid, Call)], queue: &mpsc::Receiver<Group>, db: &Database) -> u64 {
    let mut open = vec![rows];
    let (mut refused, mut attempts) = (0, 0);
    while let Some(some) = open.pop() {
        let Err(error) = call::append(some, db).await else {
            continue;
        };
        if is_away(db).await {
            attempts += 1;
            if queue.is_closed() && attempts >= LAST_ATTEMPTS {
                let left = open.iter().map(|some| some.len()).sum::<usize>() + some.len();
                return refused + u64::try_from(left).unwrap_or(u64::MAX);
            }
            warn!(%error, "call records wait for the database");
            open.push(some);
            tokio::time::sleep(PATIENCE).await;
        } else if some.len() > 1 {
            // One of them is the reason: it is looked for in halves.
            let (first, second) = some.split_at(some.len() / 2);
            open.extend([second, first]);
        } else {
            warn!(%error, "the database refuses a call record");
            refused += 1;
        }
    }
    refused
}

async fn is_away(db: &Database) -> bool {
    let asked: Result<u64, StoreError> = tenant::count(db).await;
    asked.is_err()
}
