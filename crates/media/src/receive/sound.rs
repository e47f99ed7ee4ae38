//! Decoded sound that waits to be played, and changes of its length that nobody hears.
//!
//! Speech repeats itself every pitch period. To play faster, one period is left out; to play
//! slower, one is played twice; in both cases the two places that meet are alike and are faded
//! into each other (overlap-add at the lag of greatest correlation). Where nothing is alike
//! nothing is done: the next packet is another chance.
//!
//! Mono at 48 kHz. The last 20 ms that were played are kept, to compare with and to repeat.

use crate::frame::{FRAME_SAMPLES, sample_from_f32};

/// What is kept of the past: 20 ms.
const HISTORY_SAMPLES: usize = 960;
/// Periods that are looked for: 2.5 to 15 ms, voices from 67 to 400 Hz.
const MIN_LAG: usize = 120;
const MAX_LAG: usize = 720;
/// What is compared: 5 ms at least.
const MIN_WINDOW: usize = 240;
const MAX_WINDOW: usize = 480;
/// The search looks at every sixth sample first, which is 8 kHz.
const COARSE: usize = 6;
/// Samples per millisecond.
const PER_MS: usize = 48;
/// Quieter than this, about -45 dBFS, nobody hears a cut.
const QUIET_RMS: f32 = 190.0;
/// How alike two places must be, by how far the delay is off in milliseconds.
const ALIKE: [(usize, f32); 3] = [(120, 0.0), (50, 0.5), (0, 0.8)];
/// The delay may end up longer by this much than was asked for, in milliseconds.
const LENGTHEN_BEYOND_MS: usize = 6;

/// See the module header.
#[derive(Debug)]
pub(super) struct Sound {
    /// What was played, then what waits.
    samples: Vec<i16>,
    /// Where what waits begins.
    next: usize,
}

impl Sound {
    /// Nothing waits; the past was silent.
    pub(super) fn new() -> Self {
        let mut samples = Vec::with_capacity(20 * FRAME_SAMPLES);
        samples.resize(HISTORY_SAMPLES, 0);
        Self {
            samples,
            next: HISTORY_SAMPLES,
        }
    }

    /// Samples that wait.
    pub(super) fn waiting(&self) -> usize {
        self.samples.len() - self.next
    }

    /// Where to append what was decoded.
    pub(super) fn end(&mut self) -> &mut Vec<i16> {
        &mut self.samples
    }

    /// Fills `out` with what waits, and silence after it.
    pub(super) fn take(&mut self, out: &mut [i16]) {
        let ready = self.waiting().min(out.len());
        out[..ready].copy_from_slice(&self.samples[self.next..self.next + ready]);
        out[ready..].fill(0);
        self.samples
            .resize(self.samples.len().max(self.next + out.len()), 0);
        self.next += out.len();
        self.samples.drain(..self.next - HISTORY_SAMPLES);
        self.next = HISTORY_SAMPLES;
    }

    /// Forgets what waits.
    pub(super) fn clear(&mut self) {
        self.samples.truncate(self.next);
    }

    /// Leaves out a period of what waits, of at most `ms`. Gives the samples left out, 0 if no
    /// two places are alike.
    pub(super) fn shorten(&mut self, ms: u32) -> usize {
        let ms = usize::try_from(ms).unwrap_or(MAX_LAG);
        let waiting = &self.samples[self.next..];
        let longest = MAX_LAG.min(waiting.len() / 2).min(ms * PER_MS);
        let window = |lag: usize| MAX_WINDOW.min(waiting.len().saturating_sub(lag));
        let pair = |lag: usize| (&waiting[..window(lag)], &waiting[lag..lag + window(lag)]);
        let Some(lag) = best_lag(longest, ms, pair) else {
            return 0;
        };
        let (first, second) = self.samples[self.next..].split_at_mut(lag);
        fade(first, &second[..lag]);
        self.samples.drain(self.next + lag..self.next + 2 * lag);
        lag
    }

    /// Plays a period of the past once more before what waits from `from_end` samples before the end, of at
    /// most about `ms` and a little. Gives the samples put in, 0 if no two places are alike.
    pub(super) fn lengthen(&mut self, ms: u32, from_end: usize) -> usize {
        let ms = usize::try_from(ms).unwrap_or(MAX_LAG);
        let at = self.samples.len() - from_end.min(self.waiting());
        let (past, future) = self.samples.split_at(at);
        let longest = MAX_LAG
            .min(past.len())
            .min(future.len())
            .min((ms + LENGTHEN_BEYOND_MS) * PER_MS);
        let window = |lag: usize| {
            MAX_WINDOW
                .min(future.len())
                .min(lag.max(MIN_WINDOW))
                .min(lag)
        };
        let pair = |lag: usize| {
            let start = past.len() - lag;
            (&future[..window(lag)], &past[start..start + window(lag)])
        };
        let Some(lag) = best_lag(longest, ms, pair) else {
            return 0;
        };
        let mut repeated = future[..lag].to_vec();
        fade(&mut repeated, &past[past.len() - lag..]);
        self.samples.splice(at..at, repeated);
        lag
    }
}

/// Fades `from` into `to`.
fn fade(from: &mut [i16], to: &[i16]) {
    let step = 1.0 / f32::from(u16::try_from(from.len() + 1).unwrap_or(u16::MAX));
    let mut weight = step;
    for (old, &new) in from.iter_mut().zip(to) {
        *old = sample_from_f32(f32::from(*old) * (1.0 - weight) + f32::from(new) * weight);
        weight += step;
    }
}

