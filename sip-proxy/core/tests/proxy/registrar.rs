//! The registrar from outside: what a REGISTER does, and who may send one (RFC 3261, sections 10.3 and 22).

use std::time::Duration;

use crate::bench::{Bench, DOMAIN};
use sip::{Aor, Request, Response};
use sip_proxy_core::{Command, Counts};

const PHONE: u16 = 40_001;

fn contacts(response: &Response) -> Vec<String> {
    response
        .headers_named("Contact")
        .map(str::to_owned)
        .collect()
}

/// A REGISTER of 1001 with these header lines, proven.
fn register(bench: &mut Bench, lines: &str) -> Response {
    let request = bench.request(PHONE, "REGISTER", &format!("sip:{DOMAIN}"), "1001", lines);
    bench.ask(PHONE, "1001", &request)
}

#[test]
fn a_proven_register_binds_and_a_query_shows_it() {
    let mut bench = Bench::new();
    let response = register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:40001;x=%41>;expires=600;+sip.instance=\"<urn:uuid:1>\"\r\n",
    );
    assert_eq!(response.status.code(), 200);
    assert_eq!(
        contacts(&response),
        ["<sip:1001@127.0.0.1:40001;x=%41>;+sip.instance=\"<urn:uuid:1>\";expires=600"]
    );

    bench.pass(Duration::from_secs(100));
    let query = register(&mut bench, "");
    assert_eq!(
        contacts(&query),
        ["<sip:1001@127.0.0.1:40001;x=%41>;+sip.instance=\"<urn:uuid:1>\";expires=500"]
    );
}

#[test]
fn a_binding_ends_when_its_time_is_over() {
    let mut bench = Bench::new();
    register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:40001>\r\nExpires: 60\r\n",
    );
    assert_eq!(bench.kept().len(), 1);
    bench.pass(Duration::from_secs(61));
    assert_eq!(bench.kept().len(), 0);
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.proxy.counts(), Counts::default());
}

#[test]
fn without_an_expiry_the_default_is_granted_and_too_long_a_one_is_cut() {
    let mut bench = Bench::new();
    let response = register(&mut bench, "Contact: <sip:1001@127.0.0.1:40001>\r\n");
    assert_eq!(
        contacts(&response),
        ["<sip:1001@127.0.0.1:40001>;expires=3600"]
    );
    let response = register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:40001>;expires=999999\r\n",
    );
    assert_eq!(
        contacts(&response),
        ["<sip:1001@127.0.0.1:40001>;expires=7200"]
    );
}

#[test]
fn too_brief_an_expiry_is_423_and_changes_nothing() {
    let mut bench = Bench::new();
    let response = register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:40001>, <sip:1001@127.0.0.1:40002>;expires=5\r\n",
    );
    assert_eq!(
        (response.status.code(), response.header("Min-Expires")),
        (423, Some("60"))
    );
    assert_eq!(bench.kept().len(), 0);
}

#[test]
fn expiry_zero_and_star_remove() {
    let mut bench = Bench::new();
    register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:40001>, <sip:1001@127.0.0.1:40002>\r\n",
    );
    let response = register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:40001>;expires=0\r\n",
    );
    assert_eq!(contacts(&response).len(), 1);
    let response = register(&mut bench, "Contact: *\r\nExpires: 0\r\n");
    assert_eq!(
        (response.status.code(), contacts(&response).len()),
        (200, 0)
    );
    assert_eq!(bench.kept().len(), 0);
}

#[test]
fn a_star_with_an_expiry_or_beside_a_contact_is_400() {
    let mut bench = Bench::new();
    register(&mut bench, "Contact: <sip:1001@127.0.0.1:40001>\r\n");
    for lines in [
        "Contact: *\r\nExpires: 60\r\n",
        "Contact: *\r\n",
        "Contact: *, <sip:1001@127.0.0.1>\r\nExpires: 0\r\n",
    ] {
        assert_eq!(register(&mut bench, lines).status.code(), 400, "{lines}");
    }
    assert_eq!(bench.kept().len(), 1);
}

