//! Who callers are to those they call, and which numbers may be called.

use sip::Request;
use sip_proxy_core::{DialPlan, DialPlans};

use crate::bench::{Bench, DOMAIN};

const CALLER: u16 = 41_001;
const CALLEE: u16 = 41_002;

/// What the phone of 1002 gets when 1001 calls it with these header fields; the status for the caller if it gets nothing.
fn called_with(headers: &[(&str, &str)]) -> Result<Request, u16> {
    let mut bench = Bench::new();
    bench.register(CALLEE, "1002");
    let contact = format!("Contact: <sip:1001@127.0.0.1:{CALLER}>\r\n");
    let uri = format!("sip:1002@{DOMAIN}");
    let mut invite = bench.request(CALLER, "INVITE", &uri, "1001", &contact);
    for (name, value) in headers {
        invite.push_header(name, *value);
    }
    let answer = bench.ask(CALLER, "1001", &invite);
    let invited = bench.requests_to(CALLEE).pop();
    invited.ok_or(answer.status.code())
}

#[test]
fn a_callee_is_told_the_proven_account_whatever_the_caller_asserts() {
    let lies = [
        ("P-Asserted-Identity", "<sip:director@acme.test>"),
        ("P-Preferred-Identity", "<sip:director@acme.test>"),
        ("Remote-Party-ID", "<sip:director@acme.test>"),
        ("Privacy", "none"),
    ];
    for told in [called_with(&[]), called_with(&lies)] {
        let told = told.unwrap();
        let caller = format!("\"Person 1001\" <sip:1001@{DOMAIN}>");
        assert_eq!(told.header("P-Asserted-Identity"), Some(caller.as_str()));
        assert!(told.header("From").unwrap().starts_with(&caller));
        let text = String::from_utf8(told.to_bytes().to_vec()).unwrap();
        assert!(!text.contains("director"), "{text}");
    }
}

#[test]
fn who_wants_to_be_nobody_is_nobody() {
    for wish in ["id", "header", "user", "id;critical", "USER ; id"] {
        let told = called_with(&[("Privacy", wish)]).unwrap();
        assert_eq!(told.header("P-Asserted-Identity"), None, "{wish}");
        let from = told.from().unwrap().uri.to_string();
        assert_eq!(from, "sip:anonymous@anonymous.invalid", "{wish}");
        let text = String::from_utf8(told.to_bytes().to_vec()).unwrap();
        assert!(!text.contains("1001"), "{wish}: {text}");
    }
}

#[test]
fn privacy_that_cannot_be_had_fails_only_if_it_is_critical() {
    assert!(called_with(&[("Privacy", "session")]).is_ok());
    assert_eq!(
        called_with(&[("Privacy", "session;critical")]).unwrap_err(),
        500
    );
    assert_eq!(called_with(&[("Privacy", "?")]).unwrap_err(), 400);
    assert!(called_with(&[("Proxy-Require", "privacy"), ("Privacy", "id")]).is_ok());
}

fn plan_of(country: &str) -> DialPlan {
    DialPlan {
        country: Some(country.to_owned()),
        international: "00".to_owned(),
        national: "0".to_owned(),
        denied: vec!["+49900".to_owned()],
        ..DialPlan::default()
    }
}

/// A bench where numbers are German in the callers' domain alone and 1002's phone is also that of a number.
fn german() -> Bench {
    let mut bench = Bench::with(|config| {
        config.numbers = DialPlans {
            usual: plan_of("43"),
            of_domains: [(DOMAIN.into(), plan_of("49"))].into(),
        };
    });
    for number in ["+49301234", "+499001234", "+15551234"] {
        bench.add_account_of(number, 1);
    }
    bench.register(CALLEE, "+49301234");
    bench
}

#[test]
fn numbers_are_brought_into_one_form_and_denied_ones_reach_nobody() {
    let cases = [
        ("tel:+49-30-1234", 100),
        ("sip:0301234@acme.test", 100),
        ("sip:0049301234@127.0.0.1:5060", 100),
        ("sip:09001234@acme.test", 403),
        ("tel:+1-555-1234", 403),
        ("sip:1003@acme.test", 480),
    ];
    for (uri, expected) in cases {
        let mut bench = german();
        let contact = format!("Contact: <sip:1001@127.0.0.1:{CALLER}>\r\n");
        let invite = bench.request(CALLER, "INVITE", uri, "1001", &contact);
        let answer = bench.ask(CALLER, "1001", &invite);
        assert_eq!(answer.status.code(), expected, "{uri}");
        let reached = bench.requests_to(CALLEE).len();
        assert_eq!(reached, usize::from(expected == 100), "{uri}");
    }
}
