//! Two agents and a network that loses, forges or translates what is sent.

use std::collections::VecDeque;

use super::*;
use crate::{Secret, any_instant};

const ALICE: &str = "10.0.0.1:4000";
const BOB: &str = "10.0.0.2:5000";
const STRANGER: &str = "203.0.113.9:4000";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ice(host: &str, seed: u8, now: Instant) -> Ice {
    let mut ice = Ice::new(address(host), [seed; 32], now);
    ice.ask(IceServers::default(), now);
    ice
}

struct World {
    parties: [Ice; 2],
    addresses: [SocketAddr; 2],
    wire: VecDeque<(usize, Vec<u8>)>,
    now: Instant,
    /// What arrives, by the number of its receiver.
    passes: fn(usize) -> bool,
}

impl World {
    fn new() -> Self {
        let now = any_instant();
        Self {
            parties: [ice(ALICE, 1, now), ice(BOB, 2, now)],
            addresses: [address(ALICE), address(BOB)],
            wire: VecDeque::new(),
            now,
            passes: |_| true,
        }
    }

    fn agreement(&self, of: usize, role: Role) -> Agreement {
        Agreement {
            local: self.parties[of].credentials().clone(),
            remote: self.parties[1 - of].credentials().clone(),
            role,
            candidates: self.parties[1 - of].candidates(),
        }
    }

    fn start(&mut self) {
        let agreements = [
            self.agreement(0, Role::Controlling),
            self.agreement(1, Role::Controlled),
        ];
        for (party, agreement) in self.parties.iter_mut().zip(agreements) {
            party.start(agreement, self.now);
        }
    }

    fn connected() -> Self {
        let mut world = Self::new();
        world.start();
        world.run(Duration::from_millis(500));
        assert_eq!(world.parties[0].remote(), Some(address(BOB)));
        assert_eq!(world.parties[1].remote(), Some(address(ALICE)));
        for party in &mut world.parties {
            while party.poll_event().is_some() {}
        }
        world
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            for at in 0..2 {
                while let Some(sent) = self.parties[at].poll_transmit(self.now) {
                    let to = self.addresses.iter().position(|to| *to == sent.target);
                    if let Some(to) = to.filter(|to| (self.passes)(*to)) {
                        self.wire.push_back((to, sent.bytes));
                    }
                }
            }
            if let Some((to, bytes)) = self.wire.pop_front() {
                let from = self.addresses[1 - to];
                self.parties[to].handle_datagram(&bytes, from, self.now);
                continue;
            }
            let next = self.parties.iter_mut().filter_map(Ice::poll_timeout).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = next.max(self.now);
            for party in &mut self.parties {
                if party.poll_timeout().is_some_and(|due| due <= self.now) {
                    party.handle_timeout(self.now);
                    assert!(party.poll_timeout().is_none_or(|later| later > self.now));
                }
            }
        }
        self.now = end;
    }

    fn events(&mut self, of: usize) -> Vec<IceEvent> {
        std::iter::from_fn(|| self.parties[of].poll_event()).collect()
    }

    fn takes_media(&mut self, by: usize, from: SocketAddr) -> bool {
        let rtp = [0x80, 0, 0, 1];
        let incoming = self.parties[by].handle_datagram(&rtp, from, self.now);
        matches!(incoming, Incoming::Media { peer, .. } if peer == from)
    }
}

#[test]
fn two_parties_find_the_pair_with_one_check_each() {
    let mut world = World::new();
    world.start();
    world.run(Duration::from_millis(10));
    for (of, remote) in [(0, BOB), (1, ALICE)] {
        let path = IceEvent::Path {
            remote: address(remote),
            is_relayed: false,
        };
        assert_eq!(world.events(of), [IceEvent::Gathered, path]);
    }
}

