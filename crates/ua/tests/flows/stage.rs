//! The stages of calls, as their owner is told.

use ua::{CallKey, CallsConfig, Origin, Stage, Stages};

use crate::world::{ALICE, BOB, World};

fn world() -> World {
    let config = CallsConfig {
        session_timers: None,
        stages: Stages::Told,
        ..CallsConfig::default()
    };
    World::with_config(&["alice", "bob"], &config)
}

/// What `who` was told since the last time.
fn stages(world: &mut World, who: usize) -> Vec<(CallKey, Stage)> {
    let calls = &mut world.agents[who].calls;
    std::iter::from_fn(|| calls.poll_stage())
        .map(|change| (change.call, change.stage))
        .collect()
}

#[test]
fn both_sides_tell_each_stage_once() {
    let mut world = world();
    let alice = world.dial(ALICE, BOB);
    world.run_ms(50);
    world.ring(BOB);
    world.ring(BOB);
    world.run_ms(50);
    world.answer(BOB);
    world.run_ms(50);
    let bob = world.agents[BOB].incoming.unwrap();
    for (who, call, origin) in [(ALICE, alice, Origin::Us), (BOB, bob, Origin::Peer)] {
        let reached = [Stage::Trying, Stage::Early, Stage::Confirmed].map(|stage| (call, stage));
        assert_eq!(stages(&mut world, who), reached);
        assert_eq!(world.agents[who].calls.view(call).unwrap().origin, origin);
    }
    let [ours, theirs] =
        [(ALICE, alice), (BOB, bob)].map(|(who, call)| world.agents[who].calls.view(call).unwrap());
    assert_eq!(ours.call_id, theirs.call_id);
    assert_eq!(Some(ours.local_tag), theirs.remote_tag);
    assert_eq!(ours.remote, theirs.local);
    world.hang_up(ALICE, alice);
    world.run_ms(100);
    for (who, call) in [(ALICE, alice), (BOB, bob)] {
        assert_eq!(stages(&mut world, who), [(call, Stage::Terminated)]);
        assert_eq!(world.agents[who].calls.view(call), None);
    }
    world.finish();
}

#[test]
fn call_that_is_given_up_is_over_at_once() {
    let mut world = world();
    let alice = world.dial(ALICE, BOB);
    world.run_ms(50);
    world.ring(BOB);
    world.run_ms(50);
    assert!(
        world.agents[ALICE]
            .calls
            .view(alice)
            .unwrap()
            .remote_tag
            .is_some()
    );
    world.hang_up(ALICE, alice);
    world.run_ms(100);
    for who in [ALICE, BOB] {
        let last = stages(&mut world, who).pop().unwrap();
        assert_eq!(last.1, Stage::Terminated);
    }
    world.finish();
}
