//! Media between two parties that cannot or must not reach each other, without sockets or clocks.
//!
//! ```text
//!   caller ◄─► leg ┐            ┌ leg ◄─► callee      RTP passes: number, time, SSRC as they come
//!              │   └── stream ──┘   │
//!              └─ RTCP ends here ───┘                 reports to each party are the relay's own
//! ```
//!
//! [`Relay`] owns the table of calls. The owner gives it datagrams with where they came to and from
//! ([`Relay::handle`]) and does what the [`Verdict`] says; calls [`Relay::handle_timeout`] when [`Relay::poll_timeout`] has come;
//! and sends what [`Relay::poll_output`] has after either.
//!
//! What holds always:
//! - nothing is relayed before both parties are announced, and nothing after the call has ended;
//! - packets are taken from one source per leg, that of a latch ([`crate::rtp::SourceLatch`]) or the one that ICE
//!   nominated ([`Relay::set_ice`]), reports likewise;
//! - nothing is sent to an address that was neither signalled nor proven;
//! - calls, streams of a call, and what is kept of each are bounded.
//!
//! Not here: sockets and ports (`media-io`), SRTP itself (a [`Protection`] is given, or made from the keys of a
//! handshake, [`Relay::set_handshake`]). Streams that are bundled (RFC 9143) are told apart only by announced SSRCs.

mod counts;
mod error;
mod forward;
mod handshake;
mod ice;
mod keys;
mod leg;
mod pairs;
mod peer;
mod place;
mod protection;
mod report;
mod table;
mod tap;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub use counts::{DropReason, LegStats, RelayCounts};
pub use error::RelayError;
pub use forward::{Arrival, Outgoing, Verdict};
pub use handshake::{HandshakeAgreement, HandshakeState};
pub use pairs::{OwnerId, PairError, PairPool};
pub use peer::{Peer, RtcpAddress};
pub use place::{CallId, Component, LegId, Pair, Place, Side};
pub use protection::{PROTECTION_ROOM, PacketKind, Protection, ProtectionError};
pub use table::MAX_STREAMS;
pub use tap::Tap;

use stun::LiteAgent;

use crate::rtcp::WallClock;
use handshake::{Closed, LegHandshake};
use keys::Keys;
use leg::Leg;
use peer::is_reachable;
use report::Reporter;
use table::{Call, Table};

/// What a relay needs to know.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// Calls at one time.
    pub max_calls: usize,
    /// Source of our SSRCs, of canonical names and of RTCP's intervals.
    pub seed: [u8; 32],
    /// The time of day at the `now` of [`Relay::new`], for sender reports.
    pub since_unix_epoch: Duration,
}

/// See the module header.
pub struct Relay {
    max_calls: usize,
    random: ChaCha8Rng,
    clock: WallClock,
    table: Table,
    keys: Keys,
    /// When each leg's next report may be due.
    deadlines: BTreeSet<(Instant, LegId)>,
    /// When each handshake wants to be asked.
    handshakes: BTreeSet<(Instant, LegId)>,
    outgoing: VecDeque<Outgoing>,
    counts: RelayCounts,
}

impl Relay {
    /// With no calls yet.
    #[must_use]
    pub fn new(config: &RelayConfig, now: Instant) -> Self {
        Self {
            max_calls: config.max_calls,
            random: ChaCha8Rng::from_seed(config.seed),
            clock: WallClock::new(now, config.since_unix_epoch),
            table: Table::default(),
            keys: Keys::default(),
            deadlines: BTreeSet::new(),
            handshakes: BTreeSet::new(),
            outgoing: VecDeque::new(),
            counts: RelayCounts::default(),
        }
    }

