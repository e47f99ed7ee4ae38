//! The B2BUA: a call is a bridge that joins a caller's leg with the legs of the devices that ring for it (RFC 7092, signalling-only;
//! media goes directly between the two ends).
//!
//! ```text
//!             Incoming                                  all branches failed ──► reject the best of their statuses
//!   caller ────────────► ringing ── Progress ──► caller         │
//!                          │  one leg per binding               │ nobody answers in time ──► cancel all, 408
//!                          │ Answered by one                    ▼
//!                          ▼ cancel the others              ended once every leg has ended
//!                        joined ── re-INVITE of either side passes to the other ── BYE of either ends both
//!                          │ ▲
//!                          ▼ │ REFER, INVITE with Replaces: one side is exchanged for another
//!                        transfer, pickup
//! ```
//!
//! | file | owns |
//! |---|---|
//! | `mod.rs` | which bridge a leg belongs to, deadlines |
//! | `fork.rs` | the legs that ring, in groups by q; the best of their refusals |
//! | `ringing.rs` | a call until it is answered |
//! | `joined.rs` | what passes between two sides |
//! | `transfer/` | REFER, blind and attended: done here, never passed on |
//! | `pickup.rs` | INVITE with Replaces |
//!
//! Each talk or attempt has a record in the ledger, which whoever holds its key ends.
//!
//! Invariants: every leg in [`Bridges`] belongs to exactly one bridge; a bridge is dropped with its last leg; no step takes
//! longer because there are more bridges.
//!
//! Not here: who is called (`routing.rs`), and the legs' own dialogs (`ua::Calls`).

mod fork;
mod joined;
mod pickup;
mod ringing;
mod transfer;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sdp::{Described, Origin};
use sip::{Aor, Deadlines, Endpoint, KeyMap, Reason};
use ua::{CallEvent, CallFailure, CallKey, Calls, EndReason};

use crate::binding::Bindings;
use crate::call_record::{CallEndReason, CallParty};
use crate::calling::Calling;
use crate::ledger::{Ledger, RecordKey};
use crate::numbers::DialPlans;
use crate::routing::{self, Identity, Plan};

use joined::Joined;
use ringing::Ringing;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct BridgeKey(u64);

/// What the bridges act on in one step.
pub(crate) struct Line<'a> {
    pub(crate) calls: &'a mut Calls,
    pub(crate) endpoint: &'a mut Endpoint,
    pub(crate) bindings: &'a Bindings,
    pub(crate) calling: &'a mut Calling,
    pub(crate) numbers: &'a DialPlans,
    pub(crate) ledger: &'a mut Ledger,
    /// How long devices ring.
    pub(crate) patience: Duration,
    pub(crate) now: Instant,
}

/// All calls through the proxy.
#[derive(Debug, Default)]
pub(crate) struct Bridges {
    bridges: KeyMap<BridgeKey, Bridge>,
    by_leg: KeyMap<CallKey, BridgeKey>,
    /// Who has begun a call, by the leg that they have in it.
    begun_by: KeyMap<CallKey, Aor>,
    /// How many of those legs each has.
    begun: HashMap<Aor, usize>,
    deadlines: Deadlines<BridgeKey>,
    next: u64,
}

#[derive(Debug)]
struct Bridge {
    state: State,
    /// How many legs in `by_leg` are this bridge's.
    legs: usize,
    /// The deadline that the table has for this bridge.
    armed: Option<Instant>,
}

#[derive(Debug)]
enum State {
    Ringing(Box<Ringing>),
    Joined(Box<Joined>),
    Ending,
}

/// One end of a call.
#[derive(Debug)]
pub(crate) struct Side {
    leg: CallKey,
    who: Identity,
    /// Its instance-id, if it has one.
    device: Option<Box<str>>,
    /// Once this side talks to somebody else than in the beginning: the session that it knows goes on with these values, which a
    /// stranger's description would break (RFC 3264, section 8).
    origin: Option<Box<Origin>>,
}

impl Side {
    pub(crate) fn new(leg: CallKey, who: Identity) -> Self {
        Self {
            leg,
            who,
            device: None,
            origin: None,
        }
    }

    /// As it stands in a record.
    fn party(&self) -> CallParty {
        CallParty::of(&self.who, self.device.as_deref())
    }

    /// From here on this side hears of another peer: keeps the session that it knows.
    fn keep_session(&mut self, line: &Line<'_>) {
        if self.origin.is_none() {
            let said = line.calls.local_description(self.leg);
            let said = said.and_then(|said| said.parse().ok());
            self.origin = said.map(|said| Box::new(said.origin));
        }
    }

