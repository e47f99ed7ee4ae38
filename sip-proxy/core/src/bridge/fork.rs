//! The legs that ring for one callee: parallel within a group of equal q, group after group (RFC 3261, section 16.6), and the best
//! of their refusals (section 16.7, step 6).
//!
//! A group begins when all before it have refused or have rung for a while; those that ring go on ringing. A redirection is followed
//! to addresses that the same rules allow, each once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sdp::Described;
use sip::{Aor, Endpoint, Uri};
use ua::{CallFailure, CallKey, EndReason};

use super::{Line, Side};
use crate::call_record::{CallEndReason, CallLink, CallLinkKind, CallParty};
use crate::ledger::RecordKey;
use crate::numbers::DialPlans;
use crate::routing::{self, Identity, Plan, Rung};

/// Told to a device whose call another device has answered (RFC 3326).
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\", Q.850;cause=26";

/// How long a group rings before the next one joins it.
const NEXT_GROUP_AFTER: Duration = Duration::from_secs(10);

/// Most legs of one call that were ever rung, redirections included.
const MAX_BRANCHES: usize = 30;

/// Most addresses that redirections lead to.
const MAX_REDIRECTIONS: usize = 5;

/// Everything that rings for one call.
#[derive(Debug)]
pub(super) struct Fork {
    plan: Plan,
    record: RecordKey,
    branches: Vec<Branch>,
    later: VecDeque<Group>,
    /// When the next group joins.
    next_at: Option<Instant>,
    /// When nobody has answered in time.
    until: Instant,
    /// Where redirections have led, and the records of that.
    redirected: Vec<(Aor, RecordKey)>,
    heard: Heard,
}

/// What the devices have let us hear, all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Heard {
    Nothing,
    Something,
    Ringing,
}

/// Legs that are rung together.
#[derive(Debug)]
struct Group {
    rung: Vec<Rung>,
    /// Which redirection led here.
    redirection: Option<usize>,
}

#[derive(Debug)]
struct Branch {
    leg: CallKey,
    /// The device's instance-id, or empty.
    instance: Box<str>,
    redirection: Option<usize>,
    /// The status that it ended with.
    failed: Option<u16>,
}

/// What the end of a branch means to the call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Others still ring.
    Wait,
    /// Nobody will answer: the status for the caller.
    Refused(u16),
}

impl Fork {
    /// Rings the first group; `None` if there is nobody to ring, and `record` is then not ended. Gives the new legs.
    pub(super) fn start(
        plan: Plan,
        record: RecordKey,
        offer: Option<&Described>,
        line: &mut Line<'_>,
    ) -> Option<(Self, Vec<CallKey>)> {
        let groups = routing::groups(&plan, offer, line.bindings, line.endpoint);
        let later = Group::all(groups, None);
        let mut fork = Self {
            plan,
            record,
            branches: Vec::new(),
            later,
            next_at: None,
            until: line.now + line.patience,
            redirected: Vec::new(),
            heard: Heard::Nothing,
        };
        let legs = fork.ring_next(line);
        (!legs.is_empty()).then_some((fork, legs))
    }

    /// Who answers on this leg.
    pub(super) fn callee(&self, leg: CallKey) -> Side {
        let branch = self.branches.iter().find(|branch| branch.leg == leg);
        let who = match branch.and_then(|branch| self.redirected.get(branch.redirection?)) {
            Some((aor, _)) => Identity::unnamed(aor.clone(), None),
            None => {
                let callee = &self.plan.callee;
                Identity::unnamed(callee.aor.clone(), callee.owner)
            }
        };
        let instance = branch.map(|branch| branch.instance.clone());
        Side {
            device: instance.filter(|instance| !instance.is_empty()),
            ..Side::new(leg, who)
        }
    }

    /// Who is called, as it stands in a record.
    pub(super) fn called(&self) -> CallParty {
        let callee = &self.plan.callee;
        CallParty::addressed(Some(callee.aor.clone()), callee.owner)
    }

    pub(super) fn record(&self) -> RecordKey {
        self.record
    }

    /// A device has said something, with this status.
    pub(super) fn hear(&mut self, status: u16) {
        let heard = match status {
            180..200 => Heard::Ringing,
            _ => Heard::Something,
        };
        self.heard = self.heard.max(heard);
    }

