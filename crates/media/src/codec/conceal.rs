//! Concealment for codecs that have none.
//!
//! What was heard is taken apart into a filter (linear prediction) and what excites it. In a gap
//! the excitation goes on: its last pitch period again and again as far as the sound was voiced,
//! and a random mixture of it as far as it was not. The filter remembers where it was, so the gap
//! begins without a step. Full strength for 10 ms, silence after 120 ms.
//!
//! If the sound after the gap is known already, the same is done backwards from there, and the two
//! are faded into each other where they are most alike.

use crate::frame::sample_from_f32;

/// What is remembered, in milliseconds: the longest period, and what is compared with it.
const HISTORY_MS: usize = 50;
/// Periods that are looked for: voices from 67 to 400 Hz.
const MIN_LAG_US: usize = 2_500;
const MAX_LAG_US: usize = 15_000;
/// What is compared, and what the filter is computed from.
const MATCH_MS: usize = 20;
/// Coefficients of the filter at 8 kHz; more at higher rates.
const ORDER_AT_8_KHZ: usize = 16;
/// Keeps the filter from ringing.
const BANDWIDTH_EXPANSION: f32 = 0.992;
const FADE_START_MS: f32 = 10.0;
const FADE_MS: f32 = 110.0;
/// Back to real sound over 4 ms.
const RETURN_MS: usize = 4;

/// Remembers what was heard and goes on from there.
pub(super) struct Concealer {
    per_ms: usize,
    history: Vec<f32>,
    /// Set while sound is invented.
    going_on: Option<Extrapolation>,
}

impl Concealer {
    /// For sound at this rate, in Hz.
    pub(super) fn new(rate_hz: u32) -> Self {
        let per_ms = usize::try_from(rate_hz / 1_000).unwrap_or(8).max(1);
        Self {
            per_ms,
            history: vec![0.0; HISTORY_MS * per_ms],
            going_on: None,
        }
    }

    /// Real sound came. After a loss its start is blended with what would have been invented.
    pub(super) fn heard(&mut self, samples: &mut [i16]) {
        if let Some(mut going_on) = self.going_on.take() {
            let returning = (RETURN_MS * self.per_ms).min(samples.len());
            let mut invented = vec![0.0; returning];
            going_on.fill(&mut invented);
            fade(samples, &invented);
        }
        self.remember(samples);
    }

    /// Fills `out` with what may have been said; `after` is what comes then, if it is known.
    pub(super) fn invent(&mut self, out: &mut [i16], after: Option<&[i16]>) {
        let mut going_on = self
            .going_on
            .take()
            .unwrap_or_else(|| Extrapolation::new(&self.history, self.per_ms));
        let mut forwards = vec![0.0; out.len()];
        going_on.fill(&mut forwards);
        if let Some(after) = after.filter(|after| after.len() >= MATCH_MS * self.per_ms) {
            let mut backwards = vec![0.0; out.len()];
            Extrapolation::new(&reversed_past(after, self.history.len()), self.per_ms)
                .fill(&mut backwards);
            backwards.reverse();
            join(&mut forwards, &backwards);
            // It leads to the real sound by itself.
            going_on = Extrapolation::silent();
        }
        for (sample, value) in out.iter_mut().zip(forwards) {
            *sample = sample_from_f32(value);
        }
        self.remember(out);
        self.going_on = Some(going_on).filter(|going_on| !going_on.is_silent());
    }

    fn remember(&mut self, samples: &[i16]) {
        let new = samples.len().min(self.history.len());
        self.history.drain(..new);
        let latest = &samples[samples.len() - new..];
        self.history
            .extend(latest.iter().map(|&sample| f32::from(sample)));
    }
}

/// What comes after a gap, as if it were the past of what runs backwards.
fn reversed_past(after: &[i16], len: usize) -> Vec<f32> {
    let known = after.len().min(len);
    let mut past = vec![0.0; len - known];
    past.extend(after[..known].iter().rev().map(|&sample| f32::from(sample)));
    past
}

/// Fades from `old` to what `samples` hold.
fn fade(samples: &mut [i16], old: &[f32]) {
    let step = 1.0 / count(old.len() + 1);
    let mut weight = step;
    for (sample, old) in samples.iter_mut().zip(old) {
        *sample = sample_from_f32(f32::from(*sample) * weight + old * (1.0 - weight));
        weight += step;
    }
}

