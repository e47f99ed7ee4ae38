//! Calls over a network that loses, delays and reorders.

use std::time::Duration;

use testkit::ladder::summary;
use testkit::sim_net::{Conditions, SimNet};
use ua::{CallFailure, EndReason};

use crate::world::{ALICE, BOB, World};

#[test]
fn answer_is_repeated_until_its_ack_comes() {
    let mut world = World::new(&["alice", "bob"]);
    let call = world.dial(ALICE, BOB);
    world.run_ms(100);
    let mut left = 2;
    world.net.lose_if(move |packet| {
        let lost = left > 0 && summary(&packet.bytes) == "ACK";
        left -= u32::from(lost);
        lost
    });
    world.answer(BOB);
    world.run_ms(5_000);
    world.expect(
        "
           0 ms alice > bob INVITE sdp
          10 ms bob: Incoming sendrecv
         100 ms bob > alice 200 INVITE sdp
         110 ms alice lost ACK
         110 ms alice: Answered sendrecv
         600 ms bob > alice 200 INVITE sdp
         610 ms alice lost ACK
        1600 ms bob > alice 200 INVITE sdp
        1610 ms alice > bob ACK
        1620 ms bob: Confirmed",
    );
    world.hang_up(ALICE, call);
    world.finish();
}

#[test]
fn answer_that_is_never_acknowledged_ends_with_bye() {
    let mut world = World::new(&["alice", "bob"]);
    world.dial(ALICE, BOB);
    world.run_ms(100);
    world.net.lose_if(|packet| summary(&packet.bytes) == "ACK");
    world.answer(BOB);
    world.run_ms(32_100);
    let ladder = world.ladder.take();
    assert_eq!(ladder.matches("200 INVITE sdp").count(), 11, "{ladder}");
    assert!(ladder.contains("32100 ms bob > alice BYE"), "{ladder}");
    assert_eq!(
        world.agents[BOB].ends,
        [EndReason::Failed(CallFailure::Lost)]
    );
    assert_eq!(world.agents[ALICE].ends, [EndReason::RemoteHangUp]);
    world.finish();
}

#[test]
fn hang_up_before_the_ack_waits_for_it() {
    let mut world = World::new(&["alice", "bob"]);
    world.dial(ALICE, BOB);
    world.run_ms(100);
    let mut left = 1;
    world.net.lose_if(move |packet| {
        let lost = left > 0 && summary(&packet.bytes) == "ACK";
        left -= u32::from(lost);
        lost
    });
    world.answer(BOB);
    let bob = world.agents[BOB].incoming.unwrap();
    world.hang_up(BOB, bob);
    world.run_ms(1_000);
    world.expect(
        "
           0 ms alice > bob INVITE sdp
          10 ms bob: Incoming sendrecv
         100 ms bob > alice 200 INVITE sdp
         100 ms bob: Ended LocalHangUp
         110 ms alice lost ACK
         110 ms alice: Answered sendrecv
         600 ms bob > alice 200 INVITE sdp
         610 ms alice > bob ACK
         620 ms bob > alice BYE
         630 ms alice > bob 200 BYE
         630 ms alice: Ended RemoteHangUp",
    );
    world.finish();
}

#[test]
fn bye_into_the_void_ends_after_32_s() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, bob) = world.connect();
    world.net.lose_if(|_| true);
    world.hang_up(ALICE, alice);
    world.run_ms(33_000);
    assert!(world.agents[ALICE].calls.is_empty());
    world.hang_up(BOB, bob);
    world.finish();
}

/// One whole call with hold and resume; returns what was written down.
fn call_over(seed: u8, conditions: Conditions) -> String {
    let mut world = World::new(&["alice", "bob"]);
    world.net = SimNet::new(seed, conditions);
    let call = world.dial(ALICE, BOB);
    world.run_ms(8_000);
    assert!(world.agents[BOB].incoming.is_some(), "seed {seed}");
    world.ring(BOB);
    world.run_ms(2_000);
    world.answer(BOB);
    world.run_ms(30_000);
    assert!(world.agents[ALICE].last_answer.is_some(), "seed {seed}");
    world.reoffer(ALICE, call, sdp::Direction::SendOnly, 2);
    world.run_ms(8_000);
    let bob = world.agents[BOB].incoming.unwrap();
    world.answer_reoffer(BOB, bob);
    world.run_ms(30_000);
    world.hang_up(BOB, bob);
    world.run_ms(33_000);
    assert_eq!(
        world.agents[BOB].ends,
        [EndReason::LocalHangUp],
        "seed {seed}"
    );
    assert_eq!(
        world.agents[ALICE].ends,
        [EndReason::RemoteHangUp],
        "seed {seed}"
    );
    let written = world.ladder.take();
    world.finish();
    written
}

#[test]
fn calls_survive_a_third_of_all_packets_lost() {
    let bad = Conditions {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(60),
        loss_per_mille: 250,
        duplicates_per_mille: 0,
    };
    for seed in 0..60 {
        call_over(seed, bad);
    }
}

#[test]
fn same_seed_gives_the_same_call() {
    let bad = Conditions {
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(60),
        loss_per_mille: 250,
        duplicates_per_mille: 0,
    };
    assert_eq!(call_over(5, bad), call_over(5, bad));
}
