//! What was said in each call, for a ladder: every message of its legs under one number for the whole call.
//!
//! ```text
//!   INVITE taken in ──► open ──► a message of a known Call-ID ──► noted      bounded for each call and in all
//!                        │ further legs of the same bridge join
//!                        ▼
//!                      every leg ended, and half a minute for what is still on its way ──► over: kept until there is no room
//! ```
//!
//! Off unless [`TracePolicy`] is given: then nothing is looked at. A message is noted by sharing its bytes; what must not be seen is
//! left out when somebody looks ([`TraceEvent::text`]). Before a call is taken in nothing of it is kept, so that nobody without proof
//! fills the memory. What is seen is people's data, so its text is [`Private`].
//!
//! Invariant: what is kept never exceeds the policy's bounds; for a new call the one that ended first gives way.
//!
//! Not here: who may see a trace (whoever asks).

mod redact;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{Flow, Private, Request, Transport, peek_call_id};
use ua::CallKey;

use crate::effect::Owner;

/// The start line of a message and all of it, without secrets, lines ending with LF.
pub(crate) fn redacted(message: &[u8]) -> (Private<String>, Private<String>) {
    (
        Private(redact::first_line(message)),
        Private(redact::redact(message)),
    )
}

/// How long a call that is over is listened to: a BYE's answer and copies of it (RFC 3261, timers F and J).
const LINGER: Duration = Duration::from_secs(32);

/// What a message costs beside its text.
const EVENT_BYTES: usize = 128;

/// How much is traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracePolicy {
    /// Calls that are kept, those under way among them; while as many are under way, further ones are not traced.
    pub max_calls: usize,
    /// Messages of one call; of more the oldest but the first are dropped.
    pub max_messages: usize,
    /// Messages of all calls together, in bytes.
    pub max_bytes: usize,
}

impl Default for TracePolicy {
    fn default() -> Self {
        Self {
            max_calls: 1_000,
            max_messages: 200,
            max_bytes: 64 << 20,
        }
    }
}

/// Which way a message went, seen from the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceDirection {
    /// To us.
    Received,
    /// From us.
    Sent,
}

/// One message of a call.
#[derive(Clone, PartialEq, Eq)]
pub struct TraceEvent {
    /// When it arrived or left.
    pub at: Instant,
    /// Which way.
    pub direction: TraceDirection,
    /// Over which transport.
    pub transport: Transport,
    /// The other side's address.
    pub peer: SocketAddr,
    /// Which leg: its Call-ID.
    pub call_id: Arc<str>,
    /// As it was on the wire, secrets and all: leaves only redacted.
    message: Bytes,
}

impl TraceEvent {
    /// The whole message without secrets, lines ending with LF.
    #[must_use]
    pub fn text(&self) -> Private<String> {
        Private(redact::redact(&self.message))
    }

    /// Its start line without secrets.
    #[must_use]
    pub fn first_line(&self) -> Private<String> {
        Private(redact::first_line(&self.message))
    }

    /// The method, that of a response's CSeq; empty if the message names none.
    #[must_use]
    pub fn method(&self) -> String {
        redact::method(&self.message)
    }

    fn cost(&self) -> usize {
        self.message.len() + EVENT_BYTES
    }
}

impl fmt::Debug for TraceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceEvent")
            .field("direction", &self.direction)
            .field("method", &self.method())
            .finish_non_exhaustive()
    }
}

/// A call of which messages are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedCall {
    /// Names the call; a later call has a higher number.
    pub id: u64,
    /// Who called, and so whose call it is.
    pub owner: Owner,
    /// Its legs' Call-IDs, the caller's first.
    pub call_ids: Vec<Arc<str>>,
    /// When its INVITE was taken in.
    pub began: Instant,
    /// When its last leg ended.
    pub ended: Option<Instant>,
    /// How many messages are kept.
    pub messages: usize,
    /// How many more there were.
    pub dropped: usize,
}

/// Everything that is kept of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTrace {
    /// Which call.
    pub call: TracedCall,
    /// What was said, in order.
    pub events: Vec<TraceEvent>,
}

