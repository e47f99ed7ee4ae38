//! ICE (RFC 8445) for one port of one call: candidates, checks, and the pair that media takes.
//!
//! ```text
//!  new ──► gathering ──► candidates ──► description ──► peer
//!  start(agreement) ──► checks ──► IceEvent::Path ──► media by wrap() and Incoming::Media
//!        └── again with other credentials: a restart, media goes on by the old path meanwhile
//! ```
//!
//! Checks, pairs, roles and nomination are the agent's of `is`; it repeats checks on the pair in use, so that consent
//! is fresh (RFC 7675): 22 s without an answer and [`IceEvent::Lost`] says that nothing may be sent any more. One
//! component: RTCP shares the port (RFC 5761).
//!
//! Invariants: a STUN message without the right MESSAGE-INTEGRITY changes nothing and is not answered. Media is taken
//! only from an address to which a check of ours succeeded, and [`Ice::wrap`] sends only by the chosen pair.

mod agreement;
mod incoming;
mod lite;
mod quiet;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use is::{Candidate, IceAgent, IceAgentEvent, IceConnectionState, Protocol};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::Transmit;
use crate::binding::{BindingClient, BindingError};
use crate::turn::{TurnClient, TurnConfig, TurnError, TurnEvent};

use quiet::QuietAgent;

pub use agreement::{Agreement, Credentials, MAX_REMOTE_CANDIDATES, Role};
pub use incoming::Incoming;
pub use lite::{CheckAnswer, CheckOutcome, LiteAgent, LiteError, local_fragment};

/// Ta (RFC 8445 section 14.2): a phone has few pairs, and somebody waits to be heard.
const PACE: Duration = Duration::from_millis(20);
/// Pairs that are checked (RFC 8445 section 6.1.2.5 allows 100).
const MAX_PAIRS: usize = 48;
/// Early checks of the peer that are answered in one go.
const MAX_EARLY: usize = 100;

/// Who may help. A server of another address family than the socket is passed over.
#[derive(Clone, Debug, Default)]
pub struct IceServers {
    /// Tells us what we are seen as.
    pub stun: Option<SocketAddr>,
    /// Lends us an address.
    pub turn: Option<TurnConfig>,
}

/// News of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IceEvent {
    /// There will be no more local candidates.
    Gathered,
    /// A server was of no use; the rest goes on.
    Failed(IceError),
    /// Media goes here from now on.
    Path {
        /// The peer's address.
        remote: SocketAddr,
        /// By our TURN server.
        is_relayed: bool,
    },
    /// No pair works, or the one in use does not any longer: nothing may be sent.
    Lost,
}

