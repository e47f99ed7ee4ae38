//! What strangers may not do: each test is a threat and the behaviour that it demands.

use std::time::Duration;

use sip::{Machine, Message, Request};
use sip_proxy_core::{Counts, Durability, Event};

use crate::bench::{Bench, DOMAIN, flow};

const STRANGER: u16 = 41_999;
const CALLEE: u16 = 40_002;

/// Every method but ACK and CANCEL, which are never challenged, and one that nobody knows.
const METHODS: [&str; 13] = [
    "INVITE",
    "OPTIONS",
    "REGISTER",
    "SUBSCRIBE",
    "NOTIFY",
    "MESSAGE",
    "PUBLISH",
    "INFO",
    "UPDATE",
    "REFER",
    "BYE",
    "PRACK",
    "QUANTUM",
];

fn callee() -> String {
    format!("sip:1002@{DOMAIN}")
}

/// A request of 1001 to 1002 as a stranger makes it.
fn request(bench: &mut Bench, method: &str) -> Request {
    let contact = format!("Contact: <sip:1001@127.0.0.1:{STRANGER}>\r\n");
    bench.request(STRANGER, method, &callee(), "1001", &contact)
}

fn proven(bench: &mut Bench, method: &str) -> Request {
    let plain = request(bench, method);
    bench.prove(STRANGER, "1001", "secret-1001", &plain)
}

fn code(bench: &mut Bench) -> Option<u16> {
    bench
        .responses_to(STRANGER)
        .pop()
        .map(|response| response.status.code())
}

fn with_callee() -> Bench {
    let mut bench = Bench::new();
    bench.register(CALLEE, "1002");
    bench
}

#[test]
fn without_credentials_no_method_gets_further_than_a_challenge() {
    let mut bench = with_callee();
    for method in METHODS {
        let plain = request(&mut bench, method);
        bench.deliver(STRANGER, &plain);
        let expected = if method == "REGISTER" { 401 } else { 407 };
        assert_eq!(code(&mut bench), Some(expected), "{method}");
        assert_eq!(
            bench.proxy.counts().transactions,
            0,
            "{method} leaves nothing"
        );
    }
    for method in ["ACK", "CANCEL"] {
        let plain = request(&mut bench, method);
        bench.deliver(STRANGER, &plain);
        let expected = (method == "CANCEL").then_some(481);
        assert_eq!(code(&mut bench), expected, "{method}");
    }
    assert!(bench.sent_to(CALLEE).is_empty());
}

#[test]
fn a_to_tag_and_a_route_make_nobody_a_relay() {
    let mut bench = with_callee();
    for method in METHODS.into_iter().filter(|method| *method != "REGISTER") {
        for route in ["<sip:127.0.0.1:5060;lr>", "<sip:127.0.0.1:40002;lr>"] {
            let mut forged = request(&mut bench, method);
            forged.set_header("To", format!("<{}>;tag=stolen", callee()));
            forged.set_header("Route", route);
            bench.deliver(STRANGER, &forged);
            assert_eq!(code(&mut bench), Some(481), "{method} {route}");
        }
    }
    assert!(bench.sent_to(CALLEE).is_empty());
    assert_eq!(bench.proxy.counts().transactions, 0);
}

#[test]
fn the_credentials_of_one_do_not_call_as_another() {
    let mut bench = Bench::with(|config| config.guessing.source_failures = u32::MAX);
    bench.register(CALLEE, "1002");
    for method in METHODS.into_iter().filter(|method| *method != "REGISTER") {
        let contact = format!("Contact: <sip:1003@127.0.0.1:{STRANGER}>\r\n");
        let plain = bench.request(STRANGER, method, &callee(), "1003", &contact);
        let forged = bench.prove(STRANGER, "1001", "secret-1001", &plain);
        bench.deliver(STRANGER, &forged);
        assert_eq!(code(&mut bench), Some(403), "{method}");
    }
    assert!(bench.sent_to(CALLEE).is_empty());
}

