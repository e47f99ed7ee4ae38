//! Speech from one session to another over a simulated network, in simulated time.
//!
//! What comes out depends on the arguments alone, not on the machine: the same loss, the same jitter, the same
//! sound. So a change to the media path shows as a difference of scores, which `scripts/bench-speech` computes.
//! Both directions suffer alike; the second party says nothing. Not here: sound cards and real sockets
//! (`scripts/bench-audio`).

mod network;

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use media::{
    Codec, Direction, FRAME_DURATION, MediaParameters, MediaSecurity, MediaStats, OpusConfig,
    ReceiveFormat, SILENCE, SendFormat, Session, SessionConfig, Transmit,
};
use media_io::{AfterEnd, AudioSource, WavSource};
use network::{Delivery, Network};
use serde_json::{Value, json};

/// How often the parties look at their clocks.
const STEP: Duration = Duration::from_millis(5);
const PAYLOAD_TYPE: u8 = 96;
const REDUNDANCY_PAYLOAD_TYPE: u8 = 63;

/// What is said, over what.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// What one party says: a WAV file.
    #[arg(long)]
    speech: PathBuf,
    /// What the other party hears: a WAV file that is made.
    #[arg(long)]
    heard: PathBuf,
    /// How it is encoded.
    #[arg(long, value_enum, default_value = "opus")]
    codec: CodecName,
    /// Opus: bits per second.
    #[arg(long, default_value_t = 32_000)]
    bitrate: u32,
    /// The receiver's loudspeaker runs faster by so many millionths.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    ppm: f64,
    /// Both sides take packets that carry earlier ones once more.
    #[arg(long)]
    redundancy: bool,
    #[command(flatten)]
    network: network::Impairments,
}

/// The codecs by their command line names.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CodecName {
    Opus,
    G722,
    Pcma,
    Pcmu,
}

impl CodecName {
    fn codec(self) -> Codec {
        match self {
            Self::Opus => Codec::Opus,
            Self::G722 => Codec::G722,
            Self::Pcma => Codec::Pcma,
            Self::Pcmu => Codec::Pcmu,
        }
    }
}

/// Plays the whole file and half a second of silence after it; gives what both sides counted.
pub(crate) fn run(arguments: &Arguments) -> Result<Value, Box<dyn Error>> {
    let mut speech = WavSource::open(&arguments.speech, AfterEnd::Silence)?;
    let duration = speech.duration() + Duration::from_millis(500);
    let mut heard = Vec::new();
    let start = Instant::now();
    let mut call = Call::new(arguments, start)?;
    let mut frames_said = 0;
    let mut frames_heard = 0.0;
    let frame_heard = FRAME_DURATION.as_secs_f64() / (1.0 + arguments.ppm / 1e6);
    let mut elapsed = Duration::ZERO;
    while elapsed < duration {
        elapsed += STEP;
        call.deliver(start + elapsed);
        let now = start + elapsed;
        while FRAME_DURATION * frames_said < elapsed {
            frames_said += 1;
            let mut frame = SILENCE;
            speech.read(&mut frame);
            call.say(&frame, now);
        }
        while frames_heard * frame_heard < elapsed.as_secs_f64() {
            frames_heard += 1.0;
            let mut frame = SILENCE;
            call.parties[1].session.play(&mut frame, now);
            heard.extend(frame);
        }
        call.report(now);
    }
    write(&heard, &arguments.heard)?;
    let [sender, receiver] = [0, 1].map(|n| counted(&call.parties[n].session.stats()));
    Ok(json!({ "sender": sender, "receiver": receiver, "network": call.network.counted() }))
}

struct Call {
    network: Network,
    parties: [Party; 2],
}

struct Party {
    session: Session,
    address: SocketAddr,
}

impl Call {
    fn new(arguments: &Arguments, now: Instant) -> Result<Self, Box<dyn Error>> {
        let addresses: [SocketAddr; 2] = ["192.0.2.1:4000".parse()?, "192.0.2.2:4000".parse()?];
        let redundancy = arguments.redundancy.then_some(REDUNDANCY_PAYLOAD_TYPE);
        let party = |n: usize| -> Result<Party, Box<dyn Error>> {
            let config = SessionConfig {
                opus: OpusConfig {
                    bitrate: arguments.bitrate,
                    ..OpusConfig::default()
                },
                jitter: media::JitterConfig::default(),
                seed: [u8::try_from(n)?; 32],
                since_unix_epoch: Duration::from_secs(1_800_000_000),
                identity: None,
            };
            let mut session = Session::new(config, now);
            let agreed = parameters(arguments.codec.codec(), redundancy, addresses[1 - n]);
            session.set_parameters(agreed, now)?;
            Ok(Party {
                session,
                address: addresses[n],
            })
        };
        Ok(Self {
            network: Network::new(&arguments.network),
            parties: [party(0)?, party(1)?],
        })
    }

    fn deliver(&mut self, now: Instant) {
        while let Some(delivery) = self.network.next_before(now) {
            let Delivery {
                at,
                sender,
                is_rtcp,
                bytes,
            } = delivery;
            let source = self.parties[sender].address;
            let receiver = &mut self.parties[1 - sender].session;
            if is_rtcp {
                receiver.handle_rtcp(&bytes, rtcp_of(source), at);
            } else {
                receiver.handle_rtp(&bytes, source, at);
            }
        }
    }

    /// 10 ms are captured on both sides.
    fn say(&mut self, frame: &media::Frame, now: Instant) {
        for (sender, frame) in [frame, &SILENCE].into_iter().enumerate() {
            if let Some(Transmit { bytes, .. }) = self.parties[sender].session.capture(frame) {
                self.network.send(sender, false, bytes, now);
            }
        }
        let mut unheard = SILENCE;
        self.parties[0].session.play(&mut unheard, now);
    }

    fn report(&mut self, now: Instant) {
        for sender in 0..2 {
            if let Some(Transmit { bytes, .. }) = self.parties[sender].session.poll_rtcp(now) {
                self.network.send(sender, true, bytes, now);
            }
            while self.parties[sender].session.poll_event().is_some() {}
        }
    }
}

pub(crate) fn write(samples: &[i16], path: &Path) -> Result<(), hound::Error> {
    let form = hound::WavSpec {
        channels: 1,
        sample_rate: media::SAMPLE_RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, form)?;
    for &sample in samples {
        file.write_sample(sample)?;
    }
    file.finalize()
}

fn rtcp_of(rtp: SocketAddr) -> SocketAddr {
    SocketAddr::new(rtp.ip(), rtp.port() + 1)
}

fn parameters(codec: Codec, redundancy: Option<u8>, remote: SocketAddr) -> MediaParameters {
    MediaParameters {
        remote_rtp: remote,
        remote_rtcp: rtcp_of(remote),
        send: SendFormat {
            payload_type: PAYLOAD_TYPE,
            codec,
            peer_uses_fec: true,
            max_bitrate: None,
        },
        send_redundancy: redundancy,
        receive_redundancy: redundancy,
        receive: vec![ReceiveFormat {
            payload_type: PAYLOAD_TYPE,
            codec,
        }],
        direction: Direction::SendRecv,
        send_event: None,
        receive_events: Vec::new(),
        rtcp_mux: false,
        voip_metrics: false,
        security: MediaSecurity::Plain,
    }
}

fn counted(stats: &MediaStats) -> Value {
    json!({
        "packets_sent": stats.packets_sent,
        "octets_sent": stats.octets_sent,
        "packets_received": stats.packets_received,
        "packets_lost": stats.packets_lost,
        "received": format!("{:?}", stats.received),
        "playout": format!("{:?}", stats.playout),
    })
}
