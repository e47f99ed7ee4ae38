//! The early dialogs of one INVITE of ours (RFC 3261, section 12.1; RFC 3262, section 4).
//!
//! A forked INVITE makes one for each phone that rings, each with numbers and an answer of its
//! own. A reliable provisional response is acknowledged with PRACK in its dialog, in order and
//! once; what comes again or too early is left alone, for its sender repeats it.
//!
//! Not here: what the 2xx makes of them (`outgoing.rs`).

use sdp::Described;
use sip::{Dialog, DialogId, Flow, Method, Request, Response, parse_message};

use super::CallEvent;
use super::body::description_in;
use super::outgoing::takes_update;
use super::reliable::{OPTION, requires};
use super::state::{Call, Calling, Phase, Turn};
use super::table::Purpose;

/// Most early dialogs of one INVITE; responses that would make more only tell progress.
const MAX_EARLY: usize = 16;

/// One early dialog.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) dialog: Dialog,
    /// RSeq of the last reliable response.
    sequence: Option<u32>,
    /// The answer so far.
    pub(super) answer: Option<Described>,
    /// That answer came reliably, so that either side may offer again (RFC 3311, section 5.1).
    pub(super) settled: bool,
}

impl Calling {
    /// The INVITE without Via, to be sent again with credentials when challenged.
    pub(super) fn invite(&self) -> Option<Request> {
        let mut invite = parse_message(self.sent.clone()).ok()?.into_request()?;
        invite.remove_header("Via");
        Some(invite)
    }

    /// The early dialog that a request or a response of the peer with this tag is about.
    pub(super) fn early_mut(&mut self, remote_tag: &str) -> Option<&mut Early> {
        self.early
            .iter_mut()
            .find(|early| early.dialog.id().remote_tag == remote_tag)
    }

    /// Whether the early dialog of this request allows another offer.
    pub(super) fn is_settled(&self, request: &Request) -> bool {
        let id = DialogId::of_request(request);
        self.early
            .iter()
            .any(|early| early.settled && Some(early.dialog.id()) == id)
    }

    /// Takes the early dialog out that the 2xx confirms.
    pub(super) fn take_early(&mut self, response: &Response) -> Option<Early> {
        let id = DialogId::of_response(response)?;
        let at = self
            .early
            .iter()
            .position(|early| early.dialog.id() == id)?;
        Some(self.early.swap_remove(at))
    }
}

impl Call {
    /// A provisional response to the INVITE.
    pub(super) fn handle_provisional(
        &mut self,
        response: &Response,
        flow: Flow,
        turn: &mut Turn<'_>,
    ) {
        let status = response.status.code();
        let Phase::Calling(calling) = &mut self.phase else {
            return;
        };
        if status == 100 {
            return;
        }
        let answer = description_in(response);
        let sequence = requires(response, OPTION)
            .then(|| response.rseq().ok().flatten())
            .flatten();
        let Some(at) = calling.find_or_make_early(response) else {
            // Without a dialog there is nowhere to acknowledge it.
            if sequence.is_none() {
                calling.early_answer = answer.clone().or(calling.early_answer.take());
                self.tell_progress(status, answer, turn);
            }
            return;
        };
        let early = &mut calling.early[at];
        if let Some(sequence) = sequence {
            if early
                .sequence
                .is_some_and(|last| sequence != last.wrapping_add(1))
            {
                return;
            }
            early.sequence = Some(sequence);
            early.settled |= answer.is_some() && self.local.is_some();
            self.peer_takes_update = takes_update(response);
        }
        if answer.is_some() {
            early.answer.clone_from(&answer);
        }
        if let Some(sequence) = sequence {
            self.acknowledge_provisional(at, sequence, flow, turn);
        }
        self.tell_progress(status, answer, turn);
    }

    fn tell_progress(&self, status: u16, answer: Option<Described>, turn: &mut Turn<'_>) {
        self.tell(
            CallEvent::Progress {
                call: self.key,
                status,
                answer,
            },
            turn,
        );
    }

    fn acknowledge_provisional(
        &mut self,
        at: usize,
        sequence: u32,
        flow: Flow,
        turn: &mut Turn<'_>,
    ) {
        self.settle_on(flow);
        let Phase::Calling(calling) = &mut self.phase else {
            return;
        };
        let number = calling.opening.sequence();
        let mut prack = calling.early[at].dialog.request(Method::PRACK);
        prack.push_header("RAck", format!("{sequence} {number} INVITE"));
        self.login.prepare(&mut prack);
        if let Some(transaction) = self.send(prack.clone(), Purpose::Prack, turn)
            && self.login.has_credentials()
            && let Phase::Calling(calling) = &mut self.phase
        {
            calling.prack = Some((transaction, Box::new(prack)));
        }
    }

    /// Our PRACK was answered. Only a challenge makes a difference: the INVITE goes on in any
    /// case, and what was acknowledged in vain comes again.
    pub(super) fn handle_prack_response(
        &mut self,
        transaction: sip::ClientTransaction,
        response: &Response,
        turn: &mut Turn<'_>,
    ) {
        turn.index.remove_client(transaction);
        let Phase::Calling(calling) = &mut self.phase else {
            return;
        };
        let Some((_, mut prack)) = calling.prack.take_if(|(known, _)| *known == transaction) else {
            return;
        };
        if !matches!(response.status.code(), 401 | 407) {
            return;
        }
        let Some(early) = response.to_tag().and_then(|tag| calling.early_mut(tag)) else {
            return;
        };
        let cseq = format!("{} PRACK", early.dialog.next_sequence());
        prack.set_header("CSeq", cseq);
        if self
            .login
            .answer(response, &mut prack, turn.endpoint.ids())
            .is_ok()
        {
            self.send(*prack, Purpose::Prack, turn);
        }
    }

    /// The dialog that a request of the peer is in.
    pub(super) fn dialog_of(&mut self, request: &Request) -> Option<&mut Dialog> {
        match &mut self.phase {
            Phase::Calling(calling) => {
                let early = calling.early_mut(request.from_tag().unwrap_or_default())?;
                Some(&mut early.dialog)
            }
            _ => self.dialog.as_mut(),
        }
    }

    /// Whether the dialog is one of this call's. A fork that was not answered is over.
    pub(super) fn is_in(&self, id: DialogId<'_>) -> bool {
        match &self.phase {
            Phase::Calling(calling) => calling.early.iter().any(|early| early.dialog.id() == id),
            _ => self.dialog.as_ref().is_some_and(|dialog| dialog.id() == id),
        }
    }

    /// The dialog for our next request: while it rings there, the only one that allows offers.
    pub(super) fn dialog_for_change(&mut self) -> Option<&mut Dialog> {
        match &mut self.phase {
            Phase::Calling(calling) => match &mut calling.early[..] {
                [early] if early.settled => Some(&mut early.dialog),
                _ => None,
            },
            _ => self.dialog.as_mut(),
        }
    }
}

impl Calling {
    fn find_or_make_early(&mut self, response: &Response) -> Option<usize> {
        let id = DialogId::of_response(response)?;
        if let Some(known) = self.early.iter().position(|early| early.dialog.id() == id) {
            return Some(known);
        }
        if self.early.len() >= MAX_EARLY {
            return None;
        }
        let dialog = self.opening.dialog(response).ok()?;
        // Nearly always the only one.
        self.early.reserve_exact(1);
        self.early.push(Early {
            dialog,
            sequence: None,
            answer: None,
            settled: false,
        });
        Some(self.early.len() - 1)
    }
}
