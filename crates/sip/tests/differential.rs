//! The same messages through our parser and through `sipx-sip`, an independent one.
//!
//! On valid messages both must see the same. Where we differ on purpose is the last test: it
//! asserts both sides, so that a change of either shows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod generate;

use bytes::Bytes;
use proptest::prelude::*;
use sip::{Fields, Message, NameAddr, parse_datagram};
use sipx_sip::{Limits, headers};

/// What both parsers must agree on, as text.
#[derive(Debug, PartialEq)]
struct Core {
    start: String,
    vias: Vec<String>,
    from: Address,
    to: Address,
    call_id: String,
    cseq: String,
    contacts: Vec<Address>,
    max_forwards: u8,
    headers: usize,
    body: Bytes,
    written: Bytes,
}

#[derive(Debug, PartialEq)]
struct Address {
    display_name: Option<String>,
    uri: String,
    tag: Option<String>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn ours(bytes: &Bytes) -> Core {
    let message = parse_datagram(bytes.clone()).unwrap();
    let start = match &message {
        Message::Request(request) => format!("{} {}", request.method, request.uri),
        Message::Response(response) => format!("{}", response.status),
    };
    let fields: &Fields = &message;
    let address = |address: &NameAddr| Address {
        display_name: address.display_name.clone(),
        uri: address.uri.to_string(),
        tag: address.tag().map(str::to_owned),
    };
    let via = |via: &sip::Via| {
        format!(
            "{} {} {}",
            via.protocol,
            via.sent_by,
            via.branch().unwrap_or_default()
        )
    };
    Core {
        start,
        vias: fields.vias().unwrap().iter().map(via).collect(),
        from: address(&fields.from().unwrap()),
        to: address(&fields.to().unwrap()),
        call_id: fields.call_id().unwrap().to_owned(),
        cseq: fields.cseq().unwrap().to_string(),
        contacts: fields
            .contacts()
            .unwrap()
            .list()
            .iter()
            .map(|contact| address(&contact.address))
            .collect(),
        max_forwards: fields.max_forwards().unwrap().unwrap(),
        headers: fields.headers().len(),
        body: fields.body().clone(),
        written: message.to_bytes(),
    }
}

fn theirs(bytes: &Bytes) -> Core {
    let message = sipx_sip::parse_datagram(bytes.clone(), &Limits::datagram()).unwrap();
    let start = match &message {
        sipx_sip::Message::Request(request) => {
            format!("{} {}", request.method, text(&request.uri.to_bytes()))
        }
        sipx_sip::Message::Response(response) => {
            format!("{} {}", response.status.code(), text(&response.reason))
        }
    };
    let address = |address: &headers::Address| Address {
        display_name: address
            .display_name
            .as_deref()
            .map(text)
            .filter(|name| !name.is_empty()),
        uri: text(&address.uri.to_bytes()),
        tag: address.tag().map(text),
    };
    let via = |via: &headers::Via| {
        let host = match &via.host {
            sipx_sip::Host::Name(name) => text(name.as_bytes()),
            sipx_sip::Host::Ip(ip @ std::net::IpAddr::V6(_)) => format!("[{ip}]"),
            sipx_sip::Host::Ip(ip) => ip.to_string(),
        };
        let port = via.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!(
            "{} {host}{port} {}",
            text(&via.transport),
            via.branch().map(text).unwrap_or_default()
        )
    };
    let fields = message.headers();
    let cseq = fields.typed::<headers::CSeq>().unwrap().unwrap();
    Core {
        start,
        vias: fields
            .typed_all::<headers::Via>()
            .map(|read| via(&read.unwrap()))
            .collect(),
        from: address(&fields.typed::<headers::From>().unwrap().unwrap()),
        to: address(&fields.typed::<headers::To>().unwrap().unwrap()),
        call_id: text(&fields.typed::<headers::CallId>().unwrap().unwrap().0),
        cseq: format!("{} {}", cseq.sequence, cseq.method),
        contacts: fields
            .typed_all::<headers::Contact>()
            .map(|read| address(&read.unwrap()))
            .collect(),
        max_forwards: text(&fields.value(&sipx_sip::HeaderName::MaxForwards).unwrap())
            .parse()
            .unwrap(),
        headers: fields.len(),
        body: message.body().clone(),
        written: message.to_bytes(),
    }
}

proptest! {
    #![proptest_config(generate::config(1))]

    #[test]
    fn both_parsers_see_the_same_in_valid_messages(generate::Sample(bytes) in generate::message()) {
        // The oracle takes parentheses in a URI for comments: see below.
        let bytes: Bytes = bytes.into_iter().map(|byte| if matches!(byte, b'(' | b')') { b'_' } else { byte }).collect();
        prop_assert_eq!(ours(&bytes), theirs(&bytes), "{}", String::from_utf8_lossy(&bytes));
    }
}

/// A message with these lines in it, through both.
fn both(lines: &str) -> (Message, sipx_sip::Message) {
    let text = format!("OPTIONS sip:a SIP/2.0\r\n{lines}\r\n\r\n");
    let theirs = sipx_sip::parse_datagram(text.clone().into(), &Limits::datagram()).unwrap();
    (parse_datagram(text.into()).unwrap(), theirs)
}

/// Parentheses are plain characters of a user part (RFC 3261, section 25.1, `mark`); the oracle
/// reads a comment that never ends.
#[test]
fn parentheses_in_a_uri_are_no_comment() {
    let (ours, theirs) = both("Contact: <sip:(@a>, <sip:b>");
    assert_eq!(ours.contacts().unwrap().list().len(), 2);
    assert!(
        theirs
            .headers()
            .typed_all::<headers::Contact>()
            .next()
            .unwrap()
            .is_err()
    );
}

/// 2^31 and more is against section 8.1.1.5 for those who send, but section 20.16 and RFC 4475
/// let those who receive take 32 bits.
#[test]
fn sequence_numbers_of_32_bits_are_read() {
    let (ours, theirs) = both("CSeq: 4294967295 OPTIONS");
    assert_eq!(ours.cseq().unwrap().number, u32::MAX);
    assert!(theirs.headers().typed::<headers::CSeq>().unwrap().is_err());
}
