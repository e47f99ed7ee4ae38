//! Responses that need no transaction (RFC 3261, section 8.2.7).
//!
//! Sent once for each copy of the request, with a To tag that is the same for each copy, and not
//! at all where they would help somebody who lies about his address: over UDP a response never is
//! longer than one and a half times the request.

use tracing::debug;

use crate::flow::Flow;
use crate::header::name::NameId;
use crate::ids::Tag;
use crate::keyed::KeyedNumber;
use crate::message::{Fields, Malformed, Request, Response};
use crate::status::Status;

use super::Endpoint;

/// Makes To tags without remembering them.
#[derive(Debug)]
pub(super) struct Refusals {
    key: KeyedNumber,
}

impl Refusals {
    pub(super) fn new(key: [u8; 16]) -> Self {
        Self {
            key: KeyedNumber::new(key),
        }
    }

    /// The tag for every response of ours to `request`.
    pub(super) fn tag(&self, request: &Fields) -> Tag {
        // The same in every copy of the request, by whatever way it came.
        let fields = [NameId::FROM, NameId::CALL_ID, NameId::CSEQ];
        let texts = fields.map(|name| request.headers().first_of(name).unwrap_or_default());
        Tag::new(self.key.of(texts.map(str::as_bytes)))
    }
}

impl Endpoint {
    /// Answers `request`, which came in `length` bytes, with a bare `status`.
    pub(super) fn refuse(&mut self, request: &Request, flow: Flow, length: usize, status: Status) {
        let response = request.response(status, Some(&self.refusals.tag(request)));
        self.reply_or_drop(flow, &response, length);
    }

    /// Answers what is no SIP request, as far as it shows whom and what to answer.
    pub(super) fn refuse_malformed(&mut self, malformed: &Malformed, flow: Flow, length: usize) {
        let Some(request) = &malformed.request_head else {
            return;
        };
        let Some(mut response) = malformed.response(&self.refusals.tag(request)) else {
            return;
        };
        if response.stamp_via(flow.peer).is_ok() {
            self.reply_or_drop(flow, &response, length);
        }
    }

    /// Sends `response` once, unless it would amplify a request of `length` bytes.
    pub(super) fn reply_or_drop(&mut self, flow: Flow, response: &Response, length: usize) {
        if self.reply(flow, length, response).is_err() {
            debug!(%flow.peer, length, "reply would amplify, not sent");
        }
    }
}
