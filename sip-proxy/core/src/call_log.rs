//! One line in the log for each thing that happens to a whole call: it starts, rings, is answered, ends. Who calls whom is people's data
//! and shows as `***`.
//!
//! A call is the caller's leg here; what becomes of each device that rings is in the trace.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sip::{Private, Request};
use tracing::{Level, enabled, info};
use ua::{CallKey, EndReason, Stage, StageChange};

/// The calls that have not ended, by the caller's leg; none while nobody wants such lines.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    open: HashMap<CallKey, Open>,
}

#[derive(Debug)]
struct Open {
    since: Instant,
    answered_at: Option<Instant>,
}

impl CallLog {
    /// A call was taken in.
    pub(crate) fn begin(&mut self, leg: CallKey, invite: &Request, now: Instant) {
        if !enabled!(Level::INFO) {
            return;
        }
        let open = Open {
            since: now,
            answered_at: None,
        };
        self.open.insert(leg, open);
        let caller = Private(invite.header("From").unwrap_or_default());
        let callee = Private(invite.header("To").unwrap_or_default());
        info!(call.id = %leg, %caller, %callee, "a call starts");
    }

    /// A leg reached another stage.
    pub(crate) fn note(&mut self, change: StageChange, now: Instant) {
        let leg = change.call;
        let Some(open) = self.open.get_mut(&leg) else {
            return;
        };
        let after_ms = ms(now.saturating_duration_since(open.since));
        match change.stage {
            Stage::Early => info!(call.id = %leg, after_ms, "a call rings"),
            Stage::Confirmed => {
                open.answered_at = Some(now);
                info!(call.id = %leg, after_ms, "a call is answered");
            }
            Stage::Trying | Stage::Terminated => {}
        }
    }

    /// A leg ended.
    pub(crate) fn end(&mut self, leg: CallKey, reason: &EndReason, now: Instant) {
        let Some(open) = self.open.remove(&leg) else {
            return;
        };
        let duration_ms = ms(now.saturating_duration_since(open.since));
        let talked_ms = open
            .answered_at
            .map_or(0, |at| ms(now.saturating_duration_since(at)));
        let reason = word(reason);
        info!(call.id = %leg, reason, duration_ms, talked_ms, "a call has ended");
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Why the caller's leg ended, in words.
fn word(reason: &EndReason) -> &'static str {
    match reason {
        EndReason::LocalHangUp => "ended by callee or proxy",
        EndReason::RemoteHangUp => "ended by caller",
        EndReason::Cancelled => "cancelled",
        EndReason::AnsweredElsewhere => "answered elsewhere",
        EndReason::Replaced { .. } => "replaced",
        EndReason::Failed(_) => "failed",
    }
}
