//! The relay under any datagrams: STUN, DTLS, RTP and RTCP, at the shared port and at a pair of a leg's own.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use media::relay::{
    Arrival, Component, HandshakeAgreement, LegId, PROTECTION_ROOM, Pair, Peer, Place, Relay,
    RelayConfig, RtcpAddress, Side, Verdict,
};
use media::srtp::{DtlsHandshake, DtlsIdentity};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use sdp::DtlsRole;
use stun::{Agreement, Credentials, Ice, LiteAgent, Role};

use crate::input::{Input, any_instant};

const CALLER: &str = "192.0.2.1:4000";
const CALLEE: &str = "192.0.2.2:5000";
const CALLEE_RTCP: &str = "192.0.2.2:5001";
const STRANGER: &str = "203.0.113.66:6000";
const SHARED: Place = Place {
    interface: 0,
    pair: Pair::Shared,
};
const OWN: Place = Place {
    interface: 0,
    pair: Pair::Own(20_000),
};
/// A relay that has more to say at one moment is caught in a circle.
const MAX_OUTPUTS: usize = 500;

/// One call: the caller does ICE and DTLS, the callee neither. Whatever comes and whatever the time, nothing is sent to a
/// stranger, and every deadline lies ahead.
pub fn operations(data: &[u8]) {
    let mut input = Input::new(data);
    let mut world = World::new(&mut input);
    while !input.is_empty() {
        world.operate(&mut input);
    }
    let ended = world.relay.end_call(world.legs[0].call);
    assert!(ended.is_ok());
    assert_eq!(world.relay.poll_timeout(), None, "nothing is left to do");
}

struct World {
    relay: Relay,
    legs: [LegId; 2],
    caller: Ice,
    handshake: DtlsHandshake,
    now: Instant,
}

impl World {
    fn new(input: &mut Input<'_>) -> Self {
        let now = any_instant();
        let config = RelayConfig {
            max_calls: 1,
            seed: [7; 32],
            since_unix_epoch: Duration::from_secs(1_000),
        };
        let mut relay = Relay::new(&config, now);
        let call = relay.create_call().expect("there is room");
        let stream = relay.add_stream(call, [SHARED, OWN], now);
        let stream = stream.expect("the ports are free");
        let legs = [Side::Caller, Side::Callee].map(|side| LegId { call, stream, side });
        let (ours, theirs) = (credentials(1), credentials(2));
        let mut caller = Ice::new(address(CALLER), [3; 32], now);
        let agreement = Agreement {
            local: theirs,
            remote: ours,
            role: input.one_of(&[Role::Controlling, Role::Controlled]),
            candidates: vec!["1 1 udp 2130706431 192.0.2.100 4000 typ host".to_owned()],
        };
        caller.start(agreement, now);
        let [local, remote] = identities();
        let role = input.one_of(&[DtlsRole::Client, DtlsRole::Server]);
        let other = match role {
            DtlsRole::Client => DtlsRole::Server,
            DtlsRole::Server => DtlsRole::Client,
        };
        let announced = vec![local.fingerprint()];
        let handshake = DtlsHandshake::new(remote.clone(), role, announced, now);
        let mut world = Self {
            relay,
            legs,
            caller,
            handshake,
            now,
        };
        if input.byte() & 1 == 0 {
            world.set_ice(1);
        }
        world.announce();
        let agreement = HandshakeAgreement {
            identity: local.clone(),
            role: other,
            fingerprints: vec![remote.fingerprint()],
        };
        if input.byte() & 1 == 0 {
            let set = world.relay.set_handshake(legs[0], agreement, now);
            assert!(set.is_ok());
        }
        world.drain();
        world
    }

    fn set_ice(&mut self, seed: u8) {
        let agent = LiteAgent::new(&credentials(seed), Some(credentials(2).ufrag));
        let agent = agent.expect("they are as descriptions have them");
        assert!(self.relay.set_ice(self.legs[0], Some(agent)).is_ok());
    }

