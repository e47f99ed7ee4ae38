//! Datagrams in batches, by one system call each: received into slots with room behind, sent from where they lie.

use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::RawFd;

use media::relay::PROTECTION_ROOM;
use media::rtp::MAX_DATAGRAM_BYTES;
use nix::errno::Errno;
use nix::sys::socket::{
    MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg, sendmmsg,
};
use std::io::{IoSlice, IoSliceMut};

/// Datagrams of one system call.
pub(super) const BATCH: usize = 64;

/// Bytes that are received of a datagram: one that has more than may be is seen to.
const RECEIVED: usize = MAX_DATAGRAM_BYTES + 1;

/// Room for one datagram: an odd number of cache lines, so that the beginnings of the slots do not
/// fall on the same ones.
const SLOT: usize = 27 * 64;
const _: () = assert!(SLOT >= RECEIVED + PROTECTION_ROOM);

/// A datagram that came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    pub(super) source: SocketAddr,
    pub(super) len: usize,
}

/// A datagram that leaves: the first bytes of a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    pub(super) slot: usize,
    pub(super) len: usize,
    pub(super) to: SocketAddr,
}

/// Slots and the system's lists of them.
pub(super) struct Batch {
    slots: Vec<u8>,
    /// Lists for receiving and for sending: `nix` leaves addresses in them that only one of both may use.
    v4: [MultiHeaders<SockaddrIn>; 2],
    v6: [MultiHeaders<SockaddrIn6>; 2],
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![0; BATCH * SLOT],
            v4: std::array::from_fn(|_| MultiHeaders::preallocate(BATCH, None)),
            v6: std::array::from_fn(|_| MultiHeaders::preallocate(BATCH, None)),
        }
    }

    /// The room that a datagram lies in.
    pub(super) fn slot(&mut self, slot: usize) -> &mut [u8] {
        &mut self.slots[slot * SLOT..][..SLOT]
    }

    /// Receives what is there, up to a batch: the n-th of `received` lies in slot n.
    pub(super) fn receive(
        &mut self,
        bound: SocketAddr,
        descriptor: RawFd,
        received: &mut Vec<Received>,
    ) -> nix::Result<()> {
        received.clear();
        match bound {
            SocketAddr::V4(_) => receive(&mut self.v4[0], descriptor, &mut self.slots, received),
            SocketAddr::V6(_) => receive(&mut self.v6[0], descriptor, &mut self.slots, received),
        }
    }

    /// Sends slots from one socket. One that the system refuses is left out; how many have left.
    pub(super) fn send(
        &mut self,
        bound: SocketAddr,
        descriptor: RawFd,
        leaving: &[Leaving],
    ) -> usize {
        let mut rest = leaving;
        let mut sent = 0;
        while !rest.is_empty() {
            let result = match bound {
                SocketAddr::V4(_) => send(&mut self.v4[1], descriptor, &self.slots, rest),
                SocketAddr::V6(_) => send(&mut self.v6[1], descriptor, &self.slots, rest),
            };
            let (gone, left_out) = match result {
                Ok(count) if count > 0 => (count, 0),
                Err(Errno::EINTR) => (0, 0),
                // Voice that cannot leave now is not worth sending later.
                Err(Errno::EAGAIN | Errno::ENOBUFS) => break,
                Ok(_) | Err(_) => (0, 1),
            };
            sent += gone;
            rest = &rest[gone + left_out..];
        }
        sent
    }
}

/// The two kinds of addresses, as the system wants them.
trait Address: SockaddrLike + Copy {
    fn socket_addr(&self) -> SocketAddr;
    fn of(address: SocketAddr) -> Option<Self>;
}

impl Address for SockaddrIn {
    fn socket_addr(&self) -> SocketAddr {
        SocketAddrV4::from(*self).into()
    }

    fn of(address: SocketAddr) -> Option<Self> {
        match address {
            SocketAddr::V4(address) => Some(address.into()),
            SocketAddr::V6(_) => None,
        }
    }
}

impl Address for SockaddrIn6 {
    fn socket_addr(&self) -> SocketAddr {
        SocketAddrV6::from(*self).into()
    }

    fn of(address: SocketAddr) -> Option<Self> {
        match address {
            SocketAddr::V6(address) => Some(address.into()),
            SocketAddr::V4(_) => None,
        }
    }
}

fn receive<S: Address>(
    headers: &mut MultiHeaders<S>,
    descriptor: RawFd,
    slots: &mut [u8],
    received: &mut Vec<Received>,
) -> nix::Result<()> {
    let mut slots = slots.chunks_exact_mut(SLOT);
    let mut slices: [[IoSliceMut<'_>; 1]; BATCH] = std::array::from_fn(|_| {
        let slot = slots.next().unwrap_or_default();
        [IoSliceMut::new(&mut slot[..RECEIVED])]
    });
    let flags = MsgFlags::MSG_DONTWAIT;
    let messages = recvmmsg(descriptor, headers, slices.iter_mut(), flags, None)?;
    received.extend(messages.map(|message| {
        Received {
            source: message
                .address
                .map_or(SocketAddr::from(([0, 0, 0, 0], 0)), |address| {
                    address.socket_addr()
                }),
            len: message.bytes,
        }
    }));
    Ok(())
}

fn send<S: Address>(
    headers: &mut MultiHeaders<S>,
    descriptor: RawFd,
    slots: &[u8],
    leaving: &[Leaving],
) -> nix::Result<usize> {
    let slices: Vec<_> = leaving
        .iter()
        .map(|one| [IoSlice::new(&slots[one.slot * SLOT..][..one.len])])
        .collect();
    let addresses: Vec<_> = leaving.iter().map(|one| S::of(one.to)).collect();
    let flags = MsgFlags::MSG_DONTWAIT;
    let sent = sendmmsg(descriptor, headers, &slices, &addresses, [], flags)?;
    Ok(sent.count())
}
