//! The course of a transfer that has begun: who answers is joined with the remaining side, or all is as it was.
//!
//! Invariant: of three sides two are joined or none is, and the one that asked is told which.

use sdp::Described;
use ua::{CallEvent, CallKey, EndReason};

use super::{Rung, Stage, Transfer};
use crate::bridge::fork::{Fork, Verdict};
use crate::bridge::joined::Joined;
use crate::bridge::ringing::Ringing;
use crate::bridge::{Line, Outcome, Parted, Side, State, passed_on};
use crate::call_record::CallEndReason;
use crate::ledger::RecordKey;

impl Joined {
    pub(in crate::bridge) fn handle_timeout(
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

    pub(in crate::bridge) fn handle_in_transfer(
        mut self: Box<Self>,
        event: CallEvent,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        let Some(transfer) = &mut self.transfer else {
            return State::Joined(self);
        };
        match event {
            CallEvent::Progress { status, .. } => {
                if let Stage::Ringing { fork, .. } = &mut transfer.stage {
                    fork.hear(status);
                }
                transfer.notify(status, line);
            }
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
            | CallEvent::InfoRefused { .. }
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
        let target = fork.callee(leg);
        match (rung, offer) {
            (Rung::ForConsultation(consultation), _) => {
                fork.stop_others(leg, line);
                transfer.consulted = Some(fork.won_by(leg, line));
                line.ledger
                    .set_device(transfer.record, target.device.as_deref());
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
                transfer.record = fork.won_by(leg, line);
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
            record,
            consulted,
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
        if let Some(consulted) = consulted {
            line.ledger.join(consulted, record);
            let reason = CallEndReason::Transferred;
            line.ledger.end(consulted, reason, None, line.now);
        }
        let reason = CallEndReason::Transferred;
        self.exchange(remaining, target, record, reason, line);
        if self.sides[1].leg == remaining {
            self.sides.swap(0, 1);
        }
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
            if let Some(at) = self.side(leg) {
                self.end_record(at, reason, line);
            }
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
            let reason = CallEndReason::Transferred;
            line.ledger.end(self.record, reason, None, line.now);
            return State::Joined(self);
        }
        match &mut transfer.stage {
            Stage::Ringing {
                rung: Rung::ForConsultation(consultation),
                ..
            } if consultation.as_ref().is_some_and(|side| side.leg == leg) => {
                *consultation = None;
                if let Some(consulted) = transfer.consulted.take() {
                    line.ledger.join(consulted, transfer.record);
                    let reason = CallEndReason::Transferred;
                    line.ledger.end(consulted, reason, None, line.now);
                }
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
            record,
            consulted,
            stage,
        } = *transfer;
        if let Stage::Ringing { fork, .. } = &stage
            && fork.record() == record
        {
            fork.lost(status, line);
        }
        line.ledger.fail(record, status, line.now);
        match stage {
            Stage::Ringing { fork, rung } => Self::ring_on(*fork, rung, status, line, outcome),
            Stage::Asking {
                target,
                consultation,
            } => Self::part(target, consultation, consulted, line, outcome),
            Stage::Joining {
                target,
                consultation,
            } => {
                self.restore(remaining, line);
                Self::part(target, consultation, consulted, line, outcome);
            }
        }
        if referrer.is_none() {
            let reason = CallEndReason::Transferred;
            line.ledger.end(self.record, reason, None, line.now);
            line.hang_up(remaining, None);
            return State::Ending;
        }
        State::Joined(self)
    }

    /// The consultation goes on as it was: the target's offer is answered with the session that it had.
    fn part(
        target: Side,
        consultation: Option<Side>,
        record: Option<RecordKey>,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) {
        let Some(record) = record else {
            return line.hang_up(target.leg, None);
        };
        let alive = |side: &Side| line.calls.replaces_value(side.leg).is_some();
        let Some(consultation) = consultation else {
            line.ledger.fail(record, 480, line.now);
            return line.hang_up(target.leg, None);
        };
        if !alive(&target) || !alive(&consultation) {
            line.ledger.fail(record, 480, line.now);
            line.hang_up(target.leg, None);
            return release(&consultation, 480, line);
        }
        if let Some(known) = line.calls.local_description(target.leg) {
            // Nothing to acknowledge if it made no offer.
            let _ = line
                .calls
                .acknowledge(target.leg, known, line.endpoint, line.now);
        }
        let mut sides = [consultation, target];
        if !line.ledger.is_caller(record, &sides[0].who.aor) {
            sides.swap(0, 1);
        }
        let joined = Joined::new(sides, record);
        outcome.parted = Some(Parted::Talking(Box::new(joined)));
    }

    /// What rings stops, unless it rings for the referrer too and may go on.
    fn ring_on(fork: Fork, rung: Rung, status: u16, line: &mut Line<'_>, outcome: &mut Outcome) {
        let Rung::ForConsultation(Some(caller)) = rung else {
            fork.lost(status, line);
            return fork.stop(None, line);
        };
        let may_go_on = status < 600 && fork.alive().next().is_some();
        if may_go_on {
            let ringing = Ringing::resumed(caller, fork);
            outcome.parted = Some(Parted::Ringing(Box::new(ringing)));
        } else {
            fork.lost(status, line);
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
