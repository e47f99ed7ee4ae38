//! Legs whose party does ICE: full agents of ours, and what strangers can do about it.

use stun::{Agreement, Credentials, Ice, IceEvent, Incoming, LiteAgent, Role, Secret};

use super::*;

/// Announced by everybody behind a translator.
const PRIVATE: &str = "192.168.1.5:4000";
const ROAMED: &str = "198.51.100.8:62000";

fn credentials(seed: u8) -> Credentials {
    Credentials::random(|bytes| bytes.fill(seed))
}

fn theirs() -> Credentials {
    credentials(99)
}

fn agent(seed: u8) -> LiteAgent {
    LiteAgent::new(&credentials(seed), Some(theirs().ufrag)).unwrap()
}

/// A party with a full agent.
pub(super) struct Party {
    ice: Ice,
    address: &'static str,
    place: Place,
    component: Component,
    path: Option<SocketAddr>,
    /// The last datagram of a handshake that came.
    handshake: Option<Outgoing>,
}

impl Party {
    /// Speaks with the leg whose credentials have this seed.
    fn at(address: &'static str, place: Place, seed: u8, now: Instant) -> Self {
        Self::with(address, place, credentials(seed), Role::Controlling, now)
    }

    fn with(
        address: &'static str,
        place: Place,
        remote: Credentials,
        role: Role,
        now: Instant,
    ) -> Self {
        let mut ice = Ice::new(super::address(address), [7; 32], now);
        let agreement = Agreement {
            local: theirs(),
            remote,
            role,
            candidates: vec!["1 1 udp 2130706431 192.0.2.100 4000 typ host".to_owned()],
        };
        ice.start(agreement, now);
        Self {
            ice,
            address,
            place,
            component: Component::Rtp,
            path: None,
            handshake: None,
        }
    }

    /// Sends what is due and hears what comes back; what became of what it sent.
    fn exchange(&mut self, rig: &mut Rig) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        self.ice.handle_timeout(rig.now);
        while let Some(check) = self.ice.poll_transmit(rig.now) {
            verdicts.push(rig.arrives(self.place, self.component, self.address, &check.bytes));
            while let Some(answer) = rig.relay.poll_output() {
                if (20..64).contains(&answer.bytes[0]) {
                    self.handshake = Some(answer);
                    continue;
                }
                assert_eq!(answer.to, address(self.address), "to nobody else");
                assert_eq!(
                    (answer.from, answer.component),
                    (self.place, self.component)
                );
                let relay = address("192.0.2.100:4000");
                let taken = self.ice.handle_datagram(&answer.bytes, relay, rig.now);
                assert_eq!(taken, Incoming::Taken);
            }
        }
        while let Some(event) = self.ice.poll_event() {
            if let IceEvent::Path { remote, .. } = event {
                self.path = Some(remote);
            }
        }
        verdicts
    }

    /// Checks until the relay begins a handshake.
    pub(super) fn go_on_until_dtls(&mut self, rig: &mut Rig) -> Outgoing {
        self.exchange(rig);
        assert_eq!(self.handshake, None, "a check is no nomination");
        self.go_on_for(rig, 1_000);
        self.handshake.take().unwrap()
    }

    fn go_on_for(&mut self, rig: &mut Rig, milliseconds: u64) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for _ in 0..milliseconds / 10 {
            verdicts.extend(self.exchange(rig));
            rig.passes(10);
        }
        verdicts
    }
}

/// A call whose caller does ICE with credentials 1 at this place.
pub(super) fn call(place: Place) -> (Rig, [LegId; 2], Party) {
    let mut rig = Rig::new();
    let legs = add_call(&mut rig, place, 1);
    let party = Party::at(TRANSLATED, place, 1, rig.now);
    (rig, legs, party)
}

fn add_call(rig: &mut Rig, place: Place, seed: u8) -> [LegId; 2] {
    let legs = rig.offered([place, SHARED]);
    rig.relay.set_ice(legs[0], Some(agent(seed))).unwrap();
    let private = Peer {
        rtcp: RtcpAddress::Multiplexed,
        ..Peer::at(address(PRIVATE), 8_000)
    };
    rig.relay.announce(legs[0], private, rig.now).unwrap();
    let callee = format!("192.0.2.2:{}", 5_000 + u16::from(seed));
    rig.announce(legs[1], &callee).unwrap();
    legs
}

