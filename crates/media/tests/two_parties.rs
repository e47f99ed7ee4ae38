//! Two sessions in simulated time over a network that loses, delays, reorders and duplicates.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]
#![expect(
    clippy::disallowed_methods,
    reason = "simulated time starts at some instant"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::tone::{Tone, share_at};
use media::{
    Codec, Digit, Direction, EventFormat, FRAME_DURATION, MediaParameters, MediaSecurity,
    MediaStats, OpusConfig, ReceiveFormat, SAMPLE_RATE_HZ, SILENCE, SendFormat, Session,
    SessionConfig, SessionEvent,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const ALICE: &str = "192.0.2.1:4000";
const BOB: &str = "192.0.2.2:5000";

/// What the network does to each datagram.
#[derive(Clone, Copy, Default)]
struct Network {
    loss_percent: u32,
    duplicate_percent: u32,
    delay_ms: u32,
    jitter_ms: u32,
}

struct Party {
    session: Session,
    rtp: SocketAddr,
    /// Where its datagrams seem to come from.
    seen_as: SocketAddr,
    tone: Tone,
    heard: Vec<i16>,
    events: Vec<SessionEvent>,
}

struct InFlight {
    receiver: usize,
    source: SocketAddr,
    target: SocketAddr,
    bytes: Vec<u8>,
}

struct World {
    now: Instant,
    network: Network,
    random: ChaCha8Rng,
    /// By arrival and order of sending.
    in_flight: BTreeMap<(Instant, u64), InFlight>,
    sent: u64,
    parties: [Party; 2],
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn rtcp_of(rtp: SocketAddr) -> SocketAddr {
    SocketAddr::new(rtp.ip(), rtp.port() + 1)
}

fn parameters(codec: Codec, remote: SocketAddr) -> MediaParameters {
    let event = EventFormat {
        payload_type: 101,
        clock_rate_hz: codec.clock_rate_hz(),
    };
    MediaParameters {
        remote_rtp: remote,
        remote_rtcp: rtcp_of(remote),
        send: SendFormat {
            payload_type: 96,
            codec,
            peer_uses_fec: true,
            max_bitrate: None,
        },
        send_redundancy: None,
        receive_redundancy: None,
        receive: vec![ReceiveFormat {
            payload_type: 96,
            codec,
        }],
        direction: Direction::SendRecv,
        send_event: Some(event),
        receive_events: vec![event],
        rtcp_mux: false,
        security: MediaSecurity::Plain,
    }
}

impl Party {
    fn new(seed: u8, rtp: &str, frequency_hz: f64, now: Instant) -> Self {
        let config = SessionConfig {
            opus: OpusConfig {
                complexity: 0,
                ..OpusConfig::default()
            },
            jitter: media::JitterConfig::default(),
            seed: [seed; 32],
            since_unix_epoch: Duration::from_secs(1_800_000_000),
            identity: None,
        };
        Self {
            session: Session::new(config, now),
            rtp: address(rtp),
            seen_as: address(rtp),
            tone: Tone::new(frequency_hz, SAMPLE_RATE_HZ, 0.4),
            heard: Vec::new(),
            events: Vec::new(),
        }
    }

    /// How much of what was heard in the last `seconds` is the tone.
    fn share(&self, frequency_hz: f64, seconds: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive number"
        )]
        let samples = (seconds * f64::from(SAMPLE_RATE_HZ)) as usize;
        share_at(
            &self.heard[self.heard.len() - samples..],
            frequency_hz,
            SAMPLE_RATE_HZ,
        )
    }
}

impl World {
    fn new(network: Network, codec: Codec) -> Self {
        let mut world = Self::idle(network);
        world.parties[0]
            .session
            .set_parameters(parameters(codec, address(BOB)), world.now)
            .unwrap();
        world.parties[1]
            .session
            .set_parameters(parameters(codec, address(ALICE)), world.now)
            .unwrap();
        world
    }

