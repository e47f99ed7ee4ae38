//! Networks in which nobody is asked for a password: who writes from there is believed, everybody else is not.

use std::time::Duration;

use sip::Request;
use sip_proxy_core::TrustedNetworks;

use crate::bench::{Bench, DOMAIN};

const PHONE: u16 = 40_001;
const EDGE_PORT: u16 = 41_999;
const EDGE: [u8; 4] = [203, 0, 113, 9];
const NEIGHBOUR: [u8; 4] = [203, 0, 113, 16];

fn bench() -> Bench {
    Bench::with(|config| {
        let edges = "203.0.113.0/28".parse().unwrap();
        config.trusted = TrustedNetworks::from_iter([edges]);
    })
}

fn register(bench: &mut Bench, user: &str) -> Request {
    let contact = format!("Contact: <sip:{user}@127.0.0.1:{EDGE_PORT}>\r\n");
    bench.request(
        EDGE_PORT,
        "REGISTER",
        &format!("sip:{DOMAIN}"),
        user,
        &contact,
    )
}

fn call(bench: &mut Bench, user: &str) -> Request {
    let contact = format!("Contact: <sip:{user}@127.0.0.1:{EDGE_PORT}>\r\n");
    let callee = format!("sip:1002@{DOMAIN}");
    bench.request(EDGE_PORT, "INVITE", &callee, user, &contact)
}

/// The final answers to what came from the edge's port.
fn codes(bench: &mut Bench) -> Vec<u16> {
    let responses = bench.responses_to(EDGE_PORT);
    let codes = responses.iter().map(|response| response.status.code());
    codes.filter(|code| *code >= 200).collect()
}

#[test]
fn a_trusted_register_is_granted_and_so_is_its_copy() {
    let mut bench = bench();
    let request = register(&mut bench, "1001");
    for _ in 0..2 {
        bench.deliver_from(EDGE, EDGE_PORT, &request);
        assert_eq!(codes(&mut bench), [200]);
    }
    assert_eq!(bench.proxy.counts().bindings, 1);
}

#[test]
fn a_trusted_register_that_another_has_overtaken_is_refused() {
    let mut bench = bench();
    let older = register(&mut bench, "1001");
    let mut newer = older.clone();
    newer.set_header("CSeq", "2 REGISTER");
    bench.deliver_from(EDGE, EDGE_PORT, &newer);
    bench.deliver_from(EDGE, EDGE_PORT, &older);
    assert_eq!(codes(&mut bench), [200, 500]);
}

#[test]
fn a_copy_that_comes_while_the_first_is_written_is_granted_too() {
    let mut bench = bench();
    bench.hold_stores = true;
    let request = register(&mut bench, "1001");
    bench.deliver_from(EDGE, EDGE_PORT, &request);
    bench.deliver_from(EDGE, EDGE_PORT, &request);
    assert_eq!(codes(&mut bench), []);
    bench.hold_stores = false;
    bench.answer_stores(Ok(()));
    assert_eq!(codes(&mut bench), [200, 200]);
    assert_eq!(bench.writes, 1);
}

#[test]
fn an_account_is_looked_up_before_anybody_is_believed() {
    let mut bench = bench();
    bench.hold_lookups = true;
    let request = register(&mut bench, "1001");
    bench.deliver_from(EDGE, EDGE_PORT, &request);
    assert_eq!(codes(&mut bench), []);
    bench.answer_lookups();
    assert_eq!(codes(&mut bench), [200]);
}

#[test]
fn nobody_is_believed_to_be_an_account_that_does_not_exist() {
    let mut bench = bench();
    // Looked up once, remembered then.
    for _ in 0..2 {
        let request = register(&mut bench, "nobody");
        bench.deliver_from(EDGE, EDGE_PORT, &request);
        assert_eq!(codes(&mut bench), [404]);
        let invite = call(&mut bench, "nobody");
        bench.deliver_from(EDGE, EDGE_PORT, &invite);
        assert_eq!(codes(&mut bench), [403]);
    }
    assert_eq!(bench.proxy.counts().bindings, 0);
}

#[test]
fn beyond_the_network_everybody_is_asked_for_a_password() {
    let mut bench = bench();
    for (request, code) in [
        (register(&mut bench, "1001"), 401),
        (call(&mut bench, "1001"), 407),
    ] {
        bench.deliver_from(NEIGHBOUR, EDGE_PORT, &request);
        assert_eq!(codes(&mut bench), [code]);
    }
}

#[test]
fn a_trusted_caller_rings_the_callee_once() {
    let mut bench = bench();
    bench.register(PHONE, "1002");
    let invite = call(&mut bench, "1001");
    bench.deliver_from(EDGE, EDGE_PORT, &invite);
    bench.pass(Duration::from_millis(200));
    // The edge has not heard the 100 and says it again.
    bench.deliver_from(EDGE, EDGE_PORT, &invite);
    let rung = bench.requests_to(PHONE);
    let invites = rung
        .iter()
        .filter(|request| request.method == sip::Method::INVITE);
    assert_eq!(invites.count(), 1);
    assert_eq!(codes(&mut bench), []);
    assert_eq!(bench.proxy.counts().calls, 1);
}
