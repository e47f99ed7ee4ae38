use super::*;
use crate::message::parse_datagram;

const GOOD: &str = "INVITE sip:c@d SIP/2.0\r\n\
    Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
    From: <sip:a@b>;tag=1\r\n\
    To: <sip:c@d>\r\n\
    Call-ID: 1\r\n\
    CSeq: 1 INVITE\r\n\
    Contact: <sip:a@h>\r\n\
    Max-Forwards: 70\r\n\r\n";

fn verdict(text: &str) -> Result<(), Refusal> {
    parse_datagram(text.to_owned().into())
        .unwrap()
        .into_request()
        .unwrap()
        .validate()
}

#[test]
fn a_complete_request_passes_also_with_the_manners_of_rfc_2543() {
    assert_eq!(verdict(GOOD), Ok(()));
    let old = GOOD
        .replace("Max-Forwards: 70\r\n", "")
        .replace(";tag=1", "")
        .replace(";branch=z9hG4bK1", "");
    assert_eq!(verdict(&old), Ok(()));
    assert_eq!(verdict(&GOOD.replacen("sip:c@d", "tel:+1555", 1)), Ok(()));
}

#[test]
fn a_tag_has_a_value() {
    for (header, name) in [("From: <sip:a@b>;tag=1", "From"), ("To: <sip:c@d>", "To")] {
        let bare = header.replace("tag=1", "x") + ";Tag";
        assert_eq!(
            verdict(&GOOD.replacen(header, &bare, 1)),
            Err(Refusal::Header(HeaderError::Malformed { name })),
            "{bare}"
        );
    }
}

#[test]
fn every_mandatory_header_is_missed() {
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let refusal = verdict(&GOOD.replacen(&format!("\r\n{name}:"), "\r\nX:", 1)).unwrap_err();
        assert_eq!(refusal, Refusal::Header(HeaderError::Missing { name }));
        assert_eq!(
            refusal.status().to_string(),
            format!("400 Missing {name} header")
        );
    }
}

#[test]
fn every_single_header_is_refused_twice() {
    for name in ["From", "To", "Call-ID", "CSeq"].into_iter().chain(SINGLE) {
        let line = GOOD
            .lines()
            .find(|line| line.starts_with(&format!("{name}:")));
        let line = line.map_or_else(|| format!("{name}: 0\r\n{name}: 0"), str::to_owned);
        let text = GOOD.replacen("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"), 1);
        assert_eq!(
            verdict(&text),
            Err(Refusal::Header(HeaderError::Repeated { name })),
            "{text}"
        );
    }
}

#[test]
fn malformed_headers_are_refused_by_name() {
    for (name, from, to) in [
        ("Via", "SIP/2.0/UDP h", "SIP/2.0/UDP h;;,;,,"),
        ("From", "<sip:a@b>", "Bell, Alexander <sip:a@b>"),
        ("To", "To: <sip:c@d>", "To: \"open <sip:c@d>"),
        ("Call-ID", "Call-ID: 1", "Call-ID: 1 2"),
        ("CSeq", "CSeq: 1", "CSeq: 4294967296"),
        ("Contact", "<sip:a@h>", "<sip:a@h>;;"),
        ("Max-Forwards", "70", "many"),
        ("Route", "Max-Forwards: 70", "Route: nowhere"),
        ("Record-Route", "Max-Forwards: 70", "Record-Route: <sip:a"),
    ] {
        assert_eq!(
            verdict(&GOOD.replacen(from, to, 1)),
            Err(Refusal::Header(HeaderError::Malformed { name }))
        );
    }
}

#[test]
fn methods_schemes_and_uri_headers_are_checked() {
    assert_eq!(
        verdict(&GOOD.replacen("CSeq: 1 INVITE", "CSeq: 1 invite", 1)),
        Err(Refusal::MethodMismatch)
    );
    let scheme = verdict(&GOOD.replacen("sip:c@d", "soap.beep://d", 1)).unwrap_err();
    assert_eq!((scheme, scheme.status().code()), (Refusal::Scheme, 416));
    assert_eq!(
        verdict(&GOOD.replacen("sip:c@d", "sip:c@d?Route=%3Csip:e%3E", 1)),
        Err(Refusal::UriHeaders)
    );
}

#[test]
fn an_invite_has_one_contact_at_most() {
    let two = GOOD.replacen("<sip:a@h>", "<sip:a@h>, <sip:a@i>", 1);
    assert_eq!(
        verdict(&two),
        Err(Refusal::Header(HeaderError::Repeated { name: "Contact" }))
    );
    assert_eq!(verdict(&two.replace("INVITE", "REGISTER")), Ok(()));
}

#[test]
fn responses_are_checked_too() {
    let check = |text: String| {
        parse_datagram(text.into())
            .unwrap()
            .into_response()
            .unwrap()
            .validate()
    };
    let ok = GOOD.replacen("INVITE sip:c@d SIP/2.0", "SIP/2.0 200 OK", 1);
    assert_eq!(check(ok.clone()), Ok(()));
    assert_eq!(
        check(ok.replacen("CSeq: 1", "CSeq: 1e9", 1)),
        Err(HeaderError::Malformed { name: "CSeq" })
    );
    assert_eq!(
        check(ok.replacen("Via", "X", 1)),
        Err(HeaderError::Missing { name: "Via" })
    );
}
