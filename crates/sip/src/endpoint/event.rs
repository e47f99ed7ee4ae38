//! What an endpoint tells its owner, and the names of transactions in it.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::flow::Flow;
use crate::machine::Transmit;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::transaction::TransactionError;
use crate::transport::Transport;

/// Names one client transaction of one endpoint; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientTransaction(pub(super) u64);

/// Names one server transaction of one endpoint; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerTransaction(pub(super) u64);

/// A response as it was sent, for [`Endpoint::respond_again`](super::Endpoint::respond_again).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(super) code: u16,
    pub(super) bytes: Bytes,
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
    /// `rport`. To be answered with [`Endpoint::respond`](super::Endpoint::respond) or [`Endpoint::respond_once`](super::Endpoint::respond_once).
    Request {
        /// For the answer.
        transaction: ServerTransaction,
        /// The request.
        request: Box<Request>,
        /// Where it came from.
        flow: Flow,
    },
    /// A request that [`EndpointConfig::stateless`](super::EndpointConfig::stateless) wants no transaction for; each copy comes anew. Its top Via has
    /// `received` and `rport`. To be answered with [`Endpoint::reply`](super::Endpoint::reply) while its sender is not proven, and with
    /// [`Endpoint::respond_stateless`](super::Endpoint::respond_stateless) otherwise; both may be left out.
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
    /// ACK and CANCEL are sent by [`Endpoint::send_ack`](super::Endpoint::send_ack) and [`Endpoint::cancel`](super::Endpoint::cancel).
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
