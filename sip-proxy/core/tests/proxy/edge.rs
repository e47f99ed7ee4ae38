//! Phones behind an edge proxy whose Contact is a GRUU: where requests inside a dialog go.

use sip::{Contacts, Method, Request, Transport};

use crate::bench::{Bench, DOMAIN};
use crate::calls::{ANSWER, BOB, within};

const EDGE: u16 = 40_080;
const BOUND: &str = "sip:1001@10.0.0.1:5060;transport=tcp";
const RECORD_ROUTE: &str = "<sip:flow@127.0.0.1:40080;lr;transport=tcp>";

/// Bob as himself, and 1001 behind an edge; the public and the temporary GRUU of its phone.
fn registered() -> (Bench, [String; 2]) {
    let mut bench = Bench::new();
    bench.transport = Transport::Tcp;
    bench.register(BOB, "1002");
    let lines = format!(
        "Contact: <{BOUND}>;+sip.instance=\"<urn:uuid:1>\"\r\nSupported: gruu, path\r\n\
         Path: <sip:flow@127.0.0.1:40080;lr;transport=tcp>\r\n"
    );
    let register = bench.request(EDGE, "REGISTER", &format!("sip:{DOMAIN}"), "1001", &lines);
    let granted = bench.ask(EDGE, "1001", &register);
    let Ok(Contacts::List(contacts)) = granted.contacts() else {
        panic!("{granted:?}");
    };
    let gruus = [contacts[0].pub_gruu(), contacts[0].temp_gruu()];
    (bench, gruus.map(|gruu| gruu.unwrap().into_owned()))
}

/// 1001 calls bob by way of the edge, from this Contact; bob answers and hangs up. The BYE that 1001 gets.
fn hung_up_on(bench: &mut Bench, user: &str, contact: &str, route: &str) -> Request {
    let lines = format!("Contact: <{contact}>;text\r\n{route}");
    let bob = format!("sip:1002@{DOMAIN}");
    let mut invite = bench.request(EDGE, "INVITE", &bob, user, &lines);
    invite.set_body("application/sdp", ANSWER);
    bench.ask(EDGE, user, &invite);
    let bye = answered_and_hung_up(bench, EDGE);
    bench.receive(BOB, &bye);
    let mut requests = bench.requests_to(EDGE);
    let bye = requests.pop().unwrap();
    assert_eq!(bye.method, Method::BYE);
    bye
}

/// Bob answers the caller at this port; the BYE by which bob hangs up.
fn answered_and_hung_up(bench: &mut Bench, caller: u16) -> String {
    let ringing = bench.requests_to(BOB).pop().unwrap();
    let mut answer = ringing.response(200, Some("bob"));
    answer.push_header("Contact", format!("<sip:1002@127.0.0.1:{BOB}>"));
    answer.set_body("application/sdp", ANSWER);
    bench.deliver_response(BOB, &answer);
    bench.sent_to(BOB);
    let answered = bench.responses_to(caller).pop().unwrap();
    let sequence = answered.cseq().unwrap().number;
    bench.receive(caller, &within(&answered, "ACK", sequence, "ack"));
    format!(
        "BYE sip:127.0.0.1:5060 SIP/2.0\nVia: SIP/2.0/TCP 127.0.0.1:{BOB};branch=z9hG4bKbye\nMax-Forwards: 70\nFrom: {}\nTo: {}\n\
         Call-ID: {}\nCSeq: 1 BYE\nContent-Length: 0\n\n",
        answer.header("To").unwrap(),
        answer.header("From").unwrap(),
        answer.header("Call-ID").unwrap(),
    )
}

fn routes(request: &Request) -> Vec<&str> {
    request.headers_named("Route").collect()
}

