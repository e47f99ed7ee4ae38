//! UDP in the loop: datagrams come and go in batches (`udp/batch.rs`).
//!
//! A datagram's flow has as local end the address that the datagram came to, also where the socket
//! is bound to all of the machine's; what is sent on the flow leaves from there (RFC 3581, section 4).
//! What is sent to one peer on one socket leaves in the order in which it was queued, also when the
//! socket's buffer is full for a moment.
//!
//! Linux: other systems have no call for several datagrams.

mod batch;
mod segments;

pub(crate) use batch::tell_destinations;

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::task::{Context, Poll};

use bytes::Bytes;
use nix::errno::Errno;
use sip::{Flow, TransmitId, Transport};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tracing::{error, warn};

use batch::BATCH;

/// Room for datagrams when few are expected.
const MIN_ROOM: usize = 8;

/// Batches of one socket and turn: what a socket buffer of some megabytes can hold.
const TURN_BATCHES: usize = 32;

/// Datagrams that may wait for a full socket buffer.
const MAX_UNSENT: usize = 4_096;

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
    /// Which of the machine's addresses it has to leave from, where the socket does not say it.
    from: Option<IpAddr>,
    peer: SocketAddr,
    bytes: Bytes,
}

#[derive(Debug)]
struct Socket {
    local: SocketAddr,
    socket: UdpSocket,
    /// Whether there may be something to receive.
    readable: bool,
    /// How many datagrams the next system call has room for: to make room ready costs, and mostly few come.
    room: usize,
    outgoing: VecDeque<Outgoing>,
    /// Whether the socket's buffer is full.
    blocked: bool,
    /// Whether datagrams to one peer may leave as segments of one send.
    in_pieces: bool,
}

/// The UDP sockets of one loop.
#[derive(Debug)]
pub(crate) struct Sockets(Vec<Socket>);

