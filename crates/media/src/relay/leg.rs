//! One party's end of one stream: who is taken for the party, what it sends, where it is sent to.

use std::net::SocketAddr;
use std::time::Instant;

use super::counts::{DropReason, LegStats};
use super::handshake::LegHandshake;
use super::ice::{Checked, LegIce};
use super::keys::LegKeys;
use super::peer::{Peer, RtcpAddress, is_reachable};
use super::place::{Component, Place};
use super::protection::{PacketKind, Protection};
use super::report::Reporter;
use crate::rtcp::{self, Received};
use crate::rtp::{Latch, RtpPacket, RtpSource, SequenceTracker, Sequenced, SourceLatch};
use stun::LiteAgent;

/// See the module header.
pub(super) struct Leg {
    pub(super) place: Place,
    pub(super) reporter: Reporter,
    peer: Option<Peer>,
    latch: Option<SourceLatch>,
    /// Where the party does ICE: then the latch has no say.
    ice: Option<Box<LegIce>>,
    /// Where RTCP comes from, apart from RTP.
    rtcp_source: Option<SocketAddr>,
    pub(super) source: Option<RtpSource>,
    /// Another SSRC from the right place: believed when it goes on.
    contender: Option<(u32, u16)>,
    protection: Option<Box<dyn Protection>>,
    /// Where the keys come from, if from a handshake.
    pub(super) handshake: Option<Box<LegHandshake>>,
    heard_at: Option<Instant>,
    /// Received, octets and lost of sources before the present one.
    earlier: [u64; 3],
    packets_sent: u64,
    pub(super) datagrams_dropped: u64,
    /// What the leg is found by; kept by [`super::keys::Keys`].
    pub(super) keys: LegKeys,
}

/// An RTP packet that is the party's own, plain in its buffer.
#[derive(Clone, Copy)]
pub(super) struct Accepted {
    pub(super) len: usize,
    ssrc: u32,
    timestamp: u32,
    payload: usize,
    /// The source has proven itself with this packet.
    pub(super) is_first: bool,
}

impl Leg {
    pub(super) fn new(place: Place, reporter: Reporter) -> Self {
        Self {
            place,
            reporter,
            peer: None,
            latch: None,
            ice: None,
            rtcp_source: None,
            source: None,
            contender: None,
            protection: None,
            handshake: None,
            heard_at: None,
            earlier: [0; 3],
            packets_sent: 0,
            datagrams_dropped: 0,
            keys: LegKeys::default(),
        }
    }

    pub(super) fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    pub(super) fn announce(&mut self, peer: Peer) {
        let before = self.peer.replace(peer);
        match &mut self.latch {
            Some(latch) => latch.announce(peer.rtp),
            None => self.latch = Some(SourceLatch::new(peer.rtp)),
        }
        if before.is_none_or(|before| before.rtp != peer.rtp || before.rtcp != peer.rtcp) {
            self.rtcp_source = None;
        }
    }

    pub(super) fn set_protection(&mut self, protection: Option<Box<dyn Protection>>) {
        self.protection = protection;
    }

    /// The party does ICE, by these credentials of ours; or with `None` it does not, and the latch is open.
    pub(super) fn set_ice(&mut self, agent: Option<LiteAgent>) {
        match (agent, &mut self.ice) {
            (Some(agent), Some(ice)) => ice.restart(agent),
            (Some(agent), ice) => *ice = Some(Box::new(LegIce::new(agent))),
            (None, ice) => {
                if ice.take().is_some() {
                    self.latch = self.peer.map(|peer| SourceLatch::new(peer.rtp));
                    self.rtcp_source = None;
                }
            }
        }
    }

    /// What requests for this leg name it by.
    pub(super) fn fragment(&self) -> Option<&str> {
        self.ice.as_deref().map(LegIce::fragment)
    }

    /// STUN came for this leg.
    pub(super) fn check(
        &mut self,
        component: Component,
        source: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) -> Option<Checked> {
        self.ice.as_mut()?.check(datagram, component, source, now)
    }

    /// The addresses that media and reports for this leg may come from.
    pub(super) fn addresses(&self) -> Vec<(Component, SocketAddr)> {
        let mut addresses = Vec::with_capacity(2);
        if let Some(ice) = &self.ice {
            addresses.extend(ice.addresses());
        } else {
            let latch = self.latch.as_ref();
            let media = [
                self.peer.map(|peer| peer.rtp),
                latch.and_then(SourceLatch::locked),
                latch.and_then(SourceLatch::former),
            ];
            let reports = [
                self.peer.and_then(|peer| peer.rtcp_apart()),
                self.rtcp_source,
            ];
            let media = media.into_iter().flatten();
            let reports = reports.into_iter().flatten();
            addresses.extend(media.map(|address| (Component::Rtp, address)));
            addresses.extend(reports.map(|address| (Component::Rtcp, address)));
        }
        addresses.retain(|(_, address)| is_reachable(*address));
        addresses
    }

