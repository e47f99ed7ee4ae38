//! The harness: an exchange that registers everybody and passes every request on to the phone of
//! the user in its Request-URI, and a ladder of what both phones tell.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sdp::{LocalSecurity, PayloadFormat};
use sip::{
    EndpointConfig, Flow, HostPort, Machine, Message, Method, Output, Private, ResolveError,
    ResolveId, Target, Transport, parse_datagram,
};

use crate::{
    Action, Command, Event, LineConfig, LineId, LineStatus, LocalAddress, Phone, PhoneConfig,
    ReplyId, View,
};

/// One way through the network.
const DELAY: Duration = Duration::from_millis(10);

pub(super) const ALICE: &str = "192.0.2.1:5060";
pub(super) const BOB: &str = "192.0.2.2:5060";
pub(super) const CAROL: &str = "192.0.2.3:5060";
pub(super) const EXCHANGE: &str = "192.0.2.9:5060";

/// How the exchange treats requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// Registers everybody, passes everything on.
    Works,
    /// Answers every request with this status.
    Refuses(u16),
    /// Says nothing.
    Silent,
}

pub(super) struct Net {
    /// INFO is answered with this status.
    pub(super) refuses_info: Option<u16>,
    /// The types of the bodies that were refused.
    pub(super) infos: Vec<String>,
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) phones: BTreeMap<&'static str, Party>,
    pub(super) exchange: Exchange,
    pub(super) names: Result<(), ResolveError>,
    /// What the exchange tells of the next transfer, which it then serves itself.
    pub(super) transfers: Vec<u16>,
    /// Whom transfers were to.
    pub(super) referred: Vec<String>,
    queue: Vec<(Instant, SocketAddr, SocketAddr, Bytes)>,
    lookups: Vec<(&'static str, ResolveId)>,
    ladder: Vec<String>,
    next_reply: u64,
}

pub(super) struct Party {
    pub(super) phone: Phone,
    pub(super) address: SocketAddr,
    pub(super) view: View,
    pub(super) has_ports: bool,
    /// Its calls do ICE with these.
    pub(super) ice: Option<sdp::LocalIce>,
    /// The last direction that media was told.
    pub(super) direction: Option<sdp::Direction>,
    shown: BTreeMap<u64, String>,
}

pub(super) fn line(user: &str, address: &str) -> LineConfig {
    let address: SocketAddr = address.parse().unwrap();
    LineConfig {
        id: LineId(u128::from(user.len() as u64) + u128::from(address.port())),
        name: user.to_owned(),
        display_name: Some(user.to_uppercase()),
        username: user.to_owned(),
        domain: "example.org".parse().unwrap(),
        auth_username: user.to_owned(),
        password: Some(Private("secret".to_owned())),
        transport: Transport::Udp,
        outbound_proxy: Some(format!("sip:{EXCHANGE};lr").parse().unwrap()),
        formats: vec![
            PayloadFormat::opus(96),
            PayloadFormat::telephone_event(97, 48_000),
        ],
        dialing_rules: Vec::new(),
        security: LocalSecurity::default(),
        instance: "urn:uuid:00000000-0000-0000-0000-000000000001".to_owned(),
        local: LocalAddress {
            ip: address.ip(),
            port: address.port(),
        },
    }
}

