//! From the portal's configuration to the lines of the phone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::profile::Profile;
use api::{Codec, Line, instance_id};
use sdp::{LocalSecurity, PayloadFormat};
use sip::{Host, HostPort, Private, Transport, Uri};
use softphone_core::{DialingRule, LineConfig, LineId, LocalAddress};
use tokio::net::{UdpSocket, lookup_host};
use tokio::time::timeout;
use tracing::warn;

/// Lines of one phone.
const MAX_LINES: usize = 4;

/// Longest wait for a name whose only use is to choose an interface.
const LOOK_UP: Duration = Duration::from_secs(3);

/// Addresses that are never reached: they only ask the system for its usual way out (RFC 5737,
/// RFC 3849).
const ANYWHERE_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const ANYWHERE_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// Ports on which this phone listens.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LocalPorts {
    pub(super) udp_v4: u16,
    pub(super) udp_v6: u16,
    pub(super) tcp_v4: u16,
    pub(super) tcp_v6: u16,
}

impl LocalPorts {
    pub(super) fn port(&self, transport: Transport, ip: IpAddr) -> u16 {
        match (transport, ip) {
            (Transport::Udp, IpAddr::V4(_)) => self.udp_v4,
            (Transport::Udp, IpAddr::V6(_)) => self.udp_v6,
            (_, IpAddr::V4(_)) => self.tcp_v4,
            (_, IpAddr::V6(_)) => self.tcp_v6,
        }
    }
}

/// What this phone was started with, for all of its lines.
#[derive(Clone, Debug)]
pub(super) struct LineOptions {
    /// In place of the configured ones, if there are any.
    pub(super) codecs: Vec<Codec>,
    /// Whether and how sound is secured.
    pub(super) security: LocalSecurity,
    pub(super) ports: LocalPorts,
}

/// The lines of a profile. A line that makes no sense is left out and logged.
pub(super) async fn from_profile(profile: &Profile, options: &LineOptions) -> Vec<LineConfig> {
    let mut lines = Vec::new();
    for line in profile.configuration.lines.iter().take(MAX_LINES) {
        match line_config(line, profile, options).await {
            Some(config) => lines.push(config),
            None => warn!(account = %line.account_id, "a line that cannot be used is left out"),
        }
    }
    lines
}

async fn line_config(line: &Line, profile: &Profile, options: &LineOptions) -> Option<LineConfig> {
    let host: Host = line.domain.parse().ok()?;
    let domain = HostPort::new(host, line.port);
    let transport = match line.transport {
        api::Transport::Udp => Transport::Udp,
        api::Transport::Tcp => Transport::Tcp,
        api::Transport::Tls => Transport::Tls,
    };
    let outbound_proxy: Option<Uri> = match &line.outbound_proxy {
        Some(proxy) => Some(proxy.parse().ok()?),
        None => None,
    };
    let first_hop = outbound_proxy
        .as_ref()
        .and_then(Uri::host_port)
        .unwrap_or(&domain);
    let ip = local_ip_towards(first_hop).await;
    Some(LineConfig {
        id: LineId(line.account_id.as_u128()),
        name: line.name.clone(),
        display_name: line.display_name.clone(),
        username: line.username.clone(),
        auth_username: line
            .auth_username
            .clone()
            .unwrap_or_else(|| line.username.clone()),
        password: profile
            .password_of(line)
            .map(|password| Private(password.0)),
        transport,
        formats: formats(if options.codecs.is_empty() {
            &line.codecs
        } else {
            &options.codecs
        }),
        dialing_rules: line.dialing_rules.iter().map(dialing_rule).collect(),
        security: options.security.clone(),
        instance: instance_id(profile.device_id),
        local: LocalAddress {
            ip,
            port: options.ports.port(transport, ip),
        },
        domain,
        outbound_proxy,
    })
}

