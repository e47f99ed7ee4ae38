//! What the user agent tells about calls, and the policy for incoming ones.

use std::time::Instant;

use sdp::{AnswerError, Described, Direction, LocalMedia, SessionDescription};
use sip::{Flow, NameAddr, Request};
use ua::{CallError, CallEvent, CallKey, Dial};

use super::{MAX_CALLS, Phone};
use crate::call::{NewCall, PhoneCall, Stage, with_new_keys};
use crate::command::CallId;
use crate::event::{CallEnd, CallEnded, Event};
use crate::info;
use crate::view::{CallDirection, Ringback};

/// Why a call does not even ring.
enum Refused {
    Status(u16),
    Offer(AnswerError),
}

impl Phone {
    pub(super) fn handle_call(&mut self, event: CallEvent, now: Instant) {
        let key = event.call();
        if let CallEvent::Incoming {
            invite,
            offer,
            flow,
            ..
        } = event
        {
            self.handle_incoming(key, &invite, read(offer), flow, now);
            return;
        }
        let Some(&id) = self.keys.get(&key) else {
            return;
        };
        match event {
            CallEvent::Incoming { .. } => {}
            CallEvent::ReferProgress { status, .. } => self.handle_transfer(id, status, now),
            // Nothing here asks the other side for an offer.
            CallEvent::Offered { .. } => {}
            CallEvent::Referred {
                call, id: refer, ..
            } => {
                let refused = self
                    .calls
                    .refuse_refer(call, refer, 603, &mut self.endpoint, now);
                if let Err(error) = refused {
                    tracing::debug!(%error, "transfer not refused");
                }
            }
            CallEvent::Progress { status, answer, .. } => {
                self.handle_progress(id, status, read(answer));
            }
            CallEvent::Answered { answer, .. } => self.handle_answered(id, read(answer), now),
            CallEvent::Confirmed { answer, .. } | CallEvent::Reanswered { answer, .. } => {
                self.handle_agreed(id, read(answer), now);
            }
            CallEvent::Reoffered { offer, .. } => self.handle_reoffered(id, read(offer), now),
            CallEvent::ReofferFailed { status, .. } => self.handle_not_changed(id, status, now),
            CallEvent::Info {
                content_type, body, ..
            } => {
                if let Some(digit) = info::digit(&content_type, &body) {
                    self.change(id, |call| call.push_digit(digit));
                }
            }
            CallEvent::InfoRefused {
                content_type,
                body,
                status,
                ..
            } => self.handle_info_refused(id, &content_type, &body, status, now),
            CallEvent::Ended { reason, .. } => self.end(id, CallEnd::Signalled(reason), now),
        }
    }

    fn handle_incoming(
        &mut self,
        key: CallKey,
        invite: &Request,
        offer: Option<SessionDescription>,
        flow: Flow,
        now: Instant,
    ) {
        let user = invite.uri.user_decoded();
        let line = self.line_of(user.as_deref(), &flow);
        let rings = self.table.values().any(|call| call.stage == Stage::Ringing);
        let refusal = match (&line, &offer) {
            (None, _) => None,
            _ if rings || self.table.len() >= MAX_CALLS => Some(Refused::Status(486)),
            // Said at once: nobody should pick up a phone that then cannot talk.
            (Some(line), Some(offer)) => {
                let address = std::net::SocketAddr::new(line.local.ip, 9);
                let media = LocalMedia {
                    formats: line.formats.clone(),
                    security: with_new_keys(&line.security, self.endpoint.ids()),
                    ..LocalMedia::audio(address)
                };
                let origin = sdp::Origin::new(media.address, 0, 0);
                sdp::answer(offer, &media, &origin)
                    .err()
                    .map(Refused::Offer)
            }
            (Some(_), None) => None,
        };
        let line = match (line, refusal) {
            (Some(line), None) => line,
            (_, refusal) => {
                let endpoint = &mut self.endpoint;
                let refused = match refusal {
                    Some(Refused::Offer(error)) => {
                        self.calls.refuse_offer(key, &error, endpoint, now)
                    }
                    Some(Refused::Status(status)) => self.calls.reject(key, status, endpoint, now),
                    None => self.calls.reject(key, 404, endpoint, now),
                };
                if let Err(error) = refused {
                    tracing::debug!(%error, "call not rejected");
                }
                return;
            }
        };
        let nobody = NameAddr::new(invite.uri.clone());
        let party = invite.from().unwrap_or(nobody);
        let id = CallId(self.next_call);
        let mut call = PhoneCall::new(
            NewCall {
                id,
                line: line.id,
                direction: CallDirection::Incoming,
                stage: Stage::Ringing,
                party: &party,
                formats: line.formats.clone(),
                security: line.security.clone(),
            },
            now,
        );
        let line = line.id;
        call.key = Some(key);
        call.offer = offer;
        self.next_call += 1;
        self.table.insert(id, call);
        self.keys.insert(key, id);
        let rung = self.calls.progress(key, 180, None, &mut self.endpoint, now);
        if let Err(error) = rung {
            tracing::debug!(%error, "caller does not hear that it rings");
        }
        self.tell(Event::OpenMedia {
            call: id,
            line,
            direction: CallDirection::Incoming,
        });
        self.show(id);
    }

