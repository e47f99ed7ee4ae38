//! What a subscriber does by itself.

use std::time::Duration;

use testkit::ladder::summary;

use crate::world::{ALICE, BOB, World};

#[test]
fn subscription_is_told_renewed_and_ended() {
    let mut world = World::with_news();
    let key = world.watch(300);
    world.run_ms(1_000);
    world.expect(
        "
         0 ms alice > bob SUBSCRIBE
        10 ms bob: accepts
        10 ms bob > alice 200 SUBSCRIBE
        10 ms bob: Due 0
        10 ms bob > alice NOTIFY
        20 ms alice > bob 200 NOTIFY
        20 ms alice: told 0 zero
        20 ms alice: Active",
    );
    world.publish("one");
    world.run_ms(280_000);
    let ladder = world.ladder.take();
    let lines: Vec<_> = ladder.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "1000 ms bob: Due 1",
            "1000 ms bob > alice NOTIFY",
            "1010 ms alice > bob 200 NOTIFY",
            "1010 ms alice: told 1 one",
        ]
    );
    assert!(lines[4].ends_with("alice > bob SUBSCRIBE"), "{ladder}");
    let renewed_at: u64 = lines[4].split(' ').next().unwrap().parse().unwrap();
    assert!((254_000..=268_100).contains(&renewed_at), "{ladder}");
    assert!(ladder.ends_with("alice: told 2 one"), "{ladder}");
    assert!(world.sent("SUBSCRIBE").contains("CSeq: 2 SUBSCRIBE\n"));

    world.unsubscribe(key);
    world.run_ms(1_000);
    world.expect(
        "
        281000 ms alice > bob SUBSCRIBE
        281010 ms bob > alice 200 SUBSCRIBE
        281010 ms bob: Due 3
        281010 ms bob > alice NOTIFY
        281010 ms bob: watcher Unsubscribed
        281020 ms alice > bob 200 NOTIFY
        281020 ms alice: Ended: The subscription was ended.",
    );
    assert!(
        world
            .sent("NOTIFY")
            .contains("Subscription-State: terminated;reason=timeout\n")
    );
    world.finish();
}

#[test]
fn notify_may_overtake_the_answer() {
    let mut world = World::with_news();
    let mut left = 1;
    world.net.lose_if(move |packet| {
        let lost = left > 0 && summary(&packet.bytes) == "200 SUBSCRIBE";
        left -= u32::from(lost);
        lost
    });
    let key = world.watch(300);
    world.run_ms(2_000);
    world.expect(
        "
          0 ms alice > bob SUBSCRIBE
         10 ms bob: accepts
         10 ms bob lost 200 SUBSCRIBE
         10 ms bob: Due 0
         10 ms bob > alice NOTIFY
         20 ms alice > bob 200 NOTIFY
         20 ms alice: told 0 zero
         20 ms alice: Active
        500 ms alice > bob SUBSCRIBE
        510 ms bob > alice 200 SUBSCRIBE",
    );
    world.unsubscribe(key);
    world.finish();
}

#[test]
fn state_can_be_asked_for_once() {
    let mut world = World::with_news();
    world.watch(0);
    world.run_ms(100);
    world.expect(
        "
         0 ms alice > bob SUBSCRIBE
        10 ms bob: accepts
        10 ms bob > alice 200 SUBSCRIBE
        10 ms bob: Due 0
        10 ms bob > alice NOTIFY
        10 ms bob: watcher Unsubscribed
        20 ms alice > bob 200 NOTIFY
        20 ms alice: told 0 zero
        20 ms alice: Ended: The subscription was ended.",
    );
    world.finish();
}

#[test]
fn leaving_before_the_answer_waits_for_the_dialog() {
    let mut world = World::with_news();
    let key = world.watch(300);
    world.unsubscribe(key);
    world.run_ms(100);
    world.expect(
        "
         0 ms alice > bob SUBSCRIBE
        10 ms bob: accepts
        10 ms bob > alice 200 SUBSCRIBE
        10 ms bob: Due 0
        10 ms bob > alice NOTIFY
        20 ms alice > bob 200 NOTIFY
        20 ms alice > bob SUBSCRIBE
        30 ms bob > alice 200 SUBSCRIBE
        30 ms bob: Due 1
        30 ms bob > alice NOTIFY
        30 ms bob: watcher Unsubscribed
        40 ms alice > bob 200 NOTIFY
        40 ms alice: Ended: The subscription was ended.",
    );
    world.finish();
}

#[test]
fn refresh_that_fails_is_tried_again_until_the_end() {
    let mut world = World::with_news();
    world.watch(300);
    world.run_ms(1_000);
    world.ladder.take();
    world
        .net
        .lose_if(|packet| summary(&packet.bytes) == "SUBSCRIBE");
    world.run_ms(300_000);
    let ladder = world.ladder.take();
    assert!(ladder.contains("alice lost SUBSCRIBE"), "{ladder}");
    // The notifier ends it at 300 s with a NOTIFY, which comes before our own clock says so.
    assert!(
        ladder.contains("300010 ms bob: watcher Expired")
            || ladder.contains("300000 ms alice: Ended"),
        "{ladder}"
    );
    assert_eq!(world.agents[ALICE].subscriptions.len(), 0, "{ladder}");
    world.net.lose_if(|_| false);
    world.finish();
}

#[test]
fn refresh_that_is_answered_late_keeps_the_subscription() {
    let mut world = World::with_news();
    let key = world.watch(300);
    world.run_ms(1_000);
    let mut left = 11;
    world.net.lose_if(move |packet| {
        let lost = left > 0 && summary(&packet.bytes) == "SUBSCRIBE";
        left -= u32::from(lost);
        lost
    });
    world.run_ms(310_000);
    let ladder = world.ladder.take();
    assert!(!ladder.contains("Ended"), "{ladder}");
    assert_eq!(world.agents[ALICE].subscriptions.len(), 1, "{ladder}");
    world.unsubscribe(key);
    world.finish();
}

#[test]
fn notifier_that_shortens_the_time_is_believed() {
    let mut world = World::with_news();
    world.edit = |text| {
        if text.starts_with("NOTIFY") {
            text.replace(";expires=300", ";expires=60")
        } else {
            text
        }
    };
    let key = world.watch(300);
    world.run_ms(40_000);
    let ladder = world.ladder.take();
    assert_eq!(
        ladder.matches("alice > bob SUBSCRIBE").count(),
        2,
        "{ladder}"
    );
    world.unsubscribe(key);
    world.finish();
}

#[test]
fn states_of_extensions_count_as_active() {
    let mut world = World::with_news();
    world.edit = |text| text.replace("Subscription-State: active", "Subscription-State: dozing");
    let key = world.watch(300);
    world.run_ms(100);
    assert!(world.ladder.take().ends_with("alice: Active"));
    world.unsubscribe(key);
    world.run_for(Duration::from_secs(1));
    world.finish();
}

#[test]
fn forked_subscribe_makes_one_subscription() {
    let mut world = World::with_news();
    let key = world.watch(300);
    world.run_ms(100);
    let notify = world.sent("NOTIFY");
    world.ladder.take();
    let from = world.agents[BOB].address;
    let tag = notify
        .lines()
        .find_map(|line| line.strip_prefix("From: "))
        .and_then(|from| from.rsplit_once(";tag="))
        .unwrap()
        .1;
    let other = notify
        .replace(tag, "other")
        .replace("branch=", "branch=z9hG4bKx");
    world.inject(from, ALICE, &other);
    world.run_ms(1);
    world.expect("100 ms alice > bob 481 NOTIFY");
    world.unsubscribe(key);
    world.finish();
}