/// The calls that are traced.
#[derive(Debug)]
pub(crate) struct Traces {
    policy: TracePolicy,
    kept: BTreeMap<u64, Kept>,
    by_call_id: HashMap<Arc<str>, Heard>,
    by_leg: HashMap<CallKey, (u64, Arc<str>)>,
    by_bridge: HashMap<u64, u64>,
    /// Legs that are over but still listened to, the one that ended first in front.
    lingering: VecDeque<(Instant, u64, Arc<str>)>,
    /// Calls that are over, the one that ended first in front.
    over: VecDeque<u64>,
    last_id: u64,
    bytes: usize,
}

/// A Call-ID that is listened to.
#[derive(Debug)]
struct Heard {
    id: u64,
    /// How many legs have it; more than one if a caller tries again.
    legs: usize,
}

#[derive(Debug)]
struct Kept {
    owner: Owner,
    call_ids: Vec<Arc<str>>,
    began: Instant,
    ended: Option<Instant>,
    /// Legs that have not ended.
    living: usize,
    /// Legs that are listened to.
    heard: usize,
    bridges: Vec<u64>,
    events: VecDeque<TraceEvent>,
    dropped: usize,
}

impl Traces {
    pub(crate) fn new(policy: TracePolicy) -> Self {
        Self {
            policy,
            kept: BTreeMap::new(),
            by_call_id: HashMap::new(),
            by_leg: HashMap::new(),
            by_bridge: HashMap::new(),
            lingering: VecDeque::new(),
            over: VecDeque::new(),
            last_id: 0,
            bytes: 0,
        }
    }

    /// A call of `owner` was taken in.
    pub(crate) fn open(
        &mut self,
        leg: CallKey,
        owner: Owner,
        invite: &Request,
        flow: Flow,
        now: Instant,
    ) {
        let Ok(call_id) = invite.call_id() else {
            return;
        };
        let known = self.by_call_id.get(call_id).map(|heard| heard.id);
        let Some(id) = known.or_else(|| self.begin(owner, now)) else {
            return;
        };
        self.add_leg(leg, call_id, id);
        // Of a Call-ID that was known it has been noted.
        if known.is_none() {
            self.received(flow, &invite.to_bytes(), now);
        }
    }

    fn begin(&mut self, owner: Owner, now: Instant) -> Option<u64> {
        while self.kept.len() >= self.policy.max_calls {
            self.forget_oldest()?;
        }
        self.last_id += 1;
        let kept = Kept {
            owner,
            call_ids: Vec::new(),
            began: now,
            ended: None,
            living: 0,
            heard: 0,
            bridges: Vec::new(),
            events: VecDeque::new(),
            dropped: 0,
        };
        self.kept.insert(self.last_id, kept);
        Some(self.last_id)
    }

    /// A leg belongs to a bridge: to the call of the other legs there.
    pub(crate) fn join(&mut self, leg: CallKey, call_id: &str, bridge: u64) {
        let known = self.by_leg.get(&leg).map(|(id, _)| *id);
        match (known, self.by_bridge.get(&bridge)) {
            (Some(id), None) => {
                if let Some(kept) = self.kept.get_mut(&id) {
                    self.by_bridge.insert(bridge, id);
                    kept.bridges.push(bridge);
                }
            }
            (None, Some(&id)) if !self.by_call_id.contains_key(call_id) => {
                self.add_leg(leg, call_id, id);
            }
            _ => {}
        }
    }

    fn add_leg(&mut self, leg: CallKey, call_id: &str, id: u64) {
        let Some(kept) = self.kept.get_mut(&id) else {
            return;
        };
        let known = kept.call_ids.iter().find(|own| &***own == call_id).cloned();
        let call_id = known.unwrap_or_else(|| {
            let call_id: Arc<str> = call_id.into();
            kept.call_ids.push(call_id.clone());
            call_id
        });
        kept.living += 1;
        kept.heard += 1;
        kept.ended = None;
        let heard = self.by_call_id.entry(call_id.clone());
        heard.or_insert(Heard { id, legs: 0 }).legs += 1;
        self.by_leg.insert(leg, (id, call_id));
    }

    pub(crate) fn received(&mut self, flow: Flow, message: &Bytes, now: Instant) {
        let (transport, peer) = (flow.transport, flow.peer);
        self.note(TraceDirection::Received, transport, peer, message, now);
    }

