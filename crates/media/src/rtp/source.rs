//! Our own stream's numbers, and what is known of the stream that comes in.

use std::time::Instant;

use super::sequence::LossReport;
use super::{RtpPacket, SequenceTracker, Sequenced};

/// Numbers of the stream that we send: one SSRC for the life of the session.
#[derive(Clone, Debug)]
pub struct RtpSender {
    ssrc: u32,
    next_sequence: u16,
    timestamp: u32,
    packets: u64,
    octets: u64,
}

impl RtpSender {
    /// Starts at random places (RFC 3550 section 5.1), chosen by the caller.
    #[must_use]
    pub fn new(ssrc: u32, first_sequence: u16, first_timestamp: u32) -> Self {
        Self {
            ssrc,
            next_sequence: first_sequence,
            timestamp: first_timestamp,
            packets: 0,
            octets: 0,
        }
    }

    /// Who we are.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Timestamp of the block that is captured now.
    #[must_use]
    pub fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// Packets sent.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Payload bytes sent.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Time passes, whether or not anything is sent.
    pub fn advance(&mut self, ticks: u32) {
        self.timestamp = self.timestamp.wrapping_add(ticks);
    }

    /// The next packet; counts it as sent.
    pub fn packet<'a>(
        &mut self,
        payload_type: u8,
        marker: Marker,
        timestamp: u32,
        payload: &'a [u8],
    ) -> RtpPacket<'a> {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        self.packets += 1;
        self.octets += payload.len() as u64;
        RtpPacket {
            payload_type,
            marker: marker == Marker::Set,
            sequence,
            timestamp,
            ssrc: self.ssrc,
            payload,
        }
    }
}

/// Whether a packet opens a talkspurt or an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// It does.
    Set,
    /// It goes on.
    Clear,
}

/// What is known of one source that sends to us.
#[derive(Clone, Debug)]
pub struct RtpSource {
    ssrc: u32,
    tracker: SequenceTracker,
    octets: u64,
    jitter: InterarrivalJitter,
    last_sender_report: Option<(u32, Instant)>,
}

impl RtpSource {
    /// Knows nothing but the name yet.
    #[must_use]
    pub fn new(ssrc: u32) -> Self {
        Self {
            ssrc,
            tracker: SequenceTracker::default(),
            octets: 0,
            jitter: InterarrivalJitter::default(),
            last_sender_report: None,
        }
    }

    /// Who it is.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Takes note of a packet's number and size.
    pub fn receive(&mut self, packet: &RtpPacket<'_>) -> Sequenced {
        let verdict = self.tracker.update(packet.sequence);
        if matches!(
            verdict,
            Sequenced::Accepted { .. } | Sequenced::Restarted { .. }
        ) {
            self.octets += packet.payload.len() as u64;
        }
        if matches!(verdict, Sequenced::Restarted { .. }) {
            self.jitter.break_off();
        }
        verdict
    }

    /// Takes note of an audio packet's timing. Not for events, which repeat a timestamp.
    pub fn measure_jitter(&mut self, timestamp: u32, clock_rate_hz: u32, now: Instant) {
        self.jitter.update(timestamp, clock_rate_hz, now);
    }

    /// Interarrival jitter in milliseconds (RFC 3550 appendix A.8).
    #[must_use]
    pub fn jitter_ms(&self) -> f64 {
        self.jitter.value_ms()
    }

    /// The same in timestamp units, as a report carries it.
    #[must_use]
    pub fn jitter_ticks(&self) -> u32 {
        self.jitter.value_ticks()
    }

    /// Received, lost and duplicate packets.
    #[must_use]
    pub fn tracker(&self) -> &SequenceTracker {
        &self.tracker
    }

    /// Payload bytes received.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// A sender report came: the middle 32 bits of its NTP time.
    pub fn note_sender_report(&mut self, ntp_middle: u32, now: Instant) {
        self.last_sender_report = Some((ntp_middle, now));
    }

