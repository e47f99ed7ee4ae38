//! The live transactions with their keys and deadlines.
//!
//! Invariant: after [`Table::settle`] an entry that is over is gone with all its keys, and every
//! other entry has exactly its own deadline in the queue. Nothing is ever forgotten by hand.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::time::Instant;

use bytes::Bytes;

use crate::deadlines::Deadlines;
use crate::flow::{Destination, Flow};
use crate::key_map::KeyMap;
use crate::message::{Request, Response};
use crate::transaction::Action;
use crate::transaction::client_invite::{self, ClientInvite};
use crate::transaction::client_non_invite::{self, ClientNonInvite};
use crate::transaction::server_invite::{self, Head, ServerInvite};
use crate::transaction::server_non_invite::{self, ServerNonInvite};

use super::oversize::Fallback;
use super::{Answer, ClientTransaction, EndpointError, ServerTransaction};

/// What the table must know about a transaction.
pub(super) trait Entry {
    fn poll_timeout(&self) -> Option<Instant>;
    fn is_over(&self) -> bool;
    /// Whether the entry's messages may be lost when `flow` closes.
    fn uses(&self, flow: &Flow) -> bool;
}

#[derive(Debug)]
struct Slot<E> {
    entry: E,
    /// Most have one, INVITEs and other requests outside of dialogs two.
    keys: [Option<Fingerprint>; 2],
    armed: Option<Instant>,
}

/// Stands for a key: 64 bits under a random key of this process, which nobody can make collide, and a twentieth of the text that
/// they stand for. Among a quarter of a million transactions a message is mistaken for another's once in 10^13.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(u64);

impl Hash for Fingerprint {
    /// Is a hash itself.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// Transactions `E` by id `I` and by any of their keys.
#[derive(Debug)]
pub(super) struct Table<I, E> {
    /// Each by itself: the table grows often and its entries are large.
    slots: KeyMap<I, Box<Slot<E>>>,
    ids: KeyMap<Fingerprint, I>,
    deadlines: Deadlines<I>,
    hasher: RandomState,
}

impl<I, E> Default for Table<I, E> {
    fn default() -> Self {
        Self {
            slots: KeyMap::default(),
            ids: KeyMap::default(),
            deadlines: Deadlines::default(),
            hasher: RandomState::new(),
        }
    }
}

impl<I: Copy + Ord + Hash, E: Entry> Table<I, E> {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Adds `entry`; to be settled afterwards.
    pub(super) fn insert(&mut self, id: I, keys: [Option<Fingerprint>; 2], entry: E) {
        for key in keys.into_iter().flatten() {
            self.ids.insert(key, id);
        }
        let slot = Slot {
            entry,
            keys,
            armed: None,
        };
        self.slots.insert(id, Box::new(slot));
    }

    pub(super) fn find(&self, key: Fingerprint) -> Option<I> {
        self.ids.get(&key).copied()
    }

    pub(super) fn fingerprint(&self, key: &impl Hash) -> Fingerprint {
        Fingerprint(self.hasher.hash_one(key))
    }

    pub(super) fn find_entry(&self, id: I) -> Option<&E> {
        self.slots.get(&id).map(|slot| &slot.entry)
    }

    pub(super) fn find_mut(&mut self, id: I) -> Option<&mut E> {
        self.slots.get_mut(&id).map(|slot| &mut slot.entry)
    }

    pub(super) fn remove(&mut self, id: I) -> Option<E> {
        let mut slot = self.slots.remove(&id)?;
        for key in slot.keys.into_iter().flatten() {
            // A later transaction may have taken the key over.
            if self.ids.get(&key) == Some(&id) {
                self.ids.remove(&key);
            }
        }
        self.deadlines.arm(id, &mut slot.armed, None);
        Some(slot.entry)
    }

    /// Brings keys and deadlines in line with the entry after it changed.
    pub(super) fn settle(&mut self, id: I) {
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        if slot.entry.is_over() {
            self.remove(id);
            return;
        }
        let deadline = slot.entry.poll_timeout();
        debug_assert!(
            deadline.is_some(),
            "a transaction without deadline would stay for ever"
        );
        self.deadlines.arm(id, &mut slot.armed, deadline);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    pub(super) fn first_due(&self, now: Instant) -> Option<I> {
        self.deadlines.first_due(now)
    }

    /// Every transaction that `flow` carries, in the order in which they began.
    pub(super) fn on_flow(&self, flow: &Flow) -> Vec<I> {
        let mut ids: Vec<I> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.entry.uses(flow))
            .map(|(&id, _)| id)
            .collect();
        ids.sort_unstable();
        ids
    }
}

pub(super) type Clients = Table<ClientTransaction, Client>;
pub(super) type Servers = Table<ServerTransaction, Server>;

/// Whose request a client transaction carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The owner's, who is told everything.
    Owner,
    /// A CANCEL of ours, whose response changes nothing (RFC 3261, section 9.1).
    Cancel,
}