#[test]
fn credentials_serve_one_message_only() {
    for change in ["nothing", "Call-ID", "uri", "method"] {
        let mut bench = with_callee();
        let first = proven(&mut bench, "OPTIONS");
        bench.deliver(STRANGER, &first);
        assert_eq!(code(&mut bench), Some(200));
        bench.pass(Duration::from_secs(40));
        let mut replay = first.clone();
        match change {
            "Call-ID" => replay.set_header("Call-ID", "another"),
            "uri" => replay.uri = format!("sip:1003@{DOMAIN}").parse().unwrap(),
            "method" => {
                replay = request(&mut bench, "INVITE");
                let value = first.header("Proxy-Authorization").unwrap();
                replay.set_header("Proxy-Authorization", value);
            }
            _ => {}
        }
        bench.deliver(STRANGER, &replay);
        let answer = bench.responses_to(STRANGER).pop().unwrap();
        assert_eq!(answer.status.code(), 407, "{change}");
        let challenge = answer.header("Proxy-Authenticate").unwrap();
        assert!(!challenge.contains("stale"), "{change}: used is not stale");
        assert!(bench.sent_to(CALLEE).is_empty(), "{change}");
    }
}

#[test]
fn a_nonce_of_somebody_else_is_worth_nothing_and_an_old_one_of_ours_is_stale() {
    let mut other = Bench::with(|config| config.seed = [8; 32]);
    let foreign = proven(&mut other, "OPTIONS");
    let mut bench = with_callee();
    bench.deliver(STRANGER, &foreign);
    let answer = bench.responses_to(STRANGER).pop().unwrap();
    assert_eq!(answer.status.code(), 407);
    assert!(
        !answer
            .header("Proxy-Authenticate")
            .unwrap()
            .contains("stale")
    );

    let old = proven(&mut bench, "OPTIONS");
    bench.pass(Duration::from_secs(3_600));
    bench.deliver(STRANGER, &old);
    let answer = bench.responses_to(STRANGER).pop().unwrap();
    assert!(
        answer
            .header("Proxy-Authenticate")
            .unwrap()
            .contains("stale=true")
    );
}

#[test]
fn odd_credentials_are_refused_as_what_they_are() {
    let mut bench = with_callee();
    let good = proven(&mut bench, "INVITE");
    let value = good.header("Proxy-Authorization").unwrap().to_owned();
    let mut doubled = good.clone();
    doubled.push_header("Proxy-Authorization", value.as_str());
    let mut other_user = good.clone();
    other_user.set_header("Proxy-Authorization", value.replace("\"1001\"", "\"l001\""));
    let mut nul = good.clone();
    nul.set_header(
        "Proxy-Authorization",
        value.replace("\"1001\"", "\"10\\\u{0}01\""),
    );
    for (forged, expected) in [(doubled, 400), (other_user, 403), (nul, 400)] {
        bench.deliver(STRANGER, &forged);
        assert_eq!(
            code(&mut bench),
            Some(expected),
            "{:?}",
            forged.header("Proxy-Authorization")
        );
    }
    assert!(bench.sent_to(CALLEE).is_empty());
    assert_eq!(bench.proxy.counts().calls, 0);
}

#[test]
fn bare_line_ends_and_nul_in_a_header_reach_nobody() {
    let mut bench = with_callee();
    for smuggled in ["a\rX-Evil: 1", "a\nX-Evil: 1", "a\u{0}b"] {
        let good = proven(&mut bench, "INVITE");
        let text = String::from_utf8(good.to_bytes().to_vec()).unwrap();
        let text = text.replace("User-Agent: Bench", &format!("Subject: {smuggled}"));
        bench.deliver_raw(STRANGER, text.as_bytes());
        let reached = bench.sent_to(CALLEE);
        let evil = reached
            .iter()
            .any(|message| String::from_utf8_lossy(&message.to_bytes()).contains("Evil"));
        assert!(!evil, "{smuggled:?}");
    }
}

