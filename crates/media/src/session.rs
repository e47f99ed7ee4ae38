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

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sdp::Direction;
use tracing::trace;

use crate::codec::{CodecError, OpusConfig};
use crate::dtmf::{Digit, EventReceiver, EventSender, QueueFull};
use crate::frame::{Frame, SILENCE};
use crate::jitter::{AudioPacket, Inserted, JitterConfig};
use crate::level::{SILENCE_DBFS, level_dbfs};
use crate::parameters::MediaParameters;
use crate::protection::{Protection, Secured, SecurityFailure};
use crate::quality::bursts::Fate;
use crate::quality::one_way::Observation;
use crate::quality::{CallQuality, Monitor};
use crate::receive::ReceivePipeline;
use crate::rtcp::{
    self, Due, Leaving, Received, Report, ReportBlock, Schedule, SenderInfo, WallClock,
};
use crate::rtp::{
    DatagramKind, Latch, RtpPacket, RtpSender, RtpSource, SequenceTracker, Sequenced, SourceLatch,
};
use crate::send::{Microphone, SendPipeline};
use crate::srtp::DtlsIdentity;
use crate::stats::MediaStats;

/// Packets of the peer from which its loss can be guessed: 0.6 s.
const PACKETS_FOR_A_GUESS: u64 = 30;
/// Events that may wait for the owner; the oldest go first.
const MAX_EVENTS: usize = 64;

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

/// Whether the peer is sent extended reports (RFC 3611).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExtendedReports {
    /// It did not ask for any.
    #[default]
    None,
    /// It asked for `a=rtcp-xr:voip-metrics`.
    VoipMetrics,
}

/// Something that the owner may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// The peer's first packet was accepted, from here.
    Started {
        /// Where the peer really sends from.
        source: SocketAddr,
    },
    /// The peer pressed a key.
    Digit(Digit),
    /// The peer's stream says that it is over. Signalling decides about the call.
    RemoteBye,
    /// Both directions are secured from now on.
    Secured(Secured),
    /// Secured media was agreed and cannot be: nothing is sent or heard until a new agreement.
    NotSecured(SecurityFailure),
}

/// A datagram to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// Where to.
    pub target: SocketAddr,
    /// What.
    pub bytes: &'a [u8],
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
    microphone: Microphone,
    receive: ReceivePipeline,
    heard_digits: EventReceiver,
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
    send_level_dbfs: f32,
    receive_level_dbfs: f32,
    has_started: bool,
    reported_packets: u64,
    quality: Monitor,
    extended_reports: ExtendedReports,
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