    /// The device with this leg has the call: its record, while those of others end.
    pub(super) fn won_by(&self, leg: CallKey, line: &mut Line<'_>) -> RecordKey {
        let branch = self.branches.iter().find(|branch| branch.leg == leg);
        let redirected = branch.and_then(|branch| self.redirected.get(branch.redirection?));
        let won = redirected.map_or(self.record, |(_, record)| *record);
        for record in self.records().filter(|record| *record != won) {
            let reason = match record == self.record {
                true => CallEndReason::Forwarded,
                false => CallEndReason::AnsweredElsewhere,
            };
            line.ledger.end(record, reason, None, line.now);
        }
        let instance = branch.map(|branch| &*branch.instance);
        let instance = instance.filter(|instance| !instance.is_empty());
        line.ledger.set_device(won, instance);
        won
    }

    /// Nobody has the call, for the reason that this final status says.
    pub(super) fn lost(&self, status: u16, line: &mut Line<'_>) {
        let reason = match (status, self.heard) {
            (480, Heard::Ringing) => CallEndReason::NoAnswer,
            (480, Heard::Nothing) => CallEndReason::Unreachable,
            (status, _) => CallEndReason::of_status(status),
        };
        for record in self.records() {
            // Who has said where to call instead was not the one to answer.
            let (reason, status) = match record == self.record && !self.redirected.is_empty() {
                true => (CallEndReason::Forwarded, None),
                false => (reason, Some(status)),
            };
            line.ledger.end(record, reason, status, line.now);
        }
    }

    fn records(&self) -> impl Iterator<Item = RecordKey> {
        let redirected = self.redirected.iter().map(|(_, record)| *record);
        redirected.chain([self.record])
    }

    pub(super) fn deadline(&self) -> Instant {
        self.next_at.map_or(self.until, |at| at.min(self.until))
    }

    /// Whether it is the only one that was rung, so that the caller may hear what it plays.
    pub(super) fn is_only(&self, leg: CallKey) -> bool {
        self.only() == Some(leg)
    }

    /// The only one that was rung.
    pub(super) fn only(&self) -> Option<CallKey> {
        match &self.branches[..] {
            [branch] if self.later.is_empty() => Some(branch.leg),
            _ => None,
        }
    }

    pub(super) fn contains(&self, leg: CallKey) -> bool {
        self.branches.iter().any(|branch| branch.leg == leg)
    }

    /// The deadline has come: the next group joins, and its legs are given; or nobody has answered.
    pub(super) fn handle_timeout(&mut self, line: &mut Line<'_>) -> Result<Vec<CallKey>, u16> {
        if self.until <= line.now {
            return Err(408);
        }
        Ok(self.ring_next(line))
    }

    /// Rings the next group that has a device that can be rung.
    fn ring_next(&mut self, line: &mut Line<'_>) -> Vec<CallKey> {
        let mut legs = Vec::new();
        while legs.is_empty()
            && let Some(group) = self.later.pop_front()
        {
            for Rung { dial, instance } in group.rung {
                if self.branches.len() < MAX_BRANCHES
                    && let Ok(leg) = line.calls.dial(dial, line.endpoint, line.now)
                {
                    self.branches.push(Branch {
                        leg,
                        instance,
                        redirection: group.redirection,
                        failed: None,
                    });
                    legs.push(leg);
                }
            }
        }
        self.next_at = (!self.later.is_empty()).then(|| line.now + NEXT_GROUP_AFTER);
        legs
    }

    /// One of them answered: the others stop.
    pub(super) fn stop_others(&self, answered: CallKey, line: &mut Line<'_>) {
        for leg in self.alive().filter(|leg| *leg != answered) {
            line.hang_up(leg, Some(ELSEWHERE.to_owned()));
        }
    }

    /// All of them stop, for what the caller said.
    pub(super) fn stop(&self, reason: Option<&String>, line: &mut Line<'_>) {
        for leg in self.alive() {
            line.hang_up(leg, reason.cloned());
        }
    }

    /// Those that have not ended.
    pub(super) fn alive(&self) -> impl Iterator<Item = CallKey> {
        let alive = self
            .branches
            .iter()
            .filter(|branch| branch.failed.is_none());
        alive.map(|branch| branch.leg)
    }

    /// One of them ended. New legs go to `added`.
    pub(super) fn ended(
        &mut self,
        leg: CallKey,
        reason: &EndReason,
        offer: Option<&Described>,
        line: &mut Line<'_>,
        added: &mut Vec<CallKey>,
    ) -> Verdict {
        let status = status_of(reason);
        if !is_silence(reason) {
            self.hear(status);
        }
        if let Some(branch) = self.branches.iter_mut().find(|branch| branch.leg == leg) {
            branch.failed = Some(status);
        }
        if (600..700).contains(&status) {
            return Verdict::Refused(status);
        }
        if let EndReason::Failed(CallFailure::Redirected { contacts, .. }) = reason {
            self.follow(contacts, offer, line);
        }
        if self.alive().next().is_none() {
            added.extend(self.ring_next(line));
        }
        match self.best_failure() {
            Some(status) => Verdict::Refused(status),
            None => Verdict::Wait,
        }
    }

