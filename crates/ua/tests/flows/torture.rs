//! The torture messages of RFC 4475 and RFC 5118 against a user agent that rings and answers by
//! default: what it says must be among the answers that `index.json` allows.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use sip::{Flow, Transport};
use testkit::ladder::summary;

use crate::world::World;

/// Messages whose answer today is not among the allowed ones: file and today's statuses.
const WRONG: [(&str, &[u16]); 0] = [];

fn data() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/sip-torture"
    ))
}

/// The statuses beyond 100 that an agent answers `file` with, in a second.
fn statuses(file: &str, transport: Transport) -> Vec<u16> {
    // The archive's copies of RFC 5118 are not fit to be sent.
    let path = match file.strip_prefix("rfc5118/") {
        Some(name) => data().join("rfc5118/wire").join(name),
        None => data().join(file),
    };
    let bytes = Bytes::from(fs::read(path).unwrap());
    let mut world = World::new(&["agent"]);
    let peer = ([192, 0, 2, 99], 5060).into();
    let now = world.now;
    let agent = &mut world.agents[0];
    let flow = Flow {
        transport,
        local: agent.address,
        peer,
        generation: 0,
    };
    agent.endpoint.handle_received(flow, bytes, now);
    world.drain();
    if world.agents[0].incoming.is_some() {
        world.ring(0);
    }
    world.run_ms(1_000);
    let mut statuses: Vec<u16> = world
        .packets
        .iter()
        .filter_map(|packet| summary(&packet.bytes).split(' ').next()?.parse().ok())
        .filter(|&status| status > 100)
        .collect();
    statuses.dedup();
    if world.agents[0].incoming.is_some() {
        world.reject(0, 486);
    }
    world.run_for(Duration::from_secs(60));
    world.finish();
    statuses
}

fn allows(expected: &Value, status: u16) -> bool {
    match expected {
        Value::Number(number) => number.as_u64() == Some(status.into()),
        Value::String(class) => match class.as_str() {
            "1xx" => status < 200,
            "2xx" => (200..300).contains(&status),
            "any-final" => status >= 200,
            _ => false,
        },
        _ => false,
    }
}

#[test]
fn every_torture_message_gets_an_answer_that_is_allowed() {
    let index = fs::read_to_string(data().join("index.json")).unwrap();
    let index: Value = serde_json::from_str(&index).unwrap();
    let messages = index["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 62);
    let mut wrong = Vec::new();
    for message in messages {
        let file = message["file"].as_str().unwrap();
        let transport = match message["via_transport"].as_str() {
            Some("TCP") => Transport::Tcp,
            Some("TLS") => Transport::Tls,
            _ => Transport::Udp,
        };
        let expected = message["expect"]["ua"].as_array().unwrap();
        let may_drop = expected.iter().any(|value| value == "drop");
        let statuses = statuses(file, transport);
        let fits = if statuses.is_empty() {
            may_drop
        } else {
            statuses
                .iter()
                .all(|&status| expected.iter().any(|value| allows(value, status)))
        };
        if let Some((_, today)) = WRONG.iter().find(|(known, _)| *known == file) {
            assert_eq!(statuses, *today, "{file}");
            assert!(!fits, "{file} is right now");
        } else if !fits {
            wrong.push(format!("{file}: {statuses:?}, allowed {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
