//! How loud, and from one loudness to the next without a step.

use super::Sums;
use crate::frame::{FRAME_SAMPLES, Frame};

/// How much louder or softer than it came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain(f32);

impl Gain {
    /// Not heard.
    pub const SILENT: Self = Self(0.0);
    /// As it came.
    pub const UNITY: Self = Self(1.0);
    /// The loudest, in decibels.
    pub const MAX_DB: f32 = 12.0;
    /// What is softer than this, in decibels, is not heard.
    pub const MIN_DB: f32 = -60.0;

    /// Louder above 0, softer below; at most [`Gain::MAX_DB`], silent under [`Gain::MIN_DB`].
    #[must_use]
    pub fn from_db(decibels: f32) -> Self {
        if decibels >= Self::MIN_DB {
            Self(10.0_f32.powf(decibels.min(Self::MAX_DB) / 20.0))
        } else {
            Self::SILENT
        }
    }
}

/// A gain on its way to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ramp {
    now: f32,
    target: f32,
}

impl Ramp {
    pub(super) fn at(gain: f32) -> Self {
        Self {
            now: gain,
            target: gain,
        }
    }

    pub(super) fn go_to(&mut self, gain: Gain) {
        self.target = gain.0;
    }

    /// The gains at the beginning and the end of the coming frame.
    pub(super) fn advance(&mut self) -> (f32, f32) {
        let from = self.now;
        self.now = self.target;
        (from, self.now)
    }
}

/// The frame with a gain that goes evenly from one value to another.
pub(super) fn scale(frame: &Frame, from: f32, to: f32, out: &mut Sums) {
    if from == 1.0 && to == 1.0 {
        for (out, &sample) in out.iter_mut().zip(frame) {
            *out = i32::from(sample);
        }
        return;
    }
    let step = step(from, to);
    let mut gain = from;
    for (out, &sample) in out.iter_mut().zip(frame) {
        gain += step;
        *out = rounded(f32::from(sample) * gain);
    }
}

/// Adds `sound` with a gain that goes evenly from one value to another.
pub(super) fn add_scaled(sums: &mut Sums, sound: &Sums, from: f32, to: f32) {
    let step = step(from, to);
    let mut gain = from;
    for (sum, &sample) in sums.iter_mut().zip(sound) {
        gain += step;
        *sum += rounded(as_f32(sample) * gain);
    }
}

#[expect(clippy::cast_precision_loss, reason = "480 is exact")]
fn step(from: f32, to: f32) -> f32 {
    (to - from) / FRAME_SAMPLES as f32
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a sample with the greatest gain has 18 bits"
)]
fn as_f32(sample: i32) -> f32 {
    sample as f32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "at most 16 times full scale"
)]
fn rounded(value: f32) -> i32 {
    // Cheaper than `round`, which is a call where the machine has no instruction for it.
    (value + 0.5_f32.copysign(value)) as i32
}
