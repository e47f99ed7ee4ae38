//! Two sessions over a network that loses, delays, reorders and duplicates. Time passes in steps of 10 ms.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use media::srtp::DtlsIdentity;
use media::tone::{Tone, share_at};
use media::{
    Codec, Digit, Direction, EventFormat, FRAME_DURATION, JitterConfig, MediaParameters,
    MediaSecurity, MediaStats, OpusConfig, ReceiveFormat, SAMPLE_RATE_HZ, SILENCE, SendFormat,
    Session, SessionConfig, SessionEvent, Transmit,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};

/// Party 0; its microphone gives [`TONES`]`[0]`.
pub(crate) const ALICE: &str = "192.0.2.1:4000";
/// Party 1; its microphone gives [`TONES`]`[1]`.
pub(crate) const BOB: &str = "192.0.2.2:5000";
pub(crate) const STRANGER: &str = "203.0.113.9:4000";
/// What each party says, in Hz.
pub(crate) const TONES: [f64; 2] = [400.0, 700.0];
/// The payload type of the codec in [`parameters`].
pub(crate) const PAYLOAD_TYPE: u8 = 96;
/// The payload type of digits in [`parameters`].
pub(crate) const EVENT_PAYLOAD_TYPE: u8 = 101;

/// Time that a datagram may wait where the path is narrow.
pub(crate) const QUEUE: Duration = Duration::from_millis(400);

/// What the network does to each datagram.
#[derive(Clone, Copy)]
pub(crate) struct Network {
    pub(crate) loss_percent: u32,
    pub(crate) duplicate_percent: u32,
    pub(crate) delay_ms: u32,
    pub(crate) jitter_ms: u32,
    /// What each direction carries, with 28 bytes of headers in front of a datagram. What would wait for
    /// more than [`QUEUE`] is lost.
    pub(crate) kbit_per_second: Option<u32>,
    /// Whether the n-th RTP packet of a party is lost as well.
    pub(crate) is_lost: fn(sender: usize, number: u64) -> bool,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            loss_percent: 0,
            duplicate_percent: 0,
            delay_ms: 0,
            jitter_ms: 0,
            kbit_per_second: None,
            is_lost: |_, _| false,
        }
    }
}

pub(crate) struct Party {
    pub(crate) session: Session,
    pub(crate) identity: DtlsIdentity,
    /// Where its datagrams seem to come from, and what reaches it.
    pub(crate) seen_as: SocketAddr,
    pub(crate) tone: Tone,
    pub(crate) heard: Vec<i16>,
    pub(crate) events: Vec<SessionEvent>,
    /// The datagrams that it sent, and where to.
    pub(crate) sent: Vec<(SocketAddr, Vec<u8>)>,
    rtp_sent: u64,
}

struct InFlight {
    source: SocketAddr,
    target: SocketAddr,
    bytes: Vec<u8>,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) network: Network,
    pub(crate) parties: [Party; 2],
    random: ChaCha8Rng,
    /// By arrival and order of sending.
    in_flight: BTreeMap<(Instant, u64), InFlight>,
    /// When all that was sent from here has left.
    busy_until: BTreeMap<IpAddr, Instant>,
    sent: u64,
}