    /// LSR and DLSR of a report block, zero before the first sender report (RFC 3550 section 6.4.1).
    #[must_use]
    pub fn last_sender_report(&self, now: Instant) -> (u32, u32) {
        let Some((ntp_middle, at)) = self.last_sender_report else {
            return (0, 0);
        };
        let delay = now.saturating_duration_since(at);
        let units = delay.as_nanos() * 65_536 / 1_000_000_000;
        (ntp_middle, u32::try_from(units).unwrap_or(u32::MAX))
    }

    /// Loss for the next report block.
    pub fn loss_report(&mut self) -> Option<LossReport> {
        self.tracker.report()
    }
}

/// Smoothed difference of packet spacing at the receiver and at the sender (RFC 3550 A.8).
#[derive(Clone, Debug, Default)]
struct InterarrivalJitter {
    last: Option<(u32, Instant)>,
    clock_rate_hz: u32,
    ticks: f64,
}

impl InterarrivalJitter {
    fn update(&mut self, timestamp: u32, clock_rate_hz: u32, now: Instant) {
        if clock_rate_hz != self.clock_rate_hz {
            *self = Self {
                clock_rate_hz,
                ..Self::default()
            };
        }
        if let Some((last_timestamp, last_arrival)) = self.last {
            let arrived = now.saturating_duration_since(last_arrival).as_secs_f64()
                * f64::from(clock_rate_hz);
            let sent = f64::from(timestamp.wrapping_sub(last_timestamp).cast_signed());
            self.ticks += ((arrived - sent).abs() - self.ticks) / 16.0;
        }
        self.last = Some((timestamp, now));
    }

    /// The next packet is not compared with the last.
    fn break_off(&mut self) {
        self.last = None;
    }

    fn value_ms(&self) -> f64 {
        self.ticks * 1_000.0 / f64::from(self.clock_rate_hz.max(1))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "never negative; a float too large saturates"
    )]
    fn value_ticks(&self) -> u32 {
        self.ticks as u32
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_sender_counts_packets_and_lets_time_pass_in_silence() {
        let mut sender = RtpSender::new(7, 65_535, u32::MAX);
        let timestamp = sender.timestamp();
        let packet = sender.packet(0, Marker::Set, timestamp, &[1, 2, 3]);
        assert_eq!(
            (packet.sequence, packet.timestamp, packet.marker),
            (65_535, u32::MAX, true)
        );
        sender.advance(160);
        sender.advance(160);
        let timestamp = sender.timestamp();
        let packet = sender.packet(0, Marker::Clear, timestamp, &[4]);
        assert_eq!(
            (packet.sequence, packet.timestamp, packet.marker),
            (0, 319, false)
        );
        assert_eq!((sender.packets(), sender.octets()), (2, 4));
    }

    #[test]
    fn even_spacing_has_no_jitter_and_uneven_spacing_has() {
        let start = crate::any_instant();
        let mut steady = InterarrivalJitter::default();
        let mut uneven = InterarrivalJitter::default();
        for n in 0..500_u32 {
            let at = start + Duration::from_millis(20) * n;
            steady.update(n * 160, 8_000, at);
            uneven.update(
                n * 160,
                8_000,
                at + Duration::from_millis(u64::from(n % 2) * 10),
            );
        }
        assert!(steady.value_ms() < 0.01, "{}", steady.value_ms());
        assert!(
            (uneven.value_ms() - 10.0).abs() < 0.1,
            "{}",
            uneven.value_ms()
        );
        assert_eq!(uneven.value_ticks(), 79);
    }

    #[test]
    fn the_delay_since_a_sender_report_is_in_65536ths_of_a_second() {
        let now = crate::any_instant();
        let mut source = RtpSource::new(1);
        assert_eq!(source.last_sender_report(now), (0, 0));
        source.note_sender_report(0x1234_5678, now);
        assert_eq!(
            source.last_sender_report(now + Duration::from_millis(1_500)),
            (0x1234_5678, 98_304)
        );
    }
}
