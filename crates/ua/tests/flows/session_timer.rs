//! Session timers (RFC 4028): refreshes, expiry, and agreeing on an interval.

use std::time::Duration;

use ua::{CallsConfig, SessionTimers};

use crate::world::{ALICE, BOB, World};

fn world(expires_secs: u64, min_se_secs: u64) -> World {
    let timers = SessionTimers {
        expires: Duration::from_secs(expires_secs),
        min_se: Duration::from_secs(min_se_secs),
    };
    let config = CallsConfig {
        session_timers: Some(timers),
        ..CallsConfig::default()
    };
    World::with_config(&["alice", "bob"], &config)
}

#[test]
fn call_is_refreshed_at_half_time_by_update() {
    let mut world = world(120, 90);
    let (alice, _) = world.connect();
    assert!(
        world
            .sent("200 INVITE sdp")
            .contains("Session-Expires: 120;refresher=uas")
    );
    world.run_ms(130_000);
    world.expect(
        "
         61000 ms bob > alice UPDATE
         61010 ms alice > bob 200 UPDATE
        121020 ms bob > alice UPDATE
        121030 ms alice > bob 200 UPDATE",
    );
    world.hang_up(ALICE, alice);
    world.finish();
}

#[test]
fn vanished_refresher_ends_the_call_before_the_interval_is_over() {
    let mut world = world(120, 90);
    let (_, bob) = world.connect();
    world.net.lose_if(|_| true);
    // Bob refreshes and is not heard. Both give up 32 s before the interval is over.
    world.run_ms(100_000);
    let ladder = world.ladder.take();
    let lost = "Ended: The connection to the other side was lost.";
    assert!(
        ladder.contains(&format!("89010 ms alice: {lost}")),
        "{ladder}"
    );
    assert!(
        ladder.contains(&format!("89000 ms bob: {lost}")),
        "{ladder}"
    );
    assert!(world.sent("BYE").contains("BYE"));
    assert_eq!(world.agents[BOB].ends.len(), 1, "{bob}");
    world.finish();
}

#[test]
fn too_short_an_interval_is_refused_with_the_least() {
    let mut world = world(100, 90);
    let strict = SessionTimers {
        expires: Duration::from_secs(1_800),
        min_se: Duration::from_secs(600),
    };
    world.agents[BOB].calls = ua::Calls::new(CallsConfig {
        session_timers: Some(strict),
        ..CallsConfig::default()
    });
    let call = world.dial(ALICE, BOB);
    world.run_ms(100);
    world.answer(BOB);
    world.run_ms(100);
    world.expect(
        "
          0 ms alice > bob INVITE sdp
         10 ms bob > alice 422 INVITE
         20 ms alice > bob ACK
         20 ms alice > bob INVITE sdp
         30 ms bob: Incoming sendrecv
        100 ms bob > alice 200 INVITE sdp
        110 ms alice > bob ACK
        110 ms alice: Answered sendrecv
        120 ms bob: Confirmed",
    );
    assert!(
        world
            .sent("200 INVITE sdp")
            .contains("Session-Expires: 600")
    );
    world.hang_up(ALICE, call);
    world.finish();
}

#[test]
fn peer_without_update_is_refreshed_by_reinvite() {
    let mut world = world(120, 90);
    world.edit = |text| text.replace(", UPDATE", "");
    let (alice, _) = world.connect();
    world.run_ms(70_000);
    world.expect(
        "
         61000 ms bob > alice INVITE sdp
         61010 ms alice > bob 200 INVITE sdp
         61020 ms bob > alice ACK",
    );
    world.hang_up(ALICE, alice);
    world.finish();
}

#[test]
fn offer_during_a_refresh_comes_right_after_it() {
    let mut world = world(120, 90);
    let (alice, bob) = world.connect();
    world.run_ms(59_005);
    world.reoffer(BOB, bob, sdp::Direction::SendOnly, 2);
    world.run_ms(100);
    world.expect(
        "
        61000 ms bob > alice UPDATE
        61010 ms alice > bob 200 UPDATE
        61020 ms bob > alice INVITE sdp
        61030 ms alice: Reoffered sendonly",
    );
    world.answer_reoffer(ALICE, alice);
    world.hang_up(ALICE, alice);
    world.finish();
}

#[test]
fn caller_without_timers_sets_none_up() {
    let mut world = world(120, 90);
    world.agents[ALICE].calls = ua::Calls::new(CallsConfig {
        session_timers: None,
        ..CallsConfig::default()
    });
    let call = world.dial(ALICE, BOB);
    world.run_ms(100);
    world.answer(BOB);
    world.run_ms(100);
    world.ladder.take();
    // Both list the option, so Bob asks Alice for nothing but refreshes himself.
    assert!(world.sent("200 INVITE sdp").contains("refresher=uas"));
    world.run_ms(70_000);
    assert!(world.ladder.take().contains("UPDATE"));
    world.hang_up(ALICE, call);
    world.finish();
}
