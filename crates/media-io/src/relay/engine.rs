//! The relay's thread: waits for datagrams, commands and deadlines, and never for anything else.
//!
//! With more than [`BUSY`] datagrams a second it lets them gather for [`GATHER`] before it takes them: a batch costs
//! one call to the system each way instead of one for each datagram, and the voice is that much later.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use media::relay::{
    Arrival, CallId, Component, LegId, OwnerId, Pair, PairPool, Peer, Place, Relay, RtcpAddress,
    Verdict,
};
use nix::errno::Errno;
use nix::sys::epoll::{EpollEvent, EpollTimeout};
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;
use tracing::error;

use super::batch::{BATCH, Batch, Leaving, Received};
use super::handle::Waker;
use super::sockets::{Sockets, WAKE, place_of};
use super::{LegRequest, LocalMedia, RelayIoError, RelayIoStats, Wanted};

/// How long datagrams gather.
const GATHER: Duration = Duration::from_millis(1);

/// Datagrams a second from which on that saves more than it costs.
const BUSY: u32 = 2_000;

/// How often the rate is looked at.
const RATE_WINDOW: Duration = Duration::from_millis(100);

/// Batches from one socket before the others get their turn.
const BATCHES_IN_A_ROW: usize = 8;

/// Sockets that are told of at a time.
const EVENTS: usize = 256;

/// Pairs that may be another program's before we give up.
const PAIRS_TRIED: usize = 64;

/// Something to do between datagrams.
pub(super) type Command = Box<dyn FnOnce(&mut Engine) + Send>;

/// See the module header.
pub(super) struct Engine {
    pub(super) relay: Relay,
    sockets: Sockets,
    pool: PairPool,
    batch: Batch,
    received: Vec<Received>,
    leaving: Vec<(Place, Leaving)>,
    same_place: Vec<Leaving>,
    rate: Rate,
    stats: RelayIoStats,
}

impl Engine {
    pub(super) fn new(relay: Relay, sockets: Sockets, pool: PairPool) -> Self {
        Self {
            relay,
            sockets,
            pool,
            batch: Batch::new(),
            received: Vec::with_capacity(BATCH),
            leaving: Vec::with_capacity(BATCH),
            same_place: Vec::with_capacity(BATCH),
            rate: Rate::default(),
            stats: RelayIoStats::default(),
        }
    }

