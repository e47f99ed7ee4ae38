//! The E-model (ITU-T G.107, G.107.1, G.107.2): what a conversation over a path is like, as a rating R and a
//! mean opinion score.
//!
//! ```text
//!   R = Ro - Idd(delay) - Ie,eff(codec, loss)
//! ```
//!
//! Ro is 93.2 for narrow band, 129 for wide band and 148 for full band. These are one scale: a narrow-band call
//! keeps its rating when it is judged beside wide-band ones (G.107.1 section 6.2). So there is one MOS here,
//! that of G.107 Annex B: 4.41 is a perfect narrow-band call, and 4.5 is reached where wide band starts to be
//! better than that. The MOS of G.107.1 Annex A, which divides by 1.29 first, is not given: on it a perfect
//! G.722 call would look worse than a perfect G.711 one does on its own.
//!
//! Everything else has its default: echo is cancelled, levels and noise are those of G.107 table 3. Figures of
//! codecs and their sources: docs/decisions/0024-call-quality.md.

use crate::codec::Codec;

/// Milliseconds that packets of ours last, which the first sample of each waits.
const PACKET_MS: f64 = 20.0;
/// G.107 table 3: mT, the delay that nobody notices, in milliseconds.
const UNNOTICED_DELAY_MS: f64 = 100.0;

/// What a codec and its decoder do to speech.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Equipment {
    band: Band,
    /// Equipment impairment factor Ie without loss.
    impairment: f64,
    /// Packet-loss robustness factor Bpl.
    robustness: f64,
}

/// How much of speech is heard: the row of constants of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Band {
    Narrow,
    Wide,
    Full,
}

/// Whether a decoder fills in for lost packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concealment {
    /// It does, as ours does.
    Enabled,
    /// Lost packets are heard as holes.
    Disabled,
}

/// What the way from mouth to ear does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// From mouth to ear, in milliseconds.
    pub delay_ms: f64,
    /// Packets whose sound is missing for good, in percent: after recovery, with those that came too late.
    pub loss_percent: f64,
    /// BurstR: how much longer losses are than chance would make them; 1 is chance.
    pub burst_ratio: f64,
}

/// Transmission rating factor R.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rating(f64);

impl Equipment {
    /// Of a codec as we speak it: G.722 at 64 kbit/s, Opus at about 32 kbit/s.
    #[must_use]
    pub fn of(codec: Codec, concealment: Concealment) -> Self {
        let (band, impairment, robustness) = match (codec, concealment) {
            (Codec::Pcmu | Codec::Pcma, Concealment::Enabled) => (Band::Narrow, 0.0, 25.1),
            (Codec::Pcmu | Codec::Pcma, Concealment::Disabled) => (Band::Narrow, 0.0, 4.3),
            (Codec::G722, _) => (Band::Wide, 13.0, 4.6),
            (Codec::Opus, _) => (Band::Full, 16.8, 10.4),
        };
        Self {
            band,
            impairment,
            robustness,
        }
    }

    /// The rating of a conversation through this equipment over a path.
    #[must_use]
    pub fn rate(self, path: Path) -> Rating {
        let (basic, worst) = match self.band {
            Band::Narrow => (93.2, 95.0),
            Band::Wide => (129.0, 95.0),
            Band::Full => (148.0, 132.0),
        };
        let loss = path.loss_percent.clamp(0.0, 100.0);
        let weight = loss / (loss / path.burst_ratio.max(0.1) + self.robustness);
        // Rises above `worst` for bursts longer than the model is made for.
        let effective = self.impairment + (worst - self.impairment) * weight.min(1.0);
        Rating((basic - delay_impairment(path.delay_ms) - effective).max(0.0))
    }
}

impl Path {
    /// Nothing is late or lost.
    pub const PERFECT: Self = Self {
        delay_ms: 0.0,
        loss_percent: 0.0,
        burst_ratio: 1.0,
    };
}

impl Rating {
    /// What a peer tells (RFC 3611 section 4.7.5).
    #[must_use]
    pub fn told(r_factor: u8) -> Self {
        Self(f64::from(r_factor))
    }

    /// The number: 0 is useless, 93.2 a perfect narrow-band call, 129 a perfect wide-band one.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }

