use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::tone::{Country, Indication, SupervisoryTone, Tone, share_at};
use media::{FRAME_SAMPLES, Frame, SAMPLE_RATE_HZ, SILENCE};

use super::*;
use crate::{AudioSink, AudioSource, Recorder, RecordingFormat, ToneSource};

/// What a sink was given.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<i16>>>);

impl AudioSink for Heard {
    fn write(&mut self, frame: &Frame) {
        lock(&self.0).extend_from_slice(frame);
    }
}

impl Heard {
    fn share_at(&self, frequency_hz: f64) -> f64 {
        let heard = lock(&self.0);
        // The last second: everything has settled.
        share_at(
            &heard[heard.len().saturating_sub(48_000)..],
            frequency_hz,
            SAMPLE_RATE_HZ,
        )
    }

    fn clear(&self) {
        lock(&self.0).clear();
    }
}

/// A microphone whose frames are numbered, so that a lost or doubled one is seen.
#[derive(Default)]
struct Counting(i16);

impl AudioSource for Counting {
    fn read(&mut self, frame: &mut Frame) {
        self.0 += 1;
        frame.fill(self.0);
    }

    fn discard(&mut self) {
        self.0 += 100;
    }
}

/// A session without a network: its other side hums, and keeps what it hears.
struct Line {
    port: Port,
    source: PortSource,
    sink: PortSink,
    hum: Tone,
    hears: Heard,
}

impl Line {
    fn new(frequency_hz: f64) -> (Self, Heard) {
        let near = Heard::default();
        let source = ToneSource::new(300.0, 0.1);
        let line = Self::with_near(
            frequency_hz,
            Near::new(Box::new(source), Box::new(near.clone())),
        );
        (line, near)
    }

    fn with_near(frequency_hz: f64, near: Near) -> Self {
        let port = Port::new();
        port.set_near(near);
        let (source, sink) = port.ends();
        Self {
            port,
            source,
            sink,
            hum: Tone::new(frequency_hz, SAMPLE_RATE_HZ, 0.1),
            hears: Heard::default(),
        }
    }

    /// As a session does every 5 ms; gives the frames that it took and gave.
    fn look(&mut self, passed: usize) -> (usize, usize) {
        let mut frame = SILENCE;
        let given = self.sink.frames_due(passed);
        for _ in 0..given {
            self.hum.fill(&mut frame);
            self.sink.write(&frame);
        }
        let taken = self.source.frames_due(passed);
        for _ in 0..taken {
            self.source.read(&mut frame);
            self.hears.write(&frame);
        }
        (taken, given)
    }
}

fn run(lines: &mut [Line], seconds: usize) {
    for n in 0..200 * seconds {
        for line in &mut *lines {
            line.look(n % 2);
        }
    }
}

fn pitch(n: usize) -> f64 {
    500.0 + 170.0 * f64::from(u32::try_from(n).unwrap())
}

#[test]
fn a_single_call_is_passed_through_at_once_and_to_the_bit() {
    let near = Heard::default();
    let mut line = Line::with_near(
        1_000.0,
        Near::new(Box::new(Counting::default()), Box::new(near.clone())),
    );
    let mut expected = Tone::new(1_000.0, SAMPLE_RATE_HZ, 0.1);
    for n in 0..200 {
        let passed = n % 2;
        assert_eq!(line.look(passed), (passed, passed), "no queue between");
    }
    let mut hummed = vec![0; 100 * FRAME_SAMPLES];
    expected.fill(&mut hummed);
    assert_eq!(*lock(&near.0), hummed);
    let numbers: Vec<_> = lock(&line.hears.0)
        .chunks(FRAME_SAMPLES)
        .map(|f| f[0])
        .collect();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
}

#[test]
fn on_hold_the_other_side_hears_the_music_and_nobody_it_and_back_nothing_old_is_said() {
    let near = Heard::default();
    let line = Line::with_near(
        1_000.0,
        Near::new(Box::new(Counting::default()), Box::new(near.clone())),
    );
    line.port
        .set_place(Place::Alone(Box::new(ToneSource::new(800.0, 0.3))));
    let mut lines = [line];
    run(&mut lines, 1);
    assert!(lines[0].hears.share_at(800.0) > 0.99);
    assert!(lock(&near.0).is_empty());
    lines[0].port.set_place(Place::Person);
    lines[0].hears.clear();
    run(&mut lines, 1);
    assert_eq!(
        lock(&lines[0].hears.0)[0],
        101,
        "the microphone was emptied once"
    );
    assert!(near.share_at(1_000.0) > 0.99);
}

