//! From received bytes to transactions and events.

use std::time::Instant;

use bytes::Bytes;
use tracing::{debug, trace};

use crate::flow::{Destination, Flow};
use crate::machine::{Transmit, TransmitId};
use crate::message::{Message, Request, Response, parse_datagram, parse_message};
use crate::method::Method;
use crate::status::Status;
use crate::transaction::client_invite::{ClientInvite, cancel_for};
use crate::transaction::client_non_invite::ClientNonInvite;
use crate::transaction::key::{ClientKey, MergeKey, ServerKey};
use crate::transaction::server_invite::{Head, ServerInvite};
use crate::transaction::server_non_invite::ServerNonInvite;
use crate::transaction::{Action, Reliability};
use crate::transport::Transport;

use super::table::{AckMeaning, Client, Fingerprint, Purpose, Server, ServerMachine};
use super::{ClientTransaction, Endpoint, EndpointEvent, EndpointOutput, ServerTransaction};

/// Seconds after which a client may try again when the table is full.
const FULL_RETRY_AFTER_SECS: &str = "5";

impl Endpoint {
    /// One datagram, or one framed message of a stream, arrived on `flow`.
    pub fn handle_received(&mut self, flow: Flow, bytes: Bytes, now: Instant) {
        let length = bytes.len();
        let parsed = match flow.transport {
            // A WebSocket frame says where its message ends, like a datagram (RFC 7118, section 5.1).
            Transport::Udp | Transport::Ws | Transport::Wss => parse_datagram(bytes),
            Transport::Tcp | Transport::Tls => parse_message(bytes),
        };
        match parsed {
            Ok(Message::Request(request)) => self.receive_request(request, flow, length, now),
            Ok(Message::Response(response)) => self.receive_response(response, flow, now),
            Err(malformed) => {
                debug!(error = %malformed.error, %flow.peer, "malformed message");
                self.refuse_malformed(&malformed, flow, length);
            }
        }
    }

    fn receive_request(
        &mut self,
        mut request: Box<Request>,
        flow: Flow,
        length: usize,
        now: Instant,
    ) {
        if let Err(refusal) = request.admit(flow.peer) {
            debug!(error = %refusal, %flow.peer, "request refused");
            if request.method != Method::ACK && request.header("Via").is_some() {
                self.refuse(&request, flow, length, refusal.status());
            }
            return;
        }
        if request.method == Method::ACK {
            self.receive_ack(request, flow, now);
        } else if request.method == Method::CANCEL {
            self.receive_cancel(request, flow, length);
        } else {
            self.receive_new_or_again(request, flow, length, now);
        }
    }

    fn receive_ack(&mut self, request: Box<Request>, flow: Flow, now: Instant) {
        let mut actions = self.take_actions();
        let mut meaning = AckMeaning::ForDialog;
        if let Some(transaction) = self.find_server(&request, &Method::INVITE)
            && let Some(server) = self.servers.find_mut(transaction)
        {
            meaning = server.handle_ack(now, &mut actions);
            self.finish_server(transaction, actions);
        }
        if meaning == AckMeaning::ForDialog {
            self.event(EndpointEvent::Ack { request, flow });
        }
    }

    /// Needs no transaction of its own: whatever is said to the first CANCEL can be said to the
    /// next, and the owner is told only while it makes a difference.
    fn receive_cancel(&mut self, cancel: Box<Request>, flow: Flow, length: usize) {
        let Some(transaction) = self.find_server(&cancel, &Method::INVITE) else {
            self.refuse(&cancel, flow, length, Status::new(481));
            return;
        };
        let Some(server) = self.servers.find_mut(transaction) else {
            return;
        };
        let is_new = server.is_cancellable() && !server.cancelled;
        server.cancelled = true;
        let to_tag = server
            .to_tag
            .clone()
            .unwrap_or_else(|| (*self.refusals.tag(&cancel)).into());
        self.reply_or_drop(flow, &cancel.response(200, Some(&to_tag)), length);
        if is_new {
            self.event(EndpointEvent::Cancelled {
                transaction,
                cancel,
            });
        }
    }

