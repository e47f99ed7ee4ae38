//! Sends digits as tones in place of speech.

use std::collections::VecDeque;

use super::frequencies_hz;
use crate::dtmf::{Digit, MAX_QUEUED_DIGITS, QueueFull};
use crate::tone::Tone;

/// How long a digit sounds. Q.24 asks receivers to take 40 ms; longer is surer after a codec.
const TONE_MS: u32 = 100;
/// Silence after it.
const PAUSE_MS: u32 = 100;
/// How long a tone takes to come and to go, so that it does not click.
const FADE_MS: u32 = 2;
/// Low group: -9 dBm0, where a sine of full scale has +3.14 dBm0 (ITU-T G.711).
const LOW_AMPLITUDE: f32 = 0.247;
/// High group: -7 dBm0, 2 dB more because lines weaken it more.
const HIGH_AMPLITUDE: f32 = 0.311;

/// Sends digits one after another.
#[derive(Debug)]
pub struct ToneSender {
    sample_rate_hz: u32,
    queue: VecDeque<Digit>,
    current: Option<Sounding>,
}

/// A digit on its way. Not for logs, as a digit is not.
struct Sounding {
    low: Tone,
    high: Tone,
    at: u32,
}

impl std::fmt::Debug for Sounding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sounding(***)")
    }
}

impl ToneSender {
    /// For a stream of this rate, at least 8,000 Hz.
    #[must_use]
    pub fn new(sample_rate_hz: u32) -> Self {
        Self {
            sample_rate_hz,
            queue: VecDeque::new(),
            current: None,
        }
    }

    /// Puts a digit at the end of the queue.
    ///
    /// # Errors
    ///
    /// [`QueueFull`] if too many wait already.
    pub fn push(&mut self, digit: Digit) -> Result<(), QueueFull> {
        if self.queue.len() >= MAX_QUEUED_DIGITS {
            return Err(QueueFull);
        }
        self.queue.push_back(digit);
        Ok(())
    }

    /// Forgets what is being sent and what waits.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.current = None;
    }

    /// Whether nothing is being sent or waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.current.is_none() && self.queue.is_empty()
    }

    /// Writes tones and pauses over the next samples of speech. While idle they stay as they are.
    pub fn fill(&mut self, speech: &mut [i16]) {
        for sample in speech {
            if self.current.is_none() {
                let Some(digit) = self.queue.pop_front() else {
                    return;
                };
                self.current = Some(Sounding::new(digit, self.sample_rate_hz));
            }
            let next = self
                .current
                .as_mut()
                .and_then(|sounding| sounding.next_sample(self.sample_rate_hz));
            *sample = next.unwrap_or_else(|| {
                self.current = None;
                0
            });
        }
    }
}

impl Sounding {
    fn new(digit: Digit, sample_rate_hz: u32) -> Self {
        let (low_hz, high_hz) = frequencies_hz(digit);
        Self {
            low: Tone::new(low_hz, sample_rate_hz, LOW_AMPLITUDE),
            high: Tone::new(high_hz, sample_rate_hz, HIGH_AMPLITUDE),
            at: 0,
        }
    }

    /// `None` for the last sample of the pause.
    fn next_sample(&mut self, sample_rate_hz: u32) -> Option<i16> {
        let samples = |ms: u32| sample_rate_hz / 1_000 * ms;
        let (tone, fade) = (samples(TONE_MS), samples(FADE_MS).max(1));
        let at = self.at;
        self.at += 1;
        if at >= tone {
            return (at + 1 < tone + samples(PAUSE_MS)).then_some(0);
        }
        let mut pair = [[0; 1]; 2];
        self.low.fill(&mut pair[0]);
        self.high.fill(&mut pair[1]);
        let sum = i64::from(pair[0][0]) + i64::from(pair[1][0]);
        let loudness = (at + 1).min(tone - at).min(fade);
        i16::try_from(sum * i64::from(loudness) / i64::from(fade)).ok()
    }
}