#[test]
fn no_answer_to_a_stranger_is_longer_than_one_and_a_half_times_his_request() {
    let mut bench = with_callee();
    for method in METHODS {
        let short = format!(
            "{method} {} SIP/2.0\nv: SIP/2.0/UDP a;branch=z9hG4bK{method}\nf: <sip:1001@{DOMAIN}>;tag=1\n\
             t: <sip:1001@{DOMAIN}>\ni: {method}\nCSeq: 1 {method}\n\n",
            callee()
        );
        let length = short.replace('\n', "\r\n").len();
        bench.receive(STRANGER, &short);
        for message in bench.sent_to(STRANGER) {
            let bytes = message.to_bytes().len();
            assert!(bytes <= length * 3 / 2, "{method}: {bytes} for {length}");
        }
    }
}

#[test]
fn a_request_is_judged_in_the_order_of_the_standard() {
    let mut bench = with_callee();
    let uri = callee();
    let cases = [
        ("OPTIONS", "foo:bar", "Max-Forwards: 0", 416),
        ("OPTIONS", &uri, "Max-Forwards: 0", 483),
        ("INVITE", &uri, "Max-Forwards: 0", 483),
        ("INVITE", &uri, "Max-Forwards: x", 400),
        ("MESSAGE", &uri, "Proxy-Require: foo", 420),
        ("INVITE", &uri, "Require: 100rel, foo", 420),
        ("INVITE", &uri, "Require: 100rel", 407),
        ("REGISTER", "sip:acme.test", "Require: foo", 420),
        ("REGISTER", "sip:acme.test", "Max-Forwards: 0", 401),
    ];
    for (method, uri, header, expected) in cases {
        let mut wrong = bench.request(
            STRANGER,
            method,
            uri,
            "1001",
            "Subject: some more bytes\r\n",
        );
        let (name, value) = header.split_once(": ").unwrap();
        wrong.set_header(name, value);
        bench.deliver(STRANGER, &wrong);
        let answer = bench.responses_to(STRANGER).pop().expect(header);
        assert_eq!(answer.status.code(), expected, "{method} {uri} {header}");
        if expected == 420 {
            assert_eq!(answer.header("Unsupported"), Some("foo"), "{header}");
        }
    }
    assert!(bench.sent_to(CALLEE).is_empty());
    assert_eq!(bench.proxy.counts().transactions, 0);
}

#[test]
fn a_full_house_puts_off_what_is_new_and_goes_on_with_what_is_under_way() {
    let mut bench = Bench::with(|config| config.calls.max_calls = 5);
    bench.register(CALLEE, "1002");
    let first = request(&mut bench, "INVITE");
    let first = bench.prove(STRANGER, "1001", "secret-1001", &first);
    bench.deliver(STRANGER, &first);
    bench.pass(Duration::from_millis(200));
    let second = request(&mut bench, "INVITE");
    assert_eq!(bench.ask(STRANGER, "1001", &second).status.code(), 100);
    assert_eq!(bench.proxy.counts().legs, 4);
    let third = request(&mut bench, "INVITE");
    let third = bench.prove(STRANGER, "1001", "secret-1001", &third);
    bench.deliver(STRANGER, &third);
    // One more leg would fit, but not the two of a call.
    let refused = bench.responses_to(STRANGER).pop().unwrap();
    assert_eq!(refused.status.code(), 503);
    assert_eq!(refused.header("Retry-After"), Some("10"));
    let mut cancel = first.clone();
    cancel.method = sip::Method::CANCEL;
    cancel.set_header("CSeq", "1 CANCEL");
    bench.deliver(STRANGER, &cancel);
    let answers = bench.responses_to(STRANGER);
    assert!(answers.iter().any(|answer| answer.status.code() == 487));
    bench.pass(Duration::from_secs(120));
    assert_eq!(bench.proxy.counts().legs, 0);
}

#[test]
fn a_short_register_gets_the_shortest_challenge() {
    let mut bench = Bench::with(|config| {
        config.algorithms = vec![sip::Algorithm::Sha256, sip::Algorithm::Md5];
    });
    let mut challenges = Vec::new();
    for padding in [60, 400] {
        let plain = bench.request(
            STRANGER,
            "REGISTER",
            &format!("sip:{DOMAIN}"),
            "1001",
            &format!("Subject: {}\r\n", "x".repeat(padding)),
        );
        bench.deliver(STRANGER, &plain);
        let answer = bench.responses_to(STRANGER).pop().expect("an answer");
        challenges.push(answer.headers_named("WWW-Authenticate").count());
    }
    assert_eq!(challenges, [1, 2]);
}