fn dialing_rule(rule: &api::DialingRule) -> DialingRule {
    DialingRule {
        starts_with: rule.starts_with.clone(),
        replace_with: rule.replace_with.clone(),
        minimum_length: rule.minimum_length,
    }
}

/// The audio formats of a line and the digits beside them.
///
/// Codecs that the media layer does not speak yet are not offered.
fn formats(codecs: &[Codec]) -> Vec<PayloadFormat> {
    let mut formats: Vec<_> = codecs
        .iter()
        .map(|codec| match codec {
            Codec::Opus => PayloadFormat::opus(96),
            Codec::G722 => PayloadFormat::g722(),
            Codec::Pcma => PayloadFormat::pcma(),
            Codec::Pcmu => PayloadFormat::pcmu(),
        })
        .filter(|format| media::Codec::of(format).is_some())
        .collect();
    let has_rate = |formats: &[PayloadFormat], rate| {
        formats
            .iter()
            .any(|format: &PayloadFormat| format.clock_rate == rate)
    };
    // Both may send packets of the first format at each clock once more (RFC 2198).
    for (number, clock_rate) in [(98, 48_000), (99, 8_000)] {
        let audio = formats
            .iter()
            .find(|format| format.clock_rate == clock_rate && !format.is_redundancy());
        if let Some(redundancy) = audio.map(|audio| PayloadFormat::red(number, audio)) {
            formats.push(redundancy);
        }
    }
    // The event's clock should be the audio's (RFC 4733, section 2.1), and some phones know
    // only 8000.
    if has_rate(&formats, 48_000) {
        formats.push(PayloadFormat::telephone_event(97, 48_000));
    }
    formats.push(PayloadFormat::telephone_event(101, 8_000));
    formats
}

/// The address that packets to `peer` leave from, as the system would route them.
pub(super) async fn local_ip_towards(peer: &HostPort) -> IpAddr {
    let port = peer.port.unwrap_or(5060);
    let peer = match peer.host.ip() {
        Some(ip) => Some(SocketAddr::new(ip, port)),
        None => match timeout(LOOK_UP, lookup_host((peer.host.to_string(), port))).await {
            Ok(Ok(mut addresses)) => addresses.next(),
            _ => None,
        },
    };
    if let Some(peer) = peer
        && let Some(ip) = route_towards(peer).await
    {
        return ip;
    }
    usual_route(ANYWHERE_V4)
        .await
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// The addresses of the usual way out, where there is one.
pub(super) async fn usual_addresses() -> (Option<IpAddr>, Option<IpAddr>) {
    (
        usual_route(ANYWHERE_V4).await,
        usual_route(ANYWHERE_V6).await,
    )
}

async fn usual_route(anywhere: IpAddr) -> Option<IpAddr> {
    route_towards(SocketAddr::new(anywhere, 5060)).await
}

/// Connecting a UDP socket sends nothing; it only asks for the route.
async fn route_towards(peer: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await.ok()?;
    socket.connect(peer).await.ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified()).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_local_address_follows_the_route() {
        assert_eq!(
            local_ip_towards(&"127.0.0.1:5060".parse().unwrap()).await,
            Ipv4Addr::LOCALHOST
        );
        assert!(
            local_ip_towards(&"[::1]".parse().unwrap())
                .await
                .is_loopback()
        );
    }

    #[test]
    fn digits_have_the_clock_of_the_audio_and_the_usual_one() {
        let names = |codecs: &[Codec]| {
            formats(codecs)
                .iter()
                .map(|f| format!("{} {f}", f.number))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(&[Codec::Opus, Codec::Pcmu]),
            [
                "96 opus/48000/2",
                "0 PCMU/8000",
                "98 red/48000/2",
                "99 red/8000",
                "97 telephone-event/48000",
                "101 telephone-event/8000"
            ]
        );
        assert_eq!(
            names(&[Codec::Pcma]),
            ["8 PCMA/8000", "99 red/8000", "101 telephone-event/8000"]
        );
    }
}
