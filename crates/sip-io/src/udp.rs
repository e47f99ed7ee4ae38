//! UDP in the loop: datagrams come and go in batches, by one system call each.
//!
//! A datagram's flow has the socket's own address as local end: what `bind` was given, which may
//! be the unspecified address. What is sent on one socket leaves in the order in which it was
//! queued, also when the socket's buffer is full for a moment.
//!
//! Buffers belong to the thread and are as large as the largest datagrams; only pages that were
//! ever written take memory. What is passed on is a slice to copy from.
//!
//! Linux: other systems have no call for several datagrams.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, RawFd};
use std::task::{Context, Poll};

use bytes::Bytes;
use nix::errno::Errno;
use nix::sys::socket::{
    MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg, sendmmsg,
};
use sip::{Flow, TransmitId, Transport};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tracing::{error, warn};

/// Datagrams of one system call.
const BATCH: usize = 64;

/// Batches of one socket and turn: what a socket buffer of some megabytes can hold.
const TURN_BATCHES: usize = 32;

/// Room for one datagram: more than UDP can carry, and such that the beginnings of the slots do
/// not fall on the same lines of the processor's cache.
const SLOT: usize = 65_536 + 15 * 64;

/// Datagrams that may wait for a full socket buffer.
const MAX_UNSENT: usize = 4_096;

thread_local! {
    static BUFFERS: RefCell<Vec<u8>> = RefCell::new(vec![0; BATCH * SLOT]);
    static RECEIVE_V4: RefCell<MultiHeaders<SockaddrIn>> = headers();
    static RECEIVE_V6: RefCell<MultiHeaders<SockaddrIn6>> = headers();
    static SEND_V4: RefCell<MultiHeaders<SockaddrIn>> = headers();
    static SEND_V6: RefCell<MultiHeaders<SockaddrIn6>> = headers();
}

fn headers<S: SockaddrLike + Copy>() -> RefCell<MultiHeaders<S>> {
    RefCell::new(MultiHeaders::preallocate(BATCH, None))
}

/// A datagram that did not leave, and why.
#[derive(Debug)]
pub(crate) struct Unsent {
    pub(crate) id: TransmitId,
    pub(crate) peer: SocketAddr,
    pub(crate) error: io::Error,
}

#[derive(Debug)]
struct Outgoing {
    id: TransmitId,
    peer: SocketAddr,
    bytes: Bytes,
}

#[derive(Debug)]
struct Socket {
    local: SocketAddr,
    socket: UdpSocket,
    /// Whether there may be something to receive.
    readable: bool,
    outgoing: VecDeque<Outgoing>,
    /// Whether the socket's buffer is full.
    blocked: bool,
}

/// The UDP sockets of one loop.
#[derive(Debug)]
pub(crate) struct Sockets(Vec<Socket>);

impl Sockets {
    /// Takes open sockets over into the runtime of the caller.
    pub(crate) fn new(bound: Vec<(SocketAddr, std::net::UdpSocket)>) -> Self {
        let mut sockets = Vec::new();
        for (local, socket) in bound {
            match UdpSocket::from_std(socket) {
                Ok(socket) => sockets.push(Socket {
                    local,
                    socket,
                    readable: true,
                    outgoing: VecDeque::new(),
                    blocked: false,
                }),
                Err(error) => error!(%error, %local, "socket not used"),
            }
        }
        Self(sockets)
    }

