//! The client against answers as servers write them.

use rand_chacha::rand_core::SeedableRng;
use stun_rs::attributes::stun::{
    ErrorCode, Fingerprint, MessageIntegrity, Realm, UserName, XorMappedAddress,
};
use stun_rs::attributes::turn::ChannelNumber;
use stun_rs::methods::{ALLOCATE, CHANNEL_BIND, CREATE_PERMMISSION, REFRESH};
use stun_rs::{
    Algorithm, AlgorithmId, HMACKey, MessageEncoderBuilder, MessageMethod, StunAttribute,
    StunMessageBuilder,
};

use std::time::Duration;

use stun_rs::StunMessage;
use stun_rs::attributes::stun::Nonce;
use stun_rs::attributes::turn::{LifeTime, XorRelayedAddress};

use super::*;
use crate::any_instant;

const RELAYED: &str = "192.0.2.1:50000";
const PEER: &str = "198.51.100.7:4000";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn server() -> SocketAddr {
    address("192.0.2.1:3478")
}

fn key(password: &str) -> HMACKey {
    let md5 = Algorithm::from(AlgorithmId::MD5);
    HMACKey::new_long_term("alice", "tandem", password, md5).unwrap()
}

/// A client, and a server that believes the password "right".
struct World {
    client: TurnClient,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let now = any_instant();
        let config = TurnConfig {
            server: server(),
            username: "alice".to_owned(),
            password: Secret::new("right".to_owned()),
        };
        let client = TurnClient::new(config, ChaCha8Rng::from_seed([7; 32]), now);
        Self { client, now }
    }

    fn allocated() -> Self {
        let mut world = Self::new();
        world.challenge(401, "n1");
        let request = world.request(ALLOCATE);
        world.succeed(
            &request,
            ALLOCATE,
            vec![
                XorRelayedAddress::from(address(RELAYED)).into(),
                XorMappedAddress::from(address("203.0.113.5:6000")).into(),
                LifeTime::new(600).into(),
            ],
        );
        assert!(matches!(
            world.client.poll_event(),
            Some(TurnEvent::Allocated { .. })
        ));
        world
    }

    /// The next request, which must be of this kind and, from the second on, be protected.
    fn request(&mut self, method: MessageMethod) -> StunMessage {
        let sent = self.client.poll_transmit(self.now).expect("a request");
        assert_eq!(sent.target, server());
        let message = message::read(&sent.bytes, Some(&key("right"))).expect("well protected");
        assert_eq!(
            (message.method(), message.class()),
            (method, MessageClass::Request)
        );
        message
    }

    fn answer(
        &mut self,
        request: &StunMessage,
        class: MessageClass,
        attributes: Vec<StunAttribute>,
    ) -> bool {
        let mut message = StunMessageBuilder::new(request.method(), class)
            .with_transaction_id(*request.transaction_id());
        for attribute in attributes {
            message = message.with_attribute(attribute);
        }
        let mut bytes = vec![0; 1_000];
        let encoder = MessageEncoderBuilder::default().build();
        let len = encoder.encode(&mut bytes, &message.build()).unwrap();
        self.client.handle_datagram(&bytes[..len], self.now) == TurnReceived::Taken
    }

    fn challenge(&mut self, code: u16, nonce: &str) {
        let sent = self.client.poll_transmit(self.now).expect("a request");
        let request = message::read(&sent.bytes, None).unwrap();
        assert!(self.refuse(&request, code, nonce));
    }

    fn refuse(&mut self, request: &StunMessage, code: u16, nonce: &str) -> bool {
        self.answer(
            request,
            MessageClass::ErrorResponse,
            vec![
                ErrorCode::from(stun_rs::ErrorCode::new(code, "").unwrap()).into(),
                Realm::new("tandem").unwrap().into(),
                Nonce::new(nonce).unwrap().into(),
            ],
        )
    }

    fn succeed(
        &mut self,
        request: &StunMessage,
        method: MessageMethod,
        mut attributes: Vec<StunAttribute>,
    ) {
        assert_eq!(request.method(), method);
        attributes.push(MessageIntegrity::new(key("right")).into());
        attributes.push(Fingerprint::default().into());
        assert!(self.answer(request, MessageClass::SuccessResponse, attributes));
    }

    fn permitted() -> Self {
        let mut world = Self::allocated();
        world.client.permit(address(PEER).ip(), world.now);
        let request = world.request(CREATE_PERMMISSION);
        world.succeed(&request, CREATE_PERMMISSION, Vec::new());
        world
    }
}

