//! Tones that tell a caller how the call goes (ITU-T E.180), as samples.

use super::{Country, Tone};

/// Length over which a tone comes and goes, so that it does not click.
const FADE_MS: u64 = 5;
/// Greatest value of a tone, where 1.0 is full scale.
const AMPLITUDE: f32 = 0.1;
/// The call waiting tone is heard under speech, and speech over it: 10 dB softer.
const CALL_WAITING_AMPLITUDE: f32 = 0.032;

/// What a tone says (ITU-T E.180 and E.182).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Indication {
    /// Dial now.
    Dial,
    /// The other side rings; also called ringback.
    Ringing,
    /// The other side is in a call.
    Busy,
    /// The network has no way there now.
    Congestion,
    /// Someone else calls.
    CallWaiting,
}

impl Indication {
    /// Each of them.
    pub const ALL: [Self; 5] = [
        Self::Dial,
        Self::Ringing,
        Self::Busy,
        Self::Congestion,
        Self::CallWaiting,
    ];

    pub(super) fn column(self) -> usize {
        match self {
            Self::Dial => 0,
            Self::Ringing => 1,
            Self::Busy => 2,
            Self::Congestion => 3,
            Self::CallWaiting => 4,
        }
    }
}

/// A tone of a telephone network: one or two frequencies that come and go. Never ends.
#[derive(Clone, Debug)]
pub struct SupervisoryTone {
    sines: Vec<Tone>,
    /// On and off in samples; empty for a steady tone.
    cadence: Vec<(u64, u64)>,
    /// Place in the cadence, and samples since it began.
    step: usize,
    at: u64,
    fade: u64,
}

impl SupervisoryTone {
    /// The tone of a country, from the beginning of its cadence.
    #[must_use]
    pub fn new(country: Country, indication: Indication, sample_rate_hz: u32) -> Self {
        let pattern = country.pattern(indication);
        let amplitude = match indication {
            Indication::CallWaiting => CALL_WAITING_AMPLITUDE,
            _ => AMPLITUDE,
        };
        let share = if pattern.frequencies_hz.len() > 1 {
            0.5
        } else {
            1.0
        };
        let samples = |ms: u32| u64::from(ms) * u64::from(sample_rate_hz) / 1_000;
        Self {
            sines: pattern
                .frequencies_hz
                .iter()
                .map(|&frequency_hz| Tone::new(frequency_hz, sample_rate_hz, amplitude * share))
                .collect(),
            cadence: pattern
                .cadence_ms
                .iter()
                .map(|&(on_ms, off_ms)| (samples(on_ms).max(1), samples(off_ms)))
                .collect(),
            step: 0,
            at: 0,
            fade: (FADE_MS * u64::from(sample_rate_hz) / 1_000).max(1),
        }
    }

    /// Writes the next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            let loudness = self.advance();
            *sample = if loudness == 0 {
                0
            } else {
                self.next_sample(loudness)
            };
        }
    }

    /// How loud the coming sample is, 0 to `fade`.
    fn advance(&mut self) -> u64 {
        let Some(&(on, off)) = self.cadence.get(self.step) else {
            let at = self.at;
            self.at = (at + 1).min(self.fade);
            return at;
        };
        let at = self.at;
        self.at += 1;
        if self.at >= on + off {
            self.at = 0;
            self.step = (self.step + 1) % self.cadence.len();
        }
        at.min(on.saturating_sub(at)).min(self.fade)
    }

    fn next_sample(&mut self, loudness: u64) -> i16 {
        let sum: i64 = self
            .sines
            .iter_mut()
            .map(|sine| i64::from(sine.next_sample()))
            .sum();
        let faded = sum * loudness.cast_signed() / self.fade.cast_signed();
        i16::try_from(faded).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::level_dbfs;
    use crate::tone::share_at;

    fn heard(country: Country, indication: Indication, seconds: usize) -> Vec<i16> {
        let mut tone = SupervisoryTone::new(country, indication, 8_000);
        let mut samples = vec![0; 8_000 * seconds];
        for block in samples.chunks_mut(77) {
            tone.fill(block);
        }
        samples
    }

    /// Lengths of sound and silence in ms, in turn, to 10 ms.
    fn cadence_of(samples: &[i16]) -> Vec<usize> {
        let blocks: Vec<bool> = samples
            .chunks(80)
            .map(|block| level_dbfs(block) > -45.0)
            .collect();
        blocks
            .chunk_by(|left, right| left == right)
            .map(|run| run.len() * 10)
            .collect()
    }

    #[test]
    fn cadences_are_those_of_the_country() {
        let cadence = |country, indication| cadence_of(&heard(country, indication, 20));
        assert_eq!(
            cadence(Country::De, Indication::Ringing)[..3],
            [1_000, 4_000, 1_000]
        );
        assert_eq!(
            cadence(Country::Gb, Indication::Ringing)[..5],
            [400, 200, 400, 2_000, 400]
        );
        assert_eq!(cadence(Country::De, Indication::Busy)[..3], [480, 480, 480]);
        assert_eq!(
            cadence(Country::Es, Indication::Congestion)[..7],
            [200, 200, 200, 200, 200, 600, 200]
        );
        assert_eq!(cadence(Country::Us, Indication::Dial), [20_000]);
    }

    #[test]
    fn two_frequencies_share_the_energy() {
        let samples = heard(Country::Us, Indication::Ringing, 2);
        for frequency_hz in [440.0, 480.0] {
            let share = share_at(&samples, frequency_hz, 8_000);
            assert!((share - 0.5).abs() < 0.01, "{share}");
        }
    }

    #[test]
    fn call_waiting_is_softer_than_the_other_tones() {
        let level = |indication| level_dbfs(&heard(Country::De, indication, 1)[80..1_500]);
        let difference = level(Indication::Ringing) - level(Indication::CallWaiting);
        assert!((difference - 9.9).abs() < 0.2, "{difference}");
    }

    #[test]
    fn a_tone_begins_and_ends_softly() {
        let samples = heard(Country::Fr, Indication::Busy, 2);
        let greatest_step = samples
            .windows(2)
            .map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs())
            .max();
        // Of a sine of 440 Hz at 8 kHz and this amplitude: 3,277 × 2π × 440 / 8,000 = 1,132.
        assert!(greatest_step < Some(1_135), "{greatest_step:?}");
    }
}
