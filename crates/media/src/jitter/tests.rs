//! Traces of networks, played in simulated time.
//!
//! A trace says when each packet of a 20 ms stream arrives, if it does. The outcome is what each
//! step of the buffer gave.

use std::time::Duration;

use proptest::prelude::*;

use super::queue::MAX_PACKETS;
use super::*;

const CLOCK_HZ: u32 = 8_000;
const TICKS: u32 = 160;

/// Arrivals of one stream.
struct Trace {
    /// Packet number and arrival in milliseconds after the first was sent.
    arrivals: Vec<(u32, f64)>,
    /// Length of the receiver's 10 ms.
    tick_ms: f64,
}

#[derive(Debug, Default)]
struct Outcome {
    played: Vec<u32>,
    missing: u32,
    missing_ms: f64,
    missing_with_next: u32,
    waited: u32,
    silent: u32,
    idle: u32,
    /// Sound left out and repeated, in milliseconds.
    shortened_ms: f64,
    lengthened_ms: f64,
    verdicts: Vec<Inserted>,
    /// Play-out time minus send time of each packet, in milliseconds.
    delays_ms: Vec<f64>,
    stats: JitterStats,
}

impl Trace {
    fn new(packets: u32, arrival_ms: impl Fn(u32) -> Option<f64>) -> Self {
        let mut arrivals: Vec<_> = (0..packets)
            .filter_map(|n| Some((n, arrival_ms(n)?)))
            .collect();
        arrivals.sort_by(|a, b| a.1.total_cmp(&b.1));
        Self {
            arrivals,
            tick_ms: 10.0,
        }
    }

    fn play(self) -> Outcome {
        self.play_as(|n| packet(n, n * TICKS))
    }

    fn play_as(self, make: impl Fn(u32) -> AudioPacket) -> Outcome {
        let start = crate::any_instant();
        let at = |ms: f64| start + Duration::from_secs_f64(ms / 1_000.0);
        let mut buffer = JitterBuffer::new(JitterConfig::default(), CLOCK_HZ);
        let mut outcome = Outcome::default();
        let mut arrivals = self.arrivals.into_iter().peekable();
        let (mut now_ms, mut ready_ms) = (7.0, 0.0);
        while arrivals.peek().is_some() || buffer.queue.len() > 0 {
            while let Some((n, arrival_ms)) =
                arrivals.next_if(|(_, arrival_ms)| *arrival_ms <= now_ms)
            {
                outcome
                    .verdicts
                    .push(buffer.insert(make(n), at(arrival_ms)));
            }
            while ready_ms < 10.0 {
                let step = buffer.pull(at(now_ms), ready_ms);
                let Some(ms) = outcome.note(step, now_ms + ready_ms) else {
                    break;
                };
                ready_ms += ms;
            }
            assert!(buffer.queue.len() <= MAX_PACKETS);
            ready_ms = (ready_ms - 10.0).max(0.0);
            now_ms += self.tick_ms;
        }
        outcome.stats = buffer.stats();
        outcome
    }
}

impl Outcome {
    /// Milliseconds of sound that a step gives to play from `at_ms` on; `None` if there is none now.
    fn note(&mut self, step: Step<'_>, at_ms: f64) -> Option<f64> {
        let ms = |ticks: u32| Some(f64::from(ticks) * 1_000.0 / f64::from(CLOCK_HZ));
        match step {
            Step::Play { packet, stretch } => {
                let n = u32::try_from(packet.sequence).unwrap();
                self.played.push(n);
                self.delays_ms.push(at_ms - f64::from(n) * 20.0);
                // A voice whose period is 8 ms.
                let changed = match stretch {
                    Stretch::Shorten { ms: 8.. } => -8.0,
                    Stretch::Lengthen { ms: 2.. } => 8.0,
                    _ => 0.0,
                };
                self.shortened_ms -= f64::min(changed, 0.0);
                self.lengthened_ms += f64::max(changed, 0.0);
                ms(packet.duration_ticks).map(|length| length + changed)
            }
            Step::Missing {
                ticks, gap_ticks, ..
            } => {
                self.missing += 1;
                self.missing_ms += f64::from(ticks) * 1_000.0 / f64::from(CLOCK_HZ);
                self.missing_with_next += u32::from(gap_ticks == ticks);
                ms(ticks)
            }
            Step::Wait { ticks } => {
                self.waited += 1;
                ms(ticks)
            }
            Step::Silence { ticks } => {
                self.silent += 1;
                ms(ticks)
            }
            Step::Idle => {
                self.idle += 1;
                None
            }
        }
    }