    fn idle(network: Network) -> Self {
        let now = Instant::now();
        let parties = [
            Party::new(1, ALICE, 400.0, now),
            Party::new(2, BOB, 700.0, now),
        ];
        Self {
            now,
            network,
            random: ChaCha8Rng::seed_from_u64(7),
            in_flight: BTreeMap::new(),
            sent: 0,
            parties,
        }
    }

    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            self.deliver();
            for n in 0..2 {
                self.tick(n);
            }
            self.now += FRAME_DURATION;
        }
    }

    fn tick(&mut self, n: usize) {
        let now = self.now;
        let party = &mut self.parties[n];
        let (rtp_source, rtcp_source) = (party.seen_as, rtcp_of(party.seen_as));
        let mut frame = SILENCE;
        party.session.play(&mut frame, now);
        party.heard.extend(frame);
        party.tone.fill(&mut frame);
        let audio = party
            .session
            .capture(&frame)
            .map(|transmit| (transmit.target, transmit.bytes.to_vec()));
        let report = party
            .session
            .poll_rtcp(now)
            .map(|transmit| (transmit.target, transmit.bytes.to_vec()));
        while let Some(event) = party.session.poll_event() {
            party.events.push(event);
        }
        for (source, datagram) in [(rtp_source, audio), (rtcp_source, report)] {
            if let Some((target, bytes)) = datagram {
                self.send(source, target, &bytes);
            }
        }
    }

    fn send(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8]) {
        let Some(receiver) = self
            .parties
            .iter()
            .position(|party| target.ip() == party.seen_as.ip())
        else {
            return;
        };
        let copies = match self.random.next_u32() % 100 {
            n if n < self.network.loss_percent => 0,
            n if n >= 100 - self.network.duplicate_percent => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let jitter = if self.network.jitter_ms == 0 {
                0
            } else {
                self.random.next_u32() % self.network.jitter_ms
            };
            let arrival =
                self.now + Duration::from_millis(u64::from(self.network.delay_ms + jitter));
            self.sent += 1;
            self.in_flight.insert(
                (arrival, self.sent),
                InFlight {
                    receiver,
                    source,
                    target,
                    bytes: bytes.to_vec(),
                },
            );
        }
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.in_flight.first_entry() {
            let (arrival, _) = *entry.key();
            if arrival > self.now {
                return;
            }
            let InFlight {
                receiver,
                source,
                target,
                bytes,
            } = entry.remove();
            let party = &mut self.parties[receiver];
            if target == party.seen_as || target == party.rtp {
                party.session.handle_rtp(&bytes, source, arrival);
            } else {
                party.session.handle_rtcp(&bytes, source, arrival);
            }
        }
    }

    fn stats(&self) -> [MediaStats; 2] {
        [0, 1].map(|n| self.parties[n].session.stats())
    }
}

#[test]
fn both_hear_each_other_in_every_codec() {
    for codec in Codec::ALL {
        let mut world = World::new(
            Network {
                delay_ms: 30,
                ..Network::default()
            },
            codec,
        );
        world.run(Duration::from_secs(5));
        assert!(
            world.parties[0].share(700.0, 2.0) > 0.98,
            "{codec:?}: alice hears bob"
        );
        assert!(
            world.parties[1].share(400.0, 2.0) > 0.98,
            "{codec:?}: bob hears alice"
        );
        for stats in world.stats() {
            assert_eq!(
                (
                    stats.packets_sent,
                    stats.packets_lost,
                    stats.datagrams_dropped
                ),
                (250, 0, 0)
            );
            assert_eq!(
                (stats.send_codec, stats.receive_codec),
                (Some(codec), Some(codec))
            );
            assert!((248..=250).contains(&stats.packets_received));
            assert_eq!(stats.received.concealed_ms, 0.0);
        }
    }
}

#[test]
fn reports_measure_the_round_trip_and_loss_that_the_other_side_sees() {
    let network = Network {
        delay_ms: 60,
        loss_percent: 10,
        ..Network::default()
    };
    let mut world = World::new(network, Codec::Pcmu);
    world.run(Duration::from_secs(60));
    for stats in world.stats() {
        let round_trip = stats.round_trip.expect("reports were exchanged");
        // The simulated step is 20 ms.
        assert!(
            round_trip >= Duration::from_millis(110) && round_trip <= Duration::from_millis(170),
            "{round_trip:?}"
        );
        assert!(
            (200..=400).contains(&stats.remote_packets_lost.unwrap()),
            "{:?}",
            stats.remote_packets_lost
        );
        assert!(
            (7.0..13.0).contains(&stats.loss_percent()),
            "{}",
            stats.loss_percent()
        );
    }
}

#[test]
fn whole_copies_replace_nearly_every_lost_packet() {
    for codec in [Codec::Opus, Codec::Pcma] {
        let network = Network {
            loss_percent: 10,
            delay_ms: 40,
            ..Network::default()
        };
        let mut world = World::new(network, codec);
        let now = world.now;
        for (party, peer) in world.parties.iter_mut().zip([BOB, ALICE]) {
            let with_copies = MediaParameters {
                send_redundancy: Some(63),
                receive_redundancy: Some(63),
                ..parameters(codec, address(peer))
            };
            party.session.set_parameters(with_copies, now).unwrap();
        }
        world.run(Duration::from_secs(60));
        for stats in world.stats() {
            let (recovered, lost) = (stats.received.recovered, stats.packets_lost);
            assert!(
                lost > 200 && recovered * 100 >= lost * 90,
                "{codec:?}: {recovered} of {lost}"
            );
        }
    }
}

