//! Processing of captured sound between a pair of cards and whoever uses them: one call, or a mixer of several.
//!
//! ```text
//!   microphone ─► ProcessedSource ─► call or mixer
//!                       ▲ what was played, frame by frame, without a lock
//!   loudspeaker ◄─ ProcessedSink ◄─ call or mixer
//! ```
//!
//! Both ends are asked in the task of the call or the mixer, never in a card's callback. When a card is replaced, what was
//! learned of the room is forgotten; time in which nobody listens is left out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use media::Frame;
use media::process::{ProcessOptions, Processor};
use rtrb::{Consumer, Producer, RingBuffer};
use tracing::error;

use super::{AudioSink, AudioSource};

/// Frames that may be played before the next one is captured: more than all the rings of both cards hold.
const MAX_PLAYED: usize = 64;

/// Switches of the processing, for as many pairs of cards as share them; they may be moved at any time.
#[derive(Clone, Debug)]
pub struct ProcessingSwitches(Arc<AtomicU8>);

impl ProcessingSwitches {
    /// In this position.
    #[must_use]
    pub fn new(options: ProcessOptions) -> Self {
        Self(Arc::new(AtomicU8::new(to_bits(options))))
    }

    /// Counts from the next frame on.
    pub fn set(&self, options: ProcessOptions) {
        self.0.store(to_bits(options), Ordering::Relaxed);
    }

    /// As they stand.
    #[must_use]
    pub fn get(&self) -> ProcessOptions {
        let bits = self.0.load(Ordering::Relaxed);
        ProcessOptions {
            high_pass: bits & 1 != 0,
            echo_cancellation: bits & 2 != 0,
            noise_suppression: bits & 4 != 0,
            gain_control: bits & 8 != 0,
        }
    }
}

impl Default for ProcessingSwitches {
    /// As usual.
    fn default() -> Self {
        Self::new(ProcessOptions::default())
    }
}

fn to_bits(options: ProcessOptions) -> u8 {
    u8::from(options.high_pass)
        | u8::from(options.echo_cancellation) << 1
        | u8::from(options.noise_suppression) << 2
        | u8::from(options.gain_control) << 3
}

/// Puts the processing around a microphone and the loudspeaker that is heard by it.
#[must_use]
pub fn processed<S: AudioSource, K: AudioSink>(
    source: S,
    sink: K,
    switches: ProcessingSwitches,
) -> (ProcessedSource<S>, ProcessedSink<K>) {
    let (played, heard) = RingBuffer::new(MAX_PLAYED);
    let is_disturbed = Arc::new(AtomicBool::new(false));
    let source = ProcessedSource {
        source,
        played: heard,
        is_disturbed: is_disturbed.clone(),
        processor: Processor::new(switches.get()),
        switches,
        has_paused: false,
    };
    let sink = ProcessedSink {
        sink,
        played,
        is_disturbed,
    };
    (source, sink)
}

/// A microphone whose sound is processed.
pub struct ProcessedSource<S> {
    source: S,
    played: Consumer<Frame>,
    /// The loudspeaker is another one.
    is_disturbed: Arc<AtomicBool>,
    switches: ProcessingSwitches,
    processor: Processor,
    has_paused: bool,
}

/// A loudspeaker whose echo leaves the microphone's sound.
pub struct ProcessedSink<K> {
    sink: K,
    played: Producer<Frame>,
    is_disturbed: Arc<AtomicBool>,
}

impl<S: AudioSource> AudioSource for ProcessedSource<S> {
    fn frames_due(&mut self, passed: usize) -> usize {
        self.source.frames_due(passed)
    }

    fn read(&mut self, frame: &mut Frame) {
        self.source.read(frame);
        let options = self.switches.get();
        if options != self.processor.options() {
            self.processor.set_options(options);
        }
        let is_replaced = self.source.was_replaced();
        if self.is_disturbed.swap(false, Ordering::Relaxed) || is_replaced {
            self.processor.reset();
        }
        if std::mem::take(&mut self.has_paused) {
            self.processor.restart();
        }
        while let Ok(played) = self.played.pop() {
            self.processor.far_end(&played);
        }
        if let Err(failure) = self.processor.near_end(frame) {
            error!(%failure, "captured sound is sent as it is");
        }
    }

    fn discard(&mut self) {
        self.source.discard();
        while self.played.pop().is_ok() {}
        self.has_paused = true;
    }

    fn was_replaced(&mut self) -> bool {
        // The processing has taken note of it; nobody behind it needs to.
        false
    }
}

impl<K: AudioSink> AudioSink for ProcessedSink<K> {
    fn frames_due(&mut self, passed: usize) -> usize {
        self.sink.frames_due(passed)
    }

    fn write(&mut self, frame: &Frame) {
        self.sink.write(frame);
        // Without room nothing is captured: who captures again begins anew.
        let is_lost = self.played.push(*frame).is_err();
        if self.sink.was_replaced() || is_lost {
            self.is_disturbed.store(true, Ordering::Relaxed);
        }
    }

