//! Changes of a session: hold and resume, glare, what the peer may not do.

use sdp::Direction::{SendOnly, SendRecv};
use ua::CallError;

use crate::world::{ALICE, BOB, World};

#[test]
fn hold_and_resume() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, bob) = world.connect();
    world.reoffer(ALICE, alice, SendOnly, 2);
    world.run_ms(50);
    world.answer_reoffer(BOB, bob);
    world.run_ms(950);
    world.reoffer(ALICE, alice, SendRecv, 3);
    world.run_ms(50);
    world.answer_reoffer(BOB, bob);
    world.run_ms(950);
    world.hang_up(ALICE, alice);
    world.run_ms(100);
    world.expect(
        "
        2000 ms alice > bob INVITE sdp
        2010 ms bob: Reoffered sendonly
        2050 ms bob > alice 200 INVITE sdp
        2060 ms alice > bob ACK
        2060 ms alice: Reanswered recvonly
        3000 ms alice > bob INVITE sdp
        3010 ms bob: Reoffered sendrecv
        3050 ms bob > alice 200 INVITE sdp
        3060 ms alice > bob ACK
        3060 ms alice: Reanswered sendrecv
        4000 ms alice > bob BYE
        4000 ms alice: Ended LocalHangUp
        4010 ms bob > alice 200 BYE
        4010 ms bob: Ended RemoteHangUp",
    );
    world.finish();
}

#[test]
fn refused_change_leaves_the_call_up() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, bob) = world.connect();
    world.reoffer(ALICE, alice, SendOnly, 2);
    world.run_ms(50);
    let now = world.now;
    let agent = &mut world.agents[BOB];
    agent
        .calls
        .answer_reoffer(bob, Err(488), &mut agent.endpoint, now)
        .unwrap();
    world.run_ms(50);
    world.expect(
        "
        2000 ms alice > bob INVITE sdp
        2010 ms bob: Reoffered sendonly
        2050 ms bob > alice 488 INVITE
        2060 ms alice > bob ACK
        2060 ms alice: ReofferFailed 488",
    );
    world.hang_up(ALICE, alice);
    world.finish();
}

#[test]
fn unchanged_offer_is_answered_without_asking() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, _) = world.connect();
    world.reoffer(ALICE, alice, SendRecv, 1);
    world.run_ms(50);
    world.expect(
        "
        2000 ms alice > bob INVITE sdp
        2010 ms bob > alice 200 INVITE sdp
        2020 ms alice > bob ACK
        2020 ms alice: Reanswered sendrecv",
    );
    world.hang_up(ALICE, alice);
    world.finish();
}

#[test]
fn glare_is_resolved_by_waiting_unequally_long() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, bob) = world.connect();
    world.reoffer(ALICE, alice, SendOnly, 2);
    world.reoffer(BOB, bob, SendOnly, 2);
    world.run_ms(25);
    world.expect(
        "
        2000 ms alice > bob INVITE sdp
        2000 ms bob > alice INVITE sdp
        2010 ms bob > alice 491 INVITE
        2010 ms alice > bob 491 INVITE
        2020 ms alice > bob ACK
        2020 ms bob > alice ACK",
    );
    // Bob does not own the Call-ID: he is back within 2 s, Alice after 2.1 s to 4 s.
    world.run_ms(2_000);
    world.answer_reoffer(ALICE, alice);
    world.run_ms(2_150);
    world.answer_reoffer(BOB, bob);
    world.run_ms(100);
    let ladder = world.ladder.take();
    assert!(
        (2_020..=4_020).contains(&time_of(&ladder, "bob > alice INVITE")),
        "{ladder}"
    );
    assert!(
        (4_120..=6_020).contains(&time_of(&ladder, "alice > bob INVITE")),
        "{ladder}"
    );
    assert_eq!(ladder.matches("Reanswered").count(), 2, "{ladder}");
    assert!(!ladder.contains("491"), "{ladder}");
    world.hang_up(ALICE, alice);
    world.finish();
}

#[test]
fn change_waits_while_the_peers_is_under_way() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, bob) = world.connect();
    world.reoffer(ALICE, alice, SendOnly, 2);
    world.run_ms(50);
    world.reoffer(BOB, bob, SendOnly, 2);
    world.run_ms(50);
    world.answer_reoffer(BOB, bob);
    world.run_ms(600);
    world.answer_reoffer(ALICE, alice);
    world.run_ms(100);
    world.expect(
        "
        2000 ms alice > bob INVITE sdp
        2010 ms bob: Reoffered sendonly
        2100 ms bob > alice 200 INVITE sdp
        2110 ms alice > bob ACK
        2110 ms alice: Reanswered recvonly
        2550 ms bob > alice INVITE sdp
        2560 ms alice: Reoffered sendonly
        2700 ms alice > bob 200 INVITE sdp
        2710 ms bob > alice ACK
        2710 ms bob: Reanswered recvonly",
    );
    world.hang_up(ALICE, alice);
    world.finish();
}

