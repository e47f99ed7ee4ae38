//! Transfers and redirections to accounts of other shards: what asks for one waits until those shards have told where the devices are.
//!
//! ```text
//!   REFER, 3xx ──► a target of another domain's shard? ──no──► the bridge
//!                       │ yes                                    ▲
//!                       └──► Locate, one target at a time ───────┘ with what was told; without it after five seconds
//! ```
//!
//! The call may go on or end meanwhile: the bridge then takes what comes late as it takes anything that comes late.
//!
//! Invariant: what is held reaches its bridge in the end, whatever other shards do; at most `bound` events are held.
//!
//! Not here: calls to another shard's account, which wait as requests (`waiting.rs`); transfers that join calls of two shards, which are
//! refused (`bridge/transfer.rs`).

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use sip::{Aor, Output};
use ua::CallEvent;

use crate::binding::Bindings;
use crate::effect::{Event, Located, Ticket};
use crate::proxy::Proxy;

/// How long an event waits at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Set in tickets of this table, so that they are told from those of `Waiting`.
const MARK: u64 = 1 << 63;

/// An event that waits for its targets.
#[derive(Debug)]
struct Held {
    event: CallEvent,
    /// The target that another shard is being asked for.
    asked: Aor,
    /// Those to be asked for after it.
    open: VecDeque<Aor>,
    found: Bindings,
    until: Instant,
}

/// All events that wait. Tickets grow with time, so the first is the oldest.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    held: BTreeMap<Ticket, Held>,
    next: u64,
    bound: usize,
}

impl Elsewhere {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            held: BTreeMap::new(),
            next: MARK,
            bound,
        }
    }

    /// Whether a ticket is of this table.
    pub(crate) fn owns(ticket: Ticket) -> bool {
        ticket.0 & MARK != 0
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// When the oldest has waited too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.held.first_key_value().map(|(_, held)| held.until)
    }
}

impl Proxy {
    /// An event of a call that is no incoming one: to its bridge, at once or when its targets are known.
    pub(crate) fn bridge(&mut self, event: CallEvent, now: Instant) {
        let targets = self.targets(&event);
        let is_foreign = |target: &Aor| !self.share.owns(target.host());
        let is_full = self.elsewhere.held.len() >= self.elsewhere.bound;
        let (open, own): (Vec<_>, Vec<_>) = targets.into_iter().partition(is_foreign);
        let mut open = VecDeque::from(open);
        let Some(asked) = open.pop_front().filter(|_| !is_full) else {
            self.pass_to_bridges(event, None, now);
            return;
        };
        let mut found = Bindings::default();
        for target in own {
            found.tell(&target, &self.bindings.told(&target));
        }
        let ticket = Ticket(self.elsewhere.next);
        self.elsewhere.next += 1;
        self.ask_where(ticket, &asked);
        let until = now + PATIENCE;
        self.elsewhere.held.insert(
            ticket,
            Held {
                event,
                asked,
                open,
                found,
                until,
            },
        );
    }

    /// Another shard has told where a target is; `None` if it cannot be asked.
    pub(crate) fn on_target_located(
        &mut self,
        ticket: Ticket,
        found: Option<&Located>,
        now: Instant,
    ) {
        let Some(mut held) = self.elsewhere.held.remove(&ticket) else {
            return;
        };
        if let Some(found) = found {
            held.found.tell(&held.asked, found);
        }
        match held.open.pop_front() {
            Some(next) => {
                self.ask_where(ticket, &next);
                held.asked = next;
                self.elsewhere.held.insert(ticket, held);
            }
            None => self.pass_to_bridges(held.event, Some(&held.found), now),
        }
    }

    /// What has waited too long goes on with what is known.
    pub(crate) fn release_overdue(&mut self, now: Instant) {
        while let Some(entry) = self.elsewhere.held.first_entry()
            && entry.get().until <= now
        {
            let held = entry.remove();
            self.pass_to_bridges(held.event, Some(&held.found), now);
        }
    }

    /// Whom an event asks to ring.
    fn targets(&self, event: &CallEvent) -> Vec<Aor> {
        if self.share.is_alone() {
            return Vec::new();
        }
        self.bridges.targets(event, &self.numbers, &self.endpoint)
    }

    fn ask_where(&mut self, ticket: Ticket, aor: &Aor) {
        let (shard, aor) = (self.share.owner(aor.host()), aor.clone());
        self.outputs
            .push_back(Output::Event(Event::Locate { shard, ticket, aor }));
    }

    fn pass_to_bridges(&mut self, event: CallEvent, found: Option<&Bindings>, now: Instant) {
        let (bridges, mut line) = self.line(now);
        if let Some(found) = found {
            line.bindings = found;
        }
        bridges.handle_event(event, &mut line);
    }
}
