//! How good a call is, in the words of the control socket, and how often it is told.

use media::{MediaStats, Quality};

use crate::control::protocol::{CallQuality, DirectionQuality};

/// Statistics come every half second. Scores are told every so often, a fault at once.
const LOOKS_PER_NEWS: u32 = 10;

/// Decides what is news about the quality of one call.
#[derive(Debug, Default)]
pub(super) struct QualityNews {
    told: CallQuality,
    looks: u32,
}

impl QualityNews {
    /// New statistics: what to tell, if anything.
    pub(super) fn look(&mut self, stats: &MediaStats) -> Option<CallQuality> {
        let quality = call_quality(stats);
        self.looks += 1;
        if quality.fault == self.told.fault && self.looks < LOOKS_PER_NEWS {
            return None;
        }
        self.looks = 0;
        if quality == self.told {
            return None;
        }
        self.told = quality.clone();
        Some(quality)
    }
}

/// How good the call was so far.
pub(super) fn call_quality(stats: &MediaStats) -> CallQuality {
    let quality = &stats.quality;
    CallQuality {
        heard: quality.heard.map(direction),
        sent: quality.sent.map(direction),
        round_trip_us: stats
            .round_trip
            .map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
        fault: quality.fault.map(|fault| fault.sentence().to_owned()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers that are not negative"
)]
fn direction(quality: Quality) -> DirectionQuality {
    DirectionQuality {
        mos_hundredths: (quality.rating.mos() * 100.0).round() as u32,
        loss_ppm: (quality.loss_percent * 10_000.0).round() as u32,
        jitter_us: (quality.jitter_ms * 1_000.0).round() as u64,
        delay_ms: quality.delay_ms.round() as u64,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use media::quality::emodel::Rating;
    use media::quality::one_way::Fault;

    use super::*;

    fn stats(r_factor: u8, fault: Option<Fault>) -> MediaStats {
        let heard = Quality {
            loss_percent: 1.25,
            jitter_ms: 2.5,
            delay_ms: 70.4,
            rating: Rating::told(r_factor),
        };
        let mut stats = MediaStats {
            round_trip: Some(Duration::from_millis(40)),
            ..MediaStats::default()
        };
        stats.quality.heard = Some(heard);
        stats.quality.fault = fault;
        stats
    }

    #[test]
    fn numbers_are_whole_in_units_small_enough() {
        let quality = call_quality(&stats(80, Some(Fault::NotReceived)));
        let heard = DirectionQuality {
            mos_hundredths: 402,
            loss_ppm: 12_500,
            jitter_us: 2_500,
            delay_ms: 70,
        };
        assert_eq!((quality.heard, quality.sent), (Some(heard), None));
        assert_eq!(quality.round_trip_us, Some(40_000));
        assert_eq!(
            quality.fault.as_deref(),
            Some("The other side does not receive you")
        );
    }

    #[test]
    fn a_fault_is_told_and_withdrawn_at_once_and_scores_every_tenth_time() {
        let mut news = QualityNews::default();
        for _ in 0..9 {
            assert_eq!(news.look(&stats(90, None)), None);
        }
        assert!(news.look(&stats(90, None)).is_some());
        for _ in 0..30 {
            assert_eq!(news.look(&stats(90, None)), None, "nothing changed");
        }
        let fault = Some(Fault::NothingArrives);
        assert!(news.look(&stats(90, fault)).unwrap().fault.is_some());
        assert_eq!(news.look(&stats(80, fault)), None);
        assert!(news.look(&stats(80, None)).unwrap().fault.is_none());
    }
}