const CALLEE_1: &str = "192.0.2.2:5001";

#[test]
fn a_party_is_where_it_nominates_to_be_and_nowhere_before() {
    for place in [SHARED, own(20_000)] {
        let (mut rig, legs, mut party) = call(place);
        for source in [TRANSLATED, PRIVATE] {
            assert!(matches!(
                rig.rtp_at(place, source, 1, 1),
                Verdict::Drop(DropReason::Unknown | DropReason::WrongSource)
            ));
        }
        party.exchange(&mut rig);
        // Checked, not nominated: heard, but not sent to.
        assert_eq!(rig.rtp_at(place, TRANSLATED, 1, 1), to(SHARED, CALLEE_1));
        assert_eq!(rig.rtp(CALLEE_1, 2, 1), dropped(DropReason::NoTarget));
        party.go_on_for(&mut rig, 1_000);
        assert_eq!(party.path, Some(address("192.0.2.100:4000")));
        assert_eq!(rig.rtp_at(place, TRANSLATED, 1, 2), to(SHARED, CALLEE_1));
        assert_eq!(rig.rtp(CALLEE_1, 2, 2), to(place, TRANSLATED));
        for source in [PRIVATE, STRANGER] {
            assert!(matches!(rig.rtp_at(place, source, 1, 3), Verdict::Drop(_)));
        }
        let stats = rig.relay.stats(legs[0].call, rig.now).unwrap();
        assert_eq!(stats[0][0].source, Some(address(TRANSLATED)));
    }
}

#[test]
fn parties_of_many_calls_at_one_port_that_announce_one_address_are_told_apart() {
    let (mut rig, _, mut first) = call(SHARED);
    add_call(&mut rig, SHARED, 2);
    let mut second = Party::at(ROAMED, SHARED, 2, rig.now);
    first.go_on_for(&mut rig, 500);
    second.go_on_for(&mut rig, 500);
    assert_eq!(rig.rtp(TRANSLATED, 1, 1), to(SHARED, CALLEE_1));
    assert_eq!(rig.rtp(ROAMED, 1, 1), to(SHARED, "192.0.2.2:5002"));
    assert_eq!(rig.rtp(CALLEE_1, 2, 1), to(SHARED, TRANSLATED));
    assert_eq!(rig.rtp("192.0.2.2:5002", 2, 1), to(SHARED, ROAMED));
}

#[test]
fn forged_checks_are_not_answered_and_move_nothing() {
    let (mut rig, legs, mut party) = call(SHARED);
    party.go_on_for(&mut rig, 500);
    let wrong_password = Credentials {
        password: Secret::new("a-password-that-is-not-it".to_owned()),
        ..credentials(1)
    };
    let answered = rig.relay.counts().checks_answered;
    for (remote, reason) in [
        (wrong_password, DropReason::NotAuthentic),
        (credentials(7), DropReason::Unknown),
    ] {
        let mut forger = Party::with(STRANGER, SHARED, remote, Role::Controlling, rig.now);
        let verdicts = forger.go_on_for(&mut rig, 500);
        assert!(!verdicts.is_empty());
        assert!(verdicts.iter().all(|verdict| *verdict == dropped(reason)));
        assert_eq!(forger.path, None);
    }
    assert_eq!(rig.relay.counts().checks_answered, answered);
    assert_eq!(rig.rtp(STRANGER, 1, 1), dropped(DropReason::Unknown));
    assert_eq!(rig.rtp(CALLEE_1, 2, 1), to(SHARED, TRANSLATED));
    let stats = rig.relay.stats(legs[0].call, rig.now).unwrap();
    assert!(stats[0][0].datagrams_dropped > 0);
}

#[test]
fn a_genuine_check_at_another_legs_ports_is_none() {
    let (mut rig, _, _) = call(own(20_000));
    let mut lost = Party::at(TRANSLATED, SHARED, 1, rig.now);
    let verdicts = lost.go_on_for(&mut rig, 300);
    let reason = dropped(DropReason::NotAuthentic);
    assert!(!verdicts.is_empty() && verdicts.iter().all(|verdict| *verdict == reason));
}

