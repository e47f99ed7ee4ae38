//! One call: what it remembers, and the few steps that all its parts share.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sdp::Described;
use sip::{
    Answer, ClientTransaction, Destination, Dialog, Endpoint, Flow, Host, Method, Opening, Reason,
    Request, Response, ServerTransaction,
};
use tracing::debug;

use super::early::Early;
use super::refer::{Referral, Subscription};
use super::reliable::Reliable;
use super::session_timer::SessionTimer;
use super::table::{Index, Purpose, SentInvites};
use super::within::InfoBody;
use super::{CallEvent, CallFailure, CallKey, CallsConfig, EndReason, Stage};
use crate::login::Login;

/// Who placed the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// We did: the Call-ID is ours.
    Outgoing,
    Incoming,
}

/// What the destination of a call is tied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// The flow that the peer was heard on last: it may be behind a NAT.
    Flow,
    /// An address that can be reached anew.
    Address,
}

/// Where a call stands; see the figure in `mod.rs`.
#[derive(Debug)]
pub(super) enum Phase {
    /// Our INVITE has no final response yet.
    Calling(Box<Calling>),
    /// The peer's INVITE has no final response yet.
    Ringing(Box<Ringing>),
    /// A 2xx went one way or the other.
    Established,
    /// Our BYE has no final response yet.
    Leaving,
    /// Nothing more to do: to be dropped.
    Over,
}

#[derive(Debug)]
pub(super) struct Calling {
    /// As sent, our Via on top, shared with the transaction; see [`Calling::invite`].
    pub(super) sent: Bytes,
    /// For the dialogs that it makes.
    pub(super) opening: Opening,
    pub(super) transaction: ClientTransaction,
    /// `None` once the call is cancelled: then only the endpoint's timers count.
    pub(super) give_up_at: Option<Instant>,
    /// The dialogs that provisional responses made.
    pub(super) early: Vec<Early>,
    /// An answer in a provisional response that made no dialog.
    pub(super) early_answer: Option<Described>,
    /// The last PRACK, to answer a challenge.
    pub(super) prack: Option<(ClientTransaction, Box<Request>)>,
}

#[derive(Debug)]
pub(super) struct Ringing {
    /// The INVITE's number. What else a response needs the transaction keeps.
    pub(super) sequence: u32,
    pub(super) transaction: ServerTransaction,
    pub(super) timer: super::session_timer::Demand,
    /// The status of the last provisional response beyond 100, said again every minute so that
    /// proxies do not give up (RFC 3261, section 13.3.1.1).
    pub(super) reminder: Option<(u16, Instant)>,
    /// `None` if provisional responses are not sent reliably in this call.
    pub(super) reliable: Option<Box<Reliable>>,
}

/// A 2xx of ours that waits for its ACK (RFC 3261, section 13.3.1.4).
#[derive(Debug)]
pub(super) struct Unacked {
    pub(super) transaction: ServerTransaction,
    /// `None` if it could not be sent, so that nobody will acknowledge it.
    pub(super) answer: Option<Answer>,
    pub(super) sequence: u32,
    pub(super) kind: UnackedKind,
    pub(super) resend_at: Instant,
    pub(super) resend_after: Duration,
    pub(super) give_up_at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnackedKind {
    /// Answers the first INVITE.
    First,
    /// Answers a re-INVITE that had an offer.
    Answer,
    /// Answers a re-INVITE that had none: the ACK brings the answer to ours.
    Offer,
}

/// A 2xx of the peer with its offer: our ACK has to carry the answer.
#[derive(Debug)]
pub(super) struct PendingAck {
    pub(super) transaction: ClientTransaction,
    pub(super) ack: Request,
}

/// A change of the session that we want.
#[derive(Debug)]
pub(super) enum Change {
    None,
    /// Sent, without final response.
    Sent {
        request: Box<Request>,
        wish: Wish,
    },
    /// To be sent at this time, because something else was under way.
    Waiting {
        at: Instant,
        wish: Wish,
    },
}

/// What the change is for.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// The owner's new offer.
    Offer(Described),
    /// The peer shall make the offer.
    Solicit,
    /// Only to keep the session alive.
    Refresh,
}

