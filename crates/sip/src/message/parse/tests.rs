use super::*;

const REST: &str = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";

fn read(text: impl Into<Bytes>) -> Result<Message, Malformed> {
    parse_datagram(text.into())
}

fn fault(text: impl Into<Bytes>) -> ParseError {
    read(text).expect_err("must be refused").error
}

fn options(headers: &str, body: &str) -> String {
    format!("OPTIONS sip:c@d SIP/2.0\r\n{REST}{headers}\r\n{body}")
}

#[test]
fn start_lines_are_told_apart() {
    for (line, expected) in [
        ("OPTIONS sip:c@d  SIP/2.0", ParseError::StartLine),
        ("OPTIONS  sip:c@d SIP/2.0", ParseError::StartLine),
        ("OPTIONS sip:c@d SIP/2.0 ", ParseError::StartLine),
        ("OPTIONS sip:c@d; lr SIP/2.0", ParseError::StartLine),
        ("OPTIONS sip:c@d SIP/two", ParseError::StartLine),
        ("OPTIONS sip:c@d SIP/7.0", ParseError::Version),
        (
            "OPTIONS <sip:c@d> SIP/2.0",
            ParseError::RequestUri {
                error: crate::UriError::Character { at: 0 },
            },
        ),
        (
            "OPTIONS c SIP/2.0",
            ParseError::RequestUri {
                error: crate::UriError::Scheme,
            },
        ),
        ("OPTIONS sip:c@d", ParseError::NotSip),
        ("GET / HTTP/1.1", ParseError::NotSip),
        ("OPT\u{ef}ONS sip:c@d SIP/2.0", ParseError::NotSip),
        ("", ParseError::NotSip),
        ("SIP/2.0 99 Low", ParseError::StatusCode),
        ("SIP/2.0 700 High", ParseError::StatusCode),
        ("SIP/2.0 0200 Long", ParseError::StatusCode),
        ("SIP/2.0 4294967301 Wrapped", ParseError::StatusCode),
        ("SIP/2.0 2x0 Odd", ParseError::StartLine),
        ("SIP/2.0", ParseError::StartLine),
        ("SIP/3.0 200 OK", ParseError::Version),
    ] {
        let text = format!("{line}\r\n\r\n");
        assert_eq!(fault(text), expected, "{line}");
    }
    assert_eq!(fault("OPTIONS sip:c@d SIP/2.0"), ParseError::NotSip);
    assert_eq!(fault("\r\n\r\n"), ParseError::NotSip);
    assert_eq!(fault(""), ParseError::NotSip);
}

#[test]
fn line_ends_before_the_message_and_case_of_the_version_do_not_matter() {
    assert!(read(format!("\r\n\r\n{}", options("", ""))).is_ok());
    assert!(read(options("", "").replace("SIP/2.0\r\nVia", "sip/2.0\r\nVia")).is_ok());
    assert!(read(format!("SIP/2.0 200\r\n{REST}\r\n")).is_ok());
}

#[test]
fn lines_that_are_no_headers_are_faults() {
    let at = options("", "").len() - 2;
    for line in [
        "no colon",
        ": no name",
        "bad name: x",
        "Caf\u{e9}: x",
        "X: a\nb",
        "X: a\rb",
        "X: a\r\r\n b",
        "X\r\n : folded name",
    ] {
        assert_eq!(
            fault(options(&format!("{line}\r\n"), "")),
            ParseError::HeaderLine { at },
            "{line:?}"
        );
    }
    assert_eq!(
        fault(format!("OPTIONS sip:c@d SIP/2.0\r\n Via: x\r\n{REST}\r\n")),
        ParseError::HeaderLine { at: 25 }
    );
    for text in [
        "OPTIONS sip:c@d SIP/2.0\r\n",
        "OPTIONS sip:c@d SIP/2.0\r\nX: y\r\n",
        "OPTIONS sip:c@d SIP/2.0\r\nX: y\r\n z",
    ] {
        assert_eq!(fault(text), ParseError::UnterminatedHeaders);
    }
}