    /// Sends the INVITE of an outgoing call whose ports are open.
    pub(super) fn dial(&mut self, id: CallId, now: Instant) {
        let dial = self.prepare(id);
        let dialed = match dial {
            Some(dial) => self.calls.dial(dial, &mut self.endpoint, now),
            None => Err(CallError::WrongState),
        };
        match dialed {
            Ok(key) => {
                self.keys.insert(key, id);
                self.change(id, |call| {
                    call.key = Some(key);
                    call.stage = Stage::Dialing;
                });
            }
            Err(error) => {
                tracing::debug!(%error, "call not placed");
                let failure = ua::EndReason::Failed(ua::CallFailure::Unreachable);
                self.end(id, CallEnd::Signalled(failure), now);
            }
        }
    }

    fn prepare(&mut self, id: CallId) -> Option<Dial> {
        let call = self.table.get_mut(&id)?;
        let line = self.lines.iter().find(|line| line.config.id == call.line)?;
        let server = line.server?;
        let target = call.target.clone()?;
        let (media, session) = call.session()?;
        let offer = session.offer(&media);
        let config = &line.config;
        Some(Dial {
            request_uri: target.clone(),
            from: config.address(),
            to: NameAddr::new(target),
            contact: config.contact(),
            route: config.route(),
            destination: server.into(),
            offer: Some(offer.into()),
            credentials: config.credentials(),
            headers: Vec::new(),
        })
    }

    fn handle_progress(&mut self, id: CallId, status: u16, answer: Option<SessionDescription>) {
        let Some(call) = self.table.get_mut(&id) else {
            return;
        };
        if status == 180 || status == 183 {
            call.stage = Stage::Alerting;
        }
        let early = answer.and_then(|answer| {
            call.session()
                .and_then(|(_, session)| session.preview_answer(&answer).ok())
        });
        match early {
            Some(mut negotiated) => {
                // Nobody there hears a caller before the answer; what comes is heard.
                negotiated.direction = negotiated.direction.intersect(Direction::RecvOnly);
                call.ringback = Ringback::Network;
                self.tell(Event::UpdateMedia {
                    call: id,
                    negotiated: Box::new(negotiated),
                });
            }
            // Early media that has begun goes on.
            None if status == 180 && call.ringback == Ringback::None => {
                call.ringback = Ringback::Local;
            }
            None => {}
        }
        self.show(id);
    }

    fn handle_answered(&mut self, id: CallId, answer: Option<SessionDescription>, now: Instant) {
        let Some(call) = self.table.get_mut(&id) else {
            return;
        };
        if call.stage == Stage::Ending {
            return;
        }
        let agreed = match (answer, call.session()) {
            (Some(answer), Some((_, session))) => session.accept_answer(&answer).map(|_| ()),
            _ => Err(AnswerError::NoAudio),
        };
        if let Err(error) = agreed {
            // Answered, but not usably: hang up properly and say why.
            self.hang_up(id, now);
            if let Some(key) = self.table.get(&id).and_then(|call| call.key) {
                self.keys.remove(&key);
            }
            self.end(id, CallEnd::NoAgreement(error), now);
            return;
        }
        self.change(id, |call| call.mark_answered(now));
        self.update_media(id);
        self.renegotiate(id, now);
    }