    /// A description of the other side, as this one must see it.
    fn adapt(&mut self, described: Described) -> Described {
        let Some(origin) = &mut self.origin else {
            return described;
        };
        let Ok(mut description) = described.parse() else {
            return described;
        };
        origin.version = origin.version.saturating_add(1);
        description.origin = (**origin).clone();
        description.into()
    }
}

/// What became of a bridge in one step.
#[derive(Debug, Default)]
struct Outcome {
    /// New legs of this bridge.
    added: Vec<CallKey>,
    /// What goes on without the others, as a bridge of its own.
    parted: Option<Parted>,
}

#[derive(Debug)]
enum Parted {
    /// Two sides that talk.
    Talking(Box<Joined>),
    /// A caller for whom somebody rings.
    Ringing(Box<Ringing>),
}

impl Bridges {
    /// Rings every device that `plan` finds for `caller`; what becomes of it goes to `record`. Returns `false` if none could be rung; the caller's leg is then the
    /// owner's to reject.
    pub(crate) fn ring(
        &mut self,
        caller: CallKey,
        plan: Plan,
        record: RecordKey,
        line: &mut Line<'_>,
    ) -> bool {
        let who = plan.caller.aor.clone();
        let caller = Side::new(caller, plan.caller.clone());
        let Some((ringing, mut legs)) = Ringing::start(caller, plan, record, line) else {
            let (reason, status) = (CallEndReason::Unreachable, Some(480));
            line.ledger.end(record, reason, status, line.now);
            return false;
        };
        legs.push(ringing.caller());
        self.charge(ringing.caller(), who);
        self.insert(State::Ringing(Box::new(ringing)), &legs);
        true
    }

    /// Passes what happened on one leg to the other side. Gives back what belongs to no bridge.
    pub(crate) fn handle_event(
        &mut self,
        event: CallEvent,
        line: &mut Line<'_>,
    ) -> Option<CallEvent> {
        let leg = event.call();
        let Some(&key) = self.by_leg.get(&leg) else {
            return Some(event);
        };
        if let CallEvent::Referred { .. } = event {
            self.refer(key, event, line);
            return None;
        }
        let Some(bridge) = self.bridges.get_mut(&key) else {
            return Some(event);
        };
        let ended = matches!(event, CallEvent::Ended { .. });
        let outcome = bridge.handle(event, line);
        self.carry_out(key, outcome);
        if ended {
            self.forget(leg, key);
        }
        None
    }