#[test]
fn in_a_conference_of_six_each_hears_the_five_others_and_not_itself() {
    let (mut lines, nears): (Vec<_>, Vec<_>) = (0..5).map(|n| Line::new(pitch(n))).unzip();
    let room = Room::new();
    for line in &lines {
        line.port.set_place(Place::Room(room.clone()));
    }
    run(&mut lines, 3);
    for (n, line) in lines.iter().enumerate() {
        assert!(line.hears.share_at(pitch(n)) < 0.001, "{n} hears itself");
        for other in (0..5).filter(|other| *other != n) {
            let share = line.hears.share_at(pitch(other));
            assert!((0.15..0.25).contains(&share), "{n} hears {other}: {share}");
        }
        assert!(line.hears.share_at(300.0) > 0.15, "{n} hears the person");
    }
    assert!(nears[0].share_at(300.0) < 0.001, "the person does not");
    for n in 0..5 {
        assert!(nears[0].share_at(pitch(n)) > 0.15, "the person hears {n}");
    }
    assert!(lock(&nears[1].0).is_empty(), "one loudspeaker is enough");
}

#[test]
fn a_conference_goes_on_when_the_call_that_runs_it_leaves() {
    let (mut lines, nears): (Vec<_>, Vec<_>) = (0..3).map(|n| Line::new(pitch(n))).unzip();
    let room = Room::new();
    for line in &lines {
        line.port.set_place(Place::Room(room.clone()));
    }
    run(&mut lines, 1);
    drop(lines.remove(0));
    assert_eq!(room.len(), 2);
    run(&mut lines, 2);
    assert!(lines[0].hears.share_at(pitch(2)) > 0.4);
    assert!(
        lines[0].hears.share_at(pitch(0)) < 0.001,
        "who left is not heard"
    );
    assert!(nears[1].share_at(pitch(1)) > 0.4);
}

#[test]
fn frames_are_neither_lost_nor_doubled_in_a_conference() {
    let near = Heard::default();
    let mut lines = [
        Line::with_near(
            0.0,
            Near::new(Box::new(Counting::default()), Box::new(near)),
        ),
        Line::with_near(0.0, Near::default()),
    ];
    let room = Room::new();
    for line in &lines {
        line.port.set_place(Place::Room(room.clone()));
    }
    run(&mut lines, 2);
    let heard = lock(&lines[1].hears.0);
    let numbers: Vec<_> = heard
        .chunks(FRAME_SAMPLES)
        .map(|frame| frame[240])
        .collect();
    let begin = numbers.iter().position(|&number| number > 0).unwrap();
    assert!(begin <= 3, "the reserve is 20 ms: {begin}");
    let rest = &numbers[begin + 1..];
    assert!(
        rest.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{rest:?}"
    );
}

#[test]
fn who_is_muted_is_not_heard_and_a_person_may_be_muted_for_one() {
    let (mut lines, nears): (Vec<_>, Vec<_>) = (0..3).map(|n| Line::new(pitch(n))).unzip();
    let room = Room::new();
    for line in &lines {
        line.port.set_place(Place::Room(room.clone()));
    }
    let seats: Vec<_> = lines.iter().map(|line| line.port.seat().unwrap()).collect();
    room.set_voice(seats[1], Voice::Muted);
    room.set_person_for(seats[2], Voice::Muted);
    run(&mut lines, 2);
    assert!(nears[0].share_at(pitch(1)) < 0.001);
    assert!(lines[0].hears.share_at(pitch(1)) < 0.001);
    assert!(lines[1].hears.share_at(300.0) > 0.3);
    assert!(lines[2].hears.share_at(300.0) < 0.001);
}

#[test]
fn a_recording_has_what_was_said_left_and_what_was_heard_right_and_in_a_conference_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lines, _nears): (Vec<_>, Vec<_>) = (0..3).map(|n| Line::new(pitch(n))).unzip();
    let file = |name: &str| {
        let path = folder.path().join(name);
        Recorder::create(&path, RecordingFormat::Wav).unwrap()
    };
    lines[0].port.record(file("alone"));
    run(&mut lines, 3);
    lines[0].port.stop_recording().unwrap().finish().unwrap();
    let [left, right] = sides(&folder.path().join("alone"));
    assert!(share(&left, 300.0) > 0.99 && share(&right, pitch(0)) > 0.99);

    let room = Room::new();
    for line in &lines {
        line.port.set_place(Place::Room(room.clone()));
    }
    lines[1].port.record(file("member"));
    room.record(file("room"));
    run(&mut lines, 3);
    lines[1].port.stop_recording().unwrap().finish().unwrap();
    room.stop_recording().unwrap().finish().unwrap();
    let [left, right] = sides(&folder.path().join("member"));
    assert!(share(&right, pitch(1)) > 0.99);
    for hz in [300.0, pitch(0), pitch(2)] {
        assert!(share(&left, hz) > 0.3, "{hz}");
    }
    let [left, right] = sides(&folder.path().join("room"));
    assert!(share(&left, 300.0) > 0.99);
    assert!((0..3).all(|n| share(&right, pitch(n)) > 0.3));
}

