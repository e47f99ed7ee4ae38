//! The 62 torture messages through an endpoint with a small user agent behind it.
//!
//! What the endpoint decides (400, 416, 482, 505, silence) is its verdict; what it passes on gets the
//! answer of the rules below, the shortest that a user agent without dialogs can have.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use sip::{Message, Method, Request, Transport};

use crate::harness::Sim;

#[derive(Deserialize)]
struct Index {
    messages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    file: String,
    expect: Expect,
}

#[derive(Deserialize)]
struct Expect {
    ua: Vec<Value>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sip-torture")
}

/// RFC 5118's archive has line ends and lengths that no socket could carry: the copies in `wire`
/// are meant for sending.
fn bytes_of(file: &str) -> Vec<u8> {
    fs::read(folder().join(file.replace("rfc5118/", "rfc5118/wire/"))).unwrap()
}

/// What a user agent answers that has no dialogs and one account.
fn verdict(request: &Request) -> u16 {
    let known = [Method::INVITE, Method::OPTIONS, Method::BYE];
    if matches!(request.method, Method::Ext(_)) {
        return 501;
    }
    if !known.contains(&request.method) {
        return 405;
    }
    if request.to().unwrap().tag().is_some() {
        return 481;
    }
    if !matches!(request.uri.scheme(), sip::Scheme::Sip | sip::Scheme::Sips) {
        return 416;
    }
    if !request.require().unwrap().is_empty() {
        return 420;
    }
    if request
        .content_type()
        .unwrap()
        .is_some_and(|body| !body.is("application", "sdp"))
    {
        return 415;
    }
    let accepted = request.accept().unwrap();
    if accepted.is_some_and(|list| !list.iter().any(|kind| kind.accepts("application", "sdp"))) {
        return 406;
    }
    if request.method == Method::INVITE {
        486
    } else {
        200
    }
}

fn allows(expected: &[Value], outcome: &str) -> bool {
    expected.iter().any(|expected| match expected {
        Value::Number(code) => code.to_string() == outcome,
        Value::String(word) if word.ends_with("xx") => {
            outcome.len() == 3 && outcome.starts_with(&word[..1])
        }
        Value::String(word) if word == "any-final" => outcome != "drop",
        Value::String(word) => word == outcome,
        _ => false,
    })
}

/// The status code of the last answer, or `drop`.
fn play(bytes: Vec<u8>) -> String {
    let mut sim = Sim::new();
    sim.receive(Transport::Udp, bytes);
    if !sim.events.is_empty() {
        let (transaction, request) = sim.request();
        sim.respond(transaction, request.response(verdict(&request), Some("b1")));
    }
    let outcome = match sim.sent.last().map(|_| sim.last_sent()) {
        Some(Message::Response(response)) => response.status.code().to_string(),
        Some(Message::Request(request)) => panic!("a request went out: {request:?}"),
        None => "drop".to_owned(),
    };
    sim.run_for(Duration::from_secs(100));
    sim.expect_empty();
    outcome
}

#[test]
fn every_torture_message_gets_an_answer_that_the_standard_allows() {
    let index = fs::read(folder().join("index.json")).unwrap();
    let index: Index = serde_json::from_slice(&index).unwrap();
    let wrong: Vec<_> = index
        .messages
        .iter()
        .filter_map(|entry| {
            let outcome = play(bytes_of(&entry.file));
            let allowed = allows(&entry.expect.ua, &outcome);
            (!allowed).then(|| format!("{}: {outcome}, not {:?}", entry.file, entry.expect.ua))
        })
        .collect();
    assert_eq!(index.messages.len(), 62);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A reply to what may be a lie is at most one and a half times as long.
#[test]
fn no_torture_message_is_amplified() {
    let index = fs::read(folder().join("index.json")).unwrap();
    let index: Index = serde_json::from_slice(&index).unwrap();
    for entry in &index.messages {
        let bytes = bytes_of(&entry.file);
        let length = bytes.len();
        let mut sim = Sim::new();
        sim.receive(Transport::Udp, bytes);
        assert!(sim.sent.len() <= 1, "{}", entry.file);
        for sent in &sim.sent {
            assert!(sent.bytes.len() <= length * 3 / 2, "{}", entry.file);
        }
    }
}
