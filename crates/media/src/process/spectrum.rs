//! Spectra of two frames, for what works block by block in the frequency domain.

use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex32};

use crate::frame::FRAME_SAMPLES;

/// Samples of one transform: two frames.
pub(super) const BLOCK_SAMPLES: usize = 2 * FRAME_SAMPLES;
/// Frequencies of one transform, 50 Hz apart.
pub(super) const BINS: usize = FRAME_SAMPLES + 1;

/// The spectrum of a block.
pub(super) type Spectrum = [Complex32; BINS];

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
        let done = self
            .forward
            .process_with_scratch(&mut self.samples, out, &mut self.scratch);
        done.expect("lengths are those of the plan");
    }

    /// The block with this spectrum.
    pub(super) fn inverse(&mut self, spectrum: &Spectrum) -> &[f32] {
        self.bins.copy_from_slice(spectrum);
        // Those of a real signal; rounding may have left something.
        self.bins[0].im = 0.0;
        self.bins[BINS - 1].im = 0.0;
        let done =
            self.inverse
                .process_with_scratch(&mut self.bins, &mut self.samples, &mut self.scratch);
        done.expect("lengths are those of the plan");
        for sample in &mut self.samples {
            *sample /= BLOCK_SAMPLES as f32;
        }
        &self.samples
    }
}

/// The power in each band.
pub(super) fn of_bands(power: &[f32; BINS]) -> Bands {
    std::array::from_fn(|band| power[EDGES[band]..EDGES[band + 1]].iter().sum())
}

/// The power at each frequency.
pub(super) fn power_of(spectrum: &Spectrum) -> [f32; BINS] {
    spectrum.map(|bin| bin.norm_sqr())
}
