//! What to listen on, and the sockets once they are bound.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::num::NonZeroUsize;
use std::time::Duration;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{RcvBufForce, SndBufForce};
use socket2::{Domain, Protocol, Socket, Type};

use sip::Transport;

use crate::acceptor::Acceptor;
use crate::resolve::NameServers;
use crate::source_buckets::SourceRate;
use crate::tls::{TlsClient, TlsServer};
use crate::udp::tell_destinations;
use crate::websocket::Origins;

/// Connections that may wait to be accepted.
const ACCEPT_QUEUE: i32 = 1_024;

/// Bounds of what peers may use, and how the loop works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections, incoming and outgoing together.
    pub connections: usize,
    /// Connections of peers that have not proved who they are.
    pub strangers: usize,
    /// The same from one address.
    pub strangers_per_source: usize,
    /// Incoming connections in their handshake.
    pub half_open: usize,
    /// Bytes that may wait for one connection; more closes it.
    pub outbound_bytes: usize,
    /// Bytes waiting for one connection above which nothing more is read from it.
    pub pause_reading_above_bytes: usize,
    /// How long a peer may take for its handshake.
    pub handshake: Duration,
    /// How long a peer may take to complete a message it began, and to send the first one after
    /// it connected.
    pub message: Duration,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// How long a stranger's connection may be without a message; keep-alives are none.
    pub stranger_idle: Duration,
    /// How long opening a connection may take.
    pub connect: Duration,
    /// How long a name look-up may take.
    pub resolve: Duration,
    /// Name look-ups at the same time.
    pub resolves: usize,
    /// Datagrams of one source that are looked at while it is a stranger.
    pub stranger_rate: SourceRate,
    /// Datagram flows that may be trusted at the same time.
    pub trusted_flows: usize,
    /// Datagrams of each rank that may wait for the machine.
    pub backlog: usize,
    /// Buffer that is asked for in each direction of a UDP socket, in bytes. The system may give
    /// less.
    pub socket_buffer: usize,
    /// How long a busy loop lets datagrams gather before it looks again; its thread sleeps
    /// meanwhile. Zero: it never does.
    pub gather: Duration,
    /// Whether datagrams of one size to one peer leave as segments of one send (UDP segmentation
    /// offload): cheaper, but a capture on this machine may show them as one datagram.
    pub segments: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 100_000,
            strangers: 4_096,
            strangers_per_source: 512,
            half_open: 512,
            outbound_bytes: 512 * 1024,
            pause_reading_above_bytes: 64 * 1024,
            handshake: Duration::from_secs(5),
            message: Duration::from_secs(10),
            idle: Duration::from_secs(2 * 3_600),
            stranger_idle: Duration::from_secs(60),
            connect: Duration::from_secs(5),
            resolve: Duration::from_secs(5),
            resolves: 32,
            stranger_rate: SourceRate {
                per_second: 500,
                burst: 2_000,
            },
            trusted_flows: 200_000,
            backlog: 1_024,
            socket_buffer: 8 * 1024 * 1024,
            gather: Duration::ZERO,
            segments: true,
        }
    }
}

/// What to listen on. Port 0 lets the system choose.
#[derive(Clone, Debug, Default)]
pub struct Listeners {
    /// Addresses for UDP. Without any, nothing can be sent over UDP either.
    pub udp: Vec<SocketAddr>,
    /// Addresses for incoming TCP connections. Outgoing ones need none.
    pub tcp: Vec<SocketAddr>,
    /// Addresses for incoming TLS connections, and what is shown to them.
    pub tls: Vec<(SocketAddr, TlsServer)>,
    /// Addresses for WebSockets, and the pages that may open them.
    pub ws: Vec<(SocketAddr, Origins)>,
    /// The same for secure WebSockets.
    pub wss: Vec<(SocketAddr, TlsServer, Origins)>,
    /// Whom outgoing TLS connections believe; without it there are none.
    pub tls_client: Option<TlsClient>,
    /// Who is asked for names.
    pub name_servers: NameServers,
    /// Bounds of what peers may use.
    pub limits: Limits,
}

impl Listeners {
    /// UDP and TCP on the same `address`; with port 0 both get a port of their own.
    pub fn on(address: SocketAddr) -> Self {
        Self {
            udp: vec![address],
            tcp: vec![address],
            ..Self::default()
        }
    }

    /// Opens the sockets.
    ///
    /// # Errors
    ///
    /// The operating system's error for the first address that cannot be bound; the message names
    /// the address.
    pub fn bind(self) -> io::Result<Bound> {
        let mut bound = self.unbound();
        for &address in &self.udp {
            let socket = bind_udp(address, Sharing::Alone, self.limits.socket_buffer);
            bound.udp.push(socket?);
        }
        for (address, acceptor) in self.streams() {
            let (local, listener) = bind_stream(address, &acceptor, Sharing::Alone)?;
            bound.streams.push((local, listener, acceptor));
        }
        Ok(bound)
    }

    fn unbound(&self) -> Bound {
        Bound {
            udp: Vec::new(),
            streams: Vec::new(),
            tls_client: self.tls_client.clone(),
            name_servers: self.name_servers.clone(),
            limits: self.limits,
        }
    }

