//! The way to a device once the connection that its REGISTER came on is gone.
//!
//! ```text
//!   came through an edge proxy (Path)               ──► a new connection to that proxy
//!   came itself, and listens on the host it is on   ──► a new connection to its Contact
//!   came itself, from behind a NAT or with outbound ──► none: the connection was its flow (RFC 5626, section 6)
//! ```
//!
//! An edge's own flow to its device lives between those two: its connection to us may come and go (RFC 5626, section 5.3).
//!
//! Invariant: only the host that has sent the REGISTER is ever dialled, whatever host Path or Contact name, so nobody can aim us at a
//! third party. They tell the port and the transport.

use sip::{Destination, Flow, Host, Method, NameAddr, Request, Transport, Uri};

use crate::record::{BindingRef, repack};

/// The proxies that the device's registration came by, the nearest to us first (RFC 3327, section 5.3).
pub(crate) fn path(binding: BindingRef<'_>) -> Option<Vec<NameAddr>> {
    if binding.path().is_empty() {
        return Some(Vec::new());
    }
    let mut fields = Request::new(Method::INVITE, binding.uri().parse().ok()?);
    fields.push_header("Path", binding.path());
    fields.paths().ok()
}

/// The binding without `flow`, which has ended; `None` if there is no other way to the device.
pub(crate) fn without_connection(binding: BindingRef<'_>, flow: Flow) -> Option<Box<[u8]>> {
    let reached_by = match binding.path().is_empty() {
        true => listening_device(binding, flow),
        false => edge(binding, flow),
    };
    repack(binding, reached_by?)
}

/// The binding as it is taken over from before a restart: a connection does not outlive the process.
pub(crate) fn after_restart(binding: BindingRef<'_>) -> Option<Box<[u8]>> {
    let Destination::Flow(flow) = binding.reached_by()? else {
        return Some(binding.bytes().into());
    };
    let is_stream = flow.transport.is_reliable();
    let edge = is_stream.then(|| edge(binding, flow)).flatten();
    let reached_by = edge.unwrap_or(Destination::Address {
        transport: flow.transport,
        peer: flow.peer,
        domain: None,
    });
    repack(binding, reached_by)
}

/// Where a device without NAT said that it can be called.
fn listening_device(binding: BindingRef<'_>, flow: Flow) -> Option<Destination> {
    let uri: Uri = binding.uri().parse().ok()?;
    let same_host = uri.host().and_then(Host::ip) == Some(flow.peer.ip());
    let port = uri.port()?;
    let is_plain = flow.transport == Transport::Tcp && !binding.is_outbound();
    if !is_plain || !same_host || port == flow.peer.port() {
        return None;
    }
    Some(Destination::Address {
        transport: Transport::Tcp,
        peer: (flow.peer.ip(), port).into(),
        domain: None,
    })
}

/// Where the proxy next to us said that it can be reached. One that names no transport is asked over the one it came by, which it
/// speaks and which is no less secure.
fn edge(binding: BindingRef<'_>, flow: Flow) -> Option<Destination> {
    let uri = path(binding)?.into_iter().next()?.uri;
    let transport = match uri.transport() {
        _ if uri.is_secure() => Transport::Tls,
        Some(transport) => transport,
        None => flow.transport,
    };
    // We open no WebSockets.
    if !matches!(transport, Transport::Udp | Transport::Tcp | Transport::Tls) {
        return None;
    }
    let port = uri.port().unwrap_or(transport.default_port());
    Some(Destination::Address {
        transport,
        peer: (flow.peer.ip(), port).into(),
        domain: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::NewBinding;

    fn flow(transport: Transport) -> Flow {
        Flow {
            transport,
            local: ([192, 0, 2, 1], 5060).into(),
            peer: ([198, 51, 100, 7], 41_000).into(),
            generation: 7,
        }
    }

    fn binding(transport: Transport, uri: &str, path: &str, is_outbound: bool) -> Box<[u8]> {
        NewBinding {
            contact: uri,
            uri,
            instance: "",
            reg_id: u32::from(is_outbound),
            is_outbound,
            q_thousandths: 1_000,
            call_id: "1",
            cseq: 1,
            path,
            user_agent: "",
            reached_by: Destination::Flow(flow(transport)),
            updated: 1,
            expires: 2,
        }
        .pack()
        .unwrap()
    }

    fn redialled(bytes: Option<&[u8]>) -> Option<(Transport, String)> {
        let reached_by = BindingRef::new(bytes?).reached_by().unwrap();
        assert!(matches!(reached_by, Destination::Address { .. }));
        Some((reached_by.transport(), reached_by.peer().to_string()))
    }

    #[test]
    fn a_device_behind_an_edge_is_reached_where_the_path_says_on_the_host_it_came_from() {
        use Transport::{Tcp, Tls, Udp, Ws};
        for (came_by, path, expected) in [
            (Tcp, "<sip:198.51.100.7:5070;lr>", Some((Tcp, 5070))),
            (Tcp, "<sip:token@edge.test;lr;ob>", Some((Tcp, 5060))),
            (
                Tcp,
                "<sip:203.0.113.9:25;lr>, <sip:far.test;lr>",
                Some((Tcp, 25)),
            ),
            (Tcp, "<sip:edge.test;transport=udp;lr>", Some((Udp, 5060))),
            (Tls, "<sip:edge.test:5091;lr>", Some((Tls, 5091))),
            (Tcp, "<sips:edge.test;lr>", Some((Tls, 5061))),
            (Ws, "<sip:edge.test;transport=tcp;lr>", Some((Tcp, 5060))),
            (Ws, "<sip:edge.test;lr>", None),
        ] {
            let expected =
                expected.map(|(transport, port)| (transport, format!("198.51.100.7:{port}")));
            for is_outbound in [false, true] {
                let bytes = binding(came_by, "sip:a@10.0.0.1", path, is_outbound);
                let binding = BindingRef::new(&bytes);
                let without = without_connection(binding, flow(came_by));
                assert_eq!(redialled(without.as_deref()), expected, "{path}");
                if expected.is_some() {
                    let after = after_restart(binding);
                    assert_eq!(redialled(after.as_deref()), expected, "{path}");
                }
                let without = without.unwrap_or_default();
                assert!(without.is_empty() || BindingRef::new(&without).path() == path);
            }
        }
    }

    #[test]
    fn a_device_that_came_itself_is_reached_only_where_it_listens() {
        let there = "sip:a@198.51.100.7:5099;transport=tcp";
        for (uri, is_outbound, expected) in [
            (there, false, true),
            (there, true, false),
            ("sip:a@198.51.100.7:41000;transport=tcp", false, false),
            ("sip:a@10.0.0.1:5099;transport=tcp", false, false),
        ] {
            let bytes = binding(Transport::Tcp, uri, "", is_outbound);
            let without = without_connection(BindingRef::new(&bytes), flow(Transport::Tcp));
            assert_eq!(without.is_some(), expected, "{uri}");
        }
        let bytes = binding(Transport::Tcp, there, "", false);
        let after = after_restart(BindingRef::new(&bytes));
        let expected = (Transport::Tcp, "198.51.100.7:41000".to_owned());
        assert_eq!(redialled(after.as_deref()), Some(expected));
    }
}
