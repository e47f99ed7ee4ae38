//! STUN, TURN and ICE of one port, under any datagrams and any course of time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stun::{Agreement, Credentials, Ice, IceServers, Incoming, Role, Secret, TurnConfig};

use crate::input::{Input, any_instant};

const HOST: &str = "192.0.2.1:4000";
const STUN: &str = "198.51.100.1:3478";
const TURN: &str = "198.51.100.2:3478";
const PEER: &str = "192.0.2.9:5000";
const STRANGER: &str = "203.0.113.66:6000";
/// A machine that has more to say at one moment is caught in a circle.
const MAX_OUTPUTS: usize = 2_000;
/// Of `STUN` messages (RFC 8489 section 5): type and length, magic cookie, transaction identifier.
const HEADER_BYTES: usize = 20;
/// The class bits of a success and of an error response (RFC 8489 section 5).
const RESPONSES: [u16; 2] = [0x0100, 0x0110];

/// Datagrams of servers, of the peer and of a stranger, answers to what was asked with anything in them, agreements, and time that passes: nothing
/// is sent to a stranger, nobody's media comes from one, and every deadline lies ahead.
pub fn operations(data: &[u8]) {
    let mut input = Input::new(data);
    let mut world = World::new(&mut input);
    while !input.is_empty() {
        world.operate(&mut input);
    }
    world.ice.close(world.now);
    world.drain();
}

struct World {
    ice: Ice,
    now: Instant,
    /// Requests that wait for an answer, and of whom.
    asked: Vec<(SocketAddr, Vec<u8>)>,
}

impl World {
    fn new(input: &mut Input<'_>) -> Self {
        let now = any_instant();
        let mut ice = Ice::new(address(HOST), [input.byte(); 32], now);
        let choice = input.byte();
        let turn = TurnConfig {
            server: address(TURN),
            username: "alice".to_owned(),
            password: Secret::new("lend me an address".to_owned()),
        };
        let servers = IceServers {
            stun: (choice & 1 != 0).then(|| address(STUN)),
            turn: (choice & 2 != 0).then_some(turn),
        };
        ice.ask(servers, now);
        let mut world = Self {
            ice,
            now,
            asked: Vec::new(),
        };
        world.drain();
        world
    }

    fn operate(&mut self, input: &mut Input<'_>) {
        match input.byte() % 7 {
            0 => {
                let source = address(input.one_of(&[STUN, TURN, PEER, STRANGER]));
                let datagram = input.many_bytes();
                self.deliver(datagram, source);
            }
            1 | 2 => self.answer(input),
            3 => self.now += Duration::from_millis(u64::from(input.short())),
            4 => self.agree(input),
            // Up to a quarter of an hour: allocations and consent expire.
            5 => self.now += Duration::from_millis((input.word() % 900_000).into()),
            _ => {
                let target = address(input.one_of(&[PEER, TURN]));
                if let Some((to, _)) = self.ice.wrap(target, input.bytes()) {
                    assert!(to == target || to == address(TURN), "{to}");
                }
            }
        }
        self.ice.handle_timeout(self.now);
        self.drain();
        if let Some(next) = self.ice.poll_timeout() {
            assert!(next > self.now, "nothing is left to do now");
        }
    }

    /// A response to one of the requests, with any attributes.
    fn answer(&mut self, input: &mut Input<'_>) {
        let (choice, class) = (usize::from(input.byte()), input.one_of(&RESPONSES));
        let mut attributes = input.many_bytes().to_vec();
        attributes.resize(attributes.len().next_multiple_of(4), 0);
        let Some((server, request)) = self.asked.get(choice % self.asked.len().max(1)) else {
            return;
        };
        let method = u16::from_be_bytes([request[0], request[1]]);
        let len = u16::try_from(attributes.len()).unwrap_or(u16::MAX);
        let mut response = (method | class).to_be_bytes().to_vec();
        response.extend(len.to_be_bytes());
        response.extend(&request[4..HEADER_BYTES]);
        response.extend(attributes);
        self.deliver(&response, *server);
    }

    fn deliver(&mut self, datagram: &[u8], source: SocketAddr) {
        if let Incoming::Media { peer, .. } = self.ice.handle_datagram(datagram, source, self.now) {
            assert_ne!(peer, address(STRANGER), "no check has proven it");
        }
    }

    fn agree(&mut self, input: &mut Input<'_>) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut candidates = vec![format!("1 1 udp 2130706431 192.0.2.9 5000 typ host")];
        for _ in 0..input.byte() % 4 {
            candidates.push(text(input.bytes()));
        }
        // Who is named is no stranger.
        candidates.retain(|candidate| !candidate.contains("203.0.113.66"));
        let agreement = Agreement {
            local: self.ice.credentials().clone(),
            remote: Credentials {
                ufrag: text(input.bytes()),
                password: Secret::new(text(input.bytes())),
            },
            role: input.one_of(&[Role::Controlling, Role::Controlled]),
            candidates,
        };
        self.ice.start(agreement, self.now);
    }

    fn drain(&mut self) {
        for _ in 0..MAX_OUTPUTS {
            let event = self.ice.poll_event();
            let Some(transmit) = self.ice.poll_transmit(self.now) else {
                if event.is_none() {
                    return;
                }
                continue;
            };
            assert_ne!(transmit.target, address(STRANGER));
            if transmit.bytes.len() >= HEADER_BYTES {
                self.asked.push((transmit.target, transmit.bytes));
            }
            if self.asked.len() > 32 {
                self.asked.remove(0);
            }
        }
        panic!("it never stops");
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("it is written here")
}
