//! Which call a transaction or a dialog belongs to, and the INVITEs that may still bring a 2xx.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use sip::{
    ClientTransaction, Destination, Dialog, DialogId, Endpoint, Message, Method, Request, Response,
    ServerTransaction, parse_message,
};
use tracing::debug;

use super::CallKey;

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
    clients: HashMap<ClientTransaction, (CallKey, Purpose)>,
    servers: HashMap<ServerTransaction, CallKey>,
    dialogs: HashMap<DialogId, CallKey>,
    links: BTreeMap<CallKey, Vec<Link>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Link {
    Client(ClientTransaction),
    Server(ServerTransaction),
    Dialog(DialogId),
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

    /// May be said again of the same dialog.
    pub(super) fn add_dialog(&mut self, dialog: &DialogId, call: CallKey) {
        if self.dialogs.insert(dialog.clone(), call).is_some() {
            return;
        }
        self.links
            .entry(call)
            .or_default()
            .push(Link::Dialog(dialog.clone()));
    }

    pub(super) fn client(&self, transaction: ClientTransaction) -> Option<(CallKey, Purpose)> {
        self.clients.get(&transaction).copied()
    }

    pub(super) fn server(&self, transaction: ServerTransaction) -> Option<CallKey> {
        self.servers.get(&transaction).copied()
    }

    pub(super) fn dialog(&self, id: &DialogId) -> Option<CallKey> {
        self.dialogs.get(id).copied()
    }

    pub(super) fn remove_client(&mut self, transaction: ClientTransaction) {
        if let Some((call, _)) = self.clients.remove(&transaction) {
            self.unlink(call, &Link::Client(transaction));
        }
    }

    pub(super) fn remove_server(&mut self, transaction: ServerTransaction) {
        if let Some(call) = self.servers.remove(&transaction) {
            self.unlink(call, &Link::Server(transaction));
        }
    }

    pub(super) fn remove_dialog(&mut self, dialog: &DialogId) {
        if let Some(call) = self.dialogs.remove(dialog) {
            self.unlink(call, &Link::Dialog(dialog.clone()));
        }
    }

    /// Drops everything of one call.
    pub(super) fn forget(&mut self, call: CallKey) {
        for link in self.links.remove(&call).unwrap_or_default() {
            match link {
                Link::Client(transaction) => drop(self.clients.remove(&transaction)),
                Link::Server(transaction) => drop(self.servers.remove(&transaction)),
                Link::Dialog(id) => drop(self.dialogs.remove(&id)),
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
            && self.servers.is_empty()
            && self.dialogs.is_empty()
            && self.links.is_empty()
    }

    fn unlink(&mut self, call: CallKey, link: &Link) {
        if let Some(links) = self.links.get_mut(&call) {
            links.retain(|known| known != link);
        }
    }
}

/// INVITEs of ours that were answered with 2xx, for as long as more 2xx may come: 64·T1
/// (RFC 3261, section 13.2.2.4; RFC 6026). They outlive their calls.
///
/// A repeated 2xx gets its ACK again; a 2xx of another fork gets ACK and BYE.
#[derive(Debug)]
pub(super) struct SentInvites {
    entries: HashMap<ClientTransaction, SentInvite>,
    /// All entries live equally long, so this is sorted.
    order: VecDeque<(Instant, ClientTransaction)>,
    bound: usize,
}

#[derive(Debug)]
struct SentInvite {
    /// As it was sent.
    invite: Bytes,
    destination: Destination,
    /// By the tag of the peer; without ACK while its owner has not given the answer for it.
    acks: Vec<(String, Option<Request>)>,
}

impl SentInvites {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            entries: HashMap::new(),
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
        invite: Bytes,
        dialog: &Dialog,
        destination: Destination,
        until: Instant,
    ) {
        if self.entries.len() >= self.bound
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        let acks = vec![(dialog.id().remote_tag.clone(), None)];
        self.entries.insert(
            transaction,
            SentInvite {
                invite,
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
        now: Instant,
    ) {
        let Some(entry) = self.entries.get_mut(&transaction) else {
            return;
        };
        send_ack(&ack, entry.destination, endpoint, now);
        if let Some(known) = entry.acks.iter_mut().find(|(tag, _)| tag == remote_tag) {
            known.1 = Some(ack);
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
        let Ok(to) = response.to() else { return };
        let tag = to.tag().unwrap_or_default();
        match entry.acks.iter().find(|(known, _)| known == tag) {
            Some((_, Some(ack))) => send_ack(ack, entry.destination, endpoint, now),
            Some((_, None)) => {}
            None if entry.acks.len() >= MAX_FORKS => {}
            None => {
                let ack = entry.end_fork(response, endpoint, now);
                entry.acks.push((tag.to_owned(), ack));
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
    ) -> Option<Request> {
        let invite = parse_message(self.invite.clone()).ok()?.into_request()?;
        let mut dialog = Dialog::new_uac(&invite, response).ok()?;
        let number = invite.cseq().ok()?.number;
        let ack = ack_for(number, Some(&self.invite), &dialog);
        send_ack(&ack, self.destination, endpoint, now);
        let bye = dialog.request(Method::BYE);
        if let Err(error) = endpoint.send_request(bye, self.destination, now) {
            debug!(%error, "second answer not ended");
        }
        Some(ack)
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

fn send_ack(ack: &Request, destination: Destination, endpoint: &mut Endpoint, now: Instant) {
    if let Err(error) = endpoint.send_ack(ack.clone(), destination, now) {
        debug!(%error, "ACK not sent");
    }
}
