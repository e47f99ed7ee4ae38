//! The phone: one machine that owns the endpoint, the registrations and the calls.
//!
//! ```text
//!  bytes ──► sip::Endpoint ──► ua::Registrations ──► ua::Calls ──► default answer
//!                                    │                   │
//!  commands ──► actions.rs ──► lines.rs             calls.rs ──► events, effects
//! ```
//!
//! Policy: a request from outside a dialog is taken only from where a line is registered, else 403;
//! an INVITE for nobody here gets 404; while a call rings, or beyond the limit, 486; everything
//! else rings with 180. The person's answer puts the call that is connected on hold. Nobody else may
//! transfer our calls: a REFER is declined.
//!
//! Media follows two rules: ports are asked for before an offer is made, and for an incoming call
//! while it rings, so that the 200 does not wait for them.

mod actions;
mod calls;
mod conference;
mod digits;
mod lines;
#[cfg(test)]
mod tests;
mod transfer;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use sip::{
    CertificateProblem, Endpoint, EndpointConfig, EndpointEvent, EndpointOutput, Flow, Ids,
    Machine, Output, ResolveError, ResolveId, Target, TransmitId,
};
use ua::{CallKey, Calls, CallsConfig, RegistrationKey, Registrations, RegistrationsConfig};

use crate::call::PhoneCall;
use crate::command::{CallId, Command, LineId};
use crate::event::Event;
use crate::view::LineView;

use lines::Line;

/// Lines of one phone.
pub(crate) const MAX_LINES: usize = 4;

/// Calls of one phone at a time.
const MAX_CALLS: usize = 8;

/// How a phone behaves.
#[derive(Clone, Debug)]
pub struct PhoneConfig {
    /// How the endpoint presents itself; `max_transactions` is made small.
    pub endpoint: EndpointConfig,
}

/// A telephone without sound and sockets.
pub struct Phone {
    endpoint: Endpoint,
    registrations: Registrations,
    calls: Calls,
    lines: Vec<Line>,
    table: BTreeMap<CallId, PhoneCall>,
    keys: HashMap<CallKey, CallId>,
    next_call: u64,
    /// Names that are being looked up.
    lookups: HashMap<ResolveId, RegistrationKey>,
    next_lookup: u64,
    /// What was told about each line last.
    shown: HashMap<LineId, LineView>,
    outputs: VecDeque<Output<Event>>,
}

impl Phone {
    /// A phone without lines. The same seed gives the same identifiers.
    #[must_use]
    pub fn new(config: PhoneConfig, seed: [u8; 32]) -> Self {
        let registrations = Registrations::new(RegistrationsConfig {
            max_registrations: 2 * MAX_LINES,
        });
        // Calls that are over may wait for the peer's last response.
        let calls = Calls::new(CallsConfig {
            max_calls: 4 * MAX_CALLS,
            ..CallsConfig::default()
        });
        let endpoint = EndpointConfig {
            max_transactions: 500,
            ..config.endpoint
        };
        Self {
            endpoint: Endpoint::new(endpoint, Ids::from_seed(seed)),
            registrations,
            calls,
            lines: Vec::new(),
            table: BTreeMap::new(),
            keys: HashMap::new(),
            next_call: 1,
            lookups: HashMap::new(),
            next_lookup: 1,
            shown: HashMap::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Nothing lives: no call, no transaction. Lines are not counted.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.table.is_empty()
            && self.keys.is_empty()
            && self.calls.is_idle()
            && self.endpoint.is_empty()
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Lets every part hear of the others until nothing moves.
    fn settle(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.endpoint.poll_output() {
                match output {
                    EndpointOutput::Transmit(transmit) => {
                        self.outputs.push_back(Output::Transmit(transmit));
                    }
                    EndpointOutput::Close(flow) => self.outputs.push_back(Output::Close(flow)),
                    EndpointOutput::Unreachable { transport, peer } => {
                        self.outputs
                            .push_back(Output::Unreachable { transport, peer });
                    }
                    EndpointOutput::Event(event) => self.handle_endpoint(event, now),
                }
            } else if let Some(lookup) = self.registrations.poll_lookup() {
                let request = self.look_up(lookup);
                self.outputs.push_back(Output::Resolve(request));
            } else if let Some(event) = self.registrations.poll_event() {
                self.handle_registration(&event, now);
            } else if let Some(event) = self.calls.poll_event() {
                self.handle_call(event, now);
            } else {
                return;
            }
        }
    }

    fn handle_endpoint(&mut self, event: EndpointEvent, now: Instant) {
        if self.refuse_stranger(&event, now) {
            return;
        }
        let Some(event) = self
            .registrations
            .handle_event(event, &mut self.endpoint, now)
        else {
            return;
        };
        let Some(event) = self.calls.handle_event(event, &mut self.endpoint, now) else {
            return;
        };
        ua::respond_default(event, &mut self.endpoint, now);
    }

    /// Answers 403 to what comes from outside every dialog and every registrar.
    fn refuse_stranger(&mut self, event: &EndpointEvent, now: Instant) -> bool {
        let EndpointEvent::Request {
            transaction,
            request,
            flow,
        } = event
        else {
            return false;
        };
        let in_dialog = request.to().is_ok_and(|to| to.tag().is_some());
        if in_dialog || self.is_registrar(flow) {
            return false;
        }
        tracing::debug!(method = %request.method, "request from a stranger refused");
        let tag = self.endpoint.ids().tag();
        let response = request.response(403, Some(&tag));
        if let Err(error) = self.endpoint.respond(*transaction, response, now) {
            tracing::debug!(%error, "refusal not sent");
        }
        true
    }
}

impl Machine for Phone {
    type Command = Command;
    type Event = Event;

    fn handle_received(&mut self, flow: Flow, bytes: Bytes, now: Instant) {
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
        self.registrations
            .handle_flow_closed(flow, &mut self.endpoint, now);
        self.settle(now);
    }

    fn handle_resolved(
        &mut self,
        id: ResolveId,
        result: Result<Vec<Target>, ResolveError>,
        now: Instant,
    ) {
        if let Some(registration) = self.lookups.remove(&id) {
            self.registrations
                .handle_resolved(registration, result, &mut self.endpoint, now);
        }
        self.settle(now);
    }

    fn handle_untrusted(&mut self, target: Target, problem: CertificateProblem, _now: Instant) {
        self.registrations.handle_untrusted(target, problem);
    }

    fn handle_command(&mut self, command: Command, now: Instant) {
        let result = self.act(command.action, now);
        self.tell(Event::Reply {
            reply: command.reply,
            result,
        });
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.settle(now);
        self.registrations.handle_timeout(&mut self.endpoint, now);
        self.calls.handle_timeout(&mut self.endpoint, now);
        self.settle(now);
    }

    /// Nobody listens: a call that nobody can see or hear is better ended.
    fn handle_refused_event(&mut self, event: Event, now: Instant) {
        let call = match event {
            Event::OpenMedia { call, .. }
            | Event::UpdateMedia { call, .. }
            | Event::SendDigits { call, .. } => call,
            Event::Call(call) => call.id,
            Event::Reply { .. }
            | Event::Line(_)
            | Event::LineGone(_)
            | Event::CallEnded(_)
            | Event::CloseMedia { .. } => return,
        };
        if self.table.contains_key(&call) {
            self.hang_up(call, now);
            self.settle(now);
        }
    }

    fn poll_output(&mut self) -> Option<Output<Event>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [
            self.endpoint.poll_timeout(),
            self.registrations.poll_timeout(),
            self.calls.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
