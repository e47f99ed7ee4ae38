//! The subscriber: asks for state and keeps the subscription alive (RFC 6665, section 4.1).
//!
//! ```text
//!  subscribe        2xx            first NOTIFY
//!  ────► asking ──────► promised ─────────────► told ──┐ refresh before the end
//!          │ ▲ 401, 423:     │                  │  ▲   │
//!          │ └─ once more    │ 64·T1 (timer N)  │  └───┘ a refresh that fails is tried again
//!          ▼                 ▼                  ▼        while the subscription lasts
//!        Ended{why} ◄──────────────── terminated, 481, expired
//! ```
//!
//! The dialog is the one that the first NOTIFY makes, which may arrive before the 2xx; a NOTIFY of
//! another dialog to the same SUBSCRIBE is answered 481, so a forked SUBSCRIBE makes one subscription.
//! `Expires: 0` asks for the state once.
//!
//! What ended stays ended: [`SubscriptionEnd::retry`] says when its owner may subscribe again,
//! perhaps with another destination.

mod end;
mod notify;
mod watch;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{
    ClientTransaction, Credentials, Deadlines, Destination, Endpoint, EndpointEvent, Event,
    MediaType, Method, NameAddr, Request, ServerTransaction, Uri,
};

pub use end::{Retry, SubscriptionEnd};
use watch::{Turn, Watch};

/// Names one subscription of one [`Subscriptions`]; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionKey(pub(crate) u64);

impl fmt::Display for SubscriptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What to be told of, and whom to ask.
#[derive(Clone, Debug)]
pub struct Subscribe {
    /// Whose state: the Request-URI.
    pub resource: Uri,
    /// Us, without tag.
    pub from: NameAddr,
    /// Whose state, for people.
    pub to: NameAddr,
    /// Where we are reached.
    pub contact: Uri,
    /// Proxies to pass, first hop first.
    pub route: Vec<NameAddr>,
    /// Where to send to.
    pub destination: Destination,
    /// Which event package.
    pub event: Event,
    /// Bodies that are understood, `type/subtype`; none means the package's own.
    pub accept: Vec<String>,
    /// How long the subscription shall last until it is refreshed; zero asks once.
    pub expires: Duration,
    /// For challenges.
    pub credentials: Option<Credentials>,
    /// Further header fields.
    pub headers: Vec<(String, String)>,
}

/// Bounds for all subscriptions of one owner.
#[derive(Clone, Debug)]
pub struct SubscriptionsConfig {
    /// Subscriptions at the same time.
    pub max_subscriptions: usize,
}

impl Default for SubscriptionsConfig {
    fn default() -> Self {
        Self {
            max_subscriptions: 1_000,
        }
    }
}

/// What the notifier says of a living subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not decided yet; bodies say nothing.
    Pending,
    /// It tells.
    Active,
}

/// Something happened to a subscription. After [`SubscriptionEvent::Ended`] nothing more comes
/// for its key.
#[derive(Clone, Debug, PartialEq)]
pub enum SubscriptionEvent {
    /// The notifier took the subscription in, or decided about it.
    Stands {
        /// The subscription.
        subscription: SubscriptionKey,
        /// How it stands now.
        standing: Standing,
    },
    /// The state, or news of it.
    Notified {
        /// The subscription.
        subscription: SubscriptionKey,
        /// One of [`Subscribe::accept`], if that is not empty.
        content_type: MediaType,
        /// As it came, not empty.
        body: Bytes,
    },
    /// It is over.
    Ended {
        /// The subscription.
        subscription: SubscriptionKey,
        /// Why.
        end: SubscriptionEnd,
    },
}

/// Why a command had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// As many subscriptions as the configuration allows.
    #[error("too many subscriptions")]
    Full,
    /// The request cannot be sent.
    #[error("no way to the destination")]
    NoRoute,
    /// No subscription of this key.
    #[error("no such subscription")]
    Unknown,
}

/// The subscriptions of one owner.
#[derive(Debug)]
pub struct Subscriptions {
    config: SubscriptionsConfig,
    watches: BTreeMap<SubscriptionKey, Watch>,
    last_key: u64,
    clients: HashMap<ClientTransaction, SubscriptionKey>,
    by_call_id: HashMap<String, SubscriptionKey>,
    deadlines: Deadlines<SubscriptionKey>,
    events: VecDeque<SubscriptionEvent>,
}

impl Subscriptions {
    /// No subscriptions yet.
    #[must_use]
    pub fn new(config: SubscriptionsConfig) -> Self {
        Self {
            config,
            watches: BTreeMap::new(),
            last_key: 0,
            clients: HashMap::new(),
            by_call_id: HashMap::new(),
            deadlines: Deadlines::default(),
            events: VecDeque::new(),
        }
    }

