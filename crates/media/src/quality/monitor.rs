//! What one call's session knows about its quality, and what it tells: to its owner and to the peer.

use std::time::{Duration, Instant};

use super::bursts::{BurstStats, BurstTracker, Fate, GMIN};
use super::emodel::{Concealment, Equipment, Path, Rating, codec_delay_ms};
use super::one_way::{Fault, Observation, OneWay};
use crate::codec::Codec;
use crate::frame::ticks_to_ms;
use crate::rtcp::{JitterBufferKind, LossConcealment, ReportBlock, VoipMetrics};
use crate::stats::MediaStats;

/// Delay of the peer's jitter buffer while it does not report one, in milliseconds.
const USUAL_JITTER_BUFFER_MS: f64 = 40.0;
/// `JB rate` of RFC 3611: our buffer is at its new size after about a second.
const ADAPTS_IN: u8 = 3;

/// How good a call is, in both directions. Counted over the whole call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CallQuality {
    /// What the peer says, as we hear it. `None` before its first packet.
    pub heard: Option<Quality>,
    /// What we say, as the peer hears it. `None` before its first report.
    pub sent: Option<Quality>,
    /// What the peer reports itself about how it hears us (RFC 3611).
    pub reported: Option<VoipMetrics>,
    /// Why sound goes one way only, if it does.
    pub fault: Option<Fault>,
}

/// How good one direction is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Packets that the network lost, in percent.
    pub loss_percent: f64,
    /// Interarrival jitter, in milliseconds.
    pub jitter_ms: f64,
    /// From mouth to ear as far as it is known, in milliseconds: without sound cards, and without the network
    /// before the first round trip.
    pub delay_ms: f64,
    /// Rating and score of a conversation, by the E-model.
    pub rating: Rating,
}

/// See the module header.
pub(crate) struct Monitor {
    bursts: BurstTracker,
    /// From the first observation on.
    one_way: Option<OneWay>,
    /// Codec of the last audio packet, and how many milliseconds that lasted.
    format: Option<(Codec, f64)>,
    remote: Option<Remote>,
    reported: Option<VoipMetrics>,
    jitter_buffer_limit_ms: u32,
}

/// The last report block about us.
#[derive(Clone, Copy)]
struct Remote {
    loss_percent: f64,
    jitter_ticks: u32,
}

impl Monitor {
    /// Packets are made to wait for at most `jitter_buffer_limit_ms`.
    pub(crate) fn new(jitter_buffer_limit_ms: u32) -> Self {
        Self {
            bursts: BurstTracker::default(),
            one_way: None,
            format: None,
            remote: None,
            reported: None,
            jitter_buffer_limit_ms,
        }
    }

    /// A packet came, in time or too late; `sequence` counts on across wrap-around.
    pub(crate) fn note_packet(&mut self, sequence: u64, fate: Fate) {
        self.bursts.note(sequence, fate);
    }

    /// The packet is sound.
    pub(crate) fn note_format(&mut self, codec: Codec, duration_ticks: u32) {
        self.format = Some((codec, ticks_to_ms(duration_ticks, codec.clock_rate_hz())));
    }

    /// The peer's numbers start anew.
    pub(crate) fn restart(&mut self) {
        self.bursts.restart();
    }

    /// The present, several times a second.
    pub(crate) fn observe(&mut self, seen: &Observation, now: Instant) {
        self.one_way
            .get_or_insert_with(|| OneWay::new(now))
            .observe(seen, now);
    }

    /// A report of the peer came, which speaks about us or does not; we had sent so many packets.
    pub(crate) fn note_report(
        &mut self,
        about_us: Option<&ReportBlock>,
        packets_sent: u64,
        now: Instant,
    ) {
        if let Some(one_way) = &mut self.one_way {
            one_way.note_report(about_us, now);
        }
        if let Some(block) = about_us {
            self.remote = Some(Remote {
                loss_percent: lost_percent(block.cumulative_lost, packets_sent),
                jitter_ticks: block.jitter_ticks,
            });
        }
    }