#[test]
fn a_flood_without_credentials_leaves_no_trace() {
    let mut bench = Bench::new();
    for _ in 0..2_000 {
        for method in ["INVITE", "REGISTER"] {
            let plain = request(&mut bench, method);
            bench.deliver(STRANGER, &plain);
        }
    }
    assert_eq!(bench.proxy.counts(), Counts::default());
    assert_eq!((bench.lookups, bench.proxy.poll_timeout()), (0, None));
}

#[test]
fn what_a_proven_device_registers_from_and_is_called_at_is_trusted_and_nothing_else() {
    const CALLED_AT: u16 = 40_777;
    for durability in [Durability::Durable, Durability::MemoryFirst] {
        let mut bench = Bench::with(|config| config.durability = durability);
        for (contact, trusted) in [
            (
                format!("<sip:1002@127.0.0.1:{CALLED_AT}>"),
                vec![CALLEE, CALLED_AT],
            ),
            (format!("<sip:1002@127.0.0.1:{CALLEE}>"), vec![CALLEE]),
            // Somebody else's address proves nothing of his.
            (format!("<sip:1002@203.0.113.9:{CALLED_AT}>"), vec![CALLEE]),
            (
                format!("<sip:1002@127.0.0.1:{CALLED_AT}>;expires=0"),
                vec![CALLEE],
            ),
        ] {
            let contact = format!("Contact: {contact}\r\n");
            let request = bench.request(CALLEE, "REGISTER", "sip:acme.test", "1002", &contact);
            let granted = bench.ask(CALLEE, "1002", &request);
            assert_eq!(granted.status.code(), 200);
            let flows: Vec<_> = trusted
                .into_iter()
                .map(|port| {
                    // Only this request is known to be of the call.
                    let call_id = request.call_id().ok().filter(|_| port == CALLEE);
                    (flow(port), call_id.map(Box::from))
                })
                .collect();
            assert_eq!(std::mem::take(&mut bench.trusted), flows, "{contact}");
        }
        let contact = format!("Contact: <sip:1002@127.0.0.1:{CALLED_AT}>\r\n");
        let request = bench.request(CALLEE, "REGISTER", "sip:acme.test", "1002", &contact);
        let refused = bench.ask_with(CALLEE, "1002", "guess", &request);
        assert_eq!(refused.status.code(), 401);
        assert_eq!(bench.trusted, []);
    }
}

#[test]
fn an_account_has_only_so_many_calls_an_hour() {
    let mut bench = Bench::with(|config| config.calling.per_hour = 3);
    bench.register(CALLEE, "1002");
    let mut codes = Vec::new();
    for _ in 0..5 {
        let plain = request(&mut bench, "INVITE");
        codes.push(bench.ask(STRANGER, "1001", &plain).status.code());
        bench.pass(Duration::from_secs(120));
    }
    assert_eq!(
        codes.iter().filter(|code| **code == 403).count(),
        2,
        "{codes:?}"
    );
    bench.pass(Duration::from_secs(3_600));
    let plain = request(&mut bench, "INVITE");
    assert_ne!(bench.ask(STRANGER, "1001", &plain).status.code(), 403);
}

#[test]
fn a_caller_who_has_too_many_calls_at_once_is_refused_the_next() {
    let mut bench = Bench::with(|config| config.calling.at_once = 2);
    bench.register(CALLEE, "1002");
    let mut codes = Vec::new();
    for _ in 0..3 {
        let plain = request(&mut bench, "INVITE");
        codes.push(bench.ask(STRANGER, "1001", &plain).status.code());
    }
    assert_eq!(codes, [100, 100, 403]);
    let told = |event: &&Event| matches!(event, Event::CallsLimited { .. });
    assert_eq!(bench.events.iter().filter(told).count(), 1);
    bench.pass(Duration::from_secs(120));
    let plain = request(&mut bench, "INVITE");
    assert_eq!(bench.ask(STRANGER, "1001", &plain).status.code(), 100);
    let _: Vec<Message> = bench.sent_to(CALLEE);
}
