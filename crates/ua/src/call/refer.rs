//! REFER inside a call, both sides, with the subscription that it makes (RFC 3515; RFC 6665; RFC
//! 4488 for REFER without one).
//!
//! ```text
//!   refer ──► REFER ──► 202 ──► NOTIFY 100 … 180 … ──► NOTIFY 200, terminated
//!                │        └─ Refer-Sub: false: no NOTIFY comes, 202 is told
//!                └─ refusal: its status is told
//!
//!   REFER ──► Referred ──► accept_refer: 202, NOTIFY 100 ──► notify_refer: NOTIFY … until final
//!                      └─► refuse_refer
//! ```
//!
//! Invariants: one REFER of each side at a time in one call; one NOTIFY under way at a time, and
//! what changes meanwhile is told by the next; the owner hears exactly one final status.
//!
//! Not here: the call that is asked for (the owners).

use std::time::{Duration, Instant};

use sip::{
    ClientTransaction, Method, Request, Response, ServerTransaction, Substate, TransactionError,
};

use super::state::{Call, Phase, Turn};
use super::table::Purpose;
use super::{CallError, CallEvent, CallFailure, ReferId, ReferTarget};

/// The event package (RFC 3515, section 3).
const PACKAGE: &str = "refer";

/// What a NOTIFY carries: the status line of the response that the new call got.
const FRAGMENT: &str = "message/sipfrag;version=2.0";

/// How long the subscription lives at most: as long as a call may ring, and a little more.
const LIFE: Duration = Duration::from_secs(300);

/// Our REFER.
#[derive(Debug)]
pub(super) struct Referral {
    /// Its number, which NOTIFY may repeat as `id`.
    sequence: u32,
    /// To answer a challenge; `None` once it was accepted.
    request: Option<Box<Request>>,
    /// The last status that was told.
    told: u16,
    /// When no NOTIFY is awaited any more.
    until: Option<Instant>,
}

impl Referral {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.until
    }
}

/// The peer's REFER.
#[derive(Debug)]
pub(super) struct Subscription {
    id: ReferId,
    /// Until the owner has decided.
    asked: Option<(ServerTransaction, Box<Request>)>,
    /// The peer wants no NOTIFY (RFC 4488).
    silent: bool,
    /// The value of Event.
    event: String,
    /// A NOTIFY has no response yet.
    under_way: bool,
    /// What to tell next.
    next: Option<u16>,
    ends_at: Option<Instant>,
}

impl Call {
    /// The owner wants the peer to call somebody else.
    pub(super) fn refer(
        &mut self,
        target: &ReferTarget,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        let is_free = self.referral.as_ref().is_none_or(|last| last.told >= 200);
        if !matches!(self.phase, Phase::Established) || self.told_end || !is_free {
            return Err(CallError::WrongState);
        }
        let dialog = self.dialog.as_mut().ok_or(CallError::WrongState)?;
        let mut request = dialog.request(Method::REFER);
        request.push_header("Contact", &*self.contact);
        request.push_header("Refer-To", target.refer_to.to_string());
        if let Some(by) = &target.referred_by {
            request.push_header("Referred-By", by.to_string());
        }
        request.push_header("Supported", "norefersub");
        self.login.prepare(&mut request);
        self.send_refer(request, turn).ok_or(CallError::WrongState)
    }

    fn send_refer(&mut self, request: Request, turn: &mut Turn<'_>) -> Option<()> {
        let sequence = request.cseq().map_or(0, |cseq| cseq.number);
        self.send(request.clone(), Purpose::Refer, turn)?;
        self.referral = Some(Box::new(Referral {
            sequence,
            request: Some(Box::new(request)),
            told: 0,
            until: None,
        }));
        Some(())
    }

    /// Our REFER got a response.
    pub(super) fn handle_refer_response(
        &mut self,
        transaction: ClientTransaction,
        response: &Response,
        turn: &mut Turn<'_>,
    ) {
        if response.status.is_provisional() {
            return;
        }
        turn.index.remove_client(transaction);
        let Some(referral) = &mut self.referral else {
            return;
        };
        match response.status.code() {
            200..=299 => {
                referral.request = None;
                if response.refer_sub() == Ok(Some(false)) {
                    self.tell_referral(202, turn);
                } else if referral.until.is_none() {
                    referral.until = Some(turn.now + turn.endpoint.timers().patience());
                }
            }
            401 | 407 if self.refer_again(response, turn) => {}
            // The peer knows nothing of this call (RFC 5057, section 5.1).
            status @ (408 | 481) => {
                self.tell_referral(status, turn);
                self.break_off(CallFailure::Lost, turn);
            }
            status => self.tell_referral(status, turn),
        }
    }

