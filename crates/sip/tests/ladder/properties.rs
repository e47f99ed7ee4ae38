//! What holds for every order of events: no deadline in the past, nothing left, no chance.

use std::time::Duration;

use proptest::prelude::*;
use sip::{EndpointEvent, Method, ServerTransaction, Transport};

use crate::harness::{Sim, flow, incoming, outgoing};

#[derive(Clone, Debug)]
enum Step {
    Receive {
        method: &'static str,
        branch: u8,
        transport: Transport,
    },
    Send {
        method: Method,
        transport: Transport,
    },
    /// Answers the request told as number `index`, if there is one.
    Respond {
        index: usize,
        code: u16,
    },
    RespondOnce {
        index: usize,
    },
    /// Lets the peer answer the message sent as number `index`, if it is a request.
    Answer {
        index: usize,
        code: u16,
        transport: Transport,
    },
    Fail {
        index: usize,
    },
    Cancel {
        index: usize,
    },
    Close,
    Wait {
        millis: u64,
    },
}

fn transport() -> impl Strategy<Value = Transport> {
    prop_oneof![Just(Transport::Udp), Just(Transport::Tcp)]
}

fn step() -> impl Strategy<Value = Step> {
    let methods = prop::sample::select(vec!["INVITE", "ACK", "CANCEL", "OPTIONS", "BYE"]);
    let own = prop::sample::select(vec![Method::INVITE, Method::REGISTER]);
    let code = || prop::sample::select(vec![100, 180, 200, 302, 404, 486, 603]);
    let index = || 0..6_usize;
    prop_oneof![
        4 => (methods, 0..4_u8, transport())
            .prop_map(|(method, branch, transport)| Step::Receive { method, branch, transport }),
        3 => (own, transport()).prop_map(|(method, transport)| Step::Send { method, transport }),
        4 => (index(), code()).prop_map(|(index, code)| Step::Respond { index, code }),
        1 => index().prop_map(|index| Step::RespondOnce { index }),
        4 => (index(), code(), transport())
            .prop_map(|(index, code, transport)| Step::Answer { index, code, transport }),
        1 => index().prop_map(|index| Step::Fail { index }),
        2 => index().prop_map(|index| Step::Cancel { index }),
        1 => Just(Step::Close),
        4 => (0..40_000_u64).prop_map(|millis| Step::Wait { millis }),
    ]
}

/// Plays `steps`; everything that went out, as bytes, and everything that was told.
fn play(steps: &[Step]) -> (Vec<bytes::Bytes>, Vec<EndpointEvent>) {
    let mut sim = Sim::new();
    let mut calls = Vec::new();
    for step in steps {
        apply(step, &mut sim, &mut calls);
        sim.drain();
        // A deadline that is due at once is run at once.
        sim.run_for(Duration::ZERO);
    }
    sim.run_for(Duration::from_secs(2_000));
    sim.expect_empty();
    (
        sim.sent.into_iter().map(|sent| sent.bytes).collect(),
        sim.events,
    )
}

fn apply(step: &Step, sim: &mut Sim, calls: &mut Vec<sip::ClientTransaction>) {
    match step {
        Step::Receive {
            method,
            branch,
            transport,
        } => {
            let text = incoming(method, &format!(";branch=z9hG4bK{branch}"));
            sim.receive(*transport, text.replace("c1", &format!("c{branch}")));
        }
        Step::Send { method, transport } => {
            calls.push(sim.send(outgoing(method.clone()), *transport));
        }
        Step::Respond { index, code } => {
            if let Some((transaction, request)) = told(sim, *index) {
                // A transaction that is over says so; that is one of the answers.
                let _ =
                    sim.endpoint
                        .respond(transaction, request.response(*code, Some("b1")), sim.now);
            }
        }
        Step::RespondOnce { index } => {
            if let Some((transaction, request)) = told(sim, *index) {
                let _ = sim
                    .endpoint
                    .respond_once(transaction, request.response(401, Some("b1")));
            }
        }
        Step::Answer {
            index,
            code,
            transport,
        } => {
            if let Some(sent) = sim.sent.get(*index)
                && let Ok(message) = sip::parse_datagram(sent.bytes.clone())
                && let Some(request) = message.into_request()
            {
                sim.receive(*transport, request.response(*code, Some("b1")).to_bytes());
            }
        }
        Step::Fail { index } => {
            if let Some(id) = sim.sent.get(*index).map(|sent| sent.id) {
                sim.endpoint.handle_transmit_failed(id, sim.now);
            }
        }
        Step::Cancel { index } => {
            if let Some(call) = calls.get(*index) {
                sim.endpoint.cancel(*call, None, sim.now);
            }
        }
        Step::Close => sim
            .endpoint
            .handle_flow_closed(flow(Transport::Tcp), sim.now),
        Step::Wait { millis } => sim.run_for(Duration::from_millis(*millis)),
    }
}

fn told(sim: &Sim, index: usize) -> Option<(ServerTransaction, sip::Request)> {
    sim.events
        .iter()
        .filter_map(|event| match event {
            EndpointEvent::Request {
                transaction,
                request,
                ..
            } => Some((*transaction, sip::Request::clone(request))),
            _ => None,
        })
        .nth(index)
}

proptest! {
    /// `Sim::run_for` checks after each timeout that the next deadline is later.
    #[test]
    fn every_order_of_events_ends_with_empty_tables(steps in prop::collection::vec(step(), 0..40)) {
        play(&steps);
    }

    #[test]
    fn same_seed_and_same_events_give_the_same_bytes(steps in prop::collection::vec(step(), 0..40)) {
        prop_assert_eq!(play(&steps), play(&steps));
    }

    #[test]
    fn arbitrary_bytes_neither_panic_nor_leave_anything(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut sim = Sim::new();
        sim.receive(Transport::Udp, bytes.clone());
        sim.receive(Transport::Tcp, bytes);
        sim.run_for(Duration::from_secs(2_000));
        sim.expect_empty();
    }
}