    /// An answer to an offer of ours arrived, in an ACK or for a change.
    fn handle_agreed(&mut self, id: CallId, answer: Option<SessionDescription>, now: Instant) {
        let Some(call) = self.table.get_mut(&id) else {
            return;
        };
        call.is_changing = false;
        if let (Some(answer), Some((_, session))) = (answer, call.session())
            && session.is_offering()
        {
            match session.accept_answer(&answer) {
                Ok(_) => self.update_media(id),
                Err(error) => {
                    tracing::debug!(%error, "the answer to our offer cannot be used");
                    session.abandon();
                }
            }
        }
        self.show(id);
        self.renegotiate(id, now);
        self.send_refer(id, now);
    }

    /// The other side wants another session: hold, resume, another address.
    fn handle_reoffered(&mut self, id: CallId, offer: Option<SessionDescription>, now: Instant) {
        let Some(call) = self.table.get_mut(&id) else {
            return;
        };
        let was_offering = call.is_changing;
        let (Some(key), Some((media, session))) = (call.key, call.session()) else {
            return;
        };
        if was_offering {
            // Both offered at once, and theirs came through first: ours is made anew from what
            // holds after it, and takes the place of the one that waits.
            session.abandon();
        }
        let answer = match offer {
            Some(offer) => session
                .accept_offer(&offer, &media)
                .map(|(answer, _)| answer.into())
                .map_err(|error| error.reply_status()),
            // Whoever asks may ask for somebody else.
            None => Ok(session.offer_anew(&media).into()),
        };
        let agreed = answer.is_ok();
        if let Err(error) = self
            .calls
            .answer_reoffer(key, answer, &mut self.endpoint, now)
        {
            tracing::debug!(%error, "changed session not answered");
        }
        if agreed {
            self.update_media(id);
        }
        self.change(id, |call| {
            call.is_changing = false;
            call.must_change |= was_offering;
        });
        self.renegotiate(id, now);
    }

    fn handle_not_changed(&mut self, id: CallId, status: u16, now: Instant) {
        tracing::debug!(status, "the other side refused to change the session");
        self.change(id, |call| {
            call.is_changing = false;
            if let Some((_, session)) = call.session() {
                session.abandon();
            }
            // What is shown must be what is so.
            call.on_hold = call
                .negotiated()
                .is_some_and(|agreed| !agreed.direction.receives());
        });
        self.renegotiate(id, now);
        self.send_refer(id, now);
    }

    /// Tells the edge what was agreed last.
    pub(super) fn update_media(&mut self, id: CallId) {
        let agreed = self.table.get(&id).and_then(PhoneCall::negotiated).cloned();
        if let Some(negotiated) = agreed {
            self.tell(Event::UpdateMedia {
                call: id,
                negotiated: Box::new(negotiated),
            });
            self.show(id);
        }
    }

    /// Changes a call and shows it.
    pub(super) fn change(&mut self, id: CallId, change: impl FnOnce(&mut PhoneCall)) {
        if let Some(call) = self.table.get_mut(&id) {
            change(call);
            self.show(id);
        }
    }

    pub(super) fn show(&mut self, id: CallId) {
        if let Some(call) = self.table.get(&id) {
            let view = call.view();
            self.tell(Event::Call(Box::new(view)));
        }
    }

    /// Takes a call off the table. Its media is closed before anybody hears that it is over.
    pub(super) fn end(&mut self, id: CallId, end: CallEnd, now: Instant) {
        let Some(mut call) = self.table.remove(&id) else {
            return;
        };
        if let Some(key) = call.key {
            self.keys.remove(&key);
        }
        call.stage = Stage::Ending;
        let end = match end {
            CallEnd::Signalled(_) if call.is_transferred => CallEnd::Transferred,
            end => end,
        };
        let about = call.consults_for;
        self.close_conference();
        let talked = call.answered().map(|answered| now - answered);
        self.tell(Event::CloseMedia { call: id });
        self.tell(Event::CallEnded(Box::new(CallEnded {
            call: call.view(),
            end,
            talked,
        })));
        if let Some(first) = about {
            self.come_back(first, now);
        }
    }
}

/// What the other side says it can do.
fn read(described: Option<Described>) -> Option<SessionDescription> {
    described.and_then(|described| described.parse().ok())
}
