//! What changes within a call: hold, codec, source, end.

use std::time::Duration;

use media::{Codec, Direction, MediaParameters, ReceiveFormat, SILENCE, SessionEvent};

use crate::world::*;

#[test]
fn hold_stops_packets_and_resume_brings_the_sound_back() {
    let mut world = World::new(Network::default(), Codec::Opus);
    world.run(Duration::from_secs(2));
    let before = world.stats();
    // Alice holds: she only sends, bob only receives; then both do nothing.
    let held = |remote| MediaParameters {
        direction: Direction::Inactive,
        ..parameters(Codec::Opus, remote)
    };
    world.agree(held(BOB), held(ALICE));
    world.run(Duration::from_secs(30));
    let held = world.stats();
    for n in 0..2 {
        assert_eq!(held[n].packets_sent, before[n].packets_sent);
        assert_eq!(
            world.parties[n].heard.last_chunk::<9_600>(),
            Some(&[0; 9_600])
        );
    }
    world.agree(parameters(Codec::Opus, BOB), parameters(Codec::Opus, ALICE));
    world.run(Duration::from_secs(2));
    assert!(world.parties[0].share(700.0, 1.0) > 0.98);
    assert!(world.parties[1].share(400.0, 1.0) > 0.98);
    for stats in world.stats() {
        assert_eq!(stats.packets_lost, 0, "a pause is not loss");
    }
}

#[test]
fn the_codec_may_change_in_a_call() {
    let mut world = World::new(Network::default(), Codec::Pcmu);
    world.run(Duration::from_secs(1));
    let changed = |remote| {
        let mut changed = parameters(Codec::Opus, remote);
        changed.send.payload_type = 111;
        changed.receive.push(ReceiveFormat {
            payload_type: 111,
            codec: Codec::Opus,
        });
        changed.receive[0].codec = Codec::Pcmu;
        changed
    };
    world.agree(changed(BOB), changed(ALICE));
    world.run(Duration::from_secs(2));
    for (n, stats) in world.stats().iter().enumerate() {
        assert_eq!(stats.receive_codec, Some(Codec::Opus));
        assert!(world.parties[n].share(TONES[1 - n], 1.0) > 0.98);
    }
}

#[test]
fn another_source_at_the_same_address_is_believed_from_its_second_packet() {
    let mut world = World::new(Network::default(), Codec::Pcmu);
    world.run(Duration::from_secs(1));
    let received = world.stats()[0].packets_received;
    // Bob's device restarts: other SSRC, other numbers.
    world.parties[1] = Party::new(9, BOB, 900.0, world.now);
    world.parties[1]
        .session
        .set_parameters(parameters(Codec::Pcmu, ALICE), world.now)
        .unwrap();
    world.run(Duration::from_secs(2));
    assert!(world.parties[0].share(900.0, 1.0) > 0.98);
    let stats = &world.stats()[0];
    assert!(
        stats.packets_received >= received + 97,
        "both sources count"
    );
    assert_eq!(stats.packets_lost, 0);
}

#[test]
fn bye_is_said_and_heard_and_nothing_is_sent_before_there_is_a_peer() {
    let mut world = World::idle(Network::default());
    let now = world.now;
    assert_eq!(world.parties[0].session.capture(&SILENCE), None);
    assert_eq!(world.parties[0].session.leave(now), None);
    let mut world = World::new(Network::default(), Codec::Pcmu);
    world.run(Duration::from_secs(1));
    let now = world.now;
    let bye = world.parties[0].session.leave(now).unwrap();
    assert_eq!(bye.target, rtcp_of(address(BOB)));
    let bytes = bye.bytes.to_vec();
    let source = rtcp_of(address(ALICE)).to_string();
    world.forge_rtcp(1, &source, &bytes);
    assert_eq!(
        world.parties[1].session.poll_event(),
        Some(SessionEvent::RemoteBye)
    );
}

