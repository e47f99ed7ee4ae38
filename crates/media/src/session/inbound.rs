//! What comes in by the port of RTP: who is listened to, and what becomes of a packet.
//!
//! Invariant: a datagram that is not taken changes nothing but the count of those that were dropped.
//! Not here: RTCP (`reports`), what is heard (`crate::receive`).

use std::net::SocketAddr;
use std::time::Instant;

use tracing::trace;

use super::{Session, SessionEvent, Transmit};
use crate::jitter::{AudioPacket, Inserted};
use crate::quality::bursts::Fate;
use crate::rtp::{DatagramKind, Latch, RtpPacket, RtpSource, Sequenced};

impl Session {
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
        if !self.stream.as_ref()?.latch.expects(source) {
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
}
