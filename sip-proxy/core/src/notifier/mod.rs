//! The proxy tells how lines stand and what waits for an account: the event packages `dialog` (RFC 4235, busy lamps) and
//! `message-summary` (RFC 3842).
//!
//! ```text
//!   SUBSCRIBE ──► door.rs: who asks ──► rules.rs: may they ──► ua::Notifiers ──► Requested ──► accepted
//!   a leg's stage ──► lines.rs ──┐
//!   Command::SetMessages ────────┴──► whoever watches is due ──► the state as it is then
//! ```
//!
//! Who may watch: the lines of one tenant's domain its own accounts, a mailbox its owner. Every SUBSCRIBE is proven by digest, those
//! of living subscriptions included, so that a password that was changed ends what it began.
//!
//! Invariants: a watcher in `watches` is among those of its resource and in `by_account` exactly once; both are bounded by [`WatchPolicy`].
//!
//! Not here: the subscription itself (`ua::Notifiers`).

mod lines;
mod rules;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{Aor, Contacts, DialogId, Endpoint, EndpointEvent, Flow, Request, Uri};
use ua::{
    Body, Calls, DIALOG_INFO, Due, MESSAGE_SUMMARY, MessageSummary, NotifierEvent, Notifiers,
    NotifiersConfig, Package, Stage, StageChange, Termination, WatcherKey,
};

use crate::routing;
use lines::Lines;

/// Who may watch how much.
#[derive(Clone, Debug)]
pub struct WatchPolicy {
    /// Subscriptions in all; more are answered 503.
    pub max_subscriptions: usize,
    /// Subscriptions of one account, all its devices together; more are answered 403.
    pub max_per_account: usize,
    /// Mailboxes that are remembered; a further one is not told.
    pub max_mailboxes: usize,
    /// A shorter subscription is answered 423.
    pub min_expires: Duration,
    /// A longer one is shortened.
    pub max_expires: Duration,
}

impl Default for WatchPolicy {
    fn default() -> Self {
        Self {
            max_subscriptions: 20_000,
            max_per_account: 200,
            max_mailboxes: 100_000,
            min_expires: Duration::from_secs(60),
            max_expires: Duration::from_secs(3_600),
        }
    }
}

/// What can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// The calls of a line.
    Line,
    /// The messages that wait.
    Mailbox,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Line, Self::Mailbox];

    fn package(self) -> Package {
        let (name, content_type) = match self {
            Self::Line => ("dialog", DIALOG_INFO),
            Self::Mailbox => ("message-summary", MESSAGE_SUMMARY),
        };
        Package {
            name,
            content_type,
            default_expires: Duration::from_secs(3_600),
        }
    }

    fn of(package: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.package().name == package)
    }
}

/// One subscription that was let in.
#[derive(Clone, Debug)]
struct Watch {
    kind: Kind,
    /// What is watched.
    resource: Aor,
    /// Who watches.
    account: Aor,
    /// With which device, if it says so.
    instance: Option<String>,
}

/// All subscriptions to the proxy, and what they are about.
#[derive(Debug)]
pub(crate) struct Watching {
    notifiers: Notifiers,
    policy: WatchPolicy,
    watches: HashMap<WatcherKey, Watch>,
    of_lines: HashMap<Aor, Vec<WatcherKey>>,
    of_mailboxes: HashMap<Aor, Vec<WatcherKey>>,
    by_account: HashMap<Aor, Vec<WatcherKey>>,
    lines: Lines,
    mailboxes: HashMap<Aor, MessageSummary>,
    /// The SUBSCRIBE that is just being handed to `notifiers`.
    admitted: Option<Watch>,
}

/// What the notifier acts on in one step.
pub(crate) struct Desk<'a> {
    pub(crate) calls: &'a Calls,
    pub(crate) endpoint: &'a mut Endpoint,
    pub(crate) now: Instant,
}

