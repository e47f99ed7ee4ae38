//! Transfers (RFC 5589), done here and never passed on: one side of a call refers the other to somebody else.
//!
//! ```text
//!   blind                                      attended: Replaces names another call of the referrer
//!   REFER ──► the target's devices ring        REFER ──► the target is asked for an offer
//!               │ one answers with its offer               │ Offered
//!               └───────────────┬──────────────────────────┘
//!                               ▼
//!          re-INVITE of the remaining side ──► its answer to the target's ACK ──► 200 to the referrer, whose legs end
//!                               │ refused
//!                               ▼
//!          the target goes (blind) or back to the referrer (attended), the old call stays
//! ```
//!
//! Semi-attended: Replaces names a call of the referrer's that still rings. What rings is taken over with it; who answers there is asked
//! for an offer as in an attended transfer, because what it has answered is the referrer's. The referrer may leave both calls at once.
//! Refused, both calls are as they would be without the transfer; a remaining side that hangs up leaves the ringing to the referrer.
//!
//! The referrer calls the target as far as rules are concerned; the target sees the remaining side as caller and the referrer in
//! Referred-By. The remaining side hears nothing of it before somebody has answered. A referrer that hangs up meanwhile leaves the
//! remaining side to the transfer.

use std::time::Instant;

use sdp::Described;
use sip::{ReferTo, Replaces};
use ua::{CallEvent, CallKey, EndReason, ReferId};

use super::fork::{Fork, Verdict};
use super::joined::Joined;
use super::ringing::Ringing;
use super::{Bridge, BridgeKey, Bridges, Line, Outcome, Parted, Side, State, passed_on};
use crate::calling::TooMany;
use crate::routing::{self, MAX_FORWARDS, Plan};

/// Refer-To names a call that is not the referrer's, or none. Not 481, which would say that the referrer's own call is gone.
const NO_SUCH_CALL: u16 = 404;

/// A transfer under way in a joined call.
#[derive(Debug)]
pub(super) struct Transfer {
    /// The side that asked for it, as long as it is there, and how it is told.
    referrer: Option<(CallKey, ReferId)>,
    /// The side that gets another peer.
    remaining: CallKey,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The target's devices ring.
    Ringing { fork: Fork, rung: Rung },
    /// A target that has a session already is asked for an offer.
    Asking {
        target: Side,
        consultation: Option<Side>,
    },
    /// The target's offer is put to the remaining side; the target waits for the ACK.
    Joining {
        target: Side,
        consultation: Option<Side>,
    },
}

/// For whom the target's devices ring.
#[derive(Debug)]
enum Rung {
    /// For the remaining side, and without an offer.
    ForTransfer,
    /// For the referrer, with its offer; `None` once it has given up that call.
    ForConsultation(Option<Side>),
}

impl Transfer {
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Ringing { fork, .. } => Some(fork.deadline()),
            Stage::Asking { .. } | Stage::Joining { .. } => None,
        }
    }

    /// What rings for it.
    pub(super) fn fork(&self) -> Option<&Fork> {
        match &self.stage {
            Stage::Ringing { fork, .. } => Some(fork),
            Stage::Asking { .. } | Stage::Joining { .. } => None,
        }
    }

    fn notify(&self, status: u16, line: &mut Line<'_>) {
        if let Some((referrer, id)) = self.referrer {
            // Who does not want to know any more has said so.
            let _ = line
                .calls
                .notify_refer(referrer, id, status, line.endpoint, line.now);
        }
    }
}

impl Bridges {
    /// A leg of this bridge refers its peer.
    pub(super) fn refer(&mut self, key: BridgeKey, event: CallEvent, line: &mut Line<'_>) {
        let CallEvent::Referred {
            call,
            id,
            refer_to,
            replaces,
            ..
        } = event
        else {
            return;
        };
        let begun = match replaces {
            None => self.begin_blind(key, call, id, &refer_to, line),
            Some(replaces) => self.begin_attended(key, call, id, &replaces, line),
        };
        if let Err(status) = begun {
            // A leg that has ended meanwhile needs no answer.
            let _ = line
                .calls
                .refuse_refer(call, id, status, line.endpoint, line.now);
        }
    }

