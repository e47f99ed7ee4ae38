//! Soak: real phones and the real proxy over a lossy network in simulated time, for 1,000 registrations and 200 calls; afterwards nothing
//! is left in any table, here or there.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sdp::PayloadFormat;
use sip::{
    Aor, DigestSecret, EndpointConfig, Flow, HostPort, Machine, Output, Private, Target, Transport,
};
use sip_proxy_core::{
    Account, Command as ProxyCommand, Counts, Event as ProxyEvent, Owner, Proxy, ProxyConfig,
};
use softphone_core::{
    Action, CallId, Command, Event, LineConfig, LineId, LineStatus, LocalAddress, Phase, Phone,
    PhoneConfig, ReplyId,
};
use testkit::sim_net::{Conditions, Packet, SimNet};

const PHONES: usize = 20;
const DOMAIN: &str = "acme.test";
const PROXY: ([u8; 4], u16) = ([192, 0, 2, 254], 5060);

const ROUGH: Conditions = Conditions {
    delay: Duration::from_millis(5),
    jitter: Duration::from_millis(30),
    loss_per_mille: 50,
};

#[test]
fn soak_leaves_every_table_empty() {
    let mut world = World::new();
    for _ in 0..1_000 / PHONES {
        world.everybody(|phone| Action::Configure(vec![phone.line()]));
        world.run_for(Duration::from_secs(4));
        world.everybody(|_| Action::Configure(Vec::new()));
        world.run_for(Duration::from_secs(2));
    }
    world.everybody(|phone| Action::Configure(vec![phone.line()]));
    world.run_for(Duration::from_secs(60));
    let registered = world
        .phones
        .iter()
        .filter(|phone| phone.is_connected)
        .count();
    assert_eq!(
        registered, PHONES,
        "everybody is registered before the calls begin"
    );

    for _ in 0..20 {
        world.ten_calls();
    }
    let (answered, ended) = (
        world.total(|phone| phone.answered),
        world.total(|phone| phone.ended),
    );
    assert!(
        answered >= 200,
        "of 200 calls, most of them answered at both ends: {answered}"
    );
    assert!(ended >= 200, "{ended}");

    world.everybody(|_| Action::Configure(Vec::new()));
    world.run_for(Duration::from_secs(7_300));
    assert_eq!(world.proxy.counts(), Counts::default());
    assert_eq!(
        world.proxy.poll_timeout(),
        None,
        "an idle proxy has no deadline"
    );
    for phone in &world.phones {
        assert!(
            phone.machine.is_idle(),
            "phone {} is not idle",
            phone.number
        );
        assert_eq!(
            phone.machine.poll_timeout(),
            None,
            "an idle phone has no deadline"
        );
    }
}

struct World {
    now: Instant,
    net: SimNet,
    proxy: Proxy,
    accounts: HashMap<String, Account>,
    phones: Vec<Party>,
}

struct Party {
    number: usize,
    address: SocketAddr,
    machine: Phone,
    is_connected: bool,
    calls: Vec<(CallId, Phase)>,
    answered: usize,
    ended: usize,
    replies: u64,
}

impl World {
    fn new() -> Self {
        let now = SimNet::start();
        let config = ProxyConfig::new(endpoint(PROXY.into()), (now, 1_800_000_000), [3; 32]);
        let phones: Vec<_> = (0..PHONES).map(Party::new).collect();
        let accounts = phones
            .iter()
            .map(Party::account)
            .map(|account| (account.aor.as_str().to_owned(), account))
            .collect();
        Self {
            now,
            net: SimNet::new(1, ROUGH),
            proxy: Proxy::new(config),
            accounts,
            phones,
        }
    }

    fn everybody(&mut self, action: impl Fn(&Party) -> Action) {
        for index in 0..PHONES {
            let action = action(&self.phones[index]);
            self.act(index, action);
        }
    }

    fn act(&mut self, index: usize, action: Action) {
        let phone = &mut self.phones[index];
        phone.replies += 1;
        phone.machine.handle_command(
            Command {
                reply: ReplyId(phone.replies),
                action,
            },
            self.now,
        );
        self.settle_phone(index);
    }

    /// The first ten phones call the others; some are answered, some rejected, some given up, and all end.
    fn ten_calls(&mut self) {
        for caller in 0..10 {
            let target = Private(self.phones[caller + 10].username());
            self.act(caller, Action::Call { line: None, target });
        }
        self.run_for(Duration::from_secs(5));
        for callee in 10..PHONES {
            match (self.phones[callee].ringing(), callee) {
                (Some(call), 19) => self.act(
                    callee,
                    Action::Reject(Some(call), softphone_core::Rejection::Busy),
                ),
                (Some(_), 18) | (None, _) => {}
                (Some(call), _) => self.act(callee, Action::Answer(Some(call))),
            }
        }
        self.run_for(Duration::from_secs(20));
        for index in 0..PHONES {
            let calls: Vec<_> = self.phones[index]
                .calls
                .iter()
                .map(|(call, _)| *call)
                .collect();
            for call in calls {
                self.act(index, Action::HangUp(Some(call)));
            }
        }
        self.run_for(Duration::from_secs(40));
    }

