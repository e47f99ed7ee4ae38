//! Sine tones: to test with, and what a caller hears while nobody has answered; and how to find
//! a tone again.

use crate::frame::sample_from_f32;

/// A sine that goes on without a step from block to block.
#[derive(Clone, Debug)]
pub struct Tone {
    step: f64,
    phase: f64,
    amplitude: f32,
    cadence: Option<Cadence>,
}

/// On and off, in samples.
#[derive(Clone, Copy, Debug)]
struct Cadence {
    on: u64,
    period: u64,
    at: u64,
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
            cadence: None,
        }
    }

    /// The other side rings: 425 Hz, 1 s on, 4 s off (ITU-T E.180, as in most of Europe).
    #[must_use]
    pub fn ringback(sample_rate_hz: u32) -> Self {
        Self::new(425.0, sample_rate_hz, 0.1).with_cadence(1_000, 4_000, sample_rate_hz)
    }

    /// The other side is busy: 425 Hz, 480 ms on, 480 ms off.
    #[must_use]
    pub fn busy(sample_rate_hz: u32) -> Self {
        Self::new(425.0, sample_rate_hz, 0.1).with_cadence(480, 480, sample_rate_hz)
    }

    /// The tone comes and goes.
    #[must_use]
    pub fn with_cadence(mut self, on_ms: u32, off_ms: u32, sample_rate_hz: u32) -> Self {
        let samples = |ms: u32| u64::from(ms) * u64::from(sample_rate_hz) / 1_000;
        self.cadence = Some(Cadence {
            on: samples(on_ms),
            period: samples(on_ms + off_ms).max(1),
            at: 0,
        });
        self
    }

    /// Writes the next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = if self.is_on() { self.next_sample() } else { 0 };
        }
    }

    fn is_on(&mut self) -> bool {
        let Some(cadence) = &mut self.cadence else {
            return true;
        };
        let is_on = cadence.at < cadence.on;
        cadence.at = (cadence.at + 1) % cadence.period;
        is_on
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

    #[test]
    fn ringback_sounds_one_second_in_five() {
        let mut tone = Tone::ringback(8_000);
        let mut samples = vec![0; 8_000 * 10];
        tone.fill(&mut samples);
        let sounding = |second: usize| {
            samples[second * 8_000..][..8_000]
                .iter()
                .any(|&sample| sample != 0)
        };
        let heard: Vec<usize> = (0..10).filter(|&second| sounding(second)).collect();
        assert_eq!(heard, [0, 5]);
    }
}
