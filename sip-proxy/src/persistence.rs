//! Bindings beyond a restart: groups of rows on their way to the store, and back at the start.
//!
//! Not here: what is in a row (`sip_proxy_core`), its table (`store::binding`), when a group is made and what waits for it
//! (`sip_proxy_core`).

use std::time::SystemTime;

use sip_proxy_core::{Row, StoreFailed};
use store::binding::{self, Position, Registration};
use store::{Database, StoreError};
use tracing::{error, warn};

/// Addresses-of-record that are read back at most.
const MAX_RESTORED: usize = 1_000_000;

/// Writes a group, all of it or nothing.
pub(crate) async fn write(rows: Vec<Row>, db: &Database) -> Result<(), StoreFailed> {
    let count = rows.len();
    let registrations = rows.iter().map(|row| Registration {
        aor: row.aor.as_str(),
        bindings: row.bindings.as_deref(),
        expires_unix_secs: row.expires_unix_secs,
    });
    binding::save(registrations.collect(), db)
        .await
        .map_err(|error| {
            error!(%error, row.count = count, "bindings could not be written");
            StoreFailed
        })
}

/// Gives `take` the rows of the last run that have not expired, some at a time.
pub(crate) async fn restore(
    db: &Database,
    mut take: impl FnMut(Vec<Vec<u8>>),
) -> Result<(), StoreError> {
    let unix = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let now = u32::try_from(unix.as_secs()).unwrap_or(u32::MAX);
    binding::delete_expired(now, db).await?;
    let mut restored = 0;
    let mut from = Some(Position::START);
    while let Some(position) = from
        && restored < MAX_RESTORED
    {
        let (rows, next) = binding::load_some(position, now, db).await?;
        restored += rows.len();
        take(rows);
        from = next;
    }
    if from.is_some() {
        warn!(
            registrations.restored = restored,
            "there are more registrations than are taken over from the last run; the other phones must register again"
        );
    }
    Ok(())
}
