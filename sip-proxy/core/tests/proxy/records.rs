//! What is left of calls: one record for each two sides, with what became of it in words.

use std::time::Duration;

use sip::{ReferTo, Uri};
use sip_proxy_core::{CallRecord, CallingPolicy, Command, DialPlan, DialPlans};
use ua::ReferTarget;

use crate::bench::{Bench, DOMAIN};
use crate::desk::{ALICE, BOB, BOB_TOO, CAROL, Office};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn blind(user: &str) -> ReferTarget {
    let uri: Uri = format!("sip:{user}@{DOMAIN}").parse().unwrap();
    ReferTo::new(uri).into()
}

fn replacing(office: &Office, who: usize, call: ua::CallKey, user: &str) -> ReferTarget {
    let uri: Uri = format!("sip:{user}@{DOMAIN}").parse().unwrap();
    ReferTo::replacing(uri, &office.replaces(who, call)).into()
}

/// A line for each record as it was last told, in the order in which they were begun: the call, who and whom, what became of it, how long
/// it rang and how long they talked.
fn told(bench: &mut Bench) -> Vec<String> {
    let mut latest: Vec<CallRecord> = Vec::new();
    for record in bench.records.drain(..) {
        latest.retain(|other| other.number != record.number);
        latest.push(record);
    }
    latest.sort_by_key(|record| record.number);
    let first = latest.first().map_or(0, |record| record.number);
    latest.iter().map(|record| line(record, first)).collect()
}

fn line(record: &CallRecord, first: u64) -> String {
    let user =
        |aor: &Option<sip::Aor>| aor.as_ref().map_or("?".to_owned(), |aor| aor.user().into());
    let (caller, callee) = (user(&record.caller.aor), user(&record.callee.aor));
    let link = record.link.as_ref();
    let link = link.map_or_else(String::new, |link| {
        format!(" {:?} by {}", link.kind, link.by.user())
    });
    let call = record.call - first;
    let Some(end) = record.end else {
        let stage = record.answered.map_or("rings", |_| "talk");
        return format!("call {call}: {caller} {callee} {stage}{link}");
    };
    let rang = record.answered.unwrap_or(end.at) - record.started;
    let talked = record.answered.map_or(Duration::ZERO, |at| end.at - at);
    let status = end
        .status
        .map_or_else(String::new, |status| format!(" {status}"));
    format!(
        "call {call}: {caller} {callee} {:?}{status} {:?} {}+{} s{link}",
        end.outcome,
        end.reason,
        rang.as_secs(),
        talked.as_secs()
    )
}

#[track_caller]
fn expect(office: &mut Office, lines: &[&str]) {
    office.finish();
    assert_eq!(told(&mut office.bench), lines);
}

#[test]
fn a_call_that_is_answered_says_how_long_it_rang_and_how_long_they_talked() {
    let mut office = Office::new();
    let alice = office.call(ALICE, BOB);
    office.ring(BOB);
    office.pass(secs(7));
    office.pick(BOB);
    office.pass(secs(60));
    office.hang_up(ALICE, alice, None);
    expect(
        &mut office,
        &["call 0: 1001 1002 Answered 200 CallerHungUp 7+60 s"],
    );
    let (_, bob) = office.connect(ALICE, BOB);
    office.hang_up(BOB, bob, None);
    expect(
        &mut office,
        &["call 0: 1001 1002 Answered 200 CalleeHungUp 0+0 s"],
    );
}

#[test]
fn every_refusal_of_a_device_has_its_outcome() {
    for (status, expected) in [
        (486, "Busy 486 Busy"),
        (600, "Busy 600 Busy"),
        (603, "Declined 603 Declined"),
        (480, "Missed 480 NoAnswer"),
        (404, "Failed 404 UnknownNumber"),
        (488, "Failed 488 NoCommonMedia"),
        (500, "Failed 500 Failed"),
    ] {
        let mut office = Office::new();
        office.call(ALICE, BOB);
        office.ring(BOB);
        office.pass(secs(3));
        office.reject(BOB, status);
        let line = format!("call 0: 1001 1002 {expected} 3+0 s");
        expect(&mut office, &[&line]);
    }
    let mut office = Office::new();
    office.call(ALICE, BOB);
    office.reject(BOB, 480);
    expect(
        &mut office,
        &["call 0: 1001 1002 Missed 480 Unavailable 0+0 s"],
    );
}

