//! The requests of a TURN client.

use std::net::{IpAddr, SocketAddr};

use stun_rs::attributes::turn::{ChannelNumber, LifeTime, RequestedTrasport, XorPeerAddress};
use stun_rs::methods::{ALLOCATE, CHANNEL_BIND, CREATE_PERMMISSION, REFRESH};
use stun_rs::{MessageMethod, StunAttribute};

/// What is asked of the server, and what it may shorten or prolong: the usual ten minutes.
pub(super) const LIFETIME_SECS: u32 = 600;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Allocate,
    Refresh,
    /// Refresh with lifetime 0.
    Close,
    Permit(IpAddr),
    Bind {
        peer: SocketAddr,
        number: u16,
    },
}

impl Purpose {
    pub(super) fn method(self) -> MessageMethod {
        match self {
            Self::Allocate => ALLOCATE,
            Self::Refresh | Self::Close => REFRESH,
            Self::Permit(_) => CREATE_PERMMISSION,
            Self::Bind { .. } => CHANNEL_BIND,
        }
    }

    pub(super) fn attributes(self) -> Vec<StunAttribute> {
        match self {
            // UDP is the default of the type.
            Self::Allocate => vec![
                RequestedTrasport::default().into(),
                LifeTime::new(LIFETIME_SECS).into(),
            ],
            Self::Refresh => vec![LifeTime::new(LIFETIME_SECS).into()],
            Self::Close => vec![LifeTime::new(0).into()],
            Self::Permit(host) => vec![XorPeerAddress::from(SocketAddr::new(host, 0)).into()],
            Self::Bind { peer, number } => vec![
                ChannelNumber::new(number).into(),
                XorPeerAddress::from(peer).into(),
            ],
        }
    }
}
