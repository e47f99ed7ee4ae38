//! Valid SIP messages in many spellings, for property tests.
//!
//! How many cases a run takes is `SIP_CASES`, 2,000 if it is not set; round trips take a quarter of
//! that.

use proptest::prelude::*;
use proptest::sample::select;

/// The bytes of a message, shown as text when a test fails.
#[derive(Clone, PartialEq)]
pub(crate) struct Sample(pub(crate) Vec<u8>);

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// The settings of a property test that takes all cases, or only one in `divisor`.
pub(crate) fn config(divisor: u32) -> ProptestConfig {
    let cases: u32 = std::env::var("SIP_CASES")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(2_000);
    ProptestConfig {
        cases: cases / divisor,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn token() -> BoxedStrategy<String> {
    "[A-Za-z0-9.!%*_+`'~-]{1,12}".boxed()
}

fn host() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4})?(\\.[a-z][a-z0-9]{1,6}){0,2}",
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
    ]
    .boxed()
}

fn host_port() -> BoxedStrategy<String> {
    (host(), proptest::option::of(any::<u16>()))
        .prop_map(|(host, port)| match port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        })
        .boxed()
}

fn user() -> BoxedStrategy<String> {
    "([A-Za-z0-9_.!~*'()&=+$,;?/-]|%[2-7][0-9A-Fa-f]){1,10}(:[A-Za-z0-9&=+$,-]{0,4})?".boxed()
}

fn uri_params() -> BoxedStrategy<String> {
    let value = prop_oneof![
        Just(String::new()),
        "=([A-Za-z0-9/:&+$_.~-]|%[0-9A-F][0-9A-F]){1,8}",
    ];
    proptest::collection::vec(("[a-z][a-z0-9-]{0,6}", value), 0..3)
        .prop_map(|params| {
            let numbered = params.iter().enumerate();
            numbered
                .map(|(index, (name, value))| format!(";{name}{index}{value}"))
                .collect()
        })
        .boxed()
}

fn sip_uri() -> BoxedStrategy<String> {
    (
        select(vec!["sip", "sips", "SIP"]),
        proptest::option::of(user()),
        host_port(),
        uri_params(),
    )
        .prop_map(|(scheme, user, address, params)| match user {
            Some(user) => format!("{scheme}:{user}@{address}{params}"),
            None => format!("{scheme}:{address}{params}"),
        })
        .boxed()
}

fn any_uri() -> BoxedStrategy<String> {
    prop_oneof![
        6 => sip_uri(),
        1 => "tel:\\+[1-9][0-9-]{2,10}[0-9]",
        1 => "urn:[a-z]{2,6}:[a-z0-9]{1,8}",
    ]
    .boxed()
}

/// Anything that may stand in a quoted string, escaped.
fn quoted() -> BoxedStrategy<String> {
    proptest::collection::vec(
        prop_oneof![
            "[ -!#-\\[\\]-~]{1,6}",
            Just("\\\"".to_owned()),
            Just("\\\\".to_owned()),
            Just("\u{43f}\u{440}\u{438}".to_owned()),
        ],
        0..4,
    )
    .prop_map(|parts| format!("\"{}\"", parts.concat()))
    .boxed()
}

fn blank() -> BoxedStrategy<&'static str> {
    prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\t "), 1 => Just("\r\n ")].boxed()
}

fn header_params() -> BoxedStrategy<String> {
    let value = prop_oneof![
        Just(String::new()),
        token().prop_map(|token| format!("={token}")),
        quoted().prop_map(|quoted| format!("={quoted}")),
    ];
    proptest::collection::vec((blank(), "[a-z][a-z0-9-]{0,6}", value, blank()), 0..3)
        .prop_map(|params| {
            let numbered = params.iter().enumerate();
            numbered
                .map(|(index, (before, name, value, after))| {
                    format!("{before};{after}x{name}{index}{value}")
                })
                .collect()
        })
        .boxed()
}

/// An address in any legal spelling.
fn address(tag: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    let bracketed = (
        prop_oneof![
            Just(String::new()),
            quoted(),
            "[A-Za-z][A-Za-z0-9.!*+-]{0,5}( [A-Za-z]{1,5})?".prop_map(|name| format!("{name} ")),
        ],
        blank(),
        any_uri(),
    )
        .prop_map(|(name, blank, uri)| format!("{name}{blank}<{uri}>"));
    // Without brackets the URI must hold no comma, question mark or semicolon.
    let bare =
        ("[a-z0-9]{1,8}", host_port()).prop_map(|(user, address)| format!("sip:{user}@{address}"));
    (prop_oneof![3 => bracketed, 1 => bare], header_params(), tag)
        .prop_map(|(address, params, tag)| format!("{address}{params}{tag}"))
        .boxed()
}

