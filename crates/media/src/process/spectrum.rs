//! Spectra of two frames, for what works block by block in the frequency domain.
//!
//! Real and imaginary parts lie apart: so a processor multiplies many of them at once.

use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex32};

use crate::frame::FRAME_SAMPLES;

/// Samples of one transform: two frames.
pub(super) const BLOCK_SAMPLES: usize = 2 * FRAME_SAMPLES;
/// Frequencies of one transform, 50 Hz apart.
pub(super) const BINS: usize = FRAME_SAMPLES + 1;

/// The spectrum of a block.
#[derive(Clone, Copy)]
pub(super) struct Spectrum {
    pub(super) re: [f32; BINS],
    pub(super) im: [f32; BINS],
}

impl Spectrum {
    /// That of silence.
    pub(super) const SILENCE: Self = Self {
        re: [0.0; BINS],
        im: [0.0; BINS],
    };

    /// The power at each frequency.
    pub(super) fn power(&self) -> [f32; BINS] {
        self.common(self)
    }

    /// The power that both have in common at each frequency: less than nothing if they are opposed.
    pub(super) fn common(&self, other: &Self) -> [f32; BINS] {
        std::array::from_fn(|bin| self.re[bin] * other.re[bin] + self.im[bin] * other.im[bin])
    }

    /// What is left without `share` of `other`.
    pub(super) fn without(&self, share: f32, other: &Self) -> Self {
        Self {
            re: std::array::from_fn(|bin| self.re[bin] - share * other.re[bin]),
            im: std::array::from_fn(|bin| self.im[bin] - share * other.im[bin]),
        }
    }
}

/// Bands: 200 Hz wide at first, then a fifth of their frequency. First frequency of each in 50 Hz, and the end.
pub(super) const EDGES: [usize; 22] = [
    0, 5, 9, 13, 17, 21, 26, 32, 39, 48, 59, 72, 88, 107, 131, 160, 195, 238, 290, 354, 432, BINS,
];
pub(super) const BANDS: usize = EDGES.len() - 1;
/// One number for each band.
pub(super) type Bands = [f32; BANDS];

/// Both transforms, with the room that they need.
pub(super) struct Fourier {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    samples: Vec<f32>,
    bins: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Fourier {
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(BLOCK_SAMPLES);
        let inverse = planner.plan_fft_inverse(BLOCK_SAMPLES);
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        Self {
            samples: forward.make_input_vec(),
            bins: forward.make_output_vec(),
            scratch: vec![Complex32::default(); scratch],
            forward,
            inverse,
        }
    }

    /// The spectrum of one frame after another.
    pub(super) fn forward(
        &mut self,
        first: &[f32; FRAME_SAMPLES],
        second: &[f32; FRAME_SAMPLES],
        out: &mut Spectrum,
    ) {
        self.samples[..FRAME_SAMPLES].copy_from_slice(first);
        self.samples[FRAME_SAMPLES..].copy_from_slice(second);
        let done =
            self.forward
                .process_with_scratch(&mut self.samples, &mut self.bins, &mut self.scratch);
        done.expect("lengths are those of the plan");
        let parts = out.re.iter_mut().zip(&mut out.im);
        for ((re, im), bin) in parts.zip(&self.bins) {
            (*re, *im) = (bin.re, bin.im);
        }
    }

    /// The block with this spectrum.
    pub(super) fn inverse(&mut self, spectrum: &Spectrum) -> &[f32] {
        const SCALE: f32 = 1.0 / BLOCK_SAMPLES as f32;
        let parts = spectrum.re.iter().zip(&spectrum.im);
        for (bin, (re, im)) in self.bins.iter_mut().zip(parts) {
            *bin = Complex32::new(re * SCALE, im * SCALE);
        }
        // Those of a real signal; rounding may have left something.
        self.bins[0].im = 0.0;
        self.bins[BINS - 1].im = 0.0;
        let done =
            self.inverse
                .process_with_scratch(&mut self.bins, &mut self.samples, &mut self.scratch);
        done.expect("lengths are those of the plan");
        &self.samples
    }
}

/// The power in each band.
pub(super) fn of_bands(power: &[f32; BINS]) -> Bands {
    std::array::from_fn(|band| sum(&power[EDGES[band]..EDGES[band + 1]]))
}

/// Sums that do not wait for each other.
const LANES: usize = 8;

/// The sum, in the order that is fastest.
pub(super) fn sum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    sums.iter().chain(rest).sum()
}

/// The same of the squares.
pub(super) fn sum_of_squares(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value * value;
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|value| value * value).sum::<f32>()
}
