use media::SILENCE;
use media::tone::{Tone, share_at};

use super::*;

/// Every 5 ms, as a session does; `passed` is 0 and 1 in turn.
fn look(sink: &mut RingSink, n: u32, frame: &Frame) -> usize {
    let due = sink.frames_due(usize::from(n % 2 == 1));
    (0..due).for_each(|_| sink.write(frame));
    due
}

fn take(card: &mut PlaybackEnd, samples: usize) {
    for _ in 0..samples {
        card.pop();
    }
}

fn give(card: &mut CaptureEnd, samples: &[i16]) {
    for &sample in samples {
        card.push(sample);
    }
    assert_eq!(card.lost(), 0);
}

/// A card that is off by `ppm` and takes `period` samples at a time plays for an hour; the most
/// that waited in the ring, and the samples that it missed.
fn play_an_hour(ppm: f64, period: usize) -> (usize, u64) {
    let (mut sink, mut card) = playback_ring(48_000, 10).unwrap();
    let (mut most, mut owed) = (0, 0.0);
    for n in 0..720_000 {
        look(&mut sink, n, &SILENCE);
        most = most.max(card.waiting());
        owed += 240.0 * (1.0 + ppm / 1e6);
        while owed >= 480.0 {
            owed -= 480.0;
            if period == 480 || n % 4 == 3 {
                take(&mut card, period);
            }
        }
    }
    assert_eq!(sink.dropped_samples(), 0);
    (most, sink.missed_samples())
}

#[test]
fn a_card_with_another_clock_neither_starves_nor_overflows() {
    for ppm in [-200.0, 0.0, 200.0] {
        let (most, missed) = play_an_hour(ppm, 480);
        assert!(most <= 3 * 480, "{ppm} ppm: {most} samples waited");
        assert_eq!(missed, 0, "{ppm} ppm");
    }
}

#[test]
fn the_reserve_grows_for_a_card_that_takes_much_at_a_time_and_then_nothing_is_missed() {
    let (mut sink, mut card) = playback_ring(48_000, 10).unwrap();
    let mut missed = Vec::new();
    for n in 0..4_000 {
        look(&mut sink, n, &SILENCE);
        if n % 8 == 7 {
            take(&mut card, 1_920);
        }
        if n == 400 || n == 3_999 {
            missed.push(sink.missed_samples());
        }
    }
    assert!(missed[0] > 0 && missed[0] == missed[1], "{missed:?}");
    assert!(card.waiting() <= 5 * 480);
}

#[test]
fn a_captured_tone_arrives_whatever_the_rate_of_the_card() {
    for rate_hz in [8_000, 44_100, 48_000] {
        let (mut card, mut source) = capture_ring(rate_hz).unwrap();
        let mut tone = Tone::new(600.0, rate_hz, 0.4);
        let mut heard = Vec::new();
        let mut period = vec![0; frame_len(rate_hz)];
        for _ in 0..200 {
            tone.fill(&mut period);
            give(&mut card, &period);
            for _ in 0..source.frames_due(1) {
                let mut frame = SILENCE;
                source.read(&mut frame);
                heard.extend(frame);
            }
        }
        assert_eq!(heard.len(), 96_000, "{rate_hz}");
        assert!(
            share_at(&heard[48_000..], 600.0, 48_000) > 0.98,
            "{rate_hz}"
        );
    }
}

#[test]
fn nothing_stale_is_heard_after_a_hold() {
    let (mut card, mut source) = capture_ring(48_000).unwrap();
    source.frames_due(0);
    for _ in 0..100 {
        give(&mut card, &[1; 480]);
        source.discard();
    }
    give(&mut card, &[2; 480]);
    let mut frame = SILENCE;
    source.read(&mut frame);
    assert_eq!(frame, [2; 480]);
}

#[test]
fn of_what_a_card_captured_before_the_call_only_a_packet_is_sent_and_that_at_once() {
    let (mut card, mut source) = capture_ring(48_000).unwrap();
    for sample in 0..9_600 {
        card.push(sample);
        if sample % 960 == 0 {
            source.discard();
        }
    }
    assert_eq!(source.frames_due(0), 2);
    let mut frame = SILENCE;
    source.read(&mut frame);
    assert_eq!(frame[0], 9_600 - 960);
    source.read(&mut frame);
    give(&mut card, &[1; 480 * 3]);
    assert_eq!(source.frames_due(0), 3, "later nothing is left out");
}

#[test]
fn a_card_that_takes_little_at_a_time_needs_less_in_reserve() {
    let waiting = |period_ms| {
        let (mut sink, card) = playback_ring(48_000, period_ms).unwrap();
        look(&mut sink, 0, &SILENCE);
        card.waiting()
    };
    assert_eq!((waiting(5), waiting(10)), (480, 960));
}

#[test]
fn while_a_card_is_dead_the_call_goes_on_and_only_a_moment_of_old_sound_waits_for_it() {
    let (mut sink, mut card) = playback_ring(48_000, 10).unwrap();
    let frames: usize = (0..2_000).map(|n| look(&mut sink, n, &[1; 480])).sum();
    assert!(
        (980..=1_010).contains(&frames),
        "{frames} frames were taken from the session in 10 s"
    );
    assert!(card.waiting() <= 3 * 480, "{}", card.waiting());
    assert!(sink.dropped_samples() > 0);
    let dropped = sink.dropped_samples();
    for n in 0..400 {
        look(&mut sink, n, &[2; 480]);
        if n % 2 == 1 {
            take(&mut card, 480);
        }
    }
    assert!(sink.dropped_samples() - dropped <= 480, "it plays again");
    assert_eq!(card.pop(), Some(2));
}

#[test]
fn a_card_that_starts_late_or_dies_gives_silence() {
    let (mut card, mut source) = capture_ring(48_000).unwrap();
    let mut frame = [7; FRAME_SAMPLES];
    assert_eq!(source.frames_due(1), 1, "not started yet");
    source.read(&mut frame);
    assert_eq!(frame, SILENCE);
    give(&mut card, &[1; 480]);
    assert_eq!(source.frames_due(0), 1);
    source.read(&mut frame);
    let due: Vec<_> = (0..24).map(|_| source.frames_due(1)).collect();
    assert_eq!(due[..20], [0; 20], "a short wait");
    assert_eq!(due[20..], [1; 4], "then silence");
}
