//! Transfers and pickups: who talks to whom afterwards, what each party hears, and what happens if it does not work.

use std::time::Duration;

use sip::{ReferTo, Uri};
use ua::{CallKey, ReferTarget};

use crate::bench::DOMAIN;
use crate::desk::{ALICE, BOB, BOB_TOO, CAROL, Office};

fn uri(user: &str) -> Uri {
    format!("sip:{user}@{DOMAIN}").parse().unwrap()
}

fn blind(user: &str) -> ReferTarget {
    ReferTo::new(uri(user)).into()
}

#[test]
fn a_blind_transfer_joins_the_remaining_side_with_the_target() {
    let mut office = Office::new();
    let (alice, bob) = office.connect(ALICE, BOB);
    office.refer(ALICE, alice, &blind("1003"));
    office.ring(CAROL);
    let carol = office.pick(CAROL);
    let heard = office.take_heard();
    assert_eq!(
        heard[ALICE],
        [
            "1 ReferProgress 100",
            "1 ReferProgress 180",
            "1 ReferProgress 200",
            "1 Ended RemoteHangUp"
        ]
    );
    assert_eq!(heard[BOB], ["1 Reoffered"]);
    assert_eq!(heard[CAROL], ["1 Incoming 1002", "1 Confirmed"]);
    assert_eq!(
        office.desks[CAROL].invites[0].header("Referred-By"),
        Some("<sip:1001@acme.test>")
    );
    assert_eq!(office.talks_to(BOB, bob), 40_003);
    assert_eq!(office.talks_to(CAROL, carol), 40_002);
    assert_eq!(office.bench.proxy.counts().legs, 2);

    office.hang_up(CAROL, carol, None);
    assert_eq!(office.take_heard()[BOB], ["1 Ended RemoteHangUp"]);
    office.finish();
}

#[test]
fn the_called_side_may_transfer_too() {
    let mut office = Office::new();
    let (alice, bob) = office.connect(ALICE, BOB);
    office.refer(BOB, bob, &blind("1003"));
    let carol = office.pick(CAROL);
    assert_eq!(office.talks_to(ALICE, alice), 40_003);
    assert_eq!(office.talks_to(CAROL, carol), 40_001);
    office.hang_up(ALICE, alice, None);
    office.finish();
}

#[test]
fn a_transfer_that_is_refused_leaves_the_call_as_it_was() {
    let mut office = Office::new();
    let (alice, bob) = office.connect(ALICE, BOB);
    office.refer(ALICE, alice, &blind("1003"));
    office.reject(CAROL, 486);
    let heard = office.take_heard();
    assert_eq!(heard[ALICE], ["1 ReferProgress 100", "1 ReferProgress 486"]);
    assert!(heard[BOB].is_empty(), "{heard:?}");
    assert_eq!(office.talks_to(BOB, bob), 40_001);
    office.hang_up(BOB, bob, None);
    assert_eq!(office.take_heard()[ALICE], ["1 Ended RemoteHangUp"]);
    office.finish();
}

#[test]
fn a_transfer_to_nobody_is_told_and_one_elsewhere_refused() {
    let mut office = Office::new();
    let (alice, _) = office.connect(ALICE, BOB);
    office.refer(ALICE, alice, &blind("1009"));
    assert_eq!(
        office.take_heard()[ALICE],
        ["1 ReferProgress 100", "1 ReferProgress 480"]
    );
    let mail: Uri = "mailto:x@example.org".parse().unwrap();
    office.refer(ALICE, alice, &ReferTo::new(mail).into());
    assert_eq!(office.take_heard()[ALICE], ["1 ReferProgress 416"]);
    office.hang_up(ALICE, alice, None);
    office.finish();
}

#[test]
fn a_remaining_side_that_refuses_the_target_keeps_its_call() {
    let mut office = Office::new();
    let (alice, bob) = office.connect(ALICE, BOB);
    office.desks[BOB].agreeable = false;
    office.refer(ALICE, alice, &blind("1003"));
    office.pick(CAROL);
    let heard = office.take_heard();
    assert_eq!(heard[ALICE], ["1 ReferProgress 100", "1 ReferProgress 488"]);
    assert_eq!(heard[CAROL][1..], ["1 Confirmed", "1 Ended RemoteHangUp"]);
    assert_eq!(office.talks_to(BOB, bob), 40_001);
    office.hang_up(ALICE, alice, None);
    office.finish();
}