    fn announce(&mut self) {
        let caller = Peer {
            rtcp: RtcpAddress::Multiplexed,
            ..Peer::at(address(CALLER), 8_000)
        };
        let callee = Peer::at(address(CALLEE), 8_000);
        for (leg, peer) in self.legs.into_iter().zip([caller, callee]) {
            assert!(self.relay.announce(leg, peer, self.now).is_ok());
        }
        // Its latch is closed, so that a stranger can not win it.
        let first = [&[0x80, 0][..], &[0; 10], &[0x55; 20]].concat();
        self.deliver(OWN, Component::Rtp, CALLEE, &first);
    }

    fn operate(&mut self, input: &mut Input<'_>) {
        match input.byte() % 8 {
            0..=2 => {
                let place = input.one_of(&[SHARED, OWN]);
                let component = input.one_of(&[Component::Rtp, Component::Rtcp]);
                let source = input.one_of(&[CALLER, CALLEE, CALLEE_RTCP, STRANGER]);
                let datagram = input.many_bytes();
                self.deliver(place, component, source, datagram);
            }
            3 => self.check(input),
            4 => self.shake_hands(input),
            5 => self.now += Duration::from_millis(input.short().into()),
            6 => self.set_ice(1 + (input.byte() & 1) * 3),
            _ => assert!(self.relay.set_ice(self.legs[0], None).is_ok()),
        }
        self.relay.handle_timeout(self.now);
        self.drain();
        if let Some(next) = self.relay.poll_timeout() {
            assert!(next > self.now, "nothing is left to do now");
        }
    }

    /// What the caller's agent wants to ask, with one byte changed or none.
    fn check(&mut self, input: &mut Input<'_>) {
        self.caller.handle_timeout(self.now);
        let (at, change) = (usize::from(input.byte()), input.byte());
        while let Some(check) = self.caller.poll_transmit(self.now) {
            let mut bytes = check.bytes;
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= change;
            }
            self.deliver(SHARED, Component::Rtp, CALLER, &bytes);
        }
    }

    /// What the caller's handshake wants to say, likewise.
    fn shake_hands(&mut self, input: &mut Input<'_>) {
        self.handshake.handle_timeout(self.now);
        let (at, change) = (usize::from(input.byte()), input.byte());
        while let Some(mut bytes) = self.handshake.poll_output() {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= change;
            }
            self.deliver(SHARED, Component::Rtp, CALLER, &bytes);
        }
    }

    fn deliver(&mut self, place: Place, component: Component, source: &str, datagram: &[u8]) {
        let arrival = Arrival {
            place,
            component,
            source: address(source),
            now: self.now,
        };
        let mut buffer = datagram.to_vec();
        buffer.resize(datagram.len() + PROTECTION_ROOM, 0);
        if let Verdict::Forward { to, len, .. } =
            self.relay.handle(&arrival, &mut buffer, datagram.len())
        {
            assert_ne!(to, address(STRANGER));
            assert_ne!(source, STRANGER);
            assert!(len <= buffer.len());
        }
    }

    fn drain(&mut self) {
        for _ in 0..MAX_OUTPUTS {
            let Some(own) = self.relay.poll_output() else {
                return;
            };
            assert_ne!(own.to, address(STRANGER));
            if own.to != address(CALLER) {
                continue;
            }
            match own.bytes.first() {
                Some(0..=3) => {
                    let relay = address("192.0.2.100:4000");
                    self.caller.handle_datagram(&own.bytes, relay, self.now);
                }
                Some(20..=63) => self.handshake.handle_datagram(&own.bytes, self.now),
                _ => {}
            }
        }
        panic!("it never stops");
    }
}

fn credentials(seed: u8) -> Credentials {
    Credentials::random(|bytes| bytes.fill(seed))
}

fn identities() -> &'static [DtlsIdentity; 2] {
    static MADE: OnceLock<[DtlsIdentity; 2]> = OnceLock::new();
    MADE.get_or_init(|| {
        [0; 2].map(|_| {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key can be made");
            let parameters = CertificateParams::default();
            let certificate = parameters.self_signed(&key).expect("it can be signed");
            DtlsIdentity::new(certificate.der(), key.serialize_der().into())
        })
    })
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("it is written here")
}
