//! The caller's side until the call is answered or fails (RFC 3261, section 13.2).
//!
//! Several early dialogs may report progress (`early.rs`); the first 2xx makes the call, later
//! ones are ended by [`SentInvites`](super::table::SentInvites). A 2xx that crosses our CANCEL is
//! acknowledged and ended with BYE.

use std::collections::VecDeque;

use sdp::Described;
use sip::{
    Contacts, Destination, Dialog, DialogError, Flow, Method, Opening, Request, Response,
    TransactionError,
};

use super::body::{description_in, push_capabilities, reasons_in, set_description};
use super::early::Early;
use super::session_timer;
use super::state::{Call, Calling, Change, Path, PendingAck, Phase, Side, Turn};
use super::table::{AnsweredInvite, Purpose, ack_for};
use super::{CallError, CallEvent, CallFailure, CallKey, Dial, EndReason, ReliableProgress};
use crate::CALL_OPTIONS;
use crate::login::Login;

/// Most contacts of a redirection that are told.
const MAX_REDIRECTIONS: usize = 8;

impl Call {
    /// Sends the first INVITE.
    pub(super) fn dial(
        mut dial: Dial,
        key: CallKey,
        turn: &mut Turn<'_>,
    ) -> Result<Self, CallError> {
        let contact = ["<", dial.contact.as_str(), ">"].concat();
        let min_se_secs = turn.config.min_se_secs();
        let mut login = Login::new(dial.credentials.take());
        let (destination, offer) = (dial.destination, dial.offer.clone());
        let (mut invite, opening) = first_invite(dial, &contact, min_se_secs, turn);
        login.prepare(&mut invite);
        let transaction = turn.endpoint.send_request(invite, destination, turn.now)?;
        turn.index.add_client(transaction, key, Purpose::Invite);
        turn.index.add_tag(opening.local_tag(), key);
        Ok(Self {
            key,
            tag: opening.local_tag().into(),
            side: Side::Outgoing,
            phase: Phase::Calling(Box::new(Calling {
                sent: turn.endpoint.sent_invite(transaction).unwrap_or_default(),
                opening,
                transaction,
                give_up_at: Some(turn.now + turn.config.max_ringing),
                early: Vec::new(),
                early_answer: None,
                prack: None,
            })),
            dialog: None,
            destination,
            path: match destination {
                Destination::Flow(_) => Path::Flow,
                Destination::Address { .. } => Path::Address,
            },
            contact,
            login,
            local: offer,
            remote: None,
            timer: None,
            min_se_secs,
            peer_takes_update: false,
            peer_takes_info: false,
            infos: VecDeque::new(),
            unacked: None,
            pending_ack: None,
            change: Change::None,
            wanted: None,
            peer_offer: None,
            farewell: None,
            late_rseq: None,
            replaces: None,
            referral: None,
            subscription: None,
            said: Vec::new(),
            told_end: false,
            shown: None,
            armed: None,
            rests_on: None,
        })
    }

    /// Gives up on an INVITE without final response.
    pub(super) fn cancel(&mut self, reason: Option<String>, turn: &mut Turn<'_>) {
        if let Phase::Calling(calling) = &mut self.phase {
            calling.give_up_at = None;
            turn.endpoint.cancel(calling.transaction, reason, turn.now);
        }
    }

    /// Nobody answered for as long as we are willing to wait.
    pub(super) fn give_up_ringing(&mut self, turn: &mut Turn<'_>) {
        self.tell_end(EndReason::Failed(CallFailure::NoAnswer), turn);
        self.cancel(None, turn);
    }

    /// The INVITE got a response.
    pub(super) fn handle_invite_response(
        &mut self,
        response: &Response,
        flow: Flow,
        turn: &mut Turn<'_>,
    ) {
        if response.status.is_provisional() {
            return self.handle_provisional(response, flow, turn);
        }
        if !matches!(self.phase, Phase::Calling(_)) {
            return;
        }
        let Phase::Calling(calling) = std::mem::replace(&mut self.phase, Phase::Over) else {
            return;
        };
        turn.index.remove_client(calling.transaction);
        if response.status.is_success() {
            self.handle_success(*calling, response, flow, turn);
        } else if !self.told_end && self.try_again(*calling, response, turn) {
            // A new INVITE is on its way.
        } else {
            self.said = reasons_in(response);
            self.finish(EndReason::Failed(failure_of(response)), turn);
        }
    }

