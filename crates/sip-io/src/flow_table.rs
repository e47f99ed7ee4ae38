//! The connections of one loop, each with a generation of its own.
//!
//! An address is not a flow: the same peer address may belong to another phone a moment later.
//! Every connection gets a number that is never used again, and a message for a flow goes only to
//! the connection with that number. The number also says which shard the connection belongs to.
//!
//! Bounded in all; connections of strangers, whose peer has not proved who it is, are bounded
//! further, in all and per source, so that they never take the room of those who have. What we
//! opened ourselves is no stranger's.

use std::collections::HashMap;
use std::net::IpAddr;

use sip::{Flow, Target, TransmitId};

use crate::connection::Opener;
use crate::listeners::Limits;
use crate::outbound::{Outbound, Standing};

/// Names one connection of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Generation(pub(crate) u64);

#[derive(Debug)]
enum State {
    /// Not open yet, or in its handshake; these messages wait in the queue.
    Opening {
        opener: Opener,
        waiting: Vec<TransmitId>,
    },
    Open(Flow),
}

impl State {
    fn is_half_open(&self) -> bool {
        matches!(
            self,
            Self::Opening {
                opener: Opener::Peer,
                ..
            }
        )
    }
}

#[derive(Debug)]
struct Connection {
    target: Target,
    state: State,
    standing: Standing,
    outbound: Outbound,
}

/// The connections of one loop.
#[derive(Debug)]
pub(crate) struct FlowTable {
    limits: Limits,
    next: u64,
    /// How far two numbers of this shard are apart.
    step: u64,
    connections: HashMap<Generation, Connection>,
    /// The latest connection to each server. One that has proved to be a domain's is not another's.
    by_target: HashMap<Target, Generation>,
    /// Incoming connections in their handshake.
    half_open: usize,
    strangers: usize,
    strangers_of: HashMap<IpAddr, usize>,
}

impl FlowTable {
    /// For shard `own` of `shards`.
    pub(crate) fn new(limits: Limits, own: usize, shards: usize) -> Self {
        let step = u64::try_from(shards).unwrap_or(u64::MAX);
        Self {
            limits,
            // Zero is what flows without a connection have.
            next: step + u64::try_from(own).unwrap_or_default(),
            step,
            connections: HashMap::new(),
            by_target: HashMap::new(),
            half_open: 0,
            strangers: 0,
            strangers_of: HashMap::new(),
        }
    }

    /// The shard that the connection of `flow` belongs to.
    pub(crate) fn shard_of(&self, flow: &Flow) -> usize {
        usize::try_from(flow.generation % self.step).unwrap_or_default()
    }

    /// Takes a new connection in, if there is room for it.
    pub(crate) fn admit(
        &mut self,
        target: Target,
        opener: Opener,
    ) -> Option<(Generation, Outbound)> {
        if self.connections.len() >= self.limits.connections {
            return None;
        }
        let standing = match opener {
            Opener::Us => Standing::Trusted,
            Opener::Peer => {
                let of_source = self
                    .strangers_of
                    .get(&target.peer.ip())
                    .copied()
                    .unwrap_or(0);
                if self.half_open >= self.limits.half_open
                    || self.strangers >= self.limits.strangers
                    || of_source >= self.limits.strangers_per_source
                {
                    return None;
                }
                Standing::Stranger
            }
        };
        let generation = Generation(self.next);
        self.next += self.step;
        let outbound = Outbound::new(self.limits.outbound_bytes, standing);
        self.count(target.peer.ip(), standing);
        self.half_open += usize::from(opener == Opener::Peer);
        self.by_target.insert(target, generation);
        self.connections.insert(
            generation,
            Connection {
                target,
                state: State::Opening {
                    opener,
                    waiting: Vec::new(),
                },
                standing,
                outbound: outbound.clone(),
            },
        );
        Some((generation, outbound))
    }

    fn count(&mut self, source: IpAddr, standing: Standing) {
        if standing == Standing::Stranger {
            self.strangers += 1;
            *self.strangers_of.entry(source).or_default() += 1;
        }
    }

    fn discount(&mut self, source: IpAddr, standing: Standing) {
        if standing != Standing::Stranger {
            return;
        }
        self.strangers -= 1;
        if let Some(count) = self.strangers_of.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.strangers_of.remove(&source);
            }
        }
    }

    /// The connection that was being opened is open.
    pub(crate) fn opened(&mut self, flow: Flow) {
        if let Some(connection) = self.connections.get_mut(&Generation(flow.generation)) {
            let before = std::mem::replace(&mut connection.state, State::Open(flow));
            self.half_open -= usize::from(before.is_half_open());
        }
    }

    /// The peer of `flow` has proved who it is, or no longer counts as such.
    pub(crate) fn set_standing(&mut self, flow: &Flow, standing: Standing) {
        let Some(connection) = self.connections.get_mut(&Generation(flow.generation)) else {
            return;
        };
        let (source, old) = (connection.target.peer.ip(), connection.standing);
        if old == standing {
            return;
        }
        connection.standing = standing;
        connection.outbound.set_standing(standing);
        self.discount(source, old);
        self.count(source, standing);
    }

    /// The queue of the connection that `flow` is, if it still exists.
    pub(crate) fn on(&self, flow: &Flow) -> Option<&Outbound> {
        let connection = self.connections.get(&Generation(flow.generation))?;
        matches!(&connection.state, State::Open(own) if own == flow).then_some(&connection.outbound)
    }

    /// The latest connection with `target`.
    pub(crate) fn with(&self, target: &Target) -> Option<Generation> {
        self.by_target.get(target).copied()
    }

    pub(crate) fn outbound(&self, generation: Generation) -> Option<&Outbound> {
        self.connections
            .get(&generation)
            .map(|connection| &connection.outbound)
    }

    /// Notes that message `id` waits for the connection to open.
    pub(crate) fn note_waiting(&mut self, generation: Generation, id: TransmitId) {
        if let Some(Connection {
            state: State::Opening { waiting, .. },
            ..
        }) = self.connections.get_mut(&generation)
        {
            waiting.push(id);
        }
    }

    /// Ends a connection at once, whatever waits in its queue. Until it reports that it is closed
    /// it still counts, but nobody finds it any more.
    pub(crate) fn abort(&mut self, generation: Generation) {
        if let Some(connection) = self.connections.get(&generation) {
            connection.outbound.abort();
            if self.by_target.get(&connection.target) == Some(&generation) {
                self.by_target.remove(&connection.target);
            }
        }
    }

    /// Forgets a connection. Gives back the messages that waited for it to open.
    pub(crate) fn remove(&mut self, generation: Generation) -> Vec<TransmitId> {
        let Some(connection) = self.connections.remove(&generation) else {
            return Vec::new();
        };
        if self.by_target.get(&connection.target) == Some(&generation) {
            self.by_target.remove(&connection.target);
        }
        self.discount(connection.target.peer.ip(), connection.standing);
        self.half_open -= usize::from(connection.state.is_half_open());
        match connection.state {
            State::Opening { waiting, .. } => waiting,
            State::Open(_) => Vec::new(),
        }
    }

    /// Closes every connection once its queue is written.
    pub(crate) fn close_all(&self) {
        for connection in self.connections.values() {
            connection.outbound.close();
        }
    }
}

impl Drop for FlowTable {
    fn drop(&mut self) {
        for connection in self.connections.values() {
            connection.outbound.abort();
        }
    }
}
