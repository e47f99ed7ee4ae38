//! The TCP connections of one loop, each with a generation of its own.
//!
//! An address is not a flow: the same peer address may belong to another phone a moment later.
//! Every connection gets a number that is never used again, and a message for a flow goes only to
//! the connection with that number. Bounded in all and per peer address.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use sip::{Flow, TransmitId, Transport};
use tokio_util::sync::CancellationToken;

use crate::connection::Outbound;
use crate::listeners::Limits;

/// Names one connection of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Generation(pub(crate) u64);

#[derive(Debug)]
enum State {
    /// Not connected yet; these messages wait in the queue.
    Opening {
        waiting: Vec<TransmitId>,
    },
    Open(Flow),
}

#[derive(Debug)]
struct Connection {
    peer: SocketAddr,
    state: State,
    outbound: Outbound,
    closed: CancellationToken,
}

#[derive(Debug)]
pub(crate) struct FlowTable {
    limits: Limits,
    last: u64,
    connections: HashMap<Generation, Connection>,
    /// The latest connection to each peer.
    by_peer: HashMap<SocketAddr, Generation>,
    per_source: HashMap<IpAddr, usize>,
}

impl FlowTable {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            last: 0,
            connections: HashMap::new(),
            by_peer: HashMap::new(),
            per_source: HashMap::new(),
        }
    }

    /// The number for a new connection with `peer`, if there is room for it.
    pub(crate) fn admit(&mut self, peer: SocketAddr) -> Option<Generation> {
        let of_source = self.per_source.get(&peer.ip()).copied().unwrap_or(0);
        if self.connections.len() >= self.limits.connections
            || of_source >= self.limits.connections_per_source
        {
            return None;
        }
        self.last += 1;
        Some(Generation(self.last))
    }

    pub(crate) fn insert_open(
        &mut self,
        flow: Flow,
        outbound: Outbound,
        closed: CancellationToken,
    ) {
        let generation = Generation(flow.generation);
        self.insert(generation, flow.peer, State::Open(flow), outbound, closed);
    }

    pub(crate) fn insert_opening(
        &mut self,
        generation: Generation,
        peer: SocketAddr,
        outbound: Outbound,
        closed: CancellationToken,
    ) {
        self.insert(
            generation,
            peer,
            State::Opening {
                waiting: Vec::new(),
            },
            outbound,
            closed,
        );
    }

    fn insert(
        &mut self,
        generation: Generation,
        peer: SocketAddr,
        state: State,
        outbound: Outbound,
        closed: CancellationToken,
    ) {
        *self.per_source.entry(peer.ip()).or_default() += 1;
        self.by_peer.insert(peer, generation);
        self.connections.insert(
            generation,
            Connection {
                peer,
                state,
                outbound,
                closed,
            },
        );
    }

    /// The connection that was being opened is open.
    pub(crate) fn opened(
        &mut self,
        generation: Generation,
        local: SocketAddr,
    ) -> Option<(Flow, Outbound, CancellationToken)> {
        let connection = self.connections.get_mut(&generation)?;
        let peer = connection.peer;
        let flow = Flow {
            transport: Transport::Tcp,
            local,
            peer,
            generation: generation.0,
        };
        connection.state = State::Open(flow);
        Some((flow, connection.outbound.clone(), connection.closed.clone()))
    }

    /// The queue of the connection that `flow` is, if it still exists.
    pub(crate) fn on(&self, flow: &Flow) -> Option<&Outbound> {
        let connection = self.connections.get(&Generation(flow.generation))?;
        matches!(&connection.state, State::Open(own) if own == flow).then_some(&connection.outbound)
    }

    /// The latest connection with `peer`.
    pub(crate) fn with_peer(&self, peer: SocketAddr) -> Option<Generation> {
        self.by_peer.get(&peer).copied()
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
            connection.closed.cancel();
            if self.by_peer.get(&connection.peer) == Some(&generation) {
                self.by_peer.remove(&connection.peer);
            }
        }
    }

    /// Forgets a connection. Gives back the messages that waited for it to open.
    pub(crate) fn remove(&mut self, generation: Generation) -> Vec<TransmitId> {
        let Some(connection) = self.connections.remove(&generation) else {
            return Vec::new();
        };
        if self.by_peer.get(&connection.peer) == Some(&generation) {
            self.by_peer.remove(&connection.peer);
        }
        let source = connection.peer.ip();
        if let Some(count) = self.per_source.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.per_source.remove(&source);
            }
        }
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
