//! From a proven REGISTER to its answer: bindings are changed, written and confirmed in groups.
//!
//! ```text
//!   durable:       decide ──► queue ──► one group at a time to the store ──► written: change the table, 200
//!                                                                        └─► not written: 503, nothing has changed
//!   memory first:  decide ──► change the table, 200 ──► the address is unwritten ──► a group to the store, seconds later;
//!                                                       merely renewed: a minute later, many renewals in one
//! ```
//!
//! A group is what has come together while the last one was being written, so a busy registrar writes large groups and an idle one
//! answers at once; nothing but a REGISTER waits for the store. Bindings that end by themselves change the table at once and are
//! written like those of *memory first*.
//!
//! Invariants: at most one group is under way; of one address-of-record at most one REGISTER is in queue and group together, the
//! others wait behind it.
//!
//! Not here: what a REGISTER may change (`registrar.rs`), what waits for how long (`commit/commits.rs`), how rows are stored (the
//! `sip-proxy` crate).

mod commits;

use std::time::Instant;

use sip::{Aor, Destination, Flow, Output};

use crate::binding::{Changed, Renewed};
use crate::bound::{Edit, Record, Shown};
use crate::effect::{Event, StoreFailed, Ticket};
use crate::index::Found;
use crate::proxy::Proxy;
use crate::registrar::{self, Again, Plan, Telling};
use crate::row::Blocks;
use crate::shelved::Placed;
use crate::unwritten::{Next, Renewal};
use crate::waiting::Pending;

pub(crate) use commits::Commits;
use commits::{Group, Registering};

/// When a REGISTER is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Once its bindings are written: no confirmed binding is ever lost.
    #[default]
    Durable,
    /// At once; a crash may lose the last seconds.
    MemoryFirst,
}

/// Rows in one group that somebody waits for.
const GROUP: usize = 1_000;

/// Rows in one group that nobody waits for: the more of them share a page, the less is written.
const LATE_GROUP: usize = 4_000;

impl Proxy {
    /// A REGISTER of `aor`, proven, whose bindings were found there, if there are any.
    pub(crate) fn on_register(
        &mut self,
        pending: Pending,
        aor: &Aor,
        found: Option<Found>,
        now: Instant,
    ) {
        let is_busy = self.commits.busy.contains_key(aor);
        let is_memory_first = self.commits.durability == Durability::MemoryFirst;
        if !is_busy && is_memory_first && self.renew(&pending, aor, found, now) {
            // Whoever is bound on his flow is known by that: nothing else need be remembered of his proof.
            return;
        }
        self.guessing.prove(aor, &pending.flow);
        if is_busy {
            if let Err(pending) = self.commits.behind(aor, pending) {
                self.busy(&pending, now);
            }
            return;
        }
        if self.is_copy(&pending, aor) {
            let bound = self.bindings.of(aor);
            self.confirm(&pending, aor, &bound, now);
            return;
        }
        let plan = registrar::decide(
            &pending.request,
            aor,
            pending.flow,
            &self.registrar,
            &self.bindings,
            self.clock.secs(now),
        );
        match plan {
            Err(refusal) => {
                let tag = self.endpoint.stateless_tag(&pending.request);
                let response =
                    registrar::refused(&pending.request, &tag, &refusal, &self.registrar);
                self.send(&pending, response, now);
            }
            Ok(Plan { edits, before }) if edits.is_empty() => {
                self.confirm(&pending, aor, &before, now);
            }
            Ok(Plan { edits, before }) => match self.commits.durability {
                Durability::MemoryFirst => {
                    let after = self.change(&before, aor, &edits, &pending.flow);
                    self.commits.note_one(aor, &after, &self.bindings, now);
                    self.confirm(&pending, aor, &after, now);
                }
                Durability::Durable if self.commits.queue.len() >= self.commits.bound => {
                    self.busy(&pending, now);
                }
                Durability::Durable => {
                    self.commits.busy.insert(aor.clone(), Vec::new());
                    self.commits.queue.push_back(Registering {
                        pending,
                        aor: aor.clone(),
                        edits,
                    });
                    self.write(now);
                }
            },
        }
    }

    /// Does what a REGISTER that says again what is bound asks for; `false` if it is none and nothing was done.
    fn renew(&mut self, pending: &Pending, aor: &Aor, found: Option<Found>, now: Instant) -> bool {
        let Some(found) = found else {
            return false;
        };
        let slot = found.slot;
        let request = &pending.request;
        let now_secs = self.clock.secs(now);
        let Some(again) = Again::read(request, pending.flow, now_secs) else {
            return false;
        };
        let dates = |bound: &Placed<'_, '_>| again.dates(bound, &self.registrar);
        let Some(Renewed { only }) = self.bindings.renew(found, again.call_id, dates) else {
            return false;
        };
        let Some(shown) = only else {
            let bound = self.bindings.of(aor);
            self.commits.note_one(aor, &bound, &self.bindings, now);
            self.confirm(pending, aor, &bound, now);
            return true;
        };
        let renewal = Renewal {
            now: now_secs,
            expires: shown.expires,
        };
        self.commits.note_renewal(slot, aor, renewal, now);
        let tag = self.endpoint.stateless_tag(request);
        let telling = Telling {
            aor,
            slot: Some(slot),
            gruus: &mut self.gruus,
            now_secs,
        };
        let bound = std::iter::once(shown);
        let response = registrar::granted(request, &tag, bound, telling);
        self.send(pending, response, now);
        true
    }

    /// Whether this is another copy of a REGISTER that has been done. One with credentials has shown that it is none, by its nonce.
    fn is_copy(&self, pending: &Pending, aor: &Aor) -> bool {
        self.trusted.contain(pending.flow.peer.ip())
            && registrar::is_done(&pending.request, aor, &self.bindings)
    }