/// Why a candidate is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IceError {
    /// No server-reflexive one.
    #[error(transparent)]
    Binding(#[from] BindingError),
    /// No relayed one.
    #[error(transparent)]
    Turn(#[from] TurnError),
}

/// See the module header.
pub struct Ice {
    host: SocketAddr,
    agent: QuietAgent,
    credentials: Credentials,
    random: ChaCha8Rng,
    binding: Option<BindingClient>,
    turn: Option<TurnClient>,
    mapped: Option<SocketAddr>,
    agreement: Option<Agreement>,
    path: Option<Path>,
    is_gathering: bool,
    events: VecDeque<IceEvent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Path {
    local: SocketAddr,
    remote: SocketAddr,
}

impl Ice {
    /// For the socket at `host`, its only candidate for now. The seed is the source of credentials and of transaction
    /// identifiers.
    #[must_use]
    pub fn new(host: SocketAddr, seed: [u8; 32], now: Instant) -> Self {
        let mut random = ChaCha8Rng::from_seed(seed);
        let credentials = Credentials::random(|bytes| random.fill_bytes(bytes));
        let tie_breaker = random.next_u64();
        let agent = QuietAgent::new(|| {
            let mut agent = IceAgent::new(credentials.for_agent());
            agent.set_control_tie_breaker(tie_breaker);
            agent.set_timing_advance(PACE);
            agent.set_max_candidate_pairs(MAX_PAIRS);
            if let Ok(candidate) = Candidate::host(host, Protocol::Udp) {
                agent.add_local_candidate(candidate);
            }
            // Only so that it knows the time.
            agent.handle_timeout(now);
            agent
        });
        Self {
            host,
            agent,
            credentials,
            random,
            binding: None,
            turn: None,
            mapped: None,
            agreement: None,
            path: None,
            is_gathering: false,
            events: VecDeque::new(),
        }
    }

    /// Begins to gather; [`IceEvent::Gathered`] says when that is done.
    pub fn ask(&mut self, servers: IceServers, now: Instant) {
        let is_v4 = self.host.is_ipv4();
        let mut fork = || ChaCha8Rng::from_rng(&mut self.random);
        if let Some(server) = servers.stun.filter(|server| server.is_ipv4() == is_v4) {
            self.binding = Some(BindingClient::new(server, fork(), now));
        }
        if let Some(turn) = servers.turn.filter(|turn| turn.server.is_ipv4() == is_v4) {
            self.turn = Some(TurnClient::new(turn, fork(), now));
        }
        self.is_gathering = true;
        self.look(now);
    }

    /// Ours at first; a restart brings others.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// What there is of candidates now, as values of `a=candidate` (RFC 8839 section 5.1).
    #[must_use]
    pub fn candidates(&self) -> Vec<String> {
        self.agent
            .local_candidates()
            .map(|candidate| agreement::attribute(&candidate))
            .collect()
    }

    /// Where a peer without ICE should send to: what the STUN server saw, else the socket's own address. Never the
    /// relayed one, because such a peer sends from an address that the TURN server was not told to permit.
    #[must_use]
    pub fn default_address(&self) -> SocketAddr {
        self.mapped.unwrap_or(self.host)
    }

    /// A server may still give us a candidate.
    #[must_use]
    pub fn is_gathering(&self) -> bool {
        self.is_gathering
    }

    /// Begins the checks, or goes over to what a later offer and answer agreed. With credentials that no check can
    /// carry there is no path: [`IceEvent::Lost`].
    pub fn start(&mut self, agreement: Agreement, now: Instant) {
        if !agreement.is_usable() {
            self.path = None;
            self.events.push_back(IceEvent::Lost);
            return;
        }
        let is_restart = self.agreement.as_ref().is_some_and(|before| {
            before.local != agreement.local || before.remote != agreement.remote
        });
        let is_first = self.agreement.is_none();
        let candidates: Vec<_> = agreement.usable_candidates(self.host).collect();
        if let Some(turn) = &mut self.turn {
            for candidate in &candidates {
                turn.permit(candidate.addr().ip(), now);
            }
        }
        self.agent.with(|agent| {
            if is_restart {
                agent.ice_restart(agreement.local.for_agent(), true);
            } else if is_first {
                agent.set_local_credentials(agreement.local.for_agent());
                agent.set_controlling(agreement.role == Role::Controlling);
            }
            agent.set_remote_credentials(agreement.remote.for_agent());
            for candidate in candidates {
                agent.add_remote_candidate(candidate);
            }
        });
        self.credentials = agreement.local.clone();
        self.agreement = Some(agreement);
        self.handle_timeout(now);
    }

    /// How a datagram for the peer leaves: to whom, and what; `None` while the TURN server would not pass it on.
    pub fn wrap<'a>(
        &mut self,
        target: SocketAddr,
        bytes: &'a [u8],
    ) -> Option<(SocketAddr, Cow<'a, [u8]>)> {
        let path = self.path.filter(|path| path.remote == target);
        if let (Some(path), Some(turn)) = (path, &mut self.turn)
            && turn.relayed() == Some(path.local)
        {
            let wrapped = turn.wrap(target, bytes)?;
            return Some((wrapped.target, wrapped.bytes.into()));
        }
        Some((target, bytes.into()))
    }

    /// The address of the peer that was chosen.
    #[must_use]
    pub fn remote(&self) -> Option<SocketAddr> {
        self.path.map(|path| path.remote)
    }

    /// The deadline may have come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(binding) = &mut self.binding {
            binding.handle_timeout(now);
        }
        if let Some(turn) = &mut self.turn {
            turn.handle_timeout(now);
        }
        // An early check of the peer is answered per call; the next deadline is then still in the past.
        self.agent.with(|agent| {
            for _ in 0..MAX_EARLY {
                agent.handle_timeout(now);
                if agent.poll_timeout().is_some_and(|next| next > now) {
                    break;
                }
            }
        });
        self.look(now);
    }

    /// Takes in what the parts have found out.
    fn look(&mut self, now: Instant) {
        match self.binding.as_mut().and_then(BindingClient::poll_outcome) {
            Some(Ok(mapped)) => self.add_mapped(mapped),
            Some(Err(error)) => self.events.push_back(IceEvent::Failed(error.into())),
            None => {}
        }
        while let Some(event) = self.turn.as_mut().and_then(TurnClient::poll_event) {
            match event {
                TurnEvent::Allocated { relayed, mapped } => self.add_relayed(relayed, mapped),
                TurnEvent::Failed(error) => {
                    self.events.push_back(IceEvent::Failed(error.into()));
                    self.turn = None;
                }
            }
        }
        while let Some(event) = self.agent.with(IceAgent::poll_event) {
            self.handle_agent(&event, now);
        }
        let has_asked_all = self.binding.as_ref().is_none_or(BindingClient::is_known)
            && self
                .turn
                .as_ref()
                .is_none_or(|turn| turn.relayed().is_some());
        if self.is_gathering && has_asked_all {
            self.is_gathering = false;
            self.events.push_back(IceEvent::Gathered);
        }
    }

    fn add_mapped(&mut self, mapped: SocketAddr) {
        self.mapped = Some(mapped);
        if let Ok(candidate) = Candidate::server_reflexive(mapped, self.host, Protocol::Udp) {
            self.add_local(candidate);
        }
    }

    fn add_local(&mut self, candidate: Candidate) {
        self.agent.with(|agent| {
            agent.add_local_candidate(candidate);
        });
    }

    fn add_relayed(&mut self, relayed: SocketAddr, mapped: Option<SocketAddr>) {
        if let (None, Some(mapped)) = (&self.binding, mapped) {
            self.add_mapped(mapped);
        }
        if let Ok(candidate) = Candidate::relayed(relayed, self.host, Protocol::Udp) {
            self.add_local(candidate);
        }
    }

    fn handle_agent(&mut self, event: &IceAgentEvent, now: Instant) {
        match *event {
            IceAgentEvent::NominatedSend {
                source,
                destination,
                ..
            } => self.take_path(source, destination, now),
            IceAgentEvent::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.path = None;
                self.events.push_back(IceEvent::Lost);
            }
            IceAgentEvent::IceConnectionStateChange(_)
            | IceAgentEvent::IceRestart(_)
            | IceAgentEvent::DiscoveredRecv { .. } => {}
        }
    }

    fn take_path(&mut self, local: SocketAddr, remote: SocketAddr, now: Instant) {
        let mut is_relayed = false;
        if let Some(turn) = &mut self.turn
            && turn.relayed() == Some(local)
        {
            turn.bind_channel(remote, now);
            is_relayed = true;
        }
        let path = Path { local, remote };
        if self.path.replace(path) != Some(path) {
            self.events.push_back(IceEvent::Path { remote, is_relayed });
        }
    }

    /// The call is over, or does without ICE: gives the relayed address back. Send what there is to send.
    pub fn close(&mut self, now: Instant) {
        if let Some(turn) = &mut self.turn {
            turn.close(now);
        }
        self.binding = None;
    }

    /// Nothing of ours is left with a server.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.turn.as_ref().is_none_or(TurnClient::is_over)
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        if let Some(transmit) = self
            .binding
            .as_mut()
            .and_then(|binding| binding.poll_transmit(now))
        {
            return Some(transmit);
        }
        let turn = self.turn.as_mut();
        if let Some(transmit) = turn.and_then(|turn| turn.poll_transmit(now)) {
            return Some(transmit);
        }
        // Outcomes of silence.
        self.look(now);
        while let Some(check) = self.agent.with(IceAgent::poll_transmit) {
            let target = check.destination;
            let bytes: Vec<u8> = check.contents.into();
            match &mut self.turn {
                Some(turn) if turn.relayed() == Some(check.source) => {
                    if let Some(wrapped) = turn.wrap(target, &bytes) {
                        return Some(wrapped);
                    }
                }
                _ => return Some(Transmit { target, bytes }),
            }
        }
        None
    }

    /// News, until there are none.
    pub fn poll_event(&mut self) -> Option<IceEvent> {
        self.events.pop_front()
    }

    /// When [`Ice::handle_timeout`] and [`Ice::poll_transmit`] want to be called.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let binding = self.binding.as_ref().and_then(BindingClient::poll_timeout);
        let turn = self.turn.as_ref().and_then(TurnClient::poll_timeout);
        // Without an agreement the agent has nothing to do.
        let agent = match self.agreement {
            Some(_) => self.agent.with(IceAgent::poll_timeout),
            None => None,
        };
        [binding, turn, agent].into_iter().flatten().min()
    }
}

impl std::fmt::Debug for Ice {
    /// The agent knows passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ice")
            .field("host", &self.host)
            .field("mapped", &self.mapped)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