    fn receive_new_or_again(
        &mut self,
        request: Box<Request>,
        flow: Flow,
        length: usize,
        now: Instant,
    ) {
        if self
            .config
            .stateless
            .as_ref()
            .is_some_and(|stateless| stateless.judges(&request, &flow))
        {
            self.event(EndpointEvent::Stateless {
                request,
                flow,
                bytes: length,
            });
            return;
        }
        let key = self.server_key(&request, &request.method);
        if let Some(transaction) = key.and_then(|key| self.servers.find(key)) {
            let mut actions = self.take_actions();
            if let Some(server) = self.servers.find_mut(transaction) {
                server.handle_again(now, &mut actions);
            }
            self.finish_server(transaction, actions);
            return;
        }
        let merge = MergeKey::of(&request).map(|key| self.servers.fingerprint(&("merged", key)));
        if merge.is_some_and(|key| self.servers.find(key).is_some()) {
            self.refuse(&request, flow, length, Status::new(482));
        } else if self.servers.len() >= self.config.max_transactions {
            let mut response = request.response(503, Some(&self.refusals.tag(&request)));
            response.push_header("Retry-After", FULL_RETRY_AFTER_SECS);
            self.reply_or_drop(flow, &response, length);
        } else if let Some(key) = key {
            self.start_server(request, [Some(key), merge], flow, length, now);
        }
    }

    fn start_server(
        &mut self,
        request: Box<Request>,
        keys: [Option<Fingerprint>; 2],
        flow: Flow,
        length: usize,
        now: Instant,
    ) {
        let reliability = Reliability::of(flow.transport);
        let machine = if request.method == Method::INVITE {
            let head = Head::of(&request, &self.ids.tag());
            let machine = ServerInvite::start(head, reliability, self.config.timers, now);
            ServerMachine::Invite(machine)
        } else {
            let machine = ServerNonInvite::start(reliability, self.config.timers, now);
            ServerMachine::NonInvite(machine)
        };
        let transaction = ServerTransaction(self.next_id());
        self.servers
            .insert(transaction, keys, Server::new(machine, flow, length));
        self.servers.settle(transaction);
        self.event(EndpointEvent::Request {
            transaction,
            request,
            flow,
        });
    }

    fn find_server(&self, request: &Request, method: &Method) -> Option<ServerTransaction> {
        self.servers.find(self.server_key(request, method)?)
    }

    fn server_key(&self, request: &Request, method: &Method) -> Option<Fingerprint> {
        let key = ServerKey::of(request, method)?;
        Some(self.servers.fingerprint(&key))
    }

    fn receive_response(&mut self, mut response: Box<Response>, flow: Flow, now: Instant) {
        match response.admit() {
            Ok(1) => {}
            // More than one Via means that it is for somebody behind us (RFC 3261, section 8.1.3.3).
            Ok(_) => {
                trace!(%flow.peer, "response with several Vias dropped");
                return;
            }
            Err(error) => {
                debug!(%error, %flow.peer, "response dropped");
                return;
            }
        }
        let key = ClientKey::of(&response).map(|key| self.clients.fingerprint(&key));
        let Some(transaction) = key.and_then(|key| self.clients.find(key)) else {
            trace!(%flow.peer, "response without transaction dropped");
            return;
        };
        let mut actions = self.take_actions();
        if let Some(client) = self.clients.find_mut(transaction) {
            client.handle_response(response, now, &mut actions);
        }
        self.finish_client(transaction, actions, Some(flow), now);
    }

    pub(super) fn start_client(
        &mut self,
        request: &Request,
        key: Fingerprint,
        destination: Destination,
        purpose: Purpose,
        now: Instant,
    ) -> ClientTransaction {
        let transaction = ClientTransaction(self.next_id());
        self.start_as(transaction, request, key, destination, purpose, now);
        transaction
    }

