use super::*;

const INVITE: &str = "INVITE sip:bob@example.com SIP/2.0\r\n\
    v: SIP/2.0/UDP a.example.com;rport;branch=z9hG4bK1,\r\n SIP/2.0/TCP b;branch=z9hG4bK2\r\n\
    Via : SIP/2.0/UDP c\r\n\
    f: \"J\" <sip:j@example.com>;tag=1\r\n\
    t: sip:bob@example.com\r\n\
    i: 7@a\r\n\
    CSeq: 1 INVITE\r\n\
    Timestamp: 5\r\n\
    X-Odd:   kept as it is  \r\n\
    l: 3\r\n\r\nv=0";

fn request(bytes: impl Into<Bytes>) -> Request {
    parse_datagram(bytes.into())
        .expect("a message")
        .into_request()
        .expect("a request")
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_unedited_message_is_written_byte_for_byte() {
    assert_eq!(text(&request(INVITE).to_bytes()), INVITE);
    let oddly_written = "SIP/2.0 200 \r\nv:SIP/2.0/UDP c\r\nL : 00\r\n\r\n";
    let response = parse_datagram(oddly_written.into()).unwrap();
    assert_eq!(text(&response.to_bytes()), oddly_written);
}

#[test]
fn an_edit_touches_its_own_line_only() {
    let mut invite = request(INVITE);
    invite.set_header("Call-ID", "8@a");
    invite.uri = "sip:carol@example.com".parse().unwrap();
    let expected = INVITE
        .replace("i: 7@a", "Call-ID: 8@a")
        .replace("INVITE sip:bob@", "INVITE sip:carol@");
    assert_eq!(text(&invite.to_bytes()), expected);
}

#[test]
fn bytes_that_are_no_utf8_survive_edits_of_other_headers() {
    let bytes = b"OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nSubject: \xe9t\xe9\r\nFrom: \"\xff\" <sip:a@b>\r\nl: 2\r\n\r\n\x00\xff";
    let mut options = request(Bytes::from_static(bytes));
    assert_eq!(options.header("s"), Some("\u{fffd}t\u{fffd}"));
    assert_eq!(options.to_bytes(), Bytes::from_static(bytes));
    options.insert_first("Via", "SIP/2.0/UDP x");
    let written = options.to_bytes();
    let expected = [
        &b"OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/UDP x\r\n"[..],
        &bytes[23..],
    ]
    .concat();
    assert_eq!(written, expected);
}

#[test]
fn a_response_copies_what_it_must_byte_for_byte() {
    let trying = request(INVITE).response(100, None);
    assert_eq!(
        text(&trying.to_bytes()),
        "SIP/2.0 100 Trying\r\n\
         v: SIP/2.0/UDP a.example.com;rport;branch=z9hG4bK1,\r\n SIP/2.0/TCP b;branch=z9hG4bK2\r\n\
         Via : SIP/2.0/UDP c\r\n\
         f: \"J\" <sip:j@example.com>;tag=1\r\n\
         t: sip:bob@example.com\r\n\
         i: 7@a\r\n\
         CSeq: 1 INVITE\r\n\
         Timestamp: 5\r\n\
         Content-Length: 0\r\n\r\n",
    );
    let busy = request(INVITE).response(486, Some("2"));
    assert!(text(&busy.to_bytes()).contains("\r\nt: sip:bob@example.com;tag=2\r\n"));
    assert_eq!(busy.to().unwrap().tag(), Some("2"));
    assert_eq!(busy.header("Timestamp"), None);
}

#[test]
fn a_tag_is_added_once_and_never_into_an_open_quote() {
    let to = |value: &str| {
        request(INVITE.replace("t: sip:bob@example.com", value)).response(400, Some("2"))
    };
    assert_eq!(
        to("To: <sip:b@c>;tag=9").header("To"),
        Some("<sip:b@c>;tag=9")
    );
    assert_eq!(to("To: <sip:b@c>;tag").header("To"), Some("<sip:b@c>;tag"));
    assert_eq!(
        to("To: \"open <sip:b@c>").header("To"),
        Some("\"open <sip:b@c>")
    );
    assert_eq!(
        to("To: \"x\"\r\n <sip:b@c> ").header("To"),
        Some("\"x\" <sip:b@c>;tag=2")
    );
}

#[test]
fn a_stamp_goes_into_the_topmost_via_alone() {
    let mut invite = request(INVITE);
    invite.stamp_via("192.0.2.9:4711".parse().unwrap()).unwrap();
    assert_eq!(
        invite.headers_named("Via").collect::<Vec<_>>(),
        [
            "SIP/2.0/UDP a.example.com;rport=4711;branch=z9hG4bK1;received=192.0.2.9, SIP/2.0/TCP b;branch=z9hG4bK2",
            "SIP/2.0/UDP c",
        ],
    );
    assert!(text(&invite.to_bytes()).contains("\r\nVia : SIP/2.0/UDP c\r\n"));
    let mut without = Request::new(Method::OPTIONS, "sip:b".parse().unwrap());
    assert!(
        without
            .stamp_via("192.0.2.9:4711".parse().unwrap())
            .is_err()
    );
}

#[test]
fn content_length_follows_the_body() {
    let mut invite = request(INVITE);
    invite.set_body("application/sdp", "v=0\r\ns=-\r\n");
    assert!(text(&invite.to_bytes()).ends_with(
        "\r\nContent-Length: 10\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=-\r\n"
    ));
    invite.clear_body();
    assert!(text(&invite.to_bytes()).ends_with("\r\nContent-Length: 0\r\n\r\n"));

    let mut built = Request::new(Method::MESSAGE, "sip:b".parse().unwrap());
    built.push_header("Content-Length", "99");
    built.push_header("l", "98");
    built.set_body("text/plain", "hi");
    assert_eq!(
        text(&built.to_bytes()),
        "MESSAGE sip:b SIP/2.0\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nhi",
    );
}

#[test]
fn a_body_of_any_bytes_comes_back_the_same() {
    let body: Vec<u8> = (0..=255).chain(*b"\r\n\r\n").collect();
    let mut message = Request::new(Method::MESSAGE, "sip:b".parse().unwrap());
    message.set_body("application/octet-stream", body.clone());
    assert_eq!(request(message.to_bytes()).body(), &body);
}

#[test]
fn a_value_cannot_smuggle_a_header_in() {
    let mut message = Request::new(Method::MESSAGE, "sip:b".parse().unwrap());
    message.push_header("Subject", "a\r\nRoute: <sip:evil>");
    message.set_header("Subject", "b\nRoute: <sip:evil>");
    let read = request(message.to_bytes());
    assert_eq!(read.header("Route"), None);
    assert_eq!(read.header("Subject"), Some("b Route: <sip:evil>"));
}

#[test]
fn headers_are_found_and_edited_by_either_name() {
    let mut invite = request(INVITE);
    assert_eq!(invite.header("Call-ID"), Some("7@a"));
    assert_eq!(invite.headers_named("v").count(), 2);
    invite.insert_first("Via", "SIP/2.0/UDP new");
    invite.push_header("Supported", "a");
    invite.insert_first("k", "b");
    assert_eq!(invite.vias().unwrap().len(), 4);
    assert_eq!(invite.supported(), Ok(vec!["b", "a"]));
    invite.set_header("Via", "SIP/2.0/UDP only");
    assert_eq!(
        invite.headers().iter().next(),
        Some(("Via", "SIP/2.0/UDP only"))
    );
    assert_eq!(invite.remove_header("k"), 2);
    assert_eq!(invite.remove_header("k"), 0);
    assert_eq!(invite.headers().len(), 8);
}

#[test]
fn an_edit_that_removes_nothing_leaves_the_bytes_alone() {
    let mut invite = request(INVITE);
    invite.remove_header("Route");
    assert_eq!(text(&invite.to_bytes()), INVITE);
}

#[test]
fn a_phrase_is_kept_until_the_status_changes() {
    let bytes = Bytes::from_static(b"SIP/2.0 200 = 2**3 * \xd0\xd1\r\nVia: SIP/2.0/UDP h\r\n\r\n");
    let mut response = parse_datagram(bytes).unwrap().into_response().unwrap();
    response.push_header("Server", "x");
    assert!(
        response
            .to_bytes()
            .starts_with(b"SIP/2.0 200 = 2**3 * \xd0\xd1\r\n")
    );
    response.status = Status::new(202);
    assert!(response.to_bytes().starts_with(b"SIP/2.0 202 Accepted\r\n"));
}

#[test]
fn a_log_shows_no_addresses() {
    let shown = format!("{:?}", request(INVITE));
    assert_eq!(shown, "Request(INVITE 9 header fields, body of 3 bytes)");
}

/// All that is kept in mind of From and To.
fn parties(fields: &Fields) -> [Option<String>; 4] {
    let aor = |aor: Option<crate::aor::Aor>| aor.map(|aor| aor.as_str().to_owned());
    let tag = |tag: Option<&str>| tag.map(str::to_owned);
    [
        tag(fields.from_tag()),
        tag(fields.to_tag()),
        aor(fields.from_aor()),
        aor(fields.to_aor()),
    ]
}

#[test]
fn what_is_kept_in_mind_of_from_and_to_is_what_they_say() {
    for (from, to) in [
        (
            "\"J\" <sip:%6a@EXAMPLE.com>;tag=1",
            "sip:bob@example.com;x=y",
        ),
        ("<sip:j@192.0.2.1:5070>;tag=1", "<sip:[2001:db8::1]>"),
        ("<tel:+1555>", "\"x\"\r\n <sips:b:c@d.:1;e=f>;g;tag=2"),
    ] {
        let text = INVITE
            .replace("\"J\" <sip:j@example.com>;tag=1", from)
            .replace("sip:bob@example.com\r\ni", &format!("{to}\r\ni"));
        let mut invite = request(text);
        let read = parties(&invite);
        invite.admit("192.0.2.9:4711".parse().unwrap()).unwrap();
        assert_eq!(parties(&invite), read, "{from} {to}");
        invite.push_header("Subject", "x".repeat(1_000));
        invite.remove_header("Call-ID");
        assert_eq!(parties(&invite), read, "{from} {to}");
        let copy = invite.response(200, None);
        assert_eq!(parties(&copy), read, "{from} {to}");
    }
}

#[test]
fn an_edit_of_from_or_to_is_seen_by_who_asks_for_their_parts() {
    let other = request(INVITE.replace("tag=1", "tag=9").replace("bob", "eve"));
    let edits: [fn(&mut Request, &Request); 8] = [
        |invite, _| invite.set_header("f", "<sip:k@example.org>;tag=2"),
        |invite, _| invite.set_header("To", "<sip:k@example.org>;tag=2"),
        |invite, _| invite.headers_mut().push("From", "<sip:k@example.org>"),
        |invite, _| invite.insert_first("To", "<sip:k@example.org>;tag=2"),
        |invite, _| {
            invite.remove_header("From");
        },
        |invite, _| {
            invite.headers_mut().remove("t");
        },
        |invite, other| invite.headers_mut().copy("From", other.headers()),
        |invite, other| *invite.headers_mut() = other.headers().clone(),
    ];
    for (place, edit) in edits.iter().enumerate() {
        let mut invite = request(INVITE);
        invite.admit("192.0.2.9:4711".parse().unwrap()).unwrap();
        let before = parties(&invite);
        edit(&mut invite, &other);
        let after = parties(&invite);
        assert_ne!(after, before, "{place}");
        assert_eq!(after, parties(&request(invite.to_bytes())), "{place}");
    }
}

#[test]
fn a_tag_that_is_added_to_a_response_is_seen() {
    let mut invite = request(INVITE);
    invite.admit("192.0.2.9:4711".parse().unwrap()).unwrap();
    let mut busy = invite.response(486, Some("2"));
    busy.admit().unwrap();
    assert_eq!(busy.to_tag(), Some("2"));
    busy.headers.append_to_value(NameId::TO, [";x=", "y"]);
    assert_eq!(busy.header("To"), Some("sip:bob@example.com;tag=2;x=y"));
    busy.set_header("To", "sip:bob@example.com;tag=3");
    assert_eq!(busy.to_tag(), Some("3"));
    let twice = invite.response(486, Some("4")).to_bytes();
    assert!(text(&twice).contains("\r\nt: sip:bob@example.com;tag=4\r\n"));
}

#[test]
fn a_value_that_is_written_in_place_brings_no_second_header_field() {
    let mut response = Response::new(200);
    response.push_header("Server", "x\r\nA: b");
    response.push_header_with("m", |line| line.push_str("<sip:a@h>\r\nA: b"));
    assert_eq!(response.header("Contact"), Some("<sip:a@h>  A: b"));
    let bytes = response.to_bytes();
    assert_eq!(
        text(&bytes),
        "SIP/2.0 200 OK\r\nServer: x  A: b\r\nContact: <sip:a@h>  A: b\r\nContent-Length: 0\r\n\r\n"
    );
}
