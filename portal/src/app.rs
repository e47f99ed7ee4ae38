//! What every handler can reach.

use std::{ops::Deref, sync::Arc, time::Duration};

use api::{ControlError, LiveList, ProxyControl, RegistrationChange};
use store::{Database, Vault, directory, session::SessionLifetime};
use time::OffsetDateTime;
use tokio::{
    select,
    sync::{
        Semaphore,
        broadcast::{Receiver, error::RecvError},
    },
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};
use uuid::Uuid;

use crate::{
    config::PortalConfig,
    device_channel::DeviceChannels,
    device_token::{DeviceTokens, TokenKeyError},
    directory_news::DirectoryNews,
    limits::{Limiter, Mailed, Quota, Source},
    live::{LiveHub, Written},
    mail::Outbox,
    password::Passwords,
    presence::Presence,
    provider_trials::ProviderTrials,
    sign_on::KnownProviders,
    webhook::Webhooks,
};

/// Why the portal cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key for device tokens cannot be used.
    #[error(transparent)]
    TokenKey(#[from] TokenKeyError),
    /// Passwords cannot be hashed on this machine.
    #[error("passwords cannot be hashed")]
    Passwords,
    /// The texts of mails are not as they should be.
    #[error("the texts of mails cannot be read")]
    Mail,
}

/// The running portal. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of a running portal.
pub struct Parts {
    pub(crate) db: Database,
    pub(crate) vault: Vault,
    pub(crate) proxy: Arc<dyn ProxyControl>,
    pub(crate) config: PortalConfig,
    pub(crate) tokens: DeviceTokens,
    pub(crate) passwords: Passwords,
    pub(crate) presence: Presence,
    pub(crate) live: LiveHub,
    pub(crate) channels: Arc<DeviceChannels>,
    pub(crate) directory_news: DirectoryNews,
    pub(crate) provider_trials: ProviderTrials,
    pub(crate) known_providers: KnownProviders,
    pub(crate) limits: Limits,
    pub(crate) mail: Outbox,
    pub(crate) webhooks: Webhooks,
    /// Places for WebSockets.
    pub(crate) sockets: Arc<Semaphore>,
    /// Cancelled when the portal stops: every long-lived task and channel ends.
    pub(crate) stop: CancellationToken,
}

/// What may not be tried often.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Wrong proofs by source.
    pub(crate) sign_in: Limiter<Source>,
    /// Wrong proofs by source and account.
    pub(crate) account: Limiter<(Source, u64)>,
    /// Wrong proofs, from wherever, of those who have a session or gave the right password.
    pub(crate) person: Limiter<Uuid>,
    /// Refused activations by source.
    pub(crate) activation: Limiter<Source>,
    /// Refused activations altogether.
    pub(crate) all_activations: Limiter<()>,
    /// Wrong addresses of desk phones by source.
    pub(crate) desk_phones: Limiter<Source>,
    /// Refused token requests by source.
    pub(crate) device_token: Limiter<Source>,
    /// Mails with instructions by tenant.
    pub(crate) instructions: Limiter<Uuid>,
    /// Mails with instructions by device.
    pub(crate) device_instructions: Limiter<Uuid>,
    /// Test mails by tenant.
    pub(crate) test_mails: Limiter<Uuid>,
    /// Tests of webhooks, and events sent again by hand, by tenant.
    pub(crate) webhook_tests: Limiter<Uuid>,
    /// Files of contacts that are read, by tenant.
    pub(crate) uploads: Limiter<Uuid>,
    /// Unknown API keys by source.
    pub(crate) api_keys: Limiter<Source>,
    /// Invitations by tenant.
    pub(crate) invitations: Limiter<Uuid>,
    /// Refused links of mails by source.
    pub(crate) links: Limiter<Source>,
    /// Mails with a link, asked for without a session, by source.
    pub(crate) mailed_links: Limiter<Source>,
    /// Mails with a link by what they are about and the address that they go to.
    pub(crate) mailed_to: Limiter<(Mailed, u64)>,
    /// Sign-ups by source.
    pub(crate) sign_ups: Limiter<Source>,
    /// Sign-ups altogether.
    pub(crate) all_sign_ups: Limiter<()>,
    /// Sign-ons and looking for a provider by source.
    pub(crate) sign_on: Limiter<Source>,
    /// Reading the description of a tenant's provider, by tenant. Nobody waits for it: the last one serves.
    pub(crate) provider_descriptions: Limiter<Uuid>,
    /// Trials of a provider by tenant.
    pub(crate) sign_on_tests: Limiter<Uuid>,
}

impl App {
    /// Puts the portal together. Reads or makes the key for device tokens in the data folder.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the key cannot be used.
    pub fn new(
        db: Database,
        vault: Vault,
        proxy: Arc<dyn ProxyControl>,
        config: PortalConfig,
    ) -> Result<Self, StartError> {
        Ok(Self(Arc::new(Parts {
            tokens: DeviceTokens::open(&config.data_dir, &config.public_url)?,
            passwords: Passwords::new().map_err(|_| StartError::Passwords)?,
            mail: Outbox::new(&config).map_err(|_| StartError::Mail)?,
            webhooks: Webhooks::new(
                config.egress.clone(),
                config.authorities().to_vec(),
                config.webhooks,
            ),
            db,
            vault,
            proxy,
            config,
            presence: Presence::default(),
            live: LiveHub::default(),
            channels: Arc::default(),
            directory_news: DirectoryNews::default(),
            provider_trials: ProviderTrials::default(),
            known_providers: KnownProviders::default(),
            limits: Limits::new(),
            sockets: Arc::new(Semaphore::new(MAX_SOCKETS)),
            stop: CancellationToken::new(),
        })))
    }

