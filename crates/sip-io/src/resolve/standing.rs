//! What is remembered between look-ups: the domains that were asked for, and servers that did not
//! answer. Both bounded.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use sip::{DomainId, Target, Transport};
use tokio::time::Instant;

/// Domains that can be told apart. Whoever comes later has no number, and its TLS servers must
/// prove to be their addresses.
const MAX_DOMAINS: usize = 65_536;

/// Servers that are remembered as not answering.
const MAX_PENALTIES: usize = 1_024;

/// How long others come first.
const PENALTY: Duration = Duration::from_secs(60);

/// Numbers of domains, for as long as the loop lives.
#[derive(Debug, Default)]
pub(super) struct Domains {
    names: Vec<String>,
    ids: HashMap<String, DomainId>,
}

impl Domains {
    /// The number of `name`, compared without regard to case.
    pub(super) fn id(&mut self, name: &str) -> Option<DomainId> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if let Some(id) = self.ids.get(&name) {
            return Some(*id);
        }
        if self.names.len() >= MAX_DOMAINS {
            return None;
        }
        let id = DomainId(u32::try_from(self.names.len()).ok()?);
        self.names.push(name.clone());
        self.ids.insert(name, id);
        Some(id)
    }

    pub(super) fn name(&self, id: DomainId) -> Option<&str> {
        let index = usize::try_from(id.0).ok()?;
        self.names.get(index).map(String::as_str)
    }
}

/// Servers that did not answer, and until when that counts.
#[derive(Debug, Default)]
pub(super) struct Penalties(HashMap<(Transport, SocketAddr), Instant>);

impl Penalties {
    pub(super) fn add(&mut self, transport: Transport, peer: SocketAddr, now: Instant) {
        if self.0.len() >= MAX_PENALTIES {
            self.0.retain(|_, until| *until > now);
        }
        if self.0.len() >= MAX_PENALTIES
            && let Some(oldest) = self.0.iter().min_by_key(|(_, until)| **until)
        {
            let oldest = *oldest.0;
            self.0.remove(&oldest);
        }
        self.0.insert((transport, peer), now + PENALTY);
    }

    /// The order stays, but for those with a penalty, who come last.
    pub(super) fn in_order(&self, mut targets: Vec<Target>, now: Instant) -> Vec<Target> {
        targets.sort_by_key(|target| {
            self.0
                .get(&(target.transport, target.peer))
                .is_some_and(|until| *until > now)
        });
        targets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 5060))
    }

    fn order(penalties: &Penalties, now: Instant) -> Vec<u8> {
        let targets = [1, 2, 3].map(|last| Target::new(Transport::Udp, peer(last)));
        let ordered = penalties.in_order(targets.into(), now);
        let last = |target: &Target| match target.peer {
            SocketAddr::V4(address) => address.ip().octets()[3],
            SocketAddr::V6(_) => 0,
        };
        ordered.iter().map(last).collect()
    }

    #[test]
    fn a_server_that_did_not_answer_comes_last_for_a_minute() {
        let now = Instant::now();
        let mut penalties = Penalties::default();
        penalties.add(Transport::Udp, peer(1), now);
        assert_eq!(order(&penalties, now), [2, 3, 1]);
        let later = now + PENALTY;
        assert_eq!(order(&penalties, later), [1, 2, 3]);
    }

    #[test]
    fn a_penalty_is_for_one_transport_and_all_of_them_change_nothing() {
        let now = Instant::now();
        let mut penalties = Penalties::default();
        penalties.add(Transport::Tcp, peer(1), now);
        assert_eq!(order(&penalties, now), [1, 2, 3]);
        for last in [1, 2, 3] {
            penalties.add(Transport::Udp, peer(last), now);
        }
        assert_eq!(order(&penalties, now), [1, 2, 3]);
    }

    #[test]
    fn penalties_are_bounded() {
        let now = Instant::now();
        let mut penalties = Penalties::default();
        for port in 0..3_000 {
            let peer = SocketAddr::from(([192, 0, 2, 1], port));
            penalties.add(
                Transport::Udp,
                peer,
                now + Duration::from_millis(port.into()),
            );
        }
        assert!(penalties.0.len() <= MAX_PENALTIES);
    }

    #[test]
    fn a_domain_has_one_number_however_it_is_written() {
        let mut domains = Domains::default();
        let id = domains.id("Example.COM").unwrap();
        assert_eq!(domains.id("example.com."), Some(id));
        assert_ne!(domains.id("example.org"), Some(id));
        assert_eq!(domains.name(id), Some("example.com"));
        assert_eq!(domains.name(DomainId(7)), None);
    }
}
