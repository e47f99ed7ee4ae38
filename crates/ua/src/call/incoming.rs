//! The callee's side until the call is acknowledged or fails (RFC 3261, section 13.3).

use std::collections::VecDeque;
use std::time::Duration;

use sdp::{AnswerError, Described};
use sip::{
    Destination, Dialog, Endpoint, Flow, Request, Response, ServerTransaction, Transport, Uri,
};

use super::reliable::Reliable;

use super::body::{Admitted, description_in, push_capabilities, reasons_in, set_description};
use super::outgoing::{takes_info, takes_update};
use super::session_timer::Demand;
use super::state::{Call, Change, Path, Phase, Ringing, Side, Turn, Unacked, UnackedKind};
use super::{CallError, CallEvent, CallFailure, CallKey, EndReason};
use crate::login::Login;

/// How often a provisional response is repeated (RFC 3261, section 13.3.1.1).
const REMIND_EVERY: Duration = Duration::from_secs(60);

impl Call {
    /// A new call came in and passed the checks. The error is the status to refuse it with.
    pub(super) fn ring(
        transaction: ServerTransaction,
        request: &Request,
        tag: &str,
        admitted: &Admitted,
        flow: Flow,
        key: CallKey,
        turn: &mut Turn<'_>,
    ) -> Result<Self, u16> {
        let dialog = Dialog::new_uas(request, tag).map_err(|error| error.reply_status())?;
        turn.index.add_tag(tag, key);
        turn.index.add_server(transaction, key);
        Ok(Self {
            key,
            tag: tag.into(),
            side: Side::Incoming,
            phase: Phase::Ringing(Box::new(Ringing {
                sequence: request.cseq().map_or(0, |cseq| cseq.number),
                transaction,
                timer: admitted.timer,
                reminder: None,
                reliable: Reliable::for_invite(request, turn.config),
            })),
            dialog: Some(dialog),
            destination: Destination::Flow(flow),
            path: Path::Flow,
            contact: own_contact(request, flow, turn.endpoint),
            login: Login::new(None),
            local: None,
            remote: admitted.offer.clone(),
            timer: None,
            min_se_secs: turn.config.min_se_secs(),
            peer_takes_update: takes_update(request),
            peer_takes_info: takes_info(request),
            infos: VecDeque::new(),
            unacked: None,
            pending_ack: None,
            change: Change::None,
            wanted: None,
            peer_offer: None,
            farewell: None,
            late_rseq: None,
            replaces: admitted.replaces,
            referral: None,
            subscription: None,
            said: Vec::new(),
            told_end: false,
            shown: None,
            armed: None,
            rests_on: None,
        })
    }

    /// Sends a provisional response.
    pub(super) fn progress(
        &mut self,
        status: u16,
        description: Option<Described>,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        if !matches!(self.phase, Phase::Ringing(_)) {
            return Err(CallError::WrongState);
        }
        if !self.progress_reliably(status, description.as_ref(), turn) {
            self.progress_once(status, description, turn);
        }
        if let Phase::Ringing(ringing) = &mut self.phase {
            ringing.reminder = Some((status, turn.now + REMIND_EVERY));
        }
        Ok(())
    }

    fn progress_once(&mut self, status: u16, description: Option<Described>, turn: &mut Turn<'_>) {
        let Phase::Ringing(ringing) = &self.phase else {
            return;
        };
        let transaction = ringing.transaction;
        let described = ringing.has_described();
        let Some(mut response) = self.response_to_invite(status, turn) else {
            return;
        };
        if let Some(description) = description.filter(|_| !described) {
            set_description(&mut response, &description);
            // What was said early is the answer, unless the final one says otherwise.
            self.local = Some(description);
        }
        turn.respond(transaction, response);
    }

    /// A minute has passed since the last provisional response.
    pub(super) fn remind(&mut self, turn: &mut Turn<'_>) {
        let Phase::Ringing(ringing) = &mut self.phase else {
            return;
        };
        if let Some((status, _)) = ringing.reminder.take_if(|(_, at)| *at <= turn.now) {
            let said = self.local.clone();
            // Ringing, as was just seen: it cannot be refused.
            let _ = self.progress(status, said, turn);
        }
    }

