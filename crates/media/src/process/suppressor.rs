//! What the echo canceller could not take away is made inaudible, and the quiet between is filled with the noise of the room.
//!
//! For each band the power that may be echo is compared with what is there. A band in which most may be echo becomes
//! quieter; if that is so nearly everywhere, nobody talks here and everything does. A short filter carries the gains out,
//! so that the delay is 1.3 ms only.

use fearless_simd::{Level, dispatch};

use super::echo_path::Cancelled;
use super::spectrum::{BANDS, BLOCK_SAMPLES, Bands, EDGES, Fourier, Spectrum, of_bands};
use crate::frame::FRAME_SAMPLES;

/// The bands that tell whether somebody talks: 450 Hz to 14.5 kHz.
const TELLING: std::ops::Range<usize> = 2..18;
/// An echo is taken to be so much stronger than what the canceller is uncertain of.
const CAUTION: f32 = 4.0;
/// Share of the known echo that is distorted, so that no linear filter takes it away: -25 dB.
const DISTORTED: f32 = 3e-3;
/// How slowly an echo dies away for the ear, for each frame.
const DECAY: f32 = 0.8;
/// If less than this share of the bands is surely not echo, nobody talks here.
const TALK_FROM: f32 = 0.7;
/// How fast that is believed, for each frame: at once when somebody begins to talk, later when nobody does any more.
const TALK_STEP: f32 = 0.34;
const QUIET_STEP: f32 = 0.1;
/// Least gains: while somebody talks here too, and while nobody does.
const LEAST_TALKING: f32 = 0.1;
const LEAST_QUIET: f32 = 0.003;
/// How slowly a gain follows, down and up.
const DOWN: f32 = 0.2;
const UP: f32 = 0.3;
/// The noise floor rises by this for each frame, 2 dB in a second, and falls at once.
const FLOOR_RISE: f32 = 1.005;
/// Noise that fills what was taken away is softer than the room's by 6 dB.
const FILL: f32 = 0.5;
const TAPS: usize = 128;
/// The filter that takes nothing.
const THROUGH: [f32; TAPS] = {
    let mut taps = [0.0; TAPS];
    taps[TAPS / 2] = 1.0;
    taps
};
/// A gain above this is none, so that a quiet loudspeaker costs nothing.
const NEARLY_ALL: f32 = 0.9999;
/// Samples over which one filter gives way to the next: 5 ms.
const FADE: usize = FRAME_SAMPLES / 2;

/// See the module header.
pub(super) struct Suppressor {
    fourier: Fourier,
    level: Level,
    /// Power that may be echo, and that is there, lately.
    echo: Bands,
    present: Bands,
    /// Of the room's noise, once there was a moment without echo.
    floor: [Option<f32>; BANDS],
    gain: Bands,
    /// 1: nobody talks here; 0: somebody does.
    quiet: f32,
    window: [f32; TAPS],
    taps: [f32; TAPS],
    /// The end of the frame before, and the frame.
    samples: [f32; TAPS + FRAME_SAMPLES],
    /// Second half of the noise before.
    fill: [f32; FRAME_SAMPLES],
    has_filled: bool,
    random: u32,
}

impl Suppressor {
    pub(super) fn new() -> Self {
        let window = std::array::from_fn(|n| {
            let turn = std::f32::consts::TAU * n as f32 / TAPS as f32;
            0.5 - 0.5 * turn.cos()
        });
        Self {
            fourier: Fourier::new(),
            level: Level::new(),
            echo: [0.0; BANDS],
            present: [0.0; BANDS],
            floor: [None; BANDS],
            gain: [1.0; BANDS],
            quiet: 0.0,
            window,
            taps: THROUGH,
            samples: [0.0; TAPS + FRAME_SAMPLES],
            fill: [0.0; FRAME_SAMPLES],
            has_filled: false,
            random: 1,
        }
    }

    /// The frame without what may be echo.
    pub(super) fn suppress(&mut self, cancelled: &Cancelled) -> [f32; FRAME_SAMPLES] {
        self.measure(cancelled);
        self.decide();
        let taps = self.new_taps();
        let mut out = self.filter(&cancelled.rest, &taps);
        self.taps = taps;
        self.add_noise(&mut out);
        out
    }

    fn measure(&mut self, cancelled: &Cancelled) {
        let present = of_bands(&cancelled.rest_power);
        let uncertain = of_bands(&cancelled.uncertain_power);
        let known = of_bands(&cancelled.echo_power);
        for band in 0..BANDS {
            let echo = uncertain[band] + DISTORTED * known[band];
            self.echo[band] = echo.max(DECAY * self.echo[band]);
            let now = present[band] + 1e-9;
            let follow = if now > self.present[band] { 0.7 } else { 0.4 };
            self.present[band] += follow * (now - self.present[band]);
            self.learn_floor(band);
        }
    }

    /// Never from an echo that may still be heard.
    fn learn_floor(&mut self, band: usize) {
        let (present, floor) = (self.present[band], self.floor[band]);
        let is_echo = CAUTION * self.echo[band] > present;
        self.floor[band] = match floor {
            Some(floor) if is_echo => Some(floor.min(present)),
            None if is_echo => None,
            Some(floor) => Some(present.min(floor * FLOOR_RISE)),
            None => Some(present),
        };
    }

