//! The probes on which SIP parsers differ, one test for each row of the matrix in the design of
//! the SIP core, for each header it applies to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bytes::Bytes;
use sip::{
    AuthFields, Contacts, HeaderError, Method, NameAddr, ParseError, Refusal, Request, Transport,
    Uri, parse_datagram, parse_message,
};

const HEAD: &str = "REGISTER sip:example.com SIP/2.0\r\n";
const CORE: &str = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
    From: <sip:alice@example.com>;tag=1\r\n\
    To: <sip:alice@example.com>\r\n\
    Call-ID: c@h\r\n\
    CSeq: 7 REGISTER\r\n\
    Contact: <sip:alice@192.0.2.1>\r\n";

fn request(text: impl Into<Bytes>) -> Request {
    parse_datagram(text.into()).unwrap().into_request().unwrap()
}

fn with(line: &str) -> Request {
    request(format!("{HEAD}{CORE}{line}\r\n\r\n"))
}

fn replaced(name: &str, line: &str) -> Request {
    let kept: String = CORE
        .split_inclusive("\r\n")
        .filter(|old| !old.starts_with(name))
        .collect();
    request(format!("{HEAD}{kept}{line}\r\n\r\n"))
}

/// The core fields of a request, as text.
fn core(request: &Request) -> [String; 6] {
    request.validate().unwrap();
    [
        request.via().unwrap().branch().unwrap().to_owned(),
        request.from().unwrap().tag().unwrap().to_owned(),
        request.to().unwrap().uri.to_string(),
        request.call_id().unwrap().to_owned(),
        request.cseq().unwrap().to_string(),
        request
            .contacts()
            .unwrap()
            .first()
            .unwrap()
            .uri()
            .to_string(),
    ]
}

fn expected_core() -> [String; 6] {
    core(&request(format!("{HEAD}{CORE}\r\n")))
}

#[test]
fn compact_header_names() {
    let pairs = [
        ("Via", "v"),
        ("From", "f"),
        ("To", "t"),
        ("Call-ID", "i"),
        ("Contact", "m"),
    ];
    let mut text = format!(
        "{HEAD}{CORE}l: 0\r\nk: path\r\nc: a/b\r\ne: gzip\r\ns: hi\r\nx: 90\r\no: presence\r\n\r\n"
    );
    for (full, compact) in pairs {
        text = text.replace(&format!("{full}: "), &format!("{compact}: "));
    }
    let compact = request(text);
    assert_eq!(core(&compact), expected_core());
    assert_eq!(compact.supported(), Ok(vec!["path"]));
    assert!(compact.content_type().unwrap().unwrap().is("a", "b"));
    assert_eq!(compact.header("Content-Encoding"), Some("gzip"));
    assert_eq!(compact.header("Subject"), Some("hi"));
    assert_eq!(compact.header("Event"), Some("presence"));
    assert_eq!(
        compact.session_expires().unwrap().unwrap().interval_secs,
        90
    );
}

#[test]
fn space_before_the_colon_and_folding() {
    let text = format!("{HEAD}{CORE}\r\n");
    let spaced = text.replace(": ", " \t:   ");
    assert_eq!(
        core(&request(spaced.replacen("sip \t:   ", "sip:", 1))),
        expected_core()
    );
    let folded = format!(
        "{HEAD}{}\r\n",
        CORE.replace(": ", ":\r\n\t ")
            .replace(";tag", "\r\n ;tag")
            .replace(";branch", "\r\n ;branch")
            .replace("7 R", "7\r\n R")
    );
    assert_eq!(core(&request(folded)), expected_core());
}

#[test]
fn blanks_around_semicolon_and_equals() {
    let text = format!(
        "{HEAD}{}\r\n",
        CORE.replace(";tag=", " ; tag = ")
            .replace(";branch=", "\t;  branch\t=  ")
    );
    assert_eq!(core(&request(text)), expected_core());
    let contact = replaced("Contact", "Contact: <sip:a@b> ; q = 0.5 ; expires = 60")
        .contacts()
        .unwrap();
    assert_eq!(
        (
            contact.first().unwrap().q(),
            contact.first().unwrap().expires()
        ),
        (Ok(Some(500)), Some(60))
    );
    let route = with("Route: <sip:a;lr> ; x = y").routes().unwrap();
    assert_eq!(route[0].params.value("x"), Some("y"));
}