#[test]
fn second_offer_while_the_first_is_open_is_refused_here() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, bob) = world.connect();
    world.reoffer(ALICE, alice, SendOnly, 2);
    let offer = world.agents[ALICE].description(SendRecv);
    let now = world.now;
    let agent = &mut world.agents[ALICE];
    let refused = agent
        .calls
        .reoffer(alice, offer.into(), &mut agent.endpoint, now);
    assert_eq!(refused, Err(CallError::OfferPending));
    world.run_ms(50);
    world.answer_reoffer(BOB, bob);
    world.hang_up(ALICE, alice);
    world.finish();
}

#[test]
fn hang_up_during_the_peers_change_answers_it() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, bob) = world.connect();
    world.reoffer(ALICE, alice, SendOnly, 2);
    world.run_ms(50);
    world.hang_up(BOB, bob);
    world.run_ms(50);
    world.expect(
        "
        2000 ms alice > bob INVITE sdp
        2010 ms bob: Reoffered sendonly
        2050 ms bob > alice 487 INVITE
        2050 ms bob > alice BYE
        2050 ms bob: Ended LocalHangUp
        2060 ms alice > bob ACK
        2060 ms alice: ReofferFailed 487
        2060 ms alice > bob 200 BYE
        2060 ms alice: Ended RemoteHangUp",
    );
    world.finish();
}

#[test]
fn vanished_peer_ends_the_call_when_a_change_gets_no_answer() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, bob) = world.connect();
    world.net.lose_if(|_| true);
    world.reoffer(ALICE, alice, SendOnly, 2);
    world.run_ms(40_000);
    let ladder = world.ladder.take();
    assert!(
        ladder.contains("34000 ms alice: Ended: The connection to the other side was lost."),
        "{ladder}"
    );
    // Bob, who heard nothing, ends his side by himself.
    world.hang_up(BOB, bob);
    world.finish();
}

#[test]
fn late_offer_in_a_change_is_made_by_the_answerer() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, bob) = world.connect();
    let invite = in_dialog(&world, "INVITE", 2, "Contact: <sip:user@192.0.2.1:5060>\n");
    let from = world.agents[ALICE].address;
    world.inject(from, BOB, &invite);
    world.answer_reoffer(BOB, bob);
    world.run_ms(400);
    world.expect(
        "
        2000 ms bob: Reoffered
        2000 ms bob > alice 200 INVITE sdp",
    );
    let ack = in_dialog(&world, "ACK", 2, "");
    world.inject(from, BOB, &ack);
    world.expect("2400 ms bob: Reanswered");
    world.hang_up(ALICE, alice);
    world.finish();
}

#[test]
fn update_with_an_offer_is_a_change_too() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, bob) = world.connect();
    let mut offer = world.agents[ALICE].description(SendOnly);
    offer.origin.version = 2;
    let contact = "Contact: <sip:user@192.0.2.1:5060>\nContent-Type: application/sdp\n";
    let head = in_dialog(&world, "UPDATE", 2, contact);
    let from = world.agents[ALICE].address;
    let body = offer.to_string().replace("\r\n", "\n");
    world.inject(
        from,
        BOB,
        &(head.replace("Content-Length: 0\n", "") + &body),
    );
    world.answer_reoffer(BOB, bob);
    world.run_ms(50);
    world.expect(
        "
        2000 ms bob: Reoffered sendonly
        2000 ms bob > alice 200 UPDATE sdp",
    );
    world.hang_up(ALICE, alice);
    world.finish();
}

/// When this line was written, in ms.
fn time_of(ladder: &str, what: &str) -> u64 {
    let line = ladder.lines().find(|line| line.contains(what)).unwrap();
    line.split(' ').next().unwrap().parse().unwrap()
}

/// A request from Alice inside the one call, made from what was sent before.
pub(crate) fn in_dialog(world: &World, method: &str, sequence: u32, headers: &str) -> String {
    let ok = world.sent("200 INVITE sdp");
    let line = |name: &str| {
        ok.lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    format!(
        "{method} sip:user@192.0.2.2:5060 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{method}{sequence}\n\
         Max-Forwards: 70\n{}\n{}\n{}\nCSeq: {sequence} {method}\n{headers}Content-Length: 0\n\n",
        line("From:"),
        line("To:"),
        line("Call-ID:"),
    )
}
