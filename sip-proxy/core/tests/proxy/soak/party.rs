//! One phone of the soak and what it has seen.

use std::net::SocketAddr;

use sdp::PayloadFormat;
use sip::{Aor, DigestSecret, Private, Transport};
use sip_proxy_core::{Account, Owner};
use softphone_core::{
    CallId, Event, LineConfig, LineId, LineStatus, LocalAddress, Phase, Phone, PhoneConfig,
};

use super::world::{DOMAIN, endpoint};

pub(super) struct Party {
    pub(super) number: usize,
    pub(super) address: SocketAddr,
    pub(super) machine: Phone,
    pub(super) is_connected: bool,
    pub(super) calls: Vec<(CallId, Phase)>,
    pub(super) answered: usize,
    pub(super) ended: usize,
    pub(super) replies: u64,
}

impl Party {
    pub(super) fn new(number: usize) -> Self {
        let host = u8::try_from(number + 1).unwrap();
        let address = SocketAddr::from(([192, 0, 2, host], 5060));
        Self {
            number,
            address,
            machine: machine(address, host),
            is_connected: false,
            calls: Vec::new(),
            answered: 0,
            ended: 0,
            replies: 0,
        }
    }

    /// As after a power cut: it knows nothing of its calls, and has other numbers to draw.
    pub(super) fn restart(&mut self, seed: u8) {
        self.machine = machine(self.address, seed);
        self.is_connected = false;
        self.calls.clear();
    }

    pub(super) fn username(&self) -> String {
        format!("{}", 1_001 + self.number)
    }

    pub(super) fn line(&self) -> LineConfig {
        LineConfig {
            dialing_rules: Vec::new(),
            id: LineId(self.number as u128),
            name: self.username(),
            display_name: None,
            username: self.username(),
            domain: DOMAIN.parse().unwrap(),
            auth_username: self.username(),
            password: Some(Private("secret".to_owned())),
            transport: Transport::Udp,
            outbound_proxy: Some("sip:192.0.2.254:5060;lr".parse().unwrap()),
            security: sdp::LocalSecurity::default(),
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

    pub(super) fn account(&self) -> Account {
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

    pub(super) fn ringing(&self) -> Option<CallId> {
        self.calls
            .iter()
            .find(|(_, phase)| *phase == Phase::Ringing)
            .map(|(call, _)| *call)
    }

    pub(super) fn note(&mut self, event: Event) {
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

fn machine(address: SocketAddr, seed: u8) -> Phone {
    let config = PhoneConfig {
        endpoint: endpoint(address),
    };
    Phone::new(config, [seed; 32])
}
