//! Large requests go to a stream (RFC 3261, section 18.1.1).
//!
//! ```text
//!   request ─► small, or a flow, or no UDP ─────────────────────────────► as asked
//!        └───► larger than fits into a datagram ─► TCP to the same address ─► answered
//!                                                        └ no connection ─► UDP after all
//! ```
//!
//! The Via says what is really used. Whether the address speaks TCP shows when it is tried; where it
//! does not, UDP is used at once for a while. Once anything has come back there is no way back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::flow::Destination;
use crate::loop_mark::LoopMark;
use crate::message::Request;
use crate::transport::Transport;

use super::table::Purpose;
use super::{ClientTransaction, Endpoint};

/// What Via, Max-Forwards and User-Agent add, more or less.
const ADDED_BYTES: usize = 160;

/// How long an address counts as without TCP.
const FORGET_AFTER: Duration = Duration::from_secs(600);

/// Addresses without TCP that are remembered.
const MAX_DATAGRAM_ONLY: usize = 256;

/// What a request becomes if its stream cannot be opened.
#[derive(Debug)]
pub(super) struct Fallback {
    /// Without our Via.
    request: Request,
    destination: Destination,
    mark: Option<LoopMark>,
}

/// Addresses that lately took no connection.
#[derive(Debug, Default)]
pub(super) struct DatagramOnly(Vec<(SocketAddr, Instant)>);

impl DatagramOnly {
    fn holds(&self, peer: SocketAddr, now: Instant) -> bool {
        let same = |&(known, until): &(SocketAddr, Instant)| known == peer && until > now;
        self.0.iter().any(same)
    }

    fn add(&mut self, peer: SocketAddr, now: Instant) {
        self.0
            .retain(|&(known, until)| known != peer && until > now);
        if self.0.len() >= MAX_DATAGRAM_ONLY {
            self.0.remove(0);
        }
        self.0.push((peer, now + FORGET_AFTER));
    }
}

impl Endpoint {
    /// Where `request`, not yet with our Via, goes really, and what it becomes if that fails.
    pub(super) fn fit(
        &self,
        request: &Request,
        destination: Destination,
        mark: Option<&LoopMark>,
        now: Instant,
    ) -> (Destination, Option<Box<Fallback>>) {
        let Destination::Address {
            transport: Transport::Udp,
            peer,
            domain,
        } = destination
        else {
            return (destination, None);
        };
        if self.advertised(Transport::Tcp).is_none()
            || size(request) + ADDED_BYTES <= self.config.max_datagram_bytes
            || self.datagram_only.holds(peer, now)
        {
            return (destination, None);
        }
        let stream = Destination::Address {
            transport: Transport::Tcp,
            peer,
            domain,
        };
        let fallback = Fallback {
            request: request.clone(),
            destination,
            mark: mark.cloned(),
        };
        (stream, Some(Box::new(fallback)))
    }

    /// The stream for a large request could not be opened: sends it as a datagram if nothing has
    /// come back yet. Whether it was sent.
    pub(super) fn fall_back(&mut self, transaction: ClientTransaction, now: Instant) -> bool {
        let Some(fallback) = self
            .clients
            .find_mut(transaction)
            .filter(|client| client.is_unanswered())
            .and_then(|client| client.fallback.take())
        else {
            return false;
        };
        let Fallback {
            mut request,
            destination,
            mark,
        } = *fallback;
        let Ok(key) = self.address(&mut request, destination, mark.as_ref()) else {
            return false;
        };
        self.clients.remove(transaction);
        self.datagram_only.add(destination.peer(), now);
        self.start_as(transaction, &request, key, destination, Purpose::Owner, now);
        true
    }
}

/// Length of the message, without what is still to be added.
fn size(request: &Request) -> usize {
    let line = request.method.as_str().len() + request.uri.as_str().len() + 12;
    let fields: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    line + fields + request.body().len()
}