#[test]
fn an_older_register_of_the_same_call_changes_nothing() {
    let mut bench = Bench::new();
    let mut newer = bench.request(
        PHONE,
        "REGISTER",
        &format!("sip:{DOMAIN}"),
        "1001",
        "Contact: <sip:1001@127.0.0.1:40001>\r\n",
    );
    newer.set_header("CSeq", "7 REGISTER");
    assert_eq!(bench.ask(PHONE, "1001", &newer).status.code(), 200);
    let mut older = newer.clone();
    older.set_header("CSeq", "6 REGISTER");
    older.set_header("Expires", "0");
    older.set_header(
        "Via",
        "SIP/2.0/UDP 127.0.0.1:40001;branch=z9hG4bKolder;rport",
    );
    assert_eq!(bench.ask(PHONE, "1001", &older).status.code(), 500);
    assert_eq!(bench.kept().len(), 1);
}

#[test]
fn a_phone_that_comes_back_from_another_address_replaces_itself() {
    let mut bench = Bench::new();
    register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:40001>;+sip.instance=\"<urn:uuid:1>\"\r\n",
    );
    let response = register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:49999>;+sip.instance=\"<urn:uuid:1>\"\r\n",
    );
    assert_eq!(contacts(&response).len(), 1);
    assert!(contacts(&response)[0].contains("49999"));
    bench.pass(Duration::from_secs(1));
    let told: usize = bench.announced.iter().map(Vec::len).sum();
    assert_eq!(told, 1, "the same device is no news");
}

#[test]
fn bindings_that_begin_soon_after_each_other_are_told_together_and_as_they_are_then() {
    let mut bench = Bench::new();
    register(&mut bench, "Contact: <sip:1001@127.0.0.1:40001>\r\n");
    let second = "Contact: <sip:1001@127.0.0.1:40002>\r\n";
    register(&mut bench, second);
    let uri = format!("sip:{DOMAIN}");
    let other = bench.request(PHONE, "REGISTER", &uri, "1002", second);
    bench.ask(PHONE, "1002", &other);
    bench.pass(Duration::from_millis(19));
    assert_eq!(bench.announced, [[]; 0]);
    bench.pass(Duration::from_millis(1));
    let aor = |user: &str| Aor::parse(&format!("sip:{user}@{DOMAIN}")).unwrap();
    assert_eq!(bench.announced, [[(aor("1001"), 2), (aor("1002"), 1)]]);
}

#[test]
fn who_asks_hears_the_news_before_the_answer() {
    for question in [
        Command::Count,
        Command::Flush,
        Command::ListBindings { asker: 1, from: 0 },
    ] {
        let mut bench = Bench::new();
        register(&mut bench, "Contact: <sip:1001@127.0.0.1:40001>\r\n");
        bench.command(question);
        assert_eq!(bench.announced.len(), 1);
        bench.pass(Duration::from_secs(1));
        assert_eq!(bench.announced.len(), 1, "and once only");
    }
}

#[test]
fn news_that_the_edge_has_no_room_for_is_told_later() {
    let mut bench = Bench::new();
    register(&mut bench, "Contact: <sip:1001@127.0.0.1:40001>\r\n");
    bench.refuse_news = true;
    bench.pass(Duration::from_millis(60));
    assert_eq!(bench.announced, [[]; 0]);
    bench.refuse_news = false;
    bench.pass(Duration::from_millis(60));
    assert_eq!(bench.announced.len(), 1);
}

#[test]
fn an_eleventh_device_is_refused() {
    let mut bench = Bench::new();
    for port in 41_000..41_010 {
        let response = register(
            &mut bench,
            &format!("Contact: <sip:1001@127.0.0.1:{port}>\r\n"),
        );
        assert_eq!(response.status.code(), 200);
    }
    assert_eq!(
        register(&mut bench, "Contact: <sip:1001@127.0.0.1:41010>\r\n")
            .status
            .code(),
        403
    );
    assert_eq!(bench.kept().len(), 10);
}

#[test]
fn unknown_user_wrong_password_and_no_credentials_look_the_same() {
    let mut bench = Bench::new();
    let mut shapes = Vec::new();
    for (user, password) in [("1001", "wrong"), ("4711", "wrong")] {
        let request = bench.request(
            PHONE,
            "REGISTER",
            &format!("sip:{DOMAIN}"),
            user,
            &format!("Contact: <sip:{user}@127.0.0.1>\r\n"),
        );
        let response = bench.ask_with(PHONE, user, password, &request);
        let names: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, _)| name.to_owned())
            .collect();
        shapes.push((response.status.code(), names, response.to_bytes().len()));
    }
    assert_eq!(shapes[0], shapes[1]);
    assert_eq!(shapes[0].0, 401);
    let request = bench.request(PHONE, "REGISTER", &format!("sip:{DOMAIN}"), "1001", "");
    bench.deliver(PHONE, &request);
    assert_eq!(bench.responses_to(PHONE)[0].status.code(), 401);
    assert_eq!(bench.kept().len(), 0);
}

