//! The proxy as the portal sees it: registrations to show, bindings to end ([`api::ProxyControl`]).
//!
//! Questions go to every shard of the core and are answered in parts, so that a long list does not hold up the signalling.
//!
//! Not here: how one shard is asked (`core_handle.rs`).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::{
    CallLadder, ControlAnswer, ControlError, ProviderTestEvent, ProxyControl, Registration,
    RegistrationChange, RegistrationTrial,
};
use sip::Aor;
use sip_proxy_core::{Ban, Binding, BindingsOf, Command, Counts};
use time::OffsetDateTime;
use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

use crate::ahead::Changes;
use crate::core_handle::CoreHandle;
use crate::ladder::{Ladder, Noon, RecentCall};
use crate::probe::Prober;

/// Changes that a slow listener may be behind before it must ask anew.
const BACKLOG: usize = 1_024;

/// A handle on a running proxy.
#[derive(Debug)]
pub struct Control {
    cores: Vec<CoreHandle>,
    changes: broadcast::Sender<RegistrationChange>,
    /// Of accounts.
    account_changes: Changes,
    /// Of calls, by tenant.
    call_changes: broadcast::Sender<Uuid>,
    lost_calls: Arc<AtomicU64>,
    prober: Prober,
}

impl Control {
    pub(crate) fn new(cores: Vec<CoreHandle>, prober: Prober) -> Self {
        Self {
            cores,
            changes: broadcast::Sender::new(BACKLOG),
            account_changes: Changes::default(),
            call_changes: broadcast::Sender::new(BACKLOG),
            lost_calls: Arc::default(),
            prober,
        }
    }

    /// One of the shards, for who serves its events.
    pub(crate) fn core(&self, index: usize) -> Option<&CoreHandle> {
        self.cores.get(index)
    }

    /// For who reads accounts ahead.
    pub(crate) fn changes(&self) -> &Changes {
        &self.account_changes
    }

    /// For who writes calls: whom to tell, and what counts those that are lost.
    pub(crate) fn calls(&self) -> (broadcast::Sender<Uuid>, Arc<AtomicU64>) {
        (self.call_changes.clone(), Arc::clone(&self.lost_calls))
    }

    /// Call records that are lost since the start, because the database did not keep up or refused them.
    #[must_use]
    pub fn lost_calls(&self) -> u64 {
        self.lost_calls.load(Ordering::Relaxed)
    }

    /// How full the proxy's tables are, once everything asked before is done.
    ///
    /// # Errors
    ///
    /// [`ControlError::Unreachable`] if the proxy has stopped.
    pub async fn counts(&self) -> Result<Counts, ControlError> {
        let mut all = Counts::default();
        for core in &self.cores {
            all += core.counts().await?;
        }
        Ok(all)
    }

    /// Sources that are ignored because somebody there guesses passwords.
    ///
    /// # Errors
    ///
    /// [`ControlError::Unreachable`] if the proxy has stopped.
    pub async fn bans(&self) -> Result<Vec<Ban>, ControlError> {
        let mut all: Vec<Ban> = Vec::new();
        for core in &self.cores {
            all.append(&mut core.bans().await?);
        }
        // Of a source that several shards ignore the ban counts that lasts longest.
        all.sort_unstable_by_key(|ban| (ban.source, std::cmp::Reverse(ban.left)));
        all.dedup_by_key(|ban| ban.source);
        Ok(all)
    }

    /// Ends the ban of a source; nothing happens if it has none.
    ///
    /// # Errors
    ///
    /// [`ControlError::Unreachable`] if the proxy has stopped.
    pub async fn lift_ban(&self, source: IpAddr) -> Result<(), ControlError> {
        self.done(Command::Pardon(source)).await
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
        let noon = Noon::now();
        let mut all = Vec::new();
        for core in &self.cores {
            let calls = core.recent_calls(tenant, count).await?;
            all.extend(calls.into_iter().map(|call| noon.recent(call)));
        }
        // Stable: the calls of one shard are in order already.
        all.sort_by_key(|call| std::cmp::Reverse(call.began));
        all.truncate(count);
        Ok(all)
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
        for core in &self.cores {
            if let Some(trace) = core.trace(tenant, call_id).await? {
                // Secrets are left out here, where only who asked has to wait.
                return Ok(Some(Noon::now().ladder(*trace)));
            }
        }
        Ok(None)
    }

    /// Tells listeners what a core has announced.
    pub(crate) fn note(&self, BindingsOf { aor, bindings }: &BindingsOf) {
        // Nobody may be listening.
        let _ = self.changes.send(RegistrationChange {
            aor: aor.as_str().to_owned(),
            registrations: bindings.iter().map(registration).collect(),
        });
    }

    /// Waits until everything that has changed is stored.
    pub(crate) async fn flush(&self) -> Result<(), ControlError> {
        for core in &self.cores {
            core.flush().await?;
        }
        Ok(())
    }

    /// Has every shard do something: which of them it concerns is theirs to know.
    async fn done(&self, command: Command) -> Result<(), ControlError> {
        for core in &self.cores {
            core.done(command.clone()).await?;
        }
        Ok(())
    }
}

impl ProxyControl for Control {
    fn registrations(&self) -> ControlAnswer<'_, Vec<Registration>> {
        Box::pin(async {
            let mut all = Vec::new();
            for core in &self.cores {
                let mut from = Some(0);
                while let Some(place) = from {
                    let (bindings, next) = core.list(place).await?;
                    all.extend(bindings.iter().map(registration));
                    from = next;
                }
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
                Some(aor) => {
                    self.account_changes.note(&aor);
                    self.done(Command::AccountChanged(aor)).await
                }
                None => Ok(()),
            }
        })
    }

    fn subscribe_calls(&self) -> broadcast::Receiver<Uuid> {
        self.call_changes.subscribe()
    }

    fn try_registration(&self, trial: RegistrationTrial) -> mpsc::Receiver<ProviderTestEvent> {
        self.prober.begin(trial)
    }

    fn call_ladder<'a>(
        &'a self,
        tenant: Uuid,
        call_id: &'a str,
    ) -> ControlAnswer<'a, Option<CallLadder>> {
        Box::pin(async move {
            let found = self.ladder(tenant.as_u128(), call_id).await?;
            Ok(found.map(Ladder::into_wire))
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
