//! Calls through the proxy from outside: who rings, what passes, and how a call that cannot be is refused.

use std::time::Duration;

use crate::bench::{Bench, DOMAIN, flow};
use sip::{Message, Request, Response};
use sip_proxy_core::Counts;

pub(crate) const ALICE: u16 = 40_001;
pub(crate) const BOB: u16 = 40_002;
const BOB_TOO: u16 = 40_012;

const OFFER: &str = "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0\r\n";
pub(crate) const ANSWER: &str = "v=0\r\no=b 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7002 RTP/AVP 0\r\n";

/// A bench with alice and bob registered.
pub(crate) fn registered() -> Bench {
    let mut bench = Bench::new();
    bench.register(ALICE, "1001");
    bench.register(BOB, "1002");
    bench
}

/// Alice's INVITE to `user`, proven; what she got so far, and the INVITE as bob's phone got it.
pub(crate) fn invite(bench: &mut Bench, user: &str) -> (Response, Option<Request>) {
    let contact = format!("Contact: <sip:1001@127.0.0.1:{ALICE}>\r\n");
    let mut request = bench.request(
        ALICE,
        "INVITE",
        &format!("sip:{user}@{DOMAIN}"),
        "1001",
        &contact,
    );
    request.set_body("application/sdp", OFFER);
    let response = bench.ask(ALICE, "1001", &request);
    (response, bench.requests_to(BOB).pop())
}

/// What bob's phone answers to a request.
pub(crate) fn answer(
    bench: &mut Bench,
    port: u16,
    request: &Request,
    status: u16,
    body: Option<&'static str>,
) {
    let mut response = request.response(status, Some("bob"));
    response.push_header("Contact", format!("<sip:1002@127.0.0.1:{port}>"));
    if let Some(body) = body {
        response.set_body("application/sdp", body);
    }
    let now = bench.now;
    sip::Machine::handle_received(&mut bench.proxy, flow(port), response.to_bytes(), now);
    bench.receive(port, "\r\n\r\n");
}

/// The request that a caller sends inside the dialog that this response made.
pub(crate) fn within(invited: &Response, method: &str, cseq: u32, branch: &str) -> String {
    format!(
        "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{ALICE};branch=z9hG4bK{branch};rport\r\nMax-Forwards: 70\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
        invited.contacts().unwrap().first().unwrap().uri(),
        invited.header("From").unwrap(),
        invited.header("To").unwrap(),
        invited.header("Call-ID").unwrap(),
    )
}

/// Everything that happened is over: only bindings are left.
fn assert_over(bench: &mut Bench) {
    bench.pass(Duration::from_secs(70));
    let counts = bench.proxy.counts();
    assert_eq!(
        counts,
        Counts {
            bindings: counts.bindings,
            ..Counts::default()
        }
    );
}

#[test]
fn a_call_rings_is_answered_and_ended_by_the_caller() {
    let mut bench = registered();
    let (_, ringing) = invite(&mut bench, "1002");
    let ringing = ringing.expect("bob's phone is invited");
    assert_eq!(
        ringing.from().unwrap().display_name.as_deref(),
        Some("Person 1001")
    );
    assert_eq!(ringing.max_forwards().unwrap(), Some(69));
    assert_eq!(ringing.uri.to_string(), format!("sip:1002@127.0.0.1:{BOB}"));

    answer(&mut bench, BOB, &ringing, 180, None);
    assert_eq!(bench.responses_to(ALICE).last().unwrap().status.code(), 180);
    answer(&mut bench, BOB, &ringing, 200, Some(ANSWER));
    let answered = bench.responses_to(ALICE).pop().unwrap();
    assert_eq!(answered.status.code(), 200);
    assert!(
        std::str::from_utf8(answered.body())
            .unwrap()
            .contains("m=audio 7002 RTP/AVP 0")
    );
    assert_eq!(
        bench.requests_to(BOB).pop().unwrap().method.to_string(),
        "ACK"
    );

    bench.receive(
        ALICE,
        &within(&answered, "ACK", answered.cseq().unwrap().number, "ack"),
    );
    bench.receive(ALICE, &within(&answered, "BYE", 50, "bye"));
    assert_eq!(bench.responses_to(ALICE).pop().unwrap().status.code(), 200);
    let bye = bench.requests_to(BOB).pop().unwrap();
    assert_eq!(bye.method.to_string(), "BYE");
    answer(&mut bench, BOB, &bye, 200, None);
    assert_over(&mut bench);
}

