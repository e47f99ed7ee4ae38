//! What is kept of a call for people to see, and what never is.

use std::time::Duration;

use sip::Response;
use sip_proxy_core::{CallTrace, Command, Counts, TraceDirection, TracePolicy, TracedCall};

use crate::bench::{Bench, DOMAIN, password};
use crate::calls::{ALICE, ANSWER, BOB, answer, within};

/// Whose accounts the bench has.
const TENANT: u128 = 1;

/// Stands in every place where a secret may be.
const CANARY: &str = "c4n4ry";

fn traced(change: impl FnOnce(TracePolicy) -> TracePolicy) -> Bench {
    let mut bench = Bench::with(|config| config.trace = Some(change(TracePolicy::default())));
    for (port, user) in [(ALICE, "1001"), (BOB, "1002")] {
        let contact = format!(
            "Contact: <sip:{user}@127.0.0.1:{port};pn-provider=x;pn-prid={CANARY};pn-param={CANARY}>\r\n"
        );
        let uri = format!("sip:{DOMAIN}");
        let request = bench.request(port, "REGISTER", &uri, user, &contact);
        assert_eq!(bench.ask(port, user, &request).status.code(), 200);
    }
    bench
}

/// A whole call from 1001 to 1002 with a secret wherever one can be.
fn call(bench: &mut Bench) {
    let answered = call_until_answered(bench);
    let digits = format!("Signal={CANARY}");
    let info = within(&answered, "INFO", 49, "info").replace(
        "Content-Length: 0",
        &format!(
            "Content-Type: application/dtmf-relay\r\nContent-Length: {}",
            digits.len()
        ),
    );
    bench.receive(ALICE, &(info + &digits));
    bench.receive(ALICE, &within(&answered, "BYE", 50, "bye"));
    let bye = bench.requests_to(BOB);
    answer(bench, BOB, bye.last().unwrap(), 200, None);
    bench.pass(Duration::from_secs(70));
}

fn call_until_answered(bench: &mut Bench) -> Response {
    let contact = format!("Contact: <sip:1001@127.0.0.1:{ALICE};pn-prid={CANARY}>\r\n");
    let uri = format!("sip:1002@{DOMAIN}");
    let mut request = bench.request(ALICE, "INVITE", &uri, "1001", &contact);
    let crypto = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{CANARY}\r\n");
    let offer = format!(
        "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0\r\n{crypto}"
    );
    request.set_body("application/sdp", offer);
    bench.ask(ALICE, "1001", &request);
    let ringing = bench.requests_to(BOB).pop().unwrap();
    answer(bench, BOB, &ringing, 180, None);
    answer(bench, BOB, &ringing, 200, Some(ANSWER));
    let answered = bench.responses_to(ALICE).pop().unwrap();
    let cseq = answered.cseq().unwrap().number;
    bench.receive(ALICE, &within(&answered, "ACK", cseq, "ack"));
    answered
}

/// The last calls of this tenant.
fn recent(bench: &mut Bench, tenant: u128) -> Vec<TracedCall> {
    bench.command(Command::ListCalls {
        asker: 1,
        tenant,
        count: 10,
    });
    std::mem::take(&mut bench.listed)
}

/// What is kept of the call one of whose legs has this Call-ID.
fn find(bench: &mut Bench, tenant: u128, call_id: &str) -> Option<CallTrace> {
    let call_id = call_id.to_owned();
    bench.command(Command::FindCall {
        asker: 1,
        tenant,
        call_id,
    });
    bench.found.take()
}

/// What is kept of the only call there is.
fn only(bench: &mut Bench) -> CallTrace {
    let calls = recent(bench, TENANT);
    let [call] = &calls[..] else {
        panic!("{calls:?}")
    };
    find(bench, TENANT, &call.call_ids[0]).unwrap()
}

fn lines(trace: &CallTrace) -> Vec<String> {
    trace
        .events
        .iter()
        .map(|event| {
            let way = match event.direction {
                TraceDirection::Received => "<",
                TraceDirection::Sent => ">",
            };
            let first = event.first_line().0;
            let method = event.method();
            let what = match first.strip_prefix("SIP/2.0 ") {
                Some(status) => format!("{} {method}", &status[..3]),
                None => method,
            };
            format!("{} {way} {what}", event.peer.port())
        })
        .collect()
}

fn texts(trace: &CallTrace) -> String {
    trace.events.iter().map(|event| event.text().0).collect()
}

#[test]
fn both_legs_of_a_call_are_one_ladder() {
    let mut bench = traced(|policy| policy);
    call(&mut bench);
    let trace = only(&mut bench);
    let ladder = lines(&trace);
    let first = [
        "40001 < INVITE",
        "40002 > INVITE",
        "40002 < 180 INVITE",
        "40001 > 180 INVITE",
    ];
    let shown: Vec<_> = ladder
        .iter()
        .filter(|line| !line.contains("100 "))
        .collect();
    assert_eq!(shown[..4], first, "{ladder:#?}");
    for line in [
        "40001 > 200 INVITE",
        "40001 < ACK",
        "40002 > ACK",
        "40001 < BYE",
        "40002 > BYE",
        "40002 < 200 BYE",
    ] {
        assert!(ladder.contains(&line.to_owned()), "{line} in {ladder:#?}");
    }
    let times: Vec<_> = trace.events.iter().map(|event| event.at).collect();
    assert!(times.is_sorted());
    assert_eq!(trace.call.call_ids.len(), 2);
    assert!(trace.call.ended > Some(trace.call.began));
    assert_eq!(
        bench.proxy.counts(),
        Counts {
            bindings: 2,
            ..Counts::default()
        }
    );
}