#[test]
fn a_bad_network_is_survived_with_redundancy_once_loss_is_reported() {
    let network = Network {
        loss_percent: 10,
        duplicate_percent: 5,
        delay_ms: 40,
        jitter_ms: 50,
    };
    let mut world = World::new(network, Codec::Opus);
    world.run(Duration::from_secs(60));
    for (n, stats) in world.stats().iter().enumerate() {
        // Bob's tone passes for voice in libopus, which adds copies to nothing else.
        let least = [100, 0][n];
        assert!(
            stats.received.recovered >= least,
            "{} recovered of {}",
            stats.received.recovered,
            stats.packets_lost
        );
        assert!(stats.packets_duplicate > 0);
        assert!(stats.playout.target_delay_ms < 120.0);
        let silent = world.parties[n].heard[96_000..]
            .chunks(960)
            .filter(|frame| frame.iter().all(|&s| s == 0))
            .count();
        assert_eq!(silent, 0, "nothing of the bad network is a hole");
    }
}

#[test]
fn digits_go_as_tones_to_a_peer_without_events_and_are_recognised_even_while_muted() {
    for codec in [Codec::Pcmu, Codec::Opus] {
        let mut world = World::idle(Network::default());
        for (at, remote) in [(0, BOB), (1, ALICE)] {
            let without = MediaParameters {
                send_event: None,
                receive_events: Vec::new(),
                ..parameters(codec, address(remote))
            };
            let session = &mut world.parties[at].session;
            session.set_parameters(without, world.now).unwrap();
        }
        world.run(Duration::from_secs(1));
        for (label, microphone) in "159D*0".chars().zip(
            [media::Microphone::Live, media::Microphone::Muted]
                .into_iter()
                .cycle(),
        ) {
            let session = &mut world.parties[0].session;
            session.set_microphone(microphone);
            session
                .send_digit(Digit::from_char(label).unwrap())
                .unwrap();
            world.run(Duration::from_millis(300));
        }
        let digits: String = world.parties[1]
            .events
            .iter()
            .filter_map(|event| match event {
                SessionEvent::Digit(digit) => Some(digit.as_char()),
                _ => None,
            })
            .collect();
        assert_eq!(digits, "159D*0", "{codec:?}");
    }
}

