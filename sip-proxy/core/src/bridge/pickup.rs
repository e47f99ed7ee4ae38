//! INVITE with Replaces (RFC 3891): a phone takes over a leg of an answered call.
//!
//! Only the user whose leg it is, or the one it talks to, may: who is authenticated as somebody else is refused (security, not
//! manners: whoever knows the dialog's identifiers could otherwise steal the call).

use sdp::Described;
use ua::{CallEvent, CallKey};

use super::joined::Joined;
use super::{Bridges, Line, Side, State, passed_on};
use crate::call_record::{CallEndReason, CallLink, CallLinkKind};
use crate::ledger::RecordKey;

/// A phone whose offer is put to the side that stays.
#[derive(Debug)]
pub(super) struct Pickup {
    newcomer: Side,
    stays: CallKey,
    record: RecordKey,
}

impl Bridges {
    /// `newcomer`, an incoming leg with this offer, is to take the place of `replaced`; what becomes of it goes to `record`. The error
    /// is the status to refuse it with, and the record is then not ended.
    pub(crate) fn pick_up(
        &mut self,
        newcomer: Side,
        record: RecordKey,
        offer: Option<Described>,
        replaced: CallKey,
        line: &mut Line<'_>,
    ) -> Result<(), u16> {
        let key = *self.by_leg.get(&replaced).ok_or(481_u16)?;
        let bridge = self.bridges.get_mut(&key).ok_or(481_u16)?;
        let joined = match &mut bridge.state {
            State::Joined(joined) => joined,
            // Both the caller and the newcomer have made an offer: there is nobody to answer.
            State::Ringing(ringing) if ringing.rings(replaced) => return Err(488),
            State::Ringing(_) | State::Ending => return Err(481),
        };
        let at = joined.side(replaced).ok_or(481_u16)?;
        if joined
            .sides
            .iter()
            .all(|side| side.who.aor != newcomer.who.aor)
        {
            return Err(403);
        }
        if !joined.is_settled() {
            return Err(491);
        }
        let offer = offer.ok_or(488_u16)?;
        let stays = &mut joined.sides[1 - at];
        stays.keep_session(line);
        let offer = stays.adapt(offer);
        let stays = stays.leg;
        if !line.reoffer(stays, offer) {
            return Err(491);
        }
        let leg = newcomer.leg;
        let link = CallLink {
            kind: CallLinkKind::PickedUp,
            by: newcomer.who.aor.clone(),
        };
        let callee = joined.sides[1 - at].party();
        line.ledger.pick_up(record, joined.record, callee, link);
        let device = line.ledger.calling_device(record).map(Box::from);
        joined.pickup = Some(Box::new(Pickup {
            newcomer: Side { device, ..newcomer },
            stays,
            record,
        }));
        self.adopt(leg, key);
        Ok(())
    }
}

impl Joined {
    pub(super) fn handle_in_pickup(
        mut self: Box<Self>,
        event: CallEvent,
        line: &mut Line<'_>,
    ) -> State {
        let Some(pickup) = self.pickup.take() else {
            return State::Joined(self);
        };
        match event {
            CallEvent::Reanswered { call, answer } if call == pickup.stays => {
                return self.picked_up(*pickup, answer, line);
            }
            CallEvent::ReofferFailed { call, status } if call == pickup.stays => {
                pickup.refuse(status, line);
                return State::Joined(self);
            }
            CallEvent::Reoffered { call, .. } => line.refuse_reoffer(call, 491),
            CallEvent::Ended { call, .. } if call == pickup.newcomer.leg => {
                line.ledger.fail(pickup.record, 487, line.now);
                self.restore(pickup.stays, line);
                return State::Joined(self);
            }
            CallEvent::Ended { call, said, reason } => {
                if let Some(at) = self.side(call) {
                    self.end_record(at, &reason, line);
                    pickup.refuse(481, line);
                    line.hang_up(self.sides[1 - at].leg, passed_on(&said));
                    return State::Ending;
                }
            }
            _ => {}
        }
        self.pickup = Some(pickup);
        State::Joined(self)
    }

    /// The side that stays agreed: the newcomer is answered, which ends the leg that it replaces.
    fn picked_up(
        mut self: Box<Self>,
        pickup: Pickup,
        answer: Option<Described>,
        line: &mut Line<'_>,
    ) -> State {
        let Pickup {
            newcomer,
            stays,
            record,
        } = pickup;
        let leg = newcomer.leg;
        let answered = line.calls.answer(leg, answer, line.endpoint, line.now);
        if answered.is_err() {
            // It gave up at the same moment; the side that stays talks to nobody now.
            line.ledger.fail(record, 487, line.now);
            let (gone, status) = (CallEndReason::PickedUp, None);
            line.ledger.end(self.record, gone, status, line.now);
            line.hang_up(stays, None);
            return State::Ending;
        }
        self.exchange(stays, newcomer, record, CallEndReason::PickedUp, line);
        if self.sides[1].leg == leg {
            self.sides.swap(0, 1);
        }
        State::Joined(self)
    }
}

impl Pickup {
    fn refuse(&self, status: u16, line: &mut Line<'_>) {
        line.ledger.fail(self.record, status, line.now);
        let _ = line
            .calls
            .reject(self.newcomer.leg, status, line.endpoint, line.now);
    }
}
