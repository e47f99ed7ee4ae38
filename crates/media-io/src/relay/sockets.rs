//! The relay's sockets: a shared pair on each of its addresses, and pairs of their own for legs that need one.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};

use media::relay::{Component, Pair, Place};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::{setsockopt, sockopt};
use tracing::warn;

use super::RelayIoError;
use crate::PortError;
use crate::ports::{PortRange, bind_socket};

/// What the shared sockets should hold while the relay does something else: a tenth of a second of 2,000 calls.
const BUFFER_BYTES: usize = 16 << 20;

/// What woke us that is no socket of ours.
pub(super) const WAKE: u64 = u64::MAX;

/// The sockets for RTP and RTCP.
struct PairSockets {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    rtp_address: SocketAddr,
}

/// See the module header.
pub(super) struct Sockets {
    pub(super) epoll: Epoll,
    addresses: Vec<IpAddr>,
    shared: Vec<PairSockets>,
    own: HashMap<(u8, u16), PairSockets>,
}

impl Sockets {
    /// Binds the shared pairs: at `port` and the next, or for 0 anywhere in the range.
    pub(super) fn bind(
        addresses: &[IpAddr],
        port: u16,
        range: PortRange,
    ) -> Result<Self, RelayIoError> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(system)?;
        let mut sockets = Self {
            epoll,
            addresses: addresses.to_vec(),
            shared: Vec::new(),
            own: HashMap::new(),
        };
        for (interface, address) in (0..).zip(addresses) {
            let pair = match port {
                0 => bind_anywhere(*address, range)?,
                port => bind_pair(*address, port).map_err(|source| RelayIoError::Bind {
                    address: SocketAddr::new(*address, port),
                    source,
                })?,
            };
            for socket in [&pair.rtp, &pair.rtcp] {
                enlarge(socket);
            }
            let place = Place {
                interface,
                pair: Pair::Shared,
            };
            sockets.watch(place, &pair).map_err(system)?;
            sockets.shared.push(pair);
        }
        Ok(sockets)
    }

    /// Opens a pair of its own.
    pub(super) fn open(&mut self, interface: u8, port: u16) -> io::Result<()> {
        let address = self.addresses[usize::from(interface)];
        let pair = bind_pair(address, port)?;
        let place = Place {
            interface,
            pair: Pair::Own(port),
        };
        self.watch(place, &pair)?;
        self.own.insert((interface, port), pair);
        Ok(())
    }

    /// Closes a pair of its own; the system forgets to watch it.
    pub(super) fn close(&mut self, interface: u8, port: u16) {
        self.own.remove(&(interface, port));
    }

    fn watch(&self, place: Place, pair: &PairSockets) -> io::Result<()> {
        let rtp = EpollEvent::new(EpollFlags::EPOLLIN, token(place, Component::Rtp));
        let rtcp = EpollEvent::new(EpollFlags::EPOLLIN, token(place, Component::Rtcp));
        self.epoll.add(&pair.rtp, rtp)?;
        self.epoll.add(&pair.rtcp, rtcp)?;
        Ok(())
    }

    pub(super) fn has_interface(&self, interface: u8) -> bool {
        usize::from(interface) < self.addresses.len()
    }

    /// Whether that is a port which we receive at.
    pub(super) fn is_ours(&self, address: SocketAddr) -> bool {
        let at = |pair: &PairSockets| {
            let rtp = pair.rtp_address;
            address.ip() == rtp.ip() && (rtp.port()..=rtp.port() + 1).contains(&address.port())
        };
        self.shared.iter().any(at) || self.own.values().any(at)
    }

    /// Where RTP for a place is received; `None` once it is closed.
    pub(super) fn rtp_address(&self, place: Place) -> Option<SocketAddr> {
        self.pair(place).map(|pair| pair.rtp_address)
    }

    /// The socket of a place: what it is bound to, and its descriptor; `None` once it is closed.
    pub(super) fn descriptor(
        &self,
        place: Place,
        component: Component,
    ) -> Option<(SocketAddr, RawFd)> {
        let pair = self.pair(place)?;
        let socket = match component {
            Component::Rtp => &pair.rtp,
            Component::Rtcp => &pair.rtcp,
        };
        Some((pair.rtp_address, socket.as_raw_fd()))
    }

    pub(super) fn send_to(
        &self,
        place: Place,
        component: Component,
        bytes: &[u8],
        to: SocketAddr,
    ) -> io::Result<()> {
        let pair = self.pair(place).ok_or(io::ErrorKind::NotConnected)?;
        let socket = match component {
            Component::Rtp => &pair.rtp,
            Component::Rtcp => &pair.rtcp,
        };
        socket.send_to(bytes, to).map(drop)
    }

    fn pair(&self, place: Place) -> Option<&PairSockets> {
        match place.pair {
            Pair::Shared => self.shared.get(usize::from(place.interface)),
            Pair::Own(port) => self.own.get(&(place.interface, port)),
        }
    }
}

/// What epoll tells of a socket.
fn token(place: Place, component: Component) -> u64 {
    let port = match place.pair {
        Pair::Shared => 0,
        Pair::Own(port) => port,
    };
    let is_rtcp = component == Component::Rtcp;
    u64::from(place.interface) << 32 | u64::from(port) << 1 | u64::from(is_rtcp)
}

/// The socket that epoll told of.
pub(super) fn place_of(token: u64) -> Option<(Place, Component)> {
    let port = u16::try_from((token >> 1) & 0xffff).ok()?;
    let place = Place {
        interface: u8::try_from(token >> 32).ok()?,
        pair: match port {
            0 => Pair::Shared,
            port => Pair::Own(port),
        },
    };
    let component = match token & 1 {
        0 => Component::Rtp,
        _ => Component::Rtcp,
    };
    Some((place, component))
}

fn bind_pair(address: IpAddr, port: u16) -> io::Result<PairSockets> {
    let next = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(PairSockets {
        rtp: bind_socket(SocketAddr::new(address, port))?,
        rtcp: bind_socket(SocketAddr::new(address, next))?,
        rtp_address: SocketAddr::new(address, port),
    })
}

fn bind_anywhere(address: IpAddr, range: PortRange) -> Result<PairSockets, RelayIoError> {
    let mut ports = range.rtp_ports();
    while !ports.is_empty() {
        let port = ports.swap_remove(rand::random_range(0..ports.len()));
        match bind_pair(address, port) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(source) => {
                let address = SocketAddr::new(address, port);
                return Err(RelayIoError::Bind { address, source });
            }
            Ok(pair) => return Ok(pair),
        }
    }
    Err(PortError::AllInUse { range }.into())
}

/// Asks for large buffers: with privilege for what is wanted, else for what the system allows.
fn enlarge(socket: &UdpSocket) {
    let forced = setsockopt(socket, sockopt::RcvBufForce, &BUFFER_BYTES)
        .and_then(|()| setsockopt(socket, sockopt::SndBufForce, &BUFFER_BYTES));
    if forced.is_err() {
        let allowed = setsockopt(socket, sockopt::RcvBuf, &BUFFER_BYTES)
            .and_then(|()| setsockopt(socket, sockopt::SndBuf, &BUFFER_BYTES));
        if let Err(error) = allowed {
            warn!(%error, "the relay's socket keeps its small buffers");
        }
    }
}

fn system(error: impl Into<io::Error>) -> RelayIoError {
    RelayIoError::Start(error.into())
}
