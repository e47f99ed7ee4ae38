//! Calls from the first request to the last response.

use sip::Transport;
use ua::{CallFailure, EndReason};

use crate::world::{ALICE, BOB, World};

#[test]
fn basic_call_goes_by_the_book() {
    let mut world = World::new(&["alice", "bob"]);
    let call = world.dial(ALICE, BOB);
    world.run_ms(50);
    world.ring(BOB);
    world.run_ms(1_950);
    world.answer(BOB);
    world.run_ms(3_000);
    world.hang_up(ALICE, call);
    world.run_ms(1_000);
    world.expect(
        "
           0 ms alice > bob INVITE sdp
          10 ms bob: Incoming sendrecv
          50 ms bob > alice 180 INVITE
          60 ms alice: Progress 180
        2000 ms bob > alice 200 INVITE sdp
        2010 ms alice > bob ACK
        2010 ms alice: Answered sendrecv
        2020 ms bob: Confirmed
        5000 ms alice > bob BYE
        5000 ms alice: Ended LocalHangUp
        5010 ms bob > alice 200 BYE
        5010 ms bob: Ended RemoteHangUp",
    );
    world.finish();
}

#[test]
fn callee_hangs_up() {
    let mut world = World::new(&["alice", "bob"]);
    let (_, bob) = world.connect();
    world.hang_up(BOB, bob);
    world.run_ms(100);
    world.expect(
        "
        2000 ms bob > alice BYE
        2000 ms bob: Ended LocalHangUp
        2010 ms alice > bob 200 BYE
        2010 ms alice: Ended RemoteHangUp",
    );
    world.finish();
}

#[test]
fn early_media_is_told_with_its_answer() {
    let mut world = World::new(&["alice", "bob"]);
    let call = world.dial(ALICE, BOB);
    world.run_ms(100);
    let description = world.agents[BOB].description(sdp::Direction::SendRecv);
    let (now, bob) = (world.now, world.agents[BOB].incoming.unwrap());
    let agent = &mut world.agents[BOB];
    agent
        .calls
        .progress(bob, 183, Some(description.into()), &mut agent.endpoint, now)
        .unwrap();
    world.run_ms(900);
    world.answer(BOB);
    world.run_ms(100);
    world.hang_up(ALICE, call);
    world.run_ms(100);
    world.expect(
        "
           0 ms alice > bob INVITE sdp
          10 ms bob: Incoming sendrecv
         100 ms bob > alice 183 INVITE sdp
         110 ms alice > bob PRACK
         110 ms alice: Progress 183 sendrecv
         120 ms bob > alice 200 PRACK
        1000 ms bob > alice 200 INVITE
        1010 ms alice > bob ACK
        1010 ms alice: Answered sendrecv
        1020 ms bob: Confirmed
        1100 ms alice > bob BYE
        1100 ms alice: Ended LocalHangUp
        1110 ms bob > alice 200 BYE
        1110 ms bob: Ended RemoteHangUp",
    );
    world.finish();
}

#[test]
fn busy_ends_with_its_reason() {
    let mut world = World::new(&["alice", "bob"]);
    world.dial(ALICE, BOB);
    world.run_ms(50);
    world.reject(BOB, 486);
    world.run_ms(50);
    world.expect(
        "
           0 ms alice > bob INVITE sdp
          10 ms bob: Incoming sendrecv
          50 ms bob > alice 486 INVITE
          50 ms bob: Ended LocalHangUp
          60 ms alice > bob ACK
          60 ms alice: Ended: The other side is busy.",
    );
    world.finish();
}

#[test]
fn caller_gives_up_while_it_rings() {
    let mut world = World::new(&["alice", "bob"]);
    let call = world.dial(ALICE, BOB);
    world.run_ms(100);
    world.ring(BOB);
    world.run_ms(900);
    world.hang_up(ALICE, call);
    world.run_ms(100);
    world.expect(
        "
           0 ms alice > bob INVITE sdp
          10 ms bob: Incoming sendrecv
         100 ms bob > alice 180 INVITE
         110 ms alice: Progress 180
        1000 ms alice > bob CANCEL
        1000 ms alice: Ended LocalHangUp
        1010 ms bob > alice 200 CANCEL
        1010 ms bob > alice 487 INVITE
        1010 ms bob: Ended Cancelled
        1020 ms alice > bob ACK",
    );
    world.finish();
}

