//! Who is not listened to.

use std::time::Duration;

use media::srtp::{MasterKey, SrtpSuite};
use media::{Codec, Direction, MediaParameters, MediaSecurity, SessionEvent};

use crate::world::*;

#[test]
fn a_peer_behind_address_translation_is_found_and_strangers_are_not_heard() {
    let mut world = World::new(Network::default(), Codec::Pcmu);
    // Bob announces a private address; his datagrams come from another.
    world.agree(
        parameters(Codec::Pcmu, "10.0.0.5:5000"),
        parameters(Codec::Pcmu, ALICE),
    );
    world.run(Duration::from_secs(1));
    assert!(
        world.parties[1].share(400.0, 0.2) > 0.9,
        "bob hears alice once his address is proven"
    );
    assert!(
        matches!(world.parties[0].events[..], [SessionEvent::Started { source }] if source == address(BOB))
    );
    let before = world.stats()[0].packets_received;
    for n in 0..20 {
        world.forge(0, STRANGER, &plain_packet(n));
    }
    assert_eq!(world.stats()[0].packets_received, before);
    assert!(world.stats()[0].datagrams_dropped >= 20);
}

/// The tone that a stranger would like to be heard, as RTP in A-law.
fn forged_sound(ssrc: u32, first_sequence: u16) -> Vec<Vec<u8>> {
    let mut stranger = Party::new(66, STRANGER, FORGED_HZ, any_instant());
    let to_alice = parameters(Codec::Pcma, ALICE);
    let now = any_instant();
    stranger.session.set_parameters(to_alice, now).unwrap();
    let mut packets = Vec::new();
    for n in 0..100_u32 {
        let sent = stranger.tick(now + media::FRAME_DURATION * n);
        packets.extend(sent.into_iter().map(|(_, bytes)| bytes));
    }
    packets.retain(|bytes| bytes[1] & 0x7f == PAYLOAD_TYPE);
    for (sequence, packet) in (first_sequence..).zip(&mut packets) {
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
    }
    packets
}

const FORGED_HZ: f64 = 1_300.0;

/// Two streams of a second, three datagrams ten times to each port, a digit.
const DATAGRAMS_OF_AN_ATTACK: u64 = 2 * 50 + 3 * 10 * 2 + 1;

/// Everything that a stranger sends who knows the peer's SSRC and numbers, but not its address.
fn attack(world: &mut World, victim: usize) {
    let peer = &world.parties[1 - victim].sent;
    let last = peer
        .iter()
        .rev()
        .find(|(_, bytes)| bytes[1] & 0x7f == PAYLOAD_TYPE);
    let (ssrc, sequence) = last.map_or((7, 0), |(_, bytes)| {
        let number = [bytes[2], bytes[3]];
        let ssrc = [bytes[8], bytes[9], bytes[10], bytes[11]];
        (u32::from_be_bytes(ssrc), u16::from_be_bytes(number))
    });
    for own_ssrc in [ssrc, !ssrc] {
        for packet in forged_sound(own_ssrc, sequence.wrapping_add(1)) {
            world.forge(victim, STRANGER, &packet);
        }
    }
    for datagram in [bye(ssrc), BINDING_REQUEST.to_vec(), CLIENT_HELLO.to_vec()] {
        for _ in 0..10 {
            world.forge(victim, STRANGER, &datagram);
            world.forge_rtcp(victim, STRANGER, &datagram);
        }
    }
    let mut digit = vec![0x80, EVENT_PAYLOAD_TYPE | 0x80];
    digit.extend(sequence.wrapping_add(1).to_be_bytes());
    digit.extend([0, 0, 0, 1]);
    digit.extend(ssrc.to_be_bytes());
    digit.extend([5, 0x8a, 3, 32]);
    world.forge(victim, STRANGER, &digit);
}

/// An empty receiver report and BYE of a source.
fn bye(ssrc: u32) -> Vec<u8> {
    let ssrc = ssrc.to_be_bytes();
    let report = [&[0x80, 201, 0, 1], &ssrc[..]].concat();
    [report, [&[0x81, 203, 0, 1], &ssrc[..]].concat()].concat()
}

