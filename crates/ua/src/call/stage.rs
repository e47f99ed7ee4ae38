//! How far each call is, for those who watch a line (RFC 4235): told in order, and only if
//! [`CallsConfig::stages`](super::CallsConfig) says so.

use super::state::{Call, Phase, Side};
use super::{CallKey, Calls};

/// Whether an owner wants to know each [`Stage`] that its calls reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stages {
    /// No: nothing is kept for it.
    #[default]
    Untold,
    /// Yes: it drains [`Calls::poll_stage`](super::Calls::poll_stage).
    Told,
}

/// How far a call is (RFC 4235, section 3.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The INVITE is on its way, and nobody rings.
    Trying,
    /// The called side rings.
    Early,
    /// A 2xx.
    Confirmed,
    /// It ended.
    Terminated,
}

/// A call reached another stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageChange {
    /// The call; gone already if it ended.
    pub call: CallKey,
    /// Where it is now.
    pub stage: Stage,
}

/// Who started a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The peer.
    Peer,
    /// We.
    Us,
}

/// What identifies a living call to both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallView<'a> {
    /// Who started it.
    pub origin: Origin,
    /// Call-ID.
    pub call_id: &'a str,
    /// Our tag.
    pub local_tag: &'a str,
    /// The peer's; `None` before its first response.
    pub remote_tag: Option<&'a str>,
    /// Our From or To value as sent, with its tag.
    pub local: &'a str,
    /// The peer's.
    pub remote: &'a str,
}

impl Calls {
    /// The next stage that a call reached, in the order of their happening.
    pub fn poll_stage(&mut self) -> Option<StageChange> {
        self.stages.pop_front()
    }

    /// What identifies a call; `None` once it is gone.
    #[must_use]
    pub fn view(&self, call: CallKey) -> Option<CallView<'_>> {
        self.calls.get(&call)?.view()
    }
}

impl Call {
    /// The stage that it has reached since this was asked last.
    pub(super) fn take_stage_change(&mut self) -> Option<StageChange> {
        let stage = self.stage();
        // A call that ended before it was seen never was there.
        if self.shown == Some(stage) || self.shown.is_none() && stage == Stage::Terminated {
            return None;
        }
        self.shown = Some(stage);
        Some(StageChange {
            call: self.key,
            stage,
        })
    }

    fn stage(&self) -> Stage {
        match &self.phase {
            _ if self.told_end => Stage::Terminated,
            Phase::Calling(calling) if calling.early.is_empty() => Stage::Trying,
            Phase::Ringing(ringing) if ringing.reminder.is_none() => Stage::Trying,
            Phase::Calling(_) | Phase::Ringing(_) => Stage::Early,
            Phase::Established => Stage::Confirmed,
            Phase::Leaving | Phase::Over => Stage::Terminated,
        }
    }

    fn view(&self) -> Option<CallView<'_>> {
        let origin = match self.side {
            Side::Outgoing => Origin::Us,
            Side::Incoming => Origin::Peer,
        };
        if let (Phase::Calling(calling), None) = (&self.phase, &self.dialog) {
            let opening = &calling.opening;
            let early = calling.early.first().map(|early| early.dialog.id());
            return Some(CallView {
                origin,
                call_id: opening.call_id(),
                local_tag: opening.local_tag(),
                remote_tag: early.map(|dialog| dialog.remote_tag),
                local: opening.local(),
                remote: opening.remote(),
            });
        }
        let dialog = self.dialog.as_ref()?;
        let id = dialog.id();
        Some(CallView {
            origin,
            call_id: id.call_id,
            local_tag: id.local_tag,
            remote_tag: Some(id.remote_tag),
            local: dialog.local(),
            remote: dialog.remote(),
        })
    }
}