    /// The joined call of this leg, if nothing else happens to it.
    fn settled(&mut self, key: BridgeKey, leg: CallKey) -> Result<(&mut Joined, usize), u16> {
        let bridge = self.bridges.get_mut(&key).ok_or(481_u16)?;
        let State::Joined(joined) = &mut bridge.state else {
            return Err(491);
        };
        let at = joined.side(leg).ok_or(481_u16)?;
        if joined.is_settled() {
            Ok((joined, at))
        } else {
            Err(491)
        }
    }

    fn begin_blind(
        &mut self,
        key: BridgeKey,
        referrer: CallKey,
        id: ReferId,
        refer_to: &ReferTo,
        line: &mut Line<'_>,
    ) -> Result<(), u16> {
        let (joined, at) = self.settled(key, referrer)?;
        let who = joined.sides[at].who.aor.clone();
        // The referrer's own call gives its place to the new one.
        let own = usize::from(self.begun_by.contains_key(&referrer));
        let open = self.begun_by(&who).saturating_sub(own);
        let (joined, at) = self.settled(key, referrer)?;
        let remaining = &joined.sides[1 - at];
        let plan = Plan {
            callee: routing::target_of(&refer_to.target(), &who, line.numbers, line.endpoint)?
                .into(),
            caller: remaining.who.clone(),
            referrer: joined.sides[at].who.shown(),
            forwards: MAX_FORWARDS,
            breadth: None,
        };
        let remaining = remaining.leg;
        let admitted = line.calling.admit(&who, open, line.now);
        admitted.map_err(|TooMany| 403_u16)?;
        let accepted = line
            .calls
            .accept_refer(referrer, id, line.endpoint, line.now);
        if accepted.is_err() {
            return Ok(());
        }
        let Some((fork, legs)) = Fork::start(plan, None, line) else {
            let _ = line
                .calls
                .notify_refer(referrer, id, 480, line.endpoint, line.now);
            return Ok(());
        };
        joined.transfer = Some(Box::new(Transfer {
            referrer: Some((referrer, id)),
            remaining,
            stage: Stage::Ringing {
                fork,
                rung: Rung::ForTransfer,
            },
        }));
        // Whoever refers is gone soon and has begun the call all the same.
        self.charge(remaining, who);
        self.carry_out(
            key,
            Outcome {
                added: legs,
                parted: None,
            },
        );
        Ok(())
    }

    /// The far side of the referrer's other call is to be joined with the remaining side: that call moves into this bridge.
    fn begin_attended(
        &mut self,
        key: BridgeKey,
        referrer: CallKey,
        id: ReferId,
        replaces: &Replaces,
        line: &mut Line<'_>,
    ) -> Result<(), u16> {
        let (joined, at) = self.settled(key, referrer)?;
        let who = joined.sides[at].who.aor.clone();
        let consulted = line.calls.find_replaced(replaces).ok_or(NO_SUCH_CALL)?;
        let other = *self.by_leg.get(&consulted).ok_or(NO_SUCH_CALL)?;
        if other == key {
            return Err(NO_SUCH_CALL);
        }
        if let Some(Bridge {
            state: State::Ringing(ringing),
            ..
        }) = self.bridges.get(&other)
        {
            if ringing.caller() != consulted {
                return Err(NO_SUCH_CALL);
            }
            let caller = ringing.settled_caller().ok_or(491_u16)?;
            if caller.who.aor != who {
                return Err(NO_SUCH_CALL);
            }
            self.begin_semi_attended(key, other, (referrer, id), line);
            return Ok(());
        }
        let (consulting, at) = self.settled(other, consulted)?;
        // Nobody may move another's call.
        if consulting.sides[at].who.aor != who {
            return Err(NO_SUCH_CALL);
        }
        // It was to be moved only while it rang (RFC 3891, section 3).
        if replaces.early_only {
            return Err(486);
        }
        let target = consulting.sides[1 - at].leg;
        let accepted = line
            .calls
            .accept_refer(referrer, id, line.endpoint, line.now);
        if accepted.is_err() {
            return Ok(());
        }
        if line.calls.solicit(target, line.endpoint, line.now).is_err() {
            let _ = line
                .calls
                .notify_refer(referrer, id, 503, line.endpoint, line.now);
            return Ok(());
        }
        self.merge(key, other, (referrer, id), at);
        Ok(())
    }