#[test]
fn a_caller_behind_an_edge_is_reached_at_the_contact_behind_its_gruu() {
    let (mut bench, gruus) = registered();
    let route = format!("Record-Route: {RECORD_ROUTE}\r\n");
    for gruu in &gruus {
        let bye = hung_up_on(&mut bench, "1001", gruu, &route);
        assert_eq!(bye.uri.as_str(), BOUND, "{gruu}");
        assert_eq!(routes(&bye), [RECORD_ROUTE]);
    }
    // Without a proxy in between a request comes to the phone whatever it says.
    let bye = hung_up_on(&mut bench, "1001", &gruus[0], "");
    assert_eq!(bye.uri.as_str(), gruus[0]);
    // An edge that has noted the way in the Contact needs it there.
    let noted = format!("{};alias=10.0.0.1~40999~2", gruus[0]);
    let bye = hung_up_on(&mut bench, "1001", &noted, &route);
    assert_eq!(bye.uri.as_str(), noted);
}

#[test]
fn a_callee_behind_an_edge_is_reached_at_the_contact_behind_its_gruu() {
    let (mut bench, gruus) = registered();
    for gruu in &gruus {
        let lines = format!("Contact: <sip:1002@127.0.0.1:{BOB}>\r\n");
        let mut invite =
            bench.request(BOB, "INVITE", &format!("sip:1001@{DOMAIN}"), "1002", &lines);
        invite.set_body("application/sdp", ANSWER);
        bench.ask(BOB, "1002", &invite);
        let ringing = bench.requests_to(EDGE).pop().unwrap();
        assert_eq!(ringing.uri.as_str(), BOUND);
        let mut answer = ringing.response(200, Some("edge"));
        answer.push_header("Record-Route", RECORD_ROUTE);
        answer.push_header("Contact", format!("<{gruu}>"));
        answer.set_body("application/sdp", ANSWER);
        bench.deliver_response(EDGE, &answer);
        let ack = bench.requests_to(EDGE).pop().unwrap();
        assert_eq!((ack.method.clone(), ack.uri.as_str()), (Method::ACK, BOUND));
        let answered = bench.responses_to(BOB).pop().unwrap();
        bench.receive(BOB, &within(&answered, "BYE", 50, "bye"));
        let bye = bench.requests_to(EDGE).pop().unwrap();
        assert_eq!((bye.method.clone(), bye.uri.as_str()), (Method::BYE, BOUND));
        assert_eq!(routes(&bye), [RECORD_ROUTE]);
        bench.deliver_response(EDGE, &bye.response(200, None));
    }
}

#[test]
fn a_call_is_ended_over_a_new_connection_when_that_of_the_edge_is_gone() {
    const CONNECTED_FROM: u16 = 41_080;
    for record_route in [
        RECORD_ROUTE,
        "<sip:flow@203.0.113.9:40080;lr;transport=tcp>",
    ] {
        let (mut bench, gruus) = registered();
        let lines = format!(
            "Contact: <{}>\r\nRecord-Route: {record_route}\r\n",
            gruus[0]
        );
        let bob = format!("sip:1002@{DOMAIN}");
        let mut invite = bench.request(CONNECTED_FROM, "INVITE", &bob, "1001", &lines);
        invite.set_body("application/sdp", ANSWER);
        bench.ask(CONNECTED_FROM, "1001", &invite);
        let bye = answered_and_hung_up(&mut bench, CONNECTED_FROM);
        bench.close(CONNECTED_FROM);
        bench.receive(BOB, &bye);
        let there = bench.requests_to(EDGE).pop().map(|request| request.method);
        let is_its_host = record_route == RECORD_ROUTE;
        assert_eq!(there, is_its_host.then_some(Method::BYE), "{record_route}");
    }
}

#[test]
fn nobody_learns_what_is_bound_by_naming_the_gruu_of_another() {
    let (mut bench, gruus) = registered();
    let route = format!("Record-Route: {RECORD_ROUTE}\r\n");
    for gruu in &gruus {
        let bye = hung_up_on(&mut bench, "1003", gruu, &route);
        assert_eq!(bye.uri.as_str(), gruu, "not his");
    }
}
