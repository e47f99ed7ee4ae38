//! Whom an allocation speaks with: permissions by host (RFC 8656 section 9) and channels by peer (section 12).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::requests::Purpose;

/// A permission lives five minutes.
const PERMISSION: Duration = Duration::from_secs(240);
/// A channel lives ten minutes.
const CHANNEL: Duration = Duration::from_secs(540);
/// Hosts and channels of one call; further ones are not asked for.
const MAX_HOSTS: usize = 32;
const MAX_CHANNELS: u16 = 32;
/// The first of the numbers that RFC 8656 section 12 sets aside: 0x4000 to 0x4FFF.
const FIRST_CHANNEL: u16 = 0x4000;

#[derive(Debug, Default)]
pub(super) struct Peers {
    hosts: Vec<Host>,
    channels: Vec<Channel>,
}

#[derive(Debug)]
struct Host {
    ip: IpAddr,
    standing: Standing,
}

#[derive(Debug)]
struct Channel {
    peer: SocketAddr,
    number: u16,
    standing: Standing,
}

/// What the server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Asked,
    Granted { renew: Instant },
    Refused,
}

impl Peers {
    /// Whether the host is new.
    pub(super) fn add_host(&mut self, ip: IpAddr) -> bool {
        let is_new = self.hosts.len() < MAX_HOSTS && !self.hosts.iter().any(|host| host.ip == ip);
        if is_new {
            let standing = Standing::Asked;
            self.hosts.push(Host { ip, standing });
        }
        is_new
    }

    /// The number for a peer that had none.
    pub(super) fn add_channel(&mut self, peer: SocketAddr) -> Option<u16> {
        let count = u16::try_from(self.channels.len()).ok()?;
        let is_known = self.channels.iter().any(|channel| channel.peer == peer);
        if is_known || count >= MAX_CHANNELS {
            return None;
        }
        let number = FIRST_CHANNEL + count;
        let standing = Standing::Asked;
        self.channels.push(Channel {
            peer,
            number,
            standing,
        });
        Some(number)
    }

    /// The server would take data for this host.
    pub(super) fn is_permitted(&self, ip: IpAddr) -> bool {
        let granted = |host: &Host| host.ip == ip && host.standing.is_granted();
        self.hosts.iter().any(granted)
    }

    /// The channel that the server takes data by.
    pub(super) fn channel_of(&self, peer: SocketAddr) -> Option<u16> {
        self.channels
            .iter()
            .find(|channel| channel.peer == peer && channel.standing.is_granted())
            .map(|channel| channel.number)
    }

    /// Data may come before the answer that grants the channel does.
    pub(super) fn peer_of(&self, number: u16) -> Option<SocketAddr> {
        self.channels
            .iter()
            .find(|channel| channel.number == number && channel.standing != Standing::Refused)
            .map(|channel| channel.peer)
    }

    pub(super) fn note_permitted(&mut self, ip: IpAddr, now: Instant) {
        if let Some(host) = self.hosts.iter_mut().find(|host| host.ip == ip) {
            host.standing = Standing::Granted {
                renew: now + PERMISSION,
            };
        }
    }

    pub(super) fn note_bound(&mut self, peer: SocketAddr, now: Instant) {
        let channel = self.channels.iter_mut().find(|known| known.peer == peer);
        if let Some(channel) = channel {
            channel.standing = Standing::Granted {
                renew: now + CHANNEL,
            };
        }
    }

    pub(super) fn refuse_host(&mut self, ip: IpAddr) {
        if let Some(host) = self.hosts.iter_mut().find(|host| host.ip == ip) {
            host.standing = Standing::Refused;
        }
    }

    pub(super) fn refuse_channel(&mut self, peer: SocketAddr) {
        let channel = self.channels.iter_mut().find(|known| known.peer == peer);
        if let Some(channel) = channel {
            channel.standing = Standing::Refused;
        }
    }

    /// Everything that was wanted before there was an allocation.
    pub(super) fn wanted(&self) -> Vec<Purpose> {
        self.purposes(|standing| standing == Standing::Asked)
    }

    /// What has to be renewed.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Purpose> {
        let is_due = |standing| matches!(standing, Standing::Granted { renew } if renew <= now);
        let due = self.purposes(is_due);
        // Asked once; the answer moves it again.
        let hosts = self.hosts.iter_mut().map(|host| &mut host.standing);
        let channels = self
            .channels
            .iter_mut()
            .map(|channel| &mut channel.standing);
        for standing in hosts.chain(channels).filter(|standing| is_due(**standing)) {
            *standing = Standing::Granted {
                renew: now + PERMISSION,
            };
        }
        due
    }

    fn purposes(&self, filter: impl Fn(Standing) -> bool) -> Vec<Purpose> {
        let hosts = self.hosts.iter().filter(|host| filter(host.standing));
        let channels = self.channels.iter();
        let channels = channels.filter(|channel| filter(channel.standing));
        hosts
            .map(|host| Purpose::Permit(host.ip))
            .chain(channels.map(|channel| Purpose::Bind {
                peer: channel.peer,
                number: channel.number,
            }))
            .collect()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let hosts = self.hosts.iter().map(|host| host.standing);
        let channels = self.channels.iter().map(|channel| channel.standing);
        let renewals = hosts.chain(channels).filter_map(|standing| match standing {
            Standing::Granted { renew } => Some(renew),
            Standing::Asked | Standing::Refused => None,
        });
        renewals.min()
    }
}

impl Standing {
    fn is_granted(self) -> bool {
        matches!(self, Self::Granted { .. })
    }
}
