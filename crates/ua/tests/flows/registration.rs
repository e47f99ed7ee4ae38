//! Registrations against a scripted registrar.

use std::time::Duration;

use sip::{Method, Request, ResolveError, Response, Transport};
use ua::{Registration, RegistrationFailure, RegistrationState};

use crate::world::{ALICE, BOB, World, address, credentials};

fn registration() -> Registration {
    Registration {
        aor: "<sip:alice@example.com>".parse().unwrap(),
        registrar: "sip:registrar@example.com".parse().unwrap(),
        outbound_proxy: None,
        transport: Some(Transport::Udp),
        contact_user: "alice-1".to_owned(),
        instance: Some("urn:uuid:00000000-0000-1000-8000-000A95A0E128".to_owned()),
        reg_id: Some(1),
        credentials: Some(credentials("secret")),
        expires: Duration::from_secs(600),
    }
}

/// A world with a registrar under the name `example.com`.
fn world(mut answer: impl FnMut(&Request) -> Response + 'static) -> World {
    let mut world = World::new(&["alice", "server"]);
    world
        .hosts
        .insert("example.com".to_owned(), Ok(vec![address(2)]));
    world.serve(BOB, move |request| {
        (request.method == Method::REGISTER).then(|| answer(request))
    });
    world
}

/// 200 with the contact that was asked for, granted for `secs` at most, among others.
fn granted(request: &Request, secs: u32) -> Response {
    let mut response = request.response(200, Some("server"));
    let wanted = request.expires().unwrap().unwrap().min(secs);
    response.push_header("Contact", "<sip:other@192.0.2.77>;expires=7");
    if wanted > 0 {
        let contact = request.header("Contact").unwrap();
        let bare = contact.rsplit_once(";expires=").unwrap().0;
        response.push_header("Contact", format!("{bare};expires={wanted}"));
    }
    response
}

fn challenged(request: &Request, nonce: &str) -> Response {
    let mut response = request.response(401, Some("server"));
    let value =
        format!("Digest realm=\"example.com\", nonce=\"{nonce}\", algorithm=SHA-256, qop=\"auth\"");
    response.push_header("WWW-Authenticate", value);
    response
}

#[test]
fn registration_is_challenged_kept_and_ended() {
    let mut world = world(|request| {
        if request.header("Authorization").is_none() {
            challenged(request, "n1")
        } else {
            granted(request, 300)
        }
    });
    let key = world.register(ALICE, registration());
    world.run_ms(290_000);
    let first = world.sent("REGISTER");
    world.unregister(ALICE, key);
    world.run_ms(1_000);
    let ladder = world.ladder.take();
    let lines: Vec<_> = ladder.lines().collect();
    assert_eq!(
        lines[..7],
        [
            "0 ms alice > server REGISTER",
            "0 ms alice: Registering",
            "10 ms server > alice 401 REGISTER",
            "20 ms alice > server REGISTER",
            "30 ms server > alice 200 REGISTER",
            "40 ms alice: Registered for 300 s",
            // 32 s before the end, a little earlier by chance; the nonce is still good.
            lines[6],
        ]
    );
    let refreshed_at: u64 = lines[6].split(' ').next().unwrap().parse().unwrap();
    assert!((254_640..=268_040).contains(&refreshed_at), "{ladder}");
    assert!(lines[6].ends_with("alice > server REGISTER"));
    assert_eq!(
        lines[7..]
            .iter()
            .filter(|line| line.contains("401"))
            .count(),
        0,
        "{ladder}"
    );
    assert!(
        first.starts_with("REGISTER sip:example.com SIP/2.0\n"),
        "{first}"
    );
    assert!(
        first.contains("CSeq: 3 REGISTER") && first.contains("nc=00000002"),
        "{first}"
    );
    assert!(
        first.contains("+sip.instance=\"<urn:uuid:") && first.contains(";reg-id=1"),
        "{first}"
    );
    assert!(world.sent("REGISTER").contains("Expires: 0\n"));
    assert!(ladder.ends_with("alice: Unregistered"), "{ladder}");
    world.finish();
}

