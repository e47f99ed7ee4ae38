//! All subscriptions to us, and the way from requests and responses to them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use sip::{
    ClientTransaction, Deadlines, DialogId, Endpoint, EndpointEvent, Flow, Method, Request,
    Response, ServerTransaction, Uri,
};
use tracing::debug;

use super::watcher::{Asked, Turn, Watcher};
use super::{
    Body, NotifierEvent, NotifiersConfig, Package, Termination, WatchEnd, WatcherError, WatcherKey,
};

/// What a 503 asks for.
const RETRY_AFTER_SECS: u32 = 30;
/// From this length on an interval is never too brief (RFC 6665, section 4.2.1.1).
const LONG_ENOUGH: Duration = Duration::from_secs(3_600);

/// The subscriptions to one notifier.
#[derive(Debug)]
pub struct Notifiers {
    config: NotifiersConfig,
    watchers: BTreeMap<WatcherKey, Watcher>,
    last_key: u64,
    clients: HashMap<ClientTransaction, WatcherKey>,
    servers: HashMap<ServerTransaction, WatcherKey>,
    /// By our tag.
    tags: HashMap<Box<str>, WatcherKey>,
    deadlines: Deadlines<WatcherKey>,
    events: VecDeque<NotifierEvent>,
}

impl Notifiers {
    /// No watchers yet.
    #[must_use]
    pub fn new(config: NotifiersConfig) -> Self {
        Self {
            config,
            watchers: BTreeMap::new(),
            last_key: 0,
            clients: HashMap::new(),
            servers: HashMap::new(),
            tags: HashMap::new(),
            deadlines: Deadlines::default(),
            events: VecDeque::new(),
        }
    }