fn nonce_of(request: &StunMessage) -> String {
    let nonce = request.get::<Nonce>().unwrap().as_nonce().unwrap();
    nonce.as_str().to_owned()
}

#[test]
fn an_address_is_lent_after_the_challenge_was_answered() {
    let mut world = World::new();
    let first = world.client.poll_transmit(world.now).unwrap();
    let first = message::read(&first.bytes, None).unwrap();
    assert!(
        first.get::<UserName>().is_none(),
        "no name before it is asked for"
    );
    assert!(world.refuse(&first, 401, "n1"));
    let request = world.request(ALLOCATE);
    assert_eq!(nonce_of(&request), "n1");
    world.succeed(
        &request,
        ALLOCATE,
        vec![
            XorRelayedAddress::from(address(RELAYED)).into(),
            XorMappedAddress::from(address("203.0.113.5:6000")).into(),
            LifeTime::new(600).into(),
        ],
    );
    let allocated = TurnEvent::Allocated {
        relayed: address(RELAYED),
        mapped: Some(address("203.0.113.5:6000")),
    };
    assert_eq!(world.client.poll_event(), Some(allocated));
    assert_eq!(world.client.relayed(), Some(address(RELAYED)));
    assert_eq!(
        world.client.poll_timeout(),
        Some(world.now + Duration::from_secs(540))
    );
}

#[test]
fn a_wrong_password_is_said_and_not_tried_again() {
    let mut world = World::new();
    world.challenge(401, "n1");
    world.challenge(401, "n2");
    let wrong = TurnError::Credentials { server: server() };
    assert_eq!(world.client.poll_event(), Some(TurnEvent::Failed(wrong)));
    assert_eq!(world.client.poll_transmit(world.now), None);
    assert_eq!(world.client.poll_timeout(), None);
}

#[test]
fn a_success_without_the_password_or_by_another_one_is_no_answer() {
    let mut world = World::new();
    world.challenge(401, "n1");
    let request = world.request(ALLOCATE);
    let relayed: StunAttribute = XorRelayedAddress::from(address(RELAYED)).into();
    for protection in [None, Some(key("wrong"))] {
        let mut attributes = vec![relayed.clone()];
        attributes.extend(protection.map(|key| MessageIntegrity::new(key).into()));
        assert!(!world.answer(&request, MessageClass::SuccessResponse, attributes));
    }
    assert_eq!(world.client.poll_event(), None);
    assert_eq!(world.client.relayed(), None);
}

#[test]
fn a_stale_nonce_repeats_the_request_with_the_new_one() {
    let mut world = World::allocated();
    world.now += Duration::from_secs(540);
    world.client.handle_timeout(world.now);
    let request = world.request(REFRESH);
    assert!(world.refuse(&request, 438, "n2"));
    let again = world.request(REFRESH);
    assert_eq!(nonce_of(&again), "n2");
    assert_ne!(again.transaction_id(), request.transaction_id());
    world.succeed(&again, REFRESH, vec![LifeTime::new(600).into()]);
    assert_eq!(
        world.client.poll_timeout(),
        Some(world.now + Duration::from_secs(540))
    );
    assert_eq!(world.client.poll_event(), None);
}

#[test]
fn nothing_is_sent_to_a_peer_before_the_server_permits_it() {
    let mut world = World::allocated();
    let peer = address(PEER);
    assert_eq!(world.client.wrap(peer, b"early"), None);
    world.client.permit(peer.ip(), world.now);
    assert_eq!(world.client.wrap(peer, b"early"), None);
    let request = world.request(CREATE_PERMMISSION);
    world.succeed(&request, CREATE_PERMMISSION, Vec::new());
    let sent = world.client.wrap(peer, b"now").unwrap();
    let sent = message::read(&sent.bytes, None).unwrap();
    assert_eq!(
        (sent.method(), sent.class()),
        (SEND, MessageClass::Indication)
    );
    let data = sent.get::<Data>().unwrap().as_data().unwrap();
    assert_eq!(data.as_bytes(), b"now");
    let to = sent
        .get::<XorPeerAddress>()
        .unwrap()
        .as_xor_peer_address()
        .unwrap();
    assert_eq!(*to.socket_address(), peer);
    assert_eq!(
        world
            .client
            .wrap(address("198.51.100.8:4000"), b"other host"),
        None
    );
}

