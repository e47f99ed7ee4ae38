//! The media of one call: both pipelines, RTCP, and the rules of who is listened to.
//!
//! The owner calls, with the time it happened:
//!
//! - [`Session::handle_rtp`] and [`Session::handle_rtcp`] for every datagram, at once;
//! - [`Session::capture`] and [`Session::play`] for every 10 ms of the recording and of the playing clock;
//! - [`Session::poll_rtcp`] when [`Session::poll_timeout`] has come;
//! - [`Session::poll_handshake`] and [`Session::poll_event`] until they are empty, after each of these.
//!
//! Until [`Session::set_parameters`] nothing is sent and everything is dropped; later calls of it
//! carry out a re-INVITE: hold, resume, another codec, another address.

mod count;
mod digits;
mod event;
mod inbound;
mod reports;

pub use event::{DigitError, SessionEvent, Transmit};

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sdp::Direction;

use self::count::Earlier;
use crate::codec::{CodecError, OpusConfig};
use crate::comfort::RoomNoise;
use crate::dtmf::{EventReceiver, EventSender, ToneReceiver, ToneSender};
use crate::frame::{Frame, SAMPLE_RATE_HZ, SILENCE};
use crate::jitter::JitterConfig;
use crate::level::{SILENCE_DBFS, level_dbfs};
use crate::parameters::MediaParameters;
use crate::protection::Protection;
use crate::quality::Monitor;
use crate::quality::one_way::Observation;
use crate::receive::ReceivePipeline;
use crate::rtcp::{Schedule, WallClock};
use crate::rtp::{MediaPath, RtpSender, RtpSource, SourceLatch};
use crate::send::{Microphone, SendPipeline};
use crate::send_rate::SendRate;
use crate::srtp::DtlsIdentity;

/// What a session needs to know before it knows its peer.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// How to encode Opus.
    pub opus: OpusConfig,
    /// Bounds of the play-out delay.
    pub jitter: JitterConfig,
    /// Source of the SSRC, of first numbers, of the canonical name and of RTCP's intervals.
    pub seed: [u8; 32],
    /// The time of day at the `now` of [`Session::new`], for sender reports.
    pub since_unix_epoch: Duration,
    /// The certificate for DTLS-SRTP; without one no handshake can be agreed to.
    pub identity: Option<DtlsIdentity>,
}

/// See the module header.
pub struct Session {
    opus: OpusConfig,
    identity: Option<DtlsIdentity>,
    protection: Protection,
    clock: WallClock,
    cname: String,
    schedule: Schedule,
    rtp: RtpSender,
    digits: EventSender,
    tones: ToneSender,
    microphone: Microphone,
    room_noise: RoomNoise,
    receive: ReceivePipeline,
    heard_digits: EventReceiver,
    heard_tones: ToneReceiver,
    stream: Option<Stream>,
    source: Option<RtpSource>,
    /// Another SSRC from the right place: believed when it goes on.
    contender: Option<(u32, u16)>,
    rtcp_source: Option<SocketAddr>,
    /// Of sources before the present one.
    earlier: Earlier,
    datagrams_dropped: u64,
    round_trip: Option<Duration>,
    remote_packets_lost: Option<u32>,
    /// Loss to prepare for: rises at once with what the peer reports, falls slowly.
    expected_loss_percent: u8,
    send_rate: SendRate,
    send_level_dbfs: f32,
    receive_level_dbfs: f32,
    has_started: bool,
    reported_packets: u64,
    quality: Monitor,
    rtcp_bytes: Vec<u8>,
    handshake_bytes: Vec<u8>,
    /// Where packets are decrypted.
    opened: Vec<u8>,
    events: VecDeque<SessionEvent>,
}

/// What was agreed with the peer.
struct Stream {
    parameters: MediaParameters,
    latch: SourceLatch,
    pipeline: SendPipeline,
}