    /// The peer tells how it hears us.
    pub(crate) fn note_metrics(&mut self, metrics: VoipMetrics) {
        self.reported = Some(metrics);
    }

    /// How good the call is, from what the session has counted.
    pub(crate) fn assess(&self, stats: &MediaStats) -> CallQuality {
        CallQuality {
            heard: self.heard(stats),
            sent: self.sent(stats),
            reported: self.reported,
            fault: self.one_way.as_ref().and_then(OneWay::fault),
        }
    }

    /// What to tell the peer about the source `ssrc`; nothing before its first audio packet.
    pub(crate) fn metrics(&self, stats: &MediaStats, ssrc: u32) -> Option<VoipMetrics> {
        let (codec, packet_ms) = self.format?;
        let heard = self.heard(stats)?;
        let bursts = self.bursts.stats();
        let path = Path {
            delay_ms: 0.0,
            ..heard_path(stats, &bursts, heard.delay_ms)
        };
        let listening = Equipment::of(codec, Concealment::Enabled).rate(path);
        let buffer_ms = stats.playout.target_delay_ms;
        Some(VoipMetrics {
            ssrc,
            loss_rate: in_256ths(bursts.loss_rate()),
            discard_rate: in_256ths(bursts.discard_rate()),
            burst_density: in_256ths(bursts.burst_density()),
            gap_density: in_256ths(bursts.gap_density()),
            burst_duration_ms: whole_ms(bursts.burst_length() * packet_ms),
            gap_duration_ms: whole_ms(bursts.gap_length() * packet_ms),
            round_trip_ms: whole_ms(round_trip_ms(stats)),
            end_system_delay_ms: whole_ms(codec_delay_ms(codec) + buffer_ms),
            signal_level: None,
            noise_level: None,
            residual_echo_return_loss: None,
            gmin: GMIN,
            r_factor: Some(rounded(heard.rating.value().min(100.0))),
            external_r_factor: None,
            mos_lq: Some(rounded(listening.mos() * 10.0)),
            mos_cq: Some(rounded(heard.rating.mos() * 10.0)),
            loss_concealment: LossConcealment::Enhanced,
            jitter_buffer: JitterBufferKind::Adaptive { rate: ADAPTS_IN },
            jitter_buffer_nominal_ms: whole_ms(buffer_ms),
            jitter_buffer_maximum_ms: whole_ms(buffer_ms),
            jitter_buffer_limit_ms: whole_ms(f64::from(self.jitter_buffer_limit_ms)),
        })
    }

    fn heard(&self, stats: &MediaStats) -> Option<Quality> {
        let (codec, _) = self.format?;
        let bursts = self.bursts.stats();
        let delay_ms =
            round_trip_ms(stats) / 2.0 + codec_delay_ms(codec) + stats.playout.target_delay_ms;
        let path = heard_path(stats, &bursts, delay_ms);
        Some(Quality {
            loss_percent: bursts.loss_rate() * 100.0,
            jitter_ms: stats.jitter_ms,
            delay_ms,
            rating: Equipment::of(codec, Concealment::Enabled).rate(path),
        })
    }

    /// By the peer's own word if it rates us, else estimated from what it lost.
    fn sent(&self, stats: &MediaStats) -> Option<Quality> {
        let remote = self.remote?;
        let codec = stats.send_codec?;
        let reported = self.reported;
        let buffer_ms = reported.map_or(USUAL_JITTER_BUFFER_MS, |metrics| {
            f64::from(metrics.jitter_buffer_nominal_ms)
        });
        let delay_ms = round_trip_ms(stats) / 2.0 + codec_delay_ms(codec) + buffer_ms;
        let late_percent = reported.map_or(0.0, |metrics| f64::from(metrics.discard_rate) / 2.56);
        let path = Path {
            delay_ms,
            loss_percent: remote.loss_percent + late_percent,
            burst_ratio: 1.0,
        };
        let concealment = match reported.map(|metrics| metrics.loss_concealment) {
            Some(LossConcealment::Disabled) => Concealment::Disabled,
            _ => Concealment::Enabled,
        };
        let estimate = Equipment::of(codec, concealment).rate(path);
        let told = reported.and_then(|metrics| metrics.r_factor);
        Some(Quality {
            loss_percent: remote.loss_percent,
            jitter_ms: ticks_to_ms(remote.jitter_ticks, codec.clock_rate_hz()),
            delay_ms,
            rating: told.map_or(estimate, Rating::told),
        })
    }
}

