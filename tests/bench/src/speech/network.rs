//! A network that loses, delays and reorders, the same way each time for the same seed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

/// How much later a packet comes that is overtaken, in milliseconds.
const OVERTAKEN_MS: f64 = 30.0;

/// What the network does, in both directions.
#[derive(Args, Debug)]
pub(super) struct Impairments {
    /// Percent of the packets that are lost, each for itself.
    #[arg(long, default_value_t = 0.0)]
    loss: f64,
    /// Packets in a row that are lost at a time; the share of lost packets stays the same.
    #[arg(long, default_value_t = 1)]
    burst: u32,
    /// Milliseconds that a packet travels.
    #[arg(long, default_value_t = 0.0)]
    delay: f64,
    /// Milliseconds by which this varies up and down, evenly; the order is kept.
    #[arg(long, default_value_t = 0.0)]
    jitter: f64,
    /// Percent of the packets that are overtaken by those of the next 30 ms.
    #[arg(long, default_value_t = 0.0)]
    reorder: f64,
    /// Another seed, another loss.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// See the module header.
pub(super) struct Network {
    arguments: Impairments,
    random: ChaCha8Rng,
    /// By arrival and order of sending.
    on_the_way: BTreeMap<(Instant, u64), Delivery>,
    /// Arrival of the last packet, and how many of a burst are still to be lost, by sender.
    last: [Option<Instant>; 2],
    burst_left: [u32; 2],
    sent: u64,
    lost: u64,
}

/// A packet arrives.
pub(super) struct Delivery {
    pub(super) at: Instant,
    pub(super) sender: usize,
    pub(super) is_rtcp: bool,
    pub(super) bytes: Vec<u8>,
}

impl Network {
    pub(super) fn new(arguments: &Impairments) -> Self {
        Self {
            arguments: Impairments { ..*arguments },
            random: ChaCha8Rng::seed_from_u64(arguments.seed),
            on_the_way: BTreeMap::new(),
            last: [None; 2],
            burst_left: [0; 2],
            sent: 0,
            lost: 0,
        }
    }

    pub(super) fn send(&mut self, sender: usize, is_rtcp: bool, bytes: &[u8], now: Instant) {
        self.sent += 1;
        if !is_rtcp && self.loses(sender) {
            self.lost += 1;
            return;
        }
        let Impairments { delay, jitter, .. } = self.arguments;
        let travels_ms = (delay + jitter * (2.0 * self.chance() - 1.0)).max(0.0);
        let mut at = now + Duration::from_secs_f64(travels_ms / 1_000.0);
        if self.chance() * 100.0 < self.arguments.reorder {
            at += Duration::from_secs_f64(OVERTAKEN_MS / 1_000.0);
        } else {
            at = self.last[sender].map_or(at, |last| last.max(at));
            self.last[sender] = Some(at);
        }
        let delivery = Delivery {
            at,
            sender,
            is_rtcp,
            bytes: bytes.to_vec(),
        };
        self.on_the_way.insert((at, self.sent), delivery);
    }

    /// The next packet that has arrived by `now`.
    pub(super) fn next_before(&mut self, now: Instant) -> Option<Delivery> {
        let first = self.on_the_way.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub(super) fn counted(&self) -> Value {
        json!({ "sent": self.sent, "lost": self.lost })
    }

    fn loses(&mut self, sender: usize) -> bool {
        if self.burst_left[sender] > 0 {
            self.burst_left[sender] -= 1;
            return true;
        }
        let burst = self.arguments.burst.max(1);
        let share = self.arguments.loss / 100.0;
        // So that bursts and what is between them give the share that was asked for.
        let begins = share / (f64::from(burst) - share * f64::from(burst - 1));
        let is_lost = self.chance() < begins;
        if is_lost {
            self.burst_left[sender] = burst - 1;
        }
        is_lost
    }

    /// 0 to 1.
    fn chance(&mut self) -> f64 {
        f64::from(self.random.next_u32()) / 4_294_967_296.0
    }
}
