//! What a packet of secured sound costs: protecting it at one end, checking and opening it at the other.

use std::time::{Duration, Instant};

use clap::Args;
use media::srtp::{MasterKey, SrtpSession, SrtpSuite};
use serde_json::{Value, json};

use crate::allocated::Allocated;

/// Packets between two looks at the clock.
const BATCH: usize = 500;

/// How much to do.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Batches of 500 packets in each round.
    #[arg(long, default_value_t = 400)]
    batches: u32,
    /// Rounds, of which the fastest and the median are told.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Bytes of sound in a packet: 20 ms of G.711 are 160, of Opus at 32 kbit/s 80.
    #[arg(long, default_value_t = 160)]
    payload: usize,
}

/// Measures every suite.
pub(crate) fn run(arguments: &Arguments) -> Value {
    let suites: serde_json::Map<_, _> = SrtpSuite::ALL
        .into_iter()
        .map(|suite| (suite.name().to_owned(), measure(suite, arguments)))
        .collect();
    json!({"payload_bytes": arguments.payload, "suites": suites})
}

fn measure(suite: SrtpSuite, arguments: &Arguments) -> Value {
    let key = MasterKey::generate(suite, |bytes| bytes.fill(7));
    let mut sender = SrtpSession::new(&key, &key);
    let mut receiver = SrtpSession::new(&key, &key);
    let len = 12 + arguments.payload;
    let mut batch = vec![vec![0; len + sender.overhead_bytes()]; BATCH];
    let (mut protect, mut unprotect) = (Vec::new(), Vec::new());
    let mut sequence = 0_u16;
    let mut allocated = Allocated::default();
    for _ in 0..arguments.rounds {
        let (mut protecting, mut opening) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..arguments.batches {
            for packet in &mut batch {
                packet[..2].copy_from_slice(&[0x80, 0]);
                packet[2..4].copy_from_slice(&sequence.to_be_bytes());
                sequence = sequence.wrapping_add(1);
            }
            let before = Allocated::so_far();
            let start = Instant::now();
            let mut protected = 0;
            for packet in &mut batch {
                protected = sender.protect_rtp(packet, len).expect("there is room");
            }
            let middle = Instant::now();
            for packet in &mut batch {
                let opened = receiver.unprotect_rtp(&mut packet[..protected]);
                opened.expect("it is genuine");
            }
            opening += middle.elapsed();
            protecting += middle - start;
            allocated += Allocated::so_far() - before;
        }
        let packets = f64::from(arguments.batches) * BATCH as f64;
        protect.push(protecting.as_secs_f64() * 1e9 / packets);
        unprotect.push(opening.as_secs_f64() * 1e9 / packets);
    }
    json!({
        "protect_ns": spread(protect),
        "unprotect_ns": spread(unprotect),
        "allocations": allocated.times,
    })
}

fn spread(mut nanoseconds: Vec<f64>) -> Value {
    nanoseconds.sort_unstable_by(f64::total_cmp);
    let whole = |nanoseconds: Option<&f64>| nanoseconds.map(|time| time.round());
    json!({
        "least": whole(nanoseconds.first()),
        "median": whole(nanoseconds.get(nanoseconds.len() / 2)),
    })
}
