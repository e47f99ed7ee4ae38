//! What the door says to whom it does not let in, and how a request is answered at all.

use std::time::Instant;

use sip::{Aor, Endpoint, Flow, Response, Tag};

use crate::authentication::Standing;
use crate::proxy::Proxy;
use crate::waiting::{Answering, Pending};

/// Seconds after which a request that finds us too busy may be tried again.
const RETRY_AFTER_SECS: &str = "2";

/// The same where the tables are nearly full, which takes longer to pass.
const CROWDED_RETRY_AFTER_SECS: &str = "10";

impl Proxy {
    /// An answer to a proven sender that says no more than its status. ACK and CANCEL never come here.
    pub(crate) fn respond(&mut self, pending: &Pending, status: u16, now: Instant) {
        let tag = self.tag(pending);
        let response = pending.request.response(status, Some(&tag));
        self.send(pending, response, now);
    }

    /// The request may be tried again in a moment.
    pub(crate) fn busy(&mut self, pending: &Pending, now: Instant) {
        let tag = self.tag(pending);
        let mut response = pending.request.response(503, Some(&tag));
        response.push_header("Retry-After", RETRY_AFTER_SECS);
        self.send(pending, response, now);
    }

    /// The answer to a sender whom we believe.
    pub(crate) fn send(&mut self, pending: &Pending, response: Response, now: Instant) {
        match pending.answering {
            // A transaction that is over needs no answer.
            Answering::Transaction(transaction) => {
                let _ = self.endpoint.respond(transaction, response, now);
            }
            Answering::Stateless(_) => self.endpoint.respond_stateless(pending.flow, response),
        }
    }

    pub(super) fn refuse(
        &mut self,
        pending: &Pending,
        aor: &Aor,
        standing: Standing,
        now: Instant,
    ) {
        let Some(bytes) = self.release(pending) else {
            return;
        };
        let tag = self.tag(pending);
        let Pending { request, flow, .. } = pending;
        let source = flow.peer.ip();
        let refusals = self
            .authentication
            .refusals(request, aor, standing, source, &tag, now);
        let endpoint = &mut self.endpoint;
        let mut say = |answer: &Response| endpoint.reply(*flow, bytes, answer).is_ok();
        // Silence where every answer would amplify.
        let _ = say(&refusals.whole())
            || say(&refusals.shorter())
            || refusals.shortest().is_some_and(|shortest| say(&shortest));
    }

    /// Tells somebody who has proven nothing the first of these answers that his request is long enough for, and keeps nothing of him.
    pub(super) fn turn_away(
        &mut self,
        pending: &Pending,
        answers: impl IntoIterator<Item = Response>,
    ) {
        if let Some(bytes) = self.release(pending) {
            answer_first(answers, pending.flow, bytes, &mut self.endpoint);
        }
    }

    /// Ends the request's transaction, if it has one. Its length as it arrived; `None` if it is answered already.
    fn release(&mut self, pending: &Pending) -> Option<usize> {
        match pending.answering {
            Answering::Transaction(transaction) => {
                self.endpoint.forget(transaction).map(|(_, bytes)| bytes)
            }
            Answering::Stateless(bytes) => Some(bytes),
        }
    }

    /// The tag of every answer that the door itself gives.
    pub(super) fn tag(&self, pending: &Pending) -> Tag {
        self.endpoint.stateless_tag(&pending.request)
    }

    /// Too busy to begin anything new: nothing is kept of the request, which may be tried again.
    pub(super) fn put_off(&mut self, pending: &Pending) {
        let tag = self.tag(pending);
        let mut response = pending.request.response(503, Some(&tag));
        response.push_header("Retry-After", CROWDED_RETRY_AFTER_SECS);
        self.turn_away(pending, [response]);
    }

    /// No answer at all, and nothing is kept.
    pub(super) fn ignore(&mut self, pending: &Pending) {
        let _ = self.release(pending);
    }
}

/// Says the first of `answers` that a request of so many bytes is long enough for.
fn answer_first(
    answers: impl IntoIterator<Item = Response>,
    flow: Flow,
    request_bytes: usize,
    endpoint: &mut Endpoint,
) {
    // Silence where every answer would amplify.
    let _ = answers
        .into_iter()
        .find(|answer| endpoint.reply(flow, request_bytes, answer).is_ok());
}
