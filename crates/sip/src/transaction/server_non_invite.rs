//! Non-INVITE server transaction (RFC 3261, section 17.2.2).
//!
//! ```text
//!              request
//!                 │
//!            ┌────▼───┐
//!            │ Trying ├─────────── Guard: tell the user ──┐
//!            └─┬────┬─┘                                   │
//!   1xx: send  │    │ 200–699: send                       │
//!   ┌──────────▼─┐  └───────────┐                         │
//!   │ Proceeding ├─────────►┌───▼───────┐ J        ┌──────▼─────┐
//!   └──────────┬─┘          │ Completed ├─────────►│ Terminated │
//!  again: send │            └───────────┘          └──────▲─────┘
//!              │             again: send                  │
//!              └───────────────── Guard ──────────────────┘
//! ```
//!
//! The figure lets a transaction wait for its user for ever; the Guard ends it after 64·T1, without
//! a response, because the client has given up by then (RFC 4320, section 4.2).

use std::time::Instant;

use bytes::Bytes;
use tracing::trace;

use super::timers::{Running, Timer, Timers};
use super::{Action, Reliability};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

/// Everything that can happen to the transaction.
#[derive(Debug)]
enum Input {
    Request,
    Provisional(Bytes),
    Final(Bytes),
    Timer(Timer),
    TransportFailed,
}

#[derive(Debug)]
pub(crate) struct ServerNonInvite {
    state: State,
    last: Option<Bytes>,
    reliability: Reliability,
    base: Timers,
    timers: Running,
}

impl ServerNonInvite {
    /// A new request arrived.
    pub(crate) fn start(reliability: Reliability, base: Timers, now: Instant) -> Self {
        let mut timers = Running::default();
        timers.set(Timer::Guard, now + base.patience());
        Self {
            state: State::Trying,
            last: None,
            reliability,
            base,
            timers,
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The same request arrived again.
    pub(crate) fn handle_request(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.step(Input::Request, now, out);
    }

    /// The user answers with `code`, encoded as `bytes`.
    pub(crate) fn respond(&mut self, code: u16, bytes: Bytes, now: Instant, out: &mut Vec<Action>) {
        let input = match code {
            ..200 => Input::Provisional(bytes),
            200.. => Input::Final(bytes),
        };
        self.step(input, now, out);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Action>) {
        while let Some(timer) = self.timers.take_due(now) {
            self.step(Input::Timer(timer), now, out);
        }
    }

    pub(crate) fn handle_transport_failure(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.step(Input::TransportFailed, now, out);
    }

    /// One transition. Reads like the figure: from, on, to.
    fn step(&mut self, input: Input, now: Instant, out: &mut Vec<Action>) {
        use Input::{Final, Provisional, Request, TransportFailed};
        use State::{Completed, Proceeding, Terminated, Trying};

        match (self.state, input) {
            // The Guard runs on: not `enter`, which would clear it.
            (Trying | Proceeding, Provisional(bytes)) => {
                self.send(bytes, out);
                self.state = Proceeding;
            }
            (Trying | Proceeding, Final(bytes)) => {
                self.send(bytes, out);
                match self.reliability {
                    Reliability::Reliable => self.enter(Terminated),
                    Reliability::Unreliable => {
                        self.enter(Completed);
                        self.timers.set(Timer::J, now + self.base.patience());
                    }
                }
            }
            (Proceeding | Completed, Request) => out.extend(self.last.clone().map(Action::Send)),
            (Completed, Input::Timer(Timer::J)) => self.enter(Terminated),
            (Trying | Proceeding, Input::Timer(Timer::Guard) | TransportFailed) => {
                out.push(Action::Unanswered);
                self.enter(Terminated);
            }
            (Completed, TransportFailed) => self.enter(Terminated),
            (state, input) => trace!(?state, ?input, "ignored"),
        }
    }

    fn send(&mut self, bytes: Bytes, out: &mut Vec<Action>) {
        self.last = Some(bytes.clone());
        out.push(Action::Send(bytes));
    }

    /// No timer outlives the state that armed it.
    fn enter(&mut self, state: State) {
        self.timers.clear();
        self.state = state;
    }
}

#[cfg(test)]
mod tests;
