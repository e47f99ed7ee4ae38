//! The records of calls while they happen, and on their way out.
//!
//! ```text
//!   begin ──► open ── 2 s ──► told as under way ── answered ──► told again
//!               │                                      │
//!               └── end ───────────────────────────────┴──► told as over, together with others, within half a second
//! ```
//!
//! A call that is over within two seconds is told once. One that lasts is told while it goes on, so that a power cut leaves a record of it.
//! Which legs a record is of is for the bridges to say: a record has a key, and the bridge that holds it ends it.
//!
//! Invariant: every record that is begun is told once as over; what waits to be told is bounded, and what is dropped for that is counted.
//!
//! Not here: what a record says (`call_record.rs`), writing it (the `sip-proxy` crate).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sip::{Aor, KeyMap};

use crate::call_record::{CallEnd, CallEndReason, CallLink, CallOutcome, CallParty, CallRecord};
use crate::effect::Event;

/// How long a call is nobody's business: most that fail are over by then.
const RIPE_AFTER: Duration = Duration::from_secs(2);

/// How long the first of a group waits for others.
const GATHER: Duration = Duration::from_millis(500);

/// Records in one event.
const GROUP: usize = 1_000;

/// Records that wait because the edge takes none; beyond that the oldest are dropped.
const MAX_WAITING: usize = 50_000;

/// A record that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RecordKey(u64);

/// What a record begins with.
#[derive(Debug)]
pub(crate) struct NewRecord {
    pub(crate) caller: CallParty,
    pub(crate) callee: CallParty,
    pub(crate) dialled: String,
    pub(crate) sip_call_id: Option<String>,
}

/// All records that are not told yet.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    open: KeyMap<RecordKey, Open>,
    /// Records in the order in which they ripen; some have ended meanwhile.
    ripening: VecDeque<(Instant, RecordKey)>,
    /// What is to be told.
    waiting: VecDeque<CallRecord>,
    /// When it is told.
    due: Option<Instant>,
    dropped: u64,
    next: u64,
}

#[derive(Debug)]
struct Open {
    record: CallRecord,
    is_told: bool,
}

impl Ledger {
    /// A call begins.
    pub(crate) fn begin(&mut self, new: NewRecord, now: Instant) -> RecordKey {
        let call = self.next;
        self.insert(new, call, None, now)
    }

    /// A call goes on between two sides that came to each other in another way.
    pub(crate) fn go_on(
        &mut self,
        from: RecordKey,
        new: NewRecord,
        link: CallLink,
        now: Instant,
    ) -> RecordKey {
        let before = self.open.get(&from);
        let call = before.map_or(self.next, |before| before.record.call);
        self.insert(new, call, Some(link), now)
    }

    /// What a call that goes on with another callee begins with.
    pub(crate) fn same_caller(&self, from: RecordKey, callee: CallParty) -> NewRecord {
        let before = self.open.get(&from).map(|open| &open.record);
        NewRecord {
            caller: before.map_or_else(
                || CallParty::addressed(None, None),
                |before| before.caller.clone(),
            ),
            callee,
            dialled: String::new(),
            sip_call_id: before.and_then(|before| before.sip_call_id.clone()),
        }
    }

    fn insert(
        &mut self,
        new: NewRecord,
        call: u64,
        link: Option<CallLink>,
        now: Instant,
    ) -> RecordKey {
        let key = RecordKey(self.next);
        self.next += 1;
        let record = CallRecord {
            number: key.0,
            call,
            caller: new.caller,
            callee: new.callee,
            dialled: new.dialled,
            sip_call_id: new.sip_call_id,
            link,
            started: now,
            answered: None,
            end: None,
        };
        let is_told = false;
        self.open.insert(key, Open { record, is_told });
        self.ripening.push_back((now + RIPE_AFTER, key));
        key
    }

    /// The device that calls.
    pub(crate) fn calling_device(&self, key: RecordKey) -> Option<&str> {
        let open = self.open.get(&key)?;
        open.record.caller.instance.as_deref()
    }

    /// Whether `aor` is who called.
    pub(crate) fn is_caller(&self, key: RecordKey, aor: &Aor) -> bool {
        let open = self.open.get(&key);
        open.is_some_and(|open| open.record.caller.aor.as_ref() == Some(aor))
    }