#[test]
fn folds_become_one_blank() {
    let message = read(options(
        "Subject:\r\n \t I know\r\n\t \r\n  you're there  \r\n",
        "",
    ))
    .unwrap();
    assert_eq!(message.header("Subject"), Some("I know you're there"));
}

#[test]
fn a_name_ends_at_the_first_colon() {
    let line = "Session-Expires:;::9";
    for len in 0..line.len() {
        let mut line = line.as_bytes()[len..].to_vec();
        line.extend_from_slice(b" \xff and so on");
        let colon = line.iter().position(|byte| *byte == b':');
        assert_eq!(find_colon(&line), colon, "{len}");
    }
    assert_eq!(find_colon(b"To;;;;;;\xba"), None);
    let fields = read(options(
        "s:\r\nx-a:1\r\nSubject::b\r\nX-Session-Name:c:d\r\n",
        "",
    ))
    .unwrap();
    let values = ["s", "x-a", "X-Session-Name"].map(|name| fields.header(name));
    assert_eq!(values, [Some(""), Some("1"), Some("c:d")]);
    assert_eq!(fields.headers_named("Subject").last(), Some(":b"));
}

#[test]
fn blanks_round_a_value_are_not_part_of_it() {
    let subject = |line: &str| {
        let message = read(options(&format!("{line}\r\n"), "")).unwrap();
        message.header("Subject").map(str::to_owned)
    };
    for line in ["Subject:a b", "Subject \t: \ta b\t ", "s:  a b "] {
        assert_eq!(subject(line).as_deref(), Some("a b"), "{line}");
    }
    for line in ["Subject:", "Subject: \t "] {
        assert_eq!(subject(line).as_deref(), Some(""), "{line}");
    }
}

#[test]
fn a_datagram_gives_what_content_length_says() {
    let body = |length: &str| read(options(length, "abcd")).map(|message| message.body().clone());
    assert_eq!(body("").unwrap(), "abcd");
    assert_eq!(body("l: 2\r\n").unwrap(), "ab");
    assert_eq!(body("l: 4\r\nContent-Length: 04\r\n").unwrap(), "abcd");
    assert_eq!(
        body("l: 5\r\n").unwrap_err().error,
        ParseError::TruncatedBody {
            declared: 5,
            actual: 4
        }
    );
    for bad in ["-1", "+1", "4, 4", "", "4 4", "0x4", "99999999999999999999"] {
        assert_eq!(
            body(&format!("l: {bad}\r\n")).unwrap_err().error,
            ParseError::ContentLength,
            "{bad}"
        );
    }
    assert_eq!(
        body("l: 4\r\nl: 5\r\n").unwrap_err().error,
        ParseError::ContentLength
    );
}

#[test]
fn what_a_datagram_holds_beyond_its_message_is_not_written_either() {
    let message = read(options("l: 1\r\n", "aINVITE sip:x SIP/2.0\r\n\r\n")).unwrap();
    assert_eq!(message.to_bytes(), options("l: 1\r\n", "a"));
}

#[test]
fn a_framed_message_must_fit_exactly() {
    let framed = |length: &str, body: &str| {
        parse_message(options(length, body).into()).map_err(|malformed| malformed.error)
    };
    assert!(framed("l: 1\r\n", "a").is_ok());
    assert!(framed("", "").is_ok());
    assert_eq!(framed("", "a"), Err(ParseError::ContentLength));
    assert_eq!(framed("l: 1\r\n", "ab"), Err(ParseError::TrailingBytes));
    assert_eq!(
        framed("l: 2\r\n", "a"),
        Err(ParseError::TruncatedBody {
            declared: 2,
            actual: 1
        })
    );
}

