//! A client of a TURN server (RFC 8656) over UDP: an address of the server that peers can send to.
//!
//! ```text
//!  Allocate ─ 401 ─► Allocate with credentials ─► relayed address ─┬─ Refresh before it expires
//!                                                                  ├─ CreatePermission per host, every 4 minutes
//!                                                                  ├─ ChannelBind per peer, every 9 minutes
//!                                                                  └─ Refresh with lifetime 0 at the end
//! ```
//!
//! Invariants: nothing is sent to a peer before the server permitted it; nothing is taken from a peer that was not asked
//! for; a success that is not protected by the password is no answer. A stale nonce (438) repeats the request with the
//! new one.

mod channel;
mod error;
mod peers;
mod requests;
mod responses;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use stun_rs::MessageClass;
use stun_rs::attributes::turn::{Data, XorPeerAddress};
use stun_rs::methods::{DATA, SEND};

use crate::message::{self, LongTerm};
use crate::transaction::{Due, Transaction};
use crate::{Secret, Transmit};

pub use error::TurnError;
use peers::Peers;
use requests::Purpose;

/// Requests under way at a time; a further one waits for the next deadline of its peer.
const MAX_PENDING: usize = 32;

/// Which server, and as whom.
#[derive(Clone, Debug)]
pub struct TurnConfig {
    /// Its address.
    pub server: SocketAddr,
    /// User name of the long-term credentials.
    pub username: String,
    /// Their password.
    pub password: Secret,
}

/// News of an allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnEvent {
    /// The server lends us an address.
    Allocated {
        /// Where peers send to.
        relayed: SocketAddr,
        /// Who the server sees us as, if it says.
        mapped: Option<SocketAddr>,
    },
    /// There is no relayed address, or no longer.
    Failed(TurnError),
}

/// What a datagram from the server was.
#[derive(Debug, PartialEq, Eq)]
pub enum TurnReceived<'a> {
    /// Between the server and us; it is dealt with.
    Taken,
    /// What a peer sent to our relayed address.
    Data {
        /// The peer.
        peer: SocketAddr,
        /// What it sent.
        bytes: std::borrow::Cow<'a, [u8]>,
    },
    /// Not for this client.
    Foreign,
}

/// One allocation, from the first request to its end.
#[derive(Debug)]
pub struct TurnClient {
    config: TurnConfig,
    random: ChaCha8Rng,
    credentials: Option<LongTerm>,
    state: State,
    pending: Vec<Pending>,
    peers: Peers,
    events: VecDeque<TurnEvent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Allocating,
    Allocated {
        relayed: SocketAddr,
        refresh: Instant,
    },
    /// The last refresh is under way.
    Closing,
    Over,
}

#[derive(Debug)]
struct Pending {
    purpose: Purpose,
    transaction: Transaction,
    /// It was sent with credentials, so that a 401 means that they are wrong.
    is_authenticated: bool,
}

impl TurnClient {
    /// Begins to allocate.
    #[must_use]
    pub fn new(config: TurnConfig, random: ChaCha8Rng, now: Instant) -> Self {
        let mut client = Self {
            config,
            random,
            credentials: None,
            state: State::Allocating,
            pending: Vec::new(),
            peers: Peers::default(),
            events: VecDeque::new(),
        };
        client.ask(Purpose::Allocate, now);
        client
    }

    /// Where it is.
    #[must_use]
    pub fn server(&self) -> SocketAddr {
        self.config.server
    }

    /// The address that peers can send to.
    #[must_use]
    pub fn relayed(&self) -> Option<SocketAddr> {
        match self.state {
            State::Allocated { relayed, .. } => Some(relayed),
            State::Allocating | State::Closing | State::Over => None,
        }
    }

    /// Allows a host to send to us, and us to send there.
    pub fn permit(&mut self, host: IpAddr, now: Instant) {
        if self.peers.add_host(host) && self.relayed().is_some() {
            self.ask(Purpose::Permit(host), now);
        }
    }

    /// Makes data of this peer small on the wire: 4 bytes more than the data instead of 36.
    pub fn bind_channel(&mut self, peer: SocketAddr, now: Instant) {
        self.permit(peer.ip(), now);
        if let Some(number) = self.peers.add_channel(peer)
            && self.relayed().is_some()
        {
            self.ask(Purpose::Bind { peer, number }, now);
        }
    }

    /// What to send to the server so that the peer gets `bytes` from our relayed address; `None` while the server
    /// would not pass them on.
    pub fn wrap(&mut self, peer: SocketAddr, bytes: &[u8]) -> Option<Transmit> {
        self.relayed()?;
        let bytes = match self.peers.channel_of(peer) {
            Some(number) => channel::write(number, bytes)?,
            None if self.peers.is_permitted(peer.ip()) => {
                let attributes = vec![XorPeerAddress::from(peer).into(), Data::new(bytes).into()];
                let id = self.transaction_id();
                message::indication(SEND, id, attributes)?
            }
            None => return None,
        };
        Some(Transmit {
            target: self.config.server,
            bytes,
        })
    }

