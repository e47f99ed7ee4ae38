//! Concealment for codecs that have none: repeat the last pitch period, fading out.
//!
//! At 8 kHz. The period is the lag from 2.5 to 15 ms at which the recent past resembles itself
//! most. Full strength for 10 ms, silence after 60 ms; the return to real sound is crossfaded.

use crate::frame::sample_from_f32;

/// 40 ms of the past: the longest period, and what is compared with it.
const HISTORY_SAMPLES: usize = 320;
const MIN_LAG_SAMPLES: usize = 20;
const MAX_LAG_SAMPLES: usize = 120;
/// What is compared: 20 ms.
const MATCH_SAMPLES: usize = 160;
const FADE_START_SAMPLES: u16 = 80;
const FADE_SAMPLES: u16 = 400;
/// Back to real sound over 4 ms.
const RETURN_SAMPLES: u16 = 32;

/// Remembers what was heard and repeats it.
pub(super) struct PitchRepeater {
    history: [i16; HISTORY_SAMPLES],
    /// Set while sound is invented.
    loss: Option<Loss>,
}

#[derive(Clone, Copy)]
struct Loss {
    lag: usize,
    invented_samples: u16,
}

impl Default for PitchRepeater {
    fn default() -> Self {
        Self {
            history: [0; HISTORY_SAMPLES],
            loss: None,
        }
    }
}

impl PitchRepeater {
    /// Real sound came. After a loss its start is blended with what would have been invented.
    pub(super) fn heard(&mut self, samples: &mut [i16]) {
        if let Some(mut loss) = self.loss.take() {
            for (n, real) in (1..=RETURN_SAMPLES).zip(samples.iter_mut()) {
                let weight = f32::from(n) / f32::from(RETURN_SAMPLES + 1);
                let mixed =
                    f32::from(*real) * weight + self.next_invented(&mut loss) * (1.0 - weight);
                *real = sample_from_f32(mixed);
            }
        }
        let new = samples.len().min(HISTORY_SAMPLES);
        self.history.copy_within(new.., 0);
        self.history[HISTORY_SAMPLES - new..].copy_from_slice(&samples[samples.len() - new..]);
    }

    /// Fills `out` with what may have been said.
    pub(super) fn invent(&mut self, out: &mut [i16]) {
        let mut loss = self.loss.unwrap_or_else(|| Loss {
            lag: best_lag(&self.history),
            invented_samples: 0,
        });
        for sample in out {
            *sample = sample_from_f32(self.next_invented(&mut loss));
        }
        self.loss = Some(loss);
    }

    fn next_invented(&self, loss: &mut Loss) -> f32 {
        let at = HISTORY_SAMPLES - loss.lag + usize::from(loss.invented_samples) % loss.lag;
        let value = f32::from(self.history[at]) * gain(loss.invented_samples);
        loss.invented_samples = loss.invented_samples.saturating_add(1);
        value
    }
}

fn gain(invented_samples: u16) -> f32 {
    let faded =
        f32::from(invented_samples.saturating_sub(FADE_START_SAMPLES)) / f32::from(FADE_SAMPLES);
    (1.0 - faded).max(0.0)
}

/// The lag with the highest normalised correlation.
fn best_lag(history: &[i16; HISTORY_SAMPLES]) -> usize {
    let recent = &history[HISTORY_SAMPLES - MATCH_SAMPLES..];
    let likeness = |lag: usize| {
        let start = HISTORY_SAMPLES - MATCH_SAMPLES - lag;
        let past = &history[start..start + MATCH_SAMPLES];
        let (mut product, mut energy) = (0.0_f32, 1.0_f32);
        for (&a, &b) in recent.iter().zip(past) {
            product += f32::from(a) * f32::from(b);
            energy += f32::from(b) * f32::from(b);
        }
        product / energy.sqrt()
    };
    (MIN_LAG_SAMPLES..=MAX_LAG_SAMPLES)
        .max_by(|&a, &b| likeness(a).total_cmp(&likeness(b)))
        .unwrap_or(MAX_LAG_SAMPLES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Tone, share_at};

    fn tone_frames(count: usize) -> Vec<[i16; 160]> {
        let mut tone = Tone::new(200.0, 8_000, 0.5);
        (0..count)
            .map(|_| {
                let mut frame = [0; 160];
                tone.fill(&mut frame);
                frame
            })
            .collect()
    }

    #[test]
    fn a_lost_frame_sounds_like_the_one_before_and_then_fades_to_nothing() {
        let mut repeater = PitchRepeater::default();
        for mut frame in tone_frames(5) {
            repeater.heard(&mut frame);
        }
        let mut invented = [0; 160];
        repeater.invent(&mut invented);
        assert!(share_at(&invented, 200.0, 8_000) > 0.9);
        for _ in 0..3 {
            repeater.invent(&mut invented);
        }
        assert_eq!(invented, [0; 160]);
    }

    #[test]
    fn the_return_to_real_sound_has_no_step() {
        let mut repeater = PitchRepeater::default();
        let frames = tone_frames(8);
        for mut frame in frames[..5].iter().copied() {
            repeater.heard(&mut frame);
        }
        let mut invented = [0; 160];
        repeater.invent(&mut invented);
        let mut real = frames[6];
        repeater.heard(&mut real);
        let step = (i32::from(real[0]) - i32::from(invented[159])).abs();
        assert!(
            step < 3_000,
            "a 200 Hz tone at half scale moves by at most 2573 per sample, here {step}"
        );
        assert_eq!(real[40..], frames[6][40..], "only the start is blended");
    }

    #[test]
    fn silence_stays_silence_for_hours() {
        let mut repeater = PitchRepeater::default();
        let mut out = [1; 160];
        for _ in 0..1_000 {
            repeater.invent(&mut out);
            assert_eq!(out, [0; 160]);
        }
    }
}