#[test]
fn hang_up_before_any_response_waits_for_one() {
    let mut world = World::new(&["alice", "bob"]);
    let call = world.dial(ALICE, BOB);
    world.run_ms(5);
    world.hang_up(ALICE, call);
    world.run_ms(400);
    world.expect(
        "
           0 ms alice > bob INVITE sdp
           5 ms alice: Ended LocalHangUp
          10 ms bob: Incoming sendrecv
         210 ms bob > alice 100 INVITE
         220 ms alice > bob CANCEL
         230 ms bob > alice 200 CANCEL
         230 ms bob > alice 487 INVITE
         230 ms bob: Ended Cancelled
         240 ms alice > bob ACK",
    );
    world.finish();
}

#[test]
fn cancel_that_crosses_the_answer_ends_with_bye() {
    let mut world = World::new(&["alice", "bob"]);
    let call = world.dial(ALICE, BOB);
    world.run_ms(100);
    world.ring(BOB);
    world.run_ms(900);
    world.answer(BOB);
    world.run_ms(5);
    world.hang_up(ALICE, call);
    world.run_ms(100);
    world.expect(
        "
           0 ms alice > bob INVITE sdp
          10 ms bob: Incoming sendrecv
         100 ms bob > alice 180 INVITE
         110 ms alice: Progress 180
        1000 ms bob > alice 200 INVITE sdp
        1005 ms alice > bob CANCEL
        1005 ms alice: Ended LocalHangUp
        1010 ms alice > bob ACK
        1010 ms alice > bob BYE
        1015 ms bob > alice 200 CANCEL
        1020 ms bob: Confirmed
        1020 ms bob > alice 200 BYE
        1020 ms bob: Ended RemoteHangUp",
    );
    assert_eq!(world.agents[ALICE].ends, [EndReason::LocalHangUp]);
    world.finish();
}

#[test]
fn nobody_answers_for_three_minutes() {
    let mut world = World::new(&["alice", "bob"]);
    world.dial(ALICE, BOB);
    world.run_ms(100);
    world.ring(BOB);
    world.run_ms(185_000);
    world.expect(
        "
             0 ms alice > bob INVITE sdp
            10 ms bob: Incoming sendrecv
           100 ms bob > alice 180 INVITE
           110 ms alice: Progress 180
         60100 ms bob > alice 180 INVITE
         60110 ms alice: Progress 180
        120100 ms bob > alice 180 INVITE
        120110 ms alice: Progress 180
        180100 ms bob > alice 180 INVITE
        180110 ms alice: Progress 180
        181000 ms alice > bob CANCEL
        181000 ms alice: Ended: Nobody answered.
        181010 ms bob > alice 200 CANCEL
        181010 ms bob > alice 487 INVITE
        181010 ms bob: Ended Cancelled
        181020 ms alice > bob ACK",
    );
    world.finish();
}

#[test]
fn server_that_is_down_times_out_after_32_s() {
    let mut world = World::new(&["alice", "bob"]);
    world.net.lose_if(|_| true);
    world.dial(ALICE, BOB);
    world.run_ms(40_000);
    assert_eq!(
        world.agents[ALICE].ends,
        [EndReason::Failed(CallFailure::Timeout)]
    );
    world.finish();
}

#[test]
fn closed_port_is_unreachable_at_once() {
    let mut world = World::new(&["alice", "bob"]);
    world.closed.push(world.agents[BOB].address);
    world.dial(ALICE, BOB);
    assert_eq!(
        world.agents[ALICE].ends,
        [EndReason::Failed(CallFailure::Unreachable)]
    );
    world.finish();
}

