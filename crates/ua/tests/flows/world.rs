//! User agents on a simulated network, with one clock.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::subscription::Exhibit;
use bytes::Bytes;
use sdp::{Described, Direction, LocalMedia, OfferAnswer, SessionDescription};
use sip::{
    Credentials, Destination, Endpoint, EndpointConfig, EndpointEvent, EndpointOutput, Flow, Ids,
    Private, Request, ResolveError, Response, Target, Transport, Uri,
};
use testkit::ladder::{Ladder, assert_ladder, summary};
use testkit::sim_net::{Conditions, Fate, Packet, SimNet};
use ua::{
    CallEvent, CallKey, Calls, CallsConfig, Dial, EndReason, Notifiers, NotifiersConfig, ReferId,
    Registration, RegistrationEvent, RegistrationKey, RegistrationState, Registrations,
    RegistrationsConfig, Subscriptions, SubscriptionsConfig, respond_default,
};

/// Who is who in [`World::agents`].
pub(crate) const ALICE: usize = 0;
pub(crate) const BOB: usize = 1;

/// Answers requests that are neither a call's nor refused by default.
pub(crate) type Service = Box<dyn FnMut(&Request) -> Option<Response>>;

pub(crate) struct Agent {
    pub(crate) address: SocketAddr,
    /// How it is reached and reaches others.
    pub(crate) transport: Transport,
    pub(crate) endpoint: Endpoint,
    pub(crate) calls: Calls,
    pub(crate) registrations: Registrations,
    pub(crate) service: Option<Service>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) notifiers: Notifiers,
    pub(crate) exhibit: Exhibit,
    /// Calls that the owner knows and that have not ended for it.
    pub(crate) alive: BTreeSet<CallKey>,
    /// The last call that came in.
    pub(crate) incoming: Option<CallKey>,
    pub(crate) last_offer: Option<Described>,
    pub(crate) last_answer: Option<Described>,
    /// The last REFER that came in.
    pub(crate) referred: Option<ReferId>,
    /// What the last call that came in is to replace.
    pub(crate) replaces: Option<CallKey>,
    pub(crate) ends: Vec<EndReason>,
    pub(crate) states: Vec<RegistrationState>,
}

pub(crate) struct World {
    pub(crate) net: SimNet,
    pub(crate) ladder: Ladder,
    pub(crate) now: Instant,
    pub(crate) agents: Vec<Agent>,
    /// What names resolve to. Others are not found.
    pub(crate) hosts: HashMap<String, Result<Vec<SocketAddr>, ResolveError>>,
    /// Changes every message on its way, like a peer that speaks otherwise.
    pub(crate) edit: fn(String) -> String,
    /// Everything that was sent.
    pub(crate) packets: Vec<Packet>,
    /// Flows that are gone: nothing can be sent on them.
    pub(crate) dead_flows: Vec<Flow>,
    /// Addresses where every packet is refused, as by a closed port.
    pub(crate) closed: Vec<SocketAddr>,
}

pub(crate) fn address(last: u8) -> SocketAddr {
    ([192, 0, 2, last], 5060).into()
}

