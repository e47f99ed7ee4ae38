//! A call until it is answered.

use std::time::Instant;

use sdp::Described;
use ua::{CallEvent, CallKey, EndReason};

use super::fork::{Fork, Verdict};
use super::joined::Joined;
use super::{Line, Outcome, Side, State, is_lost, passed_on};
use crate::ledger::RecordKey;
use crate::routing::Plan;

/// A caller, and what rings for it.
#[derive(Debug)]
pub(super) struct Ringing {
    caller: Side,
    fork: Fork,
    /// The side whose offer in the early dialog waits for the other's answer.
    reoffered_by: Option<CallKey>,
}

impl Ringing {
    pub(super) fn start(
        mut caller: Side,
        plan: Plan,
        record: RecordKey,
        line: &mut Line<'_>,
    ) -> Option<(Self, Vec<CallKey>)> {
        let offer = line.calls.remote_description(caller.leg);
        caller.device = line.ledger.calling_device(record).map(Box::from);
        let (fork, legs) = Fork::start(plan, record, offer.as_ref(), line)?;
        let ringing = Self {
            caller,
            fork,
            reoffered_by: None,
        };
        Some((ringing, legs))
    }

    pub(super) fn caller(&self) -> CallKey {
        self.caller.leg
    }

    /// The caller, if no change of the session is under way.
    pub(super) fn settled_caller(&self) -> Option<&Side> {
        self.reoffered_by.is_none().then_some(&self.caller)
    }

    pub(super) fn fork(&self) -> &Fork {
        &self.fork
    }

    pub(super) fn into_parts(self) -> (Side, Fork) {
        (self.caller, self.fork)
    }

    /// What rang for a transfer rings for the caller again.
    pub(super) fn resumed(caller: Side, fork: Fork) -> Self {
        Self {
            caller,
            fork,
            reoffered_by: None,
        }
    }

    pub(super) fn legs(&self) -> Vec<CallKey> {
        self.fork.alive().chain([self.caller.leg]).collect()
    }

    pub(super) fn deadline(&self) -> Instant {
        self.fork.deadline()
    }

    pub(super) fn handle(
        mut self: Box<Self>,
        event: CallEvent,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        match event {
            CallEvent::Progress {
                call,
                status,
                answer,
            } => self.progress(call, status, answer, line),
            CallEvent::Answered { call, answer } => return self.answered(call, answer, line),
            CallEvent::Reoffered { call, offer } => self.reoffered(call, offer, line),
            CallEvent::Reanswered { call, answer } => self.reanswered(call, answer, line),
            CallEvent::ReofferFailed { call, status } => self.reoffer_failed(call, status, line),
            CallEvent::Ended { call, said, reason } if call == self.caller.leg => {
                // 487 is what a caller who gives up is told.
                let status = if is_lost(&reason) { 500 } else { 487 };
                self.fork.lost(status, line);
                self.fork.stop(passed_on(&said).as_ref(), line);
                return State::Ending;
            }
            CallEvent::Ended { call, reason, .. } => {
                return self.branch_ended(call, &reason, line, outcome);
            }
            CallEvent::Incoming { .. }
            | CallEvent::Confirmed { .. }
            | CallEvent::Info { .. }
            | CallEvent::InfoRefused { .. }
            | CallEvent::Offered { .. }
            | CallEvent::Referred { .. }
            | CallEvent::ReferProgress { .. } => {}
        }
        State::Ringing(self)
    }

    pub(super) fn handle_timeout(
        mut self: Box<Self>,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        match self.fork.handle_timeout(line) {
            Ok(legs) => {
                outcome.added.extend(legs);
                State::Ringing(self)
            }
            Err(status) => self.give_up(status, line),
        }
    }

    fn progress(
        &mut self,
        leg: CallKey,
        status: u16,
        answer: Option<Described>,
        line: &mut Line<'_>,
    ) {
        self.fork.hear(status);
        // With several devices ringing there is no one whose early media the caller could hear.
        let (status, early) = if self.fork.is_only(leg) {
            (status, answer)
        } else {
            (180, None)
        };
        // The caller may be gone already; its end is told as an event of its own.
        let _ = line
            .calls
            .progress(self.caller.leg, status, early, line.endpoint, line.now);
    }

    fn answered(
        self: Box<Self>,
        leg: CallKey,
        answer: Option<Described>,
        line: &mut Line<'_>,
    ) -> State {
        let answered = line
            .calls
            .answer(self.caller.leg, answer, line.endpoint, line.now);
        if answered.is_err() {
            // The caller gave up at the same moment, and its end is told after this.
            line.hang_up(leg, None);
            return State::Ringing(self);
        }
        self.fork.stop_others(leg, line);
        let record = self.fork.won_by(leg, line);
        line.ledger.answer(record, line.now);
        let callee = self.fork.callee(leg);
        State::Joined(Box::new(Joined::new([self.caller, callee], record)))
    }

    /// An offer in the early dialog (RFC 3311): only where one device alone can be meant.
    fn reoffered(&mut self, leg: CallKey, offer: Option<Described>, line: &mut Line<'_>) {
        let passed = match (self.other(leg), offer) {
            (Some(other), Some(offer)) if self.reoffered_by.is_none() => line.reoffer(other, offer),
            _ => false,
        };
        if passed {
            self.reoffered_by = Some(leg);
        } else {
            line.refuse_reoffer(leg, 488);
        }
    }

    fn reanswered(&mut self, leg: CallKey, answer: Option<Described>, line: &mut Line<'_>) {
        if let Some(asker) = self.reoffered_by.take_if(|asker| *asker != leg) {
            line.answer_reoffer(asker, answer.ok_or(488));
        }
    }

    fn reoffer_failed(&mut self, leg: CallKey, status: u16, line: &mut Line<'_>) {
        if let Some(asker) = self.reoffered_by.take_if(|asker| *asker != leg) {
            line.refuse_reoffer(asker, status);
        }
    }

    fn other(&self, leg: CallKey) -> Option<CallKey> {
        if leg == self.caller.leg {
            return self.fork.only();
        }
        self.fork.is_only(leg).then_some(self.caller.leg)
    }

    fn branch_ended(
        mut self: Box<Self>,
        leg: CallKey,
        reason: &EndReason,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        let offer = line.calls.remote_description(self.caller.leg);
        let verdict = self
            .fork
            .ended(leg, reason, offer.as_ref(), line, &mut outcome.added);
        match verdict {
            Verdict::Wait => State::Ringing(self),
            Verdict::Refused(status) => self.give_up(status, line),
        }
    }

    /// Ends a call that was not answered.
    fn give_up(self: Box<Self>, status: u16, line: &mut Line<'_>) -> State {
        // Declined for everybody (RFC 3261, section 21.6): the others are told.
        let reason = (status >= 600).then(|| format!("SIP;cause={status}"));
        self.fork.stop(reason.as_ref(), line);
        self.fork.lost(status, line);
        let _ = line
            .calls
            .reject(self.caller.leg, status, line.endpoint, line.now);
        State::Ending
    }

    /// Whether one of the phones that ring is the one with this leg.
    pub(super) fn rings(&self, leg: CallKey) -> bool {
        self.fork.contains(leg)
    }
}
