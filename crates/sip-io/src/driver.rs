//! The loop: one owner of the machine, a closed list of wake-ups.
//!
//! After every call into the machine its outputs are drained before the loop waits again. The loop
//! waits only for its wake-ups: never for a write, a name, or room in a queue. A queue that is full
//! has an owner who is told: the machine for events and messages, the peer by a closed connection.
//! Time is tokio's, so that a paused runtime pauses the machine too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sip::{Destination, Flow, Machine, Output, ResolveError, ResolveId, ResolveRequest, Transmit};
use sip::{TransmitId, Transport};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::connection::{Outbound, Reader, TURNS, Writer};
use crate::flow_table::{FlowTable, Generation};
use crate::listeners::{Bound, Limits};
use crate::resolve::{Families, Resolved, Resolver};
use crate::udp;

/// Messages that may wait for the loop; readers wait when it is full.
const INBOUND_CAPACITY: usize = 256;

/// How long the last messages may take to leave after the loop was told to stop.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the tasks at the edges tell the loop.
#[derive(Debug)]
pub(crate) enum Inbound {
    Received {
        flow: Flow,
        bytes: Bytes,
        /// Given back when the message is handled, so that its connection may send another.
        turn: Option<OwnedSemaphorePermit>,
    },
    Accepted {
        stream: TcpStream,
        local: SocketAddr,
        peer: SocketAddr,
    },
    Connected {
        generation: Generation,
        stream: TcpStream,
        local: SocketAddr,
        writer: Writer,
    },
    NotConnected {
        generation: Generation,
    },
    Closed {
        flow: Flow,
    },
    Resolved {
        id: ResolveId,
        result: Resolved,
    },
}

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
    mut commands: mpsc::Receiver<M::Command>,
    events: mpsc::Sender<M::Event>,
    stop: CancellationToken,
) -> M {
    let (sender, mut inbound) = mpsc::channel(INBOUND_CAPACITY);
    let mut driver = Driver::start(machine, bound, sender, events);
    loop {
        driver.drain();
        select! {
            () = stop.cancelled() => break,
            Some(inbound) = inbound.recv() => driver.handle(inbound),
            command = commands.recv() => match command {
                Some(command) => driver.machine.handle_command(command, now()),
                None => break,
            },
            () = due(driver.machine.poll_timeout()) => driver.handle_timeout(),
        }
    }
    driver.finish().await
}

/// Tokio's clock, so that a paused runtime pauses the machine too.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

