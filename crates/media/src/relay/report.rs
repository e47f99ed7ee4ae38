//! RTCP of one leg: read from its party, written to it, never passed on.
//!
//! To each party the relay is the source of the stream that it sends there, and its only receiver: it
//! writes sender reports in the name of that stream's SSRC and report blocks about what came, on a schedule of its
//! own. RFC 3550 section 7.2 lets a translator do so where that makes more sense than passing on.
//! What it writes still tells of the whole way:
//!
//! - *Loss and jitter*: sequence numbers pass unchanged, so the other party's block about the stream
//!   already counts both halves of the way. It is used while it is fresh; otherwise our own counters are.
//! - *Round trip*: the delay since the last sender report is made shorter by the round trip to the
//!   other party, so that the reader computes the sum of both.
//! - *Time*: a sender report carries the other party's own pair of clocks, moved on to now.
//!
//! BYE, names and everything else in a party's RTCP ends here: calls end by signalling, and canonical names are ours.

use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::rtcp::{Due, Report, ReportBlock, Schedule, SenderInfo, WallClock, ntp_middle};
use crate::rtp::RtpSource;

/// How long a party's block counts for the other: three of the longest usual intervals.
const FRESH: Duration = Duration::from_secs(21);

/// Longest round trip that is believed.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(10);

/// RTCP of one leg.
pub(super) struct Reporter {
    schedule: Schedule,
    /// Our name while nothing was sent to the party.
    own_ssrc: u32,
    /// The stream that we send to the party.
    sent: Option<Sent>,
    /// NTP time of our last two sender reports to the party, and when they left.
    stamps: [Option<(u32, Instant)>; 2],
    /// The party's own last sender report.
    sender: Option<(SenderInfo, Instant)>,
    /// What the party says of the stream that we send it.
    view: Option<(ReportBlock, Instant)>,
    round_trip: Option<Duration>,
    /// What we told the party of its own stream.
    told: Option<Told>,
}

/// The stream that we send to a party, of one SSRC.
struct Sent {
    ssrc: u32,
    packets: u64,
    octets: u64,
    /// Of the last packet, and when it went.
    timestamp: u32,
    at: Instant,
    /// Packets at our last two reports.
    reported: [u64; 2],
}

/// The numbers that a fraction is the difference of.
#[derive(Clone, Copy)]
struct Told {
    ssrc: u32,
    highest: u32,
    lost: i32,
    fraction: u8,
}

impl Reporter {
    /// The first report comes after about 2.5 s.
    pub(super) fn new(mut random: ChaCha8Rng, now: Instant) -> Self {
        let own_ssrc = random.next_u32();
        Self {
            schedule: Schedule::new(random, now),
            own_ssrc,
            sent: None,
            stamps: [None; 2],
            sender: None,
            view: None,
            round_trip: None,
            told: None,
        }
    }

    /// When to ask [`Reporter::expire`] next.
    pub(super) fn deadline(&self) -> Instant {
        self.schedule.next()
    }

    /// The deadline has come; afterwards it is later than `now`.
    pub(super) fn expire(&mut self, now: Instant) -> Due {
        self.schedule.expire(now)
    }

    pub(super) fn note_size(&mut self, len_bytes: usize) {
        self.schedule.note_packet(len_bytes);
    }

    /// An RTP packet went to the party.
    pub(super) fn note_sent(&mut self, ssrc: u32, timestamp: u32, octets: usize, now: Instant) {
        let sent = match &mut self.sent {
            Some(sent) if sent.ssrc == ssrc => sent,
            other => other.insert(Sent {
                ssrc,
                packets: 0,
                octets: 0,
                timestamp,
                at: now,
                reported: [0; 2],
            }),
        };
        sent.packets += 1;
        sent.octets += octets as u64;
        (sent.timestamp, sent.at) = (timestamp, now);
    }

    /// Whether the party gets a stream from us.
    pub(super) fn has_sent(&self) -> bool {
        self.sent.is_some()
    }

    /// Between the party and us.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// What the party says it lost in all.
    pub(super) fn remote_lost(&self) -> Option<u32> {
        let (block, _) = self.view?;
        Some(u32::try_from(signed(block.cumulative_lost)).unwrap_or(0))
    }

    /// A report of the party; `source` is its stream.
    pub(super) fn read(&mut self, report: &Report, source: Option<&mut RtpSource>, now: Instant) {
        if let (Some(sender), Some(source)) = (report.sender, source)
            && source.ssrc() == report.ssrc
        {
            source.note_sender_report(ntp_middle(sender.ntp), now);
            self.sender = Some((sender, now));
        }
        let Some(sent) = &self.sent else {
            return;
        };
        let about_ours = |block: &&ReportBlock| block.ssrc == sent.ssrc;
        let Some(block) = report.blocks.iter().find(about_ours) else {
            return;
        };
        self.view = Some((*block, now));
        let mut stamps = self.stamps.iter().flatten();
        if let Some((_, left)) = stamps.find(|(stamp, _)| *stamp == block.last_sender_report) {
            let away = now.saturating_duration_since(*left);
            let held = Duration::from_nanos(u64::from(block.delay_since) * 1_000_000_000 / 65_536);
            let round_trip = away.saturating_sub(held);
            if round_trip <= MAX_ROUND_TRIP {
                self.round_trip = Some(round_trip);
            }
        }
    }

