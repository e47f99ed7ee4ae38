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
//! ```
//!
//! Invariant: every leg in [`Bridges`] belongs to exactly one bridge, and a bridge is dropped with its last leg.
//!
//! Not here: who is called (`routing.rs`), and the legs' own dialogs (`ua::Calls`).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sdp::SessionDescription;
use sip::Endpoint;
use ua::{CallEvent, CallFailure, CallKey, Calls, Dial, EndReason};

/// Told to a device whose call another device has answered (RFC 3326).
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct BridgeKey(u64);

/// What the bridges act on in one step.
pub(crate) struct Line<'a> {
    pub(crate) calls: &'a mut Calls,
    pub(crate) endpoint: &'a mut Endpoint,
    pub(crate) now: Instant,
}

/// All calls through the proxy.
#[derive(Debug, Default)]
pub(crate) struct Bridges {
    bridges: HashMap<BridgeKey, Bridge>,
    by_leg: HashMap<CallKey, BridgeKey>,
    next: u64,
}

#[derive(Debug)]
struct Bridge {
    caller: CallKey,
    branches: Vec<Branch>,
    state: State,
    /// The side that waits for the other's answer to its re-INVITE.
    reoffered_by: Option<CallKey>,
    /// What each joined side last said of its session, for a side that asks for an offer.
    described: HashMap<CallKey, SessionDescription>,
}

#[derive(Debug)]
struct Branch {
    leg: CallKey,
    /// Early media's answer, if the device gave one.
    early: Option<SessionDescription>,
    /// Why it ended.
    failed: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ringing { until: Instant },
    Joined { callee: CallKey },
    Ending,
}

impl Bridges {
    /// Rings every device of `dials` for `caller`. Returns `false` if none could be rung; the caller's leg is then the owner's to reject.
    pub(crate) fn ring(
        &mut self,
        caller: CallKey,
        dials: Vec<Dial>,
        patience: Duration,
        line: &mut Line<'_>,
    ) -> bool {
        let branches: Vec<_> = dials
            .into_iter()
            .filter_map(|dial| line.calls.dial(dial, line.endpoint, line.now).ok())
            .map(|leg| Branch {
                leg,
                early: None,
                failed: None,
            })
            .collect();
        if branches.is_empty() {
            return false;
        }
        let key = BridgeKey(self.next);
        self.next += 1;
        self.by_leg.insert(caller, key);
        self.by_leg
            .extend(branches.iter().map(|branch| (branch.leg, key)));
        let state = State::Ringing {
            until: line.now + patience,
        };
        self.bridges.insert(
            key,
            Bridge {
                caller,
                branches,
                state,
                reoffered_by: None,
                described: HashMap::new(),
            },
        );
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
        let ended = matches!(event, CallEvent::Ended { .. });
        let Some(bridge) = self.bridges.get_mut(&key) else {
            return Some(event);
        };
        bridge.handle(event, line);
        if ended {
            self.by_leg.remove(&leg);
            if !self.by_leg.values().any(|other| *other == key) {
                self.bridges.remove(&key);
            }
        }
        None
    }