    /// Goes on until nobody can give commands any more.
    pub(super) fn run(
        mut self,
        mut commands: Receiver<Command>,
        ended: &mpsc::Receiver<CallId>,
        waker: &Waker,
    ) {
        let mut events = [EpollEvent::empty(); EVENTS];
        loop {
            let count = match self.sockets.epoll.wait(&mut events, self.patience()) {
                Ok(count) => count,
                Err(Errno::EINTR) => 0,
                Err(error) => return error!(%error, "the relay cannot wait and stops"),
            };
            let now = Instant::now();
            for event in &events[..count] {
                if event.data() == WAKE {
                    waker.rest();
                } else if let Some((place, component)) = place_of(event.data()) {
                    self.receive(place, component, now);
                }
            }
            loop {
                let command = commands.try_recv();
                // What was ended before a command was given has ended when it is carried out.
                for call in ended.try_iter() {
                    // It may have ended already, by a panic.
                    let _ = self.end_call(call);
                }
                match command {
                    Ok(command) => self.carry_out(command),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            self.speak(now);
            if self.rate.is_busy(now) {
                thread::sleep(GATHER);
            }
        }
    }

    fn patience(&self) -> EpollTimeout {
        let Some(next) = self.relay.poll_timeout() else {
            return EpollTimeout::NONE;
        };
        let wait = next.saturating_duration_since(Instant::now());
        // Rounded up: a deadline is in the past when we look.
        let milliseconds = u16::try_from(wait.as_millis() + 1).unwrap_or(u16::MAX);
        EpollTimeout::from(milliseconds)
    }

    /// A command that panics changes what it has changed; the relay goes on.
    fn carry_out(&mut self, command: Command) {
        if catch_unwind(AssertUnwindSafe(|| command(self))).is_err() {
            self.stats.panics += 1;
            error!("a command to the relay panicked; its caller is told that there is no answer");
        }
    }

    fn receive(&mut self, place: Place, component: Component, now: Instant) {
        for _ in 0..BATCHES_IN_A_ROW {
            // It may have been closed since we were told.
            let Some((bound, descriptor)) = self.sockets.descriptor(place, component) else {
                return;
            };
            let result = self.batch.receive(bound, descriptor, &mut self.received);
            if result.is_err() {
                return;
            }
            let count = self.received.len();
            self.rate.count(count);
            for slot in 0..count {
                let Received { source, len } = self.received[slot];
                let arrival = Arrival {
                    place,
                    component,
                    source,
                    now,
                };
                if let Some(Verdict::Forward { from, to, len }) = self.judge(&arrival, slot, len) {
                    self.leaving.push((from, Leaving { slot, len, to }));
                }
            }
            self.forward();
            if count < BATCH {
                return;
            }
        }
    }

    /// What is to be done with a datagram. If looking at it panics, its call ends and all others go on.
    fn judge(&mut self, arrival: &Arrival, slot: usize, len: usize) -> Option<Verdict> {
        let buffer = self.batch.slot(slot);
        let relay = &mut self.relay;
        match catch_unwind(AssertUnwindSafe(|| relay.handle(arrival, buffer, len))) {
            Ok(verdict) => Some(verdict),
            Err(_) => {
                self.stats.panics += 1;
                let leg = relay.find(arrival, &buffer[..len]);
                error!(?leg, "a datagram made the relay panic: its call is ended");
                if let Some(leg) = leg {
                    let _ = self.end_call(leg.call);
                }
                None
            }
        }
    }

    /// Sends what waits: what leaves by one socket together, in the order it came.
    fn forward(&mut self) {
        while let Some((place, _)) = self.leaving.first().copied() {
            self.same_place.clear();
            let same_place = &mut self.same_place;
            self.leaving.retain(|(from, leaving)| {
                if *from == place {
                    same_place.push(*leaving);
                }
                *from != place
            });
            let Some((bound, descriptor)) = self.sockets.descriptor(place, Component::Rtp) else {
                continue;
            };
            let sent = self.batch.send(bound, descriptor, &self.same_place);
            self.stats.sent += sent as u64;
            self.stats.not_sent += (self.same_place.len() - sent) as u64;
        }
    }

    /// Sends what the relay has to say itself: answers to checks, handshakes, and the reports that are due.
    fn speak(&mut self, now: Instant) {
        while self.relay.poll_timeout().is_some_and(|next| next <= now) {
            let relay = &mut self.relay;
            // The deadline that it panicked over is gone; the leg may be silent from now on, all others go on.
            if catch_unwind(AssertUnwindSafe(|| relay.handle_timeout(now))).is_err() {
                self.stats.panics += 1;
                error!("a deadline made the relay panic: it is passed over");
            }
        }
        while let Some(own) = self.relay.poll_output() {
            let sent = self
                .sockets
                .send_to(own.from, own.component, &own.bytes, own.to);
            if sent.is_err() {
                self.stats.not_sent += 1;
            }
        }
    }

    pub(super) fn add_stream(
        &mut self,
        call: CallId,
        wanted: [LegRequest; 2],
    ) -> Result<(u8, [LocalMedia; 2]), RelayIoError> {
        let now = Instant::now();
        let caller = self.open(wanted[0], now)?;
        let added = self.open(wanted[1], now).and_then(|callee| {
            let places = [caller, callee];
            match self.relay.add_stream(call, places, now) {
                Ok(stream) => Ok((stream, places)),
                Err(error) => {
                    self.close(callee, now);
                    Err(error.into())
                }
            }
        });
        let (stream, places) = added.inspect_err(|_| self.close(caller, now))?;
        let [Some(caller), Some(callee)] = places.map(|place| self.sockets.rtp_address(place))
        else {
            return Err(RelayIoError::Stopped);
        };
        Ok((
            stream,
            [LocalMedia { rtp: caller }, LocalMedia { rtp: callee }],
        ))
    }

    fn open(&mut self, wanted: LegRequest, now: Instant) -> Result<Place, RelayIoError> {
        let LegRequest { interface, pair } = wanted;
        if !self.sockets.has_interface(interface) {
            return Err(RelayIoError::NoSuchInterface { interface });
        }
        let pair = match pair {
            Wanted::Shared => Pair::Shared,
            Wanted::Own(owner) => Pair::Own(self.open_own(interface, owner, now)?),
        };
        Ok(Place { interface, pair })
    }

    /// Another program may have a pair of the range: then the next is tried.
    fn open_own(
        &mut self,
        interface: u8,
        owner: OwnerId,
        now: Instant,
    ) -> Result<u16, RelayIoError> {
        let mut in_use = Vec::new();
        let opened = loop {
            let port = match self.pool.take(owner, now) {
                Ok(port) => port,
                Err(error) => break Err(error.into()),
            };
            match self.sockets.open(interface, port) {
                Ok(()) => break Ok(port),
                Err(error) => {
                    in_use.push(port);
                    if error.kind() != io::ErrorKind::AddrInUse || in_use.len() == PAIRS_TRIED {
                        break Err(RelayIoError::NoPair {
                            port,
                            source: error,
                        });
                    }
                }
            }
        };
        for port in in_use {
            self.pool.give_back(port, now);
        }
        opened
    }

    fn close(&mut self, place: Place, now: Instant) {
        if let Pair::Own(port) = place.pair {
            self.sockets.close(place.interface, port);
            self.pool.give_back(port, now);
        }
    }

    pub(super) fn announce(&mut self, leg: LegId, peer: Peer) -> Result<(), RelayIoError> {
        let place = self.relay.place(leg)?;
        let local = self
            .sockets
            .rtp_address(place)
            .ok_or(RelayIoError::Stopped)?;
        let rtcp = match peer.rtcp {
            RtcpAddress::Multiplexed => peer.rtp,
            RtcpAddress::At(address) => address,
        };
        for announced in [peer.rtp, rtcp] {
            if announced.is_ipv4() != local.is_ipv4() {
                let peer = announced;
                return Err(RelayIoError::OtherFamily { local, peer });
            }
            if self.sockets.is_ours(announced) {
                return Err(RelayIoError::Ourselves { peer: announced });
            }
        }
        Ok(self.relay.announce(leg, peer, Instant::now())?)
    }

    pub(super) fn end_call(&mut self, call: CallId) -> Result<(), RelayIoError> {
        let now = Instant::now();
        for place in self.relay.end_call(call)? {
            self.close(place, now);
        }
        Ok(())
    }

    pub(super) fn stats(&self) -> RelayIoStats {
        RelayIoStats {
            calls: self.relay.calls(),
            pairs_used: self.pool.used(),
            counts: self.relay.counts(),
            ..self.stats
        }
    }
}

/// How many datagrams come, over a short while.
#[derive(Default)]
struct Rate {
    since: Option<Instant>,
    datagrams: usize,
    is_busy: bool,
}

impl Rate {
    fn count(&mut self, datagrams: usize) {
        self.datagrams += datagrams;
    }

    /// Whether there were many in the last window.
    fn is_busy(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since);
        if passed >= RATE_WINDOW {
            self.is_busy = self.datagrams as f64 / passed.as_secs_f64() >= f64::from(BUSY);
            (self.since, self.datagrams) = (Some(now), 0);
        }
        self.is_busy
    }
}
