//! Takes away what is below speech: a draught, a table that is touched, a microphone's own direct current.
//!
//! A Butterworth filter of second order. It is gentle on purpose: a deep voice begins at 80 Hz, and a steeper filter at
//! 100 Hz was heard as a loss (PESQ 4.3 instead of 4.6 with a man's voice).

use std::f64::consts::{PI, SQRT_2};

use crate::frame::{FRAME_SAMPLES, SAMPLE_RATE_HZ};

/// Half of the power is left here.
const CORNER_HZ: f64 = 40.0;

/// See the module header.
pub(super) struct RumbleFilter {
    /// Of the last two samples that came, and the last two that went.
    came: [f64; 2],
    went: [f64; 2],
    gain: f64,
    feedback: [f64; 2],
}

impl RumbleFilter {
    pub(super) fn new() -> Self {
        // The bilinear transform of 1 / (s² + √2 s + 1), turned over.
        let k = (PI * CORNER_HZ / f64::from(SAMPLE_RATE_HZ)).tan();
        let norm = 1.0 + SQRT_2 * k + k * k;
        Self {
            came: [0.0; 2],
            went: [0.0; 2],
            gain: 1.0 / norm,
            feedback: [
                2.0 * (k * k - 1.0) / norm,
                (1.0 - SQRT_2 * k + k * k) / norm,
            ],
        }
    }

    pub(super) fn process(&mut self, samples: &mut [f32; FRAME_SAMPLES]) {
        for sample in samples {
            let comes = f64::from(*sample);
            // What was known earlier comes first: only the last step waits for the sample before.
            let goes = self.gain * (comes - 2.0 * self.came[0] + self.came[1])
                - self.feedback[1] * self.went[1]
                - self.feedback[0] * self.went[0];
            self.came = [comes, self.came[0]];
            self.went = [goes, self.went[0]];
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a sample needs no more than the precision that it came with"
            )]
            {
                *sample = goes as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::SILENCE;
    use crate::tone::Tone;

    /// What is left of a tone, in decibels.
    fn left_db(hz: f64) -> f64 {
        let mut filter = RumbleFilter::new();
        let mut tone = Tone::new(hz, SAMPLE_RATE_HZ, 0.5);
        let (mut came, mut went) = (0.0, 0.0);
        for n in 0..100 {
            let mut captured = SILENCE;
            tone.fill(&mut captured);
            let mut frame = captured.map(f32::from);
            let power =
                |frame: &[f32; FRAME_SAMPLES]| frame.iter().map(|s| f64::from(s * s)).sum::<f64>();
            let before = power(&frame);
            filter.process(&mut frame);
            if n >= 50 {
                came += before;
                went += power(&frame);
            }
        }
        10.0 * (went / came).log10()
    }

    #[test]
    fn rumble_goes_and_the_deepest_voice_stays() {
        assert!((left_db(40.0) + 3.0).abs() < 0.1, "{}", left_db(40.0));
        assert!(left_db(10.0) < -23.0, "{}", left_db(10.0));
        assert!(left_db(80.0) > -0.5, "{}", left_db(80.0));
        assert!(left_db(1_000.0).abs() < 0.01, "{}", left_db(1_000.0));
    }
}
