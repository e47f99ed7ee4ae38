//! What comes out, for sound that is made here. Speech in rooms is scored by `make bench-echo`.

use super::*;
use crate::frame::SILENCE;
use crate::level::level_dbfs;

const ONLY_ECHO: ProcessOptions = ProcessOptions {
    echo_cancellation: true,
    ..ProcessOptions::NONE
};

/// Noise of this peak, another one for each `n`.
fn noise(n: u32, peak: i16) -> Frame {
    let mut state = n.wrapping_mul(2_654_435_761) | 1;
    std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let even = f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0;
        #[expect(clippy::cast_possible_truncation, reason = "at most the peak")]
        let sample = (even * f64::from(peak)) as i16;
        sample
    })
}

/// Something like a voice: noise with pauses.
fn voice(n: u32) -> Frame {
    if n % 40 > 30 {
        return SILENCE;
    }
    noise(n, 8_000)
}

/// Plays a voice and captures it `delay` frames later, softer by half; gives the level of each second.
fn seconds(processor: &mut Processor, frames: std::ops::Range<u32>, delay: u32) -> Vec<f32> {
    let mut sent = Vec::new();
    for n in frames {
        processor.far_end(&voice(n));
        let mut frame = n.checked_sub(delay).map_or(SILENCE, voice);
        for sample in &mut frame {
            *sample /= 2;
        }
        processor.near_end(&mut frame).unwrap();
        sent.extend(frame);
    }
    sent.chunks(48_000).map(level_dbfs).collect()
}

#[test]
fn with_everything_off_sound_is_the_same_to_the_bit() {
    let mut processor = Processor::new(ProcessOptions::NONE);
    for n in 0..20 {
        processor.far_end(&voice(n));
        let mut frame = noise(n, 20_000);
        processor.near_end(&mut frame).unwrap();
        assert_eq!(frame, noise(n, 20_000));
    }
}

#[test]
fn an_echo_is_gone_whatever_its_delay() {
    for delay in [0, 3, 20, 30] {
        let levels = seconds(&mut Processor::new(ONLY_ECHO), 0..500, delay);
        assert!(levels[4] < -65.0, "{delay}: {levels:?}");
    }
    let levels = seconds(&mut Processor::new(ProcessOptions::NONE), 0..300, 3);
    assert!(levels[2] > -30.0, "{levels:?}");
}

#[test]
fn a_way_that_changes_is_learned_again() {
    let mut processor = Processor::new(ONLY_ECHO);
    seconds(&mut processor, 0..500, 4);
    let levels = seconds(&mut processor, 500..1_000, 9);
    assert!(levels[4] < -65.0, "{levels:?}");
    processor.reset();
    let levels = seconds(&mut processor, 1_000..1_500, 2);
    assert!(levels[4] < -65.0, "{levels:?}");
}

#[test]
fn who_talks_here_is_heard_while_the_loudspeaker_talks_too() {
    let mut processor = Processor::new(ONLY_ECHO);
    seconds(&mut processor, 0..500, 4);
    let mut energy = [0.0; 2];
    for n in 500..700 {
        processor.far_end(&voice(n));
        let (echo, near) = (voice(n - 4), noise(n + 10_000, 8_000));
        let mut frame = std::array::from_fn(|at| echo[at] / 2 + near[at]);
        processor.near_end(&mut frame).unwrap();
        let of = |frame: &Frame| frame.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
        energy[0] += of(&near);
        energy[1] += of(&frame);
    }
    let kept_db = 10.0 * (energy[1] / energy[0]).log10();
    assert!((-3.0..1.0).contains(&kept_db), "{kept_db}");
}

#[test]
fn steady_noise_becomes_softer() {
    let mut processor = Processor::new(ProcessOptions {
        noise_suppression: true,
        ..ProcessOptions::NONE
    });
    let mut frame = SILENCE;
    for n in 0..300 {
        frame = noise(n, 1_000);
        processor.near_end(&mut frame).unwrap();
    }
    let (before, after) = (level_dbfs(&noise(299, 1_000)), level_dbfs(&frame));
    assert!(after < before - 10.0, "{before} to {after}");
}

#[test]
fn frames_played_in_bursts_are_paired_by_their_count() {
    let mut processor = Processor::new(ONLY_ECHO);
    let mut sent = Vec::new();
    for burst in 0..150 {
        let numbers = burst * 4..burst * 4 + 4;
        numbers.clone().for_each(|n| processor.far_end(&voice(n)));
        for n in numbers {
            let mut frame = n.checked_sub(6).map_or(SILENCE, voice);
            processor.near_end(&mut frame).unwrap();
            sent.extend(frame);
        }
    }
    let level = level_dbfs(&sent[500 * 480..]);
    assert!(level < -65.0, "{level}");
}
