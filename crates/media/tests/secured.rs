//! Two sessions over secured media: what is on the wire, who is heard, and what happens when keys change.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]
#![expect(
    clippy::disallowed_methods,
    reason = "simulated time starts at some instant"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::srtp::{DtlsIdentity, SrtpSession};
use media::tone::{Tone, share_at};
use media::{
    Codec, Direction, FRAME_DURATION, KeyExchange, MediaParameters, MediaSecurity, OpusConfig,
    ReceiveFormat, SAMPLE_RATE_HZ, SILENCE, SendFormat, Session, SessionConfig, SessionEvent,
};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use sdp::{DtlsRole, MasterKey, SrtpSuite};

const ALICE: &str = "192.0.2.1:4000";
const BOB: &str = "192.0.2.2:5000";
const STRANGER: &str = "203.0.113.9:4000";
const MARK: u8 = 0xd5;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn key(suite: SrtpSuite, seed: u8) -> MasterKey {
    MasterKey::generate(suite, |bytes| bytes.fill(seed))
}

fn sdes(local: u8, remote: u8) -> MediaSecurity {
    let suite = SrtpSuite::AeadAes128Gcm;
    MediaSecurity::Sdes {
        local: key(suite, local),
        remote: key(suite, remote),
    }
}

fn identity() -> DtlsIdentity {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = CertificateParams::new(Vec::<String>::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    DtlsIdentity::new(certificate.der(), key.serialize_der().into())
}

fn parameters(remote: &str, security: MediaSecurity) -> MediaParameters {
    let remote = address(remote);
    let codec = Codec::Pcma;
    MediaParameters {
        remote_rtp: remote,
        remote_rtcp: remote,
        send: SendFormat {
            payload_type: 8,
            codec,
            peer_uses_fec: false,
            max_bitrate: None,
        },
        send_redundancy: None,
        receive_redundancy: None,
        receive: vec![ReceiveFormat {
            payload_type: 8,
            codec,
        }],
        direction: Direction::SendRecv,
        send_event: None,
        receive_events: vec![],
        rtcp_mux: true,
        security,
    }
}

struct Party {
    session: Session,
    seen_as: SocketAddr,
    tone: Tone,
    heard: Vec<i16>,
    events: Vec<SessionEvent>,
    /// Datagrams that it sent.
    sent: Vec<Vec<u8>>,
}

impl Party {
    fn new(
        seed: u8,
        seen_as: &str,
        frequency_hz: f64,
        identity: DtlsIdentity,
        now: Instant,
    ) -> Self {
        let config = SessionConfig {
            opus: OpusConfig::default(),
            jitter: media::JitterConfig::default(),
            seed: [seed; 32],
            since_unix_epoch: Duration::ZERO,
            identity: Some(identity),
        };
        Self {
            session: Session::new(config, now),
            seen_as: address(seen_as),
            tone: Tone::new(frequency_hz, SAMPLE_RATE_HZ, 0.4),
            heard: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// 10 ms of it: what it sends, and where to.
    fn tick(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut frame = SILENCE;
        self.session.play(&mut frame, now);
        self.heard.extend(frame);
        self.tone.fill(&mut frame);
        let mut out = Vec::new();
        let mut take = |transmit: Option<media::Transmit<'_>>| {
            let taken = transmit.map(|transmit| (transmit.target, transmit.bytes.to_vec()));
            let is_some = taken.is_some();
            out.extend(taken);
            is_some
        };
        take(self.session.capture(&frame));
        take(self.session.poll_rtcp(now));
        while take(self.session.poll_handshake(now)) {}
        while let Some(event) = self.session.poll_event() {
            self.events.push(event);
        }
        self.sent.extend(out.iter().map(|(_, bytes)| bytes.clone()));
        out
    }

    fn hears(&self, frequency_hz: f64) -> bool {
        let second = SAMPLE_RATE_HZ as usize;
        let start = self.heard.len() - second;
        share_at(&self.heard[start..], frequency_hz, SAMPLE_RATE_HZ) > 0.9
    }

    fn secured_by(&self) -> Option<(KeyExchange, SrtpSuite)> {
        self.events.iter().find_map(|event| match event {
            SessionEvent::Secured(secured) => Some((secured.by, secured.suite)),
            _ => None,
        })
    }
}

struct World {
    alice: Party,
    bob: Party,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            alice: Party::new(1, ALICE, 400.0, identity(), now),
            bob: Party::new(2, BOB, 700.0, identity(), now),
            now,
        }
    }

    fn agreed(at_alice: MediaSecurity, at_bob: MediaSecurity) -> Self {
        let mut world = Self::new();
        world.agree(at_alice, at_bob);
        world
    }

    fn agree(&mut self, at_alice: MediaSecurity, at_bob: MediaSecurity) {
        let alice = parameters(BOB, at_alice);
        self.alice.session.set_parameters(alice, self.now).unwrap();
        let bob = parameters(ALICE, at_bob);
        self.bob.session.set_parameters(bob, self.now).unwrap();
    }

    fn run(&mut self, seconds: u32) {
        for _ in 0..seconds * 100 {
            self.now += FRAME_DURATION;
            let from_alice = self.alice.tick(self.now);
            let from_bob = self.bob.tick(self.now);
            for (target, bytes) in from_alice {
                assert_eq!(target, self.bob.seen_as);
                let source = self.alice.seen_as;
                self.bob.session.handle_rtp(&bytes, source, self.now);
            }
            for (target, bytes) in from_bob {
                if target == self.alice.seen_as {
                    let source = self.bob.seen_as;
                    self.alice.session.handle_rtp(&bytes, source, self.now);
                }
            }
        }
    }

    fn is_heard(&self) -> (bool, bool) {
        (self.alice.hears(700.0), self.bob.hears(400.0))
    }
}

