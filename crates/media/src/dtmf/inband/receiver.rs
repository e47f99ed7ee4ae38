//! Recognises digits in speech.
//!
//! Sound is taken in blocks of 10 ms. For each of the eight frequencies Goertzel's algorithm gives
//! amplitude *and phase* of a block; two blocks joined are a window of 20 ms, and how far the phase
//! turned from one to the other tells how far the true frequency is from the nominal one, to about
//! 1 Hz. A window shows a digit if one low and one high frequency stand out, hold nearly all of the
//! energy, lie within 2.2 % of nominal, are steady and do not differ too much in loudness
//! (twist). Speech meets all of this at once for hardly ever longer than one window.
//!
//! Two windows in a row begin a digit (so 40 ms are always enough, under 30 ms never); four
//! without it end it (so a pause of 40 ms parts two digits, a break of 10 ms does not), as ITU-T
//! Q.24 asks.

use std::f64::consts::TAU;

use super::{COLUMNS_HZ, Digit, ROWS_HZ, digit_at};

/// Blocks per second.
const BLOCKS_PER_SEC: u32 = 100;
/// Length of a block in seconds.
const BLOCK_SECS: f64 = 0.01;
/// Windows in a row that begin a digit.
const WINDOWS_TO_BEGIN: u8 = 2;
/// Windows without the digit that end it.
const WINDOWS_TO_END: u8 = 4;
/// Softest of the two sines, as power of the amplitude relative to full scale: -39 dBm0.
const MIN_POWER: f64 = 6.0e-5 * FULL_SCALE * FULL_SCALE;
const FULL_SCALE: f64 = 32_768.0;
/// The low sine may be stronger by this, as a ratio of powers: 8 dB (Q.24), and 1 dB for noise.
const MAX_TWIST: f64 = 7.9;
/// The high sine may be stronger by this: 4 dB (Q.24), and 1 dB for noise.
const MAX_REVERSE_TWIST: f64 = 3.2;
/// Least share of the energy that lies in the two sines. With noise 15 dB below it is 0.97.
const MIN_SHARE: f64 = 0.86;
/// A sine is stronger than others of its group by this ratio of powers.
const MIN_DOMINANCE: f64 = 5.0;
/// A sine changes by less than this ratio of powers from one block to the next.
const MAX_CHANGE: f64 = 2.0;
/// Greatest deviation from the nominal frequency. Q.24: 1.5 % is taken, 3.5 % is not.
const MAX_DEVIATION: f64 = 0.022;

/// Recognises digits, each once, when it has sounded for 30 to 40 ms.
#[derive(Clone, Debug)]
pub struct ToneReceiver {
    groups: [[Resonator; 4]; 2],
    block_len: u32,
    filled: u32,
    energy: f64,
    last_energy: f64,
    candidate: Option<Digit>,
    windows_seen: u8,
    current: Option<Digit>,
    windows_missed: u8,
}

/// One of the eight frequencies.
#[derive(Clone, Debug)]
struct Resonator {
    frequency_hz: f64,
    coefficient: f64,
    /// Turn of the phase per sample and per block, as (cosine, sine).
    sample_turn: (f64, f64),
    block_turn: (f64, f64),
    s1: f64,
    s2: f64,
    /// The last two blocks, older first.
    blocks: [(f64, f64); 2],
}

/// A sine found in a window.
#[derive(Clone, Copy, Debug)]
struct Found {
    index: usize,
    /// Square of its amplitude.
    power: f64,
}