#[test]
fn wrong_password_is_told_after_the_second_refusal_and_tried_rarely() {
    let mut world = world(|request| challenged(request, "always"));
    let key = world.register(ALICE, registration());
    world.run_ms(1_000_000);
    world.expect(
        "
         0 ms alice > server REGISTER
         0 ms alice: Registering
        10 ms server > alice 401 REGISTER
        20 ms alice > server REGISTER
        30 ms server > alice 401 REGISTER
        40 ms alice: WrongPassword, retry in 1800 s",
    );
    world.unregister(ALICE, key);
    world.finish();
}

#[test]
fn missing_password_is_told_at_once() {
    let mut world = world(|request| challenged(request, "n"));
    let key = world.register(
        ALICE,
        Registration {
            credentials: None,
            ..registration()
        },
    );
    world.run_ms(1_000);
    let failure = RegistrationFailure::PasswordMissing;
    assert!(matches!(
        world.agents[ALICE].states.last(),
        Some(RegistrationState::Failed { failure: told, .. }) if *told == failure
    ));
    world.unregister(ALICE, key);
    world.finish();
}

#[test]
fn stale_nonce_is_replaced_without_a_word() {
    let mut nonce = 0;
    let mut world = world(move |request| {
        let current = format!("n{nonce}");
        if request
            .header("Authorization")
            .is_some_and(|value| value.contains(&current))
        {
            nonce += 1;
            return granted(request, 100);
        }
        let mut response = challenged(request, &current);
        let value = response.header("WWW-Authenticate").unwrap().to_owned() + ", stale=true";
        response.set_header("WWW-Authenticate", value);
        response
    });
    let key = world.register(ALICE, registration());
    world.run_ms(300_000);
    assert!(!world.ladder.take().contains("retry"));
    assert_eq!(
        world.agents[ALICE].states.len(),
        2,
        "{:?}",
        world.agents[ALICE].states
    );
    world.unregister(ALICE, key);
    world.finish();
}

#[test]
fn interval_too_brief_is_raised_to_what_the_server_wants() {
    let mut world = world(|request| {
        if request
            .expires()
            .unwrap()
            .is_some_and(|secs| secs > 0 && secs < 3_600)
        {
            let mut response = request.response(423, Some("server"));
            response.push_header("Min-Expires", "3600");
            return response;
        }
        granted(request, 3_600)
    });
    let key = world.register(ALICE, registration());
    world.run_ms(1_000);
    world.expect(
        "
         0 ms alice > server REGISTER
         0 ms alice: Registering
        10 ms server > alice 423 REGISTER
        20 ms alice > server REGISTER
        30 ms server > alice 200 REGISTER
        40 ms alice: Registered for 3600 s",
    );
    world.unregister(ALICE, key);
    world.finish();
}

#[test]
fn server_that_is_down_is_tried_ever_more_rarely_until_it_is_back() {
    let mut world = world(|request| granted(request, 600));
    world.closed.push(address(2));
    let key = world.register(ALICE, registration());
    world.run_ms(3_600_000);
    let waits: Vec<_> = world.agents[ALICE]
        .states
        .iter()
        .filter_map(|state| match state {
            RegistrationState::Failed { failure, .. } => Some(*failure),
            _ => None,
        })
        .collect();
    assert!((9..=13).contains(&waits.len()), "{waits:?}");
    assert!(
        waits
            .iter()
            .all(|failure| *failure == RegistrationFailure::ServerDown)
    );
    world.closed.clear();
    world.run_ms(1_800_000);
    assert!(matches!(
        world.agents[ALICE].states.last(),
        Some(RegistrationState::Registered { .. })
    ));
    world.unregister(ALICE, key);
    world.finish();
}

#[test]
fn silent_server_is_no_answer() {
    let mut world = world(|request| granted(request, 600));
    world.net.lose_if(|_| true);
    let key = world.register(ALICE, registration());
    world.run_ms(32_100);
    let ladder = world.ladder.take();
    assert!(
        ladder.contains("32000 ms alice: NoAnswer, retry in 2 s"),
        "{ladder}"
    );
    world.unregister(ALICE, key);
    world.finish();
}