async fn due(deadline: Option<std::time::Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

struct Driver<M: Machine> {
    machine: M,
    sockets: udp::Sockets,
    flows: FlowTable,
    resolver: Resolver,
    limits: Limits,
    events: mpsc::Sender<M::Event>,
    inbound: mpsc::Sender<Inbound>,
    /// Readers, acceptors, connectors and look-ups; aborted when the loop ends.
    tasks: JoinSet<()>,
    /// Writers, which may finish their queues.
    writers: JoinSet<()>,
}

impl<M: Machine> Driver<M> {
    fn start(
        machine: M,
        bound: Bound,
        inbound: mpsc::Sender<Inbound>,
        events: mpsc::Sender<M::Event>,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for (local, socket) in &bound.udp {
            tasks.spawn(udp::read(*local, socket.clone(), inbound.clone()));
        }
        for (local, listener) in bound.tcp {
            tasks.spawn(accept(local, listener, inbound.clone()));
        }
        let sockets = udp::Sockets(bound.udp);
        let families = Families {
            udp_v4: sockets.has_v4(),
            udp_v6: sockets.has_v6(),
        };
        Self {
            machine,
            sockets,
            flows: FlowTable::new(bound.limits),
            resolver: Resolver::new(bound.limits, families),
            limits: bound.limits,
            events,
            inbound,
            tasks,
            writers: JoinSet::new(),
        }
    }

    /// Does everything the machine wants, until it wants nothing more.
    fn drain(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Transmit(transmit) => self.transmit(transmit),
                Output::Resolve(request) => self.resolve(&request),
                Output::Close(flow) => self.close(&flow),
                Output::Trust(_) | Output::Distrust(_) => {}
                Output::Unreachable { .. } => {}
                Output::Event(event) => {
                    if let Err(refused) = self.events.try_send(event) {
                        self.machine
                            .handle_refused_event(refused.into_inner(), now());
                    }
                }
            }
        }
        // Finished tasks leave their sets.
        while self.tasks.try_join_next().is_some() {}
        while self.writers.try_join_next().is_some() {}
    }

    fn handle(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Received { flow, bytes, turn } => {
                self.machine.handle_received(flow, bytes, now());
                self.drain();
                drop(turn);
            }
            Inbound::Accepted {
                stream,
                local,
                peer,
            } => self.accepted(stream, local, peer),
            Inbound::Connected {
                generation,
                stream,
                local,
                writer,
            } => {
                self.connected(generation, stream, local, writer);
            }
            Inbound::NotConnected { generation } => self.not_connected(generation),
            Inbound::Closed { flow } => {
                self.flows.remove(Generation(flow.generation));
                self.machine.handle_flow_closed(flow, now());
            }
            Inbound::Resolved { id, result } => self.machine.handle_resolved(id, result, now()),
        }
    }

    fn handle_timeout(&mut self) {
        let now = now();
        self.machine.handle_timeout(now);
        debug_assert!(
            self.machine.poll_timeout().is_none_or(|next| next > now),
            "would spin"
        );
    }

    fn transmit(
        &mut self,
        Transmit {
            id,
            destination,
            bytes,
        }: Transmit,
    ) {
        match destination {
            Destination::Flow(flow) if flow.transport == Transport::Udp => {
                let sent = self.sockets.send_on(&flow, &bytes);
                self.note(id, flow.peer, sent);
            }
            Destination::Address {
                transport: Transport::Udp,
                peer,
                ..
            } => {
                let sent = self.sockets.send_to(peer, &bytes);
                self.note(id, peer, sent);
            }
            Destination::Flow(flow) => {
                self.queue(id, Generation(flow.generation), Some(flow), bytes);
            }
            Destination::Address {
                transport: Transport::Tcp,
                peer,
                ..
            } => match self.flows.with_peer(peer).or_else(|| self.connect(peer)) {
                Some(generation) => self.queue(id, generation, None, bytes),
                None => self.failed(id),
            },
            Destination::Address { transport, .. } => {
                warn!(%transport, "transport not supported");
                self.failed(id);
            }
        }
    }

    fn note(&mut self, id: TransmitId, peer: SocketAddr, sent: std::io::Result<()>) {
        if let Err(error) = sent {
            debug!(%error, %peer, "datagram not sent");
            self.failed(id);
        }
    }

    fn failed(&mut self, id: TransmitId) {
        self.machine.handle_transmit_failed(id, now());
    }

    /// Queues `bytes` for a connection; `flow` names the one it must be, if it matters.
    fn queue(&mut self, id: TransmitId, generation: Generation, flow: Option<Flow>, bytes: Bytes) {
        let outbound = match &flow {
            Some(flow) => self.flows.on(flow),
            None => self.flows.outbound(generation),
        };
        let Some(outbound) = outbound else {
            self.failed(id);
            return;
        };
        if outbound.push(bytes).is_ok() {
            self.flows.note_waiting(generation, id);
        } else {
            debug!(
                generation = generation.0,
                "the peer does not read, connection closed"
            );
            self.flows.abort(generation);
            self.failed(id);
        }
    }

    /// Begins to open a connection; `None` if there are too many.
    fn connect(&mut self, peer: SocketAddr) -> Option<Generation> {
        let generation = self.flows.admit(peer)?;
        let (outbound, writer) = Outbound::new(self.limits.outbound_bytes);
        let closed = CancellationToken::new();
        self.flows
            .insert_opening(generation, peer, outbound, closed);
        let (inbound, patience) = (self.inbound.clone(), self.limits.connect);
        self.tasks.spawn(async move {
            let opened = timeout(patience, TcpStream::connect(peer)).await;
            let message = match opened {
                Ok(Ok(stream)) => match stream.local_addr() {
                    Ok(local) => Inbound::Connected {
                        generation,
                        stream,
                        local,
                        writer,
                    },
                    Err(_) => Inbound::NotConnected { generation },
                },
                Ok(Err(error)) => {
                    debug!(%error, %peer, "cannot connect");
                    Inbound::NotConnected { generation }
                }
                Err(_) => {
                    debug!(%peer, "cannot connect in time");
                    Inbound::NotConnected { generation }
                }
            };
            // Fails only when the loop is gone.
            let _ = inbound.send(message).await;
        });
        Some(generation)
    }

    fn connected(
        &mut self,
        generation: Generation,
        stream: TcpStream,
        local: SocketAddr,
        writer: Writer,
    ) {
        let Some((flow, outbound, closed)) = self.flows.opened(generation, local) else {
            return;
        };
        self.serve(flow, stream, outbound, writer, closed, None);
    }

    fn not_connected(&mut self, generation: Generation) {
        for id in self.flows.remove(generation) {
            self.failed(id);
        }
    }

    fn accepted(&mut self, stream: TcpStream, local: SocketAddr, peer: SocketAddr) {
        let Some(generation) = self.flows.admit(peer) else {
            debug!(%peer, "too many connections");
            return;
        };
        let flow = Flow {
            transport: Transport::Tcp,
            local,
            peer,
            generation: generation.0,
        };
        let (outbound, writer) = Outbound::new(self.limits.outbound_bytes);
        let closed = CancellationToken::new();
        self.flows
            .insert_open(flow, outbound.clone(), closed.clone());
        let first_message = Some(Instant::now() + self.limits.message);
        self.serve(flow, stream, outbound, writer, closed, first_message);
    }

    /// Starts the two tasks of an open connection.
    fn serve(
        &mut self,
        flow: Flow,
        stream: TcpStream,
        outbound: Outbound,
        writer: Writer,
        closed: CancellationToken,
        first_message: Option<Instant>,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "connection keeps its delay");
        }
        let (read, write) = stream.into_split();
        self.writers.spawn(writer.run(write, closed.clone()));
        let (inbound, limits) = (self.inbound.clone(), self.limits);
        let reader = Reader {
            flow,
            socket: read,
            outbound,
            inbound,
            closed,
            limits,
            turns: Arc::new(Semaphore::new(TURNS)),
            first_message,
        };
        self.tasks.spawn(reader.run());
    }

    fn close(&mut self, flow: &Flow) {
        if let Some(outbound) = self.flows.on(flow) {
            outbound.close();
        }
    }

    fn resolve(&mut self, request: &ResolveRequest) {
        let id = request.id;
        if let Some(result) = self.resolver.at_once(request) {
            self.machine.handle_resolved(id, result, now());
            return;
        }
        match self.resolver.begin(request) {
            Some(look_up) => {
                let inbound = self.inbound.clone();
                self.tasks.spawn(async move {
                    let result = look_up.await;
                    // Fails only when the loop is gone.
                    let _ = inbound.send(Inbound::Resolved { id, result }).await;
                });
            }
            None => self
                .machine
                .handle_resolved(id, Err(ResolveError::Busy), now()),
        }
    }

    /// Lets the last messages out.
    async fn finish(mut self) -> M {
        self.drain();
        self.flows.close_all();
        self.tasks.abort_all();
        let written = async { while self.writers.join_next().await.is_some() {} };
        if timeout(FAREWELL, written).await.is_err() {
            debug!("some peers did not read their last messages");
        }
        self.machine
    }
}

/// Passes on new connections until the loop is gone.
async fn accept(local: SocketAddr, listener: TcpListener, inbound: mpsc::Sender<Inbound>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let local = stream.local_addr().unwrap_or(local);
                if inbound
                    .send(Inbound::Accepted {
                        stream,
                        local,
                        peer,
                    })
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(error) => {
                warn!(%error, %local, "cannot accept");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