#[derive(Debug)]
enum ClientMachine {
    Invite(ClientInvite),
    NonInvite(ClientNonInvite),
}

/// A request of ours on its way.
#[derive(Debug)]
pub(super) struct Client {
    machine: ClientMachine,
    pub(super) destination: Destination,
    pub(super) purpose: Purpose,
    pub(super) cancel_reason: Option<String>,
    /// How it goes on if the stream for it cannot be opened.
    pub(super) fallback: Option<Box<Fallback>>,
}

impl Client {
    pub(super) fn invite(machine: ClientInvite, destination: Destination) -> Self {
        Self {
            machine: ClientMachine::Invite(machine),
            destination,
            purpose: Purpose::Owner,
            cancel_reason: None,
            fallback: None,
        }
    }

    pub(super) fn non_invite(
        machine: ClientNonInvite,
        destination: Destination,
        purpose: Purpose,
    ) -> Self {
        Self {
            machine: ClientMachine::NonInvite(machine),
            destination,
            purpose,
            cancel_reason: None,
            fallback: None,
        }
    }

    /// Whether nothing has come back.
    pub(super) fn is_unanswered(&self) -> bool {
        match &self.machine {
            ClientMachine::Invite(machine) => machine.state() == client_invite::State::Calling,
            ClientMachine::NonInvite(machine) => {
                machine.state() == client_non_invite::State::Trying
            }
        }
    }

    /// The INVITE, while it has no final response.
    pub(super) fn request(&self) -> Option<Request> {
        match &self.machine {
            ClientMachine::Invite(machine) => machine.request(),
            ClientMachine::NonInvite(_) => None,
        }
    }

    /// The INVITE as it was sent, while it has no final response.
    pub(super) fn sent(&self) -> Option<&Bytes> {
        match &self.machine {
            ClientMachine::Invite(machine) => machine.sent(),
            ClientMachine::NonInvite(_) => None,
        }
    }

    pub(super) fn cancel(&mut self, reason: Option<String>, now: Instant, out: &mut Vec<Action>) {
        if let ClientMachine::Invite(machine) = &mut self.machine {
            // Nobody wants it sent again in another way.
            self.fallback = None;
            if self.cancel_reason.is_none() {
                self.cancel_reason = reason;
            }
            machine.handle_cancel(now, out);
        }
    }

    pub(super) fn handle_response(
        &mut self,
        response: Box<Response>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        match &mut self.machine {
            ClientMachine::Invite(machine) => machine.handle_response(response, now, out),
            ClientMachine::NonInvite(machine) => machine.handle_response(response, now, out),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Action>) {
        match &mut self.machine {
            ClientMachine::Invite(machine) => machine.handle_timeout(now, out),
            ClientMachine::NonInvite(machine) => machine.handle_timeout(now, out),
        }
    }

    pub(super) fn handle_transport_failure(&mut self, now: Instant, out: &mut Vec<Action>) {
        match &mut self.machine {
            ClientMachine::Invite(machine) => machine.handle_transport_failure(now, out),
            ClientMachine::NonInvite(machine) => machine.handle_transport_failure(now, out),
        }
    }
}

impl Entry for Client {
    fn poll_timeout(&self) -> Option<Instant> {
        match &self.machine {
            ClientMachine::Invite(machine) => machine.poll_timeout(),
            ClientMachine::NonInvite(machine) => machine.poll_timeout(),
        }
    }

    fn is_over(&self) -> bool {
        match &self.machine {
            ClientMachine::Invite(machine) => machine.state() == client_invite::State::Terminated,
            ClientMachine::NonInvite(machine) => {
                machine.state() == client_non_invite::State::Terminated
            }
        }
    }

    fn uses(&self, flow: &Flow) -> bool {
        self.destination.uses(flow)
    }
}

#[derive(Debug)]
pub(super) enum ServerMachine {
    Invite(ServerInvite),
    NonInvite(ServerNonInvite),
}

/// What an ACK means to the transaction it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AckMeaning {
    /// It ends the retransmission of a failure.
    Absorbed,
    /// It acknowledges a 2xx: the dialog wants to know.
    ForDialog,
}

