//! What the loop does for each thing that comes in or that the machine wants out: datagrams to
//! sockets, messages to connections, and everything that belongs to another shard to that shard.

use std::io;

use bytes::Bytes;
use sip::{
    Destination, Flow, Machine, ResolveError, ResolveRequest, Target, Transmit, TransmitId,
    Transport,
};
use tokio::sync::mpsc;
use tracing::debug;

use crate::driver::Driver;
use crate::flow_table::Generation;
use crate::inbound::Inbound;
use crate::outbound::Standing;

impl<M: Machine> Driver<M> {
    pub(crate) fn handle(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Received { flow, bytes, turn } => {
                self.receive(flow, bytes);
                drop(turn);
            }
            Inbound::Datagrams(datagrams) => {
                for (flow, bytes, standing) in datagrams {
                    self.intake.push(flow, bytes, standing);
                }
            }
            Inbound::Accepted {
                stream,
                local,
                peer,
                acceptor,
            } => self.accepted(stream, local, peer, acceptor),
            Inbound::Opened { flow } => self.flows.opened(flow),
            Inbound::NotOpened {
                generation,
                target,
                problem,
            } => {
                if let Some(problem) = problem {
                    self.machine.handle_untrusted(target, problem, self.now);
                }
                for id in self.flows.remove(generation) {
                    self.failed(id);
                }
            }
            Inbound::Closed { flow } => {
                if self.is_own(&flow) {
                    self.flows.remove(Generation(flow.generation));
                }
                self.machine.handle_flow_closed(flow, self.now);
            }
            Inbound::Resolved { id, result } => {
                let result = result.map(|found| self.resolver.in_order(found));
                self.machine.handle_resolved(id, result, self.now);
            }
            Inbound::Transmit {
                shard,
                id,
                flow,
                bytes,
            } => {
                if self
                    .push(Generation(flow.generation), Some(&flow), bytes)
                    .is_err()
                {
                    let failed = Inbound::TransmitFailed { id };
                    // If that shard is so far behind, its transaction times out.
                    let _ = self.entrance.of(shard).first.try_send(failed);
                }
            }
            Inbound::TransmitFailed { id } => self.failed(id),
            Inbound::Close { flow } => self.close(flow),
            Inbound::Stands {
                flow,
                standing,
                call_id,
            } => self.note_standing(&flow, standing, call_id.as_deref()),
        }
        self.drain();
    }

    pub(crate) fn transmit(
        &mut self,
        Transmit {
            id,
            destination,
            bytes,
        }: Transmit,
    ) {
        let queued = match destination {
            Destination::Flow(flow) if flow.transport == Transport::Udp => {
                self.sockets.queue_on(&flow, id, bytes)
            }
            Destination::Flow(flow) if !self.is_own(&flow) => {
                let shard = self.entrance.own_index();
                let transmit = Inbound::Transmit {
                    shard,
                    id,
                    flow,
                    bytes,
                };
                self.hand_over(&flow, transmit)
            }
            Destination::Flow(flow) => self.push(Generation(flow.generation), Some(&flow), bytes),
            Destination::Address {
                transport: Transport::Udp,
                peer,
                ..
            } => self.sockets.queue_to(peer, id, bytes),
            Destination::Address {
                transport,
                peer,
                domain,
            } => {
                let target = Target {
                    transport,
                    peer,
                    domain,
                };
                self.transmit_to(&target, id, bytes)
            }
        };
        if let Err(error) = queued {
            debug!(%error, "message not sent");
            self.failed(id);
        }
    }

    pub(crate) fn failed(&mut self, id: TransmitId) {
        self.machine.handle_transmit_failed(id, self.now);
    }

    /// Whether the connection of `flow` is one of this loop.
    fn is_own(&self, flow: &Flow) -> bool {
        self.flows.shard_of(flow) == self.entrance.own_index()
    }

    /// Gives the shard of `flow` something to do, if it is not too far behind.
    fn hand_over(&self, flow: &Flow, inbound: Inbound) -> io::Result<()> {
        let lane = &self.entrance.of(self.flows.shard_of(flow)).first;
        lane.try_send(inbound).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => io::ErrorKind::WouldBlock.into(),
            mpsc::error::TrySendError::Closed(_) => io::ErrorKind::BrokenPipe.into(),
        })
    }

    /// Sends over the latest connection with `target`, opening one if there is none.
    fn transmit_to(&mut self, target: &Target, id: TransmitId, bytes: Bytes) -> io::Result<()> {
        let generation = match self.flows.with(target) {
            Some(generation) => generation,
            None => self.connect(target)?,
        };
        self.push(generation, None, bytes)?;
        self.flows.note_waiting(generation, id);
        Ok(())
    }

    /// Queues `bytes` for a connection; `flow` names the one it must be, if it matters.
    fn push(
        &mut self,
        generation: Generation,
        flow: Option<&Flow>,
        bytes: Bytes,
    ) -> io::Result<()> {
        let outbound = match flow {
            Some(flow) => self.flows.on(flow),
            None => self.flows.outbound(generation),
        };
        let outbound = outbound.ok_or(io::ErrorKind::NotConnected)?;
        if outbound.push(bytes).is_err() {
            debug!(
                generation = generation.0,
                "the peer does not read, connection closed"
            );
            self.flows.abort(generation);
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }

    pub(crate) fn close(&mut self, flow: Flow) {
        if self.is_own(&flow) {
            if let Some(outbound) = self.flows.on(&flow) {
                outbound.close();
            }
        } else if self.hand_over(&flow, Inbound::Close { flow }).is_err() {
            debug!(peer = %flow.peer, "a connection of another shard stays open");
        }
    }

    /// Notes how `flow` stands, wherever that matters.
    pub(crate) fn stands(&mut self, flow: Flow, standing: Standing, call_id: Option<&[u8]>) {
        let stands = || Inbound::Stands {
            flow,
            standing,
            call_id: call_id.map(Into::into),
        };
        if flow.transport != Transport::Udp && !self.is_own(&flow) {
            // What is not told now is told with the next proof.
            let _ = self.hand_over(&flow, stands());
            return;
        }
        if flow.transport == Transport::Udp {
            for lanes in self.entrance.others() {
                let _ = lanes.first.try_send(stands());
            }
        }
        self.note_standing(&flow, standing, call_id);
    }

    fn note_standing(&mut self, flow: &Flow, standing: Standing, call_id: Option<&[u8]>) {
        match (flow.transport, standing) {
            (Transport::Udp, Standing::Trusted) => {
                self.intake.trust().add(flow, call_id, self.now);
            }
            (Transport::Udp, Standing::Stranger) => self.intake.trust().remove(flow),
            _ => self.flows.set_standing(flow, standing),
        }
    }

    pub(crate) fn resolve(&mut self, request: &ResolveRequest) {
        let id = request.id;
        if let Some(result) = self.resolver.at_once(request) {
            self.machine.handle_resolved(id, result, self.now);
            return;
        }
        match self.resolver.begin(request) {
            Some(look_up) => {
                let lane = self.entrance.own().first.clone();
                self.tasks.spawn(async move {
                    let result = look_up.await;
                    // Fails only when the loop is gone.
                    let _ = lane.send(Inbound::Resolved { id, result }).await;
                });
            }
            None => self
                .machine
                .handle_resolved(id, Err(ResolveError::Busy), self.now),
        }
    }
}