#[test]
fn unknown_host_is_told_as_such() {
    for (result, failure) in [
        (
            Err(ResolveError::NotFound),
            RegistrationFailure::HostNotFound,
        ),
        (Err(ResolveError::Timeout), RegistrationFailure::NameService),
        (Ok(Vec::new()), RegistrationFailure::HostNotFound),
    ] {
        let mut world = World::new(&["alice"]);
        world.hosts.insert("example.com".to_owned(), result);
        let key = world.register(ALICE, registration());
        assert!(matches!(
            world.agents[ALICE].states.last(),
            Some(RegistrationState::Failed { failure: told, .. }) if *told == failure
        ));
        world.unregister(ALICE, key);
        world.finish();
    }
}

#[test]
fn second_address_is_tried_when_the_first_refuses_and_kept() {
    let mut world = world(|request| granted(request, 600));
    world
        .hosts
        .insert("example.com".to_owned(), Ok(vec![address(9), address(2)]));
    world.closed.push(address(9));
    let key = world.register(ALICE, registration());
    world.run_ms(700_000);
    let ladder = world.ladder.take();
    assert_eq!(ladder.matches("lost REGISTER").count(), 1, "{ladder}");
    assert_eq!(
        ladder.matches("alice > server REGISTER").count(),
        2,
        "{ladder}"
    );
    assert_eq!(world.agents[ALICE].states.len(), 2);
    world.unregister(ALICE, key);
    world.finish();
}

#[test]
fn forbidden_account_is_tried_rarely_and_busy_server_when_it_says() {
    for (status, retry_after, expected) in [
        (403, None, "Forbidden, retry in 1800 s"),
        (404, None, "UnknownAccount { status: 404 }, retry in 1800 s"),
        (
            503,
            Some("120"),
            "ServerError { status: 503 }, retry in 120 s",
        ),
    ] {
        let mut world = world(move |request| {
            let mut response = request.response(status, Some("server"));
            if let Some(seconds) = retry_after {
                response.push_header("Retry-After", seconds);
            }
            response
        });
        let key = world.register(ALICE, registration());
        world.run_ms(1_000);
        let ladder = world.ladder.take();
        assert!(ladder.ends_with(expected), "{ladder}");
        world.unregister(ALICE, key);
        world.finish();
    }
}

#[test]
fn closed_connection_is_registered_anew() {
    let mut world = world(|request| granted(request, 600));
    let key = world.register(ALICE, registration());
    world.run_ms(1_000);
    world.ladder.take();
    let now = world.now;
    let agent = &mut world.agents[ALICE];
    let flow = agent.flow(address(2));
    agent
        .registrations
        .handle_flow_closed(flow, &mut agent.endpoint, now);
    world.run_ms(100);
    world.expect(
        "
        1000 ms alice > server REGISTER
        1010 ms server > alice 200 REGISTER",
    );
    world.unregister(ALICE, key);
    world.finish();
}

#[test]
fn leaving_while_the_first_try_is_under_way_still_tells_the_server() {
    let mut world = world(|request| granted(request, 600));
    let key = world.register(ALICE, registration());
    world.run_ms(5);
    world.unregister(ALICE, key);
    world.run_ms(100);
    world.expect(
        "
         0 ms alice > server REGISTER
         0 ms alice: Registering
        10 ms server > alice 200 REGISTER
        20 ms alice > server REGISTER
        30 ms server > alice 200 REGISTER
        40 ms alice: Unregistered",
    );
    world.finish();
}

#[test]
fn registrar_that_grants_nothing_has_refused() {
    let mut world = world(|request| {
        let mut response = request.response(200, Some("server"));
        response.push_header("Expires", "0");
        response
    });
    let key = world.register(ALICE, registration());
    world.run_ms(100);
    assert!(
        world
            .ladder
            .take()
            .ends_with("Refused { status: 200 }, retry in 1800 s")
    );
    world.unregister(ALICE, key);
    world.finish();
}