#[test]
fn a_referrer_that_hangs_up_leaves_the_transfer_alone() {
    let mut office = Office::new();
    let (alice, bob) = office.connect(ALICE, BOB);
    office.refer(ALICE, alice, &blind("1003"));
    office.hang_up(ALICE, alice, None);
    assert!(office.desks[BOB].heard.is_empty());
    let carol = office.pick(CAROL);
    assert_eq!(office.talks_to(BOB, bob), 40_003);
    office.hang_up(BOB, bob, None);
    office.finish();
    let heard = office.take_heard();
    assert_eq!(
        heard[CAROL].last().unwrap(),
        &format!("{carol} Ended RemoteHangUp")
    );
}

#[test]
fn a_referrer_that_hung_up_takes_nobody_back() {
    let mut office = Office::new();
    let (alice, _) = office.connect(ALICE, BOB);
    office.refer(ALICE, alice, &blind("1003"));
    office.hang_up(ALICE, alice, None);
    office.reject(CAROL, 603);
    assert_eq!(office.take_heard()[BOB], ["1 Ended RemoteHangUp"]);
    office.finish();
}

#[test]
fn a_remaining_side_that_hangs_up_stops_the_target_ringing() {
    let mut office = Office::new();
    let (alice, bob) = office.connect(ALICE, BOB);
    office.refer(ALICE, alice, &blind("1003"));
    office.ring(CAROL);
    office.hang_up(BOB, bob, None);
    let heard = office.take_heard();
    assert_eq!(heard[CAROL], ["1 Incoming 1002", "1 Ended Cancelled"]);
    assert_eq!(heard[ALICE].last().unwrap(), "1 Ended RemoteHangUp");
    office.finish();
}

#[test]
fn an_attended_transfer_joins_the_two_far_sides() {
    let mut office = Office::new();
    let (first, bob) = office.connect(ALICE, BOB);
    let (second, carol) = office.connect(ALICE, CAROL);
    let target = ReferTo::replacing(uri("1003"), &office.replaces(ALICE, second));
    office.refer(ALICE, first, &target.into());
    let heard = office.take_heard();
    assert_eq!(
        heard[ALICE],
        [
            "1 ReferProgress 100",
            "1 ReferProgress 200",
            "1 Ended RemoteHangUp",
            "2 Ended RemoteHangUp"
        ]
    );
    assert_eq!(heard[BOB], ["1 Reoffered"]);
    assert_eq!(office.talks_to(BOB, bob), 40_003);
    assert_eq!(office.talks_to(CAROL, carol), 40_002);
    assert_eq!(office.bench.proxy.counts().calls, 1);
    office.hang_up(BOB, bob, None);
    assert_eq!(
        office.take_heard()[CAROL].last().unwrap(),
        "1 Ended RemoteHangUp"
    );
    office.finish();
}

#[test]
fn an_attended_transfer_that_fails_leaves_both_calls() {
    let mut office = Office::new();
    let (first, bob) = office.connect(ALICE, BOB);
    let (second, carol) = office.connect(ALICE, CAROL);
    office.desks[BOB].agreeable = false;
    let target = ReferTo::replacing(uri("1003"), &office.replaces(ALICE, second));
    office.refer(ALICE, first, &target.into());
    assert_eq!(
        office.take_heard()[ALICE],
        ["1 ReferProgress 100", "1 ReferProgress 488"]
    );
    assert_eq!(office.talks_to(BOB, bob), 40_001);
    assert_eq!(office.talks_to(CAROL, carol), 40_001);
    assert_eq!(office.bench.proxy.counts().calls, 2);
    office.hang_up(CAROL, carol, None);
    assert_eq!(office.take_heard()[ALICE], ["2 Ended RemoteHangUp"]);
    office.hang_up(BOB, bob, None);
    office.finish();
}

#[test]
fn nobody_moves_a_call_of_others() {
    let mut office = Office::new();
    let (_, bob) = office.connect(ALICE, BOB);
    let (carols, _) = office.connect(CAROL, ALICE);
    let foreign = office.replaces(CAROL, carols);
    let target = ReferTo::replacing(uri("1001"), &foreign);
    office.refer(BOB, bob, &target.into());
    assert_eq!(office.take_heard()[BOB], ["1 ReferProgress 404"]);
    office.hang_up(BOB, bob, None);
    office.hang_up(CAROL, carols, None);
    office.finish();
}

/// Alice talks to Bob (`1`) and Carol rings for her (`2`); the keys of Alice's call to Bob, of Bob's, and of the one that rings.
fn consulting(office: &mut Office) -> (CallKey, CallKey, CallKey) {
    let (first, bob) = office.connect(ALICE, BOB);
    let second = office.call(ALICE, CAROL);
    office.ring(CAROL);
    office.take_heard();
    (first, bob, second)
}

