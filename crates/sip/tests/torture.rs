//! The 62 torture messages of RFC 4475 and RFC 5118 at the level of reading and validating.
//!
//! Two tables: what we decide for each message, checked against what the index allows, and what
//! must be readable in the valid ones. Verdicts that need an endpoint, a user agent or a
//! registrar are tested where those live.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use serde::Deserialize;
use sip::{Contacts, Message, Method, Scheme, Transport, parse_datagram};

#[derive(Deserialize)]
struct Index {
    messages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    file: String,
    wire_file: Option<String>,
    kind: String,
    method: Option<String>,
    valid: bool,
    parse: String,
    expect: Expect,
}

#[derive(Deserialize)]
struct Expect {
    ua: Vec<serde_json::Value>,
}

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sip-torture")
}

fn index() -> Vec<Entry> {
    let text = fs::read_to_string(corpus().join("index.json")).unwrap();
    serde_json::from_str::<Index>(&text).unwrap().messages
}

fn bytes(entry: &Entry) -> Bytes {
    let file = entry.wire_file.as_deref().unwrap_or(&entry.file);
    fs::read(corpus().join(file)).unwrap().into()
}

/// What the wire layer decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    Refuse(u16),
    Drop,
}

use Verdict::{Drop, Pass, Refuse};

fn verdict(bytes: Bytes) -> Verdict {
    match parse_datagram(bytes) {
        Ok(Message::Request(request)) => match request.validate() {
            Ok(()) => Pass,
            Err(refusal) => Refuse(refusal.status().code()),
        },
        Ok(Message::Response(response)) => match response.validate() {
            Ok(()) => Pass,
            Err(_) => Drop,
        },
        Err(malformed) => match malformed.response("tag") {
            Some(response) => Refuse(response.status.code()),
            None => Drop,
        },
    }
}

/// Every message that does not simply pass.
const NOT_PASSED: &[(&str, Verdict)] = &[
    ("badinv01", Refuse(400)),
    ("clerr", Refuse(400)),
    ("ncl", Refuse(400)),
    ("scalar02", Refuse(400)),
    ("scalarlg", Drop),
    ("quotbal", Refuse(400)),
    ("ltgtruri", Refuse(400)),
    ("lwsruri", Refuse(400)),
    ("lwsstart", Refuse(400)),
    ("trws", Refuse(400)),
    ("escruri", Refuse(400)),
    ("regbadct", Refuse(400)),
    ("badaspec", Refuse(400)),
    ("baddn", Refuse(400)),
    // Its Via is of SIP/7.0 too: nothing tells how to read it, so there is nowhere to answer to.
    ("badvers", Drop),
    ("mismatch01", Refuse(400)),
    ("mismatch02", Refuse(400)),
    ("bigcode", Drop),
    ("insuf", Refuse(400)),
    ("unkscm", Refuse(416)),
    ("novelsc", Refuse(416)),
    ("multi01", Refuse(400)),
    ("mcl01", Refuse(400)),
    ("test", Drop),
    ("ipv6-bad", Refuse(400)),
];

fn name(entry: &Entry) -> &str {
    entry
        .file
        .split('/')
        .next_back()
        .unwrap()
        .trim_end_matches(".dat")
}

#[test]
fn each_message_gets_its_verdict() {
    let entries = index();
    assert_eq!(entries.len(), 62);
    for entry in &entries {
        let expected = NOT_PASSED
            .iter()
            .find(|(known, _)| *known == name(entry))
            .map_or(Pass, |(_, verdict)| *verdict);
        assert_eq!(verdict(bytes(entry)), expected, "{}", entry.file);
    }
    for (known, _) in NOT_PASSED {
        assert!(
            entries.iter().any(|entry| name(entry) == *known),
            "{known} is in the index"
        );
    }
}

/// The index is the judge of the table above: a refusal must be among the answers it allows, and
/// what it calls bad must not pass.
#[test]
fn no_verdict_contradicts_the_index() {
    for entry in index() {
        let allows = |answer: serde_json::Value| entry.expect.ua.contains(&answer);
        let verdict = verdict(bytes(&entry));
        let allowed = match verdict {
            Pass => entry.parse != "bad",
            Refuse(status) => allows(status.into()),
            Drop => allows("drop".into()),
        };
        assert!(allowed, "{}: {verdict:?}", entry.file);
        if entry.valid && !matches!(verdict, Refuse(416)) {
            assert_eq!(verdict, Pass, "{} is valid", entry.file);
        }
    }
}

