//! INVITE client transaction (RFC 3261, section 17.1.1, and RFC 6026, section 8.4).
//!
//! ```text
//!                 INVITE sent
//!                     │   A: send again
//!                ┌────▼────┐  B: fail
//!                │ Calling ├────────────────────────────┐
//!                └─┬──┬──┬─┘                            │
//!         1xx      │  │  │ 300–699: ACK                 │
//!      ┌───────────┘  │  └────────────┐                 │
//!  ┌───▼────────┐     │ 2xx     ┌─────▼─────┐ D         │
//!  │ Proceeding ├──┐  │    ┌───►│ Completed ├────────┐  │
//!  └─┬───┬──────┘  │  │    │    └───────────┘ again: │  │
//!    │   └─────────│──│────┘                   ACK   │  │
//!    │ C: cancel   │  │                              │  │
//!    │          ┌──▼──▼────┐ M                 ┌─────▼──▼───┐
//!    │          │ Accepted ├──────────────────►│ Terminated │
//!    │          └──────────┘ 2xx: deliver      └────────────┘
//!    └── Cancelled: fail ────────────────────────────▲
//! ```
//!
//! A CANCEL may only go out once a provisional response came (section 9.1), so the wish is kept
//! until then. What is not here: the CANCEL itself, a transaction of its own, and the ACK for a
//! 2xx, which belongs to the dialog.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::trace;

use super::timers::{Running, Timer, Timers};
use super::{Action, Reliability, TransactionError};
use crate::message::{Request, Response, parse_message};
use crate::method::Method;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Calling,
    Proceeding,
    Completed,
    Accepted,
    Terminated,
}

/// Whether the user wants the call ended before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Call,
    /// CANCEL wanted, but no provisional response yet.
    CancelLater,
    /// CANCEL sent.
    Cancelled,
}

/// Everything that can happen to the transaction.
#[derive(Debug)]
enum Input {
    Provisional(Box<Response>),
    Success(Box<Response>),
    Failure(Box<Response>),
    Cancel,
    Timer(Timer),
    TransportFailed,
}

#[derive(Debug)]
pub(crate) struct ClientInvite {
    state: State,
    wish: Wish,
    /// The INVITE until a final response came: to be sent again, and for ACK and CANCEL. Then the
    /// ACK for a failure.
    bytes: Bytes,
    resend_after: Duration,
    reliability: Reliability,
    base: Timers,
    timers: Running,
}

impl ClientInvite {
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
        timers.set(Timer::B, now + base.patience());
        if reliability == Reliability::Unreliable {
            timers.set(Timer::A, now + base.t1);
        }
        out.push(Action::Send(bytes.clone()));
        Self {
            state: State::Calling,
            wish: Wish::Call,
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

    /// The INVITE as it was sent, while no final response came.
    pub(crate) fn sent(&self) -> Option<&Bytes> {
        matches!(self.state, State::Calling | State::Proceeding).then_some(&self.bytes)
    }

    /// The INVITE, while no final response came. Read anew: it is asked for once or twice, and
    /// kept for minutes.
    pub(crate) fn request(&self) -> Option<Request> {
        parse_message(self.sent()?.clone()).ok()?.into_request()
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
            200..300 => Input::Success(response),
            300.. => Input::Failure(response),
        };
        self.step(input, now, out);
    }