    /// Watchers, those that only wait for their last NOTIFY's answer included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.watchers.len()
    }

    /// No watchers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }

    /// Nothing is remembered or planned. For leak tests.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.watchers.is_empty()
            && self.clients.is_empty()
            && self.servers.is_empty()
            && self.tags.is_empty()
            && self.deadlines.is_empty()
            && self.events.is_empty()
    }

    /// The packages that are served, as `Allow-Events` lists them.
    #[must_use]
    pub fn allow_events(&self) -> String {
        let names: Vec<_> = self.config.packages.iter().map(|own| own.name).collect();
        names.join(", ")
    }

    /// Whose subscription a dialog is.
    #[must_use]
    pub fn watcher(&self, dialog: DialogId<'_>) -> Option<WatcherKey> {
        let key = *self.tags.get(dialog.local_tag)?;
        let watcher = self.watchers.get(&key)?;
        (watcher.dialog_id() == dialog).then_some(key)
    }

    /// Lets a watcher in: 200, and its first NOTIFY is due. `contact` is where its further requests
    /// go.
    ///
    /// # Errors
    ///
    /// [`WatcherError`].
    pub fn accept(
        &mut self,
        watcher: WatcherKey,
        contact: Uri,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), WatcherError> {
        self.with(watcher, endpoint, now, |own, turn| {
            own.accept(contact, turn)
        })
        .unwrap_or(Err(WatcherError::Unknown))
    }

    /// Takes a watcher in without deciding yet: 200, and a NOTIFY that says so.
    /// [`activate`](Self::activate) or [`terminate`](Self::terminate) follows.
    ///
    /// # Errors
    ///
    /// [`WatcherError`].
    pub fn pend(
        &mut self,
        watcher: WatcherKey,
        contact: Uri,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), WatcherError> {
        self.with(watcher, endpoint, now, |own, turn| own.pend(contact, turn))
            .unwrap_or(Err(WatcherError::Unknown))
    }

    /// Lets a pending watcher in.
    ///
    /// # Errors
    ///
    /// [`WatcherError`].
    pub fn activate(
        &mut self,
        watcher: WatcherKey,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), WatcherError> {
        self.with(watcher, endpoint, now, Watcher::activate)
            .unwrap_or(Err(WatcherError::Unknown))
    }

    /// Turns a watcher away.
    ///
    /// # Errors
    ///
    /// [`WatcherError`].
    pub fn reject(
        &mut self,
        watcher: WatcherKey,
        status: u16,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), WatcherError> {
        self.with(watcher, endpoint, now, |own, turn| own.reject(status, turn))
            .unwrap_or(Err(WatcherError::Unknown))
    }

    /// What the watcher watches is no longer what it was told.
    ///
    /// # Errors
    ///
    /// [`WatcherError::Unknown`].
    pub fn changed(
        &mut self,
        watcher: WatcherKey,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), WatcherError> {
        self.with(watcher, endpoint, now, Watcher::changed)
            .ok_or(WatcherError::Unknown)
    }

    /// Tells a watcher that is due; `None` is a NOTIFY without body.
    ///
    /// # Errors
    ///
    /// [`WatcherError`].
    pub fn notify(
        &mut self,
        watcher: WatcherKey,
        body: Option<Body>,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), WatcherError> {
        self.with(watcher, endpoint, now, |own, turn| own.notify(body, turn))
            .unwrap_or(Err(WatcherError::Unknown))
    }

    /// Ends a subscription. [`NotifierEvent::Ended`] comes at once.
    ///
    /// # Errors
    ///
    /// [`WatcherError::Unknown`].
    pub fn terminate(
        &mut self,
        watcher: WatcherKey,
        why: Termination,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), WatcherError> {
        self.with(watcher, endpoint, now, |own, turn| own.terminate(why, turn))
            .ok_or(WatcherError::Unknown)
    }

    /// Something happened at the endpoint. Returns the event if it has to do with no watcher. Every
    /// SUBSCRIBE outside of a dialog has, unless no package is served.
    pub fn handle_event(
        &mut self,
        event: EndpointEvent,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Option<EndpointEvent> {
        match event {
            EndpointEvent::Request {
                transaction,
                request,
                flow,
            } if request.method == Method::SUBSCRIBE && !self.config.packages.is_empty() => {
                let Some(dialog) = DialogId::of_request(&request) else {
                    self.receive(transaction, request, flow, endpoint, now);
                    return None;
                };
                let Some(key) = self.watcher(dialog) else {
                    return Some(EndpointEvent::Request {
                        transaction,
                        request,
                        flow,
                    });
                };
                let asked = self.admit(&request);
                self.with(key, endpoint, now, |watcher, turn| {
                    watcher.handle_refresh(transaction, &request, flow, asked, turn);
                });
            }
            EndpointEvent::Response {
                transaction,
                ref response,
                ..
            } => {
                let Some(&key) = self.clients.get(&transaction) else {
                    return Some(event);
                };
                if response.status.is_final() {
                    let status = response.status.code();
                    self.with(key, endpoint, now, |watcher, turn| {
                        watcher.handle_response(transaction, status, turn);
                    });
                }
            }
            EndpointEvent::Failed { transaction, .. } => {
                let Some(&key) = self.clients.get(&transaction) else {
                    return Some(event);
                };
                self.with(key, endpoint, now, |watcher, turn| {
                    watcher.handle_failure(transaction, turn);
                });
            }
            EndpointEvent::Unanswered { transaction } => {
                let Some(&key) = self.servers.get(&transaction) else {
                    return Some(event);
                };
                self.with(key, endpoint, now, Watcher::handle_unanswered);
            }
            other => return Some(other),
        }
        None
    }

    /// A SUBSCRIBE outside of any dialog.
    fn receive(
        &mut self,
        transaction: ServerTransaction,
        subscribe: Box<Request>,
        flow: Flow,
        endpoint: &mut Endpoint,
        now: Instant,
    ) {
        let tag = endpoint.ids().tag();
        let opened = self.admit(&subscribe).and_then(|asked| {
            if self.watchers.len() >= self.config.max_subscriptions {
                let wait = RETRY_AFTER_SECS.to_string();
                return Err(Refusal::With(503, "Retry-After", wait));
            }
            Watcher::open(&subscribe, transaction, flow, &tag, asked)
                .map(|watcher| (watcher, asked.package.name))
                .map_err(Refusal::Status)
        });
        match opened {
            Ok((watcher, package)) => {
                self.last_key += 1;
                let key = WatcherKey(self.last_key);
                self.servers.insert(transaction, key);
                self.tags.insert(watcher.dialog_id().local_tag.into(), key);
                self.watchers.insert(key, watcher.named(key));
                self.events.push_back(NotifierEvent::Requested {
                    watcher: key,
                    package,
                    subscribe,
                    flow,
                });
            }
            Err(refusal) => {
                let response = refusal.response(&subscribe, Some(&tag));
                if let Err(error) = endpoint.respond(transaction, response, now) {
                    debug!(%error, "response not sent");
                }
            }
        }
    }

    /// Whether a SUBSCRIBE asks for what is served (RFC 6665, section 4.2.1.1).
    fn admit(&self, subscribe: &Request) -> Result<Asked, Refusal> {
        let event = subscribe.event().map_err(|_| Refusal::Status(400))?;
        let package = event
            .as_ref()
            .and_then(|event| self.package(&event.package))
            .ok_or_else(|| Refusal::With(489, "Allow-Events", self.allow_events()))?;
        let required = subscribe.require().map_err(|_| Refusal::Status(400))?;
        if !required.is_empty() {
            return Err(Refusal::With(420, "Unsupported", required.join(", ")));
        }
        let accept = subscribe.accept().map_err(|_| Refusal::Status(400))?;
        let (kind, subtype) = package.content_type.split_once('/').unwrap_or_default();
        let fits = accept.is_none_or(|accepted| {
            accepted
                .iter()
                .any(|own| own.is(kind, subtype) || own.is(kind, "*") || own.is("*", "*"))
        });
        if !fits {
            return Err(Refusal::With(
                406,
                "Accept",
                package.content_type.to_owned(),
            ));
        }
        let asked = subscribe.expires().map_err(|_| Refusal::Status(400))?;
        let expires = asked.map_or(package.default_expires, |secs| {
            Duration::from_secs(secs.into())
        });
        let brief =
            !expires.is_zero() && expires < self.config.min_expires && expires < LONG_ENOUGH;
        if brief {
            let least = self.config.min_expires.as_secs().to_string();
            return Err(Refusal::With(423, "Min-Expires", least));
        }
        Ok(Asked {
            package,
            expires: expires.min(self.config.max_expires),
        })
    }

    fn package(&self, name: &str) -> Option<Package> {
        self.config
            .packages
            .iter()
            .find(|own| own.name == name)
            .copied()
    }

    /// Runs what is due. Afterwards the next deadline is later than `now`.
    pub fn handle_timeout(&mut self, endpoint: &mut Endpoint, now: Instant) {
        while let Some(key) = self.deadlines.first_due(now) {
            self.with(key, endpoint, now, Watcher::handle_timeout);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The next thing that the owner should know.
    pub fn poll_event(&mut self) -> Option<NotifierEvent> {
        self.events.pop_front()
    }

    fn with<R>(
        &mut self,
        key: WatcherKey,
        endpoint: &mut Endpoint,
        now: Instant,
        step: impl FnOnce(&mut Watcher, &mut Turn<'_>) -> R,
    ) -> Option<R> {
        let watcher = self.watchers.get_mut(&key)?;
        let mut turn = Turn {
            endpoint,
            now,
            clients: &mut self.clients,
            servers: &mut self.servers,
            events: &mut self.events,
            min_interval: self.config.min_interval,
        };
        let result = step(watcher, &mut turn);
        watcher.tell_if_due(&mut turn);
        self.settle(key);
        Some(result)
    }

    /// Brings the deadline table in line with the watcher, and drops it when it is over.
    fn settle(&mut self, key: WatcherKey) {
        let Some(watcher) = self.watchers.get_mut(&key) else {
            return;
        };
        let deadline = watcher.deadline();
        self.deadlines.arm(key, &mut watcher.armed, deadline);
        if watcher.is_over() {
            self.tags.remove(watcher.dialog_id().local_tag);
            self.watchers.remove(&key);
        }
    }
}

/// Why a SUBSCRIBE is not taken in.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// No more than this.
    Status(u16),
    /// With what would have been right.
    With(u16, &'static str, String),
}

impl Refusal {
    pub(super) fn response(self, request: &Request, tag: Option<&str>) -> Response {
        match self {
            Self::Status(status) => request.response(status, tag),
            Self::With(status, name, value) => {
                let mut response = request.response(status, tag);
                response.push_header(name, value);
                response
            }
        }
    }
}

/// What ended watchers are told with; for `watcher.rs`.
pub(super) fn ended(watcher: WatcherKey, end: WatchEnd) -> NotifierEvent {
    NotifierEvent::Ended { watcher, end }
}
