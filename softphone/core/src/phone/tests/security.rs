//! Which keys two phones agree on over the life of a call.

use std::time::Duration;

use sdp::{KeyExchange, LocalSecurity, MasterKey, MediaSecurity, SecurityPolicy};

use super::exchange::{ALICE, BOB, Net, line};
use crate::Action;

const SECOND: Duration = Duration::from_secs(1);

fn with(at_alice: SecurityPolicy, at_bob: SecurityPolicy) -> Net {
    let mut net = Net::new();
    for (who, address, policy) in [("alice", ALICE, at_alice), ("bob", BOB, at_bob)] {
        let mut config = line(who, address);
        config.security = LocalSecurity {
            policy,
            offer: KeyExchange::Sdes,
            ..LocalSecurity::default()
        };
        net.configure(who, vec![config]);
    }
    net.run_for(SECOND);
    net
}

fn call(net: &mut Net) {
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.act("bob", Action::Answer(None));
    net.run_for(SECOND);
}

/// Of the only call of a phone: what it protects with, and what its peer does.
fn keys(net: &mut Net, who: &'static str) -> Option<(MasterKey, MasterKey)> {
    let call = net.party(who).phone.table.values().next()?;
    match &call.negotiated()?.security {
        MediaSecurity::Sdes { local, remote } => Some((local.clone(), remote.clone())),
        _ => None,
    }
}

#[test]
fn every_call_has_keys_of_its_own_and_keeps_them_over_a_hold() {
    let mut net = with(SecurityPolicy::Optional, SecurityPolicy::Required);
    call(&mut net);
    let (ours, theirs) = keys(&mut net, "alice").unwrap();
    assert_ne!(ours, theirs);
    let at_bob = Some((theirs.clone(), ours.clone()));
    assert_eq!(keys(&mut net, "bob"), at_bob);
    for who in ["alice", "bob"] {
        net.act(who, Action::Hold(None));
        net.run_for(SECOND);
        net.act(who, Action::Resume(None));
        net.run_for(SECOND);
        assert_eq!(keys(&mut net, "bob"), at_bob, "{who}");
        assert_eq!(
            keys(&mut net, "alice"),
            Some((ours.clone(), theirs.clone()))
        );
    }
    net.act("alice", Action::HangUp(None));
    net.run_for(SECOND);
    call(&mut net);
    let (next, other) = keys(&mut net, "alice").unwrap();
    for key in [next, other] {
        assert!(key != ours && key != theirs);
    }
}

#[test]
fn a_line_that_asks_for_security_takes_no_plain_call() {
    let mut net = with(SecurityPolicy::Off, SecurityPolicy::Required);
    call(&mut net);
    assert!(net.party("alice").phone.table.is_empty());
    assert!(net.party("bob").phone.table.is_empty());
    let mut net = with(SecurityPolicy::Off, SecurityPolicy::Optional);
    call(&mut net);
    assert_eq!(keys(&mut net, "alice"), None);
    assert_eq!(net.party("alice").phone.table.len(), 1);
}

#[test]
fn who_is_asked_for_an_offer_gives_new_keys() {
    let mut net = with(SecurityPolicy::Required, SecurityPolicy::Required);
    call(&mut net);
    let (ours, theirs) = keys(&mut net, "alice").unwrap();
    let bob = &mut net.party("bob").phone;
    let call = bob.table.values_mut().next().unwrap();
    let (media, session) = call.session().unwrap();
    let kept = session.offer(&media).to_string();
    let anew = session.offer_anew(&media).to_string();
    let written = |key: &MasterKey| {
        let key = key.clone();
        let value = sdp::CryptoAttribute { tag: 1, key }.to_value();
        value.to_string()
    };
    assert!(kept.contains(&written(&theirs)));
    assert!(!anew.contains(&written(&theirs)) && !anew.contains(&written(&ours)));
}
