//! Calls of a proven caller that ring nobody: what the caller is told, and the record that they leave.
//!
//! Not here: calls that rang (`bridge/`), senders who have proven nothing, who leave no record.

use std::borrow::Cow;
use std::time::Instant;

use sip::{Aor, Request};

use crate::call_record::{CallEndReason, CallParty};
use crate::effect::Account;
use crate::ledger::NewRecord;
use crate::proxy::Proxy;
use crate::routing::{Callee, Identity};
use crate::waiting::{Pending, Purpose};

/// Characters that are kept of what was dialled.
const MAX_DIALLED: usize = 128;

impl Proxy {
    /// Refuses the INVITE of a proven caller.
    pub(crate) fn turn_down(
        &mut self,
        pending: &Pending,
        caller: &Account,
        callee: Option<&Callee>,
        (status, reason): (u16, CallEndReason),
        now: Instant,
    ) {
        self.respond(pending, status, now);
        self.record_unrung(pending, caller, callee, (status, reason), now);
    }

    /// What a request has waited for does not come.
    pub(crate) fn give_up(&mut self, pending: &Pending, purpose: &Purpose, now: Instant) {
        self.busy(pending, now);
        let ended = (503, CallEndReason::Overloaded);
        self.record_waiting(pending, purpose, ended, now);
    }

    /// The sender of a request that waits has cancelled it.
    pub(crate) fn on_waiting_cancelled(
        &mut self,
        pending: &Pending,
        purpose: &Purpose,
        now: Instant,
    ) {
        self.respond(pending, 487, now);
        let ended = (487, CallEndReason::CallerGaveUp);
        self.record_waiting(pending, purpose, ended, now);
    }

    fn record_waiting(
        &mut self,
        pending: &Pending,
        purpose: &Purpose,
        ended: (u16, CallEndReason),
        now: Instant,
    ) {
        if let Purpose::Call { caller, callee } = purpose {
            self.record_unrung(pending, caller, Some(callee), ended, now);
        }
    }

    fn record_unrung(
        &mut self,
        pending: &Pending,
        caller: &Account,
        callee: Option<&Callee>,
        (status, reason): (u16, CallEndReason),
        now: Instant,
    ) {
        let invite = &pending.request;
        let caller = Identity::of_caller(caller, invite).unwrap_or_else(|_| Identity::of(caller));
        let new = new_record(invite, &caller, callee);
        let record = self.ledger.begin(new, now);
        self.ledger.end(record, reason, Some(status), now);
    }
}

/// What is known of a call when its INVITE has come.
pub(crate) fn new_record(
    invite: &Request,
    caller: &Identity,
    callee: Option<&Callee>,
) -> NewRecord {
    let dialled = match invite.uri.telephone_number() {
        Some(number) => Some(Cow::Borrowed(number)),
        None => invite.uri.user_decoded(),
    };
    let is_gruu = callee.is_some_and(|callee| callee.instance.is_some());
    let dialled = match callee {
        // What was dialled is nothing that a person could read.
        Some(callee) if is_gruu => Cow::Borrowed(callee.aor.user()),
        _ => dialled.unwrap_or_default(),
    };
    let callee = match callee {
        Some(callee) => CallParty::addressed(Some(callee.aor.clone()), callee.owner),
        None => CallParty::addressed(Aor::from_uri(&invite.uri), None),
    };
    NewRecord {
        caller: CallParty::of(caller, None),
        callee,
        dialled: dialled.chars().take(MAX_DIALLED).collect(),
        sip_call_id: invite.call_id().ok().map(str::to_owned),
    }
}
