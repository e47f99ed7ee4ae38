//! What every make is told, whatever the words.

use api::{Codec, DeviceConfiguration, Secret, Transport};
use sip::Uri;

/// What a desk phone is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Where the phone looks for its settings the next time; ends in `/`.
    pub(crate) address: String,
    /// At most [`super::LINES`].
    pub(crate) lines: Vec<Line>,
}

/// A SIP account of the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// What the phone shows beside the key.
    pub(crate) label: String,
    /// What callees see.
    pub(crate) display_name: String,
    /// The user of the address-of-record.
    pub(crate) username: String,
    /// The user name for digest.
    pub(crate) auth_username: String,
    /// `None` if the person enters it on the phone: what is there already stays.
    pub(crate) password: Option<Secret>,
    /// The domain of the address-of-record, and the registrar if there is no proxy.
    pub(crate) domain: String,
    /// The registrar's port; `None` if DNS tells it.
    pub(crate) port: Option<u16>,
    /// How SIP leaves the phone.
    pub(crate) transport: Transport,
    /// Where everything is sent first.
    pub(crate) proxy: Option<Hop>,
    /// The preferred first, at least one.
    pub(crate) codecs: Vec<Codec>,
}

/// A host as it stands in URIs, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Settings {
    /// What the device of this configuration is told, with the address that it asks at.
    pub(crate) fn of(configuration: DeviceConfiguration, address: String) -> Self {
        let person = configuration.contact.name;
        let lines = configuration.lines.into_iter().take(super::LINES);
        Self {
            address,
            lines: lines.map(|line| Line::of(line, &person)).collect(),
        }
    }
}

impl Line {
    fn of(line: api::Line, person: &str) -> Self {
        let proxy = line.outbound_proxy.as_deref().and_then(uri);
        // Who names a transport for the proxy means it: that is where the phone connects.
        let transport = proxy.as_ref().and_then(transport_of);
        Self {
            label: line.name,
            display_name: line.display_name.unwrap_or_else(|| person.to_owned()),
            auth_username: line.auth_username.unwrap_or_else(|| line.username.clone()),
            username: line.username,
            password: line.password,
            domain: line.domain,
            port: line.port,
            transport: transport.unwrap_or(line.transport),
            proxy: proxy.as_ref().and_then(hop),
            codecs: line.codecs,
        }
    }

    /// Where the phone connects: the proxy or, without one, the registrar.
    pub(crate) fn first_hop(&self) -> Hop {
        self.proxy.clone().unwrap_or_else(|| Hop {
            host: self.domain.clone(),
            port: self.port,
        })
    }

    /// Whether sound is secured where the other side wants it too: keys in the description are secrets only where that is one.
    pub(crate) fn offers_srtp(&self) -> bool {
        self.transport == Transport::Tls
    }
}

impl Hop {
    /// `host:port`, or the host alone.
    pub(crate) fn text(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

/// The port that is meant where none is said (RFC 3261 section 19.1.2).
pub(crate) fn usual_port(transport: Transport) -> u16 {
    match transport {
        Transport::Udp | Transport::Tcp => 5060,
        Transport::Tls => 5061,
    }
}

/// The transport as URIs spell it.
pub(crate) fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}

/// A proxy as providers have it: `host`, `host:port` or a URI.
fn uri(proxy: &str) -> Option<Uri> {
    let is_uri = proxy.starts_with("sip:") || proxy.starts_with("sips:");
    let text = if is_uri {
        proxy.to_owned()
    } else {
        format!("sip:{proxy}")
    };
    text.parse().ok()
}

fn transport_of(uri: &Uri) -> Option<Transport> {
    if uri.is_secure() {
        return Some(Transport::Tls);
    }
    match uri.transport()? {
        sip::Transport::Udp => Some(Transport::Udp),
        sip::Transport::Tcp => Some(Transport::Tcp),
        sip::Transport::Tls => Some(Transport::Tls),
        _ => None,
    }
}

fn hop(uri: &Uri) -> Option<Hop> {
    let address = uri.host_port()?;
    Some(Hop {
        host: address.host.to_string(),
        port: address.port,
    })
}
