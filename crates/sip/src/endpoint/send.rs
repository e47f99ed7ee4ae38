//! Requests of ours on their way out: Via and what every request must have, ACK, CANCEL (RFC 3261, sections 8.1.1, 9.1, 17.1).
//!
//! Invariant: every request that leaves has a branch that no other has.

use std::time::Instant;

use bytes::Bytes;

use super::table::{Fingerprint, Purpose};
use super::{ClientTransaction, Endpoint, EndpointError};
use crate::flow::Destination;
use crate::header::name::NameId;
use crate::host::HostPort;
use crate::loop_mark::LoopMark;
use crate::message::Request;
use crate::method::Method;
use crate::transaction::key::ClientKey;
use crate::transport::Transport;

impl Endpoint {
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
    /// may still be a 2xx, or [`EndpointEvent::Failed`](super::EndpointEvent::Failed) follows. `reason` is a Reason header
    /// value (RFC 3326).
    pub fn cancel(&mut self, invite: ClientTransaction, reason: Option<String>, now: Instant) {
        let mut actions = self.take_actions();
        if let Some(client) = self.clients.find_mut(invite) {
            client.cancel(reason, now, &mut actions);
        }
        self.finish_client(invite, actions, None, now);
    }

    /// Puts our Via on top and what every request must have below.
    pub(super) fn address(
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
        let key = ClientKey::new(&branch, sent_by, request.method.clone());
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
