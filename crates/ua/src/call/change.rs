//! Changing an established session, from both sides: re-INVITE (RFC 3261, section 14), UPDATE
//! (RFC 3311), refreshes of the session timer (RFC 4028).
//!
//! ```text
//!             reoffer                    2xx: ACK, Reanswered
//!   None ──────────────► Sent ──────────────────────────────► None
//!    ▲                    │ 491 (glare)      other: ReofferFailed
//!    │                    ▼
//!    └── sent again ◄── Waiting   also while the peer's own change is under way
//! ```
//!
//! Invariant: never two INVITEs at once in one dialog, in whatever direction (section 14.1).

use std::time::Duration;

use sdp::Described;
use sip::{
    Contacts, Flow, Ids, Method, Opening, Request, Response, ServerTransaction, TransactionError,
};

use super::body::{Admitted, admit, description_in, push_capabilities, set_description};
use super::outgoing::{raise_session_expires, takes_update};
use super::session_timer::{self, Demand};
use super::state::{Call, Change, PeerOffer, PendingAck, Phase, Side, Turn, UnackedKind, Wish};
use super::table::{AnsweredInvite, Purpose, ack_for};
use super::{CallError, CallEvent, CallFailure, EndReason};

/// How long a change of ours waits while another one is under way.
const BUSY_RETRY: Duration = Duration::from_millis(500);

/// Most seconds of Retry-After for a re-INVITE that came too early (RFC 3261, section 14.2).
const MAX_RETRY_AFTER_SECS: u32 = 10;

impl Call {
    /// The owner wants another session.
    pub(super) fn reoffer(
        &mut self,
        offer: Described,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        if self.told_end || self.pending_ack.is_some() || !self.allows_offer() {
            return Err(CallError::WrongState);
        }
        self.want(Wish::Offer(offer), turn)
    }

    /// The owner wants an offer of the peer.
    pub(super) fn solicit(&mut self, turn: &mut Turn<'_>) -> Result<(), CallError> {
        if self.told_end || self.pending_ack.is_some() || !matches!(self.phase, Phase::Established)
        {
            return Err(CallError::WrongState);
        }
        self.want(Wish::Solicit, turn)
    }

    fn want(&mut self, wanted: Wish, turn: &mut Turn<'_>) -> Result<(), CallError> {
        match &mut self.change {
            Change::Sent {
                wish: Wish::Offer(_) | Wish::Solicit,
                ..
            } => return Err(CallError::OfferPending),
            // A refresh takes a moment only: what is wanted comes right after it.
            Change::Sent {
                wish: Wish::Refresh,
                ..
            } => self.wanted = Some(wanted),
            Change::Waiting { wish, .. } => *wish = wanted,
            Change::None => self.start_change(wanted, turn),
        }
        Ok(())
    }

    /// An offer that the owner wanted is under way or about to be.
    pub(super) fn is_offering(&self) -> bool {
        match &self.change {
            Change::Sent { wish, .. } | Change::Waiting { wish, .. } => {
                !matches!(wish, Wish::Refresh) || self.wanted.is_some()
            }
            Change::None => false,
        }
    }

    /// Whether offer and answer were exchanged, and the peer takes another offer: before the call
    /// is answered only by UPDATE (RFC 3311, section 5.1).
    fn allows_offer(&mut self) -> bool {
        match &self.phase {
            Phase::Established => true,
            Phase::Ringing(ringing) => ringing.is_settled() && self.peer_takes_update,
            Phase::Calling(_) => self.peer_takes_update && self.dialog_for_change().is_some(),
            Phase::Leaving | Phase::Over => false,
        }
    }

    /// Sends a change now, or later if something else is under way.
    pub(super) fn start_change(&mut self, wish: Wish, turn: &mut Turn<'_>) {
        if self.unacked.is_some() || self.peer_offer.is_some() {
            self.change = Change::Waiting {
                at: turn.now + BUSY_RETRY,
                wish,
            };
            return;
        }
        let Some(request) = self.change_request(&wish, turn) else {
            return;
        };
        self.send_change(request, wish, turn);
    }

    fn send_change(&mut self, mut request: Request, wish: Wish, turn: &mut Turn<'_>) {
        self.login.prepare(&mut request);
        self.resend_change(request, wish, turn);
    }