impl Net {
    #[expect(
        clippy::disallowed_methods,
        reason = "simulated time has to start somewhere"
    )]
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let party = |address: &str, seed: u8| {
            let address: SocketAddr = address.parse().unwrap();
            let endpoint = EndpointConfig {
                advertised: vec![(Transport::Udp, HostPort::from(address))],
                ..EndpointConfig::default()
            };
            Party {
                phone: Phone::new(PhoneConfig { endpoint }, [seed; 32]),
                address,
                view: View::default(),
                has_ports: true,
                ice: None,
                direction: None,
                shown: BTreeMap::new(),
            }
        };
        Self {
            start: now,
            now,
            phones: BTreeMap::from([
                ("alice", party(ALICE, 1)),
                ("bob", party(BOB, 2)),
                ("carol", party(CAROL, 3)),
            ]),
            exchange: Exchange::Works,
            names: Ok(()),
            transfers: Vec::new(),
            refuses_info: None,
            infos: Vec::new(),
            referred: Vec::new(),
            queue: Vec::new(),
            lookups: Vec::new(),
            ladder: Vec::new(),
            next_reply: 0,
        }
    }

    /// Both registered, and the ladder empty.
    pub(super) fn registered() -> Self {
        let mut net = Self::new();
        net.configure("alice", vec![line("alice", ALICE)]);
        net.configure("bob", vec![line("bob", BOB)]);
        net.run_for(Duration::from_millis(100));
        net.forget();
        net
    }

    /// Empties the ladder, and counts time from here.
    pub(super) fn forget(&mut self) {
        self.ladder.clear();
        self.start = self.now;
    }

    pub(super) fn configure(&mut self, who: &'static str, lines: Vec<LineConfig>) {
        self.act(who, Action::Configure(lines));
    }

    pub(super) fn call(&mut self, who: &'static str, target: &str) {
        self.act(
            who,
            Action::Call {
                line: None,
                target: Private(target.to_owned()),
            },
        );
    }

    pub(super) fn act(&mut self, who: &'static str, action: Action) {
        self.next_reply += 1;
        let command = Command {
            reply: ReplyId(self.next_reply),
            action,
        };
        let now = self.now;
        self.party(who).phone.handle_command(command, now);
        self.drain(who);
    }

    pub(super) fn party(&mut self, who: &'static str) -> &mut Party {
        self.phones.get_mut(who).unwrap()
    }

    /// A datagram from anywhere to a phone.
    pub(super) fn inject(&mut self, from: &str, who: &'static str, bytes: &str) {
        let to = self.party(who).address;
        let bytes = Bytes::from(bytes.to_owned());
        self.queue
            .push((self.now + DELAY, from.parse().unwrap(), to, bytes));
    }

    pub(super) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let datagram = self.queue.iter().map(|(at, ..)| *at).min();
            let timer = self
                .phones
                .values()
                .filter_map(|party| party.phone.poll_timeout())
                .min();
            let Some(next) = datagram
                .into_iter()
                .chain(timer)
                .min()
                .filter(|next| *next <= end)
            else {
                break;
            };
            self.now = self.now.max(next);
            self.deliver();
            let due: Vec<_> = self
                .phones
                .iter()
                .filter(|(_, party)| party.phone.poll_timeout().is_some_and(|at| at <= self.now))
                .map(|(who, _)| *who)
                .collect();
            for who in due {
                let now = self.now;
                self.party(who).phone.handle_timeout(now);
                self.drain(who);
                let next = self.party(who).phone.poll_timeout();
                assert!(next.is_none_or(|next| next > now), "{who} would spin");
            }
        }
        self.now = end;
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (due, later) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition(|(at, ..)| *at <= now);
        self.queue = later;
        let due: Vec<(Instant, SocketAddr, SocketAddr, Bytes)> = due;
        for (_, from, to, bytes) in due {
            if to == EXCHANGE.parse().unwrap() {
                self.exchange(from, bytes);
                continue;
            }
            let phone = self.phones.iter().find(|(_, party)| party.address == to);
            let Some(who) = phone.map(|(who, _)| *who) else {
                let Ok(Message::Response(response)) = parse_datagram(bytes) else {
                    continue;
                };
                let at = (now - self.start).as_millis();
                self.ladder
                    .push(format!("{at:>6} stranger hears {}", response.status.code()));
                continue;
            };
            let flow = Flow {
                transport: Transport::Udp,
                local: to,
                peer: from,
                generation: 0,
            };
            self.party(who).phone.handle_received(flow, bytes, now);
            self.drain(who);
        }
    }

    fn drain(&mut self, who: &'static str) {
        while let Some(output) = self.party(who).phone.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    let from = self.party(who).address;
                    let to = transmit.destination.peer();
                    self.queue
                        .push((self.now + DELAY, from, to, transmit.bytes));
                }
                Output::Resolve(request) => self.lookups.push((who, request.id)),
                Output::Close(_)
                | Output::Unreachable { .. }
                | Output::Trust { .. }
                | Output::Distrust(_) => {}
                Output::Event(event) => self.note(who, event),
            }
        }
        for (who, id) in std::mem::take(&mut self.lookups) {
            let result = self
                .names
                .map(|()| vec![Target::new(Transport::Udp, EXCHANGE.parse().unwrap())]);
            let now = self.now;
            self.party(who).phone.handle_resolved(id, result, now);
            self.drain(who);
        }
    }

    fn note(&mut self, who: &'static str, event: Event) {
        let party = self.party(who);
        party.view.apply(&event);
        let text = match event {
            Event::Reply { result: Ok(_), .. } => return,
            Event::Reply {
                result: Err(refusal),
                ..
            } => format!("refused: {refusal}"),
            Event::Line(line) => match line.status {
                LineStatus::NotConnected => format!("{} not connected", line.name),
                LineStatus::Connecting => return,
                LineStatus::Connected { after } => {
                    format!("{} connected after {} ms", line.name, after.as_millis())
                }
                LineStatus::Failed(failure) => format!("{}: {failure}", line.name),
            },
            Event::LineGone(_) => "line gone".to_owned(),
            Event::Call(call) => {
                let mut text = format!("{:?} {:?}", call.phase, call.ringback).replace(" None", "");
                if let Some(transfer) = call.transfer {
                    text.push_str(&format!(" transfer {transfer:?}"));
                }
                if party.shown.insert(call.id.0, text.clone()).as_ref() == Some(&text) {
                    return;
                }
                format!("{} {} {text}", call.id, call.party.0)
            }
            Event::CallEnded(ended) => format!("{} ended: {}", ended.call.id, ended.end),
            Event::OpenMedia { call, .. } => {
                let local = SocketAddr::new(party.address.ip(), 4000);
                let (has_ports, ice) = (party.has_ports, party.ice.clone());
                if let Some(ice) = ice {
                    let default = local;
                    self.act(who, Action::MediaCandidates { call, default, ice });
                }
                let action = match has_ports {
                    true => Action::MediaOpened { call, local },
                    false => Action::MediaFailed {
                        call,
                        reason: "all are in use".to_owned(),
                    },
                };
                self.act(who, action);
                return;
            }
            Event::UpdateMedia { call, negotiated } => {
                party.direction = Some(negotiated.direction);
                format!(
                    "{call} media {:?} {}",
                    negotiated.direction, negotiated.send[0].name
                )
            }
            Event::CloseMedia { .. } => {
                party.direction = None;
                return;
            }
            Event::SendDigits { call, digits } => format!("{call} sends {}", digits.0),
        };
        let at = (self.now - self.start).as_millis();
        self.ladder.push(format!("{at:>6} {who:<5} {text}"));
    }

    /// Everything passes here, as through a proxy that stays in the path.
    fn exchange(&mut self, from: SocketAddr, bytes: Bytes) {
        let Ok(message) = parse_datagram(bytes) else {
            return;
        };
        let (to, bytes) = match message {
            Message::Request(mut request) => {
                let refused = match self.exchange {
                    Exchange::Silent => return,
                    Exchange::Refuses(_) if request.method == Method::ACK => return,
                    Exchange::Refuses(status) => Some(status),
                    Exchange::Works if request.method == Method::REGISTER => Some(200),
                    Exchange::Works => None,
                };
                if let Some(status) = self.refuses_info.filter(|_| request.method == Method::INFO) {
                    let content_type = request.content_type().unwrap().unwrap();
                    self.infos.push(content_type.subtype.to_string());
                    let response = request.response(status, Some("exchange"));
                    return self.send(from, response.to_bytes());
                }
                if request.method == Method::REFER && !self.transfers.is_empty() {
                    return self.serve_refer(from, &request);
                }
                if let Some(status) = refused {
                    let mut response = request.response(status, Some("exchange"));
                    if let Some(contact) = request.header("Contact") {
                        response.push_header("Contact", contact);
                    }
                    (from, response.to_bytes())
                } else {
                    let user = request.uri.user().unwrap_or_default().to_owned();
                    let Some(party) = self.phones.get(user.as_str()) else {
                        if request.method != Method::ACK {
                            let response = request.response(404, Some("exchange"));
                            self.send(from, response.to_bytes());
                        }
                        return;
                    };
                    let branch = request
                        .via()
                        .unwrap()
                        .params
                        .value("branch")
                        .unwrap()
                        .to_owned();
                    request.remove_header("Route");
                    request.insert_first("Via", format!("SIP/2.0/UDP {EXCHANGE};branch={branch}x"));
                    (party.address, request.to_bytes())
                }
            }
            Message::Response(mut response) => {
                let vias: Vec<_> = response.vias().unwrap();
                response.remove_header("Via");
                for via in vias.iter().skip(1) {
                    response.push_header("Via", via.to_string());
                }
                // Without a second Via it answers a request that was made up as the exchange's own.
                let Some(via) = vias.get(1) else {
                    return self.note_answer(&response);
                };
                let to = via.sent_by.to_string().parse().unwrap();
                (to, response.to_bytes())
            }
        };
        self.send(to, bytes);
    }

    /// Accepts a REFER and tells how it goes.
    fn serve_refer(&mut self, from: SocketAddr, refer: &sip::Request) {
        self.referred
            .push(refer.header("Refer-To").unwrap().to_owned());
        let mut accepted = refer.response(202, None);
        accepted.push_header("Contact", format!("<{}>", refer.uri));
        self.send(from, accepted.to_bytes());
        let header = |name| refer.header(name).unwrap();
        let peer = &refer.uri;
        let contact = header("Contact").trim_matches(['<', '>']);
        for (at, status) in std::mem::take(&mut self.transfers).into_iter().enumerate() {
            let number = at + 1;
            let body = format!("SIP/2.0 {status} X\r\n");
            let state = match status {
                ..200 => "active;expires=60",
                200.. => "terminated;reason=noresource",
            };
            let notify = format!(
                "NOTIFY {contact} SIP/2.0\r\nVia: SIP/2.0/UDP {EXCHANGE};branch=z9hG4bKn{number}\r\nMax-Forwards: 70\r\n\
                 From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {number} NOTIFY\r\nContact: <{peer}>\r\n\
                 Event: refer\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag;version=2.0\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                header("To"),
                header("From"),
                header("Call-ID"),
                body.len(),
            );
            self.send(from, notify.into());
        }
    }

    fn note_answer(&mut self, response: &sip::Response) {
        let at = (self.now - self.start).as_millis();
        self.ladder
            .push(format!("{at:>6} exchange hears {}", response.status.code()));
    }

    fn send(&mut self, to: SocketAddr, bytes: Bytes) {
        self.queue
            .push((self.now + DELAY, EXCHANGE.parse().unwrap(), to, bytes));
    }

    /// Compares what both told since the last look.
    #[track_caller]
    pub(super) fn expect(&mut self, expected: &str) {
        let told = std::mem::take(&mut self.ladder);
        let told: Vec<_> = told.iter().map(|line| line.trim()).collect();
        let expected: Vec<_> = expected
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(told, expected, "\n{}\n", told.join("\n"));
    }

    /// After everything has timed out nothing is left.
    #[track_caller]
    pub(super) fn expect_idle(&mut self) {
        self.run_for(Duration::from_secs(40));
        for (who, party) in &self.phones {
            assert!(party.phone.is_idle(), "{who} is not idle");
            assert_eq!(party.view.calls, [], "{who}");
            assert_eq!(party.direction, None, "{who} still has media");
        }
    }
}