    /// Ready when a socket has something, or room again for what could not be sent.
    pub(crate) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut ready = Poll::Pending;
        for socket in &mut self.0 {
            // An error shows when the socket is used.
            if socket.socket.poll_recv_ready(context).is_ready() {
                socket.readable = true;
                ready = Poll::Ready(());
            }
            if socket.blocked && socket.socket.poll_send_ready(context).is_ready() {
                socket.blocked = false;
                ready = Poll::Ready(());
            }
        }
        ready
    }

    /// Looks at every socket at the next [`receive`](Self::receive), ready or not.
    pub(crate) fn look_everywhere(&mut self) {
        for socket in &mut self.0 {
            socket.readable = true;
        }
    }

    /// Takes everything out of the sockets that have something; how many datagrams that were.
    pub(crate) fn receive(&mut self, mut each: impl FnMut(Flow, &[u8])) -> usize {
        let mut count = 0;
        for socket in self.0.iter_mut().filter(|socket| socket.readable) {
            count += socket.receive(&mut each);
        }
        count
    }

    /// Queues a datagram for the socket that `flow` came in on.
    ///
    /// # Errors
    ///
    /// If there is no such socket.
    pub(crate) fn queue_on(&mut self, flow: &Flow, id: TransmitId, bytes: Bytes) -> io::Result<()> {
        let socket = self.0.iter_mut().find(|socket| socket.local == flow.local);
        queue(socket, flow.peer, id, bytes)
    }

    /// Queues a datagram for the best socket for `peer`: same family, loopback only to loopback.
    ///
    /// # Errors
    ///
    /// If no socket fits.
    pub(crate) fn queue_to(
        &mut self,
        peer: SocketAddr,
        id: TransmitId,
        bytes: Bytes,
    ) -> io::Result<()> {
        let mut best = None;
        for (index, socket) in self.0.iter().enumerate() {
            let local = socket.local;
            if local.is_ipv4() != peer.is_ipv4() {
                continue;
            }
            if local.ip().is_unspecified() || local.ip().is_loopback() == peer.ip().is_loopback() {
                best = Some(index);
                break;
            }
            best = best.or(Some(index));
        }
        let socket = best.and_then(|index| self.0.get_mut(index));
        queue(socket, peer, id, bytes)
    }

    /// How many datagrams are queued.
    pub(crate) fn queued(&self) -> usize {
        self.0.iter().map(|socket| socket.outgoing.len()).sum()
    }

    /// Sends what is queued, as far as the sockets take it. Tells what will never leave.
    pub(crate) fn flush(&mut self, unsent: &mut Vec<Unsent>) {
        for socket in &mut self.0 {
            socket.flush(unsent);
        }
    }

    pub(crate) fn has_v4(&self) -> bool {
        self.0.iter().any(|socket| socket.local.is_ipv4())
    }

    pub(crate) fn has_v6(&self) -> bool {
        self.0.iter().any(|socket| socket.local.is_ipv6())
    }
}

fn queue(
    socket: Option<&mut Socket>,
    peer: SocketAddr,
    id: TransmitId,
    bytes: Bytes,
) -> io::Result<()> {
    let socket = socket.filter(|socket| socket.local.is_ipv4() == peer.is_ipv4());
    let socket = socket.ok_or(io::ErrorKind::AddrNotAvailable)?;
    if socket.outgoing.len() >= MAX_UNSENT {
        // A lost datagram, which SIP repairs.
        socket.outgoing.pop_front();
    }
    socket.outgoing.push_back(Outgoing { id, peer, bytes });
    Ok(())
}

impl Socket {
    fn receive(&mut self, each: &mut impl FnMut(Flow, &[u8])) -> usize {
        let local = self.local;
        let mut pass_on = |peer, datagram: &[u8]| {
            let flow = Flow {
                transport: Transport::Udp,
                local,
                peer,
                generation: 0,
            };
            each(flow, datagram);
        };
        let mut count = 0;
        for _ in 0..TURN_BATCHES {
            let received = Cell::new(None);
            let mut receive = || {
                let batch = receive_batch(local, self.socket.as_raw_fd(), &mut pass_on);
                received.set(Some(batch));
                match batch {
                    Ok(BATCH) => Ok(()),
                    // Less than there was room for: nothing is left, and the next arrival is told.
                    _ => Err(io::Error::from(io::ErrorKind::WouldBlock)),
                }
            };
            let _ = self.socket.try_io(Interest::READABLE, &mut receive);
            if received.get().is_none() {
                // The runtime does not know yet.
                let _ = receive();
            }
            match received.get().unwrap_or(Ok(0)) {
                Ok(BATCH) => count += BATCH,
                Ok(rest) => {
                    self.readable = false;
                    return count + rest;
                }
                Err(Errno::EAGAIN | Errno::EINTR) => {
                    self.readable = false;
                    return count;
                }
                Err(error) => {
                    warn!(%error, %local, "cannot receive");
                    self.readable = false;
                    return count;
                }
            }
        }
        count
    }

