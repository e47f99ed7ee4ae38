//! How much an account may call: so many calls at once, so many begun within an hour. What a stolen password is worth ends there.
//!
//! Invariant: the table of the last hour is bounded; when it is full whoever began first is forgotten first.
//!
//! Not here: how many calls an account has right now (`bridge/`), who may be called (`routing.rs`).

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use sip::Aor;

/// Limits for each account; unlimited unless they are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallingPolicy {
    /// Calls that an account has begun and that have not ended.
    pub at_once: usize,
    /// Calls that an account begins within an hour.
    pub per_hour: u32,
}

impl Default for CallingPolicy {
    fn default() -> Self {
        Self {
            at_once: usize::MAX,
            per_hour: u32::MAX,
        }
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

/// Accounts that are counted at most.
const CAPACITY: usize = 100_000;

/// The account has as many calls as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// What an account did within an hour.
#[derive(Clone, Copy, Debug, Default)]
struct Hour {
    begun: u32,
    /// It was refused a call, and that is told once.
    is_told: bool,
}

/// The calls of the last hour, by account.
#[derive(Debug)]
pub(crate) struct Calling {
    policy: CallingPolicy,
    hours: HashMap<Aor, Hour>,
    order: VecDeque<(Instant, Aor)>,
    /// Who was refused and is not told yet.
    alarms: Vec<Aor>,
}

impl Calling {
    pub(crate) fn new(policy: CallingPolicy) -> Self {
        Self {
            policy,
            hours: HashMap::new(),
            order: VecDeque::new(),
            alarms: Vec::new(),
        }
    }

    /// Whether `aor`, who has `now_open` calls, may begin another one; if so it is counted.
    pub(crate) fn admit(
        &mut self,
        aor: &Aor,
        now_open: usize,
        now: Instant,
    ) -> Result<(), TooMany> {
        let CallingPolicy { at_once, per_hour } = self.policy;
        let is_over = now_open >= at_once;
        if !is_over && per_hour == u32::MAX {
            return Ok(());
        }
        let hour = self.hour(aor, now);
        if !is_over && hour.begun < per_hour {
            hour.begun += 1;
            return Ok(());
        }
        if !std::mem::replace(&mut hour.is_told, true) {
            self.alarms.push(aor.clone());
        }
        Err(TooMany)
    }

    /// An account that was refused a call for the first time within its hour.
    pub(crate) fn poll_alarm(&mut self) -> Option<Aor> {
        self.alarms.pop()
    }

    fn hour(&mut self, aor: &Aor, now: Instant) -> &mut Hour {
        while let Some((since, _)) = self.order.front()
            && (*since + HOUR <= now || self.order.len() > CAPACITY)
            && let Some((_, over)) = self.order.pop_front()
        {
            self.hours.remove(&over);
        }
        if !self.hours.contains_key(aor) {
            self.order.push_back((now, aor.clone()));
        }
        self.hours.entry(aor.clone()).or_default()
    }
}
