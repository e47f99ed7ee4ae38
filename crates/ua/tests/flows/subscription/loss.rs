//! Subscriptions over a network that loses, delays and reorders.

use std::time::Duration;

use testkit::sim_net::{Conditions, SimNet};

use crate::world::{ALICE, World};

/// A subscription of some minutes with news every few seconds; returns what was written down.
fn watch_over(seed: u8, conditions: Conditions) -> String {
    let mut world = World::with_news();
    world.net = SimNet::new(seed, conditions);
    let key = world.watch(120);
    for number in 1..=60 {
        world.publish(&format!("news {number}"));
        world.run_ms(5_000);
    }
    world.run_ms(33_000);
    let told = &world.agents[ALICE].exhibit.told;
    // The last state arrives whatever was lost on the way, and none comes after a newer one.
    let last = told.last().map(String::as_str).unwrap_or_default();
    let alive = world.agents[ALICE].subscriptions.len() == 1;
    assert!(!alive || last.ends_with("news 60"), "seed {seed}: {told:?}");
    let versions: Vec<u32> = told
        .iter()
        .map(|text| text.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(
        versions.is_sorted_by(|a, b| a < b),
        "seed {seed}: {versions:?}"
    );
    if alive {
        world.unsubscribe(key);
    }
    world.run_for(Duration::from_secs(200));
    let written = world.ladder.take();
    world.finish();
    written
}

const BAD: Conditions = Conditions {
    delay: Duration::from_millis(20),
    jitter: Duration::from_millis(60),
    loss_per_mille: 200,
    duplicates_per_mille: 0,
};

#[test]
fn last_state_arrives_whatever_is_lost() {
    for seed in 0..40 {
        watch_over(seed, BAD);
    }
}

#[test]
fn same_seed_gives_the_same_subscription() {
    assert_eq!(watch_over(3, BAD), watch_over(3, BAD));
}
