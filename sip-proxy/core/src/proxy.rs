//! The proxy's machine: sorts what arrives to authentication, registrar and bridges.
//!
//! ```text
//!   request outside a dialog ──► digest ──► REGISTER ──► registrar ──► bindings
//!                                  │
//!                                  ├──────► SUBSCRIBE ─► notifier ──► watchers
//!                                  └──────► INVITE ────► the called account ──► a bridge with a leg per binding
//!   request inside a dialog ─────────────► the leg it belongs to, or 481
//! ```
//!
//! Nothing from outside a dialog passes without proof of who sends it, or from where nobody is asked for any (`door.rs`). Two look-ups leave the machine (the account that is
//! claimed, the account that is called) where nothing is remembered; while they are under way the request waits in [`Waiting`].
//!
//! Not here: when it is woken (`proxy/machine.rs`), what a REGISTER does (`registrar.rs`), who may (`authentication.rs`), what a call is (`bridge/`).

mod machine;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::{
    Aor, Endpoint, EndpointConfig, EndpointEvent, EndpointOutput, Flow, Ids, Output, Request,
    Stateless,
};
use ua::{CallEvent, Calls, CallsConfig, Served, Stages, respond_unserved};

use crate::accounts::Accounts;
use crate::authentication::{Authentication, is_stateless};
use crate::binding::Bindings;
use crate::bridge::{Bridges, Line, Side};
use crate::call_record::CallEndReason;
use crate::calling::Calling;
use crate::clock::Clock;
use crate::commit::Commits;
use crate::config::{ProxyConfig, Room};
use crate::door::new_record;
use crate::effect::{Counts, Event};
use crate::elsewhere::Elsewhere;
use crate::gruu::Gruus;
use crate::guessing::Guessing;
use crate::history::History;
use crate::ledger::{Ledger, RecordKey};
use crate::news::News;
use crate::notifier::{Desk, Watching};
use crate::numbers::DialPlans;
use crate::registrar::RegistrarPolicy;
use crate::routing::{self, Admitted, Identity, Plan};
use crate::sharing::Share;
use crate::trusted::TrustedNetworks;
use crate::waiting::{Answering, Pending, Waiting};

/// Methods that the proxy serves, as `Allow` lists them.
const METHODS: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY, REGISTER, SUBSCRIBE";

/// The registration proxy and B2BUA.
#[derive(Debug)]
pub struct Proxy {
    pub(crate) endpoint: Endpoint,
    pub(crate) calls: Calls,
    pub(crate) bridges: Bridges,
    pub(crate) watching: Watching,
    pub(crate) history: History,
    pub(crate) ledger: Ledger,
    pub(crate) bindings: Bindings,
    pub(crate) waiting: Waiting,
    pub(crate) accounts: Accounts,
    pub(crate) trusted: TrustedNetworks,
    pub(crate) guessing: Guessing,
    pub(crate) calling: Calling,
    pub(crate) numbers: DialPlans,
    pub(crate) share: Share,
    /// Calls whose callee another shard knows.
    pub(crate) locating: Waiting,
    /// Transfers and redirections whose target another shard knows.
    pub(crate) elsewhere: Elsewhere,
    pub(crate) authentication: Authentication,
    pub(crate) commits: Commits,
    pub(crate) news: News,
    pub(crate) gruus: Gruus,
    pub(crate) clock: Clock,
    pub(crate) registrar: RegistrarPolicy,
    pub(crate) room: Room,
    ringing: Duration,
    /// The INVITE that is just being handed to `calls`.
    admitted: Option<Admitted>,
    pub(crate) outputs: VecDeque<Output<Event>>,
    /// Events the edge had no room for; told again at the next occasion.
    refused: Vec<Event>,
}

