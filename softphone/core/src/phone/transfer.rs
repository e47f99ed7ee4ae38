//! Giving a call away (RFC 5589): blind, or to somebody who was called about it first and may still be ringing.
//!
//! ```text
//!   transfer ────────► REFER ──► progress ──► 2xx: our calls end
//!   consult ─► call      ▲           └──────► refused: the call is ours again
//!      │ transfer_to ────┘ Replaces names that call
//!      └ it ends ─► the first call is taken back
//! ```
//!
//! REFER waits for a change of the session that is under way, because a server may refuse the one for the other.

use std::time::Instant;

use sip::ReferTo;
use ua::ReferTarget;

use super::Phone;
use super::actions::Hold;
use crate::call::{Handover, Stage};
use crate::command::{CallId, Refusal, Which};
use crate::view::Transfer;

impl Phone {
    pub(super) fn transfer(
        &mut self,
        which: Which,
        target: &str,
        now: Instant,
    ) -> Result<Option<CallId>, Refusal> {
        let id = self.choose(which, |actions| actions.transfer)?;
        let line = self.table.get(&id).map(|call| call.line);
        let line = self.lines.iter().find(|own| Some(own.config.id) == line);
        let line = line.ok_or(Refusal::NoSuchLine)?;
        let target = line.config.target(target)?;
        self.hand_over(id, ReferTo::new(target), None, now)
    }

    pub(super) fn consult(
        &mut self,
        which: Which,
        target: &str,
        now: Instant,
    ) -> Result<Option<CallId>, Refusal> {
        let first = self.choose(which, |actions| actions.transfer)?;
        let line = self.table.get(&first).map(|call| call.line);
        let consultation = self.call(line, target, now)?;
        self.change(consultation, |call| call.consults_for = Some(first));
        Ok(Some(consultation))
    }

    pub(super) fn transfer_to(
        &mut self,
        which: Which,
        to: Which,
        now: Instant,
    ) -> Result<Option<CallId>, Refusal> {
        let to = match to {
            Some(to) => to,
            None => self.consultation(which)?,
        };
        let target = self.table.get(&to).ok_or(Refusal::NoCall)?;
        let which = which.or(target.consults_for);
        let id = self.choose(which, |actions| actions.transfer.filter(|id| *id != to))?;
        if target.is_leaving_us() {
            return Err(Refusal::NotPossible);
        }
        let replaces = target.key.and_then(|key| self.calls.replaces_value(key));
        let replaces = replaces.ok_or(Refusal::NotPossible)?;
        let refer_to = ReferTo::replacing(target.peer.clone(), &replaces);
        self.hand_over(id, refer_to, Some(to), now)
    }

    /// The only call about this one, or about any.
    fn consultation(&self, about: Which) -> Result<CallId, Refusal> {
        let mut found = self.table.values().filter(|call| match about {
            Some(about) => call.consults_for == Some(about),
            None => call.consults_for.is_some(),
        });
        let only = found.next().ok_or(Refusal::NoCall)?;
        match found.next() {
            None => Ok(only.id),
            Some(_) => Err(Refusal::Ambiguous),
        }
    }

    fn hand_over(
        &mut self,
        id: CallId,
        refer_to: ReferTo,
        with: Option<CallId>,
        now: Instant,
    ) -> Result<Option<CallId>, Refusal> {
        let call = self.table.get(&id).ok_or(Refusal::NoCall)?;
        let line = self.lines.iter().find(|own| own.config.id == call.line);
        let refer = ReferTarget {
            refer_to,
            referred_by: line.map(|line| line.config.address()),
        };
        self.change(id, |call| {
            call.handover = Some(Handover {
                refer: Some(Box::new(refer)),
                with,
                transfer: Transfer::Asked,
            });
        });
        self.send_refer(id, now);
        Ok(Some(id))
    }

    /// Sends the REFER of a transfer unless the session is being changed.
    pub(super) fn send_refer(&mut self, id: CallId, now: Instant) {
        let Some(call) = self.table.get_mut(&id) else {
            return;
        };
        if call.is_changing || call.stage != Stage::Connected {
            return;
        }
        let (Some(key), Some(handover)) = (call.key, &mut call.handover) else {
            return;
        };
        let Some(refer) = handover.refer.take() else {
            return;
        };
        if let Err(error) = self.calls.refer(key, &refer, &mut self.endpoint, now) {
            tracing::debug!(%error, "call not transferred");
            self.handle_transfer(id, 500, now);
        }
    }

    /// How the transfer goes.
    pub(super) fn handle_transfer(&mut self, id: CallId, status: u16, now: Instant) {
        let Some(handover) = self
            .table
            .get_mut(&id)
            .and_then(|call| call.handover.as_mut())
        else {
            return;
        };
        handover.transfer = match status {
            100..=179 => Transfer::Trying,
            180..=199 => Transfer::Ringing,
            200..=299 => return self.gave_away(id, now),
            status => Transfer::Failed { status },
        };
        self.show(id);
        if status >= 300 {
            self.come_back(id, now);
        }
    }

    /// The target has taken the call: what we have of both ends.
    fn gave_away(&mut self, id: CallId, now: Instant) {
        let with = self
            .table
            .get(&id)
            .and_then(|call| call.handover.as_ref()?.with);
        let both: Vec<_> = with.into_iter().chain([id]).collect();
        for call in &both {
            if let Some(call) = self.table.get_mut(call) {
                call.is_transferred = true;
            }
        }
        for call in both {
            self.hang_up(call, now);
        }
    }

    /// A call that was put on hold for somebody who is not there any more is taken back, unless the person is busy with another.
    pub(super) fn come_back(&mut self, id: CallId, now: Instant) {
        let busy = self
            .table
            .values()
            .any(|call| call.id != id && call.is_in_hand());
        let waits = self.table.get(&id).is_some_and(|call| {
            call.stage == Stage::Connected && call.on_hold && !call.is_leaving_us()
        });
        if waits && !busy {
            self.set_hold(id, Hold::Off, now);
        }
    }
}