    /// The callee is elsewhere: as if the caller had called there, by the callee's leave.
    fn follow(&mut self, contacts: &[Uri], offer: Option<&Described>, line: &mut Line<'_>) {
        for target in self.redirections(contacts, line.numbers, line.endpoint) {
            let redirection = Some(self.redirected.len());
            let by = self.plan.callee.aor.clone();
            let callee = CallParty::addressed(Some(target.clone()), None);
            let new = line.ledger.same_caller(self.record, callee);
            let kind = CallLinkKind::Forwarded;
            let link = CallLink { kind, by };
            let record = line.ledger.go_on(self.record, new, link, line.now);
            self.redirected.push((target.clone(), record));
            let plan = Plan {
                callee: target.into(),
                ..self.plan.clone()
            };
            let groups = routing::groups(&plan, offer, line.bindings, line.endpoint);
            self.later.extend(Group::all(groups, redirection));
        }
    }

    /// Where a redirection leads that the rules allow and that is new, as far as there is room for it.
    pub(super) fn redirections(
        &self,
        contacts: &[Uri],
        numbers: &DialPlans,
        endpoint: &Endpoint,
    ) -> Vec<Aor> {
        let callee = &self.plan.callee.aor;
        let room = MAX_REDIRECTIONS.saturating_sub(self.redirected.len());
        let mut targets = Vec::new();
        for uri in contacts {
            if let Ok(target) = routing::target_of(uri, callee, numbers, endpoint)
                && target != *callee
                && !self.redirected.iter().any(|(known, _)| *known == target)
                && !targets.contains(&target)
                && targets.len() < room
            {
                targets.push(target);
            }
        }
        targets
    }

    /// Once all branches have failed: the status that helps the caller most.
    fn best_failure(&self) -> Option<u16> {
        let statuses: Option<Vec<u16>> = self.branches.iter().map(|branch| branch.failed).collect();
        let best = statuses?.into_iter().min_by_key(|status| rank(*status))?;
        // That a server of a branch is overloaded does not mean that we are (RFC 3261, section 16.7).
        Some(if best == 503 { 500 } else { best })
    }
}

impl Group {
    fn all(groups: Vec<Vec<Rung>>, redirection: Option<usize>) -> VecDeque<Self> {
        let groups = groups.into_iter().map(|rung| Self { rung, redirection });
        groups.collect()
    }
}

/// The lower, the more a status tells the caller: 6xx, then the lowest class; within 4xx what the caller can mend, then what a person
/// decided, and last that a device was not there.
fn rank(status: u16) -> (u16, u8, u16) {
    let class = if status >= 600 { 0 } else { status / 100 };
    let use_to_caller = match status {
        406 | 413..=416 | 420..=422 | 484 | 488 | 493 | 494 => 0,
        486 => 1,
        480 | 408 | 487 => 3,
        _ => 2,
    };
    (class, use_to_caller, status)
}

/// What a branch's end means to the caller. That a device could not be reached is no answer of the callee's: it is offline. Nor is
/// its challenge, which the caller could not answer.
fn status_of(reason: &EndReason) -> u16 {
    match reason {
        EndReason::Failed(
            CallFailure::Timeout
            | CallFailure::Unreachable
            | CallFailure::Lost
            | CallFailure::Protocol
            | CallFailure::WrongCredentials { .. }
            | CallFailure::Redirected { .. },
        ) => 480,
        EndReason::Failed(failure) => failure.status().unwrap_or(480),
        EndReason::LocalHangUp
        | EndReason::RemoteHangUp
        | EndReason::Cancelled
        | EndReason::AnsweredElsewhere
        | EndReason::Replaced { .. } => 480,
    }
}

/// Whether a branch ended without a word of the device.
fn is_silence(reason: &EndReason) -> bool {
    matches!(
        reason,
        EndReason::Failed(CallFailure::Timeout | CallFailure::Unreachable | CallFailure::Lost)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_refusal_is_the_one_the_caller_can_act_on() {
        let mut statuses = [480, 500, 486, 404, 488, 408, 603, 403, 302];
        statuses.sort_by_key(|status| rank(*status));
        assert_eq!(statuses, [603, 302, 488, 486, 403, 404, 408, 480, 500]);
    }

    #[test]
    fn a_challenge_of_a_branch_never_reaches_the_caller() {
        for status in [401, 407] {
            let reason = EndReason::Failed(CallFailure::from_status(status));
            assert_eq!(status_of(&reason), 480);
        }
    }
}