    fn resend_change(&mut self, request: Request, wish: Wish, turn: &mut Turn<'_>) {
        match self.send(request.clone(), Purpose::Change, turn) {
            Some(_) => {
                self.change = Change::Sent {
                    request: Box::new(request),
                    wish,
                }
            }
            None => {
                self.change = Change::Waiting {
                    at: turn.now + BUSY_RETRY,
                    wish,
                }
            }
        }
    }

    /// A refresh goes by UPDATE where the peer takes it: no body, no ACK, no glare with re-INVITEs.
    fn change_request(&mut self, wish: &Wish, turn: &mut Turn<'_>) -> Option<Request> {
        let is_early = !matches!(self.phase, Phase::Established);
        let (method, description) = match wish {
            Wish::Offer(offer) if is_early => (Method::UPDATE, Some(offer.clone())),
            Wish::Offer(offer) => (Method::INVITE, Some(offer.clone())),
            Wish::Solicit => (Method::INVITE, None),
            Wish::Refresh if self.peer_takes_update => (Method::UPDATE, None),
            Wish::Refresh => (Method::INVITE, self.local.clone()),
        };
        let mut request = self.dialog_for_change()?.request(method);
        push_capabilities(&mut request, &self.contact);
        if let Some(timers) = turn.config.session_timers {
            let running = self.timer.as_ref();
            session_timer::propose(&mut request, timers, self.min_se_secs, running);
        }
        if let Some(description) = &description {
            set_description(&mut request, description);
        }
        Some(request)
    }

    /// Sends a waiting change if its time has come.
    pub(super) fn retry_change(&mut self, turn: &mut Turn<'_>) {
        if !matches!(self.change, Change::Waiting { at, .. } if at <= turn.now) {
            return;
        }
        if let Change::Waiting { wish, .. } = std::mem::replace(&mut self.change, Change::None) {
            self.start_change(wish, turn);
        }
    }

    /// Our re-INVITE or UPDATE got a response.
    pub(super) fn handle_change_response(
        &mut self,
        transaction: sip::ClientTransaction,
        response: &Response,
        flow: Flow,
        turn: &mut Turn<'_>,
    ) {
        if response.status.is_provisional() {
            return;
        }
        turn.index.remove_client(transaction);
        self.follow(flow);
        let change = std::mem::replace(&mut self.change, Change::None);
        let Change::Sent { request, wish } = change else {
            // The call was hung up meanwhile: the peer has our BYE and ends its own part.
            self.change = change;
            return;
        };
        match response.status.code() {
            200..=299 => self.change_accepted(transaction, &request, wish, response, turn),
            491 => {
                let at = turn.now + glare_delay(self.side, turn.endpoint.ids());
                self.change = Change::Waiting { at, wish };
            }
            401 | 407 | 422 if self.retry(&request, &wish, response, turn) => {}
            404 | 408 | 410 | 416 | 480..=485 | 502 | 604 => {
                self.break_off(CallFailure::Lost, turn);
            }
            405 | 501 if matches!(wish, Wish::Refresh) && self.peer_takes_update => {
                self.peer_takes_update = false;
                self.start_change(wish, turn);
            }
            status => match wish {
                Wish::Offer(_) | Wish::Solicit => {
                    self.tell(
                        CallEvent::ReofferFailed {
                            call: self.key,
                            status,
                        },
                        turn,
                    );
                }
                Wish::Refresh => self.refresh_later(turn),
            },
        }
        self.start_wanted(turn);
    }

    /// Sends the offer that came while a refresh was under way.
    fn start_wanted(&mut self, turn: &mut Turn<'_>) {
        if matches!(self.change, Change::None)
            && !self.told_end
            && let Some(wanted) = self.wanted.take()
        {
            self.start_change(wanted, turn);
        }
    }

    /// Our re-INVITE or UPDATE will get no final response: the peer is gone (RFC 3261, section
    /// 12.2.1.2).
    pub(super) fn handle_change_failure(&mut self, error: TransactionError, turn: &mut Turn<'_>) {
        self.change = Change::None;
        if !self.told_end {
            let failure = match error {
                TransactionError::Timeout => CallFailure::Lost,
                TransactionError::Transport => CallFailure::Unreachable,
            };
            self.break_off(failure, turn);
        }
    }

