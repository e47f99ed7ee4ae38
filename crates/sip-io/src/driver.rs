//! The loop: one owner of the machine, a closed list of wake-ups.
//!
//! ```text
//!   wait ─► a turn: datagrams, lanes, commands, deadlines ─► send datagrams ─┐
//!    ▲                                                                        │
//!    └───────── nothing left: wait; much to do: gather, or let tasks run ◄────┘
//! ```
//!
//! Each turn takes everything out of the sockets, handles what cannot wait and some of the rest,
//! and sends all answers at once. After every call into the machine its outputs are drained before
//! the loop waits again. The loop waits only for its wake-ups: never for a write, a name, or room
//! in a queue. A queue that is full has an owner who is told: the machine for events and messages,
//! the peer by a closed connection. Time is tokio's, so that a paused runtime pauses the machine
//! too, and is read once for each turn.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{Flow, Machine, Output, TransmitId};
use tokio::select;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::flow_table::FlowTable;
use crate::gather::Gather;
use crate::inbound::{Entrance, Inbound, Receivers, lanes};
use crate::intake::{Intake, SLICE};
use crate::listeners::{Bound, Limits};
use crate::outbound::Standing;
use crate::resolve::{Abilities, Resolver};
use crate::tls::TlsClient;
use crate::udp::{Sockets, Unsent};

/// Things of one kind that one turn handles before it looks at the sockets again.
const TURN: usize = 64;

/// Datagrams that may wait for the end of the turn.
const SEND_AT: usize = 32;

/// Busy turns after which the tasks of this thread may run.
const YIELD_EVERY: u32 = 2;

/// Time-outs that come closer together than this are handled together: none of SIP's is so exact,
/// and a busy machine has one in every tenth of a millisecond.
const TICK: Duration = Duration::from_millis(5);

/// The machine never learns of these: it counts its own from 1.
const UNTRACKED: TransmitId = TransmitId(0);

/// How long the last messages may take to leave after the loop was told to stop.
const FAREWELL: Duration = Duration::from_secs(1);

/// Drives `machine` with the sockets of `bound` until `stop` is cancelled or nobody can send
/// commands any more, then gives the machine back.
///
/// `events` is never waited for: when it is full or closed, the machine takes its event back
/// through [`Machine::handle_refused_event`].
///
/// Dropping the future ends everything at once.
pub async fn run<M: Machine>(
    machine: M,
    bound: Bound,
    commands: mpsc::Receiver<M::Command>,
    events: mpsc::Sender<M::Event>,
    stop: CancellationToken,
) -> M {
    let (own, receivers) = lanes();
    let edges = Edges {
        entrance: Entrance::alone(own),
        receivers,
        commands,
        stop,
    };
    drive(machine, bound, events, edges).await
}

/// Where a loop's work comes from, its own sockets aside.
pub(crate) struct Edges<C> {
    pub(crate) entrance: Entrance,
    pub(crate) receivers: Receivers,
    pub(crate) commands: mpsc::Receiver<C>,
    pub(crate) stop: CancellationToken,
}