    /// What rings for the referrer's other call shall be joined with the remaining side once somebody answers.
    fn begin_semi_attended(
        &mut self,
        key: BridgeKey,
        other: BridgeKey,
        referrer: (CallKey, ReferId),
        line: &mut Line<'_>,
    ) {
        let (leg, id) = referrer;
        let accepted = line.calls.accept_refer(leg, id, line.endpoint, line.now);
        if accepted.is_err() {
            return;
        }
        let Some(bridge) = self.bridges.get_mut(&other) else {
            return;
        };
        let State::Ringing(ringing) = std::mem::replace(&mut bridge.state, State::Ending) else {
            return;
        };
        let moved = ringing.legs();
        let (caller, fork) = ringing.into_parts();
        let who = caller.who.aor.clone();
        if let Some(bridge) = self.bridges.get_mut(&key)
            && let State::Joined(joined) = &mut bridge.state
            && let Some(at) = joined.side(leg)
        {
            let remaining = joined.sides[1 - at].leg;
            let transfer = Transfer {
                referrer: Some(referrer),
                remaining,
                stage: Stage::Ringing {
                    fork,
                    rung: Rung::ForConsultation(Some(caller)),
                },
            };
            transfer.notify(180, line);
            joined.transfer = Some(Box::new(transfer));
            // Whoever refers is gone soon and has begun the call all the same.
            self.charge(remaining, who);
        }
        for leg in moved {
            self.adopt(leg, key);
        }
        self.settle(key);
    }

    fn merge(
        &mut self,
        key: BridgeKey,
        other: BridgeKey,
        referrer: (CallKey, ReferId),
        consulted: usize,
    ) {
        let Some(bridge) = self.bridges.get_mut(&other) else {
            return;
        };
        let State::Joined(consulting) = std::mem::replace(&mut bridge.state, State::Ending) else {
            return;
        };
        let [first, second] = consulting.sides;
        let (consultation, target) = if consulted == 0 {
            (first, second)
        } else {
            (second, first)
        };
        let moved = [consultation.leg, target.leg];
        if let Some(bridge) = self.bridges.get_mut(&key)
            && let State::Joined(joined) = &mut bridge.state
            && let Some(at) = joined.side(referrer.0)
        {
            joined.transfer = Some(Box::new(Transfer {
                remaining: joined.sides[1 - at].leg,
                referrer: Some(referrer),
                stage: Stage::Asking {
                    target,
                    consultation: Some(consultation),
                },
            }));
        }
        for leg in moved {
            self.adopt(leg, key);
        }
        self.settle(key);
    }
}

impl Joined {
    pub(super) fn handle_timeout(
        mut self: Box<Self>,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        let Some(transfer) = &mut self.transfer else {
            return State::Joined(self);
        };
        let Stage::Ringing { fork, .. } = &mut transfer.stage else {
            return State::Joined(self);
        };
        match fork.handle_timeout(line) {
            Ok(legs) => outcome.added.extend(legs),
            Err(status) => return self.fail(status, line, outcome),
        }
        State::Joined(self)
    }

    pub(super) fn handle_in_transfer(
        mut self: Box<Self>,
        event: CallEvent,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        let Some(transfer) = &mut self.transfer else {
            return State::Joined(self);
        };
        match event {
            CallEvent::Progress { status, .. } => transfer.notify(status, line),
            CallEvent::Answered { call, answer } => {
                return self.target_answered(call, answer, line, outcome);
            }
            CallEvent::Offered { call, offer } => {
                return self.target_offered(call, offer, line, outcome);
            }
            CallEvent::Reanswered { call, answer } if call == transfer.remaining => {
                return self.remaining_answered(answer, line, outcome);
            }
            CallEvent::ReofferFailed { status, .. } => return self.fail(status, line, outcome),
            CallEvent::Reoffered { call, .. } => line.refuse_reoffer(call, 491),
            CallEvent::Ended { call, reason, said } => {
                let reason_value = passed_on(&said);
                return self.ended_in_transfer(call, &reason, reason_value, line, outcome);
            }
            CallEvent::Incoming { .. }
            | CallEvent::Confirmed { .. }
            | CallEvent::Reanswered { .. }
            | CallEvent::Info { .. }
            | CallEvent::Referred { .. }
            | CallEvent::ReferProgress { .. } => {}
        }
        State::Joined(self)
    }

