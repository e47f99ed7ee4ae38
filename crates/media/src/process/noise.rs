//! Steady noise, keyboards and the like become quieter: RNNoise, as `nnnoiseless` has it, and nothing while the
//! microphone gives zeros.

use nnnoiseless::DenoiseState;

use crate::frame::FRAME_SAMPLES;

/// Frames of zeros after which nothing of what was before is left in the library: 300 ms. It keeps 36 ms of sound, and a
/// filter of its own dies away by 8 dB in each frame.
const FORGOTTEN: u8 = 30;

/// See the module header.
pub(super) struct NoiseSuppression {
    state: Box<DenoiseState<'static>>,
    /// Frames of zeros until now.
    zeros: u8,
}

impl NoiseSuppression {
    pub(super) fn new() -> Self {
        Self {
            state: DenoiseState::new(),
            zeros: 0,
        }
    }

    /// Samples are counted as on the wire, ±32768; they leave 10 ms late. Gives how likely somebody talks, from 0 to 1.
    pub(super) fn process(&mut self, samples: &mut [f32; FRAME_SAMPLES]) -> f32 {
        let is_zero = samples.iter().all(|sample| sample.abs() < 0.5);
        self.zeros = if is_zero {
            self.zeros.saturating_add(1)
        } else {
            0
        };
        if self.zeros > FORGOTTEN {
            samples.fill(0.0);
            return 0.0;
        }
        let mut out = [0.0; FRAME_SAMPLES];
        let speech_probability = self.state.process_frame(&mut out, samples);
        *samples = out;
        speech_probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::SAMPLE_RATE_HZ;
    use crate::tone::Tone;

    /// Frame `n` of a tone that comes and goes.
    fn beep(n: u32) -> [f32; FRAME_SAMPLES] {
        let mut frame = [0; FRAME_SAMPLES];
        if n % 100 < 30 {
            Tone::new(400.0 + f64::from(n), SAMPLE_RATE_HZ, 0.3).fill(&mut frame);
        }
        frame.map(f32::from)
    }

    #[test]
    fn what_is_not_computed_for_zeros_is_missed_nowhere() {
        let (mut ours, mut library) = (NoiseSuppression::new(), DenoiseState::new());
        for n in 0..400 {
            let (mut sent, mut expected) = (beep(n), [0.0; FRAME_SAMPLES]);
            ours.process(&mut sent);
            library.process_frame(&mut expected, &beep(n));
            for (sent, expected) in sent.iter().zip(expected) {
                assert!((sent - expected).abs() < 0.5, "{n}: {sent} for {expected}");
            }
        }
    }
}
