//! Busy lamps and message waiting: who may watch whom, what they are told, and when it ends.

use std::time::Duration;

use sip::{Method, Request};
use sip_proxy_core::{Command, Counts};
use ua::{DialogEntry, DialogInfo, Direction, EntryState, MessageClass, MessageSummary, Scope};

use crate::bench::{Bench, DOMAIN, flow, password};
use crate::calls::{ALICE, ANSWER, BOB, answer, invite, registered, within};

/// Where the phone of 1003 is, which watches.
const CAROL: u16 = 40_003;

fn subscribe(bench: &mut Bench, event: &str, target: &str, watcher: &str) -> Request {
    let extra =
        format!("Contact: <sip:{watcher}@127.0.0.1:{CAROL}>\r\nEvent: {event}\r\nExpires: 600\r\n");
    bench.request(CAROL, "SUBSCRIBE", target, watcher, &extra)
}

/// Carol's phone asks as `watcher`; the status and all NOTIFYs, which it has answered.
fn ask(bench: &mut Bench, request: &Request, watcher: &str) -> (sip::Response, Vec<Request>) {
    let proven = bench.prove(CAROL, watcher, &password(watcher), request);
    bench.deliver(CAROL, &proven);
    let mut messages = bench.sent_to(CAROL);
    let at = messages
        .iter()
        .position(|message| matches!(message, sip::Message::Response(_)))
        .expect("an answer");
    let response = messages.remove(at).into_response().unwrap();
    let requests = messages
        .into_iter()
        .filter_map(sip::Message::into_request)
        .collect();
    (response, confirm(bench, requests))
}

fn confirm(bench: &mut Bench, requests: Vec<Request>) -> Vec<Request> {
    for notify in &requests {
        assert_eq!(notify.method, Method::NOTIFY);
        let now = bench.now;
        let ok = notify.response(200, None).to_bytes();
        sip::Machine::handle_received(&mut bench.proxy, flow(CAROL), ok, now);
    }
    bench.settle();
    requests
}

/// What Carol's phone was told in the last second.
fn told(bench: &mut Bench) -> Vec<Request> {
    bench.pass(Duration::from_secs(1));
    heard(bench)
}

/// What it was told just now.
fn heard(bench: &mut Bench) -> Vec<Request> {
    let requests = bench.requests_to(CAROL);
    confirm(bench, requests)
}

fn watch(bench: &mut Bench, user: &str) -> (sip::Response, Vec<Request>) {
    let request = subscribe(bench, "dialog", &format!("sip:{user}@{DOMAIN}"), "1003");
    ask(bench, &request, "1003")
}

/// The only dialog that the last NOTIFY tells of.
fn dialog(notifies: &[Request]) -> DialogEntry {
    let info = DialogInfo::parse(notifies.last().expect("a NOTIFY").body()).unwrap();
    let [dialog] = &info.dialogs[..] else {
        panic!("{info:?}")
    };
    dialog.clone()
}

#[test]
fn a_busy_lamp_follows_a_call() {
    let mut bench = registered();
    let (response, first) = watch(&mut bench, "1002");
    assert_eq!(response.status.code(), 200);
    assert_eq!(response.expires(), Ok(Some(600)));
    let info = DialogInfo::parse(first[0].body()).unwrap();
    assert_eq!((info.version, info.scope), (0, Scope::Full));
    assert_eq!(info.entity, format!("sip:1002@{DOMAIN}"));
    assert!(info.dialogs.is_empty());
    assert_eq!(
        first[0].header("Subscription-State"),
        Some("active;expires=600")
    );

    let (_, ringing) = invite(&mut bench, "1002");
    let ringing = ringing.unwrap();
    let trying = dialog(&told(&mut bench));
    assert_eq!(trying.state, EntryState::Trying);
    assert_eq!(trying.direction, Some(Direction::Recipient));
    let caller = trying.remote.unwrap().identity.unwrap();
    assert_eq!(caller.uri, format!("sip:1001@{DOMAIN}"));
    assert_eq!(caller.display.as_deref(), Some("Person 1001"));
    assert_eq!(trying.call_id.as_deref(), ringing.call_id().ok());

    answer(&mut bench, BOB, &ringing, 180, None);
    assert_eq!(dialog(&told(&mut bench)).state, EntryState::Early);
    answer(&mut bench, BOB, &ringing, 200, Some(ANSWER));
    let confirmed = dialog(&told(&mut bench));
    assert_eq!(confirmed.state, EntryState::Confirmed);
    assert_eq!(confirmed.local_tag.as_deref(), Some("bob"));
    assert_eq!(
        confirmed.remote_tag.as_deref(),
        ringing.from().unwrap().tag()
    );

    let answered = bench.responses_to(ALICE).pop().unwrap();
    bench.receive(
        ALICE,
        &within(&answered, "ACK", answered.cseq().unwrap().number, "ack"),
    );
    bench.receive(ALICE, &within(&answered, "BYE", 50, "bye"));
    let bye = bench.requests_to(BOB).pop().unwrap();
    answer(&mut bench, BOB, &bye, 200, None);
    assert_eq!(dialog(&told(&mut bench)).state, EntryState::Terminated);
}