pub(crate) async fn drive<M: Machine>(
    machine: M,
    bound: Bound,
    events: mpsc::Sender<M::Event>,
    mut edges: Edges<M::Command>,
) -> M {
    let mut driver = Driver::start(machine, bound, edges.entrance.clone(), events);
    let stop = edges.stop.clone();
    let mut stopped = pin!(stop.cancelled());
    let mut timer = pin!(sleep_until(tokio::time::Instant::now()));
    loop {
        let more = match driver.turn(&mut edges) {
            Turn::Over => break,
            Turn::Idle => false,
            Turn::Busy => true,
        };
        if more {
            driver.gather.pause(&mut driver.sockets);
            // Nobody tells a loop that never waits, and connections alone can keep it busy for long.
            driver.sockets.look_everywhere();
            if driver.gather.turns().is_multiple_of(YIELD_EVERY) {
                yield_now().await;
                let _ = poll_fn(|context| Poll::Ready(driver.sockets.poll_ready(context))).await;
            }
            if stop.is_cancelled() {
                break;
            }
            continue;
        }
        let deadline = driver.deadline().map(Into::into);
        // Only moved to an earlier time: most deadlines are replaced long before they come, and a
        // timer that fires early costs a turn with nothing to do.
        if let Some(deadline) = deadline
            && (timer.is_elapsed() || timer.deadline() > deadline)
        {
            timer.as_mut().reset(deadline);
        }
        select! {
            biased;
            () = stopped.as_mut() => break,
            () = poll_fn(|context| driver.sockets.poll_ready(context)) => {}
            Some(inbound) = edges.receivers.first.recv() => driver.wake_for(inbound),
            command = edges.commands.recv() => match command {
                Some(command) => {
                    driver.now = now();
                    driver.command(command);
                }
                None => break,
            },
            Some(inbound) = edges.receivers.strangers.recv() => driver.wake_for(inbound),
            () = timer.as_mut(), if deadline.is_some() => {}
        }
    }
    driver.finish(edges).await
}

/// Tokio's clock, so that a paused runtime pauses the machine too.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What a turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing is left to do.
    Idle,
    /// There is more, or there was so much that more is likely.
    Busy,
    /// Nobody can send commands any more.
    Over,
}

pub(crate) struct Driver<M: Machine> {
    pub(crate) machine: M,
    pub(crate) sockets: Sockets,
    pub(crate) intake: Intake,
    pub(crate) flows: FlowTable,
    pub(crate) resolver: Resolver,
    pub(crate) tls_client: Option<TlsClient>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) events: mpsc::Sender<M::Event>,
    pub(crate) entrance: Entrance,
    /// Acceptors and look-ups; aborted when the loop ends.
    pub(crate) tasks: JoinSet<()>,
    /// Connections, which may write what is queued when the loop ends. Those that are being opened end then.
    pub(crate) connections: TaskTracker,
    gather: Gather,
    /// The time of this turn.
    pub(crate) now: Instant,
    /// Before then no time-out is handled.
    next_tick: Instant,
    unsent: Vec<Unsent>,
}

impl<M: Machine> Driver<M> {
    fn start(machine: M, bound: Bound, entrance: Entrance, events: mpsc::Sender<M::Event>) -> Self {
        let now = now();
        let limits = bound.limits;
        let sockets = Sockets::new(bound.udp, limits.segments);
        let abilities = Abilities {
            udp_v4: sockets.has_v4(),
            udp_v6: sockets.has_v6(),
            tls: bound.tls_client.is_some(),
        };
        let mut driver = Self {
            machine,
            sockets,
            intake: Intake::new(&limits, entrance.clone(), now),
            flows: FlowTable::new(limits, entrance.own_index(), entrance.count()),
            resolver: Resolver::new(limits, abilities, &bound.name_servers),
            tls_client: bound.tls_client,
            limits: Arc::new(limits),
            events,
            entrance,
            tasks: JoinSet::new(),
            connections: TaskTracker::new(),
            gather: Gather::new(limits.gather, now),
            now,
            next_tick: now,
            unsent: Vec::new(),
        };
        for (local, listener, acceptor) in bound.streams {
            driver.listen(local, listener, acceptor);
        }
        driver
    }

    /// Does what there is to do, a bounded part of it.
    fn turn(&mut self, edges: &mut Edges<M::Command>) -> Turn {
        self.now = now();
        let (intake, at) = (&mut self.intake, self.now);
        let received = self
            .sockets
            .receive(|flow, datagram| intake.receive(flow, datagram, at));
        self.gather.note(received, self.now);
        for (flow, answer) in self.intake.take_answers() {
            // One that does not leave is asked for again.
            let _ = self.sockets.queue_on(&flow, UNTRACKED, answer);
        }
        self.intake.sort();
        while let Some(datagram) = self.intake.next_at_once() {
            self.receive(datagram.flow, datagram.bytes);
        }
        let mut more = self.take(&mut edges.receivers.first, TURN);
        for _ in 0..SLICE {
            let Some(datagram) = self.intake.next_in_turn() else {
                break;
            };
            self.receive(datagram.flow, datagram.bytes);
        }
        more |= self.take(&mut edges.receivers.strangers, TURN / 2);
        for _ in 0..TURN {
            match edges.commands.try_recv() {
                Ok(command) => self.command(command),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => return Turn::Over,
            }
        }
        self.time_out();
        self.flush();
        // Finished tasks leave their set.
        while self.tasks.try_join_next().is_some() {}
        match more || self.intake.is_waiting() || self.gather.expects_more() {
            true => Turn::Busy,
            false => Turn::Idle,
        }
    }

