//! The transaction table: sorts what arrives into transactions, new requests and strays.
//!
//! ```text
//!   bytes ──► parse ──► response ──► client transaction ──► Event::Response
//!               │                     └ none: dropped
//!               └► request ──► refusal (400, 416, 505 …, stateless)
//!                     ├► ACK ────► server transaction, or Event::Ack
//!                     ├► CANCEL ─► 200 and Event::Cancelled, or 481
//!                     ├► stateless by choice of the owner ─► Event::Stateless
//!                     ├► known ──► its last response again
//!                     ├► merged ─► 482 (RFC 3261, section 8.2.2.2; users need not look)
//!                     ├► full ───► 503 with Retry-After, stateless
//!                     └► new ────► server transaction, Event::Request
//! ```
//!
//! An `Endpoint` is part of a machine, not one itself: its owner passes on what happens and drains
//! [`Endpoint::poll_output`]. Invariants: an ACK is never answered; responses go only to the flow
//! the request came on, whatever its Via claims; a response without transaction is sent once, is
//! no reply to ACK or response, and over UDP not longer than one and a half times the request;
//! both tables are bounded and every entry has a deadline.
//!
//! `receive.rs` is what arrives, `send.rs` what we ask of others, this file what we answer.
//!
//! What is not here: retransmission of a 2xx and its ACK (crate `ua`, with the dialogs),
//! methods, extensions, authentication (the users), connections (`sip-io`).

mod config;
mod event;
mod oversize;
mod receive;
mod refusal;
mod send;
mod table;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use crate::flow::{Destination, Flow};
use crate::header::name::NameId;
use crate::host::HostPort;
use crate::ids::{Ids, Tag};
use crate::machine::{Transmit, TransmitId};
use crate::message::{Request, Response};
use crate::transaction::{Action, Timers};
use crate::transport::Transport;

pub use config::{EndpointConfig, Stateless};
pub use event::{
    Answer, ClientTransaction, EndpointError, EndpointEvent, EndpointOutput, ServerTransaction,
};

use oversize::DatagramOnly;
use refusal::Refusals;
use table::{Clients, Servers};

/// Transactions of one user agent, registrar or proxy.
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    ids: Ids,
    refusals: Refusals,
    clients: Clients,
    servers: Servers,
    datagram_only: DatagramOnly,
    /// Source of transaction and transmit ids, which therefore never clash.
    last_id: u64,
    outputs: VecDeque<EndpointOutput>,
    /// Empty between two steps.
    actions: Vec<Action>,
}

impl Endpoint {
    /// An endpoint without transactions.
    pub fn new(mut config: EndpointConfig, mut ids: Ids) -> Self {
        config.timers = config.timers.at_least_a_millisecond();
        Self {
            refusals: Refusals::new(ids.bytes()),
            clients: Clients::default(),
            servers: Servers::default(),
            datagram_only: DatagramOnly::default(),
            last_id: 0,
            outputs: VecDeque::new(),
            actions: Vec::new(),
            config,
            ids,
        }
    }

    /// What Via says about us for `transport`.
    pub fn advertised(&self, transport: Transport) -> Option<&HostPort> {
        self.config
            .advertised
            .iter()
            .find(|(own, _)| *own == transport)
            .map(|(_, sent_by)| sent_by)
    }

    /// The owner's source of tags and Call-IDs.
    pub fn ids(&mut self) -> &mut Ids {
        &mut self.ids
    }

    /// The base values of all timers, already corrected.
    pub fn timers(&self) -> Timers {
        self.config.timers
    }

    /// Live transactions of both kinds.
    pub fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    /// Whether no transaction is alive.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A response to an INVITE, as [`Request::response`] makes it and with Record-Route if it makes a dialog; `None` once there was
    /// a final one. Users need not keep the INVITE for it.
    pub fn invite_response(
        &self,
        invite: ServerTransaction,
        status: u16,
        to_tag: &str,
    ) -> Option<Response> {
        let head = self.servers.find_entry(invite)?.head()?;
        Some(head.response(status, Some(to_tag)))
    }

    /// Answers a request. After a 2xx to an INVITE more 2xx may follow: their retransmission is
    /// the dialog's business (RFC 3261, section 13.3.1.4), by [`respond_again`](Self::respond_again).
    ///
    /// # Errors
    ///
    /// [`EndpointError::Answered`] if the transaction takes no such response any more.
    pub fn respond(
        &mut self,
        transaction: ServerTransaction,
        mut response: Response,
        now: Instant,
    ) -> Result<Answer, EndpointError> {
        self.name_server(&mut response);
        let mut actions = self.take_actions();
        let server = self
            .servers
            .find_mut(transaction)
            .ok_or(EndpointError::Answered)?;
        let answer = server.respond(&response, now, &mut actions)?;
        self.finish_server(transaction, actions);
        Ok(answer)
    }