    /// A device of the target answered: with its offer if it rang for nobody else.
    fn target_answered(
        mut self: Box<Self>,
        leg: CallKey,
        offer: Option<Described>,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        let Some(transfer) = &mut self.transfer else {
            return State::Joined(self);
        };
        let Stage::Ringing { fork, rung } = &mut transfer.stage else {
            line.hang_up(leg, None);
            return State::Joined(self);
        };
        let target = Side::new(leg, fork.callee(leg));
        match (rung, offer) {
            (Rung::ForConsultation(consultation), _) => {
                fork.stop_others(leg, line);
                transfer.stage = Stage::Asking {
                    target,
                    consultation: consultation.take(),
                };
                if line.calls.solicit(leg, line.endpoint, line.now).is_err() {
                    return self.fail(480, line, outcome);
                }
                State::Joined(self)
            }
            (Rung::ForTransfer, Some(offer)) => {
                fork.stop_others(leg, line);
                transfer.stage = Stage::Joining {
                    target,
                    consultation: None,
                };
                self.join(offer, line, outcome)
            }
            (Rung::ForTransfer, None) => {
                line.hang_up(leg, None);
                State::Joined(self)
            }
        }
    }

    /// Attended: the target made its offer.
    fn target_offered(
        mut self: Box<Self>,
        leg: CallKey,
        offer: Described,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        let Some(mut transfer) = self.transfer.take() else {
            return State::Joined(self);
        };
        transfer.stage = match transfer.stage {
            Stage::Asking {
                target,
                consultation,
            } if target.leg == leg => Stage::Joining {
                target,
                consultation,
            },
            stage => stage,
        };
        self.transfer = Some(transfer);
        self.join(offer, line, outcome)
    }

    /// Puts the target's offer to the remaining side.
    fn join(
        mut self: Box<Self>,
        offer: Described,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        let remaining = self.transfer.as_ref().map(|transfer| transfer.remaining);
        let Some(at) = remaining.and_then(|leg| self.side(leg)) else {
            return State::Joined(self);
        };
        let side = &mut self.sides[at];
        side.keep_session(line);
        let offer = side.adapt(offer);
        if line.reoffer(side.leg, offer) {
            State::Joined(self)
        } else {
            self.fail(503, line, outcome)
        }
    }

    /// The remaining side agreed: the target hears its answer, and the referrer's part is over.
    fn remaining_answered(
        mut self: Box<Self>,
        answer: Option<Described>,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        let Some(answer) = answer else {
            return self.fail(488, line, outcome);
        };
        let Some(transfer) = self.transfer.take() else {
            return State::Joined(self);
        };
        let Transfer {
            referrer,
            remaining,
            stage:
                Stage::Joining {
                    mut target,
                    consultation,
                },
        } = *transfer
        else {
            return State::Joined(self);
        };
        target.keep_session(line);
        let answer = target.adapt(answer);
        let acknowledged = line
            .calls
            .acknowledge(target.leg, answer, line.endpoint, line.now);
        if acknowledged.is_err() {
            line.hang_up(target.leg, None);
        }
        if let Some((referrer, id)) = referrer {
            let _ = line
                .calls
                .notify_refer(referrer, id, 200, line.endpoint, line.now);
            line.hang_up(referrer, None);
        }
        if let Some(consultation) = consultation {
            release(&consultation, 487, line);
        }
        let gone = usize::from(self.sides[0].leg == remaining);
        self.sides[gone] = target;
        State::Joined(self)
    }

