//! What a microphone hears, through the processing of captured sound, and what that costs for each frame.
//!
//! Frames are played and captured in turn, as by cards that keep step. Not here: rooms, echoes and scores
//! (`scripts/bench_echo.py`).

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use media::process::{ProcessOptions, Processor};
use media::{FRAME_SAMPLES, SILENCE};
use serde_json::{Value, json};

/// What is heard, and what is done to it. All files are mono at 48 kHz.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// What the microphone hears: a WAV file.
    #[arg(long)]
    near: PathBuf,
    /// What the loudspeaker plays meanwhile: a WAV file.
    #[arg(long)]
    far: PathBuf,
    /// What is sent: a WAV file that is made.
    #[arg(long)]
    out: PathBuf,
    /// Take the echo out.
    #[arg(long)]
    echo: bool,
    /// Make noise quieter.
    #[arg(long)]
    noise: bool,
    /// Make soft speech louder.
    #[arg(long)]
    gain: bool,
    /// Take rumble out.
    #[arg(long)]
    high_pass: bool,
}

/// Processes all of it; gives the times in microseconds.
pub(crate) fn run(arguments: &Arguments) -> Result<Value, Box<dyn Error>> {
    let near = load(&arguments.near)?;
    let far = load(&arguments.far)?;
    let mut processor = Processor::new(ProcessOptions {
        high_pass: arguments.high_pass,
        echo_cancellation: arguments.echo,
        noise_suppression: arguments.noise,
        gain_control: arguments.gain,
    });
    let mut out = Vec::with_capacity(near.len());
    let mut times = Vec::new();
    let far = far.chunks_exact(FRAME_SAMPLES);
    for (near, far) in near.chunks_exact(FRAME_SAMPLES).zip(far) {
        let (mut captured, mut played) = (SILENCE, SILENCE);
        captured.copy_from_slice(near);
        played.copy_from_slice(far);
        let start = Instant::now();
        processor.far_end(&played);
        processor.near_end(&mut captured)?;
        times.push(start.elapsed());
        out.extend(captured);
    }
    crate::speech::write(&out, &arguments.out)?;
    times.sort_unstable();
    let at = |share: usize| {
        let time = times.get(times.len() * share / 100).copied();
        time.unwrap_or(Duration::ZERO).as_secs_f64() * 1e6
    };
    Ok(json!({ "frames": times.len(), "median_us": at(50), "p99_us": at(99) }))
}

fn load(path: &Path) -> Result<Vec<i16>, hound::Error> {
    hound::WavReader::open(path)?.samples().collect()
}