#[test]
fn the_credentials_of_one_do_not_register_another() {
    let mut bench = Bench::new();
    let request = bench.request(
        PHONE,
        "REGISTER",
        &format!("sip:{DOMAIN}"),
        "1002",
        "Contact: <sip:evil@127.0.0.1>\r\n",
    );
    assert_eq!(
        bench
            .ask_with(PHONE, "1001", "secret-1001", &request)
            .status
            .code(),
        403
    );
    assert_eq!(bench.kept().len(), 0);
}

#[test]
fn a_store_that_fails_is_503_and_the_phone_may_try_again() {
    let mut bench = Bench::new();
    bench.broken_store = true;
    let response = register(&mut bench, "Contact: <sip:1001@127.0.0.1:40001>\r\n");
    assert_eq!(
        (response.status.code(), response.header("Retry-After")),
        (503, Some("2"))
    );
    bench.broken_store = false;
    assert_eq!(
        register(&mut bench, "Contact: <sip:1001@127.0.0.1:40001>\r\n")
            .status
            .code(),
        200
    );
}

#[test]
fn no_look_up_is_made_for_a_request_without_credentials() {
    let mut bench = Bench::new();
    let request = bench.request(
        PHONE,
        "REGISTER",
        &format!("sip:{DOMAIN}"),
        "1001",
        "Contact: <sip:1001@127.0.0.1>\r\n",
    );
    bench.deliver(PHONE, &request);
    assert_eq!(bench.lookups, 0);
}

#[test]
fn a_revoked_device_and_a_dropped_account_have_no_bindings() {
    let mut bench = Bench::new();
    register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:40001>;+sip.instance=\"<urn:uuid:1>\"\r\n",
    );
    register(
        &mut bench,
        "Contact: <sip:1001@127.0.0.1:40002>;+sip.instance=\"<urn:uuid:2>\"\r\n",
    );
    bench.register(PHONE + 1, "1002");
    bench.command(Command::RevokeInstance("urn:uuid:1".to_owned()));
    assert_eq!(bench.kept().len(), 2);
    bench.command(Command::DropBindings(
        Aor::parse(&format!("sip:1002@{DOMAIN}")).unwrap(),
    ));
    assert_eq!(bench.kept().len(), 1);
}

#[test]
fn restored_bindings_ring_and_a_newer_registration_wins() {
    let mut before = Bench::new();
    before.register(PHONE, "1001");
    before.register(PHONE + 1, "1002");
    let mut after = Bench::new();
    after.register(PHONE, "1001");
    before.kept();
    after.command(Command::RestoreBindings(before.kept_rows()));
    assert_eq!(after.proxy.counts().bindings, 2);
    after.pass(Duration::from_secs(3_601));
    assert_eq!(after.proxy.counts().bindings, 0);
}

/// The credentials that the bench answers the challenge of `request` with, on a fresh branch.
fn proven(bench: &mut Bench, request: &Request) -> Request {
    bench.prove(PHONE, "1001", "secret-1001", request)
}

#[test]
fn another_copy_of_a_register_gets_the_same_answer_and_changes_nothing() {
    let mut bench = Bench::new();
    for lines in [
        "Contact: <sip:1001@127.0.0.1:40001>\r\n",
        "",
        "Contact: *\r\nExpires: 0\r\n",
    ] {
        let plain = bench.request(PHONE, "REGISTER", &format!("sip:{DOMAIN}"), "1001", lines);
        let request = proven(&mut bench, &plain);
        bench.deliver(PHONE, &request);
        let first = bench.responses_to(PHONE).pop().unwrap();
        let writes = bench.writes;
        bench.deliver(PHONE, &request);
        let second = bench.responses_to(PHONE).pop().unwrap();
        assert_eq!(first.status.code(), 200, "{lines}");
        assert_eq!(first.to_bytes(), second.to_bytes(), "{lines}");
        assert_eq!(bench.writes, writes, "{lines}");
    }
    assert_eq!(bench.proxy.counts().transactions, 0);
}

