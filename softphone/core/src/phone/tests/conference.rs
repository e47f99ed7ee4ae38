//! Calls that are one conversation.

use std::time::Duration;

use super::exchange::{CAROL, Net, line};
use crate::{Action, CallId, Phase};

const SECOND: Duration = Duration::from_secs(1);

/// Alice in a call with Bob and one with Carol, who took the first's place.
fn two_calls() -> Net {
    let mut net = Net::registered();
    net.configure("carol", vec![line("carol", CAROL)]);
    net.run_for(SECOND);
    for who in ["bob", "carol"] {
        net.call("alice", who);
        net.run_for(SECOND);
        net.act(who, Action::Answer(None));
        net.run_for(SECOND);
    }
    assert_eq!(
        phases(&mut net),
        [(1, Phase::Held, false), (2, Phase::Connected, false)]
    );
    net.forget();
    net
}

/// Of Alice's calls: number, phase, whether in the conference.
fn phases(net: &mut Net) -> Vec<(u64, Phase, bool)> {
    let calls = &net.party("alice").view.calls;
    let of = |call: &crate::CallView| (call.id.0, call.phase, call.in_conference);
    calls.iter().map(of).collect()
}

fn conference() -> Net {
    let mut net = two_calls();
    net.act("alice", Action::Join(vec![CallId(1), CallId(2)]));
    net.run_for(SECOND);
    assert_eq!(
        phases(&mut net),
        [(1, Phase::Connected, true), (2, Phase::Connected, true)]
    );
    assert_eq!(net.party("bob").view.calls[0].phase, Phase::Connected);
    net
}

#[test]
fn joined_calls_are_all_connected_and_one_can_be_held_and_taken_back_alone() {
    let mut net = conference();
    net.act("alice", Action::Hold(Some(CallId(1))));
    net.run_for(SECOND);
    assert_eq!(
        phases(&mut net),
        [(1, Phase::Held, true), (2, Phase::Connected, true)]
    );
    net.act("alice", Action::Resume(Some(CallId(1))));
    net.run_for(SECOND);
    assert_eq!(
        phases(&mut net),
        [(1, Phase::Connected, true), (2, Phase::Connected, true)]
    );
}

#[test]
fn who_leaves_is_on_hold_and_the_other_is_an_ordinary_call() {
    let mut net = conference();
    net.act("alice", Action::Split(Some(CallId(2))));
    net.run_for(SECOND);
    assert_eq!(
        phases(&mut net),
        [(1, Phase::Connected, false), (2, Phase::Held, false)]
    );
}

#[test]
fn a_conference_that_is_split_leaves_calls_on_hold() {
    let mut net = conference();
    net.act("alice", Action::Split(None));
    net.run_for(SECOND);
    assert_eq!(
        phases(&mut net),
        [(1, Phase::Held, false), (2, Phase::Held, false)]
    );
}

#[test]
fn a_conference_is_held_and_taken_back_as_a_whole() {
    let mut net = conference();
    net.act("alice", Action::HoldConference);
    net.run_for(SECOND);
    assert_eq!(
        phases(&mut net),
        [(1, Phase::Held, true), (2, Phase::Held, true)]
    );
    net.act("alice", Action::ResumeConference);
    net.run_for(SECOND);
    assert_eq!(
        phases(&mut net),
        [(1, Phase::Connected, true), (2, Phase::Connected, true)]
    );
}

#[test]
fn another_call_puts_everyone_on_hold_and_can_be_taken_in() {
    let mut net = conference();
    net.call("carol", "alice");
    net.run_for(SECOND);
    net.act("alice", Action::Answer(None));
    net.run_for(SECOND);
    let held = [
        (1, Phase::Held, true),
        (2, Phase::Held, true),
        (3, Phase::Connected, false),
    ];
    assert_eq!(phases(&mut net), held);
    net.act("alice", Action::Join(vec![CallId(3)]));
    net.run_for(SECOND);
    // Carol herself has put her first call on hold to place the second.
    assert_eq!(
        phases(&mut net),
        [
            (1, Phase::Connected, true),
            (2, Phase::HeldByPeer, true),
            (3, Phase::Connected, true)
        ]
    );
}

#[test]
fn when_all_but_one_have_hung_up_it_is_an_ordinary_call() {
    let mut net = conference();
    net.act("carol", Action::HangUp(None));
    net.run_for(SECOND);
    assert_eq!(phases(&mut net), [(1, Phase::Connected, false)]);
}

#[test]
fn ending_the_conference_ends_every_call_of_it() {
    let mut net = conference();
    net.act("alice", Action::EndConference);
    net.run_for(SECOND);
    assert_eq!(phases(&mut net), []);
    net.expect_idle();
}

#[test]
fn a_conference_of_one_and_of_calls_that_are_not_connected_are_refused() {
    let mut net = two_calls();
    for calls in [vec![CallId(1)], vec![], vec![CallId(1), CallId(9)]] {
        net.act("alice", Action::Join(calls));
    }
    net.act("alice", Action::EndConference);
    net.expect(
        "
     0 alice refused: A conference needs at least two calls that are connected.
     0 alice refused: A conference needs at least two calls that are connected.
     0 alice refused: There is no call for this.
     0 alice refused: A conference needs at least two calls that are connected.",
    );
    assert_eq!(
        phases(&mut net),
        [(1, Phase::Held, false), (2, Phase::Connected, false)]
    );
}