    fn played_all_in_order(&self, packets: u32) -> bool {
        self.played.iter().copied().eq(0..packets)
    }

    fn last_delay_ms(&self) -> f64 {
        *self.delays_ms.last().expect("something played")
    }
}

fn packet(n: u32, timestamp: u32) -> AudioPacket {
    AudioPacket {
        sequence: u64::from(n),
        timestamp,
        duration_ticks: TICKS,
        marker: n == 0,
        is_copy: false,
        mends: 0,
        payload_type: 0,
        payload: vec![0; 160],
    }
}

/// Random but the same each time: 0 to 1.
fn noise(n: u32) -> f64 {
    let mut value = u64::from(n).wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from(u32::try_from((value ^ (value >> 31)) >> 33).unwrap()) / f64::from(1_u32 << 31)
}

fn sent_ms(n: u32) -> f64 {
    f64::from(n) * 20.0
}

#[test]
fn a_clean_network_plays_every_packet_in_order_with_the_least_delay() {
    let outcome = Trace::new(3_000, |n| Some(sent_ms(n) + 30.0)).play();
    assert!(outcome.played_all_in_order(3_000));
    assert_eq!(
        (
            outcome.missing,
            outcome.waited,
            outcome.shortened_ms,
            outcome.lengthened_ms
        ),
        (0, 0, 0.0, 0.0)
    );
    let delay = outcome.last_delay_ms() - 30.0;
    assert!((10.0..20.0).contains(&delay), "{delay} ms");
}

#[test]
fn lost_packets_are_missing_and_the_next_one_is_offered() {
    let outcome = Trace::new(1_000, |n| (n % 10 != 5).then_some(sent_ms(n))).play();
    assert_eq!(outcome.played.len(), 900);
    // With the least delay the next packet comes too late to help.
    assert_eq!(outcome.missing_with_next, outcome.missing);
    let filled_ms = f64::from(outcome.waited) * 10.0 + outcome.missing_ms;
    assert_eq!(filled_ms, 2_000.0);
    assert_eq!((outcome.shortened_ms, outcome.lengthened_ms), (0.0, 0.0));
}

#[test]
fn when_the_sender_adds_copies_the_delay_makes_room_for_the_next_packet() {
    let outcome =
        Trace::new(1_000, |n| (n % 20 != 5).then_some(sent_ms(n))).play_as(|n| AudioPacket {
            mends: 1,
            ..packet(n, n * TICKS)
        });
    assert!(
        outcome.missing_with_next >= 47,
        "{} of 50",
        outcome.missing_with_next
    );
    assert!((30.0..40.0).contains(&outcome.last_delay_ms()));
    let calm = Trace::new(1_000, |n| Some(sent_ms(n))).play_as(|n| AudioPacket {
        mends: 1,
        ..packet(n, n * TICKS)
    });
    assert!(calm.last_delay_ms() < 20.0, "not while nothing is lost");
}

#[test]
fn the_delay_makes_room_for_as_many_in_a_row_as_are_lost_often_and_the_next_packet_replaces() {
    let in_bursts = |n: u32| (n % 30 >= 3).then_some(sent_ms(n));
    let scattered = |n: u32| (noise(n) > 0.2).then_some(sent_ms(n));
    let delay_ms = |trace: Trace, mends| {
        let mended = |n| AudioPacket {
            mends,
            ..packet(n, n * TICKS)
        };
        trace.play_as(mended).stats.target_delay_ms
    };
    for (mends, expected) in [(0, 10.0), (1, 23.0), (2, 43.0), (3, 63.0), (4, 63.0)] {
        let delay = delay_ms(Trace::new(2_000, in_bursts), mends);
        assert!((delay - expected).abs() < 0.1, "{mends}: {delay} ms");
    }
    let delay = delay_ms(Trace::new(2_000, scattered), 4);
    assert!((delay - 43.0).abs() < 0.1, "{delay} ms");
}

#[test]
fn in_a_burst_of_losses_only_the_last_has_a_next() {
    let outcome = Trace::new(400, |n| (!(100..104).contains(&n)).then_some(sent_ms(n))).play();
    assert_eq!(outcome.played.len(), 396);
    let filled_ms = f64::from(outcome.waited) * 10.0 + outcome.missing_ms;
    assert_eq!(filled_ms, 80.0);
    assert!(outcome.last_delay_ms() < 20.0, "the delay stays");
}

