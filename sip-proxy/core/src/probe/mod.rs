//! A trial of somebody else's registrar: looks it up (RFC 3263), registers for a moment (RFC 3261 section 10.2), unregisters, and tells
//! every step with the messages, without secrets.
//!
//! ```text
//!   Begin ──► look-up ──► addresses that may be reached ──► REGISTER ──401──► REGISTER ──200──► REGISTER Expires: 0 ──► Ended
//!                └ none ──────────────────────────────────────┴── any refusal ──────────────────────────────────────► Ended
//! ```
//!
//! The registration is `ua`'s, so a trial fails and works as a phone's does. Which addresses may be reached is asked of
//! [`ProbeConfig::may_reach`] after the look-up and before anything is sent: a name that leads inside is no way in.
//!
//! Invariant: the last step is [`ProbeStep::Ended`]; what is to be seen has no credentials, and only what is SIP is shown.

mod step;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sip::{
    CertificateProblem, Destination, Endpoint, EndpointConfig, EndpointEvent, EndpointOutput, Flow,
    Ids, Machine, Output, ResolveError, ResolveId, ResolveRequest, Target, Transmit, TransmitId,
    Transport,
};
use ua::{
    Registration, RegistrationFailure, RegistrationKey, RegistrationState, Registrations,
    RegistrationsConfig,
};

pub use step::{ProbeEvent, ProbeMessage, ProbeResult, ProbeStep};
use step::{challenge, is_sip};

use crate::trace::redacted;

/// Messages that are told; more are not to be expected of one registration.
const MAX_MESSAGES: usize = 40;

/// Says whether an address may be reached.
#[derive(Clone)]
pub struct Reach(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>);

impl Reach {
    /// Asks `judge`.
    pub fn new(judge: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(judge))
    }

    /// Every address.
    #[must_use]
    pub fn everywhere() -> Self {
        Self::new(|_| true)
    }

    fn allows(&self, address: IpAddr) -> bool {
        (self.0)(address)
    }
}

impl fmt::Debug for Reach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reach")
    }
}

/// What is tried, and how.
#[derive(Clone, Debug)]
pub struct ProbeConfig {
    /// How the endpoint presents itself.
    pub endpoint: EndpointConfig,
    /// What is registered, and where.
    pub registration: Registration,
    /// Which addresses may be reached.
    pub may_reach: Reach,
}

/// What a trial is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeCommand {
    /// Begin.
    Begin,
    /// Time is up: end with what is known.
    GiveUp,
}

/// One trial; see the module.
#[derive(Debug)]
pub struct Probe {
    endpoint: Endpoint,
    registrations: Registrations,
    registration: Registration,
    may_reach: Reach,
    key: Option<RegistrationKey>,
    /// Where the last message went, and what it was: copies of it are not told.
    last: Option<(TransmitId, Destination, Bytes)>,
    tried: Option<SocketAddr>,
    /// With whom TLS is spoken.
    secured: Option<SocketAddr>,
    messages: usize,
    is_registered: bool,
    /// The server has answered the last request with success.
    is_confirmed: bool,
    is_over: bool,
    outputs: VecDeque<Output<ProbeEvent>>,
}

impl Probe {
    /// A trial that has not begun. The same seed gives the same identifiers.
    #[must_use]
    pub fn new(config: ProbeConfig, seed: [u8; 32]) -> Self {
        Self {
            endpoint: Endpoint::new(config.endpoint, Ids::from_seed(seed)),
            registrations: Registrations::new(RegistrationsConfig {
                max_registrations: 1,
            }),
            registration: config.registration,
            may_reach: config.may_reach,
            key: None,
            last: None,
            tried: None,
            secured: None,
            messages: 0,
            is_registered: false,
            is_confirmed: false,
            is_over: false,
            outputs: VecDeque::new(),
        }
    }

    fn tell(&mut self, step: ProbeStep, at: Instant) {
        if !self.is_over {
            self.is_over = matches!(step, ProbeStep::Ended(_));
            self.outputs
                .push_back(Output::Event(ProbeEvent { at, step }));
        }
    }

