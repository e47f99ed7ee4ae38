//! Two sessions over secured media: what is on the wire, who is heard, and what happens when keys change.

use std::time::Duration;

use media::srtp::{DtlsIdentity, SrtpSession};
use media::{Codec, FRAME_DURATION, KeyExchange, MediaParameters, MediaSecurity, SessionEvent};
use sdp::{DtlsRole, MasterKey, SrtpSuite};

use crate::world::*;

fn key(suite: SrtpSuite, seed: u8) -> MasterKey {
    MasterKey::generate(suite, |bytes| bytes.fill(seed))
}

fn sdes(local: u8, remote: u8) -> MediaSecurity {
    let suite = SrtpSuite::AeadAes128Gcm;
    MediaSecurity::Sdes {
        local: key(suite, local),
        remote: key(suite, remote),
    }
}

/// A handshake with whoever has this certificate.
fn dtls(role: DtlsRole, peer: &DtlsIdentity) -> MediaSecurity {
    MediaSecurity::Dtls {
        role,
        fingerprints: vec![peer.fingerprint()],
    }
}

fn secured(security: MediaSecurity, remote: &str) -> MediaParameters {
    MediaParameters {
        rtcp_mux: true,
        remote_rtcp: address(remote),
        security,
        ..parameters(Codec::Pcma, remote)
    }
}

fn agreed(at_alice: MediaSecurity, at_bob: MediaSecurity) -> World {
    let mut world = World::idle(Network::default());
    agree(&mut world, at_alice, at_bob);
    world
}

fn agree(world: &mut World, at_alice: MediaSecurity, at_bob: MediaSecurity) {
    world.agree(secured(at_alice, BOB), secured(at_bob, ALICE));
}

/// Both do what their certificates let them, whoever they expect.
fn handshake(world: &mut World, by_alice: &DtlsIdentity, by_bob: &DtlsIdentity) {
    let at_alice = dtls(DtlsRole::Client, by_alice);
    agree(world, at_alice, dtls(DtlsRole::Server, by_bob));
}

/// Both talk for so many seconds: whether Alice hears Bob, and Bob Alice.
fn is_heard_after(world: &mut World, seconds: u64) -> (bool, bool) {
    world.run(Duration::from_secs(seconds));
    let [alice, bob] = &world.parties;
    assert_eq!(
        alice.targets(),
        [bob.seen_as].into(),
        "alice sends nowhere else"
    );
    (alice.share(700.0, 1.0) > 0.9, bob.share(400.0, 1.0) > 0.9)
}

fn secured_by(party: &Party) -> Option<(KeyExchange, SrtpSuite)> {
    party.events.iter().find_map(|event| match event {
        SessionEvent::Secured(secured) => Some((secured.by, secured.suite)),
        _ => None,
    })
}

fn is_handshake(datagram: &[u8]) -> bool {
    (20..64).contains(&datagram[0])
}

#[test]
fn keys_of_the_description_secure_sound_and_reports_both_ways() {
    let mut world = agreed(sdes(1, 2), sdes(2, 1));
    assert_eq!(is_heard_after(&mut world, 12), (true, true));
    let by = Some((KeyExchange::Sdes, SrtpSuite::AeadAes128Gcm));
    assert_eq!(world.parties.each_ref().map(secured_by), [by, by]);
    assert!(
        world.parties[0].session.stats().round_trip.is_some(),
        "reports arrive"
    );
    // All that was on the wire opens with the key and is not what a plain call would send.
    let suite = SrtpSuite::AeadAes128Gcm;
    let mut third = SrtpSession::new(&key(suite, 9), &key(suite, 1));
    for (_, datagram) in &mut world.parties[0].sent {
        let is_report = datagram[1] == 200 || datagram[1] == 201;
        let opened = if is_report {
            third.unprotect_rtcp(datagram)
        } else {
            third.unprotect_rtp(datagram)
        };
        assert!(opened.is_ok(), "{opened:?}");
    }
}

#[test]
fn nothing_plain_is_taken_once_security_was_agreed() {
    let mut world = agreed(sdes(1, 2), sdes(2, 1));
    for sequence in 0..100 {
        world.forge(1, ALICE, &plain_packet(sequence));
    }
    // A plain report with BYE, from the right address.
    let bye = [0x80, 201, 0, 1, 9, 9, 9, 9, 0x81, 203, 0, 1, 9, 9, 9, 9];
    world.forge_rtcp(1, ALICE, &bye);
    let stats = world.parties[1].session.stats();
    assert_eq!((stats.packets_received, stats.datagrams_dropped), (0, 101));
    assert_eq!(
        is_heard_after(&mut world, 2),
        (true, true),
        "the forged source did not lock"
    );
    assert!(!world.parties[1].events.contains(&SessionEvent::RemoteBye));
}