#[test]
fn nobody_answers_in_time_or_the_caller_gives_up() {
    let mut office = Office::new();
    office.call(ALICE, BOB);
    office.ring(BOB);
    office.pass(secs(61));
    let call = office.call(ALICE, CAROL);
    office.ring(CAROL);
    office.pass(secs(5));
    office.hang_up(ALICE, call, None);
    expect(
        &mut office,
        &[
            "call 0: 1001 1002 Missed 408 NoAnswer 60+0 s",
            "call 1: 1001 1003 Cancelled 487 CallerGaveUp 5+0 s",
        ],
    );
}

#[test]
fn a_device_that_says_nothing_is_not_a_missed_call() {
    let mut office = Office::new();
    let gone = office.desks.remove(CAROL);
    office.dial(ALICE, &format!("sip:{}@{DOMAIN}", gone.user), Vec::new());
    expect(
        &mut office,
        &["call 0: 1001 1003 Failed 480 Unreachable 32+0 s"],
    );
}

#[test]
fn what_rings_nobody_leaves_a_record_too() {
    let mut office = Office::new();
    office.bench.add_account_of("1005", 1);
    office.dial(ALICE, &format!("sip:1005@{DOMAIN}"), Vec::new());
    office.dial(ALICE, &format!("sip:1009@{DOMAIN}"), Vec::new());
    office.dial(ALICE, "tel:+49-30-1234", Vec::new());
    office.pass(secs(1));
    let dialled: Vec<_> = office
        .bench
        .records
        .iter()
        .map(|r| r.dialled.clone())
        .collect();
    assert_eq!(dialled, ["1005", "1009", "+49-30-1234"]);
    expect(
        &mut office,
        &[
            "call 0: 1001 1005 Unregistered 480 NotRegistered 0+0 s",
            "call 1: 1001 1009 Failed 404 UnknownNumber 0+0 s",
            "call 2: 1001 +49301234 Failed 404 UnknownNumber 0+0 s",
        ],
    );
}

#[test]
fn a_rule_or_a_limit_that_forbids_a_call_is_told() {
    let bench = Bench::with(|config| {
        config.numbers = DialPlans {
            usual: DialPlan {
                denied: vec!["+49900".to_owned()],
                ..DialPlan::default()
            },
            ..DialPlans::default()
        };
        config.calling = CallingPolicy {
            at_once: 1,
            ..CallingPolicy::default()
        };
    });
    let mut office = Office::around(bench);
    office.dial(ALICE, &format!("sip:+49900123@{DOMAIN}"), Vec::new());
    let call = office.call(ALICE, BOB);
    office.call(ALICE, CAROL);
    office.hang_up(ALICE, call, None);
    expect(
        &mut office,
        &[
            "call 0: 1001 +49900123 Refused 403 NotPermitted 0+0 s",
            "call 1: 1001 1002 Cancelled 487 CallerGaveUp 0+0 s",
            "call 2: 1001 1003 Refused 403 TooManyCalls 0+0 s",
        ],
    );
}

#[test]
fn a_store_that_fails_and_a_caller_who_does_not_wait_are_told() {
    let mut office = Office::new();
    office.bench.hold_lookups = true;
    let call = office.dial(ALICE, &format!("sip:1008@{DOMAIN}"), Vec::new());
    office.pass(secs(1));
    office.hang_up(ALICE, call, None);
    office.dial(ALICE, &format!("sip:1007@{DOMAIN}"), Vec::new());
    office.pass(secs(6));
    office.bench.hold_lookups = false;
    expect(
        &mut office,
        &[
            "call 0: 1001 1008 Cancelled 487 CallerGaveUp 0+0 s",
            "call 1: 1001 1007 Failed 503 Overloaded 0+0 s",
        ],
    );
}

#[test]
fn a_blind_transfer_goes_on_as_a_record_of_the_same_call() {
    let mut office = Office::new();
    let (alice, _) = office.connect(ALICE, BOB);
    office.pass(secs(10));
    office.refer(ALICE, alice, &blind("1003"));
    office.ring(CAROL);
    office.pass(secs(4));
    let carol = office.pick(CAROL);
    office.pass(secs(20));
    office.hang_up(CAROL, carol, None);
    expect(
        &mut office,
        &[
            "call 0: 1001 1002 Answered 200 Transferred 0+14 s",
            "call 0: 1002 1003 Answered 200 CalleeHungUp 4+20 s Transferred by 1001",
        ],
    );
}