    /// Lets endpoint and registration hear of each other until nothing moves.
    fn settle(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.endpoint.poll_output() {
                match output {
                    EndpointOutput::Transmit(transmit) => self.transmit(transmit, now),
                    EndpointOutput::Close(flow) => self.outputs.push_back(Output::Close(flow)),
                    EndpointOutput::Unreachable { .. } => {}
                    EndpointOutput::Event(event) => self.handle_endpoint(event, now),
                }
            } else if let Some(lookup) = self.registrations.poll_lookup() {
                let host = lookup.host.to_string();
                self.tell(ProbeStep::LookingUp { host }, now);
                self.outputs.push_back(Output::Resolve(ResolveRequest {
                    id: ResolveId(1),
                    host: lookup.host,
                    port: lookup.port,
                    transport: lookup.transport,
                    security: lookup.security,
                }));
            } else if let Some(event) = self.registrations.poll_event() {
                self.handle_state(&event.state, now);
            } else {
                return;
            }
        }
    }

    fn transmit(&mut self, transmit: Transmit, now: Instant) {
        let known = self.last.as_ref();
        let is_copy = known.is_some_and(|(_, destination, bytes)| {
            *destination == transmit.destination && *bytes == transmit.bytes
        });
        if !is_copy {
            let (transport, peer) = match transmit.destination {
                Destination::Flow(flow) => (flow.transport, flow.peer),
                Destination::Address {
                    transport, peer, ..
                } => (transport, peer),
            };
            if self.tried.replace(peer) != Some(peer) {
                self.tell(ProbeStep::Trying { transport, peer }, now);
            }
            self.note(ProbeStep::Sent, (transport, peer), &transmit.bytes, now);
        }
        self.last = Some((transmit.id, transmit.destination, transmit.bytes.clone()));
        self.outputs.push_back(Output::Transmit(transmit));
    }

    /// Tells a message, if it is one: what answers at a port need not be SIP, and is nobody's business then.
    fn note(
        &mut self,
        direction: fn(ProbeMessage) -> ProbeStep,
        (transport, peer): (Transport, SocketAddr),
        bytes: &[u8],
        now: Instant,
    ) {
        if self.messages >= MAX_MESSAGES || !is_sip(bytes) {
            return;
        }
        self.messages += 1;
        let (first_line, text) = redacted(bytes);
        let message = ProbeMessage {
            transport,
            peer,
            first_line,
            text,
        };
        self.tell(direction(message), now);
    }

    fn handle_endpoint(&mut self, event: EndpointEvent, now: Instant) {
        if let EndpointEvent::Response { response, .. } = &event {
            self.is_confirmed = response.status.is_success();
            if let Some(step) = challenge(response) {
                self.tell(step, now);
            }
        }
        let left = self
            .registrations
            .handle_event(event, &mut self.endpoint, now);
        if let Some(event) = left {
            ua::respond_default(event, &mut self.endpoint, now);
        }
    }

    fn handle_state(&mut self, state: &RegistrationState, now: Instant) {
        match *state {
            RegistrationState::Registering => {}
            RegistrationState::Registered { expires, .. } if !self.is_registered => {
                self.is_registered = true;
                self.tell(ProbeStep::Registered { expires }, now);
                self.leave(now);
            }
            RegistrationState::Registered { .. } => {}
            RegistrationState::Failed { failure, .. } => {
                self.tell(ProbeStep::Ended(ProbeResult::Failed(failure)), now);
                self.leave(now);
            }
            RegistrationState::Unregistered => {
                let result = match self.is_confirmed {
                    true => ProbeResult::Good,
                    false => ProbeResult::StillRegistered,
                };
                self.tell(ProbeStep::Ended(result), now);
            }
        }
    }

    /// Ends the registration; unknown is one that has ended already.
    fn leave(&mut self, now: Instant) {
        self.is_confirmed = false;
        if let Some(key) = self.key {
            let _ = self.registrations.unregister(key, &mut self.endpoint, now);
        }
    }

    /// The servers that may be reached; none if there are some but none of these.
    fn reachable(&mut self, found: Vec<Target>, now: Instant) -> Option<Vec<Target>> {
        let all = found.len();
        let allowed: Vec<_> = found
            .into_iter()
            .filter(|target| self.may_reach.allows(target.peer.ip()))
            .collect();
        let forbidden = all - allowed.len();
        if allowed.is_empty() && forbidden > 0 {
            self.tell(ProbeStep::Ended(ProbeResult::Forbidden), now);
            return None;
        }
        let servers = allowed.iter().map(|target| (target.transport, target.peer));
        let servers = servers.collect();
        self.tell(ProbeStep::Found { servers, forbidden }, now);
        Some(allowed)
    }
}