    /// A datagram came from the server.
    pub fn handle_datagram<'a>(&mut self, datagram: &'a [u8], now: Instant) -> TurnReceived<'a> {
        if let Some((number, bytes)) = channel::read(datagram) {
            return match self.peers.peer_of(number) {
                Some(peer) => TurnReceived::Data {
                    peer,
                    bytes: bytes.into(),
                },
                None => TurnReceived::Foreign,
            };
        }
        let Some(id) = message::transaction_of(datagram) else {
            return TurnReceived::Foreign;
        };
        let asked = |pending: &Pending| pending.transaction.id == id;
        if let Some(at) = self.pending.iter().position(asked) {
            let purpose = self.pending[at].purpose;
            let credentials = self
                .credentials
                .as_ref()
                .filter(|_| self.pending[at].is_authenticated);
            let Some(response) = message::response(datagram, purpose.method(), credentials) else {
                return TurnReceived::Foreign;
            };
            let pending = self.pending.swap_remove(at);
            self.handle_response(&pending, response, now);
            return TurnReceived::Taken;
        }
        self.read_data(datagram).unwrap_or(TurnReceived::Foreign)
    }

    fn read_data(&self, datagram: &[u8]) -> Option<TurnReceived<'static>> {
        let message = message::read(datagram, None)?;
        if (message.method(), message.class()) != (DATA, MessageClass::Indication) {
            return None;
        }
        let peer = message
            .get::<XorPeerAddress>()?
            .as_xor_peer_address()
            .ok()?;
        let peer = *peer.socket_address();
        let data = message.get::<Data>()?.as_data().ok()?;
        let bytes = data.as_bytes().to_vec().into();
        self.peers
            .is_permitted(peer.ip())
            .then_some(TurnReceived::Data { peer, bytes })
    }

    fn ask(&mut self, purpose: Purpose, now: Instant) {
        let is_asked = |pending: &Pending| pending.purpose == purpose;
        if self.pending.len() >= MAX_PENDING || self.pending.iter().any(is_asked) {
            return;
        }
        let id = self.transaction_id();
        let credentials = self.credentials.as_ref();
        let bytes = message::request(purpose.method(), id, purpose.attributes(), credentials);
        let Some(bytes) = bytes else {
            self.fail(TurnError::Credentials {
                server: self.server(),
            });
            return;
        };
        self.pending.push(Pending {
            purpose,
            transaction: Transaction::new(id, bytes, now),
            is_authenticated: self.credentials.is_some(),
        });
    }

    fn transaction_id(&mut self) -> message::TransactionId {
        let mut id = [0; 12];
        self.random.fill_bytes(&mut id);
        id
    }

    /// Gives the address back: call it when the call is over and send what there is to send.
    pub fn close(&mut self, now: Instant) {
        if !matches!(self.state, State::Allocated { .. }) {
            self.pending.clear();
            self.state = State::Over;
            return;
        }
        self.state = State::Closing;
        self.pending.clear();
        self.ask(Purpose::Close, now);
    }

    /// The allocation is given back, or was lost.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// The deadline may have come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let State::Allocated { refresh, .. } = self.state {
            if refresh <= now {
                self.ask(Purpose::Refresh, now);
            }
            for purpose in self.peers.due(now) {
                self.ask(purpose, now);
            }
        }
    }

    /// The next datagram to the server.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        let target = self.config.server;
        let mut at = 0;
        while let Some(pending) = self.pending.get_mut(at) {
            match pending.transaction.poll(now) {
                Due::Send(bytes) => {
                    let bytes = bytes.to_vec();
                    return Some(Transmit { target, bytes });
                }
                Due::Nothing => at += 1,
                Due::Expired => {
                    let purpose = self.pending.swap_remove(at).purpose;
                    self.handle_silence(purpose);
                }
            }
        }
        None
    }

    fn handle_silence(&mut self, purpose: Purpose) {
        let server = self.server();
        match purpose {
            Purpose::Allocate => self.fail(TurnError::NoAnswer { server }),
            Purpose::Refresh => self.fail(TurnError::Lost { server }),
            Purpose::Close => self.state = State::Over,
            Purpose::Permit(host) => self.peers.refuse_host(host),
            Purpose::Bind { peer, .. } => self.peers.refuse_channel(peer),
        }
    }

    /// News, until there are none.
    pub fn poll_event(&mut self) -> Option<TurnEvent> {
        self.events.pop_front()
    }

    /// When [`TurnClient::handle_timeout`] and [`TurnClient::poll_transmit`] want to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let repeated = self
            .pending
            .iter()
            .map(|pending| pending.transaction.next());
        let is_asked = |purpose| {
            let same = |pending: &Pending| pending.purpose == purpose;
            self.pending.iter().any(same)
        };
        let refresh = match self.state {
            State::Allocated { refresh, .. } if !is_asked(Purpose::Refresh) => Some(refresh),
            _ => None,
        };
        let peers = self.relayed().and_then(|_| self.peers.poll_timeout());
        repeated.chain(refresh).chain(peers).min()
    }
}

#[cfg(test)]
mod tests;
