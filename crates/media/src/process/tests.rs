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

/// Another voice, with pauses of its own.
fn other_voice(n: u32) -> Frame {
    if n % 53 > 40 {
        return noise(n, 4);
    }
    noise(n + 10_000, 8_000)
}

/// One person talks from the loudspeaker and another one here, from the beginning. The echo of frame `n` is
/// `echo(n)`. How much of what is sent after half a second is not what was said here, in dB.
fn spoilt_db(processor: &mut Processor, frames: u32, echo: impl Fn(u32) -> Frame) -> f64 {
    let (mut said, mut sent) = (Vec::new(), Vec::new());
    for n in 0..frames {
        processor.far_end(&voice(n));
        let (near, back) = (other_voice(n), echo(n));
        let mut frame = std::array::from_fn(|at| near[at] + back[at]);
        processor.near_end(&mut frame).unwrap();
        said.extend(near);
        sent.extend(frame);
    }
    // The suppressor's filter is late by half of its length.
    let pairs = said.iter().zip(&sent[64..]).skip(24_000);
    let square = |x: f64| x * x;
    let (wrong, all) = pairs.fold((0.0, 0.0), |(wrong, all), (&said, &sent)| {
        let (said, sent) = (f64::from(said), f64::from(sent));
        (wrong + square(sent - said), all + square(said))
    });
    10.0 * (wrong / all).log10()
}

/// What was played `delay` frames ago, divided.
fn softer(n: u32, delay: u32, divisor: i16) -> Frame {
    let played = n.checked_sub(delay).map_or(SILENCE, voice);
    played.map(|sample| sample / divisor)
}

#[test]
fn who_talks_into_a_microphone_without_echo_is_heard_as_they_are_from_the_beginning() {
    let spoilt = spoilt_db(&mut Processor::new(ONLY_ECHO), 1_000, |_| SILENCE);
    assert!(spoilt < -50.0, "{spoilt}");
}

#[test]
fn who_talks_beside_a_weak_echo_is_heard_as_they_are_from_the_beginning() {
    let spoilt = spoilt_db(&mut Processor::new(ONLY_ECHO), 1_000, |n| softer(n, 4, 18));
    assert!(spoilt < -20.0, "{spoilt}");
}

#[test]
fn a_weak_echo_is_gone_too() {
    let mut processor = Processor::new(ONLY_ECHO);
    let mut sent = Vec::new();
    for n in 0..500 {
        processor.far_end(&voice(n));
        let mut frame = softer(n, 4, 18);
        processor.near_end(&mut frame).unwrap();
        sent.extend(frame);
    }
    let level = level_dbfs(&sent[400 * 480..]);
    assert!(level < -65.0, "{level}");
}

#[test]
fn an_echo_is_learned_while_both_talk_from_the_beginning() {
    let mut processor = Processor::new(ONLY_ECHO);
    spoilt_db(&mut processor, 1_000, |n| softer(n, 4, 2));
    // From the first frame on in which nobody talks here any more.
    let level = seconds(&mut processor, 1_000..1_100, 4)[0];
    assert!(level < -40.0, "{level}");
}

#[test]
fn an_echo_that_begins_in_the_call_is_learned() {
    let mut processor = Processor::new(ONLY_ECHO);
    spoilt_db(&mut processor, 1_000, |_| SILENCE);
    let levels = seconds(&mut processor, 1_000..1_300, 4);
    assert!(levels[1] < -40.0 && levels[2] < -40.0, "{levels:?}");
}

#[test]
fn a_microphone_that_is_off_sends_nothing_and_teaches_nothing() {
    let mut processor = Processor::new(ONLY_ECHO);
    seconds(&mut processor, 0..500, 4);
    for n in 500..800 {
        processor.far_end(&voice(n));
        let mut frame = SILENCE;
        processor.near_end(&mut frame).unwrap();
        if n > 502 {
            assert!(
                frame.iter().all(|sample| sample.abs() < 2),
                "{n}: {frame:?}"
            );
        }
    }
    let level = seconds(&mut processor, 800..900, 4)[0];
    assert!(level < -65.0, "{level}");
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

/// What is sent of frame `n` of a voice here while nothing is played, and what was said; both in one piece.
fn alone(processor: &mut Processor, frames: std::ops::Range<u32>) -> (Vec<i16>, Vec<i16>) {
    let (mut said, mut sent) = (Vec::new(), Vec::new());
    for n in frames {
        processor.far_end(&SILENCE);
        let mut frame = other_voice(n);
        said.extend(frame);
        processor.near_end(&mut frame).unwrap();
        sent.extend(frame);
    }
    (said, sent)
}

#[test]
fn who_talks_while_nothing_is_played_is_heard_to_the_bit() {
    let mut processor = Processor::new(ONLY_ECHO);
    let (said, sent) = alone(&mut processor, 0..100);
    assert_eq!(sent[64..], said[..said.len() - 64]);
    // And again when an echo has died away.
    seconds(&mut processor, 100..600, 4);
    let (said, sent) = alone(&mut processor, 600..800);
    let later = 100 * FRAME_SAMPLES;
    assert_eq!(sent[later + 64..], said[later..said.len() - 64]);
}

#[test]
fn the_end_of_an_echo_is_gone_when_nothing_is_played_any_more() {
    let mut processor = Processor::new(ONLY_ECHO);
    let (mut came, mut sent) = (vec![0; 4 * FRAME_SAMPLES + 300], Vec::new());
    for n in 0..500 {
        processor.far_end(&voice(n));
        came.extend(voice(n).map(|sample| sample / 2));
        let mut frame = SILENCE;
        frame.copy_from_slice(&came[n as usize * FRAME_SAMPLES..][..FRAME_SAMPLES]);
        processor.near_end(&mut frame).unwrap();
        sent.push(level_dbfs(&frame));
    }
    let loudest = sent[400..].iter().copied().fold(f32::MIN, f32::max);
    assert!(loudest < -60.0, "{loudest}");
}

#[test]
fn a_soft_tone_is_not_made_louder_as_if_it_were_a_voice() {
    let mut processor = Processor::new(ProcessOptions {
        noise_suppression: true,
        gain_control: true,
        ..ProcessOptions::NONE
    });
    let mut level = 0.0;
    for n in 0..500 {
        let mut frame = noise(n, 300);
        processor.near_end(&mut frame).unwrap();
        level = level_dbfs(&frame);
    }
    assert!(level < level_dbfs(&noise(0, 300)), "{level}");
}