/// A change of the session that the peer wants and the owner has not answered.
#[derive(Debug)]
pub(super) struct PeerOffer {
    pub(super) transaction: ServerTransaction,
    pub(super) request: Request,
    pub(super) offer: Option<Described>,
    pub(super) timer: super::session_timer::Demand,
}

/// A BYE that has to wait for the ACK to our 2xx (RFC 3261, section 15).
#[derive(Clone, Debug)]
pub(super) struct Farewell {
    pub(super) reason: Option<String>,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) key: CallKey,
    /// Our tag in all its dialogs.
    pub(super) tag: Box<str>,
    pub(super) side: Side,
    pub(super) phase: Phase,
    /// From the first response with a tag that counts: for callers the 2xx.
    pub(super) dialog: Option<Dialog>,
    pub(super) destination: Destination,
    pub(super) path: Path,
    /// Our Contact value.
    pub(super) contact: String,
    pub(super) login: Login,
    /// The last description that we sent and that is in force.
    pub(super) local: Option<Described>,
    /// The peer's.
    pub(super) remote: Option<Described>,
    pub(super) timer: Option<SessionTimer>,
    pub(super) min_se_secs: u32,
    pub(super) peer_takes_update: bool,
    pub(super) peer_takes_info: bool,
    /// What is to be sent in INFO, one after another; the first is on its way.
    pub(super) infos: VecDeque<InfoBody>,
    pub(super) unacked: Option<Box<Unacked>>,
    pub(super) pending_ack: Option<Box<PendingAck>>,
    pub(super) change: Change,
    /// What the owner wants when our refresh is done.
    pub(super) wanted: Option<Wish>,
    pub(super) peer_offer: Option<Box<PeerOffer>>,
    pub(super) farewell: Option<Farewell>,
    /// RSeq of a reliable response that the 2xx overtook: its PRACK may still come.
    pub(super) late_rseq: Option<u32>,
    /// The call that this one takes the place of once it is answered.
    pub(super) replaces: Option<CallKey>,
    /// A REFER of ours.
    pub(super) referral: Option<Box<Referral>>,
    /// A REFER of the peer.
    pub(super) subscription: Option<Box<Subscription>>,
    /// What the peer said about the end.
    pub(super) said: Vec<Reason>,
    /// The owner knows that the call ended: nothing more is told.
    pub(super) told_end: bool,
    /// The stage that was told last, to an owner that wants to know.
    pub(super) shown: Option<Stage>,
    /// The deadline that the table has for this call.
    pub(super) armed: Option<Instant>,
    /// The connection that the table has for this call, by its generation.
    pub(super) rests_on: Option<u64>,
}

/// Everything that a call may reach while something happens to it.
pub(super) struct Turn<'a> {
    pub(super) endpoint: &'a mut Endpoint,
    pub(super) now: Instant,
    pub(super) config: &'a CallsConfig,
    pub(super) index: &'a mut Index,
    pub(super) sent: &'a mut SentInvites,
    pub(super) events: &'a mut VecDeque<CallEvent>,
}

impl Turn<'_> {
    pub(super) fn respond(&mut self, transaction: ServerTransaction, response: Response) {
        self.answer(transaction, response);
    }

    /// As [`respond`](Self::respond); gives what is to be said again if need be.
    pub(super) fn answer(
        &mut self,
        transaction: ServerTransaction,
        response: Response,
    ) -> Option<Answer> {
        match self.endpoint.respond(transaction, response, self.now) {
            Ok(answer) => Some(answer),
            Err(error) => {
                debug!(%error, "response not sent");
                None
            }
        }
    }
}