    /// Answers the call with 200.
    pub(super) fn answer(
        &mut self,
        description: Option<Described>,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        let Phase::Ringing(ringing) = &mut self.phase else {
            return Err(CallError::WrongState);
        };
        if ringing.must_wait() {
            ringing.hold_answer(description);
            return Ok(());
        }
        self.refuse_peer_offer(turn);
        let Phase::Ringing(ringing) = &self.phase else {
            return Err(CallError::WrongState);
        };
        let Some(mut response) = self.response_to_invite(200, turn) else {
            return Err(CallError::WrongState);
        };
        if !ringing.has_described() {
            let description = description.or(self.local.take());
            if let Some(description) = &description {
                set_description(&mut response, description);
            }
            self.local = description;
        }
        let (transaction, timer) = (ringing.transaction, ringing.timer);
        self.late_rseq = ringing.late_rseq();
        let sequence = ringing.sequence;
        if let Demand::Accept(accepted) = timer {
            self.timer = Some(accepted.apply(&mut response, turn.now));
        }
        self.phase = Phase::Established;
        if let Some(dialog) = &mut self.dialog {
            dialog.confirm();
        }
        turn.index.remove_server(transaction);
        self.send_success(transaction, response, sequence, UnackedKind::First, turn);
        Ok(())
    }

    /// Refuses the call; the owner is not told what it wanted itself, only that it is over.
    pub(super) fn reject(
        &mut self,
        status: u16,
        reason: EndReason,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        self.reject_saying(status, None, reason, turn)
    }

    /// Refuses the call because of its offer, and says in a Warning what is wrong with it (RFC 3261 section 20.43).
    pub(super) fn refuse_offer(
        &mut self,
        error: &AnswerError,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        let text = error.to_string().replace(['"', '\\'], "'");
        let warning = format!("{} phone \"{text}\"", warn_code(error));
        let reason = EndReason::LocalHangUp;
        self.reject_saying(error.reply_status(), Some(&warning), reason, turn)
    }

    fn reject_saying(
        &mut self,
        status: u16,
        warning: Option<&str>,
        reason: EndReason,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        let Phase::Ringing(ringing) = &self.phase else {
            return Err(CallError::WrongState);
        };
        let transaction = ringing.transaction;
        turn.index.remove_server(transaction);
        let response = turn
            .endpoint
            .invite_response(transaction, status, &self.tag);
        if let Some(mut response) = response {
            if let Some(warning) = warning {
                response.push_header("Warning", warning);
            }
            turn.respond(transaction, response);
        }
        self.finish(reason, turn);
        Ok(())
    }

    /// The caller gave up. The CANCEL is answered already.
    pub(super) fn handle_cancel(
        &mut self,
        transaction: ServerTransaction,
        cancel: &Request,
        turn: &mut Turn<'_>,
    ) {
        if self
            .peer_offer
            .as_ref()
            .is_some_and(|offer| offer.transaction == transaction)
        {
            self.refuse_peer_offer(turn);
            return;
        }
        self.said = reasons_in(cancel);
        let elsewhere = self.said.iter().any(|reason| {
            reason.protocol.eq_ignore_ascii_case("SIP") && reason.cause() == Some(200)
        });
        let reason = if elsewhere {
            EndReason::AnsweredElsewhere
        } else {
            EndReason::Cancelled
        };
        // A call that has left this state was answered at the same moment: the 2xx stands.
        let _ = self.reject(487, reason, turn);
    }

    /// The endpoint ended a request that the owner never answered: the INVITE, or a later offer.
    pub(super) fn handle_unanswered(
        &mut self,
        transaction: ServerTransaction,
        turn: &mut Turn<'_>,
    ) {
        turn.index.remove_server(transaction);
        match &self.phase {
            Phase::Ringing(ringing) if ringing.transaction == transaction => {
                self.finish(EndReason::Failed(CallFailure::NoAnswer), turn);
            }
            _ => {
                self.peer_offer = None;
                self.proceed_after_prack(turn);
            }
        }
    }