#[test]
fn the_callers_lamp_is_lit_too() {
    let mut bench = registered();
    watch(&mut bench, "1001");
    let (_, ringing) = invite(&mut bench, "1002");
    answer(&mut bench, BOB, &ringing.unwrap(), 180, None);
    let early = dialog(&told(&mut bench));
    assert_eq!(early.state, EntryState::Early);
    assert_eq!(early.direction, Some(Direction::Initiator));
    let callee = early.remote.unwrap().identity.unwrap();
    assert_eq!(callee.uri, format!("sip:1002@{DOMAIN}"));
}

#[test]
fn a_lamp_that_is_watched_during_a_call_is_lit_at_once() {
    let mut bench = registered();
    let (_, ringing) = invite(&mut bench, "1002");
    answer(&mut bench, BOB, &ringing.unwrap(), 180, None);
    let (_, first) = watch(&mut bench, "1002");
    assert_eq!(dialog(&first).state, EntryState::Early);
}

#[test]
fn nothing_secret_of_a_call_is_told() {
    let mut bench = registered();
    watch(&mut bench, "1002");
    let (_, ringing) = invite(&mut bench, "1002");
    answer(&mut bench, BOB, &ringing.unwrap(), 200, Some(ANSWER));
    for notify in told(&mut bench) {
        let text = String::from_utf8(notify.to_bytes().to_vec()).unwrap();
        for secret in ["v=0", "crypto", &BOB.to_string(), "target", "Digest"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn nobody_watches_without_proof() {
    let mut bench = registered();
    let request = subscribe(&mut bench, "dialog", &format!("sip:1002@{DOMAIN}"), "1003");
    bench.deliver(CAROL, &request);
    let challenge = bench.responses_to(CAROL).pop().unwrap();
    assert_eq!(challenge.status.code(), 407);
    let wrong = bench.prove(CAROL, "1003", "guess", &request);
    bench.deliver(CAROL, &wrong);
    assert_eq!(bench.responses_to(CAROL).pop().unwrap().status.code(), 407);
    assert_eq!(bench.proxy.counts().watchers, 0);
}

#[test]
fn lines_of_others_are_as_good_as_absent() {
    let mut bench = registered();
    bench.add_account_of("1099", 2);
    for (target, status) in [
        (format!("sip:1077@{DOMAIN}"), 404),
        (format!("sip:1099@{DOMAIN}"), 404),
        ("sip:1002@elsewhere.test".to_owned(), 403),
    ] {
        let request = subscribe(&mut bench, "dialog", &target, "1003");
        let (response, notifies) = ask(&mut bench, &request, "1003");
        assert_eq!(response.status.code(), status, "{target}");
        assert!(notifies.is_empty());
    }
    assert_eq!(bench.proxy.counts().watchers, 0);
}

#[test]
fn packages_that_are_not_served_are_answered_with_those_that_are() {
    let mut bench = registered();
    let request = subscribe(
        &mut bench,
        "presence",
        &format!("sip:1002@{DOMAIN}"),
        "1003",
    );
    let (response, _) = ask(&mut bench, &request, "1003");
    assert_eq!(response.status.code(), 489);
    assert_eq!(
        response.header("Allow-Events"),
        Some("dialog, message-summary")
    );
}

#[test]
fn a_mailbox_is_its_owners_business() {
    let mut bench = registered();
    let foreign = subscribe(
        &mut bench,
        "message-summary",
        &format!("sip:1002@{DOMAIN}"),
        "1003",
    );
    assert_eq!(ask(&mut bench, &foreign, "1003").0.status.code(), 403);
    let own = subscribe(
        &mut bench,
        "message-summary",
        &format!("sip:1003@{DOMAIN}"),
        "1003",
    );
    let (response, first) = ask(&mut bench, &own, "1003");
    assert_eq!(response.status.code(), 200);
    let none = MessageSummary::parse(first[0].body()).unwrap();
    assert!(!none.waiting);

    let aor = sip::Aor::parse(&format!("sip:1003@{DOMAIN}")).unwrap();
    let summary = MessageSummary::voice(3, 1);
    bench.pass(Duration::from_secs(1));
    bench.command(Command::SetMessages {
        aor: aor.clone(),
        summary,
    });
    let news = told(&mut bench);
    let summary = MessageSummary::parse(news[0].body()).unwrap();
    let voice = summary.of(MessageClass::Voice).unwrap();
    assert!(summary.waiting);
    assert_eq!((voice.new, voice.old), (3, 1));
    bench.command(Command::SetMessages {
        aor,
        summary: MessageSummary::default(),
    });
    assert!(
        !MessageSummary::parse(told(&mut bench)[0].body())
            .unwrap()
            .waiting
    );
}

/// A SUBSCRIBE of the dialog that this response made.
fn renewal(made: &sip::Response, user: &str, expires: u32, cseq: u32) -> Request {
    let text = format!(
        "SUBSCRIBE {} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{CAROL};branch=z9hG4bK{user}{cseq};rport\r\n\
         From: <sip:{user}@{DOMAIN}>;tag={}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} SUBSCRIBE\r\n\
         Contact: <sip:{user}@127.0.0.1:{CAROL}>\r\nEvent: dialog\r\nExpires: {expires}\r\nMax-Forwards: 70\r\n\r\n",
        made.contacts().unwrap().first().unwrap().uri(),
        made.from().unwrap().tag().unwrap(),
        made.header("To").unwrap(),
        made.call_id().unwrap(),
    );
    sip::parse_message(text.into())
        .unwrap()
        .into_request()
        .unwrap()
}

#[test]
fn a_subscription_is_renewed_and_ended_with_proof_only() {
    let mut bench = registered();
    let (made, _) = watch(&mut bench, "1002");
    // The same dialog, claimed by another account with its own good password.
    let foreign = renewal(&made, "1001", 0, 20);
    let proven = bench.prove(CAROL, "1001", &password("1001"), &foreign);
    bench.deliver(CAROL, &proven);
    assert_eq!(bench.responses_to(CAROL).pop().unwrap().status.code(), 481);
    // Nobody's: not even a challenge.
    let mut unknown = renewal(&made, "1003", 600, 21);
    unknown.set_header("Call-ID", "other");
    bench.deliver(CAROL, &unknown);
    assert_eq!(bench.responses_to(CAROL).pop().unwrap().status.code(), 481);

    let (renewed, state) = ask(&mut bench, &renewal(&made, "1003", 300, 22), "1003");
    assert_eq!(renewed.expires(), Ok(Some(300)));
    assert_eq!(state.len(), 1);
    let (ended, last) = ask(&mut bench, &renewal(&made, "1003", 0, 24), "1003");
    assert_eq!(ended.status.code(), 200);
    assert_eq!(
        last[0].header("Subscription-State"),
        Some("terminated;reason=timeout")
    );
    assert_eq!(bench.proxy.counts().watchers, 0);
}

#[test]
fn a_revoked_device_watches_no_more() {
    let mut bench = registered();
    for (number, instance) in [("1", "urn:uuid:a"), ("2", "urn:uuid:b")] {
        let mut request = subscribe(&mut bench, "dialog", &format!("sip:1002@{DOMAIN}"), "1003");
        let contact = format!("<sip:{number}@127.0.0.1:{CAROL}>;+sip.instance=\"<{instance}>\"");
        request.set_header("Contact", contact);
        assert_eq!(ask(&mut bench, &request, "1003").0.status.code(), 200);
    }
    bench.command(Command::RevokeInstance("urn:uuid:a".to_owned()));
    let last = heard(&mut bench);
    assert_eq!(last.len(), 1);
    assert_eq!(
        last[0].header("Subscription-State"),
        Some("terminated;reason=deactivated")
    );
    assert_eq!(bench.proxy.counts().watchers, 1);
    let aor = sip::Aor::parse(&format!("sip:1003@{DOMAIN}")).unwrap();
    bench.command(Command::DropBindings(aor));
    assert_eq!(heard(&mut bench).len(), 1);
    assert_eq!(bench.proxy.counts().watchers, 0);
}

#[test]
fn an_account_watches_so_much_and_no_more() {
    let mut bench = registered();
    for _ in 0..200 {
        assert_eq!(watch(&mut bench, "1002").0.status.code(), 200);
    }
    assert_eq!(watch(&mut bench, "1002").0.status.code(), 403);
    // What is not renewed ends by itself, and nothing of it is left.
    bench.pass(Duration::from_secs(700));
    assert_eq!(
        bench.proxy.counts(),
        Counts {
            bindings: 2,
            ..Counts::default()
        }
    );
}

#[test]
fn methods_that_are_not_served_are_answered_with_those_that_are() {
    let mut bench = registered();
    for (method, status) in [
        ("OPTIONS", 200),
        ("MESSAGE", 405),
        ("PUBLISH", 405),
        ("REFER", 405),
        ("DANCE", 501),
    ] {
        let request = bench.request(CAROL, method, &format!("sip:1002@{DOMAIN}"), "1003", "");
        let response = bench.ask(CAROL, "1003", &request);
        assert_eq!(response.status.code(), status, "{method}");
        let allowed = response.allow().unwrap();
        assert!(
            allowed.contains(&"SUBSCRIBE") && allowed.contains(&"REGISTER"),
            "{method}"
        );
        if method == "OPTIONS" {
            assert_eq!(
                response.allow_events().unwrap(),
                ["dialog", "message-summary"]
            );
        }
    }
}
