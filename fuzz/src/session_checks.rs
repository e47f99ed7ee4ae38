//! The media of one call, whatever comes in and whenever, and whatever was agreed on.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::srtp::{MasterKey, SrtpSession, SrtpSuite};
use media::{
    Codec, Digit, Direction, EventFormat, JitterConfig, MediaParameters, MediaSecurity, OpusConfig,
    ReceiveFormat, SILENCE, SendFormat, Session, SessionConfig, SessionEvent, Transmit,
};
use sdp::{DtlsRole, LocalMedia, OfferAnswer, SessionDescription};

use crate::dtls_checks::identities;
use crate::input::{Input, any_instant};

const PEER: &str = "192.0.2.1:4000";
const PEER_RTCP: &str = "192.0.2.1:4001";
const STRANGER: &str = "203.0.113.9:4000";
/// What was agreed on: sound, copies (RFC 2198), digits; and what was not.
const PAYLOAD_TYPES: [u8; 7] = [0, 8, 9, 96, 63, 101, 13];
const FRAME: Duration = Duration::from_millis(10);
/// More operations than this find nothing new and take long.
const MAX_OPERATIONS: usize = 200;

/// Datagrams of any content from the peer and from a stranger, agreements that change, keys, and time that passes and jumps. Every
/// deadline lies ahead, and a stranger is sent nothing once media is secured. `data`: how media is secured, then operations.
pub fn operations(data: &[u8]) {
    let mut input = Input::new(data);
    let mut world = World::new(&mut input);
    for _ in 0..MAX_OPERATIONS {
        if input.is_empty() {
            break;
        }
        world.operate(&mut input);
    }
    world.end();
}

/// Any description as an offer, and as an answer to ours: what is agreed on can be carried out.
pub fn agreement(data: &[u8]) {
    let Ok(description) = SessionDescription::parse(data) else {
        return;
    };
    let local = LocalMedia::audio(address("192.0.2.2:5000"));
    let mut answering = OfferAnswer::new(local.address, 1);
    let mut offering = OfferAnswer::new(local.address, 1);
    offering.offer(&local);
    let _ = answering.accept_offer(&description, &local);
    let _ = offering.accept_answer(&description);
    for exchange in [&answering, &offering] {
        let Some(negotiated) = exchange.negotiated() else {
            continue;
        };
        let Ok(parameters) = MediaParameters::from_negotiated(negotiated) else {
            continue;
        };
        let mut now = any_instant();
        let mut session = session(now);
        session
            .set_parameters(parameters, now)
            .expect("every codec of ours can be set up");
        for (sequence, payload_type) in (0..).zip(PAYLOAD_TYPES) {
            now += FRAME;
            let packet = rtp(payload_type, sequence, 160, 1, &[0x55; 160]);
            session.handle_rtp(&packet, negotiated.remote, now);
            let mut frame = SILENCE;
            session.play(&mut frame, now);
            session.capture(&frame);
        }
    }
}

struct World {
    session: Session,
    security: MediaSecurity,
    /// The peer's end of SRTP.
    peer: Option<SrtpSession>,
    now: Instant,
    sequence: u16,
    timestamp: u32,
}

impl World {
    fn new(input: &mut Input<'_>) -> Self {
        let now = any_instant();
        let (security, peer) = security(input.byte());
        let mut world = Self {
            session: session(now),
            security,
            peer,
            now,
            sequence: input.short(),
            timestamp: input.word(),
        };
        world.agree(input);
        world
    }

    fn operate(&mut self, input: &mut Input<'_>) {
        match input.byte() % 11 {
            0 => self.frames(input.byte() % 32),
            1 => self.now += Duration::from_millis(u64::from(input.short()) * 50),
            2 => self.agree(input),
            3 => {
                let digit = Digit::from_event(input.byte() % 16).expect("there are sixteen");
                let _ = self.session.send_digit(digit);
            }
            4 => {
                let source = self.source(input);
                self.session
                    .handle_rtp(input.many_bytes(), source, self.now);
            }
            5 => {
                let source = self.source(input);
                self.session
                    .handle_rtcp(input.many_bytes(), source, self.now);
            }
            6 => self.report(input),
            _ => self.packet(input),
        }
        self.drain();
    }

    /// A re-INVITE.
    fn agree(&mut self, input: &mut Input<'_>) {
        let codec = input.one_of(&Codec::ALL);
        let flags = input.byte();
        let direction = input.one_of(&[
            Direction::SendRecv,
            Direction::SendOnly,
            Direction::RecvOnly,
            Direction::Inactive,
        ]);
        let copies = (flags & 1 != 0).then_some(63);
        let event = EventFormat {
            payload_type: 101,
            clock_rate_hz: codec.clock_rate_hz(),
        };
        let format = |(payload_type, codec)| ReceiveFormat {
            payload_type,
            codec,
        };
        let formats = [
            (0, Codec::Pcmu),
            (8, Codec::Pcma),
            (9, Codec::G722),
            (96, Codec::Opus),
        ];
        let remote = [PEER, PEER, PEER, "0.0.0.0:0"][usize::from(flags >> 1 & 3)];
        let parameters = MediaParameters {
            remote_rtp: address(remote),
            remote_rtcp: address(PEER_RTCP),
            send: SendFormat {
                payload_type: 96,
                codec,
                peer_uses_fec: flags & 8 != 0,
                max_bitrate: (flags & 16 != 0).then(|| input.word()),
            },
            send_redundancy: copies,
            receive_redundancy: copies,
            receive: formats.map(format).into(),
            direction,
            send_event: (flags & 32 != 0).then_some(event),
            receive_events: vec![event],
            rtcp_mux: flags & 64 != 0,
            voip_metrics: flags & 128 != 0,
            security: self.security.clone(),
        };
        self.session
            .set_parameters(parameters, self.now)
            .expect("every codec of ours can be set up");
    }

