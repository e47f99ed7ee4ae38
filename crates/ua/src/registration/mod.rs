//! Registrations: keeps addresses-of-record bound to us at their registrars (RFC 3261, section 10).
//!
//! ```text
//!  register        found           200
//!  ────► Resolving ────► Trying ─────────► Registered ──┐ refresh before the end:
//!          ▲   │ not found │ ▲ 401, 423:  ▲     │        │ Trying again, still told as
//!          │   │           │ └─ once more │     └────────┘ Registered
//!          │   └───┐       │ refused, no answer on every address
//!          │       ▼       ▼
//!          └────── Failed{why, retry_at}        unregister ──► REGISTER Expires: 0 ──► gone
//! ```
//!
//! One account keeps one Call-ID, a rising `CSeq` and the server's nonce. A wrong password is found
//! out by the second refusal and tried again only after half an hour; a server that is down, after
//! 2 s, 4 s, … up to half an hour. An account stays with the server address that accepted it.
//!
//! Not here: name look-ups (the owner carries out [`Registrations::poll_lookup`]), rewriting
//! Contact to the address that a NAT shows, keep-alives.

mod account;
mod failure;
mod schedule;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use sip::{
    CertificateProblem, ClientTransaction, Credentials, Deadlines, Destination, Endpoint,
    EndpointEvent, Flow, Host, NameAddr, ResolveError, Security, Target, Transport, Uri,
};

use account::{Account, Turn};
pub use failure::RegistrationFailure;
pub(crate) use schedule::refresh_after;

/// Names one account of one [`Registrations`]; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistrationKey(pub(crate) u64);

impl fmt::Display for RegistrationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What to register, and where.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The address-of-record, for To and From.
    pub aor: NameAddr,
    /// The registrar; becomes the Request-URI without its user part.
    pub registrar: Uri,
    /// Where to send to instead, if requests go through a proxy.
    pub outbound_proxy: Option<Uri>,
    /// The transport, where the URI does not name one.
    pub transport: Option<Transport>,
    /// User part of our Contact, in clear.
    pub contact_user: String,
    /// What identifies this device for good: a URN, `urn:uuid:…` (RFC 5626).
    pub instance: Option<String>,
    /// Which of the device's flows this is (RFC 5626).
    pub reg_id: Option<u32>,
    /// For the registrar's challenge.
    pub credentials: Option<Credentials>,
    /// How long a binding shall live; the server may decide otherwise.
    pub expires: Duration,
}

/// Bounds for all registrations of one owner.
#[derive(Clone, Debug)]
pub struct RegistrationsConfig {
    /// Accounts at the same time.
    pub max_registrations: usize,
}

impl Default for RegistrationsConfig {
    fn default() -> Self {
        Self {
            max_registrations: 10_000,
        }
    }
}

/// How an account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationState {
    /// Not registered, and not wanted.
    Unregistered,
    /// The first try, or one after a failure, is under way.
    Registering,
    /// The server accepted us; refreshes go on by themselves.
    Registered {
        /// What the server granted.
        expires: Duration,
        /// The server's address: calls of this account go there too.
        destination: Destination,
    },
    /// It did not work; the next try is planned.
    Failed {
        /// Why.
        failure: RegistrationFailure,
        /// When it is tried again.
        retry_at: Instant,
    },
}

/// The state of an account changed. After [`RegistrationState::Unregistered`] its key is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationEvent {
    /// Which account.
    pub registration: RegistrationKey,
    /// How it stands now.
    pub state: RegistrationState,
}

/// A name to look up (RFC 3263); the answer goes to [`Registrations::handle_resolved`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// For whom.
    pub registration: RegistrationKey,
    /// Name or address literal.
    pub host: Host,
    /// The port that the URI names.
    pub port: Option<u16>,
    /// The transport that the URI or the configuration demands.
    pub transport: Option<Transport>,
    /// What the scheme of the URI demands.
    pub security: Security,
}

/// Why a command had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// As many accounts as the configuration allows.
    #[error("too many registrations")]
    Full,
    /// No account of this key.
    #[error("no such registration")]
    Unknown,
}

/// The registrations of one owner.
#[derive(Debug)]
pub struct Registrations {
    config: RegistrationsConfig,
    accounts: BTreeMap<RegistrationKey, Account>,
    last_key: u64,
    clients: HashMap<ClientTransaction, RegistrationKey>,
    deadlines: Deadlines<RegistrationKey>,
    lookups: VecDeque<Lookup>,
    events: VecDeque<RegistrationEvent>,
}

