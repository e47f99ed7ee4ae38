//! Whose bindings have begun or ended: gathered a moment, then told together.
//!
//! Who shows registrations to people is another thread, and waking it costs more than the change itself. So a change waits
//! [`GATHER`] for others. What is told is what an address-of-record has then, so that the last word is always right; whoever asks
//! something of the proxy hears the news before the answer.
//!
//! Bounded: each address-of-record waits once, and of what is told by itself one part at a time is on its way: the next one waits until
//! the last was read and let go. A hundred thousand phones that come at once are a list of names here, and not of all they have said.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use sip::{Aor, Output};

use crate::effect::{BindingsOf, Event};
use crate::proxy::Proxy;

/// How long a change may wait: nobody sees the difference.
const GATHER: Duration = Duration::from_millis(20);

/// Addresses-of-record in one event.
const PART: usize = 512;

/// What is not told yet.
#[derive(Debug, Default)]
pub(crate) struct News {
    aors: BTreeSet<Aor>,
    due: Option<Instant>,
    /// What was told last, while it is on its way.
    last: Option<Weak<[BindingsOf]>>,
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

    fn is_on_its_way(&self) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|last| last.strong_count() > 0)
    }

    /// Starts the wait, if there is something to tell and it has not begun.
    pub(crate) fn wait(&mut self, now: Instant) {
        if self.due.is_none() && !self.aors.is_empty() {
            self.due = Some(now + GATHER);
        }
    }
}

impl Proxy {
    /// Tells a part of what has waited long enough.
    pub(crate) fn tell_ripe_news(&mut self, now: Instant) {
        if self.news.due.is_some_and(|due| due <= now) {
            self.news.due = None;
            if !self.news.is_on_its_way() {
                self.tell_part();
            }
            self.news.wait(now);
        }
    }

    /// Tells everything that has changed.
    pub(crate) fn tell_news(&mut self) {
        self.news.due = None;
        while !self.news.aors.is_empty() {
            self.tell_part();
        }
    }

    fn tell_part(&mut self) {
        let mut part = Vec::new();
        while part.len() < PART
            && let Some(aor) = self.news.aors.pop_first()
        {
            let bindings = self.bindings.read(&aor);
            part.push(BindingsOf { aor, bindings });
        }
        let part: Arc<[BindingsOf]> = part.into();
        self.news.last = Some(Arc::downgrade(&part));
        self.outputs
            .push_back(Output::Event(Event::BindingsChanged(part)));
    }
}
