//! UDP: one reader task per socket; writing is done by the loop itself.
//!
//! A datagram's flow has the socket's own address as local end: what `bind` was given, which may
//! be the unspecified address.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sip::{Flow, Transport};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tracing::warn;

use crate::driver::Inbound;

/// Largest datagram that UDP can carry.
const MAX_DATAGRAM: usize = 65_535;

/// Pause after an error, so that a broken socket does not use up a processor.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// Passes on what arrives until the loop is gone. While the loop is busy the kernel drops.
pub(crate) async fn read(
    local: SocketAddr,
    socket: Arc<UdpSocket>,
    inbound: mpsc::Sender<Inbound>,
) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, peer)) => {
                let datagram = &buffer[..length];
                if is_keep_alive(datagram) {
                    continue;
                }
                let flow = Flow {
                    transport: Transport::Udp,
                    local,
                    peer,
                    generation: 0,
                };
                let bytes = Bytes::copy_from_slice(datagram);
                if inbound
                    .send(Inbound::Received {
                        flow,
                        bytes,
                        turn: None,
                    })
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(error) => {
                warn!(%error, %local, "cannot receive");
                tokio::time::sleep(ERROR_PAUSE).await;
            }
        }
    }
}

/// Many devices keep their NAT binding open with blank lines or zero bytes. Never answered: over
/// UDP nobody proves that the address is his.
fn is_keep_alive(datagram: &[u8]) -> bool {
    datagram
        .iter()
        .all(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

/// The UDP sockets of one loop.
#[derive(Debug)]
pub(crate) struct Sockets(pub(crate) Vec<(SocketAddr, Arc<UdpSocket>)>);

impl Sockets {
    /// Sends on the socket that `flow` came in on.
    ///
    /// # Errors
    ///
    /// What the operating system says, except that its buffer is full: that is a lost datagram,
    /// which SIP repairs.
    pub(crate) fn send_on(&self, flow: &Flow, bytes: &[u8]) -> io::Result<()> {
        let socket = self.0.iter().find(|(local, _)| *local == flow.local);
        send(socket, flow.peer, bytes)
    }

    /// Sends on the best socket for `peer`: same family, loopback only to loopback.
    ///
    /// # Errors
    ///
    /// As [`send_on`](Self::send_on); also if no socket fits.
    pub(crate) fn send_to(&self, peer: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        let of_family = || {
            self.0
                .iter()
                .filter(|(local, _)| local.is_ipv4() == peer.is_ipv4())
        };
        let socket = of_family()
            .find(|(local, _)| {
                local.ip().is_unspecified() || local.ip().is_loopback() == peer.ip().is_loopback()
            })
            .or_else(|| of_family().next());
        send(socket, peer, bytes)
    }

    pub(crate) fn has_v4(&self) -> bool {
        self.0.iter().any(|(local, _)| local.is_ipv4())
    }

    pub(crate) fn has_v6(&self) -> bool {
        self.0.iter().any(|(local, _)| local.is_ipv6())
    }
}

fn send(
    socket: Option<&(SocketAddr, Arc<UdpSocket>)>,
    peer: SocketAddr,
    bytes: &[u8],
) -> io::Result<()> {
    let (_, socket) = socket.ok_or(io::ErrorKind::AddrNotAvailable)?;
    match socket.try_send_to(bytes, peer) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
    }
}