#[test]
fn two_callers_who_wait_for_the_same_account_are_told_apart() {
    let mut bench = Bench::new();
    bench.register(BOB, "1002");
    bench.command(sip_proxy_core::Command::AccountsChanged);
    // The callers' accounts are known, bob's is not.
    for (port, user) in [(ALICE, "1001"), (BOB_TOO, "1003")] {
        let options = bench.request(port, "OPTIONS", &format!("sip:{DOMAIN}"), user, "");
        bench.ask(port, user, &options);
    }
    bench.hold_lookups = true;
    for (port, user) in [(ALICE, "1001"), (BOB_TOO, "1003")] {
        let contact = format!("Contact: <sip:{user}@127.0.0.1:{port}>\r\n");
        let uri = format!("sip:1002@{DOMAIN}");
        let invite = bench.request(port, "INVITE", &uri, user, &contact);
        bench.ask(port, user, &invite);
    }
    bench.answer_lookups();
    let rung = bench.requests_to(BOB);
    let mut callers: Vec<_> = rung
        .iter()
        .map(|invite| invite.from().unwrap().uri.user().unwrap().to_owned())
        .collect();
    callers.sort();
    assert_eq!(callers, ["1001", "1003"]);
}

#[test]
fn who_calls_is_the_proven_account_whatever_the_invite_says() {
    let mut bench = registered();
    let contact = format!(
        "Contact: <sip:1001@127.0.0.1:{ALICE}>\r\nP-Asserted-Identity: <sip:boss@{DOMAIN}>\r\nAlert-Info: <http://evil>\r\n"
    );
    let mut request = bench.request(
        ALICE,
        "INVITE",
        &format!("sip:1002@{DOMAIN}"),
        "1001",
        &contact,
    );
    request.set_body("application/sdp", OFFER);
    bench.ask(ALICE, "1001", &request);
    let ringing = bench.requests_to(BOB).pop().unwrap();
    let asserted = ringing.header("P-Asserted-Identity").unwrap();
    assert!(asserted.ends_with(&format!("<sip:1001@{DOMAIN}>")));
    assert_eq!(ringing.header("Alert-Info"), None);
    assert!(ringing.header("Proxy-Authorization").is_none());
}

#[test]
fn a_number_nobody_has_is_404_and_one_without_a_phone_480() {
    let mut bench = registered();
    assert_eq!(invite(&mut bench, "4711").0.status.code(), 404);
    assert_eq!(invite(&mut bench, "1003").0.status.code(), 480);
    assert_eq!(bench.requests_to(BOB).len(), 0);
    assert_over(&mut bench);
}

#[test]
fn a_busy_phone_makes_the_caller_s_call_busy() {
    let mut bench = registered();
    let ringing = invite(&mut bench, "1002").1.unwrap();
    answer(&mut bench, BOB, &ringing, 486, None);
    assert_eq!(bench.responses_to(ALICE).pop().unwrap().status.code(), 486);
    assert_eq!(
        bench.requests_to(BOB).pop().unwrap().method.to_string(),
        "ACK"
    );
    assert_over(&mut bench);
}

