//! Subscriptions between a watcher (Alice) and a notifier (Bob).

mod failure;
mod loss;
mod notifier;
mod subscriber;

use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{Destination, Event, Transport, Uri};
use ua::{
    Audience, Body, NotifierEvent, Notifiers, NotifiersConfig, Package, Subscribe,
    SubscriptionEvent, SubscriptionKey, WatchEnd, WatcherKey,
};

use crate::world::{ALICE, Agent, BOB, World, credentials};

/// What a notifier's owner does, and what it has to tell.
pub(crate) struct Exhibit {
    pub(crate) doorman: Doorman,
    /// The state; told with the number of the NOTIFY.
    pub(crate) state: String,
    pub(crate) watchers: Vec<WatcherKey>,
    pub(crate) ends: Vec<WatchEnd>,
    /// What a subscriber has been told, last first known.
    pub(crate) told: Vec<String>,
}

/// What becomes of a request to watch.
#[derive(Clone, Copy)]
pub(crate) enum Doorman {
    Accepts,
    Pends,
    Rejects(u16),
    Sleeps,
}

impl Default for Exhibit {
    fn default() -> Self {
        Self {
            doorman: Doorman::Accepts,
            state: "zero".to_owned(),
            watchers: Vec::new(),
            ends: Vec::new(),
            told: Vec::new(),
        }
    }
}

impl Agent {
    /// Works off one event of either side; what it was, for the ladder.
    pub(crate) fn step_subscriptions(&mut self, now: Instant) -> Option<String> {
        if let Some(event) = self.subscriptions.poll_event() {
            return Some(match event {
                SubscriptionEvent::Stands { standing, .. } => format!("{standing:?}"),
                SubscriptionEvent::Notified { body, .. } => {
                    let text = String::from_utf8_lossy(&body).into_owned();
                    self.exhibit.told.push(text.clone());
                    format!("told {text}")
                }
                SubscriptionEvent::Ended { end, .. } => format!("Ended: {end}"),
            });
        }
        let event = self.notifiers.poll_event()?;
        Some(match event {
            NotifierEvent::Requested { watcher, .. } => self.receive_watcher(watcher, now),
            NotifierEvent::Due(due) => {
                let body = (due.audience == Audience::Accepted).then(|| Body {
                    content_type: "text/plain",
                    bytes: Bytes::from(format!("{} {}", due.version, self.exhibit.state)),
                });
                let told = self
                    .notifiers
                    .notify(due.watcher, body, &mut self.endpoint, now);
                format!(
                    "Due {}{}",
                    due.version,
                    if told.is_ok() { "" } else { " too late" }
                )
            }
            NotifierEvent::Ended { watcher, end } => {
                self.exhibit.watchers.retain(|own| *own != watcher);
                self.exhibit.ends.push(end);
                format!("watcher {end:?}")
            }
        })
    }

    fn receive_watcher(&mut self, watcher: WatcherKey, now: Instant) -> String {
        let contact = Uri::sip(Some("notifier"), self.address);
        let Self {
            notifiers,
            endpoint,
            exhibit,
            ..
        } = self;
        let (done, word) = match exhibit.doorman {
            Doorman::Accepts => (notifiers.accept(watcher, contact, endpoint, now), "accepts"),
            Doorman::Pends => (notifiers.pend(watcher, contact, endpoint, now), "pends"),
            Doorman::Rejects(status) => {
                (notifiers.reject(watcher, status, endpoint, now), "rejects")
            }
            Doorman::Sleeps => (Ok(()), "sleeps"),
        };
        done.unwrap();
        if !matches!(exhibit.doorman, Doorman::Rejects(_)) {
            exhibit.watchers.push(watcher);
        }
        word.to_owned()
    }
}

impl World {
    /// Alice and Bob; he serves the package `news`.
    fn with_news() -> Self {
        let mut world = Self::new(&["alice", "bob"]);
        world.serve_news(&|config| config);
        world
    }

    fn serve_news(&mut self, change: &dyn Fn(NotifiersConfig) -> NotifiersConfig) {
        let config = change(NotifiersConfig {
            packages: vec![Package {
                name: "news",
                content_type: "text/plain",
                default_expires: Duration::from_secs(300),
            }],
            ..NotifiersConfig::default()
        });
        self.agents[BOB].notifiers = Notifiers::new(config);
    }

    fn subscribe_to(&self, event: &str, expires_secs: u64) -> Subscribe {
        let (alice, bob) = (&self.agents[ALICE], &self.agents[BOB]);
        let uri = |agent: &Agent| Uri::sip(Some("user"), agent.address);
        Subscribe {
            resource: uri(bob),
            from: uri(alice).into(),
            to: uri(bob).into(),
            contact: uri(alice),
            route: Vec::new(),
            destination: Destination::Address {
                transport: Transport::Udp,
                peer: bob.address,
                domain: None,
            },
            event: Event::parse(event).unwrap(),
            accept: vec!["text/plain".to_owned()],
            expires: Duration::from_secs(expires_secs),
            credentials: Some(credentials("secret")),
            headers: Vec::new(),
        }
    }

    fn subscribe(&mut self, subscribe: Subscribe) -> SubscriptionKey {
        let Agent {
            subscriptions,
            endpoint,
            ..
        } = &mut self.agents[ALICE];
        let key = subscriptions
            .subscribe(subscribe, endpoint, self.now)
            .unwrap();
        self.drain();
        key
    }

    fn watch(&mut self, expires_secs: u64) -> SubscriptionKey {
        self.subscribe(self.subscribe_to("news", expires_secs))
    }

    fn unsubscribe(&mut self, key: SubscriptionKey) {
        let Agent {
            subscriptions,
            endpoint,
            ..
        } = &mut self.agents[ALICE];
        subscriptions.unsubscribe(key, endpoint, self.now).unwrap();
        self.drain();
    }

    /// Bob has news for all who watch.
    fn publish(&mut self, state: &str) {
        let now = self.now;
        let Agent {
            notifiers,
            endpoint,
            exhibit,
            ..
        } = &mut self.agents[BOB];
        state.clone_into(&mut exhibit.state);
        for watcher in &exhibit.watchers {
            notifiers.changed(*watcher, endpoint, now).unwrap();
        }
        self.drain();
    }
}