    /// Subscriptions that have not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.watches.len()
    }

    /// No subscriptions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }

    /// Nothing is remembered or planned. For leak tests.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.watches.is_empty()
            && self.clients.is_empty()
            && self.by_call_id.is_empty()
            && self.deadlines.is_empty()
            && self.events.is_empty()
    }

    /// Subscribes and keeps the subscription alive.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::Full`], [`SubscriptionError::NoRoute`].
    pub fn subscribe(
        &mut self,
        subscribe: Subscribe,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<SubscriptionKey, SubscriptionError> {
        if self.watches.len() >= self.config.max_subscriptions {
            return Err(SubscriptionError::Full);
        }
        self.last_key += 1;
        let key = SubscriptionKey(self.last_key);
        let mut turn = Turn {
            endpoint,
            now,
            clients: &mut self.clients,
            events: &mut self.events,
        };
        let watch = Watch::start(key, subscribe, &mut turn).ok_or(SubscriptionError::NoRoute)?;
        self.by_call_id.insert(watch.call_id().to_owned(), key);
        self.watches.insert(key, watch);
        self.settle(key);
        Ok(key)
    }

    /// Asks for the full state now, by a refresh.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::Unknown`].
    pub fn refresh(
        &mut self,
        subscription: SubscriptionKey,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), SubscriptionError> {
        self.with(subscription, endpoint, now, Watch::refresh)
            .ok_or(SubscriptionError::Unknown)
    }

    /// Ends a subscription. [`SubscriptionEvent::Ended`] follows once the notifier has heard of it
    /// or can no longer be waited for; no state is told meanwhile.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::Unknown`].
    pub fn unsubscribe(
        &mut self,
        subscription: SubscriptionKey,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), SubscriptionError> {
        self.with(subscription, endpoint, now, Watch::unsubscribe)
            .ok_or(SubscriptionError::Unknown)
    }

    /// Something happened at the endpoint. Returns the event if it has to do with no subscription.
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
                ..
            } => {
                let Some(&key) = self.clients.get(&transaction) else {
                    return Some(event);
                };
                self.with(key, endpoint, now, |watch, turn| {
                    watch.handle_response(transaction, response, turn);
                });
                None
            }
            EndpointEvent::Failed { transaction, error } => {
                let Some(&key) = self.clients.get(&transaction) else {
                    return Some(event);
                };
                self.with(key, endpoint, now, |watch, turn| {
                    watch.handle_failure(transaction, error, turn);
                });
                None
            }
            EndpointEvent::Request {
                transaction,
                request,
                flow,
            } if request.method == Method::NOTIFY => {
                match self.receive_notify(transaction, &request, endpoint, now) {
                    Some(()) => None,
                    None => Some(EndpointEvent::Request {
                        transaction,
                        request,
                        flow,
                    }),
                }
            }
            other => Some(other),
        }
    }

    fn receive_notify(
        &mut self,
        transaction: ServerTransaction,
        notify: &Request,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Option<()> {
        let &key = self.by_call_id.get(notify.call_id().ok()?)?;
        let to = notify.to().ok()?;
        self.watches.get(&key)?.has_tag(to.tag()?).then_some(())?;
        self.with(key, endpoint, now, |watch, turn| {
            watch.handle_notify(transaction, notify, turn);
        })
    }

    /// Runs what is due. Afterwards the next deadline is later than `now`.
    pub fn handle_timeout(&mut self, endpoint: &mut Endpoint, now: Instant) {
        while let Some(key) = self.deadlines.first_due(now) {
            self.with(key, endpoint, now, Watch::handle_timeout);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The next thing that the owner should know.
    pub fn poll_event(&mut self) -> Option<SubscriptionEvent> {
        self.events.pop_front()
    }

    fn with<R>(
        &mut self,
        key: SubscriptionKey,
        endpoint: &mut Endpoint,
        now: Instant,
        step: impl FnOnce(&mut Watch, &mut Turn<'_>) -> R,
    ) -> Option<R> {
        let watch = self.watches.get_mut(&key)?;
        let mut turn = Turn {
            endpoint,
            now,
            clients: &mut self.clients,
            events: &mut self.events,
        };
        let result = step(watch, &mut turn);
        self.settle(key);
        Some(result)
    }

    /// Brings the deadline table in line with the subscription, and drops it when it is over.
    fn settle(&mut self, key: SubscriptionKey) {
        let Some(watch) = self.watches.get_mut(&key) else {
            return;
        };
        let deadline = watch.deadline();
        self.deadlines.arm(key, &mut watch.armed, deadline);
        if watch.is_over() {
            self.by_call_id.remove(watch.call_id());
            self.watches.remove(&key);
        }
    }
}