    /// Whom an event asks to ring: the target of a blind transfer, or where a redirection leads.
    pub(crate) fn targets(
        &self,
        event: &CallEvent,
        numbers: &DialPlans,
        endpoint: &Endpoint,
    ) -> Vec<Aor> {
        let key = self.by_leg.get(&event.call());
        let Some(bridge) = key.and_then(|key| self.bridges.get(key)) else {
            return Vec::new();
        };
        match (event, &bridge.state) {
            (
                CallEvent::Referred {
                    call,
                    refer_to,
                    replaces: None,
                    ..
                },
                State::Joined(joined),
            ) => {
                let referrer = joined.side(*call).map(|at| &joined.sides[at].who.aor);
                let target = referrer.and_then(|who| {
                    routing::target_of(&refer_to.target(), who, numbers, endpoint).ok()
                });
                target.into_iter().collect()
            }
            (CallEvent::Ended { reason, .. }, state) => {
                let fork = match state {
                    State::Ringing(ringing) => Some(ringing.fork()),
                    State::Joined(joined) => joined.fork(),
                    State::Ending => None,
                };
                match (fork, reason) {
                    (Some(fork), EndReason::Failed(CallFailure::Redirected { contacts, .. })) => {
                        fork.redirections(contacts, numbers, endpoint)
                    }
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// Ends what nobody has answered in time.
    pub(crate) fn handle_timeout(&mut self, line: &mut Line<'_>) {
        // What is armed is a bridge that is there: its last leg takes the deadline along.
        while let Some(key) = self.deadlines.first_due(line.now)
            && let Some(bridge) = self.bridges.get_mut(&key)
        {
            let outcome = bridge.handle_timeout(line);
            self.carry_out(key, outcome);
        }
    }

    /// Which bridge a leg belongs to, by a number that no other bridge has.
    pub(crate) fn number(&self, leg: CallKey) -> Option<u64> {
        self.by_leg.get(&leg).map(|key| key.0)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    pub(crate) fn len(&self) -> usize {
        self.bridges.len()
    }

    /// How many calls that `who` has begun have not ended.
    pub(crate) fn begun_by(&self, who: &Aor) -> usize {
        self.begun.get(who).copied().unwrap_or(0)
    }

    /// `who` has begun the call of this leg, unless somebody else has.
    fn charge(&mut self, leg: CallKey, who: Aor) {
        if self.begun_by.contains_key(&leg) {
            return;
        }
        *self.begun.entry(who.clone()).or_insert(0) += 1;
        self.begun_by.insert(leg, who);
    }

    fn insert(&mut self, state: State, legs: &[CallKey]) -> BridgeKey {
        let key = BridgeKey(self.next);
        self.next += 1;
        self.bridges.insert(
            key,
            Bridge {
                state,
                legs: 0,
                armed: None,
            },
        );
        for leg in legs {
            self.adopt(*leg, key);
        }
        self.settle(key);
        key
    }

    /// From now on `leg` is the bridge's.
    fn adopt(&mut self, leg: CallKey, key: BridgeKey) {
        if let Some(former) = self.by_leg.insert(leg, key) {
            self.release(former);
        }
        if let Some(bridge) = self.bridges.get_mut(&key) {
            bridge.legs += 1;
        }
    }

    fn forget(&mut self, leg: CallKey, key: BridgeKey) {
        if self.by_leg.remove(&leg).is_some() {
            self.release(key);
        }
        let Some(who) = self.begun_by.remove(&leg) else {
            return;
        };
        if let Some(count) = self.begun.get_mut(&who) {
            *count -= 1;
            if *count == 0 {
                self.begun.remove(&who);
            }
        }
    }

    /// One leg less.
    fn release(&mut self, key: BridgeKey) {
        let Some(bridge) = self.bridges.get_mut(&key) else {
            return;
        };
        bridge.legs -= 1;
        if bridge.legs == 0 {
            self.deadlines.arm(key, &mut bridge.armed, None);
            self.bridges.remove(&key);
        }
    }

    fn carry_out(&mut self, key: BridgeKey, outcome: Outcome) {
        for leg in outcome.added {
            self.adopt(leg, key);
        }
        self.settle(key);
        match outcome.parted {
            Some(Parted::Talking(joined)) => {
                let legs = [joined.sides[0].leg, joined.sides[1].leg];
                self.insert(State::Joined(joined), &legs);
            }
            Some(Parted::Ringing(ringing)) => {
                let legs = ringing.legs();
                self.insert(State::Ringing(ringing), &legs);
            }
            None => {}
        }
    }

    /// Brings the deadline table in line with the bridge.
    fn settle(&mut self, key: BridgeKey) {
        let Some(bridge) = self.bridges.get_mut(&key) else {
            return;
        };
        let deadline = bridge.deadline();
        self.deadlines.arm(key, &mut bridge.armed, deadline);
    }
}

impl Bridge {
    fn handle(&mut self, event: CallEvent, line: &mut Line<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        let state = std::mem::replace(&mut self.state, State::Ending);
        self.state = match state {
            State::Ringing(ringing) => ringing.handle(event, line, &mut outcome),
            State::Joined(joined) => joined.handle(event, line, &mut outcome),
            State::Ending => {
                // A phone that answers at the moment of the end.
                if let CallEvent::Answered { call, .. } = event {
                    line.hang_up(call, None);
                }
                State::Ending
            }
        };
        outcome
    }

    fn handle_timeout(&mut self, line: &mut Line<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        let state = std::mem::replace(&mut self.state, State::Ending);
        self.state = match state {
            State::Ringing(ringing) => ringing.handle_timeout(line, &mut outcome),
            State::Joined(joined) => joined.handle_timeout(line, &mut outcome),
            State::Ending => State::Ending,
        };
        outcome
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Ringing(ringing) => Some(ringing.deadline()),
            State::Joined(joined) => joined.deadline(),
            State::Ending => None,
        }
    }
}

impl Line<'_> {
    /// A leg that has ended meanwhile has told so itself.
    fn hang_up(&mut self, leg: CallKey, reason: Option<String>) {
        let _ = self.calls.hang_up(leg, reason, self.endpoint, self.now);
    }

    fn answer_reoffer(&mut self, leg: CallKey, answer: Result<Described, u16>) {
        let _ = self
            .calls
            .answer_reoffer(leg, answer, self.endpoint, self.now);
    }

    fn refuse_reoffer(&mut self, leg: CallKey, status: u16) {
        self.answer_reoffer(leg, Err(status));
    }

    fn reoffer(&mut self, leg: CallKey, offer: Described) -> bool {
        let offered = self.calls.reoffer(leg, offer, self.endpoint, self.now);
        offered.is_ok()
    }
}

/// Whether a side is gone without having said so.
fn is_lost(reason: &EndReason) -> bool {
    matches!(reason, EndReason::Failed(_))
}

/// Reasons as one header value, to be passed on to the other side (RFC 3326).
fn passed_on(said: &[Reason]) -> Option<String> {
    if said.is_empty() {
        return None;
    }
    let reasons: Vec<_> = said.iter().map(ToString::to_string).collect();
    Some(reasons.join(", "))
}