/// Fades `forwards` into `backwards` around the place where they are most alike.
fn join(forwards: &mut [f32], backwards: &[f32]) {
    let len = forwards.len();
    let faded = len / 2;
    let likeness = |at: usize| correlation(&forwards[at..at + faded], &backwards[at..at + faded]);
    let best = (0..=len - faded).max_by(|&a, &b| likeness(a).total_cmp(&likeness(b)));
    let at = best.unwrap_or(0);
    let step = 1.0 / count(faded + 1);
    let mut weight = step;
    for n in at..at + faded {
        forwards[n] = forwards[n] * (1.0 - weight) + backwards[n] * weight;
        weight += step;
    }
    forwards[at + faded..].copy_from_slice(&backwards[at + faded..]);
}

/// Sound that goes on after its end.
struct Extrapolation {
    per_ms: usize,
    filter: Vec<f32>,
    /// The filter's past output, newest last.
    memory: Vec<f32>,
    /// What excited it lately, newest last.
    excitation: Vec<f32>,
    lag: usize,
    voiced: f32,
    filled: usize,
    random: u32,
}

impl Extrapolation {
    fn new(history: &[f32], per_ms: usize) -> Self {
        let order = ORDER_AT_8_KHZ * (1 + per_ms / 16);
        let window = MATCH_MS * per_ms;
        let filter = prediction(&history[history.len() - window..], order);
        let excitation: Vec<f32> = (order..history.len())
            .map(|n| {
                let predicted: f32 = filter
                    .iter()
                    .zip(history[..n].iter().rev())
                    .map(|(a, s)| a * s)
                    .sum();
                history[n] - predicted
            })
            .collect();
        let (lag, alike) = best_lag(history, per_ms);
        Self {
            per_ms,
            memory: history[history.len() - order..].to_vec(),
            filter,
            excitation,
            lag,
            voiced: ((alike - 0.3) / 0.5).clamp(0.0, 1.0),
            filled: 0,
            random: 1,
        }
    }

    fn silent() -> Self {
        Self {
            per_ms: 1,
            filter: Vec::new(),
            memory: Vec::new(),
            excitation: Vec::new(),
            lag: 1,
            voiced: 0.0,
            filled: 0,
            random: 1,
        }
    }

    fn is_silent(&self) -> bool {
        self.excitation.is_empty()
    }

    fn fill(&mut self, out: &mut [f32]) {
        for sample in out {
            *sample = self.next();
        }
    }

    fn next(&mut self) -> f32 {
        let Some(start) = self.excitation.len().checked_sub(self.lag) else {
            return 0.0;
        };
        let periodic = self.excitation[start + self.filled % self.lag];
        // Any of the last 20 ms.
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        let window = MATCH_MS * self.per_ms;
        let back = 1 + usize::try_from(self.random >> 16).unwrap_or(0) % window;
        let mixed = self.excitation[self.excitation.len() - back.min(self.excitation.len())];
        let excitation = periodic * self.voiced + mixed * (1.0 - self.voiced * self.voiced).sqrt();
        let predicted: f32 = self
            .filter
            .iter()
            .zip(self.memory.iter().rev())
            .map(|(a, s)| a * s)
            .sum();
        let value = (excitation + predicted).clamp(-32_768.0, 32_767.0);
        self.memory.rotate_left(1);
        if let Some(newest) = self.memory.last_mut() {
            *newest = value;
        }
        let ms = count(self.filled) / count(self.per_ms);
        self.filled = self.filled.saturating_add(1);
        value * (1.0 - (ms - FADE_START_MS) / FADE_MS).clamp(0.0, 1.0)
    }
}

/// Coefficients that predict a sample from those before it, newest first (autocorrelation method,
/// Levinson's recursion).
fn prediction(samples: &[f32], order: usize) -> Vec<f32> {
    let len = count(samples.len());
    let windowed: Vec<f32> = samples
        .iter()
        .enumerate()
        .map(|(n, sample)| sample * (std::f32::consts::PI * (count(n) + 0.5) / len).sin())
        .collect();
    let correlation = |lag: usize| -> f32 {
        windowed[lag..]
            .iter()
            .zip(&windowed)
            .map(|(a, b)| a * b)
            .sum()
    };
    // A little white noise keeps the recursion stable.
    let mut error = correlation(0) * 1.000_1 + 1.0;
    let correlations: Vec<f32> = (1..=order).map(correlation).collect();
    let mut filter = Vec::with_capacity(order);
    for n in 0..order {
        let predicted: f32 = filter
            .iter()
            .zip(correlations[..n].iter().rev())
            .map(|(a, r): (&f32, &f32)| a * r)
            .sum();
        let reflection = (correlations[n] - predicted) / error;
        let mirrored: Vec<f32> = filter.iter().rev().copied().collect();
        for (a, m) in filter.iter_mut().zip(mirrored) {
            *a -= reflection * m;
        }
        filter.push(reflection);
        error *= 1.0 - reflection * reflection;
        if error <= 0.0 {
            break;
        }
    }
    let mut expansion = 1.0;
    for a in &mut filter {
        expansion *= BANDWIDTH_EXPANSION;
        *a *= expansion;
    }
    filter
}