#[test]
fn a_later_nomination_moves_the_party() {
    let (mut rig, _, mut party) = call(SHARED);
    party.go_on_for(&mut rig, 500);
    let mut roamed = Party::at(ROAMED, SHARED, 1, rig.now);
    roamed.go_on_for(&mut rig, 500);
    assert_eq!(rig.rtp(CALLEE_1, 2, 1), to(SHARED, ROAMED));
    assert_eq!(rig.rtp(ROAMED, 1, 1), to(SHARED, CALLEE_1));
    assert_eq!(rig.rtp(TRANSLATED, 1, 2), dropped(DropReason::Unknown));
}

#[test]
fn a_party_that_believes_to_be_controlled_learns_better_and_is_heard() {
    let (mut rig, ..) = call(SHARED);
    let remote = credentials(1);
    let mut party = Party::with(TRANSLATED, SHARED, remote, Role::Controlled, rig.now);
    party.go_on_for(&mut rig, 2_000);
    assert_eq!(rig.rtp(TRANSLATED, 1, 1), to(SHARED, CALLEE_1));
    assert_eq!(rig.rtp(CALLEE_1, 2, 1), to(SHARED, TRANSLATED));
}

#[test]
fn who_is_not_heard_for_half_a_minute_is_sent_nothing_until_it_asks_again() {
    let (mut rig, legs, mut party) = call(SHARED);
    party.go_on_for(&mut rig, 500);
    let silent_for = |rig: &Rig| {
        let stats = rig.relay.stats(legs[0].call, rig.now).unwrap();
        stats[0][0].silent_for.unwrap()
    };
    // Checks alone keep a party that listens only.
    party.go_on_for(&mut rig, 60_000);
    assert!(silent_for(&rig) < Duration::from_secs(10));
    assert_eq!(rig.rtp(CALLEE_1, 2, 1), to(SHARED, TRANSLATED));
    rig.passes(31_000);
    assert!(silent_for(&rig) > Duration::from_secs(30));
    assert_eq!(rig.rtp(CALLEE_1, 2, 2), dropped(DropReason::NoTarget));
    assert_eq!(rig.rtp(TRANSLATED, 1, 1), to(SHARED, CALLEE_1));
    assert_eq!(rig.rtp(CALLEE_1, 2, 3), to(SHARED, TRANSLATED));
    rig.passes(31_000);
    let mut again = Party::at(TRANSLATED, SHARED, 1, rig.now);
    again.exchange(&mut rig);
    assert_eq!(rig.rtp(CALLEE_1, 2, 4), to(SHARED, TRANSLATED));
}

#[test]
fn who_announces_anothers_address_does_not_get_what_comes_from_there() {
    let mut rig = Rig::new();
    let squatter = rig.offered([SHARED; 2]);
    rig.announce(squatter[0], TRANSLATED).unwrap();
    rig.announce(squatter[1], STRANGER).unwrap();
    let legs = add_call(&mut rig, SHARED, 1);
    let mut party = Party::at(TRANSLATED, SHARED, 1, rig.now);
    party.go_on_for(&mut rig, 500);
    assert_eq!(rig.rtp(TRANSLATED, 1, 1), to(SHARED, CALLEE_1));
    // Nor by an SSRC, later.
    rig.announce_ssrc(squatter[0], TRANSLATED, 1).unwrap();
    assert_eq!(rig.rtp(TRANSLATED, 1, 2), to(SHARED, CALLEE_1));
    rig.relay.end_call(squatter[0].call).unwrap();
    assert_eq!(rig.rtp(TRANSLATED, 1, 3), to(SHARED, CALLEE_1));
    rig.relay.end_call(legs[0].call).unwrap();
    assert_eq!(rig.relay.keys.len(), 0, "nothing is left of either");
}

#[test]
fn a_restart_goes_on_by_the_old_pair_until_the_new_one_is_nominated() {
    let (mut rig, legs, mut party) = call(SHARED);
    party.go_on_for(&mut rig, 500);
    rig.relay.set_ice(legs[0], Some(agent(3))).unwrap();
    assert_eq!(rig.rtp(TRANSLATED, 1, 1), to(SHARED, CALLEE_1));
    let verdicts = party.go_on_for(&mut rig, 6_000);
    let unknown = dropped(DropReason::Unknown);
    assert!(verdicts.contains(&unknown), "old credentials");
    let mut restarted = Party::at(ROAMED, SHARED, 3, rig.now);
    restarted.go_on_for(&mut rig, 500);
    assert_eq!(rig.rtp(CALLEE_1, 2, 1), to(SHARED, ROAMED));
}

