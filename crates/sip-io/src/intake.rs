//! Which datagrams are handled, and in which order.
//!
//! The loop takes everything out of the kernel each turn, so that what cannot be handled is
//! dropped here, by rank, and not there, by chance:
//!
//! ```text
//!   datagram ─► trusted flow? ──no──► bucket of its source ──empty──► dropped unread
//!                   │yes                   │
//!                   ▼                      ▼
//!       few: in the order of arrival; many: by rank, each with a bound
//!         urgent     trusted, and a response, with credentials or in a known call: all at once
//!         known      trusted, or a stranger's with credentials: three of four turns
//!         strangers  everything else: one of four
//! ```
//!
//! A STUN message is answered or dropped here; no machine sees it.
//!
//! Messages of the same flow and rank keep their order. Datagrams of another shard's calls are
//! collected for it.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use sip::Flow;
use tracing::debug;

use crate::glance::glance;
use crate::inbound::{Entrance, Inbound};
use crate::listeners::Limits;
use crate::outbound::Standing;
use crate::source_buckets::SourceBuckets;
use crate::stun::{self, Stun};
use crate::trust::Trust;

/// Up to so many messages at once are handled as they came.
const CALM: usize = 64;

/// Messages that are not urgent which one turn handles.
pub(crate) const SLICE: usize = 64;

/// One in so many messages that are not urgent is a stranger's.
const STRANGERS_SHARE: usize = 4;

/// Bytes that may wait in all.
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// A datagram that waits for the machine.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) flow: Flow,
    pub(crate) bytes: Bytes,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    Urgent,
    Known,
    Stranger,
}

/// What has arrived and is not handled yet.
#[derive(Debug)]
pub(crate) struct Intake {
    entrance: Entrance,
    buckets: SourceBuckets,
    trust: Trust,
    bound: usize,
    /// As they came, while they are few.
    fresh: VecDeque<Datagram>,
    urgent: VecDeque<Datagram>,
    known: VecDeque<Datagram>,
    strangers: VecDeque<Datagram>,
    waiting_bytes: usize,
    /// Counts messages that are not urgent.
    turn: usize,
    /// By shard.
    elsewhere: Vec<Vec<(Flow, Bytes, Standing)>>,
    dropped: u64,
    /// To those who asked for their address; taken by the loop each turn.
    answers: Vec<(Flow, Bytes)>,
}

impl Intake {
    pub(crate) fn new(limits: &Limits, entrance: Entrance, now: Instant) -> Self {
        let shards = entrance.count();
        Self {
            entrance,
            buckets: SourceBuckets::new(limits.stranger_rate, now),
            trust: Trust::new(limits.trusted_flows, now),
            bound: limits.backlog,
            fresh: VecDeque::new(),
            urgent: VecDeque::new(),
            known: VecDeque::new(),
            strangers: VecDeque::new(),
            waiting_bytes: 0,
            turn: 0,
            elsewhere: (0..shards).map(|_| Vec::new()).collect(),
            dropped: 0,
            answers: Vec::new(),
        }
    }

    pub(crate) fn trust(&mut self) -> &mut Trust {
        &mut self.trust
    }

    /// A datagram has arrived.
    pub(crate) fn receive(&mut self, flow: Flow, datagram: &[u8], now: Instant) {
        if is_keep_alive(datagram) {
            return;
        }
        let standing = if self.trust.knows(&flow) {
            Standing::Trusted
        } else if self
            .buckets
            .take(flow.peer.ip(), || glance(datagram).has_credentials, now)
        {
            Standing::Stranger
        } else {
            self.dropped += 1;
            return;
        };
        if let Some(message) = stun::parse(datagram) {
            if let Stun::Request {
                transaction,
                unknown,
            } = message
            {
                let answer = stun::answer(transaction, &unknown, flow.peer);
                self.answers.push((flow, answer));
            }
            return;
        }
        let shard = self.entrance.select(datagram);
        let bytes = Bytes::copy_from_slice(datagram);
        if shard == self.entrance.own_index() {
            self.push(flow, bytes, standing);
        } else {
            self.elsewhere[shard].push((flow, bytes, standing));
        }
    }