impl Machine for Probe {
    type Command = ProbeCommand;
    type Event = ProbeEvent;

    fn handle_received(&mut self, flow: Flow, bytes: Bytes, now: Instant) {
        // Only who was asked: others may send what they like to an open port.
        if self.tried == Some(flow.peer) {
            let from = (flow.transport, flow.peer);
            // Bytes come only after a handshake.
            if flow.transport.is_secure() && self.secured.replace(flow.peer) != Some(flow.peer) {
                self.tell(ProbeStep::Secured { peer: flow.peer }, now);
            }
            self.note(ProbeStep::Received, from, &bytes, now);
            self.endpoint.handle_received(flow, bytes, now);
        }
        self.settle(now);
    }

    fn handle_transmit_failed(&mut self, id: TransmitId, now: Instant) {
        if let Some((last, destination, _)) = &self.last
            && *last == id
        {
            let peer = match destination {
                Destination::Flow(flow) => flow.peer,
                Destination::Address { peer, .. } => *peer,
            };
            self.tell(ProbeStep::Unreachable { peer }, now);
        }
        self.endpoint.handle_transmit_failed(id, now);
        self.settle(now);
    }

    fn handle_flow_closed(&mut self, flow: Flow, now: Instant) {
        self.endpoint.handle_flow_closed(flow, now);
        self.settle(now);
    }

    fn handle_resolved(
        &mut self,
        _id: ResolveId,
        result: Result<Vec<Target>, ResolveError>,
        now: Instant,
    ) {
        let Some(key) = self.key else { return };
        let result = match result {
            Ok(found) => match self.reachable(found, now) {
                Some(allowed) => Ok(allowed),
                None => return,
            },
            Err(error) => Err(error),
        };
        self.registrations
            .handle_resolved(key, result, &mut self.endpoint, now);
        self.settle(now);
    }

    fn handle_untrusted(&mut self, target: Target, problem: CertificateProblem, now: Instant) {
        let peer = target.peer;
        self.tell(ProbeStep::Untrusted { peer, problem }, now);
        self.registrations.handle_untrusted(target, problem);
    }

    fn handle_command(&mut self, command: ProbeCommand, now: Instant) {
        match command {
            ProbeCommand::Begin if self.key.is_none() => {
                let registration = self.registration.clone();
                let begun = self
                    .registrations
                    .register(registration, &mut self.endpoint, now);
                // There is room for one.
                self.key = begun.ok();
            }
            ProbeCommand::Begin => {}
            ProbeCommand::GiveUp => {
                let result = match self.is_registered {
                    true => ProbeResult::StillRegistered,
                    false => ProbeResult::Failed(RegistrationFailure::NoAnswer),
                };
                self.tell(ProbeStep::Ended(result), now);
            }
        }
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.settle(now);
        self.registrations.handle_timeout(&mut self.endpoint, now);
        self.settle(now);
    }

    /// Nobody reads any more: nothing is left to be told.
    fn handle_refused_event(&mut self, _event: ProbeEvent, now: Instant) {
        self.is_over = true;
        self.leave(now);
        self.settle(now);
    }

    fn poll_output(&mut self) -> Option<Output<ProbeEvent>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [
            self.endpoint.poll_timeout(),
            self.registrations.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