    /// Says once more what was said, unless the transaction takes no such response any more.
    pub fn respond_again(&mut self, transaction: ServerTransaction, answer: &Answer, now: Instant) {
        let mut actions = self.take_actions();
        if let Some(server) = self.servers.find_mut(transaction) {
            server.respond_again(answer, now, &mut actions);
        }
        self.finish_server(transaction, actions);
    }

    /// Answers a request and forgets it: for a challenge or another refusal of somebody who may
    /// have lied about his address (RFC 3261, section 26.3.2.4). Never retransmitted; silence
    /// over UDP if the response is longer than one and a half times the request, and no Server header
    /// that would make it longer. The request
    /// itself comes again as a new one.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Answered`] if the transaction is over.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "like `respond`: the answer is given away"
    )]
    pub fn respond_once(
        &mut self,
        transaction: ServerTransaction,
        response: Response,
    ) -> Result<(), EndpointError> {
        let (flow, request_bytes) = self.forget(transaction).ok_or(EndpointError::Answered)?;
        // Silence is the answer then.
        let _ = self.reply(flow, request_bytes, &response);
        Ok(())
    }

    /// Ends a server transaction without an answer. Gives back where the request came from and its length as it
    /// arrived, for [`reply`](Self::reply); `None` if the transaction is over already.
    pub fn forget(&mut self, transaction: ServerTransaction) -> Option<(Flow, usize)> {
        let server = self.servers.remove(transaction)?;
        Some((server.flow, server.request_bytes))
    }

    /// Sends `response` once and outside of any transaction, to somebody who may have lied about his address: over
    /// UDP not more than one and a half times the `request_bytes` that the request had as it arrived.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Amplifies`]; a shorter response may be tried.
    pub fn reply(
        &mut self,
        flow: Flow,
        request_bytes: usize,
        response: &Response,
    ) -> Result<(), EndpointError> {
        let bytes = response.to_bytes();
        if flow.transport == Transport::Udp && bytes.len() > request_bytes + request_bytes / 2 {
            return Err(EndpointError::Amplifies);
        }
        self.transmit(flow.into(), bytes);
        Ok(())
    }

    /// The To tag for responses outside of transactions: the same for each copy of a request.
    pub fn stateless_tag(&self, request: &Request) -> Tag {
        self.refusals.tag(request)
    }

    /// Sends a response that belongs to no transaction, once.
    pub fn respond_stateless(&mut self, flow: Flow, mut response: Response) {
        self.name_server(&mut response);
        let bytes = response.to_bytes();
        self.transmit(flow.into(), bytes);
    }

    /// A message that [`EndpointOutput::Transmit`] asked for did not leave.
    pub fn handle_transmit_failed(&mut self, id: TransmitId, now: Instant) {
        let mut actions = self.take_actions();
        let (client, server) = (ClientTransaction(id.0), ServerTransaction(id.0));
        if self.fall_back(client, now) {
            return;
        }
        if let Some(entry) = self.clients.find_mut(client) {
            entry.handle_transport_failure(now, &mut actions);
            self.finish_client(client, actions, None, now);
        } else if let Some(entry) = self.servers.find_mut(server) {
            entry.handle_transport_failure(now, &mut actions);
            self.finish_server(server, actions);
        }
    }

    /// A stream ended: nothing more comes from it or goes to it.
    pub fn handle_flow_closed(&mut self, flow: Flow, now: Instant) {
        for client in self.clients.on_flow(&flow) {
            self.handle_transmit_failed(TransmitId(client.0), now);
        }
        for server in self.servers.on_flow(&flow) {
            self.handle_transmit_failed(TransmitId(server.0), now);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.clients.poll_timeout(), self.servers.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Runs every timer that is due. Afterwards the next deadline is later than `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(client) = self.clients.first_due(now) {
            let mut actions = self.take_actions();
            if let Some(entry) = self.clients.find_mut(client) {
                entry.handle_timeout(now, &mut actions);
            }
            self.finish_client(client, actions, None, now);
        }
        while let Some(server) = self.servers.first_due(now) {
            let mut actions = self.take_actions();
            if let Some(entry) = self.servers.find_mut(server) {
                entry.handle_timeout(now, &mut actions);
            }
            self.finish_server(server, actions);
        }
    }

    /// The next thing to do outside.
    pub fn poll_output(&mut self) -> Option<EndpointOutput> {
        self.outputs.pop_front()
    }

    fn name_server(&self, response: &mut Response) {
        if let Some(user_agent) = &self.config.user_agent
            && response.headers().first_of(NameId::SERVER).is_none()
        {
            response.push_header("Server", user_agent);
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Sends outside of any transaction: nobody is told if it fails.
    fn transmit(&mut self, destination: Destination, bytes: Bytes) {
        let id = TransmitId(self.next_id());
        self.outputs.push_back(EndpointOutput::Transmit(Transmit {
            id,
            destination,
            bytes,
        }));
    }

    fn event(&mut self, event: EndpointEvent) {
        self.outputs.push_back(EndpointOutput::Event(event));
    }
}