    pub(crate) fn sent(
        &mut self,
        transport: Transport,
        peer: SocketAddr,
        message: &Bytes,
        now: Instant,
    ) {
        self.note(TraceDirection::Sent, transport, peer, message, now);
    }

    fn note(
        &mut self,
        direction: TraceDirection,
        transport: Transport,
        peer: SocketAddr,
        message: &Bytes,
        now: Instant,
    ) {
        if self.by_call_id.is_empty() {
            return;
        }
        let Some(call_id) = peek_call_id(message) else {
            return;
        };
        let Some((call_id, heard)) = self.by_call_id.get_key_value(call_id) else {
            return;
        };
        let id = heard.id;
        let event = TraceEvent {
            at: now,
            direction,
            transport,
            peer,
            call_id: call_id.clone(),
            message: message.clone(),
        };
        let cost = event.cost();
        while self.bytes + cost > self.policy.max_bytes && self.forget_oldest().is_some() {}
        let Some(kept) = self.kept.get_mut(&id) else {
            return;
        };
        if self.bytes + cost > self.policy.max_bytes {
            kept.dropped += 1;
            return;
        }
        self.bytes += cost;
        kept.events.push_back(event);
        if kept.events.len() > self.policy.max_messages {
            // The INVITE that began it says the most.
            if let Some(oldest) = kept.events.remove(1) {
                self.bytes -= oldest.cost();
            }
            kept.dropped += 1;
        }
    }

    /// A leg is over.
    pub(crate) fn end_leg(&mut self, leg: CallKey, now: Instant) {
        let Some((id, call_id)) = self.by_leg.remove(&leg) else {
            return;
        };
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.living -= 1;
            if kept.living == 0 {
                kept.ended = Some(now);
            }
        }
        self.lingering.push_back((now + LINGER, id, call_id));
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.lingering.front().map(|(at, ..)| *at)
    }

    /// Of some legs nothing more is to come.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some((_, id, call_id)) = self.lingering.pop_front_if(|(at, ..)| *at <= now) {
            if let Some(heard) = self.by_call_id.get_mut(&call_id) {
                heard.legs -= 1;
                if heard.legs == 0 {
                    self.by_call_id.remove(&call_id);
                }
            }
            let Some(kept) = self.kept.get_mut(&id) else {
                continue;
            };
            kept.heard -= 1;
            if kept.heard == 0 {
                for bridge in std::mem::take(&mut kept.bridges) {
                    self.by_bridge.remove(&bridge);
                }
                self.over.push_back(id);
            }
        }
    }

    fn forget_oldest(&mut self) -> Option<()> {
        let kept = self.kept.remove(&self.over.pop_front()?)?;
        self.bytes -= kept.events.iter().map(TraceEvent::cost).sum::<usize>();
        Some(())
    }

    /// The last calls of a tenant, the latest first, at most `count`.
    pub(crate) fn recent(&self, tenant: u128, count: usize) -> Vec<TracedCall> {
        let calls = self.kept.iter().rev();
        let own = calls.filter(|(_, kept)| kept.owner.tenant == tenant);
        own.take(count).map(|(id, kept)| kept.call(*id)).collect()
    }

    /// The last call of a tenant one of whose legs has this Call-ID.
    pub(crate) fn find(&self, tenant: u128, call_id: &str) -> Option<CallTrace> {
        let mut calls = self.kept.iter().rev();
        let is_meant = |kept: &Kept| {
            kept.owner.tenant == tenant && kept.call_ids.iter().any(|own| &**own == call_id)
        };
        let (id, kept) = calls.find(|(_, kept)| is_meant(kept))?;
        Some(CallTrace {
            call: kept.call(*id),
            events: kept.events.iter().cloned().collect(),
        })
    }

    /// How many calls are listened to.
    pub(crate) fn len(&self) -> usize {
        self.kept.len() - self.over.len()
    }
}

impl Kept {
    fn call(&self, id: u64) -> TracedCall {
        TracedCall {
            id,
            owner: self.owner,
            call_ids: self.call_ids.clone(),
            began: self.began,
            ended: self.ended,
            messages: self.events.len(),
            dropped: self.dropped,
        }
    }
}