#[test]
fn a_transfer_to_who_still_rings_joins_the_far_sides_once_answered() {
    let mut office = Office::new();
    let (first, bob, second) = consulting(&mut office);
    let target = ReferTo::replacing(uri("1003"), &office.replaces(ALICE, second));
    office.refer(ALICE, first, &target.into());
    let heard = office.take_heard();
    assert_eq!(heard[ALICE], ["1 ReferProgress 100", "1 ReferProgress 180"]);
    assert!(
        heard[BOB].is_empty() && heard[CAROL].is_empty(),
        "{heard:?}"
    );
    let carol = office.pick(CAROL);
    let heard = office.take_heard();
    assert_eq!(
        heard[ALICE],
        [
            "1 ReferProgress 200",
            "1 Ended RemoteHangUp",
            "2 Failed 487"
        ]
    );
    assert_eq!(heard[BOB], ["1 Reoffered"]);
    assert_eq!(heard[CAROL], ["1 Confirmed", "1 Reoffered", "1 Reanswered"]);
    assert_eq!(office.talks_to(BOB, bob), 40_003);
    assert_eq!(office.talks_to(CAROL, carol), 40_002);
    assert_eq!(office.bench.proxy.counts().calls, 1);
    assert_eq!(office.bench.proxy.counts().legs, 2);
    office.hang_up(CAROL, carol, None);
    assert_eq!(office.take_heard()[BOB], ["1 Ended RemoteHangUp"]);
    office.finish();
}

#[test]
fn a_referrer_may_leave_both_calls_while_it_rings() {
    let mut office = Office::new();
    let (first, bob, second) = consulting(&mut office);
    let target = ReferTo::replacing(uri("1003"), &office.replaces(ALICE, second));
    office.refer(ALICE, first, &target.into());
    office.hang_up(ALICE, second, None);
    office.hang_up(ALICE, first, None);
    let heard = office.take_heard();
    assert!(
        heard[BOB].is_empty() && heard[CAROL].is_empty(),
        "{heard:?}"
    );
    let carol = office.pick(CAROL);
    assert_eq!(office.talks_to(BOB, bob), 40_003);
    assert_eq!(office.talks_to(CAROL, carol), 40_002);
    office.hang_up(BOB, bob, None);
    office.finish();
}

#[test]
fn a_target_that_rings_and_refuses_leaves_the_first_call() {
    let mut office = Office::new();
    let (first, bob, second) = consulting(&mut office);
    let target = ReferTo::replacing(uri("1003"), &office.replaces(ALICE, second));
    office.refer(ALICE, first, &target.into());
    office.reject(CAROL, 486);
    let heard = office.take_heard();
    assert_eq!(
        heard[ALICE],
        [
            "1 ReferProgress 100",
            "1 ReferProgress 180",
            "1 ReferProgress 486",
            "2 Failed 486"
        ]
    );
    assert!(heard[BOB].is_empty(), "{heard:?}");
    assert_eq!(office.talks_to(BOB, bob), 40_001);
    office.hang_up(BOB, bob, None);
    office.finish();
}

#[test]
fn nobody_who_answers_in_time_leaves_the_first_call() {
    let mut office = Office::new();
    let (first, bob, second) = consulting(&mut office);
    let target = ReferTo::replacing(uri("1003"), &office.replaces(ALICE, second));
    office.refer(ALICE, first, &target.into());
    office.pass(Duration::from_secs(70));
    let heard = office.take_heard();
    assert_eq!(
        heard[ALICE][3..],
        ["1 ReferProgress 408", "2 Failed 408"],
        "{heard:?}"
    );
    assert_eq!(heard[CAROL].last().unwrap(), "1 Ended Cancelled");
    assert_eq!(office.talks_to(BOB, bob), 40_001);
    office.hang_up(ALICE, first, None);
    office.finish();
}

#[test]
fn a_remaining_side_that_hangs_up_leaves_the_ringing_to_the_referrer() {
    let mut office = Office::new();
    let (first, bob, second) = consulting(&mut office);
    let target = ReferTo::replacing(uri("1003"), &office.replaces(ALICE, second));
    office.refer(ALICE, first, &target.into());
    office.hang_up(BOB, bob, None);
    let heard = office.take_heard();
    assert_eq!(heard[ALICE].last().unwrap(), "1 Ended RemoteHangUp");
    assert!(heard[CAROL].is_empty(), "{heard:?}");
    let carol = office.pick(CAROL);
    assert_eq!(office.take_heard()[ALICE], ["2 Answered"]);
    assert_eq!(office.talks_to(CAROL, carol), 40_001);
    office.hang_up(ALICE, second, None);
    office.finish();
}