#[test]
fn reordered_packets_play_in_order() {
    let swapped = |n: u32| {
        if n % 7 == 3 {
            sent_ms(n) + 30.0
        } else {
            sent_ms(n)
        }
    };
    let outcome = Trace::new(1_000, |n| Some(swapped(n))).play();
    assert!(outcome.played.is_sorted());
    assert!(
        outcome.played.len() >= 999,
        "only the first may come as a surprise"
    );
}

#[test]
fn duplicates_are_played_once() {
    let mut trace = Trace::new(500, |n| Some(sent_ms(n)));
    trace.arrivals = trace
        .arrivals
        .iter()
        .flat_map(|&arrival| [arrival, arrival])
        .collect();
    let outcome = trace.play();
    assert!(outcome.played_all_in_order(500));
    assert_eq!(outcome.stats.duplicates, 500);
}

#[test]
fn the_delay_grows_with_jitter_and_then_nearly_nothing_is_late() {
    let outcome = Trace::new(3_000, |n| Some(sent_ms(n) + 100.0 * noise(n))).play();
    let settled = outcome.played.iter().filter(|&&n| n >= 300).count();
    assert!(
        settled >= 2_700 * 97 / 100,
        "{settled} of 2700 played after the start"
    );
    assert!(
        (90.0..130.0).contains(&outcome.stats.target_delay_ms),
        "{}",
        outcome.stats.target_delay_ms
    );
}

#[test]
fn the_delay_shrinks_again_when_the_network_calms_down() {
    let jitter = |n: u32| if n < 500 { 150.0 * noise(n) } else { 0.0 };
    let outcome = Trace::new(3_000, |n| Some(sent_ms(n) + jitter(n))).play();
    assert!(
        outcome.last_delay_ms() < 30.0,
        "{} ms",
        outcome.last_delay_ms()
    );
    assert!(outcome.shortened_ms > 80.0);
}

#[test]
fn the_delay_is_bounded_whatever_the_jitter() {
    let outcome = Trace::new(3_000, |n| Some(sent_ms(n) + 900.0 * noise(n))).play();
    assert_eq!(outcome.stats.target_delay_ms, 400.0);
    assert!(
        outcome.stats.late > 0,
        "what comes later than the bound is lost"
    );
}

#[test]
fn clocks_that_drift_apart_do_not_build_up_delay_or_run_dry() {
    for ppm in [-200.0, 200.0] {
        // Half an hour.
        let mut trace = Trace::new(90_000, |n| Some(sent_ms(n) + 10.0));
        trace.tick_ms = 10.0 * (1.0 + ppm / 1e6);
        let outcome = trace.play();
        let delay = outcome.last_delay_ms() - 10.0;
        assert!((5.0..35.0).contains(&delay), "{ppm} ppm: {delay} ms");
        // Half an hour of drift is 360 ms.
        let corrected_ms = outcome.shortened_ms + outcome.lengthened_ms;
        assert!(
            (330.0..480.0).contains(&corrected_ms),
            "{ppm} ppm: {corrected_ms} ms of corrections"
        );
        assert_eq!(outcome.missing, 0);
        assert_eq!(outcome.played.len(), 90_000);
    }
}

#[test]
fn a_short_stall_of_the_network_loses_nothing() {
    // 60 ms during which packets pile up, then all at once.
    let stalled = |n: u32| {
        if (100..103).contains(&n) {
            sent_ms(103)
        } else {
            sent_ms(n)
        }
    };
    let outcome = Trace::new(1_000, |n| Some(stalled(n))).play();
    assert!(outcome.played_all_in_order(1_000));
    assert_eq!(outcome.missing, 0);
}

#[test]
fn a_sender_that_stalls_again_and_again_is_waited_for_in_advance() {
    // Every two seconds nothing for 80 ms, then all at once.
    let stalled = |n: u32| {
        if (20..24).contains(&(n % 100)) {
            sent_ms(n - n % 100 + 24)
        } else {
            sent_ms(n)
        }
    };
    let outcome = Trace::new(3_000, |n| Some(stalled(n))).play();
    assert!(outcome.played_all_in_order(3_000));
    assert!(
        outcome.waited <= 20,
        "{} times 10 ms were waited in 30 stalls of 80 ms",
        outcome.waited
    );
    assert_eq!(outcome.missing, 0);
}

