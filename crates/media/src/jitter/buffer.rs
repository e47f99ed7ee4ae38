//! When each packet plays.
//!
//! Every packet has a moment at which it should be taken: its own time, plus the fastest recent
//! transit, plus the target delay. `pull` compares the playing clock with that moment:
//!
//! ```text
//!   packet here                             ─► Play, shorter or longer if its moment is far off
//!   packet missing, later ones here         ─► Missing, or Silence if its sender only paused
//!   nothing here                            ─► Wait for 100 ms, then Idle until the stream starts again
//! ```
//!
//! The same comparison follows network jitter and clocks that drift apart. The target covers what
//! nearly all recent packets needed; while packets are lost and the packet after a gap helps to fill
//! it, also the time until that one.
//!
//! The playing clock takes a frame at a time, so packets are taken at whole frames. What is ready
//! to be played beyond a frame's border is delay that helps nobody, and is left out first.

use std::time::Instant;

use super::queue::{PacketQueue, Pushed};
use super::transit::Transit;
use super::{AudioPacket, Inserted, JitterConfig, JitterStats, Step, Stretch};
use crate::frame::ticks_to_ms;

/// Timing further off than this is a new beginning, in milliseconds.
const RESYNC_MS: f64 = 1_000.0;
/// What is waited for at a time, in milliseconds, and how often in a row until the stream is taken
/// for stopped.
const WAIT_MS: u32 = 10;
const MAX_WAITS: u32 = 10;
/// A gap of more frames than this is not concealed piece by piece but waited through.
const MAX_MISSING_FRAMES: i64 = 10;
/// Room above the measured jitter, in milliseconds.
const MARGIN_MS: f64 = 3.0;
/// The delay is left alone while it is off by less, in milliseconds: too short, too long.
const TOO_SHORT_MS: f64 = 2.0;
const TOO_LONG_MS: f64 = 5.0;
/// What the playing clock takes at a time, in milliseconds.
const TAKEN_MS: f64 = 10.0;
/// Share of packets lost from which the delay makes room for the packet after a gap, and share of packets lost as
/// the second in a row or the third, from which it makes room for one more. The second are as many where 8 %
/// are lost without pattern, the third where 25 % are.
const LOSS_WORTH_WAITING: [f64; MAX_IN_A_ROW] = [0.01, 0.0064, 0.015];
const MAX_IN_A_ROW: usize = 3;
/// A longer gap counts as one of this many packets.
const MAX_LOST_AT_ONCE: u64 = 10;
/// Weight of one packet in that share: half is forgotten after 350 packets, 7 s.
const LOSS_WEIGHT: f64 = 0.002;
/// Weight at the beginning of a call, when each packet tells much.
const FIRST_LOSS_WEIGHT: f64 = 0.02;
/// One packet in so many, 5 s, that mends gaps says that others will.
const MENDING_EXPECTED_FOR: u32 = 250;

/// See the module header.
pub struct JitterBuffer {
    config: JitterConfig,
    clock_rate_hz: u32,
    pub(super) queue: PacketQueue,
    /// Time of the next packet to play, while a stream plays.
    pub(super) cursor: Option<i64>,
    last_played: Option<u64>,
    pub(super) frame_ticks: u32,
    transit: Transit,
    epoch: Option<Instant>,
    /// Waits in a row.
    waits: u32,
    loss: Loss,
    stats: JitterStats,
}

/// How many packets are lost, and whether those after them would help.
#[derive(Clone, Copy, Debug, Default)]
struct Loss {
    /// Of packets lost as at least the first, second, … in a row.
    shares: [f64; MAX_IN_A_ROW],
    in_a_row: usize,
    packets: u32,
    /// Lost in a row often enough to be worth waiting for.
    frames: u8,
    /// Packets that the one after a gap replaces, at most, and for how long that may be expected.
    mended: u8,
    since_mending: u32,
}

impl Loss {
    /// A packet plays after `last`; what is between them was not there.
    fn note_played(&mut self, packet: &AudioPacket, last: Option<u64>) {
        let lost = last.map_or(0, |last| packet.sequence.saturating_sub(last + 1));
        for _ in 0..lost.min(MAX_LOST_AT_ONCE) {
            self.note(true);
        }
        self.note(packet.is_copy);
    }

    fn note(&mut self, is_lost: bool) {
        self.packets = self.packets.saturating_add(1);
        let weight = (1.0 / f64::from(self.packets)).clamp(LOSS_WEIGHT, FIRST_LOSS_WEIGHT);
        self.in_a_row = if is_lost { self.in_a_row + 1 } else { 0 };
        for (before, share) in self.shares.iter_mut().enumerate() {
            let lost = if self.in_a_row > before { 1.0 } else { 0.0 };
            *share += (lost - *share) * weight;
        }
        let reached = |scale: f64| {
            let worth = self.shares.iter().zip(LOSS_WORTH_WAITING);
            let frames = worth.filter(|&(&share, least)| share >= least * scale);
            u8::try_from(frames.count()).unwrap_or(u8::MAX)
        };
        // Given up at half of what it took, so that the delay does not go to and fro.
        self.frames = self.frames.clamp(reached(1.0), reached(0.5));
    }

