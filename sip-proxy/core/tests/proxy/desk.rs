//! Phones that are real user agents, around the proxy on its bench: messages arrive at once, time passes only when told.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sdp::{Described, Direction, LocalMedia, OfferAnswer};
use sip::{
    Credentials, Destination, Endpoint, EndpointConfig, EndpointOutput, Flow, HostPort, Ids,
    Machine, Private, Replaces, Request, Transport,
};
use ua::{
    CallEvent, CallKey, Calls, CallsConfig, Dial, EndReason, ReferTarget, SessionTimers,
    respond_default,
};

use crate::bench::{Bench, DOMAIN, flow, password};

/// What one phone has heard, in words: `call event`.
pub(crate) struct Desk {
    pub(crate) port: u16,
    pub(crate) user: &'static str,
    endpoint: Endpoint,
    pub(crate) calls: Calls,
    pub(crate) heard: Vec<String>,
    pub(crate) incoming: Vec<CallKey>,
    pub(crate) invites: Vec<Request>,
    pub(crate) offer: Option<Described>,
    pub(crate) answer: Option<Described>,
    /// Whether a re-INVITE is accepted.
    pub(crate) agreeable: bool,
    version: u64,
}

pub(crate) struct Office {
    pub(crate) bench: Bench,
    pub(crate) desks: Vec<Desk>,
}

pub(crate) const ALICE: usize = 0;
pub(crate) const BOB: usize = 1;
pub(crate) const CAROL: usize = 2;
/// Bob's second phone.
pub(crate) const BOB_TOO: usize = 3;

impl Office {
    /// Alice, Bob and Carol, registered.
    pub(crate) fn new() -> Self {
        Self::around(Bench::new())
    }

    /// The same at a proxy with another configuration.
    pub(crate) fn around(mut bench: Bench) -> Self {
        let desks = [(40_001, "1001"), (40_002, "1002"), (40_003, "1003")];
        let desks = desks
            .map(|(port, user)| {
                bench.register(port, user);
                Desk::new(port, user, bench.now)
            })
            .into();
        Self { bench, desks }
    }

    /// A second phone of Bob's that is not registered.
    pub(crate) fn add_bobs_second(&mut self) {
        self.desks.push(Desk::new(40_012, "1002", self.bench.now));
    }

    pub(crate) fn call(&mut self, from: usize, to: usize) -> CallKey {
        let uri = format!("sip:{}@{DOMAIN}", self.desks[to].user);
        self.dial(from, &uri, Vec::new())
    }