#[test]
fn a_call_is_found_by_the_call_id_of_either_leg_while_it_lasts_and_afterwards() {
    let mut bench = traced(|policy| policy);
    call_until_answered(&mut bench);
    let during = only(&mut bench);
    assert_eq!(during.call.ended, None);
    assert_eq!(bench.proxy.counts().traces, 1);
    let mut second = traced(|policy| policy);
    call(&mut second);
    let calls = recent(&mut second, TENANT);
    for call_id in &calls[0].call_ids {
        let trace = find(&mut second, TENANT, call_id).unwrap();
        assert_eq!(trace.call, calls[0]);
        assert_eq!(trace.events.len(), calls[0].messages);
    }
    assert_eq!(find(&mut second, TENANT, "another"), None);
}

#[test]
fn another_tenant_sees_nothing_of_a_call() {
    let mut bench = traced(|policy| policy);
    call(&mut bench);
    let call_id = only(&mut bench).call.call_ids[0].clone();
    assert_eq!(recent(&mut bench, TENANT + 1), []);
    assert_eq!(find(&mut bench, TENANT + 1, &call_id), None);
}

#[test]
fn no_secret_is_seen_in_a_trace() {
    let mut bench = traced(|policy| policy);
    call(&mut bench);
    let trace = only(&mut bench);
    let texts = texts(&trace);
    assert!(!texts.contains(CANARY), "{texts}");
    assert!(!texts.contains(&password("1001")), "{texts}");
    assert!(!texts.contains("response="), "{texts}");
    // They were there.
    assert!(texts.contains("Proxy-Authorization: Digest ***"), "{texts}");
    assert!(texts.contains("a=crypto:***"), "{texts}");
    assert!(texts.contains("pn-prid=***"), "{texts}");
    // Whoever prints a trace by mistake prints neither secrets nor anybody's number.
    let printed = format!("{:?}", trace.events);
    assert!(
        !printed.contains(CANARY) && !printed.contains("1002"),
        "{printed}"
    );
}

#[test]
fn nothing_is_kept_unless_it_is_asked_for() {
    let mut bench = crate::calls::registered();
    call(&mut bench);
    assert_eq!(recent(&mut bench, TENANT), []);
}

#[test]
fn nobody_fills_the_traces_without_proof() {
    let mut bench = traced(|policy| policy);
    for _ in 0..100 {
        let uri = format!("sip:1002@{DOMAIN}");
        let contact = format!("Contact: <sip:1001@127.0.0.1:{ALICE}>\r\n");
        let request = bench.request(ALICE, "INVITE", &uri, "1001", &contact);
        bench.deliver(ALICE, &request);
    }
    assert_eq!(bench.proxy.counts().traces, 0);
    assert_eq!(recent(&mut bench, TENANT), []);
}

#[test]
fn messages_beyond_the_bound_are_counted_and_the_first_is_kept() {
    let mut bench = traced(|policy| TracePolicy {
        max_messages: 4,
        ..policy
    });
    call(&mut bench);
    let trace = only(&mut bench);
    assert_eq!(trace.events.len(), 4);
    assert!(trace.call.dropped > 4);
    assert_eq!(trace.events[0].method(), "INVITE");
}

#[test]
fn for_a_new_call_the_oldest_that_is_over_gives_way() {
    let mut bench = traced(|policy| TracePolicy {
        max_calls: 2,
        ..policy
    });
    for _ in 0..3 {
        call(&mut bench);
    }
    let calls = recent(&mut bench, TENANT);
    let ids: Vec<_> = calls.iter().map(|call| call.id).collect();
    assert_eq!(ids, [3, 2]);
}

#[test]
fn while_no_call_is_over_further_ones_are_not_traced() {
    let mut bench = traced(|policy| TracePolicy {
        max_calls: 1,
        ..policy
    });
    call_until_answered(&mut bench);
    call_until_answered(&mut bench);
    let calls = recent(&mut bench, TENANT);
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].id, 1);
}

#[test]
fn bytes_are_bounded_over_all_calls() {
    let mut bench = traced(|policy| TracePolicy {
        max_bytes: 12_000,
        ..policy
    });
    for _ in 0..5 {
        call(&mut bench);
    }
    let calls = recent(&mut bench, TENANT);
    assert!((1..5).contains(&calls.len()), "{calls:?}");
    let bytes: usize = calls
        .iter()
        .filter_map(|call| find(&mut bench, TENANT, &call.call_ids[0]))
        .map(|trace| texts(&trace).len())
        .sum();
    assert!((4_000..12_000).contains(&bytes), "{bytes}");
}

#[test]
fn a_call_too_large_for_all_bounds_is_cut_not_kept() {
    let mut bench = traced(|policy| TracePolicy {
        max_bytes: 3_000,
        ..policy
    });
    call(&mut bench);
    let trace = only(&mut bench);
    assert!(trace.call.dropped > 0);
    assert!(texts(&trace).len() < 3_000);
}
