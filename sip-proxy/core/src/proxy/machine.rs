//! The proxy as a machine: what comes in from outside, and when it wants to be woken.

use std::time::Instant;

use bytes::Bytes;
use sip::{Flow, Machine, Output, ResolveError, ResolveId, Target, TransmitId};

use crate::effect::{BindingsOf, Command, Event, LookupFailed, StoreFailed};
use crate::proxy::Proxy;

impl Machine for Proxy {
    type Command = Command;
    type Event = Event;

    fn handle_received(&mut self, flow: Flow, bytes: Bytes, now: Instant) {
        self.history.received(flow, &bytes, now);
        self.endpoint.handle_received(flow, bytes, now);
        self.settle(now);
    }

    fn handle_transmit_failed(&mut self, id: TransmitId, now: Instant) {
        self.endpoint.handle_transmit_failed(id, now);
        self.settle(now);
    }

    fn handle_flow_closed(&mut self, flow: Flow, now: Instant) {
        self.calls.handle_flow_closed(flow);
        self.endpoint.handle_flow_closed(flow, now);
        let ended = self.bindings.remove_connection(flow);
        self.on_ended(&ended, now);
        self.settle(now);
    }

    /// The proxy sends only where a device has registered from: it asks for no names.
    fn handle_resolved(&mut self, _: ResolveId, _: Result<Vec<Target>, ResolveError>, _: Instant) {}

    fn handle_command(&mut self, command: Command, now: Instant) {
        self.on_command(command, now);
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        let expired = self.bindings.remove_expired(self.clock.secs(now));
        self.on_ended(&expired, now);
        self.write(now);
        let mut overdue = self.waiting.take_overdue(now);
        overdue.append(&mut self.locating.take_overdue(now));
        for (pending, purpose) in overdue {
            self.give_up(&pending, &purpose, now);
        }
        self.release_overdue(now);
        self.endpoint.handle_timeout(now);
        self.calls.handle_timeout(&mut self.endpoint, now);
        let (bridges, mut line) = self.line(now);
        bridges.handle_timeout(&mut line);
        let (watching, mut desk) = self.desk(now);
        watching.handle_timeout(&mut desk);
        self.history.handle_timeout(now);
        let outputs = &mut self.outputs;
        self.ledger
            .handle_timeout(now, |event| outputs.push_back(Output::Event(event)));
        self.tell_ripe_news(now);
        self.settle(now);
    }

    fn handle_refused_event(&mut self, event: Event, now: Instant) {
        match event {
            Event::LoadAccount { ticket, .. } => {
                self.on_account(ticket, Err(LookupFailed), now);
                self.settle(now);
            }
            Event::Locate { ticket, .. } => {
                self.on_located(ticket, None, now);
                self.settle(now);
            }
            // Who asked gives up waiting.
            Event::Located { .. } => {}
            Event::Store { ticket, .. } => {
                self.on_stored(ticket, Err(StoreFailed), now);
                self.settle(now);
            }
            // What they have by then is told.
            Event::BindingsChanged(changed) => {
                for BindingsOf { aor, .. } in changed.iter() {
                    self.news.note(aor);
                }
                self.news.wait(now);
            }
            Event::CallRecords { records, dropped } => {
                self.ledger.give_back(records, dropped, now);
            }
            event @ (Event::BindingsListed { .. }
            | Event::CallsListed { .. }
            | Event::CallFound { .. }
            | Event::Flushed
            | Event::SourceBanned { .. }
            | Event::BansListed(_)
            | Event::CallsLimited { .. }
            | Event::Counts(_)) => self.refused.push(event),
        }
    }

    fn poll_output(&mut self) -> Option<Output<Event>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [
            self.endpoint.poll_timeout(),
            self.calls.poll_timeout(),
            self.bridges.poll_timeout(),
            self.watching.poll_timeout(),
            self.history.poll_timeout(),
            self.ledger.poll_timeout(),
            self.bindings
                .next_expiry()
                .map(|secs| self.clock.instant(secs)),
            self.commits.deadline(),
            self.news.deadline(),
            self.waiting.deadline(),
            self.locating.deadline(),
            self.elsewhere.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
