//! Who is taken for a party, and where packets go.

use super::*;

#[test]
fn both_parties_hear_each_other_over_one_port() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    assert_eq!(rig.rtp(CALLER, 1, 10), to(SHARED, CALLEE));
    assert_eq!(rig.rtp(CALLEE, 2, 99), to(SHARED, CALLER));
    assert_eq!(rig.rtp(CALLER, 1, 11), to(SHARED, CALLEE));
    assert_eq!(rig.relay.counts().forwarded, 3);
}

#[test]
fn calls_on_one_port_do_not_mix() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    let [caller, callee] = rig.offered([SHARED; 2]);
    rig.announce(caller, "192.0.2.3:4000").unwrap();
    rig.announce(callee, "192.0.2.4:5000").unwrap();
    assert_eq!(
        rig.rtp("192.0.2.3:4000", 1, 10),
        to(SHARED, "192.0.2.4:5000")
    );
    assert_eq!(rig.rtp(CALLER, 1, 10), to(SHARED, CALLEE));
}

#[test]
fn a_stranger_is_dropped_before_during_and_after_a_call() {
    let mut rig = Rig::new();
    let stranger = |rig: &mut Rig, place| {
        (0..20)
            .map(|n| rig.rtp_at(place, STRANGER, 66, n))
            .all(|verdict| matches!(verdict, Verdict::Drop(_)))
    };
    for places in [[SHARED; 2], [own(20_000), own(20_002)]] {
        let legs = rig.offered(places);
        rig.announce(legs[0], CALLER).unwrap();
        assert!(stranger(&mut rig, places[0]) && stranger(&mut rig, places[1]));
        rig.announce(legs[1], CALLEE).unwrap();
        assert_eq!(rig.rtp_at(places[0], CALLER, 1, 1), to(places[1], CALLEE));
        assert_eq!(rig.rtp_at(places[1], CALLEE, 2, 1), to(places[0], CALLER));
        assert!(stranger(&mut rig, places[0]) && stranger(&mut rig, places[1]));
        assert_eq!(rig.rtp_at(places[1], CALLEE, 2, 2), to(places[0], CALLER));
        rig.relay.end_call(legs[0].call).unwrap();
        assert!(stranger(&mut rig, places[0]) && stranger(&mut rig, places[1]));
    }
}

#[test]
fn nothing_passes_before_the_answer_and_nothing_is_learned() {
    let mut rig = Rig::new();
    let legs = rig.offered([own(20_000), SHARED]);
    rig.announce(legs[0], CALLER).unwrap();
    for sequence in 0..10 {
        assert_eq!(
            rig.rtp_at(own(20_000), STRANGER, 1, sequence),
            dropped(DropReason::NotAnswered)
        );
    }
    rig.announce(legs[1], CALLEE).unwrap();
    assert_eq!(
        rig.rtp_at(own(20_000), STRANGER, 1, 10),
        dropped(DropReason::Unproven)
    );
    assert_eq!(rig.rtp_at(own(20_000), CALLER, 1, 10), to(SHARED, CALLEE));
}

#[test]
fn a_party_behind_translation_is_learned_at_a_pair_of_its_own() {
    let mut rig = Rig::new();
    let place = own(20_000);
    rig.answered([place, SHARED]);
    assert_eq!(
        rig.rtp_at(place, TRANSLATED, 1, 1),
        dropped(DropReason::Unproven)
    );
    assert_eq!(
        rig.rtp(CALLEE, 2, 1),
        to(place, CALLER),
        "nothing goes to who is not proven"
    );
    assert_eq!(
        rig.rtp_at(place, TRANSLATED, 1, 2),
        dropped(DropReason::Unproven)
    );
    assert_eq!(rig.rtp_at(place, TRANSLATED, 1, 3), to(SHARED, CALLEE));
    assert_eq!(rig.rtp(CALLEE, 2, 2), to(place, TRANSLATED));
    assert_eq!(
        rig.rtp_at(place, CALLER, 1, 4),
        dropped(DropReason::WrongSource),
        "it learns once"
    );
}

#[test]
fn a_party_behind_translation_is_found_on_the_shared_port_by_its_ssrc() {
    let mut rig = Rig::new();
    let [caller, callee] = rig.offered([SHARED; 2]);
    rig.announce_ssrc(caller, "192.168.1.5:4000", 77).unwrap();
    rig.announce(callee, CALLEE).unwrap();
    assert_eq!(rig.rtp(TRANSLATED, 78, 1), dropped(DropReason::Unknown));
    for sequence in 1..3 {
        assert_eq!(
            rig.rtp(TRANSLATED, 77, sequence),
            dropped(DropReason::Unproven)
        );
    }
    assert_eq!(rig.rtp(TRANSLATED, 77, 3), to(SHARED, CALLEE));
    assert_eq!(rig.rtp(CALLEE, 2, 1), to(SHARED, TRANSLATED));
    assert_eq!(rig.rtp(STRANGER, 77, 4), dropped(DropReason::WrongSource));
    // Found by its address from now on, even if it sends with another SSRC.
    assert_eq!(rig.rtp(TRANSLATED, 79, 8), dropped(DropReason::OutOfLine));
    assert_eq!(rig.rtp(TRANSLATED, 79, 9), to(SHARED, CALLEE));
}

