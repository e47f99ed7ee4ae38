//! Which call a transaction or a dialog belongs to, and the INVITEs that may still bring a 2xx.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use sip::{
    ClientTransaction, Destination, Dialog, Endpoint, KeyMap, Message, Method, Opening, Request,
    Response, ServerTransaction, parse_message,
};
use tracing::debug;

use super::CallKey;
use super::state::Call;

/// Most dialogs that one forked INVITE may make; answers beyond are left to time out.
const MAX_FORKS: usize = 16;

/// What a request of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The first INVITE.
    Invite,
    /// A re-INVITE or an UPDATE.
    Change,
    Prack,
    Refer,
    Notify,
    Info,
    Bye,
}

/// Finds calls. Everything that a call put in leaves with [`Index::forget`].
#[derive(Debug, Default)]
pub(super) struct Index {
    clients: KeyMap<ClientTransaction, (CallKey, Purpose)>,
    servers: KeyMap<ServerTransaction, CallKey>,
    /// By our tag, one for all dialogs of a call. Others cannot guess it, and the call knows whether the dialog is its own.
    tags: HashMap<Box<str>, CallKey>,
    links: KeyMap<CallKey, Vec<Link>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Client(ClientTransaction),
    Server(ServerTransaction),
}

impl Index {
    pub(super) fn add_client(
        &mut self,
        transaction: ClientTransaction,
        call: CallKey,
        purpose: Purpose,
    ) {
        self.clients.insert(transaction, (call, purpose));
        self.links
            .entry(call)
            .or_default()
            .push(Link::Client(transaction));
    }

    pub(super) fn add_server(&mut self, transaction: ServerTransaction, call: CallKey) {
        self.servers.insert(transaction, call);
        self.links
            .entry(call)
            .or_default()
            .push(Link::Server(transaction));
    }

    pub(super) fn add_tag(&mut self, tag: &str, call: CallKey) {
        self.tags.insert(tag.into(), call);
    }

    pub(super) fn client(&self, transaction: ClientTransaction) -> Option<(CallKey, Purpose)> {
        self.clients.get(&transaction).copied()
    }

    pub(super) fn server(&self, transaction: ServerTransaction) -> Option<CallKey> {
        self.servers.get(&transaction).copied()
    }

    /// The call with this tag of ours.
    pub(super) fn tag(&self, tag: &str) -> Option<CallKey> {
        self.tags.get(tag).copied()
    }

    pub(super) fn remove_client(&mut self, transaction: ClientTransaction) {
        if let Some((call, _)) = self.clients.remove(&transaction) {
            self.unlink(call, Link::Client(transaction));
        }
    }

    pub(super) fn remove_server(&mut self, transaction: ServerTransaction) {
        if let Some(call) = self.servers.remove(&transaction) {
            self.unlink(call, Link::Server(transaction));
        }
    }