#[test]
fn call_without_offer_gets_its_answer_in_the_ack() {
    let mut world = World::new(&["alice", "bob"]);
    let dial = world.dial_to(ALICE, BOB);
    let call = world.place(ALICE, dial);
    world.run_ms(100);
    world.answer(BOB);
    world.run_ms(100);
    let answer = world.agents[ALICE].description(sdp::Direction::SendRecv);
    let now = world.now;
    let agent = &mut world.agents[ALICE];
    agent
        .calls
        .acknowledge(call, answer.into(), &mut agent.endpoint, now)
        .unwrap();
    world.run_ms(100);
    world.hang_up(ALICE, call);
    world.run_ms(100);
    world.expect(
        "
           0 ms alice > bob INVITE
          10 ms bob: Incoming
         100 ms bob > alice 200 INVITE sdp
         110 ms alice: Answered sendrecv
         200 ms alice > bob ACK sdp
         210 ms bob: Confirmed sendrecv
         300 ms alice > bob BYE
         300 ms alice: Ended LocalHangUp
         310 ms bob > alice 200 BYE
         310 ms bob: Ended RemoteHangUp",
    );
    world.finish();
}

#[test]
fn two_phones_answering_one_call_leave_one() {
    let mut world = World::new(&["alice", "bob"]);
    let call = world.dial(ALICE, BOB);
    world.run_ms(100);
    world.answer(BOB);
    world.run_ms(100);
    // What a forking proxy would pass on from a second phone.
    let second = with_other_tag(&world.sent("200 INVITE sdp"));
    let bob = world.agents[BOB].address;
    world.ladder.take();
    world.inject(bob, ALICE, &second);
    world.run_ms(100);
    // The second answer comes again: only its ACK is repeated.
    world.inject(bob, ALICE, &second);
    world.run_ms(100);
    world.hang_up(ALICE, call);
    world.run_ms(100);
    world.expect(
        "
         200 ms alice > bob ACK
         200 ms alice > bob BYE
         210 ms bob > alice 481 BYE
         300 ms alice > bob ACK
         400 ms alice > bob BYE
         400 ms alice: Ended LocalHangUp
         410 ms bob > alice 200 BYE
         410 ms bob: Ended RemoteHangUp",
    );
    world.finish();
}

/// The same response from another phone: its To has another tag.
fn with_other_tag(response: &str) -> String {
    let to = response
        .lines()
        .find(|line| line.starts_with("To:"))
        .unwrap();
    let (address, _) = to.split_once(";tag=").unwrap();
    response.replace(to, &format!("{address};tag=another"))
}

#[test]
fn call_outlives_its_connection() {
    let mut world = World::new(&["alice", "bob"]);
    for agent in &mut world.agents {
        agent.transport = Transport::Tcp;
    }
    let (_, bob) = world.connect();
    let alice = world.agents[ALICE].address;
    let agent = &mut world.agents[BOB];
    // The endpoint fails whatever goes to a flow that is gone, so BYE must not be sent there.
    let flow = agent.flow(alice);
    agent.calls.handle_flow_closed(flow);
    world.dead_flows.push(flow);
    world.hang_up(BOB, bob);
    world.run_ms(100);
    world.expect(
        "
        2000 ms bob > alice BYE
        2000 ms bob: Ended LocalHangUp
        2010 ms alice > bob 200 BYE
        2010 ms alice: Ended RemoteHangUp",
    );
    world.finish();
}

#[test]
fn both_hang_up_at_once() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, bob) = world.connect();
    world.hang_up(ALICE, alice);
    world.hang_up(BOB, bob);
    world.run_ms(100);
    world.expect(
        "
        2000 ms alice > bob BYE
        2000 ms alice: Ended LocalHangUp
        2000 ms bob > alice BYE
        2000 ms bob: Ended LocalHangUp
        2010 ms bob > alice 200 BYE
        2010 ms alice > bob 200 BYE",
    );
    world.finish();
}
