//! Whom a proven INVITE calls: whether he exists, and which shard knows where he is.
//!
//! Not here: what may be called (`routing.rs`, `numbers.rs`), how much (`calling.rs`), and the call itself (`bridge`).

use std::sync::Arc;
use std::time::Instant;

use sip::Output;

use crate::binding::Bindings;
use crate::call_record::CallEndReason;
use crate::calling::TooMany;
use crate::effect::{Account, Event, Located, Owner, Ticket};
use crate::elsewhere::Elsewhere;
use crate::proxy::Proxy;
use crate::routing::{self, Admitted, Callee};
use crate::waiting::{Pending, Purpose};

impl Proxy {
    pub(super) fn callee(&self, pending: &Pending, caller: &Account) -> Result<Callee, u16> {
        let invite = &pending.request;
        match routing::gruu(&invite.uri, &self.gruus, &self.bindings)? {
            Some(callee) => Ok(callee),
            None => routing::target_of(&invite.uri, &caller.aor, &self.numbers, &self.endpoint)
                .map(Callee::from),
        }
    }

    /// A proven caller wants `callee`, who may exist.
    pub(super) fn call(
        &mut self,
        pending: Pending,
        caller: Arc<Account>,
        callee: Callee,
        now: Instant,
    ) {
        let known = self.accounts.find(&callee.aor, now);
        match known.map(|account| account.map(|account| account.owner)) {
            Some(owner) => self.on_called(pending, caller, callee, owner, now),
            None => {
                let aor = callee.aor.clone();
                let purpose = Purpose::Call { caller, callee };
                self.look_up(&aor, pending, purpose, now);
            }
        }
    }

    /// Whether the called account exists is known now.
    pub(super) fn on_called(
        &mut self,
        pending: Pending,
        caller: Arc<Account>,
        callee: Callee,
        owner: Option<Owner>,
        now: Instant,
    ) {
        let callee = Callee { owner, ..callee };
        if owner.is_none() {
            let ended = (404, CallEndReason::UnknownNumber);
            self.turn_down(&pending, &caller, Some(&callee), ended, now);
            return;
        }
        let open = self.bridges.begun_by(&caller.aor);
        match self.calling.admit(&caller.aor, open, now) {
            Ok(()) if self.share.owns(callee.aor.host()) => {
                let admitted = Admitted {
                    caller,
                    callee,
                    elsewhere: None,
                };
                self.ring(pending, admitted, now);
            }
            Ok(()) => self.locate(pending, caller, callee, now),
            Err(TooMany) => {
                let ended = (403, CallEndReason::TooManyCalls);
                self.turn_down(&pending, &caller, Some(&callee), ended, now);
            }
        }
    }

    /// Another shard knows where the callee is.
    fn locate(&mut self, pending: Pending, caller: Arc<Account>, callee: Callee, now: Instant) {
        let aor = callee.aor.clone();
        let purpose = Purpose::Call { caller, callee };
        match self.locating.insert(&aor, pending, purpose, now) {
            Ok(None) => {}
            Ok(Some(ticket)) => {
                let shard = self.share.owner(aor.host());
                self.outputs
                    .push_back(Output::Event(Event::Locate { shard, ticket, aor }));
            }
            Err(turned_away) => self.give_up(&turned_away.0, &turned_away.1, now),
        }
    }

    /// Another shard has told where the callee is; `None` if it cannot be asked.
    pub(crate) fn on_located(&mut self, ticket: Ticket, found: Option<&Located>, now: Instant) {
        if Elsewhere::owns(ticket) {
            self.on_target_located(ticket, found, now);
            return;
        }
        // Everybody who waited may have given up meanwhile, and was answered then.
        let Some(over) = self.locating.take(ticket) else {
            return;
        };
        for (pending, purpose) in over.requests {
            let (caller, callee, found) = match (purpose, found) {
                (Purpose::Call { caller, callee }, Some(found)) => (caller, callee, found),
                (purpose, _) => {
                    self.give_up(&pending, &purpose, now);
                    continue;
                }
            };
            let elsewhere = Some(Bindings::from_told(&callee.aor, found));
            let admitted = Admitted {
                caller,
                callee,
                elsewhere,
            };
            self.ring(pending, admitted, now);
        }
    }
}
