//! What the person does: each command to the call that is meant, or a reason why not.

use std::time::Instant;

use sdp::AnswerError;
use sip::NameAddr;

use super::{MAX_CALLS, Phone};
use crate::call::{NewCall, PhoneCall, Stage};
use crate::command::{Action, CallId, LineId, Refusal, Rejection, Which};
use crate::event::{CallEnd, Event};
use crate::view::{Actions, CallDirection, LineStatus};

/// The call that a command was about.
pub(super) type Done = Result<Option<CallId>, Refusal>;

impl Phone {
    pub(super) fn act(&mut self, action: Action, now: Instant) -> Done {
        match action {
            Action::Configure(lines) => self.configure(&lines, now).map(|()| None),
            Action::Call { line, target } => self.call(line, &target.0, now).map(Some),
            Action::Answer(which) => {
                let call = self.choose(which, |actions| actions.answer)?;
                self.hold_others(call, now);
                self.change(call, |call| call.stage = Stage::Answering);
                self.try_answer(call, now);
                Ok(Some(call))
            }
            Action::Reject(which, rejection) => {
                let call = self.choose(which, |actions| actions.reject)?;
                self.decline(call, rejection, now);
                Ok(Some(call))
            }
            Action::HangUp(which) => {
                let call = self.choose(which, |actions| actions.hang_up.or(actions.reject))?;
                self.hang_up(call, now);
                Ok(Some(call))
            }
            Action::Hold(which) => {
                let call = self.choose(which, |actions| actions.hold)?;
                self.set_hold(call, Hold::On, now);
                Ok(Some(call))
            }
            Action::Resume(which) => {
                let call = self.choose(which, |actions| actions.resume)?;
                self.hold_others(call, now);
                self.set_hold(call, Hold::Off, now);
                Ok(Some(call))
            }
            Action::SendDigits(which, digits) => {
                let known = |digit: char| digit.is_ascii_digit() || "*#ABCDabcd".contains(digit);
                if digits.0.is_empty() || digits.0.len() > 64 || !digits.0.chars().all(known) {
                    return Err(Refusal::NoDigits);
                }
                let call = self.choose(which, |actions| actions.send_digits)?;
                self.send_digits(call, &digits.0, now);
                Ok(Some(call))
            }
            Action::Transfer(which, target) => self.transfer(which, &target.0, now),
            Action::Consult(which, target) => self.consult(which, &target.0, now),
            Action::TransferTo { call, to } => self.transfer_to(call, to, now),
            Action::Join(calls) => self.join(&calls, now),
            Action::Split(which) => self.split(which, now),
            Action::HoldConference => self.hold_conference(now),
            Action::ResumeConference => self.resume_conference(now),
            Action::EndConference => self.end_conference(now),
            Action::MediaOpened { call, local } => {
                let random = self.endpoint.ids().fork();
                let known = self.table.get_mut(&call).ok_or(Refusal::NoCall)?;
                known.open_session(local, random);
                match known.stage {
                    Stage::Opening => self.dial(call, now),
                    Stage::Answering => self.try_answer(call, now),
                    _ => {}
                }
                Ok(Some(call))
            }
            Action::MediaCandidates { call, default, ice } => {
                let known = self.table.get_mut(&call).ok_or(Refusal::NoCall)?;
                known.set_candidates(default, ice);
                Ok(Some(call))
            }
            Action::MediaFailed { call, reason } => {
                let known = self.table.get(&call).ok_or(Refusal::NoCall)?;
                if let Some(key) = known.key {
                    // No refusal by the person: others who are called at the same time go on ringing.
                    self.keys.remove(&key);
                    if let Err(error) = self.calls.reject(key, 480, &mut self.endpoint, now) {
                        tracing::debug!(%error, "call without ports not rejected");
                    }
                }
                self.end(call, CallEnd::NoMedia(reason), now);
                Ok(Some(call))
            }
            Action::DigitReceived { call, digit } => {
                self.table.get(&call).ok_or(Refusal::NoCall)?;
                self.change(call, |call| call.push_digit(digit));
                Ok(Some(call))
            }
        }
    }

    /// The call that is named, or the only one for which the action is there.
    pub(super) fn choose(
        &self,
        which: Which,
        action: impl Fn(&Actions) -> Option<CallId>,
    ) -> Result<CallId, Refusal> {
        if let Some(call) = which {
            let call = self.table.get(&call).ok_or(Refusal::NoCall)?;
            return action(&call.actions()).ok_or(Refusal::NotPossible);
        }
        let mut fitting = self
            .table
            .values()
            .filter_map(|call| action(&call.actions()));
        let only = fitting.next().ok_or(Refusal::NoCall)?;
        match fitting.next() {
            None => Ok(only),
            Some(_) => Err(Refusal::Ambiguous),
        }
    }