    /// Sends a 2xx to an INVITE, again and again until its ACK comes.
    pub(super) fn send_success(
        &mut self,
        transaction: ServerTransaction,
        response: Response,
        sequence: u32,
        kind: UnackedKind,
        turn: &mut Turn<'_>,
    ) {
        let timers = turn.endpoint.timers();
        let answer = turn.answer(transaction, response);
        self.unacked = Some(Box::new(Unacked {
            transaction,
            answer,
            sequence,
            kind,
            resend_at: turn.now + timers.t1,
            resend_after: timers.t1,
            give_up_at: turn.now + timers.patience(),
        }));
    }

    /// The ACK for a 2xx is late: send the 2xx again, or give the call up.
    pub(super) fn handle_unacked_timeout(&mut self, turn: &mut Turn<'_>) {
        let Some(unacked) = &mut self.unacked else {
            return;
        };
        if unacked.give_up_at <= turn.now {
            self.unacked = None;
            let reason = self.farewell.take().and_then(|farewell| farewell.reason);
            self.tell_end(EndReason::Failed(CallFailure::Lost), turn);
            self.leave(reason, turn);
        } else if unacked.resend_at <= turn.now {
            unacked.resend_after = (unacked.resend_after * 2).min(turn.endpoint.timers().t2);
            unacked.resend_at = turn.now + unacked.resend_after;
            if let Some(answer) = &unacked.answer {
                turn.endpoint
                    .respond_again(unacked.transaction, answer, turn.now);
            }
        }
    }

    /// An ACK of this dialog came.
    pub(super) fn handle_ack(&mut self, ack: &Request, turn: &mut Turn<'_>) {
        let number = ack.cseq().map(|cseq| cseq.number).ok();
        let Some(unacked) = self
            .unacked
            .take_if(|unacked| number == Some(unacked.sequence))
        else {
            return;
        };
        let answer = description_in(ack);
        if answer.is_some() {
            self.remote = answer.clone();
        }
        match unacked.kind {
            UnackedKind::First => {
                self.tell(
                    CallEvent::Confirmed {
                        call: self.key,
                        answer,
                    },
                    turn,
                );
            }
            UnackedKind::Offer => {
                self.tell(
                    CallEvent::Reanswered {
                        call: self.key,
                        answer,
                    },
                    turn,
                );
            }
            UnackedKind::Answer => {}
        }
        if let Some(farewell) = self.farewell.take() {
            self.leave(farewell.reason, turn);
        }
    }

    /// A response that belongs to the dialog: tag, Contact, Record-Route, what we can do.
    pub(super) fn response(&self, request: &Request, status: u16) -> Response {
        let mut response = request.response(status, Some(&self.tag));
        response
            .headers_mut()
            .copy("Record-Route", request.headers());
        push_capabilities(&mut response, &self.contact);
        response
    }

    /// A response to the INVITE that still has no final one.
    pub(super) fn response_to_invite(&self, status: u16, turn: &Turn<'_>) -> Option<Response> {
        let Phase::Ringing(ringing) = &self.phase else {
            return None;
        };
        let transaction = ringing.transaction;
        let mut response = turn
            .endpoint
            .invite_response(transaction, status, &self.tag)?;
        push_capabilities(&mut response, &self.contact);
        Some(response)
    }

    /// The call takes its place now: whose.
    pub(super) fn take_replaced(&mut self) -> Option<CallKey> {
        match self.phase {
            Phase::Established => self.replaces.take(),
            _ => None,
        }
    }
}

/// The Contact of a call that came to us: the user that was called, at the address we advertise
/// for the transport.
fn own_contact(request: &Request, flow: Flow, endpoint: &Endpoint) -> String {
    let address = endpoint
        .advertised(flow.transport)
        .cloned()
        .unwrap_or(flow.local.into());
    let mut uri = Uri::sip(request.uri.user_decoded().as_deref(), address);
    if flow.transport != Transport::Udp {
        uri.set_param("transport", flow.transport.uri_param());
    }
    ["<", uri.as_str(), ">"].concat()
}

/// RFC 3261 section 20.43: 300 network protocol, 304 media type, 305 media format, 399 anything else.
fn warn_code(error: &AnswerError) -> u16 {
    match error {
        AnswerError::NoAddress => 300,
        AnswerError::NoAudio => 304,
        AnswerError::NoCommonFormat => 305,
        _ => 399,
    }
}
