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
//! What is not here: retransmission of a 2xx and its ACK (crate `ua`, with the dialogs),
//! methods, extensions, authentication (the users), connections (`sip-io`).

mod oversize;
mod receive;
mod refusal;
mod table;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use crate::flow::{Destination, Flow};
use crate::header::name::NameId;
use crate::host::HostPort;
use crate::ids::Ids;
use crate::loop_mark::LoopMark;
use crate::machine::{Transmit, TransmitId};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::transaction::key::ClientKey;
use crate::transaction::{Action, Timers, TransactionError};
use crate::transport::Transport;

use oversize::DatagramOnly;
use refusal::Refusals;
use table::{Clients, Fingerprint, Purpose, Servers};

/// How an endpoint presents itself and how much it takes.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// What to write as sent-by into Via, per transport. A transport that is not listed cannot be
    /// used for requests. With several entries for one transport the first of the destination's
    /// address family counts.
    pub advertised: Vec<(Transport, HostPort)>,
    /// Product name for User-Agent and Server.
    pub user_agent: Option<String>,
    /// Bound of the server transactions and of the client transactions, each.
    pub max_transactions: usize,
    /// Base values of all timers.
    pub timers: Timers,
    /// Says of a request, neither ACK nor CANCEL, that it shall make no transaction and come as
    /// [`EndpointEvent::Stateless`]. Asked for each copy of a request, it must say the same of each.
    pub stateless: Option<fn(&Request) -> bool>,
    /// Longest request that is sent in a datagram where a stream may do as well.
    pub max_datagram_bytes: usize,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            advertised: Vec::new(),
            user_agent: None,
            max_transactions: 10_000,
            timers: Timers::default(),
            stateless: None,
            max_datagram_bytes: 1_300,
        }
    }
}

/// Names one client transaction of one endpoint; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientTransaction(u64);

/// Names one server transaction of one endpoint; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerTransaction(u64);

/// A response as it was sent, for [`Endpoint::respond_again`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    code: u16,
    bytes: Bytes,
}

/// What an endpoint wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum EndpointOutput {
    /// Send bytes. All messages of one transaction carry the same id.
    Transmit(Transmit),
    /// Close a stream.
    Close(Flow),
    /// A server did not answer a request, or could not be reached.
    Unreachable {
        /// Transport protocol.
        transport: Transport,
        /// Its address.
        peer: SocketAddr,
    },
    /// Tell the owner.
    Event(EndpointEvent),
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum EndpointEvent {
    /// A new request: not ACK, not CANCEL, not a retransmission. Its top Via has `received` and
    /// `rport`. To be answered with [`Endpoint::respond`] or [`Endpoint::respond_once`].
    Request {
        /// For the answer.
        transaction: ServerTransaction,
        /// The request.
        request: Box<Request>,
        /// Where it came from.
        flow: Flow,
    },
    /// A request that [`EndpointConfig::stateless`] wants no transaction for; each copy comes anew. Its top Via has
    /// `received` and `rport`. To be answered with [`Endpoint::reply`] while its sender is not proven, and with
    /// [`Endpoint::respond_stateless`] otherwise; both may be left out.
    Stateless {
        /// The request.
        request: Box<Request>,
        /// Where it came from.
        flow: Flow,
        /// Its length as it arrived.
        bytes: usize,
    },
    /// The caller gave up. The CANCEL is answered; the INVITE still needs its 487.
    Cancelled {
        /// The INVITE's transaction.
        transaction: ServerTransaction,
        /// The CANCEL, which may carry a Reason.
        cancel: Box<Request>,
    },
    /// An ACK for a 2xx, or for nothing we know. Never to be answered.
    Ack {
        /// The ACK.
        request: Box<Request>,
        /// Where it came from.
        flow: Flow,
    },
    /// A response, provisional or final. Several 2xx may come for one INVITE.
    Response {
        /// The request's transaction.
        transaction: ClientTransaction,
        /// The response.
        response: Box<Response>,
        /// Where it came from.
        flow: Flow,
    },
    /// There will be no final response.
    Failed {
        /// The request's transaction.
        transaction: ClientTransaction,
        /// Why.
        error: TransactionError,
    },
    /// No ACK came for a final response other than 2xx (timer H).
    Unacknowledged {
        /// The INVITE's transaction.
        transaction: ServerTransaction,
    },
    /// The owner never answered, or the flow to answer on is gone. The transaction is over.
    Unanswered {
        /// The request's transaction.
        transaction: ServerTransaction,
    },
}