/// Somebody's request that we answer.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) machine: ServerMachine,
    pub(super) flow: Flow,
    /// Length of the request as it arrived.
    pub(super) request_bytes: usize,
    /// To tag of the owner's latest response.
    pub(super) to_tag: Option<Box<str>>,
    /// Whether a CANCEL came.
    pub(super) cancelled: bool,
}

impl Server {
    pub(super) fn new(machine: ServerMachine, flow: Flow, request_bytes: usize) -> Self {
        Self {
            machine,
            flow,
            request_bytes,
            to_tag: None,
            cancelled: false,
        }
    }

    /// The request arrived again.
    pub(super) fn handle_again(&mut self, now: Instant, out: &mut Vec<Action>) {
        match &mut self.machine {
            ServerMachine::Invite(machine) => machine.handle_invite(now, out),
            ServerMachine::NonInvite(machine) => machine.handle_request(now, out),
        }
    }

    pub(super) fn handle_ack(&mut self, now: Instant, out: &mut Vec<Action>) -> AckMeaning {
        match &mut self.machine {
            ServerMachine::Invite(machine) if machine.state() == server_invite::State::Accepted => {
                AckMeaning::ForDialog
            }
            ServerMachine::Invite(machine) => {
                machine.handle_ack(now, out);
                AckMeaning::Absorbed
            }
            ServerMachine::NonInvite(_) => AckMeaning::Absorbed,
        }
    }

    /// What responses copy of an INVITE, while it has no final response.
    pub(super) fn head(&self) -> Option<&Head> {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.head(),
            ServerMachine::NonInvite(_) => None,
        }
    }

    /// Whether a CANCEL still makes a difference: an INVITE without final response.
    pub(super) fn is_cancellable(&self) -> bool {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.state() == server_invite::State::Proceeding,
            ServerMachine::NonInvite(_) => false,
        }
    }

    pub(super) fn respond(
        &mut self,
        response: &Response,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Result<Answer, EndpointError> {
        let code = response.status.code();
        if !self.takes(code) {
            return Err(EndpointError::Answered);
        }
        let to_tag = response.to_tag();
        if to_tag != self.to_tag.as_deref() {
            self.to_tag = to_tag.map(Into::into);
        }
        let answer = Answer {
            code,
            bytes: response.to_bytes(),
        };
        self.answer(&answer, now, out);
        Ok(answer)
    }

    /// Says what was said before.
    pub(super) fn respond_again(&mut self, answer: &Answer, now: Instant, out: &mut Vec<Action>) {
        if self.takes(answer.code) {
            self.answer(answer, now, out);
        }
    }

    fn answer(&mut self, answer: &Answer, now: Instant, out: &mut Vec<Action>) {
        let (code, bytes) = (answer.code, answer.bytes.clone());
        match &mut self.machine {
            ServerMachine::Invite(machine) => machine.respond(code, bytes, now, out),
            ServerMachine::NonInvite(machine) => machine.respond(code, bytes, now, out),
        }
    }

    fn takes(&self, code: u16) -> bool {
        match &self.machine {
            ServerMachine::Invite(machine) => match machine.state() {
                server_invite::State::Proceeding => true,
                server_invite::State::Accepted => (200..300).contains(&code),
                server_invite::State::Completed
                | server_invite::State::Confirmed
                | server_invite::State::Terminated => false,
            },
            ServerMachine::NonInvite(machine) => matches!(
                machine.state(),
                server_non_invite::State::Trying | server_non_invite::State::Proceeding
            ),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Action>) {
        match &mut self.machine {
            ServerMachine::Invite(machine) => machine.handle_timeout(now, out),
            ServerMachine::NonInvite(machine) => machine.handle_timeout(now, out),
        }
    }

    pub(super) fn handle_transport_failure(&mut self, now: Instant, out: &mut Vec<Action>) {
        match &mut self.machine {
            ServerMachine::Invite(machine) => machine.handle_transport_failure(now, out),
            ServerMachine::NonInvite(machine) => machine.handle_transport_failure(now, out),
        }
    }
}

impl Entry for Server {
    fn poll_timeout(&self) -> Option<Instant> {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.poll_timeout(),
            ServerMachine::NonInvite(machine) => machine.poll_timeout(),
        }
    }

    fn is_over(&self) -> bool {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.state() == server_invite::State::Terminated,
            ServerMachine::NonInvite(machine) => {
                machine.state() == server_non_invite::State::Terminated
            }
        }
    }

    fn uses(&self, flow: &Flow) -> bool {
        self.flow == *flow
    }
}