#[test]
fn two_calls_that_announce_one_address_need_an_ssrc_or_a_pair() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    let [caller, callee] = rig.offered([SHARED, own(20_000)]);
    let rtp = address(CALLER);
    assert_eq!(
        rig.announce(caller, CALLER),
        Err(RelayError::Ambiguous { rtp })
    );
    rig.announce_ssrc(caller, CALLER, 77).unwrap();
    rig.announce(callee, CALLER).unwrap();
    let [third, _] = rig.offered([SHARED; 2]);
    assert_eq!(
        rig.announce_ssrc(third, CALLER, 77),
        Err(RelayError::Ambiguous { rtp })
    );
    assert_eq!(
        rig.rtp(CALLER, 77, 1),
        to(own(20_000), CALLER),
        "told by its SSRC"
    );
    assert_eq!(
        rig.rtp(CALLER, 1, 1),
        to(SHARED, CALLEE),
        "everything else is the first call's"
    );
}

#[test]
fn where_one_sends_reports_from_may_be_where_another_sends_media_from() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    let [caller, callee] = rig.offered([SHARED; 2]);
    rig.announce(caller, "192.0.2.1:4001").unwrap();
    rig.announce(callee, "192.0.2.2:4999").unwrap();
    assert_eq!(
        rig.rtp("192.0.2.1:4001", 3, 1),
        to(SHARED, "192.0.2.2:4999")
    );
    assert_eq!(rig.rtp(CALLER, 1, 1), to(SHARED, CALLEE));
    assert_eq!(rig.rtp(CALLEE, 2, 1), to(SHARED, CALLER));
}

#[test]
fn an_address_that_is_announced_again_does_not_take_over_a_call() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    rig.rtp(CALLER, 1, 1);
    let [thief, _] = rig.offered([SHARED, own(20_000)]);
    rig.announce_ssrc(thief, CALLER, 1_234).unwrap();
    assert_eq!(rig.rtp(CALLER, 1, 2), to(SHARED, CALLEE));
    rig.relay.end_call(thief.call).unwrap();
    assert_eq!(rig.rtp(CALLER, 1, 3), to(SHARED, CALLEE));
}

#[test]
fn packets_of_an_ended_call_reach_no_later_one() {
    let mut rig = Rig::new();
    let legs = rig.answered([SHARED; 2]);
    rig.rtp(CALLER, 1, 1);
    rig.relay.end_call(legs[0].call).unwrap();
    assert_eq!(rig.rtp(CALLER, 1, 2), dropped(DropReason::Unknown));
    let [caller, callee] = rig.offered([SHARED; 2]);
    rig.announce(caller, "192.0.2.3:4000").unwrap();
    rig.announce(callee, "192.0.2.4:5000").unwrap();
    assert_eq!(rig.rtp(CALLER, 1, 3), dropped(DropReason::Unknown));
    assert_eq!(rig.announce(legs[0], CALLER), Err(RelayError::NoSuchLeg));
    assert_eq!(rig.relay.end_call(legs[0].call), Err(RelayError::NoSuchLeg));
}

#[test]
fn a_new_announcement_moves_the_party_and_a_mere_refresh_does_not() {
    let mut rig = Rig::new();
    let [caller, _] = rig.answered([SHARED; 2]);
    rig.rtp(CALLER, 1, 1);
    rig.announce(caller, CALLER).unwrap();
    assert_eq!(rig.rtp(CALLER, 1, 2), to(SHARED, CALLEE));
    rig.announce(caller, "192.0.2.3:4000").unwrap();
    assert_eq!(rig.rtp(CALLEE, 2, 1), to(SHARED, "192.0.2.3:4000"));
    assert_eq!(
        rig.rtp(CALLER, 1, 3),
        dropped(DropReason::Unproven),
        "the old place"
    );
    assert_eq!(
        rig.rtp("192.0.2.3:4000", 3, 1),
        dropped(DropReason::OutOfLine),
        "a new SSRC"
    );
    assert_eq!(rig.rtp("192.0.2.3:4000", 3, 2), to(SHARED, CALLEE));
}

#[test]
fn a_party_that_holds_in_the_old_way_gets_nothing() {
    let mut rig = Rig::new();
    let [caller, _] = rig.answered([SHARED; 2]);
    rig.announce(caller, "0.0.0.0:4000").unwrap();
    assert_eq!(rig.rtp(CALLEE, 2, 1), dropped(DropReason::NoTarget));
    rig.announce(caller, CALLER).unwrap();
    assert_eq!(rig.rtp(CALLEE, 2, 2), to(SHARED, CALLER));
}

#[test]
fn one_packet_with_a_number_far_off_is_dropped_and_a_new_start_is_not() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    rig.rtp(CALLER, 1, 10);
    assert_eq!(rig.rtp(CALLER, 1, 40_000), dropped(DropReason::OutOfLine));
    assert_eq!(rig.rtp(CALLER, 1, 11), to(SHARED, CALLEE));
    assert_eq!(rig.rtp(CALLER, 1, 50_000), dropped(DropReason::OutOfLine));
    assert_eq!(rig.rtp(CALLER, 1, 50_001), to(SHARED, CALLEE));
    assert_eq!(
        rig.rtp(CALLER, 1, 50_001),
        to(SHARED, CALLEE),
        "a copy passes"
    );
}

#[test]
fn stun_and_dtls_of_strangers_change_nothing() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    let binding_request = [
        0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    for datagram in [&binding_request[..], &[22; 30]] {
        assert_eq!(
            rig.arrives(SHARED, Component::Rtp, STRANGER, datagram),
            dropped(DropReason::Unknown)
        );
    }
    assert_eq!(rig.relay.poll_output(), None);
    assert_eq!(rig.rtp(STRANGER, 1, 1), dropped(DropReason::Unknown));
    assert_eq!(
        rig.arrives(SHARED, Component::Rtp, CALLER, &[100; 30]),
        dropped(DropReason::Malformed)
    );
}
