//! Requests that wait for the edge to look something up, each under a ticket, none for longer than a deadline.
//!
//! Not here: what happens with a request once the answer is there (`proxy.rs`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sip::{Aor, EndpointEvent, Flow, Request, ServerTransaction};

use crate::effect::{Account, Ticket};

/// How long a request waits at most; the edge's own limits are shorter.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request outside any dialog, whose sender waits for an answer.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) transaction: ServerTransaction,
    pub(crate) request: Box<Request>,
    pub(crate) flow: Flow,
}

impl Pending {
    /// The event it came as, to be handed on.
    pub(crate) fn into_event(self) -> EndpointEvent {
        EndpointEvent::Request {
            transaction: self.transaction,
            request: self.request,
            flow: self.flow,
        }
    }
}

/// Why a request waits.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// For the account it claims, to verify its credentials.
    Authenticate,
    /// An INVITE of a proven caller: for the account it calls.
    Call {
        /// Who calls.
        caller: Box<Account>,
        /// Who is called.
        target: Aor,
    },
}

#[derive(Debug)]
struct Entry {
    pending: Pending,
    purpose: Purpose,
    since: Instant,
}

/// All waiting requests. Tickets grow with time, so the first entry is the oldest.
#[derive(Debug)]
pub(crate) struct Waiting {
    entries: BTreeMap<Ticket, Entry>,
    next: u64,
    bound: usize,
}

impl Waiting {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            next: 0,
            bound,
        }
    }

    /// Takes a request in, or gives it back if too many wait already.
    pub(crate) fn insert(
        &mut self,
        pending: Pending,
        purpose: Purpose,
        now: Instant,
    ) -> Result<Ticket, Pending> {
        if self.entries.len() >= self.bound {
            return Err(pending);
        }
        let ticket = Ticket(self.next);
        self.next += 1;
        self.entries.insert(
            ticket,
            Entry {
                pending,
                purpose,
                since: now,
            },
        );
        Ok(ticket)
    }

    /// The request that waits under `ticket`, unless it has been cancelled or given up.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<(Pending, Purpose)> {
        self.entries
            .remove(&ticket)
            .map(|entry| (entry.pending, entry.purpose))
    }

    /// The request of a transaction that its sender has cancelled.
    pub(crate) fn cancel(&mut self, transaction: ServerTransaction) -> Option<Pending> {
        let ticket = *self
            .entries
            .iter()
            .find(|(_, entry)| entry.pending.transaction == transaction)?
            .0;
        self.take(ticket).map(|(pending, _)| pending)
    }

    /// Requests that have waited too long at `now`.
    pub(crate) fn take_overdue(&mut self, now: Instant) -> Vec<Pending> {
        let mut overdue = Vec::new();
        while self.deadline().is_some_and(|deadline| deadline <= now) {
            overdue.extend(self.entries.pop_first().map(|(_, entry)| entry.pending));
        }
        overdue
    }

    /// When the oldest has waited too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.entries
            .first_key_value()
            .map(|(_, entry)| entry.since + PATIENCE)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}