#[test]
fn user_with_a_dot() {
    let uri: Uri = "sip:john.doe@example.com".parse().unwrap();
    assert_eq!(
        (uri.user(), uri.host().unwrap().to_string()),
        (Some("john.doe"), "example.com".to_owned())
    );
    for name in ["From", "To", "Contact"] {
        let request = replaced(name, &format!("{name}: sip:john.doe@example.com"));
        let address: NameAddr = request.header(name).unwrap().parse().unwrap();
        assert_eq!(address.uri, uri);
    }
}

#[test]
fn ipv6_host_in_uris_and_via() {
    for name in ["From", "To", "Contact"] {
        let request = replaced(
            name,
            &format!("{name}: <sip:a@[2001:db8::1]:5070;lr>;tag=1"),
        );
        let address: NameAddr = request.header(name).unwrap().parse().unwrap();
        assert_eq!(
            address.uri.host_port().unwrap().to_string(),
            "[2001:db8::1]:5070"
        );
        assert_eq!(address.to_string(), "<sip:a@[2001:db8::1]:5070;lr>;tag=1");
    }
    for name in ["Route", "Record-Route", "Path"] {
        let request = with(&format!("{name}: <sip:[2001:db8::1];lr>"));
        let list = [request.routes(), request.record_routes(), request.paths()]
            .into_iter()
            .map(Result::unwrap)
            .find(|list| !list.is_empty())
            .unwrap();
        assert_eq!(list[0].uri.as_str(), "sip:[2001:db8::1];lr");
    }
    let via = replaced(
        "Via",
        "Via: SIP/2.0/TCP [2001:db8::9:1]:5070;branch=z9hG4bK2",
    )
    .via()
    .unwrap();
    assert_eq!(
        via.to_string(),
        "SIP/2.0/TCP [2001:db8::9:1]:5070;branch=z9hG4bK2"
    );
}

#[test]
fn telephone_uris() {
    let request = request(format!("REGISTER tel:+1-555 SIP/2.0\r\n{CORE}\r\n"));
    assert_eq!(request.validate(), Ok(()));
    assert_eq!(request.uri.telephone_number(), Some("+1-555"));
    for name in ["From", "To", "Contact"] {
        let request = replaced(name, &format!("{name}: <tel:+1555>;tag=1"));
        let address: NameAddr = request.header(name).unwrap().parse().unwrap();
        assert_eq!(address.uri.telephone_number(), Some("+1555"));
        assert_eq!((address.uri.host(), address.uri.port()), (None, None));
    }
}

#[test]
fn unknown_methods_are_read_whole() {
    for method in ["FOO", "INVITEX", "invite", "Invite", "!%*"] {
        let text = format!("{HEAD}{CORE}\r\n").replace("REGISTER", method);
        let request = request(text);
        assert_eq!(request.method, Method::Ext(method.to_owned()));
        assert_eq!(request.validate(), Ok(()));
    }
}

#[test]
fn reason_phrase_is_kept() {
    for phrase in ["Nobody Here", "", "  two  blanks ", "\u{41d}\u{435}\u{442}"] {
        let text = format!("SIP/2.0 404 {phrase}\r\n{CORE}\r\n");
        let mut response = parse_datagram(text.into())
            .unwrap()
            .into_response()
            .unwrap();
        assert_eq!(response.status.code(), 404);
        response.push_header("X", "edited");
        assert!(
            response
                .to_bytes()
                .starts_with(format!("SIP/2.0 404 {phrase}\r\n").as_bytes()),
            "{phrase:?}"
        );
    }
}

#[test]
fn instance_and_push_parameters_come_back_unchanged() {
    let value = "<sip:alice@192.0.2.1;transport=tcp;pn-provider=acme;pn-param=a%2Fb:c;pn-prid=00:fc&13%2Fx+y>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\";reg-id=1";
    let mut register = replaced("Contact", &format!("Contact: {value}"));
    let contact = register.contacts().unwrap().first().unwrap().clone();
    assert_eq!(
        contact.instance().as_deref(),
        Some("urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF")
    );
    assert_eq!(contact.uri().param("pn-prid"), Some("00:fc&13%2Fx+y"));
    assert_eq!(contact.uri().param("pn-param"), Some("a%2Fb:c"));
    assert_eq!(contact.to_string(), value);
    register.push_header("Path", "<sip:p;lr>");
    assert_eq!(register.header("Contact"), Some(value));
}

