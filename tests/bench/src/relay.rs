//! Our relay as a program of its own, so that what it costs can be read from its process.
//!
//! Each line of standard input is a list of calls, `[["127.0.0.1:4000", "127.0.0.1:5000"], …]`: where caller and
//! callee are. The answer is one line, where each is to send to, in the same order. An empty line ends all calls; the end of the input
//! ends the program.

use std::io::{self, BufRead, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args;
use media::relay::{OwnerId, Peer, Side};
use media::srtp::{MasterKey, SrtpSession, SrtpSuite};
use media_io::PortRange;
use media_io::relay::{LegRequest, RelayHandle, RelayOptions, RelayedCall, Wanted, start};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How the relay is set up.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Every leg gets a pair of ports of its own.
    #[arg(long)]
    own_ports: bool,
    /// Callers protect what they send and are sent by SRTP; callees do not.
    #[arg(long)]
    secured: bool,
    /// Calls at one time.
    #[arg(long, default_value_t = 10_000)]
    max_calls: usize,
}

/// Relays until the end of standard input.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    // Commands only: the relay has its own thread.
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let relay = start(&RelayOptions {
        addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        port: 0,
        range: PortRange::default(),
        pairs_per_owner: usize::MAX,
        max_calls: arguments.max_calls,
    })?;
    let mut calls = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.is_empty() {
            calls.clear();
            let stats = runtime.block_on(relay.stats())?;
            let counts = stats.counts;
            println!(
                "{}",
                json!({"calls": stats.calls, "forwarded": counts.forwarded, "dropped": counts.all_dropped(), "not_sent": stats.not_sent})
            );
        } else {
            let wanted: Vec<[SocketAddr; 2]> = serde_json::from_str(&line)?;
            let mut places = Vec::new();
            for parties in wanted {
                let (call, place) = runtime.block_on(connect(&relay, parties, arguments))?;
                calls.push(call);
                places.push(place);
            }
            println!("{}", json!(places));
        }
        io::stdout().flush()?;
    }
    Ok(())
}

/// What callers protect with, the same for all: nothing is secret here.
pub(crate) fn key_of_callers() -> MasterKey {
    key(7)
}

fn key_of_relay() -> MasterKey {
    key(8)
}

fn key(byte: u8) -> MasterKey {
    MasterKey::generate(SrtpSuite::AesCm128HmacSha1_80, |bytes| bytes.fill(byte))
}

async fn connect(
    relay: &RelayHandle,
    parties: [SocketAddr; 2],
    arguments: &Arguments,
) -> Result<(RelayedCall, [SocketAddr; 2])> {
    let pair = if arguments.own_ports {
        Wanted::Own(OwnerId(0))
    } else {
        Wanted::Shared
    };
    let leg = LegRequest { interface: 0, pair };
    let call = relay.create_call().await?;
    let (stream, places) = call.add_stream([leg; 2]).await?;
    for (side, party) in [Side::Caller, Side::Callee].into_iter().zip(parties) {
        call.announce(stream, side, Peer::at(party, 8_000)).await?;
    }
    if arguments.secured {
        let srtp = SrtpSession::new(&key_of_relay(), &key_of_callers());
        let caller = call.set_protection(stream, Side::Caller, Some(Box::new(srtp)));
        caller.await?;
    }
    Ok((call, places.map(|place| place.rtp)))
}
