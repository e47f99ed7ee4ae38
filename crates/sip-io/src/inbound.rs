//! What the tasks at the edges tell a loop, and the ways in.
//!
//! Each loop has two lanes. What comes from peers who have proved who they are, and everything
//! about the state of connections, takes the first; new connections and the messages of strangers
//! take the second, which the loop empties a little at a time. Both are bounded: tasks wait for
//! room, loops never do.
//!
//! A message goes to the loop that [`Selector`] names, whichever loop its connection belongs to.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use sip::{CertificateProblem, Flow, ResolveId, Target, TransmitId};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::acceptor::Acceptor;
use crate::flow_table::Generation;
use crate::outbound::{Standing, Turn};
use crate::resolve::Resolved;

/// What may wait in one lane.
const LANE_CAPACITY: usize = 256;

/// Names the shard that a message belongs to, from its raw bytes: a number that is the same for
/// all messages that must meet, to be taken modulo the number of shards.
pub type Selector = fn(&[u8]) -> u64;

/// What the tasks at the edges and other shards tell a loop.
pub(crate) enum Inbound {
    /// A message from a connection.
    Received {
        flow: Flow,
        bytes: Bytes,
        /// Given back when the message is handled, so that its connection may send another.
        turn: Option<Turn>,
    },
    /// Datagrams that another shard has received for us.
    Datagrams(Vec<(Flow, Bytes, Standing)>),
    Accepted {
        stream: TcpStream,
        local: SocketAddr,
        peer: SocketAddr,
        acceptor: Acceptor,
    },
    /// A connection is open, after any handshake. Told before its first message.
    Opened {
        flow: Flow,
    },
    NotOpened {
        generation: Generation,
        target: Target,
        /// What is wrong with the server's certificate, if that is why.
        problem: Option<CertificateProblem>,
    },
    Closed {
        flow: Flow,
    },
    Resolved {
        id: ResolveId,
        result: Resolved,
    },
    /// Another shard has something for a connection of ours.
    Transmit {
        shard: usize,
        id: TransmitId,
        flow: Flow,
        bytes: Bytes,
    },
    /// What we asked another shard to send has not left.
    TransmitFailed {
        id: TransmitId,
    },
    /// Another shard wants a connection of ours closed.
    Close {
        flow: Flow,
    },
    /// Another shard's machine says how a flow stands, and in which call that was proved.
    Stands {
        flow: Flow,
        standing: Standing,
        call_id: Option<Box<[u8]>>,
    },
}

/// Room in a lane. It is waited for without what goes there, which would make every waiting task larger.
pub(crate) type Room<'a> = mpsc::Permit<'a, Inbound>;

/// The loop is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// The ways into one loop.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    pub(crate) first: mpsc::Sender<Inbound>,
    pub(crate) strangers: mpsc::Sender<Inbound>,
}

impl Lanes {
    /// The lane for messages from peers of this standing.
    pub(crate) fn lane(&self, standing: Standing) -> &mpsc::Sender<Inbound> {
        match standing {
            Standing::Trusted => &self.first,
            Standing::Stranger => &self.strangers,
        }
    }
}

/// The loop's ends of its lanes.
#[derive(Debug)]
pub(crate) struct Receivers {
    pub(crate) first: mpsc::Receiver<Inbound>,
    pub(crate) strangers: mpsc::Receiver<Inbound>,
}

pub(crate) fn lanes() -> (Lanes, Receivers) {
    let (first, first_receiver) = mpsc::channel(LANE_CAPACITY);
    let (strangers, strangers_receiver) = mpsc::channel(LANE_CAPACITY);
    (
        Lanes { first, strangers },
        Receivers {
            first: first_receiver,
            strangers: strangers_receiver,
        },
    )
}

/// The ways into all loops, as one of them and its connections see them.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    shards: Arc<[Lanes]>,
    own: usize,
    selector: Option<Selector>,
}

impl Entrance {
    /// For a loop without others.
    pub(crate) fn alone(lanes: Lanes) -> Self {
        Self {
            shards: Arc::new([lanes]),
            own: 0,
            selector: None,
        }
    }

    /// For shard `own` of several.
    pub(crate) fn shard(shards: Arc<[Lanes]>, own: usize, selector: Selector) -> Self {
        Self {
            shards,
            own,
            selector: Some(selector),
        }
    }

    pub(crate) fn own_index(&self) -> usize {
        self.own
    }

    pub(crate) fn count(&self) -> usize {
        self.shards.len()
    }

    pub(crate) fn own(&self) -> &Lanes {
        &self.shards[self.own]
    }

    pub(crate) fn of(&self, shard: usize) -> &Lanes {
        &self.shards[shard]
    }

    /// Every loop but the own one.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Lanes> {
        let own = self.own;
        let others = move |&(index, _): &(usize, &Lanes)| index != own;
        self.shards
            .iter()
            .enumerate()
            .filter(others)
            .map(|(_, lanes)| lanes)
    }

    /// The shard whose machine handles the message `bytes`.
    pub(crate) fn select(&self, bytes: &[u8]) -> usize {
        let Some(selector) = self.selector.filter(|_| self.count() > 1) else {
            return self.own;
        };
        let count = u64::try_from(self.count()).unwrap_or(u64::MAX);
        usize::try_from(selector(bytes) % count).unwrap_or(self.own)
    }

    /// Waits until the loop that handles the message `bytes` of a connection has room for it.
    pub(crate) async fn room(&self, bytes: &[u8], from: Standing) -> Result<Room<'_>, Gone> {
        let lane = self.shards[self.select(bytes)].lane(from);
        lane.reserve().await.map_err(|_| Gone)
    }

    /// Waits until the own loop has room for news about a connection.
    pub(crate) async fn own_room(&self) -> Result<Room<'_>, Gone> {
        self.own().first.reserve().await.map_err(|_| Gone)
    }

    /// Tells every loop that a connection has ended, after its last message.
    pub(crate) async fn closed(&self, flow: Flow, standing: Standing) {
        for lanes in self.shards.iter() {
            // Fails only when that loop is gone, which then does not care.
            if let Ok(room) = lanes.lane(standing).reserve().await {
                room.send(Inbound::Closed { flow });
            }
        }
    }
}