impl Proxy {
    /// A proxy without bindings.
    #[must_use]
    pub fn new(config: ProxyConfig) -> Self {
        let prefix = config.share.call_id_prefix();
        let mut ids = Ids::from_seed(config.seed).with_call_id_prefix(&prefix);
        let room = Room::of(&config);
        let trusted = config.trusted.clone();
        let stateless = Stateless::new(move |request, flow| is_stateless(request, flow, &trusted));
        let endpoint = EndpointConfig {
            stateless: Some(stateless),
            ..config.endpoint
        };
        let gruus = Gruus::new(&mut ids);
        Self {
            authentication: Authentication::new(&config.algorithms, &mut ids, config.started),
            calls: Calls::new(CallsConfig {
                stages: Stages::Told,
                ..config.calls
            }),
            watching: Watching::new(config.watching),
            history: History::new(config.trace),
            ledger: Ledger::default(),
            endpoint: Endpoint::new(endpoint, ids),
            bridges: Bridges::default(),
            bindings: Bindings::default(),
            waiting: Waiting::new(config.max_waiting),
            accounts: Accounts::new(config.accounts, &config.algorithms),
            trusted: config.trusted,
            guessing: Guessing::new(config.guessing),
            calling: Calling::new(config.calling),
            numbers: config.numbers,
            share: config.share,
            locating: Waiting::new(config.max_waiting),
            elsewhere: Elsewhere::new(config.max_waiting),
            news: News::default(),
            commits: Commits::new(config.durability, config.max_waiting),
            gruus,
            clock: Clock::new(config.started),
            registrar: config.registrar,
            room,
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
            waiting: self.waiting.len()
                + self.locating.len()
                + self.elsewhere.len()
                + self.commits.len(),
            watchers: self.watching.len(),
            traces: self.history.len(),
            records: self.ledger.len(),
        }
    }

    /// Works off what the endpoint and the calls have to tell, until both are silent.
    fn settle(&mut self, now: Instant) {
        for event in std::mem::take(&mut self.refused) {
            self.outputs.push_back(Output::Event(event));
        }
        self.settle_dialogs(now);
        self.news.wait(now);
    }