#[test]
fn a_caller_who_gives_up_stops_the_ringing() {
    let mut bench = registered();
    let contact = format!("Contact: <sip:1001@127.0.0.1:{ALICE}>\r\n");
    let mut request = bench.request(
        ALICE,
        "INVITE",
        &format!("sip:1002@{DOMAIN}"),
        "1001",
        &contact,
    );
    request.set_body("application/sdp", OFFER);
    let trying = bench.ask(ALICE, "1001", &request);
    let ringing = bench.requests_to(BOB).pop().unwrap();
    answer(&mut bench, BOB, &ringing, 180, None);
    bench.sent_to(ALICE);

    let via = trying.header("Via").unwrap().to_owned();
    let mut cancel = bench.request(ALICE, "CANCEL", &format!("sip:1002@{DOMAIN}"), "1001", "");
    for (name, value) in [("Via", via.as_str()), ("CSeq", "1 CANCEL")] {
        cancel.set_header(name, value);
    }
    for name in ["From", "Call-ID"] {
        cancel.set_header(name, trying.header(name).unwrap());
    }
    bench.deliver(ALICE, &cancel);

    let codes: Vec<_> = bench
        .responses_to(ALICE)
        .iter()
        .map(|response| response.status.code())
        .collect();
    assert_eq!(codes, [200, 487]);
    let cancelled = bench.requests_to(BOB).pop().unwrap();
    assert_eq!(cancelled.method.to_string(), "CANCEL");
    answer(&mut bench, BOB, &cancelled, 200, None);
    answer(&mut bench, BOB, &ringing, 487, None);
    assert_over(&mut bench);
}

#[test]
fn nobody_answers_within_a_minute() {
    let mut bench = registered();
    let ringing = invite(&mut bench, "1002").1.unwrap();
    answer(&mut bench, BOB, &ringing, 180, None);
    bench.sent_to(ALICE);
    bench.pass(Duration::from_secs(59));
    assert_eq!(bench.responses_to(ALICE).len(), 0);
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.responses_to(ALICE)[0].status.code(), 408);
    assert_eq!(bench.requests_to(BOB)[0].method.to_string(), "CANCEL");
    assert_over(&mut bench);
}

#[test]
fn a_phone_that_is_gone_is_unavailable_and_not_a_server_that_fails() {
    let mut bench = registered();
    invite(&mut bench, "1002");
    bench.pass(Duration::from_secs(40));
    assert_eq!(bench.responses_to(ALICE)[0].status.code(), 480);
    assert_over(&mut bench);
}

#[test]
fn a_phone_that_asks_for_another_port_of_its_host_is_rung_there() {
    let mut bench = registered();
    let contact = format!("Contact: <sip:1003@127.0.0.1:{BOB}>\r\n");
    let register = bench.request(
        49_000,
        "REGISTER",
        &format!("sip:{DOMAIN}"),
        "1003",
        &contact,
    );
    assert_eq!(bench.ask(49_000, "1003", &register).status.code(), 200);
    assert!(
        invite(&mut bench, "1003").1.is_some(),
        "the INVITE goes to the port of the contact"
    );
    let elsewhere = "Contact: <sip:1003@192.0.2.1:7000>\r\n";
    let register = bench.request(BOB, "REGISTER", &format!("sip:{DOMAIN}"), "1003", elsewhere);
    assert_eq!(bench.ask(BOB, "1003", &register).status.code(), 200);
    invite(&mut bench, "1003");
    let peers_elsewhere = bench.sent_to(7_000);
    assert!(
        peers_elsewhere.is_empty(),
        "an address that nobody has proven gets nothing"
    );
}

#[test]
fn of_two_phones_the_one_that_answers_has_the_call() {
    let mut bench = registered();
    bench.register(BOB_TOO, "1002");
    let first = invite(&mut bench, "1002").1.unwrap();
    let second = bench.requests_to(BOB_TOO).pop().unwrap();
    answer(&mut bench, BOB, &first, 180, None);
    answer(&mut bench, BOB_TOO, &second, 180, None);
    answer(&mut bench, BOB_TOO, &second, 200, Some(ANSWER));
    assert_eq!(bench.responses_to(ALICE).pop().unwrap().status.code(), 200);
    let cancelled = bench.requests_to(BOB).pop().unwrap();
    assert_eq!(cancelled.method.to_string(), "CANCEL");
    assert!(
        cancelled.header("Reason").unwrap().contains("cause=200"),
        "{cancelled:?}"
    );
}

