//! A portal under the load of a large company: many contacts and devices, many pages at once.
//!
//! `seed` fills the database of a server that does not run; the others ask a server that runs, over HTTP as pages, devices
//! and phones do. Clients and server share the machine, so a figure has the clients' part in it. Not here: who starts
//! the server and reads its memory (`scripts/bench-portal`).

mod activation;
mod client;
mod lists;
mod live;
mod seed;

use std::{io, path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Fill the database of the first tenant.
    Seed(seed::Arguments),
    /// Pages of contacts at any depth, and searches.
    Lists(lists::Arguments),
    /// Phones that activate themselves.
    Activate(activation::Arguments),
    /// Pages that watch while accounts register.
    Live(live::Arguments),
}

/// A portal and somebody who is signed in.
#[derive(Clone, Debug, Args)]
pub(crate) struct Target {
    /// Such as `http://127.0.0.1:8080`.
    #[arg(long)]
    url: String,
    /// The session's cookie.
    #[arg(long)]
    cookie: String,
    /// The tenant's key.
    #[arg(long)]
    tenant: String,
}

/// What `seed` leaves for the others.
const TOKENS: &str = "activation-tokens.txt";

pub(crate) fn run(arguments: Arguments) -> Result<Value, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match arguments.what {
            What::Seed(arguments) => seed::run(&arguments).await,
            What::Lists(arguments) => lists::run(&arguments).await,
            What::Activate(arguments) => activation::run(&arguments).await,
            What::Live(arguments) => live::run(&arguments).await,
        }
    })
}

/// Why there is no figure.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<store::StoreError> for Failure {
    fn from(error: store::StoreError) -> Self {
        Self(error.to_string())
    }
}

/// How long things took: how many, how many a second, and the times in milliseconds that half, all but a
/// twentieth, all but a hundredth, and all of them did not exceed.
fn times(mut taken: Vec<Duration>, during: Duration) -> Value {
    taken.sort_unstable();
    let last = taken.len().saturating_sub(1);
    let at = |share: usize| {
        let time = taken.get(last * share / 100).copied().unwrap_or_default();
        (time.as_secs_f64() * 1e5).round() / 100.0
    };
    let rate = taken.len() as f64 / during.as_secs_f64();
    json!({
        "count": taken.len(),
        "per_second": rate.round(),
        "p50_ms": at(50),
        "p95_ms": at(95),
        "p99_ms": at(99),
        "max_ms": at(100),
    })
}

/// The tokens of activations that nobody has used yet.
fn tokens_file(folder: &std::path::Path) -> PathBuf {
    folder.join(TOKENS)
}