impl World {
    /// Alice, Bob and perhaps others, on a good network.
    pub(crate) fn new(names: &[&'static str]) -> Self {
        let config = CallsConfig {
            session_timers: None,
            ..CallsConfig::default()
        };
        Self::with_config(names, &config)
    }

    pub(crate) fn with_config(names: &[&'static str], config: &CallsConfig) -> Self {
        let now = SimNet::start();
        let mut ladder = Ladder::new(now);
        let agents = (1_u8..)
            .zip(names)
            .map(|(number, name)| {
                ladder.name(address(number), name);
                Agent::new(number, config.clone())
            })
            .collect();
        Self {
            net: SimNet::new(1, Conditions::GOOD),
            ladder,
            now,
            agents,
            hosts: HashMap::new(),
            edit: |text| text,
            packets: Vec::new(),
            dead_flows: Vec::new(),
            closed: Vec::new(),
        }
    }

    /// Runs until nothing is left before `duration` is over, then lets the clock stand there.
    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.drain();
        while let Some(next) = self.next_wake().filter(|&next| next <= end) {
            assert!(next >= self.now, "time runs backwards");
            self.now = next;
            self.deliver();
            for agent in &mut self.agents {
                agent.handle_timeout(next);
            }
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn run_ms(&mut self, ms: u64) {
        self.run_for(Duration::from_millis(ms));
    }

    /// Compares what happened since the last time with the drawing.
    #[track_caller]
    pub(crate) fn expect(&mut self, drawing: &str) {
        assert_ladder(&self.ladder.take(), drawing);
    }

    /// Lets everything end, then asserts that nothing is left.
    #[track_caller]
    pub(crate) fn finish(&mut self) {
        // The longest way out: 64·T1 each for a late PRACK, the CANCEL it frees, and the BYE of a 2xx
        // that crossed that.
        self.run_for(Duration::from_secs(140));
        assert!(self.net.is_empty(), "packets under way");
        for (number, agent) in self.agents.iter().enumerate() {
            assert!(
                agent.alive.is_empty(),
                "agent {number}: {:?} never ended",
                agent.alive
            );
            assert!(agent.calls.is_idle(), "agent {number}: {:#?}", agent.calls);
            assert_eq!(agent.calls.poll_timeout(), None, "agent {number}");
            assert!(
                agent.registrations.is_idle(),
                "agent {number}: {:#?}",
                agent.registrations
            );
            assert!(
                agent.subscriptions.is_idle(),
                "agent {number}: {:#?}",
                agent.subscriptions
            );
            assert!(
                agent.notifiers.is_idle(),
                "agent {number}: {:#?}",
                agent.notifiers
            );
            assert!(
                agent.endpoint.is_empty(),
                "agent {number}: transactions left"
            );
            assert_eq!(agent.endpoint.poll_timeout(), None, "agent {number}");
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        let agents = self.agents.iter().filter_map(Agent::poll_timeout);
        agents.chain(self.net.poll_timeout()).min()
    }

    fn deliver(&mut self) {
        while let Some(packet) = self.net.receive(self.now) {
            self.receive(&packet);
        }
    }

    /// A packet arrives right now.
    pub(crate) fn receive(&mut self, packet: &Packet) {
        if let Some(agent) = self
            .agents
            .iter_mut()
            .find(|agent| agent.address == packet.to)
        {
            let flow = agent.flow(packet.from);
            agent
                .endpoint
                .handle_received(flow, packet.bytes.clone(), self.now);
        }
        self.drain();
    }

    /// Carries out everything that the agents want now.
    pub(crate) fn drain(&mut self) {
        for number in 0..self.agents.len() {
            while self.step(number) {}
        }
    }

    fn step(&mut self, number: usize) -> bool {
        let now = self.now;
        let agent = &mut self.agents[number];
        if let Some(output) = agent.endpoint.poll_output() {
            match output {
                EndpointOutput::Transmit(transmit) => {
                    let to = transmit.destination.peer();
                    let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                    let bytes = Bytes::from((self.edit)(text));
                    let packet = Packet {
                        from: agent.address,
                        to,
                        bytes,
                    };
                    self.packets.push(packet.clone());
                    let dead = matches!(
                        transmit.destination,
                        Destination::Flow(flow) if self.dead_flows.contains(&flow)
                    );
                    if dead || self.closed.contains(&to) {
                        agent.endpoint.handle_transmit_failed(transmit.id, now);
                        self.ladder.packet(&packet, Fate::Lost, now);
                    } else {
                        let fate = self.net.send(packet.clone(), now);
                        self.ladder.packet(&packet, fate, now);
                    }
                }
                EndpointOutput::Close(_) | EndpointOutput::Unreachable { .. } => {}
                EndpointOutput::Event(event) => agent.handle_event(event, now),
            }
            return true;
        }
        if let Some(lookup) = agent.registrations.poll_lookup() {
            let found = match lookup.host.ip() {
                Some(ip) => Ok(vec![SocketAddr::new(ip, lookup.port.unwrap_or(5060))]),
                None => {
                    let name = lookup.host.to_string();
                    self.hosts
                        .get(&name)
                        .cloned()
                        .unwrap_or(Err(ResolveError::NotFound))
                }
            };
            let found = found.map(|list| {
                list.into_iter()
                    .map(|to| Target::new(Transport::Udp, to))
                    .collect()
            });
            let Agent {
                registrations,
                endpoint,
                ..
            } = agent;
            registrations.handle_resolved(lookup.registration, found, endpoint, now);
            return true;
        }
        if let Some(event) = agent.registrations.poll_event() {
            agent.states.push(event.state.clone());
            let text = describe_registration(&event, now);
            self.ladder.note(agent.address, &text, now);
            return true;
        }
        if let Some(text) = agent.step_subscriptions(now) {
            self.ladder.note(agent.address, &text, now);
            return true;
        }
        let Some(event) = agent.calls.poll_event() else {
            return false;
        };
        let text = describe(&event);
        self.ladder.note(agent.address, &text, now);
        agent.remember(event);
        true
    }

    // What people do.

    /// `from` calls `to` with the usual offer.
    pub(crate) fn dial(&mut self, from: usize, to: usize) -> CallKey {
        let offer = self.agents[from]
            .session()
            .offer(&self.agents[from].media());
        let mut dial = self.dial_to(from, to);
        dial.offer = Some(offer.into());
        self.place(from, dial)
    }

    pub(crate) fn dial_to(&self, from: usize, to: usize) -> Dial {
        let (from, to) = (&self.agents[from], &self.agents[to]);
        let uri = |agent: &Agent| Uri::sip(Some("user"), agent.address);
        Dial {
            request_uri: uri(to),
            from: uri(from).into(),
            to: uri(to).into(),
            contact: uri(from),
            route: Vec::new(),
            destination: Target::new(to.transport, to.address).into(),
            offer: None,
            credentials: None,
            headers: Vec::new(),
        }
    }

    pub(crate) fn place(&mut self, from: usize, dial: Dial) -> CallKey {
        let Agent {
            calls, endpoint, ..
        } = &mut self.agents[from];
        let call = calls.dial(dial, endpoint, self.now).unwrap();
        self.agents[from].alive.insert(call);
        self.drain();
        call
    }

    pub(crate) fn ring(&mut self, who: usize) {
        let (now, call) = (self.now, self.agents[who].incoming.unwrap());
        let Agent {
            calls, endpoint, ..
        } = &mut self.agents[who];
        calls.progress(call, 180, None, endpoint, now).unwrap();
        self.drain();
    }

    /// Answers the last call that came in, or its last offer.
    pub(crate) fn answer(&mut self, who: usize) {
        let (now, call) = (self.now, self.agents[who].incoming.unwrap());
        let description = self.agents[who].answer_for_offer();
        let Agent {
            calls, endpoint, ..
        } = &mut self.agents[who];
        calls
            .answer(call, Some(description), endpoint, now)
            .unwrap();
        self.drain();
    }

    pub(crate) fn reject(&mut self, who: usize, status: u16) {
        let (now, call) = (self.now, self.agents[who].incoming.unwrap());
        let Agent {
            calls, endpoint, ..
        } = &mut self.agents[who];
        calls.reject(call, status, endpoint, now).unwrap();
        self.drain();
    }

    pub(crate) fn info(
        &mut self,
        who: usize,
        call: CallKey,
        content_type: &str,
        body: &'static str,
    ) {
        let Agent {
            calls, endpoint, ..
        } = &mut self.agents[who];
        assert!(calls.takes_info(call), "said so in Allow");
        calls
            .info(call, content_type, body.into(), endpoint, self.now)
            .unwrap();
        self.drain();
    }

    pub(crate) fn hang_up(&mut self, who: usize, call: CallKey) {
        let Agent {
            calls, endpoint, ..
        } = &mut self.agents[who];
        calls.hang_up(call, None, endpoint, self.now).unwrap();
        self.drain();
    }

    /// Offers the usual session with this direction.
    pub(crate) fn reoffer(
        &mut self,
        who: usize,
        call: CallKey,
        direction: Direction,
        version: u64,
    ) {
        let mut offer = self.agents[who].description(direction);
        offer.origin.version = version;
        let Agent {
            calls, endpoint, ..
        } = &mut self.agents[who];
        calls
            .reoffer(call, offer.into(), endpoint, self.now)
            .unwrap();
        self.drain();
    }

    pub(crate) fn answer_reoffer(&mut self, who: usize, call: CallKey) {
        let description = self.agents[who].answer_for_offer();
        let Agent {
            calls, endpoint, ..
        } = &mut self.agents[who];
        calls
            .answer_reoffer(call, Ok(description), endpoint, self.now)
            .unwrap();
        self.drain();
    }

    /// Alice calls Bob, he rings and answers after a second. The ladder is cleared.
    pub(crate) fn connect(&mut self) -> (CallKey, CallKey) {
        let alice = self.dial(ALICE, BOB);
        self.run_ms(50);
        self.ring(BOB);
        self.run_ms(950);
        self.answer(BOB);
        self.run_ms(1_000);
        self.ladder.take();
        (alice, self.agents[BOB].incoming.unwrap())
    }

    pub(crate) fn register(&mut self, who: usize, registration: Registration) -> RegistrationKey {
        let Agent {
            registrations,
            endpoint,
            ..
        } = &mut self.agents[who];
        let key = registrations
            .register(registration, endpoint, self.now)
            .unwrap();
        self.drain();
        key
    }

    pub(crate) fn unregister(&mut self, who: usize, key: RegistrationKey) {
        let Agent {
            registrations,
            endpoint,
            ..
        } = &mut self.agents[who];
        registrations.unregister(key, endpoint, self.now).unwrap();
        self.drain();
    }

    pub(crate) fn serve(
        &mut self,
        who: usize,
        service: impl FnMut(&Request) -> Option<Response> + 'static,
    ) {
        self.agents[who].service = Some(Box::new(service));
    }

    /// The last message of this kind, in the words of the ladder.
    pub(crate) fn sent(&self, kind: &str) -> String {
        let packet = self
            .packets
            .iter()
            .rfind(|packet| summary(&packet.bytes) == kind)
            .unwrap();
        String::from_utf8(packet.bytes.to_vec())
            .unwrap()
            .replace("\r\n", "\n")
    }

    /// Something that `who` did not send by its own will arrives at `to`.
    pub(crate) fn inject(&mut self, from: SocketAddr, to: usize, text: &str) {
        let packet = Packet {
            from,
            to: self.agents[to].address,
            bytes: Bytes::from(text.replace('\n', "\r\n")),
        };
        self.receive(&packet);
    }
}

impl Agent {
    fn new(number: u8, config: CallsConfig) -> Self {
        let address = address(number);
        let endpoint_config = EndpointConfig {
            advertised: [Transport::Udp, Transport::Tcp]
                .map(|transport| (transport, address.into()))
                .into(),
            ..EndpointConfig::default()
        };
        Self {
            address,
            transport: Transport::Udp,
            endpoint: Endpoint::new(endpoint_config, Ids::from_seed([number; 32])),
            calls: Calls::new(config),
            registrations: Registrations::new(RegistrationsConfig::default()),
            service: None,
            subscriptions: Subscriptions::new(SubscriptionsConfig::default()),
            notifiers: Notifiers::new(NotifiersConfig::default()),
            exhibit: Exhibit::default(),
            alive: BTreeSet::new(),
            incoming: None,
            last_offer: None,
            last_answer: None,
            referred: None,
            replaces: None,
            ends: Vec::new(),
            states: Vec::new(),
        }
    }

    pub(crate) fn flow(&self, peer: SocketAddr) -> Flow {
        Flow {
            transport: self.transport,
            local: self.address,
            peer,
            generation: 0,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let Self {
            calls,
            endpoint,
            registrations,
            subscriptions,
            notifiers,
            ..
        } = self;
        [
            subscriptions.poll_timeout(),
            notifiers.poll_timeout(),
            calls.poll_timeout(),
            endpoint.poll_timeout(),
            registrations.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.calls.handle_timeout(&mut self.endpoint, now);
        self.registrations.handle_timeout(&mut self.endpoint, now);
        self.subscriptions.handle_timeout(&mut self.endpoint, now);
        self.notifiers.handle_timeout(&mut self.endpoint, now);
        assert!(
            self.poll_timeout().is_none_or(|next| next > now),
            "would spin"
        );
    }

    fn handle_event(&mut self, event: EndpointEvent, now: Instant) {
        let Self {
            calls,
            endpoint,
            registrations,
            subscriptions,
            notifiers,
            ..
        } = self;
        let Some(event) = registrations.handle_event(event, endpoint, now) else {
            return;
        };
        if let EndpointEvent::Request {
            transaction,
            request,
            ..
        } = &event
            && let Some(service) = &mut self.service
            && let Some(response) = service(request)
        {
            endpoint.respond(*transaction, response, now).unwrap();
            return;
        }
        let Some(event) = subscriptions.handle_event(event, endpoint, now) else {
            return;
        };
        let Some(event) = notifiers.handle_event(event, endpoint, now) else {
            return;
        };
        let Some(event) = calls.handle_event(event, endpoint, now) else {
            return;
        };
        respond_default(event, endpoint, now);
    }

    fn remember(&mut self, event: CallEvent) {
        let call = event.call();
        match &event {
            CallEvent::Incoming { .. } => assert!(self.alive.insert(call), "{call} is not new"),
            CallEvent::Ended { .. } => assert!(self.alive.remove(&call), "{call} ended twice"),
            event => assert!(self.alive.contains(&call), "{event:?} after the end"),
        }
        match event {
            CallEvent::Incoming {
                call,
                offer,
                replaces,
                ..
            } => {
                self.incoming = Some(call);
                self.replaces = replaces;
                self.last_offer = offer;
            }
            CallEvent::Reoffered { offer, .. } => self.last_offer = offer,
            CallEvent::Answered { answer, .. }
            | CallEvent::Confirmed { answer, .. }
            | CallEvent::Reanswered { answer, .. } => self.last_answer = answer,
            CallEvent::Ended { reason, .. } => self.ends.push(reason),
            CallEvent::Offered { offer, .. } => self.last_offer = Some(offer),
            CallEvent::Referred { id, .. } => self.referred = Some(id),
            CallEvent::Progress { .. }
            | CallEvent::ReferProgress { .. }
            | CallEvent::ReofferFailed { .. }
            | CallEvent::Info { .. }
            | CallEvent::InfoRefused { .. } => {}
        }
    }

    pub(crate) fn media(&self) -> LocalMedia {
        LocalMedia::audio(SocketAddr::new(self.address.ip(), 4_000))
    }

    fn session(&self) -> OfferAnswer {
        OfferAnswer::new(self.address.ip(), u64::from(self.address.port()))
    }

    pub(crate) fn description(&self, direction: Direction) -> SessionDescription {
        let media = LocalMedia {
            direction,
            ..self.media()
        };
        self.session().offer(&media)
    }

    /// The answer to the last offer, or an offer if it was for us to make one.
    fn answer_for_offer(&self) -> Described {
        match &self.last_offer {
            Some(offer) => {
                let offer = offer.parse().unwrap();
                let answered = self.session().accept_offer(&offer, &self.media());
                answered.unwrap().0.into()
            }
            None => self.description(Direction::SendRecv).into(),
        }
    }
}

pub(crate) fn credentials(password: &str) -> Credentials {
    Credentials {
        username: "alice".to_owned(),
        password: Private(password.to_owned()),
        realm: None,
    }
}

fn describe(event: &CallEvent) -> String {
    let sdp = |description: &Option<Described>| match description {
        Some(description) => {
            let description = description.parse().unwrap();
            match description.media.first() {
                Some(media) => format!(" {}", description.direction_of(media)),
                None => " empty".to_owned(),
            }
        }
        None => String::new(),
    };
    match event {
        CallEvent::Incoming {
            offer,
            replaces: Some(old),
            ..
        } => format!("Incoming{} for {old}", sdp(offer)),
        CallEvent::Incoming { offer, .. } => format!("Incoming{}", sdp(offer)),
        CallEvent::Progress { status, answer, .. } => format!("Progress {status}{}", sdp(answer)),
        CallEvent::Answered { answer, .. } => format!("Answered{}", sdp(answer)),
        CallEvent::Confirmed { answer, .. } => format!("Confirmed{}", sdp(answer)),
        CallEvent::Reoffered { offer, .. } => format!("Reoffered{}", sdp(offer)),
        CallEvent::Reanswered { answer, .. } => format!("Reanswered{}", sdp(answer)),
        CallEvent::ReofferFailed { status, .. } => format!("ReofferFailed {status}"),
        CallEvent::Offered { offer, .. } => format!("Offered{}", sdp(&Some(offer.clone()))),
        CallEvent::Referred {
            refer_to, replaces, ..
        } => match replaces {
            Some(replaces) => format!("Referred {} for {replaces}", refer_to.target()),
            None => format!("Referred {}", refer_to.target()),
        },
        CallEvent::ReferProgress { status, .. } => format!("ReferProgress {status}"),
        CallEvent::Info { content_type, .. } => format!("Info {content_type}"),
        CallEvent::InfoRefused { status, .. } => format!("InfoRefused {status}"),
        CallEvent::Ended {
            reason: EndReason::Failed(failure),
            ..
        } => format!("Ended: {failure}"),
        CallEvent::Ended { reason, said, .. } => {
            let said: String = said.iter().map(|reason| format!(" ({reason})")).collect();
            format!("Ended {reason:?}{said}")
        }
    }
}

fn describe_registration(event: &RegistrationEvent, now: Instant) -> String {
    match &event.state {
        RegistrationState::Registered { expires, .. } => {
            format!("Registered for {} s", expires.as_secs())
        }
        RegistrationState::Failed { failure, retry_at } => {
            let wait = retry_at.duration_since(now).as_secs_f64().ceil();
            format!("{failure:?}, retry in {wait} s")
        }
        state => format!("{state:?}"),
    }
}