    /// As [`start_client`](Self::start_client), with an id that is known already.
    pub(super) fn start_as(
        &mut self,
        transaction: ClientTransaction,
        request: &Request,
        key: Fingerprint,
        destination: Destination,
        purpose: Purpose,
        now: Instant,
    ) {
        let reliability = Reliability::of(destination.transport());
        let timers = self.config.timers;
        let mut actions = self.take_actions();
        let client = if request.method == Method::INVITE {
            let machine = ClientInvite::start(request, reliability, timers, now, &mut actions);
            Client::invite(machine, destination)
        } else {
            let machine = ClientNonInvite::start(request, reliability, timers, now, &mut actions);
            Client::non_invite(machine, destination, purpose)
        };
        self.clients.insert(transaction, [Some(key), None], client);
        self.finish_client(transaction, actions, None, now);
    }

    /// Carries out what a client transaction wants and settles it. `flow` is where the response
    /// came from, if one did.
    pub(super) fn finish_client(
        &mut self,
        transaction: ClientTransaction,
        mut actions: Vec<Action>,
        flow: Option<Flow>,
        now: Instant,
    ) {
        let Some(client) = self.clients.find_mut(transaction) else {
            return;
        };
        let (destination, purpose) = (client.destination, client.purpose);
        let mut cancel = None;
        for action in actions.drain(..) {
            match (action, purpose, flow) {
                (Action::Send(bytes), ..) => {
                    let id = TransmitId(transaction.0);
                    let transmit = Transmit {
                        id,
                        destination,
                        bytes,
                    };
                    self.outputs.push_back(EndpointOutput::Transmit(transmit));
                }
                (Action::Deliver(response), Purpose::Owner, Some(flow)) => {
                    self.event(EndpointEvent::Response {
                        transaction,
                        response,
                        flow,
                    });
                }
                (Action::Fail(error), Purpose::Owner, _) => {
                    if let Destination::Address {
                        transport, peer, ..
                    } = destination
                    {
                        let unreachable = EndpointOutput::Unreachable { transport, peer };
                        self.outputs.push_back(unreachable);
                    }
                    self.event(EndpointEvent::Failed { transaction, error });
                }
                (Action::Cancel, ..) => cancel = self.cancel_request(transaction),
                (action, ..) => trace!(?action, "nobody wants to know"),
            }
        }
        self.actions = actions;
        self.clients.settle(transaction);
        if let Some((cancel, key)) = cancel {
            self.start_client(&cancel, key, destination, Purpose::Cancel, now);
        }
    }

    fn cancel_request(&self, invite: ClientTransaction) -> Option<(Request, Fingerprint)> {
        let client = self.clients.find_entry(invite)?;
        let invite = client.request()?;
        let via = invite.via().ok()?;
        let key = ClientKey::new(via.branch()?, &via.sent_by, Method::CANCEL);
        let key = self.clients.fingerprint(&key);
        let cancel = cancel_for(&invite, client.cancel_reason.as_deref());
        Some((cancel, key))
    }

    /// Carries out what a server transaction wants and settles it.
    pub(super) fn finish_server(
        &mut self,
        transaction: ServerTransaction,
        mut actions: Vec<Action>,
    ) {
        let Some(flow) = self.servers.find_mut(transaction).map(|server| server.flow) else {
            return;
        };
        for action in actions.drain(..) {
            match action {
                Action::Send(bytes) => {
                    let id = TransmitId(transaction.0);
                    let transmit = Transmit {
                        id,
                        destination: flow.into(),
                        bytes,
                    };
                    self.outputs.push_back(EndpointOutput::Transmit(transmit));
                }
                Action::Unacknowledged => self.event(EndpointEvent::Unacknowledged { transaction }),
                Action::Unanswered => self.event(EndpointEvent::Unanswered { transaction }),
                Action::Deliver(_) | Action::Fail(_) | Action::Cancel => {
                    debug_assert!(false, "server transactions have no such action");
                }
            }
        }
        self.actions = actions;
        self.servers.settle(transaction);
    }

    /// The list for what a transaction wants, empty: one serves them all.
    pub(super) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }
}