    fn refer_again(&mut self, response: &Response, turn: &mut Turn<'_>) -> bool {
        let Some(mut request) = self
            .referral
            .as_mut()
            .and_then(|referral| referral.request.take())
        else {
            return false;
        };
        let Some(dialog) = &mut self.dialog else {
            return false;
        };
        let cseq = format!("{} REFER", dialog.next_sequence());
        request.set_header("CSeq", cseq);
        let answered = self
            .login
            .answer(response, &mut request, turn.endpoint.ids());
        answered.is_ok() && self.send_refer(*request, turn).is_some()
    }

    /// Our REFER will get no response: the peer is gone.
    pub(super) fn handle_refer_failure(&mut self, error: TransactionError, turn: &mut Turn<'_>) {
        let (status, failure) = match error {
            TransactionError::Timeout => (408, CallFailure::Lost),
            TransactionError::Transport => (503, CallFailure::Unreachable),
        };
        self.tell_referral(status, turn);
        if !self.told_end {
            self.break_off(failure, turn);
        }
    }

    /// The peer tells how the call goes that we asked for.
    pub(super) fn handle_notify(
        &mut self,
        transaction: ServerTransaction,
        notify: &Request,
        turn: &mut Turn<'_>,
    ) {
        let Ok(Some(event)) = notify.event() else {
            return self.refuse_notify(transaction, notify, 489, turn);
        };
        if !event.package.eq_ignore_ascii_case(PACKAGE) {
            return self.refuse_notify(transaction, notify, 489, turn);
        }
        let ours = |referral: &&mut Box<Referral>| {
            let id = event.id.as_deref().map(str::parse);
            id.is_none_or(|id| id == Ok(referral.sequence))
        };
        let Some(referral) = self.referral.as_mut().filter(ours) else {
            return self.refuse_notify(transaction, notify, 481, turn);
        };
        let Ok(Some(state)) = notify.subscription_state() else {
            return self.refuse_notify(transaction, notify, 400, turn);
        };
        turn.respond(transaction, notify.response(200, None));
        let is_over = matches!(state.state, Substate::Terminated);
        let life = state.expires.map_or(LIFE, |expires| {
            Duration::from_secs(u64::from(expires)).min(LIFE)
        });
        if referral.told < 200 {
            referral.until = Some(turn.now + life + turn.endpoint.timers().patience());
        }
        if let Some(status) = status_in(notify.body()) {
            self.tell_referral(status, turn);
        }
        if is_over {
            // Nothing more comes: without a final status nobody knows how it went.
            self.tell_referral(202, turn);
        }
    }

    fn refuse_notify(
        &self,
        transaction: ServerTransaction,
        notify: &Request,
        status: u16,
        turn: &mut Turn<'_>,
    ) {
        let mut response = notify.response(status, None);
        if status == 489 {
            response.push_header("Allow-Events", PACKAGE);
        }
        turn.respond(transaction, response);
    }

    /// Nothing was heard of the transfer for too long.
    pub(super) fn handle_referral_timeout(&mut self, turn: &mut Turn<'_>) {
        let due = |referral: &Referral| referral.until.is_some_and(|until| until <= turn.now);
        if self.referral.as_deref().is_some_and(due) {
            self.tell_referral(408, turn);
        }
    }

    /// Tells the owner a status, unless the final one was told.
    fn tell_referral(&mut self, status: u16, turn: &mut Turn<'_>) {
        let Some(referral) = self.referral.as_mut().filter(|last| last.told < 200) else {
            return;
        };
        referral.told = status;
        if status >= 200 {
            referral.until = None;
            referral.request = None;
        }
        self.tell(
            CallEvent::ReferProgress {
                call: self.key,
                status,
            },
            turn,
        );
    }

    /// The peer wants us to call somebody else.
    pub(super) fn handle_refer(
        &mut self,
        transaction: ServerTransaction,
        request: Request,
        turn: &mut Turn<'_>,
    ) {
        let sequence = request.cseq().map_or(0, |cseq| cseq.number);
        let refusal = self.refusal_of_refer(&request);
        let (Ok(Some(refer_to)), None) = (request.refer_to(), refusal) else {
            return turn.respond(transaction, request.response(refusal.unwrap_or(400), None));
        };
        let Ok(replaces) = refer_to.replaces() else {
            return turn.respond(transaction, request.response(400, None));
        };
        let id = ReferId(sequence);
        let referred_by = request.referred_by().ok().flatten();
        // The first needs no id (RFC 3515, section 2.4.6), and some phones expect none.
        let event = match self.subscription {
            None => PACKAGE.to_owned(),
            Some(_) => format!("{PACKAGE};id={sequence}"),
        };
        turn.index.add_server(transaction, self.key);
        self.subscription = Some(Box::new(Subscription {
            id,
            silent: request.refer_sub() == Ok(Some(false)),
            asked: Some((transaction, Box::new(request))),
            event,
            under_way: false,
            next: None,
            ends_at: None,
        }));
        self.tell(
            CallEvent::Referred {
                call: self.key,
                id,
                refer_to: Box::new(refer_to),
                replaces,
                referred_by: referred_by.map(Box::new),
            },
            turn,
        );
    }

