//! Bindings beyond a restart: written behind in batches, read back at the start.
//!
//! A batch is what has come together while the last one was being written, at most [`BATCH`] changes. What could not be written is
//! tried again; the registrar never waits for any of it.
//!
//! Not here: what a binding is (`sip_proxy_core`), its table (`store::binding`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sip::{Aor, Contact, Destination, Transport};
use sip_proxy_core::{Binding, BindingChange, Owner};
use store::Database;
use store::binding::{Binding as Row, BindingKey};
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use uuid::Uuid;

/// Changes in one transaction.
const BATCH: usize = 1_000;

/// After a failed write, how long until the next attempt.
const RETRY: Duration = Duration::from_secs(1);

/// Bindings that are read back; a table larger than this is cut, its longest-lived kept.
const MAX_RESTORED: u64 = 1_000_000;

/// Changes that are not on disk yet: of each binding only the last, so there are never more of them than bindings.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    changes: Mutex<HashMap<BindingKey, Option<Row>>>,
    grown: Notify,
}

impl Unwritten {
    /// Takes changes in; they are written soon.
    pub(crate) fn note(&self, changes: Vec<BindingChange>) {
        self.lock().extend(changes.into_iter().map(to_entry));
        self.grown.notify_one();
    }

    /// Up to [`BATCH`] changes to be written now.
    fn take(&self) -> Vec<(BindingKey, Option<Row>)> {
        let mut changes = self.lock();
        let keys: Vec<_> = changes.keys().take(BATCH).cloned().collect();
        keys.into_iter()
            .filter_map(|key| changes.remove_entry(&key))
            .collect()
    }

    /// Puts back what could not be written, unless it has changed again meanwhile.
    fn put_back(&self, batch: Vec<(BindingKey, Option<Row>)>) {
        let mut changes = self.lock();
        for (key, row) in batch {
            changes.entry(key).or_insert(row);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BindingKey, Option<Row>>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what is noted until `stop`.
pub(crate) async fn write_behind(unwritten: &Unwritten, db: &Database, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            () = unwritten.grown.notified() => {}
        }
        while !write_batch(unwritten, db).await && !stop.is_cancelled() {
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// Writes what is left at the end, trying again for as long as the caller has patience.
pub(crate) async fn write_rest(unwritten: &Unwritten, db: &Database) {
    while !write_batch(unwritten, db).await {
        tokio::time::sleep(RETRY).await;
    }
}

/// Writes batches until nothing is left; `false` if a write failed.
async fn write_batch(unwritten: &Unwritten, db: &Database) -> bool {
    loop {
        let batch = unwritten.take();
        if batch.is_empty() {
            return true;
        }
        let upserts: Vec<Row> = batch.iter().filter_map(|(_, row)| row.clone()).collect();
        let deletes: Vec<_> = batch
            .iter()
            .filter(|(_, row)| row.is_none())
            .map(|(key, _)| key.clone())
            .collect();
        if let Err(error) = store::binding::save(&upserts, &deletes, db).await {
            error!(%error, binding.count = batch.len(), "bindings could not be written and will be tried again");
            unwritten.put_back(batch);
            return false;
        }
    }
}

/// The bindings of the last run that have not expired.
pub(crate) async fn restore(db: &Database) -> Result<Vec<Binding>, store::StoreError> {
    let rows = store::binding::load_all(OffsetDateTime::now_utc(), MAX_RESTORED, db).await?;
    Ok(rows.into_iter().filter_map(from_row).collect())
}

fn to_entry(change: BindingChange) -> (BindingKey, Option<Row>) {
    match change {
        BindingChange::Upserted(binding) => {
            let row = to_row(&binding);
            (
                BindingKey {
                    aor: row.aor.clone(),
                    key: row.key.clone(),
                },
                Some(row),
            )
        }
        BindingChange::Removed { aor, key } => (
            BindingKey {
                aor: aor.as_str().to_owned(),
                key,
            },
            None,
        ),
    }
}

fn to_row(binding: &Binding) -> Row {
    let now = OffsetDateTime::now_utc();
    let (transport, local, peer) = match binding.reached_by {
        Destination::Flow(flow) => (flow.transport, flow.local, flow.peer),
        Destination::Address {
            transport, peer, ..
        } => (transport, peer, peer),
    };
    Row {
        aor: binding.aor.as_str().to_owned(),
        key: binding.key(),
        tenant_id: Uuid::from_u128(binding.owner.tenant),
        account_id: Uuid::from_u128(binding.owner.account),
        contact: binding.contact.to_string(),
        instance: binding.instance(),
        reg_id: binding.contact.reg_id().ok().flatten(),
        call_id: binding.call_id.clone(),
        cseq: binding.cseq,
        q_thousandths: binding.contact.q().ok().flatten().unwrap_or(1_000),
        path: Vec::new(),
        transport: transport.to_string(),
        local,
        peer,
        user_agent: binding.user_agent.clone(),
        registered_at: now,
        expires_at: now + binding.expires_at.saturating_duration_since(Instant::now()),
    }
}

/// A binding whose flow is gone is reached by the flow's address; a row that makes no sense is left behind.
fn from_row(row: Row) -> Option<Binding> {
    let left = Duration::try_from(row.expires_at - OffsetDateTime::now_utc()).ok()?;
    let parts = (
        Aor::parse(&row.aor),
        Contact::parse(&row.contact),
        row.transport.parse::<Transport>(),
    );
    let (Some(aor), Some(contact), Ok(transport)) = parts else {
        warn!(
            binding.key = row.key,
            "a stored binding is not understood and is left out"
        );
        return None;
    };
    Some(Binding {
        aor,
        owner: Owner {
            tenant: row.tenant_id.as_u128(),
            account: row.account_id.as_u128(),
        },
        contact,
        call_id: row.call_id,
        cseq: row.cseq,
        reached_by: Destination::Address {
            transport,
            peer: row.peer,
            domain: None,
        },
        expires_at: Instant::now() + left,
        user_agent: row.user_agent,
    })
}
