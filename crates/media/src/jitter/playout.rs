//! Adaptive play-out without time stretching.
//!
//! Every packet has a moment at which it should play: its own time, plus the fastest recent
//! transit, plus the target delay. `pull` compares the stream's position with that moment:
//!
//! ```text
//!   more than a frame too early  ─► Hold: conceal, and everything plays a frame later
//!   more than 1.5 frames too late ─► Merge two packets into one, once it has been calm for 10 s
//!   packet missing, later ones here ─► Missing, or Silence if its sender only paused
//!   nothing here ─► Hold for 100 ms, then Idle until the stream starts again
//! ```
//!
//! The same comparison follows network jitter and clocks that drift apart. Adjustments are rare
//! on purpose: each can be heard.

use std::collections::BTreeMap;
use std::time::Instant;

use super::transit::Transit;
use super::{AudioPacket, Inserted, JitterBuffer, JitterConfig, JitterStats, Playout};
use crate::frame::ticks_to_ms;

/// Packets that may wait: two seconds of 20 ms packets.
const MAX_PACKETS: usize = 100;
/// Timing further off than this is a new beginning, in milliseconds.
const RESYNC_MS: f64 = 1_000.0;
/// Empty pulls until the stream is taken for stopped.
const MAX_HOLDS: u32 = 5;
/// A gap of more frames than this is not concealed piece by piece but waited through.
const MAX_MISSING_FRAMES: i64 = 10;
/// Pulls between two adjustments of the delay, by direction.
const PULLS_BETWEEN_HOLDS: u32 = 3;
const PULLS_BETWEEN_MERGES: u32 = 25;
/// Pulls without running dry after which the delay may shrink: 10 s. A network or a sender that
/// stalled once stalls again, and each round of growing and shrinking is heard twice.
const CALM_PULLS: u32 = 500;
/// Room above the measured jitter, in milliseconds.
const MARGIN_MS: f64 = 5.0;

/// See the module header.
pub struct PlayoutBuffer {
    config: JitterConfig,
    clock_rate_hz: u32,
    /// By their time, counted in ticks on a line of our own.
    waiting: BTreeMap<i64, AudioPacket>,
    newest: Option<Newest>,
    /// Time of the next packet to play, while a stream plays.
    cursor: Option<i64>,
    last_played: Option<u64>,
    frame_ticks: u32,
    transit: Transit,
    epoch: Option<Instant>,
    holds: u32,
    pulls_since_adjustment: u32,
    pulls_since_dry: u32,
    stats: JitterStats,
}

/// Where the line of time stands.
#[derive(Clone, Copy)]
struct Newest {
    timestamp: u32,
    time: i64,
}

impl PlayoutBuffer {
    /// Empty, for a stream with this clock.
    #[must_use]
    pub fn new(config: JitterConfig, clock_rate_hz: u32) -> Self {
        Self {
            config,
            clock_rate_hz,
            waiting: BTreeMap::new(),
            newest: None,
            cursor: None,
            last_played: None,
            frame_ticks: clock_rate_hz / 50,
            transit: Transit::default(),
            epoch: None,
            holds: 0,
            pulls_since_adjustment: 0,
            pulls_since_dry: CALM_PULLS,
            stats: JitterStats {
                target_delay_ms: f64::from(config.min_delay_ms),
                ..JitterStats::default()
            },
        }
    }

    /// The delay aimed at, in milliseconds.
    fn target_ms(&self) -> f64 {
        let (least, most) = (
            f64::from(self.config.min_delay_ms),
            f64::from(self.config.max_delay_ms),
        );
        (self.transit.quantile_ms() + MARGIN_MS).clamp(least, most.max(least))
    }

    /// Milliseconds of our own clock.
    fn clock_ms(&mut self, now: Instant) -> f64 {
        let epoch = *self.epoch.get_or_insert(now);
        now.saturating_duration_since(epoch).as_secs_f64() * 1_000.0
    }

