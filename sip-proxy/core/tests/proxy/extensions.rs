//! What a REGISTER may ask for beyond RFC 3261: Path, outbound, GRUU, push parameters.

use std::time::Duration;

use sip::{Contacts, Request, Response, Transport};

use crate::bench::{Bench, DOMAIN};

const PHONE: u16 = 40_001;
const CALLER: u16 = 40_009;
const INSTANCE: &str = "+sip.instance=\"<urn:uuid:1>\"";

fn request(bench: &mut Bench, lines: &str) -> Request {
    bench.request(PHONE, "REGISTER", &format!("sip:{DOMAIN}"), "1001", lines)
}

fn register(bench: &mut Bench, lines: &str) -> Response {
    let request = request(bench, lines);
    bench.ask(PHONE, "1001", &request)
}

/// The INVITEs that reach the phone's port when 1002 calls `uri`.
fn invites(bench: &mut Bench, uri: &str) -> (Response, Vec<Request>) {
    let invite = bench.request(
        CALLER,
        "INVITE",
        uri,
        "1002",
        &format!("Contact: <sip:1002@127.0.0.1:{CALLER}>\r\n"),
    );
    let response = bench.ask(CALLER, "1002", &invite);
    (response, bench.requests_to(PHONE))
}

#[test]
fn an_unknown_required_extension_is_named_in_a_420() {
    let mut bench = Bench::new();
    let response = register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:40001>\r\nRequire: path, quantum\r\n",
    );
    assert_eq!(
        (response.status.code(), response.header("Unsupported")),
        (420, Some("quantum"))
    );
    assert_eq!(bench.kept().len(), 0);
}

#[test]
fn a_path_is_kept_given_back_and_becomes_the_route_of_a_call() {
    let mut bench = Bench::new();
    let path = "<sip:edge.acme.test;lr>, <sip:next.acme.test;lr>";
    let response = register(
        &mut bench,
        &format!("Contact: <sip:1001@10.0.0.1>\r\nSupported: path\r\nPath: {path}\r\n"),
    );
    assert_eq!(
        (response.status.code(), response.header("Path")),
        (200, Some(path))
    );
    assert_eq!(bench.kept()[0].path, path);
    let (_, invites) = invites(&mut bench, &format!("sip:1001@{DOMAIN}"));
    let routes: Vec<_> = invites[0]
        .routes()
        .unwrap()
        .iter()
        .map(|route| route.uri.to_string())
        .collect();
    assert_eq!(routes, ["sip:edge.acme.test;lr", "sip:next.acme.test;lr"]);
    assert_eq!(invites[0].uri.as_str(), "sip:1001@10.0.0.1");
}

#[test]
fn a_path_that_the_phone_does_not_know_of_is_refused() {
    let mut bench = Bench::new();
    let response = register(
        &mut bench,
        "Contact: <sip:1001@10.0.0.1>\r\nPath: <sip:evil.test;lr>\r\n",
    );
    assert_eq!(
        (response.status.code(), response.header("Unsupported")),
        (420, Some("path"))
    );
}

#[test]
fn each_flow_of_a_device_is_a_binding_and_the_newest_is_rung() {
    let mut bench = Bench::new();
    for (reg_id, port) in [(1, PHONE + 1), (2, PHONE)] {
        let lines = format!(
            "Contact: <sip:1001@10.0.0.1:5060>;{INSTANCE};reg-id={reg_id}\r\nSupported: outbound, path\r\n"
        );
        let register = bench.request(port, "REGISTER", &format!("sip:{DOMAIN}"), "1001", &lines);
        let response = bench.ask(port, "1001", &register);
        assert_eq!(
            (response.status.code(), response.header("Require")),
            (200, Some("outbound"))
        );
        bench.pass(Duration::from_secs(1));
    }
    assert_eq!(bench.kept().len(), 2);
    let (_, at_newest) = invites(&mut bench, &format!("sip:1001@{DOMAIN}"));
    assert_eq!(
        (at_newest.len(), bench.requests_to(PHONE + 1).len()),
        (1, 0)
    );
}

#[test]
fn reg_id_without_outbound_or_instance_means_nothing() {
    let mut bench = Bench::new();
    for port in [5060, 5062] {
        let lines = format!("Contact: <sip:1001@10.0.0.1:{port}>;{INSTANCE};reg-id={port}\r\n");
        let response = register(&mut bench, &lines);
        assert_eq!(
            (response.status.code(), response.header("Require")),
            (200, None)
        );
    }
    assert_eq!(bench.kept().len(), 1);
    let lines = "Contact: <sip:1001@10.0.0.1:1>;reg-id=1\r\nSupported: outbound\r\n";
    assert_eq!(register(&mut bench, lines).header("Require"), None);
}

