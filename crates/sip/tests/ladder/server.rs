//! Requests of others.

use std::time::Duration;

use sip::{EndpointConfig, EndpointError, EndpointEvent, Flow, Stateless, Transport};

use crate::harness::{Sim, T1, address, config, flow, incoming};

const BRANCH: &str = ";branch=z9hG4bK1";
const UDP: Transport = Transport::Udp;
const TCP: Transport = Transport::Tcp;

/// An ACK or CANCEL for the usual INVITE.
fn about(method: &str, branch: &str) -> String {
    incoming(method, branch)
}

#[test]
fn a_repeated_request_is_told_once_and_answered_again_with_the_same_bytes() {
    let mut sim = Sim::new();
    sim.receive(UDP, incoming("OPTIONS", BRANCH));
    sim.receive(UDP, incoming("OPTIONS", BRANCH));
    let (transaction, request) = sim.request();
    sim.respond(transaction, request.response(200, Some("b1")));
    sim.run_for(2 * T1);
    sim.receive(UDP, incoming("OPTIONS", BRANCH));
    sim.expect("0 ms  request OPTIONS\n0 ms  send 200\n1000 ms  send 200");
    assert_eq!(sim.sent[0].bytes, sim.sent[1].bytes);
    sim.run_for(64 * T1);
    sim.expect("");
    sim.expect_empty();
}

#[test]
fn a_call_rings_is_answered_and_acknowledged() {
    let mut sim = Sim::new();
    sim.receive(UDP, incoming("INVITE", BRANCH));
    sim.run_for(T1);
    let (transaction, request) = sim.request();
    sim.respond(transaction, request.response(180, Some("b1")));
    sim.run_for(T1);
    sim.respond(transaction, request.response(200, Some("b1")));
    sim.run_for(T1);
    sim.receive(UDP, incoming("INVITE", BRANCH));
    sim.respond(transaction, request.response(200, Some("b1")));
    sim.receive(UDP, about("ACK", ";branch=z9hG4bK2"));
    sim.expect(
        "
           0 ms  request INVITE
         200 ms  send 100
         500 ms  send 180
        1000 ms  send 200
        1500 ms  send 200
        1500 ms  ack",
    );
    let refused = sim
        .endpoint
        .respond(transaction, request.response(486, Some("b1")), sim.now);
    assert_eq!(refused, Err(EndpointError::Answered));
    sim.run_for(64 * T1);
    sim.expect_empty();
}

#[test]
fn a_refused_call_is_retransmitted_until_its_ack_which_is_absorbed() {
    let mut sim = Sim::new();
    sim.receive(UDP, incoming("INVITE", BRANCH));
    let (transaction, request) = sim.request();
    sim.respond(transaction, request.response(486, Some("b1")));
    sim.run_for(T1);
    sim.receive(UDP, about("ACK", BRANCH));
    sim.run_for(Duration::from_secs(5));
    sim.expect("0 ms  request INVITE\n0 ms  send 486\n500 ms  send 486");
    sim.expect_empty();
}

#[test]
fn a_missing_ack_is_told_after_32_s() {
    let mut sim = Sim::new();
    sim.receive(TCP, incoming("INVITE", BRANCH));
    let (transaction, request) = sim.request();
    sim.respond(transaction, request.response(486, Some("b1")));
    sim.run_for(64 * T1);
    sim.expect("0 ms  request INVITE\n0 ms  send 486\n32000 ms  unacknowledged");
    sim.expect_empty();
}

#[test]
fn cancel_is_answered_each_time_and_told_once() {
    let mut sim = Sim::new();
    sim.receive(UDP, incoming("INVITE", BRANCH));
    let (transaction, request) = sim.request();
    sim.respond(transaction, request.response(180, Some("b1")));
    sim.receive(UDP, about("CANCEL", BRANCH));
    sim.receive(UDP, about("CANCEL", BRANCH));
    assert_eq!(sim.last_response().to().unwrap().tag(), Some("b1"));
    assert_eq!(sim.last_response().header("CSeq"), Some("1 CANCEL"));
    sim.respond(transaction, request.response(487, Some("b1")));
    sim.receive(UDP, about("CANCEL", BRANCH));
    sim.receive(UDP, about("ACK", BRANCH));
    sim.expect(
        "
        0 ms  request INVITE
        0 ms  send 180
        0 ms  send 200
        0 ms  cancelled
        0 ms  send 200
        0 ms  send 487
        0 ms  send 200",
    );
    sim.run_for(64 * T1);
    sim.expect_empty();
}