/// Alice takes every codec by a number of its own; Bob sends this one.
fn several(sent_by_bob: Codec) -> [MediaParameters; 2] {
    let numbered = |codec| ReceiveFormat {
        payload_type: number_of(codec),
        codec,
    };
    let at_alice = MediaParameters {
        receive: Codec::ALL.map(numbered).into(),
        ..parameters(Codec::Pcmu, BOB)
    };
    let mut at_bob = parameters(sent_by_bob, ALICE);
    at_bob.send.payload_type = number_of(sent_by_bob);
    at_bob.receive[0].codec = Codec::Pcmu;
    [at_alice, at_bob]
}

fn number_of(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::Opus => 111,
    }
}

#[test]
fn a_peer_may_change_between_agreed_codecs_from_one_packet_to_the_next() {
    let mut world = World::idle(Network::default());
    for codec in [
        Codec::Opus,
        Codec::Pcma,
        Codec::G722,
        Codec::Pcmu,
        Codec::Opus,
    ] {
        let [at_alice, at_bob] = several(codec);
        if world.parties[0].session.direction().is_none() {
            world.agree(at_alice, at_bob);
        } else {
            // Only Bob changes: nothing is agreed anew at Alice's.
            let now = world.now;
            world.parties[1]
                .session
                .set_parameters(at_bob, now)
                .unwrap();
        }
        world.run(Duration::from_secs(2));
        assert!(world.parties[0].share(700.0, 1.0) > 0.98, "{codec:?}");
        assert_eq!(world.stats()[0].receive_codec, Some(codec));
    }
    let stats = &world.stats()[0];
    assert_eq!((stats.packets_lost, stats.datagrams_dropped), (0, 0));
}

#[test]
fn a_payload_type_that_was_not_agreed_is_dropped_and_disturbs_nothing() {
    let mut world = World::new(Network::default(), Codec::Pcma);
    world.run(Duration::from_secs(1));
    let (_, mut packet) = world.parties[1].sent[0].clone();
    for payload_type in
        (0..128).filter(|number| ![PAYLOAD_TYPE, EVENT_PAYLOAD_TYPE].contains(number))
    {
        packet[1] = payload_type;
        world.forge(0, BOB, &packet);
        world.run(Duration::from_millis(10));
    }
    world.run(Duration::from_secs(1));
    assert!(world.parties[0].share(700.0, 1.0) > 0.98);
    assert_eq!(world.stats()[0].packets_lost, 0);
}

#[test]
fn a_peer_that_announces_another_address_is_heard_from_there_and_sent_to_there() {
    let mut world = World::new(Network::default(), Codec::Opus);
    world.run(Duration::from_secs(1));
    let elsewhere = "198.51.100.7:61000";
    world.parties[1].seen_as = address(elsewhere);
    world.run(Duration::from_secs(1));
    let silent = world.parties[0].share(700.0, 0.5);
    assert!(silent < 0.1, "nobody moves without a word: {silent}");
    world.agree(
        parameters(Codec::Opus, elsewhere),
        parameters(Codec::Opus, ALICE),
    );
    let sent = world.parties[0].sent.len();
    world.run(Duration::from_secs(2));
    assert!(world.parties[0].share(700.0, 1.0) > 0.98);
    assert!(world.parties[1].share(400.0, 1.0) > 0.98);
    let targets = world.parties[0].sent[sent..].iter();
    assert!(targets.clone().count() > 50);
    assert!(
        targets
            .clone()
            .all(|(target, _)| target.ip() == address(elsewhere).ip())
    );
}

#[test]
fn ten_sources_one_after_another_are_each_heard() {
    let mut world = World::new(Network::default(), Codec::Opus);
    for n in 0..10_u8 {
        let hz = 700.0 + 50.0 * f64::from(n);
        world.parties[1] = Party::new(10 + n, BOB, hz, world.now);
        let now = world.now;
        let to_alice = parameters(Codec::Opus, ALICE);
        world.parties[1]
            .session
            .set_parameters(to_alice, now)
            .unwrap();
        world.run(Duration::from_secs(2));
        assert!(world.parties[0].share(hz, 1.0) > 0.98, "{hz}");
    }
    assert_eq!(world.stats()[0].packets_lost, 0);
}