#[test]
fn each_message_that_is_read_is_written_back_byte_for_byte() {
    for entry in index() {
        let bytes = bytes(&entry);
        if let Ok(message) = parse_datagram(bytes.clone()) {
            let written = message.to_bytes();
            assert_eq!(written, bytes[..written.len()], "{}", entry.file);
            match message {
                Message::Request(request) => {
                    assert_eq!(Some(request.method.as_str()), entry.method.as_deref());
                }
                Message::Response(_) => assert_eq!(entry.kind, "response"),
            }
        }
    }
}

/// What must be readable: Vias, branch of the topmost, From tag, To tag, Call-ID, `CSeq`,
/// contacts, bytes of body.
struct Core {
    file: &'static str,
    vias: usize,
    branch: Option<&'static str>,
    from_tag: Option<&'static str>,
    to_tag: Option<&'static str>,
    call_id: &'static str,
    cseq: u32,
    contacts: usize,
    body: usize,
}

const fn core(
    file: &'static str,
    (vias, branch): (usize, Option<&'static str>),
    (from_tag, to_tag): (Option<&'static str>, Option<&'static str>),
    (call_id, cseq): (&'static str, u32),
    (contacts, body): (usize, usize),
) -> Core {
    Core {
        file,
        vias,
        branch,
        from_tag,
        to_tag,
        call_id,
        cseq,
        contacts,
        body,
    }
}

const CORES: &[Core] = &[
    core(
        "rfc4475/wsinv",
        (3, Some("390skdjuw")),
        (Some("98asjd8"), Some("1918181833n")),
        ("wsinv.ndaksdj@192.0.2.1", 9),
        (1, 150),
    ),
    core(
        "rfc4475/intmeth",
        (1, Some("z9hG4bK-.!%66*_+`'~")),
        (Some("_token~1'+`*%!-."), None),
        ("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{", 139_122_385),
        (0, 0),
    ),
    core(
        "rfc4475/esc01",
        (1, Some("z9hG4bKkdjuw")),
        (Some("938"), None),
        ("esc01.239409asdfakjkn23onasd0-3234", 234_234),
        (1, 150),
    ),
    core(
        "rfc4475/escnull",
        (1, Some("z9hG4bKkdjuw")),
        (Some("839923423"), None),
        ("escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd", 14_398_234),
        (2, 0),
    ),
    core(
        "rfc4475/esc02",
        (1, Some("z9hG4bK209%fzsnel234")),
        (Some("f232jadfj23"), None),
        ("esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf", 29_344),
        (2, 0),
    ),
    core(
        "rfc4475/lwsdisp",
        (1, Some("z9hG4bKkdjuw")),
        (Some("323"), None),
        ("lwsdisp.1234abcd@funky.example.com", 60),
        (0, 0),
    ),
    core(
        "rfc4475/dblreq",
        (1, Some("z9hG4bKkdjuw23492")),
        (Some("43251j3j324"), None),
        ("dblreq.0ha0isndaksdj99sdfafnl3lk233412", 8),
        (1, 0),
    ),
    core(
        "rfc4475/semiuri",
        (1, Some("z9hG4bKkdjuw")),
        (Some("33242"), None),
        ("semiuri.0ha0isndaksdj", 8),
        (0, 0),
    ),
    core(
        "rfc4475/transports",
        (5, Some("z9hG4bKkdjuw")),
        (Some("323"), None),
        ("transports.kijh4akdnaqjkwendsasfdj", 60),
        (0, 0),
    ),
    core(
        "rfc4475/mpart01",
        (1, Some("z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-")),
        (Some("2fb0dcc9"), None),
        ("3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..", 1),
        (1, 553),
    ),
    core(
        "rfc4475/unreason",
        (1, Some("z9hG4bK1324923")),
        (Some("11141343"), Some("2229")),
        ("unreason.1234ksdfak3j2erwedfsASdf", 35),
        (1, 154),
    ),
    core(
        "rfc4475/noreason",
        (1, Some("z9hG4bK2398ndaoe")),
        (Some("39ansfi3"), Some("902jndnke3")),
        ("noreason.asndj203insdf99223ndf", 35),
        (1, 0),
    ),
    core(
        "rfc4475/inv2543",
        (1, None),
        (None, None),
        ("inv2543.1717@ift.client.example.com", 56),
        (0, 0),
    ),
];

#[test]
fn the_core_of_valid_messages_is_read_right() {
    for core in CORES {
        let bytes = fs::read(corpus().join(format!("{}.dat", core.file))).unwrap();
        let message =
            parse_datagram(bytes.into()).unwrap_or_else(|error| panic!("{}: {error}", core.file));
        let vias = message.vias().unwrap();
        assert_eq!(vias.len(), core.vias, "{}", core.file);
        assert_eq!(message.via().as_ref(), Ok(&vias[0]), "{}", core.file);
        assert_eq!(vias[0].branch(), core.branch, "{}", core.file);
        assert_eq!(
            message.from().unwrap().tag(),
            core.from_tag,
            "{}",
            core.file
        );
        assert_eq!(message.to().unwrap().tag(), core.to_tag, "{}", core.file);
        assert_eq!(message.call_id(), Ok(core.call_id), "{}", core.file);
        assert_eq!(message.cseq().unwrap().number, core.cseq, "{}", core.file);
        assert_eq!(
            message.contacts().unwrap().list().len(),
            core.contacts,
            "{}",
            core.file
        );
        if core.body > 0 {
            assert_eq!(message.body().len(), core.body, "{}", core.file);
        }
    }
}

fn read(file: &str) -> Message {
    let bytes = fs::read(corpus().join(file)).unwrap();
    parse_datagram(bytes.into()).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn request(file: &str) -> sip::Request {
    read(file).into_request().unwrap()
}

#[test]
fn the_short_tortuous_invite_is_read_in_full() {
    let invite = request("rfc4475/wsinv.dat");
    assert_eq!(
        invite.uri.as_str(),
        "sip:vivekg@chair-dnrc.example.com;unknownparam"
    );
    assert_eq!(
        invite.to().unwrap().uri.as_str(),
        "sip:vivekg@chair-dnrc.example.com"
    );
    let from = invite.from().unwrap();
    assert_eq!(from.display_name.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(from.uri.as_str(), "sip:jdrosen@example.com");
    assert_eq!(invite.max_forwards(), Ok(Some(68)));
    assert_eq!(invite.cseq().unwrap().method, Method::INVITE);
    let transports: Vec<_> = invite
        .vias()
        .unwrap()
        .iter()
        .map(sip::Via::transport)
        .collect();
    assert_eq!(
        transports,
        [
            Some(Transport::Udp),
            Some(Transport::Tcp),
            Some(Transport::Udp)
        ]
    );
    assert_eq!(
        invite.header("NewFangledHeader"),
        Some("newfangled value continued newfangled value")
    );
    assert_eq!(
        invite.header("UnknownHeaderWithUnusualValue"),
        Some(";;,,;;,;")
    );
    assert!(
        invite
            .content_type()
            .unwrap()
            .unwrap()
            .is("application", "sdp")
    );
    assert_eq!(
        invite.routes().unwrap()[0].uri.as_str(),
        "sip:services.example.com;lr;unknownwith=value;unknown-no-value"
    );
    let contact = &invite.contacts().unwrap().list()[0].address.clone();
    assert_eq!(contact.display_name.as_deref(), Some("Quoted string \"\""));
    assert_eq!(contact.uri.as_str(), "sip:jdrosen@example.com");
    assert_eq!(
        contact.params.to_string(),
        ";newparam=newvalue;secondparam;q=0.33"
    );
}

#[test]
fn escapes_are_kept_and_resolved_once() {
    let invite = request("rfc4475/esc01.dat");
    assert_eq!(invite.uri.user_decoded().unwrap(), "sips:user@example.com");
    let contact = invite.contacts().unwrap().first().unwrap().clone();
    assert_eq!(
        contact.uri().as_str(),
        "sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31"
    );
    assert_eq!(
        invite.from().unwrap().uri.user_decoded().unwrap(),
        "I have spaces"
    );

    let Contacts::List(contacts) = request("rfc4475/escnull.dat").contacts().unwrap() else {
        panic!("a list")
    };
    assert_eq!(contacts[0].uri().user_decoded().unwrap(), "\0");
    assert_eq!(contacts[1].uri().user_decoded().unwrap(), "\0\0");
}

#[test]
fn what_looks_like_an_escape_is_not_one_outside_of_uris() {
    let odd = request("rfc4475/esc02.dat");
    assert_eq!(odd.method.as_str(), "RE%47IST%45R");
    assert_eq!(odd.to().unwrap().display_name.as_deref(), Some("%Z%45"));
    assert_eq!(
        odd.header("C%6Fntact"),
        Some("<sip:alias2@host2.example.com>")
    );
}

#[test]
fn users_and_parameters_are_not_mixed_up() {
    assert_eq!(
        request("rfc4475/semiuri.dat").uri.user_decoded().unwrap(),
        "user;par=u@example.net"
    );
    let in_header = request("rfc4475/cparam01.dat")
        .contacts()
        .unwrap()
        .first()
        .unwrap()
        .clone();
    assert!(
        in_header.address.params.contains("unknownparam")
            && !in_header.uri().has_param("unknownparam")
    );
    let in_uri = request("rfc4475/cparam02.dat")
        .contacts()
        .unwrap()
        .first()
        .unwrap()
        .clone();
    assert!(
        !in_uri.address.params.contains("unknownparam") && in_uri.uri().has_param("unknownparam")
    );
    let with_header = request("rfc4475/regescrt.dat")
        .contacts()
        .unwrap()
        .first()
        .unwrap()
        .clone();
    assert_eq!(with_header.uri().headers()[0].0, "Route");
}

#[test]
fn only_the_register_counts_in_a_datagram_with_two_messages() {
    let register = request("rfc4475/dblreq.dat");
    assert_eq!(register.method, Method::REGISTER);
    assert!(register.to_bytes().ends_with(b"\r\n\r\n") && register.to_bytes().len() < 400);
}

#[test]
fn reason_phrases_are_kept() {
    let response = |file| read(file).into_response().unwrap();
    assert!(
        response("rfc4475/unreason.dat")
            .status
            .phrase()
            .starts_with("= 2**3 * 5**2 ")
    );
    assert_eq!(response("rfc4475/noreason.dat").status.phrase(), "");
    assert_eq!(response("rfc4475/bcast.dat").vias().unwrap().len(), 2);
}

#[test]
fn option_tags_and_unknown_things_are_listed() {
    let extension = request("rfc4475/bext01.dat");
    assert_eq!(
        extension.require(),
        Ok(vec!["nothingSupportsThis", "nothingSupportsThisEither"])
    );
    assert_eq!(
        extension.proxy_require(),
        Ok(vec!["noProxiesSupportThis", "norDoAnyProxiesSupportThis"])
    );
    let unknown = &request("rfc4475/regaut01.dat").authorization().unwrap()[0].clone();
    assert_eq!(unknown.scheme(), "NoOneKnowsThisScheme");
    assert!(matches!(
        request("rfc4475/unkscm.dat").uri.scheme(),
        Scheme::Other(_)
    ));
    assert_eq!(request("rfc4475/zeromf.dat").max_forwards(), Ok(Some(0)));
    let accept = request("rfc4475/sdp01.dat").accept().unwrap().unwrap();
    assert!(
        !accept
            .iter()
            .any(|range| range.accepts("application", "sdp"))
    );
}

#[test]
fn ipv6_is_read_everywhere() {
    let wire = |file: &str| request(&format!("rfc5118/wire/{file}.dat"));
    assert_eq!(
        wire("port-ambiguous").uri.host_port().unwrap().to_string(),
        "[2001:db8::10:5070]"
    );
    assert_eq!(wire("port-ambiguous").uri.port(), None);
    assert_eq!(wire("port-unambiguous").uri.port(), Some(5070));
    let with = wire("via-received-param-with-delim").via().unwrap();
    let without = wire("via-received-param-no-delim").via().unwrap();
    assert!(with.received().is_some());
    assert_eq!(with.received(), without.received());
    assert_eq!(wire("mult-ip-in-header").vias().unwrap().len(), 3);
    let mapped = wire("ipv4-mapped-ipv6").via().unwrap().sent_by;
    assert_eq!(mapped.host.to_string(), "[::ffff:192.0.2.10]");
    let bug = wire("ipv6-bug-abnf-3-colons").uri;
    assert_eq!(bug.as_str(), "sip:user@[2001:db8:::192.0.2.1]");
    assert_eq!(bug.host(), wire("ipv6-correct-abnf-2-colons").uri.host());
}