    fn total(&self, count: impl Fn(&Party) -> usize) -> usize {
        self.phones.iter().map(count).sum()
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            while let Some(packet) = self.net.receive(self.now) {
                self.deliver(packet);
            }
            if self
                .proxy
                .poll_timeout()
                .is_some_and(|deadline| deadline <= self.now)
            {
                self.proxy.handle_timeout(self.now);
                self.settle_proxy();
            }
            for index in 0..PHONES {
                if self.phones[index]
                    .machine
                    .poll_timeout()
                    .is_some_and(|deadline| deadline <= self.now)
                {
                    self.phones[index].machine.handle_timeout(self.now);
                    self.settle_phone(index);
                }
            }
        }
        self.now = end;
    }

    fn next(&self) -> Option<Instant> {
        let phones = self
            .phones
            .iter()
            .filter_map(|phone| phone.machine.poll_timeout());
        phones
            .chain(self.net.poll_timeout())
            .chain(self.proxy.poll_timeout())
            .min()
    }

    fn deliver(&mut self, packet: Packet) {
        let flow = Flow {
            transport: Transport::Udp,
            local: packet.to,
            peer: packet.from,
            generation: 0,
        };
        if packet.to == SocketAddr::from(PROXY) {
            self.proxy.handle_received(flow, packet.bytes, self.now);
            self.settle_proxy();
        } else if let Some(index) = self
            .phones
            .iter()
            .position(|phone| phone.address == packet.to)
        {
            self.phones[index]
                .machine
                .handle_received(flow, packet.bytes, self.now);
            self.settle_phone(index);
        }
    }

    fn settle_proxy(&mut self) {
        while let Some(output) = self.proxy.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    self.send(PROXY.into(), transmit.destination.peer(), transmit.bytes);
                }
                Output::Event(ProxyEvent::LoadAccount { ticket, aor }) => {
                    let account = Ok(self.accounts.get(aor.as_str()).cloned());
                    self.proxy
                        .handle_command(ProxyCommand::AccountLoaded { ticket, account }, self.now);
                }
                Output::Event(ProxyEvent::Store { ticket, .. }) => {
                    let stored = ProxyCommand::Stored {
                        ticket,
                        result: Ok(()),
                    };
                    self.proxy.handle_command(stored, self.now);
                }
                Output::Event(_)
                | Output::Close(_)
                | Output::Unreachable { .. }
                | Output::Trust(_)
                | Output::Distrust(_)
                | Output::Resolve(_) => {}
            }
        }
    }

    fn settle_phone(&mut self, index: usize) {
        while let Some(output) = self.phones[index].machine.poll_output() {
            let phone = &mut self.phones[index];
            match output {
                Output::Transmit(transmit) => {
                    let from = phone.address;
                    self.send(from, transmit.destination.peer(), transmit.bytes);
                }
                Output::Resolve(request) => {
                    phone.machine.handle_resolved(
                        request.id,
                        Ok(vec![Target::new(Transport::Udp, PROXY.into())]),
                        self.now,
                    );
                }
                Output::Event(Event::OpenMedia { call, .. }) => {
                    let local = SocketAddr::new(phone.address.ip(), 20_000);
                    self.act(index, Action::MediaOpened { call, local });
                }
                Output::Event(event) => phone.note(event),
                Output::Close(_)
                | Output::Unreachable { .. }
                | Output::Trust(_)
                | Output::Distrust(_) => {}
            }
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        self.net.send(Packet { from, to, bytes }, self.now);
    }
}

impl Party {
    fn new(number: usize) -> Self {
        let host = u8::try_from(number + 1).unwrap();
        let address = SocketAddr::from(([192, 0, 2, host], 5060));
        Self {
            number,
            address,
            machine: Phone::new(
                PhoneConfig {
                    endpoint: endpoint(address),
                },
                [host; 32],
            ),
            is_connected: false,
            calls: Vec::new(),
            answered: 0,
            ended: 0,
            replies: 0,
        }
    }

    fn username(&self) -> String {
        format!("{}", 1_001 + self.number)
    }

    fn line(&self) -> LineConfig {
        LineConfig {
            id: LineId(self.number as u128),
            name: self.username(),
            display_name: None,
            username: self.username(),
            domain: DOMAIN.parse().unwrap(),
            auth_username: self.username(),
            password: Some(Private("secret".to_owned())),
            transport: Transport::Udp,
            outbound_proxy: Some("sip:192.0.2.254:5060;lr".parse().unwrap()),
            formats: vec![
                PayloadFormat::opus(96),
                PayloadFormat::telephone_event(97, 48_000),
            ],
            instance: format!("urn:uuid:00000000-0000-0000-0000-{:012}", self.number),
            local: LocalAddress {
                ip: self.address.ip(),
                port: self.address.port(),
            },
        }
    }

    fn account(&self) -> Account {
        Account {
            owner: Owner {
                tenant: 1,
                account: self.number as u128,
            },
            aor: Aor::parse(&format!("sip:{}@{DOMAIN}", self.username())).unwrap(),
            auth_username: self.username(),
            secret: DigestSecret::from_password(&self.username(), DOMAIN, "secret"),
            display_name: None,
        }
    }

    fn ringing(&self) -> Option<CallId> {
        self.calls
            .iter()
            .find(|(_, phase)| *phase == Phase::Ringing)
            .map(|(call, _)| *call)
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Line(line) => {
                self.is_connected = matches!(line.status, LineStatus::Connected { .. });
            }
            Event::LineGone(_) => self.is_connected = false,
            Event::Call(call) => {
                let before = self
                    .calls
                    .iter()
                    .position(|(known, _)| *known == call.id)
                    .map(|at| self.calls.remove(at).1);
                self.answered +=
                    usize::from(call.phase == Phase::Connected && before != Some(Phase::Connected));
                self.calls.push((call.id, call.phase));
            }
            Event::CallEnded(ended) => {
                self.calls.retain(|(known, _)| *known != ended.call.id);
                self.ended += 1;
            }
            _ => {}
        }
    }
}

fn endpoint(address: SocketAddr) -> EndpointConfig {
    EndpointConfig {
        advertised: vec![(Transport::Udp, HostPort::from(address))],
        ..EndpointConfig::default()
    }
}
