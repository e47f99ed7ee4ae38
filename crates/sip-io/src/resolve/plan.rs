//! What to ask for (RFC 3263, sections 4.1 and 4.2). Pure.
//!
//! ```text
//!   transport named?  address literal?  port named?   what is asked
//!   either            yes               either        nothing: the default transport and port
//!   yes               no                yes           A, AAAA
//!   no                no                yes           A, AAAA for the default transport
//!   yes               no                no            SRV of the transport, else A, AAAA
//!   no                no                no            NAPTR, else SRV of each, else A, AAAA
//! ```
//!
//! The default transport is UDP, and TLS for `sips`.

use std::net::SocketAddr;

use sip::{Host, ResolveError, ResolveRequest, Security, Target, Transport};

use super::{Abilities, Resolved};

/// Transports in the order in which their services are tried where nobody demands another.
const PREFERENCE: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Known(Resolved),
    Ask(Questions),
}

/// What is to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Questions {
    /// Whether the domain may choose the transport by NAPTR records.
    pub(super) naptr: NaptrUse,
    /// Transports whose SRV records are asked for, in this order.
    pub(super) services: Vec<Transport>,
    /// Transport and port if there are no records of services.
    pub(super) otherwise: (Transport, u16),
}

/// Whether NAPTR records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NaptrUse {
    First,
    Never,
}

/// How to answer `request`.
pub(super) fn plan(request: &ResolveRequest, abilities: Abilities) -> Plan {
    if let Host::Name(name) = &request.host
        && is_invalid(name)
    {
        return Plan::Known(Err(ResolveError::NotFound));
    }
    let named = match request
        .transport
        .map(|named| secured(named, request.security))
    {
        Some(None) => return Plan::Known(Err(ResolveError::NoTransport)),
        Some(Some(transport)) => Some(transport),
        None => None,
    };
    let transport = named.unwrap_or(default_transport(request.security, abilities));
    if !abilities.can(transport) {
        return Plan::Known(Err(ResolveError::NoTransport));
    }
    let port = request.port.unwrap_or(transport.default_port());
    if let Some(ip) = request.host.ip() {
        let target = Target::new(transport, SocketAddr::new(ip, port));
        return Plan::Known(Ok(vec![target]));
    }
    let otherwise = (transport, port);
    Plan::Ask(match (named, request.port) {
        (_, Some(_)) => Questions {
            naptr: NaptrUse::Never,
            services: Vec::new(),
            otherwise,
        },
        (Some(transport), None) => Questions {
            naptr: NaptrUse::Never,
            services: vec![transport],
            otherwise,
        },
        (None, None) => Questions {
            naptr: NaptrUse::First,
            services: usable(request.security, abilities),
            otherwise,
        },
    })
}

/// Transports that may be used, the preferred first.
fn usable(security: Security, abilities: Abilities) -> Vec<Transport> {
    PREFERENCE
        .into_iter()
        .filter(|&transport| abilities.can(transport))
        .filter(|transport| security == Security::Any || transport.is_secure())
        .collect()
}

/// What `sips` makes of a named transport; `None` if the two contradict each other
/// (RFC 3261, section 26.2.2).
fn secured(transport: Transport, security: Security) -> Option<Transport> {
    match (security, transport) {
        (Security::Any, transport) => Some(transport),
        (Security::Tls, Transport::Tcp | Transport::Tls) => Some(Transport::Tls),
        (Security::Tls, Transport::Ws | Transport::Wss) => Some(Transport::Wss),
        (Security::Tls, Transport::Udp) => None,
    }
}

fn default_transport(security: Security, abilities: Abilities) -> Transport {
    match security {
        Security::Tls => Transport::Tls,
        Security::Any if abilities.can(Transport::Udp) => Transport::Udp,
        Security::Any => Transport::Tcp,
    }
}

fn is_invalid(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    last.eq_ignore_ascii_case("invalid")
}

#[cfg(test)]
mod tests {
    use sip::ResolveId;

    use super::*;

    const ALL: Abilities = Abilities {
        udp_v4: true,
        udp_v6: true,
        tls: true,
    };

    /// `host[:port][;transport]`, `sips` in front if it is.
    fn request(text: &str) -> ResolveRequest {
        let (security, text) = match text.strip_prefix("sips ") {
            Some(rest) => (Security::Tls, rest),
            None => (Security::Any, text),
        };
        let (address, transport) = match text.split_once(';') {
            Some((address, token)) => (address, Some(token.parse().unwrap())),
            None => (text, None),
        };
        let address: sip::HostPort = address.parse().unwrap();
        ResolveRequest {
            id: ResolveId(1),
            host: address.host,
            port: address.port,
            transport,
            security,
        }
    }

    fn told(text: &str, abilities: Abilities) -> String {
        match plan(&request(text), abilities) {
            Plan::Known(Ok(targets)) => format!("{} {}", targets[0].transport, targets[0].peer),
            Plan::Known(Err(error)) => error.to_string(),
            Plan::Ask(Questions {
                naptr,
                services,
                otherwise: (transport, port),
            }) => {
                let naptr = match naptr {
                    NaptrUse::First => "NAPTR, ",
                    NaptrUse::Never => "",
                };
                let services: String = services.iter().map(|s| format!("SRV {s}, ")).collect();
                format!("{naptr}{services}A {transport} {port}")
            }
        }
    }

    #[test]
    fn every_row_of_the_tables_in_sections_4_1_and_4_2() {
        for (asked, expected) in [
            ("192.0.2.1", "UDP 192.0.2.1:5060"),
            ("192.0.2.1:5070", "UDP 192.0.2.1:5070"),
            ("[2001:db8::1];tcp", "TCP [2001:db8::1]:5060"),
            ("192.0.2.1;tls", "TLS 192.0.2.1:5061"),
            ("sips 192.0.2.1", "TLS 192.0.2.1:5061"),
            ("sips 192.0.2.1;tcp", "TLS 192.0.2.1:5061"),
            ("sips 192.0.2.1;udp", "no server with a suitable transport"),
            ("example.com:5070", "A UDP 5070"),
            ("example.com:5070;tcp", "A TCP 5070"),
            ("sips example.com:5070", "A TLS 5070"),
            ("example.com;tcp", "SRV TCP, A TCP 5060"),
            ("example.com;tls", "SRV TLS, A TLS 5061"),
            ("sips example.com;tcp", "SRV TLS, A TLS 5061"),
            (
                "example.com",
                "NAPTR, SRV UDP, SRV TCP, SRV TLS, A UDP 5060",
            ),
            ("sips example.com", "NAPTR, SRV TLS, A TLS 5061"),
            ("example.com;ws", "no server with a suitable transport"),
            ("df7jal23ls0d.invalid", "no such host"),
            ("df7jal23ls0d.INVALID.;tcp", "no such host"),
        ] {
            assert_eq!(told(asked, ALL), expected, "{asked}");
        }
    }

    #[test]
    fn what_we_cannot_speak_is_not_asked_for() {
        let stream_only = Abilities {
            udp_v4: false,
            udp_v6: false,
            tls: false,
        };
        assert_eq!(
            told("example.com", stream_only),
            "NAPTR, SRV TCP, A TCP 5060"
        );
        assert_eq!(
            told("sips example.com", stream_only),
            "no server with a suitable transport"
        );
    }
}
