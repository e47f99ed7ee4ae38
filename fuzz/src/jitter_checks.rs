//! The jitter buffer under any sequence of operations.

use std::time::{Duration, Instant};

use media::JitterConfig;
use media::jitter::{AudioPacket, JitterBuffer, Step};

use crate::input::{Input, any_instant};

const CLOCKS_HZ: [u32; 2] = [8_000, 48_000];
/// Of 2.5 to 120 ms, in tenths of a millisecond.
const DURATIONS: [u32; 6] = [200, 25, 100, 400, 600, 1_200];
/// After so long without packets everything has been played.
const EMPTY_AFTER: Duration = Duration::from_secs(10);
const FRAME: Duration = Duration::from_millis(10);

/// Packets that come, copies, frames that are played, and time that passes and jumps, also back a little: every step has a length
/// in bounds, the delay stays within its own, and a stream that ends is played to its end.
pub fn operations(data: &[u8]) {
    let mut input = Input::new(data);
    let mut world = World::new(&mut input);
    while !input.is_empty() {
        world.operate(&mut input);
    }
    world.end();
}

struct World {
    buffer: JitterBuffer,
    config: JitterConfig,
    clock_rate_hz: u32,
    now: Instant,
    sequence: u64,
    timestamp: u32,
}

impl World {
    fn new(input: &mut Input<'_>) -> Self {
        let config = JitterConfig {
            min_delay_ms: input.byte().into(),
            max_delay_ms: u32::from(input.byte()) * 4,
        };
        let clock_rate_hz = input.one_of(&CLOCKS_HZ);
        Self {
            buffer: JitterBuffer::new(config, clock_rate_hz),
            config,
            clock_rate_hz,
            // Some time has passed before, so that it can also go back.
            now: any_instant() + Duration::from_secs(3_600),
            sequence: 1 << 32,
            timestamp: input.word(),
        }
    }

    fn operate(&mut self, input: &mut Input<'_>) {
        match input.byte() % 8 {
            0 => self.insert(input),
            1 => {
                self.insert(input);
                for _ in 0..=input.byte() % 4 {
                    self.copy(input);
                }
            }
            2 => self.pass(FRAME),
            3 => self.pull(f64::from(input.byte()) / 4.0),
            4 => self.pass(Duration::from_millis(input.byte().into())),
            5 => self.now += Duration::from_millis(u64::from(input.short()) * 100),
            // The playing clock counts nominal moments, which are a little behind.
            6 => self.now -= Duration::from_millis(u64::from(input.byte() % 20)),
            _ => {
                self.clock_rate_hz = input.one_of(&CLOCKS_HZ);
                self.buffer.restart(self.clock_rate_hz);
            }
        }
    }

    fn packet(&self, input: &mut Input<'_>, sequence: u64, timestamp: u32) -> AudioPacket {
        let tenths = input.one_of(&DURATIONS);
        let flags = input.byte();
        AudioPacket {
            sequence,
            timestamp,
            duration_ticks: self.clock_rate_hz * tenths / 10_000,
            marker: flags & 1 != 0,
            is_copy: false,
            mends: flags >> 1 & 3,
            payload_type: 96,
            payload: vec![flags],
        }
    }

    /// Mostly the next, sometimes one further on or back, or of quite another time.
    fn insert(&mut self, input: &mut Input<'_>) {
        let step = input.byte();
        self.sequence = self
            .sequence
            .saturating_add_signed(i64::from(step.cast_signed()));
        let frames = i64::from(step.cast_signed()) * i64::from(self.clock_rate_hz / 50);
        self.timestamp = match input.byte() % 16 {
            0 => input.word(),
            1 => self.timestamp.wrapping_add(input.short().into()),
            2 => self.timestamp.wrapping_sub(input.short().into()),
            _ => self
                .timestamp
                .wrapping_add_signed(i32::try_from(frames).expect("less than a minute")),
        };
        let packet = self.packet(input, self.sequence, self.timestamp);
        let _ = self.buffer.insert(packet, self.now);
    }

    /// Of one of the four packets before the last, which carries it, at any time that RFC 2198 can say.
    fn copy(&mut self, input: &mut Input<'_>) {
        let back = u64::from(input.byte() % 4) + 1;
        let offset = u32::from(input.short()) % (1 << 14);
        let timestamp = self.timestamp.wrapping_sub(offset);
        let packet = AudioPacket {
            is_copy: true,
            ..self.packet(input, self.sequence - back, timestamp)
        };
        let _ = self.buffer.insert_copy(packet);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.pull(0.0);
    }

    fn pull(&mut self, ready_ms: f64) {
        let longest = self.clock_rate_hz * 120 / 1_000;
        let largest = self.config.max_delay_ms.max(self.config.min_delay_ms);
        let ticks = match self.buffer.pull(self.now, ready_ms) {
            Step::Play { packet, .. } => packet.duration_ticks,
            Step::Missing { ticks, .. } | Step::Wait { ticks } | Step::Silence { ticks } => ticks,
            Step::Idle => 1,
        };
        assert!((1..=2 * longest).contains(&ticks), "{ticks} ticks");
        let target = self.buffer.stats().target_delay_ms;
        let least = f64::from(self.config.min_delay_ms);
        assert!((least..=f64::from(largest)).contains(&target), "{target}");
    }

    fn end(&mut self) {
        let end = self.now + EMPTY_AFTER;
        while self.now < end {
            self.now += FRAME;
            // As often as a frame may ask.
            for _ in 0..8 {
                self.pull(0.0);
            }
        }
        assert_eq!(self.buffer.pull(self.now, 0.0), Step::Idle);
    }
}
