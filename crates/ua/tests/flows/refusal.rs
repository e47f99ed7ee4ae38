//! Requests that are answered with a refusal, and refusals that are told as such.

use sip::Response;
use ua::{CallFailure, CallsConfig, EndReason};

use crate::change::in_dialog;
use crate::world::{ALICE, BOB, World, credentials};

/// An INVITE for Bob that no agent would send.
fn invite(headers: &str, body: &str) -> String {
    format!(
        "INVITE sip:user@192.0.2.2:5060 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\n\
         Max-Forwards: 70\nFrom: <sip:x@192.0.2.9>;tag=1\nTo: <sip:user@192.0.2.2>\n\
         Call-ID: strange\nCSeq: 1 INVITE\nContact: <sip:x@192.0.2.9>\n{headers}Content-Length: {}\n\n{body}",
        body.replace('\n', "\r\n").len()
    )
}

fn answer_to(text: &str) -> String {
    let mut world = World::new(&["alice", "bob"]);
    world.inject(([192, 0, 2, 9], 5060).into(), BOB, text);
    world.run_ms(10);
    let packet = world.packets.last().unwrap();
    String::from_utf8(packet.bytes.to_vec()).unwrap()
}

#[test]
fn invites_that_cannot_be_served_say_why() {
    let sdp = "Content-Type: application/sdp\n";
    let cases = [
        (
            invite("Require: 100rel, timer, precondition\n", ""),
            "420",
            "Unsupported: precondition",
        ),
        (
            invite("Content-Type: text/plain\n", "hello"),
            "415",
            "Accept: application/sdp",
        ),
        (invite("", "hello"), "415", "Accept: application/sdp"),
        (
            invite(&format!("{sdp}Content-Encoding: gzip\n"), "v=0\n"),
            "415",
            "Accept-Encoding: identity",
        ),
        (invite("Accept: text/plain\n", ""), "406", ""),
        (invite(sdp, "v=1\n"), "400", ""),
        (invite(sdp, "v=0\nx=1\n"), "400", ""),
    ];
    for (request, status, header) in cases {
        let answer = answer_to(&request);
        assert!(
            answer.starts_with(&format!("SIP/2.0 {status} ")),
            "{request}\n{answer}"
        );
        assert!(answer.contains(header), "{request}\n{answer}");
    }
}

#[test]
fn requests_outside_of_calls_are_answered_by_default() {
    let cases = [
        (
            "OPTIONS",
            "",
            "200",
            "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY",
        ),
        ("OPTIONS", "", "200", "Accept: application/sdp"),
        (
            "OPTIONS",
            "",
            "200",
            "Supported: 100rel, timer, replaces, norefersub",
        ),
        ("OPTIONS", "Require: foo\n", "420", "Unsupported: foo"),
        ("BYE", "", "481", ""),
        ("INFO", "", "481", ""),
        ("REGISTER", "", "405", "Allow: INVITE"),
        ("SUBSCRIBE", "", "405", "Allow: INVITE"),
        ("NONSENSE", "", "501", "Allow: INVITE"),
    ];
    for (method, headers, status, header) in cases {
        let request = invite(headers, "")
            .replace("INVITE sip", &format!("{method} sip"))
            .replace("1 INVITE", &format!("1 {method}"));
        let answer = answer_to(&request);
        assert!(
            answer.starts_with(&format!("SIP/2.0 {status} ")),
            "{method}\n{answer}"
        );
        assert!(answer.contains(header), "{method}\n{answer}");
    }
}

#[test]
fn requests_of_unknown_dialogs_get_481() {
    for method in ["INVITE", "BYE", "OPTIONS", "UPDATE"] {
        let request = invite("", "")
            .replace("INVITE sip", &format!("{method} sip"))
            .replace("1 INVITE", &format!("1 {method}"))
            .replace(
                "To: <sip:user@192.0.2.2>",
                "To: <sip:user@192.0.2.2>;tag=unknown",
            );
        assert!(answer_to(&request).starts_with("SIP/2.0 481 "), "{method}");
    }
}