    fn flush(&mut self, unsent: &mut Vec<Unsent>) {
        while !self.outgoing.is_empty() && !self.blocked {
            match send_batch(self.local, self.socket.as_raw_fd(), &self.outgoing) {
                Ok(sent) => drop(self.outgoing.drain(..sent)),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => self.note_blocked(),
                Err(error) => {
                    unsent.extend(self.outgoing.pop_front().map(|first| Unsent {
                        id: first.id,
                        peer: first.peer,
                        error: error.into(),
                    }));
                }
            }
        }
    }

    /// The buffer is full: tries once more under the eyes of the runtime, which then knows too.
    fn note_blocked(&mut self) {
        let outgoing = &mut self.outgoing;
        let (local, descriptor) = (self.local, self.socket.as_raw_fd());
        let again = self.socket.try_io(Interest::WRITABLE, || {
            match send_batch(local, descriptor, outgoing) {
                Ok(sent) => Ok(sent),
                Err(Errno::EAGAIN) => Err(io::ErrorKind::WouldBlock.into()),
                Err(_) => Ok(0),
            }
        });
        match again {
            Ok(sent) => drop(self.outgoing.drain(..sent)),
            Err(_) => self.blocked = true,
        }
    }
}

/// Receives what is there, up to a batch.
fn receive_batch(
    local: SocketAddr,
    descriptor: RawFd,
    each: &mut impl FnMut(SocketAddr, &[u8]),
) -> nix::Result<usize> {
    match local {
        SocketAddr::V4(_) => RECEIVE_V4.with_borrow_mut(|headers| {
            receive_with(descriptor, headers, |address, datagram| {
                each(SocketAddrV4::from(*address).into(), datagram);
            })
        }),
        SocketAddr::V6(_) => RECEIVE_V6.with_borrow_mut(|headers| {
            receive_with(descriptor, headers, |address, datagram| {
                each(SocketAddrV6::from(*address).into(), datagram);
            })
        }),
    }
}

fn receive_with<S: SockaddrLike + Copy>(
    descriptor: RawFd,
    headers: &mut MultiHeaders<S>,
    mut each: impl FnMut(&S, &[u8]),
) -> nix::Result<usize> {
    BUFFERS.with_borrow_mut(|buffers| {
        let mut slots = buffers.chunks_exact_mut(SLOT);
        let mut slices: [[IoSliceMut<'_>; 1]; BATCH] =
            std::array::from_fn(|_| [IoSliceMut::new(slots.next().unwrap_or_default())]);
        let flags = MsgFlags::MSG_DONTWAIT;
        let received = recvmmsg(descriptor, headers, slices.iter_mut(), flags, None)?;
        let mut count = 0;
        for message in received {
            count += 1;
            if let (Some(address), Some(datagram)) = (&message.address, message.iovs().next()) {
                each(address, datagram);
            }
        }
        Ok(count)
    })
}

/// Sends the first of `outgoing`, up to a batch; how many have left.
fn send_batch(
    local: SocketAddr,
    descriptor: RawFd,
    outgoing: &VecDeque<Outgoing>,
) -> nix::Result<usize> {
    match local {
        SocketAddr::V4(_) => SEND_V4.with_borrow_mut(|headers| {
            send_with(descriptor, headers, outgoing, |peer| match peer {
                SocketAddr::V4(peer) => Some(SockaddrIn::from(peer)),
                SocketAddr::V6(_) => None,
            })
        }),
        SocketAddr::V6(_) => SEND_V6.with_borrow_mut(|headers| {
            send_with(descriptor, headers, outgoing, |peer| match peer {
                SocketAddr::V6(peer) => Some(SockaddrIn6::from(peer)),
                SocketAddr::V4(_) => None,
            })
        }),
    }
}

fn send_with<S: SockaddrLike + Copy>(
    descriptor: RawFd,
    headers: &mut MultiHeaders<S>,
    outgoing: &VecDeque<Outgoing>,
    address: impl Fn(SocketAddr) -> Option<S>,
) -> nix::Result<usize> {
    let first = || outgoing.iter().take(BATCH);
    let slices: Vec<_> = first()
        .map(|datagram| [IoSlice::new(&datagram.bytes)])
        .collect();
    let addresses: Vec<_> = first().map(|datagram| address(datagram.peer)).collect();
    let flags = MsgFlags::MSG_DONTWAIT;
    let sent = sendmmsg(descriptor, headers, &slices, &addresses, [], flags)?;
    Ok(sent.count())
}