/// Why the endpoint did not do what its owner asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// As many requests as the configuration allows are waiting for their responses.
    #[error("too many transactions")]
    Full,
    /// The configuration has no sent-by for this transport.
    #[error("nothing advertised for {transport}")]
    NotAdvertised {
        /// The destination's transport.
        transport: Transport,
    },
    /// ACK and CANCEL are sent by [`Endpoint::send_ack`] and [`Endpoint::cancel`].
    #[error("{method} starts no transaction")]
    NoTransaction {
        /// The request's method.
        method: Method,
    },
    /// The transaction is over, or its final response is given.
    #[error("the transaction takes no such response any more")]
    Answered,
    /// Over UDP the response would be longer than one and a half times the request.
    #[error("the response is too long for the request")]
    Amplifies,
}

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

    /// Sends `request` in a transaction of its own. Adds Via with a fresh branch, and Max-Forwards
    /// and User-Agent where they are missing. A request too large for a datagram goes to the same
    /// address over TCP, and over UDP after all if that cannot be (RFC 3261, section 18.1.1).
    ///
    /// # Errors
    ///
    /// [`EndpointError::Full`], [`EndpointError::NotAdvertised`], or
    /// [`EndpointError::NoTransaction`] for ACK and CANCEL.
    pub fn send_request(
        &mut self,
        request: Request,
        destination: Destination,
        now: Instant,
    ) -> Result<ClientTransaction, EndpointError> {
        self.send_marked_request(request, destination, None, now)
    }

    /// As [`send_request`](Self::send_request), with the mark in the branch by which a loop is
    /// noticed (RFC 5393): for what passes requests on.
    ///
    /// # Errors
    ///
    /// As [`send_request`](Self::send_request).
    pub fn send_marked_request(
        &mut self,
        mut request: Request,
        destination: Destination,
        mark: Option<&LoopMark>,
        now: Instant,
    ) -> Result<ClientTransaction, EndpointError> {
        if request.method == Method::ACK || request.method == Method::CANCEL {
            return Err(EndpointError::NoTransaction {
                method: request.method,
            });
        }
        if self.clients.len() >= self.config.max_transactions {
            return Err(EndpointError::Full);
        }
        let (destination, fallback) = self.fit(&request, destination, mark, now);
        let key = self.address(&mut request, destination, mark)?;
        let transaction = self.start_client(&request, key, destination, Purpose::Owner, now);
        if let Some(client) = self.clients.find_mut(transaction) {
            client.fallback = fallback;
        }
        Ok(transaction)
    }

    /// An INVITE of ours as it was sent, our Via on top, while it has no final response.
    pub fn sent_invite(&self, invite: ClientTransaction) -> Option<Bytes> {
        self.clients.find_entry(invite)?.sent().cloned()
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

    /// Sends the ACK for a 2xx: a branch of its own, no transaction (RFC 3261, section 13.2.2.4). Gives it as it was sent, for
    /// [`repeat_ack`](Self::repeat_ack).
    ///
    /// # Errors
    ///
    /// [`EndpointError::NotAdvertised`].
    pub fn send_ack(
        &mut self,
        mut ack: Request,
        destination: Destination,
    ) -> Result<Bytes, EndpointError> {
        self.address(&mut ack, destination, None)?;
        let bytes = ack.to_bytes();
        self.transmit(destination, bytes.clone());
        Ok(bytes)
    }

    /// Sends an ACK again: its 2xx came again.
    pub fn repeat_ack(&mut self, ack: Bytes, destination: Destination) {
        self.transmit(destination, ack);
    }

    /// Gives up on an INVITE (RFC 3261, section 9.1): sends CANCEL now, or as soon as a
    /// provisional response came, or never if the final response is here. A final response, which
    /// may still be a 2xx, or [`EndpointEvent::Failed`] follows. `reason` is a Reason header
    /// value (RFC 3326).
    pub fn cancel(&mut self, invite: ClientTransaction, reason: Option<String>, now: Instant) {
        let mut actions = self.take_actions();
        if let Some(client) = self.clients.find_mut(invite) {
            client.cancel(reason, now, &mut actions);
        }
        self.finish_client(invite, actions, None, now);
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
    pub fn stateless_tag(&self, request: &Request) -> String {
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

    /// Puts our Via on top and what every request must have below.
    fn address(
        &mut self,
        request: &mut Request,
        destination: Destination,
        mark: Option<&LoopMark>,
    ) -> Result<Fingerprint, EndpointError> {
        let transport = destination.transport();
        let mut branch = self.ids.branch();
        if let Some(mark) = mark {
            branch = mark.append_to(branch);
        }
        let sent_by = self
            .sent_by(destination)
            .ok_or(EndpointError::NotAdvertised { transport })?;
        let rport = if transport == Transport::Udp {
            ";rport"
        } else {
            ""
        };
        let via = via(transport, sent_by, &branch, rport);
        request.insert_first("Via", via);
        if request.headers().first_of(NameId::MAX_FORWARDS).is_none() {
            request.push_header("Max-Forwards", "70");
        }
        if let Some(user_agent) = &self.config.user_agent
            && request.headers().first_of(NameId::USER_AGENT).is_none()
        {
            request.push_header("User-Agent", user_agent);
        }
        let key = ClientKey::new(&branch, sent_by.clone(), request.method.clone());
        Ok(self.clients.fingerprint(&key))
    }

    fn sent_by(&self, destination: Destination) -> Option<&HostPort> {
        let transport = destination.transport();
        let of_family = self.config.advertised.iter().find(|(own, sent_by)| {
            *own == transport
                && sent_by
                    .host
                    .ip()
                    .is_some_and(|ip| ip.is_ipv4() == destination.peer().is_ipv4())
        });
        of_family
            .map(|(_, sent_by)| sent_by)
            .or_else(|| self.advertised(transport))
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

/// A Via of ours.
fn via(transport: Transport, sent_by: &HostPort, branch: &str, rport: &str) -> String {
    let mut via = String::with_capacity(64 + branch.len());
    via.push_str("SIP/2.0/");
    via.push_str(transport.as_str());
    via.push(' ');
    sent_by.push_to(&mut via);
    via.push_str(";branch=");
    via.push_str(branch);
    via.push_str(rport);
    via
}
