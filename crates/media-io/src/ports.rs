//! Ports for RTP and RTCP: a pair of sockets on an even port and the next one (RFC 3550 section 11).

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::ice::PortIce;

/// Expedited forwarding (RFC 3246), as it stands in the byte of the IP header.
const VOICE_TOS: u32 = 46 << 2;

/// Ports that may be used, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// Why there are no sockets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// The range does not hold an even port and the next one.
    #[error(
        "{text:?} is no range of ports, like 16384-32767, with at least one even port and the next"
    )]
    BadRange {
        /// What was given.
        text: String,
    },
    /// Too many calls, or other programs in the range.
    #[error("all RTP ports from {range} are in use")]
    AllInUse {
        /// Where was looked.
        range: PortRange,
    },
    /// The address is not ours, or the system refuses.
    #[error("no RTP socket on {address}")]
    Bind {
        /// What was tried.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl PortRange {
    /// From `first` to `last`.
    ///
    /// # Errors
    ///
    /// [`PortError::BadRange`] if no pair fits in.
    pub fn new(first: u16, last: u16) -> Result<Self, PortError> {
        let range = Self { first, last };
        if first == 0 || range.pairs() == 0 {
            return Err(PortError::BadRange {
                text: range.to_string(),
            });
        }
        Ok(range)
    }

    /// The even ports whose next one is in the range too.
    pub(crate) fn rtp_ports(self) -> Vec<u16> {
        (0..self.pairs()).map(|n| self.rtp_port(n)).collect()
    }

    /// Pairs of an even port and the next in the range.
    fn pairs(self) -> u16 {
        let first_even = self.first.saturating_add(self.first % 2);
        self.last.saturating_sub(first_even).saturating_add(1) / 2
    }

    /// The RTP port of pair `n`, counted around.
    fn rtp_port(self, n: u16) -> u16 {
        self.first + self.first % 2 + n % self.pairs() * 2
    }
}

impl Default for PortRange {
    /// 16384–32767, which stays below the ports that systems hand out on their own.
    fn default() -> Self {
        Self {
            first: 16_384,
            last: 32_767,
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl FromStr for PortRange {
    type Err = PortError;

    fn from_str(text: &str) -> Result<Self, PortError> {
        let parse = || {
            let (first, last) = text.split_once('-')?;
            Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
        };
        let (first, last) = parse().ok_or_else(|| PortError::BadRange {
            text: text.to_owned(),
        })?;
        Self::new(first, last)
    }
}

/// The sockets of one call. Dropping them closes both at once.
#[derive(Debug)]
pub struct RtpSockets {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    rtp_address: SocketAddr,
    pub(crate) ice: Option<Box<PortIce>>,
}

impl RtpSockets {
    /// Takes a free pair of ports on `address`, starting at a random place of the range: a port
    /// is not handed to the next call while packets of the last are still on their way.
    ///
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`PortError::AllInUse`] or [`PortError::Bind`].
    pub fn bind(address: IpAddr, range: PortRange) -> Result<Self, PortError> {
        let start = rand::random_range(0..range.pairs());
        for n in 0..range.pairs() {
            let rtp_port = range.rtp_port(start + n);
            let rtp_address = SocketAddr::new(address, rtp_port);
            let rtcp_address = SocketAddr::new(address, rtp_port + 1);
            match bind_one(rtp_address).and_then(|rtp| Ok((rtp, bind_one(rtcp_address)?))) {
                Ok((rtp, rtcp)) => {
                    return Ok(Self {
                        rtp,
                        rtcp,
                        rtp_address,
                        ice: None,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(source) => {
                    return Err(PortError::Bind {
                        address: rtp_address,
                        source,
                    });
                }
            }
        }
        Err(PortError::AllInUse { range })
    }

    /// Where RTP is received: what to write into a description.
    #[must_use]
    pub fn rtp_address(&self) -> SocketAddr {
        self.rtp_address
    }

    /// Where RTCP is received: the next port.
    #[must_use]
    pub fn rtcp_address(&self) -> SocketAddr {
        SocketAddr::new(self.rtp_address.ip(), self.rtp_address.port() + 1)
    }
}

fn bind_one(address: SocketAddr) -> io::Result<UdpSocket> {
    UdpSocket::from_std(bind_socket(address)?)
}

/// A socket for voice that never blocks.
pub(crate) fn bind_socket(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_nonblocking(true)?;
    if address.is_ipv4() {
        // Marking is a wish; a system that refuses it still carries voice.
        let _ = socket.set_tos_v4(VOICE_TOS);
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use testkit::own_loopback;

    use super::*;

    #[tokio::test]
    async fn the_pair_is_even_and_next_and_inside_the_range() {
        let range = PortRange::default();
        let sockets = RtpSockets::bind(own_loopback(), range).unwrap();
        let port = sockets.rtp_address().port();
        assert_eq!(port % 2, 0);
        assert!((range.first..=range.last).contains(&port));
        assert_eq!(sockets.rtcp_address().port(), port + 1);
        assert_eq!(sockets.rtp.local_addr().unwrap(), sockets.rtp_address());
        assert_eq!(sockets.rtcp.local_addr().unwrap(), sockets.rtcp_address());
    }

    #[tokio::test]
    async fn a_full_range_is_said_and_a_closed_pair_is_free_at_once() {
        let port = RtpSockets::bind(own_loopback(), PortRange::default())
            .unwrap()
            .rtp_address()
            .port();
        let one_pair = PortRange::new(port, port + 1).unwrap();
        let held = RtpSockets::bind(own_loopback(), one_pair).unwrap();
        assert!(matches!(
            RtpSockets::bind(own_loopback(), one_pair),
            Err(PortError::AllInUse { .. })
        ));
        drop(held);
        RtpSockets::bind(own_loopback(), one_pair).unwrap();
    }

    #[tokio::test]
    async fn an_address_that_is_not_ours_is_an_error_at_once() {
        let elsewhere = "192.0.2.77".parse().unwrap();
        assert!(matches!(
            RtpSockets::bind(elsewhere, PortRange::default()),
            Err(PortError::Bind { .. })
        ));
    }

    #[test]
    fn ranges_are_read_and_must_hold_a_pair() {
        assert_eq!(
            "4001 - 4010".parse::<PortRange>().unwrap(),
            PortRange {
                first: 4_001,
                last: 4_010
            }
        );
        assert_eq!(PortRange::new(4_001, 4_010).unwrap().pairs(), 4);
        assert_eq!(PortRange::new(4_000, 4_001).unwrap().pairs(), 1);
        for bad in [
            "4001-4002",
            "4002-4001",
            "0-100",
            "65535-65535",
            "5000",
            "a-b",
            "1-70000",
        ] {
            assert!(bad.parse::<PortRange>().is_err(), "{bad}");
        }
        let top = PortRange::new(65_530, 65_535).unwrap();
        let ports: Vec<_> = (0..4).map(|n| top.rtp_port(n)).collect();
        assert_eq!(ports, [65_530, 65_532, 65_534, 65_530]);
    }
}