    /// Every address for connections, and how they begin there.
    fn streams(&self) -> Vec<(SocketAddr, Acceptor)> {
        let tcp = self.tcp.iter().map(|&address| (address, Acceptor::Tcp));
        let tls = self.tls.iter().cloned();
        let tls = tls.map(|(address, server)| (address, Acceptor::Tls(server)));
        let ws = self.ws.iter().cloned();
        let ws = ws.map(|(address, origins)| (address, Acceptor::Ws(origins)));
        let wss = self.wss.iter().cloned();
        let wss = wss.map(|(address, server, origins)| (address, Acceptor::Wss(server, origins)));
        tcp.chain(tls).chain(ws).chain(wss).collect()
    }

    /// Opens the sockets of `shards` loops: every address once for each, with the system spreading
    /// datagrams and connections over them.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_shards(self, shards: NonZeroUsize) -> io::Result<Vec<Bound>> {
        if shards.get() == 1 {
            return Ok(vec![self.bind()?]);
        }
        let mut all: Vec<Bound> = (0..shards.get()).map(|_| self.unbound()).collect();
        for mut address in self.udp.iter().copied() {
            for bound in &mut all {
                let socket = bind_udp(address, Sharing::Shards, self.limits.socket_buffer)?;
                address = socket.0;
                bound.udp.push(socket);
            }
        }
        for (mut address, acceptor) in self.streams() {
            for bound in &mut all {
                let (local, listener) = bind_stream(address, &acceptor, Sharing::Shards)?;
                address = local;
                bound.streams.push((local, listener, acceptor.clone()));
            }
        }
        Ok(all)
    }
}

/// Whether other sockets of ours have the same address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    Alone,
    Shards,
}

fn bind_udp(
    address: SocketAddr,
    sharing: Sharing,
    buffer: usize,
) -> io::Result<(SocketAddr, UdpSocket)> {
    let open = || {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        enlarge(&socket, buffer);
        tell_destinations(&socket, address)?;
        prepare(&socket, address, sharing)?;
        let socket = UdpSocket::from(socket);
        Ok((socket.local_addr()?, socket))
    };
    open().map_err(|error| name(&error, "UDP", address))
}

fn bind_stream(
    address: SocketAddr,
    acceptor: &Acceptor,
    sharing: Sharing,
) -> io::Result<(SocketAddr, TcpListener)> {
    let open = || {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        // Connections of the last run that are still closing do not hold the port.
        socket.set_reuse_address(true)?;
        // Accepted connections have it from here.
        socket.set_tcp_nodelay(true)?;
        prepare(&socket, address, sharing)?;
        socket.listen(ACCEPT_QUEUE)?;
        let listener = TcpListener::from(socket);
        Ok((listener.local_addr()?, listener))
    };
    open().map_err(|error| name(&error, acceptor.transport().as_str(), address))
}

fn prepare(socket: &Socket, address: SocketAddr, sharing: Sharing) -> io::Result<()> {
    if sharing == Sharing::Shards {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        // Both families have sockets of their own, so that addresses are what they seem.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())
}

/// Asks for large buffers: past the system's bound where we may, else up to it. Whatever comes of
/// it is good enough to begin with.
fn enlarge(socket: &Socket, bytes: usize) {
    if setsockopt(socket, RcvBufForce, &bytes).is_err() {
        let _ = socket.set_recv_buffer_size(bytes);
    }
    if setsockopt(socket, SndBufForce, &bytes).is_err() {
        let _ = socket.set_send_buffer_size(bytes);
    }
}

fn name(error: &io::Error, transport: &str, address: SocketAddr) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("cannot listen on {transport} {address}: {error}"),
    )
}

/// Open sockets, to be driven by [`run`](crate::run).
#[derive(Debug)]
pub struct Bound {
    pub(crate) udp: Vec<(SocketAddr, UdpSocket)>,
    pub(crate) streams: Vec<(SocketAddr, TcpListener, Acceptor)>,
    pub(crate) tls_client: Option<TlsClient>,
    pub(crate) name_servers: NameServers,
    pub(crate) limits: Limits,
}

impl Bound {
    /// Local addresses for UDP, in the order of the configuration.
    pub fn udp_addresses(&self) -> Vec<SocketAddr> {
        self.udp.iter().map(|&(address, _)| address).collect()
    }

    /// Local addresses for TCP, in the order of the configuration.
    pub fn tcp_addresses(&self) -> Vec<SocketAddr> {
        self.addresses(Transport::Tcp)
    }

    /// Local addresses for `transport`, in the order of the configuration.
    pub fn addresses(&self, transport: Transport) -> Vec<SocketAddr> {
        if transport == Transport::Udp {
            return self.udp_addresses();
        }
        let of_transport = self
            .streams
            .iter()
            .filter(|(_, _, acceptor)| acceptor.transport() == transport);
        of_transport.map(|&(address, _, _)| address).collect()
    }

    /// Whether TLS connections can be opened.
    pub fn has_tls_client(&self) -> bool {
        self.tls_client.is_some()
    }
}
