//! What two phones tell each other for ICE over the life of a call.

use std::time::Duration;

use sdp::{AgreedIce, Candidate, IceCredentials, IceRole, LocalIce, MediaIce};

use super::exchange::{ALICE, BOB, Net, line};
use crate::Action;

const SECOND: Duration = Duration::from_secs(1);

fn ice(address: &str, name: &str) -> LocalIce {
    let ip = address.split(':').next().unwrap();
    let candidate = format!("1 1 UDP 2130706431 {ip} 4000 typ host");
    LocalIce {
        credentials: IceCredentials::new(name, &name.repeat(10)),
        candidates: vec![Candidate::parse(&candidate).unwrap()],
    }
}

/// A call that Alice placed and Bob answered.
fn called(at_alice: Option<LocalIce>, at_bob: Option<LocalIce>) -> Net {
    let mut net = Net::new();
    for (who, address, ice) in [("alice", ALICE, at_alice), ("bob", BOB, at_bob)] {
        net.configure(who, vec![line(who, address)]);
        net.party(who).ice = ice;
    }
    net.run_for(SECOND);
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.act("bob", Action::Answer(None));
    net.run_for(SECOND);
    net
}

/// Of the only call of a phone.
fn agreed(net: &mut Net, who: &'static str) -> Option<AgreedIce> {
    let call = net.party(who).phone.table.values().next()?;
    match &call.negotiated()?.ice {
        MediaIce::Agreed(agreed) => Some(agreed.as_ref().clone()),
        MediaIce::Off | MediaIce::Refused(_) => None,
    }
}

#[test]
fn both_phones_know_each_others_candidates_and_credentials_and_keep_them_over_a_hold() {
    let mut net = called(Some(ice(ALICE, "alice")), Some(ice(BOB, "bobby")));
    for round in 0..3 {
        let at_alice = agreed(&mut net, "alice").unwrap();
        let at_bob = agreed(&mut net, "bob").unwrap();
        assert_eq!(at_alice.local.ufrag, "alice", "{round}");
        assert_eq!(at_alice.remote.ufrag, "bobby", "{round}");
        assert_eq!(at_alice.local, at_bob.remote, "{round}");
        assert_eq!(at_alice.candidates.len(), 1);
        let action = [Action::Hold(None), Action::Resume(None)][round % 2].clone();
        net.act("alice", action);
        net.run_for(SECOND);
    }
    assert_eq!(
        agreed(&mut net, "alice").unwrap().role,
        IceRole::Controlling
    );
}

#[test]
fn a_phone_without_ice_is_spoken_with_as_ever() {
    for [at_alice, at_bob] in [
        [Some(ice(ALICE, "alice")), None],
        [None, Some(ice(BOB, "bobby"))],
    ] {
        let mut net = called(at_alice, at_bob);
        assert_eq!(agreed(&mut net, "alice"), None);
        assert_eq!(agreed(&mut net, "bob"), None);
        let talks = |net: &mut Net, who| net.party(who).direction;
        assert_eq!(talks(&mut net, "alice"), Some(sdp::Direction::SendRecv));
        assert_eq!(talks(&mut net, "bob"), Some(sdp::Direction::SendRecv));
    }
}