#[test]
fn permissions_are_renewed_before_their_five_minutes_are_over() {
    let mut world = World::permitted();
    assert_eq!(
        world.client.poll_timeout(),
        Some(world.now + Duration::from_secs(240))
    );
    world.now += Duration::from_secs(240);
    world.client.handle_timeout(world.now);
    world.request(CREATE_PERMMISSION);
    assert!(world.client.poll_timeout().unwrap() > world.now);
}

#[test]
fn a_bound_channel_makes_data_small_in_both_directions() {
    let mut world = World::permitted();
    let peer = address(PEER);
    world.client.bind_channel(peer, world.now);
    let request = world.request(CHANNEL_BIND);
    let number = request
        .get::<ChannelNumber>()
        .unwrap()
        .as_channel_number()
        .unwrap();
    assert_eq!(number.number(), 0x4000);
    assert!(world.client.wrap(peer, b"hello").unwrap().bytes.len() > 30);
    world.succeed(&request, CHANNEL_BIND, Vec::new());
    let sent = world.client.wrap(peer, b"hello").unwrap();
    assert_eq!(sent.bytes, b"\x40\x00\x00\x05hello");
    let received = world.client.handle_datagram(&sent.bytes, world.now);
    let bytes = b"hello"[..].into();
    assert_eq!(received, TurnReceived::Data { peer, bytes });
    let unknown = world
        .client
        .handle_datagram(b"\x40\x01\x00\x05hello", world.now);
    assert_eq!(unknown, TurnReceived::Foreign);
}

#[test]
fn data_of_hosts_that_were_not_permitted_is_not_taken() {
    let mut world = World::permitted();
    for (peer, taken) in [
        (PEER, true),
        ("198.51.100.7:4999", true),
        ("198.51.100.8:4000", false),
    ] {
        let peer = address(peer);
        let attributes = vec![XorPeerAddress::from(peer).into(), Data::new(b"x").into()];
        let bytes = message::indication(DATA, [9; 12], attributes).unwrap();
        let received = world.client.handle_datagram(&bytes, world.now);
        let is_data = matches!(received, TurnReceived::Data { peer: from, .. } if from == peer);
        assert_eq!(is_data, taken, "{peer}");
    }
}

#[test]
fn the_address_is_given_back_by_a_lifetime_of_zero() {
    let mut world = World::allocated();
    world.client.close(world.now);
    let request = world.request(REFRESH);
    let lifetime = request.get::<LifeTime>().unwrap().as_life_time().unwrap();
    assert_eq!(lifetime.as_u32(), 0);
    assert_eq!(world.client.wrap(address(PEER), b"late"), None);
    assert!(!world.client.is_over());
    world.succeed(&request, REFRESH, vec![LifeTime::new(0).into()]);
    assert!(world.client.is_over());
    assert_eq!(world.client.poll_timeout(), None);
    assert_eq!(world.client.poll_event(), None);
}

#[test]
fn each_refusal_says_what_a_person_can_do() {
    for (code, words) in [
        (486, "has no address left for us (486)"),
        (508, "has no address left for us (508)"),
        (441, "does not accept the user name or password"),
        (400, "refuses with 400"),
    ] {
        let mut world = World::new();
        world.challenge(401, "n1");
        world.challenge(code, "n1");
        let Some(TurnEvent::Failed(error)) = world.client.poll_event() else {
            panic!("{code} is a failure");
        };
        assert_eq!(
            error.to_string(),
            format!("the TURN server 192.0.2.1:3478 {words}")
        );
    }
}

#[test]
fn an_allocation_that_the_server_forgot_is_said() {
    let mut world = World::allocated();
    world.client.permit(address(PEER).ip(), world.now);
    let request = world.request(CREATE_PERMMISSION);
    assert!(world.refuse(&request, 437, "n1"));
    let lost = TurnError::Lost { server: server() };
    assert_eq!(world.client.poll_event(), Some(TurnEvent::Failed(lost)));
}

#[test]
fn a_silent_server_is_said_and_deadlines_always_move_on() {
    let mut world = World::new();
    while let Some(next) = world.client.poll_timeout() {
        world.now = next;
        world.client.handle_timeout(next);
        while world.client.poll_transmit(next).is_some() {}
        assert!(world.client.poll_timeout().is_none_or(|later| later > next));
    }
    let silent = TurnError::NoAnswer { server: server() };
    assert_eq!(world.client.poll_event(), Some(TurnEvent::Failed(silent)));
}

#[test]
fn the_password_is_in_no_debug_output() {
    let world = World::allocated();
    let printed = format!("{:?}", world.client);
    assert!(!printed.contains("right"), "{printed}");
}
