//! Flow tokens: a flow as the user part of a URI of ours (RFC 5626, section 5.2).
//!
//! A token stands in Path, Record-Route or Route and comes back from others. It names the flow
//! itself, so nothing needs to be remembered, and proves by its HMAC that we made it: nobody can
//! make us send where we have not received from.
//!
//! ```text
//!   kind    1   transport, and which of the two addresses are IPv6
//!   number  8   generation of the connection
//!   local   6 or 18   address and port
//!   peer    6 or 18
//!   HMAC   12
//! ```
//!
//! A token of a connection that is gone names a generation that no connection has any more; what
//! is sent on it fails, which is what the standard wants (430, section 5.3).

use std::net::{IpAddr, SocketAddr};

use crate::base64url;
use crate::flow::Flow;
use crate::keyed::{KeyedHash, same};
use crate::transport::Transport;

const MAC_BYTES: usize = 12;
const MAX_BYTES: usize = 1 + 8 + 18 + 18 + MAC_BYTES;

const TRANSPORTS: [Transport; 5] = [
    Transport::Udp,
    Transport::Tcp,
    Transport::Tls,
    Transport::Ws,
    Transport::Wss,
];
const LOCAL_IS_V6: u8 = 0x10;
const PEER_IS_V6: u8 = 0x20;

/// Makes flow tokens and knows its own again.
#[derive(Clone, Debug)]
pub struct FlowTokens(KeyedHash);

impl FlowTokens {
    /// The same key must be used as long as tokens shall be known.
    pub fn new(key: [u8; 32]) -> Self {
        Self(KeyedHash::new(key))
    }

    /// The token of a flow: 44 characters for IPv4, 76 for IPv6, all of them legal in a user part.
    pub fn write(&self, flow: &Flow) -> String {
        let mut bytes = Vec::with_capacity(MAX_BYTES);
        let place = TRANSPORTS.iter().position(|own| *own == flow.transport);
        let mut kind = place
            .and_then(|at| u8::try_from(at).ok())
            .unwrap_or_default();
        if flow.local.is_ipv6() {
            kind |= LOCAL_IS_V6;
        }
        if flow.peer.is_ipv6() {
            kind |= PEER_IS_V6;
        }
        bytes.push(kind);
        bytes.extend(flow.generation.to_be_bytes());
        for address in [flow.local, flow.peer] {
            match address.ip() {
                IpAddr::V4(ip) => bytes.extend(ip.octets()),
                IpAddr::V6(ip) => bytes.extend(ip.octets()),
            }
            bytes.extend(address.port().to_be_bytes());
        }
        let mac = self.sign(&bytes);
        bytes.extend(mac);
        base64url::encode(&bytes)
    }

    /// The flow that a token of ours names; `None` for anything that is not ours, whole and
    /// unchanged.
    pub fn read(&self, token: &str) -> Option<Flow> {
        let mut buffer = [0; MAX_BYTES];
        let bytes = base64url::decode(token, &mut buffer)?;
        let (body, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
        if !same(&self.sign(body), mac) {
            return None;
        }
        let (kind, rest) = body.split_first()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let (local, rest) = split_address(rest, kind & LOCAL_IS_V6 != 0)?;
        let (peer, rest) = split_address(rest, kind & PEER_IS_V6 != 0)?;
        let transport = *TRANSPORTS.get(usize::from(kind & 0x0f))?;
        rest.is_empty().then_some(Flow {
            transport,
            local,
            peer,
            generation: u64::from_be_bytes(*generation),
        })
    }

    fn sign(&self, body: &[u8]) -> [u8; MAC_BYTES] {
        self.0.short([b"flow".as_slice(), body])
    }
}

fn split_address(bytes: &[u8], is_v6: bool) -> Option<(SocketAddr, &[u8])> {
    let (ip, rest): (IpAddr, _) = if is_v6 {
        let (octets, rest) = bytes.split_first_chunk::<16>()?;
        ((*octets).into(), rest)
    } else {
        let (octets, rest) = bytes.split_first_chunk::<4>()?;
        ((*octets).into(), rest)
    };
    let (port, rest) = rest.split_first_chunk()?;
    Some((SocketAddr::new(ip, u16::from_be_bytes(*port)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uri::Uri;

    fn flows() -> Vec<Flow> {
        let v4: SocketAddr = "192.0.2.1:5060".parse().unwrap();
        let v6: SocketAddr = "[2001:db8::1]:65535".parse().unwrap();
        TRANSPORTS
            .into_iter()
            .flat_map(|transport| {
                [(v4, v4), (v6, v6), (v6, v4), (v4, v6)].map(|(local, peer)| Flow {
                    transport,
                    local,
                    peer,
                    generation: u64::MAX - 1,
                })
            })
            .collect()
    }

    #[test]
    fn a_flow_comes_back_from_its_token() {
        let tokens = FlowTokens::new([1; 32]);
        for flow in flows() {
            let token = tokens.write(&flow);
            assert_eq!(tokens.read(&token), Some(flow));
            let uri: Uri = format!("sip:{token}@proxy.example.com;lr").parse().unwrap();
            assert_eq!(uri.user_decoded().unwrap(), token);
            assert_eq!(FlowTokens::new([2; 32]).read(&token), None);
        }
        assert_eq!(tokens.write(&flows()[0]).len(), 44);
    }

    #[test]
    fn a_token_that_was_changed_anywhere_is_not_ours() {
        let tokens = FlowTokens::new([1; 32]);
        let token = tokens.write(&flows()[0]);
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(tokens.read(&String::from_utf8(forged).unwrap()), None);
            assert_eq!(tokens.read(&token[..at]), None);
        }
        for token in [
            "",
            "AAAA",
            "alice",
            &format!("{token}AAAA"),
            &"A".repeat(200),
        ] {
            assert_eq!(tokens.read(token), None, "{token}");
        }
    }
}
