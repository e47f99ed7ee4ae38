//! The connections of one loop, each with a generation of its own.
//!
//! An address is not a flow: the same peer address may belong to another phone a moment later.
//! Every connection gets a number that is never used again, and a message for a flow goes only to
//! the connection with that number. The number also says which shard the connection belongs to.
//!
//! Bounded in all; connections of strangers, whose peer has not proved who it is, are bounded
//! further, in all and per source, so that they never take the room of those who have. Where the
//! bound in all is reached, the oldest makes room: whoever means well has finished its handshake and
//! proved itself long before. What we opened ourselves is no stranger's.

use std::collections::{BTreeSet, HashMap};
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
        waiting: Vec<TransmitId>,
    },
    Open(Flow),
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
    /// Incoming connections in their handshake; the oldest has the lowest number.
    half_open: BTreeSet<Generation>,
    /// Connections of strangers, those in their handshake too.
    strangers: BTreeSet<Generation>,
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
            half_open: BTreeSet::new(),
            strangers: BTreeSet::new(),
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
                if of_source >= self.limits.strangers_per_source {
                    return None;
                }
                self.make_room();
                Standing::Stranger
            }
        };
        let generation = Generation(self.next);
        self.next += self.step;
        let outbound = Outbound::new(self.limits.outbound_bytes, standing);
        self.count(generation, target.peer.ip(), standing);
        if opener == Opener::Peer {
            self.half_open.insert(generation);
        }
        self.by_target.insert(target, generation);
        self.connections.insert(
            generation,
            Connection {
                target,
                state: State::Opening {
                    waiting: Vec::new(),
                },
                standing,
                outbound: outbound.clone(),
            },
        );
        Some((generation, outbound))
    }

    /// Ends the oldest connections of strangers where there are too many for another one.
    fn make_room(&mut self) {
        if self.half_open.len() >= self.limits.half_open
            && let Some(oldest) = self.half_open.pop_first()
        {
            self.strangers.remove(&oldest);
            self.abort(oldest);
        }
        if self.strangers.len() >= self.limits.strangers
            && let Some(oldest) = self.strangers.pop_first()
        {
            self.half_open.remove(&oldest);
            self.abort(oldest);
        }
    }

    fn count(&mut self, generation: Generation, source: IpAddr, standing: Standing) {
        if standing == Standing::Stranger {
            self.strangers.insert(generation);
            *self.strangers_of.entry(source).or_default() += 1;
        }
    }

    fn discount(&mut self, generation: Generation, source: IpAddr, standing: Standing) {
        if standing != Standing::Stranger {
            return;
        }
        self.strangers.remove(&generation);
        if let Some(count) = self.strangers_of.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.strangers_of.remove(&source);
            }
        }
    }

    /// The connection that was being opened is open.
    pub(crate) fn opened(&mut self, flow: Flow) {
        let generation = Generation(flow.generation);
        if let Some(connection) = self.connections.get_mut(&generation) {
            connection.state = State::Open(flow);
            self.half_open.remove(&generation);
        }
    }

    /// The peer of `flow` has proved who it is, or no longer counts as such.
    pub(crate) fn set_standing(&mut self, flow: &Flow, standing: Standing) {
        let generation = Generation(flow.generation);
        let Some(connection) = self.connections.get_mut(&generation) else {
            return;
        };
        let (source, old) = (connection.target.peer.ip(), connection.standing);
        if old == standing {
            return;
        }
        connection.standing = standing;
        connection.outbound.set_standing(standing);
        self.discount(generation, source, old);
        self.count(generation, source, standing);
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
            state: State::Opening { waiting },
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
        let source = connection.target.peer.ip();
        self.discount(generation, source, connection.standing);
        self.half_open.remove(&generation);
        match connection.state {
            State::Opening { waiting } => waiting,
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