#[test]
fn of_two_phones_both_must_refuse_before_the_call_fails() {
    let mut bench = registered();
    bench.register(BOB_TOO, "1002");
    let first = invite(&mut bench, "1002").1.unwrap();
    let second = bench.requests_to(BOB_TOO).pop().unwrap();
    answer(&mut bench, BOB, &first, 480, None);
    assert_eq!(bench.responses_to(ALICE).len(), 0);
    answer(&mut bench, BOB_TOO, &second, 486, None);
    assert_eq!(bench.responses_to(ALICE).pop().unwrap().status.code(), 486);
}

#[test]
fn hold_passes_from_one_side_to_the_other() {
    let mut bench = registered();
    let ringing = invite(&mut bench, "1002").1.unwrap();
    answer(&mut bench, BOB, &ringing, 200, Some(ANSWER));
    let answered = bench.responses_to(ALICE).pop().unwrap();
    bench.receive(
        ALICE,
        &within(&answered, "ACK", answered.cseq().unwrap().number, "ack"),
    );
    bench.sent_to(BOB);

    let hold = format!("{}a=sendonly\r\n", OFFER.replace("1 1 IN", "1 2 IN"));
    let mut reinvite = sip::parse_message(within(&answered, "INVITE", 60, "hold").into())
        .unwrap()
        .into_request()
        .unwrap();
    reinvite.push_header("Contact", format!("<sip:1001@127.0.0.1:{ALICE}>"));
    reinvite.set_body("application/sdp", hold);
    bench.deliver(ALICE, &reinvite);
    let passed = bench.requests_to(BOB).pop().unwrap();
    assert_eq!(passed.method.to_string(), "INVITE");
    assert!(
        std::str::from_utf8(passed.body())
            .unwrap()
            .contains("a=sendonly")
    );
    let held = "v=0\r\no=b 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7002 RTP/AVP 0\r\na=recvonly\r\n";
    answer(&mut bench, BOB, &passed, 200, Some(held));
    let answered = bench.responses_to(ALICE).pop().unwrap();
    assert_eq!(answered.status.code(), 200);
    assert!(
        std::str::from_utf8(answered.body())
            .unwrap()
            .contains("a=recvonly")
    );
}

fn answer_code(bench: &mut Bench, method: &str) -> u16 {
    let response = bench.responses_to(ALICE).pop();
    response
        .unwrap_or_else(|| panic!("{method} has no answer"))
        .status
        .code()
}

#[test]
fn nothing_reaches_the_callee_without_credentials_and_a_forged_dialog_is_481() {
    let mut bench = registered();
    let usual = format!("Contact: <sip:1001@127.0.0.1:{ALICE}>\r\nContent-Length: 0\r\n");
    for method in [
        "INVITE",
        "OPTIONS",
        "MESSAGE",
        "SUBSCRIBE",
        "NOTIFY",
        "REFER",
        "PUBLISH",
        "INFO",
        "BYE",
        "UPDATE",
        "PRACK",
        "XYZ",
    ] {
        let request = bench.request(ALICE, method, &format!("sip:1002@{DOMAIN}"), "1001", &usual);
        bench.deliver(ALICE, &request);
        let code = answer_code(&mut bench, method);
        assert!([401, 407, 481].contains(&code), "{method}: {code}");
        let mut inside =
            bench.request(ALICE, method, &format!("sip:1002@{DOMAIN}"), "1001", &usual);
        inside.set_header("To", format!("<sip:1002@{DOMAIN}>;tag=forged"));
        bench.deliver(ALICE, &inside);
        let code = answer_code(&mut bench, method);
        assert_eq!(code, 481, "{method} inside a dialog that is not");
    }
    let sent: Vec<Message> = bench.sent_to(BOB);
    assert_eq!(sent.len(), 0);
    assert_over(&mut bench);
}

#[test]
fn a_call_that_has_been_forwarded_too_often_is_483() {
    let mut bench = registered();
    let mut request = bench.request(
        ALICE,
        "INVITE",
        &format!("sip:1002@{DOMAIN}"),
        "1001",
        "Contact: <sip:1001@127.0.0.1>\r\n",
    );
    request.set_header("Max-Forwards", "0");
    assert_eq!(bench.ask(ALICE, "1001", &request).status.code(), 483);
}