#[test]
fn cancel_after_the_answer_changes_nothing() {
    let mut sim = Sim::new();
    sim.receive(UDP, incoming("INVITE", BRANCH));
    let (transaction, request) = sim.request();
    sim.respond(transaction, request.response(200, Some("b1")));
    sim.receive(UDP, about("CANCEL", BRANCH));
    sim.expect("0 ms  request INVITE\n0 ms  send 200\n0 ms  send 200");
}

#[test]
fn cancel_for_nothing_is_481_and_leaves_nothing() {
    let mut sim = Sim::new();
    sim.receive(UDP, about("CANCEL", BRANCH));
    sim.receive(UDP, incoming("OPTIONS", ";branch=z9hG4bK5"));
    sim.receive(UDP, about("CANCEL", ";branch=z9hG4bK5"));
    sim.expect("0 ms  send 481\n0 ms  request OPTIONS\n0 ms  send 481");
    sim.run_for(64 * T1);
    sim.expect_empty();
}

#[test]
fn an_ack_is_never_answered_however_broken() {
    let mut sim = Sim::new();
    let ack = about("ACK", BRANCH);
    sim.receive(UDP, ack.clone());
    sim.expect("0 ms  ack");
    for (from, to) in [
        ("CSeq: 1 ACK", "CSeq: 1 INVITE"),
        ("SIP/2.0\r\nVia", "SIP/9.0\r\nVia"),
        ("From:", "Frum:"),
        ("sip:bob@192.0.2.5 ", "nobody:knows "),
        ("Content-Length: 0", "Content-Length: 7"),
        ("ACK sip", "ACK  sip"),
    ] {
        let broken = ack.replacen(from, to, 1);
        assert_ne!(broken, ack);
        sim.receive(UDP, broken);
        sim.expect("");
    }
    sim.expect_empty();
}

#[test]
fn a_request_that_arrives_by_two_ways_is_merged() {
    let mut sim = Sim::new();
    sim.receive(UDP, incoming("INVITE", BRANCH));
    sim.receive(UDP, incoming("INVITE", ";branch=z9hG4bK2"));
    sim.expect("0 ms  request INVITE\n0 ms  send 482");
    // Inside a dialog, with another number, or from another caller it is no copy.
    let inside = incoming("INVITE", ";branch=z9hG4bK3")
        .replace("bob@example.com>", "bob@example.com>;tag=b1");
    sim.receive(UDP, inside);
    sim.receive(
        UDP,
        incoming("INVITE", ";branch=z9hG4bK4").replace("CSeq: 1", "CSeq: 2"),
    );
    sim.receive(
        UDP,
        incoming("INVITE", ";branch=z9hG4bK5").replace("tag=a1", "tag=a2"),
    );
    sim.expect("0 ms  request INVITE\n0 ms  request INVITE\n0 ms  request INVITE");
}

#[test]
fn requests_beyond_the_bound_get_503_once_and_known_ones_go_on() {
    let mut sim = Sim::with(EndpointConfig {
        max_transactions: 2,
        ..config()
    });
    for number in 1..=3 {
        let request = incoming("OPTIONS", &format!(";branch=z9hG4bK{number}"));
        sim.receive(UDP, request.replace("c1", &format!("c{number}")));
    }
    sim.expect("0 ms  request OPTIONS\n0 ms  request OPTIONS\n0 ms  send 503");
    assert_eq!(sim.last_response().header("Retry-After"), Some("5"));
    let (transaction, request) = sim.request();
    sim.respond(transaction, request.response(200, Some("b1")));
    sim.receive(
        UDP,
        incoming("OPTIONS", ";branch=z9hG4bK2").replace("c1", "c2"),
    );
    sim.run_for(64 * T1);
    sim.expect("0 ms  send 200\n0 ms  send 200\n32000 ms  unanswered");
    sim.expect_empty();
}

#[test]
fn answers_go_to_the_packet_s_source_whatever_via_claims() {
    let mut sim = Sim::new();
    let lie = incoming("OPTIONS", BRANCH).replace(
        "client.example:5060",
        "203.0.113.9:53;maddr=203.0.113.9;received=203.0.113.9",
    );
    sim.receive(UDP, lie);
    let (transaction, request) = sim.request();
    let via = request.via().unwrap();
    assert_eq!(via.received(), Some("198.51.100.7".parse().unwrap()));
    assert_eq!(via.params.value("rport"), Some("4711"));
    sim.respond(transaction, request.response(200, Some("b1")));
    assert_eq!(sim.sent[0].destination, flow(UDP).into());
    assert_eq!(sim.last_response().via().unwrap(), via);
}