    /// Follows the proxy's registrations until the portal stops.
    pub(crate) async fn follow_proxy(self) {
        select! {
            () = self.stop.cancelled() => {}
            () = self.follow() => {}
        }
    }

    /// Tells the pages and webhooks of a tenant that there are other calls, until the portal stops.
    pub(crate) async fn follow_calls(self) {
        let mut changes = self.proxy.subscribe_calls();
        loop {
            let changed = select! {
                () = self.stop.cancelled() => return,
                changed = changes.recv() => changed,
            };
            match changed {
                Ok(tenant) => self.live.written(tenant, Written::list(LiveList::Calls)),
                Err(RecvError::Lagged(_)) => self.live.all_calls_changed(),
                Err(RecvError::Closed) => return,
            }
            self.webhooks.wake();
        }
    }

    async fn follow(&self) {
        loop {
            // Subscribed before asked, so that nothing falls between.
            let changes = self.proxy.subscribe();
            match self.proxy.registrations().await {
                Ok(registrations) => {
                    self.presence.set_registrations(registrations);
                    self.live.everybody_moved();
                    self.apply(changes).await;
                }
                Err(ControlError::Unreachable) => {
                    warn!("the proxy does not tell its registrations");
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// Applies changes until some were missed.
    async fn apply(&self, mut changes: Receiver<RegistrationChange>) {
        loop {
            match changes.recv().await {
                Ok(change) => {
                    let aor = change.aor.clone();
                    let devices = self.presence.set_bindings(change);
                    self.live.bindings_moved(&aor, &devices);
                }
                Err(RecvError::Lagged(missed)) => {
                    debug!(missed, "registrations are read anew");
                    return;
                }
                Err(RecvError::Closed) => {
                    self.presence.set_registrations(Vec::new());
                    self.live.everybody_moved();
                    sleep(RETRY).await;
                    return;
                }
            }
        }
    }

    /// Removes what has expired, now and every hour, until the portal stops.
    pub(crate) async fn sweep(self) {
        loop {
            let now = OffsetDateTime::now_utc();
            for (what, swept) in [
                ("calls", store::call::delete_expired(now, &self.db).await),
                (
                    "sessions",
                    store::session::delete_expired(now, &self.db).await,
                ),
                (
                    "half sign-ins",
                    store::second_factor::delete_expired(now, &self.db).await,
                ),
                (
                    "activations",
                    store::activation::erase_expired(now, &self.db).await,
                ),
                ("mails", store::mail::sweep(now, &self.db).await),
                (
                    "idempotency keys",
                    store::idempotency::delete_expired(now, &self.db).await,
                ),
                (
                    "departures",
                    directory::forget(directory::MAX_TOMBSTONES, &self.db).await,
                ),
                ("links", store::link::delete_expired(now, &self.db).await),
                (
                    "sign-ups",
                    store::sign_up::delete_expired(now, &self.db).await,
                ),
                (
                    "sign-ons",
                    store::sign_on::delete_expired(now, &self.db).await,
                ),
                (
                    "invitations",
                    store::invitation::delete_expired(now, &self.db).await,
                ),
                ("imports", store::import::sweep(now, &self.db).await),
                ("deliveries", store::webhook::sweep(now, &self.db).await),
            ] {
                if let Err(error) = swept {
                    error!(%error, what, "expired rows were not removed");
                }
            }
            select! {
                () = self.stop.cancelled() => return,
                () = sleep(SWEEP) => {}
            }
        }
    }
}

impl Parts {
    pub(crate) fn activation_life(&self) -> time::Duration {
        whole(self.config.activation_life)
    }

    pub(crate) fn session_lifetime(&self) -> SessionLifetime {
        SessionLifetime {
            absolute: whole(self.config.session_life),
            idle: whole(self.config.session_idle),
        }
    }
}

/// The same time in the type of dates. More than fits is meant as "very long".
fn whole(duration: Duration) -> time::Duration {
    time::Duration::try_from(duration).unwrap_or(time::Duration::days(3650))
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Limits {
    fn new() -> Self {
        let limiter = |burst, secs| Quota {
            burst,
            interval: Duration::from_secs(secs),
        };
        Self {
            sign_in: Limiter::new(limiter(30, 5)),
            account: Limiter::new(limiter(10, 30)),
            person: Limiter::new(limiter(10, 60)),
            activation: Limiter::new(limiter(10, 30)),
            all_activations: Limiter::new(limiter(1000, 1)),
            desk_phones: Limiter::new(limiter(10, 30)),
            device_token: Limiter::new(limiter(60, 2)),
            instructions: Limiter::new(limiter(100, 10)),
            device_instructions: Limiter::new(limiter(5, 300)),
            test_mails: Limiter::new(limiter(5, 30)),
            webhook_tests: Limiter::new(limiter(30, 5)),
            // Whoever chooses another separator or column has the file read again.
            uploads: Limiter::new(limiter(60, 5)),
            api_keys: Limiter::new(limiter(20, 10)),
            invitations: Limiter::new(limiter(50, 60)),
            links: Limiter::new(limiter(20, 30)),
            mailed_links: Limiter::new(limiter(10, 60)),
            mailed_to: Limiter::new(limiter(3, 600)),
            sign_ups: Limiter::new(limiter(20, 60)),
            all_sign_ups: Limiter::new(limiter(200, 10)),
            // A company's people come at nine o'clock, from one address.
            sign_on: Limiter::new(limiter(600, 1)),
            provider_descriptions: Limiter::new(limiter(100, 1)),
            sign_on_tests: Limiter::new(limiter(20, 10)),
        }
    }
}

const MAX_SOCKETS: usize = 4096;
const RETRY: Duration = Duration::from_secs(1);
const SWEEP: Duration = Duration::from_secs(60 * 60);