#[test]
fn a_first_hop_without_outbound_is_439_and_two_flows_at_once_400() {
    let mut bench = Bench::new();
    let contact = format!("Contact: <sip:1001@10.0.0.1>;{INSTANCE};reg-id=1");
    let behind = |path: &str| {
        format!(
            "{contact}\r\nSupported: outbound, path\r\nVia: SIP/2.0/UDP phone.test;branch=z9hG4bKx\r\n{path}"
        )
    };
    // The bench proves itself with one Via, so the second is added to what is already proven.
    let ask = |bench: &mut Bench, path: &str| {
        let plain = request(bench, &behind(path));
        let proven = bench.prove_below(PHONE, "1001", &plain);
        bench.deliver(PHONE, &proven);
        bench.responses_to(PHONE).pop().unwrap().status.code()
    };
    assert_eq!(ask(&mut bench, ""), 439);
    assert_eq!(ask(&mut bench, "Path: <sip:edge.test;lr>\r\n"), 439);
    assert_eq!(ask(&mut bench, "Path: <sip:edge.test;lr;ob>\r\n"), 200);
    let two =
        format!("{contact}, <sip:1001@10.0.0.2>;{INSTANCE};reg-id=2\r\nSupported: outbound\r\n");
    assert_eq!(register(&mut bench, &two).status.code(), 400);
}

#[test]
fn a_public_and_a_temporary_gruu_reach_that_device_only() {
    let mut bench = Bench::new();
    let lines = format!("Contact: <sip:1001@127.0.0.1:{PHONE}>;{INSTANCE}\r\nSupported: gruu\r\n");
    register(&mut bench, &lines);
    let other =
        "Contact: <sip:1001@127.0.0.1:40002>;+sip.instance=\"<urn:uuid:2>\"\r\nSupported: gruu\r\n";
    let both = register(&mut bench, other);
    let Contacts::List(contacts) = both.contacts().unwrap() else {
        panic!("contacts");
    };
    assert_eq!(contacts.len(), 2);
    let public = contacts[0].pub_gruu().unwrap().into_owned();
    let temporary = contacts[0].temp_gruu().unwrap().into_owned();
    assert_eq!(public, format!("sip:1001@{DOMAIN};gr=urn:uuid:1"));
    assert!(!temporary.contains("1001"), "{temporary}");
    for uri in [public, temporary.clone()] {
        let (_, here) = invites(&mut bench, &uri);
        assert_eq!(
            (here.len(), bench.requests_to(40_002).len()),
            (1, 0),
            "{uri}"
        );
    }

    // Another registration of the device: the temporary one is worth nothing any more.
    register(&mut bench, &lines);
    let (response, _) = invites(&mut bench, &temporary);
    assert_eq!(response.status.code(), 404);
    let (response, _) = invites(&mut bench, &format!("sip:1001@{DOMAIN};gr=urn:uuid:9"));
    assert_eq!(response.status.code(), 480);
}

#[test]
fn push_parameters_come_back_byte_for_byte_and_are_shown_to_no_other_device() {
    let mut bench = Bench::new();
    let uri = "sip:1001@127.0.0.1:40001;pn-provider=fcm;pn-prid=00:fc&x%2Fy";
    let own = register(&mut bench, &format!("Contact: <{uri}>;{INSTANCE}\r\n"));
    assert!(own.header("Contact").unwrap().contains(uri));
    let other = register(&mut bench, "Contact: <sip:1001@127.0.0.1:40002>\r\n");
    let shown = other.header("Contact").unwrap();
    assert!(
        shown.contains("127.0.0.1:40001") && !shown.contains("pn-"),
        "{shown}"
    );
    assert_eq!(bench.kept()[0].contact.uri().as_str(), uri);
}

#[test]
fn a_connection_that_closes_takes_its_bindings_along() {
    let mut bench = Bench::new();
    bench.transport = Transport::Tcp;
    register(
        &mut bench,
        &format!("Contact: <sip:1001@10.0.0.1>;{INSTANCE}\r\n"),
    );
    register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:5099;transport=tcp>\r\n",
    );
    bench.close(PHONE + 1);
    assert_eq!(bench.kept().len(), 2);
    bench.close(PHONE);
    let kept = bench.kept();
    assert_eq!(
        kept.len(),
        1,
        "one is behind a NAT, one said where it listens"
    );
    assert_eq!(kept[0].reached_by.peer().port(), 5099);
}