    fn settle_dialogs(&mut self, now: Instant) {
        loop {
            if let Some(event) = self.calls.poll_event() {
                self.on_call_event(event, now);
            } else if let Some(aor) = self.calling.poll_alarm() {
                self.outputs
                    .push_back(Output::Event(Event::CallsLimited { aor }));
            } else if self.settle_watching(now) {
            } else if let Some(output) = self.endpoint.poll_output() {
                match output {
                    EndpointOutput::Transmit(transmit) => {
                        let to = &transmit.destination;
                        self.history
                            .sent(to.transport(), to.peer(), &transmit.bytes, now);
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

    /// Tells watchers what has changed; `false` if nothing has.
    pub(crate) fn settle_watching(&mut self, now: Instant) -> bool {
        if let Some(change) = self.calls.poll_stage() {
            self.history
                .note_stage(change, &self.bridges, &self.calls, now);
            let (watching, mut desk) = self.desk(now);
            watching.note_stage(change, &mut desk);
            return true;
        }
        let (watching, mut desk) = self.desk(now);
        watching.step(&mut desk)
    }

    /// The notifier, and what it acts on.
    pub(crate) fn desk(&mut self, now: Instant) -> (&mut Watching, Desk<'_>) {
        let desk = Desk {
            calls: &self.calls,
            endpoint: &mut self.endpoint,
            now,
        };
        (&mut self.watching, desk)
    }

    fn on_endpoint_event(&mut self, event: EndpointEvent, now: Instant) {
        match event {
            EndpointEvent::Request {
                transaction,
                request,
                flow,
            } => {
                let answering = Answering::Transaction(transaction);
                self.on_request(
                    Pending {
                        answering,
                        request,
                        flow,
                    },
                    now,
                );
            }
            EndpointEvent::Stateless {
                request,
                flow,
                bytes,
            } => {
                let answering = Answering::Stateless(bytes);
                self.on_request(
                    Pending {
                        answering,
                        request,
                        flow,
                    },
                    now,
                );
            }
            EndpointEvent::Cancelled {
                transaction,
                cancel,
            } => match self
                .waiting
                .cancel(transaction)
                .or_else(|| self.locating.cancel(transaction))
            {
                Some((pending, purpose)) => self.on_waiting_cancelled(&pending, &purpose, now),
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

    pub(crate) fn pass_to_calls(&mut self, mut event: EndpointEvent, now: Instant) {
        self.settle_remote_target(&mut event);
        let (watching, mut desk) = self.desk(now);
        let Some(event) = watching.handle_event(event, &mut desk) else {
            return;
        };
        if let Some(event) = self.calls.handle_event(event, &mut self.endpoint, now) {
            let served = Served {
                methods: METHODS,
                events: &self.watching.allow_events(),
            };
            respond_unserved(event, &served, &mut self.endpoint, now);
        }
    }

    /// A proven caller calls an account that exists.
    pub(crate) fn ring(&mut self, pending: Pending, admitted: Admitted, now: Instant) {
        // A call that takes the place of another rings nobody.
        let rings = pending.request.header("Replaces").is_none();
        let bindings = admitted.elsewhere.as_ref().unwrap_or(&self.bindings);
        if rings && !routing::rings(&admitted.callee, bindings) {
            let ended = (480, CallEndReason::NotRegistered);
            self.turn_down(
                &pending,
                &admitted.caller,
                Some(&admitted.callee),
                ended,
                now,
            );
            return;
        }
        self.admitted = Some(admitted);
        self.pass_to_calls(pending.into_event(), now);
        // It is taken in before anything else happens: another caller may have waited for the same callee.
        while let Some(event) = self.calls.poll_event() {
            self.on_call_event(event, now);
        }
        self.admitted = None;
    }

    fn on_call_event(&mut self, event: CallEvent, now: Instant) {
        let CallEvent::Incoming {
            call,
            invite,
            offer,
            replaces,
            flow,
        } = event
        else {
            if let CallEvent::Ended { call, reason, .. } = &event {
                self.history.end(*call, reason, now);
            }
            self.bridge(event, now);
            return;
        };
        let mut admitted = self.admitted.take();
        if let Some(admitted) = &admitted {
            let owner = admitted.caller.owner;
            self.history.begin(call, owner, &invite, flow, now);
        }
        let record = admitted
            .as_ref()
            .map(|admitted| self.begin_record(admitted, &invite, flow, now));
        let elsewhere = admitted
            .as_mut()
            .and_then(|admitted| admitted.elsewhere.take());
        let (bridges, mut line) = self.line(now);
        if let Some(elsewhere) = &elsewhere {
            line.bindings = elsewhere;
        }
        let taken = match (admitted.zip(record), replaces) {
            (None, _) => Err(480),
            (Some((admitted, record)), Some(replaced)) => {
                Identity::of_caller(&admitted.caller, &invite).and_then(|who| {
                    let newcomer = Side::new(call, who);
                    bridges.pick_up(newcomer, record, offer, replaced, &mut line)
                })
            }
            (Some((admitted, record)), None) => {
                Plan::of_invite(&admitted, &invite).and_then(|plan| {
                    let rings = bridges.ring(call, plan, record, &mut line);
                    if rings { Ok(()) } else { Err(480) }
                })
            }
        };
        if let Err(status) = taken {
            if let Some(record) = record {
                self.ledger.fail(record, status, now);
            }
            // The caller may have given up in the same moment.
            let _ = self.calls.reject(call, status, &mut self.endpoint, now);
        }
    }

    /// The record of a call that is taken in.
    fn begin_record(
        &mut self,
        admitted: &Admitted,
        invite: &Request,
        flow: Flow,
        now: Instant,
    ) -> RecordKey {
        let account = &*admitted.caller;
        let who = Identity::of_caller(account, invite).unwrap_or_else(|_| Identity::of(account));
        let mut new = new_record(invite, &who, Some(&admitted.callee));
        new.caller.instance = self.device_at(&account.aor, flow.peer);
        self.ledger.begin(new, now)
    }

    /// The device of `aor` that sends from `peer`. An INVITE may come over another connection than the REGISTER (RFC 3261, section 18.1.1): then
    /// the only device that is registered from that host.
    fn device_at(&self, aor: &Aor, peer: SocketAddr) -> Option<String> {
        let bound = self.bindings.of(aor);
        let devices = || {
            let devices = bound
                .iter()
                .filter(|binding| !binding.instance().is_empty());
            devices.filter_map(|binding| Some((binding.reached_by()?.peer(), binding.instance())))
        };
        if let Some((_, device)) = devices().find(|(home, _)| *home == peer) {
            return Some(device.to_owned());
        }
        let mut here = devices().filter(|(home, _)| home.ip() == peer.ip());
        let (_, device) = here.next()?;
        here.all(|(_, other)| other == device)
            .then(|| device.to_owned())
    }

    /// The bridges, and what they act on.
    pub(crate) fn line(&mut self, now: Instant) -> (&mut Bridges, Line<'_>) {
        let line = Line {
            calls: &mut self.calls,
            endpoint: &mut self.endpoint,
            bindings: &self.bindings,
            calling: &mut self.calling,
            numbers: &self.numbers,
            ledger: &mut self.ledger,
            patience: self.ringing,
            now,
        };
        (&mut self.bridges, line)
    }
}
