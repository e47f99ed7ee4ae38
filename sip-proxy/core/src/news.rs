//! Whose bindings have begun or ended: gathered a moment, then told together.
//!
//! Who shows registrations to people is another thread, and waking it costs more than the change itself. So a change waits
//! [`GATHER`] for others. What is told is what an address-of-record has then, so that the last word is always right; whoever asks
//! something of the proxy hears the news before the answer.
//!
//! Bounded: each address-of-record waits once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sip::{Aor, Output};

use crate::effect::{BindingsOf, Event};
use crate::proxy::Proxy;

/// How long a change may wait: nobody sees the difference.
const GATHER: Duration = Duration::from_millis(50);

/// Addresses-of-record in one event.
const PART: usize = 256;

/// What is not told yet.
#[derive(Debug, Default)]
pub(crate) struct News {
    aors: BTreeSet<Aor>,
    due: Option<Instant>,
}

impl News {
    /// The bindings of `aor` have changed.
    pub(crate) fn note(&mut self, aor: &Aor) {
        self.aors.insert(aor.clone());
    }

    /// When they are told.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Starts the wait, if there is something to tell and it has not begun.
    pub(crate) fn wait(&mut self, now: Instant) {
        if self.due.is_none() && !self.aors.is_empty() {
            self.due = Some(now + GATHER);
        }
    }
}

impl Proxy {
    /// Tells what has waited long enough.
    pub(crate) fn tell_ripe_news(&mut self, now: Instant) {
        if self.news.due.is_some_and(|due| due <= now) {
            self.tell_news();
        }
    }

    /// Tells everything that has changed.
    pub(crate) fn tell_news(&mut self) {
        let News { aors, .. } = std::mem::take(&mut self.news);
        let mut aors = aors.into_iter().peekable();
        while aors.peek().is_some() {
            let of = |aor| BindingsOf {
                bindings: self.bindings.read(&aor),
                aor,
            };
            let part = aors.by_ref().take(PART).map(of).collect();
            self.outputs
                .push_back(Output::Event(Event::BindingsChanged(part)));
        }
    }
}
