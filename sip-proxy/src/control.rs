//! The proxy as the portal sees it: registrations to show, bindings to end ([`api::ProxyControl`]).
//!
//! Questions go to the core as commands and are answered in parts, so that a long list does not hold up the signalling.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use api::{ControlAnswer, ControlError, ProxyControl, Registration, RegistrationChange};
use sip::Aor;
use sip_proxy_core::{Ban, Binding, CallTrace, Command, Counts, TracedCall};
use time::OffsetDateTime;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::ladder::{Ladder, Noon, RecentCall};

/// Changes that a slow listener may be behind before it must ask anew.
const BACKLOG: usize = 1_024;

/// A handle on a running proxy.
#[derive(Debug)]
pub struct Control {
    commands: mpsc::Sender<Command>,
    /// Who waits for the next counts; the proxy answers in order, so counts also prove that earlier commands are done.
    counts: Mutex<Vec<oneshot::Sender<Counts>>>,
    /// Who waits for a part of the list.
    askers: Mutex<HashMap<u64, oneshot::Sender<Part>>>,
    /// Who waits for a list of calls.
    callers: Mutex<HashMap<u64, oneshot::Sender<Vec<TracedCall>>>>,
    /// Who waits for what was said in a call.
    readers: Mutex<HashMap<u64, oneshot::Sender<Option<Box<CallTrace>>>>>,
    next_asker: AtomicU64,
    /// Who waits for the bans.
    bans: Mutex<Vec<oneshot::Sender<Vec<Ban>>>>,
    /// Who waits until everything is stored.
    flushing: Mutex<Vec<oneshot::Sender<()>>>,
    changes: broadcast::Sender<RegistrationChange>,
}

/// A part of all bindings, and where to go on.
type Part = (Vec<Binding>, Option<u32>);