#[test]
fn checks_of_a_callee_that_come_before_its_answer_are_answered_after_it() {
    let mut world = World::new();
    let (callee, caller) = (
        world.agreement(1, Role::Controlled),
        world.agreement(0, Role::Controlling),
    );
    world.parties[1].start(callee, world.now);
    world.run(Duration::from_millis(60));
    world.parties[0].start(caller, world.now);
    world.run(Duration::from_millis(60));
    assert_eq!(world.parties[0].remote(), Some(address(BOB)));
    assert_eq!(world.parties[1].remote(), Some(address(ALICE)));
}

#[test]
fn two_controlling_parties_agree_on_one() {
    let mut world = World::new();
    let agreements = [0, 1].map(|of| world.agreement(of, Role::Controlling));
    for (party, agreement) in world.parties.iter_mut().zip(agreements) {
        party.start(agreement, world.now);
    }
    world.run(Duration::from_secs(2));
    assert_eq!(world.parties[0].remote(), Some(address(BOB)));
    assert_eq!(world.parties[1].remote(), Some(address(ALICE)));
}

#[test]
fn media_is_taken_only_from_where_a_check_succeeded() {
    let mut world = World::new();
    world.start();
    assert!(!world.takes_media(0, address(BOB)), "nothing is proven yet");
    world.run(Duration::from_millis(100));
    assert!(world.takes_media(0, address(BOB)));
    assert!(!world.takes_media(0, address(STRANGER)));
}

#[test]
fn forged_stun_changes_nothing_and_is_not_answered() {
    let mut world = World::new();
    let agreement = world.agreement(0, Role::Controlled);
    let remote = Credentials {
        ufrag: agreement.remote.ufrag.clone(),
        password: Secret::new("guessed".repeat(4)),
    };
    world.parties[0].start(agreement.clone(), world.now);
    while world.parties[0].poll_transmit(world.now).is_some() {}
    while world.parties[0].poll_event().is_some() {}
    // A stranger who knows the names, as whoever sees one check does, but no password.
    let mut stranger = ice(STRANGER, 9, world.now);
    let local = Credentials {
        password: Secret::new("guessed".repeat(4)),
        ..agreement.local.clone()
    };
    let forged = Agreement {
        local: remote,
        remote: local,
        role: Role::Controlling,
        candidates: world.parties[0].candidates(),
    };
    stranger.start(forged, world.now);
    let check = stranger.poll_transmit(world.now).unwrap();
    let incoming = world.parties[0].handle_datagram(&check.bytes, address(STRANGER), world.now);
    assert_eq!(incoming, Incoming::Dropped);
    assert_eq!(world.parties[0].poll_transmit(world.now), None);
    assert_eq!(world.parties[0].poll_event(), None);
    assert_eq!(world.parties[0].remote(), None);
    assert!(!world.takes_media(0, address(STRANGER)));
}

#[test]
fn a_real_check_with_one_changed_byte_is_dropped() {
    let mut world = World::new();
    world.start();
    let check = world.parties[0].poll_transmit(world.now).unwrap();
    while world.parties[1].poll_transmit(world.now).is_some() {}
    for at in 0..check.bytes.len() {
        let mut bytes = check.bytes.clone();
        bytes[at] ^= 1;
        let incoming = world.parties[1].handle_datagram(&bytes, address(ALICE), world.now);
        // The fingerprint is no protection, the last eight bytes are nothing else.
        if at < check.bytes.len() - 8 {
            assert_ne!(incoming, Incoming::Taken, "byte {at}");
            assert_eq!(world.parties[1].poll_transmit(world.now), None);
        }
    }
}

#[test]
fn a_peer_that_does_not_answer_any_more_is_sent_nothing_after_half_a_minute() {
    let mut world = World::connected();
    world.run(Duration::from_secs(120));
    assert_eq!(world.events(0), [], "consent is fresh");
    world.passes = |to| to != 1;
    world.run(Duration::from_secs(40));
    // Alice hears Bob's requests but none of his answers.
    world.passes = |_| false;
    world.run(Duration::from_secs(30));
    assert_eq!(world.events(0), [IceEvent::Lost]);
    assert_eq!(world.parties[0].remote(), None);
}

