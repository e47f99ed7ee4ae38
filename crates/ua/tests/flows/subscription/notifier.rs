//! What a notifier does by itself.

use std::time::Duration;

use ua::{NotifiersConfig, Termination, WatchEnd, WatcherError};

use super::Doorman;
use crate::world::{ALICE, Agent, BOB, World};

fn activate(world: &mut World) -> Result<(), WatcherError> {
    let now = world.now;
    let Agent {
        notifiers,
        endpoint,
        exhibit,
        ..
    } = &mut world.agents[BOB];
    let done = notifiers.activate(exhibit.watchers[0], endpoint, now);
    world.drain();
    done
}

fn terminate(world: &mut World, why: Termination) {
    let now = world.now;
    let Agent {
        notifiers,
        endpoint,
        exhibit,
        ..
    } = &mut world.agents[BOB];
    notifiers
        .terminate(exhibit.watchers[0], why, endpoint, now)
        .unwrap();
    world.drain();
}

#[test]
fn newest_state_wins_and_one_notify_is_under_way() {
    let mut world = World::with_news();
    let key = world.watch(300);
    world.run_ms(1_000);
    world.ladder.take();
    world.publish("one");
    world.publish("two");
    world.run_ms(5);
    world.publish("three");
    world.run_ms(1_000);
    // The next one waits for the answer and for half a second since the last; nobody hears of the second state.
    world.expect(
        "
        1000 ms bob: Due 1
        1000 ms bob > alice NOTIFY
        1010 ms alice > bob 200 NOTIFY
        1010 ms alice: told 1 one
        1500 ms bob: Due 2
        1500 ms bob > alice NOTIFY
        1510 ms alice > bob 200 NOTIFY
        1510 ms alice: told 2 three",
    );
    world.unsubscribe(key);
    world.finish();
}

#[test]
fn pending_watcher_sees_nothing_until_it_is_let_in() {
    let mut world = World::with_news();
    world.agents[BOB].exhibit.doorman = Doorman::Pends;
    let key = world.watch(300);
    world.run_ms(1_000);
    world.publish("secret");
    world.run_ms(1_000);
    world.expect(
        "
          0 ms alice > bob SUBSCRIBE
         10 ms bob: pends
         10 ms bob > alice 200 SUBSCRIBE
         10 ms bob: Due 0
         10 ms bob > alice NOTIFY
         20 ms alice > bob 200 NOTIFY
         20 ms alice: Pending
       1000 ms bob: Due 1
       1000 ms bob > alice NOTIFY
       1010 ms alice > bob 200 NOTIFY",
    );
    activate(&mut world).unwrap();
    world.run_ms(1_000);
    world.expect(
        "
       2000 ms bob: Due 2
       2000 ms bob > alice NOTIFY
       2010 ms alice > bob 200 NOTIFY
       2010 ms alice: told 2 secret
       2010 ms alice: Active",
    );
    assert_eq!(activate(&mut world), Err(WatcherError::NotNow));
    world.unsubscribe(key);
    world.finish();
}

#[test]
fn right_that_is_taken_away_ends_the_subscription() {
    let mut world = World::with_news();
    world.watch(300);
    world.run_ms(1_000);
    world.ladder.take();
    terminate(&mut world, Termination::Rejected);
    world.run_ms(100);
    world.expect(
        "
        1000 ms bob > alice NOTIFY
        1000 ms bob: watcher Terminated
        1010 ms alice > bob 200 NOTIFY
        1010 ms alice: Ended: The server ended the subscription.",
    );
    assert!(
        world
            .sent("NOTIFY")
            .contains("terminated;reason=rejected\n")
    );
    world.finish();
}