/// A plain packet that both would accept if media were plain.
fn plain_packet(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 0, 9, 9, 9, 9]);
    packet.extend([MARK; 160]);
    packet
}

#[test]
fn keys_of_the_description_secure_sound_and_reports_both_ways() {
    let mut world = World::agreed(sdes(1, 2), sdes(2, 1));
    world.run(12);
    assert_eq!(world.is_heard(), (true, true));
    let by = Some((KeyExchange::Sdes, SrtpSuite::AeadAes128Gcm));
    assert_eq!((world.alice.secured_by(), world.bob.secured_by()), (by, by));
    assert!(
        world.alice.session.stats().round_trip.is_some(),
        "reports arrive"
    );
    // All that was on the wire opens with the key and is not what a plain call would send.
    let suite = SrtpSuite::AeadAes128Gcm;
    let mut third = SrtpSession::new(&key(suite, 9), &key(suite, 1));
    for datagram in &mut world.alice.sent {
        let is_report = datagram[1] == 200 || datagram[1] == 201;
        let opened = if is_report {
            third.unprotect_rtcp(datagram)
        } else {
            third.unprotect_rtp(datagram)
        };
        assert!(opened.is_ok(), "{opened:?}");
    }
}

#[test]
fn nothing_plain_is_taken_once_security_was_agreed() {
    let mut world = World::agreed(sdes(1, 2), sdes(2, 1));
    for sequence in 0..100 {
        let packet = plain_packet(sequence);
        world
            .bob
            .session
            .handle_rtp(&packet, address(ALICE), world.now);
    }
    // A plain report with BYE, from the right address.
    let bye = [0x80, 201, 0, 1, 9, 9, 9, 9, 0x81, 203, 0, 1, 9, 9, 9, 9];
    world
        .bob
        .session
        .handle_rtcp(&bye, address(ALICE), world.now);
    let stats = world.bob.session.stats();
    assert_eq!((stats.packets_received, stats.datagrams_dropped), (0, 101));
    world.run(2);
    assert_eq!(
        world.is_heard(),
        (true, true),
        "the forged source did not lock"
    );
    assert!(!world.bob.events.contains(&SessionEvent::RemoteBye));
}

#[test]
fn an_authentic_source_is_followed_to_another_address_and_a_forger_is_not() {
    let mut world = World::agreed(sdes(1, 2), sdes(2, 1));
    world.alice.seen_as = address("198.51.100.7:61000");
    world.run(2);
    assert_eq!(world.is_heard(), (true, true), "behind address translation");
    world.alice.seen_as = address("198.51.100.7:61001");
    world.run(2);
    assert_eq!(world.is_heard(), (true, true), "the translation changed");
    for _ in 0..10 {
        let repeated: Vec<_> = world.alice.sent.iter().rev().take(20).cloned().collect();
        for datagram in repeated {
            world
                .bob
                .session
                .handle_rtp(&datagram, address(STRANGER), world.now);
        }
        world.run(1);
        assert_eq!(
            world.is_heard(),
            (true, true),
            "repeated packets move nothing"
        );
    }
}