fn via() -> BoxedStrategy<String> {
    (
        select(vec!["UDP", "TCP", "TLS", "WS", "WSS", "SCTP", "QUIC"]),
        blank(),
        host_port(),
        header_params(),
        "z9hG4bK[A-Za-z0-9.]{1,12}",
    )
        .prop_map(|(transport, blank, address, params, branch)| {
            format!("SIP/2.0/{transport} {blank}{address}{params};branch={branch}")
        })
        .boxed()
}

fn header(
    names: &'static [&'static str],
    value: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<String> {
    (select(names.to_vec()), blank(), blank(), value, blank())
        .prop_map(|(name, before, after, value, end)| {
            // A fold before the colon is no legal spelling.
            let before = if before.contains('\n') { " " } else { before };
            format!("{name}{before}:{after}{value}{end}\r\n")
        })
        .boxed()
}

fn list(element: impl Strategy<Value = String> + 'static, most: usize) -> BoxedStrategy<String> {
    (
        proptest::collection::vec(element, 1..=most),
        select(vec![",", ", ", " ,", ",\r\n "]),
    )
        .prop_map(|(elements, comma)| elements.join(comma))
        .boxed()
}

fn method() -> BoxedStrategy<String> {
    prop_oneof![
        3 => select(vec!["INVITE", "REGISTER", "OPTIONS", "BYE", "MESSAGE", "PRACK"]).prop_map(str::to_owned),
        1 => "[A-Za-z][A-Za-z0-9.!%*_+~-]{0,10}",
    ]
    .boxed()
}

fn start_line(method: String) -> BoxedStrategy<String> {
    let request = any_uri().prop_map(move |uri| format!("{method} {uri} SIP/2.0\r\n"));
    let response = (100_u16..700, "[ -~]{0,12}")
        .prop_map(|(code, phrase)| format!("SIP/2.0 {code} {phrase}\r\n"));
    prop_oneof![3 => request, 1 => response].boxed()
}

/// A whole valid message: one start line, header fields in any order, a body of any bytes.
pub(crate) fn message() -> BoxedStrategy<Sample> {
    method()
        .prop_flat_map(|method| {
            let start_line = start_line(method.clone());
            let tag = "[a-z0-9]{1,8}".prop_map(|tag| format!(";tag={tag}"));
            let headers = (
                proptest::collection::vec(header(&["Via", "v", "VIA"], list(via(), 3)), 1..3),
                header(&["From", "f"], address(tag.clone())),
                header(
                    &["To", "t", "tO"],
                    address(prop_oneof![tag, Just(String::new())]),
                ),
                header(
                    &["Call-ID", "i", "CALL-ID"],
                    "[A-Za-z0-9.!%*_+~()<>:/?{}-]{1,20}(@[a-z0-9.]{1,8})?",
                ),
                header(
                    &["CSeq", "CSEQ"],
                    (0_u32..1 << 31).prop_map(move |number| format!("{number} {method}")),
                ),
                proptest::collection::vec(
                    header(&["Contact", "m"], list(address(Just(String::new())), 3)),
                    0..3,
                ),
                header(
                    &["Max-Forwards"],
                    any::<u8>().prop_map(|hops| hops.to_string()),
                ),
                proptest::collection::vec(
                    header(
                        &["X-Own", "Subject", "s", "User-Agent"],
                        "[!-~]([ -~]{0,20}[!-~])?",
                    ),
                    0..3,
                ),
            )
                .prop_map(|(vias, from, to, call_id, cseq, contacts, hops, others)| {
                    let single = [from, to, call_id, cseq, hops];
                    vias.into_iter()
                        .chain(contacts)
                        .chain(others)
                        .chain(single)
                        .collect::<Vec<_>>()
                })
                .prop_shuffle();
            (
                start_line,
                headers,
                proptest::collection::vec(any::<u8>(), 0..40),
            )
        })
        .prop_map(|(start, headers, body)| {
            let length = format!("Content-Length: {}\r\n\r\n", body.len());
            Sample(
                [
                    start.as_bytes(),
                    headers.concat().as_bytes(),
                    length.as_bytes(),
                    &body,
                ]
                .concat(),
            )
        })
        .boxed()
}
