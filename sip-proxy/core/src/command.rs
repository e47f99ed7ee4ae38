//! What the edge tells and asks the proxy: answers of the store, changes in the portal, questions of people who look.
//!
//! Invariant: every command that asks is answered by one event.
//! Not here: what comes from the network (`proxy.rs`), what commands and events are (`effect.rs`).

use std::time::Instant;

use sip::Output;

use crate::Proxy;
use crate::effect::{Command, Event};

/// Addresses-of-record in one answer to [`Command::ListBindings`].
const LISTED: usize = 1_000;

impl Proxy {
    pub(crate) fn on_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::AccountLoaded { ticket, account } => self.on_account(ticket, account, now),
            Command::Locate { asker, ticket, aor } => {
                let found = self.bindings.told(&aor);
                let answer = Event::Located {
                    asker,
                    ticket,
                    found,
                };
                self.outputs.push_back(Output::Event(answer));
            }
            Command::Located { ticket, found } => self.on_located(ticket, Some(&found), now),
            Command::AccountsRead(accounts) => {
                for account in &accounts {
                    self.accounts.remember_ahead(account, now);
                }
            }
            Command::AccountChanged(aor) => self.on_account_changed(Some(&aor)),
            Command::AccountsChanged => self.on_account_changed(None),
            Command::Stored { ticket, result } => self.on_stored(ticket, result, now),
            Command::Flush => {
                self.tell_news();
                let outputs = &mut self.outputs;
                self.ledger
                    .flush(now, |event| outputs.push_back(Output::Event(event)));
                self.flush(now);
            }
            Command::RestoreBindings(rows) => {
                let now_secs = self.clock.secs(now);
                for row in &rows {
                    self.bindings.restore(row, self.share, now_secs);
                }
            }
            Command::RevokeInstance(instance) => {
                let ended = self.bindings.remove_instance(&instance);
                let (watching, mut desk) = self.desk(now);
                watching.end_instance(&instance, &mut desk);
                // A device that does not say which it is when it subscribes: all of its accounts prove themselves again.
                for aor in &ended {
                    watching.end_account(aor, &mut desk);
                }
                self.on_ended(&ended, now);
            }
            Command::DropBindings(aor) => {
                let (watching, mut desk) = self.desk(now);
                watching.end_account(&aor, &mut desk);
                if self.bindings.remove_all(&aor) {
                    self.on_ended(&[aor], now);
                }
            }
            Command::SetMessages { aor, summary } => {
                let (watching, mut desk) = self.desk(now);
                watching.set_messages(&aor, summary, &mut desk);
            }
            Command::Pardon(source) => self.guessing.pardon(source),
            Command::ListBans => {
                let bans = self.guessing.bans(now);
                self.outputs
                    .push_back(Output::Event(Event::BansListed(bans)));
            }
            Command::ListBindings { asker, from } => {
                self.tell_news();
                self.list(asker, from);
            }
            Command::ListCalls {
                asker,
                tenant,
                count,
            } => {
                let listed = self.history.list(asker, tenant, count);
                self.outputs.push_back(Output::Event(listed));
            }
            Command::FindCall {
                asker,
                tenant,
                call_id,
            } => {
                let found = self.history.find(asker, tenant, &call_id);
                self.outputs.push_back(Output::Event(found));
            }
            Command::Count => {
                self.tell_news();
                self.outputs
                    .push_back(Output::Event(Event::Counts(self.counts())));
            }
        }
    }

    fn list(&mut self, asker: u64, from: u32) {
        let (bindings, next) = self.bindings.list(from, LISTED);
        self.outputs.push_back(Output::Event(Event::BindingsListed {
            asker,
            bindings,
            next,
        }));
    }
}
