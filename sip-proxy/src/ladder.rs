//! What was said in a call, for people: times of day instead of moments, texts without secrets.
//!
//! Not here: what is kept and for how long (`sip_proxy_core`), how it is drawn (the portal).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use sip::{Private, Transport};
use sip_proxy_core::{CallTrace, Owner, TraceDirection, TracedCall};
use time::OffsetDateTime;

/// A call of which messages are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentCall {
    /// Names the call; a later call has a higher number.
    pub id: u64,
    /// Whose call it is: the caller's tenant and account.
    pub owner: Owner,
    /// Its legs' Call-IDs, the caller's first.
    pub call_ids: Vec<Arc<str>>,
    /// When it was taken in.
    pub began: OffsetDateTime,
    /// When its last leg ended; `None` while it lasts.
    pub ended: Option<OffsetDateTime>,
    /// How many messages are kept.
    pub messages: usize,
    /// How many more there were.
    pub dropped: usize,
}

/// Everything that is kept of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Which call.
    pub call: RecentCall,
    /// What was said, in order.
    pub messages: Vec<LadderMessage>,
}

impl Ladder {
    /// As the portal shows it to those who may see it.
    pub(crate) fn into_wire(self) -> api::CallLadder {
        let messages = self.messages.into_iter().map(|message| api::LadderMessage {
            at: message.at,
            received: message.direction == TraceDirection::Received,
            transport: message.transport.to_string(),
            peer: message.peer.to_string(),
            call_id: message.call_id.to_string(),
            first_line: message.first_line.0,
            text: message.text.0,
        });
        api::CallLadder {
            messages: messages.collect(),
            dropped: u64::try_from(self.call.dropped).unwrap_or(u64::MAX),
        }
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LadderMessage {
    /// When it arrived at the proxy or left it.
    pub at: OffsetDateTime,
    /// Which way.
    pub direction: TraceDirection,
    /// Over which transport.
    pub transport: Transport,
    /// The other side's address.
    pub peer: SocketAddr,
    /// Which leg: its Call-ID.
    pub call_id: Arc<str>,
    /// The method, that of a response's CSeq.
    pub method: String,
    /// The start line without secrets.
    pub first_line: Private<String>,
    /// The whole message without secrets, lines ending with LF.
    pub text: Private<String>,
}

/// What both clocks say at the same moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noon {
    pub(crate) moment: Instant,
    pub(crate) time: OffsetDateTime,
}

impl Noon {
    pub(crate) fn time(&self, moment: Instant) -> OffsetDateTime {
        self.time - self.moment.saturating_duration_since(moment)
    }

    /// What both clocks say now.
    pub(crate) fn now() -> Self {
        Self {
            moment: tokio::time::Instant::now().into_std(),
            time: OffsetDateTime::now_utc(),
        }
    }

    pub(crate) fn recent(&self, call: TracedCall) -> RecentCall {
        RecentCall {
            id: call.id,
            owner: call.owner,
            call_ids: call.call_ids,
            began: self.time(call.began),
            ended: call.ended.map(|ended| self.time(ended)),
            messages: call.messages,
            dropped: call.dropped,
        }
    }

    pub(crate) fn ladder(&self, trace: CallTrace) -> Ladder {
        let messages = trace.events.iter().map(|event| LadderMessage {
            at: self.time(event.at),
            direction: event.direction,
            transport: event.transport,
            peer: event.peer,
            call_id: event.call_id.clone(),
            method: event.method(),
            first_line: event.first_line(),
            text: event.text(),
        });
        Ladder {
            messages: messages.collect(),
            call: self.recent(trace.call),
        }
    }
}
