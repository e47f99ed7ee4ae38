//! Whether there is an echo at all: whether what the learned path foretells is found in what the microphone captures.
//!
//! A filter that learns while somebody talks here also learns from that voice, and what it foretells then is no echo.
//! So, as with two filters of which one is in use (K. Ochiai and others, "Echo canceler with two echo path models", IEEE
//! Transactions on Communications 25, 1977), nothing is taken away until it is proven, but the proof is not a lower power, which chance gives too:
//! what is foretold for a frame, before anything is learned from it, must resemble what comes, over all bands alike. Near
//! speech resembles a foretold echo in single bands and moments only.

use super::spectrum::{Bands, Spectrum, of_bands, sum};

/// The bands that are compared: up to 14.5 kHz.
const COMPARED: usize = 18;
/// How slowly the resemblance follows, for each frame with something foretold: 300 ms.
const SMOOTHING: f32 = 0.97;
/// From this resemblance on an echo is proven, and below the other it is not any more. Voices without echo reach 0.17,
/// an echo beside a voice 0.3 and more.
const PROVEN_FROM: f32 = 0.2;
const DROPPED_BELOW: f32 = 0.03;
/// Sums over a spectrum below which nothing is concluded: -70 dBFS foretold, -84 dBFS captured.
const LEAST_FORETOLD: f32 = 2e-2;
const LEAST_CAPTURED: f32 = 1e-3;
/// What remains has so much more power than what was captured if a proven path is another one now.
const WORSE: f32 = 1.3;
/// How fast a proven echo is taken away in full, for each frame.
const SHARE_STEP: f32 = 0.2;
/// Frames with a voice in the loudspeaker for which an echo is feared before it is proven: 150 ms at first, and 1 s
/// if there was one.
const FEARED: f32 = 15.0;
const FEARED_AGAIN: f32 = 100.0;
/// Frames with a voice in the loudspeaker after which a path that proved nothing is learned anew, 3 s: what was learned
/// where there was no echo would delay one that comes.
const TRIED: u32 = 300;

/// See the module header.
pub(super) struct Proof {
    resemblance: f32,
    is_proven: bool,
    /// Frames for which an echo is still feared.
    feared: f32,
    /// Frames for which the path was learned without a proof.
    tried: u32,
    share: f32,
    /// Powers of what was captured and of what remained, lately.
    captured: f32,
    rest: f32,
}

/// What follows for a frame.
#[derive(Clone, Copy)]
pub(super) struct Verdict {
    /// Share of the foretold echo that is to be taken away, at the beginning of the frame and at its end.
    pub(super) shares: (f32, f32),
    /// How far the echo that may be left is to be believed, from 0 to 1.
    pub(super) fear: f32,
    /// What was learned of the path is to be forgotten.
    pub(super) is_useless: bool,
}

impl Proof {
    pub(super) fn new() -> Self {
        Self {
            resemblance: 0.0,
            is_proven: false,
            feared: FEARED,
            tried: 0,
            share: 0.0,
            captured: 0.0,
            rest: 0.0,
        }
    }

    /// `is_playing`: a voice comes from the loudspeaker; `foretold` is the echo and `captured` the frame.
    pub(super) fn weigh(
        &mut self,
        is_playing: bool,
        foretold: &Spectrum,
        captured: &Spectrum,
    ) -> Verdict {
        self.compare(foretold, captured);
        let is_other_path = self.is_worse(foretold, captured);
        if is_other_path {
            *self = Self {
                feared: FEARED_AGAIN,
                share: self.share,
                ..Self::new()
            };
        }
        if is_playing {
            self.feared = (self.feared - 1.0).max(0.0);
            self.tried += 1;
        }
        if self.is_proven {
            self.tried = 0;
        }
        let is_vain = self.tried >= TRIED;
        if is_vain {
            self.tried = 0;
        }
        let before = self.share;
        let step = if self.is_proven {
            SHARE_STEP
        } else {
            -SHARE_STEP
        };
        self.share = (self.share + step).clamp(0.0, 1.0);
        let fear = if self.is_proven {
            1.0
        } else {
            (self.feared / FEARED).min(1.0)
        };
        Verdict {
            shares: (before, self.share),
            fear,
            is_useless: is_other_path || is_vain,
        }
    }

    /// Each band counts alike and so does each frame: a loud moment in a few bands proves nothing.
    fn compare(&mut self, foretold: &Spectrum, captured: &Spectrum) {
        let (foretold_power, captured_power) = (bands(foretold), bands(captured));
        let is_enough = foretold_power.iter().sum::<f32>() > LEAST_FORETOLD
            && captured_power.iter().sum::<f32>() > LEAST_CAPTURED;
        if !is_enough {
            return;
        }
        let common = of_bands(&foretold.common(captured));
        let alike = (0..COMPARED).map(|band| {
            let power = foretold_power[band] * captured_power[band];
            common[band] / (power + f32::MIN_POSITIVE).sqrt()
        });
        let now = alike.sum::<f32>() / COMPARED as f32;
        self.resemblance = SMOOTHING * self.resemblance + (1.0 - SMOOTHING) * now;
        if self.resemblance > PROVEN_FROM {
            self.is_proven = true;
        } else if self.resemblance < DROPPED_BELOW {
            self.is_proven = false;
        }
    }

    /// With a path that is another one now, an echo is not taken away but added once more.
    fn is_worse(&mut self, foretold: &Spectrum, captured: &Spectrum) -> bool {
        let rest = sum(&captured.without(1.0, foretold).power());
        let captured = sum(&captured.power());
        let follow = |before: f32, now: f32| SMOOTHING * before + (1.0 - SMOOTHING) * now;
        self.captured = follow(self.captured, captured);
        self.rest = follow(self.rest, rest);
        self.is_proven && self.rest > WORSE * self.captured + LEAST_CAPTURED
    }
}

fn bands(spectrum: &Spectrum) -> Bands {
    of_bands(&spectrum.power())
}