    /// The INVITE will get no final response.
    pub(super) fn handle_invite_failure(&mut self, error: TransactionError, turn: &mut Turn<'_>) {
        if let Phase::Calling(calling) = &self.phase {
            turn.index.remove_client(calling.transaction);
            self.finish(EndReason::Failed(error.into()), turn);
        }
    }

    fn handle_success(
        &mut self,
        mut calling: Calling,
        response: &Response,
        flow: Flow,
        turn: &mut Turn<'_>,
    ) {
        let (confirmed, early_answer) = confirm(&mut calling, response);
        let Ok(dialog) = confirmed else {
            return self.finish(EndReason::Failed(CallFailure::Protocol), turn);
        };
        let Calling {
            sent,
            opening,
            transaction,
            ..
        } = calling;
        self.settle_on(flow);
        let until = turn.now + turn.endpoint.timers().patience();
        let authorised = self.login.has_credentials().then_some(sent);
        let ack = ack_for(opening.sequence(), authorised.as_ref(), &dialog);
        let answered = AnsweredInvite {
            opening,
            authorised,
        };
        turn.sent
            .insert(transaction, answered, &dialog, self.destination, until);
        self.dialog = Some(dialog);
        self.phase = Phase::Established;
        self.timer = session_timer::read_response(response, turn.now);
        self.peer_takes_update = takes_update(response);
        self.peer_takes_info = takes_info(response);
        if self.told_end {
            self.send_ack(transaction, ack, turn);
            self.leave(None, turn);
            return;
        }
        let wants_answer = self.local.is_none();
        let said = description_in(response);
        let unreadable = said.is_none() && !response.body().is_empty();
        let answer = said.or(early_answer);
        if unreadable || wants_answer && answer.is_none() {
            self.send_ack(transaction, ack, turn);
            self.break_off(CallFailure::Protocol, turn);
            return;
        }
        if wants_answer {
            self.pending_ack = Some(Box::new(PendingAck { transaction, ack }));
        } else {
            self.send_ack(transaction, ack, turn);
        }
        self.remote = answer.clone();
        self.tell(
            CallEvent::Answered {
                call: self.key,
                answer,
            },
            turn,
        );
    }

    /// Requests of this call go where this response came from.
    pub(super) fn settle_on(&mut self, flow: Flow) {
        if self.path == Path::Address {
            self.destination = Destination::Address {
                transport: flow.transport,
                peer: flow.peer,
                domain: self.destination.domain(),
            };
        }
        self.follow(flow);
    }

    /// Sends the INVITE again if the refusal tells how to do it right.
    fn try_again(&mut self, calling: Calling, response: &Response, turn: &mut Turn<'_>) -> bool {
        let Some(mut invite) = calling.invite() else {
            return false;
        };
        let next = calling.opening.sequence() + 1;
        match response.status.code() {
            401 | 407 => {
                advance(&mut invite, next);
                if self
                    .login
                    .answer(response, &mut invite, turn.endpoint.ids())
                    .is_err()
                {
                    return false;
                }
            }
            422 => {
                let Some(min_se_secs) = self.raised_min_se(response) else {
                    return false;
                };
                self.min_se_secs = min_se_secs;
                advance(&mut invite, next);
                raise_session_expires(&mut invite, min_se_secs);
            }
            _ => return false,
        }
        let Some(transaction) = self.send(invite, Purpose::Invite, turn) else {
            return false;
        };
        self.phase = Phase::Calling(Box::new(Calling {
            sent: turn.endpoint.sent_invite(transaction).unwrap_or_default(),
            opening: calling.opening.numbered(next),
            transaction,
            give_up_at: calling.give_up_at,
            early: Vec::new(),
            early_answer: None,
            prack: None,
        }));
        true
    }