#[test]
fn end_waits_for_the_notify_under_way() {
    let mut world = World::with_news();
    world.watch(300);
    world.run_ms(1_000);
    world.ladder.take();
    world.publish("one");
    let wait = Duration::from_secs(7);
    terminate(&mut world, Termination::Probation { retry_after: wait });
    world.run_ms(100);
    world.expect(
        "
        1000 ms bob: Due 1
        1000 ms bob > alice NOTIFY
        1000 ms bob: watcher Terminated
        1010 ms alice > bob 200 NOTIFY
        1010 ms alice: told 1 one
        1020 ms bob > alice NOTIFY
        1030 ms alice > bob 200 NOTIFY
        1030 ms alice: Ended: The server ended the subscription.",
    );
    assert!(
        world
            .sent("NOTIFY")
            .contains("terminated;reason=probation;retry-after=7\n")
    );
    world.finish();
}

#[test]
fn watcher_that_is_terminated_before_its_answer_is_refused() {
    let mut world = World::with_news();
    world.agents[BOB].exhibit.doorman = Doorman::Sleeps;
    world.watch(300);
    world.run_ms(100);
    terminate(&mut world, Termination::Rejected);
    world.run_ms(100);
    assert!(world.ladder.take().contains("403 SUBSCRIBE"));
    world.finish();
}

#[test]
fn request_that_nobody_decides_is_forgotten() {
    let mut world = World::with_news();
    world.agents[BOB].exhibit.doorman = Doorman::Sleeps;
    world.watch(300);
    world.run_for(Duration::from_secs(300));
    assert_eq!(world.agents[BOB].exhibit.ends, [WatchEnd::Lost]);
    world.finish();
}

#[test]
fn watcher_that_never_renews_expires() {
    let mut world = World::with_news();
    world.watch(300);
    world.run_ms(1_000);
    // Alice forgets all about it.
    world.agents[ALICE].subscriptions = ua::Subscriptions::new(ua::SubscriptionsConfig::default());
    world.run_for(Duration::from_secs(400));
    assert_eq!(world.agents[BOB].exhibit.ends, [WatchEnd::Expired]);
    assert!(world.ladder.take().contains("481 NOTIFY"));
    world.finish();
}

#[test]
fn watcher_that_knows_nothing_of_it_is_dropped() {
    let mut world = World::with_news();
    world.watch(300);
    world.run_ms(1_000);
    world.agents[ALICE].subscriptions = ua::Subscriptions::new(ua::SubscriptionsConfig::default());
    world.publish("one");
    world.run_ms(1_000);
    assert_eq!(
        world.agents[BOB].exhibit.ends,
        [WatchEnd::Refused { status: 481 }]
    );
    world.finish();
}

#[test]
fn watcher_that_cannot_be_reached_is_dropped() {
    let mut world = World::with_news();
    world.watch(300);
    world.run_ms(1_000);
    world.net.lose_if(|_| true);
    world.publish("one");
    world.run_ms(33_000);
    assert_eq!(world.agents[BOB].exhibit.ends, [WatchEnd::Lost]);
    world.run_for(Duration::from_secs(300));
    world.finish();
}

#[test]
fn watchers_beyond_the_bound_are_asked_to_come_later() {
    let mut world = World::with_news();
    world.serve_news(&|config| NotifiersConfig {
        max_subscriptions: 1,
        ..config
    });
    let first = world.watch(300);
    world.run_ms(100);
    world.watch(300);
    world.run_ms(100);
    assert!(world.sent("503 SUBSCRIBE").contains("Retry-After: 30\n"));
    world.unsubscribe(first);
    world.finish();
}

#[test]
fn expiry_is_kept_within_the_limits() {
    let mut world = World::with_news();
    let key = world.watch(86_400);
    world.run_ms(100);
    assert!(world.sent("200 SUBSCRIBE").contains("Expires: 3600\n"));
    assert!(world.sent("NOTIFY").contains("active;expires=3600\n"));
    world.unsubscribe(key);
    world.run_ms(100);
    world.ladder.take();
    // Too brief an interval is raised by the subscriber to what it hears.
    let key = world.watch(10);
    world.run_ms(100);
    let ladder = world.ladder.take();
    assert!(ladder.contains("423 SUBSCRIBE"), "{ladder}");
    assert!(world.sent("200 SUBSCRIBE").contains("Expires: 60\n"));
    world.unsubscribe(key);
    world.finish();
}
