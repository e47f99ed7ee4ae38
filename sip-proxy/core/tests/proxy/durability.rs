//! When a REGISTER is answered, and what is kept beyond a crash.

use std::time::Duration;

use sip::Request;
use sip_proxy_core::{Durability, StoreFailed};

use crate::bench::{Bench, DOMAIN};

const PHONE: u16 = 40_001;

/// A REGISTER of `user` with an answer to its challenge.
fn proven(bench: &mut Bench, user: &str, lines: &str) -> Request {
    let plain = bench.request(PHONE, "REGISTER", &format!("sip:{DOMAIN}"), user, lines);
    bench.prove(PHONE, user, &format!("secret-{user}"), &plain)
}

fn codes(bench: &mut Bench) -> Vec<u16> {
    let responses = bench.responses_to(PHONE);
    responses
        .iter()
        .map(|response| response.status.code())
        .collect()
}

fn contact(port: u16) -> String {
    format!("Contact: <sip:someone@127.0.0.1:{port}>\r\n")
}

#[test]
fn a_durable_binding_is_confirmed_once_it_is_written() {
    let mut bench = Bench::new();
    bench.hold_stores = true;
    let first = proven(&mut bench, "1001", &contact(41_001));
    bench.deliver(PHONE, &first);
    let copy = first.clone();
    bench.deliver(PHONE, &copy);
    assert_eq!(codes(&mut bench), []);
    assert_eq!(
        bench.proxy.counts().bindings,
        0,
        "nobody is rung before that"
    );
    bench.answer_stores(Ok(()));
    assert_eq!(codes(&mut bench), [200]);
    assert_eq!(bench.proxy.counts().bindings, 1);
}

#[test]
fn what_comes_while_a_group_is_written_becomes_the_next_group() {
    let mut bench = Bench::new();
    bench.hold_stores = true;
    for user in ["1001", "1002", "1003"] {
        let request = proven(&mut bench, user, &contact(41_001));
        bench.deliver(PHONE, &request);
    }
    bench.hold_stores = false;
    bench.answer_stores(Ok(()));
    assert_eq!(codes(&mut bench), [200, 200, 200]);
    assert_eq!(bench.writes, 2);
}

#[test]
fn a_write_that_fails_changes_nothing_and_is_503() {
    let mut bench = Bench::new();
    let request = proven(&mut bench, "1001", &contact(41_001));
    bench.deliver(PHONE, &request);
    assert_eq!(codes(&mut bench), [200]);
    bench.hold_stores = true;
    let request = proven(&mut bench, "1001", "Contact: *\r\nExpires: 0\r\n");
    bench.deliver(PHONE, &request);
    bench.answer_stores(Err(StoreFailed));
    let refused = bench.responses_to(PHONE).pop().unwrap();
    assert_eq!(
        (refused.status.code(), refused.header("Retry-After")),
        (503, Some("2"))
    );
    assert_eq!(bench.proxy.counts().bindings, 1);
    // The very request may be sent again, as the phone's next one is.
    bench.hold_stores = false;
    let request = proven(&mut bench, "1001", "Contact: *\r\nExpires: 0\r\n");
    bench.deliver(PHONE, &request);
    assert_eq!(codes(&mut bench), [200]);
    assert_eq!(bench.kept().len(), 0);
}

#[test]
fn registrations_of_one_address_take_their_turn() {
    let mut bench = Bench::new();
    bench.hold_stores = true;
    for port in 41_000..41_012 {
        let request = proven(&mut bench, "1001", &contact(port));
        bench.deliver(PHONE, &request);
    }
    assert_eq!(
        codes(&mut bench),
        [503],
        "ten wait behind the first, the twelfth does not"
    );
    assert_eq!(bench.proxy.counts().waiting, 11);
    bench.hold_stores = false;
    bench.answer_stores(Ok(()));
    let answers = codes(&mut bench);
    assert_eq!(answers.iter().filter(|code| **code == 200).count(), 10);
    assert_eq!(answers.iter().filter(|code| **code == 403).count(), 1);
    assert_eq!(bench.kept().len(), 10);
    assert_eq!(bench.proxy.counts().waiting, 0);
}

#[test]
fn memory_first_confirms_at_once_and_writes_seconds_later() {
    let mut bench = Bench::with(|config| config.durability = Durability::MemoryFirst);
    for port in [41_001, 41_002, 41_003] {
        let request = proven(&mut bench, "1001", &contact(port));
        bench.deliver(PHONE, &request);
        assert_eq!(codes(&mut bench), [200]);
    }
    assert_eq!((bench.proxy.counts().bindings, bench.writes), (3, 0));
    bench.pass(Duration::from_secs(5));
    assert_eq!(bench.writes, 1);
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.writes, 1, "nothing has changed since");
    assert_eq!(bench.kept().len(), 3);
}

#[test]
fn memory_first_gathers_renewals_for_a_minute_unless_the_row_says_too_much() {
    let mut bench = Bench::with(|config| config.durability = Durability::MemoryFirst);
    let register = |bench: &mut Bench, expires: u32| {
        let lines = format!("{}Expires: {expires}\r\n", contact(PHONE));
        let request = proven(bench, "1001", &lines);
        bench.deliver(PHONE, &request);
        assert_eq!(codes(bench), [200]);
    };
    register(&mut bench, 600);
    bench.pass(Duration::from_secs(5));
    let first = bench.kept_until();
    for _ in 0..5 {
        register(&mut bench, 600);
        bench.pass(Duration::from_secs(10));
    }
    assert_eq!((bench.writes, bench.kept_until()), (1, first));
    bench.pass(Duration::from_secs(10));
    assert_eq!((bench.writes, bench.kept_until()), (2, first + 45));

    register(&mut bench, 600);
    assert_eq!(bench.kept().len(), 1, "who asks for everything gets it");
    assert_eq!((bench.writes, bench.kept_until()), (3, first + 65));

    register(&mut bench, 60);
    bench.pass(Duration::from_secs(5));
    assert_eq!(bench.writes, 4, "a row must not outlive its binding");
    assert!(bench.kept_until() < first);
}

#[test]
fn what_could_not_be_written_is_written_later() {
    let mut bench = Bench::with(|config| config.durability = Durability::MemoryFirst);
    bench.hold_stores = true;
    let request = proven(&mut bench, "1001", &contact(41_001));
    bench.deliver(PHONE, &request);
    bench.pass(Duration::from_secs(5));
    bench.answer_stores(Err(StoreFailed));
    assert_eq!(bench.kept_rows().len(), 0);
    bench.hold_stores = false;
    bench.pass(Duration::from_secs(5));
    assert_eq!(bench.kept_rows().len(), 1);
}

#[test]
fn a_binding_that_ends_by_itself_is_gone_from_what_is_kept() {
    let mut bench = Bench::new();
    let request = proven(
        &mut bench,
        "1001",
        "Contact: <sip:a@127.0.0.1>;expires=60\r\n",
    );
    bench.deliver(PHONE, &request);
    assert_eq!(bench.kept_rows().len(), 1);
    bench.pass(Duration::from_secs(66));
    assert_eq!(bench.kept_rows().len(), 0);
    let last = bench.announced.concat().pop().map(|(_, count)| count);
    assert_eq!(last, Some(0));
}
