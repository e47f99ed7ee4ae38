use super::*;
use crate::transaction::ladder::{Sim, T1, TCP, UDP, request, response};

fn start(reliability: Reliability) -> Sim<ClientNonInvite> {
    Sim::start(|base, now, out| {
        ClientNonInvite::start(&request("OPTIONS"), reliability, base, now, out)
    })
}

fn receive(sim: &mut Sim<ClientNonInvite>, code: u16) {
    sim.input(&code.to_string(), |machine, now, out| {
        machine.handle_response(response("OPTIONS", code), now, out);
    });
}

#[test]
fn unanswered_request_backs_off_to_t2_and_times_out_after_32_s() {
    let mut sim = start(UDP);
    sim.run_for(64 * T1);
    sim.expect(
        "Terminated",
        "
            0 ms  send OPTIONS
          500 ms  send OPTIONS
         1500 ms  send OPTIONS
         3500 ms  send OPTIONS
         7500 ms  send OPTIONS
        11500 ms  send OPTIONS
        15500 ms  send OPTIONS
        19500 ms  send OPTIONS
        23500 ms  send OPTIONS
        27500 ms  send OPTIONS
        31500 ms  send OPTIONS
        32000 ms  fail Timeout",
    );
}

#[test]
fn reliable_transport_sends_once() {
    let mut sim = start(TCP);
    sim.run_for(64 * T1);
    sim.expect("Terminated", "0 ms  send OPTIONS\n32000 ms  fail Timeout");
}

#[test]
fn provisional_response_slows_retransmission_to_t2_but_keeps_timer_f() {
    let mut sim = start(UDP);
    sim.run_for(T1 / 2);
    receive(&mut sim, 100);
    sim.run_for(8 * T1);
    receive(&mut sim, 100);
    sim.run_for(64 * T1);
    sim.expect(
        "Terminated",
        "
            0 ms  send OPTIONS
          250 ms  > 100
          250 ms  deliver 100
          500 ms  send OPTIONS
         4250 ms  > 100
         4250 ms  deliver 100
         4500 ms  send OPTIONS
         8500 ms  send OPTIONS
        12500 ms  send OPTIONS
        16500 ms  send OPTIONS
        20500 ms  send OPTIONS
        24500 ms  send OPTIONS
        28500 ms  send OPTIONS
        32000 ms  fail Timeout",
    );
}

#[test]
fn final_response_is_delivered_once_and_repeats_are_absorbed_for_t4() {
    for before in [None, Some(100)] {
        let mut sim = start(UDP);
        if let Some(code) = before {
            receive(&mut sim, code);
        }
        receive(&mut sim, 200);
        sim.run_for(2 * T1);
        receive(&mut sim, 200);
        receive(&mut sim, 100);
        assert_eq!(sim.machine.state(), State::Completed);
        sim.run_for(8 * T1);
        let provisional = if before.is_some() {
            "0 ms  > 100\n0 ms  deliver 100"
        } else {
            ""
        };
        sim.expect(
            "Terminated",
            &format!(
                "0 ms  send OPTIONS\n{provisional}\n0 ms  > 200\n0 ms  deliver 200\n\
                 1000 ms  > 200\n1000 ms  > 100"
            ),
        );
    }
}

#[test]
fn failure_is_final_too() {
    let mut sim = start(UDP);
    receive(&mut sim, 503);
    sim.expect(
        "Completed",
        "0 ms  send OPTIONS\n0 ms  > 503\n0 ms  deliver 503",
    );
}

#[test]
fn final_response_over_a_reliable_transport_ends_at_once() {
    let mut sim = start(TCP);
    receive(&mut sim, 200);
    sim.expect(
        "Terminated",
        "0 ms  send OPTIONS\n0 ms  > 200\n0 ms  deliver 200",
    );
}

#[test]
fn transport_failure_is_told_unless_the_answer_is_here() {
    for before in [None, Some(100)] {
        let mut sim = start(UDP);
        if let Some(code) = before {
            receive(&mut sim, code);
        }
        sim.transport_failure();
        let provisional = if before.is_some() {
            "0 ms  > 100\n0 ms  deliver 100"
        } else {
            ""
        };
        sim.expect(
            "Terminated",
            &format!(
                "0 ms  send OPTIONS\n{provisional}\n0 ms  > transport failure\n0 ms  fail Transport"
            ),
        );
    }
    let mut sim = start(UDP);
    receive(&mut sim, 200);
    sim.transport_failure();
    assert_eq!(sim.machine.state(), State::Completed);
}
