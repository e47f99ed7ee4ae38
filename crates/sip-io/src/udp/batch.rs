//! Datagrams in batches, by one system call each; to one peer also as segments of one (`segments.rs`).
//!
//! Buffers belong to the thread and are as large as the largest datagrams; only pages that were
//! ever written take memory. What is passed on is a slice to copy from.
//!
//! A socket that is bound to the unspecified address is told of each datagram which of the machine's
//! addresses it came to, and is told for each that it sends which it has to leave from (`IP_PKTINFO`,
//! and `IPV6_PKTINFO` of RFC 3542, section 6).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, RawFd};
use std::thread::LocalKey;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo};
use nix::sys::socket::sockopt::{Ipv4PacketInfo, Ipv6RecvPacketInfo};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrIn, SockaddrIn6,
    SockaddrLike, recvmmsg, sendmmsg, sendmsg, setsockopt,
};

use super::Outgoing;
use super::segments::{before_piece, first_piece};

/// Datagrams of one system call.
pub(super) const BATCH: usize = 64;

/// Room for one datagram: more than UDP can carry, and such that the beginnings of the slots do
/// not fall on the same lines of the processor's cache.
const SLOT: usize = 65_536 + 15 * 64;

type Headers<S> = RefCell<MultiHeaders<S>>;

thread_local! {
    static BUFFERS: RefCell<Vec<u8>> = RefCell::new(vec![0; BATCH * SLOT]);
    static V4_IN: Headers<SockaddrIn> = headers(None);
    static V4_IN_ANYWHERE: Headers<SockaddrIn> = headers(Some(cmsg_space!(in_pktinfo)));
    static V4_OUT: Headers<SockaddrIn> = headers(None);
    static V4_OUT_FROM: Headers<SockaddrIn> = headers(Some(cmsg_space!(in_pktinfo)));
    static V6_IN: Headers<SockaddrIn6> = headers(None);
    static V6_IN_ANYWHERE: Headers<SockaddrIn6> = headers(Some(cmsg_space!(in6_pktinfo)));
    static V6_OUT: Headers<SockaddrIn6> = headers(None);
    static V6_OUT_FROM: Headers<SockaddrIn6> = headers(Some(cmsg_space!(in6_pktinfo)));
}

fn headers<S: SockaddrLike + Copy>(control: Option<Vec<u8>>) -> Headers<S> {
    RefCell::new(MultiHeaders::preallocate(BATCH, control))
}

/// Asks that a socket which is to be bound to `address` be told where its datagrams came to, if `address` does not say it.
pub(crate) fn tell_destinations(socket: &impl AsFd, address: SocketAddr) -> nix::Result<()> {
    match address {
        _ if !address.ip().is_unspecified() => Ok(()),
        SocketAddr::V4(_) => setsockopt(socket, Ipv4PacketInfo, &true),
        SocketAddr::V6(_) => setsockopt(socket, Ipv6RecvPacketInfo, &true),
    }
}

/// Receives what is there, up to `room` datagrams, on a socket that is bound to `bound`. Passes on where each came to, where from,
/// and what it is; how many there were.
pub(super) fn receive(
    bound: SocketAddr,
    descriptor: RawFd,
    room: usize,
    each: &mut impl FnMut(SocketAddr, SocketAddr, &[u8]),
) -> nix::Result<usize> {
    let is_anywhere = bound.ip().is_unspecified();
    match bound {
        SocketAddr::V4(_) => {
            let headers = if is_anywhere { &V4_IN_ANYWHERE } else { &V4_IN };
            receive_with(headers, descriptor, room, bound, |local, peer, datagram| {
                each(local, SocketAddrV4::from(*peer).into(), datagram);
            })
        }
        SocketAddr::V6(_) => {
            let headers = if is_anywhere { &V6_IN_ANYWHERE } else { &V6_IN };
            receive_with(headers, descriptor, room, bound, |local, peer, datagram| {
                each(local, SocketAddrV6::from(*peer).into(), datagram);
            })
        }
    }
}

fn receive_with<S: SockaddrLike + Copy>(
    headers: &'static LocalKey<Headers<S>>,
    descriptor: RawFd,
    room: usize,
    bound: SocketAddr,
    mut each: impl FnMut(SocketAddr, &S, &[u8]),
) -> nix::Result<usize> {
    headers.with_borrow_mut(|headers| {
        BUFFERS.with_borrow_mut(|buffers| {
            let slots = buffers.chunks_exact_mut(SLOT).take(room);
            let mut slices: Vec<_> = slots.map(|slot| [IoSliceMut::new(slot)]).collect();
            let flags = MsgFlags::MSG_DONTWAIT;
            let received = recvmmsg(descriptor, headers, slices.iter_mut(), flags, None)?;
            let mut count = 0;
            for message in received {
                count += 1;
                if let (Some(peer), Some(datagram)) = (&message.address, message.iovs().next()) {
                    let local =
                        destination(&message).map_or(bound, |ip| SocketAddr::new(ip, bound.port()));
                    each(local, peer, datagram);
                }
            }
            Ok(count)
        })
    })
}