#[test]
fn requests_inside_a_call_are_answered_one_by_one() {
    let cases = [
        ("OPTIONS", 2, "", "200 OPTIONS"),
        ("INFO", 2, "", "200 INFO"),
        ("INFO", 2, "Content-Type: text/plain\n", "200 INFO"),
        (
            "UPDATE",
            2,
            "Contact: <sip:user@192.0.2.1:5060>\n",
            "200 UPDATE",
        ),
        (
            "REFER",
            2,
            "Contact: <sip:user@192.0.2.1:5060>\n",
            "400 REFER",
        ),
        ("PRACK", 2, "", "400 PRACK"),
        ("PRACK", 2, "RAck: 1 1 INVITE\n", "481 PRACK"),
        (
            "NOTIFY",
            2,
            "Event: dialog\nSubscription-State: active\n",
            "489 NOTIFY",
        ),
        (
            "NOTIFY",
            2,
            "Event: refer\nSubscription-State: active\n",
            "481 NOTIFY",
        ),
        ("PUBLISH", 2, "", "405 PUBLISH"),
        ("OPTIONS", 0, "", "500 OPTIONS"),
    ];
    for (method, sequence, headers, answer) in cases {
        let mut world = World::new(&["alice", "bob"]);
        let (alice, _) = world.connect();
        let request = in_dialog(&world, method, sequence, headers);
        let from = world.agents[ALICE].address;
        world.inject(from, BOB, &request);
        world.expect(&format!("2000 ms bob > alice {answer}"));
        world.hang_up(ALICE, alice);
        world.finish();
    }
}

#[test]
fn digits_in_info_are_told() {
    let mut world = World::new(&["alice", "bob"]);
    let (_, bob) = world.connect();
    let headers = "Content-Type: application/dtmf-relay\n";
    let request =
        in_dialog(&world, "INFO", 2, headers).replace("Content-Length: 0\n\n", "\nSignal=5\n");
    let from = world.agents[ALICE].address;
    world.inject(from, BOB, &request);
    world.expect(
        "
        2000 ms bob > alice 200 INFO
        2000 ms bob: Info application/dtmf-relay",
    );
    let strange = in_dialog(&world, "INFO", 3, "Content-Type: text/x\n")
        .replace("Content-Length: 0\n\n", "\nhello\n");
    world.inject(from, BOB, &strange);
    world.expect("2000 ms bob > alice 415 INFO");
    // Alice's own numbering does not know of these requests.
    world.hang_up(BOB, bob);
    world.finish();
}

#[test]
fn digits_in_info_wait_for_each_other_and_a_refusal_is_told() {
    let mut world = World::new(&["alice", "bob"]);
    let (alice, _) = world.connect();
    world.info(ALICE, alice, "application/dtmf", "1");
    world.info(ALICE, alice, "text/plain", "2");
    world.info(ALICE, alice, "application/dtmf", "3");
    world.run_ms(200);
    world.expect(
        "
        2000 ms alice > bob INFO
        2010 ms bob > alice 200 INFO
        2010 ms bob: Info application/dtmf
        2020 ms alice > bob INFO
        2030 ms bob > alice 415 INFO
        2040 ms alice > bob INFO
        2040 ms alice: InfoRefused 415
        2050 ms bob > alice 200 INFO
        2050 ms bob: Info application/dtmf",
    );
    world.hang_up(ALICE, alice);
    world.finish();
}