impl ToneReceiver {
    /// For a stream of this rate, 8,000 to 48,000 Hz.
    #[must_use]
    pub fn new(sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz.max(BLOCKS_PER_SEC));
        let block_len = (sample_rate_hz / BLOCKS_PER_SEC).max(1);
        let group =
            |group: [f64; 4]| group.map(|hz| Resonator::new(hz, TAU * hz / rate, block_len));
        Self {
            groups: [group(ROWS_HZ), group(COLUMNS_HZ)],
            block_len,
            filled: 0,
            energy: 0.0,
            last_energy: 0.0,
            candidate: None,
            windows_seen: 0,
            current: None,
            windows_missed: 0,
        }
    }

    /// Takes the next samples, any number; appends digits that begin in them.
    pub fn process(&mut self, samples: &[i16], digits: &mut Vec<Digit>) {
        for &sample in samples {
            let value = f64::from(sample);
            self.energy += value * value;
            for resonator in self.groups.as_flattened_mut() {
                resonator.push(value);
            }
            self.filled += 1;
            if self.filled == self.block_len {
                self.end_block(digits);
            }
        }
    }

    /// Whether a digit sounds at the moment.
    #[must_use]
    pub fn is_sounding(&self) -> bool {
        self.current.is_some()
    }

    fn end_block(&mut self, digits: &mut Vec<Digit>) {
        for resonator in self.groups.as_flattened_mut() {
            resonator.end_block();
        }
        let shown = self.digit_in_window(self.energy + self.last_energy);
        self.filled = 0;
        self.last_energy = self.energy;
        self.energy = 0.0;
        digits.extend(self.follow(shown));
    }

    /// From what each window shows to digits that begin.
    fn follow(&mut self, shown: Option<Digit>) -> Option<Digit> {
        if shown == self.current {
            self.windows_missed = 0;
        } else {
            self.windows_missed += 1;
            if self.windows_missed >= WINDOWS_TO_END {
                self.current = None;
                self.windows_missed = 0;
            }
        }
        self.windows_seen = if shown == self.candidate {
            self.windows_seen.saturating_add(1)
        } else {
            1
        };
        self.candidate = shown;
        if shown.is_none() || shown == self.current || self.windows_seen < WINDOWS_TO_BEGIN {
            return None;
        }
        self.current = shown;
        self.windows_missed = 0;
        shown
    }

    /// The digit that the last 20 ms show.
    fn digit_in_window(&self, energy: f64) -> Option<Digit> {
        let len = f64::from(2 * self.block_len);
        if energy < MIN_POWER * len {
            return None;
        }
        let low = strongest(&self.groups[0], len)?;
        let high = strongest(&self.groups[1], len)?;
        let is_loud = low.power.min(high.power) >= MIN_POWER;
        let twist_fits =
            low.power <= high.power * MAX_TWIST && high.power <= low.power * MAX_REVERSE_TWIST;
        // The energy of a sine is half the square of its amplitude per sample.
        let is_alone = (low.power + high.power) * len / 2.0 >= MIN_SHARE * energy;
        if is_loud && twist_fits && is_alone {
            digit_at(low.index, high.index)
        } else {
            None
        }
    }
}

/// The sine of a group that stands out, if it is steady and near its nominal frequency.
fn strongest(group: &[Resonator; 4], len: f64) -> Option<Found> {
    let powers = group.each_ref().map(|resonator| resonator.power(len));
    let index = (0..4).max_by(|&a, &b| powers[a].total_cmp(&powers[b]))?;
    let mut others = (0..4).filter(|&other| other != index);
    let stands_out = others.all(|other| powers[other] * MIN_DOMINANCE < powers[index]);
    let resonator = &group[index];
    let deviation_hz = resonator.deviation_hz();
    let is_near = deviation_hz.abs() <= MAX_DEVIATION * resonator.frequency_hz;
    (stands_out && is_near && resonator.is_steady()).then(|| Found {
        index,
        power: powers[index] / response(deviation_hz * 2.0 * BLOCK_SECS),
    })
}

/// How much of the power of a sine is seen that is off by this many turns per window.
fn response(turns: f64) -> f64 {
    let angle = turns * TAU / 2.0;
    if angle.abs() < 1e-6 {
        return 1.0;
    }
    (angle.sin() / angle).powi(2).max(0.1)
}

impl Resonator {
    fn new(frequency_hz: f64, step: f64, block_len: u32) -> Self {
        let turn = |angle: f64| (angle.cos(), angle.sin());
        Self {
            frequency_hz,
            coefficient: 2.0 * step.cos(),
            sample_turn: turn(step),
            block_turn: turn(step * f64::from(block_len)),
            s1: 0.0,
            s2: 0.0,
            blocks: [(0.0, 0.0); 2],
        }
    }

    fn push(&mut self, value: f64) {
        (self.s1, self.s2) = (value + self.coefficient * self.s1 - self.s2, self.s1);
    }

    fn end_block(&mut self) {
        // Complex amplitude with the phase as of the end of the block.
        let (cos, sin) = self.sample_turn;
        let block = (self.s1 - cos * self.s2, sin * self.s2);
        self.blocks = [self.blocks[1], block];
        (self.s1, self.s2) = (0.0, 0.0);
    }

    /// The older block, turned to the end of the newer one.
    fn older_turned(&self) -> (f64, f64) {
        product(self.blocks[0], self.block_turn)
    }

    /// Square of the amplitude of a sine of the nominal frequency in the window.
    fn power(&self, len: f64) -> f64 {
        let older = self.older_turned();
        let sum = (older.0 + self.blocks[1].0, older.1 + self.blocks[1].1);
        4.0 * square(sum) / (len * len)
    }

    /// How far the frequency is from the nominal one, by the phase between the blocks.
    fn deviation_hz(&self) -> f64 {
        let older = self.older_turned();
        let (real, imaginary) = product(self.blocks[1], (older.0, -older.1));
        imaginary.atan2(real) / (TAU * BLOCK_SECS)
    }

    fn is_steady(&self) -> bool {
        let (older, newer) = (square(self.blocks[0]), square(self.blocks[1]));
        older <= newer * MAX_CHANGE && newer <= older * MAX_CHANGE
    }
}

fn product(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

fn square(value: (f64, f64)) -> f64 {
    value.0 * value.0 + value.1 * value.1
}