    fn change_accepted(
        &mut self,
        transaction: sip::ClientTransaction,
        request: &Request,
        wish: Wish,
        response: &Response,
        turn: &mut Turn<'_>,
    ) {
        let destination = self.destination;
        let has_credentials = self.login.has_credentials();
        let Some(dialog) = self.dialog_for_change() else {
            return;
        };
        if let Ok(Contacts::List(contacts)) = response.contacts()
            && let [contact] = &contacts[..]
        {
            dialog.update_target(contact.uri().clone());
        }
        let description = description_in(response);
        if request.method == Method::INVITE {
            let number = request.cseq().map_or(0, |cseq| cseq.number);
            let authorised = has_credentials.then(|| request.to_bytes());
            let ack = ack_for(number, authorised.as_ref(), dialog);
            let until = turn.now + turn.endpoint.timers().patience();
            if let Ok(opening) = Opening::of(request) {
                let answered = AnsweredInvite {
                    opening,
                    authorised,
                };
                turn.sent
                    .insert(transaction, answered, dialog, destination, until);
            }
            self.peer_takes_update = takes_update(response);
            if matches!(wish, Wish::Solicit) && description.is_some() {
                self.pending_ack = Some(Box::new(PendingAck { transaction, ack }));
            } else {
                self.send_ack(transaction, ack, turn);
            }
        }
        if matches!(self.phase, Phase::Established) {
            self.timer = session_timer::read_response(response, turn.now);
        }
        let call = self.key;
        match (wish, description) {
            (Wish::Refresh, _) => {}
            (Wish::Offer(offer), answer) => {
                self.local = Some(offer);
                self.remote = answer.clone();
                self.tell(CallEvent::Reanswered { call, answer }, turn);
            }
            (Wish::Solicit, Some(offer)) => {
                self.remote = Some(offer.clone());
                self.tell(CallEvent::Offered { call, offer }, turn);
            }
            (Wish::Solicit, None) => {
                self.tell(CallEvent::ReofferFailed { call, status: 488 }, turn);
            }
        }
    }

    /// Sends a change again if the refusal tells how to do it right.
    fn retry(
        &mut self,
        refused: &Request,
        wish: &Wish,
        response: &Response,
        turn: &mut Turn<'_>,
    ) -> bool {
        let Some(dialog) = self.dialog_for_change() else {
            return false;
        };
        let mut request = refused.clone();
        request.set_header(
            "CSeq",
            format!("{} {}", dialog.next_sequence(), refused.method),
        );
        if response.status.code() == 422 {
            let Some(min_se_secs) = self.raised_min_se(response) else {
                return false;
            };
            self.min_se_secs = min_se_secs;
            raise_session_expires(&mut request, min_se_secs);
        } else if self
            .login
            .answer(response, &mut request, turn.endpoint.ids())
            .is_err()
        {
            return false;
        }
        self.resend_change(request, wish.clone(), turn);
        true
    }

    /// The peer wants a change, by re-INVITE or UPDATE.
    pub(super) fn handle_peer_change(
        &mut self,
        transaction: ServerTransaction,
        request: Request,
        turn: &mut Turn<'_>,
    ) {
        if let Some((status, retry_after)) = self.blocks_peer_change(&request, turn) {
            let mut response = request.response(status, None);
            if let Some(seconds) = retry_after {
                response.push_header("Retry-After", seconds.to_string());
            }
            return turn.respond(transaction, response);
        }
        let admitted = match admit(&request, "", turn.config) {
            Ok(admitted) => admitted,
            Err(response) => return turn.respond(transaction, *response),
        };
        if takes_update(&request) {
            self.peer_takes_update = true;
        }
        let Admitted { offer, timer, .. } = admitted;
        let is_update = request.method == Method::UPDATE;
        let known = self.remote.as_ref().filter(|_| self.local.is_some());
        let unchanged = known.is_some() && offer.as_ref() == known;
        let peer_offer = PeerOffer {
            transaction,
            request,
            offer: offer.clone(),
            timer,
        };
        if is_update && offer.is_none() {
            self.accept_change(peer_offer, None, turn);
        } else if unchanged {
            let answer = self.local.clone();
            self.accept_change(peer_offer, answer.as_ref(), turn);
        } else {
            turn.index.add_server(transaction, self.key);
            self.peer_offer = Some(Box::new(peer_offer));
            self.tell(
                CallEvent::Reoffered {
                    call: self.key,
                    offer,
                },
                turn,
            );
        }
    }