#[test]
fn silence_suppression_is_not_loss() {
    // Sequence numbers go on, timestamps jump: the sender paused for 60 ms.
    let outcome = Trace::new(300, |n| Some(sent_ms(n) + f64::from(n / 50) * 60.0))
        .play_as(|n| packet(n, n * TICKS + n / 50 * 3 * TICKS));
    assert_eq!(outcome.played.len(), 300);
    assert_eq!(outcome.missing, 0);
}

#[test]
fn a_long_pause_is_idle_and_the_stream_starts_again() {
    for timestamps_go_on in [0, 1] {
        let paused = |n: u32| sent_ms(n) + if n >= 100 { 60_000.0 } else { 0.0 };
        let jump = 60 * CLOCK_HZ * timestamps_go_on;
        let outcome = Trace::new(300, |n| Some(paused(n)))
            .play_as(|n| packet(n, n * TICKS + if n >= 100 { jump } else { 0 }));
        assert!(outcome.played_all_in_order(300));
        assert!(outcome.idle > 5_900, "{}", outcome.idle);
        assert_eq!(outcome.waited, 10, "100 ms");
        let delay = outcome.last_delay_ms() - 60_000.0;
        assert!((9.0..21.0).contains(&delay), "{delay} ms after the pause");
    }
}

#[test]
fn timestamps_that_jump_start_the_stream_anew_without_a_pause() {
    let outcome = Trace::new(300, |n| Some(sent_ms(n)))
        .play_as(|n| packet(n, n * TICKS + if n >= 150 { 0x7000_0000 } else { 0 }));
    assert_eq!(
        outcome
            .verdicts
            .iter()
            .filter(|&&verdict| verdict == Inserted::Resynchronised)
            .count(),
        1
    );
    assert!(outcome.played.len() >= 295, "{}", outcome.played.len());
}

#[test]
fn timestamps_wrap_without_a_trace() {
    let outcome = Trace::new(300, |n| Some(sent_ms(n)))
        .play_as(|n| packet(n, (n * TICKS).wrapping_sub(150 * TICKS)));
    assert!(outcome.played_all_in_order(300));
    assert_eq!((outcome.missing, outcome.waited), (0, 0));
}

#[test]
fn packets_of_other_lengths_keep_their_pace() {
    let start = crate::any_instant();
    let mut buffer = JitterBuffer::new(JitterConfig::default(), CLOCK_HZ);
    let mut played = 0;
    for n in 0..200_u32 {
        let at = start + Duration::from_millis(60) * n;
        let packet = AudioPacket {
            duration_ticks: 480,
            ..packet(n, n * 480)
        };
        assert_eq!(buffer.insert(packet, at), Inserted::Queued);
        if let Step::Play { packet, .. } = buffer.pull(at + Duration::from_millis(45), 0.0) {
            assert_eq!(packet.duration_ticks, 480);
            played += 1;
        }
    }
    assert_eq!(played, 200);
}

#[test]
fn a_flood_is_bounded() {
    let now = crate::any_instant();
    let mut buffer = JitterBuffer::new(JitterConfig::default(), CLOCK_HZ);
    for n in 0..10_000 {
        // Spread over less than a second of media, so that it does not look like a new beginning.
        buffer.insert(packet(n, n % 7_000), now);
    }
    assert_eq!(buffer.queue.len(), MAX_PACKETS);
    assert!(buffer.stats().overflowed > 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_packets_at_any_time_neither_panic_nor_play_backwards(
        events in proptest::collection::vec((any::<u32>(), 0_u32..50, 0_u64..60, any::<bool>()), 1..400),
        near in any::<bool>(),
    ) {
        let mut now = crate::any_instant();
        let mut buffer = JitterBuffer::new(JitterConfig::default(), CLOCK_HZ);
        for (n, (random, step, wait_ms, pull)) in (0_u32..).zip(events) {
            now += Duration::from_millis(wait_ms);
            if pull {
                buffer.pull(now, 0.0);
            } else {
                let timestamp = if near { n * TICKS + step * TICKS } else { random };
                buffer.insert(AudioPacket { duration_ticks: random % 960 + 1, ..packet(n, timestamp) }, now);
            }
            prop_assert!(buffer.queue.len() <= MAX_PACKETS);
            if let (Some(cursor), Some(first)) = (buffer.cursor, buffer.queue.first()) {
                prop_assert!(first.0 >= cursor - i64::from(buffer.frame_ticks));
            }
        }
    }
}