    /// What is to be sent to those who asked for their address.
    pub(crate) fn take_answers(&mut self) -> Vec<(Flow, Bytes)> {
        std::mem::take(&mut self.answers)
    }

    /// A datagram waits for the machine, its source having been asked already.
    pub(crate) fn push(&mut self, flow: Flow, bytes: Bytes, standing: Standing) {
        self.waiting_bytes += bytes.len();
        self.fresh.push_back(Datagram {
            flow,
            bytes,
            standing,
        });
    }

    /// Hands over what belongs to other shards, and ranks what has arrived if it is much.
    pub(crate) fn sort(&mut self) {
        for (shard, datagrams) in self.elsewhere.iter_mut().enumerate() {
            if datagrams.is_empty() {
                continue;
            }
            let count = datagrams.len();
            let batch = Inbound::Datagrams(std::mem::take(datagrams));
            if self.entrance.of(shard).first.try_send(batch).is_err() {
                self.dropped += u64::try_from(count).unwrap_or_default();
            }
        }
        if self.fresh.len() > CALM || self.backlog() > 0 {
            while let Some(datagram) = self.fresh.pop_front() {
                self.enqueue(datagram);
            }
        }
        if self.dropped > 0 {
            debug!(message.count = self.dropped, "messages dropped unread");
            self.dropped = 0;
        }
    }

    fn enqueue(&mut self, datagram: Datagram) {
        let bound = self.bound;
        let queue = match self.rank(&datagram) {
            Rank::Urgent => &mut self.urgent,
            Rank::Known => &mut self.known,
            Rank::Stranger => &mut self.strangers,
        };
        if queue.len() >= bound || self.waiting_bytes > MAX_WAITING_BYTES {
            self.dropped += 1;
            self.waiting_bytes -= datagram.bytes.len();
        } else {
            queue.push_back(datagram);
        }
    }

    fn rank(
        &self,
        Datagram {
            flow,
            bytes,
            standing,
        }: &Datagram,
    ) -> Rank {
        let glance = glance(bytes);
        let in_known_call = || {
            let call_id = glance.call_id.unwrap_or_default();
            self.trust.knows_call(flow, call_id)
        };
        match standing {
            Standing::Trusted
                if glance.is_response || glance.has_credentials || in_known_call() =>
            {
                Rank::Urgent
            }
            Standing::Trusted => Rank::Known,
            Standing::Stranger if glance.has_credentials => Rank::Known,
            Standing::Stranger => Rank::Stranger,
        }
    }

    /// Whether anything waits. What another shard has handed over during a turn does, though it is not ranked yet.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.fresh.is_empty() || self.backlog() > 0
    }

    /// Messages that have been ranked and wait.
    pub(crate) fn backlog(&self) -> usize {
        self.urgent.len() + self.known.len() + self.strangers.len()
    }

    /// The next message that cannot wait.
    pub(crate) fn next_at_once(&mut self) -> Option<Datagram> {
        let datagram = self.fresh.pop_front().or_else(|| self.urgent.pop_front())?;
        self.waiting_bytes -= datagram.bytes.len();
        Some(datagram)
    }

    /// The next of the others.
    pub(crate) fn next_in_turn(&mut self) -> Option<Datagram> {
        self.turn = (self.turn + 1) % STRANGERS_SHARE;
        let (first, second) = match self.turn {
            0 => (&mut self.strangers, &mut self.known),
            _ => (&mut self.known, &mut self.strangers),
        };
        let datagram = first.pop_front().or_else(|| second.pop_front())?;
        self.waiting_bytes -= datagram.bytes.len();
        Some(datagram)
    }
}

/// Many devices keep their NAT binding open with blank lines or zero bytes. Never answered: over
/// UDP nobody proves that the address is his.
fn is_keep_alive(datagram: &[u8]) -> bool {
    datagram
        .iter()
        .all(|byte| matches!(byte, b'\r' | b'\n' | 0))
}