#[expect(
    clippy::disallowed_methods,
    reason = "an instant cannot be made otherwise; tests only look at differences"
)]
pub(crate) fn any_instant() -> Instant {
    Instant::now()
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn rtcp_of(rtp: SocketAddr) -> SocketAddr {
    SocketAddr::new(rtp.ip(), rtp.port() + 1)
}

pub(crate) fn identity() -> DtlsIdentity {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = CertificateParams::new(Vec::<String>::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    DtlsIdentity::new(certificate.der(), key.serialize_der().into())
}

/// Plain media both ways in one codec, with digits.
pub(crate) fn parameters(codec: Codec, remote: &str) -> MediaParameters {
    let remote = address(remote);
    let event = EventFormat {
        payload_type: EVENT_PAYLOAD_TYPE,
        clock_rate_hz: codec.clock_rate_hz(),
    };
    MediaParameters {
        remote_rtp: remote,
        remote_rtcp: rtcp_of(remote),
        send: SendFormat {
            payload_type: PAYLOAD_TYPE,
            codec,
            peer_uses_fec: true,
            max_bitrate: None,
        },
        send_redundancy: None,
        receive_redundancy: None,
        receive: vec![ReceiveFormat {
            payload_type: PAYLOAD_TYPE,
            codec,
        }],
        direction: Direction::SendRecv,
        send_event: Some(event),
        receive_events: vec![event],
        rtcp_mux: false,
        voip_metrics: false,
        security: MediaSecurity::Plain,
    }
}

/// A packet in the format of [`parameters`], of a source that nobody announced.
pub(crate) fn plain_packet(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, PAYLOAD_TYPE];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 0, 9, 9, 9, 9]);
    packet.extend([0xd5; 160]);
    packet
}

/// A session that knows nobody yet.
pub(crate) fn session(seed: u8, identity: Option<DtlsIdentity>, now: Instant) -> Session {
    let config = SessionConfig {
        opus: OpusConfig {
            complexity: 0,
            ..OpusConfig::default()
        },
        jitter: JitterConfig::default(),
        seed: [seed; 32],
        since_unix_epoch: Duration::from_secs(1_800_000_000),
        identity,
    };
    Session::new(config, now)
}

impl Party {
    pub(crate) fn new(seed: u8, seen_as: &str, frequency_hz: f64, now: Instant) -> Self {
        let identity = identity();
        Self {
            session: session(seed, Some(identity.clone()), now),
            identity,
            seen_as: address(seen_as),
            tone: Tone::new(frequency_hz, SAMPLE_RATE_HZ, 0.4),
            heard: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
            rtp_sent: 0,
        }
    }

    /// 10 ms of it: what it sends, and where to.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut frame = SILENCE;
        self.session.play(&mut frame, now);
        self.heard.extend(frame);
        self.tone.fill(&mut frame);
        let mut out = Vec::new();
        let mut take = |transmit: Option<Transmit<'_>>| {
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
        self.sent.extend(out.iter().cloned());
        out
    }

    /// How much of what was heard in the last `seconds` is the tone.
    pub(crate) fn share(&self, frequency_hz: f64, seconds: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive number"
        )]
        let samples = (seconds * f64::from(SAMPLE_RATE_HZ)) as usize;
        let start = self.heard.len() - samples;
        share_at(&self.heard[start..], frequency_hz, SAMPLE_RATE_HZ)
    }

    /// Where it ever sent anything.
    pub(crate) fn targets(&self) -> BTreeSet<SocketAddr> {
        self.sent.iter().map(|(target, _)| *target).collect()
    }

    /// The digits that it heard.
    pub(crate) fn digits(&self) -> String {
        let digit = |event: &SessionEvent| match event {
            SessionEvent::Digit(digit) => Some(digit.as_char()),
            _ => None,
        };
        self.events.iter().filter_map(digit).collect()
    }
}

impl World {
    /// A call in one codec.
    pub(crate) fn new(network: Network, codec: Codec) -> Self {
        let mut world = Self::idle(network);
        world.agree(parameters(codec, BOB), parameters(codec, ALICE));
        world
    }

    /// Nothing was agreed yet.
    pub(crate) fn idle(network: Network) -> Self {
        let now = any_instant();
        Self {
            now,
            network,
            parties: [
                Party::new(1, ALICE, TONES[0], now),
                Party::new(2, BOB, TONES[1], now),
            ],
            random: ChaCha8Rng::seed_from_u64(7),
            in_flight: BTreeMap::new(),
            busy_until: BTreeMap::new(),
            sent: 0,
        }
    }