#[test]
fn a_party_that_gives_ice_up_is_where_it_announces_to_be() {
    let (mut rig, legs, mut party) = call(SHARED);
    party.go_on_for(&mut rig, 500);
    rig.relay.set_ice(legs[0], None).unwrap();
    rig.announce(legs[0], CALLER).unwrap();
    assert_eq!(rig.rtp(TRANSLATED, 1, 1), dropped(DropReason::Unknown));
    assert_eq!(rig.rtp(CALLER, 1, 2), to(SHARED, CALLEE_1));
    assert_eq!(rig.rtp(CALLEE_1, 2, 1), to(SHARED, CALLER));
    let verdicts = party.go_on_for(&mut rig, 6_000);
    assert!(verdicts.contains(&dropped(DropReason::Unknown)));
}

#[test]
fn a_fragment_is_one_legs_alone() {
    let (mut rig, legs, _) = call(SHARED);
    let taken = rig.relay.set_ice(legs[1], Some(agent(1)));
    assert_eq!(taken, Err(RelayError::FragmentTaken));
    rig.relay.set_ice(legs[0], Some(agent(1))).unwrap();
    rig.relay.end_call(legs[0].call).unwrap();
    let next = rig.offered([SHARED; 2]);
    rig.relay.set_ice(next[1], Some(agent(1))).unwrap();
}

#[test]
fn reports_go_by_the_nominated_pair() {
    let (mut rig, _, mut party) = call(SHARED);
    party.go_on_for(&mut rig, 500);
    rig.rtp(TRANSLATED, 1, 1);
    let report = loop {
        rig.passes(100);
        rig.relay.handle_timeout(rig.now);
        if let Some(out) = rig.relay.poll_output()
            && out.to == address(TRANSLATED)
        {
            break out;
        }
    };
    assert_eq!(report.component, Component::Rtp);
    assert!(crate::rtcp::parse(&report.bytes).is_ok());
    assert_eq!(
        rig.arrives(SHARED, Component::Rtp, TRANSLATED, &report.bytes),
        Verdict::Read
    );
    assert_eq!(
        rig.arrives(SHARED, Component::Rtcp, STRANGER, &report.bytes),
        dropped(DropReason::Unknown)
    );
}

#[test]
fn reports_apart_have_a_pair_of_their_own_and_are_nobody_elses() {
    let place = own(20_000);
    let (mut rig, legs, mut party) = call(place);
    rig.announce(legs[0], PRIVATE).unwrap();
    let mut reports = Party::at(ROAMED, place, 1, rig.now);
    reports.component = Component::Rtcp;
    reports.exchange(&mut rig);
    let media = rig.rtp_at(place, ROAMED, 1, 1);
    assert_eq!(media, dropped(DropReason::WrongSource));
    party.go_on_for(&mut rig, 500);
    reports.go_on_for(&mut rig, 500);
    rig.rtp_at(place, TRANSLATED, 1, 1);
    let report = loop {
        rig.passes(100);
        rig.relay.handle_timeout(rig.now);
        if let Some(out) = rig.relay.poll_output()
            && out.from == place
        {
            break out;
        }
    };
    assert_eq!(
        (report.component, report.to),
        (Component::Rtcp, address(ROAMED))
    );
    let rtcp = |rig: &mut Rig, source| rig.arrives(place, Component::Rtcp, source, &report.bytes);
    assert_eq!(rtcp(&mut rig, ROAMED), Verdict::Read);
    assert_eq!(rtcp(&mut rig, STRANGER), dropped(DropReason::WrongSource));
    assert_eq!(rtcp(&mut rig, PRIVATE), dropped(DropReason::WrongSource));
    // The pair for reports is none for media.
    let media = rig.rtp_at(place, ROAMED, 1, 2);
    assert_eq!(media, dropped(DropReason::WrongSource));
}