    /// Drops everything of one call.
    pub(super) fn forget(&mut self, call: &Call) {
        self.tags.remove(&call.tag);
        for link in self.links.remove(&call.key).unwrap_or_default() {
            match link {
                Link::Client(transaction) => drop(self.clients.remove(&transaction)),
                Link::Server(transaction) => drop(self.servers.remove(&transaction)),
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
            && self.servers.is_empty()
            && self.tags.is_empty()
            && self.links.is_empty()
    }

    fn unlink(&mut self, call: CallKey, link: Link) {
        if let Some(links) = self.links.get_mut(&call) {
            links.retain(|known| *known != link);
        }
    }
}

/// INVITEs of ours that were answered with 2xx, for as long as more 2xx may come: 64·T1
/// (RFC 3261, section 13.2.2.4; RFC 6026). They outlive their calls.
///
/// A repeated 2xx gets its ACK again; a 2xx of another fork gets ACK and BYE.
#[derive(Debug)]
pub(super) struct SentInvites {
    entries: KeyMap<ClientTransaction, SentInvite>,
    /// All entries live equally long, so this is sorted.
    order: VecDeque<(Instant, ClientTransaction)>,
    bound: usize,
}

/// What is remembered of an INVITE that was answered.
#[derive(Debug)]
pub(super) struct AnsweredInvite {
    pub(super) opening: Opening,
    /// As it was sent, if it carried credentials.
    pub(super) authorised: Option<Bytes>,
}

#[derive(Debug)]
struct SentInvite {
    opening: Opening,
    /// As it was sent, if it carried credentials, which each ACK repeats.
    authorised: Option<Bytes>,
    destination: Destination,
    /// By the tag of the peer and as sent; without ACK while its owner has not given the answer for it.
    acks: Vec<(Box<str>, Option<Bytes>)>,
}

impl SentInvites {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            entries: KeyMap::default(),
            order: VecDeque::new(),
            bound,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn contains(&self, transaction: ClientTransaction) -> bool {
        self.entries.contains_key(&transaction)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.order.front().map(|&(until, _)| until)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(until, transaction)) = self.order.front()
            && until <= now
        {
            self.order.pop_front();
            self.entries.remove(&transaction);
        }
    }

    /// The first 2xx of an INVITE made `dialog`. Its ACK follows with [`Self::acknowledge`]. When
    /// the table is full the oldest entry goes: its peers get no further ACK.
    pub(super) fn insert(
        &mut self,
        transaction: ClientTransaction,
        invite: AnsweredInvite,
        dialog: &Dialog,
        destination: Destination,
        until: Instant,
    ) {
        if self.entries.len() >= self.bound
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        let acks = vec![(dialog.id().remote_tag.into(), None)];
        let AnsweredInvite {
            opening,
            authorised,
        } = invite;
        self.entries.insert(
            transaction,
            SentInvite {
                opening,
                authorised,
                destination,
                acks,
            },
        );
        self.order.push_back((until, transaction));
    }

    /// Sends the ACK of the dialog with this tag, now and whenever the 2xx comes again.
    pub(super) fn acknowledge(
        &mut self,
        transaction: ClientTransaction,
        remote_tag: &str,
        ack: Request,
        endpoint: &mut Endpoint,
    ) {
        let Some(entry) = self.entries.get_mut(&transaction) else {
            return;
        };
        let sent = send_ack(ack, entry.destination, endpoint);
        if let Some(known) = entry.acks.iter_mut().find(|(tag, _)| **tag == *remote_tag) {
            known.1 = sent;
        }
    }

    /// Another 2xx came.
    pub(super) fn handle_success(
        &mut self,
        transaction: ClientTransaction,
        response: &Response,
        endpoint: &mut Endpoint,
        now: Instant,
    ) {
        let Some(entry) = self.entries.get_mut(&transaction) else {
            return;
        };
        let tag = response.to_tag().unwrap_or_default();
        match entry.acks.iter().find(|(known, _)| **known == *tag) {
            Some((_, Some(ack))) => endpoint.repeat_ack(ack.clone(), entry.destination),
            Some((_, None)) => {}
            None if entry.acks.len() >= MAX_FORKS => {}
            None => {
                let ack = entry.end_fork(response, endpoint, now);
                entry.acks.push((tag.into(), ack));
            }
        }
    }
}

impl SentInvite {
    /// A second phone answered at the same moment: ACK, because it waits for it, then BYE.
    fn end_fork(
        &self,
        response: &Response,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Option<Bytes> {
        let mut dialog = self.opening.dialog(response).ok()?;
        let number = self.opening.sequence();
        let ack = ack_for(number, self.authorised.as_ref(), &dialog);
        let ack = send_ack(ack, self.destination, endpoint);
        let bye = dialog.request(Method::BYE);
        if let Err(error) = endpoint.send_request(bye, self.destination, now) {
            debug!(%error, "second answer not ended");
        }
        ack
    }
}

/// The ACK for a 2xx to the INVITE with this number, with the credentials that `invite` carried (RFC 3261, section
/// 13.2.2.4).
pub(super) fn ack_for(number: u32, invite: Option<&Bytes>, dialog: &Dialog) -> Request {
    let mut ack = dialog.ack(number);
    let invite = invite.and_then(|invite| parse_message(invite.clone()).ok());
    if let Some(invite) = invite.and_then(Message::into_request) {
        for name in ["Authorization", "Proxy-Authorization"] {
            ack.headers_mut().copy(name, invite.headers());
        }
    }
    ack
}

/// The ACK as it was sent.
fn send_ack(ack: Request, destination: Destination, endpoint: &mut Endpoint) -> Option<Bytes> {
    match endpoint.send_ack(ack, destination) {
        Ok(sent) => Some(sent),
        Err(error) => {
            debug!(%error, "ACK not sent");
            None
        }
    }
}