    fn ended_in_transfer(
        mut self: Box<Self>,
        leg: CallKey,
        reason: &EndReason,
        said: Option<String>,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        let offer = None;
        let Some(transfer) = &mut self.transfer else {
            return State::Joined(self);
        };
        if leg == transfer.remaining {
            let referrer = transfer.referrer.map(|(referrer, _)| referrer);
            let _ = self.fail(487, line, outcome);
            if let Some(referrer) = referrer {
                line.hang_up(referrer, said);
            }
            return State::Ending;
        }
        if transfer
            .referrer
            .is_some_and(|(referrer, _)| referrer == leg)
        {
            transfer.referrer = None;
            return State::Joined(self);
        }
        match &mut transfer.stage {
            Stage::Ringing {
                rung: Rung::ForConsultation(consultation),
                ..
            } if consultation.as_ref().is_some_and(|side| side.leg == leg) => {
                *consultation = None;
            }
            Stage::Ringing { fork, .. } => {
                let verdict = fork.ended(leg, reason, offer, line, &mut outcome.added);
                if let Verdict::Refused(status) = verdict {
                    return self.fail(status, line, outcome);
                }
            }
            Stage::Asking { target, .. } | Stage::Joining { target, .. } if target.leg == leg => {
                return self.fail(480, line, outcome);
            }
            // The referrer may leave the consultation at once.
            Stage::Asking { .. } | Stage::Joining { .. } => {}
        }
        State::Joined(self)
    }

    /// It comes to nothing: what was before is restored as far as the sides are still there.
    fn fail(mut self: Box<Self>, status: u16, line: &mut Line<'_>, outcome: &mut Outcome) -> State {
        let Some(transfer) = self.transfer.take() else {
            return State::Joined(self);
        };
        transfer.notify(status, line);
        let Transfer {
            referrer,
            remaining,
            stage,
        } = *transfer;
        match stage {
            Stage::Ringing { fork, rung } => Self::ring_on(fork, rung, status, line, outcome),
            Stage::Asking {
                target,
                consultation,
            } => Self::part(target, consultation, line, outcome),
            Stage::Joining {
                target,
                consultation,
            } => {
                self.restore(remaining, line);
                Self::part(target, consultation, line, outcome);
            }
        }
        if referrer.is_none() {
            line.hang_up(remaining, None);
            return State::Ending;
        }
        State::Joined(self)
    }

    /// The consultation goes on as it was: the target's offer is answered with the session that it had.
    fn part(target: Side, consultation: Option<Side>, line: &mut Line<'_>, outcome: &mut Outcome) {
        let alive = |side: &Side| line.calls.replaces_value(side.leg).is_some();
        let Some(consultation) = consultation else {
            return line.hang_up(target.leg, None);
        };
        if !alive(&target) || !alive(&consultation) {
            line.hang_up(target.leg, None);
            return release(&consultation, 480, line);
        }
        if let Some(known) = line.calls.local_description(target.leg) {
            // Nothing to acknowledge if it made no offer.
            let _ = line
                .calls
                .acknowledge(target.leg, known, line.endpoint, line.now);
        }
        outcome.parted = Some(Parted::Talking(Box::new([consultation, target])));
    }

    /// What rings stops, unless it rings for the referrer too and may go on.
    fn ring_on(fork: Fork, rung: Rung, status: u16, line: &mut Line<'_>, outcome: &mut Outcome) {
        let Rung::ForConsultation(Some(caller)) = rung else {
            return fork.stop(None, line);
        };
        let may_go_on = status < 600 && fork.alive().next().is_some();
        if may_go_on {
            let ringing = Ringing::resumed(caller, fork);
            outcome.parted = Some(Parted::Ringing(Box::new(ringing)));
        } else {
            fork.stop(None, line);
            release(&caller, status, line);
        }
    }
}

/// A leg that is needed no more ends: one that still rings with this status.
fn release(side: &Side, status: u16, line: &mut Line<'_>) {
    let rejected = line.calls.reject(side.leg, status, line.endpoint, line.now);
    if rejected.is_err() {
        line.hang_up(side.leg, None);
    }
}