#[test]
fn every_limit_holds_at_its_edge() {
    let too_large = |limit| ParseError::TooLarge { limit };
    let folds = |count: usize| options(&format!("X: a{}\r\n", "\r\n b".repeat(count)), "");
    assert!(read(folds(MAX_FOLDS)).is_ok());
    assert_eq!(fault(folds(MAX_FOLDS + 1)), too_large(Limit::Folds));

    let value = |len: usize| options(&format!("X:{}\r\n", "v".repeat(len)), "");
    assert!(read(value(MAX_VALUE_BYTES)).is_ok());
    assert_eq!(fault(value(MAX_VALUE_BYTES + 1)), too_large(Limit::Value));

    let uri =
        |len: usize| options("", "").replacen("sip:c@d", &format!("sip:{}@d", "u".repeat(len)), 1);
    let around = "OPTIONS sip:@d SIP/2.0".len();
    assert!(read(uri(MAX_START_LINE_BYTES - around)).is_ok());
    assert_eq!(
        fault(uri(MAX_START_LINE_BYTES - around + 1)),
        too_large(Limit::StartLine)
    );

    let headers = |more: usize| options(&"X: y\r\n".repeat(more), "");
    assert!(read(headers(MAX_HEADERS - 5)).is_ok());
    assert_eq!(fault(headers(MAX_HEADERS - 4)), too_large(Limit::Headers));

    let head = options("", "").len();
    let sized = |total: usize| options("", &"b".repeat(total - head));
    assert!(read(sized(MAX_MESSAGE_BYTES)).is_ok());
    assert_eq!(
        fault(sized(MAX_MESSAGE_BYTES + 1)),
        too_large(Limit::Message)
    );
}

#[test]
fn a_broken_request_can_be_answered_with_what_was_read() {
    for (text, status) in [
        (options("l: -1\r\n", ""), "400 Unusable Content-Length"),
        (
            options("no header\r\nX: y\r\n", ""),
            "400 Malformed header line at byte 128",
        ),
        (
            options("", "").replacen("SIP/2.0", "SIP/7.0", 1),
            "505 Version Not Supported",
        ),
        (
            options("", "").replacen("sip:c@d", "sip:c d", 1),
            "400 Malformed start line",
        ),
        (
            options(&format!("X:{}\r\n", "v".repeat(9000)), ""),
            "513 Message Too Large",
        ),
        (
            options("", "").replacen("sip:c@d", &format!("sip:{}", "u".repeat(9000)), 1),
            "414 Request-URI Too Long",
        ),
    ] {
        let malformed = read(text).unwrap_err();
        let response = malformed.response("9").unwrap();
        assert_eq!(response.status.to_string(), status);
        assert_eq!(response.to().unwrap().tag(), Some("9"));
        assert_eq!(response.cseq().unwrap().method, Method::OPTIONS);
        assert_eq!(response.call_id(), Ok("1"));
        assert_eq!(response.via().unwrap().branch(), Some("z9hG4bK1"));
    }
}

#[test]
fn silence_answers_what_must_not_be_answered() {
    let broken = options("l: -1\r\n", "");
    for text in [
        broken.replacen("OPTIONS", "ACK", 1),
        broken.replacen("Via", "X-Via", 1),
        broken.replacen("SIP/2.0/UDP h", "nonsense", 1),
        broken.replacen("OPTIONS sip:c@d SIP/2.0", "SIP/2.0 200 OK", 1),
        broken.replacen("OPTIONS sip:c@d SIP/2.0", "SIP/2.0 800 OK", 1),
        "\0\x01\0\0binding request".to_owned(),
    ] {
        assert_eq!(
            read(text.clone()).unwrap_err().response("9"),
            None,
            "{text}"
        );
    }
}

#[test]
fn a_nul_stands_behind_a_backslash_or_makes_the_message_malformed() {
    let subject = |value: &str| {
        let text = format!("OPTIONS sip:a SIP/2.0\r\nSubject: {value}\r\n\r\n");
        parse_datagram(text.into()).map_err(|malformed| malformed.error)
    };
    assert!(subject("\"a\\\0b\"").is_ok());
    for value in ["a\0b", "\0", "a\\\0\0"] {
        let error = ParseError::HeaderLine { at: 23 };
        assert_eq!(subject(value).unwrap_err(), error, "{value:?}");
    }
}