    pub(super) fn call(
        &mut self,
        line: Option<LineId>,
        target: &str,
        now: Instant,
    ) -> Result<CallId, Refusal> {
        let line = match line {
            Some(id) => self.lines.iter().find(|line| line.config.id == id),
            None => {
                let connected =
                    |line: &&super::Line| matches!(line.status, LineStatus::Connected { .. });
                self.lines.iter().find(connected).or(self.lines.first())
            }
        };
        let line = line.ok_or(Refusal::NoSuchLine)?;
        let id_of_line = line.config.id;
        let (formats, security) = (line.config.formats.clone(), line.config.security.clone());
        let target = line.config.target(target)?;
        match &line.status {
            LineStatus::Connected { .. } => {}
            LineStatus::Failed(failure) => {
                return Err(Refusal::NotConnected {
                    reason: Some(failure.to_string()),
                });
            }
            LineStatus::NotConnected | LineStatus::Connecting => {
                return Err(Refusal::NotConnected { reason: None });
            }
        }
        if self.table.len() >= MAX_CALLS {
            return Err(Refusal::TooManyCalls);
        }
        let id = self.next_id();
        let mut call = PhoneCall::new(
            NewCall {
                id,
                line: id_of_line,
                direction: CallDirection::Outgoing,
                stage: Stage::Opening,
                party: &NameAddr::new(target.clone()),
                formats,
                security,
            },
            now,
        );
        call.target = Some(target);
        self.table.insert(id, call);
        self.hold_others(id, now);
        self.tell(Event::OpenMedia {
            call: id,
            line: id_of_line,
            direction: CallDirection::Outgoing,
        });
        self.show(id);
        Ok(id)
    }

    pub(super) fn next_id(&mut self) -> CallId {
        let id = CallId(self.next_call);
        self.next_call += 1;
        id
    }

    /// Puts every other connected call on hold: one talks to one party, or one conference, at a time.
    pub(super) fn hold_others(&mut self, except: CallId, now: Instant) {
        let in_conference = |id| self.table.get(&id).is_some_and(|call| call.in_conference);
        let joined = in_conference(except);
        let others: Vec<_> = self
            .table
            .values()
            .filter(|call| call.id != except && !(joined && call.in_conference))
            .filter_map(|call| call.actions().hold)
            .collect();
        for call in others {
            self.set_hold(call, Hold::On, now);
        }
    }

    pub(super) fn set_hold(&mut self, call: CallId, hold: Hold, now: Instant) {
        self.change(call, |call| {
            call.on_hold = hold == Hold::On;
            call.must_change = true;
        });
        self.renegotiate(call, now);
    }

    /// Sends the offer of a changed session, unless a change is under way: then afterwards.
    pub(super) fn renegotiate(&mut self, id: CallId, now: Instant) {
        let Some(call) = self.table.get_mut(&id) else {
            return;
        };
        let Some(key) = call.key.filter(|_| call.stage == Stage::Connected) else {
            return;
        };
        if call.is_changing || !call.must_change {
            return;
        }
        let Some((media, session)) = call.session() else {
            return;
        };
        let offer = session.offer(&media);
        call.must_change = false;
        match self
            .calls
            .reoffer(key, offer.into(), &mut self.endpoint, now)
        {
            Ok(()) => call.is_changing = true,
            Err(error) => {
                tracing::debug!(%error, "session not changed");
                if let Some((_, session)) = call.session() {
                    session.abandon();
                }
                // Tried again when the change that is under way is over.
                call.must_change = matches!(error, ua::CallError::OfferPending);
            }
        }
    }

    /// Answers an incoming call if the person wants to and the ports are open.
    fn try_answer(&mut self, id: CallId, now: Instant) {
        let Some(call) = self.table.get_mut(&id) else {
            return;
        };
        let (Some(key), true) = (call.key, call.has_ports()) else {
            return;
        };
        let offer = call.offer.take();
        let Some((media, session)) = call.session() else {
            return;
        };
        let description = match &offer {
            Some(offer) => session
                .accept_offer(offer, &media)
                .map(|(answer, _)| answer),
            // An INVITE without offer: ours goes into the 200 (RFC 3261, section 13.3.1.4).
            None => Ok(session.offer(&media)),
        };
        match description {
            Ok(description) => {
                if let Err(error) =
                    self.calls
                        .answer(key, Some(description.into()), &mut self.endpoint, now)
                {
                    // The caller gave up in the same moment; the end is on its way.
                    tracing::debug!(%error, "call not answered");
                    return;
                }
                self.change(id, |call| call.mark_answered(now));
                self.update_media(id);
            }
            Err(error) => self.reject(id, &error, now),
        }
    }

    fn reject(&mut self, id: CallId, error: &AnswerError, now: Instant) {
        let Some(key) = self.table.get(&id).and_then(|call| call.key) else {
            return;
        };
        if let Err(error) = self.calls.refuse_offer(key, error, &mut self.endpoint, now) {
            tracing::debug!(%error, "call not rejected");
        }
    }

    /// The person does not want this call.
    fn decline(&mut self, id: CallId, rejection: Rejection, now: Instant) {
        let status = match rejection {
            Rejection::Busy => 486,
            Rejection::Declined => 603,
        };
        let Some(key) = self.table.get(&id).and_then(|call| call.key) else {
            return;
        };
        self.change(id, |call| call.stage = Stage::Ending);
        if let Err(error) = self.calls.reject(key, status, &mut self.endpoint, now) {
            tracing::debug!(%error, "call not rejected");
        }
    }

    pub(super) fn hang_up(&mut self, id: CallId, now: Instant) {
        let Some(call) = self.table.get_mut(&id) else {
            return;
        };
        call.stage = Stage::Ending;
        match call.key {
            None => {
                let given_up = CallEnd::Signalled(ua::EndReason::LocalHangUp);
                self.end(id, given_up, now);
            }
            Some(key) => {
                // Its end is told at once, whatever the peer still has to say.
                if let Err(error) = self.calls.hang_up(key, None, &mut self.endpoint, now) {
                    tracing::debug!(%error, "call not hung up");
                }
            }
        }
    }
}

/// What is wanted of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    On,
    Off,
}
