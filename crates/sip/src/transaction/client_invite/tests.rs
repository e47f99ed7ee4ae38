use super::*;
use crate::transaction::ladder::{Sim, T1, TCP, UDP, request, response};

fn start(reliability: Reliability) -> Sim<ClientInvite> {
    Sim::start(|base, now, out| {
        ClientInvite::start(&request("INVITE"), reliability, base, now, out)
    })
}

fn receive(sim: &mut Sim<ClientInvite>, code: u16) {
    sim.input(&code.to_string(), |machine, now, out| {
        machine.handle_response(response("INVITE", code), now, out);
    });
}

fn cancel(sim: &mut Sim<ClientInvite>) {
    sim.input("cancel", ClientInvite::handle_cancel);
}

#[test]
fn unanswered_invite_backs_off_and_times_out_after_32_s() {
    let mut sim = start(UDP);
    sim.run_for(64 * T1);
    sim.expect(
        "Terminated",
        "
            0 ms  send INVITE
          500 ms  send INVITE
         1500 ms  send INVITE
         3500 ms  send INVITE
         7500 ms  send INVITE
        15500 ms  send INVITE
        31500 ms  send INVITE
        32000 ms  fail Timeout",
    );
}

#[test]
fn reliable_transport_sends_once() {
    let mut sim = start(TCP);
    sim.run_for(64 * T1);
    sim.expect("Terminated", "0 ms  send INVITE\n32000 ms  fail Timeout");
}

#[test]
fn provisional_response_stops_retransmission_and_timer_b() {
    let mut sim = start(UDP);
    sim.run_for(T1 / 2);
    receive(&mut sim, 100);
    sim.run_for(100 * T1);
    receive(&mut sim, 180);
    sim.expect(
        "Proceeding",
        "
            0 ms  send INVITE
          250 ms  > 100
          250 ms  deliver 100
        50250 ms  > 180
        50250 ms  deliver 180",
    );
}

#[test]
fn success_is_delivered_each_time_and_never_acknowledged_here() {
    for reliability in [UDP, TCP] {
        let mut sim = start(reliability);
        receive(&mut sim, 200);
        sim.run_for(4 * T1);
        receive(&mut sim, 200);
        receive(&mut sim, 180);
        receive(&mut sim, 486);
        sim.expect(
            "Accepted",
            "
               0 ms  send INVITE
               0 ms  > 200
               0 ms  deliver 200
            2000 ms  > 200
            2000 ms  deliver 200
            2000 ms  > 180
            2000 ms  > 486",
        );
        assert!(sim.machine.request().is_none());
        sim.run_for(60 * T1);
        assert_eq!(sim.machine.state(), State::Terminated);
        assert_eq!(sim.machine.poll_timeout(), None);
    }
}

#[test]
fn success_after_ringing_is_accepted() {
    let mut sim = start(UDP);
    receive(&mut sim, 180);
    receive(&mut sim, 200);
    sim.run_for(64 * T1);
    sim.expect(
        "Terminated",
        "
        0 ms  send INVITE
        0 ms  > 180
        0 ms  deliver 180
        0 ms  > 200
        0 ms  deliver 200",
    );
}

#[test]
fn failure_is_acknowledged_each_time_and_delivered_once() {
    let mut sim = start(UDP);
    receive(&mut sim, 180);
    receive(&mut sim, 486);
    sim.run_for(2 * T1);
    receive(&mut sim, 486);
    receive(&mut sim, 180);
    receive(&mut sim, 200);
    sim.expect(
        "Completed",
        "
           0 ms  send INVITE
           0 ms  > 180
           0 ms  deliver 180
           0 ms  > 486
           0 ms  send ACK
           0 ms  deliver 486
        1000 ms  > 486
        1000 ms  send ACK
        1000 ms  > 180
        1000 ms  > 200",
    );
    assert!(sim.machine.request().is_none());
    sim.run_for(62 * T1);
    assert_eq!(sim.machine.state(), State::Terminated);
}

#[test]
fn failure_straight_from_calling_lingers_for_32_s_over_udp() {
    let mut sim = start(UDP);
    receive(&mut sim, 404);
    sim.run_for(64 * T1 - Duration::from_millis(1));
    sim.expect(
        "Completed",
        "0 ms  send INVITE\n0 ms  > 404\n0 ms  send ACK\n0 ms  deliver 404",
    );
    sim.run_for(Duration::from_millis(1));
    assert_eq!(sim.machine.state(), State::Terminated);
}

