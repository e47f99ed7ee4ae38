//! The legs that ring for one callee: parallel within a group of equal q, group after group (RFC 3261, section 16.6), and the best
//! of their refusals (section 16.7, step 6).
//!
//! A group begins when all before it have refused or have rung for a while; those that ring go on ringing. A redirection is followed
//! to addresses that the same rules allow, each once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sdp::Described;
use sip::{Aor, Endpoint, Uri};
use ua::{CallFailure, CallKey, Dial, EndReason};

use super::Line;
use crate::numbers::DialPlans;
use crate::routing::{self, Identity, Plan};

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
    branches: Vec<Branch>,
    later: VecDeque<Group>,
    /// When the next group joins.
    next_at: Option<Instant>,
    /// When nobody has answered in time.
    until: Instant,
    /// Where redirections have led.
    redirected: Vec<Aor>,
}

/// Legs that are rung together.
#[derive(Debug)]
struct Group {
    dials: Vec<Dial>,
    /// Which redirection led here.
    redirection: Option<usize>,
}

#[derive(Debug)]
struct Branch {
    leg: CallKey,
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
    /// Rings the first group; `None` if there is nobody to ring. Gives the new legs.
    pub(super) fn start(
        plan: Plan,
        offer: Option<&Described>,
        line: &mut Line<'_>,
    ) -> Option<(Self, Vec<CallKey>)> {
        let groups = routing::groups(&plan, offer, line.bindings, line.endpoint);
        let later = Group::all(groups, None);
        let mut fork = Self {
            plan,
            branches: Vec::new(),
            later,
            next_at: None,
            until: line.now + line.patience,
            redirected: Vec::new(),
        };
        let legs = fork.ring_next(line);
        (!legs.is_empty()).then_some((fork, legs))
    }

    /// Whose device has this leg.
    pub(super) fn callee(&self, leg: CallKey) -> Identity {
        let branch = self.branches.iter().find(|branch| branch.leg == leg);
        let redirected = branch
            .and_then(|branch| branch.redirection)
            .and_then(|at| self.redirected.get(at));
        Identity::unnamed(redirected.unwrap_or(&self.plan.callee.aor).clone())
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
            for dial in group.dials {
                if self.branches.len() < MAX_BRANCHES
                    && let Ok(leg) = line.calls.dial(dial, line.endpoint, line.now)
                {
                    self.branches.push(Branch {
                        leg,
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
            self.redirected.push(target.clone());
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
                && !self.redirected.contains(&target)
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
    fn all(groups: Vec<Vec<Dial>>, redirection: Option<usize>) -> VecDeque<Self> {
        let groups = groups.into_iter().map(|dials| Self { dials, redirection });
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