    pub(crate) fn agree(&mut self, at_alice: MediaParameters, at_bob: MediaParameters) {
        for (party, parameters) in self.parties.iter_mut().zip([at_alice, at_bob]) {
            party.session.set_parameters(parameters, self.now).unwrap();
        }
    }

    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            self.deliver();
            for n in 0..2 {
                self.tick(n);
            }
            self.now += FRAME_DURATION;
        }
    }

    /// Party 0 presses all these keys, and the last of them has been sent.
    pub(crate) fn press(&mut self, typed: &str) {
        for digit in typed.chars().map(|label| Digit::from_char(label).unwrap()) {
            while self.parties[0].session.send_digit(digit).is_err() {
                self.run(FRAME_DURATION);
            }
        }
        self.run(Duration::from_secs(20));
    }

    /// A datagram from somewhere arrives at the RTP port of a party now.
    pub(crate) fn forge(&mut self, party: usize, source: &str, bytes: &[u8]) {
        let session = &mut self.parties[party].session;
        session.handle_rtp(bytes, address(source), self.now);
    }

    /// A datagram from somewhere arrives at the RTCP port of a party now.
    pub(crate) fn forge_rtcp(&mut self, party: usize, source: &str, bytes: &[u8]) {
        let session = &mut self.parties[party].session;
        session.handle_rtcp(bytes, address(source), self.now);
    }

    fn tick(&mut self, n: usize) {
        let party = &mut self.parties[n];
        let source = party.seen_as;
        for (target, bytes) in party.tick(self.now) {
            let is_report = (192..=223).contains(&bytes[1]);
            let party = &mut self.parties[n];
            party.rtp_sent += u64::from(!is_report);
            if !is_report && (self.network.is_lost)(n, party.rtp_sent) {
                continue;
            }
            let is_muxed = party.session.has_rtcp_mux();
            let source = if is_report && !is_muxed {
                rtcp_of(source)
            } else {
                source
            };
            self.send(source, target, &bytes);
        }
    }

    fn send(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8]) {
        let Some(queued) = self.queue(source, bytes.len()) else {
            return;
        };
        let copies = match self.random.next_u32() % 100 {
            n if n < self.network.loss_percent => 0,
            n if n >= 100 - self.network.duplicate_percent => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let jitter = self.random.next_u32() % self.network.jitter_ms.max(1);
            let delay = Duration::from_millis(u64::from(self.network.delay_ms + jitter));
            self.sent += 1;
            let datagram = InFlight {
                source,
                target,
                bytes: bytes.to_vec(),
            };
            self.in_flight
                .insert((self.now + queued + delay, self.sent), datagram);
        }
    }

    /// How long it takes until these bytes have left; `None` if there is no room for them.
    fn queue(&mut self, source: SocketAddr, bytes: usize) -> Option<Duration> {
        let Some(kbit_per_second) = self.network.kbit_per_second else {
            return Some(Duration::ZERO);
        };
        let busy_until = self.busy_until.entry(source.ip()).or_insert(self.now);
        let starts = (*busy_until).max(self.now);
        if starts - self.now > QUEUE {
            return None;
        }
        let bits = u32::try_from((bytes + 28) * 8).unwrap();
        *busy_until = starts + Duration::from_millis(u64::from(bits)) / kbit_per_second;
        Some(*busy_until - self.now)
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.in_flight.first_entry() {
            let (arrival, _) = *entry.key();
            if arrival > self.now {
                return;
            }
            let datagram = entry.remove();
            let (source, bytes) = (datagram.source, &datagram.bytes);
            for party in &mut self.parties {
                if datagram.target == party.seen_as {
                    party.session.handle_rtp(bytes, source, arrival);
                } else if datagram.target == rtcp_of(party.seen_as) {
                    party.session.handle_rtcp(bytes, source, arrival);
                }
            }
        }
    }

    pub(crate) fn stats(&self) -> [MediaStats; 2] {
        [0, 1].map(|n| self.parties[n].session.stats())
    }
}