impl Call {
    /// When something has to be done for this call without a cause.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Calling(calling) => calling.give_up_at,
            Phase::Ringing(ringing) => ringing.deadline(),
            Phase::Established => self.established_deadline(),
            Phase::Leaving | Phase::Over => None,
        };
        let unacked = self
            .unacked
            .as_ref()
            .map(|unacked| unacked.resend_at.min(unacked.give_up_at));
        phase.into_iter().chain(unacked).min()
    }

    fn established_deadline(&self) -> Option<Instant> {
        if self.told_end {
            return None;
        }
        let change = match &self.change {
            Change::Waiting { at, .. } => Some(*at),
            Change::None | Change::Sent { .. } => None,
        };
        let referral = self
            .referral
            .as_ref()
            .and_then(|referral| referral.deadline());
        self.timer
            .as_ref()
            .map(SessionTimer::deadline)
            .into_iter()
            .chain(change)
            .chain(referral)
            .min()
    }

    /// The deadline has come.
    pub(super) fn handle_timeout(&mut self, turn: &mut Turn<'_>) {
        let is_due = |at: &Instant| *at <= turn.now;
        match &self.phase {
            Phase::Calling(calling) if calling.give_up_at.as_ref().is_some_and(is_due) => {
                self.give_up_ringing(turn);
            }
            Phase::Ringing(ringing) if ringing.deadline().as_ref().is_some_and(is_due) => {
                self.handle_ringing_timeout(turn);
            }
            Phase::Established if !self.told_end => {
                self.handle_session_timer(turn);
                self.retry_change(turn);
                self.handle_referral_timeout(turn);
            }
            _ => {}
        }
        self.handle_unacked_timeout(turn);
    }

    /// Tells the owner, unless the call is over for it.
    pub(super) fn tell(&self, event: CallEvent, turn: &mut Turn<'_>) {
        if !self.told_end {
            turn.events.push_back(event);
        }
    }

    /// Tells the owner that the call is over, once.
    pub(super) fn tell_end(&mut self, reason: EndReason, turn: &mut Turn<'_>) {
        let said = std::mem::take(&mut self.said);
        self.tell(
            CallEvent::Ended {
                call: self.key,
                reason,
                said,
            },
            turn,
        );
        self.told_end = true;
    }

    /// The call is over and nothing has to be sent any more.
    pub(super) fn finish(&mut self, reason: EndReason, turn: &mut Turn<'_>) {
        self.tell_end(reason, turn);
        self.refuse_peer_offer(turn);
        self.phase = Phase::Over;
        self.unacked = None;
    }

    /// The peer cannot be relied on any more: say goodbye and tell why.
    pub(super) fn break_off(&mut self, failure: CallFailure, turn: &mut Turn<'_>) {
        match self.phase {
            Phase::Ringing(_) => {
                // Ringing, as was just seen: it cannot be refused.
                let _ = self.reject(500, EndReason::Failed(failure), turn);
            }
            Phase::Calling(_) => {
                self.tell_end(EndReason::Failed(failure), turn);
                self.cancel(None, turn);
            }
            Phase::Established | Phase::Leaving | Phase::Over => {
                self.tell_end(EndReason::Failed(failure), turn);
                self.leave(None, turn);
            }
        }
    }

    /// Another call has taken the place of this one (RFC 3891, section 3).
    pub(super) fn yield_to(&mut self, by: CallKey, turn: &mut Turn<'_>) {
        if self.told_end {
            return;
        }
        match self.phase {
            Phase::Calling(_) => {
                self.tell_end(EndReason::Replaced { by }, turn);
                self.cancel(None, turn);
            }
            Phase::Established => {
                self.tell_end(EndReason::Replaced { by }, turn);
                self.leave(None, turn);
            }
            Phase::Ringing(_) | Phase::Leaving | Phase::Over => {}
        }
    }

    /// Ends an answered call: BYE, now or as soon as the peer has acknowledged.
    pub(super) fn leave(&mut self, reason: Option<String>, turn: &mut Turn<'_>) {
        self.refuse_peer_offer(turn);
        self.end_subscription(turn);
        self.change = Change::None;
        if let Some(pending) = self.pending_ack.take() {
            self.send_ack(pending.transaction, pending.ack, turn);
        }
        if self.unacked.is_some() {
            self.farewell = Some(Farewell { reason });
        } else {
            self.send_bye(reason, turn);
        }
    }

    pub(super) fn send_bye(&mut self, reason: Option<String>, turn: &mut Turn<'_>) {
        self.phase = Phase::Leaving;
        let Some(dialog) = &mut self.dialog else {
            self.phase = Phase::Over;
            return;
        };
        let mut bye = dialog.request(Method::BYE);
        if let Some(reason) = reason {
            bye.push_header("Reason", reason);
        }
        self.login.prepare(&mut bye);
        if self.send(bye, Purpose::Bye, turn).is_none() {
            self.phase = Phase::Over;
        }
    }

    /// Our BYE was answered or got lost.
    pub(super) fn handle_bye_response(&mut self, response: Option<&Response>, turn: &mut Turn<'_>) {
        if let Some(response) = response
            && matches!(response.status.code(), 401 | 407)
            && let Some(dialog) = &mut self.dialog
        {
            let mut bye = dialog.request(Method::BYE);
            if self
                .login
                .answer(response, &mut bye, turn.endpoint.ids())
                .is_ok()
                && self.send(bye, Purpose::Bye, turn).is_some()
            {
                return;
            }
        }
        self.phase = Phase::Over;
    }

    /// Sends a request of this call. `None` if the endpoint does not take it.
    pub(super) fn send(
        &self,
        request: Request,
        purpose: Purpose,
        turn: &mut Turn<'_>,
    ) -> Option<ClientTransaction> {
        match turn
            .endpoint
            .send_request(request, self.destination, turn.now)
        {
            Ok(transaction) => {
                turn.index.add_client(transaction, self.key, purpose);
                Some(transaction)
            }
            Err(error) => {
                debug!(%error, call.id = %self.key, "request not sent");
                None
            }
        }
    }

    pub(super) fn send_ack(
        &self,
        transaction: ClientTransaction,
        ack: Request,
        turn: &mut Turn<'_>,
    ) {
        let Some(dialog) = &self.dialog else { return };
        let tag = dialog.id().remote_tag;
        turn.sent.acknowledge(transaction, tag, ack, turn.endpoint);
    }

    /// A change that the peer asked for will not be answered by the owner any more.
    pub(super) fn refuse_peer_offer(&mut self, turn: &mut Turn<'_>) {
        if let Some(peer_offer) = self.peer_offer.take() {
            turn.index.remove_server(peer_offer.transaction);
            let response = peer_offer.request.response(487, None);
            turn.respond(peer_offer.transaction, response);
        }
    }

    /// The peer was heard of on `flow`: further requests of a call that lives on flows go there.
    pub(super) fn follow(&mut self, flow: Flow) {
        if self.path == Path::Flow {
            self.destination = flow.into();
        }
    }

    /// The connection that it lives on, by its generation.
    pub(super) fn connection(&self) -> Option<u64> {
        match self.destination {
            Destination::Flow(flow) if flow.transport.is_reliable() => Some(flow.generation),
            Destination::Flow(_) | Destination::Address { .. } => None,
        }
    }

    /// A connection ended. If it was ours, the next request has to open another one; where that
    /// cannot be done the request fails like before. A proxy that had connected to us is listening
    /// where Record-Route says; only its port is believed, so that nobody aims us at a third party.
    pub(super) fn leave_flow(&mut self, closed: Flow) {
        if self.destination == Destination::Flow(closed) {
            let Flow {
                transport,
                mut peer,
                ..
            } = closed;
            let route = self
                .dialog
                .as_ref()
                .and_then(|dialog| dialog.route_set().first());
            if let Some(proxy) = route.map(|route| &route.uri)
                && proxy.host().and_then(Host::ip) == Some(peer.ip())
            {
                peer.set_port(proxy.port().unwrap_or(transport.default_port()));
            }
            self.destination = Destination::Address {
                transport,
                peer,
                domain: None,
            };
        }
    }
}
