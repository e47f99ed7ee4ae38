//! Who may watch whom: decided before a subscription is taken in.

use std::sync::Arc;
use std::time::Instant;

use sip::{Aor, DialogId};

use super::{Kind, Watch};
use crate::effect::{Account, Owner};
use crate::proxy::Proxy;
use crate::routing;
use crate::waiting::{Pending, Purpose};

impl Proxy {
    /// A proven account wants to watch, or goes on watching.
    pub(crate) fn watch(&mut self, pending: Pending, account: &Arc<Account>, now: Instant) {
        let request = &pending.request;
        if let Some(dialog) = DialogId::of_request(request) {
            if self.watching.account_of(dialog) == Some(&account.aor) {
                self.pass_to_calls(pending.into_event(), now);
            } else {
                self.respond(&pending, 481, now);
            }
            return;
        }
        let event = request.event().ok().flatten();
        let Some(kind) = event.and_then(|event| Kind::of(&event.package)) else {
            // The answer names what there is.
            self.pass_to_calls(pending.into_event(), now);
            return;
        };
        let target =
            match routing::target_of(&request.uri, &account.aor, &self.numbers, &self.endpoint) {
                Ok(target) => target,
                Err(status) => return self.respond(&pending, status, now),
            };
        if target == account.aor {
            self.let_watch(pending, kind, target, account, now);
        } else if kind == Kind::Line && target.host() == account.aor.host() {
            self.watch_other(pending, account.clone(), target, now);
        } else {
            self.respond(&pending, 403, now);
        }
    }

    /// Somebody else's line: whether there is one, and whose it is, has to be known.
    fn watch_other(&mut self, pending: Pending, watcher: Arc<Account>, target: Aor, now: Instant) {
        let known = self.accounts.find(&target, now);
        match known.map(|account| account.map(|account| account.owner)) {
            Some(owner) => self.on_watched(pending, &watcher, target, owner, now),
            None => {
                let purpose = Purpose::Watch {
                    watcher,
                    target: target.clone(),
                };
                self.look_up(&target, pending, purpose, now);
            }
        }
    }

    /// Whether the watched account exists is known now. One of another tenant is as good as none.
    pub(crate) fn on_watched(
        &mut self,
        pending: Pending,
        watcher: &Arc<Account>,
        target: Aor,
        owner: Option<Owner>,
        now: Instant,
    ) {
        match owner {
            Some(owner) if owner.tenant == watcher.owner.tenant => {
                self.let_watch(pending, Kind::Line, target, watcher, now);
            }
            _ => self.respond(&pending, 404, now),
        }
    }

    fn let_watch(
        &mut self,
        pending: Pending,
        kind: Kind,
        resource: Aor,
        account: &Account,
        now: Instant,
    ) {
        self.watching.admitted = Some(Watch {
            kind,
            resource,
            account: account.aor.clone(),
            instance: None,
        });
        self.pass_to_calls(pending.into_event(), now);
        // It is taken in before anything else happens.
        while self.settle_watching(now) {}
        self.watching.admitted = None;
    }
}
