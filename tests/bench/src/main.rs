//! Load that sipp cannot make, and the proxy's core without sockets: the programs behind `make bench-sip`, `make bench-flood`,
//! `make bench-relay` and `make bench-portal`.
//!
//! Each command prints JSON. `core` drives the machine in memory, `flood` bombards a server while one registered phone
//! refreshes, `streams` opens TCP or TLS connections and registers on each, `bindings` registers many users with nonces they keep
//! and asks for what is bound, `abuse` means ill while others go on, `speech` sends speech over a simulated network. `relay` is
//! our relay on its own, `voices` are the telephones that talk through it or another (`scripts/bench_relay`);
//! `srtp` protects packets of sound.
//!
//! `portal` asks a portal over HTTP.
//!
//! Everything but `portal` is blocking and single-threaded where it measures. Not here: rows, rounds and Kamailio (`scripts/bench_sip`).

mod abuse;
mod allocated;
mod bindings;
mod core;
mod flood;
mod message;
mod portal;
mod process;
mod registrar;
mod relay;
mod speech;
mod srtp;
mod streams;
mod voices;

use allocated::Counting;
use clap::{Parser, Subcommand};
use tikv_jemallocator::Jemalloc;

/// Load generators and the core's own benchmark.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Registrations or calls through the proxy's machine, without sockets and without a database.
    Core(core::Arguments),
    /// Requests without credentials, as many as go, while a registered phone refreshes once a second.
    Flood(flood::Arguments),
    /// TCP or TLS connections, each with one registration, kept open until standard input ends.
    Streams(streams::Arguments),
    /// Peers that mean ill over TCP, TLS or WebSockets, while others go on.
    Abuse(abuse::Arguments),
    /// Speech from one phone's media path to another's over a simulated network, in simulated time.
    Speech(speech::Arguments),
    /// What a microphone hears, through the processing of captured sound.
    Process(process::Arguments),
    /// Our relay, for calls that standard input asks for.
    Relay(relay::Arguments),
    /// Telephones that talk with each other through a relay.
    Voices(voices::Arguments),
    /// Packets of SRTP, protected and opened again, with each suite.
    Srtp(srtp::Arguments),
    /// A portal under the load of a large company.
    Portal(portal::Arguments),
    /// Refreshes with kept nonces at a fixed rate, or questions after what is bound.
    Bindings(bindings::Arguments),
}

/// The server's own, so that the core costs here what it costs there.
#[global_allocator]
static ALLOCATOR: Counting<Jemalloc> = Counting(Jemalloc);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match Cli::parse().command {
        Command::Core(arguments) => println!("{}", core::run(&arguments)),
        Command::Flood(arguments) => println!("{}", flood::run(&arguments)?),
        Command::Streams(arguments) => streams::run(&arguments)?,
        Command::Abuse(arguments) => println!("{}", abuse::run(&arguments)?),
        Command::Speech(arguments) => println!("{}", speech::run(&arguments)?),
        Command::Process(arguments) => println!("{}", process::run(&arguments)?),
        Command::Relay(arguments) => relay::run(&arguments)?,
        Command::Voices(arguments) => voices::run(&arguments)?,
        Command::Srtp(arguments) => println!("{}", srtp::run(&arguments)),
        Command::Bindings(arguments) => bindings::run(&arguments)?,
        Command::Portal(arguments) => println!("{}", portal::run(arguments)?),
    }
    Ok(())
}