impl Registrations {
    /// No accounts yet.
    #[must_use]
    pub fn new(config: RegistrationsConfig) -> Self {
        Self {
            config,
            accounts: BTreeMap::new(),
            last_key: 0,
            clients: HashMap::new(),
            deadlines: Deadlines::default(),
            lookups: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Accounts that are registered, want to be, or are on their way out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// No accounts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Nothing is remembered or planned. For leak tests.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.accounts.is_empty()
            && self.clients.is_empty()
            && self.deadlines.is_empty()
            && self.lookups.is_empty()
            && self.events.is_empty()
    }

    /// How an account stands; `None` if there is none of this key.
    #[must_use]
    pub fn state(&self, registration: RegistrationKey) -> Option<&RegistrationState> {
        self.accounts
            .get(&registration)
            .map(|account| &account.state)
    }

    /// Registers an account and keeps it registered.
    ///
    /// # Errors
    ///
    /// [`RegistrationError::Full`].
    pub fn register(
        &mut self,
        registration: Registration,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<RegistrationKey, RegistrationError> {
        if self.accounts.len() >= self.config.max_registrations {
            return Err(RegistrationError::Full);
        }
        self.last_key += 1;
        let key = RegistrationKey(self.last_key);
        let account = Account::start(key, registration, &mut self.turn(endpoint, now));
        self.accounts.insert(key, account);
        self.settle(key);
        Ok(key)
    }

    /// Tries at once instead of at the planned time: the network is back, the password changed at
    /// the server.
    ///
    /// # Errors
    ///
    /// [`RegistrationError::Unknown`].
    pub fn refresh(
        &mut self,
        registration: RegistrationKey,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), RegistrationError> {
        self.with(registration, endpoint, now, Account::refresh)
            .ok_or(RegistrationError::Unknown)
    }

    /// Ends a registration, at the server too if it knows of us.
    /// [`RegistrationState::Unregistered`] follows when that is done or has failed.
    ///
    /// # Errors
    ///
    /// [`RegistrationError::Unknown`].
    pub fn unregister(
        &mut self,
        registration: RegistrationKey,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), RegistrationError> {
        self.with(registration, endpoint, now, Account::unregister)
            .ok_or(RegistrationError::Unknown)
    }

    /// The answer to a [`Lookup`]: addresses in order of preference.
    pub fn handle_resolved(
        &mut self,
        registration: RegistrationKey,
        result: Result<Vec<Target>, ResolveError>,
        endpoint: &mut Endpoint,
        now: Instant,
    ) {
        self.with(registration, endpoint, now, |account, turn| {
            account.handle_resolved(result, turn);
        });
    }

    /// The server at `target` has not proved who it is; what was to be sent to it fails next.
    pub fn handle_untrusted(&mut self, target: Target, problem: CertificateProblem) {
        for account in self.accounts.values_mut() {
            account.handle_untrusted(target, problem);
        }
    }

    /// Something happened at the endpoint. Returns the event if it has to do with no account.
    pub fn handle_event(
        &mut self,
        event: EndpointEvent,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Option<EndpointEvent> {
        match event {
            EndpointEvent::Response {
                transaction,
                ref response,
                flow,
            } => {
                let Some(&key) = self.clients.get(&transaction) else {
                    return Some(event);
                };
                self.with(key, endpoint, now, |account, turn| {
                    account.handle_response(response, flow, turn);
                });
                None
            }
            EndpointEvent::Failed { transaction, error } => {
                let Some(&key) = self.clients.get(&transaction) else {
                    return Some(event);
                };
                self.with(key, endpoint, now, |account, turn| {
                    account.handle_failure(error, turn);
                });
                None
            }
            other => Some(other),
        }
    }

    /// A connection ended: the bindings that rest on it are as good as gone.
    pub fn handle_flow_closed(&mut self, flow: Flow, endpoint: &mut Endpoint, now: Instant) {
        let on_flow =
            |(key, account): (&RegistrationKey, &Account)| account.is_on(&flow).then_some(*key);
        let keys: Vec<_> = self.accounts.iter().filter_map(on_flow).collect();
        for key in keys {
            self.with(key, endpoint, now, Account::refresh);
        }
    }

    /// Runs what is due. Afterwards the next deadline is later than `now`.
    pub fn handle_timeout(&mut self, endpoint: &mut Endpoint, now: Instant) {
        while let Some(key) = self.deadlines.first_due(now) {
            self.with(key, endpoint, now, Account::handle_timeout);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The next name to look up.
    pub fn poll_lookup(&mut self) -> Option<Lookup> {
        self.lookups.pop_front()
    }

    /// The next thing that the owner should know.
    pub fn poll_event(&mut self) -> Option<RegistrationEvent> {
        self.events.pop_front()
    }

    fn turn<'a>(&'a mut self, endpoint: &'a mut Endpoint, now: Instant) -> Turn<'a> {
        Turn {
            endpoint,
            now,
            clients: &mut self.clients,
            lookups: &mut self.lookups,
            events: &mut self.events,
        }
    }

    fn with<R>(
        &mut self,
        key: RegistrationKey,
        endpoint: &mut Endpoint,
        now: Instant,
        step: impl FnOnce(&mut Account, &mut Turn<'_>) -> R,
    ) -> Option<R> {
        let account = self.accounts.get_mut(&key)?;
        let mut turn = Turn {
            endpoint,
            now,
            clients: &mut self.clients,
            lookups: &mut self.lookups,
            events: &mut self.events,
        };
        let result = step(account, &mut turn);
        self.settle(key);
        Some(result)
    }

    /// Brings the deadline table in line with the account, and drops it when it is over.
    fn settle(&mut self, key: RegistrationKey) {
        let Some(account) = self.accounts.get_mut(&key) else {
            return;
        };
        let deadline = account.deadline();
        self.deadlines.arm(key, &mut account.armed, deadline);
        if account.is_over() {
            self.accounts.remove(&key);
        }
    }
}