#[test]
fn a_reply_without_transaction_is_never_much_longer_than_its_request() {
    let tiny =
        "X sip:a SIP/2.0\r\nv: SIP/2.0/UDP a\r\nf: sip:a\r\nt: sip:a\r\ni: 1\r\nCSeq: 1 Y\r\n\r\n";
    let mut sim = Sim::new();
    sim.receive(UDP, tiny);
    sim.expect("");
    // A connection proves the address, so there the answer may be as long as it must.
    sim.receive(TCP, tiny.replace("\r\n\r\n", "\r\nl: 0\r\n\r\n"));
    sim.expect("0 ms  send 400");
    sim.expect_empty();
}

#[test]
fn an_answer_given_once_leaves_nothing_behind() {
    let mut sim = Sim::new();
    sim.receive(UDP, incoming("INVITE", BRANCH));
    let (transaction, request) = sim.request();
    sim.endpoint
        .respond_once(transaction, request.response(407, Some("b1")))
        .unwrap();
    sim.drain();
    sim.expect_empty();
    sim.receive(UDP, about("ACK", BRANCH));
    sim.receive(UDP, incoming("INVITE", BRANCH));
    sim.expect("0 ms  request INVITE\n0 ms  send 407\n0 ms  ack\n0 ms  request INVITE");
    let again = sim
        .endpoint
        .respond_once(transaction, request.response(407, Some("b1")));
    assert_eq!(again, Err(EndpointError::Answered));
}

#[test]
fn an_answer_given_once_is_silence_where_it_would_amplify() {
    let mut sim = Sim::new();
    sim.receive(UDP, incoming("REGISTER", BRANCH));
    let (transaction, request) = sim.request();
    let mut response = request.response(401, Some("b1"));
    response.push_header(
        "WWW-Authenticate",
        format!("Digest realm=\"{}\"", "x".repeat(600)),
    );
    sim.endpoint.respond_once(transaction, response).unwrap();
    sim.drain();
    sim.expect("0 ms  request REGISTER");
    sim.expect_empty();
}

#[test]
fn senders_without_branch_are_told_apart_by_everything_else() {
    for branch in ["", ";branch=z9hG4bK", ";branch=old"] {
        let mut sim = Sim::new();
        let invite = incoming("INVITE", branch);
        sim.receive(UDP, invite.clone());
        sim.receive(UDP, invite.clone());
        let (transaction, request) = sim.request();
        sim.receive(UDP, invite.replace("a1", "a2").replace("c1", "c2"));
        sim.respond(transaction, request.response(486, Some("b1")));
        let ack = about("ACK", branch).replace("bob@example.com>", "bob@example.com>;tag=b1");
        sim.receive(UDP, ack);
        sim.run_for(Duration::from_millis(100));
        sim.expect("0 ms  request INVITE\n0 ms  request INVITE\n0 ms  send 486");
        sim.run_for(Duration::from_secs(400));
        sim.expect_empty();
    }
}

#[test]
fn branches_of_different_senders_and_methods_do_not_clash() {
    let mut sim = Sim::new();
    sim.receive(UDP, incoming("OPTIONS", BRANCH));
    sim.receive(UDP, incoming("INFO", BRANCH).replace("c1", "c2"));
    sim.receive(
        UDP,
        incoming("OPTIONS", BRANCH)
            .replace("client.example", "other.example")
            .replace("c1", "c3"),
    );
    sim.expect("0 ms  request OPTIONS\n0 ms  request INFO\n0 ms  request OPTIONS");
    sim.receive(
        UDP,
        incoming("OPTIONS", BRANCH).replace("client.example", "CLIENT.example"),
    );
    sim.expect("");
}

#[test]
fn a_closed_flow_ends_what_it_carried_and_nothing_else() {
    let mut sim = Sim::new();
    let other = Flow {
        generation: 2,
        peer: address("198.51.100.7:4712"),
        ..flow(TCP)
    };
    sim.receive(TCP, incoming("INVITE", BRANCH));
    sim.receive_on(
        other,
        incoming("INVITE", ";branch=z9hG4bK2").replace("c1", "c2"),
    );
    let reused = Flow {
        generation: 3,
        ..flow(TCP)
    };
    sim.endpoint.handle_flow_closed(reused, sim.now);
    sim.drain();
    sim.expect("0 ms  request INVITE\n0 ms  request INVITE");
    sim.endpoint.handle_flow_closed(flow(TCP), sim.now);
    sim.drain();
    sim.expect("0 ms  unanswered");
    assert_eq!(sim.endpoint.len(), 1);
    sim.endpoint.handle_flow_closed(other, sim.now);
    sim.drain();
    sim.expect_empty();
}

