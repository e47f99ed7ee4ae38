//! Requests of ours.

use std::time::Duration;

use sip::{
    Destination, EndpointConfig, EndpointError, Message, Method, Request, Transport, parse_datagram,
};

use crate::harness::{Sim, T1, config, flow, outgoing};

const UDP: Transport = Transport::Udp;
const TCP: Transport = Transport::Tcp;

/// The peer's answer to a request of ours.
fn answer(request: &Request, code: u16) -> bytes::Bytes {
    request.response(code, Some("b1")).to_bytes()
}

#[test]
fn requests_get_what_every_request_needs() {
    let mut sim = Sim::with(EndpointConfig {
        user_agent: Some("Tandem/1".to_owned()),
        ..config()
    });
    sim.send(outgoing(Method::OPTIONS), UDP);
    let sent = sim.last_request();
    let via = sent.via().unwrap();
    assert_eq!(
        (via.protocol.as_str(), via.sent_by.to_string().as_str()),
        ("UDP", "192.0.2.5:5060")
    );
    assert!(via.params.contains("rport"));
    assert!(via.transaction_branch().is_some());
    assert_eq!(sent.max_forwards(), Ok(Some(70)));
    assert_eq!(sent.header("User-Agent"), Some("Tandem/1"));
    assert_eq!(sim.sent[0].destination, flow(UDP).into());

    let mut given = outgoing(Method::OPTIONS);
    given.push_header("Max-Forwards", "3");
    sim.send(given, TCP);
    let sent = sim.last_request();
    assert_eq!(
        sent.header("Via")
            .map(|via| via.starts_with("SIP/2.0/TCP 192.0.2.5:5070;branch=")),
        Some(true)
    );
    assert!(!sent.via().unwrap().params.contains("rport"));
    assert_eq!(
        sent.headers_named("Max-Forwards").collect::<Vec<_>>(),
        ["3"]
    );
}

#[test]
fn sent_by_follows_the_family_of_the_destination() {
    let mut config = config();
    config
        .advertised
        .push((UDP, "[2001:db8::5]:5060".parse().unwrap()));
    let mut sim = Sim::with(config);
    let peer = "[2001:db8::9]:5060".parse().unwrap();
    let destination = Destination::Address {
        transport: UDP,
        peer,
        domain: None,
    };
    sim.endpoint
        .send_request(outgoing(Method::OPTIONS), destination, sim.now)
        .unwrap();
    sim.drain();
    assert_eq!(
        sim.last_request().via().unwrap().sent_by.to_string(),
        "[2001:db8::5]:5060"
    );
}

#[test]
fn a_request_is_repeated_until_its_answer_comes() {
    let mut sim = Sim::new();
    sim.send(outgoing(Method::REGISTER), UDP);
    sim.run_for(2 * T1);
    let sent = sim.last_request();
    sim.receive(UDP, answer(&sent, 200));
    sim.receive(UDP, answer(&sent, 200));
    sim.run_for(64 * T1);
    sim.receive(UDP, answer(&sent, 200));
    sim.expect("0 ms  send REGISTER\n500 ms  send REGISTER\n1000 ms  response 200");
    sim.expect_empty();
}

#[test]
fn every_success_of_a_call_is_told_also_of_another_branch_of_a_fork() {
    let mut sim = Sim::new();
    sim.send(outgoing(Method::INVITE), UDP);
    let invite = sim.last_request();
    sim.receive(UDP, answer(&invite, 180));
    sim.receive(UDP, answer(&invite, 200));
    sim.receive(UDP, answer(&invite, 200));
    sim.receive(UDP, invite.response(200, Some("b2")).to_bytes());
    sim.expect(
        "0 ms  send INVITE\n0 ms  response 180\n0 ms  response 200\n0 ms  response 200\n0 ms  response 200",
    );
    sim.endpoint
        .send_ack(outgoing(Method::ACK), flow(UDP).into())
        .unwrap();
    sim.drain();
    sim.expect("0 ms  send ACK");
    let ack = sim.last_request();
    assert_ne!(ack.via().unwrap().branch(), invite.via().unwrap().branch());
    sim.run_for(64 * T1);
    sim.expect_empty();
}

#[test]
fn a_refused_call_is_acknowledged_on_its_own_branch() {
    let mut sim = Sim::new();
    sim.send(outgoing(Method::INVITE), UDP);
    let invite = sim.last_request();
    sim.receive(UDP, answer(&invite, 486));
    let ack = sim.last_request();
    assert_eq!(ack.header("Via"), invite.header("Via"));
    assert_eq!(ack.to().unwrap().tag(), Some("b1"));
    sim.receive(UDP, answer(&invite, 486));
    sim.expect("0 ms  send INVITE\n0 ms  send ACK\n0 ms  response 486\n0 ms  send ACK");
    sim.run_for(64 * T1);
    sim.expect_empty();
}

#[test]
fn cancel_goes_out_with_the_first_provisional_response_and_its_answer_is_nobody_s() {
    let mut sim = Sim::new();
    let call = sim.send(outgoing(Method::INVITE), UDP);
    let invite = sim.last_request();
    let reason = "SIP;cause=200;text=\"Call completed elsewhere\"";
    sim.endpoint.cancel(call, Some(reason.to_owned()), sim.now);
    sim.drain();
    sim.expect("0 ms  send INVITE");
    sim.receive(UDP, answer(&invite, 180));
    let cancel = sim.last_request();
    assert_eq!(cancel.header("Via"), invite.header("Via"));
    assert_eq!(cancel.header("Reason"), Some(reason));
    sim.run_for(T1);
    sim.receive(UDP, answer(&cancel, 200));
    sim.receive(UDP, answer(&invite, 487));
    sim.expect(
        "
          0 ms  response 180
          0 ms  send CANCEL
        500 ms  send CANCEL
        500 ms  send ACK
        500 ms  response 487",
    );
    sim.run_for(64 * T1);
    sim.expect_empty();
}

