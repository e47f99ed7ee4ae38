//! Two shards, and a call from an account of one to an account of the other.

use std::num::NonZeroUsize;
use std::time::Duration;

use sip::{Request, Response};
use sip_proxy_core::{Command, Event, Share, select};

use crate::bench::{Bench, DOMAIN};

const CALLER: u16 = 40_101;
const CALLEE: u16 = 40_102;

/// One bench for each of two shards; the first owns the domain of its accounts.
fn shards() -> (Bench, Bench) {
    let shares: Vec<_> = Share::all(NonZeroUsize::new(2).unwrap()).collect();
    let owner = shares[0].owner(DOMAIN);
    let bench = |index: usize, seed| {
        Bench::with(|config| {
            config.share = shares[index];
            config.seed = [seed; 32];
        })
    };
    (bench(owner, 3), bench(1 - owner, 4))
}

fn invite(bench: &mut Bench) -> Response {
    let contact = format!("Contact: <sip:1001@127.0.0.1:{CALLER}>\r\n");
    let uri = format!("sip:1002@{DOMAIN}");
    let invite = bench.request(CALLER, "INVITE", &uri, "1001", &contact);
    bench.ask(CALLER, "1001", &invite)
}

/// Carries what `asking` wants to know to `owner` and the answer back.
fn carry(asking: &mut Bench, owner: &mut Bench) {
    let Some(Event::Locate { shard, ticket, aor }) = asking.events.pop() else {
        panic!("the other shard is asked");
    };
    let share = Share::all(NonZeroUsize::new(2).unwrap())
        .nth(shard)
        .unwrap();
    assert!(share.owns(aor.host()));
    owner.command(Command::Locate {
        asker: 1 - shard,
        ticket,
        aor,
    });
    let Some(Event::Located {
        asker,
        ticket,
        found,
    }) = owner.events.pop()
    else {
        panic!("the other shard answers");
    };
    assert_eq!(asker, 1 - shard);
    asking.command(Command::Located { ticket, found });
}

#[test]
fn a_callee_of_another_shard_is_rung_where_that_shard_says() {
    let (mut owner, mut asking) = shards();
    owner.register(CALLEE, "1002");
    assert_eq!(invite(&mut asking).status.code(), 100);
    assert!(asking.requests_to(CALLEE).is_empty());
    carry(&mut asking, &mut owner);
    let rung: Vec<Request> = asking.requests_to(CALLEE);
    assert_eq!(rung.len(), 1);
    // What the callee answers comes back to the shard that rings.
    let answer = rung[0].response(180, Some("tag")).to_bytes();
    let ours = Share::all(NonZeroUsize::new(2).unwrap()).find(|share| !share.owns(DOMAIN));
    assert_eq!(select(&answer) % 2, ours.unwrap().index() as u64);
    asking.pass(Duration::from_secs(120));
    let counts = asking.proxy.counts();
    assert_eq!((counts.calls, counts.waiting, counts.bindings), (0, 0, 0));
}

#[test]
fn who_is_registered_nowhere_is_unavailable_and_a_shard_that_is_silent_makes_us_busy() {
    let (mut owner, mut asking) = shards();
    invite(&mut asking);
    carry(&mut asking, &mut owner);
    assert_eq!(
        asking.responses_to(CALLER).pop().unwrap().status.code(),
        480
    );
    assert_eq!(invite(&mut asking).status.code(), 100);
    asking.pass(Duration::from_secs(6));
    let given_up = asking.responses_to(CALLER);
    assert!(given_up.iter().any(|answer| answer.status.code() == 503));
    assert_eq!(asking.proxy.counts().waiting, 0);
}

#[test]
fn a_redirection_to_a_shard_that_is_silent_comes_to_nothing() {
    let (mut owner, _) = shards();
    owner.register(CALLEE, "1002");
    let share = Share::all(NonZeroUsize::new(2).unwrap()).find(|share| !share.owns(DOMAIN));
    let mut domains = (0..).map(|number| format!("tenant-{number}.test"));
    let foreign = domains.find(|domain| share.unwrap().owns(domain)).unwrap();
    invite(&mut owner);
    let rung = owner.requests_to(CALLEE).pop().unwrap();
    let mut redirection = rung.response(302, Some("tag"));
    redirection.push_header("Contact", format!("<sip:a@{foreign}>"));
    owner.deliver_response(CALLEE, &redirection);
    let asked = owner.events.pop();
    assert!(matches!(asked, Some(Event::Locate { aor, .. }) if aor.host() == foreign));
    assert!(owner.responses_to(CALLER).is_empty());
    assert_eq!(owner.proxy.counts().waiting, 1);
    owner.pass(Duration::from_secs(6));
    let refused = owner.responses_to(CALLER).pop().unwrap();
    assert_eq!(refused.status.code(), 480);
    assert_eq!(owner.proxy.counts().waiting, 0);
    owner.pass(Duration::from_secs(120));
    assert_eq!(owner.proxy.counts().calls, 0);
}

#[test]
fn a_caller_who_gives_up_while_the_other_shard_is_asked_rings_nobody() {
    let (mut owner, mut asking) = shards();
    owner.register(CALLEE, "1002");
    let contact = format!("Contact: <sip:1001@127.0.0.1:{CALLER}>\r\n");
    let uri = format!("sip:1002@{DOMAIN}");
    let invite = asking.request(CALLER, "INVITE", &uri, "1001", &contact);
    let invite = asking.prove(CALLER, "1001", "secret-1001", &invite);
    asking.deliver(CALLER, &invite);
    let mut cancel = invite.clone();
    cancel.method = sip::Method::CANCEL;
    cancel.set_header("CSeq", "1 CANCEL");
    asking.deliver(CALLER, &cancel);
    let answers = asking.responses_to(CALLER);
    assert!(answers.iter().any(|answer| answer.status.code() == 487));
    carry(&mut asking, &mut owner);
    assert!(asking.requests_to(CALLEE).is_empty());
}

#[test]
fn after_a_restart_each_shard_takes_its_own_bindings_only() {
    let (mut owner, mut other) = shards();
    owner.register(CALLEE, "1002");
    owner.kept();
    let rows = owner.kept_rows();
    other.command(Command::RestoreBindings(rows.clone()));
    assert_eq!(other.proxy.counts().bindings, 0);
    let (mut again, _) = shards();
    again.command(Command::RestoreBindings(rows));
    assert_eq!(again.proxy.counts().bindings, 1);
}
