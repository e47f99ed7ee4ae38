//! Reading descriptions: what is refused, what is forgiven, and that nothing panics.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use proptest::prelude::*;
use sdp::{
    Described, Direction, LocalMedia, MAX_BYTES, MAX_MEDIA, Origin, SdpError, SessionDescription,
    answer,
};

const MINIMAL: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n";

fn parse(text: &str) -> Result<SessionDescription, SdpError> {
    SessionDescription::parse(text.as_bytes())
}

#[test]
fn lines_may_end_in_any_way() {
    let expected = parse(MINIMAL).unwrap();
    assert_eq!(parse(&MINIMAL.replace("\r\n", "\n")).unwrap(), expected);
    assert_eq!(parse(&MINIMAL.replace("\r\n", "\r")).unwrap(), expected);
    assert_eq!(parse(MINIMAL.trim_end()).unwrap(), expected);
}

#[test]
fn missing_name_and_time_are_forgiven() {
    assert_eq!(
        parse("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n").unwrap(),
        parse(MINIMAL).unwrap()
    );
}

#[test]
fn refusals_name_the_line() {
    let cases = [
        ("", SdpError::Version),
        ("v=1\r\n", SdpError::Version),
        ("o=- 1 1 IN IP4 192.0.2.1\r\nv=0\r\n", SdpError::Version),
        ("v=0\r\ns=-\r\n", SdpError::Missing { kind: 'o' }),
        ("v=0\r\no=- 1 1 IN IP4\r\n", SdpError::Line { line: 2 }),
        (
            "v=0\r\no=- x 1 IN IP4 192.0.2.1\r\n",
            SdpError::Line { line: 2 },
        ),
        ("v=0\r\nno equals sign\r\n", SdpError::Line { line: 2 }),
        ("v=0\r\nxy=1\r\n", SdpError::Line { line: 2 }),
        ("v=0\r\ns=a\0b\r\n", SdpError::Line { line: 2 }),
        ("v=0\r\nr=7d 1h 0\r\n", SdpError::Line { line: 2 }),
        (
            "v=0\r\nx=1\r\n",
            SdpError::UnknownType { line: 2, kind: 'x' },
        ),
        (
            "v=0\r\nm=audio 99999 RTP/AVP 0\r\n",
            SdpError::Line { line: 2 },
        ),
        ("v=0\r\nm=audio RTP/AVP 0\r\n", SdpError::Line { line: 2 }),
        (
            "v=0\r\nm=audio 1 RTP/AVP 0\r\no=- 1 1 IN IP4 192.0.2.1\r\n",
            SdpError::Line { line: 3 },
        ),
    ];
    for (text, error) in cases {
        assert_eq!(parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn sizes_are_bounded() {
    let long = format!("{MINIMAL}a={}\r\n", "x".repeat(MAX_BYTES));
    assert_eq!(parse(&long), Err(SdpError::TooLong { bytes: long.len() }));
    let many = format!("{MINIMAL}{}", "a=x\r\n".repeat(3_000));
    assert_eq!(parse(&many), Err(SdpError::TooManyLines));
    let media = format!(
        "{MINIMAL}{}",
        "m=audio 1 RTP/AVP 0\r\n".repeat(MAX_MEDIA + 1)
    );
    assert_eq!(parse(&media), Err(SdpError::TooManyMedia));
    let formats = format!("{MINIMAL}m=audio 1 RTP/AVP{}\r\n", " 0".repeat(129));
    assert_eq!(parse(&formats), Err(SdpError::Line { line: 5 }));
}

#[test]
fn user_name_with_blanks_and_huge_numbers_are_read() {
    let text = "v=0\r\no=Jane Doe 99999999999999999999999 7 IN IP6 2001:db8::1\r\n";
    let origin = parse(text).unwrap().origin;
    assert_eq!(origin.username, "Jane Doe");
    assert_eq!((origin.session_id, origin.version), (u64::MAX, 7));
    assert_eq!(origin.connection.ip(), Some("2001:db8::1".parse().unwrap()));
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    let bytes = b"v=0\r\no=J\xF6rg 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n";
    assert_eq!(
        SessionDescription::parse(bytes).unwrap().origin.username,
        "J\u{fffd}rg"
    );
}

#[test]
fn media_level_wins_over_session_level() {
    let text = format!(
        "{MINIMAL}c=IN IP4 192.0.2.1\r\na=recvonly\r\nm=audio 1 RTP/AVP 0\r\nc=IN IP6 2001:db8::7\r\n\
         a=sendonly\r\nm=audio 1 RTP/AVP 0\r\n"
    );
    let session = parse(&text).unwrap();
    let [own, inherited] = &session.media[..] else {
        panic!("two media lines")
    };
    assert_eq!(session.direction_of(own), Direction::SendOnly);
    assert_eq!(session.direction_of(inherited), Direction::RecvOnly);
    assert_eq!(
        session.address_of(own),
        Some("2001:db8::7".parse().unwrap())
    );
    assert_eq!(
        session.address_of(inherited),
        Some("192.0.2.1".parse().unwrap())
    );
}

#[test]
fn multicast_and_names_are_kept_as_written() {
    let text = format!(
        "{MINIMAL}c=IN IP4 224.2.36.42/127\r\nm=audio 49170/2 RTP/AVP 0\r\nc=IN IP4 host.example\r\n"
    );
    let session = parse(&text).unwrap();
    assert_eq!(
        session.connection.as_ref().unwrap().ip(),
        Some("224.2.36.42".parse().unwrap())
    );
    assert_eq!(session.address_of(&session.media[0]), None);
    assert_eq!(session.media[0].port_count, Some(2));
    assert!(session.to_string().contains("c=IN IP4 224.2.36.42/127\r\n"));
}

#[test]
fn rtcp_attribute_is_read_with_and_without_address() {
    let text = format!(
        "{MINIMAL}m=audio 1 RTP/AVP 0\r\na=rtcp:53020\r\nm=audio 1 RTP/AVP 0\r\na=rtcp:53021 IN IP6 2001:db8::9\r\n\
         m=audio 1 RTP/AVP 0\r\na=rtcp:x\r\n"
    );
    let media = parse(&text).unwrap().media;
    assert_eq!(media[0].rtcp(), Some((53_020, None)));
    assert_eq!(
        media[1].rtcp(),
        Some((53_021, Some("2001:db8::9".parse().unwrap())))
    );
    assert_eq!(media[2].rtcp(), None);
}

/// Text made of plausible lines, so that the deep parts are reached.
fn plausible() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[vosiuepcbtrzkamx]=[ -~]{0,40}",
        "m=(audio|video) [0-9/]{0,7} (RTP/AVP|RTP/SAVP|x) [0-9 ]{0,20}",
        "a=(rtpmap|fmtp|ptime|rtcp|maxptime):[0-9]{0,4}( [a-zA-Z-]{0,8}/[0-9]{0,6}(/[0-9])?)?",
        "c=IN IP[46] ([0-9.]{0,15}|[0-9a-f:]{0,20})",
        "a=(sendonly|recvonly|inactive|sendrecv)",
    ];
    proptest::collection::vec(line, 0..20)
        .prop_map(|lines| format!("{MINIMAL}{}", lines.join("\r\n")))
}

/// Lines that stand nearly in the order in which we write them.
fn nearly_in_order() -> impl Strategy<Value = String> {
    let line = |pattern: &'static str| proptest::option::of(pattern);
    (
        [
            line("o=[ -~]{0,3} [0-9]{1,22} 0{0,1}[0-9] IN IP4 h ?\r\n"),
            line("[sius]=[ -~]{0,9}\r\n"),
            line("[epc]=IN IP4 h( x)?\r\n"),
            line("[bt]=AS:[ -~]{0,9}(\r\n|\n)"),
            line("[tr]=[ -~]{0,9}\r\n"),
            line("[zk]=[ -~]{0,9}\r\n"),
            line("a=[ -~]{1,9}\r\n"),
            line("m=audio [+0]{0,1}[0-9]{1,5}(/0{0,1}2)? x( 0){0,2} ?\r\n"),
            line("[icb]=IN IP4 :\r\n"),
            line("[bka]=x:\r\n?"),
        ],
        "(v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\n|v=0 ?\r\n)",
        "(t=0 0\r\n)?",
    )
        .prop_map(|(lines, head, time)| {
            let (before, behind) = lines.split_at(4);
            let all =
                |lines: &[Option<String>]| lines.iter().flatten().cloned().collect::<String>();
            [head, all(before), time, all(behind)].concat()
        })
}

fn use_everything(bytes: &[u8]) {
    let parsed = SessionDescription::parse(bytes);
    let described = Described::read(bytes);
    assert_eq!(described, parsed.clone().map(Described::from));
    let Ok(session) = parsed else {
        return;
    };
    let local = LocalMedia::audio("192.0.2.9:4000".parse().unwrap());
    let origin = Origin::new(local.address, 1, 1);
    if let Ok((answer, negotiated)) = answer(&session, &local, &origin) {
        assert_eq!(answer.media.len(), session.media.len());
        assert!(!negotiated.send.is_empty());
        assert_eq!(negotiated.send.len(), negotiated.receive.len());
    }
    let again = SessionDescription::parse(&session.to_bytes()).unwrap();
    assert_eq!(again.to_string(), session.to_string());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        use_everything(&bytes);
    }

    #[test]
    fn who_passes_a_description_on_writes_what_who_understands_it_writes(text in nearly_in_order()) {
        use_everything(text.as_bytes());
    }

    #[test]
    fn plausible_text_never_panics_and_survives_a_round_trip(text in plausible()) {
        use_everything(text.as_bytes());
    }
}
