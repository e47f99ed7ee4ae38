//! From endpoint events and deadlines to the calls that they are about.

use std::time::Instant;

use sip::{DialogId, Endpoint, EndpointEvent, Flow, Method, Request, ServerTransaction};

use super::body::{Admitted, admit};
use super::state::Call;
use super::table::Purpose;
use super::{CallEvent, CallKey, Calls};

impl Calls {
    /// Whether a request inside this dialog is a call's business.
    pub fn knows(&self, dialog: DialogId<'_>) -> bool {
        self.find(dialog).is_some()
    }

    /// The call that the dialog is in.
    pub(super) fn find(&self, dialog: DialogId<'_>) -> Option<CallKey> {
        let key = self.index.tag(dialog.local_tag)?;
        self.calls.get(&key)?.is_in(dialog).then_some(key)
    }

    /// Something happened at the endpoint. Returns the event if it has to do with no call.
    pub fn handle_event(
        &mut self,
        event: EndpointEvent,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Option<EndpointEvent> {
        match event {
            EndpointEvent::Request {
                transaction,
                request,
                flow,
            } => {
                let known = match DialogId::of_request(&request) {
                    None if request.method == Method::INVITE => {
                        self.receive_invite(transaction, request, flow, endpoint, now);
                        return None;
                    }
                    dialog => dialog.and_then(|dialog| self.find(dialog)),
                };
                let Some(key) = known else {
                    return Some(EndpointEvent::Request {
                        transaction,
                        request,
                        flow,
                    });
                };
                self.with(key, endpoint, now, |call, turn| {
                    call.handle_request(transaction, *request, flow, turn);
                });
            }
            EndpointEvent::Ack { ref request, .. } => {
                let dialog = DialogId::of_request(request);
                let Some(key) = dialog.and_then(|dialog| self.find(dialog)) else {
                    return Some(event);
                };
                self.with(key, endpoint, now, |call, turn| {
                    call.handle_ack(request, turn);
                });
            }
            EndpointEvent::Cancelled {
                transaction,
                ref cancel,
            } => {
                let Some(key) = self.index.server(transaction) else {
                    return Some(event);
                };
                self.with(key, endpoint, now, |call, turn| {
                    call.handle_cancel(transaction, cancel, turn);
                });
            }
            EndpointEvent::Unanswered { transaction } => {
                let Some(key) = self.index.server(transaction) else {
                    return Some(event);
                };
                self.with(key, endpoint, now, |call, turn| {
                    call.handle_unanswered(transaction, turn);
                });
            }
            EndpointEvent::Response { .. } | EndpointEvent::Failed { .. } => {
                return self.handle_outcome(event, endpoint, now);
            }
            EndpointEvent::Stateless { .. } | EndpointEvent::Unacknowledged { .. } => {
                return Some(event);
            }
        }
        None
    }

    /// A response to a request of ours, or the news that there will be none.
    fn handle_outcome(
        &mut self,
        event: EndpointEvent,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Option<EndpointEvent> {
        match event {
            EndpointEvent::Response {
                transaction,
                ref response,
                flow,
            } => {
                if let Some((key, purpose)) = self.index.client(transaction) {
                    self.with(key, endpoint, now, |call, turn| match purpose {
                        Purpose::Invite => call.handle_invite_response(response, flow, turn),
                        Purpose::Change => {
                            call.handle_change_response(transaction, response, flow, turn);
                        }
                        Purpose::Prack if response.status.is_final() => {
                            call.handle_prack_response(transaction, response, turn);
                        }
                        Purpose::Refer => call.handle_refer_response(transaction, response, turn),
                        Purpose::Notify if response.status.is_final() => {
                            turn.index.remove_client(transaction);
                            call.handle_notify_response(Some(response), turn);
                        }
                        Purpose::Bye if response.status.is_final() => {
                            turn.index.remove_client(transaction);
                            call.handle_bye_response(Some(response), turn);
                        }
                        Purpose::Info if response.status.is_final() => {
                            turn.index.remove_client(transaction);
                            call.handle_info_answer(response.status.code(), turn);
                        }
                        Purpose::Prack | Purpose::Notify | Purpose::Info | Purpose::Bye => {}
                    });
                } else if !self.sent.contains(transaction) {
                    return Some(event);
                } else if response.status.is_success() {
                    self.sent
                        .handle_success(transaction, response, endpoint, now);
                }
            }
            EndpointEvent::Failed { transaction, error } => {
                let Some((key, purpose)) = self.index.client(transaction) else {
                    return (!self.sent.contains(transaction)).then_some(event);
                };
                self.with(key, endpoint, now, |call, turn| {
                    turn.index.remove_client(transaction);
                    match purpose {
                        Purpose::Invite => call.handle_invite_failure(error, turn),
                        Purpose::Change => call.handle_change_failure(error, turn),
                        // The INVITE itself will tell.
                        Purpose::Prack => {}
                        Purpose::Info => call.handle_info_answer(408, turn),
                        Purpose::Refer => call.handle_refer_failure(error, turn),
                        Purpose::Notify => call.handle_notify_response(None, turn),
                        Purpose::Bye => call.handle_bye_response(None, turn),
                    }
                });
            }
            other => return Some(other),
        }
        None
    }

    /// Runs what is due. Afterwards the next deadline is later than `now`.
    pub fn handle_timeout(&mut self, endpoint: &mut Endpoint, now: Instant) {
        self.sent.handle_timeout(now);
        while let Some(key) = self.deadlines.first_due(now) {
            self.with(key, endpoint, now, Call::handle_timeout);
        }
    }

    /// A call comes in, outside of any dialog.
    fn receive_invite(
        &mut self,
        transaction: ServerTransaction,
        invite: Box<Request>,
        flow: Flow,
        endpoint: &mut Endpoint,
        now: Instant,
    ) {
        let tag = endpoint.ids().tag();
        let full = self.calls.len() >= self.config.max_calls;
        let key = self.next_key();
        let replaced = self.replaced_by(&invite);
        let mut turn = self.turn(endpoint, now);
        let mut admitted = match admit(&invite, &tag, turn.config) {
            Ok(admitted) => admitted,
            Err(response) => return turn.respond(transaction, *response),
        };
        match replaced {
            Ok(replaced) => admitted.replaces = replaced,
            Err(status) => return turn.respond(transaction, invite.response(status, Some(&tag))),
        }
        if full {
            return turn.respond(transaction, invite.response(486, Some(&tag)));
        }
        match Call::ring(transaction, &invite, &tag, &admitted, flow, key, &mut turn) {
            Ok(call) => {
                let Admitted {
                    offer, replaces, ..
                } = admitted;
                turn.events.push_back(CallEvent::Incoming {
                    call: key,
                    invite,
                    offer,
                    flow,
                    replaces,
                });
                self.calls.insert(key, Box::new(call));
                self.settle(key);
            }
            Err(status) => turn.respond(transaction, invite.response(status, Some(&tag))),
        }
    }
}