    /// Why the peer's change cannot be looked at now: a status, and seconds for Retry-After.
    fn blocks_peer_change(
        &self,
        request: &Request,
        turn: &mut Turn<'_>,
    ) -> Option<(u16, Option<u32>)> {
        let carries_offer = !request.body().is_empty() || request.method == Method::INVITE;
        if self.told_end || matches!(self.phase, Phase::Leaving | Phase::Over) {
            return Some((481, None));
        }
        if !carries_offer {
            return None;
        }
        let offering = self.unacked.as_ref().is_some_and(|unacked| {
            unacked.kind != UnackedKind::Answer || request.method == Method::UPDATE
        });
        let may_offer = match &self.phase {
            Phase::Established => true,
            Phase::Ringing(ringing) => request.method == Method::UPDATE && ringing.is_settled(),
            Phase::Calling(calling) => {
                request.method == Method::UPDATE && calling.is_settled(request)
            }
            Phase::Leaving | Phase::Over => false,
        };
        match (&self.phase, &self.change) {
            // Our own offer is under way: RFC 3261, section 14.2; RFC 3311, section 5.2.
            (_, Change::Sent { .. }) => Some((491, None)),
            _ if offering || self.pending_ack.is_some() => Some((491, None)),
            (Phase::Calling(_), _) if !may_offer => Some((491, None)),
            (Phase::Ringing(ringing), _) if ringing.is_offering() => Some((491, None)),
            _ if may_offer && self.peer_offer.is_none() => None,
            _ => Some((
                500,
                Some(turn.endpoint.ids().u32() % (MAX_RETRY_AFTER_SECS + 1)),
            )),
        }
    }

    /// The owner answers the peer's change.
    pub(super) fn answer_reoffer(
        &mut self,
        answer: Result<Described, u16>,
        turn: &mut Turn<'_>,
    ) -> Result<(), CallError> {
        let peer_offer = self.peer_offer.take().ok_or(CallError::WrongState)?;
        turn.index.remove_server(peer_offer.transaction);
        match answer {
            Ok(description) => self.accept_change(*peer_offer, Some(&description), turn),
            Err(status) => {
                let response = peer_offer.request.response(status, None);
                turn.respond(peer_offer.transaction, response);
            }
        }
        self.proceed_after_prack(turn);
        Ok(())
    }

    fn accept_change(
        &mut self,
        peer_offer: PeerOffer,
        description: Option<&Described>,
        turn: &mut Turn<'_>,
    ) {
        let PeerOffer {
            transaction,
            request,
            offer,
            timer,
        } = peer_offer;
        let mut response = request.response(200, None);
        push_capabilities(&mut response, &self.contact);
        if let Some(description) = description {
            set_description(&mut response, description);
        }
        if matches!(self.phase, Phase::Established) {
            self.timer = match timer {
                Demand::Accept(accepted) => Some(accepted.apply(&mut response, turn.now)),
                Demand::None | Demand::TooSmall { .. } => None,
            };
        }
        self.local = description.cloned().or(self.local.take());
        let kind = if offer.is_some() {
            UnackedKind::Answer
        } else {
            UnackedKind::Offer
        };
        self.remote = offer.clone().or(self.remote.take());
        if request.method != Method::INVITE {
            turn.respond(transaction, response);
        } else {
            let sequence = request.cseq().map_or(0, |cseq| cseq.number);
            self.send_success(transaction, response, sequence, kind, turn);
        }
    }

    fn refresh_later(&mut self, turn: &Turn<'_>) {
        if let Some(timer) = &mut self.timer {
            timer.refresh_later(turn.now);
        }
    }

    /// The session timer's deadline has come.
    pub(super) fn handle_session_timer(&mut self, turn: &mut Turn<'_>) {
        let Some(due) = self
            .timer
            .as_mut()
            .and_then(|timer| timer.take_due(turn.now))
        else {
            return;
        };
        match due {
            // A change that is under way refreshes as well.
            session_timer::Due::Refresh if matches!(self.change, Change::None) => {
                self.start_change(Wish::Refresh, turn);
            }
            session_timer::Due::Refresh => self.refresh_later(turn),
            session_timer::Due::Expired => {
                self.timer = None;
                self.tell_end(EndReason::Failed(CallFailure::Lost), turn);
                self.leave(
                    Some("SIP;cause=408;text=\"Session expired\"".to_owned()),
                    turn,
                );
            }
        }
    }
}

/// How long to wait after glare (RFC 3261, section 14.1), in steps of 10 ms: who owns the Call-ID
/// waits longer, so that the two do not meet again.
fn glare_delay(side: Side, ids: &mut Ids) -> Duration {
    let steps = match side {
        Side::Outgoing => 210 + ids.u32() % 191,
        Side::Incoming => ids.u32() % 201,
    };
    Duration::from_millis(10 * u64::from(steps))
}