    /// Whether something that is neither RTP nor RTCP may be of the party: a handshake.
    pub(super) fn expects(&self, source: SocketAddr) -> bool {
        match (&self.ice, &self.latch) {
            (Some(ice), _) => ice.takes(source),
            (None, Some(latch)) => latch.expects(source),
            (None, None) => false,
        }
    }

    /// Where media for the party goes, if anywhere.
    pub(super) fn target(&self, now: Instant) -> Option<SocketAddr> {
        match &self.ice {
            Some(ice) => ice.target(Component::Rtp, now),
            None => self.latch.as_ref()?.target(),
        }
    }

    /// Judges what came for this leg and reads it, if it is RTP of its party.
    pub(super) fn accept(
        &mut self,
        source: SocketAddr,
        buffer: &mut [u8],
        len: usize,
        now: Instant,
    ) -> Result<Accepted, DropReason> {
        let latch = self.latch.as_mut().ok_or(DropReason::NotAnswered)?;
        // What cannot be the party's costs no cryptography.
        let may_be = match &self.ice {
            Some(ice) => ice.takes(source),
            None => latch.locked().is_none_or(|locked| locked == source),
        };
        if !may_be {
            return Err(DropReason::WrongSource);
        }
        let len = match &mut self.protection {
            Some(protection) => protection
                .unprotect(PacketKind::Rtp, buffer, len)
                .map_err(|_| DropReason::NotAuthentic)?,
            None => len,
        };
        let plain = buffer.get(..len).ok_or(DropReason::Malformed)?;
        let packet = RtpPacket::parse(plain).map_err(|_| DropReason::Malformed)?;
        let is_first = self.ice.is_none() && latch.locked().is_none();
        if let Some(ice) = &mut self.ice {
            ice.note_heard(now);
        } else if is_first && self.protection.is_some() {
            // The key is a better proof than any number of packets.
            latch.lock(source);
        } else if latch.judge(source, &packet) == Latch::Drop {
            return Err(DropReason::Unproven);
        }
        self.follow(&packet, now)?;
        self.heard_at = Some(now);
        Ok(Accepted {
            len,
            ssrc: packet.ssrc,
            timestamp: packet.timestamp,
            payload: packet.payload.len(),
            is_first,
        })
    }

    /// One SSRC at a time: another one from the right place is believed with its second packet.
    fn follow(&mut self, packet: &RtpPacket<'_>, now: Instant) -> Result<(), DropReason> {
        let is_known = self
            .source
            .as_ref()
            .is_some_and(|source| source.ssrc() == packet.ssrc);
        if !is_known {
            let goes_on = self.contender == Some((packet.ssrc, packet.sequence));
            if self.source.is_some() && !goes_on {
                self.contender = Some((packet.ssrc, packet.sequence.wrapping_add(1)));
                return Err(DropReason::OutOfLine);
            }
            self.contender = None;
            if let Some(old) = self.source.replace(RtpSource::new(packet.ssrc)) {
                let tracker = old.tracker();
                let sums = [tracker.received(), old.octets(), tracker.lost()];
                for (earlier, sum) in self.earlier.iter_mut().zip(sums) {
                    *earlier += sum;
                }
            }
        }
        let rate_hz = self.peer.map_or(8_000, |peer| peer.clock_rate_hz);
        let source = self.source.as_mut().ok_or(DropReason::OutOfLine)?;
        match source.receive(packet) {
            Sequenced::Rejected => return Err(DropReason::OutOfLine),
            Sequenced::Duplicate => {}
            Sequenced::Accepted { .. } | Sequenced::Restarted { .. } => {
                source.measure_jitter(packet.timestamp, rate_hz, now);
            }
        }
        Ok(())
    }

    /// Makes the other party's packet ready for this one: where to, and how long it is now.
    pub(super) fn send(
        &mut self,
        accepted: Accepted,
        buffer: &mut [u8],
        now: Instant,
    ) -> Result<(SocketAddr, usize), DropReason> {
        let target = self.target(now).ok_or(DropReason::NoTarget)?;
        let len = match &mut self.protection {
            Some(protection) => protection
                .protect(PacketKind::Rtp, buffer, accepted.len)
                .map_err(|_| DropReason::NoTarget)?,
            None => accepted.len,
        };
        self.packets_sent += 1;
        self.reporter
            .note_sent(accepted.ssrc, accepted.timestamp, accepted.payload, now);
        Ok((target, len))
    }

