use super::*;
use crate::transaction::ladder::{Sim, T1, TCP, UDP, answer, request};

fn start(reliability: Reliability) -> Sim<ServerInvite> {
    Sim::start(|base, now, _| {
        let head = Head::of(&request("INVITE"), "99");
        ServerInvite::start(head, reliability, base, now)
    })
}

fn respond(sim: &mut Sim<ServerInvite>, code: u16) {
    sim.input(&format!("respond {code}"), |machine, now, out| {
        machine.respond(code, answer("INVITE", code), now, out);
    });
}

fn invite(sim: &mut Sim<ServerInvite>) {
    sim.input("INVITE", ServerInvite::handle_invite);
}

fn ack(sim: &mut Sim<ServerInvite>) {
    sim.input("ACK", ServerInvite::handle_ack);
}

#[test]
fn a_silent_user_makes_the_transaction_send_trying_after_200_ms() {
    let mut sim = start(UDP);
    invite(&mut sim);
    sim.run_for(T1);
    invite(&mut sim);
    sim.expect(
        "Proceeding",
        "
          0 ms  > INVITE
        200 ms  send 100
        500 ms  > INVITE
        500 ms  send 100",
    );
}

#[test]
fn a_quick_user_makes_trying_unnecessary() {
    let mut sim = start(UDP);
    respond(&mut sim, 180);
    sim.run_for(T1);
    invite(&mut sim);
    respond(&mut sim, 183);
    invite(&mut sim);
    sim.expect(
        "Proceeding",
        "
          0 ms  > respond 180
          0 ms  send 180
        500 ms  > INVITE
        500 ms  send 180
        500 ms  > respond 183
        500 ms  send 183
        500 ms  > INVITE
        500 ms  send 183",
    );
}

#[test]
fn failure_is_retransmitted_until_the_ack_and_absorbs_acks_for_t4() {
    let mut sim = start(UDP);
    respond(&mut sim, 486);
    sim.run_for(4 * T1);
    invite(&mut sim);
    ack(&mut sim);
    ack(&mut sim);
    invite(&mut sim);
    respond(&mut sim, 200);
    sim.expect(
        "Confirmed",
        "
           0 ms  > respond 486
           0 ms  send 486
         500 ms  send 486
        1500 ms  send 486
        2000 ms  > INVITE
        2000 ms  send 486
        2000 ms  > ACK
        2000 ms  > ACK
        2000 ms  > INVITE
        2000 ms  > respond 200",
    );
    sim.run_for(10 * T1);
    assert_eq!(sim.machine.state(), State::Terminated);
    assert_eq!(sim.machine.poll_timeout(), None);
}

#[test]
fn a_failure_that_nobody_acknowledges_is_told_after_32_s() {
    let mut sim = start(UDP);
    respond(&mut sim, 404);
    sim.run_for(64 * T1);
    sim.expect(
        "Terminated",
        "
            0 ms  > respond 404
            0 ms  send 404
          500 ms  send 404
         1500 ms  send 404
         3500 ms  send 404
         7500 ms  send 404
        11500 ms  send 404
        15500 ms  send 404
        19500 ms  send 404
        23500 ms  send 404
        27500 ms  send 404
        31500 ms  send 404
        32000 ms  unacknowledged",
    );
}

#[test]
fn reliable_transport_sends_a_failure_once_and_ends_with_the_ack() {
    let mut sim = start(TCP);
    respond(&mut sim, 404);
    sim.run_for(10 * T1);
    ack(&mut sim);
    sim.expect(
        "Terminated",
        "0 ms  > respond 404\n0 ms  send 404\n5000 ms  > ACK",
    );
    let mut silent = start(TCP);
    respond(&mut silent, 404);
    silent.run_for(64 * T1);
    silent.expect(
        "Terminated",
        "0 ms  > respond 404\n0 ms  send 404\n32000 ms  unacknowledged",
    );
}

#[test]
fn success_is_repeated_by_the_user_only_and_absorbs_invites_for_32_s() {
    for reliability in [UDP, TCP] {
        let mut sim = start(reliability);
        respond(&mut sim, 200);
        sim.run_for(T1);
        invite(&mut sim);
        respond(&mut sim, 200);
        ack(&mut sim);
        respond(&mut sim, 486);
        sim.expect(
            "Accepted",
            "
              0 ms  > respond 200
              0 ms  send 200
            500 ms  > INVITE
            500 ms  > respond 200
            500 ms  send 200
            500 ms  > ACK
            500 ms  > respond 486",
        );
        sim.run_for(63 * T1);
        assert_eq!(sim.machine.state(), State::Terminated);
        assert_eq!(sim.machine.poll_timeout(), None);
    }
}

#[test]
fn a_user_who_never_answers_is_ended_by_the_guard() {
    let mut sim = start(TCP);
    respond(&mut sim, 180);
    sim.run_for(Duration::from_secs(300));
    ack(&mut sim);
    sim.expect(
        "Terminated",
        "
             0 ms  > respond 180
             0 ms  send 180
        300000 ms  unanswered
        300000 ms  send 408
        300000 ms  > ACK",
    );
}

#[test]
fn the_guard_s_response_is_retransmitted_like_any_other() {
    let mut sim = start(UDP);
    sim.run_for(Duration::from_secs(301));
    sim.expect(
        "Completed",
        "
           200 ms  send 100
        300000 ms  unanswered
        300000 ms  send 408
        300500 ms  send 408",
    );
}

#[test]
fn an_early_ack_means_nothing() {
    let mut sim = start(UDP);
    ack(&mut sim);
    sim.expect("Proceeding", "0 ms  > ACK");
}

#[test]
fn transport_failure_ends_every_state_and_tells_what_the_user_misses() {
    let mut proceeding = start(TCP);
    proceeding.transport_failure();
    proceeding.expect("Terminated", "0 ms  > transport failure\n0 ms  unanswered");
    let mut completed = start(TCP);
    respond(&mut completed, 486);
    completed.transport_failure();
    completed.expect(
        "Terminated",
        "0 ms  > respond 486\n0 ms  send 486\n0 ms  > transport failure\n0 ms  unacknowledged",
    );
    let mut accepted = start(TCP);
    respond(&mut accepted, 200);
    accepted.transport_failure();
    accepted.expect(
        "Terminated",
        "0 ms  > respond 200\n0 ms  send 200\n0 ms  > transport failure",
    );
    let mut confirmed = start(UDP);
    respond(&mut confirmed, 486);
    ack(&mut confirmed);
    confirmed.transport_failure();
    confirmed.expect(
        "Terminated",
        "0 ms  > respond 486\n0 ms  send 486\n0 ms  > ACK\n0 ms  > transport failure",
    );
}
