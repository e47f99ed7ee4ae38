//! RTCP: whose is read, who gets it, and what of a party stays with us.

use super::reports::{CALLEE_RTCP, CALLER_RTCP, block, receiver_report};
use super::*;
use crate::rtcp::{Leaving, ReportBlock, write};

#[test]
fn bye_names_and_forged_reports_go_nowhere() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    let mut sequences = [0, 1_000];
    rig.next_report(CALLER_RTCP, &mut sequences);
    let forged = ReportBlock {
        cumulative_lost: 5_000,
        ..block(1)
    };
    let stranger = rig.rtcp(STRANGER, &receiver_report(2, forged), Leaving::Yes);
    assert_eq!(stranger, dropped(DropReason::Unknown));
    let same_host = rig.rtcp("192.0.2.2:9", &receiver_report(2, forged), Leaving::Yes);
    assert_eq!(same_host, dropped(DropReason::Unknown));
    // Even the party's own BYE: signalling ends calls.
    assert_eq!(
        rig.rtcp(CALLEE_RTCP, &receiver_report(2, block(1)), Leaving::Yes),
        Verdict::Read
    );
    assert_eq!(rig.rtp(CALLEE, 2, sequences[1]), to(SHARED, CALLER));
    sequences[1] += 1;
    for _ in 0..3 {
        let told = rig.next_report(CALLER_RTCP, &mut sequences);
        assert_eq!(told.blocks[0].cumulative_lost, 0);
    }
}

#[test]
fn no_name_of_a_party_reaches_the_other_and_a_party_has_one_name() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    rig.rtcp(CALLER_RTCP, &receiver_report(1, block(2)), Leaving::No);
    let mut sent = Vec::new();
    for sequence in 0..2_000 {
        rig.rtp(CALLER, 1, sequence);
        rig.passes(20);
        rig.relay.handle_timeout(rig.now);
        sent.extend(std::iter::from_fn(|| rig.relay.poll_output()));
    }
    let to_callee: Vec<_> = sent
        .iter()
        .filter(|out| out.to == address(CALLEE_RTCP))
        .collect();
    assert!(to_callee.len() > 3);
    let name_of = |bytes: &[u8]| bytes[bytes.len() - 28..].to_vec();
    for out in &to_callee {
        assert!(!out.bytes.windows(7).any(|part| part == b"private"));
        assert_eq!(name_of(&out.bytes), name_of(&to_callee[0].bytes));
    }
}

#[test]
fn multiplexed_reports_use_the_port_of_the_media() {
    let mut rig = Rig::new();
    let [caller, _] = rig.answered([SHARED; 2]);
    let peer = Peer {
        rtcp: RtcpAddress::Multiplexed,
        ..Peer::at(address(CALLER), 8_000)
    };
    rig.relay.announce(caller, peer, rig.now).unwrap();
    rig.rtp(CALLER, 1, 1);
    let bytes = write(&receiver_report(1, block(2)), "name", Leaving::No).unwrap();
    assert_eq!(
        rig.arrives(SHARED, Component::Rtp, CALLER, &bytes),
        Verdict::Read
    );
    assert_eq!(
        rig.arrives(SHARED, Component::Rtp, CALLER_RTCP, &bytes),
        dropped(DropReason::Unknown)
    );
    let out = loop {
        rig.passes(100);
        rig.relay.handle_timeout(rig.now);
        if let Some(out) = rig.relay.poll_output()
            && out.to.ip() == address(CALLER).ip()
        {
            break out;
        }
    };
    assert_eq!((out.to, out.component), (address(CALLER), Component::Rtp));
}

#[test]
fn nobody_is_sent_reports_who_neither_sent_nor_heard_anything() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    for _ in 0..600 {
        rig.passes(100);
        rig.relay.handle_timeout(rig.now);
        assert_eq!(rig.relay.poll_output(), None);
    }
}

#[test]
fn reports_of_a_translated_party_are_taken_from_its_proven_host_once() {
    let mut rig = Rig::new();
    let place = own(20_000);
    rig.answered([place, SHARED]);
    let bytes = write(&receiver_report(1, block(2)), "name", Leaving::No).unwrap();
    let rtcp = |rig: &mut Rig, source| rig.arrives(place, Component::Rtcp, source, &bytes);
    assert_eq!(
        rtcp(&mut rig, "198.51.100.7:61001"),
        dropped(DropReason::WrongSource)
    );
    for sequence in 0..3 {
        rig.rtp_at(place, TRANSLATED, 1, sequence);
    }
    assert_eq!(rtcp(&mut rig, STRANGER), dropped(DropReason::WrongSource));
    assert_eq!(rtcp(&mut rig, "198.51.100.7:61001"), Verdict::Read);
    assert_eq!(
        rtcp(&mut rig, "198.51.100.7:61003"),
        dropped(DropReason::WrongSource)
    );
    assert_eq!(rtcp(&mut rig, TRANSLATED), Verdict::Read);
}

#[test]
fn who_multiplexes_reports_only_from_the_port_of_the_media() {
    let mut rig = Rig::new();
    let place = own(20_000);
    let [caller, _] = rig.answered([place, SHARED]);
    let peer = Peer {
        rtcp: RtcpAddress::Multiplexed,
        ..Peer::at(address(CALLER), 8_000)
    };
    rig.relay.announce(caller, peer, rig.now).unwrap();
    rig.rtp_at(place, CALLER, 1, 1);
    let bytes = write(&receiver_report(1, block(2)), "name", Leaving::No).unwrap();
    let beside = rig.arrives(place, Component::Rtcp, CALLER_RTCP, &bytes);
    assert_eq!(beside, dropped(DropReason::WrongSource));
}

#[test]
fn reports_from_the_port_of_the_media_are_read_at_the_port_for_reports() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    rig.rtp(CALLER, 1, 1);
    let report = receiver_report(1, block(2));
    assert_eq!(rig.rtcp(CALLER, &report, Leaving::No), Verdict::Read);
}

#[test]
fn a_translated_party_gets_reports_once_it_has_sent_some() {
    let mut rig = Rig::new();
    let place = own(20_000);
    rig.answered([place, SHARED]);
    let reports_to_caller = |rig: &mut Rig| {
        let mut targets = Vec::new();
        for sequence in 0..600 {
            rig.rtp_at(place, TRANSLATED, 1, sequence);
            rig.passes(20);
            rig.relay.handle_timeout(rig.now);
            let reports = std::iter::from_fn(|| rig.relay.poll_output());
            targets.extend(reports.filter(|out| out.from == place).map(|out| out.to));
        }
        targets
    };
    assert_eq!(
        reports_to_caller(&mut rig),
        [],
        "nobody is at the announced address"
    );
    let bytes = write(&receiver_report(1, block(2)), "name", Leaving::No).unwrap();
    let rtcp = "198.51.100.7:61001";
    assert_eq!(
        rig.arrives(place, Component::Rtcp, rtcp, &bytes),
        Verdict::Read
    );
    let targets = reports_to_caller(&mut rig);
    assert!(!targets.is_empty() && targets.iter().all(|to| *to == address(rtcp)));
}