/// What is lost or late and was not recovered from a copy is made up, which is heard.
fn heard_path(stats: &MediaStats, bursts: &BurstStats, delay_ms: f64) -> Path {
    let missing = (bursts.lost + bursts.discarded).saturating_sub(stats.received.recovered);
    Path {
        delay_ms,
        loss_percent: percent(missing, bursts.packets),
        burst_ratio: bursts.burst_ratio(),
    }
}

/// Duplicates can make the sum in a report negative (RFC 3550 section 6.4.1): 24 bits with a sign.
fn lost_percent(cumulative_lost: u32, packets_sent: u64) -> f64 {
    if cumulative_lost >= 0x80_0000 {
        return 0.0;
    }
    percent(u64::from(cumulative_lost).min(packets_sent), packets_sent)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a call does not have 2^53 packets"
)]
fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}

fn round_trip_ms(stats: &MediaStats) -> f64 {
    stats.round_trip.as_ref().map_or(0.0, Duration::as_secs_f64) * 1_000.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share from 0 to 1; 1 saturates to 255 as RFC 3611 says"
)]
fn in_256ths(share: f64) -> u8 {
    (share * 256.0) as u8
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never negative; what is too long saturates as RFC 3611 says"
)]
fn whole_ms(ms: f64) -> u16 {
    ms.round() as u16
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 100"
)]
fn rounded(value: f64) -> u8 {
    value.round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jitter::JitterStats;
    use crate::receive::Counters;

    fn stats() -> MediaStats {
        MediaStats {
            send_codec: Some(Codec::Pcma),
            round_trip: Some(Duration::from_millis(40)),
            jitter_ms: 2.0,
            playout: JitterStats {
                target_delay_ms: 30.0,
                ..JitterStats::default()
            },
            ..MediaStats::default()
        }
    }

    /// 1000 packets of 20 ms, of which some were lost or late.
    fn monitor(
        codec: Codec,
        is_lost: impl Fn(u64) -> bool,
        is_late: impl Fn(u64) -> bool,
    ) -> Monitor {
        let mut monitor = Monitor::new(400);
        for sequence in 0..1_000 {
            if is_lost(sequence) {
                continue;
            }
            monitor.note_format(codec, codec.frame_ticks() * 2);
            monitor.note_packet(sequence, Fate::Received);
            if is_late(sequence) {
                monitor.note_packet(sequence, Fate::Discarded);
            }
        }
        monitor
    }

    fn block(cumulative_lost: u32) -> ReportBlock {
        ReportBlock {
            ssrc: 1,
            fraction_lost: 0,
            cumulative_lost,
            highest_sequence: 0,
            jitter_ticks: 80,
            last_sender_report: 0,
            delay_since: 0,
        }
    }

    #[test]
    fn nothing_is_said_about_a_stream_that_did_not_come() {
        let monitor = Monitor::new(400);
        assert_eq!(monitor.assess(&stats()), CallQuality::default());
        assert_eq!(monitor.metrics(&stats(), 1), None);
    }

    #[test]
    fn delay_is_half_the_round_trip_the_packet_and_the_jitter_buffer() {
        let heard = monitor(Codec::Pcma, |_| false, |_| false)
            .assess(&stats())
            .heard
            .unwrap();
        assert_eq!(heard.delay_ms, 20.0 + 20.0 + 30.0);
        assert_eq!((heard.loss_percent, heard.jitter_ms), (0.0, 2.0));
        assert!((heard.rating.mos() - 4.41).abs() < 0.01);
    }

    #[test]
    fn late_packets_hurt_like_lost_ones_and_recovered_ones_do_not() {
        let lossy = monitor(Codec::Opus, |n| n % 20 == 7, |n| n % 20 == 17);
        let heard = lossy.assess(&stats()).heard.unwrap();
        assert_eq!(heard.loss_percent, 5.0);
        let clean = monitor(Codec::Opus, |_| false, |_| false)
            .assess(&stats())
            .heard
            .unwrap();
        let half = monitor(Codec::Opus, |n| n % 20 == 7, |_| false)
            .assess(&stats())
            .heard
            .unwrap();
        let recovered = lossy
            .assess(&MediaStats {
                received: Counters {
                    recovered: 100,
                    ..Counters::default()
                },
                ..stats()
            })
            .heard
            .unwrap();
        assert!(heard.rating < half.rating && half.rating < clean.rating);
        assert_eq!(recovered.rating, clean.rating);
    }

    #[test]
    fn what_the_peer_lost_is_how_it_hears_us() {
        let mut monitor = Monitor::new(400);
        monitor.note_report(Some(&block(50)), 1_000, crate::any_instant());
        let sent = monitor.assess(&stats()).sent.unwrap();
        assert_eq!((sent.loss_percent, sent.jitter_ms), (5.0, 10.0));
        assert_eq!(sent.delay_ms, 20.0 + 20.0 + 40.0);
        assert!((sent.rating.mos() - 3.92).abs() < 0.01, "{sent:?}");
        monitor.note_report(Some(&block(0xff_fffe)), 1_000, crate::any_instant());
        let sent = monitor.assess(&stats()).sent.unwrap();
        assert_eq!(sent.loss_percent, 0.0, "two packets came twice");
    }

    #[test]
    fn the_peers_own_rating_counts_more_than_our_estimate() {
        let mut monitor = Monitor::new(400);
        monitor.note_report(Some(&block(50)), 1_000, crate::any_instant());
        let estimate = monitor.assess(&stats()).sent.unwrap().rating;
        let mut metrics = VoipMetrics {
            loss_concealment: LossConcealment::Disabled,
            discard_rate: 13,
            jitter_buffer_nominal_ms: 100,
            ..VoipMetrics::default()
        };
        monitor.note_metrics(metrics);
        let told = monitor.assess(&stats()).sent.unwrap();
        assert_eq!(told.delay_ms, 140.0);
        assert!(told.rating < estimate);
        metrics.r_factor = Some(50);
        monitor.note_metrics(metrics);
        let quality = monitor.assess(&stats());
        assert_eq!(quality.sent.unwrap().rating.value(), 50.0);
        assert_eq!(quality.reported, Some(metrics));
    }

    #[test]
    fn the_peer_is_told_what_was_counted() {
        // In each hundred one lost and one late, so close that they are a burst of two.
        let monitor = monitor(Codec::Pcma, |n| n % 100 == 50, |n| n % 100 == 51);
        let metrics = monitor.metrics(&stats(), 9).unwrap();
        assert_eq!((metrics.ssrc, metrics.gmin), (9, 16));
        assert_eq!((metrics.loss_rate, metrics.discard_rate), (2, 2));
        assert_eq!((metrics.burst_density, metrics.gap_density), (255, 0));
        assert_eq!(metrics.burst_duration_ms, 40);
        // 980 packets in 11 gaps.
        assert_eq!(metrics.gap_duration_ms, 1_782);
        assert_eq!(
            (metrics.round_trip_ms, metrics.end_system_delay_ms),
            (40, 50)
        );
        assert_eq!(
            (
                metrics.jitter_buffer_nominal_ms,
                metrics.jitter_buffer_limit_ms
            ),
            (30, 400)
        );
        let heard = monitor.assess(&stats()).heard.unwrap();
        assert_eq!(metrics.r_factor, Some(rounded(heard.rating.value())));
        assert_eq!(metrics.mos_cq, Some(42));
        let late = MediaStats {
            round_trip: Some(Duration::from_millis(600)),
            ..stats()
        };
        let late = monitor.metrics(&late, 9).unwrap();
        assert_eq!(
            late.mos_lq, metrics.mos_lq,
            "who only listens does not mind delay"
        );
        assert!(late.mos_cq < metrics.mos_cq);
    }
}
