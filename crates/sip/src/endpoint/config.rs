//! How an endpoint behaves: what is given once, at its construction.

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
