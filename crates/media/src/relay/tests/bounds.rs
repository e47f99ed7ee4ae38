//! Tables have bounds, are empty at the end, and no input breaks them.

use proptest::prelude::*;

use super::*;

#[test]
fn a_full_table_is_said_and_has_room_again_when_a_call_ends() {
    let mut rig = Rig::with_room_for(2);
    let first = rig.relay.create_call().unwrap();
    rig.relay.create_call().unwrap();
    let full = RelayError::TooManyCalls { max_calls: 2 };
    assert_eq!(rig.relay.create_call(), Err(full));
    rig.relay.end_call(first).unwrap();
    let again = rig.relay.create_call().unwrap();
    assert_ne!(first, again, "a name is not used twice");
    assert!(rig.relay.stats(first, rig.now).is_err());
    assert_eq!(rig.relay.calls(), 2);
}

#[test]
fn a_call_has_eight_streams_at_most() {
    let mut rig = Rig::new();
    let call = rig.relay.create_call().unwrap();
    for stream in 0..8 {
        assert_eq!(rig.relay.add_stream(call, [SHARED; 2], rig.now), Ok(stream));
    }
    let ninth = rig.relay.add_stream(call, [SHARED; 2], rig.now);
    assert_eq!(ninth, Err(RelayError::TooManyStreams));
}

#[test]
fn a_pair_of_ports_belongs_to_one_leg() {
    let mut rig = Rig::new();
    let call = rig.relay.create_call().unwrap();
    let taken = Err(RelayError::PairTaken { port: 20_000 });
    assert_eq!(rig.relay.add_stream(call, [own(20_000); 2], rig.now), taken);
    let legs = rig.offered([own(20_000), SHARED]);
    assert_eq!(
        rig.relay.add_stream(call, [SHARED, own(20_000)], rig.now),
        taken
    );
    assert_eq!(
        rig.relay.end_call(legs[0].call),
        Ok(vec![own(20_000), SHARED])
    );
    assert_eq!(
        rig.relay.add_stream(call, [SHARED, own(20_000)], rig.now),
        Ok(0)
    );
}

#[test]
fn nothing_is_left_of_calls_that_have_ended() {
    let mut rig = Rig::new();
    let mut calls = Vec::new();
    for n in 0..20_u16 {
        let legs = rig.offered([own(20_000 + n * 2), SHARED]);
        rig.announce(legs[0], CALLER).unwrap();
        rig.announce_ssrc(
            legs[1],
            &format!("192.0.2.9:{}", 4_000 + n * 2),
            u32::from(n),
        )
        .unwrap();
        for sequence in 0..3 {
            rig.rtp_at(own(20_000 + n * 2), TRANSLATED, 1, sequence);
        }
        rig.announce_ssrc(
            legs[1],
            &format!("192.0.2.8:{}", 4_000 + n * 2),
            u32::from(n) + 100,
        )
        .unwrap();
        calls.push(legs[0].call);
    }
    rig.passes(8_000);
    rig.relay.handle_timeout(rig.now);
    for call in calls {
        rig.relay.end_call(call).unwrap();
    }
    assert_eq!((rig.relay.calls(), rig.relay.keys.len()), (0, 0));
    assert_eq!(rig.relay.poll_timeout(), None);
}

#[test]
fn the_same_seed_and_input_give_the_same_output() {
    let run = || {
        let mut rig = Rig::new();
        let start = rig.now;
        rig.answered([SHARED; 2]);
        let mut sent = Vec::new();
        for sequence in 0..1_000 {
            rig.rtp(CALLER, 1, sequence);
            rig.passes(20);
            rig.relay.handle_timeout(rig.now);
            while let Some(report) = rig.relay.poll_output() {
                sent.push((rig.now - start, report));
            }
        }
        sent
    };
    let sent = run();
    assert!(sent.len() >= 4);
    assert_eq!(sent, run());
}

proptest! {
    #[test]
    fn no_bytes_panic_or_grow_anything(
        datagrams in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..120), 0_usize..4, 0_usize..4), 1..60),
    ) {
        let mut rig = Rig::new();
        rig.answered([SHARED, own(20_000)]);
        let sources = [CALLER, CALLEE, STRANGER, "192.0.2.1:4001"];
        let places = [(SHARED, Component::Rtp), (SHARED, Component::Rtcp), (own(20_000), Component::Rtp), (own(20_000), Component::Rtcp)];
        for (mut bytes, source, place) in datagrams {
            let (place, component) = places[place];
            rig.arrives(place, component, sources[source], &bytes);
            // A plausible head, so that the inner parts are reached.
            for (mask, kind) in [(0x0f, None), (0x03, Some(200)), (0x03, Some(201))] {
                if let [first, second, ..] = &mut bytes[..] {
                    *first = 0x80 | (*first & mask);
                    *second = kind.unwrap_or(*second);
                }
                rig.arrives(place, component, sources[source], &bytes);
            }
            rig.passes(500);
            rig.relay.handle_timeout(rig.now);
            prop_assert!(rig.relay.poll_timeout().is_some_and(|next| next > rig.now));
            while rig.relay.poll_output().is_some() {}
        }
        prop_assert!(rig.relay.keys.len() <= 6);
    }
}
