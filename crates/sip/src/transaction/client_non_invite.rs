//! Non-INVITE client transaction (RFC 3261, section 17.1.2).
//!
//! ```text
//!            request sent
//!                 │  E: send again
//!            ┌────▼───┐ F: fail
//!            │ Trying ├───────────────────────────┐
//!            └─┬────┬─┘                           │
//!         1xx  │    │ 200–699                     │
//!   ┌──────────▼─┐  └───────────┐                 │
//!   │ Proceeding │ 200–699 ┌────▼──────┐ K  ┌─────▼──────┐
//!   │            ├────────►│ Completed ├───►│ Terminated │
//!   └──────────┬─┘         └───────────┘    └─────▲──────┘
//!    E: again  └────────────── F: fail ───────────┘
//! ```
//!
//! A provisional response does not stop the retransmissions, it slows them to T2.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::trace;

use super::timers::{Running, Timer, Timers};
use super::{Action, Reliability, TransactionError};
use crate::message::{Request, Response};

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
    Provisional(Box<Response>),
    Final(Box<Response>),
    Timer(Timer),
    TransportFailed,
}

#[derive(Debug)]
pub(crate) struct ClientNonInvite {
    state: State,
    /// The request, until it is answered.
    bytes: Bytes,
    resend_after: Duration,
    reliability: Reliability,
    base: Timers,
    timers: Running,
}

impl ClientNonInvite {
    /// Sends `request` for the first time. Its top Via is ours.
    pub(crate) fn start(
        request: &Request,
        reliability: Reliability,
        base: Timers,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Self {
        let bytes = request.to_bytes();
        let mut timers = Running::default();
        timers.set(Timer::F, now + base.patience());
        if reliability == Reliability::Unreliable {
            timers.set(Timer::E, now + base.t1);
        }
        out.push(Action::Send(bytes.clone()));
        Self {
            state: State::Trying,
            bytes,
            resend_after: base.t1,
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

    pub(crate) fn handle_response(
        &mut self,
        response: Box<Response>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let input = match response.status.code() {
            ..200 => Input::Provisional(response),
            200.. => Input::Final(response),
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
        use Input::{Final, Provisional, TransportFailed};
        use State::{Completed, Proceeding, Terminated, Trying};

        match (self.state, input) {
            (Trying, Input::Timer(Timer::E)) => {
                self.resend_after = (self.resend_after * 2).min(self.base.t2);
                self.resend(now, out);
            }
            (Proceeding, Input::Timer(Timer::E)) => {
                self.resend_after = self.base.t2;
                self.resend(now, out);
            }
            (Trying | Proceeding, Input::Timer(Timer::F)) => {
                out.push(Action::Fail(TransactionError::Timeout));
                self.enter(Terminated);
            }
            // Timers E and F run on: not `enter`, which would clear them.
            (Trying | Proceeding, Provisional(response)) => {
                out.push(Action::Deliver(response));
                self.state = Proceeding;
            }
            (Trying | Proceeding, Final(response)) => {
                out.push(Action::Deliver(response));
                match self.reliability {
                    Reliability::Reliable => self.enter(Terminated),
                    Reliability::Unreliable => {
                        self.enter(Completed);
                        self.timers.set(Timer::K, now + self.base.t4);
                    }
                }
            }
            (Completed, Input::Timer(Timer::K)) => self.enter(Terminated),
            (Trying | Proceeding, TransportFailed) => {
                out.push(Action::Fail(TransactionError::Transport));
                self.enter(Terminated);
            }
            (state, input) => trace!(?state, ?input, "ignored"),
        }
    }

    fn resend(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.timers.set(Timer::E, now + self.resend_after);
        out.push(Action::Send(self.bytes.clone()));
    }

    /// No timer outlives the state that armed it, and the request no state that sends it.
    fn enter(&mut self, state: State) {
        self.timers.clear();
        self.state = state;
        self.bytes = Bytes::new();
    }
}

#[cfg(test)]
mod tests;