    /// Calls at present.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.table.len()
    }

    /// What was counted over all calls.
    #[must_use]
    pub fn counts(&self) -> RelayCounts {
        self.counts
    }

    /// A call that has no streams yet.
    ///
    /// # Errors
    ///
    /// [`RelayError::TooManyCalls`].
    pub fn create_call(&mut self) -> Result<CallId, RelayError> {
        let max_calls = self.max_calls;
        if self.table.len() >= max_calls {
            return Err(RelayError::TooManyCalls { max_calls });
        }
        let mut names = [[0; 12]; 2];
        for name in &mut names {
            self.random.fill_bytes(name);
        }
        Ok(self.table.insert(Call {
            streams: Vec::with_capacity(1),
            tap: None,
            names,
        }))
    }

    /// One more stream, with the places of caller and callee: its number in the call.
    ///
    /// # Errors
    ///
    /// [`RelayError::TooManyStreams`], [`RelayError::NoSuchLeg`] or [`RelayError::PairTaken`].
    pub fn add_stream(
        &mut self,
        id: CallId,
        places: [Place; 2],
        now: Instant,
    ) -> Result<u8, RelayError> {
        let call = self.table.call_mut(id).ok_or(RelayError::NoSuchLeg)?;
        if call.streams.len() >= MAX_STREAMS {
            return Err(RelayError::TooManyStreams);
        }
        let [caller, callee] = places;
        let taken = |place: &Place| !self.keys.is_free(*place);
        let is_twice = caller == callee && caller.pair != Pair::Shared;
        if let Some(Pair::Own(port)) = places
            .iter()
            .find(|place| is_twice || taken(place))
            .map(|place| place.pair)
        {
            return Err(RelayError::PairTaken { port });
        }
        let stream = u8::try_from(call.streams.len()).map_err(|_| RelayError::TooManyStreams)?;
        let mut leg = |place| {
            let random = ChaCha8Rng::seed_from_u64(self.random.next_u64());
            Leg::new(place, Reporter::new(random, now))
        };
        call.streams.push([leg(caller), leg(callee)]);
        for side in [Side::Caller, Side::Callee] {
            let id = LegId {
                call: id,
                stream,
                side,
            };
            if let Some(leg) = call.leg_mut(id) {
                self.keys.renew(id, leg);
                self.deadlines.insert((leg.reporter.deadline(), id));
            }
        }
        Ok(stream)
    }

    /// Which ports of ours a leg uses.
    ///
    /// # Errors
    ///
    /// [`RelayError::NoSuchLeg`].
    pub fn place(&self, id: LegId) -> Result<Place, RelayError> {
        let call = self.table.call(id.call).ok_or(RelayError::NoSuchLeg)?;
        let stream = call.streams.get(usize::from(id.stream));
        let legs = stream.ok_or(RelayError::NoSuchLeg)?;
        Ok(legs[id.side.index()].place)
    }

    /// Signalling says where a party is, for the first time or anew.
    ///
    /// # Errors
    ///
    /// [`RelayError::Ambiguous`] or [`RelayError::NoSuchLeg`]; then everything is as before.
    pub fn announce(&mut self, id: LegId, peer: Peer, now: Instant) -> Result<(), RelayError> {
        let leg = leg_mut(&mut self.table, id)?;
        let Place { interface, pair } = leg.place;
        if pair == Pair::Shared
            && leg.fragment().is_none()
            && is_reachable(peer.rtp)
            && self.keys.is_ambiguous(id, interface, peer.rtp, peer.ssrc)
        {
            return Err(RelayError::Ambiguous { rtp: peer.rtp });
        }
        leg.announce(peer);
        self.keys.renew(id, leg);
        self.drive_handshake(id, now);
        Ok(())
    }

    /// Secures a leg, gives it other keys, or with `None` makes it plain.
    ///
    /// # Errors
    ///
    /// [`RelayError::NoSuchLeg`].
    pub fn set_protection(
        &mut self,
        id: LegId,
        protection: Option<Box<dyn Protection>>,
    ) -> Result<(), RelayError> {
        let leg = leg_mut(&mut self.table, id)?;
        forget(&mut self.handshakes, id, leg);
        leg.set_protection(protection);
        Ok(())
    }

    /// Secures a leg by keys that a handshake on its port is to yield; nothing passes the leg until then. What was agreed before goes on.
    ///
    /// # Errors
    ///
    /// [`RelayError::NoSuchLeg`].
    pub fn set_handshake(
        &mut self,
        id: LegId,
        agreement: HandshakeAgreement,
        now: Instant,
    ) -> Result<(), RelayError> {
        let leg = leg_mut(&mut self.table, id)?;
        let goes_on = |handshake: &LegHandshake| handshake.is_about(&agreement);
        if !leg.handshake.as_deref().is_some_and(goes_on) {
            forget(&mut self.handshakes, id, leg);
            leg.set_protection(Some(Box::new(Closed)));
            leg.handshake = Some(Box::new(LegHandshake::new(agreement)));
        }
        self.drive_handshake(id, now);
        Ok(())
    }

    /// The leg's party does ICE, with this agent of ours: from now on it is where it nominates to be, and nowhere before. With other
    /// credentials than before it is a restart. With `None` the party does without, and its first consistent source wins again.
    ///
    /// Give it before [`Relay::announce`]: what a party with ICE announces is nobody's address.
    ///
    /// # Errors
    ///
    /// [`RelayError::FragmentTaken`] or [`RelayError::NoSuchLeg`]; then everything is as before.
    pub fn set_ice(&mut self, id: LegId, agent: Option<LiteAgent>) -> Result<(), RelayError> {
        let leg = leg_mut(&mut self.table, id)?;
        if let Some(agent) = &agent
            && let Some(owner) = self.keys.by_fragment(agent.fragment())
            && owner != id
        {
            return Err(RelayError::FragmentTaken);
        }
        leg.set_ice(agent);
        self.keys.renew(id, leg);
        Ok(())
    }

    /// Lets somebody listen to a call, or with `None` nobody.
    ///
    /// # Errors
    ///
    /// [`RelayError::NoSuchLeg`].
    pub fn set_tap(&mut self, id: CallId, tap: Option<Box<dyn Tap>>) -> Result<(), RelayError> {
        self.table.call_mut(id).ok_or(RelayError::NoSuchLeg)?.tap = tap;
        Ok(())
    }

    /// Nothing more is relayed. What the call used of our ports.
    ///
    /// # Errors
    ///
    /// [`RelayError::NoSuchLeg`].
    pub fn end_call(&mut self, id: CallId) -> Result<Vec<Place>, RelayError> {
        let mut call = self.table.remove(id).ok_or(RelayError::NoSuchLeg)?;
        let mut places = Vec::with_capacity(2);
        for (stream, legs) in (0..).zip(&mut call.streams) {
            for (side, leg) in [Side::Caller, Side::Callee].into_iter().zip(legs) {
                let id = LegId {
                    call: id,
                    stream,
                    side,
                };
                self.keys.remove(id, leg);
                forget(&mut self.handshakes, id, leg);
                self.deadlines.remove(&(leg.reporter.deadline(), id));
                places.push(leg.place);
            }
        }
        Ok(places)
    }

    /// How each stream of a call fares: caller, callee.
    ///
    /// # Errors
    ///
    /// [`RelayError::NoSuchLeg`].
    pub fn stats(&self, id: CallId, now: Instant) -> Result<Vec<[LegStats; 2]>, RelayError> {
        let call = self.table.call(id).ok_or(RelayError::NoSuchLeg)?;
        let streams = call.streams.iter();
        Ok(streams
            .map(|legs| legs.each_ref().map(|leg| leg.stats(now)))
            .collect())
    }
}

/// A leg that had a handshake has none any more.
fn forget(handshakes: &mut BTreeSet<(Instant, LegId)>, id: LegId, leg: &mut Leg) {
    let before = leg.handshake.take();
    if let Some(at) = before.and_then(|handshake| handshake.noted) {
        handshakes.remove(&(at, id));
    }
}

fn leg_mut(table: &mut Table, id: LegId) -> Result<&mut Leg, RelayError> {
    let call = table.call_mut(id.call).ok_or(RelayError::NoSuchLeg)?;
    call.leg_mut(id).ok_or(RelayError::NoSuchLeg)
}
