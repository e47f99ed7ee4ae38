//! Refusals of either side.

use sip::Request;
use ua::{Subscribe, Subscriptions, SubscriptionsConfig};

use super::Doorman;
use crate::world::{ALICE, BOB, World};

/// Subscribes and returns how it ended.
fn end_of(world: &mut World, subscribe: Subscribe) -> String {
    world.subscribe(subscribe);
    world.run_ms(500);
    let ladder = world.ladder.take();
    let end = ladder.lines().rfind(|line| line.contains("alice: Ended"));
    end.unwrap_or(&ladder).to_owned()
}

fn end_of_watching(world: &mut World, event: &str) -> String {
    let subscribe = world.subscribe_to(event, 300);
    end_of(world, subscribe)
}

#[test]
fn unknown_package_is_answered_with_those_that_are_known() {
    let mut world = World::with_news();
    let end = end_of_watching(&mut world, "presence");
    assert!(end.ends_with("(SIP 489)."), "{end}");
    assert!(world.sent("489 SUBSCRIBE").contains("Allow-Events: news\n"));
    world.finish();
}

#[test]
fn bodies_that_the_watcher_does_not_read_are_not_promised() {
    let mut world = World::with_news();
    let subscribe = Subscribe {
        accept: vec!["image/png".to_owned()],
        ..world.subscribe_to("news", 300)
    };
    let end = end_of(&mut world, subscribe);
    assert!(end.ends_with("(SIP 406)."), "{end}");
    assert!(world.sent("406 SUBSCRIBE").contains("Accept: text/plain\n"));
    world.finish();
}

#[test]
fn extensions_that_are_not_known_are_named() {
    let mut world = World::with_news();
    let subscribe = Subscribe {
        headers: vec![("Require".to_owned(), "eventlist".to_owned())],
        ..world.subscribe_to("news", 300)
    };
    let end = end_of(&mut world, subscribe);
    assert!(end.ends_with("(SIP 420)."), "{end}");
    assert!(
        world
            .sent("420 SUBSCRIBE")
            .contains("Unsupported: eventlist\n")
    );
    world.finish();
}

#[test]
fn requests_without_package_or_contact_are_refused() {
    for (edit, status) in [
        (
            (|text| text.replace("Event: news\r\n", "")) as fn(String) -> String,
            489,
        ),
        (|text| text.replace("Event: news", "Event: ;;"), 400),
        (|text| text.replace("Contact: ", "X: "), 400),
        (|text| text.replace("Expires: 300", "Expires: soon"), 400),
    ] {
        let mut world = World::with_news();
        world.edit = edit;
        let end = end_of_watching(&mut world, "news");
        assert!(end.ends_with(&format!("(SIP {status}).")), "{end}");
        world.finish();
    }
}

#[test]
fn owner_can_turn_a_watcher_away() {
    let mut world = World::with_news();
    world.agents[BOB].exhibit.doorman = Doorman::Rejects(403);
    world.watch(300);
    world.run_ms(100);
    world.expect(
        "
         0 ms alice > bob SUBSCRIBE
        10 ms bob: rejects
        10 ms bob > alice 403 SUBSCRIBE
        20 ms alice: Ended: The server refused the subscription (SIP 403).",
    );
    world.finish();
}

fn challenge(request: &Request) -> sip::Response {
    let mut response = request.response(401, Some("bob"));
    response.push_header(
        "WWW-Authenticate",
        "Digest realm=\"example.com\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"",
    );
    response
}

#[test]
fn challenge_is_answered_and_the_nonce_used_again() {
    let mut world = World::with_news();
    world.serve(BOB, |request| {
        request
            .header("Authorization")
            .is_none()
            .then(|| challenge(request))
            .filter(|_| request.method == sip::Method::SUBSCRIBE)
    });
    let key = world.watch(100);
    world.run_ms(90_000);
    let ladder = world.ladder.take();
    assert_eq!(ladder.matches("401 SUBSCRIBE").count(), 1, "{ladder}");
    assert_eq!(ladder.matches("200 SUBSCRIBE").count(), 2, "{ladder}");
    world.unsubscribe(key);
    world.finish();
}

