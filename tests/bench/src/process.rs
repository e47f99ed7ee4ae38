//! What a microphone hears, through the processing of captured sound, and what that costs for each frame.
//!
//! Frames are played and captured in turn, as by cards that keep step. Not here: rooms, echoes and scores
//! (`scripts/bench_echo.py`).

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
use media::process::{ProcessOptions, Processor};
use media::{FRAME_SAMPLES, Frame, SILENCE};
use nix::time::{ClockId, clock_gettime};
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
    /// Do it so often, each time from the beginning; the cheapest time counts.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
}

/// Processes all of it; gives the processor time for a frame, in microseconds.
pub(crate) fn run(arguments: &Arguments) -> Result<Value, Box<dyn Error>> {
    let near = load(&arguments.near)?;
    let far = load(&arguments.far)?;
    let (mut out, mut least_us) = (Vec::new(), f64::INFINITY);
    for _ in 0..arguments.rounds.max(1) {
        let start = processor_time_us()?;
        out = process(arguments.options(), &near, &far)?;
        least_us = least_us.min(processor_time_us()? - start);
    }
    crate::speech::write(&out, &arguments.out)?;
    let frames = out.len() / FRAME_SAMPLES;
    Ok(json!({ "frames": frames, "frame_us": least_us / frames.max(1) as f64 }))
}

impl Arguments {
    fn options(&self) -> ProcessOptions {
        ProcessOptions {
            high_pass: self.high_pass,
            echo_cancellation: self.echo,
            noise_suppression: self.noise,
            gain_control: self.gain,
        }
    }
}

fn process(options: ProcessOptions, near: &[i16], far: &[i16]) -> Result<Vec<i16>, Box<dyn Error>> {
    let mut processor = Processor::new(options);
    let mut out = Vec::with_capacity(near.len());
    let far = far.chunks_exact(FRAME_SAMPLES);
    for (near, far) in near.chunks_exact(FRAME_SAMPLES).zip(far) {
        let (mut captured, mut played): (Frame, Frame) = (SILENCE, SILENCE);
        captured.copy_from_slice(near);
        played.copy_from_slice(far);
        processor.far_end(&played);
        processor.near_end(&mut captured)?;
        out.extend(captured);
    }
    Ok(out)
}

/// Of this thread: what others do at the same time does not count.
fn processor_time_us() -> Result<f64, nix::Error> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 * 1e6 + time.tv_nsec() as f64 / 1e3)
}

fn load(path: &Path) -> Result<Vec<i16>, hound::Error> {
    hound::WavReader::open(path)?.samples().collect()
}
