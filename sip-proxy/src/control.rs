//! The proxy as the portal sees it: registrations to show, bindings to end ([`api::ProxyControl`]).
//!
//! The core's table is mirrored here from its own announcements, so that a question of the portal never reaches the signalling loop.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use api::{ControlAnswer, ControlError, ProxyControl, Registration, RegistrationChange};
use sip::Aor;
use sip_proxy_core::{Binding, BindingChange, Command, Counts};
use time::OffsetDateTime;
use tokio::sync::{broadcast, mpsc, oneshot};

/// Changes that a slow listener may be behind before it must ask anew.
const BACKLOG: usize = 1_024;

/// A handle on a running proxy.
#[derive(Debug)]
pub struct Control {
    commands: mpsc::Sender<Command>,
    /// Who waits for the next counts; the proxy answers in order, so counts also prove that earlier commands are done.
    counts: Mutex<Vec<oneshot::Sender<Counts>>>,
    /// Bindings by address-of-record and key.
    mirror: Mutex<HashMap<Aor, BTreeMap<String, Registration>>>,
    changes: broadcast::Sender<RegistrationChange>,
}

impl Control {
    pub(crate) fn new(commands: mpsc::Sender<Command>, restored: &[Binding]) -> Self {
        let mut mirror: HashMap<Aor, BTreeMap<String, Registration>> = HashMap::new();
        for binding in restored {
            mirror
                .entry(binding.aor.clone())
                .or_default()
                .insert(binding.key(), registration(binding));
        }
        Self {
            commands,
            counts: Mutex::default(),
            mirror: Mutex::new(mirror),
            changes: broadcast::Sender::new(BACKLOG),
        }
    }

    /// How full the proxy's tables are, once everything asked before is done.
    ///
    /// # Errors
    ///
    /// [`ControlError::Unreachable`] if the proxy has stopped.
    pub async fn counts(&self) -> Result<Counts, ControlError> {
        let (answer, counts) = oneshot::channel();
        lock(&self.counts).push(answer);
        self.command(Command::Count).await?;
        counts.await.map_err(|_| ControlError::Unreachable)
    }

    pub(crate) fn answer_counts(&self, counts: Counts) {
        for waiting in lock(&self.counts).drain(..) {
            // Who asked may have gone.
            let _ = waiting.send(counts);
        }
    }

    /// Takes over what the core has announced, and tells listeners unless it was a mere refresh.
    pub(crate) fn note(&self, changes: &[BindingChange]) {
        let mut mirror = lock(&self.mirror);
        for change in changes {
            let (aor, is_news) = match change {
                BindingChange::Upserted(binding) => {
                    let known = mirror.entry(binding.aor.clone()).or_default();
                    (
                        &binding.aor,
                        known.insert(binding.key(), registration(binding)).is_none(),
                    )
                }
                BindingChange::Removed { aor, key } => (
                    aor,
                    mirror
                        .get_mut(aor)
                        .is_some_and(|known| known.remove(key).is_some()),
                ),
            };
            let registrations: Vec<_> = mirror
                .get(aor)
                .into_iter()
                .flat_map(BTreeMap::values)
                .cloned()
                .collect();
            if registrations.is_empty() {
                mirror.remove(aor);
            }
            if is_news {
                // Nobody may be listening.
                let _ = self.changes.send(RegistrationChange {
                    aor: aor.as_str().to_owned(),
                    registrations,
                });
            }
        }
    }

    async fn command(&self, command: Command) -> Result<(), ControlError> {
        self.commands
            .send(command)
            .await
            .map_err(|_| ControlError::Unreachable)
    }

    async fn done(&self, command: Command) -> Result<(), ControlError> {
        self.command(command).await?;
        self.counts().await.map(|_| ())
    }
}

impl ProxyControl for Control {
    fn registrations(&self) -> ControlAnswer<'_, Vec<Registration>> {
        let all = lock(&self.mirror)
            .values()
            .flat_map(BTreeMap::values)
            .cloned()
            .collect();
        Box::pin(async { Ok(all) })
    }

    fn subscribe(&self) -> broadcast::Receiver<RegistrationChange> {
        self.changes.subscribe()
    }

    fn revoke_device<'a>(&'a self, instance: &'a str) -> ControlAnswer<'a, ()> {
        Box::pin(self.done(Command::RevokeInstance(instance.to_owned())))
    }

    fn drop_bindings<'a>(&'a self, aor: &'a str) -> ControlAnswer<'a, ()> {
        Box::pin(async move {
            match Aor::parse(aor) {
                Some(aor) => self.done(Command::DropBindings(aor)).await,
                None => Ok(()),
            }
        })
    }

    fn account_changed<'a>(&'a self, aor: &'a str) -> ControlAnswer<'a, ()> {
        Box::pin(async move {
            match Aor::parse(aor) {
                Some(aor) => self.done(Command::AccountChanged(aor)).await,
                None => Ok(()),
            }
        })
    }
}

fn registration(binding: &Binding) -> Registration {
    Registration {
        aor: binding.aor.as_str().to_owned(),
        instance: binding.instance(),
        expires_at: OffsetDateTime::now_utc()
            + binding.expires_at.saturating_duration_since(Instant::now()),
    }
}

/// A poisoned lock holds whole values all the same: every change under it is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
