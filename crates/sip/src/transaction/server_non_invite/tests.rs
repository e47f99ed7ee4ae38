use super::*;
use crate::transaction::ladder::{Sim, T1, TCP, UDP, answer};

fn start(reliability: Reliability) -> Sim<ServerNonInvite> {
    Sim::start(|base, now, _| ServerNonInvite::start(reliability, base, now))
}

fn respond(sim: &mut Sim<ServerNonInvite>, code: u16) {
    sim.input(&format!("respond {code}"), |machine, now, out| {
        machine.respond(code, answer("REGISTER", code), now, out);
    });
}

fn again(sim: &mut Sim<ServerNonInvite>) {
    sim.input("REGISTER", ServerNonInvite::handle_request);
}

#[test]
fn repeats_are_absorbed_until_there_is_something_to_repeat() {
    let mut sim = start(UDP);
    again(&mut sim);
    respond(&mut sim, 100);
    again(&mut sim);
    respond(&mut sim, 200);
    again(&mut sim);
    respond(&mut sim, 403);
    again(&mut sim);
    sim.run_for(64 * T1 - T1);
    again(&mut sim);
    sim.expect(
        "Completed",
        "
            0 ms  > REGISTER
            0 ms  > respond 100
            0 ms  send 100
            0 ms  > REGISTER
            0 ms  send 100
            0 ms  > respond 200
            0 ms  send 200
            0 ms  > REGISTER
            0 ms  send 200
            0 ms  > respond 403
            0 ms  > REGISTER
            0 ms  send 200
        31500 ms  > REGISTER
        31500 ms  send 200",
    );
    sim.run_for(T1);
    assert_eq!(sim.machine.state(), State::Terminated);
    assert_eq!(sim.machine.poll_timeout(), None);
}

#[test]
fn final_response_straight_from_trying_lingers_for_32_s_over_udp_only() {
    let mut unreliable = start(UDP);
    respond(&mut unreliable, 200);
    unreliable.expect("Completed", "0 ms  > respond 200\n0 ms  send 200");
    let mut reliable = start(TCP);
    respond(&mut reliable, 200);
    reliable.expect("Terminated", "0 ms  > respond 200\n0 ms  send 200");
}

#[test]
fn a_user_who_never_answers_is_ended_in_silence_after_32_s() {
    for provisional in [false, true] {
        let mut sim = start(UDP);
        if provisional {
            sim.run_for(10 * T1);
            respond(&mut sim, 100);
        }
        sim.run_for(64 * T1);
        let told = if provisional {
            "5000 ms  > respond 100\n5000 ms  send 100\n"
        } else {
            ""
        };
        sim.expect("Terminated", &format!("{told}32000 ms  unanswered"));
    }
}

#[test]
fn transport_failure_is_told_unless_the_answer_is_given() {
    let mut trying = start(TCP);
    trying.transport_failure();
    trying.expect("Terminated", "0 ms  > transport failure\n0 ms  unanswered");
    let mut completed = start(UDP);
    respond(&mut completed, 200);
    completed.transport_failure();
    completed.expect(
        "Terminated",
        "0 ms  > respond 200\n0 ms  send 200\n0 ms  > transport failure",
    );
}