#[test]
fn a_cancelled_call_that_stays_silent_fails_after_32_s() {
    let mut sim = Sim::new();
    let call = sim.send(outgoing(Method::INVITE), TCP);
    let invite = sim.last_request();
    sim.receive(TCP, answer(&invite, 180));
    sim.endpoint.cancel(call, None, sim.now);
    sim.drain();
    sim.run_for(64 * T1);
    sim.expect(
        "0 ms  send INVITE\n0 ms  response 180\n0 ms  send CANCEL\n32000 ms  failed Timeout",
    );
    sim.expect_empty();
}

#[test]
fn answers_to_nothing_are_dropped() {
    let mut sim = Sim::new();
    sim.send(outgoing(Method::OPTIONS), UDP);
    let sent = sim.last_request();
    sim.expect("0 ms  send OPTIONS");
    let right = String::from_utf8(answer(&sent, 200).to_vec()).unwrap();
    let second_via = right.replacen("\r\nFrom", "\r\nVia: SIP/2.0/UDP 192.0.2.9\r\nFrom", 1);
    for wrong in [
        right.replace("z9hG4bK", "z9hG4bK0"),
        right.replace("1 OPTIONS", "1 INFO"),
        right.replace("192.0.2.5", "192.0.2.6"),
        right.replace("CSeq: 1", "CSeq: 99999999999"),
        right.replace("Call-ID", "Call"),
        second_via,
    ] {
        assert_ne!(wrong, right);
        sim.receive(UDP, wrong);
        sim.expect("");
    }
    sim.receive(UDP, right);
    sim.expect("0 ms  response 200");
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let mut sim = Sim::with(EndpointConfig {
        max_transactions: 1,
        ..config()
    });
    let tls = flow(Transport::Tls).into();
    assert_eq!(
        sim.endpoint
            .send_request(outgoing(Method::OPTIONS), tls, sim.now),
        Err(EndpointError::NotAdvertised {
            transport: Transport::Tls
        })
    );
    for method in [Method::ACK, Method::CANCEL] {
        assert_eq!(
            sim.endpoint
                .send_request(outgoing(method.clone()), flow(UDP).into(), sim.now),
            Err(EndpointError::NoTransaction { method })
        );
    }
    sim.send(outgoing(Method::OPTIONS), UDP);
    assert_eq!(
        sim.endpoint
            .send_request(outgoing(Method::OPTIONS), flow(UDP).into(), sim.now),
        Err(EndpointError::Full)
    );
}

#[test]
fn a_request_that_does_not_leave_fails_at_once() {
    let mut sim = Sim::new();
    sim.send(outgoing(Method::INVITE), TCP);
    sim.endpoint.handle_transmit_failed(sim.sent[0].id, sim.now);
    sim.endpoint.handle_transmit_failed(sim.sent[0].id, sim.now);
    sim.drain();
    sim.expect("0 ms  send INVITE\n0 ms  failed Transport");
    sim.expect_empty();
}

#[test]
fn a_closed_connection_fails_the_requests_to_its_address_too() {
    let mut sim = Sim::new();
    let destination = Destination::Address {
        transport: TCP,
        peer: flow(TCP).peer,
        domain: None,
    };
    sim.endpoint
        .send_request(outgoing(Method::INVITE), destination, sim.now)
        .unwrap();
    sim.send(outgoing(Method::OPTIONS), UDP);
    sim.endpoint.handle_flow_closed(flow(TCP), sim.now);
    sim.drain();
    sim.expect("0 ms  send INVITE\n0 ms  send OPTIONS\n0 ms  failed Transport");
    assert_eq!(sim.endpoint.len(), 1);
}

#[test]
fn a_call_between_two_endpoints_leaves_nothing_behind() {
    let (mut caller, mut callee) = (Sim::new(), Sim::new());
    caller.send(outgoing(Method::INVITE), UDP);
    callee.receive(UDP, caller.sent[0].bytes.clone());
    let (transaction, request) = callee.request();
    callee.respond(transaction, request.response(180, Some("b1")));
    callee.respond(transaction, request.response(200, Some("b1")));
    for sent in callee.sent.clone() {
        caller.receive(UDP, sent.bytes);
    }
    let mut ack = outgoing(Method::ACK);
    ack.set_header("To", "<sip:bob@example.com>;tag=b1");
    caller.endpoint.send_ack(ack, flow(UDP).into()).unwrap();
    caller.drain();
    let ack = caller.sent.last().unwrap().bytes.clone();
    assert!(matches!(
        parse_datagram(ack.clone()),
        Ok(Message::Request(_))
    ));
    callee.receive(UDP, ack);
    callee.expect("0 ms  request INVITE\n0 ms  send 180\n0 ms  send 200\n0 ms  ack");
    for mut side in [caller, callee] {
        side.run_for(Duration::from_secs(32));
        side.expect_empty();
    }
}