    /// The report to this leg's party, whose stream is `source`. `far` is the other leg's RTCP, `far_rate_hz` its clock.
    pub(super) fn write(
        &mut self,
        source: Option<&mut RtpSource>,
        far: &Self,
        far_rate_hz: u32,
        clock: &WallClock,
        now: Instant,
    ) -> Report {
        let sender = self.sender_info(far, far_rate_hz, clock, now);
        if let Some(info) = &sender {
            self.stamps = [Some((ntp_middle(info.ntp), now)), self.stamps[0]];
        }
        Report {
            ssrc: self.sent.as_ref().map_or(self.own_ssrc, |sent| sent.ssrc),
            sender,
            blocks: source
                .and_then(|source| self.block(source, far, now))
                .into_iter()
                .collect(),
        }
    }

    /// Sender information, if anything was sent since the report before the last (RFC 3550 section 6.4).
    fn sender_info(
        &mut self,
        far: &Self,
        rate_hz: u32,
        clock: &WallClock,
        now: Instant,
    ) -> Option<SenderInfo> {
        let sent = self.sent.as_mut()?;
        let is_active = sent.packets != sent.reported[1];
        sent.reported = [sent.packets, sent.reported[0]];
        if !is_active {
            return None;
        }
        let (ntp, rtp_timestamp) = match far.sender {
            Some((info, at)) => {
                let since = now.saturating_duration_since(at);
                (
                    info.ntp.wrapping_add(ntp_units(since)),
                    info.rtp_timestamp.wrapping_add(ticks(since, rate_hz)),
                )
            }
            None => {
                let since = now.saturating_duration_since(sent.at);
                (
                    clock.ntp(now),
                    sent.timestamp.wrapping_add(ticks(since, rate_hz)),
                )
            }
        };
        Some(SenderInfo {
            ntp,
            rtp_timestamp,
            packets: low(sent.packets),
            octets: low(sent.octets),
        })
    }

    fn block(&mut self, source: &mut RtpSource, far: &Self, now: Instant) -> Option<ReportBlock> {
        let own = source.loss_report()?;
        let seen = far.view.filter(|(block, at)| {
            block.ssrc == source.ssrc() && now.saturating_duration_since(*at) <= FRESH
        });
        let (highest_sequence, cumulative_lost, jitter_ticks) = match seen {
            Some((block, _)) => (
                block.highest_sequence,
                block.cumulative_lost,
                block.jitter_ticks,
            ),
            None => (
                own.highest_sequence,
                own.cumulative_lost,
                source.jitter_ticks(),
            ),
        };
        let fallback = seen.map_or(own.fraction_lost, |(block, _)| block.fraction_lost);
        let fraction_lost =
            self.fraction(source.ssrc(), highest_sequence, cumulative_lost, fallback);
        let (last_sender_report, delay_since) = source.last_sender_report(now);
        let beyond = far.round_trip.map_or(0, |trip| ticks(trip, 65_536));
        Some(ReportBlock {
            ssrc: source.ssrc(),
            fraction_lost,
            cumulative_lost,
            highest_sequence,
            jitter_ticks,
            last_sender_report,
            delay_since: delay_since.saturating_sub(beyond),
        })
    }

    /// Loss since we told last; the same again while nothing new is known, `fallback` if nothing was told.
    fn fraction(&mut self, ssrc: u32, highest: u32, cumulative_lost: u32, fallback: u8) -> u8 {
        let lost = signed(cumulative_lost);
        let fraction = match self.told {
            Some(told) if told.ssrc == ssrc => {
                let expected = i64::from(highest.wrapping_sub(told.highest).cast_signed());
                let newly_lost = i64::from(lost) - i64::from(told.lost);
                if expected <= 0 {
                    told.fraction
                } else {
                    u8::try_from(newly_lost.max(0) * 256 / expected).unwrap_or(u8::MAX)
                }
            }
            _ => fallback,
        };
        self.told = Some(Told {
            ssrc,
            highest,
            lost,
            fraction,
        });
        fraction
    }
}

/// Packets lost in all are a number of 24 bits with a sign (RFC 3550 section 6.4.1).
fn signed(cumulative_lost: u32) -> i32 {
    (cumulative_lost << 8).cast_signed() >> 8
}

fn low(count: u64) -> u32 {
    u32::try_from(count & 0xffff_ffff).expect("masked to 32 bits")
}

/// Ticks of a clock in a time, modulo 2^32.
fn ticks(time: Duration, rate_hz: u32) -> u32 {
    let ticks = time.as_nanos() * u128::from(rate_hz) / 1_000_000_000;
    u32::try_from(ticks & 0xffff_ffff).expect("masked to 32 bits")
}

/// A time in units of NTP, 2^-32 s.
fn ntp_units(time: Duration) -> u64 {
    (time.as_secs() << 32) + ((u64::from(time.subsec_nanos()) << 32) / 1_000_000_000)
}