#[test]
fn a_remaining_side_that_refuses_who_rang_keeps_its_call() {
    let mut office = Office::new();
    let (first, bob, second) = consulting(&mut office);
    office.desks[BOB].agreeable = false;
    let target = ReferTo::replacing(uri("1003"), &office.replaces(ALICE, second));
    office.refer(ALICE, first, &target.into());
    office.pick(CAROL);
    let heard = office.take_heard();
    assert_eq!(heard[ALICE][2..], ["1 ReferProgress 488", "2 Failed 480"]);
    assert_eq!(heard[CAROL].last().unwrap(), "1 Ended RemoteHangUp");
    assert_eq!(office.talks_to(BOB, bob), 40_001);
    office.hang_up(BOB, bob, None);
    office.finish();
}

#[test]
fn nobody_moves_a_ringing_call_of_others() {
    let mut office = Office::new();
    let (_, bob) = office.connect(ALICE, BOB);
    let ringing = office.call(CAROL, ALICE);
    office.ring(ALICE);
    office.take_heard();
    let foreign = office.replaces(CAROL, ringing);
    let target = ReferTo::replacing(uri("1001"), &foreign);
    office.refer(BOB, bob, &target.into());
    assert_eq!(office.take_heard()[BOB], ["1 ReferProgress 404"]);
    office.hang_up(BOB, bob, None);
    office.hang_up(CAROL, ringing, None);
    office.finish();
}

#[test]
fn what_was_to_be_moved_only_while_it_rang_stays_once_answered() {
    let mut office = Office::new();
    let (first, bob) = office.connect(ALICE, BOB);
    let (second, _) = office.connect(ALICE, CAROL);
    let mut early = office.replaces(ALICE, second);
    early.early_only = true;
    let target = ReferTo::replacing(uri("1003"), &early);
    office.refer(ALICE, first, &target.into());
    assert_eq!(office.take_heard()[ALICE], ["1 ReferProgress 486"]);
    assert_eq!(office.talks_to(BOB, bob), 40_001);
    office.hang_up(ALICE, first, None);
    office.hang_up(ALICE, second, None);
    office.finish();
}

#[test]
fn a_phone_takes_over_a_call_of_its_own_user() {
    let mut office = Office::new();
    let (alice, bob) = office.connect(ALICE, BOB);
    office.add_bobs_second();
    let replaces = office.replaces(BOB, bob).to_string();
    let second = office.dial(BOB_TOO, "sip:1001@acme.test", vec![("Replaces", replaces)]);
    let heard = office.take_heard();
    assert_eq!(heard[ALICE], ["1 Reoffered"]);
    assert_eq!(heard[BOB], ["1 Ended RemoteHangUp"]);
    assert_eq!(heard[BOB_TOO], ["1 Answered"]);
    assert_eq!(office.talks_to(ALICE, alice), 40_012);
    assert_eq!(office.talks_to(BOB_TOO, second), 40_001);
    office.hang_up(BOB_TOO, second, None);
    assert_eq!(office.take_heard()[ALICE], ["1 Ended RemoteHangUp"]);
    office.finish();
}

#[test]
fn nobody_takes_over_a_call_of_others() {
    let mut office = Office::new();
    let (alice, bob) = office.connect(ALICE, BOB);
    let replaces = office.replaces(BOB, bob).to_string();
    office.dial(CAROL, "sip:1001@acme.test", vec![("Replaces", replaces)]);
    assert_eq!(office.take_heard()[CAROL], ["1 Failed 403"]);
    assert_eq!(office.talks_to(ALICE, alice), 40_002);
    office.hang_up(ALICE, alice, None);
    office.finish();
}

#[test]
fn a_takeover_of_a_call_that_is_not_there_is_481() {
    let mut office = Office::new();
    let value = "nobody;to-tag=1;from-tag=2".to_owned();
    office.dial(CAROL, "sip:1001@acme.test", vec![("Replaces", value)]);
    assert_eq!(office.take_heard()[CAROL], ["1 Failed 481"]);
    office.finish();
}

#[test]
fn what_a_side_says_about_the_end_reaches_the_other() {
    let mut office = Office::new();
    let (alice, _) = office.connect(ALICE, BOB);
    office.hang_up(ALICE, alice, Some("Q.850;cause=16;text=\"bye\", X;cause=1"));
    assert_eq!(
        office.take_heard()[BOB],
        ["1 Ended RemoteHangUp (Q.850;cause=16;text=\"bye\") (X;cause=1)"]
    );
    let calling = office.call(ALICE, BOB);
    office.ring(BOB);
    office.take_heard();
    office.hang_up(ALICE, calling, Some("SIP;cause=487"));
    assert_eq!(
        office.take_heard()[BOB],
        ["2 Ended Cancelled (SIP;cause=487)"]
    );
    office.finish();
}