    pub(crate) fn dial(
        &mut self,
        from: usize,
        uri: &str,
        headers: Vec<(&'static str, String)>,
    ) -> CallKey {
        let now = self.bench.now;
        let desk = &mut self.desks[from];
        let offer = desk.describe();
        let own = format!("sip:{}@{DOMAIN}", desk.user);
        let dial = Dial {
            request_uri: uri.parse().unwrap(),
            from: own.parse().unwrap(),
            to: uri.parse().unwrap(),
            contact: format!("sip:{}@127.0.0.1:{}", desk.user, desk.port)
                .parse()
                .unwrap(),
            route: Vec::new(),
            destination: Destination::Flow(desk.flow()),
            offer: Some(offer),
            credentials: Some(Credentials {
                username: desk.user.to_owned(),
                password: Private(password(desk.user)),
                realm: None,
            }),
            headers,
        };
        let key = desk.calls.dial(dial, &mut desk.endpoint, now).unwrap();
        self.run();
        key
    }

    /// The phone's last incoming call rings.
    pub(crate) fn ring(&mut self, who: usize) -> CallKey {
        let call = *self.desks[who].incoming.last().unwrap();
        self.on(who, |desk, now| {
            desk.calls
                .progress(call, 180, None, &mut desk.endpoint, now)
                .unwrap();
        });
        call
    }

    /// The phone answers its last incoming call.
    pub(crate) fn pick(&mut self, who: usize) -> CallKey {
        let call = *self.desks[who].incoming.last().unwrap();
        self.on(who, |desk, now| {
            let description = desk.describe();
            desk.calls
                .answer(call, Some(description), &mut desk.endpoint, now)
                .unwrap();
        });
        call
    }

    /// `from` calls `to`, who answers; both keys.
    pub(crate) fn connect(&mut self, from: usize, to: usize) -> (CallKey, CallKey) {
        let calling = self.call(from, to);
        let called = self.pick(to);
        self.take_heard();
        (calling, called)
    }

    pub(crate) fn reject(&mut self, who: usize, status: u16) {
        let call = *self.desks[who].incoming.last().unwrap();
        self.on(who, |desk, now| {
            desk.calls
                .reject(call, status, &mut desk.endpoint, now)
                .unwrap();
        });
    }

    /// The phone says that its last incoming call is to be made to `user`, on the wire: no phone of ours does so.
    pub(crate) fn redirect(&mut self, who: usize, user: &str) {
        let desk = &mut self.desks[who];
        let invite = desk.invites.pop().unwrap();
        let call = desk.incoming.pop().unwrap();
        let mut response = invite.response(302, Some("elsewhere"));
        response.push_header("Contact", format!("<sip:{user}@{DOMAIN}>"));
        let (flow, now) = (flow(desk.port), self.bench.now);
        self.bench
            .proxy
            .handle_received(flow, response.to_bytes(), now);
        self.bench.settle();
        self.run();
        self.on(who, |desk, now| {
            // Its own answer comes too late and is a copy to the proxy.
            let _ = desk.calls.reject(call, 302, &mut desk.endpoint, now);
        });
    }

    pub(crate) fn hang_up(&mut self, who: usize, call: CallKey, reason: Option<&str>) {
        self.on(who, |desk, now| {
            desk.calls
                .hang_up(call, reason.map(str::to_owned), &mut desk.endpoint, now)
                .unwrap();
        });
    }

    pub(crate) fn refer(&mut self, who: usize, call: CallKey, target: &ReferTarget) {
        self.on(who, |desk, now| {
            desk.calls
                .refer(call, target, &mut desk.endpoint, now)
                .unwrap();
        });
    }

    pub(crate) fn replaces(&self, who: usize, call: CallKey) -> Replaces {
        self.desks[who].calls.replaces_value(call).unwrap()
    }

    pub(crate) fn on(&mut self, who: usize, act: impl FnOnce(&mut Desk, Instant)) {
        let now = self.bench.now;
        act(&mut self.desks[who], now);
        self.run();
    }

    /// What everybody heard since the last look.
    pub(crate) fn take_heard(&mut self) -> Vec<Vec<String>> {
        let desks = self.desks.iter_mut();
        desks.map(|desk| std::mem::take(&mut desk.heard)).collect()
    }

    /// Until nobody has anything to say at this moment.
    pub(crate) fn run(&mut self) {
        loop {
            let mut quiet = true;
            for at in 0..self.desks.len() {
                while let Some((flow, bytes)) = self.desks[at].step(self.bench.now) {
                    quiet = false;
                    let now = self.bench.now;
                    self.bench.proxy.handle_received(flow, bytes, now);
                    self.bench.settle();
                }
                let (port, now) = (self.desks[at].port, self.bench.now);
                for message in self.bench.sent_to(port) {
                    quiet = false;
                    self.desks[at].receive(message.to_bytes(), now);
                }
            }
            if quiet {
                return;
            }
        }
    }

    /// Lets time pass for all.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.bench.now + duration;
        loop {
            let desks = self.desks.iter().filter_map(Desk::poll_timeout);
            let next = desks.chain(self.bench.proxy.poll_timeout()).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            let wait = next.saturating_duration_since(self.bench.now);
            self.bench.pass(wait);
            for desk in &mut self.desks {
                desk.handle_timeout(next);
            }
            self.run();
        }
        self.bench.now = end;
    }

    /// Everything ends; nothing is left anywhere.
    #[track_caller]
    pub(crate) fn finish(&mut self) {
        self.pass(Duration::from_secs(140));
        let counts = self.bench.proxy.counts();
        assert_eq!((counts.calls, counts.legs, counts.transactions), (0, 0, 0));
        assert_eq!(counts.records, 0, "records that never end");
        for desk in &self.desks {
            assert!(desk.calls.is_idle(), "{}: {:?}", desk.user, desk.calls);
        }
    }

    /// Whom a phone sends its sound to, by what the other side last said.
    pub(crate) fn talks_to(&self, who: usize, call: CallKey) -> u16 {
        let remote = self.desks[who].calls.remote_description(call).unwrap();
        remote.parse().unwrap().media[0].port
    }
}