impl Session {
    /// Ready, but with no peer yet.
    #[must_use]
    pub fn new(config: SessionConfig, now: Instant) -> Self {
        let mut random = ChaCha8Rng::from_seed(config.seed);
        // A short-term canonical name tells nothing about its owner (RFC 7022 section 4.2).
        let cname = format!("{:016x}{:08x}", random.next_u64(), random.next_u32());
        let first_sequence = u16::try_from(random.next_u32() >> 17).expect("15 bits");
        let rtp = RtpSender::new(random.next_u32(), first_sequence, random.next_u32());
        Self {
            opus: config.opus,
            identity: config.identity,
            protection: Protection::new(),
            clock: WallClock::new(now, config.since_unix_epoch),
            cname,
            schedule: Schedule::new(random, now),
            rtp,
            digits: EventSender::default(),
            tones: ToneSender::new(SAMPLE_RATE_HZ),
            microphone: Microphone::Live,
            room_noise: RoomNoise::new(),
            receive: ReceivePipeline::new(config.jitter),
            heard_digits: EventReceiver::default(),
            heard_tones: ToneReceiver::new(SAMPLE_RATE_HZ),
            stream: None,
            source: None,
            contender: None,
            rtcp_source: None,
            earlier: Earlier::default(),
            datagrams_dropped: 0,
            round_trip: None,
            remote_packets_lost: None,
            expected_loss_percent: 0,
            send_rate: SendRate::new(),
            send_level_dbfs: SILENCE_DBFS,
            receive_level_dbfs: SILENCE_DBFS,
            has_started: false,
            reported_packets: 0,
            quality: Monitor::new(config.jitter.max_delay_ms),
            rtcp_bytes: Vec::new(),
            handshake_bytes: Vec::new(),
            opened: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// Carries out what offer and answer agreed.
    ///
    /// # Errors
    ///
    /// [`CodecError::Setup`] if the codec cannot be set up; the session goes on as before.
    pub fn set_parameters(
        &mut self,
        parameters: MediaParameters,
        now: Instant,
    ) -> Result<(), CodecError> {
        let kept = self.stream.take();
        let is_same = kept.as_ref().is_some_and(|stream| {
            *stream.pipeline.format() == parameters.send
                && stream.pipeline.event_format() == parameters.send_event
                && stream.parameters.send_redundancy == parameters.send_redundancy
        });
        let latch = match &kept {
            Some(stream) => {
                let mut latch = stream.latch.clone();
                latch.announce(parameters.remote_rtp);
                latch
            }
            None => SourceLatch::new(parameters.remote_rtp),
        };
        let mut pipeline = match kept {
            Some(stream) if is_same => stream.pipeline,
            kept => {
                match SendPipeline::new(
                    parameters.send.clone(),
                    parameters.send_redundancy,
                    parameters.send_event,
                    &self.opus,
                ) {
                    Ok(pipeline) => pipeline,
                    Err(error) => {
                        self.stream = kept;
                        return Err(error);
                    }
                }
            }
        };
        if latch.locked().is_none() {
            self.rtcp_source = None;
            // Another path.
            self.send_rate = SendRate::new();
        }
        pipeline.set_path(self.expected_loss_percent, &self.send_rate);
        if !parameters.direction.receives() {
            self.receive.restart();
        }
        if !parameters.direction.sends() || parameters.send_event.is_none() {
            self.digits.clear();
        }
        if !parameters.direction.sends() || parameters.send_event.is_some() {
            self.tones.clear();
        }
        let security = self
            .protection
            .agree(&parameters.security, self.identity.as_ref(), now);
        self.tell_security(security.transpose());
        self.stream = Some(Stream {
            parameters,
            latch,
            pipeline,
        });
        Ok(())
    }

    /// Goes over to another way of deciding where media goes, once there are parameters.
    pub fn set_path(&mut self, path: MediaPath) {
        if let Some(stream) = &mut self.stream {
            stream.latch.follow(path);
        }
    }

    /// Whether RTCP goes out by the port of RTP.
    #[must_use]
    pub fn has_rtcp_mux(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(|stream| stream.parameters.rtcp_mux)
    }

    /// What we do with the stream; `None` before there is one.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        self.stream
            .as_ref()
            .map(|stream| stream.parameters.direction)
    }

    /// Whether the microphone reaches the peer from the next frame on.
    pub fn set_microphone(&mut self, microphone: Microphone) {
        self.microphone = microphone;
    }

    /// 10 ms were captured: the datagram to send, if any.
    pub fn capture(&mut self, frame: &Frame) -> Option<Transmit<'_>> {
        let noise;
        let frame = match self.microphone {
            Microphone::Live => {
                self.room_noise.listen(frame);
                self.send_level_dbfs = level_dbfs(frame);
                frame
            }
            Microphone::Muted => {
                self.send_level_dbfs = SILENCE_DBFS;
                noise = self.room_noise.frame();
                &noise
            }
        };
        let stream = self.stream.as_mut()?;
        let target = stream
            .latch
            .target()
            .filter(|_| stream.parameters.direction.sends() && self.protection.is_open());
        let Some(target) = target else {
            stream.pipeline.skip(&mut self.rtp);
            return None;
        };
        let mut toned = SILENCE;
        let frame = digits::with_tones(&mut self.tones, frame, &mut toned);
        let bytes = stream
            .pipeline
            .process(frame, &mut self.digits, &mut self.rtp)
            .ok()??;
        match self.protection.close_rtp(bytes) {
            Ok(bytes) => Some(Transmit {
                target,
                bytes: bytes?,
            }),
            Err(failure) => {
                Self::push(&mut self.events, SessionEvent::NotSecured(failure));
                None
            }
        }
    }

    /// The playing clock has reached `now`: fills the next 10 ms, with silence if there is nothing.
    pub fn play(&mut self, out: &mut Frame, now: Instant) {
        let receives = self
            .stream
            .as_ref()
            .is_some_and(|stream| stream.parameters.direction.receives());
        if receives {
            self.receive.play(out, now);
            self.listen_for_tones(out);
        } else {
            *out = SILENCE;
        }
        self.receive_level_dbfs = level_dbfs(out);
        self.observe(now);
    }

    /// For the monitor of one-way audio.
    fn observe(&mut self, now: Instant) {
        let Some(direction) = self.direction() else {
            return;
        };
        let seen = Observation {
            direction,
            microphone: self.microphone,
            packets_sent: self.rtp.packets(),
            packets_received: self.packets_received(),
            send_level_dbfs: self.send_level_dbfs,
            receive_level_dbfs: self.receive_level_dbfs,
        };
        self.quality.observe(&seen, now);
    }

    /// When to call [`Session::poll_rtcp`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let report = self.schedule.next();
        self.protection
            .poll_timeout()
            .map_or(report, |handshake| handshake.min(report))
    }

    /// The next thing that the owner may want to know.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events.pop_front()
    }
}
