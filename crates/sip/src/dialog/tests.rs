use super::*;
use crate::message::{Message, parse_datagram};

/// A message without body, from the lines that matter.
fn message(start: &str, lines: &[&str]) -> Message {
    let text = format!(
        "{start}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nCall-ID: c1\r\n{}\r\n\r\n",
        lines.join("\r\n")
    );
    parse_datagram(text.into()).unwrap()
}

fn invite(lines: &[&str]) -> Request {
    let mut all = vec![
        "From: \"A, l\" <sip:alice@a.example>;tag=a1;x=y",
        "To: <sip:bob@b.example>",
        "CSeq: 7 INVITE",
    ];
    all.extend(lines);
    message("INVITE sip:bob@b.example SIP/2.0", &all)
        .into_request()
        .unwrap()
}

fn answer(code: u16, lines: &[&str]) -> Response {
    let mut all = vec![
        "From: \"A, l\" <sip:alice@a.example>;tag=a1;x=y",
        "To: <sip:bob@b.example>;tag=b1",
        "CSeq: 7 INVITE",
    ];
    all.extend(lines);
    message(&format!("SIP/2.0 {code} X"), &all)
        .into_response()
        .unwrap()
}

const CONTACT: &str = "Contact: <sip:bob@198.51.100.9:5062;transport=tcp>";
const RECORD_ROUTE: [&str; 2] = [
    "Record-Route: <sip:p3.example;lr>, <sip:p2.example;lr;x=%41>",
    "Record-Route: <sip:p1.example;lr>",
];

fn headers<'a>(request: &'a Request, name: &'a str) -> Vec<&'a str> {
    request.headers_named(name).collect()
}

#[test]
fn the_caller_s_dialog_reverses_the_route_and_counts_on() {
    let response = answer(200, &[RECORD_ROUTE[0], RECORD_ROUTE[1], CONTACT]);
    let mut dialog = Dialog::new_uac(&invite(&[]), &response).unwrap();
    assert_eq!(dialog.state(), DialogState::Confirmed);
    assert_eq!(dialog.id(), DialogId::of_response(&response).unwrap());
    assert_eq!(dialog.next_hop().to_string(), "sip:p1.example;lr");

    let bye = dialog.request(Method::BYE);
    assert_eq!(
        bye.uri.to_string(),
        "sip:bob@198.51.100.9:5062;transport=tcp"
    );
    assert_eq!(
        headers(&bye, "Route"),
        [
            "<sip:p1.example;lr>",
            "<sip:p2.example;lr;x=%41>",
            "<sip:p3.example;lr>"
        ]
    );
    assert_eq!(
        bye.header("From"),
        Some("\"A, l\" <sip:alice@a.example>;tag=a1;x=y")
    );
    assert_eq!(bye.header("To"), Some("<sip:bob@b.example>;tag=b1"));
    assert_eq!(bye.header("Call-ID"), Some("c1"));
    assert_eq!(bye.header("CSeq"), Some("8 BYE"));
    assert_eq!(dialog.request(Method::INFO).header("CSeq"), Some("9 INFO"));

    let ack = dialog.ack(7);
    assert_eq!(ack.header("CSeq"), Some("7 ACK"));
    assert_eq!(headers(&ack, "Route"), headers(&bye, "Route"));
    assert_eq!(dialog.next_sequence(), 10);
}

#[test]
fn the_callee_s_dialog_keeps_the_route_and_mirrors_the_names() {
    let request = invite(&[
        RECORD_ROUTE[0],
        RECORD_ROUTE[1],
        "Contact: <sip:alice@192.0.2.1>",
    ]);
    let mut dialog = Dialog::new_uas(&request, "b1").unwrap();
    assert_eq!(dialog.state(), DialogState::Early);
    dialog.confirm();
    assert_eq!(dialog.state(), DialogState::Confirmed);
    let bye = dialog.request(Method::BYE);
    assert_eq!(bye.uri.to_string(), "sip:alice@192.0.2.1");
    assert_eq!(headers(&bye, "Route")[0], "<sip:p3.example;lr>");
    assert_eq!(bye.header("From"), Some("<sip:bob@b.example>;tag=b1"));
    assert_eq!(
        bye.header("To"),
        Some("\"A, l\" <sip:alice@a.example>;tag=a1;x=y")
    );
    assert_eq!(bye.header("CSeq"), Some("1 BYE"));
    assert_eq!(DialogId::of_request(&bye).unwrap().local_tag, "a1");
    assert_eq!(dialog.id().remote_tag, "a1");
}