    /// Places a timestamp on the line of time.
    fn place(&mut self, timestamp: u32) -> i64 {
        let Some(newest) = &mut self.newest else {
            self.newest = Some(Newest { timestamp, time: 0 });
            return 0;
        };
        let ahead = timestamp.wrapping_sub(newest.timestamp).cast_signed();
        let time = newest.time + i64::from(ahead);
        if ahead > 0 {
            *newest = Newest { timestamp, time };
        }
        time
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a call does not last 2^53 ticks"
    )]
    fn time_ms(&self, time: i64) -> f64 {
        time as f64 * 1_000.0 / f64::from(self.clock_rate_hz.max(1))
    }

    /// How far the clock is past the moment at which `time` should play, in milliseconds.
    fn overdue_ms(&mut self, time: i64, now: Instant) -> f64 {
        let fastest = self.transit.fastest_ms().unwrap_or(0.0);
        self.clock_ms(now) - (self.time_ms(time) + fastest + self.target_ms())
    }

    fn start_anew(&mut self) {
        self.waiting.clear();
        self.newest = None;
        self.stop();
    }

    fn stop(&mut self) {
        if self.cursor.take().is_some() {
            self.pulls_since_dry = 0;
        }
        self.last_played = None;
        self.holds = 0;
        self.transit.rebase();
    }

    fn is_far_off(&self, transit_ms: f64) -> bool {
        self.transit
            .fastest_ms()
            .is_some_and(|fastest| (transit_ms - fastest).abs() > RESYNC_MS)
    }

    fn take_first(&mut self) -> Option<AudioPacket> {
        let (time, packet) = self.waiting.pop_first()?;
        self.frame_ticks = packet.duration_ticks;
        self.cursor = Some(time + i64::from(packet.duration_ticks));
        self.last_played = Some(packet.sequence);
        Some(packet)
    }

    /// The first packet is the one to play, unless the delay should change.
    fn play_first(&mut self, overdue_ms: f64) -> Playout<'_> {
        let frame_ms = ticks_to_ms(self.frame_ticks, self.clock_rate_hz);
        let ran_dry = std::mem::take(&mut self.holds) > 0;
        self.pulls_since_dry = if ran_dry {
            0
        } else {
            self.pulls_since_dry.saturating_add(1)
        };
        self.pulls_since_adjustment = self.pulls_since_adjustment.saturating_add(1);
        if overdue_ms < -frame_ms && self.pulls_since_adjustment >= PULLS_BETWEEN_HOLDS {
            self.pulls_since_adjustment = 0;
            self.stats.held += 1;
            return Playout::Hold {
                ticks: self.frame_ticks,
            };
        }
        let Some(first) = self.take_first() else {
            return Playout::Idle;
        };
        let is_next_here = self
            .waiting
            .first_key_value()
            .is_some_and(|(_, next)| next.sequence == first.sequence + 1);
        let is_calm = self.pulls_since_dry >= CALM_PULLS
            || overdue_ms + self.target_ms() > f64::from(self.config.max_delay_ms);
        if overdue_ms > 1.5 * frame_ms
            && is_next_here
            && is_calm
            && self.pulls_since_adjustment >= PULLS_BETWEEN_MERGES
        {
            self.pulls_since_adjustment = 0;
            if let Some(second) = self.take_first() {
                self.stats.merged += 1;
                return Playout::Merge(first, second);
            }
        }
        Playout::Packet(first)
    }

    /// Nothing is here.
    fn run_dry(&mut self) -> Playout<'_> {
        if self.cursor.is_some() && self.holds < MAX_HOLDS {
            self.holds += 1;
            return Playout::Hold {
                ticks: self.frame_ticks,
            };
        }
        self.stop();
        Playout::Idle
    }

    /// The packet at the cursor is not here, a later one is.
    fn bridge_gap(&mut self, cursor: i64, first: i64, overdue_ms: f64) -> Playout<'_> {
        let frame = i64::from(self.frame_ticks);
        // What was held while nothing was here stands for the first of what turns out to be lost.
        let held = (frame * i64::from(self.holds)).min(first - cursor);
        self.holds = 0;
        let cursor = cursor + held;
        let gap = first - cursor;
        let follows = self.waiting.first_key_value().is_some_and(|(_, packet)| {
            packet.marker
                || self
                    .last_played
                    .is_some_and(|last| packet.sequence == last + 1)
        });
        if gap == 0 || follows || gap > frame * MAX_MISSING_FRAMES {
            if gap == 0 || overdue_ms >= 0.0 {
                self.cursor = Some(first);
                return self.play_first(overdue_ms);
            }
            self.cursor = Some(first.min(cursor + frame));
            return Playout::Silence {
                ticks: self.frame_ticks,
            };
        }
        self.cursor = Some(cursor + frame);
        let next = self
            .waiting
            .first_key_value()
            .filter(|_| gap <= frame * 3 / 2);
        Playout::Missing {
            ticks: self.frame_ticks,
            next: next.map(|(_, packet)| packet.payload.as_slice()),
        }
    }
}

impl JitterBuffer for PlayoutBuffer {
    fn insert(&mut self, packet: AudioPacket, now: Instant) -> Inserted {
        let arrival_ms = self.clock_ms(now);
        let mut time = self.place(packet.timestamp);
        let mut verdict = Inserted::Queued;
        if self.is_far_off(arrival_ms - self.time_ms(time)) {
            self.start_anew();
            self.stats.resynchronised += 1;
            time = self.place(packet.timestamp);
            verdict = Inserted::Resynchronised;
        }
        self.transit
            .note(arrival_ms - self.time_ms(time), arrival_ms);
        if self.cursor.is_some_and(|cursor| time < cursor) {
            self.stats.late += 1;
            return Inserted::Late;
        }
        if self.waiting.contains_key(&time) {
            self.stats.duplicates += 1;
            return Inserted::Duplicate;
        }
        if self.waiting.len() >= MAX_PACKETS {
            self.waiting.pop_first();
            self.stats.overflowed += 1;
        }
        self.waiting.insert(time, packet);
        verdict
    }

    fn pull(&mut self, now: Instant) -> Playout<'_> {
        let Some(&first) = self.waiting.keys().next() else {
            return self.run_dry();
        };
        let overdue_ms =
            self.overdue_ms(self.cursor.map_or(first, |cursor| cursor.min(first)), now);
        match self.cursor {
            None if overdue_ms < 0.0 => Playout::Idle,
            None => self.play_first(0.0),
            // Half a frame of tolerance: a sender's timestamps may be off by rounding.
            Some(cursor) if first - cursor < i64::from(self.frame_ticks) / 2 => {
                self.play_first(overdue_ms)
            }
            Some(cursor) => {
                let overdue_ms = self.overdue_ms(first, now);
                self.bridge_gap(cursor, first, overdue_ms)
            }
        }
    }

    fn restart(&mut self, clock_rate_hz: u32) {
        self.start_anew();
        self.clock_rate_hz = clock_rate_hz;
        self.frame_ticks = clock_rate_hz / 50;
    }

    fn stats(&self) -> JitterStats {
        JitterStats {
            target_delay_ms: self.target_ms(),
            ..self.stats
        }
    }
}

#[cfg(test)]
mod tests;