#[test]
fn a_replayed_register_is_challenged() {
    let mut bench = Bench::new();
    let plain = bench.request(
        PHONE,
        "REGISTER",
        &format!("sip:{DOMAIN}"),
        "1001",
        "Contact: <sip:1001@127.0.0.1:40001>\r\n",
    );
    let request = proven(&mut bench, &plain);
    bench.deliver(PHONE, &request);
    assert_eq!(bench.responses_to(PHONE)[0].status.code(), 200);

    let mut elsewhere = request.clone();
    elsewhere.set_header("Contact", "<sip:evil@127.0.0.1:6666>");
    let mut removal = request.clone();
    removal.set_header("Expires", "0");
    let mut later = request.clone();
    later.set_header("CSeq", "2 REGISTER");
    for replay in [elsewhere, removal, later] {
        bench.deliver(PHONE, &replay);
        assert_eq!(bench.responses_to(PHONE)[0].status.code(), 401);
    }
    bench.deliver(PHONE + 1, &request);
    assert_eq!(
        bench.responses_to(PHONE + 1)[0].status.code(),
        401,
        "from another address"
    );
    assert_eq!(bench.kept().len(), 1);
}

#[test]
fn one_look_up_serves_all_who_wait_for_it_and_is_remembered() {
    let mut bench = Bench::new();
    bench.hold_lookups = true;
    let lines = "Contact: <sip:1001@127.0.0.1:40001>\r\n";
    for _ in 0..3 {
        let plain = bench.request(PHONE, "REGISTER", &format!("sip:{DOMAIN}"), "1001", lines);
        let request = proven(&mut bench, &plain);
        bench.deliver(PHONE, &request);
    }
    assert_eq!((bench.lookups, bench.proxy.counts().waiting), (1, 3));
    bench.hold_lookups = false;
    bench.answer_lookups();
    let codes: Vec<_> = bench
        .responses_to(PHONE)
        .iter()
        .map(|response| response.status.code())
        .collect();
    assert_eq!(codes, [200, 200, 200]);
    register(&mut bench, lines);
    assert_eq!(bench.lookups, 1);
    bench.command(Command::AccountChanged(
        Aor::parse(&format!("sip:1001@{DOMAIN}")).unwrap(),
    ));
    register(&mut bench, lines);
    assert_eq!(bench.lookups, 2);
}

#[test]
fn an_account_that_was_read_ahead_is_looked_up_only_once_it_has_changed() {
    let mut bench = Bench::new();
    let accounts = bench.all_accounts();
    bench.command(Command::AccountsRead(accounts));
    let lines = "Contact: <sip:1001@127.0.0.1:40001>\r\n";
    register(&mut bench, lines);
    assert_eq!(bench.lookups, 0);
    bench.command(Command::AccountChanged(
        Aor::parse(&format!("sip:1001@{DOMAIN}")).unwrap(),
    ));
    register(&mut bench, lines);
    assert_eq!(bench.lookups, 1);
}

#[test]
fn an_account_that_changes_while_it_is_looked_up_is_looked_up_again() {
    let mut bench = Bench::new();
    bench.hold_lookups = true;
    let lines = "Contact: <sip:1001@127.0.0.1:40001>\r\n";
    let plain = bench.request(PHONE, "REGISTER", &format!("sip:{DOMAIN}"), "1001", lines);
    let request = proven(&mut bench, &plain);
    bench.deliver(PHONE, &request);
    bench.command(Command::AccountsChanged);
    bench.hold_lookups = false;
    bench.answer_lookups();
    register(&mut bench, lines);
    assert_eq!(bench.lookups, 2);
}

#[test]
fn news_wait_until_the_last_were_read() {
    let mut bench = Bench::new();
    let aor = |user: &str| Aor::parse(&format!("sip:{user}@{DOMAIN}")).unwrap();
    bench.hold_news = true;
    bench.register(40_001, "1001");
    bench.pass(Duration::from_millis(50));
    assert_eq!(bench.announced, [[(aor("1001"), 1)]]);
    bench.register(40_002, "1002");
    bench.register(40_003, "1003");
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.announced.len(), 1);
    bench.held_news.clear();
    bench.pass(Duration::from_millis(50));
    assert_eq!(
        bench.announced.last().unwrap(),
        &[(aor("1002"), 1), (aor("1003"), 1)]
    );
}