    /// The user does not want the call any more.
    pub(crate) fn handle_cancel(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.step(Input::Cancel, now, out);
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
        use Input::{Cancel, Failure, Provisional, Success, TransportFailed};
        use State::{Accepted, Calling, Completed, Proceeding, Terminated};

        match (self.state, input) {
            (Calling, Input::Timer(Timer::A)) => {
                self.resend_after *= 2;
                self.timers.set(Timer::A, now + self.resend_after);
                out.push(Action::Send(self.bytes.clone()));
            }
            (Calling, Input::Timer(Timer::B)) | (Proceeding, Input::Timer(Timer::Cancelled)) => {
                out.push(Action::Fail(TransactionError::Timeout));
                self.enter(Terminated);
            }
            (Calling | Proceeding, Provisional(response)) => {
                out.push(Action::Deliver(response));
                self.proceed(now, out);
            }
            (Calling | Proceeding, Success(response)) => {
                out.push(Action::Deliver(response));
                self.enter(Accepted);
                self.timers.set(Timer::M, now + self.base.patience());
            }
            (Calling | Proceeding, Failure(response)) => {
                self.acknowledge(&response, out);
                out.push(Action::Deliver(response));
                match self.reliability {
                    Reliability::Reliable => self.enter(Terminated),
                    Reliability::Unreliable => {
                        self.enter(Completed);
                        self.timers.set(Timer::D, now + self.base.patience());
                    }
                }
            }
            (Calling, Cancel) => self.wish = Wish::CancelLater,
            (Proceeding, Cancel | Input::Timer(Timer::C)) => {
                if self.wish != Wish::Cancelled {
                    self.cancel(now, out);
                }
            }
            (Accepted, Success(response)) => out.push(Action::Deliver(response)),
            (Completed, Failure(_)) => out.push(Action::Send(self.bytes.clone())),
            (Accepted, Input::Timer(Timer::M)) | (Completed, Input::Timer(Timer::D)) => {
                self.enter(Terminated);
            }
            // The user has its final response already when the ACK cannot be sent.
            (Completed, TransportFailed) => self.enter(Terminated),
            (Calling | Proceeding, TransportFailed) => {
                out.push(Action::Fail(TransactionError::Transport));
                self.enter(Terminated);
            }
            (state, input) => trace!(?state, ?input, "ignored"),
        }
    }

    /// After a provisional response: no more retransmission, and timer C from its start
    /// (RFC 3261, section 16.7, step 2), unless a CANCEL is under way.
    fn proceed(&mut self, now: Instant, out: &mut Vec<Action>) {
        match self.wish {
            Wish::Call => {
                self.enter(State::Proceeding);
                self.timers.set(Timer::C, now + self.base.ringing);
            }
            Wish::CancelLater => {
                self.enter(State::Proceeding);
                self.cancel(now, out);
            }
            Wish::Cancelled => {}
        }
    }

    fn cancel(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.wish = Wish::Cancelled;
        self.timers.stop(Timer::C);
        self.timers
            .set(Timer::Cancelled, now + self.base.patience());
        out.push(Action::Cancel);
    }

    fn acknowledge(&mut self, response: &Response, out: &mut Vec<Action>) {
        if let Some(request) = self.request() {
            self.bytes = ack_for(&request, response).to_bytes();
            out.push(Action::Send(self.bytes.clone()));
        }
    }

    /// No timer outlives the state that armed it, and no bytes a state that sends them.
    fn enter(&mut self, state: State) {
        self.timers.clear();
        self.state = state;
        if matches!(state, State::Accepted | State::Terminated) {
            self.bytes = Bytes::new();
        }
    }
}

/// ACK for a final response other than 2xx (RFC 3261, section 17.1.1.3).
fn ack_for(invite: &Request, response: &Response) -> Request {
    let mut ack = hop_by_hop(invite, &Method::ACK);
    match response.header("To") {
        Some(to) => ack.push_header("To", to),
        None => copy(invite, "To", &mut ack),
    }
    ack
}

/// CANCEL for `invite` (RFC 3261, section 9.1).
pub(crate) fn cancel_for(invite: &Request, reason: Option<&str>) -> Request {
    let mut cancel = hop_by_hop(invite, &Method::CANCEL);
    copy(invite, "To", &mut cancel);
    if let Some(reason) = reason {
        cancel.push_header("Reason", reason);
    }
    cancel
}

/// What ACK and CANCEL share: the INVITE's own Via, Route set and identity, another method.
fn hop_by_hop(invite: &Request, method: &Method) -> Request {
    let mut request = Request::new(method.clone(), invite.uri.clone());
    if let Some(via) = invite.headers_named("Via").next() {
        request.push_header("Via", via);
    }
    for route in invite.headers_named("Route") {
        request.push_header("Route", route);
    }
    request.push_header("Max-Forwards", "70");
    copy(invite, "From", &mut request);
    copy(invite, "Call-ID", &mut request);
    if let Ok(cseq) = invite.cseq() {
        request.push_header("CSeq", format!("{} {method}", cseq.number));
    }
    request
}

fn copy(from: &Request, name: &str, to: &mut Request) {
    if let Some(value) = from.header(name) {
        to.push_header(name, value);
    }
}

#[cfg(test)]
mod tests;