    fn refusal_of_refer(&self, request: &Request) -> Option<u16> {
        let is_busy = self
            .subscription
            .as_ref()
            .is_some_and(|last| last.asked.is_some() || last.ends_at.is_some());
        match request.refer_to() {
            _ if self.told_end => Some(481),
            _ if !matches!(self.phase, Phase::Established) || is_busy => Some(491),
            Ok(Some(refer_to)) if refer_to.method() != Some(Method::INVITE) => Some(501),
            Ok(Some(_)) => None,
            Ok(None) | Err(_) => Some(400),
        }
    }

    /// The owner tries.
    pub(super) fn accept_refer(
        &mut self,
        id: ReferId,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        let (transaction, request) = self.take_asked(id)?;
        let Some(subscription) = &mut self.subscription else {
            return Err(CallError::WrongState);
        };
        turn.index.remove_server(transaction);
        let mut response = request.response(if subscription.silent { 200 } else { 202 }, None);
        response.push_header("Contact", &*self.contact);
        if subscription.silent {
            response.push_header("Refer-Sub", "false");
        } else {
            subscription.ends_at = Some(turn.now + LIFE);
        }
        turn.respond(transaction, response);
        self.notify_refer(id, 100, turn)
    }

    /// The owner does not try.
    pub(super) fn refuse_refer(
        &mut self,
        id: ReferId,
        status: u16,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        let (transaction, request) = self.take_asked(id)?;
        turn.index.remove_server(transaction);
        turn.respond(transaction, request.response(status, None));
        Ok(())
    }

    fn take_asked(&mut self, id: ReferId) -> Result<(ServerTransaction, Box<Request>), CallError> {
        self.subscription
            .as_mut()
            .filter(|subscription| subscription.id == id)
            .and_then(|subscription| subscription.asked.take())
            .ok_or(CallError::WrongState)
    }

    /// The owner has news of the call that the peer asked for.
    pub(super) fn notify_refer(
        &mut self,
        id: ReferId,
        status: u16,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        let subscription = self
            .subscription
            .as_mut()
            .filter(|subscription| subscription.id == id && subscription.asked.is_none())
            .ok_or(CallError::WrongState)?;
        if subscription.silent {
            return Ok(());
        }
        if subscription.ends_at.is_none() {
            return Err(CallError::WrongState);
        }
        subscription.next = Some(status);
        if !subscription.under_way {
            self.send_notify(turn);
        }
        Ok(())
    }

    fn send_notify(&mut self, turn: &mut Turn<'_>) {
        let Some(dialog) = &mut self.dialog else {
            return;
        };
        let Some(subscription) = &mut self.subscription else {
            return;
        };
        let Some(status) = subscription.next.take() else {
            return;
        };
        let Some(ends_at) = subscription.ends_at else {
            return;
        };
        let mut notify = dialog.request(Method::NOTIFY);
        notify.push_header("Contact", &*self.contact);
        notify.push_header("Event", &*subscription.event);
        let state = if status < 200 {
            let left = ends_at.saturating_duration_since(turn.now).as_secs();
            format!("active;expires={left}")
        } else {
            subscription.ends_at = None;
            "terminated;reason=noresource".to_owned()
        };
        notify.push_header("Subscription-State", state);
        let line = format!("SIP/2.0 {}\r\n", sip::Status::new(status));
        notify.set_body(FRAGMENT, line);
        subscription.under_way = true;
        self.login.prepare(&mut notify);
        if self.send(notify, Purpose::Notify, turn).is_none()
            && let Some(subscription) = &mut self.subscription
        {
            subscription.under_way = false;
        }
    }

    /// Our NOTIFY was answered, or will not be.
    pub(super) fn handle_notify_response(
        &mut self,
        response: Option<&Response>,
        turn: &mut Turn<'_>,
    ) {
        let Some(subscription) = &mut self.subscription else {
            return;
        };
        subscription.under_way = false;
        // A peer that does not know the subscription, or is silent, hears no more of it.
        let is_known =
            response.is_some_and(|response| !matches!(response.status.code(), 408 | 481));
        if !is_known {
            subscription.ends_at = None;
            subscription.next = None;
        }
        self.send_notify(turn);
    }

    /// The call ends: what the peer has not heard yet is told now or never.
    pub(super) fn end_subscription(&mut self, turn: &mut Turn<'_>) {
        if let Some((transaction, request)) = self
            .subscription
            .as_mut()
            .and_then(|subscription| subscription.asked.take())
        {
            turn.index.remove_server(transaction);
            turn.respond(transaction, request.response(487, None));
        }
        self.send_notify(turn);
    }
}

/// The status of the first line of a `message/sipfrag` body (RFC 3420).
fn status_in(body: &[u8]) -> Option<u16> {
    let line = body.split(|byte| *byte == b'\r' || *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    if !words.next()?.eq_ignore_ascii_case("SIP/2.0") {
        return None;
    }
    let status = words.next()?.parse().ok()?;
    (100..700).contains(&status).then_some(status)
}
