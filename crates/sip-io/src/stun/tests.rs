//! The samples of RFC 5769, and what an attacker may send.

use super::*;

const REQUEST: &[u8] = include_bytes!("../../../../tests/data/protocol-vectors/rfc5769-2_1.bin");
const IPV4_RESPONSE: &[u8] =
    include_bytes!("../../../../tests/data/protocol-vectors/rfc5769-2_2.bin");
const IPV6_RESPONSE: &[u8] =
    include_bytes!("../../../../tests/data/protocol-vectors/rfc5769-2_3.bin");
const LONG_TERM_REQUEST: &[u8] =
    include_bytes!("../../../../tests/data/protocol-vectors/rfc5769-2_4.bin");

const PRIORITY: u16 = 0x0024;

fn mapped(datagram: &[u8]) -> Option<SocketAddr> {
    match parse(datagram) {
        Some(Stun::Success { mapped, .. }) => mapped,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_sample_request_is_read_and_what_only_ice_knows_is_named() {
    let Some(Stun::Request { unknown, .. }) = parse(REQUEST) else {
        panic!("no request");
    };
    assert_eq!(unknown, [PRIORITY]);
    assert!(matches!(
        parse(LONG_TERM_REQUEST),
        Some(Stun::Request { unknown, .. }) if unknown.is_empty()
    ));
}

#[test]
fn the_sample_responses_tell_the_address_of_the_standard() {
    assert_eq!(
        mapped(IPV4_RESPONSE),
        Some("192.0.2.1:32853".parse().unwrap())
    );
    assert_eq!(
        mapped(IPV6_RESPONSE),
        Some(
            "[2001:db8:1234:5678:11:2233:4455:6677]:32853"
                .parse()
                .unwrap()
        )
    );
}

#[test]
fn a_damaged_message_with_a_fingerprint_is_not_answered() {
    let mut damaged = REQUEST.to_vec();
    damaged[30] ^= 1;
    assert_eq!(parse(&damaged), Some(Stun::Other));
}

#[test]
fn what_we_answer_is_what_we_read() {
    for peer in ["192.0.2.7:5060", "[2001:db8::7]:40000"] {
        let peer: SocketAddr = peer.parse().unwrap();
        let transaction = *b"twelve bytes";
        let asked = parse(&request(transaction));
        assert_eq!(
            asked,
            Some(Stun::Request {
                transaction,
                unknown: Vec::new()
            })
        );
        assert_eq!(
            parse(&answer(transaction, &[], peer)),
            Some(Stun::Success {
                transaction,
                mapped: Some(peer)
            })
        );
    }
}

#[test]
fn an_ipv4_peer_of_an_ipv6_socket_is_told_its_ipv4_address() {
    let peer: SocketAddr = "[::ffff:192.0.2.7]:5060".parse().unwrap();
    let told = mapped(&answer(*b"twelve bytes", &[], peer));
    assert_eq!(told, Some("192.0.2.7:5060".parse().unwrap()));
}

#[test]
fn an_attribute_that_must_be_understood_is_named_in_the_error() {
    let error = answer(
        *b"twelve bytes",
        &[PRIORITY],
        "192.0.2.7:1".parse().unwrap(),
    );
    assert_eq!(parse(&error), Some(Stun::Other));
    assert_eq!(error[..2], [0x01, 0x11]);
    assert_eq!(
        error[20..],
        [0, 9, 0, 4, 0, 0, 4, 20, 0, 10, 0, 2, 0, 0x24, 0, 0]
    );
}

#[test]
fn sip_blank_lines_and_fragments_are_no_stun_messages() {
    for datagram in [
        b"OPTIONS sip:a@b SIP/2.0\r\n\r\n".as_slice(),
        b"\r\n\r\n",
        b"",
        &[0; 20],
        &REQUEST[..19],
    ] {
        assert_eq!(parse(datagram), None, "{datagram:?}");
    }
}

#[test]
fn lengths_that_lie_panic_nobody() {
    for cut in 20..REQUEST.len() {
        assert_eq!(parse(&REQUEST[..cut]), Some(Stun::Other), "{cut}");
    }
    for at in 0..REQUEST.len() {
        for value in [0, 1, 0x7F, 0x80, 0xFF] {
            let mut changed = REQUEST.to_vec();
            changed[at] = value;
            parse(&changed);
        }
    }
}
