//! From one sample rate to another, block by block, without a step between blocks.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};

use crate::frame::sample_from_unit;

/// Rates that are converted, in Hz.
pub const RATES_HZ: std::ops::RangeInclusive<u32> = 4_000..=384_000;

/// The rates cannot be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot convert sound from {from_hz} Hz to {to_hz} Hz")]
pub struct ResampleError {
    /// Rate of the samples at hand.
    pub from_hz: u32,
    /// Rate wanted.
    pub to_hz: u32,
}

/// A running conversion of one mono stream.
///
/// Works in blocks of about 10 ms, which is also its delay. Between 8, 16 and 48 kHz every block
/// of 10 ms gives exactly a block of 10 ms. Allocates nothing once it runs, if the output vector
/// has room.
pub struct Resampler {
    /// `None`: the rates are equal.
    inner: Option<Conversion>,
}

struct Conversion {
    fft: Fft<f32>,
    input: Vec<f32>,
    filled: usize,
    output: Vec<f32>,
}

impl Resampler {
    /// Converts from one rate to another.
    ///
    /// # Errors
    ///
    /// [`ResampleError`] if a rate is outside [`RATES_HZ`].
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, ResampleError> {
        if from_hz == to_hz {
            return Ok(Self { inner: None });
        }
        let error = ResampleError { from_hz, to_hz };
        if !RATES_HZ.contains(&from_hz) || !RATES_HZ.contains(&to_hz) {
            return Err(error);
        }
        let rate = |hz: u32| usize::try_from(hz).map_err(|_| error);
        let (from, to) = (rate(from_hz)?, rate(to_hz)?);
        let fft = Fft::new(from, to, from / 100, 1, FixedSync::Both).map_err(|_| error)?;
        let (input, output) = (
            vec![0.0; fft.input_frames_max()],
            vec![0.0; fft.output_frames_max()],
        );
        Ok(Self {
            inner: Some(Conversion {
                fft,
                input,
                filled: 0,
                output,
            }),
        })
    }

    /// Converts `samples` and appends to `out` what is ready.
    pub fn process(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        match &mut self.inner {
            None => out.extend_from_slice(samples),
            Some(conversion) => {
                for &sample in samples {
                    conversion.push(f32::from(sample) / 32_768.0, out);
                }
            }
        }
    }

    /// Delay in samples of the output.
    #[must_use]
    pub fn delay_samples(&self) -> usize {
        self.inner
            .as_ref()
            .map_or(0, |conversion| conversion.fft.output_delay())
    }
}

impl Conversion {
    fn push(&mut self, sample: f32, out: &mut Vec<i16>) {
        self.input[self.filled] = sample;
        self.filled += 1;
        if self.filled == self.input.len() {
            self.filled = 0;
            self.convert();
            out.extend(self.output.iter().map(|&value| sample_from_unit(value)));
        }
    }

    fn convert(&mut self) {
        let (frames_in, frames_out) = (self.input.len(), self.output.len());
        let input =
            InterleavedSlice::new(&self.input, 1, frames_in).expect("one channel of that length");
        let mut output = InterleavedSlice::new_mut(&mut self.output, 1, frames_out)
            .expect("one channel of that length");
        self.fft
            .process_into_buffer(&input, &mut output, None)
            .expect("both buffers have the asked-for length");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Tone, share_at};

    fn convert(from_hz: u32, to_hz: u32, frequency_hz: f64, amplitude: f32) -> Vec<i16> {
        let mut resampler = Resampler::new(from_hz, to_hz).unwrap();
        let mut tone = Tone::new(frequency_hz, from_hz, amplitude);
        let mut block = vec![0; usize::try_from(from_hz / 50).unwrap()];
        let mut out = Vec::new();
        for _ in 0..100 {
            tone.fill(&mut block);
            resampler.process(&block, &mut out);
        }
        out
    }

    #[test]
    fn a_tone_keeps_its_pitch_and_loudness_at_every_rate() {
        for from_hz in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000] {
            for to_hz in [8_000, 16_000, 48_000] {
                let out = convert(from_hz, to_hz, 1_000.0, 0.5);
                let second = usize::try_from(to_hz).unwrap();
                assert!(
                    out.len() > second * 19 / 10,
                    "{from_hz} to {to_hz}: {} samples of two seconds",
                    out.len()
                );
                let middle = &out[second / 2..second * 3 / 2];
                assert!(
                    share_at(middle, 1_000.0, to_hz) > 0.999,
                    "{from_hz} to {to_hz}"
                );
                let level = crate::level::level_dbfs(middle);
                assert!(
                    (level + 9.03).abs() < 0.1,
                    "{from_hz} to {to_hz}: {level} dB"
                );
            }
        }
    }

    #[test]
    fn frames_of_20_ms_stay_frames_of_20_ms() {
        for (from_hz, to_hz, from, to) in [
            (48_000, 8_000, 960, 160),
            (8_000, 48_000, 160, 960),
            (16_000, 48_000, 320, 960),
        ] {
            let mut resampler = Resampler::new(from_hz, to_hz).unwrap();
            for _ in 0..10 {
                let mut out = Vec::new();
                resampler.process(&vec![0; from], &mut out);
                assert_eq!(out.len(), to);
            }
            let delay_ms = resampler.delay_samples() * 1_000 / usize::try_from(to_hz).unwrap();
            assert!(delay_ms <= 5, "{delay_ms} ms");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_is_removed() {
        let out = convert(48_000, 8_000, 5_000.0, 0.5);
        assert!(crate::level::level_dbfs(&out[4_000..]) < -60.0);
    }

    #[test]
    fn senseless_rates_are_refused() {
        let error = ResampleError {
            from_hz: 0,
            to_hz: 48_000,
        };
        assert_eq!(Resampler::new(0, 48_000).err(), Some(error));
        assert!(Resampler::new(48_000, u32::MAX).is_err());
    }
}