#[test]
fn a_transfer_that_comes_to_nothing_is_a_record_of_its_own() {
    let mut office = Office::new();
    let (alice, bob) = office.connect(ALICE, BOB);
    office.refer(ALICE, alice, &blind("1003"));
    office.reject(CAROL, 486);
    office.refer(ALICE, alice, &blind("1009"));
    office.hang_up(BOB, bob, None);
    expect(
        &mut office,
        &[
            "call 0: 1001 1002 Answered 200 CalleeHungUp 0+0 s",
            "call 0: 1002 1003 Busy 486 Busy 0+0 s Transferred by 1001",
            "call 0: 1002 1009 Unregistered 480 NotRegistered 0+0 s Transferred by 1001",
        ],
    );
}

#[test]
fn an_attended_transfer_is_three_records_of_one_call() {
    let mut office = Office::new();
    let (first, _) = office.connect(ALICE, BOB);
    let (second, carol) = office.connect(ALICE, CAROL);
    office.pass(secs(5));
    let target = replacing(&office, ALICE, second, "1003");
    office.refer(ALICE, first, &target);
    office.pass(secs(30));
    office.hang_up(CAROL, carol, None);
    expect(
        &mut office,
        &[
            "call 0: 1001 1002 Answered 200 Transferred 0+5 s",
            "call 0: 1001 1003 Answered 200 Transferred 0+5 s",
            "call 0: 1002 1003 Answered 200 CalleeHungUp 0+30 s Transferred by 1001",
        ],
    );
}

#[test]
fn who_rang_for_the_referrer_has_the_call_of_the_other_side() {
    let mut office = Office::new();
    let (first, bob) = office.connect(ALICE, BOB);
    let second = office.call(ALICE, CAROL);
    office.ring(CAROL);
    let target = replacing(&office, ALICE, second, "1003");
    office.refer(ALICE, first, &target);
    office.pass(secs(3));
    office.pick(CAROL);
    office.pass(secs(9));
    office.hang_up(BOB, bob, None);
    expect(
        &mut office,
        &[
            "call 0: 1001 1002 Answered 200 Transferred 0+3 s",
            "call 0: 1001 1003 Forwarded Transferred 3+0 s",
            "call 0: 1002 1003 Answered 200 CallerHungUp 3+9 s Transferred by 1001",
        ],
    );
}

#[test]
fn a_referrer_that_leaves_ends_its_own_record_at_once() {
    let mut office = Office::new();
    let (alice, bob) = office.connect(ALICE, BOB);
    office.refer(ALICE, alice, &blind("1003"));
    office.hang_up(ALICE, alice, None);
    office.pass(secs(20));
    office.pick(CAROL);
    office.hang_up(BOB, bob, None);
    expect(
        &mut office,
        &[
            "call 0: 1001 1002 Answered 200 Transferred 0+0 s",
            "call 0: 1002 1003 Answered 200 CallerHungUp 20+0 s Transferred by 1001",
        ],
    );
}

#[test]
fn a_takeover_goes_on_with_the_call() {
    let mut office = Office::new();
    office.add_bobs_second();
    let (alice, bob) = office.connect(ALICE, BOB);
    office.pass(secs(6));
    let replaces = office.replaces(BOB, bob);
    office.dial(
        BOB_TOO,
        &format!("sip:1001@{DOMAIN}"),
        vec![("Replaces", replaces.to_string())],
    );
    office.pass(secs(6));
    office.hang_up(ALICE, alice, None);
    let lines = [
        "call 0: 1001 1002 Answered 200 PickedUp 0+6 s",
        "call 0: 1002 1001 Answered 200 CalleeHungUp 0+6 s PickedUp by 1002",
    ];
    expect(&mut office, &lines);
}