    fn decide(&mut self) {
        let floors = self.floor.map(Option::unwrap_or_default);
        let floor = |band: usize| floors[band];
        let surely_not_echo = TELLING.map(|band| {
            let rest = self.present[band] - CAUTION * self.echo[band] - floor(band);
            rest.max(0.0) / self.present[band]
        });
        let share = surely_not_echo.sum::<f32>() / TELLING.len() as f32;
        let step = if share > TALK_FROM {
            -TALK_STEP
        } else {
            QUIET_STEP
        };
        self.quiet = (self.quiet + step).clamp(0.0, 1.0);
        let least = LEAST_QUIET.powf(self.quiet) * LEAST_TALKING.powf(1.0 - self.quiet);
        let quieter = 1.0 - self.quiet * (1.0 - LEAST_QUIET);
        for band in 0..BANDS {
            let is_echoing = self.echo[band] > 0.5 * floor(band);
            let wanted = if is_echoing {
                let near = (self.present[band] - CAUTION * self.echo[band]).max(0.0);
                let share = near / self.present[band];
                (share.powf(1.0 + self.quiet) * quieter).max(least)
            } else {
                1.0
            };
            let keeps = if wanted < self.gain[band] { DOWN } else { UP };
            let gain = keeps * self.gain[band] + (1.0 - keeps) * wanted;
            self.gain[band] = if gain > NEARLY_ALL { 1.0 } else { gain };
        }
    }

    /// Nothing may be echo.
    fn takes_nothing(&self) -> bool {
        self.gain.iter().all(|gain| *gain >= 1.0)
    }

    /// The filter with these gains: symmetric, half of its length late.
    fn new_taps(&mut self) -> [f32; TAPS] {
        if self.takes_nothing() {
            return THROUGH;
        }
        let mut spectrum = Spectrum::SILENCE;
        for (band, gain) in self.gain.iter().enumerate() {
            spectrum.re[EDGES[band]..EDGES[band + 1]].fill(*gain);
        }
        let block = self.fourier.inverse(&spectrum);
        std::array::from_fn(|n| {
            let place = (BLOCK_SAMPLES + n - TAPS / 2) % BLOCK_SAMPLES;
            block[place] * self.window[n]
        })
    }

    fn filter(&mut self, frame: &[f32; FRAME_SAMPLES], taps: &[f32; TAPS]) -> [f32; FRAME_SAMPLES] {
        self.samples.copy_within(FRAME_SAMPLES.., 0);
        self.samples[TAPS..].copy_from_slice(frame);
        let mut out = [0.0; FRAME_SAMPLES];
        if taps == &THROUGH && self.taps == THROUGH {
            out.copy_from_slice(&self.samples[TAPS / 2..][..FRAME_SAMPLES]);
            return out;
        }
        dispatch!(self.level, _simd => convolve(&self.samples, taps, &mut out));
        let mut before = [0.0; FADE];
        dispatch!(self.level, _simd => convolve(&self.samples, &self.taps, &mut before));
        for (n, (out, before)) in out.iter_mut().zip(before).enumerate() {
            let share = n as f32 / FADE as f32;
            *out = before + share * (*out - before);
        }
        out
    }

    /// Fills what was taken away up to the noise floor, so that the room does not come and go.
    fn add_noise(&mut self, out: &mut [f32; FRAME_SAMPLES]) {
        if self.takes_nothing() && !self.has_filled {
            return;
        }
        self.has_filled = !self.takes_nothing();
        let mut spectrum = Spectrum::SILENCE;
        for band in 0..BANDS {
            let (first, end) = (EDGES[band], EDGES[band + 1]);
            let missing = self.floor[band].unwrap_or_default()
                * (1.0 - self.gain[band] * self.gain[band]).max(0.0);
            // Half of the power is in each of the two parts, and in each of the two frames of a block.
            let part = FILL * (missing / (end - first) as f32).sqrt();
            for bin in first..end {
                (spectrum.re[bin], spectrum.im[bin]) = self.either_sign(part);
            }
        }
        let block = self.fourier.inverse(&spectrum);
        for (n, out) in out.iter_mut().enumerate() {
            let share = n as f32 / FRAME_SAMPLES as f32;
            *out += (1.0 - share).sqrt() * self.fill[n] + share.sqrt() * block[n];
        }
        self.fill.copy_from_slice(&block[FRAME_SAMPLES..]);
    }

    /// `part` with a random sign, twice: the upper bits of a linear congruential generator.
    fn either_sign(&mut self, part: f32) -> (f32, f32) {
        const SIGN: u32 = 1 << 31;
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        let (first, second) = (self.random & SIGN, (self.random << 1) & SIGN);
        let signed = |sign: u32| f32::from_bits(part.to_bits() ^ sign);
        (signed(first), signed(second))
    }
}

/// Samples whose sums are kept at hand together.
const SUMS: usize = 48;

/// Fills `out`, whole `SUMS` of it; `samples` begin as many samples earlier as there are taps.
#[expect(
    clippy::inline_always,
    reason = "the caller chooses the kind of processor"
)]
#[inline(always)]
fn convolve(samples: &[f32; TAPS + FRAME_SAMPLES], taps: &[f32; TAPS], out: &mut [f32]) {
    let (chunks, _) = out.as_chunks_mut::<SUMS>();
    for (chunk, out) in chunks.iter_mut().enumerate() {
        let mut sums = [0.0; SUMS];
        for (n, tap) in taps.iter().enumerate() {
            let start = chunk * SUMS + TAPS - n;
            for (sum, sample) in sums.iter_mut().zip(&samples[start..start + SUMS]) {
                *sum += tap * sample;
            }
        }
        *out = sums;
    }
}