#[test]
fn several_contacts_and_the_star() {
    let two = replaced("Contact", "Contact: <sip:a@b>;q=1, \"B, <b>\" <sip:b@c>")
        .contacts()
        .unwrap();
    let uris: Vec<_> = two
        .list()
        .iter()
        .map(|contact| contact.uri().as_str())
        .collect();
    assert_eq!(uris, ["sip:a@b", "sip:b@c"]);
    let star = replaced("Contact", "Contact: *");
    assert_eq!(star.contacts(), Ok(Contacts::Star));
    assert_eq!(star.header("Contact"), Some("*"));
}

#[test]
fn quoted_display_names_may_hold_anything() {
    for name in ["From", "To", "Contact", "Route", "Record-Route", "Path"] {
        let line = format!("{name}: \"Bell, \\\"A\\\" <sip:x@y>; tag=0\" <sip:a@b>;tag=1");
        let request = replaced(name, &line);
        let address: NameAddr = request.header(name).unwrap().parse().unwrap();
        assert_eq!(
            address.display_name.as_deref(),
            Some("Bell, \"A\" <sip:x@y>; tag=0")
        );
        assert_eq!(
            (address.uri.as_str(), address.tag()),
            ("sip:a@b", Some("1"))
        );
    }
    let contacts = replaced("Contact", "Contact: \"a, b\" <sip:a@b>, \"c\" <sip:c@d>")
        .contacts()
        .unwrap();
    assert_eq!(contacts.list().len(), 2);
}

#[test]
fn digest_algorithms_and_counts_are_read_as_written() {
    for name in ["WWW-Authenticate", "Proxy-Authenticate"] {
        let request = with(&format!(
            "{name}: Digest realm=\"r\", algorithm=SHA-256, qop=\"auth,auth-int\", nonce=\"n\""
        ));
        let list = match name {
            "WWW-Authenticate" => request.www_authenticate(),
            _ => request.proxy_authenticate(),
        };
        assert_eq!(list.unwrap()[0].value("algorithm").unwrap(), "SHA-256");
    }
    for name in ["Authorization", "Proxy-Authorization"] {
        let request = with(&format!(
            "{name}: Digest username=\"a\", nc=0000000a, qop=auth, uri=\"sip:b\""
        ));
        let list: Vec<AuthFields> = match name {
            "Authorization" => request.authorization(),
            _ => request.proxy_authorization(),
        }
        .unwrap();
        assert_eq!(list[0].raw_value("nc"), Some("0000000a"));
        assert_eq!(
            list[0].to_string(),
            "Digest username=\"a\", nc=0000000a, qop=auth, uri=\"sip:b\""
        );
    }
}

#[test]
fn unknown_transports_do_not_fail_the_message() {
    let request = replaced("Via", "Via: SIP/2.0/QUIC h;branch=z9hG4bK1, SIP/2.0/udp i");
    assert_eq!(request.validate(), Ok(()));
    let vias = request.vias().unwrap();
    assert_eq!(
        (vias[0].protocol.as_str(), vias[0].transport()),
        ("QUIC", None)
    );
    assert_eq!(vias[1].transport(), Some(Transport::Udp));
    let uri: Uri = "sip:a@b;transport=quic".parse().unwrap();
    assert_eq!(
        (uri.param("transport"), uri.transport()),
        (Some("quic"), None)
    );
}

#[test]
fn bytes_that_are_no_utf8_harm_their_own_header_only() {
    for name in ["Subject", "From", "To", "Contact", "User-Agent", "Via"] {
        let value: &[u8] = match name {
            "Subject" | "User-Agent" => b"caf\xe9",
            "Via" => b"SIP/2.0/UDP h;branch=z9hG4bK1;x=\"\xe9\"",
            _ => b"\"caf\xe9\" <sip:a@b>;tag=1",
        };
        let kept: String = CORE
            .split_inclusive("\r\n")
            .filter(|old| !old.starts_with(name))
            .collect();
        let text = [
            HEAD.as_bytes(),
            name.as_bytes(),
            b": ",
            value,
            b"\r\nX-After: here\r\n",
            kept.as_bytes(),
            b"\r\n",
        ]
        .concat();
        let mut request = request(text.clone());
        assert_eq!(request.validate(), Ok(()), "{name}");
        assert_eq!(request.header("X-After"), Some("here"));
        assert_eq!(request.to_bytes(), text, "{name}");
        request.push_header("Supported", "path");
        let edited = request.to_bytes();
        assert!(
            edited.windows(value.len()).any(|window| window == value),
            "{name}"
        );
    }
}

