//! How connections begin: those that we open, and those that peers open to us.
//!
//! ```text
//!   a message for an address ─► connect ─► TCP ─► TLS ─┐
//!   a listener's task ────────► accepted ─► handshake ─┴─► Opened, and the same task serves the connection
//! ```
//!
//! Invariant: a connection is counted by the flow table before anything is read from it or waited for, and what is
//! waited for has a deadline.
//!
//! Not here: what an open connection does (`connection.rs`), how many there may be (`flow_table.rs`), how a message finds its
//! connection (`dispatch.rs`).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use sip::{Flow, Machine, Target, Transport};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use crate::acceptor::Acceptor;
use crate::connection::{Connection, Opener};
use crate::driver::Driver;
use crate::flow_table::Generation;
use crate::inbound::Inbound;
use crate::link::{ByteLink, Link};
use crate::outbound::Outbound;
use crate::tls;
use crate::websocket::WebSocketLink;

/// Pause after an error, so that a broken listener does not use up a processor.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

impl<M: Machine> Driver<M> {
    /// Begins to open a connection.
    pub(crate) fn connect(&mut self, target: &Target) -> io::Result<Generation> {
        let domain = target.domain.and_then(|id| self.resolver.domain(id));
        let domain = domain.map(str::to_owned);
        let client = match (target.transport, &self.tls_client) {
            (Transport::Tcp, _) => None,
            (Transport::Tls, Some(client)) => Some(client.clone()),
            // A WebSocket is only ever opened to us.
            (transport, _) => {
                debug!(%transport, "no such connection can be opened");
                return Err(io::ErrorKind::Unsupported.into());
            }
        };
        let too_many = io::Error::from(io::ErrorKind::QuotaExceeded);
        let (generation, outbound) = self.flows.admit(*target, Opener::Us).ok_or(too_many)?;
        let peer = target.peer;
        let patience = self.limits.connect;
        let connecting = async move {
            let stream = TcpStream::connect(peer).await?;
            no_delay(&stream);
            let local = stream.local_addr()?;
            Ok::<_, io::Error>((stream, local))
        };
        let Some(client) = client else {
            let opening = async move {
                let (stream, local) = connecting.await?;
                Ok((ByteLink::opened(stream), local))
            };
            self.open(generation, *target, Opener::Us, outbound, patience, opening);
            return Ok(generation);
        };
        let opening = async move {
            let (stream, local) = connecting.await?;
            let stream = client.connect(domain.as_deref(), peer, stream).await?;
            Ok((ByteLink::opened(stream), local))
        };
        self.open(generation, *target, Opener::Us, outbound, patience, opening);
        Ok(generation)
    }

    /// Opens a connection that has been admitted, and serves it, in a task of its own: `opening`
    /// connects, makes the handshake, or both, and gives the link and our own address.
    fn open<L: Link>(
        &mut self,
        generation: Generation,
        target: Target,
        opener: Opener,
        outbound: Outbound,
        patience: Duration,
        opening: impl Future<Output = io::Result<(L, SocketAddr)>> + Send + 'static,
    ) {
        let (entrance, limits) = (self.entrance.clone(), self.limits.clone());
        let Target {
            transport, peer, ..
        } = target;
        self.connections.spawn(async move {
            let opened = select! {
                opened = timeout(patience, opening) => opened,
                () = outbound.ended() => Ok(Err(io::ErrorKind::ConnectionAborted.into())),
            };
            let problem = match opened {
                Ok(Ok((link, local))) => {
                    let flow = Flow {
                        transport,
                        local,
                        peer,
                        generation: generation.0,
                    };
                    // Fails only when the loop is gone.
                    let Ok(room) = entrance.own_room().await else {
                        return;
                    };
                    room.send(Inbound::Opened { flow });
                    let connection =
                        Connection::new(flow, link, opener, outbound, entrance, limits);
                    return connection.run().await;
                }
                Ok(Err(error)) => {
                    debug!(%error, %peer, %transport, "connection not opened");
                    tls::problem(&error)
                }
                Err(_) => {
                    debug!(%peer, %transport, "connection not opened in time");
                    None
                }
            };
            if let Ok(room) = entrance.own_room().await {
                room.send(Inbound::NotOpened {
                    generation,
                    target,
                    problem,
                });
            }
        });
    }

    /// Passes on new connections in a task of its own.
    pub(crate) fn listen(
        &mut self,
        local: SocketAddr,
        listener: std::net::TcpListener,
        acceptor: Acceptor,
    ) {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                let lane = self.entrance.own().strangers.clone();
                self.tasks.spawn(accept(local, listener, acceptor, lane));
            }
            Err(error) => warn!(%error, %local, "cannot listen"),
        }
    }

    pub(crate) fn accepted(
        &mut self,
        stream: TcpStream,
        local: SocketAddr,
        peer: SocketAddr,
        acceptor: Acceptor,
    ) {
        let target = Target::new(acceptor.transport(), peer);
        let Some((generation, outbound)) = self.flows.admit(target, Opener::Peer) else {
            debug!(%peer, "too many connections");
            return;
        };
        let opener = Opener::Peer;
        let patience = self.limits.handshake;
        match acceptor {
            Acceptor::Tcp => {
                let flow = Flow {
                    transport: Transport::Tcp,
                    local,
                    peer,
                    generation: generation.0,
                };
                self.flows.opened(flow);
                let link = ByteLink::accepted(stream);
                let entrance = self.entrance.clone();
                let limits = self.limits.clone();
                let connection = Connection::new(flow, link, opener, outbound, entrance, limits);
                self.connections.spawn(connection.run());
            }
            Acceptor::Tls(server) => {
                let opening = async move {
                    let stream = server.accept(stream).await?;
                    Ok((ByteLink::accepted(stream), local))
                };
                self.open(generation, target, opener, outbound, patience, opening);
            }
            Acceptor::Ws(origins) => {
                let opening =
                    async move { Ok((WebSocketLink::accept(stream, origins).await?, local)) };
                self.open(generation, target, opener, outbound, patience, opening);
            }
            Acceptor::Wss(server, origins) => {
                let opening = async move {
                    let stream = server.accept(stream).await?;
                    Ok((WebSocketLink::accept(stream, origins).await?, local))
                };
                self.open(generation, target, opener, outbound, patience, opening);
            }
        }
    }
}

fn no_delay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "connection keeps its delay");
    }
}

/// Passes on new connections until the loop is gone.
async fn accept(
    local: SocketAddr,
    listener: TcpListener,
    acceptor: Acceptor,
    lane: mpsc::Sender<Inbound>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let local = match local.ip().is_unspecified() {
                    true => stream.local_addr().unwrap_or(local),
                    false => local,
                };
                let accepted = Inbound::Accepted {
                    stream,
                    local,
                    peer,
                    acceptor: acceptor.clone(),
                };
                if lane.send(accepted).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                warn!(%error, %local, "cannot accept");
                sleep(ERROR_PAUSE).await;
            }
        }
    }
}