#[test]
fn an_authentic_source_is_followed_to_another_address_and_a_forger_is_not() {
    let mut world = agreed(sdes(1, 2), sdes(2, 1));
    world.parties[0].seen_as = address("198.51.100.7:61000");
    assert_eq!(
        is_heard_after(&mut world, 2),
        (true, true),
        "behind address translation"
    );
    world.parties[0].seen_as = address("198.51.100.7:61001");
    assert_eq!(
        is_heard_after(&mut world, 2),
        (true, true),
        "the translation changed"
    );
    for _ in 0..10 {
        let repeated: Vec<_> = world.parties[0]
            .sent
            .iter()
            .rev()
            .take(20)
            .cloned()
            .collect();
        for (_, datagram) in repeated {
            world.forge(1, STRANGER, &datagram);
        }
        assert_eq!(
            is_heard_after(&mut world, 1),
            (true, true),
            "repeated packets move nothing"
        );
    }
}

#[test]
fn new_keys_take_the_place_of_old_ones_within_a_call() {
    let mut world = agreed(sdes(1, 2), sdes(2, 1));
    world.run(Duration::from_secs(2));
    agree(&mut world, sdes(1, 2), sdes(2, 1));
    assert_eq!(is_heard_after(&mut world, 2), (true, true), "the same keys");
    let lost = world.parties[1].session.stats().packets_lost;
    agree(&mut world, sdes(3, 4), sdes(4, 3));
    assert_eq!(is_heard_after(&mut world, 2), (true, true), "new keys");
    assert!(world.parties[1].session.stats().packets_lost <= lost + 1);
    let by_stranger = sdes(5, 4);
    agree(&mut world, by_stranger, sdes(4, 3));
    assert_eq!(
        is_heard_after(&mut world, 2),
        (true, false),
        "the wrong key is heard by nobody"
    );
}

#[test]
fn a_handshake_on_the_port_of_the_sound_secures_it() {
    let mut world = World::idle(Network::default());
    let [alice, bob] = [0, 1].map(|n| world.parties[n].identity.clone());
    // The one who begins knows the other before it is known.
    let early = secured(dtls(DtlsRole::Client, &bob), BOB);
    let now = world.now;
    world.parties[0].session.set_parameters(early, now).unwrap();
    for _ in 0..5 {
        world.now += FRAME_DURATION;
        world.parties[0].tick(world.now);
    }
    let sent = std::mem::take(&mut world.parties[0].sent);
    assert!(
        sent.iter().all(|(_, bytes)| is_handshake(bytes)),
        "no sound yet"
    );
    assert!(!sent.is_empty());
    handshake(&mut world, &bob, &alice);
    assert_eq!(is_heard_after(&mut world, 3), (true, true));
    let by = Some((KeyExchange::Dtls, SrtpSuite::AeadAes256Gcm));
    assert_eq!(world.parties.each_ref().map(secured_by), [by, by]);
    // Hold and resume: the handshake stands.
    handshake(&mut world, &bob, &alice);
    assert_eq!(is_heard_after(&mut world, 2), (true, true));
}

#[test]
fn a_handshake_with_somebody_else_leaves_silence_and_says_so() {
    let mut world = World::idle(Network::default());
    handshake(&mut world, &identity(), &identity());
    world.run(Duration::from_secs(3));
    for party in &world.parties {
        assert!(party.sent.iter().all(|(_, bytes)| is_handshake(bytes)));
        assert!(party.heard.iter().all(|&sample| sample == 0));
    }
    let told = |event: &SessionEvent| matches!(event, SessionEvent::NotSecured(_));
    assert!(world.parties[0].events.iter().any(told));
}

#[test]
fn a_handshake_is_answered_only_where_the_peer_was_announced() {
    let mut world = World::idle(Network::default());
    let [alice, bob] = [0, 1].map(|n| world.parties[n].identity.clone());
    handshake(&mut world, &bob, &alice);
    let (_, hello) = world.parties[0].tick(world.now).remove(0);
    world.forge(1, STRANGER, &hello);
    assert!(world.parties[1].tick(world.now).is_empty());
    assert_eq!(world.parties[1].session.stats().datagrams_dropped, 1);
}
