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