    fn note_mending(&mut self, mends: u8) {
        self.since_mending = self.since_mending.saturating_add(1);
        if mends >= self.mended || self.since_mending > MENDING_EXPECTED_FOR {
            self.mended = mends;
            self.since_mending = 0;
        }
    }

    /// Frames that are worth waiting for what follows a gap: one for each packet that it replaces,
    /// while that many are lost in a row often enough.
    fn worth_waiting_frames(&self) -> u8 {
        self.frames.min(self.mended)
    }
}

impl JitterBuffer {
    /// Empty, for a stream with this clock.
    #[must_use]
    pub fn new(config: JitterConfig, clock_rate_hz: u32) -> Self {
        Self {
            config,
            clock_rate_hz,
            queue: PacketQueue::default(),
            cursor: None,
            last_played: None,
            frame_ticks: clock_rate_hz / 50,
            transit: Transit::default(),
            epoch: None,
            waits: 0,
            loss: Loss::default(),
            stats: JitterStats::default(),
        }
    }

    /// A packet came at `now`.
    pub fn insert(&mut self, packet: AudioPacket, now: Instant) -> Inserted {
        let arrival_ms = self.clock_ms(now);
        let mut time = self.queue.place(packet.timestamp);
        let mut verdict = Inserted::Queued;
        if self.is_far_off(arrival_ms - self.time_ms(time)) {
            self.start_anew();
            self.stats.resynchronised += 1;
            time = self.queue.place(packet.timestamp);
            verdict = Inserted::Resynchronised;
        }
        self.transit
            .note(arrival_ms - self.time_ms(time), arrival_ms);
        self.loss.note_mending(packet.mends);
        self.push(time, packet).unwrap_or(verdict)
    }

    /// A copy of an earlier packet came with another one, after which it is inserted: it fills a gap and says
    /// nothing about the network's delay.
    pub fn insert_copy(&mut self, packet: AudioPacket) -> Inserted {
        let time = self.queue.place(packet.timestamp);
        if self.cursor.is_some_and(|cursor| time < cursor) {
            return Inserted::Late;
        }
        match self.queue.push(time, packet) {
            Pushed::Duplicate => Inserted::Duplicate,
            Pushed::Queued | Pushed::Overflowed => Inserted::Queued,
        }
    }

    /// `None`: it waits.
    fn push(&mut self, time: i64, packet: AudioPacket) -> Option<Inserted> {
        if self.cursor.is_some_and(|cursor| time < cursor) {
            self.stats.late += 1;
            return Some(Inserted::Late);
        }
        match self.queue.push(time, packet) {
            Pushed::Duplicate => {
                self.stats.duplicates += 1;
                return Some(Inserted::Duplicate);
            }
            Pushed::Overflowed => self.stats.overflowed += 1,
            Pushed::Queued => {}
        }
        None
    }