impl Control {
    pub(crate) fn new(commands: mpsc::Sender<Command>) -> Self {
        Self {
            commands,
            counts: Mutex::default(),
            askers: Mutex::default(),
            callers: Mutex::default(),
            readers: Mutex::default(),
            next_asker: AtomicU64::new(0),
            bans: Mutex::default(),
            flushing: Mutex::default(),
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

    /// Sources that are ignored because somebody there guesses passwords.
    ///
    /// # Errors
    ///
    /// [`ControlError::Unreachable`] if the proxy has stopped.
    pub async fn bans(&self) -> Result<Vec<Ban>, ControlError> {
        let (answer, bans) = oneshot::channel();
        lock(&self.bans).push(answer);
        self.command(Command::ListBans).await?;
        bans.await.map_err(|_| ControlError::Unreachable)
    }

    /// Ends the ban of a source; nothing happens if it has none.
    ///
    /// # Errors
    ///
    /// [`ControlError::Unreachable`] if the proxy has stopped.
    pub async fn lift_ban(&self, source: IpAddr) -> Result<(), ControlError> {
        self.done(Command::Pardon(source)).await
    }

    pub(crate) fn answer_bans(&self, bans: &[Ban]) {
        for waiting in lock(&self.bans).drain(..) {
            // Who asked may have gone.
            let _ = waiting.send(bans.to_vec());
        }
    }

    /// The last calls of a tenant of which messages are kept, the latest first, at most `count`. None if nothing is to be kept
    /// ([`ServiceConfig::trace`](crate::ServiceConfig::trace)).
    ///
    /// # Errors
    ///
    /// [`ControlError::Unreachable`] if the proxy has stopped.
    pub async fn recent_calls(
        &self,
        tenant: u128,
        count: usize,
    ) -> Result<Vec<RecentCall>, ControlError> {
        let (answer, calls) = oneshot::channel();
        let asker = self.next_asker.fetch_add(1, Ordering::Relaxed);
        lock(&self.callers).insert(asker, answer);
        self.command(Command::ListCalls {
            asker,
            tenant,
            count,
        })
        .await?;
        let calls = calls.await.map_err(|_| ControlError::Unreachable)?;
        let noon = noon();
        Ok(calls.into_iter().map(|call| noon.recent(call)).collect())
    }

    /// What was said so far in the last call of a tenant one of whose legs has this Call-ID, without secrets; `None` if nothing of
    /// it is kept.
    ///
    /// # Errors
    ///
    /// [`ControlError::Unreachable`] if the proxy has stopped.
    pub async fn ladder(
        &self,
        tenant: u128,
        call_id: &str,
    ) -> Result<Option<Ladder>, ControlError> {
        let (answer, found) = oneshot::channel();
        let asker = self.next_asker.fetch_add(1, Ordering::Relaxed);
        lock(&self.readers).insert(asker, answer);
        self.command(Command::FindCall {
            asker,
            tenant,
            call_id: call_id.to_owned(),
        })
        .await?;
        let found = found.await.map_err(|_| ControlError::Unreachable)?;
        // Secrets are left out here, where only who asked has to wait.
        Ok(found.map(|trace| noon().ladder(*trace)))
    }

    pub(crate) fn answer_calls(&self, asker: u64, calls: Vec<TracedCall>) {
        if let Some(waiting) = lock(&self.callers).remove(&asker) {
            // Who asked may have gone.
            let _ = waiting.send(calls);
        }
    }

    pub(crate) fn answer_trace(&self, asker: u64, trace: Option<Box<CallTrace>>) {
        if let Some(waiting) = lock(&self.readers).remove(&asker) {
            // Who asked may have gone.
            let _ = waiting.send(trace);
        }
    }

    pub(crate) fn answer_counts(&self, counts: Counts) {
        for waiting in lock(&self.counts).drain(..) {
            // Who asked may have gone.
            let _ = waiting.send(counts);
        }
    }

    pub(crate) fn answer_list(&self, asker: u64, bindings: Vec<Binding>, next: Option<u32>) {
        if let Some(waiting) = lock(&self.askers).remove(&asker) {
            // Who asked may have gone.
            let _ = waiting.send((bindings, next));
        }
    }

    pub(crate) fn answer_flush(&self) {
        for waiting in lock(&self.flushing).drain(..) {
            // Who asked may have gone.
            let _ = waiting.send(());
        }
    }

    /// Tells listeners what the core has announced.
    pub(crate) fn note(&self, aor: &Aor, bindings: &[Binding]) {
        // Nobody may be listening.
        let _ = self.changes.send(RegistrationChange {
            aor: aor.as_str().to_owned(),
            registrations: bindings.iter().map(registration).collect(),
        });
    }

    /// Waits until everything that has changed is stored.
    pub(crate) async fn flush(&self) -> Result<(), ControlError> {
        let (answer, flushed) = oneshot::channel();
        lock(&self.flushing).push(answer);
        self.command(Command::Flush).await?;
        flushed.await.map_err(|_| ControlError::Unreachable)
    }

    /// A part of all bindings, from a place on that the last part named.
    async fn list(&self, from: u32) -> Result<Part, ControlError> {
        let (answer, part) = oneshot::channel();
        let asker = self.next_asker.fetch_add(1, Ordering::Relaxed);
        lock(&self.askers).insert(asker, answer);
        self.command(Command::ListBindings { asker, from }).await?;
        part.await.map_err(|_| ControlError::Unreachable)
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
        Box::pin(async {
            let mut all = Vec::new();
            let mut from = Some(0);
            while let Some(place) = from {
                let (bindings, next) = self.list(place).await?;
                all.extend(bindings.iter().map(registration));
                from = next;
            }
            Ok(all)
        })
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
        instance: binding.instance.clone(),
        expires_at: OffsetDateTime::from_unix_timestamp(binding.expires_unix_secs.into())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH),
    }
}

fn noon() -> Noon {
    Noon {
        moment: tokio::time::Instant::now().into_std(),
        time: OffsetDateTime::now_utc(),
    }
}

/// A poisoned lock holds whole values all the same: every change under it is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