#[test]
fn new_keys_take_the_place_of_old_ones_within_a_call() {
    let mut world = World::agreed(sdes(1, 2), sdes(2, 1));
    world.run(2);
    world.agree(sdes(1, 2), sdes(2, 1));
    world.run(2);
    assert_eq!(world.is_heard(), (true, true), "the same keys");
    let lost = world.bob.session.stats().packets_lost;
    world.agree(sdes(3, 4), sdes(4, 3));
    world.run(2);
    assert_eq!(world.is_heard(), (true, true), "new keys");
    assert!(world.bob.session.stats().packets_lost <= lost + 1);
    let by_stranger = sdes(5, 4);
    world.agree(by_stranger, sdes(4, 3));
    world.run(2);
    assert_eq!(
        world.is_heard(),
        (true, false),
        "the wrong key is heard by nobody"
    );
}

#[test]
fn a_handshake_on_the_port_of_the_sound_secures_it() {
    let mut world = World::new();
    let (alice, bob) = (identity(), identity());
    let now = world.now;
    let dtls = |role, of: &DtlsIdentity| MediaSecurity::Dtls {
        role,
        fingerprints: vec![of.fingerprint()],
    };
    world.alice = Party::new(1, ALICE, 400.0, alice.clone(), now);
    world.bob = Party::new(2, BOB, 700.0, bob.clone(), now);
    let at_alice = dtls(DtlsRole::Client, &bob);
    let at_bob = dtls(DtlsRole::Server, &alice);
    // The one who begins knows the other before it is known.
    let early = parameters(BOB, at_alice.clone());
    world.alice.session.set_parameters(early, now).unwrap();
    for _ in 0..5 {
        world.now += FRAME_DURATION;
        world.alice.tick(world.now);
    }
    let sent = std::mem::take(&mut world.alice.sent);
    assert!(
        sent.iter().all(|bytes| (20..64).contains(&bytes[0])),
        "no sound yet"
    );
    assert!(!sent.is_empty());
    world.agree(at_alice.clone(), at_bob.clone());
    world.run(3);
    assert_eq!(world.is_heard(), (true, true));
    let by = Some((KeyExchange::Dtls, SrtpSuite::AeadAes256Gcm));
    assert_eq!((world.alice.secured_by(), world.bob.secured_by()), (by, by));
    // Hold and resume: the handshake stands.
    world.agree(at_alice, at_bob);
    world.run(2);
    assert_eq!(world.is_heard(), (true, true));
}

#[test]
fn a_handshake_with_somebody_else_leaves_silence_and_says_so() {
    let mut world = World::new();
    let dtls = |role| MediaSecurity::Dtls {
        role,
        fingerprints: vec![identity().fingerprint()],
    };
    world.agree(dtls(DtlsRole::Client), dtls(DtlsRole::Server));
    world.run(3);
    for party in [&world.alice, &world.bob] {
        assert!(party.sent.iter().all(|bytes| (20..64).contains(&bytes[0])));
        assert!(party.heard.iter().all(|&sample| sample == 0));
    }
    let told = |event: &SessionEvent| matches!(event, SessionEvent::NotSecured(_));
    assert!(world.alice.events.iter().any(told));
}

#[test]
fn a_handshake_is_answered_only_where_the_peer_was_announced() {
    let mut world = World::new();
    let (alice, bob) = (identity(), identity());
    let now = world.now;
    world.alice = Party::new(1, ALICE, 400.0, alice.clone(), now);
    world.bob = Party::new(2, BOB, 700.0, bob.clone(), now);
    let dtls = |role, of: &DtlsIdentity| MediaSecurity::Dtls {
        role,
        fingerprints: vec![of.fingerprint()],
    };
    world.agree(dtls(DtlsRole::Client, &bob), dtls(DtlsRole::Server, &alice));
    let hello = world.alice.tick(world.now).remove(0).1;
    world
        .bob
        .session
        .handle_rtp(&hello, address(STRANGER), world.now);
    assert!(world.bob.tick(world.now).is_empty());
    assert_eq!(world.bob.session.stats().datagrams_dropped, 1);
}