/// The lag at which the recent past resembles itself most, and how much.
fn best_lag(history: &[f32], per_ms: usize) -> (usize, f32) {
    let window = MATCH_MS * per_ms;
    let recent = &history[history.len() - window..];
    let likeness = |lag: usize| {
        let start = history.len() - window - lag;
        correlation(recent, &history[start..start + window])
    };
    let lags = MIN_LAG_US * per_ms / 1_000..=MAX_LAG_US * per_ms / 1_000;
    lags.map(|lag| (lag, likeness(lag)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or((per_ms * 10, 0.0))
}

/// -1 to 1.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let (mut product, mut energy_a, mut energy_b) = (0.0_f32, 1.0_f32, 1.0_f32);
    for (a, b) in a.iter().zip(b) {
        product += a * b;
        energy_a += a * a;
        energy_b += b * b;
    }
    product / (energy_a * energy_b).sqrt()
}

/// A small number as a float.
#[expect(clippy::cast_precision_loss, reason = "at most some thousand samples")]
fn count(n: usize) -> f32 {
    n as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Tone, share_at};

    fn tone_frames(rate_hz: u32, frames: usize) -> Vec<Vec<i16>> {
        let mut tone = Tone::new(200.0, rate_hz, 0.5);
        (0..frames)
            .map(|_| {
                let mut frame = vec![0; usize::try_from(rate_hz / 50).unwrap()];
                tone.fill(&mut frame);
                frame
            })
            .collect()
    }

    fn listening(rate_hz: u32) -> (Concealer, Vec<Vec<i16>>) {
        let mut concealer = Concealer::new(rate_hz);
        let frames = tone_frames(rate_hz, 8);
        for frame in &frames[..5] {
            concealer.heard(&mut frame.clone());
        }
        (concealer, frames)
    }

    fn largest_step(samples: &[i16]) -> i32 {
        let step = |pair: &[i16]| (i32::from(pair[1]) - i32::from(pair[0])).abs();
        samples.windows(2).map(step).max().unwrap()
    }

    #[test]
    fn a_lost_frame_sounds_like_the_one_before_and_then_fades_to_nothing() {
        for rate_hz in [8_000, 16_000] {
            let (mut concealer, frames) = listening(rate_hz);
            let mut invented = vec![0; frames[0].len()];
            concealer.invent(&mut invented, None);
            assert!(share_at(&invented, 200.0, rate_hz) > 0.9, "{rate_hz}");
            let whole = [frames[4].clone(), invented.clone()].concat();
            assert!(largest_step(&whole) < 3_000, "{rate_hz}");
            for _ in 0..6 {
                concealer.invent(&mut invented, None);
            }
            assert!(invented.iter().all(|&sample| sample == 0), "{rate_hz}");
        }
    }

    #[test]
    fn a_gap_whose_other_side_is_known_leads_there() {
        let (mut concealer, frames) = listening(8_000);
        let mut invented = vec![0; 160];
        concealer.invent(&mut invented, Some(&frames[6]));
        let mut after = frames[6].clone();
        concealer.heard(&mut after);
        assert_eq!(after, frames[6], "nothing is left to blend");
        let whole = [frames[4].clone(), invented, after].concat();
        assert!(share_at(&whole, 200.0, 8_000) > 0.95);
        assert!(largest_step(&whole) < 3_000, "{}", largest_step(&whole));
    }

    #[test]
    fn the_return_to_real_sound_has_no_step() {
        let (mut concealer, frames) = listening(8_000);
        let mut invented = vec![0; 160];
        concealer.invent(&mut invented, None);
        let mut real = frames[6].clone();
        concealer.heard(&mut real);
        // A 200 Hz tone at half scale moves by at most 2573 from sample to sample.
        assert!(largest_step(&[invented, real.clone()].concat()) < 3_200);
        assert_eq!(real[40..], frames[6][40..], "only the start is blended");
    }

    #[test]
    fn silence_stays_silence_for_hours() {
        let mut concealer = Concealer::new(8_000);
        let mut out = [1; 160];
        for _ in 0..1_000 {
            concealer.invent(&mut out, None);
            assert_eq!(out, [0; 160]);
        }
    }
}