    fn source(&self, input: &mut Input<'_>) -> SocketAddr {
        address(input.one_of(&[PEER, PEER, PEER_RTCP, STRANGER]))
    }

    /// A packet that looks right, with any content, and protected by the peer's key if there is one.
    fn packet(&mut self, input: &mut Input<'_>) {
        let step = input.byte();
        self.sequence = self
            .sequence
            .wrapping_add_signed((step % 8).cast_signed().into());
        self.timestamp = match step >> 3 {
            0 => input.word(),
            1 => self.timestamp,
            frames => self.timestamp.wrapping_add(u32::from(frames) * 80),
        };
        let flags = input.byte();
        let payload_type = PAYLOAD_TYPES[usize::from(flags) % PAYLOAD_TYPES.len()];
        let marker = flags & 0x80;
        let ssrc = u32::from(flags >> 5 & 1);
        let payload = input.bytes();
        let mut bytes = rtp(
            payload_type | marker,
            self.sequence,
            self.timestamp,
            ssrc,
            payload,
        );
        let len = bytes.len();
        if let Some(peer) = &mut self.peer {
            bytes.resize(len + peer.overhead_bytes(), 0);
            match peer.protect_rtp(&mut bytes, len) {
                Ok(len) => bytes.truncate(len),
                Err(_) => return,
            }
        }
        self.session.handle_rtp(&bytes, address(PEER), self.now);
    }

    /// A report that looks right, with any content, protected likewise.
    fn report(&mut self, input: &mut Input<'_>) {
        let kind = input.one_of(&[200, 201, 207, 203]);
        let mut body = input.bytes().to_vec();
        body.resize(body.len() / 4 * 4, 0);
        let [high, low] = u16::try_from(body.len() / 4).unwrap_or(0).to_be_bytes();
        // An empty receiver report comes first (RFC 3550 section 6.1).
        let mut bytes = vec![0x80, 201, 0, 1, 0, 0, 0, input.byte() & 1];
        bytes.extend([0x81, kind, high, low]);
        bytes.extend(body);
        let len = bytes.len();
        if let Some(peer) = &mut self.peer {
            bytes.resize(len + peer.overhead_bytes(), 0);
            match peer.protect_rtcp(&mut bytes, len) {
                Ok(len) => bytes.truncate(len),
                Err(_) => return,
            }
        }
        self.session
            .handle_rtcp(&bytes, address(PEER_RTCP), self.now);
    }

    fn frames(&mut self, count: u8) {
        for _ in 0..count {
            self.now += FRAME;
            let mut frame = SILENCE;
            self.session.play(&mut frame, self.now);
            let is_secured = self.is_secured();
            check_target(is_secured, self.session.capture(&frame));
            self.drain();
        }
    }

    fn is_secured(&self) -> bool {
        self.security != MediaSecurity::Plain
    }

    fn drain(&mut self) {
        let is_secured = self.is_secured();
        check_target(is_secured, self.session.poll_rtcp(self.now));
        while let Some(datagram) = self.session.poll_handshake(self.now) {
            check_target(is_secured, Some(datagram));
        }
        assert!(self.session.poll_timeout() > self.now, "it would spin");
        while let Some(event) = self.session.poll_event() {
            let from_stranger = SessionEvent::Started {
                source: address(STRANGER),
            };
            assert!(!is_secured || event != from_stranger);
        }
        let _ = self.session.stats();
    }

    fn end(mut self) {
        self.frames(10);
        let is_secured = self.is_secured();
        check_target(is_secured, self.session.leave(self.now));
    }
}

fn check_target(is_secured: bool, transmit: Option<Transmit<'_>>) {
    let is_to_stranger = transmit.is_some_and(|transmit| transmit.target == address(STRANGER));
    assert!(!(is_secured && is_to_stranger));
}

/// Plain, by keys of the description in any suite, by a handshake; and the peer's end, if it has its keys.
fn security(choice: u8) -> (MediaSecurity, Option<SrtpSession>) {
    let suites = SrtpSuite::ALL;
    match usize::from(choice) % (suites.len() + 3) {
        0 => (MediaSecurity::Plain, None),
        n @ (1 | 2) => {
            let role = [DtlsRole::Client, DtlsRole::Server][n - 1];
            let fingerprints = vec![identities()[1].fingerprint()];
            (MediaSecurity::Dtls { role, fingerprints }, None)
        }
        n => {
            let key = |seed| MasterKey::generate(suites[n - 3], |bytes| bytes.fill(seed));
            let (local, remote) = (key(1), key(2));
            let peer = SrtpSession::new(&remote, &local);
            (MediaSecurity::Sdes { local, remote }, Some(peer))
        }
    }
}

fn session(now: Instant) -> Session {
    let config = SessionConfig {
        opus: OpusConfig {
            complexity: 0,
            ..OpusConfig::default()
        },
        jitter: JitterConfig::default(),
        seed: [3; 32],
        since_unix_epoch: Duration::from_secs(1_800_000_000),
        identity: Some(identities()[0].clone()),
    };
    Session::new(config, now)
}

fn rtp(kind: u8, sequence: u16, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, kind];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(timestamp.to_be_bytes());
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}
