//! Reading and writing: nothing is lost, nothing panics.

mod generate;

use bytes::Bytes;
use proptest::prelude::*;
use sip::{Frame, Message, NameAddr, StreamFramer, Uri, parse_datagram, parse_message};

/// Every accessor once, for its panics.
fn look_at_everything(message: &Message) {
    let _ = (
        message.via(),
        message.vias(),
        message.from(),
        message.to(),
        message.cseq(),
        message.call_id(),
    );
    let _ = (
        message.contacts(),
        message.max_forwards(),
        message.expires(),
        message.min_expires(),
    );
    let _ = (
        message.session_expires(),
        message.min_se(),
        message.retry_after(),
        message.content_type(),
    );
    let _ = (
        message.accept(),
        message.routes(),
        message.record_routes(),
        message.paths(),
        message.reasons(),
    );
    let _ = (
        message.allow(),
        message.supported(),
        message.require(),
        message.proxy_require(),
        message.unsupported(),
    );
    let _ = (
        message.www_authenticate(),
        message.proxy_authenticate(),
        message.authorization(),
    );
    let _ = message.proxy_authorization();
    let source = "192.0.2.1:5060".parse().expect("an address");
    let mut edited = message.clone();
    let _ = edited.stamp_via(source);
    edited.set_header("To", "<sip:a@b>");
    let _ = edited.to_bytes();
    match message {
        Message::Request(request) => {
            let _ = request.validate();
            let _ = request.response(200, Some("tag")).to_bytes();
        }
        Message::Response(response) => {
            let _ = response.validate();
        }
    }
}

fn survive(bytes: &[u8]) {
    for read in [parse_datagram, parse_message] {
        match read(Bytes::copy_from_slice(bytes)) {
            Ok(message) => look_at_everything(&message),
            Err(malformed) => {
                let _ = malformed
                    .response("tag")
                    .map(|response| response.to_bytes());
            }
        }
    }
    let mut framer = StreamFramer::accepted();
    framer.push(bytes);
    while let Ok(Some(_)) = framer.next_frame() {}
}

proptest! {
    #![proptest_config(generate::config(4))]

    #[test]
    fn what_is_read_is_written_byte_for_byte(generate::Sample(bytes) in generate::message()) {
        let message = parse_datagram(bytes.clone().into());
        let message = message.map_err(|error| TestCaseError::fail(format!("{error}: {}", String::from_utf8_lossy(&bytes))))?;
        prop_assert_eq!(&message.to_bytes(), &bytes);
        let framed = parse_message(bytes.clone().into()).expect("the same bytes, framed");
        prop_assert_eq!(&framed.to_bytes(), &bytes);
    }

    #[test]
    fn an_edit_of_one_header_leaves_the_other_lines_alone(generate::Sample(bytes) in generate::message()) {
        let mut message = parse_datagram(bytes.clone().into()).expect("valid");
        message.push_header("X-New", "1");
        prop_assert_eq!(message.remove_header("X-New"), 1);
        prop_assert_eq!(&message.to_bytes(), &bytes);
    }

    #[test]
    fn addresses_written_anew_mean_the_same(generate::Sample(bytes) in generate::message()) {
        let message = parse_datagram(bytes.into()).expect("valid");
        let mut addresses = vec![message.from().unwrap(), message.to().unwrap()];
        addresses.extend(message.contacts().unwrap().list().iter().map(|contact| contact.address.clone()));
        for address in addresses {
            let again: NameAddr = address.to_string().parse().unwrap();
            prop_assert_eq!(&again, &address);
            prop_assert!(address.uri.is_equivalent(&again.uri));
        }
    }

    #[test]
    fn a_stream_gives_the_messages_that_went_in(
        messages in proptest::collection::vec(generate::message(), 1..5),
        cuts in proptest::collection::vec(1_usize..80, 1..40),
    ) {
        let messages: Vec<_> = messages.into_iter().map(|generate::Sample(bytes)| bytes).collect();
        let stream: Vec<u8> = messages.iter().flat_map(|message| [message, &b"\r\n\r\n"[..]].concat()).collect();
        let mut framer = StreamFramer::accepted();
        let mut out = Vec::new();
        let mut pings = 0;
        let mut rest = &stream[..];
        for cut in cuts.iter().cycle() {
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            framer.push(piece);
            while let Some(frame) = framer.next_frame().unwrap() {
                match frame {
                    Frame::Message(bytes) => out.push(bytes),
                    Frame::Ping => pings += 1,
                    Frame::Pong => prop_assert!(false, "no pong on an accepted connection"),
                }
            }
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(pings, messages.len());
        prop_assert_eq!(out, messages);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        survive(&bytes);
    }

    #[test]
    fn mutated_messages_do_not_panic(
        generate::Sample(mut bytes) in generate::message(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
    ) {
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            // Half of the edits aim at the punctuation that the grammar hangs on.
            bytes[at] = if byte < 128 { b"\r\n \t:;,=<>\"\\@?%/*[]()"[usize::from(byte) % 20] } else { byte };
        }
        survive(&bytes);
        survive(&bytes[..end.index(bytes.len())]);
    }

    #[test]
    fn arbitrary_header_values_do_not_panic(value in "[\\PC\t]{0,60}", punctuated in "[a-z0-9;,=<>\"\\\\@?%/*: \\[\\]().é-]{0,40}") {
        for value in [value, punctuated] {
            let names = [
                "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Expires", "Min-Expires", "Route",
                "Record-Route", "Path", "Reason", "Allow", "Content-Type", "Accept", "Session-Expires", "Min-SE",
                "Retry-After", "Authorization", "WWW-Authenticate",
            ];
            let lines: String = names.iter().map(|name| format!("{name}: {value}\r\n")).collect();
            survive(format!("OPTIONS sip:a SIP/2.0\r\n{lines}\r\n").as_bytes());
            if let Ok(uri) = value.parse::<Uri>() {
                prop_assert_eq!(uri.as_str(), &value);
                prop_assert!(uri.is_equivalent(&uri));
                let _ = (sip::Aor::from_uri(&uri), uri.user_decoded());
            }
        }
    }
}