    fn finish(&mut self) {
        self.sink.finish();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use media::SILENCE;
    use media::level::level_dbfs;

    use super::*;

    const ONLY_ECHO: ProcessOptions = ProcessOptions {
        echo_cancellation: true,
        ..ProcessOptions::NONE
    };

    /// A room in which the microphone hears what was played `delay` frames ago, at half of its level.
    #[derive(Default)]
    struct Room {
        on_the_way: VecDeque<Frame>,
        is_replaced: bool,
    }

    #[derive(Clone, Default)]
    struct Ends(Arc<std::sync::Mutex<Room>>);

    impl Ends {
        fn with_delay(delay: usize) -> Self {
            let ends = Self::default();
            ends.0.lock().unwrap().on_the_way = VecDeque::from(vec![SILENCE; delay]);
            ends
        }
    }

    impl AudioSink for Ends {
        fn write(&mut self, frame: &Frame) {
            self.0.lock().unwrap().on_the_way.push_back(*frame);
        }

        fn was_replaced(&mut self) -> bool {
            std::mem::take(&mut self.0.lock().unwrap().is_replaced)
        }
    }

    impl AudioSource for Ends {
        fn read(&mut self, frame: &mut Frame) {
            *frame = self.0.lock().unwrap().on_the_way.pop_front().unwrap();
            for sample in frame {
                *sample /= 2;
            }
        }

        fn discard(&mut self) {
            self.0.lock().unwrap().on_the_way.pop_front();
        }
    }

    /// Something like a voice: noise that comes and goes.
    fn voice(n: u32) -> Frame {
        let is_pause = n % 40 > 30;
        let mut state = n.wrapping_mul(2_654_435_761) | 1;
        std::array::from_fn(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let loud = i16::try_from(state >> 19).unwrap() - 4_096;
            if is_pause { 0 } else { loud }
        })
    }

    fn run(
        pair: &mut (ProcessedSource<Ends>, ProcessedSink<Ends>),
        frames: std::ops::Range<u32>,
        bursts: u32,
    ) -> f32 {
        let mut loudest = -127.0_f32;
        let mut at_once = 0;
        let last = frames.end - 100;
        for n in frames {
            pair.1.write(&voice(n));
            at_once += 1;
            if at_once < bursts {
                continue;
            }
            for _ in 0..std::mem::take(&mut at_once) {
                let mut frame = SILENCE;
                pair.0.read(&mut frame);
                if n >= last {
                    loudest = loudest.max(level_dbfs(&frame));
                }
            }
        }
        loudest
    }

    fn pair(ends: &Ends, options: ProcessOptions) -> (ProcessedSource<Ends>, ProcessedSink<Ends>) {
        processed(ends.clone(), ends.clone(), ProcessingSwitches::new(options))
    }

    #[test]
    fn what_the_loudspeaker_plays_leaves_the_microphone_also_when_cards_work_in_bursts() {
        for bursts in [1, 2, 4] {
            let level = run(&mut pair(&Ends::with_delay(6), ONLY_ECHO), 0..600, bursts);
            assert!(level < -55.0, "{level} with bursts of {bursts}");
        }
        let level = run(
            &mut pair(&Ends::with_delay(6), ProcessOptions::NONE),
            0..600,
            1,
        );
        assert!(level > -30.0, "{level}");
    }

    #[test]
    fn switches_count_from_the_next_frame_on() {
        let switches = ProcessingSwitches::new(ProcessOptions::NONE);
        let ends = Ends::with_delay(3);
        let mut pair = processed(ends.clone(), ends, switches.clone());
        assert!(run(&mut pair, 0..200, 1) > -30.0);
        switches.set(ONLY_ECHO);
        assert_eq!(switches.get(), ONLY_ECHO);
        let level = run(&mut pair, 200..800, 1);
        assert!(level < -55.0, "{level}");
    }

    #[test]
    fn a_card_that_is_replaced_is_another_room() {
        let ends = Ends::with_delay(3);
        let mut pair = pair(&ends, ONLY_ECHO);
        assert!(run(&mut pair, 0..600, 1) < -55.0);
        {
            let mut room = ends.0.lock().unwrap();
            room.is_replaced = true;
            room.on_the_way.extend([SILENCE; 5]);
        }
        let level = run(&mut pair, 600..1_200, 1);
        assert!(level < -55.0, "{level}");
    }

    #[test]
    fn time_in_which_nobody_listens_leaves_nothing_behind() {
        let ends = Ends::with_delay(3);
        let mut pair = pair(&ends, ONLY_ECHO);
        run(&mut pair, 0..600, 1);
        for n in 600..900 {
            pair.1.write(&voice(n));
            pair.0.discard();
        }
        let level = run(&mut pair, 900..1_100, 1);
        assert!(level < -55.0, "{level}");
        assert!(!pair.0.was_replaced());
    }
}
