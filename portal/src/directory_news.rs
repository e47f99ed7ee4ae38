//! Telling devices that the company directory has changed.
//!
//! Every write to a tenant that went well has its directory looked at: what changes an entry need not say so, and the database knows
//! best. One task looks, shortly after the first write, so that an import of a thousand contacts is told once.

use std::{
    collections::HashSet,
    mem,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{select, sync::Notify, time::sleep};
use tracing::error;
use uuid::Uuid;

use crate::app::App;

/// The tenants whose directories are to be looked at.
#[derive(Debug, Default)]
pub(crate) struct DirectoryNews {
    written: Mutex<HashSet<Uuid>>,
    wake: Notify,
}

impl DirectoryNews {
    /// Something of the tenant was written.
    pub(crate) fn look_at(&self, tenant: Uuid) {
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(tenant);
        self.wake.notify_one();
    }

    fn take(&self) -> HashSet<Uuid> {
        mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// Tells devices of newer directories until the portal stops.
    pub(crate) async fn tell_directories(self) {
        loop {
            select! {
                () = self.stop.cancelled() => return,
                () = self.directory_news.wake.notified() => sleep(GATHERING).await,
            }
            for tenant in self.directory_news.take() {
                if !self.channels.has_some_of(tenant) {
                    continue;
                }
                match store::directory::position(tenant, &self.db).await {
                    Ok(position) => self.channels.announce_directory(tenant, position),
                    Err(error) => error!(%error, "devices were not told of a newer directory"),
                }
            }
        }
    }
}

/// How long writes are gathered before they are told.
const GATHERING: Duration = Duration::from_millis(200);
