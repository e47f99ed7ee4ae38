//! Tones in sound files: made, and found again.

use std::f64::consts::TAU;
use std::path::Path;

/// Writes a tone as a 48 kHz mono file with a tenth of a second of silence in front.
///
/// # Panics
///
/// If the file cannot be written.
pub fn write_tone(path: &Path, frequency_hz: f64, seconds: f64) {
    write_tones_of(8_000.0, path, &[frequency_hz], seconds);
}

/// The same, so soft that ten of them together are not too loud.
///
/// # Panics
///
/// If the file cannot be written.
pub fn write_soft_tone(path: &Path, frequency_hz: f64, seconds: f64) {
    write_tones_of(2_000.0, path, &[frequency_hz], seconds);
}

/// The same as a stereo file with a tone of its own on each side.
///
/// # Panics
///
/// If the file cannot be written.
pub fn write_stereo_tones(path: &Path, frequencies_hz: [f64; 2], seconds: f64) {
    write_tones_of(8_000.0, path, &frequencies_hz, seconds);
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tones of some seconds and a quarter of full scale, on two sides at most"
)]
fn write_tones_of(amplitude: f64, path: &Path, frequencies_hz: &[f64], seconds: f64) {
    let spec = hound::WavSpec {
        channels: frequencies_hz.len() as u16,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).expect("the tone file can be made");
    for _ in 0..4_800 * frequencies_hz.len() {
        file.write_sample(0_i16).expect("a sample can be written");
    }
    for index in 0..(seconds * 48_000.0) as u32 {
        for frequency_hz in frequencies_hz {
            let sample = (TAU * frequency_hz * f64::from(index) / 48_000.0).sin() * amplitude;
            file.write_sample(sample as i16)
                .expect("a sample can be written");
        }
    }
    file.finalize().expect("the tone file can be closed");
}

/// What part of a recording is this tone: 1 is a pure tone, 0 none of it. The median over its half seconds that are not silent, so
/// that the start and the end of a call do not count. Goertzel's method.
///
/// # Panics
///
/// If the file cannot be read as sound.
#[must_use]
pub fn share_of_tone(path: &Path, frequency_hz: f64) -> f64 {
    let (samples, rate) = read(path);
    let half_second = rate as usize / 2;
    let mut shares: Vec<f64> = samples
        .chunks_exact(half_second)
        .filter(|window| energy(window) > SILENCE)
        .map(|window| goertzel(window, TAU * frequency_hz / f64::from(rate)) / energy(window))
        .collect();
    shares.sort_by(f64::total_cmp);
    shares.get(shares.len() / 2).copied().unwrap_or(0.0)
}

/// Whether a recording has this tone anywhere after `from_seconds`: half a second of which it is the half at least. A busy machine tears
/// tones, but a tone that is not there has next to no part in anything.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a recording of some minutes"
)]
pub fn has_tone_after(path: &Path, frequency_hz: f64, from_seconds: f64) -> bool {
    let Some((samples, rate)) = try_read(path) else {
        return false;
    };
    let half_second = rate as usize / 2;
    let skipped = (from_seconds * 2.0).ceil() as usize;
    samples
        .chunks_exact(half_second)
        .skip(skipped)
        .any(|window| {
            let energy = energy(window);
            let tone = goertzel(window, TAU * frequency_hz / f64::from(rate));
            energy > SILENCE && tone / energy > 0.5
        })
}

/// Whether there is half a second of a recording that has all of these tones and none of those, on the left side or, of a stereo
/// recording, on the right. A tone is there if it is a tenth of what is heard, and not there if it is less than a hundredth.
#[must_use]
pub fn has_tones(path: &Path, side: Side, these: &[f64], none_of: &[f64]) -> bool {
    let Some((samples, rate)) = try_read_side(path, side) else {
        return false;
    };
    samples.chunks_exact(rate as usize / 2).any(|window| {
        let energy = energy(window);
        let share = |hz: &f64| goertzel(window, TAU * hz / f64::from(rate)) / energy;
        energy > SILENCE
            && these.iter().all(|hz| share(hz) > 0.1)
            && none_of.iter().all(|hz| share(hz) < 0.01)
    })
}

/// A channel of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first, or the only one.
    Left,
    /// The second.
    Right,
}

fn energy(window: &[f64]) -> f64 {
    window.iter().map(|sample| sample * sample).sum::<f64>() / window.len() as f64
}

/// Mean square of what counts as silence.
const SILENCE: f64 = 100.0;

/// Mean square of the tone of `step` radians a sample in `window`.
fn goertzel(window: &[f64], step: f64) -> f64 {
    let (real, imaginary) =
        window
            .iter()
            .enumerate()
            .fold((0.0, 0.0), |(real, imaginary), (index, sample)| {
                let angle = step * index as f64;
                (
                    real + sample * angle.cos(),
                    imaginary - sample * angle.sin(),
                )
            });
    let length = window.len() as f64;
    2.0 * (real * real + imaginary * imaginary) / (length * length)
}

/// How long a recording is so far, in seconds; nothing if its first sample is not on disk yet.
#[must_use]
pub fn seconds_of(path: &Path) -> f64 {
    hound::WavReader::open(path).map_or(0.0, |file| {
        f64::from(file.duration()) / f64::from(file.spec().sample_rate)
    })
}

fn read(path: &Path) -> (Vec<f64>, u32) {
    try_read(path).unwrap_or_else(|| panic!("{} cannot be read as sound", path.display()))
}

/// The first channel.
fn try_read(path: &Path) -> Option<(Vec<f64>, u32)> {
    try_read_side(path, Side::Left)
}

/// Some programs count more samples in the header than they have written; those are left out.
fn try_read_side(path: &Path, side: Side) -> Option<(Vec<f64>, u32)> {
    let mut file = hound::WavReader::open(path).ok()?;
    let spec = file.spec();
    let samples = file.samples::<i16>().map_while(Result::ok);
    let channel = samples
        .skip(usize::from(side == Side::Right))
        .step_by(spec.channels.into())
        .map(f64::from);
    Some((channel.collect(), spec.sample_rate))
}
