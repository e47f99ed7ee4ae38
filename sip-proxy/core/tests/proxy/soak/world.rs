//! The proxy and its phones in one simulated network.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{EndpointConfig, Flow, HostPort, Machine, Output, Target, Transport};
use sip_proxy_core::{Account, Command as ProxyCommand, Event as ProxyEvent, Proxy, ProxyConfig};
use softphone_core::{Action, Command, Event, ReplyId};
use testkit::sim_net::{Conditions, Packet, SimNet};

use super::party::Party;

pub(super) const PHONES: usize = 20;
pub(super) const DOMAIN: &str = "acme.test";
const PROXY: ([u8; 4], u16) = ([192, 0, 2, 254], 5060);
const BEGAN_UNIX_SECS: u64 = 1_800_000_000;

pub(super) struct World {
    pub(super) now: Instant,
    began: Instant,
    net: SimNet,
    pub(super) proxy: Proxy,
    accounts: HashMap<String, Account>,
    pub(super) phones: Vec<Party>,
    /// What the proxy has written, by address-of-record.
    rows: HashMap<String, Vec<u8>>,
}

impl World {
    pub(super) fn new(seed: u8, conditions: Conditions) -> Self {
        let now = SimNet::start();
        let phones: Vec<_> = (0..PHONES).map(Party::new).collect();
        let accounts = phones
            .iter()
            .map(Party::account)
            .map(|account| (account.aor.as_str().to_owned(), account))
            .collect();
        Self {
            now,
            began: now,
            net: SimNet::new(seed, conditions),
            proxy: proxy((now, BEGAN_UNIX_SECS), seed),
            accounts,
            phones,
            rows: HashMap::new(),
        }
    }

    /// The proxy is gone from one moment to the next, and back with what it has written.
    pub(super) fn restart_proxy(&mut self, seed: u8) {
        let secs = self.now.duration_since(self.began).as_secs();
        self.proxy = proxy((self.now, BEGAN_UNIX_SECS + secs), seed);
        let rows = self.rows.values().cloned().collect();
        self.proxy
            .handle_command(ProxyCommand::RestoreBindings(rows), self.now);
        self.settle_proxy();
    }

    /// A phone is gone from one moment to the next, and back.
    pub(super) fn restart_phone(&mut self, index: usize, seed: u8) {
        self.phones[index].restart(seed);
        let line = self.phones[index].line();
        self.act(index, Action::Configure(vec![line]));
    }

    pub(super) fn everybody(&mut self, action: impl Fn(&Party) -> Action) {
        for index in 0..PHONES {
            let action = action(&self.phones[index]);
            self.act(index, action);
        }
    }

    pub(super) fn act(&mut self, index: usize, action: Action) {
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

    pub(super) fn total(&self, count: impl Fn(&Party) -> usize) -> usize {
        self.phones.iter().map(count).sum()
    }

    pub(super) fn run_for(&mut self, duration: Duration) {
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
                Output::Event(ProxyEvent::Store { ticket, rows }) => {
                    for row in rows {
                        let aor = row.aor.as_str().to_owned();
                        match row.bindings {
                            Some(bindings) => self.rows.insert(aor, bindings.to_vec()),
                            None => self.rows.remove(&aor),
                        };
                    }
                    let stored = ProxyCommand::Stored {
                        ticket,
                        result: Ok(()),
                    };
                    self.proxy.handle_command(stored, self.now);
                }
                Output::Event(_)
                | Output::Close(_)
                | Output::Unreachable { .. }
                | Output::Trust { .. }
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
                | Output::Trust { .. }
                | Output::Distrust(_) => {}
            }
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        self.net.send(Packet { from, to, bytes }, self.now);
    }
}

fn proxy(started: (Instant, u64), seed: u8) -> Proxy {
    Proxy::new(ProxyConfig::new(
        endpoint(PROXY.into()),
        started,
        [seed; 32],
    ))
}

pub(super) fn endpoint(address: SocketAddr) -> EndpointConfig {
    EndpointConfig {
        advertised: vec![(Transport::Udp, HostPort::from(address))],
        ..EndpointConfig::default()
    }
}
