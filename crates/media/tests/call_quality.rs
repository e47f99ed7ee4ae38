//! What two sessions tell about the quality of their call, over a network that can be broken.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]
#![expect(
    clippy::disallowed_methods,
    reason = "simulated time starts at some instant"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::quality::one_way::Fault;
use media::tone::Tone;
use media::{
    CallQuality, Codec, Direction, ExtendedReports, FRAME_DURATION, JitterConfig, MediaParameters,
    Microphone, OpusConfig, ReceiveFormat, SAMPLE_RATE_HZ, SILENCE, SendFormat, Session,
    SessionConfig,
};

const ALICE: &str = "192.0.2.1:4000";
const BOB: &str = "198.51.100.2:5000";

/// Alice is 0, Bob is 1. Datagrams arrive at once unless they are lost.
struct Call {
    now: Instant,
    sessions: [Session; 2],
    tones: [Tone; 2],
    packets: u32,
    /// Whether a packet of this sender is lost, by its number.
    is_lost: fn(sender: usize, number: u32) -> bool,
}

fn address(n: usize, port_offset: u16) -> SocketAddr {
    let mut address: SocketAddr = [ALICE, BOB][n].parse().unwrap();
    address.set_port(address.port() + port_offset);
    address
}

fn parameters(codec: Codec, remote: usize) -> MediaParameters {
    MediaParameters {
        remote_rtp: address(remote, 0),
        remote_rtcp: address(remote, 1),
        send: SendFormat {
            payload_type: 96,
            codec,
            peer_uses_fec: false,
            max_bitrate: None,
        },
        send_redundancy: None,
        receive_redundancy: None,
        receive: vec![ReceiveFormat {
            payload_type: 96,
            codec,
        }],
        direction: Direction::SendRecv,
        send_event: None,
        receive_events: Vec::new(),
        rtcp_mux: false,
        security: media::MediaSecurity::Plain,
    }
}

impl Call {
    fn new(codec: Codec) -> Self {
        let now = Instant::now();
        let sessions = [0, 1].map(|n| {
            let config = SessionConfig {
                opus: OpusConfig {
                    complexity: 0,
                    ..OpusConfig::default()
                },
                jitter: JitterConfig::default(),
                seed: [u8::try_from(n).unwrap(); 32],
                since_unix_epoch: Duration::from_secs(1_800_000_000),
                identity: None,
            };
            let mut session = Session::new(config, now);
            session
                .set_parameters(parameters(codec, 1 - n), now)
                .unwrap();
            session
        });
        Self {
            now,
            sessions,
            tones: [400.0, 700.0].map(|hz| Tone::new(hz, SAMPLE_RATE_HZ, 0.4)),
            packets: 0,
            is_lost: |_, _| false,
        }
    }

    fn run(&mut self, seconds: u32) -> [CallQuality; 2] {
        for _ in 0..seconds * 100 {
            for n in 0..2 {
                self.tick(n);
            }
            self.now += FRAME_DURATION;
        }
        [0, 1].map(|n| self.sessions[n].stats().quality)
    }

    fn tick(&mut self, n: usize) {
        let now = self.now;
        let mut frame = SILENCE;
        self.sessions[n].play(&mut frame, now);
        self.tones[n].fill(&mut frame);
        let sound = self.sessions[n].capture(&frame);
        let sound = sound.map(|transmit| transmit.bytes.to_vec());
        let report = self.sessions[n].poll_rtcp(now);
        let report = report.map(|transmit| transmit.bytes.to_vec());
        if let Some(bytes) = sound {
            self.packets += 1;
            if !(self.is_lost)(n, self.packets / 2) {
                self.sessions[1 - n].handle_rtp(&bytes, address(n, 0), now);
            }
        }
        if let Some(bytes) = report {
            self.sessions[1 - n].handle_rtcp(&bytes, address(n, 1), now);
        }
    }
}

#[test]
fn a_good_call_has_the_best_score_in_both_directions_and_no_fault() {
    for (codec, best) in [(Codec::Pcma, 4.41), (Codec::G722, 4.5), (Codec::Opus, 4.5)] {
        for quality in Call::new(codec).run(12) {
            for direction in [quality.heard.unwrap(), quality.sent.unwrap()] {
                assert_eq!(direction.loss_percent, 0.0);
                let mos = direction.rating.mos();
                assert!((mos - best).abs() < 0.01, "{codec:?}: {direction:?}");
            }
            assert_eq!((quality.reported, quality.fault), (None, None));
        }
    }
}

#[test]
fn loss_in_one_direction_lowers_one_score_here_and_the_other_there() {
    let mut call = Call::new(Codec::Pcma);
    // Of Alice's packets every tenth.
    call.is_lost = |sender, number| sender == 0 && number % 10 == 9;
    let [alice, bob] = call.run(60);
    for hurt in [alice.sent.unwrap(), bob.heard.unwrap()] {
        assert!((9.0..11.0).contains(&hurt.loss_percent), "{hurt:?}");
        assert!((3.2..3.6).contains(&hurt.rating.mos()), "{hurt:?}");
    }
    for whole in [alice.heard.unwrap(), bob.sent.unwrap()] {
        assert!(whole.rating.mos() > 4.4);
    }
}

#[test]
fn a_peer_that_asked_is_told_how_it_is_heard() {
    let mut call = Call::new(Codec::Pcma);
    call.is_lost = |sender, number| sender == 0 && number % 10 == 9;
    call.sessions[1].set_extended_reports(ExtendedReports::VoipMetrics);
    let [alice, bob] = call.run(60);
    assert_eq!(bob.reported, None, "alice was not asked");
    let told = alice.reported.unwrap();
    assert!((24..=28).contains(&told.loss_rate), "{told:?}");
    assert!(told.burst_density > 20, "never 16 in a row: {told:?}");
    let heard = bob.heard.unwrap().rating;
    assert!((f64::from(told.mos_cq.unwrap()) / 10.0 - heard.mos()).abs() < 0.1);
    assert_eq!(
        alice.sent.unwrap().rating.value(),
        f64::from(told.r_factor.unwrap())
    );
}

#[test]
fn one_way_audio_is_explained_on_both_sides_and_heals() {
    let mut call = Call::new(Codec::Opus);
    call.is_lost = |sender, _| sender == 1;
    let [alice, bob] = call.run(20);
    assert_eq!(alice.fault, Some(Fault::NothingArrives));
    assert_eq!(alice.heard, None);
    assert_eq!(bob.fault, Some(Fault::NotReceived));
    call.is_lost = |_, _| false;
    let [alice, bob] = call.run(10);
    assert_eq!((alice.fault, bob.fault), (None, None));
}

#[test]
fn mute_and_hold_are_no_faults() {
    let mut call = Call::new(Codec::Pcmu);
    call.run(2);
    call.sessions[0].set_microphone(Microphone::Muted);
    for (n, direction) in [(0, Direction::SendOnly), (1, Direction::RecvOnly)] {
        let held = MediaParameters {
            direction,
            ..parameters(Codec::Pcmu, 1 - n)
        };
        let now = call.now;
        call.sessions[n].set_parameters(held, now).unwrap();
    }
    let [alice, _] = call.run(20);
    assert_eq!(alice.fault, None);
}
