//! How an endpoint behaves: what is given once, at its construction.

use std::fmt;
use std::sync::Arc;

use crate::flow::Flow;
use crate::host::HostPort;
use crate::message::Request;
use crate::transaction::Timers;
use crate::transport::Transport;

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
    /// [`EndpointEvent::Stateless`](super::EndpointEvent::Stateless). Asked for each copy of a request, it must say the same of each.
    pub stateless: Option<Stateless>,
    /// Longest request that is sent in a datagram where a stream may do as well.
    pub max_datagram_bytes: usize,
}

/// Judges whether a request shall make no transaction, by what it says and the flow that it came on.
#[derive(Clone)]
pub struct Stateless(Arc<Judge>);

type Judge = dyn Fn(&Request, &Flow) -> bool + Send + Sync;

impl Stateless {
    /// Judges by `judge`.
    pub fn new(judge: impl Fn(&Request, &Flow) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(judge))
    }

    pub(super) fn judges(&self, request: &Request, flow: &Flow) -> bool {
        (self.0)(request, flow)
    }
}

impl fmt::Debug for Stateless {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Stateless")
    }
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