    /// The peer's least interval, if it is more than we proposed.
    pub(super) fn raised_min_se(&self, response: &Response) -> Option<u32> {
        let wanted = response.min_se().ok().flatten()?;
        (wanted > self.min_se_secs).then_some(wanted)
    }
}

/// The dialog of a 2xx, and the answer that its early dialog had. Numbers go on where the PRACKs and
/// UPDATEs in it ended.
fn confirm(
    calling: &mut Calling,
    response: &Response,
) -> (Result<Dialog, DialogError>, Option<Described>) {
    let Some(Early {
        mut dialog, answer, ..
    }) = calling.take_early(response)
    else {
        return (
            calling.opening.dialog(response),
            calling.early_answer.take(),
        );
    };
    let confirmed = dialog.confirm_with(response).map(|()| dialog);
    (confirmed, answer)
}

fn first_invite(
    dial: Dial,
    contact: &str,
    min_se_secs: u32,
    turn: &mut Turn<'_>,
) -> (Request, Opening) {
    let mut invite = Request::new(Method::INVITE, dial.request_uri);
    for route in &dial.route {
        invite.push_header("Route", route.to_string());
    }
    let ids = turn.endpoint.ids();
    let (tag, call_id) = (ids.tag(), ids.call_id());
    let from = match dial.from.tag() {
        None => [&dial.from.to_string(), ";tag=", &tag].concat(),
        Some(_) => dial.from.with_tag(&tag).to_string(),
    };
    let to = dial.to.to_string();
    if !dial.headers.iter().any(|(name, _)| *name == "Max-Forwards") {
        invite.push_header("Max-Forwards", "70");
    }
    invite.push_header("From", &from);
    invite.push_header("To", &to);
    invite.push_header("Call-ID", &call_id);
    invite.push_header("CSeq", "1 INVITE");
    push_capabilities(&mut invite, contact);
    if let Some(timers) = turn.config.session_timers {
        session_timer::propose(&mut invite, timers, min_se_secs, None);
    }
    for (name, value) in &dial.headers {
        invite.set_header(name, value);
    }
    if let Some(offer) = &dial.offer {
        if turn.config.reliable != ReliableProgress::Never {
            invite.set_header("Supported", CALL_OPTIONS);
        }
        set_description(&mut invite, offer);
    }
    let opening = Opening::first(&invite.uri, &call_id, &from, &tag, &to);
    (invite, opening)
}

/// The same request as a new one.
fn advance(request: &mut Request, number: u32) {
    let cseq = format!("{number} {}", request.method);
    request.set_header("CSeq", cseq);
}

pub(super) fn raise_session_expires(request: &mut Request, min_se_secs: u32) {
    let proposed = request.session_expires().ok().flatten();
    if let Some(mut proposed) = proposed {
        proposed.interval_secs = proposed.interval_secs.max(min_se_secs);
        request.set_header("Session-Expires", proposed.to_string());
    }
    request.set_header("Min-SE", min_se_secs.to_string());
}

/// The peer lists UPDATE among the methods that it allows.
pub(super) fn takes_update(message: &sip::Fields) -> bool {
    takes(message, "UPDATE")
}

/// The peer lists INFO among the methods that it allows.
pub(super) fn takes_info(message: &sip::Fields) -> bool {
    takes(message, "INFO")
}

fn takes(message: &sip::Fields, method: &str) -> bool {
    message
        .allow()
        .is_ok_and(|methods| methods.contains(&method))
}

fn failure_of(response: &Response) -> CallFailure {
    let mut failure = CallFailure::from_status(response.status.code());
    if let CallFailure::Redirected { contacts, .. } = &mut failure
        && let Ok(Contacts::List(list)) = response.contacts()
    {
        contacts.extend(
            list.iter()
                .take(MAX_REDIRECTIONS)
                .map(|contact| contact.uri().clone()),
        );
    }
    failure
}