impl Sockets {
    /// Takes open sockets over into the runtime of the caller.
    pub(crate) fn new(bound: Vec<(SocketAddr, std::net::UdpSocket)>, in_pieces: bool) -> Self {
        let mut sockets = Vec::new();
        for (local, socket) in bound {
            match UdpSocket::from_std(socket) {
                Ok(socket) => sockets.push(Socket {
                    local,
                    socket,
                    readable: true,
                    room: MIN_ROOM,
                    outgoing: VecDeque::new(),
                    blocked: false,
                    in_pieces,
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
        let local = flow.local;
        let socket = self.0.iter_mut().find(|socket| socket.serves(local));
        let from = socket
            .as_ref()
            .is_some_and(|socket| socket.local != local)
            .then_some(local.ip());
        let peer = flow.peer;
        queue(
            socket,
            Outgoing {
                id,
                from,
                peer,
                bytes,
            },
        )
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
        let outgoing = Outgoing {
            id,
            from: None,
            peer,
            bytes,
        };
        queue(socket, outgoing)
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

fn queue(socket: Option<&mut Socket>, outgoing: Outgoing) -> io::Result<()> {
    let is_v4 = outgoing.peer.is_ipv4();
    let socket = socket.filter(|socket| socket.local.is_ipv4() == is_v4);
    let socket = socket.ok_or(io::ErrorKind::AddrNotAvailable)?;
    if socket.outgoing.len() >= MAX_UNSENT {
        // A lost datagram, which SIP repairs.
        socket.outgoing.pop_front();
    }
    socket.outgoing.push_back(outgoing);
    Ok(())
}

impl Socket {
    /// Whether what came to `local` came here.
    fn serves(&self, local: SocketAddr) -> bool {
        let is_anywhere = || {
            self.local.ip().is_unspecified()
                && self.local.is_ipv4() == local.is_ipv4()
                && self.local.port() == local.port()
        };
        self.local == local || is_anywhere()
    }

    fn receive(&mut self, each: &mut impl FnMut(Flow, &[u8])) -> usize {
        let bound = self.local;
        let mut pass_on = |local, peer, datagram: &[u8]| {
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
            let room = self.room;
            let mut receive = || {
                let batch = batch::receive(bound, self.socket.as_raw_fd(), room, &mut pass_on);
                received.set(Some(batch));
                match batch {
                    Ok(count) if count == room => Ok(()),
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
                Ok(full) if full == room => {
                    count += full;
                    self.room = BATCH;
                }
                Ok(rest) => {
                    self.readable = false;
                    self.room = (2 * (count + rest)).clamp(MIN_ROOM, BATCH);
                    return count + rest;
                }
                Err(Errno::EAGAIN | Errno::EINTR) => {
                    self.readable = false;
                    return count;
                }
                Err(error) => {
                    warn!(%error, local = %bound, "cannot receive");
                    self.readable = false;
                    return count;
                }
            }
        }
        count
    }

    fn flush(&mut self, unsent: &mut Vec<Unsent>) {
        if self.blocked {
            return;
        }
        let descriptor = self.socket.as_raw_fd();
        let mut in_pieces = self.in_pieces;
        if in_pieces {
            self.bring_together();
        }
        while !self.outgoing.is_empty() && !self.blocked {
            match batch::send(self.local, descriptor, &self.outgoing, in_pieces) {
                Ok(sent) => drop(self.outgoing.drain(..sent)),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => self.note_blocked(),
                // A way out that takes no pieces, or a datagram that would not leave alone either, which then shows.
                Err(_) if in_pieces => in_pieces = false,
                // An address that the machine has no more: better from another one than not at all.
                Err(Errno::EINVAL | Errno::ENETUNREACH) if self.give_up_address() => {}
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

    /// Puts datagrams to one peer next to each other that would leave in one batch.
    fn bring_together(&mut self) {
        for batch in self.outgoing.make_contiguous().chunks_mut(BATCH) {
            batch.sort_by_key(|datagram| datagram.peer);
        }
    }

    /// Lets the first datagram leave from anywhere; `false` if it may already.
    fn give_up_address(&mut self) -> bool {
        let first = self.outgoing.front_mut();
        first.is_some_and(|first| first.from.take().is_some())
    }

    /// The buffer is full: tries once more under the eyes of the runtime, which then knows too.
    fn note_blocked(&mut self) {
        let outgoing = &mut self.outgoing;
        let (local, descriptor) = (self.local, self.socket.as_raw_fd());
        let again = self.socket.try_io(Interest::WRITABLE, || {
            match batch::send(local, descriptor, outgoing, false) {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nix::libc;

    use super::*;

    /// A socket without checksums takes no pieces, as a system or a network interface that cannot part them.
    #[expect(unsafe_code, reason = "no crate of ours sets this option")]
    fn refuse_pieces(socket: &impl AsRawFd) {
        let yes: libc::c_int = 1;
        let length = libc::socklen_t::try_from(size_of_val(&yes)).unwrap();
        let (level, option) = (libc::SOL_SOCKET, libc::SO_NO_CHECK);
        let value = (&raw const yes).cast();
        // SAFETY: `yes` lives until the call is over and is `length` bytes long.
        let done = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value, length) };
        assert_eq!(done, 0);
    }

    #[tokio::test]
    async fn where_no_pieces_are_taken_each_datagram_leaves_by_itself() {
        let near = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        refuse_pieces(&near);
        near.set_nonblocking(true).unwrap();
        let far = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        far.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let peer = far.local_addr().unwrap();
        let mut sockets = Sockets::new(vec![(near.local_addr().unwrap(), near)], true);
        let texts = [b"first", b"other", b"third"];
        for (number, text) in (1..).zip(texts) {
            let bytes = Bytes::from_static(text);
            sockets.queue_to(peer, TransmitId(number), bytes).unwrap();
        }
        let mut unsent = Vec::new();
        sockets.flush(&mut unsent);
        assert!(unsent.is_empty());
        for text in texts {
            let mut buffer = [0; 64];
            let length = far.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], text);
        }
    }
}