#[test]
fn a_restart_goes_on_with_the_old_path_and_finds_the_new_one() {
    let mut world = World::connected();
    let agreements = [0, 1].map(|of| {
        let role = [Role::Controlling, Role::Controlled][of];
        let fresh = |side: usize| Credentials {
            ufrag: format!("fresh{side}"),
            password: Secret::new(format!("{side}").repeat(24)),
        };
        Agreement {
            local: fresh(of),
            remote: fresh(1 - of),
            ..world.agreement(of, role)
        }
    });
    world.parties[0].start(agreements[0].clone(), world.now);
    assert!(world.takes_media(0, address(BOB)), "the old path goes on");
    assert_eq!(world.parties[0].remote(), Some(address(BOB)));
    world.parties[1].start(agreements[1].clone(), world.now);
    world.run(Duration::from_secs(1));
    for (of, remote) in [(0, BOB), (1, ALICE)] {
        assert_eq!(world.parties[of].remote(), Some(address(remote)));
        assert!(world.takes_media(of, address(remote)));
    }
    world.run(Duration::from_secs(60));
    assert!(!world.events(0).contains(&IceEvent::Lost));
}

#[test]
fn candidates_that_make_no_sense_are_passed_over() {
    let now = any_instant();
    let bad = [
        "",
        "1 1 UDP 1 10.0.0.9",
        "1 1 TCP 2105458943 10.0.0.9 9 typ host tcptype active",
        "1 2 UDP 2130706430 10.0.0.9 5001 typ host",
        "1 1 UDP 2130706431 127.0.0.1 5000 typ host",
        "1 1 UDP 2130706431 224.0.0.1 5000 typ host",
        "1 1 UDP 2130706431 0.0.0.0 5000 typ host",
        "1 1 UDP 2130706431 10.0.0.9 0 typ host",
        "1 1 UDP 2130706431 2001:db8::1 5000 typ host",
        "1 1 UDP 2130706431 0f9e.local 5000 typ host",
    ];
    let many = (0..100).map(|n| format!("1 1 UDP 2130706431 10.0.1.{n} 5000 typ host"));
    for (candidates, targets) in [
        (bad.map(str::to_owned).to_vec(), 0),
        (many.collect(), MAX_REMOTE_CANDIDATES),
    ] {
        let mut party = ice(ALICE, 1, now);
        let agreement = Agreement {
            local: party.credentials().clone(),
            remote: party.credentials().clone(),
            role: Role::Controlling,
            candidates,
        };
        party.start(agreement, now);
        let mut reached = std::collections::HashSet::new();
        let mut at = now;
        for _ in 0..200 {
            at += Duration::from_millis(20);
            party.handle_timeout(at);
            while let Some(check) = party.poll_transmit(at) {
                reached.insert(check.target);
            }
        }
        assert_eq!(reached.len(), targets);
    }
}

#[test]
fn no_password_reaches_the_most_talkative_log() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(std::sync::Arc::new(log.reopen().unwrap()))
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!("this is logged");
        let world = World::connected();
        drop(world);
    });
    let logged = std::fs::read_to_string(log.path()).unwrap();
    assert!(logged.contains("this is logged"));
    let now = any_instant();
    for (host, seed) in [(ALICE, 1), (BOB, 2)] {
        let password = ice(host, seed, now).credentials().password.clone();
        assert!(!logged.contains(password.reveal()), "{logged}");
    }
}

#[test]
fn the_same_seed_gives_the_same_credentials_and_no_password_is_printed() {
    let now = any_instant();
    let [one, same, other] = [1, 1, 2].map(|seed| ice(ALICE, seed, now));
    assert_eq!(one.credentials(), same.credentials());
    assert_ne!(one.credentials(), other.credentials());
    assert_eq!(one.credentials().password.reveal().len(), 24);
    assert_eq!(one.credentials().ufrag.len(), 8);
    let agreement = Agreement {
        local: one.credentials().clone(),
        remote: other.credentials().clone(),
        role: Role::Controlled,
        candidates: Vec::new(),
    };
    let printed = format!("{one:?} {agreement:?}");
    assert!(
        !printed.contains(one.credentials().password.reveal()),
        "{printed}"
    );
}