/// The lag up to `longest` at which the two places of `pair` are most alike; `None` if they are not
/// alike enough for a delay that is off by `ms`.
fn best_lag<'a>(
    longest: usize,
    ms: usize,
    pair: impl Fn(usize) -> (&'a [i16], &'a [i16]),
) -> Option<usize> {
    if longest < MIN_LAG {
        return None;
    }
    let likeness = |lag: usize, step: usize| {
        let (a, b) = pair(lag);
        correlation(a, b, step)
    };
    let best = |lags: &mut dyn Iterator<Item = usize>, step: usize| {
        lags.map(|lag| (lag, likeness(lag, step)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let (coarse, _) = best(&mut (MIN_LAG..=longest).step_by(COARSE), COARSE)?;
    let around =
        coarse.saturating_sub(COARSE - 1).max(MIN_LAG)..=(coarse + COARSE - 1).min(longest);
    let (lag, alike) = best(&mut around.into_iter(), 1)?;
    let (a, b) = pair(longest);
    if rms(a) < QUIET_RMS && rms(b) < QUIET_RMS {
        return Some(longest);
    }
    let (_, needed) = ALIKE.into_iter().find(|(off, _)| ms >= *off)?;
    (alike >= needed).then_some(lag)
}

/// -1 to 1; 1 if one is the other, only louder or softer.
fn correlation(a: &[i16], b: &[i16], step: usize) -> f32 {
    let (mut product, mut energy_a, mut energy_b) = (0.0_f32, 1.0_f32, 1.0_f32);
    for (&a, &b) in a.iter().zip(b).step_by(step) {
        let (a, b) = (f32::from(a), f32::from(b));
        product += a * b;
        energy_a += a * a;
        energy_b += b * b;
    }
    product / (energy_a * energy_b).sqrt()
}

fn rms(samples: &[i16]) -> f32 {
    let count = f32::from(u16::try_from(samples.len().max(1)).unwrap_or(u16::MAX));
    let energy: f32 = samples
        .iter()
        .map(|&sample| f32::from(sample).powi(2))
        .sum();
    (energy / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Tone, share_at};

    fn voiced(hz: f64, samples: usize) -> Sound {
        let mut sound = Sound::new();
        let mut tone = Tone::new(hz, 48_000, 0.4);
        let mut past = vec![0; HISTORY_SAMPLES + samples];
        tone.fill(&mut past);
        sound.samples = past;
        sound
    }

    fn steps(samples: &[i16]) -> i32 {
        let step = |pair: &[i16]| (i32::from(pair[1]) - i32::from(pair[0])).abs();
        samples.windows(2).map(step).max().unwrap()
    }

    #[test]
    fn a_period_left_out_or_repeated_leaves_the_tone_as_it_was() {
        for hz in [90.0, 150.0, 220.0, 390.0] {
            let mut shorter = voiced(hz, 1_440);
            let cut = shorter.shorten(30);
            assert!(
                cut >= MIN_LAG && shorter.waiting() == 1_440 - cut,
                "{hz}: {cut}"
            );
            let mut longer = voiced(hz, 960);
            let put_in = longer.lengthen(15, 960);
            assert!(
                put_in >= MIN_LAG && longer.waiting() == 960 + put_in,
                "{hz}: {put_in}"
            );
            for sound in [shorter, longer] {
                assert!(share_at(&sound.samples, hz, 48_000) > 0.98, "{hz}");
                assert!(
                    steps(&sound.samples) < 700,
                    "{hz}: {}",
                    steps(&sound.samples)
                );
            }
        }
    }

    #[test]
    fn what_is_not_alike_is_left_alone_until_the_delay_is_far_off() {
        let mut noise = Sound::new();
        let mut value = 1_u32;
        noise.samples.extend((0..1_440).map(|_| {
            value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            i16::try_from(value >> 18).unwrap() - 8_192
        }));
        assert_eq!((noise.shorten(30), noise.lengthen(30, 960)), (0, 0));
        assert_eq!(noise.waiting(), 1_440);
        assert!(noise.shorten(150) > 0);
    }

    #[test]
    fn silence_gives_way_by_as_much_as_is_wanted() {
        let mut silence = Sound::new();
        silence.samples.extend([0; 1_440]);
        assert_eq!(silence.shorten(12), 12 * PER_MS);
        assert_eq!(silence.lengthen(5, 400), 400);
    }

    #[test]
    fn too_little_sound_is_left_alone() {
        let mut sound = voiced(200.0, 100);
        assert_eq!((sound.shorten(100), sound.lengthen(100, 100)), (0, 0));
    }

    #[test]
    fn what_was_played_is_remembered_and_what_is_missing_is_silent() {
        let mut sound = Sound::new();
        sound.end().extend([7; 700]);
        let mut frame = [1; FRAME_SAMPLES];
        sound.take(&mut frame);
        assert_eq!((frame, sound.waiting()), ([7; FRAME_SAMPLES], 220));
        sound.take(&mut frame);
        assert_eq!((frame[219], frame[220], sound.waiting()), (7, 0, 0));
        assert_eq!(sound.samples.len(), HISTORY_SAMPLES);
        assert_eq!((sound.samples[699], sound.samples[700]), (7, 0));
        sound.end().extend([9; 10]);
        sound.clear();
        assert_eq!(sound.waiting(), 0);
    }
}