    /// The device that answers.
    pub(crate) fn set_device(&mut self, key: RecordKey, instance: Option<&str>) {
        if let Some(open) = self.open.get_mut(&key) {
            open.record.callee.instance = instance.map(str::to_owned);
        }
    }

    /// A call that was begun takes the place of one of the sides that `other` is of.
    pub(crate) fn pick_up(
        &mut self,
        key: RecordKey,
        other: RecordKey,
        callee: CallParty,
        link: CallLink,
    ) {
        self.join(key, other);
        if let Some(open) = self.open.get_mut(&key) {
            open.record.callee = callee;
            open.record.link = Some(link);
        }
    }

    /// The record is of the same call as another one.
    pub(crate) fn join(&mut self, key: RecordKey, other: RecordKey) {
        let call = self.open.get(&other).map(|other| other.record.call);
        if let (Some(open), Some(call)) = (self.open.get_mut(&key), call) {
            open.record.call = call;
        }
    }

    /// The two sides talk.
    pub(crate) fn answer(&mut self, key: RecordKey, now: Instant) {
        let Some(open) = self.open.get_mut(&key) else {
            return;
        };
        open.record.answered = Some(now);
        if open.is_told {
            let record = open.record.clone();
            self.tell(record, now);
        }
    }

    /// It is over. A record that has ended stays as it is.
    pub(crate) fn end(
        &mut self,
        key: RecordKey,
        reason: CallEndReason,
        status: Option<u16>,
        now: Instant,
    ) {
        let Some(Open { mut record, .. }) = self.open.remove(&key) else {
            return;
        };
        let end = match record.answered {
            Some(_) => CallEnd {
                at: now,
                outcome: CallOutcome::Answered,
                reason,
                status: Some(200),
            },
            None => CallEnd {
                at: now,
                outcome: reason.outcome(),
                reason,
                status,
            },
        };
        record.end = Some(end);
        self.tell(record, now);
    }

    /// Ends it by a final status.
    pub(crate) fn fail(&mut self, key: RecordKey, status: u16, now: Instant) {
        self.end(key, CallEndReason::of_status(status), Some(status), now);
    }

    fn tell(&mut self, record: CallRecord, now: Instant) {
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back(record);
        self.due.get_or_insert(now + GATHER);
    }

    /// The edge had no room for these: they are told again later, before what came meanwhile.
    pub(crate) fn give_back(&mut self, records: Vec<CallRecord>, dropped: u64, now: Instant) {
        self.dropped += dropped;
        for record in records.into_iter().rev() {
            if self.waiting.len() >= MAX_WAITING {
                self.dropped += 1;
            } else {
                self.waiting.push_front(record);
            }
        }
        self.due = Some(now + GATHER);
    }

    /// Everything that is to be told by now.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: impl FnMut(Event)) {
        let is_ripe = self.ripening.front().is_some_and(|(at, _)| *at <= now);
        if is_ripe {
            // Those that ripen soon come along: one event for many calls.
            self.ripen(|at| at <= now + GATHER, now);
        }
        if is_ripe || self.due.is_some_and(|due| due <= now) {
            self.tell_all(out);
        }
    }

    /// Everything that is known is told now, calls that have just begun included.
    pub(crate) fn flush(&mut self, now: Instant, out: impl FnMut(Event)) {
        self.ripen(|_| true, now);
        self.tell_all(out);
    }

    fn ripen(&mut self, is_ripe: impl Fn(Instant) -> bool, now: Instant) {
        while let Some((at, key)) = self.ripening.front().copied()
            && (is_ripe(at) || !self.open.contains_key(&key))
        {
            self.ripening.pop_front();
            if let Some(open) = self.open.get_mut(&key) {
                open.is_told = true;
                let record = open.record.clone();
                self.tell(record, now);
            }
        }
    }

    fn tell_all(&mut self, mut out: impl FnMut(Event)) {
        self.due = None;
        while !self.waiting.is_empty() {
            let some = self.waiting.len().min(GROUP);
            out(Event::CallRecords {
                records: self.waiting.drain(..some).collect(),
                dropped: std::mem::take(&mut self.dropped),
            });
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let ripe = self.ripening.front().map(|(at, _)| *at);
        self.due.into_iter().chain(ripe).min()
    }

    /// How many have not ended.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }
}