#[test]
fn a_strict_router_becomes_the_request_uri() {
    let response = answer(
        200,
        &[
            "Record-Route: <sip:p2.example;lr>, <sip:p1.example>",
            CONTACT,
        ],
    );
    let dialog = Dialog::new_uac(&invite(&[]), &response).unwrap();
    let ack = dialog.ack(7);
    assert_eq!(ack.uri.to_string(), "sip:p1.example");
    assert_eq!(
        headers(&ack, "Route"),
        [
            "<sip:p2.example;lr>",
            "<sip:bob@198.51.100.9:5062;transport=tcp>"
        ]
    );
    assert_eq!(dialog.next_hop().to_string(), "sip:p1.example");
}

#[test]
fn an_early_dialog_becomes_confirmed_with_what_the_2xx_says() {
    let early = answer(180, &["Record-Route: <sip:old.example;lr>"]);
    let mut dialog = Dialog::new_uac(&invite(&[]), &early).unwrap();
    assert_eq!(dialog.state(), DialogState::Early);
    assert_eq!(dialog.remote_target().to_string(), "sip:bob@b.example");
    dialog
        .confirm_with(&answer(
            200,
            &["Record-Route: <sip:new.example;lr>", CONTACT],
        ))
        .unwrap();
    assert_eq!(dialog.state(), DialogState::Confirmed);
    assert_eq!(dialog.route_set()[0].uri.to_string(), "sip:new.example;lr");
    // A 2xx to a later INVITE moves the target only.
    let again = answer(
        200,
        &[
            "Record-Route: <sip:other.example;lr>",
            "Contact: <sip:bob@elsewhere.example>",
        ],
    );
    dialog.confirm_with(&again).unwrap();
    assert_eq!(dialog.next_hop().to_string(), "sip:new.example;lr");
    assert_eq!(
        dialog.remote_target().to_string(),
        "sip:bob@elsewhere.example"
    );
}

#[test]
fn messages_that_make_no_dialog_say_why() {
    let error = |response: &Response| Dialog::new_uac(&invite(&[]), response).unwrap_err();
    assert_eq!(error(&answer(200, &[])), DialogError::NoContact);
    assert_eq!(
        error(&answer(200, &["Contact: <sip:a>, <sip:b>"])),
        DialogError::NoContact
    );
    let mut untagged = answer(183, &[CONTACT]);
    untagged.set_header("To", "<sip:bob@b.example>");
    assert_eq!(error(&untagged), DialogError::NoTag);
    assert!(matches!(
        error(&answer(200, &["Contact: <"])),
        DialogError::Header(_)
    ));
    assert_eq!(
        Dialog::new_uas(&invite(&[]), "b1").unwrap_err(),
        DialogError::NoContact
    );
}

#[test]
fn requests_of_the_peer_must_come_in_order_and_may_move_the_target() {
    let mut dialog = Dialog::new_uas(&invite(&["Contact: <sip:alice@192.0.2.1>"]), "b1").unwrap();
    let inside = |method: &str, number: u32, contact: &str| {
        message(
            &format!("{method} sip:bob@b.example SIP/2.0"),
            &[
                "From: <sip:alice@a.example>;tag=a1",
                "To: <sip:bob@b.example>;tag=b1",
                &format!("CSeq: {number} {method}"),
                &format!("Contact: <{contact}>"),
            ],
        )
        .into_request()
        .unwrap()
    };
    assert_eq!(
        dialog.accept(&inside("INVITE", 8, "sip:alice@192.0.2.2")),
        Ok(())
    );
    assert_eq!(dialog.remote_target().to_string(), "sip:alice@192.0.2.2");
    assert_eq!(
        dialog.accept(&inside("INFO", 20, "sip:alice@192.0.2.3")),
        Ok(())
    );
    assert_eq!(dialog.remote_target().to_string(), "sip:alice@192.0.2.2");
    let late = dialog
        .accept(&inside("BYE", 19, "sip:alice@192.0.2.1"))
        .unwrap_err();
    assert_eq!(
        late,
        DialogError::OutOfOrder {
            sequence: 19,
            last: 20
        }
    );
    assert_eq!(late.reply_status(), 500);
    // The ACK has the number of its INVITE.
    assert_eq!(
        dialog.accept(&inside("ACK", 8, "sip:alice@192.0.2.9")),
        Ok(())
    );
    assert_eq!(
        dialog.accept(&inside("BYE", 21, "sip:alice@192.0.2.1")),
        Ok(())
    );
}
