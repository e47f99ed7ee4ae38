//! Requests that are too large for a datagram.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use sip::{Destination, EndpointConfig, EndpointEvent, Method, Request, Target, Transport};

use crate::harness::{Sim, config, flow, outgoing};

const UDP: Transport = Transport::Udp;
const TCP: Transport = Transport::Tcp;

fn target() -> Destination {
    Target::new(UDP, flow(UDP).peer).into()
}

/// A request that needs about so many bytes.
fn long(method: Method, bytes: usize) -> Request {
    let mut request = outgoing(method);
    request.set_body("text/plain", "x".repeat(bytes));
    request
}

fn send(sim: &mut Sim, request: Request) -> sip::ClientTransaction {
    let transaction = sim.endpoint.send_request(request, target(), sim.now);
    sim.drain();
    transaction.unwrap()
}

fn transports(sim: &Sim) -> Vec<Transport> {
    sim.sent
        .iter()
        .map(|transmit| transmit.destination.transport())
        .collect()
}

fn via(sim: &Sim) -> String {
    sim.last_request().via().unwrap().protocol.clone()
}

#[test]
fn a_large_request_goes_to_a_stream_and_its_via_says_so() {
    let mut sim = Sim::new();
    send(&mut sim, long(Method::MESSAGE, 200));
    assert_eq!(transports(&sim), [UDP]);
    send(&mut sim, long(Method::MESSAGE, 1_300));
    assert_eq!(transports(&sim), [UDP, TCP]);
    assert_eq!(via(&sim), "TCP");
    assert_eq!(sim.sent[1].destination.peer(), target().peer());
}

#[test]
fn the_bound_is_where_the_message_with_everything_added_is_1300_bytes() {
    let mut sim = Sim::new();
    let mut largest = 0;
    for bytes in 700..1_300 {
        send(&mut sim, long(Method::MESSAGE, bytes));
        let sent = sim.sent.last().unwrap();
        if sent.destination.transport() == UDP {
            largest = largest.max(sent.bytes.len());
        }
    }
    assert!((1_200..=1_300).contains(&largest), "{largest}");
}

#[test]
fn without_a_connection_it_is_a_datagram_after_all_under_the_same_transaction() {
    let mut sim = Sim::new();
    let transaction = send(&mut sim, long(Method::INVITE, 2_000));
    let id = sim.sent[0].id;
    sim.endpoint.handle_transmit_failed(id, sim.now);
    sim.drain();
    assert_eq!(transports(&sim), [TCP, UDP]);
    assert_eq!(via(&sim), "UDP");
    assert_eq!(sim.sent[1].id, id);
    assert!(sim.events.is_empty());

    let busy = sim.last_request().response(486, Some("b1")).to_bytes();
    sim.receive(UDP, busy);
    assert!(sim.events.iter().any(|event| matches!(
        event,
        EndpointEvent::Response { transaction: own, .. } if *own == transaction
    )));
}

#[test]
fn an_address_without_tcp_is_not_asked_again_for_a_while() {
    let mut sim = Sim::new();
    send(&mut sim, long(Method::MESSAGE, 2_000));
    let id = sim.sent[0].id;
    sim.endpoint.handle_transmit_failed(id, sim.now);
    sim.drain();
    send(&mut sim, long(Method::MESSAGE, 2_000));
    assert_eq!(transports(&sim), [TCP, UDP, UDP]);
    sim.now += std::time::Duration::from_secs(601);
    send(&mut sim, long(Method::MESSAGE, 2_000));
    assert_eq!(transports(&sim), [TCP, UDP, UDP, TCP]);
}

#[test]
fn what_has_been_answered_or_given_up_is_not_sent_in_another_way() {
    let mut sim = Sim::new();
    let ringing = send(&mut sim, long(Method::INVITE, 2_000));
    let response = sim.last_request().response(180, Some("b1")).to_bytes();
    sim.receive(TCP, response);
    let id = sim.sent[0].id;
    sim.endpoint.handle_transmit_failed(id, sim.now);
    sim.drain();
    assert_eq!(transports(&sim), [TCP]);

    let given_up = send(&mut sim, long(Method::INVITE, 2_000));
    sim.endpoint.cancel(given_up, None, sim.now);
    let id = sim.sent[1].id;
    sim.endpoint.handle_transmit_failed(id, sim.now);
    sim.drain();
    assert_eq!(transports(&sim), [TCP, TCP]);
    let failed: Vec<_> = sim
        .events
        .iter()
        .filter_map(|event| match event {
            EndpointEvent::Failed { transaction, .. } => Some(*transaction),
            _ => None,
        })
        .collect();
    assert_eq!(failed, [ringing, given_up]);
}

#[test]
fn a_flow_or_a_phone_without_tcp_gets_a_datagram_of_any_size() {
    let mut sim = Sim::new();
    sim.send(long(Method::MESSAGE, 2_000), UDP);
    assert_eq!(transports(&sim), [UDP]);

    let mut only_udp = config();
    only_udp
        .advertised
        .retain(|(transport, _)| *transport == UDP);
    let mut sim = Sim::with(EndpointConfig { ..only_udp });
    send(&mut sim, long(Method::MESSAGE, 2_000));
    assert_eq!(transports(&sim), [UDP]);
}
