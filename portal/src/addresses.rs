//! Which addresses and ports firewalls must let through, from the configuration as it runs. Pure; names are looked up elsewhere.

use std::{collections::BTreeSet, net::IpAddr};

use api::{
    AddressHint, AddressHintKind, AddressParty, AddressPurpose, AddressRule, PHONE_MEDIA_PORTS,
    PortProtocol,
};
use axum::http::Uri;
use sip::{HostPort, Transport};
use store::{SipTransport, provider::Provider};
use uuid::Uuid;

use crate::{
    config::PortalConfig,
    egress::{is_public, literal},
};

/// What a tenant with these providers needs, and in which ways accounts register that say so themselves.
pub(crate) fn rules(
    providers: &[Provider],
    ways: &[(Uuid, SipTransport)],
    config: &PortalConfig,
) -> Vec<AddressRule> {
    let used = used_here(providers, ways);
    let mut rules = of_portal(config);
    rules.extend(
        config
            .sip_listeners
            .iter()
            .map(|(over, at)| of_listener(*over, at, &used)),
    );
    let foreign = || providers.iter().filter(|provider| !provider.own);
    rules.extend(foreign().flat_map(|provider| of_provider(provider, ways)));
    let media = AddressRule {
        first_port: PHONE_MEDIA_PORTS.0,
        last_port: PHONE_MEDIA_PORTS.1,
        protocol: PortProtocol::Udp,
        ..to(AddressParty::Phones, AddressPurpose::Media)
    };
    if foreign().next().is_some() {
        rules.push(AddressRule {
            purpose: AddressPurpose::ProviderMedia,
            from: AddressParty::Provider,
            ..media.clone()
        });
    }
    rules.push(media);
    rules
}

/// What keeps phones elsewhere from reaching this installation.
pub(crate) fn hints(config: &PortalConfig) -> Vec<AddressHint> {
    let hint = |kind, address: &str| AddressHint {
        kind,
        address: address.to_owned(),
    };
    let mut hints = Vec::new();
    let url = &config.public_url;
    match place(url).map(|(host, _)| reach(&host)) {
        Some(Reached::Here) => hints.push(hint(AddressHintKind::PortalOnlyHere, url)),
        Some(Reached::Privately) => hints.push(hint(AddressHintKind::PortalPrivate, url)),
        _ => {}
    }
    if !config.is_https() {
        hints.push(hint(AddressHintKind::PortalUnencrypted, url));
    }
    let mut hosts = BTreeSet::new();
    for (_, at) in &config.sip_listeners {
        let host = at.host.to_string();
        let kind = match reach(&host) {
            Reached::Nowhere => AddressHintKind::SipAnyAddress,
            Reached::Here => AddressHintKind::SipOnlyHere,
            Reached::Privately => AddressHintKind::SipPrivate,
            Reached::Publicly => continue,
        };
        if hosts.insert(host.clone()) {
            hints.push(hint(kind, &host));
        }
    }
    let listeners = &config.sip_listeners;
    if let Some((_, first)) = listeners.first()
        && !listeners.iter().any(|(over, _)| *over == Transport::Tls)
    {
        let host = first.host.to_string();
        hints.push(hint(AddressHintKind::SipUnencrypted, &host));
    }
    hints
}

/// From where an address can be reached; a name may lead anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    Nowhere,
    Here,
    Privately,
    Publicly,
}

fn reach(host: &str) -> Reached {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    match literal(host).map(|ip| ip.to_canonical()) {
        Some(ip) if ip.is_unspecified() => Reached::Nowhere,
        Some(ip) if ip.is_loopback() => Reached::Here,
        Some(ip) if !is_public(ip) => Reached::Privately,
        None if name == "localhost" || name.ends_with(".localhost") => Reached::Here,
        _ => Reached::Publicly,
    }
}

/// In which ways this installation's own accounts are registered.
fn used_here(providers: &[Provider], ways: &[(Uuid, SipTransport)]) -> Vec<Transport> {
    let own = providers.iter().filter(|provider| provider.own);
    let mut used: Vec<_> = own
        .flat_map(|own| all_ways(own, ways))
        .map(sip_transport)
        .collect();
    // What does not fit into a datagram goes over TCP (RFC 3261 section 18.1.1).
    if used.contains(&Transport::Udp) {
        used.push(Transport::Tcp);
    }
    used
}

/// A provider's own way and those that accounts have instead, each once.
fn all_ways(provider: &Provider, ways: &[(Uuid, SipTransport)]) -> Vec<SipTransport> {
    let mut all = vec![provider.transport];
    for (of, way) in ways {
        if *of == provider.id && !all.contains(way) {
            all.push(*way);
        }
    }
    all
}

fn of_portal(config: &PortalConfig) -> Vec<AddressRule> {
    let Some((host, port)) = place(&config.public_url) else {
        return Vec::new();
    };
    let at = |purpose, port| AddressRule {
        host: Some(host.clone()),
        first_port: port,
        last_port: port,
        ..to(AddressParty::Server, purpose)
    };
    let mut rules = vec![AddressRule {
        encrypted: config.is_https(),
        ..at(AddressPurpose::Portal, port)
    }];
    rules.extend(config.redirect_ports.iter().map(|&port| AddressRule {
        optional: true,
        ..at(AddressPurpose::Redirection, port)
    }));
    rules
}

