//! The beginning of a transfer: who may refer whom, and what has to be there for it.
//!
//! Invariant: a REFER that is refused changes nothing; one that is accepted is told how it ends.

use sip::{ReferTo, Replaces};
use ua::{CallEvent, CallKey, ReferId};

use super::{Rung, Stage, Transfer};
use crate::bridge::fork::Fork;
use crate::bridge::joined::Joined;
use crate::bridge::{Bridge, BridgeKey, Bridges, Line, Outcome, Side, State};
use crate::call_record::{CallEndReason, CallLink, CallLinkKind, CallParty};
use crate::calling::TooMany;
use crate::ledger::NewRecord;
use crate::routing::{self, MAX_FORWARDS, Plan};

/// Refer-To names a call that is not the referrer's, or none. Not 481, which would say that the referrer's own call is gone.
const NO_SUCH_CALL: u16 = 404;

impl Bridges {
    /// A leg of this bridge refers its peer.
    pub(in crate::bridge) fn refer(
        &mut self,
        key: BridgeKey,
        event: CallEvent,
        line: &mut Line<'_>,
    ) {
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
        let callee = CallParty::addressed(Some(plan.callee.aor.clone()), None);
        let (new, link) = transferred(&joined.sides, at, callee);
        let from = joined.record;
        let remaining = remaining.leg;
        let admitted = line.calling.admit(&who, open, line.now);
        admitted.map_err(|TooMany| 403_u16)?;
        let accepted = line
            .calls
            .accept_refer(referrer, id, line.endpoint, line.now);
        if accepted.is_err() {
            return Ok(());
        }
        let record = line.ledger.go_on(from, new, link, line.now);
        let Some((fork, legs)) = Fork::start(plan, record, None, line) else {
            let reason = CallEndReason::NotRegistered;
            line.ledger.end(record, reason, Some(480), line.now);
            let _ = line
                .calls
                .notify_refer(referrer, id, 480, line.endpoint, line.now);
            return Ok(());
        };
        joined.transfer = Some(Box::new(Transfer {
            referrer: Some((referrer, id)),
            remaining,
            record,
            consulted: None,
            stage: Stage::Ringing {
                fork: Box::new(fork),
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
        self.merge(key, other, (referrer, id), at, line);
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
            let (new, link) = transferred(&joined.sides, at, fork.called());
            let record = line.ledger.go_on(joined.record, new, link, line.now);
            let transfer = Transfer {
                referrer: Some(referrer),
                remaining,
                record,
                consulted: Some(fork.record()),
                stage: Stage::Ringing {
                    fork: Box::new(fork),
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
        line: &mut Line<'_>,
    ) {
        let Some(bridge) = self.bridges.get_mut(&other) else {
            return;
        };
        let State::Joined(consulting) = std::mem::replace(&mut bridge.state, State::Ending) else {
            return;
        };
        let consulting_record = consulting.record;
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
            let (new, link) = transferred(&joined.sides, at, target.party());
            joined.transfer = Some(Box::new(Transfer {
                remaining: joined.sides[1 - at].leg,
                referrer: Some(referrer),
                record: line.ledger.go_on(joined.record, new, link, line.now),
                consulted: Some(consulting_record),
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

/// What is written of a transfer that the side at `referrer` asks for.
fn transferred(sides: &[Side; 2], referrer: usize, callee: CallParty) -> (NewRecord, CallLink) {
    let new = NewRecord {
        caller: sides[1 - referrer].party(),
        callee,
        dialled: String::new(),
        sip_call_id: None,
    };
    let link = CallLink {
        kind: CallLinkKind::Transferred,
        by: sides[referrer].who.aor.clone(),
    };
    (new, link)
}