#[test]
fn a_redirection_is_a_record_of_where_it_leads() {
    let mut office = Office::new();
    office.call(ALICE, BOB);
    office.redirect(BOB, "1003");
    office.ring(CAROL);
    office.pass(secs(2));
    let carol = office.pick(CAROL);
    office.hang_up(CAROL, carol, None);
    expect(
        &mut office,
        &[
            "call 0: 1001 1002 Forwarded Forwarded 2+0 s",
            "call 0: 1001 1003 Answered 200 CalleeHungUp 2+0 s Forwarded by 1002",
        ],
    );
    office.call(ALICE, BOB);
    office.redirect(BOB, "1003");
    office.reject(CAROL, 603);
    expect(
        &mut office,
        &[
            "call 0: 1001 1002 Forwarded Forwarded 0+0 s",
            "call 0: 1001 1003 Declined 603 Declined 0+0 s Forwarded by 1002",
        ],
    );
}

#[test]
fn a_call_that_lasts_is_known_while_it_rings_and_while_they_talk() {
    let mut office = Office::new();
    let alice = office.call(ALICE, BOB);
    office.ring(BOB);
    office.pass(secs(3));
    assert_eq!(told(&mut office.bench), ["call 0: 1001 1002 rings"]);
    office.pick(BOB);
    office.pass(secs(1));
    assert_eq!(told(&mut office.bench), ["call 0: 1001 1002 talk"]);
    office.hang_up(ALICE, alice, None);
    expect(
        &mut office,
        &["call 0: 1001 1002 Answered 200 CallerHungUp 3+1 s"],
    );
}

#[test]
fn a_call_that_is_over_soon_is_told_once_and_others_with_it() {
    let mut office = Office::new();
    for _ in 0..3 {
        let (alice, _) = office.connect(ALICE, BOB);
        office.hang_up(ALICE, alice, None);
    }
    assert!(office.bench.records.is_empty(), "they wait for others");
    office.pass(secs(1));
    assert_eq!(office.bench.records.len(), 3);
    office.pass(secs(10));
    assert_eq!(office.bench.records.len(), 3, "nothing is told twice");
}

#[test]
fn before_the_end_everything_is_told() {
    let mut office = Office::new();
    let (ended, _) = office.connect(ALICE, BOB);
    office.hang_up(ALICE, ended, None);
    let (alice, _) = office.connect(ALICE, BOB);
    office.bench.command(Command::Flush);
    assert_eq!(
        told(&mut office.bench),
        [
            "call 0: 1001 1002 Answered 200 CallerHungUp 0+0 s",
            "call 1: 1001 1002 talk"
        ]
    );
    office.hang_up(ALICE, alice, None);
    office.finish();
}

#[test]
fn what_the_edge_has_no_room_for_is_told_again_in_order() {
    let mut office = Office::new();
    office.bench.refuse_records = true;
    for to in [BOB, CAROL] {
        let (alice, _) = office.connect(ALICE, to);
        office.hang_up(ALICE, alice, None);
        office.pass(secs(1));
    }
    assert!(office.bench.records.is_empty());
    office.bench.refuse_records = false;
    expect(
        &mut office,
        &[
            "call 0: 1001 1002 Answered 200 CallerHungUp 0+0 s",
            "call 1: 1001 1003 Answered 200 CallerHungUp 0+0 s",
        ],
    );
}

#[test]
fn a_record_says_whose_accounts_they_are_and_nobody_reads_names_in_a_log() {
    let mut office = Office::new();
    let (alice, _) = office.connect(ALICE, BOB);
    office.hang_up(ALICE, alice, None);
    office.pass(secs(1));
    let record = office.bench.records.pop().unwrap();
    let owners = [&record.caller, &record.callee].map(|party| party.owner.unwrap().account);
    assert_eq!(owners, [1001, 1002]);
    assert_eq!(record.caller.display_name.as_deref(), Some("Person 1001"));
    assert!(record.sip_call_id.is_some());
    let text = format!("{record:?}");
    assert!(!text.contains("1001") && !text.contains("Person"), "{text}");
    office.finish();
}

#[test]
fn a_caller_that_withholds_its_identity_is_marked() {
    let mut office = Office::new();
    let privacy = vec![("Privacy", "id".to_owned())];
    let call = office.dial(ALICE, &format!("sip:1002@{DOMAIN}"), privacy);
    office.hang_up(ALICE, call, None);
    office.pass(secs(1));
    assert!(office.bench.records[0].caller.is_withheld);
    office.finish();
}