#[test]
fn two_hundred_digits_arrive_through_loss_while_both_talk() {
    let network = Network {
        loss_percent: 10,
        duplicate_percent: 5,
        delay_ms: 20,
        jitter_ms: 30,
    };
    let mut world = World::new(network, Codec::Pcma);
    let labels = "0123456789*#ABCD";
    let typed: String = (0..200)
        .map(|n| labels.as_bytes()[n * 7 % 16] as char)
        .collect();
    let mut waiting = typed.chars().peekable();
    while waiting.peek().is_some() {
        if let Some(digit) = waiting.peek().copied().and_then(Digit::from_char)
            && world.parties[0].session.send_digit(digit).is_ok()
        {
            waiting.next();
            continue;
        }
        world.run(FRAME_DURATION);
    }
    world.run(Duration::from_secs(20));
    let heard: String = world.parties[1]
        .events
        .iter()
        .filter_map(|event| {
            if let SessionEvent::Digit(digit) = event {
                Some(digit.as_char())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(heard, typed);
}

#[test]
fn hold_stops_packets_and_resume_brings_the_sound_back() {
    let mut world = World::new(Network::default(), Codec::Opus);
    world.run(Duration::from_secs(2));
    let before = world.stats();
    // Alice holds: she only sends, bob only receives; then both do nothing.
    for (party, remote) in [(0, BOB), (1, ALICE)] {
        let held = MediaParameters {
            direction: Direction::Inactive,
            ..parameters(Codec::Opus, address(remote))
        };
        world.parties[party]
            .session
            .set_parameters(held, world.now)
            .unwrap();
    }
    world.run(Duration::from_secs(30));
    let held = world.stats();
    for n in 0..2 {
        assert_eq!(held[n].packets_sent, before[n].packets_sent);
        assert_eq!(
            world.parties[n].heard.last_chunk::<9_600>(),
            Some(&[0; 9_600])
        );
    }
    world.parties[0]
        .session
        .set_parameters(parameters(Codec::Opus, address(BOB)), world.now)
        .unwrap();
    world.parties[1]
        .session
        .set_parameters(parameters(Codec::Opus, address(ALICE)), world.now)
        .unwrap();
    world.run(Duration::from_secs(2));
    assert!(world.parties[0].share(700.0, 1.0) > 0.98);
    assert!(world.parties[1].share(400.0, 1.0) > 0.98);
    for stats in world.stats() {
        assert_eq!(stats.packets_lost, 0, "a pause is not loss");
    }
}

#[test]
fn the_codec_may_change_in_a_call() {
    let mut world = World::new(Network::default(), Codec::Pcmu);
    world.run(Duration::from_secs(1));
    for (party, remote) in [(0, BOB), (1, ALICE)] {
        let mut changed = parameters(Codec::Opus, address(remote));
        changed.send.payload_type = 111;
        changed.receive.push(ReceiveFormat {
            payload_type: 111,
            codec: Codec::Opus,
        });
        changed.receive[0].codec = Codec::Pcmu;
        world.parties[party]
            .session
            .set_parameters(changed, world.now)
            .unwrap();
    }
    world.run(Duration::from_secs(2));
    for (n, stats) in world.stats().iter().enumerate() {
        assert_eq!(stats.receive_codec, Some(Codec::Opus));
        assert!(world.parties[n].share([700.0, 400.0][n], 1.0) > 0.98);
    }
}

#[test]
fn a_peer_behind_address_translation_is_found_and_strangers_are_not_heard() {
    let mut world = World::new(Network::default(), Codec::Pcmu);
    // Bob announces a private address; his datagrams come from another.
    let announced = address("10.0.0.5:5000");
    world.parties[0]
        .session
        .set_parameters(parameters(Codec::Pcmu, announced), world.now)
        .unwrap();
    world.run(Duration::from_secs(1));
    assert!(
        world.parties[1].share(400.0, 0.2) > 0.9,
        "bob hears alice once his address is proven"
    );
    assert!(
        matches!(world.parties[0].events[..], [SessionEvent::Started { source }] if source == address(BOB))
    );
    let before = world.stats()[0].packets_received;
    let stranger = address("203.0.113.9:5000");
    let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9];
    packet.extend([0xff; 160]);
    for n in 0..20 {
        packet[3] = n;
        let now = world.now;
        world.parties[0].session.handle_rtp(&packet, stranger, now);
    }
    assert_eq!(world.stats()[0].packets_received, before);
    assert!(world.stats()[0].datagrams_dropped >= 20);
}

#[test]
fn another_source_at_the_same_address_is_believed_from_its_second_packet() {
    let mut world = World::new(Network::default(), Codec::Pcmu);
    world.run(Duration::from_secs(1));
    let received = world.stats()[0].packets_received;
    // Bob's device restarts: other SSRC, other numbers.
    world.parties[1] = Party {
        tone: Tone::new(900.0, SAMPLE_RATE_HZ, 0.4),
        ..Party::new(9, BOB, 900.0, world.now)
    };
    world.parties[1]
        .session
        .set_parameters(parameters(Codec::Pcmu, address(ALICE)), world.now)
        .unwrap();
    world.run(Duration::from_secs(2));
    assert!(world.parties[0].share(900.0, 1.0) > 0.98);
    let stats = &world.stats()[0];
    assert!(
        stats.packets_received >= received + 97,
        "both sources count"
    );
    assert_eq!(stats.packets_lost, 0);
}

#[test]
fn bye_is_said_and_heard_and_nothing_is_sent_before_there_is_a_peer() {
    let mut world = World::idle(Network::default());
    let now = world.now;
    assert_eq!(world.parties[0].session.capture(&SILENCE), None);
    assert_eq!(world.parties[0].session.leave(now), None);
    let mut world = World::new(Network::default(), Codec::Pcmu);
    world.run(Duration::from_secs(1));
    let now = world.now;
    let bye = world.parties[0].session.leave(now).unwrap();
    assert_eq!(bye.target, rtcp_of(address(BOB)));
    let bytes = bye.bytes.to_vec();
    world.parties[1]
        .session
        .handle_rtcp(&bytes, rtcp_of(address(ALICE)), now);
    assert_eq!(
        world.parties[1].session.poll_event(),
        Some(SessionEvent::RemoteBye)
    );
}

#[test]
fn the_same_seed_gives_the_same_call() {
    let network = Network {
        loss_percent: 10,
        duplicate_percent: 5,
        delay_ms: 20,
        jitter_ms: 30,
    };
    let run = || {
        let mut world = World::new(network, Codec::Opus);
        world.run(Duration::from_secs(5));
        let [alice, bob] = world.parties;
        (alice.heard, bob.heard)
    };
    assert!(run() == run());
}
