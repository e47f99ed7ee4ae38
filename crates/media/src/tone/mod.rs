//! Sine tones: steady ones and how to find them again, and the tones of telephone networks
//! ([`SupervisoryTone`]) by country.

mod countries;
mod supervisory;

use crate::frame::sample_from_f32;
pub use countries::Country;
pub use supervisory::{Indication, SupervisoryTone};

/// A sine that goes on without a step from block to block.
#[derive(Clone, Debug)]
pub struct Tone {
    step: f64,
    phase: f64,
    amplitude: f32,
}

impl Tone {
    /// A steady tone; `amplitude` 1.0 is full scale.
    #[must_use]
    pub fn new(frequency_hz: f64, sample_rate_hz: u32, amplitude: f32) -> Self {
        let step = std::f64::consts::TAU * frequency_hz / f64::from(sample_rate_hz.max(1));
        Self {
            step,
            phase: 0.0,
            amplitude: amplitude * 32_767.0,
        }
    }

    /// Writes the next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = self.next_sample();
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a sine fits")]
    fn next_sample(&mut self) -> i16 {
        let value = self.phase.sin() as f32 * self.amplitude;
        self.phase = (self.phase + self.step) % std::f64::consts::TAU;
        sample_from_f32(value)
    }
}

/// Share of the energy of `samples` that lies at one frequency, 0 to 1 (Goertzel's algorithm).
///
/// A pure tone gives nearly 1, another tone or noise nearly 0; the longer the block, the sharper.
#[must_use]
pub fn share_at(samples: &[i16], frequency_hz: f64, sample_rate_hz: u32) -> f64 {
    let coefficient =
        2.0 * (std::f64::consts::TAU * frequency_hz / f64::from(sample_rate_hz.max(1))).cos();
    let (mut s1, mut s2, mut energy) = (0.0_f64, 0.0_f64, 0.0_f64);
    for &sample in samples {
        let value = f64::from(sample);
        (s1, s2) = (value + coefficient * s1 - s2, s1);
        energy += value * value;
    }
    if energy == 0.0 {
        return 0.0;
    }
    let len = u32::try_from(samples.len()).map_or(f64::from(u32::MAX), f64::from);
    let power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
    2.0 * power / (len * energy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_at_its_frequency_and_nowhere_else() {
        let mut samples = [0; 4_800];
        let mut tone = Tone::new(1_000.0, 48_000, 0.5);
        for block in samples.chunks_mut(960) {
            tone.fill(block);
        }
        assert!(share_at(&samples, 1_000.0, 48_000) > 0.999);
        assert!(share_at(&samples, 1_200.0, 48_000) < 0.01);
        assert_eq!(share_at(&[0; 960], 1_000.0, 48_000), 0.0);
    }
}
