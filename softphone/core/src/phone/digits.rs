//! Digits that the person presses: the first way that the other side takes.
//!
//! Telephone-events if they were agreed on (RFC 4733); else INFO if the other side allows it, in the way of
//! before RFC 6086; else tones in the sound.

use std::time::Instant;

use sip::Private;

use super::Phone;
use crate::command::CallId;
use crate::event::Event;
use crate::info::{self, KeyWay};

impl Phone {
    pub(super) fn send_digits(&mut self, id: CallId, digits: &str, now: Instant) {
        let Some(call) = self.table.get(&id) else {
            return;
        };
        let has_events = call
            .negotiated()
            .is_some_and(|agreed| agreed.telephone_event.is_some());
        let takes_info = call.key.is_some_and(|key| self.calls.takes_info(key));
        if has_events || !takes_info || call.keys == KeyWay::Tones {
            return self.send_in_media(id, digits);
        }
        for digit in digits.chars() {
            self.send_info(id, digit.to_ascii_uppercase(), now);
        }
    }

    /// The other side does not take INFO like this: the digit goes in the next way.
    pub(super) fn handle_info_refused(
        &mut self,
        id: CallId,
        content_type: &str,
        body: &[u8],
        status: u16,
        now: Instant,
    ) {
        tracing::debug!(status, "digit in INFO refused");
        let Some(digit) = info::digit(content_type, body) else {
            return;
        };
        self.change(id, |call| call.keys = KeyWay::after(content_type, status));
        self.send_info(id, digit, now);
    }

    fn send_info(&mut self, id: CallId, digit: char, now: Instant) {
        let Some((key, way)) = self
            .table
            .get(&id)
            .and_then(|call| Some((call.key?, call.keys)))
        else {
            return;
        };
        let Some((content_type, body)) = way.body(digit) else {
            return self.send_in_media(id, &digit.to_string());
        };
        let sent = self
            .calls
            .info(key, content_type, body.into(), &mut self.endpoint, now);
        if let Err(error) = sent {
            tracing::debug!(%error, "digit not sent");
        }
    }

    fn send_in_media(&mut self, id: CallId, digits: &str) {
        self.tell(Event::SendDigits {
            call: id,
            digits: Private(digits.to_owned()),
        });
    }
}