#[derive(Default)]
struct Earlier {
    received: u64,
    lost: u64,
    duplicates: u64,
    octets: u64,
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
            microphone: Microphone::Live,
            receive: ReceivePipeline::new(config.jitter),
            heard_digits: EventReceiver::default(),
            stream: None,
            source: None,
            contender: None,
            rtcp_source: None,
            earlier: Earlier::default(),
            datagrams_dropped: 0,
            round_trip: None,
            remote_packets_lost: None,
            expected_loss_percent: 0,
            send_level_dbfs: SILENCE_DBFS,
            receive_level_dbfs: SILENCE_DBFS,
            has_started: false,
            reported_packets: 0,
            quality: Monitor::new(config.jitter.max_delay_ms),
            extended_reports: ExtendedReports::None,
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
        pipeline.set_expected_loss(self.expected_loss_percent);
        if latch.locked().is_none() {
            self.rtcp_source = None;
        }
        if !parameters.direction.receives() {
            self.receive.restart();
        }
        if !parameters.direction.sends() || parameters.send_event.is_none() {
            self.digits.clear();
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

    fn tell_security(&mut self, outcome: Option<Result<Secured, SecurityFailure>>) {
        match outcome {
            Some(Ok(secured)) => self.push_event(SessionEvent::Secured(secured)),
            Some(Err(failure)) => self.push_event(SessionEvent::NotSecured(failure)),
            None => {}
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

    /// Whether the peer asked for extended reports; it gets none before.
    pub fn set_extended_reports(&mut self, extended_reports: ExtendedReports) {
        self.extended_reports = extended_reports;
    }

    /// Sends a digit after those that wait.
    ///
    /// # Errors
    ///
    /// [`DigitError`] if the peer takes none, or if too many wait.
    pub fn send_digit(&mut self, digit: Digit) -> Result<(), DigitError> {
        let takes_events = |stream: &Stream| {
            stream.parameters.send_event.is_some() && stream.parameters.direction.sends()
        };
        if !self.stream.as_ref().is_some_and(takes_events) {
            return Err(DigitError::NotAgreed);
        }
        Ok(self.digits.push(digit)?)
    }

    /// A datagram came in on the RTP port.
    pub fn handle_rtp(&mut self, datagram: &[u8], source: SocketAddr, now: Instant) {
        let taken = match DatagramKind::of(datagram) {
            DatagramKind::Rtcp => {
                self.handle_rtcp(datagram, source, now);
                return;
            }
            DatagramKind::Rtp => {
                let mut opened = std::mem::take(&mut self.opened);
                let packet = self.protection.open_rtp(datagram, &mut opened);
                let taken = packet.and_then(|packet| self.accept(packet, source, now));
                self.opened = opened;
                taken
            }
            DatagramKind::Dtls => self.accept_handshake(datagram, source, now),
            DatagramKind::Stun | DatagramKind::Other => None,
        };
        if taken.is_none() {
            self.datagrams_dropped += 1;
        }
    }

    /// Only from where the peer is known to be: a handshake is much work, and its answers go there.
    fn accept_handshake(
        &mut self,
        datagram: &[u8],
        source: SocketAddr,
        now: Instant,
    ) -> Option<()> {
        let stream = self.stream.as_ref()?;
        let expected = stream
            .latch
            .locked()
            .unwrap_or(stream.parameters.remote_rtp);
        if source != expected {
            return None;
        }
        self.protection.handle_handshake(datagram, now)?;
        let outcome = self.protection.poll_outcome();
        self.tell_security(outcome);
        Some(())
    }

    /// The next datagram of the handshake for secured media, to be sent from the port of RTP.
    pub fn poll_handshake(&mut self, now: Instant) -> Option<Transmit<'_>> {
        let datagram = self.protection.poll_handshake(now);
        let outcome = self.protection.poll_outcome();
        self.tell_security(outcome);
        self.handshake_bytes = datagram?;
        Some(Transmit {
            target: self.stream.as_ref()?.latch.target()?,
            bytes: &self.handshake_bytes,
        })
    }

    /// `None`: the plain packet is dropped and counted.
    fn accept(&mut self, datagram: &[u8], source: SocketAddr, now: Instant) -> Option<()> {
        let is_authentic = self.protection.authenticates();
        let stream = self.stream.as_mut()?;
        let receives = stream.parameters.direction.receives();
        let packet = RtpPacket::parse(datagram).ok()?;
        let mut blocks = stream.parameters.blocks(&packet)?;
        let own = blocks.pop()?;
        let codec = stream.parameters.codec_of(own.payload_type);
        let is_event = stream.parameters.is_event(packet.payload_type);
        if codec.is_none() && !is_event {
            trace!(
                payload_type = packet.payload_type,
                "RTP of no agreed payload type"
            );
            return None;
        }
        let latch = if is_authentic {
            stream.latch.judge_authentic(source)
        } else {
            stream.latch.judge(source, &packet)
        };
        match latch {
            Latch::Drop => return None,
            Latch::Accept => {}
            Latch::Locked(source) => self.note_start(source),
        }
        let sequence = match self.judge_source(&packet)? {
            Sequenced::Accepted { extended } => extended,
            Sequenced::Restarted { extended } => {
                self.receive.restart();
                self.quality.restart();
                extended
            }
            Sequenced::Duplicate => return Some(()),
            Sequenced::Rejected => return None,
        };
        self.quality.note_packet(sequence, Fate::Received);
        if !receives {
            // On hold: what is still on its way counts as received but is not heard.
            return Some(());
        }
        let Some(codec) = codec else {
            if let Some(digit) = self.heard_digits.receive(packet.timestamp, packet.payload) {
                self.push_event(SessionEvent::Digit(digit));
            }
            return Some(());
        };
        let audio = AudioPacket::new(codec, &packet, own, sequence)?;
        if let Some(source) = &mut self.source {
            source.measure_jitter(packet.timestamp, codec.clock_rate_hz(), now);
        }
        let audio = AudioPacket {
            mends: audio
                .mends
                .max(u8::try_from(blocks.len()).unwrap_or(u8::MAX)),
            ..audio
        };
        self.quality.note_format(codec, audio.duration_ticks);
        if self.receive.insert(audio, codec, now)? == Inserted::Late {
            self.quality.note_packet(sequence, Fate::Discarded);
        }
        for (copy, back) in blocks.into_iter().rev().zip(1..) {
            let number = sequence.checked_sub(back);
            let copy = number.and_then(|number| AudioPacket::new(codec, &packet, copy, number));
            copy.and_then(|copy| self.receive.insert_copy(copy, codec));
        }
        self.guess_loss();
        Some(())
    }

    /// Which SSRC is listened to: the first, until another one sends two packets in a row.
    fn judge_source(&mut self, packet: &RtpPacket<'_>) -> Option<Sequenced> {
        if let Some(source) = self
            .source
            .as_mut()
            .filter(|source| source.ssrc() == packet.ssrc)
        {
            self.contender = None;
            return Some(source.receive(packet));
        }
        if self.source.is_some() && self.contender != Some((packet.ssrc, packet.sequence)) {
            self.contender = Some((packet.ssrc, packet.sequence.wrapping_add(1)));
            return None;
        }
        self.contender = None;
        if let Some(old) = self.source.take() {
            self.earlier.add(&old);
            self.receive.restart();
            self.quality.restart();
            self.heard_digits.restart();
        }
        Some(
            self.source
                .insert(RtpSource::new(packet.ssrc))
                .receive(packet),
        )
    }

    fn note_start(&mut self, source: SocketAddr) {
        if !std::mem::replace(&mut self.has_started, true) {
            self.push_event(SessionEvent::Started { source });
        }
    }

    /// A datagram came in on the RTCP port.
    pub fn handle_rtcp(&mut self, datagram: &[u8], source: SocketAddr, now: Instant) {
        let Some(expected) = self.stream.as_ref().map(|stream| {
            let media = stream
                .latch
                .locked()
                .unwrap_or(stream.parameters.remote_rtp);
            source == stream.parameters.remote_rtcp || source.ip() == media.ip()
        }) else {
            return;
        };
        let received = if expected || self.protection.authenticates() {
            let packet = self.protection.open_rtcp(datagram, &mut self.opened);
            packet.and_then(|packet| rtcp::parse(packet).ok())
        } else {
            None
        };
        let Some(received) = received else {
            self.datagrams_dropped += 1;
            return;
        };
        self.schedule.note_packet(datagram.len());
        for part in received {
            match part {
                Received::Report(report) => self.handle_report(&report, source, now),
                Received::Bye { ssrc }
                    if self
                        .source
                        .as_ref()
                        .is_some_and(|known| known.ssrc() == ssrc) =>
                {
                    self.push_event(SessionEvent::RemoteBye);
                }
                Received::VoipMetrics(metrics) if metrics.ssrc == self.rtp.ssrc() => {
                    self.quality.note_metrics(metrics);
                }
                Received::VoipMetrics(_) | Received::Bye { .. } => {}
            }
        }
    }

    fn handle_report(&mut self, report: &Report, from: SocketAddr, now: Instant) {
        if let Some(source) = self
            .source
            .as_mut()
            .filter(|source| source.ssrc() == report.ssrc)
        {
            // Only the source itself proves an address that was not announced.
            self.rtcp_source = Some(from);
            if let Some(sender) = report.sender {
                source.note_sender_report(rtcp::ntp_middle(sender.ntp), now);
            }
        }
        let ssrc = self.rtp.ssrc();
        let about_us = report.blocks.iter().find(|block| block.ssrc == ssrc);
        self.quality.note_report(about_us, self.rtp.packets(), now);
        let Some(block) = about_us else {
            return;
        };
        let round_trip = rtcp::round_trip(
            self.clock.ntp(now),
            block.last_sender_report,
            block.delay_since,
        );
        self.round_trip = round_trip.or(self.round_trip);
        self.remote_packets_lost = Some(block.cumulative_lost);
        let reported = u8::try_from(u32::from(block.fraction_lost) * 100 / 256).unwrap_or(100);
        self.expect_loss(reported.max(self.expected_loss_percent / 4 * 3));
    }

    /// Until the peer reports for the first time, after some seconds, its loss is taken to be ours:
    /// most paths are alike in both directions.
    fn guess_loss(&mut self) {
        if self.remote_packets_lost.is_some() {
            return;
        }
        let Some(tracker) = self.source.as_ref().map(RtpSource::tracker) else {
            return;
        };
        let (received, lost) = (tracker.received(), tracker.lost());
        if received + lost >= PACKETS_FOR_A_GUESS {
            let percent = u8::try_from(lost * 100 / (received + lost)).unwrap_or(100);
            self.expect_loss(percent);
        }
    }

    fn expect_loss(&mut self, percent: u8) {
        if percent == self.expected_loss_percent {
            return;
        }
        self.expected_loss_percent = percent;
        if let Some(stream) = &mut self.stream {
            stream.pipeline.set_expected_loss(percent);
        }
    }

    /// 10 ms were captured: the datagram to send, if any.
    pub fn capture(&mut self, frame: &Frame) -> Option<Transmit<'_>> {
        self.send_level_dbfs = match self.microphone {
            Microphone::Live => level_dbfs(frame),
            Microphone::Muted => SILENCE_DBFS,
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
        let bytes = stream
            .pipeline
            .process(frame, self.microphone, &mut self.digits, &mut self.rtp)
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

    fn packets_received(&self) -> u64 {
        let tracker = self.source.as_ref().map(RtpSource::tracker);
        self.earlier.received + tracker.map_or(0, SequenceTracker::received)
    }

    /// When to call [`Session::poll_rtcp`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let report = self.schedule.next();
        self.protection
            .poll_timeout()
            .map_or(report, |handshake| handshake.min(report))
    }

    /// The report that is due at `now`, if one is. Afterwards the deadline is later than `now`.
    pub fn poll_rtcp(&mut self, now: Instant) -> Option<Transmit<'_>> {
        if self.schedule.next() > now || self.schedule.expire(now) == Due::Later {
            return None;
        }
        self.write_rtcp(Leaving::No, now)
    }

    /// The last report, which says BYE; nothing if the peer never heard of us.
    pub fn leave(&mut self, now: Instant) -> Option<Transmit<'_>> {
        if self.rtp.packets() == 0 && self.source.is_none() {
            return None;
        }
        self.write_rtcp(Leaving::Yes, now)
    }

