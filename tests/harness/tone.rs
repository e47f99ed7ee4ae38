//! Tones in sound files: made, and found again.

use std::f64::consts::TAU;
use std::path::Path;

/// Writes a tone as a 48 kHz mono file with a tenth of a second of silence in front.
///
/// # Panics
///
/// If the file cannot be written.
pub fn write_tone(path: &Path, frequency_hz: f64, seconds: f64) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).expect("the tone file can be made");
    for _ in 0..4_800 {
        file.write_sample(0_i16).expect("a sample can be written");
    }
    for index in 0..(seconds * 48_000.0) as u32 {
        let sample = (TAU * frequency_hz * f64::from(index) / 48_000.0).sin() * 8_000.0;
        file.write_sample(sample as i16)
            .expect("a sample can be written");
    }
    file.finalize().expect("the tone file can be closed");
}

/// What part of a recording's loudest second is this tone: 1 is a pure tone, 0 none of it. Goertzel's method.
///
/// # Panics
///
/// If the file cannot be read as sound.
#[must_use]
pub fn share_of_tone(path: &Path, frequency_hz: f64) -> f64 {
    let (samples, rate) = read(path);
    let second = rate as usize;
    let energy = |window: &[f64]| window.iter().map(|sample| sample * sample).sum::<f64>();
    let loudest = samples
        .chunks_exact(second)
        .max_by(|a, b| energy(a).total_cmp(&energy(b)));
    let Some(window) = loudest.filter(|window| energy(window) > 0.0) else {
        return 0.0;
    };
    let step = TAU * frequency_hz / f64::from(rate);
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
    2.0 * (real * real + imaginary * imaginary) / (window.len() as f64 * energy(window))
}

/// How long a recording is, in seconds.
#[must_use]
pub fn seconds_of(path: &Path) -> f64 {
    let (samples, rate) = read(path);
    samples.len() as f64 / f64::from(rate)
}

fn read(path: &Path) -> (Vec<f64>, u32) {
    let mut file =
        hound::WavReader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let spec = file.spec();
    let samples = file.samples::<i16>().step_by(spec.channels.into());
    (
        samples
            .map(|sample| f64::from(sample.expect("a sample can be read")))
            .collect(),
        spec.sample_rate,
    )
}