#[test]
fn wrong_password_is_told_and_not_tried_again() {
    let mut world = World::with_news();
    world.serve(BOB, |request| {
        (request.method == sip::Method::SUBSCRIBE).then(|| challenge(request))
    });
    let end = end_of_watching(&mut world, "news");
    assert!(end.ends_with("refused user name or password."), "{end}");
    world.finish();
}

#[test]
fn answer_without_notify_is_no_subscription() {
    let mut world = World::with_news();
    world.serve(BOB, |request| {
        (request.method == sip::Method::SUBSCRIBE).then(|| {
            let mut response = request.response(200, Some("bob"));
            response.push_header("Expires", "300");
            response
        })
    });
    world.watch(300);
    world.run_ms(40_000);
    world.expect(
        "
            0 ms alice > bob SUBSCRIBE
           10 ms bob > alice 200 SUBSCRIBE
        32020 ms alice: Ended: The server accepted the subscription but told nothing.",
    );
    world.finish();
}

#[test]
fn silence_ends_it() {
    let mut world = World::with_news();
    world.net.lose_if(|_| true);
    world.watch(300);
    world.run_ms(33_000);
    let ladder = world.ladder.take();
    assert!(ladder.ends_with("did not answer in time."), "{ladder}");
    world.finish();
}

#[test]
fn notifier_that_forgot_is_found_out_at_the_refresh() {
    let mut world = World::with_news();
    world.watch(300);
    world.run_ms(100);
    world.serve_news(&|config| config);
    world.run_ms(280_000);
    let ladder = world.ladder.take();
    assert!(ladder.contains("481 SUBSCRIBE"), "{ladder}");
    assert!(
        ladder.ends_with("no longer knows the subscription."),
        "{ladder}"
    );
    world.finish();
}

#[test]
fn notify_that_is_not_ours_or_malformed_changes_nothing() {
    let mut world = World::with_news();
    let key = world.watch(300);
    world.run_ms(1_000);
    let notify = world.sent("NOTIFY").replace("CSeq: 1 ", "CSeq: 2 ");
    world.ladder.take();
    let from = world.agents[BOB].address;
    for (number, (was, is, status)) in [
        ("Event: news", "Event: weather", 489),
        ("Event: news", "Event: news;id=7", 481),
        ("Event: news\n", "", 489),
        ("Event: news", "Event: ;", 400),
        ("Subscription-State: active", "Subscription-State: ;", 400),
        ("Subscription-State: active", "X: active", 400),
        ("Content-Type: text/plain", "Content-Type: text/html", 415),
        ("Content-Type: text/plain\n", "", 415),
        ("CSeq: 2 ", "CSeq: 0 ", 500),
        ("Call-ID: ", "Call-ID: x", 481),
    ]
    .into_iter()
    .enumerate()
    {
        let text = notify
            .replace("branch=", &format!("branch=z9hG4bK{number}"))
            .replace(was, is);
        world.inject(from, ALICE, &text);
        world.run_ms(1);
        let ladder = world.ladder.take();
        assert!(
            ladder.ends_with(&format!("alice > bob {status} NOTIFY")),
            "{ladder}\n{text}"
        );
    }
    world.unsubscribe(key);
    world.finish();
}

#[test]
fn subscriptions_are_bounded() {
    let mut world = World::with_news();
    world.agents[ALICE].subscriptions = Subscriptions::new(SubscriptionsConfig {
        max_subscriptions: 1,
    });
    let key = world.watch(300);
    let second = world.subscribe_to("news", 300);
    let now = world.now;
    let alice = &mut world.agents[ALICE];
    let full = alice
        .subscriptions
        .subscribe(second, &mut alice.endpoint, now);
    assert_eq!(full, Err(ua::SubscriptionError::Full));
    world.unsubscribe(key);
    world.finish();
}