    /// Ends what nobody has answered in time.
    pub(crate) fn handle_timeout(&mut self, line: &mut Line<'_>) {
        for bridge in self.bridges.values_mut() {
            if bridge.deadline().is_some_and(|until| until <= line.now) {
                bridge.give_up(408, line);
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.bridges.values().filter_map(Bridge::deadline).min()
    }

    pub(crate) fn len(&self) -> usize {
        self.bridges.len()
    }
}

impl Bridge {
    fn handle(&mut self, event: CallEvent, line: &mut Line<'_>) {
        match event {
            CallEvent::Progress {
                call,
                status,
                answer,
            } => self.progress(call, status, answer, line),
            CallEvent::Answered { call, answer } => self.answered(call, answer, line),
            CallEvent::Confirmed { call, answer } => self.confirmed(call, answer, line),
            CallEvent::Reoffered { call, offer } => self.reoffered(call, offer, line),
            CallEvent::Reanswered { call, answer } => self.reanswered(call, answer, line),
            CallEvent::ReofferFailed { call, status } => self.reoffer_failed(call, status, line),
            CallEvent::Ended { call, reason, .. } => self.ended(call, &reason, line),
            CallEvent::Referred { call, id, .. } => {
                let _ = line
                    .calls
                    .refuse_refer(call, id, 603, line.endpoint, line.now);
            }
            CallEvent::Incoming { .. }
            | CallEvent::Info { .. }
            | CallEvent::Offered { .. }
            | CallEvent::ReferProgress { .. } => {}
        }
    }

    fn progress(
        &mut self,
        leg: CallKey,
        status: u16,
        answer: Option<SessionDescription>,
        line: &mut Line<'_>,
    ) {
        if !matches!(self.state, State::Ringing { .. }) {
            return;
        }
        // With several devices ringing there is no one whose early media the caller could hear.
        let (status, early) = if self.branches.len() == 1 {
            (status, answer.clone())
        } else {
            (180, None)
        };
        if let Some(branch) = self.branches.iter_mut().find(|branch| branch.leg == leg) {
            branch.early = answer.or(branch.early.take());
        }
        // The caller may be gone already; its end is told as an event of its own.
        let _ = line
            .calls
            .progress(self.caller, status, early, line.endpoint, line.now);
    }

    fn answered(&mut self, leg: CallKey, answer: Option<SessionDescription>, line: &mut Line<'_>) {
        if !matches!(self.state, State::Ringing { .. }) {
            line.hang_up(leg, Some(ELSEWHERE));
            return;
        }
        let early = self
            .branches
            .iter_mut()
            .find(|branch| branch.leg == leg)
            .and_then(|branch| branch.early.take());
        let answer = answer.or(early);
        if line
            .calls
            .answer(self.caller, answer.clone(), line.endpoint, line.now)
            .is_err()
        {
            line.hang_up(leg, None);
            return;
        }
        self.state = State::Joined { callee: leg };
        self.described.extend(answer.map(|answer| (leg, answer)));
        for branch in self.branches.iter().filter(|branch| branch.leg != leg) {
            line.hang_up(branch.leg, Some(ELSEWHERE));
        }
    }

    /// The caller's ACK carries the answer if the INVITE came without an offer.
    fn confirmed(&mut self, leg: CallKey, answer: Option<SessionDescription>, line: &mut Line<'_>) {
        let State::Joined { callee } = self.state else {
            return;
        };
        if leg != self.caller {
            return;
        }
        if let Some(answer) = answer {
            self.described.insert(leg, answer.clone());
            if line
                .calls
                .acknowledge(callee, answer, line.endpoint, line.now)
                .is_err()
            {
                line.hang_up(leg, None);
            }
        }
    }

    fn reoffered(&mut self, leg: CallKey, offer: Option<SessionDescription>, line: &mut Line<'_>) {
        let Some(other) = self.other(leg) else {
            line.refuse_reoffer(leg, 500);
            return;
        };
        let Some(offer) = offer else {
            match self.described.get(&other) {
                Some(known) => line.answer_reoffer(leg, Ok(known.clone())),
                None => line.refuse_reoffer(leg, 488),
            }
            return;
        };
        self.described.insert(leg, offer.clone());
        match line.calls.reoffer(other, offer, line.endpoint, line.now) {
            Ok(()) => self.reoffered_by = Some(leg),
            Err(_) => line.refuse_reoffer(leg, 491),
        }
    }

    fn reanswered(
        &mut self,
        leg: CallKey,
        answer: Option<SessionDescription>,
        line: &mut Line<'_>,
    ) {
        self.described
            .extend(answer.clone().map(|answer| (leg, answer)));
        match (self.reoffered_by.take(), answer) {
            (Some(asker), Some(answer)) => line.answer_reoffer(asker, Ok(answer)),
            (Some(asker), None) => line.refuse_reoffer(asker, 500),
            // The answer to an offer that we made for a side that asked for one: the other side must hear of it.
            (None, Some(offer)) => {
                if let Some(other) = self.other(leg) {
                    let _ = line.calls.reoffer(other, offer, line.endpoint, line.now);
                }
            }
            (None, None) => {}
        }
    }

    fn reoffer_failed(&mut self, leg: CallKey, status: u16, line: &mut Line<'_>) {
        if let Some(asker) = self.reoffered_by.take_if(|asker| *asker != leg) {
            line.refuse_reoffer(asker, status);
        }
    }

    fn ended(&mut self, leg: CallKey, reason: &EndReason, line: &mut Line<'_>) {
        if leg == self.caller {
            let others: Vec<_> = self
                .branches
                .iter()
                .filter(|branch| branch.failed.is_none())
                .map(|branch| branch.leg)
                .collect();
            self.state = State::Ending;
            for leg in others {
                line.hang_up(leg, None);
            }
            return;
        }
        let status = status_of(reason);
        if let Some(branch) = self.branches.iter_mut().find(|branch| branch.leg == leg) {
            branch.failed = Some(status);
        }
        match self.state {
            State::Joined { callee } if callee == leg => {
                self.state = State::Ending;
                line.hang_up(self.caller, None);
            }
            State::Ringing { .. } => {
                if (600..700).contains(&status) {
                    self.give_up(status, line);
                } else if let Some(best) = self.best_failure() {
                    self.give_up(best, line);
                }
            }
            State::Joined { .. } | State::Ending => {}
        }
    }

    /// Ends a call that was not answered.
    fn give_up(&mut self, status: u16, line: &mut Line<'_>) {
        self.state = State::Ending;
        for branch in self
            .branches
            .iter()
            .filter(|branch| branch.failed.is_none())
        {
            line.hang_up(branch.leg, None);
        }
        let _ = line
            .calls
            .reject(self.caller, status, line.endpoint, line.now);
    }

    /// Once all branches have failed: the status that helps the caller most (RFC 3261, section 16.7, step 6).
    fn best_failure(&self) -> Option<u16> {
        let statuses: Option<Vec<u16>> = self.branches.iter().map(|branch| branch.failed).collect();
        statuses?
            .into_iter()
            .min_by_key(|status| (status / 100, *status == 480, *status))
    }

    fn other(&self, leg: CallKey) -> Option<CallKey> {
        match self.state {
            State::Joined { callee } if callee == leg => Some(self.caller),
            State::Joined { callee } if leg == self.caller => Some(callee),
            _ => None,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Ringing { until } => Some(until),
            State::Joined { .. } | State::Ending => None,
        }
    }
}

impl Line<'_> {
    /// A leg that has ended meanwhile has told so itself.
    fn hang_up(&mut self, leg: CallKey, reason: Option<&str>) {
        let _ = self
            .calls
            .hang_up(leg, reason.map(str::to_owned), self.endpoint, self.now);
    }

    fn answer_reoffer(&mut self, leg: CallKey, answer: Result<SessionDescription, u16>) {
        let _ = self
            .calls
            .answer_reoffer(leg, answer, self.endpoint, self.now);
    }

    fn refuse_reoffer(&mut self, leg: CallKey, status: u16) {
        self.answer_reoffer(leg, Err(status));
    }
}

/// What a branch's end means to the caller. That a device could not be reached is no answer of the callee's: it is offline.
fn status_of(reason: &EndReason) -> u16 {
    match reason {
        EndReason::Failed(
            CallFailure::Timeout
            | CallFailure::Unreachable
            | CallFailure::Lost
            | CallFailure::Protocol,
        ) => 480,
        EndReason::Failed(
            CallFailure::WrongCredentials { .. } | CallFailure::Redirected { .. },
        ) => 480,
        EndReason::Failed(failure) => failure.status().unwrap_or(480),
        EndReason::LocalHangUp
        | EndReason::RemoteHangUp
        | EndReason::Cancelled
        | EndReason::AnsweredElsewhere
        | EndReason::Replaced { .. } => 480,
    }
}
