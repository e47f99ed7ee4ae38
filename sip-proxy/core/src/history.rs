//! What is told and kept of calls while they happen: lines in the log, messages in the trace.
//!
//! Not here: what a trace is (`trace/`), what a line says (`call_log.rs`), the bridges that calls are.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use sip::{Flow, Request, Transport};
use ua::{CallKey, Calls, EndReason, Stage, StageChange};

use crate::bridge::Bridges;
use crate::call_log::CallLog;
use crate::effect::{Event, Owner};
use crate::trace::{TracePolicy, Traces};

/// Calls as people will ask for them.
#[derive(Debug)]
pub(crate) struct History {
    log: CallLog,
    traces: Option<Traces>,
}

impl History {
    pub(crate) fn new(policy: Option<TracePolicy>) -> Self {
        Self {
            log: CallLog::default(),
            traces: policy.map(Traces::new),
        }
    }

    pub(crate) fn received(&mut self, flow: Flow, message: &Bytes, now: Instant) {
        if let Some(traces) = &mut self.traces {
            traces.received(flow, message, now);
        }
    }

    pub(crate) fn sent(
        &mut self,
        transport: Transport,
        peer: SocketAddr,
        message: &Bytes,
        now: Instant,
    ) {
        if let Some(traces) = &mut self.traces {
            traces.sent(transport, peer, message, now);
        }
    }

    /// `owner` calls, and may.
    pub(crate) fn begin(
        &mut self,
        leg: CallKey,
        owner: Owner,
        invite: &Request,
        flow: Flow,
        now: Instant,
    ) {
        self.log.begin(leg, invite, now);
        if let Some(traces) = &mut self.traces {
            traces.open(leg, owner, invite, flow, now);
        }
    }

    /// A leg reached another stage.
    pub(crate) fn note_stage(
        &mut self,
        change: StageChange,
        bridges: &Bridges,
        calls: &Calls,
        now: Instant,
    ) {
        self.log.note(change, now);
        let Some(traces) = &mut self.traces else {
            return;
        };
        if change.stage != Stage::Terminated
            && let Some(bridge) = bridges.number(change.call)
            && let Some(view) = calls.view(change.call)
        {
            traces.join(change.call, view.call_id, bridge);
        }
    }

    /// A leg ended.
    pub(crate) fn end(&mut self, leg: CallKey, reason: &EndReason, now: Instant) {
        self.log.end(leg, reason, now);
        if let Some(traces) = &mut self.traces {
            traces.end_leg(leg, now);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.traces.as_ref().and_then(Traces::poll_timeout)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(traces) = &mut self.traces {
            traces.handle_timeout(now);
        }
    }

    /// The answer to [`Command::ListCalls`](crate::Command::ListCalls).
    pub(crate) fn list(&self, asker: u64, tenant: u128, count: usize) -> Event {
        let traces = self.traces.as_ref();
        Event::CallsListed {
            asker,
            calls: traces.map_or_else(Vec::new, |traces| traces.recent(tenant, count)),
        }
    }

    /// The answer to [`Command::FindCall`](crate::Command::FindCall).
    pub(crate) fn find(&self, asker: u64, tenant: u128, call_id: &str) -> Event {
        let traces = self.traces.as_ref();
        let found = traces.and_then(|traces| traces.find(tenant, call_id));
        Event::CallFound {
            asker,
            trace: found.map(Box::new),
        }
    }

    /// How many calls are being traced.
    pub(crate) fn len(&self) -> usize {
        self.traces.as_ref().map_or(0, Traces::len)
    }
}