impl Watching {
    pub(crate) fn new(policy: WatchPolicy) -> Self {
        Self {
            notifiers: Notifiers::new(NotifiersConfig {
                packages: Kind::ALL.map(Kind::package).to_vec(),
                min_expires: policy.min_expires,
                max_expires: policy.max_expires,
                max_subscriptions: policy.max_subscriptions,
                ..NotifiersConfig::default()
            }),
            policy,
            watches: HashMap::new(),
            of_lines: HashMap::new(),
            of_mailboxes: HashMap::new(),
            by_account: HashMap::new(),
            lines: Lines::default(),
            mailboxes: HashMap::new(),
            admitted: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.notifiers.len()
    }

    /// The packages, as `Allow-Events` lists them.
    pub(crate) fn allow_events(&self) -> String {
        self.notifiers.allow_events()
    }

    /// Whose subscription this dialog is.
    pub(crate) fn account_of(&self, dialog: DialogId<'_>) -> Option<&Aor> {
        let watch = self.watches.get(&self.notifiers.watcher(dialog)?)?;
        Some(&watch.account)
    }

    pub(crate) fn handle_event(
        &mut self,
        event: EndpointEvent,
        desk: &mut Desk<'_>,
    ) -> Option<EndpointEvent> {
        self.notifiers.handle_event(event, desk.endpoint, desk.now)
    }

    pub(crate) fn handle_timeout(&mut self, desk: &mut Desk<'_>) {
        self.notifiers.handle_timeout(desk.endpoint, desk.now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.notifiers.poll_timeout()
    }

    /// Works off one thing that the notifiers have to say; `false` if there is none.
    pub(crate) fn step(&mut self, desk: &mut Desk<'_>) -> bool {
        let Some(event) = self.notifiers.poll_event() else {
            return false;
        };
        match event {
            NotifierEvent::Requested {
                watcher,
                subscribe,
                flow,
                ..
            } => self.receive(watcher, &subscribe, flow, desk),
            NotifierEvent::Due(due) => self.tell(due, desk),
            NotifierEvent::Ended { watcher, .. } => self.forget(watcher),
        }
        true
    }

    /// A SUBSCRIBE that passed `rules.rs`.
    fn receive(
        &mut self,
        watcher: WatcherKey,
        subscribe: &Request,
        flow: Flow,
        desk: &mut Desk<'_>,
    ) {
        let contact = routing::contact(&flow.into(), desk.endpoint);
        let (Some(watch), Some(contact)) = (self.admitted.take(), contact) else {
            let _ = self.notifiers.reject(watcher, 403, desk.endpoint, desk.now);
            return;
        };
        let of_account = self.by_account.entry(watch.account.clone()).or_default();
        if of_account.len() >= self.policy.max_per_account {
            let _ = self.notifiers.reject(watcher, 403, desk.endpoint, desk.now);
            return;
        }
        of_account.push(watcher);
        self.watchers_of(watch.kind)
            .entry(watch.resource.clone())
            .or_default()
            .push(watcher);
        let watch = Watch {
            instance: instance(subscribe),
            ..watch
        };
        self.watches.insert(watcher, watch);
        self.accept(watcher, contact, desk);
    }

    fn accept(&mut self, watcher: WatcherKey, contact: Uri, desk: &mut Desk<'_>) {
        // It may have been cancelled at the same moment; its end is told then.
        let _ = self
            .notifiers
            .accept(watcher, contact, desk.endpoint, desk.now);
    }

    /// A watcher is to hear the state as it is now.
    fn tell(&mut self, due: Due, desk: &mut Desk<'_>) {
        let body = self.watches.get(&due.watcher).map(|watch| {
            let text = match watch.kind {
                Kind::Line => {
                    let info = self
                        .lines
                        .document(&watch.resource, due.version, desk.calls);
                    info.to_xml()
                }
                Kind::Mailbox => {
                    let known = self.mailboxes.get(&watch.resource);
                    known.map_or_else(no_messages, MessageSummary::to_string)
                }
            };
            Body {
                content_type: watch.kind.package().content_type,
                bytes: Bytes::from(text),
            }
        });
        let _ = self
            .notifiers
            .notify(due.watcher, body, desk.endpoint, desk.now);
    }

    fn forget(&mut self, watcher: WatcherKey) {
        let Some(watch) = self.watches.remove(&watcher) else {
            return;
        };
        strike(&mut self.by_account, &watch.account, watcher);
        strike(self.watchers_of(watch.kind), &watch.resource, watcher);
        if watch.kind == Kind::Line && !self.of_lines.contains_key(&watch.resource) {
            self.lines.forget_ended(&watch.resource);
        }
    }

    fn watchers_of(&mut self, kind: Kind) -> &mut HashMap<Aor, Vec<WatcherKey>> {
        match kind {
            Kind::Line => &mut self.of_lines,
            Kind::Mailbox => &mut self.of_mailboxes,
        }
    }

    /// A leg reached another stage.
    pub(crate) fn note_stage(&mut self, change: StageChange, desk: &mut Desk<'_>) {
        let Some(aor) = self.lines.note(change, desk.calls) else {
            return;
        };
        if let Some(watchers) = self.of_lines.get(&*aor) {
            announce(watchers, &mut self.notifiers, desk);
        } else if change.stage == Stage::Terminated {
            self.lines.forget_ended(&aor);
        }
    }

    /// What waits for an account has changed.
    pub(crate) fn set_messages(&mut self, aor: &Aor, summary: MessageSummary, desk: &mut Desk<'_>) {
        let known = self.mailboxes.contains_key(aor);
        if summary == MessageSummary::default() {
            self.mailboxes.remove(aor);
        } else if known || self.mailboxes.len() < self.policy.max_mailboxes {
            self.mailboxes.insert(aor.clone(), summary);
        }
        let watchers = self.of_mailboxes.get(aor);
        announce(
            watchers.map_or(&[], Vec::as_slice),
            &mut self.notifiers,
            desk,
        );
    }

    /// Ends what an account watches: it may ask again, if it still can prove who it is.
    pub(crate) fn end_account(&mut self, account: &Aor, desk: &mut Desk<'_>) {
        let watchers = self.by_account.get(account).cloned().unwrap_or_default();
        self.end(&watchers, desk);
    }

    /// Ends what a device watches.
    pub(crate) fn end_instance(&mut self, instance: &str, desk: &mut Desk<'_>) {
        let of_device = |watch: &Watch| watch.instance.as_deref() == Some(instance);
        let watchers: Vec<_> = self
            .watches
            .iter()
            .filter(|(_, watch)| of_device(watch))
            .map(|(watcher, _)| *watcher)
            .collect();
        self.end(&watchers, desk);
    }

    fn end(&mut self, watchers: &[WatcherKey], desk: &mut Desk<'_>) {
        for watcher in watchers {
            let _ = self.notifiers.terminate(
                *watcher,
                Termination::Deactivated,
                desk.endpoint,
                desk.now,
            );
        }
    }
}

/// The device that subscribes, if its Contact says which.
fn instance(subscribe: &Request) -> Option<String> {
    match subscribe.contacts().ok()? {
        Contacts::List(contacts) => contacts.first()?.instance(),
        Contacts::Star => None,
    }
}

fn no_messages() -> String {
    MessageSummary::default().to_string()
}

/// They are to hear the state as it is now.
fn announce(watchers: &[WatcherKey], notifiers: &mut Notifiers, desk: &mut Desk<'_>) {
    for watcher in watchers {
        let _ = notifiers.changed(*watcher, desk.endpoint, desk.now);
    }
}

/// Takes a watcher out of an index, which keeps no empty entries.
fn strike(index: &mut HashMap<Aor, Vec<WatcherKey>>, key: &Aor, watcher: WatcherKey) {
    if let Some(watchers) = index.get_mut(key) {
        watchers.retain(|own| *own != watcher);
        if watchers.is_empty() {
            index.remove(key);
        }
    }
}
