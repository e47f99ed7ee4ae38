//! Two sides of an answered call: what passes between them.

use std::time::Instant;

use sdp::Described;
use ua::{CallEvent, CallKey, EndReason};

use super::fork::Fork;
use super::pickup::Pickup;
use super::transfer::Transfer;
use super::{Line, Outcome, Side, State, passed_on};
use crate::call_record::CallEndReason;
use crate::ledger::RecordKey;

/// Two sides that talk.
#[derive(Debug)]
pub(super) struct Joined {
    /// The caller first, as the record has them.
    pub(super) sides: [Side; 2],
    pub(super) record: RecordKey,
    /// The side that waits for the other's answer to its re-INVITE.
    reoffered_by: Option<CallKey>,
    /// The side that hears our own offer, whose answer concerns nobody else.
    correcting: Option<CallKey>,
    /// The side whose answer to somebody who is gone is still to come: then it hears the other side again.
    restoring: Option<CallKey>,
    pub(super) transfer: Option<Box<Transfer>>,
    pub(super) pickup: Option<Box<Pickup>>,
}

impl Joined {
    pub(super) fn new(sides: [Side; 2], record: RecordKey) -> Self {
        Self {
            sides,
            record,
            reoffered_by: None,
            correcting: None,
            restoring: None,
            transfer: None,
            pickup: None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.transfer.as_ref()?.deadline()
    }

    /// What rings for a transfer.
    pub(super) fn fork(&self) -> Option<&Fork> {
        self.transfer.as_ref()?.fork()
    }

    /// Neither side is being exchanged, and no change of the session is under way.
    pub(super) fn is_settled(&self) -> bool {
        self.transfer.is_none()
            && self.pickup.is_none()
            && self.reoffered_by.is_none()
            && self.restoring.is_none()
    }

    /// Nobody is left behind the offer that this side was made: the session with the other side counts again.
    pub(super) fn restore(&mut self, leg: CallKey, line: &mut Line<'_>) {
        if line.calls.is_offering(leg) {
            self.restoring = Some(leg);
        } else {
            self.offer_again(leg, line);
        }
    }

    fn offer_again(&mut self, leg: CallKey, line: &mut Line<'_>) {
        let Some(at) = self.side(leg) else {
            return;
        };
        let other = self.sides[1 - at].leg;
        if let Some(known) = line.calls.remote_description(other) {
            let known = self.sides[at].adapt(known);
            if line.reoffer(leg, known) {
                self.correcting = Some(leg);
            }
        }
    }

    /// One of the two sides has ended, and so has their talk.
    pub(super) fn end_record(&self, side: usize, reason: &EndReason, line: &mut Line<'_>) {
        let reason = match (side, reason) {
            (_, EndReason::Failed(_) | EndReason::LocalHangUp) => CallEndReason::Lost,
            (0, _) => CallEndReason::CallerHungUp,
            _ => CallEndReason::CalleeHungUp,
        };
        line.ledger.end(self.record, reason, None, line.now);
    }

    /// `to` takes the place of whoever talks to the side with the leg `stays`. The one that begins it calls the other.
    pub(super) fn exchange(
        &mut self,
        stays: CallKey,
        to: Side,
        record: RecordKey,
        reason: CallEndReason,
        line: &mut Line<'_>,
    ) {
        let gone = usize::from(self.sides[0].leg == stays);
        self.sides[gone] = to;
        line.ledger.end(self.record, reason, None, line.now);
        line.ledger.answer(record, line.now);
        self.record = record;
    }

    /// Which side a leg is.
    pub(super) fn side(&self, leg: CallKey) -> Option<usize> {
        self.sides.iter().position(|side| side.leg == leg)
    }

    pub(super) fn handle(
        mut self: Box<Self>,
        event: CallEvent,
        line: &mut Line<'_>,
        outcome: &mut Outcome,
    ) -> State {
        if self.transfer.is_some() {
            return self.handle_in_transfer(event, line, outcome);
        }
        if self.pickup.is_some() {
            return self.handle_in_pickup(event, line);
        }
        match event {
            // A device that answered at the same moment as the one that has the call.
            CallEvent::Answered { call, .. } if self.side(call).is_none() => {
                line.hang_up(call, None);
            }
            CallEvent::Confirmed { call, answer } => self.confirmed(call, answer, line),
            CallEvent::Reoffered { call, offer } => self.reoffered(call, offer, line),
            CallEvent::Reanswered { call, answer } => self.reanswered(call, answer, line),
            CallEvent::ReofferFailed { call, status } => self.reoffer_failed(call, status, line),
            CallEvent::Info {
                call,
                content_type,
                body,
            } => self.info(call, &content_type, body, line),
            CallEvent::Ended { call, said, reason } => {
                if let Some(at) = self.side(call) {
                    self.end_record(at, &reason, line);
                    line.hang_up(self.sides[1 - at].leg, passed_on(&said));
                    return State::Ending;
                }
            }
            CallEvent::Incoming { .. }
            | CallEvent::Progress { .. }
            | CallEvent::Answered { .. }
            // The side that sent it was told 200 when it came.
            | CallEvent::InfoRefused { .. }
            | CallEvent::Offered { .. }
            | CallEvent::Referred { .. }
            | CallEvent::ReferProgress { .. } => {}
        }
        State::Joined(self)
    }

    /// The caller's ACK carries the answer if the INVITE came without an offer.
    fn confirmed(&mut self, leg: CallKey, answer: Option<Described>, line: &mut Line<'_>) {
        let (Some(at), Some(answer)) = (self.side(leg), answer) else {
            return;
        };
        let other = &mut self.sides[1 - at];
        let answer = other.adapt(answer);
        let acknowledged = line
            .calls
            .acknowledge(other.leg, answer, line.endpoint, line.now);
        if acknowledged.is_err() {
            line.hang_up(leg, None);
        }
    }

    fn reoffered(&mut self, leg: CallKey, offer: Option<Described>, line: &mut Line<'_>) {
        let Some(at) = self.side(leg).filter(|_| self.reoffered_by.is_none()) else {
            // The two sides changed the session at once: the later one has to come again.
            return line.refuse_reoffer(leg, 491);
        };
        let other = &mut self.sides[1 - at];
        let Some(offer) = offer else {
            let known = line.calls.remote_description(other.leg);
            let known = known.map(|known| self.sides[at].adapt(known));
            return line.answer_reoffer(leg, known.ok_or(488));
        };
        let offer = other.adapt(offer);
        if line.reoffer(other.leg, offer) {
            self.reoffered_by = Some(leg);
        } else {
            line.refuse_reoffer(leg, 491);
        }
    }

    fn reanswered(&mut self, leg: CallKey, answer: Option<Described>, line: &mut Line<'_>) {
        if self.restoring.take_if(|side| *side == leg).is_some() {
            return self.offer_again(leg, line);
        }
        if self.correcting.take_if(|side| *side == leg).is_some() {
            return;
        }
        let Some(at) = self.side(leg) else {
            return;
        };
        let other = &mut self.sides[1 - at];
        match (self.reoffered_by.take_if(|asker| *asker != leg), answer) {
            (Some(asker), Some(answer)) => {
                let answer = other.adapt(answer);
                line.answer_reoffer(asker, Ok(answer));
            }
            (Some(asker), None) => line.refuse_reoffer(asker, 500),
            // The answer to an offer that we made for a side that asked for one: the other side must hear of it.
            (None, Some(offer)) => {
                let (other, offer) = (other.leg, other.adapt(offer));
                if line.reoffer(other, offer) {
                    self.correcting = Some(other);
                }
            }
            (None, None) => {}
        }
    }

    fn reoffer_failed(&mut self, leg: CallKey, status: u16, line: &mut Line<'_>) {
        self.restoring.take_if(|side| *side == leg);
        self.correcting.take_if(|side| *side == leg);
        if let Some(asker) = self.reoffered_by.take_if(|asker| *asker != leg) {
            line.refuse_reoffer(asker, status);
        }
    }

    fn info(&self, leg: CallKey, content_type: &str, body: bytes::Bytes, line: &mut Line<'_>) {
        if let Some(at) = self.side(leg) {
            let other = self.sides[1 - at].leg;
            // A digit that cannot be sent now is lost, as it would be on its way.
            let _ = line
                .calls
                .info(other, content_type, body, line.endpoint, line.now);
        }
    }
}
