//! INVITE server transaction (RFC 3261, section 17.2.1, and RFC 6026, section 8.4).
//!
//! ```text
//!                  INVITE
//!                     │   Trying: send 100 · 1xx: send
//!              ┌──────▼─────┐  INVITE again: send last
//!              │ Proceeding ├───────────────────────────┐ Guard: send 408,
//!              └─┬────────┬─┘                           │        tell the user
//!      300–699:  │        │ 2xx: send                   │
//!      send ┌────▼──────┐ │                             │
//!           │ Completed │ └──────┐                      │
//!           └─┬───────┬─┘  ┌─────▼────┐ 2xx: send       │
//!   G: send   │ ACK   │    │ Accepted │ ACK: deliver    │
//!    ┌────────▼──┐    │    └─────┬────┘ INVITE: absorb  │
//!    │ Confirmed │    │ H: tell  │ L                    │
//!    └────────┬──┘    │          │                      │
//!           I └───────┴──────────┴──► Terminated ◄──────┘
//! ```
//!
//! The figure of RFC 3261 lets a server transaction wait for its user for ever. The Guard does
//! not. After a final response only its encoded form is kept.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::trace;

use super::timers::{Running, TRYING_AFTER, Timer, Timers};
use super::{Action, Reliability};
use crate::message::{Request, Response, ResponseHead};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Proceeding,
    Completed,
    Confirmed,
    Accepted,
    Terminated,
}

/// Everything that can happen to the transaction.
#[derive(Debug)]
enum Input {
    Invite,
    Ack,
    Provisional(Bytes),
    Success(Bytes),
    Failure(Bytes),
    Timer(Timer),
    TransportFailed,
}

/// What the transaction may have to answer without its user, and its user as long as it has not answered: the head of the INVITE.
#[derive(Debug)]
pub(crate) struct Head {
    copied: ResponseHead,
    /// For the To of a response of our own.
    tag: Box<str>,
}

impl Head {
    pub(crate) fn of(invite: &Request, tag: &str) -> Self {
        Self {
            copied: ResponseHead::of(invite),
            tag: tag.into(),
        }
    }

    /// A response of the user's.
    pub(crate) fn response(&self, status: u16, to_tag: Option<&str>) -> Response {
        self.copied.response(status, to_tag)
    }

    fn own_response(&self, status: u16) -> Bytes {
        let tag = (status > 100).then_some(&*self.tag);
        self.response(status, tag).to_bytes()
    }
}

#[derive(Debug)]
pub(crate) struct ServerInvite {
    state: State,
    /// Until the user has given a final response.
    head: Option<Box<Head>>,
    last: Option<Bytes>,
    resend_after: Duration,
    reliability: Reliability,
    base: Timers,
    timers: Running,
}

impl ServerInvite {
    /// A new INVITE arrived.
    pub(crate) fn start(head: Head, reliability: Reliability, base: Timers, now: Instant) -> Self {
        let mut timers = Running::default();
        timers.set(Timer::Trying, now + TRYING_AFTER);
        timers.set(Timer::Guard, now + base.ringing);
        Self {
            state: State::Proceeding,
            head: Some(Box::new(head)),
            last: None,
            resend_after: base.t1,
            reliability,
            base,
            timers,
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The INVITE, while it has no final response.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.head.as_deref()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The same INVITE arrived again.
    pub(crate) fn handle_invite(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.step(Input::Invite, now, out);
    }

    pub(crate) fn handle_ack(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.step(Input::Ack, now, out);
    }

    /// The user answers with `code`, encoded as `bytes`.
    pub(crate) fn respond(&mut self, code: u16, bytes: Bytes, now: Instant, out: &mut Vec<Action>) {
        let input = match code {
            ..200 => Input::Provisional(bytes),
            200..300 => Input::Success(bytes),
            300.. => Input::Failure(bytes),
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
        use Input::{Ack, Failure, Invite, Provisional, Success, TransportFailed};
        use State::{Accepted, Completed, Confirmed, Proceeding, Terminated};

        match (self.state, input) {
            (Proceeding, Input::Timer(Timer::Trying)) => {
                if let Some(trying) = self.head.as_ref().map(|head| head.own_response(100)) {
                    self.send(trying, out);
                }
            }
            (Proceeding, Provisional(bytes)) => {
                self.timers.stop(Timer::Trying);
                self.send(bytes, out);
            }
            (Proceeding | Completed, Invite) => {
                out.extend(self.last.clone().map(Action::Send));
            }
            (Proceeding, Success(bytes)) => {
                self.send(bytes, out);
                self.enter(Accepted);
                self.timers.set(Timer::L, now + self.base.patience());
            }
            (Proceeding, Failure(bytes)) => {
                self.send(bytes, out);
                self.complete(now);
            }
            (Proceeding, Input::Timer(Timer::Guard)) => {
                out.push(Action::Unanswered);
                if let Some(timeout) = self.head.take().map(|head| head.own_response(408)) {
                    self.send(timeout, out);
                }
                self.complete(now);
            }
            // The dialog layer sends its 2xx again until the ACK comes.
            (Accepted, Success(bytes)) => out.push(Action::Send(bytes)),
            (Completed, Input::Timer(Timer::G)) => {
                self.resend_after = (self.resend_after * 2).min(self.base.t2);
                self.timers.set(Timer::G, now + self.resend_after);
                out.extend(self.last.clone().map(Action::Send));
            }
            (Completed, Ack) => match self.reliability {
                Reliability::Reliable => self.enter(Terminated),
                Reliability::Unreliable => {
                    self.enter(Confirmed);
                    self.timers.set(Timer::I, now + self.base.t4);
                }
            },
            (Completed, Input::Timer(Timer::H)) => {
                out.push(Action::Unacknowledged);
                self.enter(Terminated);
            }
            (Confirmed, Input::Timer(Timer::I)) | (Accepted, Input::Timer(Timer::L)) => {
                self.enter(Terminated);
            }
            // There is no flow left on which the user could answer or an ACK arrive.
            (Proceeding, TransportFailed) => {
                out.push(Action::Unanswered);
                self.enter(Terminated);
            }
            (Completed, TransportFailed) => {
                out.push(Action::Unacknowledged);
                self.enter(Terminated);
            }
            (Accepted | Confirmed, TransportFailed) => self.enter(Terminated),
            (state, input) => trace!(?state, ?input, "ignored"),
        }
    }

    fn send(&mut self, bytes: Bytes, out: &mut Vec<Action>) {
        self.last = Some(bytes.clone());
        out.push(Action::Send(bytes));
    }

    fn complete(&mut self, now: Instant) {
        self.enter(State::Completed);
        self.timers.set(Timer::H, now + self.base.patience());
        if self.reliability == Reliability::Unreliable {
            self.timers.set(Timer::G, now + self.base.t1);
        }
    }

    /// No timer outlives the state that armed it, and no bytes a state that sends them.
    fn enter(&mut self, state: State) {
        self.timers.clear();
        self.state = state;
        self.head = None;
        if state != State::Completed {
            self.last = None;
        }
    }
}

#[cfg(test)]
mod tests;
