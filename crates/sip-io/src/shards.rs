//! Several loops, each on a thread of its own with a machine of its own.
//!
//! ```text
//!            ┌─ datagram ─► selector ─► own shard ─► machine
//!   sockets ─┤                      └─► lane of another shard ─► its machine
//!            └─ connection's message ─► selector ─► lane of that shard
//!   machine ─► message for a connection of another shard ─► lane of that shard
//! ```
//!
//! All sockets of one address share it, and the system spreads what arrives by its addresses. A
//! message then goes to the shard that the [`Selector`] names, so that whatever must meet meets in
//! one machine, in the order in which it arrived on its flow. Shards share nothing but the lanes
//! into each other, which nobody waits for: where a shard is too far behind, datagrams for it are
//! dropped and messages for its connections fail.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::{io, thread};

use sip::Machine;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::driver::{Edges, drive};
use crate::inbound::{Entrance, Lanes, Selector, lanes};
use crate::listeners::Bound;

/// What one shard is given.
#[derive(Debug)]
pub struct Shard<M: Machine> {
    /// Its machine.
    pub machine: M,
    /// Its sockets: one part of what [`bind_shards`](crate::Listeners::bind_shards) gives.
    pub bound: Bound,
    /// What its application asks. When nobody can any more, all shards end.
    pub commands: mpsc::Receiver<M::Command>,
    /// What its application is told; never waited for.
    pub events: mpsc::Sender<M::Event>,
}

/// Drives each shard in a thread of its own until `stop` is cancelled, then gives the machines back
/// in the same order.
///
/// Returns at once; the future waits for the end. Dropping it does not end the shards, `stop` does.
///
/// # Errors
///
/// The operating system's error if a thread or its runtime cannot be made; nothing runs then.
pub fn run_shards<M>(
    shards: Vec<Shard<M>>,
    selector: Selector,
    stop: &CancellationToken,
) -> io::Result<impl Future<Output = Vec<M>> + use<M>>
where
    M: Machine + Send + 'static,
    M::Command: Send,
    M::Event: Send,
{
    let (entrances, receivers): (Vec<Lanes>, Vec<_>) = shards.iter().map(|_| lanes()).unzip();
    let entrances: Arc<[Lanes]> = entrances.into();
    // Ends those that have begun if another one cannot.
    let all = stop.child_token();
    let unfinished = all.clone().drop_guard();
    let mut ends = Vec::new();
    for (own, (shard, receivers)) in shards.into_iter().zip(receivers).enumerate() {
        let edges = Edges {
            entrance: Entrance::shard(Arc::clone(&entrances), own, selector),
            receivers,
            commands: shard.commands,
            stop: all.clone(),
        };
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (end, ended) = oneshot::channel();
        let (machine, bound, events) = (shard.machine, shard.bound, shard.events);
        let all = all.clone();
        thread::Builder::new()
            .name(format!("sip-{own}"))
            .spawn(move || {
                let _all = all.drop_guard();
                // Not a task among those of its connections, which would save a look at the sockets for each message: it would wait its
                // turn behind all that are ready, and with it everybody on UDP.
                // In a box: the runtime moves what comes of it, or the room for that, each time the loop has waited.
                let machine = runtime
                    .block_on(async { Box::new(drive(machine, bound, events, edges).await) });
                // Fails only when nobody waits for the machine.
                let _ = end.send(*machine);
            })?;
        ends.push(ended);
    }
    unfinished.disarm();
    Ok(async move {
        let mut machines = Vec::new();
        for ended in ends {
            // A shard whose thread has panicked has no machine to give back.
            machines.extend(ended.await.ok());
        }
        machines
    })
}

/// How many shards this machine can run side by side.
#[must_use]
pub fn available_shards() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
