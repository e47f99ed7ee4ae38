//! Transfers (RFC 5589), done here and never passed on: one side of a call refers the other to somebody else.
//!
//! ```text
//!   blind                                      attended: Replaces names another call of the referrer
//!   REFER ──► the target's devices ring        REFER ──► the target is asked for an offer
//!               │ one answers with its offer               │ Offered
//!               └───────────────┬──────────────────────────┘
//!                               ▼
//!          re-INVITE of the remaining side ──► its answer to the target's ACK ──► 200 to the referrer, whose legs end
//!                               │ refused
//!                               ▼
//!          the target goes (blind) or back to the referrer (attended), the old call stays
//! ```
//!
//! Semi-attended: Replaces names a call of the referrer's that still rings. What rings is taken over with it; who answers there is asked
//! for an offer as in an attended transfer, because what it has answered is the referrer's. The referrer may leave both calls at once.
//! Refused, both calls are as they would be without the transfer; a remaining side that hangs up leaves the ringing to the referrer.
//!
//! The referrer calls the target as far as rules are concerned; the target sees the remaining side as caller and the referrer in
//! Referred-By. The remaining side hears nothing of it before somebody has answered. A referrer that hangs up meanwhile leaves the
//! remaining side to the transfer.
//!
//! `begin.rs`: who may refer whom. `course.rs`: what happens until the referrer knows.

mod begin;
mod course;

use std::time::Instant;

use ua::{CallKey, ReferId};

use super::fork::Fork;
use super::{Line, Side};
use crate::ledger::RecordKey;

/// A transfer under way in a joined call.
#[derive(Debug)]
pub(in crate::bridge) struct Transfer {
    /// The side that asked for it, as long as it is there, and how it is told.
    referrer: Option<(CallKey, ReferId)>,
    /// The side that gets another peer.
    remaining: CallKey,
    /// Of the remaining side and the target.
    record: RecordKey,
    /// Of the referrer's call to the target, if there was one before.
    consulted: Option<RecordKey>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The target's devices ring.
    Ringing { fork: Box<Fork>, rung: Rung },
    /// A target that has a session already is asked for an offer.
    Asking {
        target: Side,
        consultation: Option<Side>,
    },
    /// The target's offer is put to the remaining side; the target waits for the ACK.
    Joining {
        target: Side,
        consultation: Option<Side>,
    },
}

/// For whom the target's devices ring.
#[derive(Debug)]
enum Rung {
    /// For the remaining side, and without an offer.
    ForTransfer,
    /// For the referrer, with its offer; `None` once it has given up that call.
    ForConsultation(Option<Side>),
}

impl Transfer {
    pub(in crate::bridge) fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Ringing { fork, .. } => Some(fork.deadline()),
            Stage::Asking { .. } | Stage::Joining { .. } => None,
        }
    }

    /// What rings for it.
    pub(in crate::bridge) fn fork(&self) -> Option<&Fork> {
        match &self.stage {
            Stage::Ringing { fork, .. } => Some(fork),
            Stage::Asking { .. } | Stage::Joining { .. } => None,
        }
    }

    fn notify(&self, status: u16, line: &mut Line<'_>) {
        if let Some((referrer, id)) = self.referrer {
            // Who does not want to know any more has said so.
            let _ = line
                .calls
                .notify_refer(referrer, id, status, line.endpoint, line.now);
        }
    }
}