#[test]
fn failure_over_a_reliable_transport_ends_at_once() {
    let mut sim = start(TCP);
    receive(&mut sim, 404);
    sim.expect(
        "Terminated",
        "0 ms  send INVITE\n0 ms  > 404\n0 ms  send ACK\n0 ms  deliver 404",
    );
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let mut sim = start(UDP);
    cancel(&mut sim);
    sim.run_for(T1);
    receive(&mut sim, 100);
    receive(&mut sim, 180);
    receive(&mut sim, 487);
    sim.run_for(64 * T1);
    sim.expect(
        "Terminated",
        "
          0 ms  send INVITE
          0 ms  > cancel
        500 ms  send INVITE
        500 ms  > 100
        500 ms  deliver 100
        500 ms  cancel
        500 ms  > 180
        500 ms  deliver 180
        500 ms  > 487
        500 ms  send ACK
        500 ms  deliver 487",
    );
}

#[test]
fn cancelled_call_without_final_response_ends_after_32_s() {
    let mut sim = start(UDP);
    receive(&mut sim, 180);
    cancel(&mut sim);
    cancel(&mut sim);
    sim.run_for(10 * T1);
    receive(&mut sim, 180);
    sim.run_for(54 * T1);
    sim.expect(
        "Terminated",
        "
            0 ms  send INVITE
            0 ms  > 180
            0 ms  deliver 180
            0 ms  > cancel
            0 ms  cancel
            0 ms  > cancel
         5000 ms  > 180
         5000 ms  deliver 180
        32000 ms  fail Timeout",
    );
}

#[test]
fn cancel_after_the_final_response_does_nothing() {
    let mut sim = start(UDP);
    receive(&mut sim, 200);
    cancel(&mut sim);
    sim.expect(
        "Accepted",
        "0 ms  send INVITE\n0 ms  > 200\n0 ms  deliver 200\n0 ms  > cancel",
    );
}

#[test]
fn a_success_that_crosses_the_cancel_is_delivered() {
    let mut sim = start(UDP);
    receive(&mut sim, 180);
    cancel(&mut sim);
    receive(&mut sim, 200);
    sim.run_for(64 * T1);
    sim.expect(
        "Terminated",
        "
        0 ms  send INVITE
        0 ms  > 180
        0 ms  deliver 180
        0 ms  > cancel
        0 ms  cancel
        0 ms  > 200
        0 ms  deliver 200",
    );
}

#[test]
fn a_call_that_only_rings_is_cancelled_by_timer_c() {
    let mut sim = start(UDP);
    receive(&mut sim, 180);
    sim.run_for(Duration::from_secs(200));
    receive(&mut sim, 180);
    sim.run_for(Duration::from_secs(300));
    sim.run_for(64 * T1);
    sim.expect(
        "Terminated",
        "
             0 ms  send INVITE
             0 ms  > 180
             0 ms  deliver 180
        200000 ms  > 180
        200000 ms  deliver 180
        500000 ms  cancel
        532000 ms  fail Timeout",
    );
}

#[test]
fn transport_failure_is_told_once_and_only_before_a_final_response() {
    let mut calling = start(UDP);
    calling.transport_failure();
    calling.transport_failure();
    calling.expect(
        "Terminated",
        "0 ms  send INVITE\n0 ms  > transport failure\n0 ms  fail Transport\n0 ms  > transport failure",
    );
    let mut completed = start(UDP);
    receive(&mut completed, 486);
    completed.transport_failure();
    completed.expect(
        "Terminated",
        "0 ms  send INVITE\n0 ms  > 486\n0 ms  send ACK\n0 ms  deliver 486\n0 ms  > transport failure",
    );
}

#[test]
fn ack_and_cancel_repeat_the_invite_hop_by_hop() {
    let invite = request("INVITE");
    let ack = ack_for(&invite, &response("INVITE", 486));
    assert_eq!(
        ack.to_bytes(),
        "ACK sip:bob@biloxi.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK77\r\n\
         Route: <sip:p1.example;lr>\r\n\
         Max-Forwards: 70\r\n\
         From: Alice <sip:alice@atlanta.example>;tag=88\r\n\
         Call-ID: 77@192.0.2.1\r\n\
         CSeq: 314 ACK\r\n\
         To: Bob <sip:bob@biloxi.example>;tag=99\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let cancel = cancel_for(
        &invite,
        Some("SIP;cause=200;text=\"Call completed elsewhere\""),
    );
    assert_eq!(cancel.header("To"), invite.header("To"));
    assert_eq!(cancel.header("CSeq"), Some("314 CANCEL"));
    assert_eq!(cancel.header("Via"), invite.header("Via"));
    assert!(
        cancel
            .header("Reason")
            .is_some_and(|reason| reason.contains("elsewhere"))
    );
    assert!(cancel.header("Contact").is_none());
}
