//! The numbers of an adaptive filter in partitions, and what is done to all of them in every frame: nearly all that the
//! echo canceller costs.
//!
//! Each loop runs over plain arrays and is compiled for several kinds of processor, of which the fastest that is there
//! is taken (`fearless_simd`). The order of operations is the same in each, so that results are too.
//! What the numbers mean is told in [`EchoPath`](super::echo_path::EchoPath).

use fearless_simd::{Level, dispatch};

use super::spectrum::{BINS, Spectrum};

/// Share of a path that stays from one frame to the next; the rest may have changed.
const PERSISTENCE: f32 = 0.9999;
/// The same of its power.
const KEPT: f32 = PERSISTENCE * PERSISTENCE;
/// Half of a block is the frame itself, the other half belongs to the one before.
const OVERLAP: f32 = 0.5;

/// One frame's length of a path.
#[derive(Clone)]
pub(super) struct Partition {
    pub(super) path: Spectrum,
    /// Variance of what is wrong with the path.
    pub(super) uncertainty: [f32; BINS],
    /// It learned since it was made whole.
    pub(super) has_grown: bool,
    /// Frames since it learned last, because silence was played.
    silent: u16,
}

impl Partition {
    /// Nothing is known of it but how much it may be at most.
    pub(super) fn unknown(uncertainty: f32) -> Self {
        Self {
            path: Spectrum::SILENCE,
            uncertainty: [uncertainty; BINS],
            has_grown: false,
            silent: 0,
        }
    }
}

/// What all partitions foretell together.
pub(super) struct Foretold {
    /// Spectrum of the echo.
    pub(super) echo: Spectrum,
    /// Power of what may be wrong with it.
    pub(super) uncertain: [f32; BINS],
}

/// What an error teaches, at each frequency.
pub(super) struct Lesson {
    /// The error, weighted.
    pub(super) error: Spectrum,
    /// Inverse of the power that is there.
    pub(super) weight: [f32; BINS],
}

impl Foretold {
    pub(super) const NOTHING: Self = Self {
        echo: Spectrum::SILENCE,
        uncertain: [0.0; BINS],
    };

    /// Adds what comes of `played` through one partition.
    pub(super) fn add(&mut self, level: Level, played: &Spectrum, partition: &mut Partition) {
        partition.wake();
        dispatch!(level, _simd => add(self, played, partition));
    }
}

impl Partition {
    /// One step of the Kalman filter.
    pub(super) fn learn(&mut self, level: Level, played: &Spectrum, lesson: &Lesson) {
        dispatch!(level, _simd => learn(self, played, lesson));
        self.has_grown = true;
    }

    /// Silence was played: nothing is learned, but the path may have changed.
    pub(super) fn skip(&mut self) {
        self.silent = self.silent.saturating_add(1);
    }

    /// What the time in which silence was played makes of the uncertainty.
    fn wake(&mut self) {
        if self.silent == 0 {
            return;
        }
        let kept = KEPT.powi(i32::from(self.silent));
        for (uncertainty, path_power) in self.uncertainty.iter_mut().zip(self.path.power()) {
            *uncertainty = kept * *uncertainty + (1.0 - kept) * path_power;
        }
        self.silent = 0;
    }
}

#[expect(
    clippy::inline_always,
    reason = "the caller chooses the kind of processor"
)]
#[expect(
    clippy::needless_range_loop,
    reason = "all arrays are walked through alike"
)]
#[inline(always)]
fn add(sum: &mut Foretold, played: &Spectrum, partition: &Partition) {
    let (path, uncertainty) = (&partition.path, &partition.uncertainty);
    for bin in 0..BINS {
        let (re, im) = (played.re[bin], played.im[bin]);
        sum.echo.re[bin] += re * path.re[bin] - im * path.im[bin];
        sum.echo.im[bin] += re * path.im[bin] + im * path.re[bin];
        sum.uncertain[bin] += OVERLAP * (re * re + im * im) * uncertainty[bin];
    }
}

#[expect(
    clippy::inline_always,
    reason = "the caller chooses the kind of processor"
)]
#[inline(always)]
fn learn(partition: &mut Partition, played: &Spectrum, lesson: &Lesson) {
    let (path, uncertainty) = (&mut partition.path, &mut partition.uncertainty);
    let (error, weight) = (&lesson.error, &lesson.weight);
    let renewed = 1.0 - KEPT;
    for bin in 0..BINS {
        let known = uncertainty[bin];
        let (re, im) = (played.re[bin], played.im[bin]);
        let path_re = path.re[bin] + (re * error.re[bin] + im * error.im[bin]) * known;
        let path_im = path.im[bin] + (re * error.im[bin] - im * error.re[bin]) * known;
        (path.re[bin], path.im[bin]) = (path_re, path_im);
        let sure = (1.0 - OVERLAP * known * weight[bin] * (re * re + im * im)).max(0.0);
        uncertainty[bin] = KEPT * sure * known + renewed * (path_re * path_re + path_im * path_im);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spectrum(phase: f32) -> Spectrum {
        Spectrum {
            re: std::array::from_fn(|bin| (bin as f32 + phase).sin()),
            im: std::array::from_fn(|bin| (bin as f32 * 0.7 + phase).cos()),
        }
    }

    fn lesson() -> Lesson {
        Lesson {
            error: spectrum(2.0),
            weight: [0.3; BINS],
        }
    }

    fn partition() -> Partition {
        let mut partition = Partition::unknown(0.03);
        partition.path = spectrum(0.5);
        partition
    }

    #[test]
    fn every_kind_of_processor_gives_the_same() {
        let of = |level: Level| {
            let (mut partition, mut sum) = (partition(), Foretold::NOTHING);
            for phase in [0.0, 1.0, 4.0] {
                sum.add(level, &spectrum(phase), &mut partition);
                partition.learn(level, &spectrum(phase), &lesson());
            }
            let path = partition.path;
            (path.re, partition.uncertainty, sum.echo.im, sum.uncertain)
        };
        assert_eq!(of(Level::new()), of(Level::baseline()));
    }

    #[test]
    fn silence_that_is_skipped_makes_as_uncertain_as_silence_that_is_not() {
        let (mut skipped, mut learned) = (partition(), partition());
        for _ in 0..500 {
            skipped.skip();
            learned.learn(Level::new(), &Spectrum::SILENCE, &lesson());
        }
        let mut foretold = [Foretold::NOTHING, Foretold::NOTHING];
        for (foretold, partition) in foretold.iter_mut().zip([&mut skipped, &mut learned]) {
            foretold.add(Level::new(), &spectrum(1.0), partition);
            foretold.add(Level::new(), &spectrum(1.0), partition);
        }
        let [skipped, learned] = foretold.map(|foretold| foretold.uncertain);
        for (skipped, learned) in skipped.iter().zip(learned) {
            assert!(
                (skipped / learned - 1.0).abs() < 1e-3,
                "{skipped} {learned}"
            );
        }
    }
}
