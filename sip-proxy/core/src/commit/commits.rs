//! What is to be written and what is being written, and how long what nobody waits for may wait.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use sip::Aor;

use super::Durability;
use crate::binding::Bindings;
use crate::bound::{Edit, Record};
use crate::effect::Ticket;
use crate::unwritten::{Renewal, Unwritten};
use crate::waiting::Pending;

/// How long what nobody waits for gathers before it is written, and how long after a failure it is tried again: bindings that have
/// ended by themselves, and all others where memory comes first.
const GATHER: Duration = Duration::from_secs(1);
const GATHER_ALL: Duration = Duration::from_secs(5);

/// How long a renewal is put off whose row does for a while, where memory comes first.
const RENEWALS: Duration = Duration::from_secs(60);

/// Requests that wait behind another of the same address-of-record, for one and for all.
const MAX_BEHIND: usize = 10;
const MAX_BEHIND_IN_ALL: usize = 10_000;

/// A REGISTER whose bindings are to be written before it is answered.
#[derive(Debug)]
pub(super) struct Registering {
    pub(super) pending: Pending,
    pub(super) aor: Aor,
    pub(super) edits: Vec<Edit>,
}

/// A group under way.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) ticket: Ticket,
    pub(super) registering: Vec<Registering>,
    /// Addresses-of-record that are written because they had changed.
    pub(super) changed: Vec<Aor>,
}

/// What is to be written and what is being written.
#[derive(Debug)]
pub(crate) struct Commits {
    pub(super) durability: Durability,
    pub(super) queue: VecDeque<Registering>,
    /// Addresses-of-record in `queue` or in the group, with the requests behind them.
    pub(super) busy: HashMap<Aor, Vec<Pending>>,
    pub(super) behind: usize,
    pub(super) group: Option<Group>,
    pub(super) unwritten: Unwritten,
    /// Not before then is `unwritten` written without another reason.
    pub(super) due: Option<Instant>,
    /// Until when renewals are put off.
    pub(super) renewals_due: Option<Instant>,
    /// Everything is to be written now, and then said so.
    pub(super) is_flushing: bool,
    pub(super) next: u64,
    pub(super) bound: usize,
}

impl Commits {
    pub(crate) fn new(durability: Durability, bound: usize) -> Self {
        Self {
            durability,
            queue: VecDeque::new(),
            busy: HashMap::new(),
            behind: 0,
            group: None,
            unwritten: Unwritten::default(),
            due: None,
            renewals_due: None,
            is_flushing: false,
            next: 0,
            bound,
        }
    }

    /// REGISTERs that wait.
    pub(crate) fn len(&self) -> usize {
        self.busy.len() + self.behind
    }

    /// When something is to be written that nobody waits for.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let due = [self.due, self.renewals_due].into_iter().flatten().min();
        due.filter(|_| self.group.is_none())
    }

    /// The bindings of these have changed, and nobody waits for that to be written.
    pub(super) fn note<'a>(
        &mut self,
        aors: impl IntoIterator<Item = &'a Aor>,
        bindings: &Bindings,
        now: Instant,
    ) {
        for aor in aors {
            self.unwritten.note(aor, bindings);
        }
        self.set_due(now);
    }

    /// The same of one whose bindings are at hand.
    pub(super) fn note_one(
        &mut self,
        aor: &Aor,
        after: &Record,
        bindings: &Bindings,
        now: Instant,
    ) {
        match after.slot() {
            Some(slot) => self.unwritten.note_slot(slot, aor),
            None => self.unwritten.note(aor, bindings),
        }
        self.set_due(now);
    }

    /// The binding of `aor`, which lies in this slot, has been renewed.
    pub(super) fn note_renewal(&mut self, slot: u32, aor: &Aor, renewal: Renewal, now: Instant) {
        self.unwritten.note_renewal(slot, aor, renewal);
        self.set_due(now);
        if self.unwritten.has_renewals() {
            self.renewals_due.get_or_insert(now + RENEWALS);
        }
    }

    /// Renewals that have been put off for long enough are to be written.
    pub(super) fn take_up_renewals(&mut self, now: Instant) {
        let is_due = |due: &mut Instant| *due <= now;
        if self.is_flushing || self.renewals_due.as_mut().is_some_and(is_due) {
            self.renewals_due = None;
            self.unwritten.take_up_renewals();
            self.due = Some(now).filter(|_| !self.unwritten.is_empty());
        }
    }

    fn set_due(&mut self, now: Instant) {
        if !self.unwritten.is_empty() && self.due.is_none() {
            self.due = Some(now + self.gather());
        }
    }

    pub(super) fn gather(&self) -> Duration {
        match self.durability {
            Durability::Durable => GATHER,
            Durability::MemoryFirst => GATHER_ALL,
        }
    }

    /// Lets a request wait behind the one of its address-of-record that is being written; gives it back if too many do.
    pub(super) fn behind(&mut self, aor: &Aor, pending: Pending) -> Result<(), Pending> {
        match self.busy.get_mut(aor) {
            Some(behind) if behind.len() < MAX_BEHIND && self.behind < MAX_BEHIND_IN_ALL => {
                behind.push(pending);
                self.behind += 1;
                Ok(())
            }
            _ => Err(pending),
        }
    }
}