impl Desk {
    #[expect(clippy::cast_possible_truncation, reason = "two ports are enough")]
    fn new(port: u16, user: &'static str, _: Instant) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let config = EndpointConfig {
            advertised: vec![(Transport::Udp, HostPort::from(address))],
            ..EndpointConfig::default()
        };
        Self {
            port,
            user,
            endpoint: Endpoint::new(config, Ids::from_seed([port as u8; 32])),
            calls: Calls::new(CallsConfig {
                session_timers: Some(SessionTimers::default()),
                ..CallsConfig::default()
            }),
            heard: Vec::new(),
            incoming: Vec::new(),
            invites: Vec::new(),
            offer: None,
            answer: None,
            agreeable: true,
            version: 0,
        }
    }

    /// The way to the proxy, as the phone sees it.
    fn flow(&self) -> Flow {
        Flow {
            transport: Transport::Udp,
            local: SocketAddr::from(([127, 0, 0, 1], self.port)),
            peer: SocketAddr::from(([127, 0, 0, 1], 5060)),
            generation: 0,
        }
    }

    /// An answer to the last offer, or a new offer; the media port is the SIP port.
    fn describe(&mut self) -> Described {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let media = LocalMedia::audio(address);
        let mut session = OfferAnswer::new(address.ip(), u64::from(self.port));
        let mut description = match self.offer.take() {
            Some(offer) => {
                let offer = offer.parse().unwrap();
                session.accept_offer(&offer, &media).unwrap().0
            }
            None => session.offer(&LocalMedia {
                direction: Direction::SendRecv,
                ..media
            }),
        };
        self.version += 1;
        description.origin.version = self.version;
        description.into()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        [self.calls.poll_timeout(), self.endpoint.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.calls.handle_timeout(&mut self.endpoint, now);
    }

    fn receive(&mut self, bytes: bytes::Bytes, now: Instant) {
        self.endpoint.handle_received(self.flow(), bytes, now);
    }

    /// One message to the proxy, if there is one.
    fn step(&mut self, now: Instant) -> Option<(Flow, bytes::Bytes)> {
        loop {
            if let Some(output) = self.endpoint.poll_output() {
                match output {
                    EndpointOutput::Transmit(transmit) => {
                        return Some((flow(self.port), transmit.bytes));
                    }
                    EndpointOutput::Event(event) => {
                        if let Some(event) = self.calls.handle_event(event, &mut self.endpoint, now)
                        {
                            respond_default(event, &mut self.endpoint, now);
                        }
                    }
                    EndpointOutput::Close(_) | EndpointOutput::Unreachable { .. } => {}
                }
            } else {
                let event = self.calls.poll_event()?;
                self.hear(event, now);
            }
        }
    }

    fn hear(&mut self, event: CallEvent, now: Instant) {
        let call = event.call();
        let text = match event {
            CallEvent::Incoming { invite, offer, .. } => {
                self.incoming.push(call);
                let from = invite.from().unwrap();
                let text = format!("{call} Incoming {}", from.uri.user().unwrap_or_default());
                self.invites.push(*invite);
                self.offer = offer;
                text
            }
            CallEvent::Progress { status, .. } => format!("{call} Progress {status}"),
            CallEvent::Answered { answer, .. } => {
                self.answer = answer;
                format!("{call} Answered")
            }
            CallEvent::Confirmed { .. } => format!("{call} Confirmed"),
            CallEvent::Reoffered { offer, .. } => {
                self.offer = offer;
                let answer = if self.agreeable {
                    Ok(self.describe())
                } else {
                    Err(488)
                };
                let answered = self
                    .calls
                    .answer_reoffer(call, answer, &mut self.endpoint, now);
                answered.unwrap();
                format!("{call} Reoffered")
            }
            CallEvent::Reanswered { .. } => format!("{call} Reanswered"),
            CallEvent::ReofferFailed { status, .. } => format!("{call} ReofferFailed {status}"),
            CallEvent::Offered { .. } => format!("{call} Offered"),
            CallEvent::Referred { id, .. } => {
                self.calls
                    .refuse_refer(call, id, 603, &mut self.endpoint, now)
                    .unwrap();
                format!("{call} Referred")
            }
            CallEvent::ReferProgress { status, .. } => format!("{call} ReferProgress {status}"),
            CallEvent::Info { content_type, .. } => format!("{call} Info {content_type}"),
            CallEvent::InfoRefused { status, .. } => format!("{call} InfoRefused {status}"),
            CallEvent::Ended { reason, said, .. } => {
                let said: String = said.iter().map(|reason| format!(" ({reason})")).collect();
                match reason {
                    EndReason::Failed(failure) => {
                        format!("{call} Failed {}{said}", failure.status().unwrap_or(0))
                    }
                    reason => format!("{call} Ended {reason:?}{said}"),
                }
            }
        };
        self.heard.push(text);
    }
}
