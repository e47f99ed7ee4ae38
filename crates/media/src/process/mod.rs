//! What is done to captured sound before it is sent: the echo of the loudspeaker leaves it, noise becomes less, and
//! speech gets the level that people expect.
//!
//! ```text
//!   to the loudspeaker ──────────┐ far_end
//!                                ▼
//!   microphone ─► high-pass ─► echo path ─► suppressor ─► noise ─► gain ─► near_end gives it back
//!                 rumble.rs    echo_path.rs suppressor.rs  noise.rs  gain.rs
//!                              proof.rs
//!                              partitions.rs
//! ```
//!
//! It belongs to a pair of sound cards, not to a call: what the loudspeaker plays may be a mix. It works on frames of
//! 10 ms and needs to know no delay. A panic in a library ends the processing and nothing else.
//! Why these and not others: `docs/decisions/0026-processing-of-captured-sound.md`, and
//! `0029-echo-canceller-without-echo.md` on microphones that hear no loudspeaker, `0033-processing-for-less.md` on what it costs.

mod echo_path;
mod gain;
mod noise;
mod partitions;
mod proof;
mod rumble;
mod spectrum;
mod suppressor;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::frame::{FRAME_SAMPLES, Frame, sample_from_f32};
use echo_path::EchoPath;
use gain::GainControl;
use noise::NoiseSuppression;
use rumble::RumbleFilter;
use suppressor::Suppressor;

/// What is done; each can be switched at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessOptions {
    /// Rumble below speech goes.
    pub high_pass: bool,
    /// The echo of the loudspeaker goes.
    pub echo_cancellation: bool,
    /// Steady noise, keyboards and the like become quieter.
    pub noise_suppression: bool,
    /// Soft speech becomes louder, and nothing too loud.
    pub gain_control: bool,
}

impl ProcessOptions {
    /// Sound goes through as it is, without delay.
    pub const NONE: Self = Self {
        high_pass: false,
        echo_cancellation: false,
        noise_suppression: false,
        gain_control: false,
    };
}

impl Default for ProcessOptions {
    /// Everything.
    fn default() -> Self {
        Self {
            high_pass: true,
            echo_cancellation: true,
            noise_suppression: true,
            gain_control: true,
        }
    }
}

/// See the module header.
pub struct Processor {
    options: ProcessOptions,
    stages: Stages,
    has_failed: bool,
}

/// A library failed; nothing is processed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the processing of captured sound failed; it goes on without")]
pub struct ProcessorFailed;

#[derive(Default)]
struct Stages {
    high_pass: Option<RumbleFilter>,
    echo: Option<(EchoPath, Suppressor)>,
    noise: Option<NoiseSuppression>,
    gain: Option<GainControl>,
}

impl Processor {
    /// Ready; nothing is known of the room yet.
    #[must_use]
    pub fn new(options: ProcessOptions) -> Self {
        let mut processor = Self {
            options: ProcessOptions::NONE,
            stages: Stages::default(),
            has_failed: false,
        };
        processor.set_options(options);
        processor
    }

    /// What is done from the next frame on. What stays on goes on undisturbed.
    pub fn set_options(&mut self, options: ProcessOptions) {
        self.options = options;
        let stages = &mut self.stages;
        switch(&mut stages.high_pass, options.high_pass, RumbleFilter::new);
        switch(&mut stages.echo, options.echo_cancellation, || {
            (EchoPath::new(), Suppressor::new())
        });
        switch(
            &mut stages.noise,
            options.noise_suppression,
            NoiseSuppression::new,
        );
        switch(&mut stages.gain, options.gain_control, GainControl::new);
    }

    /// What is done.
    #[must_use]
    pub fn options(&self) -> ProcessOptions {
        self.options
    }

    /// Another card or another room: what was learned does not count any more.
    pub fn reset(&mut self) {
        let options = self.options;
        self.stages = Stages::default();
        self.set_options(options);
    }

    /// Time has passed in which nothing was captured; the room is the same.
    pub fn restart(&mut self) {
        if let Some((path, _)) = &mut self.stages.echo {
            path.restart();
        }
    }

    /// This goes to the loudspeaker now.
    pub fn far_end(&mut self, frame: &Frame) {
        // No library but that of the Fourier transform, which cannot fail with these lengths.
        if let Some((path, _)) = &mut self.stages.echo {
            path.play(&to_unit(frame));
        }
    }

    /// This was captured: becomes what is to be sent.
    ///
    /// # Errors
    ///
    /// [`ProcessorFailed`], once: from then on frames go through as they are.
    pub fn near_end(&mut self, frame: &mut Frame) -> Result<(), ProcessorFailed> {
        if self.has_failed || self.options == ProcessOptions::NONE {
            return Ok(());
        }
        let stages = &mut self.stages;
        match catch_unwind(AssertUnwindSafe(|| stages.process(frame))) {
            Ok(processed) => {
                *frame = processed;
                Ok(())
            }
            Err(_) => {
                self.has_failed = true;
                self.stages = Stages::default();
                Err(ProcessorFailed)
            }
        }
    }
}

impl Stages {
    fn process(&mut self, frame: &Frame) -> Frame {
        let mut samples = to_unit(frame);
        if let Some(filter) = &mut self.high_pass {
            filter.process(&mut samples);
        }
        if let Some((path, suppressor)) = &mut self.echo {
            samples = suppressor.suppress(&path.cancel(&samples));
        }
        // Both libraries count a sample as it is on the wire.
        let mut samples = samples.map(|sample| sample * 32_768.0);
        let mut speech_probability = None;
        if let Some(noise) = &mut self.noise {
            speech_probability = Some(noise.process(&mut samples));
        }
        if let Some(gain) = &mut self.gain {
            gain.process(&mut samples, speech_probability);
        }
        samples.map(sample_from_f32)
    }
}

fn switch<T>(stage: &mut Option<T>, on: bool, make: impl FnOnce() -> T) {
    if !on {
        *stage = None;
    } else if stage.is_none() {
        *stage = Some(make());
    }
}

fn to_unit(frame: &Frame) -> [f32; FRAME_SAMPLES] {
    frame.map(|sample| f32::from(sample) / 32_768.0)
}

#[cfg(test)]
mod tests;
