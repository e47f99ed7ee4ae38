//! Where the proxy listens, and as what it presents itself there.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use sip::{Host, HostPort, Transport};
use sip_io::{Bound, CertificateFiles, Limits, Listeners, Origins, TlsServer};

use crate::StartError;

/// How long a busy loop lets datagrams gather: at 2,000 datagrams a second and more one wake-up and two system calls serve several
/// of them, and none waits longer than this.
const GATHER: Duration = Duration::from_millis(2);

/// How often a pair of free ports is searched when the port is left to the system.
const PORT_ATTEMPTS: usize = 16;

/// Addresses beside the first one for UDP and TCP.
#[derive(Clone, Debug, Default)]
pub struct MoreListeners {
    /// For UDP and TCP, as the first one.
    pub also: Vec<SocketAddr>,
    /// Certificate and key for TLS and secure WebSockets.
    pub certificate: Option<CertificateFiles>,
    /// For TLS.
    pub tls: Vec<SocketAddr>,
    /// For WebSockets.
    pub ws: Vec<SocketAddr>,
    /// For secure WebSockets.
    pub wss: Vec<SocketAddr>,
    /// Pages that may open a WebSocket.
    pub origins: Origins,
}

/// Opens the sockets of each shard.
pub(crate) fn bind(
    listen: SocketAddr,
    more: &MoreListeners,
    shards: NonZeroUsize,
    segments: bool,
) -> Result<Vec<Bound>, StartError> {
    let mut listeners = listeners(more)?;
    listeners.limits.segments = segments;
    if listen.port() != 0 {
        return Ok(with(&listeners, listen).bind_shards(shards)?);
    }
    let mut last = None;
    for _ in 0..PORT_ATTEMPTS {
        let port = std::net::UdpSocket::bind(listen)?.local_addr()?.port();
        match with(&listeners, SocketAddr::new(listen.ip(), port)).bind_shards(shards) {
            Ok(bound) => return Ok(bound),
            Err(error) => last = Some(error),
        }
    }
    Err(last
        .unwrap_or_else(|| io::ErrorKind::AddrInUse.into())
        .into())
}

fn with(listeners: &Listeners, first: SocketAddr) -> Listeners {
    let mut listeners = listeners.clone();
    listeners.udp.insert(0, first);
    listeners.tcp.insert(0, first);
    listeners
}

fn listeners(more: &MoreListeners) -> Result<Listeners, StartError> {
    let mut listeners = Listeners {
        udp: more.also.clone(),
        tcp: more.also.clone(),
        limits: Limits {
            gather: GATHER,
            ..Limits::default()
        },
        ..Listeners::default()
    };
    let origins = || more.origins.clone();
    listeners.ws = more.ws.iter().map(|&at| (at, origins())).collect();
    if more.tls.is_empty() && more.wss.is_empty() {
        return Ok(listeners);
    }
    let files = more.certificate.clone().ok_or(StartError::NoCertificate)?;
    let server = TlsServer::new(files)?;
    listeners.tls = more.tls.iter().map(|&at| (at, server.clone())).collect();
    listeners.wss = more
        .wss
        .iter()
        .map(|&at| (at, server.clone(), origins()))
        .collect();
    Ok(listeners)
}

/// What Via and Contact say for each transport: the public host if there is one, else every address
/// of ours.
pub(crate) fn advertised(bound: &Bound, public_host: Option<&Host>) -> Vec<(Transport, HostPort)> {
    let mut advertised = Vec::new();
    for transport in Transport::ALL {
        for local in bound.addresses(transport) {
            let host = public_host.cloned().unwrap_or_else(|| local.ip().into());
            let entry = (transport, HostPort::new(host, Some(local.port())));
            if !advertised.contains(&entry) {
                advertised.push(entry);
            }
        }
    }
    advertised
}