    /// The playing clock has reached `now` and needs more than the `ready_ms` milliseconds of sound
    /// that are decoded and not played yet.
    pub fn pull(&mut self, now: Instant, ready_ms: f64) -> Step<'_> {
        let Some((first, _)) = self.queue.first() else {
            return self.run_dry();
        };
        let Some(cursor) = self.cursor else {
            let overdue_ms = self.overdue_ms(first, now);
            return if overdue_ms < 0.0 {
                Step::Idle
            } else {
                self.play_first(Stretch::Keep)
            };
        };
        // Half a frame of tolerance: a sender's timestamps may be off by rounding.
        if first - cursor < i64::from(self.frame_ticks) / 2 {
            let overdue_ms = self.overdue_ms(cursor.min(first), now);
            return self.play_first(stretch(overdue_ms, ready_ms));
        }
        let overdue_ms = self.overdue_ms(first, now);
        self.bridge_gap(cursor, first, overdue_ms)
    }

    /// Forgets the stream, not what was counted; the next has this clock.
    pub fn restart(&mut self, clock_rate_hz: u32) {
        self.start_anew();
        self.clock_rate_hz = clock_rate_hz;
        self.frame_ticks = clock_rate_hz / 50;
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> JitterStats {
        JitterStats {
            target_delay_ms: self.target_ms(),
            ..self.stats
        }
    }

    /// The delay aimed at, in milliseconds.
    fn target_ms(&self) -> f64 {
        let (least, most) = (
            f64::from(self.config.min_delay_ms),
            f64::from(self.config.max_delay_ms),
        );
        let until_next = self.frame_ms() * f64::from(self.loss.worth_waiting_frames());
        (self.transit.needed_ms() + MARGIN_MS + until_next).clamp(least, most.max(least))
    }

    fn frame_ms(&self) -> f64 {
        ticks_to_ms(self.frame_ticks, self.clock_rate_hz)
    }

    /// Milliseconds of our own clock.
    fn clock_ms(&mut self, now: Instant) -> f64 {
        let epoch = *self.epoch.get_or_insert(now);
        now.saturating_duration_since(epoch).as_secs_f64() * 1_000.0
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a call does not last 2^53 ticks"
    )]
    fn time_ms(&self, time: i64) -> f64 {
        time as f64 * 1_000.0 / f64::from(self.clock_rate_hz.max(1))
    }

    /// How far the clock is past the moment at which `time` should be taken, in milliseconds.
    fn overdue_ms(&mut self, time: i64, now: Instant) -> f64 {
        let fastest = self.transit.fastest_ms().unwrap_or(0.0);
        self.clock_ms(now) - (self.time_ms(time) + fastest + self.target_ms())
    }

    fn start_anew(&mut self) {
        self.queue.clear();
        self.stop();
    }

    fn stop(&mut self) {
        self.cursor = None;
        self.last_played = None;
        self.waits = 0;
        self.transit.rebase();
    }

    fn is_far_off(&self, transit_ms: f64) -> bool {
        self.transit
            .fastest_ms()
            .is_some_and(|fastest| (transit_ms - fastest).abs() > RESYNC_MS)
    }

    /// The first packet is the one to play.
    fn play_first(&mut self, stretch: Stretch) -> Step<'_> {
        self.waits = 0;
        let Some((time, packet)) = self.queue.pop() else {
            return Step::Idle;
        };
        self.frame_ticks = packet.duration_ticks;
        self.cursor = Some(time + i64::from(packet.duration_ticks));
        let last = self.last_played.replace(packet.sequence);
        self.loss.note_played(&packet, last);
        Step::Play { packet, stretch }
    }

    /// Nothing is here.
    fn run_dry(&mut self) -> Step<'_> {
        if self.cursor.is_some() && self.waits < MAX_WAITS {
            if self.waits == 0 {
                self.stats.waited += 1;
            }
            self.waits += 1;
            return Step::Wait {
                ticks: self.wait_ticks(),
            };
        }
        self.stop();
        Step::Idle
    }

    fn wait_ticks(&self) -> u32 {
        self.clock_rate_hz * WAIT_MS / 1_000
    }

    /// The packet at the cursor is not here, a later one is.
    fn bridge_gap(&mut self, cursor: i64, first: i64, overdue_ms: f64) -> Step<'_> {
        let frame = i64::from(self.frame_ticks);
        // What was filled while nothing was here stands for the first of what turns out to be lost.
        let filled = (i64::from(self.wait_ticks()) * i64::from(self.waits)).min(first - cursor);
        self.waits = 0;
        let cursor = cursor + filled;
        let gap = first - cursor;
        let follows = self.queue.first().is_some_and(|(_, packet)| {
            packet.marker
                || self
                    .last_played
                    .is_some_and(|last| packet.sequence == last + 1)
        });
        if gap == 0 || follows || gap > frame * MAX_MISSING_FRAMES {
            if gap == 0 || overdue_ms >= 0.0 {
                self.cursor = Some(first);
                return self.play_first(Stretch::Keep);
            }
            let step = frame.min(gap.max(1));
            self.cursor = Some(cursor + step);
            return Step::Silence {
                ticks: u32::try_from(step).unwrap_or(self.frame_ticks),
            };
        }
        let step = if gap < frame * 3 / 2 { gap } else { frame };
        self.cursor = Some(cursor + step);
        let next = self.queue.first();
        Step::Missing {
            ticks: u32::try_from(step).unwrap_or(self.frame_ticks),
            gap_ticks: u32::try_from(gap).unwrap_or(u32::MAX),
            next: next.map_or(&[], |(_, packet)| packet.payload.as_slice()),
        }
    }
}

/// What brings the delay nearer to its target, when a packet is taken `overdue_ms` after its moment while
/// `ready_ms` are ready: it can only be taken at another frame's border.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and bounded by the largest delay"
)]
fn stretch(overdue_ms: f64, ready_ms: f64) -> Stretch {
    let frames = (overdue_ms / TAKEN_MS).floor() * TAKEN_MS;
    let too_long_ms = frames + ready_ms;
    if overdue_ms < -TOO_SHORT_MS {
        Stretch::Lengthen {
            ms: (-too_long_ms) as u32,
        }
    } else if overdue_ms > 0.0 && too_long_ms > TOO_LONG_MS {
        Stretch::Shorten {
            ms: too_long_ms as u32,
        }
    } else {
        Stretch::Keep
    }
}
