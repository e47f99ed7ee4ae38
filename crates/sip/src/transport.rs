//! The transports that this project speaks.
//!
//! A Via header or a `transport` parameter may name any token (RFC 3261, section 20.42); those
//! keep the token as text and answer with `None` when asked for a [`Transport`]. Default ports
//! and the secure flag come from the vocabulary crate `rsip`.

use std::fmt;
use std::str::FromStr;

/// How SIP messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams; requests and responses are retransmitted by the transaction layer.
    Udp,
    /// A byte stream.
    Tcp,
    /// A byte stream under TLS.
    Tls,
    /// WebSocket (RFC 7118): one message in one frame.
    Ws,
    /// WebSocket under TLS.
    Wss,
}

/// The token names no transport that this project speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown transport")]
pub struct UnknownTransport;

impl Transport {
    /// Every transport.
    pub const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss];

    /// The token of a Via header: `UDP`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// The value of a `transport` URI parameter: `udp`.
    pub fn uri_param(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The port that is meant when none is written.
    pub fn default_port(self) -> u16 {
        *rsip::Transport::from(self).default_port().value()
    }

    /// Whether nobody between the two ends of the connection can read the messages.
    pub fn is_secure(self) -> bool {
        rsip::Transport::from(self).is_secure()
    }

    /// Whether the transport retransmits by itself.
    pub fn is_reliable(self) -> bool {
        self != Self::Udp
    }
}

impl From<Transport> for rsip::Transport {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::Udp,
            Transport::Tcp => Self::Tcp,
            Transport::Tls => Self::Tls,
            Transport::Ws => Self::Ws,
            Transport::Wss => Self::Wss,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Transport {
    type Err = UnknownTransport;

    fn from_str(token: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|transport| transport.as_str().eq_ignore_ascii_case(token))
            .ok_or(UnknownTransport)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_in_any_case_and_unknown_ones_are_named_so() {
        assert_eq!("wss".parse(), Ok(Transport::Wss));
        assert_eq!("Udp".parse(), Ok(Transport::Udp));
        assert_eq!("SCTP".parse::<Transport>(), Err(UnknownTransport));
    }

    #[test]
    fn default_ports_are_those_of_the_standards() {
        assert_eq!(Transport::Udp.default_port(), 5060);
        assert_eq!(Transport::Tls.default_port(), 5061);
        assert_eq!(Transport::Wss.default_port(), 443);
        assert!(Transport::Tls.is_secure() && !Transport::Ws.is_secure());
    }
}