fn of_listener(over: Transport, at: &HostPort, used: &[Transport]) -> AddressRule {
    let port = at.port.unwrap_or(over.default_port());
    let purpose = match over {
        Transport::Ws | Transport::Wss => AddressPurpose::WebSocket,
        Transport::Udp | Transport::Tcp | Transport::Tls => AddressPurpose::Signalling,
    };
    AddressRule {
        host: Some(at.host.to_string()),
        protocol: protocol(over),
        first_port: port,
        last_port: port,
        encrypted: over.is_secure(),
        optional: !used.contains(&over),
        ..to(AddressParty::Server, purpose)
    }
}

/// A provider's server, or the proxy before it, in each way that accounts use.
fn of_provider(provider: &Provider, ways: &[(Uuid, SipTransport)]) -> Vec<AddressRule> {
    let (named, at) = first_hop(provider);
    let mut rules = Vec::new();
    for way in all_ways(provider, ways) {
        let over = named.unwrap_or(sip_transport(way));
        let port = at.port.unwrap_or(over.default_port());
        let rule = AddressRule {
            provider: Some(provider.name.clone()),
            host: Some(at.host.to_string()),
            protocol: protocol(over),
            first_port: port,
            last_port: port,
            encrypted: over.is_secure(),
            may_move: at.port.is_none() && at.host.ip().is_none(),
            ..to(AddressParty::Provider, AddressPurpose::ProviderSignalling)
        };
        // A proxy that names its transport has only that.
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules
}

/// Where requests go first, and the transport that its URI names.
fn first_hop(provider: &Provider) -> (Option<Transport>, HostPort) {
    let server = || {
        let host = provider.server.parse().ok();
        // What is stored was checked; a name that cannot be one is shown as it is.
        let host = host.unwrap_or_else(|| sip::Host::Name(provider.server.clone()));
        HostPort::new(host, provider.port)
    };
    let Some(proxy) = &provider.outbound_proxy else {
        return (None, server());
    };
    if let Ok(uri) = proxy.parse::<sip::Uri>()
        && let Some(host) = uri.host()
    {
        return (uri.transport(), HostPort::new(host.clone(), uri.port()));
    }
    (None, proxy.parse().unwrap_or_else(|_| server()))
}

/// Host and port of a URL.
fn place(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let usual = match uri.scheme_str() {
        Some("https") => 443,
        _ => 80,
    };
    let host = uri.host()?;
    let bare = literal(host).map_or_else(|| host.to_owned(), |ip: IpAddr| ip.to_string());
    Some((bare, uri.port_u16().unwrap_or(usual)))
}

/// From phones over TCP in clear, with nothing else known.
fn to(party: AddressParty, purpose: AddressPurpose) -> AddressRule {
    AddressRule {
        purpose,
        from: AddressParty::Phones,
        to: party,
        provider: None,
        host: None,
        addresses: Vec::new(),
        protocol: PortProtocol::Tcp,
        first_port: 0,
        last_port: 0,
        encrypted: false,
        optional: false,
        may_move: false,
    }
}

fn protocol(over: Transport) -> PortProtocol {
    match over {
        Transport::Udp => PortProtocol::Udp,
        _ => PortProtocol::Tcp,
    }
}

fn sip_transport(way: SipTransport) -> Transport {
    match way {
        SipTransport::Udp => Transport::Udp,
        SipTransport::Tcp => Transport::Tcp,
        SipTransport::Tls => Transport::Tls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str, listeners: &[(Transport, &str)]) -> PortalConfig {
        let mut config = PortalConfig::new(url, "sip:x;lr", "/nowhere");
        config.sip_listeners = listeners
            .iter()
            .map(|(over, at)| (*over, at.parse().unwrap()))
            .collect();
        config
    }

    fn kinds(url: &str, listeners: &[(Transport, &str)]) -> Vec<AddressHintKind> {
        let hints = hints(&config(url, listeners));
        hints.into_iter().map(|hint| hint.kind).collect()
    }

    #[test]
    fn an_address_that_others_cannot_reach_is_hinted_at_once() {
        use AddressHintKind as Kind;
        let public = [
            (Transport::Udp, "sip.example.com:5060"),
            (Transport::Tls, "8.8.8.8:5061"),
        ];
        assert_eq!(kinds("https://phones.example.com", &public), []);
        let here = [
            (Transport::Udp, "127.0.0.1:5060"),
            (Transport::Tcp, "127.0.0.1:5060"),
        ];
        let expected = [
            Kind::PortalOnlyHere,
            Kind::PortalUnencrypted,
            Kind::SipOnlyHere,
            Kind::SipUnencrypted,
        ];
        assert_eq!(kinds("http://localhost:8080", &here), expected);
        let private = [
            (Transport::Udp, "10.0.0.5:5060"),
            (Transport::Tls, "[::]:5061"),
        ];
        let expected = [Kind::PortalPrivate, Kind::SipPrivate, Kind::SipAnyAddress];
        assert_eq!(kinds("https://[fd00::1]:8443", &private), expected);
    }

    #[test]
    fn the_portal_is_where_its_url_says() {
        assert_eq!(
            place("https://phones.example.com"),
            Some(("phones.example.com".to_owned(), 443))
        );
        assert_eq!(place("http://[::1]:8080"), Some(("::1".to_owned(), 8080)));
        assert_eq!(
            place("http://192.0.2.1"),
            Some(("192.0.2.1".to_owned(), 80))
        );
    }
}