#[test]
fn a_user_who_never_answers_loses_the_transaction() {
    let mut sim = Sim::new();
    sim.receive(TCP, incoming("INVITE", BRANCH));
    sim.receive(TCP, incoming("BYE", ";branch=z9hG4bK2"));
    sim.run_for(Duration::from_secs(1_000));
    sim.expect(
        "
             0 ms  request INVITE
             0 ms  request BYE
           200 ms  send 100
         32000 ms  unanswered
        300000 ms  unanswered
        300000 ms  send 408
        332000 ms  unacknowledged",
    );
    sim.expect_empty();
}

#[test]
fn refusals_have_the_same_tag_for_each_copy() {
    let mut sim = Sim::new();
    let broken = incoming("INVITE", BRANCH).replace("CSeq: 1 INVITE", "CSeq: 1 BYE");
    sim.receive(UDP, broken.clone());
    sim.receive(UDP, broken.clone());
    sim.receive(UDP, broken.replace("c1", "c2"));
    sim.expect("0 ms  send 400\n0 ms  send 400\n0 ms  send 400");
    assert_eq!(sim.sent[0].bytes, sim.sent[1].bytes);
    assert_ne!(sim.sent[1].bytes, sim.sent[2].bytes);
}

#[test]
fn a_failed_transmission_of_an_answer_is_told_as_far_as_it_matters() {
    let mut sim = Sim::new();
    sim.receive(TCP, incoming("INVITE", BRANCH));
    let (transaction, request) = sim.request();
    sim.respond(transaction, request.response(180, Some("b1")));
    sim.endpoint.handle_transmit_failed(sim.sent[0].id, sim.now);
    sim.drain();
    sim.expect("0 ms  request INVITE\n0 ms  send 180\n0 ms  unanswered");
    assert_eq!(
        sim.events.last(),
        Some(&EndpointEvent::Unanswered { transaction })
    );
    sim.expect_empty();
}

#[test]
fn stray_bytes_are_dropped() {
    let mut sim = Sim::new();
    for bytes in [
        "",
        "\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "SIP/2.0 200 OK\r\n\r\n",
        "\0\0\0\0",
    ] {
        sim.receive(UDP, bytes);
    }
    sim.expect("");
    sim.expect_empty();
}

#[test]
fn a_request_that_the_owner_wants_stateless_leaves_nothing_and_comes_with_each_copy() {
    let mut sim = Sim::with(EndpointConfig {
        stateless: Some(Stateless::new(|request, _| {
            request.header("Authorization").is_none()
        })),
        ..config()
    });
    let invite = incoming("INVITE", BRANCH);
    sim.receive(UDP, invite.clone());
    sim.receive(UDP, invite.clone());
    sim.receive(UDP, about("ACK", BRANCH));
    sim.receive(UDP, about("CANCEL", BRANCH));
    sim.expect("0 ms  stateless INVITE\n0 ms  stateless INVITE\n0 ms  ack\n0 ms  send 481");
    let Some(EndpointEvent::Stateless {
        request,
        flow: from,
        bytes,
    }) = sim.events.first().cloned()
    else {
        panic!("the first is stateless");
    };
    assert_eq!((from, bytes), (flow(UDP), invite.len()));
    assert_eq!(
        request.via().unwrap().received(),
        Some("198.51.100.7".parse().unwrap())
    );
    let tag = sim.endpoint.stateless_tag(&request);
    let mut response = request.response(407, Some(&tag));
    sim.endpoint.reply(from, bytes, &response).unwrap();
    response.push_header("X", "x".repeat(bytes));
    assert_eq!(
        sim.endpoint.reply(from, bytes, &response),
        Err(EndpointError::Amplifies)
    );
    sim.drain();
    sim.expect("0 ms  send 407");
    sim.expect_empty();
    sim.receive(
        UDP,
        invite.replace("Call-ID", "Authorization: Digest\r\nCall-ID"),
    );
    sim.expect("0 ms  request INVITE");
    let (transaction, _) = sim.request();
    assert!(sim.endpoint.forget(transaction).is_some());
    assert!(sim.endpoint.forget(transaction).is_none());
    sim.expect_empty();
}
