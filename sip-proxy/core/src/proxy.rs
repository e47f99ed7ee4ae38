//! The proxy's machine: sorts what arrives to authentication, registrar and bridges.
//!
//! ```text
//!   request outside a dialog ──► digest ──► REGISTER ──► registrar ──► bindings
//!                                  │
//!                                  └──────► INVITE ────► the called account ──► a bridge with a leg per binding
//!   request inside a dialog ─────────────► the leg it belongs to, or 481
//! ```
//!
//! Nothing from outside a dialog passes without proof of who sends it. Two look-ups leave the machine (the account that is claimed, the
//! account that is called); while they are under way the request waits in [`Waiting`].
//!
//! Not here: what a REGISTER does (`registrar.rs`), who may (`authentication.rs`), what a call is (`bridge.rs`).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{
    Algorithm, Aor, Endpoint, EndpointConfig, EndpointEvent, EndpointOutput, Flow, Ids, Machine,
    Method, Output, ResolveError, ResolveId, Response, ServerTransaction, Target, TransmitId,
};
use ua::{CallEvent, Calls, CallsConfig, respond_default};

use crate::authentication::{Authentication, Standing, claimed_aor};
use crate::binding::{Binding, BindingChange, Bindings};
use crate::bridge::{Bridges, Line};
use crate::effect::{Account, Command, Counts, Event, LookupFailed, Ticket};
use crate::registrar::{self, RegistrarPolicy};
use crate::routing::{self, Admitted};
use crate::waiting::{Pending, Purpose, Waiting};

/// How a proxy behaves, given once at its construction.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// How it presents itself and how many transactions it holds.
    pub endpoint: EndpointConfig,
    /// What its registrar grants.
    pub registrar: RegistrarPolicy,
    /// Its calls; each has two legs and more while several devices ring.
    pub calls: CallsConfig,
    /// Digest algorithms to offer and accept, the best first. Some phones give up a registration when any challenge
    /// names an algorithm they do not know, so more than MD5 is for installations without such phones.
    pub algorithms: Vec<Algorithm>,
    /// How long devices ring before the caller is told that nobody answers.
    pub ringing: Duration,
    /// How many requests may wait for look-ups; more are answered 503.
    pub max_waiting: usize,
    /// The moment of construction, and what the wall clock said then in seconds since 1970: nonces are dated.
    pub started: (Instant, u64),
    /// Where tags, branches and nonces come from.
    pub seed: [u8; 32],
}

impl ProxyConfig {
    /// The usual values.
    #[must_use]
    pub fn new(endpoint: EndpointConfig, started: (Instant, u64), seed: [u8; 32]) -> Self {
        Self {
            endpoint,
            registrar: RegistrarPolicy::default(),
            calls: CallsConfig {
                max_calls: 20_000,
                ..CallsConfig::default()
            },
            algorithms: vec![Algorithm::Md5],
            ringing: Duration::from_secs(60),
            max_waiting: 10_000,
            started,
            seed,
        }
    }
}

/// The registration proxy and B2BUA.
#[derive(Debug)]
pub struct Proxy {
    endpoint: Endpoint,
    calls: Calls,
    bridges: Bridges,
    bindings: Bindings,
    waiting: Waiting,
    authentication: Authentication,
    registrar: RegistrarPolicy,
    ringing: Duration,
    /// The INVITE that is just being handed to `calls`.
    admitted: Option<Admitted>,
    outputs: VecDeque<Output<Event>>,
    /// Events the edge had no room for; told again at the next occasion.
    refused: Vec<Event>,
}

impl Proxy {
    /// A proxy without bindings.
    #[must_use]
    pub fn new(config: ProxyConfig) -> Self {
        let mut ids = Ids::from_seed(config.seed);
        Self {
            authentication: Authentication::new(&config.algorithms, &mut ids, config.started),
            calls: Calls::new(config.calls),
            endpoint: Endpoint::new(config.endpoint, ids),
            bridges: Bridges::default(),
            bindings: Bindings::default(),
            waiting: Waiting::new(config.max_waiting),
            registrar: config.registrar,
            ringing: config.ringing,
            admitted: None,
            outputs: VecDeque::new(),
            refused: Vec::new(),
        }
    }