/// Which of the machine's addresses a datagram came to, where that was asked for.
fn destination<S>(message: &RecvMsg<'_, '_, S>) -> Option<IpAddr> {
    match message.cmsgs().ok()?.next()? {
        // Of one to all of a network, the address that answers it.
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            Some(IpAddr::from(info.ipi_spec_dst.s_addr.to_ne_bytes()))
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => Some(IpAddr::from(info.ipi6_addr.s6_addr)),
        _ => None,
    }
}

/// Sends the first of `outgoing`, up to a batch of those that leave from the same address; how many have left.
/// With `in_pieces`, datagrams that can be segments of one send are.
pub(super) fn send(
    bound: SocketAddr,
    descriptor: RawFd,
    outgoing: &VecDeque<Outgoing>,
    in_pieces: bool,
) -> nix::Result<usize> {
    let from = outgoing.front().and_then(|first| first.from);
    match (bound, from) {
        (SocketAddr::V4(_), Some(IpAddr::V4(from))) => {
            let info = in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: in_addr {
                    s_addr: u32::from_ne_bytes(from.octets()),
                },
                ipi_addr: in_addr { s_addr: 0 },
            };
            let control = [ControlMessage::Ipv4PacketInfo(&info)];
            let sender = Sender::new(descriptor, &control, v4);
            sender.send(&V4_OUT_FROM, outgoing, in_pieces)
        }
        (SocketAddr::V6(_), Some(IpAddr::V6(from))) => {
            let info = in6_pktinfo {
                ipi6_addr: in6_addr {
                    s6_addr: from.octets(),
                },
                ipi6_ifindex: 0,
            };
            let control = [ControlMessage::Ipv6PacketInfo(&info)];
            let sender = Sender::new(descriptor, &control, v6);
            sender.send(&V6_OUT_FROM, outgoing, in_pieces)
        }
        (SocketAddr::V4(_), _) => {
            Sender::new(descriptor, &[], v4).send(&V4_OUT, outgoing, in_pieces)
        }
        (SocketAddr::V6(_), _) => {
            Sender::new(descriptor, &[], v6).send(&V6_OUT, outgoing, in_pieces)
        }
    }
}

fn v4(peer: SocketAddr) -> Option<SockaddrIn> {
    match peer {
        SocketAddr::V4(peer) => Some(peer.into()),
        SocketAddr::V6(_) => None,
    }
}

fn v6(peer: SocketAddr) -> Option<SockaddrIn6> {
    match peer {
        SocketAddr::V6(peer) => Some(peer.into()),
        SocketAddr::V4(_) => None,
    }
}

/// How datagrams leave that have the address they leave from in common.
struct Sender<'a, S> {
    descriptor: RawFd,
    control: &'a [ControlMessage<'a>],
    address: fn(SocketAddr) -> Option<S>,
}

impl<'a, S: SockaddrLike + Copy> Sender<'a, S> {
    fn new(
        descriptor: RawFd,
        control: &'a [ControlMessage<'a>],
        address: fn(SocketAddr) -> Option<S>,
    ) -> Self {
        Self {
            descriptor,
            control,
            address,
        }
    }

    fn send(
        &self,
        headers: &'static LocalKey<Headers<S>>,
        outgoing: &VecDeque<Outgoing>,
        in_pieces: bool,
    ) -> nix::Result<usize> {
        if !in_pieces {
            return self.send_each(headers, outgoing, BATCH);
        }
        match before_piece(outgoing) {
            0 => self.send_piece(outgoing, first_piece(outgoing)),
            alone => self.send_each(headers, outgoing, alone.min(BATCH)),
        }
    }

    /// Sends the first of `outgoing`, at most so many of them.
    fn send_each(
        &self,
        headers: &'static LocalKey<Headers<S>>,
        outgoing: &VecDeque<Outgoing>,
        most: usize,
    ) -> nix::Result<usize> {
        let from = outgoing.front().and_then(|first| first.from);
        let batch = || {
            let same = outgoing.iter().take_while(|next| next.from == from);
            same.take(most)
        };
        let slices: Vec<_> = batch()
            .map(|datagram| [IoSlice::new(&datagram.bytes)])
            .collect();
        let addresses: Vec<_> = batch()
            .map(|datagram| (self.address)(datagram.peer))
            .collect();
        headers.with_borrow_mut(|headers| {
            let flags = MsgFlags::MSG_DONTWAIT;
            let control = self.control;
            let sent = sendmmsg(
                self.descriptor,
                headers,
                &slices,
                &addresses,
                control,
                flags,
            )?;
            Ok(sent.count())
        })
    }

    /// Sends the first `count` of `outgoing` as segments of one send, all or none.
    fn send_piece(&self, outgoing: &VecDeque<Outgoing>, count: usize) -> nix::Result<usize> {
        let Some(first) = outgoing.front() else {
            return Ok(0);
        };
        let slices: Vec<_> = outgoing
            .iter()
            .take(count)
            .map(|segment| IoSlice::new(&segment.bytes))
            .collect();
        let size = u16::try_from(first.bytes.len()).map_err(|_| Errno::EMSGSIZE)?;
        let control = [self.control, &[ControlMessage::UdpGsoSegments(&size)]].concat();
        let peer = (self.address)(first.peer);
        let flags = MsgFlags::MSG_DONTWAIT;
        sendmsg(self.descriptor, &slices, &control, flags, peer.as_ref())?;
        Ok(count)
    }
}
