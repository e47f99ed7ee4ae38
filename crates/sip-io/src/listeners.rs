//! What to listen on, and the sockets once they are bound.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};

/// Bounds of what peers may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// TCP connections, incoming and outgoing together.
    pub connections: usize,
    /// TCP connections of one peer address.
    pub connections_per_source: usize,
    /// Bytes that may wait for one connection; more closes it.
    pub outbound_bytes: usize,
    /// Bytes waiting for one connection above which nothing more is read from it.
    pub pause_reading_above_bytes: usize,
    /// How long a peer may take to complete a message it began, and to send the first one after
    /// it connected.
    pub message: Duration,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// How long opening a connection may take.
    pub connect: Duration,
    /// How long a name look-up may take.
    pub resolve: Duration,
    /// Name look-ups at the same time.
    pub resolves: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            connections_per_source: 512,
            outbound_bytes: 512 * 1024,
            pause_reading_above_bytes: 64 * 1024,
            message: Duration::from_secs(10),
            idle: Duration::from_secs(2 * 3_600),
            connect: Duration::from_secs(5),
            resolve: Duration::from_secs(5),
            resolves: 32,
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
    /// Bounds of what peers may use.
    pub limits: Limits,
}

impl Listeners {
    /// UDP and TCP on the same `address`; with port 0 both get a port of their own.
    pub fn on(address: SocketAddr) -> Self {
        Self {
            udp: vec![address],
            tcp: vec![address],
            limits: Limits::default(),
        }
    }

    /// Opens the sockets.
    ///
    /// # Errors
    ///
    /// The operating system's error for the first address that cannot be bound; the message names
    /// the address.
    pub async fn bind(self) -> io::Result<Bound> {
        let mut bound = Bound {
            udp: Vec::new(),
            tcp: Vec::new(),
            limits: self.limits,
        };
        for address in self.udp {
            let socket = UdpSocket::bind(address)
                .await
                .map_err(|error| name(&error, "UDP", address))?;
            // Until the runtime has seen the socket writable once, it reports a full buffer.
            socket.writable().await?;
            bound.udp.push((socket.local_addr()?, Arc::new(socket)));
        }
        for address in self.tcp {
            let listener = TcpListener::bind(address)
                .await
                .map_err(|error| name(&error, "TCP", address))?;
            bound.tcp.push((listener.local_addr()?, listener));
        }
        Ok(bound)
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
    pub(crate) udp: Vec<(SocketAddr, Arc<UdpSocket>)>,
    pub(crate) tcp: Vec<(SocketAddr, TcpListener)>,
    pub(crate) limits: Limits,
}

impl Bound {
    /// Local addresses for UDP, in the order of the configuration.
    pub fn udp_addresses(&self) -> Vec<SocketAddr> {
        self.udp.iter().map(|&(address, _)| address).collect()
    }

    /// Local addresses for TCP, in the order of the configuration.
    pub fn tcp_addresses(&self) -> Vec<SocketAddr> {
        self.tcp.iter().map(|&(address, _)| address).collect()
    }
}