    /// How full the tables are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            bindings: self.bindings.len(),
            calls: self.bridges.len(),
            legs: self.calls.len(),
            transactions: self.endpoint.len(),
            waiting: self.waiting.len(),
        }
    }

    /// Works off what the endpoint and the calls have to tell, until both are silent.
    fn settle(&mut self, now: Instant) {
        for event in std::mem::take(&mut self.refused) {
            self.outputs.push_back(Output::Event(event));
        }
        loop {
            if let Some(event) = self.calls.poll_event() {
                self.on_call_event(event, now);
            } else if let Some(output) = self.endpoint.poll_output() {
                match output {
                    EndpointOutput::Transmit(transmit) => {
                        self.outputs.push_back(Output::Transmit(transmit));
                    }
                    EndpointOutput::Close(flow) => self.outputs.push_back(Output::Close(flow)),
                    EndpointOutput::Unreachable { transport, peer } => {
                        self.outputs
                            .push_back(Output::Unreachable { transport, peer });
                    }
                    EndpointOutput::Event(event) => self.on_endpoint_event(event, now),
                }
            } else {
                return;
            }
        }
    }

    fn on_endpoint_event(&mut self, event: EndpointEvent, now: Instant) {
        match event {
            EndpointEvent::Request {
                transaction,
                request,
                flow,
            } => {
                self.on_request(
                    Pending {
                        transaction,
                        request,
                        flow,
                    },
                    now,
                );
            }
            EndpointEvent::Cancelled {
                transaction,
                cancel,
            } => match self.waiting.cancel(transaction) {
                Some(pending) => self.respond(&pending, 487, now),
                None => self.pass_to_calls(
                    EndpointEvent::Cancelled {
                        transaction,
                        cancel,
                    },
                    now,
                ),
            },
            event => self.pass_to_calls(event, now),
        }
    }

    fn pass_to_calls(&mut self, event: EndpointEvent, now: Instant) {
        if let Some(event) = self.calls.handle_event(event, &mut self.endpoint, now) {
            respond_default(event, &mut self.endpoint, now);
        }
    }

    fn on_request(&mut self, pending: Pending, now: Instant) {
        let request = &pending.request;
        if request.to().is_ok_and(|to| to.tag().is_some()) && request.method != Method::REGISTER {
            self.pass_to_calls(pending.into_event(), now);
            return;
        }
        let Some(aor) = claimed_aor(request) else {
            self.respond(&pending, 400, now);
            return;
        };
        match self.authentication.claim(request, &aor) {
            Standing::Proven => self.look_up(aor, pending, Purpose::Authenticate, now),
            standing => self.refuse(&pending, &aor, standing, now),
        }
    }

    /// Has the edge look up an account; the request waits for the answer.
    fn look_up(&mut self, aor: Aor, pending: Pending, purpose: Purpose, now: Instant) {
        match self.waiting.insert(pending, purpose, now) {
            Ok(ticket) => self
                .outputs
                .push_back(Output::Event(Event::LoadAccount { ticket, aor })),
            Err(pending) => self.busy(&pending, now),
        }
    }

    fn on_account(
        &mut self,
        ticket: Ticket,
        account: Result<Option<Account>, LookupFailed>,
        now: Instant,
    ) {
        // A request that was cancelled or given up meanwhile has its answer already.
        let Some((pending, purpose)) = self.waiting.take(ticket) else {
            return;
        };
        match (purpose, account) {
            (_, Err(LookupFailed)) => self.busy(&pending, now),
            (Purpose::Authenticate, Ok(account)) => self.on_claimant(pending, account, now),
            (Purpose::Call { .. }, Ok(None)) => self.respond(&pending, 404, now),
            (Purpose::Call { caller, target }, Ok(Some(_))) => {
                self.on_called(pending, *caller, target, now);
            }
        }
    }

    fn on_claimant(&mut self, pending: Pending, account: Option<Account>, now: Instant) {
        let Some(aor) = claimed_aor(&pending.request) else {
            return;
        };
        let standing = self
            .authentication
            .verify(&pending.request, &aor, account.as_ref(), now);
        match (standing, account) {
            (Standing::Proven, Some(account)) => self.on_proven(pending, account, now),
            (standing, _) => self.refuse(&pending, &aor, standing, now),
        }
    }

    fn on_proven(&mut self, pending: Pending, account: Account, now: Instant) {
        if pending.request.method == Method::REGISTER {
            self.on_register(&pending, &account, now);
        } else if pending.request.method == Method::INVITE {
            match routing::target(&pending.request, &account, &self.endpoint) {
                Ok(target) => {
                    let purpose = Purpose::Call {
                        caller: Box::new(account),
                        target: target.clone(),
                    };
                    self.look_up(target, pending, purpose, now);
                }
                Err(status) => self.respond(&pending, status, now),
            }
        } else {
            self.pass_to_calls(pending.into_event(), now);
        }
    }

    fn on_register(&mut self, pending: &Pending, account: &Account, now: Instant) {
        let (response, changes) = registrar::process(
            &pending.request,
            account,
            pending.flow,
            &self.registrar,
            &mut self.bindings,
            now,
        );
        self.announce(changes);
        self.send(pending.transaction, response, now);
    }

    /// A proven caller calls an account that exists.
    fn on_called(&mut self, pending: Pending, caller: Account, target: Aor, now: Instant) {
        if self.bindings.of(&target).next().is_none() {
            self.respond(&pending, 480, now);
            return;
        }
        self.admitted = Some(Admitted { caller, target });
        self.pass_to_calls(pending.into_event(), now);
    }

    fn on_call_event(&mut self, event: CallEvent, now: Instant) {
        let CallEvent::Incoming {
            call,
            invite,
            offer,
            ..
        } = event
        else {
            let mut line = Line {
                calls: &mut self.calls,
                endpoint: &mut self.endpoint,
                now,
            };
            self.bridges.handle_event(event, &mut line);
            return;
        };
        let dials = match self.admitted.take() {
            Some(admitted) => routing::dials(
                &admitted,
                &invite,
                offer.as_ref(),
                &self.bindings,
                &self.endpoint,
            ),
            None => Vec::new(),
        };
        let mut line = Line {
            calls: &mut self.calls,
            endpoint: &mut self.endpoint,
            now,
        };
        if !self.bridges.ring(call, dials, self.ringing, &mut line) {
            // The caller may have given up in the same moment.
            let _ = self.calls.reject(call, 480, &mut self.endpoint, now);
        }
    }

    fn announce(&mut self, changes: Vec<BindingChange>) {
        if !changes.is_empty() {
            self.outputs
                .push_back(Output::Event(Event::BindingsChanged(changes)));
        }
    }

    fn end_bindings(&mut self, ended: impl IntoIterator<Item = (Aor, String)>) {
        let changes = ended
            .into_iter()
            .filter(|(aor, key)| self.bindings.remove(aor, key).is_some())
            .map(|(aor, key)| BindingChange::Removed { aor, key })
            .collect();
        self.announce(changes);
    }

    fn restore(&mut self, bindings: Vec<Binding>, now: Instant) {
        for binding in bindings {
            let is_known = self
                .bindings
                .of(&binding.aor)
                .any(|known| known.key() == binding.key());
            if !is_known && binding.expires_at > now {
                self.bindings.upsert(binding);
            }
        }
    }

    /// An answer that says no more than its status. ACK and CANCEL never come here.
    fn respond(&mut self, pending: &Pending, status: u16, now: Instant) {
        let tag = self.endpoint.ids().tag();
        let response = pending.request.response(status, Some(&tag));
        self.send(pending.transaction, response, now);
    }

    fn busy(&mut self, pending: &Pending, now: Instant) {
        let tag = self.endpoint.ids().tag();
        let mut response = pending.request.response(503, Some(&tag));
        response.push_header("Retry-After", "2");
        self.send(pending.transaction, response, now);
    }

    fn refuse(&mut self, pending: &Pending, aor: &Aor, standing: Standing, now: Instant) {
        let tag = self.endpoint.ids().tag();
        let response = self
            .authentication
            .refusal(&pending.request, aor, standing, &tag, now);
        // A transaction that is over needs no answer.
        let _ = self.endpoint.respond_once(pending.transaction, response);
    }

    fn send(&mut self, transaction: ServerTransaction, response: Response, now: Instant) {
        // A transaction that is over needs no answer.
        let _ = self.endpoint.respond(transaction, response, now);
    }
}

