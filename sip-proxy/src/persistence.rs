//! Bindings beyond a restart: groups of rows on their way to the store, and back at the start.
//!
//! Not here: what is in a row (`sip_proxy_core`), its table (`store::binding`), when a group is made and what waits for it
//! (`sip_proxy_core`).

use std::time::SystemTime;

use sip_proxy_core::{Row, StoreFailed};
use store::Database;
use store::binding::Registration;
use tracing::error;

/// Addresses-of-record that are read back; of a table larger than this the longest-lived are kept.
const MAX_RESTORED: u64 = 1_000_000;

/// Writes a group, all of it or nothing.
pub(crate) async fn write(rows: Vec<Row>, db: &Database) -> Result<(), StoreFailed> {
    let count = rows.len();
    let registrations = rows.into_iter().map(|row| Registration {
        aor: row.aor.as_str().to_owned(),
        bindings: row.bindings,
        expires_unix_secs: row.expires_unix_secs,
    });
    store::binding::save(registrations.collect(), db)
        .await
        .map_err(|error| {
            error!(%error, row.count = count, "bindings could not be written");
            StoreFailed
        })
}

/// The rows of the last run that have not expired.
pub(crate) async fn restore(db: &Database) -> Result<Vec<Vec<u8>>, store::StoreError> {
    let unix = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let now = u32::try_from(unix.as_secs()).unwrap_or(u32::MAX);
    store::binding::delete_expired(now, db).await?;
    store::binding::load_all(now, MAX_RESTORED, db).await
}
