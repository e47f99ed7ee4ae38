//! Why the relay cannot be started, or does not do what it was told.

use std::io;
use std::net::SocketAddr;

use media::relay::{PairError, RelayError};

use crate::PortError;

/// See the module header.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayIoError {
    /// An address is not ours, or the port is another program's.
    #[error("the relay cannot use {address}")]
    Bind {
        /// What was tried.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The range has no free pair for the shared port.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// The system gives no thread or no means of waiting.
    #[error("the relay cannot be started")]
    Start(#[source] io::Error),
    /// The relay has no such address.
    #[error("the relay has no address number {interface}")]
    NoSuchInterface {
        /// What was asked for.
        interface: u8,
    },
    /// IPv4 from an IPv6 address, or the reverse.
    #[error("{peer} cannot be reached from {local}: one is IPv4, the other IPv6")]
    OtherFamily {
        /// Ours.
        local: SocketAddr,
        /// What was announced.
        peer: SocketAddr,
    },
    /// A description names the relay itself.
    #[error("{peer} is a port of the relay itself")]
    Ourselves {
        /// What was announced.
        peer: SocketAddr,
    },
    /// The system does not give a pair of the range, whatever was tried.
    #[error("no pair of relay ports could be opened, the last tried was {port}")]
    NoPair {
        /// For RTP.
        port: u16,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No pair of ports.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// The table refuses.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The relay's thread has ended.
    #[error("the relay has stopped")]
    Stopped,
}