    /// Reads RTCP that came for this leg. Whether its source was learned by it.
    pub(super) fn read_rtcp(
        &mut self,
        source: SocketAddr,
        buffer: &mut [u8],
        len: usize,
        now: Instant,
    ) -> Result<bool, DropReason> {
        let is_new = self.judge_rtcp(source)?;
        let len = match &mut self.protection {
            Some(protection) => protection
                .unprotect(PacketKind::Rtcp, buffer, len)
                .map_err(|_| DropReason::NotAuthentic)?,
            None => len,
        };
        let plain = buffer.get(..len).ok_or(DropReason::Malformed)?;
        let received = rtcp::parse(plain).map_err(|_| DropReason::Malformed)?;
        if is_new {
            self.rtcp_source = Some(source);
        }
        if let Some(ice) = &mut self.ice {
            ice.note_heard(now);
        }
        self.reporter.note_size(len);
        for part in received {
            if let Received::Report(report) = part {
                self.reporter.read(&report, self.source.as_mut(), now);
            }
        }
        Ok(is_new)
    }

    /// RTCP is the party's if it comes from where its RTP comes from; or, once, from where it was
    /// announced or at least from the host that has proven itself. Whether the source is new.
    fn judge_rtcp(&self, source: SocketAddr) -> Result<bool, DropReason> {
        let peer = self.peer.as_ref().ok_or(DropReason::NotAnswered)?;
        if let Some(ice) = &self.ice {
            let is_its = ice.takes_rtcp(source);
            return is_its.then_some(false).ok_or(DropReason::WrongSource);
        }
        let proven = self.latch.as_ref().and_then(SourceLatch::locked);
        if proven == Some(source) || self.rtcp_source == Some(source) {
            return Ok(false);
        }
        let may_be = match (proven, peer.rtcp) {
            (_, RtcpAddress::Multiplexed) => false,
            (Some(proven), RtcpAddress::At(_)) => proven.ip() == source.ip(),
            (None, RtcpAddress::At(announced)) => announced == source,
        };
        if self.rtcp_source.is_none() && may_be {
            Ok(true)
        } else {
            Err(DropReason::WrongSource)
        }
    }

    /// Where reports to the party go, if any make sense: from which port of ours, and to where.
    pub(super) fn rtcp_target(&self, now: Instant) -> Option<(Component, SocketAddr)> {
        let peer = self.peer.as_ref()?;
        if let Some(ice) = &self.ice {
            let component = match peer.rtcp {
                RtcpAddress::Multiplexed => Component::Rtp,
                RtcpAddress::At(_) => Component::Rtcp,
            };
            return ice.target(component, now).map(|target| (component, target));
        }
        let latch = self.latch.as_ref()?;
        let media = latch.target()?;
        match peer.rtcp {
            RtcpAddress::Multiplexed => Some((Component::Rtp, media)),
            RtcpAddress::At(announced) => {
                let is_announced = media == latch.announced() && is_reachable(announced);
                let target = self.rtcp_source.or(is_announced.then_some(announced))?;
                Some((Component::Rtcp, target))
            }
        }
    }

    /// Whether there is anything to report.
    pub(super) fn is_alive(&self) -> bool {
        self.source.is_some() || self.reporter.has_sent()
    }

    /// Protects a report of ours. Says how long it is now; `None` if it must not be sent.
    pub(super) fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        match &mut self.protection {
            Some(protection) => protection.protect(PacketKind::Rtcp, buffer, len).ok(),
            None => Some(len),
        }
    }

    pub(super) fn stats(&self, now: Instant) -> LegStats {
        let source = self.source.as_ref();
        let tracker = source.map(RtpSource::tracker);
        let [received, octets, lost] = self.earlier;
        let heard_at = match &self.ice {
            Some(ice) => ice.alive_at(),
            None => self.heard_at,
        };
        LegStats {
            source: match &self.ice {
                Some(ice) => ice.nominated(Component::Rtp),
                None => self.latch.as_ref().and_then(SourceLatch::locked),
            },
            packets_received: received + tracker.map_or(0, SequenceTracker::received),
            octets_received: octets + source.map_or(0, RtpSource::octets),
            packets_lost: lost + tracker.map_or(0, SequenceTracker::lost),
            datagrams_dropped: self.datagrams_dropped,
            packets_sent: self.packets_sent,
            jitter_ms: source.map_or(0.0, RtpSource::jitter_ms),
            silent_for: heard_at.map(|at| now.saturating_duration_since(at)),
            round_trip: self.reporter.round_trip(),
            handshake: self.handshake.as_deref().map(LegHandshake::state),
            remote_packets_lost: self.reporter.remote_lost(),
        }
    }
}
