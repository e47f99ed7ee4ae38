//! Calls that are one conversation. Their sound is mixed by the edge; here is who is in and who is on hold.
//!
//! A conference has two calls or more: what is left of it is an ordinary call. Everybody in it can be put on
//! hold alone, and all of them are while the person talks to somebody else.

use std::time::Instant;

use super::Phone;
use super::actions::{Done, Hold};
use crate::call::PhoneCall;
use crate::command::{CallId, Refusal, Which};

impl Phone {
    pub(super) fn join(&mut self, calls: &[CallId], now: Instant) -> Done {
        for call in calls {
            let call = self.table.get(call).ok_or(Refusal::NoCall)?;
            if !call.in_conference && call.actions().join.is_none() {
                return Err(Refusal::NotPossible);
            }
        }
        let mut members = self.conference();
        members.extend(calls);
        members.sort_unstable();
        members.dedup();
        let [first, _, ..] = members[..] else {
            return Err(Refusal::NoConference);
        };
        for &call in &members {
            self.change(call, |call| call.in_conference = true);
        }
        self.take_back(&members, now);
        Ok(Some(first))
    }

    pub(super) fn split(&mut self, which: Which, now: Instant) -> Done {
        let leaving = match which {
            Some(call) => {
                let known = self.table.get(&call).ok_or(Refusal::NoCall)?;
                known.actions().split.ok_or(Refusal::NotPossible)?;
                vec![call]
            }
            None => self.members()?,
        };
        for &call in &leaving {
            self.change(call, |call| call.in_conference = false);
            self.hold(call, now);
        }
        self.close_conference();
        Ok(which)
    }

    pub(super) fn hold_conference(&mut self, now: Instant) -> Done {
        for call in self.members()? {
            self.hold(call, now);
        }
        Ok(None)
    }

    pub(super) fn resume_conference(&mut self, now: Instant) -> Done {
        let members = self.members()?;
        self.take_back(&members, now);
        Ok(None)
    }

    pub(super) fn end_conference(&mut self, now: Instant) -> Done {
        for call in self.members()? {
            self.hang_up(call, now);
        }
        Ok(None)
    }

    /// A conference of one is none.
    pub(super) fn close_conference(&mut self) {
        if let [last] = self.conference()[..] {
            self.change(last, |call| call.in_conference = false);
        }
    }

    fn conference(&self) -> Vec<CallId> {
        let members = self.table.values().filter(|call| call.in_conference);
        members.map(|call| call.id).collect()
    }

    fn members(&self) -> Result<Vec<CallId>, Refusal> {
        let members = self.conference();
        match members.is_empty() {
            true => Err(Refusal::NoConference),
            false => Ok(members),
        }
    }

    fn hold(&mut self, id: CallId, now: Instant) {
        let can = |call: &PhoneCall| call.actions().hold.is_some();
        if self.table.get(&id).is_some_and(can) {
            self.set_hold(id, Hold::On, now);
        }
    }

    /// Talks to all of these and to nobody else.
    fn take_back(&mut self, members: &[CallId], now: Instant) {
        if let Some(&first) = members.first() {
            self.hold_others(first, now);
        }
        for &id in members {
            let can = |call: &PhoneCall| call.actions().resume.is_some();
            if self.table.get(&id).is_some_and(can) {
                self.set_hold(id, Hold::Off, now);
            }
        }
    }
}