#[test]
fn caller_may_hang_up_its_early_dialog_by_bye() {
    let mut world = World::new(&["alice", "bob"]);
    world.dial(ALICE, BOB);
    world.run_ms(50);
    world.ring(BOB);
    world.run_ms(50);
    world.ladder.take();
    let ringing = world.sent("180 INVITE");
    let line = |name: &str| {
        ringing
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    let bye = format!(
        "BYE sip:user@192.0.2.2:5060 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKbye\n\
         Max-Forwards: 70\n{}\n{}\n{}\nCSeq: 2 BYE\nContent-Length: 0\n\n",
        line("From:"),
        line("To:"),
        line("Call-ID:")
    );
    let from = world.agents[ALICE].address;
    world.inject(from, BOB, &bye);
    world.run_ms(50);
    world.expect(
        "
        100 ms bob > alice 200 BYE
        100 ms bob > alice 487 INVITE
        100 ms bob: Ended Cancelled
        110 ms alice > bob ACK
        110 ms alice: Ended: The call was refused (SIP 487).",
    );
    world.finish();
}

#[test]
fn a_full_house_is_busy() {
    let config = CallsConfig {
        max_calls: 1,
        session_timers: None,
        ..CallsConfig::default()
    };
    let mut world = World::with_config(&["alice", "bob", "carol"], &config);
    let alice = world.dial(ALICE, BOB);
    world.run_ms(50);
    world.dial(2, BOB);
    world.run_ms(50);
    assert_eq!(
        world.agents[2].ends,
        [EndReason::Failed(CallFailure::Busy { status: 486 })]
    );
    let dial = world.dial_to(ALICE, BOB);
    let now = world.now;
    let agent = &mut world.agents[ALICE];
    assert_eq!(
        agent.calls.dial(dial, &mut agent.endpoint, now),
        Err(ua::CallError::Full)
    );
    world.hang_up(ALICE, alice);
    world.finish();
}

#[test]
fn answered_elsewhere_is_told_apart_from_given_up() {
    let mut world = World::new(&["alice", "bob"]);
    let call = world.dial(ALICE, BOB);
    world.run_ms(50);
    world.ring(BOB);
    world.run_ms(50);
    let reason = sip::Reason::sip(200, "Call completed elsewhere").to_string();
    let now = world.now;
    let agent = &mut world.agents[ALICE];
    agent
        .calls
        .hang_up(call, Some(reason), &mut agent.endpoint, now)
        .unwrap();
    world.run_ms(100);
    assert_eq!(world.agents[BOB].ends, [EndReason::AnsweredElsewhere]);
    world.finish();
}

/// Bob's place is taken by a server that answers every INVITE with what `answer` makes of it.
fn served(mut answer: impl FnMut(&sip::Request) -> Response + 'static) -> World {
    let mut world = World::new(&["alice", "server"]);
    world.serve(BOB, move |request| {
        (request.method == sip::Method::INVITE).then(|| answer(request))
    });
    world
}

fn challenge(request: &sip::Request) -> Response {
    let mut response = request.response(407, Some("server"));
    response.push_header(
        "Proxy-Authenticate",
        "Digest realm=\"test\", nonce=\"abc\", algorithm=MD5, qop=\"auth\"",
    );
    response
}

#[test]
fn challenge_is_answered_once_and_the_same_again_is_a_wrong_password() {
    let mut world = served(challenge);
    let mut dial = world.dial_to(ALICE, BOB);
    dial.credentials = Some(credentials("wrong"));
    world.place(ALICE, dial);
    world.run_ms(200);
    world.expect(
        "
         0 ms alice > server INVITE
        10 ms server > alice 407 INVITE
        20 ms alice > server ACK
        20 ms alice > server INVITE
        30 ms server > alice 407 INVITE
        40 ms alice > server ACK
        40 ms alice: Ended: The server refused user name or password.",
    );
    world.finish();
}

#[test]
fn accepted_credentials_are_in_the_ack_and_the_bye_too() {
    let mut world = World::new(&["alice", "bob"]);
    world.serve(BOB, |request| {
        let fresh = request.method == sip::Method::INVITE || request.method == sip::Method::BYE;
        (fresh && request.header("Proxy-Authorization").is_none()).then(|| challenge(request))
    });
    let mut dial = world.dial_to(ALICE, BOB);
    dial.credentials = Some(credentials("right"));
    dial.offer = Some(
        world.agents[ALICE]
            .description(sdp::Direction::SendRecv)
            .into(),
    );
    let call = world.place(ALICE, dial);
    world.run_ms(100);
    world.answer(BOB);
    world.run_ms(100);
    assert!(world.sent("ACK").contains("Proxy-Authorization: Digest"));
    world.hang_up(ALICE, call);
    world.run_ms(100);
    // The nonce is known by now, so the BYE is not challenged.
    assert!(world.sent("BYE").contains("nc=00000002"));
    assert!(!world.ladder.take().contains("407 BYE"));
    world.finish();
}

#[test]
fn challenge_without_credentials_ends_the_call() {
    let mut world = served(challenge);
    world.dial(ALICE, BOB);
    world.run_ms(200);
    let failure = CallFailure::WrongCredentials { status: 407 };
    assert_eq!(world.agents[ALICE].ends, [EndReason::Failed(failure)]);
    world.finish();
}

#[test]
fn redirection_tells_where_to() {
    let mut world = served(|request| {
        let mut response = request.response(302, Some("server"));
        response.push_header("Contact", "<sip:carol@example.com>, <sip:dave@example.com>");
        response
    });
    world.dial(ALICE, BOB);
    world.run_ms(100);
    let [EndReason::Failed(CallFailure::Redirected { status, contacts })] =
        &world.agents[ALICE].ends[..]
    else {
        panic!("{:?}", world.agents[ALICE].ends)
    };
    let contacts: Vec<_> = contacts.iter().map(ToString::to_string).collect();
    assert_eq!(
        (*status, contacts.join(" ").as_str()),
        (302, "sip:carol@example.com sip:dave@example.com")
    );
    world.finish();
}

#[test]
fn answer_that_cannot_be_read_ends_the_call_with_bye() {
    let mut world = World::new(&["alice", "bob"]);
    world.serve(BOB, |request| {
        if request.method == sip::Method::BYE {
            return Some(request.response(200, None));
        }
        let mut response = request.response(200, Some("server"));
        response.push_header("Contact", "<sip:server@192.0.2.2>");
        response.set_body("application/sdp", "nonsense");
        Some(response)
    });
    world.dial(ALICE, BOB);
    world.run_ms(100);
    world.expect(
        "
         0 ms alice > bob INVITE sdp
        10 ms bob > alice 200 INVITE
        20 ms alice > bob ACK
        20 ms alice > bob BYE
        20 ms alice: Ended: The other side sent something that cannot be understood.
        30 ms bob > alice 200 BYE",
    );
    world.finish();
}