fn sides(path: &Path) -> [Vec<i16>; 2] {
    let samples: Vec<i16> = hound::WavReader::open(path)
        .unwrap()
        .into_samples()
        .map(Result::unwrap)
        .collect();
    [0, 1].map(|side| samples.iter().skip(side).step_by(2).copied().collect())
}

fn share(samples: &[i16], frequency_hz: f64) -> f64 {
    assert!(samples.len() > 2 * 48_000, "{}", samples.len());
    share_at(&samples[48_000..96_000], frequency_hz, SAMPLE_RATE_HZ)
}

#[test]
fn a_tone_is_heard_by_the_person_together_with_the_call_and_by_nobody_else() {
    let (line, near) = Line::new(1_000.0);
    let waiting = SupervisoryTone::new(Country::Fr, Indication::Dial, SAMPLE_RATE_HZ);
    line.port.set_tone(Some(waiting));
    let mut lines = [line];
    run(&mut lines, 2);
    assert!(near.share_at(440.0) > 0.3 && near.share_at(1_000.0) > 0.3);
    assert!(lines[0].hears.share_at(440.0) < 0.001);
    lines[0].port.set_tone(None);
    run(&mut lines, 2);
    assert!(near.share_at(1_000.0) > 0.99);
}

/// A card whose microphone has this much waiting and whose loudspeaker keeps what it plays.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<VecDeque<Frame>>>);

impl AudioSource for Fake {
    fn frames_due(&mut self, _passed: usize) -> usize {
        lock(&self.0).len()
    }

    fn read(&mut self, frame: &mut Frame) {
        *frame = lock(&self.0).pop_front().unwrap_or(SILENCE);
    }

    fn discard(&mut self) {
        lock(&self.0).clear();
    }
}

#[test]
fn of_a_shared_card_the_next_call_gets_nothing_old() {
    let microphone = Fake::default();
    let card = SharedCard::new(Box::new(microphone.clone()), Box::new(Heard::default()));
    let weak = card.downgrade();
    let near = || Near::new(Box::new(card.clone()), Box::new(card.clone()));
    let mut first = Line::with_near(0.0, near());
    let mut second = Line::with_near(0.0, near());
    first.port.set_place(Place::Person);
    lock(&microphone.0).push_back([1; FRAME_SAMPLES]);
    assert_eq!(first.look(1).0, 1);
    first.port.set_place(Place::Alone(Box::new(crate::Silence)));
    lock(&microphone.0).push_back([2; FRAME_SAMPLES]);
    second.port.set_place(Place::Person);
    assert_eq!(second.look(1).0, 0);
    lock(&microphone.0).push_back([3; FRAME_SAMPLES]);
    assert_eq!(second.look(0).0, 1);
    drop((first, second));
    assert!(weak.upgrade().is_some());
    drop(card);
    assert!(weak.upgrade().is_none(), "closed with its last user");
}

#[test]
fn a_call_that_is_over_does_not_come_back_into_a_conference() {
    let (line, _) = Line::new(0.0);
    let room = Room::new();
    let port = line.port.clone();
    port.set_place(Place::Room(room.clone()));
    drop(line);
    port.set_place(Place::Room(room.clone()));
    assert!(room.is_empty() && port.seat().is_none());
}

/// Says when it has been given so much.
struct Counter(usize, Option<tokio::sync::oneshot::Sender<()>>);

impl AudioSink for Counter {
    fn write(&mut self, _frame: &Frame) {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0
            && let Some(told) = self.1.take()
        {
            // The test may have failed already.
            let _ = told.send(());
        }
    }
}

#[tokio::test]
async fn a_pump_plays_in_real_time_until_it_is_dropped() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let begun = Instant::now();
    let source = Box::new(ToneSource::new(425.0, 0.2));
    let pump = Pump::start(source, Box::new(Counter(30, Some(tell))));
    told.await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(290));
    drop(pump);
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    drop(Pump::start(
        Box::new(crate::Silence),
        Box::new(Counter(30, Some(tell))),
    ));
    assert!(told.await.is_err(), "the sink is dropped with it");
}