impl Machine for Proxy {
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
        self.endpoint.handle_flow_closed(flow, now);
        self.settle(now);
    }

    /// The proxy sends only where a device has registered from: it asks for no names.
    fn handle_resolved(&mut self, _: ResolveId, _: Result<Vec<Target>, ResolveError>, _: Instant) {}

    fn handle_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::AccountLoaded { ticket, account } => self.on_account(ticket, account, now),
            Command::RestoreBindings(bindings) => self.restore(bindings, now),
            Command::RevokeInstance(instance) => {
                self.end_bindings(self.bindings.of_instance(&instance));
            }
            Command::DropBindings(aor) => {
                let keys: Vec<_> = self
                    .bindings
                    .of(&aor)
                    .map(|binding| (aor.clone(), binding.key()))
                    .collect();
                self.end_bindings(keys);
            }
            Command::Count => self
                .outputs
                .push_back(Output::Event(Event::Counts(self.counts()))),
        }
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        let expired = self.bindings.remove_expired(now);
        self.announce(
            expired
                .iter()
                .map(|binding| BindingChange::Removed {
                    aor: binding.aor.clone(),
                    key: binding.key(),
                })
                .collect(),
        );
        for pending in self.waiting.take_overdue(now) {
            self.busy(&pending, now);
        }
        self.endpoint.handle_timeout(now);
        self.calls.handle_timeout(&mut self.endpoint, now);
        self.bridges.handle_timeout(&mut Line {
            calls: &mut self.calls,
            endpoint: &mut self.endpoint,
            now,
        });
        self.settle(now);
    }

    fn handle_refused_event(&mut self, event: Event, now: Instant) {
        match event {
            Event::LoadAccount { ticket, .. } => {
                if let Some((pending, _)) = self.waiting.take(ticket) {
                    self.busy(&pending, now);
                }
                self.settle(now);
            }
            event @ Event::BindingsChanged(_) => self.refused.push(event),
            Event::Counts(_) => {}
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
            self.bindings.next_expiry(),
            self.waiting.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
