//! RTCP of a session: what the peer reports, what it is told, and what its reports change.
//!
//! Not here: the form of the packets and their times (`crate::rtcp`).

use std::net::SocketAddr;
use std::time::Instant;

use super::{Session, SessionEvent, Stream, Transmit};
use crate::rtcp::{self, Due, Leaving, Received, Report, ReportBlock, SenderInfo};
use crate::rtp::RtpSource;

/// Packets of the peer from which its loss can be guessed: 0.6 s.
const PACKETS_FOR_A_GUESS: u64 = 30;

impl Session {
    /// A datagram came in on the RTCP port.
    pub fn handle_rtcp(&mut self, datagram: &[u8], source: SocketAddr, now: Instant) {
        let Some(expected) = self.stream.as_ref().map(|stream| {
            let proven = stream.latch.chosen().or(stream.latch.locked());
            let media = proven.unwrap_or(stream.parameters.remote_rtp);
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
        let reported = percent(block.fraction_lost);
        self.send_rate.note_report(reported, round_trip);
        self.prepare_for(reported.max(remembered(self.expected_loss_percent)));
    }

    /// Until the peer reports for the first time, after some seconds, its loss is taken to be ours:
    /// most paths are alike in both directions.
    pub(super) fn guess_loss(&mut self) {
        if self.remote_packets_lost.is_some() {
            return;
        }
        let Some(tracker) = self.source.as_ref().map(RtpSource::tracker) else {
            return;
        };
        let (received, lost) = (tracker.received(), tracker.lost());
        if received + lost >= PACKETS_FOR_A_GUESS {
            let percent = u8::try_from(lost * 100 / (received + lost)).unwrap_or(100);
            if percent != self.expected_loss_percent {
                self.send_rate.note_guess(percent);
                self.prepare_for(percent);
            }
        }
    }

    fn prepare_for(&mut self, lost_percent: u8) {
        self.expected_loss_percent = lost_percent;
        if let Some(stream) = &mut self.stream {
            stream.pipeline.set_path(lost_percent, &self.send_rate);
        }
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
        let wants_metrics = |stream: &Stream| stream.parameters.voip_metrics;
        let about = self.source.as_ref().map(RtpSource::ssrc);
        let about = about.filter(|_| self.stream.as_ref().is_some_and(wants_metrics));
        let metrics = about.and_then(|ssrc| self.quality.metrics(&self.stats(), ssrc));
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
        if stream.parameters.rtcp_mux && stream.latch.chosen().is_some() {
            return Some(media);
        }
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
}

/// A fraction of 256 (RFC 3550 section 6.4.1) in percent.
fn percent(fraction_lost: u8) -> u8 {
    u8::try_from((u32::from(fraction_lost) * 100 + 128) / 256).expect("at most 100")
}

/// What loss that was expected still counts for when the next report comes. Each is about five seconds only, and one
/// that tells of none by luck is not to take all copies away.
fn remembered(lost_percent: u8) -> u8 {
    lost_percent - lost_percent.div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_rounded_to_the_nearest_percent() {
        let percents = [0, 1, 2, 5, 13, 26, 255].map(percent);
        assert_eq!(percents, [0, 0, 1, 2, 5, 10, 100]);
    }

    #[test]
    fn loss_is_forgotten_little_by_little_and_at_last_wholly() {
        let mut loss = 10;
        let after: Vec<_> = std::iter::repeat_with(|| {
            loss = remembered(loss);
            loss
        })
        .take(7)
        .collect();
        assert_eq!(after, [7, 5, 3, 2, 1, 0, 0]);
        assert_eq!(remembered(100), 75);
    }
}
