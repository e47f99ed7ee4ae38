//! Requests that wait for the edge to look an account up, none for longer than a deadline.
//!
//! Requests that need the same account share one look-up. Tickets grow with time, so the first look-up is the oldest.
//!
//! Invariant: every look-up under way has its ticket in `by_aor`, and every transaction that waits its ticket in `by_transaction`.
//!
//! Not here: what happens with a request once the answer is there (`door.rs`).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip::{Aor, EndpointEvent, Flow, Request, ServerTransaction};

use crate::effect::{Account, Ticket};
use crate::routing::Callee;

/// How long a request waits at most; the edge's own limits are shorter.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answering {
    /// In its server transaction.
    Transaction(ServerTransaction),
    /// Without one: each copy of the request comes anew. It had this many bytes.
    Stateless(usize),
}

/// A request outside any dialog, whose sender waits for an answer.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) answering: Answering,
    pub(crate) request: Box<Request>,
    pub(crate) flow: Flow,
}

impl Pending {
    /// The event it came as, to be handed on.
    pub(crate) fn into_event(self) -> EndpointEvent {
        match self.answering {
            Answering::Transaction(transaction) => EndpointEvent::Request {
                transaction,
                request: self.request,
                flow: self.flow,
            },
            Answering::Stateless(bytes) => EndpointEvent::Stateless {
                request: self.request,
                flow: self.flow,
                bytes,
            },
        }
    }

    fn transaction(&self) -> Option<ServerTransaction> {
        match self.answering {
            Answering::Transaction(transaction) => Some(transaction),
            Answering::Stateless(_) => None,
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
        caller: Arc<Account>,
        /// Who is called.
        callee: Callee,
    },
    /// A SUBSCRIBE of a proven watcher: for the account it watches.
    Watch {
        /// Who watches.
        watcher: Arc<Account>,
        /// Who is watched.
        target: Aor,
    },
}

/// A look-up that is over, with everything that waited for it.
#[derive(Debug)]
pub(crate) struct Over {
    pub(crate) aor: Aor,
    pub(crate) requests: Vec<(Pending, Purpose)>,
    /// The account changed while it was being looked up: what was found must not be remembered.
    pub(crate) is_outdated: bool,
}

#[derive(Debug)]
struct LookUp {
    over: Over,
    since: Instant,
}

/// All waiting requests.
#[derive(Debug)]
pub(crate) struct Waiting {
    look_ups: BTreeMap<Ticket, LookUp>,
    by_aor: HashMap<Aor, Ticket>,
    by_transaction: HashMap<ServerTransaction, Ticket>,
    requests: usize,
    next: u64,
    bound: usize,
}

impl Waiting {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            look_ups: BTreeMap::new(),
            by_aor: HashMap::new(),
            by_transaction: HashMap::new(),
            requests: 0,
            next: 0,
            bound,
        }
    }

    /// Takes a request in. Returns the ticket of a look-up that must be begun, `None` if one is under way already.
    ///
    /// # Errors
    ///
    /// Gives the request back, and why it was to wait, if too many do.
    pub(crate) fn insert(
        &mut self,
        aor: &Aor,
        pending: Pending,
        purpose: Purpose,
        now: Instant,
    ) -> Result<Option<Ticket>, Box<(Pending, Purpose)>> {
        if self.requests >= self.bound {
            return Err(Box::new((pending, purpose)));
        }
        self.requests += 1;
        let known = self.by_aor.get(aor).copied();
        let ticket = known.unwrap_or(Ticket(self.next));
        if let Some(transaction) = pending.transaction() {
            self.by_transaction.insert(transaction, ticket);
        }
        let waiter = (pending, purpose);
        if let Some(look_up) = self.look_ups.get_mut(&ticket) {
            look_up.over.requests.push(waiter);
            return Ok(None);
        }
        self.next += 1;
        self.by_aor.insert(aor.clone(), ticket);
        let over = Over {
            aor: aor.clone(),
            requests: vec![waiter],
            is_outdated: false,
        };
        self.look_ups.insert(ticket, LookUp { over, since: now });
        Ok(Some(ticket))
    }

    /// Ends a look-up.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<Over> {
        let LookUp { over, .. } = self.look_ups.remove(&ticket)?;
        self.by_aor.remove(&over.aor);
        self.requests -= over.requests.len();
        for (pending, _) in &over.requests {
            if let Some(transaction) = pending.transaction() {
                self.by_transaction.remove(&transaction);
            }
        }
        Some(over)
    }

    /// The request of a transaction that its sender has cancelled. Its look-up goes on.
    pub(crate) fn cancel(&mut self, transaction: ServerTransaction) -> Option<(Pending, Purpose)> {
        let ticket = self.by_transaction.remove(&transaction)?;
        let requests = &mut self.look_ups.get_mut(&ticket)?.over.requests;
        let place = requests
            .iter()
            .position(|(pending, _)| pending.transaction() == Some(transaction))?;
        self.requests -= 1;
        Some(requests.swap_remove(place))
    }

    /// The account of `aor` has changed; `None` says that any may have.
    pub(crate) fn outdate(&mut self, aor: Option<&Aor>) {
        for look_up in self.look_ups.values_mut() {
            look_up.over.is_outdated |= aor.is_none_or(|aor| *aor == look_up.over.aor);
        }
    }

    /// Requests that have waited too long at `now`.
    pub(crate) fn take_overdue(&mut self, now: Instant) -> Vec<(Pending, Purpose)> {
        let mut overdue = Vec::new();
        while let Some((&ticket, look_up)) = self.look_ups.first_key_value()
            && look_up.since + PATIENCE <= now
        {
            let over = self.take(ticket);
            let requests = over.into_iter().flat_map(|over| over.requests);
            overdue.extend(requests);
        }
        overdue
    }

    /// When the oldest has waited too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.look_ups
            .first_key_value()
            .map(|(_, look_up)| look_up.since + PATIENCE)
    }

    /// How many requests wait.
    pub(crate) fn len(&self) -> usize {
        self.requests
    }
}
