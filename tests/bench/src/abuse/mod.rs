//! Peers that mean ill, while others go on: one that never reads, one that pipelines, slow ones, and more than are allowed.
//!
//! Three kinds of others are measured meanwhile, all from another address than the abuse: a phone that refreshes over UDP, one that
//! refreshes on a connection it has had from the start, and newcomers that connect, ask something and leave. The server's memory and
//! open files are read from `/proc` before, at their most, and after everybody has left.

mod attack;
mod bystanders;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use attack::Attack;
use wire::Over;

/// Requests that are pipelined.
const ILL_REQUESTS: usize = 20_000;

/// How long the server may take to forget those who have left: longer than a transaction lives.
const PATIENCE: Duration = Duration::from_secs(40);

/// Memory that is no more than this above what it was is back where it was.
const NOISE_KILOBYTES: u64 = 1_024;

/// Between two looks at the server's memory and files.
const LOOK: Duration = Duration::from_millis(100);

/// What to do, and to whom.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    abuse: Abuse,
    /// How the abuse, the lasting connection and the newcomers are carried.
    #[arg(long)]
    over: Over,
    /// The server on that transport.
    #[arg(long)]
    target: SocketAddr,
    /// The server on UDP.
    #[arg(long)]
    udp: SocketAddr,
    #[arg(long)]
    domain: String,
    /// The account of both phones.
    #[arg(long)]
    user: String,
    #[arg(long)]
    password: String,
    /// The server's process.
    #[arg(long)]
    process: u32,
    /// The authority of the server's certificate, for TLS.
    #[arg(long)]
    authority: Option<PathBuf>,
    /// Ill-meaning connections at the same time.
    #[arg(long, default_value_t = 200)]
    connections: usize,
    /// How long it lasts; pipelined requests go on until they are answered.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Requests of each phone in a second.
    #[arg(long, default_value_t = 20)]
    rate: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Abuse {
    /// Sends requests and never reads an answer.
    Deaf,
    /// Sends 20,000 requests on one connection as fast as they are taken.
    Pipeline,
    /// Sends a message byte by byte.
    Slow,
    /// Never finishes the handshake of the transport.
    Handshake,
    /// Opens connections and says nothing.
    Silent,
}

/// What everybody counts.
#[derive(Debug, Default)]
struct Counters {
    opened: AtomicU64,
    cut_off: AtomicU64,
    sent: AtomicU64,
    answered: AtomicU64,
    stop: AtomicBool,
}

impl Counters {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}

/// What the server's process uses.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    kilobytes: u64,
    files: usize,
}

impl Weight {
    fn of(process: u32) -> io::Result<Self> {
        let rollup = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        Ok(Self {
            kilobytes: kilobytes.ok_or(io::ErrorKind::InvalidData)?,
            files: std::fs::read_dir(format!("/proc/{process}/fd"))?.count(),
        })
    }
}

pub(crate) fn run(arguments: &Arguments) -> io::Result<Value> {
    let mut udp = bystanders::over_udp(arguments)?;
    let mut stream = bystanders::Lasting::open(arguments)?;
    bystanders::newcomer(arguments)?;
    let before = Weight::of(arguments.process)?;
    let counters = Counters::default();
    let mut most = before;
    let started = Instant::now();
    let (attacked, newcomers) = thread::scope(|scope| {
        let counters = &counters;
        let attack = scope.spawn(move || {
            attack::run(&Attack {
                arguments,
                counters,
            })
        });
        let udp = scope.spawn(|| bystanders::refresh_over_udp(&mut udp, arguments, counters));
        let stream = scope.spawn(|| stream.refresh(arguments, counters));
        let newcomers = scope.spawn(|| bystanders::newcomers(arguments, counters));
        let end = started + Duration::from_secs(arguments.seconds);
        while match arguments.abuse {
            Abuse::Pipeline => !attack.is_finished(),
            _ => Instant::now() < end,
        } {
            if let Ok(now) = Weight::of(arguments.process) {
                most.kilobytes = most.kilobytes.max(now.kilobytes);
                most.files = most.files.max(now.files);
            }
            thread::park_timeout(LOOK);
        }
        counters.stop.store(true, Ordering::Relaxed);
        let attacked = attack.join().expect("the abuse does not panic");
        udp.join().expect("the phone does not panic")?;
        stream.join().expect("the phone does not panic")?;
        let newcomers = newcomers.join().expect("newcomers do not panic");
        attacked.map(|()| (started.elapsed(), newcomers))
    })?;
    let after = settled(arguments.process, before)?;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    Ok(json!({
        "seconds": attacked.as_secs_f64(),
        "opened": count(&counters.opened),
        "cut_off": count(&counters.cut_off),
        "sent": count(&counters.sent),
        "answered": count(&counters.answered),
        "udp": bystanders::report(&mut udp.tally),
        "stream": bystanders::report(&mut stream.tally),
        "newcomers": bystanders::report(&mut { newcomers }),
        "kilobytes": {"before": before.kilobytes, "most": most.kilobytes, "after": after.kilobytes},
        "files": {"before": before.files, "most": most.files, "after": after.files},
    }))
}

/// What the server uses once it has forgotten those who left.
fn settled(process: u32, before: Weight) -> io::Result<Weight> {
    let started = Instant::now();
    loop {
        let now = Weight::of(process)?;
        let is_back =
            now.files <= before.files && now.kilobytes <= before.kilobytes + NOISE_KILOBYTES;
        if is_back || started.elapsed() > PATIENCE {
            return Ok(now);
        }
        thread::park_timeout(LOOK);
    }
}