    /// Estimated mean opinion score from 1 to 4.5 (G.107 Annex B).
    #[must_use]
    pub fn mos(self) -> f64 {
        let r = self.0.min(100.0);
        // Below 6.5 the polynomial is less than 1.
        (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
    }
}

/// What packets and the codec add to the delay, in milliseconds.
#[must_use]
pub fn codec_delay_ms(codec: Codec) -> f64 {
    let look_ahead = match codec {
        Codec::Opus => 6.5,
        // The two filters of 24 taps at 16 kHz.
        Codec::G722 => 1.4,
        Codec::Pcmu | Codec::Pcma => 0.0,
    };
    PACKET_MS + look_ahead
}

/// Idd: what delay does to a conversation (G.107 equation 7-27, the same in G.107.1 and G.107.2).
fn delay_impairment(delay_ms: f64) -> f64 {
    if delay_ms <= UNNOTICED_DELAY_MS {
        return 0.0;
    }
    let x = (delay_ms / UNNOTICED_DELAY_MS).log2();
    let bend = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (bend(x) - 3.0 * bend(x / 3.0) + 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn g711() -> Equipment {
        Equipment::of(Codec::Pcma, Concealment::Enabled)
    }

    fn lossy(loss_percent: f64) -> Path {
        Path {
            loss_percent,
            ..Path::PERFECT
        }
    }

    fn delayed(delay_ms: f64) -> Path {
        Path {
            delay_ms,
            ..Path::PERFECT
        }
    }

    fn assert_near(value: f64, expected: f64, tolerance: f64) {
        assert!(
            (value - expected).abs() <= tolerance,
            "{value}, not {expected}"
        );
    }

    #[test]
    fn the_defaults_of_g_107_give_93_2_and_4_41() {
        let rating = g711().rate(Path::PERFECT);
        assert_near(rating.value(), 93.2, 1e-9);
        assert_near(rating.mos(), 4.41, 0.005);
    }

    /// The categories of G.107 table B.1, which G.109 calls best, high, medium, low and poor.
    #[test]
    fn ratings_become_the_scores_of_g_107_table_b_1() {
        for (r, mos) in [
            (90.0, 4.34),
            (80.0, 4.03),
            (70.0, 3.60),
            (60.0, 3.10),
            (50.0, 2.58),
        ] {
            assert_near(Rating(r).mos(), mos, 0.01);
        }
        assert_eq!(Rating(0.0).mos(), 1.0);
        assert_eq!(Rating(3.0).mos(), 1.0, "never below");
        assert_eq!(Rating(100.0).mos(), 4.5);
        assert_eq!(Rating(129.0).mos(), 4.5);
    }

    #[test]
    fn loss_hurts_as_the_factors_of_g_113_say() {
        let without = Equipment::of(Codec::Pcmu, Concealment::Disabled);
        // 95 * 1 / (1 + 25.1) and 95 * 1 / (1 + 4.3).
        assert_near(g711().rate(lossy(1.0)).value(), 93.2 - 3.64, 0.005);
        assert_near(without.rate(lossy(1.0)).value(), 93.2 - 17.92, 0.005);
        assert_near(g711().rate(lossy(5.0)).mos(), 3.92, 0.01);
        assert_near(without.rate(lossy(5.0)).mos(), 2.17, 0.01);
    }

    #[test]
    fn delay_hurts_from_100_ms_on_as_equation_7_27_says() {
        assert_near(g711().rate(delayed(100.0)).value(), 93.2, 1e-9);
        // X = 1 and X = 2.
        assert_near(g711().rate(delayed(200.0)).value(), 93.2 - 3.04, 0.01);
        assert_near(g711().rate(delayed(400.0)).value(), 93.2 - 24.07, 0.01);
    }

    #[test]
    fn wide_band_is_better_than_narrow_band_until_the_network_is_bad() {
        let g722 = Equipment::of(Codec::G722, Concealment::Enabled);
        let opus = Equipment::of(Codec::Opus, Concealment::Enabled);
        assert_near(g722.rate(Path::PERFECT).value(), 116.0, 1e-9);
        assert!(opus.rate(Path::PERFECT) > g722.rate(Path::PERFECT));
        assert_eq!(g722.rate(Path::PERFECT).mos(), 4.5);
        // (95 - 13) * 2 / (2 + 4.6).
        assert_near(g722.rate(lossy(2.0)).value(), 116.0 - 24.85, 0.005);
        // (132 - 16.8) * 10 / (10 + 10.4).
        assert_near(opus.rate(lossy(10.0)).value(), 131.2 - 56.47, 0.005);
    }

    #[test]
    fn losses_in_a_row_hurt_more_than_single_ones() {
        let bursty = Path {
            burst_ratio: 2.0,
            ..lossy(10.0)
        };
        // 95 * 10 / (10 / 2 + 25.1).
        assert_near(g711().rate(bursty).value(), 93.2 - 31.56, 0.005);
        assert!(g711().rate(bursty) < g711().rate(lossy(10.0)));
    }

    #[test]
    fn delay_of_packet_and_codec_counts() {
        assert_eq!(codec_delay_ms(Codec::Pcmu), 20.0);
        assert_eq!(codec_delay_ms(Codec::Opus), 26.5);
    }

    proptest! {
        #[test]
        fn more_loss_and_more_delay_never_help(
            loss in 0.0..99.0_f64, delay in 0.0..2_000.0_f64, ratio in 0.5..4.0_f64, codec in 0_usize..4,
        ) {
            let equipment = Equipment::of(Codec::ALL[codec], Concealment::Enabled);
            let path = Path { delay_ms: delay, loss_percent: loss, burst_ratio: ratio };
            let rating = equipment.rate(path);
            prop_assert!((1.0..=4.5).contains(&rating.mos()));
            let lossier = Path { loss_percent: loss + 1.0, ..path };
            let later = Path { delay_ms: delay + 10.0, ..path };
            prop_assert!(equipment.rate(lossier) <= rating);
            prop_assert!(equipment.rate(later).value() <= rating.value() + 1e-9);
            prop_assert!(equipment.rate(lossier).mos() <= rating.mos() + 1e-9);
        }
    }
}