/// A binding request without attributes (RFC 8489 section 5).
const BINDING_REQUEST: [u8; 20] = [
    0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
];

/// The header of a DTLS 1.2 record with a handshake in it.
const CLIENT_HELLO: [u8; 25] = [
    22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

#[test]
fn what_a_stranger_sends_before_during_and_after_a_call_is_not_heard_and_nothing_is_sent_there() {
    let mut world = World::new(Network::default(), Codec::Pcma);
    // Before the peer's first packet nobody else may be taken for it who does not go on like a stream: all but sound.
    for datagram in [bye(7), BINDING_REQUEST.to_vec(), CLIENT_HELLO.to_vec()] {
        world.forge(0, STRANGER, &datagram);
        world.forge_rtcp(0, STRANGER, &datagram);
    }
    world.run(Duration::from_secs(1));
    for victim in [0, 1] {
        for _ in 0..10 {
            attack(&mut world, victim);
            world.run(Duration::from_millis(200));
        }
    }
    world.run(Duration::from_secs(1));
    for (n, party) in world.parties.iter().enumerate() {
        assert!(party.share(TONES[1 - n], 2.0) > 0.98, "the peer is heard");
        assert!(party.share(FORGED_HZ, 3.0) < 0.001, "and nobody else");
        let peer = address([BOB, ALICE][n]);
        assert_eq!(party.targets(), [peer, rtcp_of(peer)].into());
        assert!(!party.events.contains(&SessionEvent::RemoteBye));
        assert_eq!(party.digits(), "");
        let stats = party.session.stats();
        assert_eq!(stats.packets_lost, 0);
        let forged = 10 * DATAGRAMS_OF_AN_ATTACK + [6, 0][n];
        assert_eq!(stats.datagrams_dropped, forged);
    }
    // Held, as at the end of a call.
    let held = |remote| MediaParameters {
        direction: Direction::Inactive,
        ..parameters(Codec::Pcma, remote)
    };
    world.agree(held(BOB), held(ALICE));
    let sent = world.parties[0].sent.len();
    attack(&mut world, 0);
    world.run(Duration::from_secs(1));
    assert!(world.parties[0].heard.ends_with(&[0; 40_000]));
    let new_targets: Vec<_> = world.parties[0].sent[sent..]
        .iter()
        .map(|(target, _)| target.ip())
        .collect();
    assert!(
        new_targets
            .iter()
            .all(|target| *target == address(BOB).ip())
    );
}

#[test]
fn a_session_that_agreed_on_nothing_listens_to_nobody() {
    let mut world = World::idle(Network::default());
    attack(&mut world, 0);
    world.run(Duration::from_secs(1));
    let alice = &world.parties[0];
    assert!(alice.sent.is_empty() && alice.events.is_empty());
    assert!(alice.heard.iter().all(|&sample| sample == 0));
}

#[test]
fn a_stranger_of_a_secured_call_is_not_heard_even_from_the_peer_s_address() {
    let mut world = World::idle(Network::default());
    let [at_alice, at_bob] = [(1, 2), (2, 1)].map(|(local, remote)| MediaSecurity::Sdes {
        local: key(local),
        remote: key(remote),
    });
    let secured = |remote, security| MediaParameters {
        security,
        ..parameters(Codec::Pcma, remote)
    };
    world.agree(secured(BOB, at_alice), secured(ALICE, at_bob));
    for spoofed in [STRANGER, BOB] {
        world.run(Duration::from_secs(1));
        for packet in forged_sound(7, 100) {
            world.forge(0, spoofed, &packet);
        }
        world.forge_rtcp(0, spoofed, &bye(7));
    }
    world.run(Duration::from_secs(1));
    let alice = &world.parties[0];
    assert!(alice.share(TONES[1], 2.0) > 0.98);
    assert!(alice.share(FORGED_HZ, 2.0) < 0.001);
    assert!(!alice.events.contains(&SessionEvent::RemoteBye));
    assert_eq!(
        alice.targets(),
        [address(BOB), rtcp_of(address(BOB))].into()
    );
}

fn key(seed: u8) -> MasterKey {
    MasterKey::generate(SrtpSuite::AesCm128HmacSha1_80, |bytes| bytes.fill(seed))
}