    /// Handles what has ended the wait.
    fn wake_for(&mut self, inbound: Inbound) {
        self.now = now();
        self.handle(inbound);
    }

    /// Handles up to `bound` things that wait in a lane; whether there may be more.
    fn take(&mut self, lane: &mut mpsc::Receiver<Inbound>, bound: usize) -> bool {
        for _ in 0..bound {
            let Ok(inbound) = lane.try_recv() else {
                return false;
            };
            self.handle(inbound);
        }
        true
    }

    /// Gives the machine a message.
    pub(crate) fn receive(&mut self, flow: Flow, bytes: Bytes) {
        self.machine.handle_received(flow, bytes, self.now);
        self.drain();
    }

    fn command(&mut self, command: M::Command) {
        self.machine.handle_command(command, self.now);
        self.drain();
    }

    /// When the next time-out is to be handled.
    fn deadline(&self) -> Option<Instant> {
        let due = self.machine.poll_timeout()?;
        Some(due.max(self.next_tick))
    }

    fn time_out(&mut self) {
        let now = self.now;
        if self.deadline().is_some_and(|due| due <= now) {
            self.next_tick = now + TICK;
            self.machine.handle_timeout(now);
            debug_assert!(
                self.machine.poll_timeout().is_none_or(|next| next > now),
                "would spin"
            );
            self.drain();
        }
    }

    /// Does everything the machine wants, until it wants nothing more.
    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Transmit(transmit) => self.transmit(transmit),
                Output::Resolve(request) => self.resolve(&request),
                Output::Close(flow) => self.close(flow),
                Output::Trust { flow, call_id } => {
                    let call_id = call_id.as_ref().map(|call_id| call_id.as_bytes());
                    self.stands(flow, Standing::Trusted, call_id);
                }
                Output::Distrust(flow) => self.stands(flow, Standing::Stranger, None),
                Output::Unreachable { transport, peer } => {
                    self.resolver.handle_unreachable(transport, peer);
                }
                Output::Event(event) => {
                    if let Err(refused) = self.events.try_send(event) {
                        self.machine
                            .handle_refused_event(refused.into_inner(), self.now);
                    }
                }
            }
        }
        if self.sockets.queued() >= SEND_AT {
            self.sockets.flush(&mut self.unsent);
        }
    }

    /// Sends what is queued, and tells the machine what will never leave.
    fn flush(&mut self) {
        while self.sockets.queued() > 0 || !self.unsent.is_empty() {
            self.sockets.flush(&mut self.unsent);
            if self.unsent.is_empty() {
                // What is left waits for room in the socket's buffer.
                return;
            }
            for Unsent { id, peer, error } in std::mem::take(&mut self.unsent) {
                debug!(%error, %peer, "datagram not sent");
                self.failed(id);
            }
            self.drain();
        }
    }

    /// Lets the last messages out.
    async fn finish(mut self, edges: Edges<M::Command>) -> M {
        self.now = now();
        self.drain();
        self.flush();
        // Connections that wait for room in a lane need wait no longer.
        drop(edges);
        self.tasks.abort_all();
        self.flows.close_all();
        self.connections.close();
        if timeout(FAREWELL, self.connections.wait()).await.is_err() {
            debug!("some peers did not read their last messages");
        }
        self.machine
    }
}