    /// Another copy of a REGISTER whose first copy was proven; `false` if it is more than that.
    pub(crate) fn on_register_again(&mut self, pending: &Pending, aor: &Aor, now: Instant) -> bool {
        if self.commits.busy.contains_key(aor) {
            // The first copy will be answered.
            return true;
        }
        let is_done = registrar::is_done(&pending.request, aor, &self.bindings);
        if is_done {
            let bound = self.bindings.of(aor);
            self.confirm(pending, aor, &bound, now);
        }
        is_done
    }

    /// The store has written a group, or could not.
    pub(crate) fn on_stored(
        &mut self,
        ticket: Ticket,
        result: Result<(), StoreFailed>,
        now: Instant,
    ) {
        let Some(group) = self.commits.group.take_if(|group| group.ticket == ticket) else {
            return;
        };
        if result.is_err() {
            self.commits.note(&group.changed, &self.bindings, now);
            self.commits.due = Some(now + self.commits.gather());
        }
        for Registering {
            pending,
            aor,
            edits,
        } in group.registering
        {
            match result {
                Ok(()) => {
                    let before = self.bindings.of(&aor);
                    let after = self.change(&before, &aor, &edits, &pending.flow);
                    self.confirm(&pending, &aor, &after, now);
                }
                Err(StoreFailed) => self.busy(&pending, now),
            }
            let behind = self.commits.busy.remove(&aor).unwrap_or_default();
            self.commits.behind -= behind.len();
            for pending in behind {
                let found = self.bindings.find(&aor);
                self.on_register(pending, &aor, found, now);
            }
        }
        self.write(now);
    }

    /// Begins to write everything that has changed, and says so when it is done.
    pub(crate) fn flush(&mut self, now: Instant) {
        self.commits.is_flushing = true;
        self.write(now);
    }

    /// Gives the next group to the store, if none is under way and there is a reason to.
    pub(crate) fn write(&mut self, now: Instant) {
        let commits = &mut self.commits;
        if commits.group.is_some() {
            return;
        }
        commits.take_up_renewals(now);
        let is_due = commits.is_flushing || commits.due.is_some_and(|due| due <= now);
        if commits.queue.is_empty() && !is_due {
            return;
        }
        if commits.queue.is_empty() && commits.unwritten.is_empty() {
            commits.due = None;
            if std::mem::take(&mut commits.is_flushing) {
                self.outputs.push_back(Output::Event(Event::Flushed));
            }
            return;
        }
        let count = commits.queue.len().min(GROUP);
        let registering: Vec<_> = commits.queue.drain(..count).collect();
        let bound = match registering.is_empty() {
            true => LATE_GROUP,
            false => GROUP,
        };
        let mut blocks = Blocks::for_rows((count + commits.unwritten.len()).min(bound));
        let mut rows: Vec<_> = registering
            .iter()
            .map(|own| self.bindings.row(&own.aor, &own.edits, &mut blocks))
            .collect();
        // What a REGISTER of the group changes is written with it.
        for own in &registering {
            commits.unwritten.forget(&own.aor, &self.bindings);
        }
        let mut changed = Vec::new();
        while rows.len() < bound
            && let Some(Next { aor, slot }) = commits.unwritten.pop(&self.bindings)
        {
            let row = self.bindings.row(&aor, &[], &mut blocks);
            if let Some(slot) = slot.filter(|_| commits.durability == Durability::MemoryFirst) {
                commits.unwritten.write(slot, row.expires_unix_secs);
            }
            rows.push(row);
            changed.push(aor);
        }
        if commits.unwritten.is_empty() {
            commits.due = None;
        }
        let ticket = Ticket(commits.next);
        commits.next += 1;
        commits.group = Some(Group {
            ticket,
            registering,
            changed,
        });
        self.outputs
            .push_back(Output::Event(Event::Store { ticket, rows }));
    }

    /// Bindings have ended by themselves, or by order.
    pub(crate) fn on_ended(&mut self, aors: &[Aor], now: Instant) {
        for aor in aors {
            self.news.note(aor);
        }
        self.commits.note(aors, &self.bindings, now);
    }

    fn change(&mut self, before: &Record, aor: &Aor, edits: &[Edit], flow: &Flow) -> Record {
        let homes = edits.iter().filter_map(|edit| other_home(edit, flow));
        self.outputs.extend(homes.map(|flow| Output::Trust {
            flow,
            call_id: None,
        }));
        let Changed { is_news, after } = self.bindings.change(before, aor, edits);
        if is_news {
            self.news.note(aor);
        }
        after
    }

    fn confirm(&mut self, pending: &Pending, aor: &Aor, bound: &Record, now: Instant) {
        if !bound.is_kept() {
            // The table is full: what is not there must not be confirmed.
            self.busy(pending, now);
            return;
        }
        let tag = self.endpoint.stateless_tag(&pending.request);
        let telling = Telling {
            aor,
            slot: bound.slot(),
            gruus: &mut self.gruus,
            now_secs: self.clock.secs(now),
        };
        let bound = bound.iter().map(Shown::from);
        let response = registrar::granted(&pending.request, &tag, bound, telling);
        self.send(pending, response, now);
    }
}

/// The flow of a device that registers from one port and is called at another, as Contact asks for it: whatever comes from there is its
/// owner's as well.
fn other_home(edit: &Edit, flow: &Flow) -> Option<Flow> {
    let Edit::Put(_) = edit else {
        return None;
    };
    match edit.binding().reached_by()? {
        Destination::Flow(_) => None,
        Destination::Address { peer, .. } => Some(Flow { peer, ..*flow }),
    }
}