#[test]
fn bodies_and_their_lengths() {
    let text = |length: &str, body: &str| Bytes::from(format!("{HEAD}{CORE}{length}\r\n{body}"));
    let error = |bytes| parse_datagram(bytes).unwrap_err().error;
    assert_eq!(parse_datagram(text("", "body")).unwrap().body(), "body");
    assert_eq!(
        error(text("Content-Length: 5\r\n", "body")),
        ParseError::TruncatedBody {
            declared: 5,
            actual: 4
        }
    );
    assert_eq!(
        error(text("Content-Length: 4\r\nl: 3\r\n", "body")),
        ParseError::ContentLength
    );
    assert_eq!(
        parse_datagram(text("l: 3\r\n", "body")).unwrap().body(),
        "bod"
    );
    assert_eq!(
        parse_message(text("", "body")).unwrap_err().error,
        ParseError::ContentLength
    );
}

#[test]
fn a_repeated_length_is_refused_even_if_both_agree() {
    let request = with("Content-Length: 0\r\nl: 0");
    assert_eq!(
        request.validate(),
        Err(Refusal::Header(HeaderError::Repeated {
            name: "Content-Length"
        }))
    );
}

#[test]
fn binary_body_round_trip() {
    let body: Vec<u8> = (0..=255).rev().collect();
    let head = format!("{HEAD}{CORE}Content-Length: 256\r\n\r\n");
    let text = [head.as_bytes(), &body].concat();
    let mut request = request(text.clone());
    assert_eq!(request.body(), &body);
    assert_eq!(request.to_bytes(), text);
    request.push_header("X", "y");
    assert!(request.to_bytes().ends_with(&body));
}

#[test]
fn header_order_and_unknown_headers() {
    let lines = "X-B: 1\r\nVia: SIP/2.0/UDP a\r\nx-a:2\r\nRoute: <sip:r1;lr>\r\nX-B:  3 \r\nVia: SIP/2.0/UDP b\r\nRoute: <sip:r2;lr>\r\n";
    let text = format!("{HEAD}{lines}\r\n");
    let mut request = request(text.clone());
    assert_eq!(request.to_bytes(), text);
    let names: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(names, ["X-B", "Via", "x-a", "Route", "X-B", "Via", "Route"]);
    request.remove_header("x-a");
    let expected = text
        .replace("x-a:2\r\n", "")
        .replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(request.to_bytes(), expected);
}

#[test]
fn addresses_without_brackets_keep_their_tag() {
    for name in ["From", "To"] {
        let request = replaced(name, &format!("{name}: sip:a@b;tag=1"));
        let address = if name == "From" {
            request.from()
        } else {
            request.to()
        }
        .unwrap();
        assert_eq!(
            (address.uri.as_str(), address.tag()),
            ("sip:a@b", Some("1"))
        );
    }
    let contact = replaced("Contact", "Contact: sip:a@b;expires=5")
        .contacts()
        .unwrap();
    assert_eq!(contact.first().unwrap().expires(), Some(5));
}

#[test]
fn uri_headers_keep_their_order() {
    let text = "<sip:a@b;x=y?Replaces=1%40h%3Bto-tag%3D2&Require=replaces&a=>";
    let request = with(&format!("Refer-To: {text}"));
    let address: NameAddr = request.header("r").unwrap().parse().unwrap();
    let headers: Vec<_> = address
        .uri
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        headers,
        [
            ("Replaces", "1%40h%3Bto-tag%3D2"),
            ("Require", "replaces"),
            ("a", "")
        ]
    );
    assert_eq!(address.to_string(), text);
}

#[test]
fn a_plus_in_the_user_stays() {
    for name in ["From", "To", "Contact"] {
        let request = replaced(name, &format!("{name}: <sip:+1555%2B@b>;tag=1"));
        let address: NameAddr = request.header(name).unwrap().parse().unwrap();
        assert_eq!(address.uri.user(), Some("+1555%2B"));
        assert_eq!(address.to_string(), "<sip:+1555%2B@b>;tag=1");
    }
    let request = request(format!("REGISTER sip:+1555@b SIP/2.0\r\n{CORE}\r\n"));
    assert_eq!(
        request.to_bytes(),
        format!("REGISTER sip:+1555@b SIP/2.0\r\n{CORE}\r\n")
    );
}