    fn write_rtcp(&mut self, leaving: Leaving, now: Instant) -> Option<Transmit<'_>> {
        let target = self.rtcp_target()?;
        let report = self.report(now);
        let metrics = match self.extended_reports {
            ExtendedReports::None => None,
            ExtendedReports::VoipMetrics => self
                .source
                .as_ref()
                .and_then(|source| self.quality.metrics(&self.stats(), source.ssrc())),
        };
        self.rtcp_bytes = rtcp::write_extended(&report, metrics, &self.cname, leaving).ok()?;
        match self.protection.close_rtcp(&self.rtcp_bytes) {
            Ok(bytes) => {
                let bytes = bytes?;
                self.schedule.note_packet(bytes.len());
                Some(Transmit { target, bytes })
            }
            Err(failure) => {
                Self::push(&mut self.events, SessionEvent::NotSecured(failure));
                None
            }
        }
    }

    /// Where the peer's reports come from, else the announced address, as long as its media comes
    /// from the announced host.
    fn rtcp_target(&self) -> Option<SocketAddr> {
        let stream = self.stream.as_ref()?;
        let media = stream.latch.target()?;
        let announced = stream.parameters.remote_rtcp;
        let is_announced_host = media.ip() == stream.parameters.remote_rtp.ip();
        let proven = self.rtcp_source.filter(|source| source.ip() == media.ip());
        proven.or_else(|| (is_announced_host && announced.port() != 0).then_some(announced))
    }

    fn report(&mut self, now: Instant) -> Report {
        let packets = self.rtp.packets();
        let has_sent = std::mem::replace(&mut self.reported_packets, packets) != packets;
        let low = |count: u64| u32::try_from(count & 0xffff_ffff).expect("masked to 32 bits");
        let sender = has_sent.then(|| SenderInfo {
            ntp: self.clock.ntp(now),
            rtp_timestamp: self.rtp.timestamp(),
            packets: low(packets),
            octets: low(self.rtp.octets()),
        });
        let block = self.source.as_mut().and_then(|source| {
            let loss = source.loss_report()?;
            let (last_sender_report, delay_since) = source.last_sender_report(now);
            Some(ReportBlock {
                ssrc: source.ssrc(),
                fraction_lost: loss.fraction_lost,
                cumulative_lost: loss.cumulative_lost,
                highest_sequence: loss.highest_sequence,
                jitter_ticks: source.jitter_ticks(),
                last_sender_report,
                delay_since,
            })
        });
        Report {
            ssrc: self.rtp.ssrc(),
            sender,
            blocks: block.into_iter().collect(),
        }
    }

    /// The next thing that the owner may want to know.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events.pop_front()
    }

    fn push_event(&mut self, event: SessionEvent) {
        Self::push(&mut self.events, event);
    }

    fn push(events: &mut VecDeque<SessionEvent>, event: SessionEvent) {
        if events.len() == MAX_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> MediaStats {
        let source = self.source.as_ref();
        let tracker = source.map(RtpSource::tracker);
        let stats = MediaStats {
            send_codec: self.stream.as_ref().map(|stream| stream.pipeline.codec()),
            receive_codec: self.receive.codec(),
            packets_sent: self.rtp.packets(),
            octets_sent: self.rtp.octets(),
            packets_received: self.packets_received(),
            octets_received: self.earlier.octets + source.map_or(0, RtpSource::octets),
            packets_lost: self.earlier.lost + tracker.map_or(0, SequenceTracker::lost),
            packets_duplicate: self.earlier.duplicates
                + tracker.map_or(0, SequenceTracker::duplicates),
            datagrams_dropped: self.datagrams_dropped,
            received: self.receive.counters(),
            jitter_ms: source.map_or(0.0, RtpSource::jitter_ms),
            round_trip: self.round_trip,
            remote_packets_lost: self.remote_packets_lost,
            playout: self.receive.playout_stats(),
            send_level_dbfs: self.send_level_dbfs,
            receive_level_dbfs: self.receive_level_dbfs,
            quality: CallQuality::default(),
        };
        MediaStats {
            quality: self.quality.assess(&stats),
            ..stats
        }
    }
}

impl Earlier {
    fn add(&mut self, source: &RtpSource) {
        self.received += source.tracker().received();
        self.lost += source.tracker().lost();
        self.duplicates += source.tracker().duplicates();
        self.octets += source.octets();
    }
}

/// Why a digit cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigitError {
    /// No telephone-events were agreed, or we do not send now.
    #[error("the other side takes no digits now")]
    NotAgreed,
    /// Try again later.
    #[error(transparent)]
    QueueFull(#[from] QueueFull),
}
