//! Which datagram flows belong to somebody who has proved who he is, and which calls he proved it
//! with.
//!
//! The machine says so, as often as it is proved; what is not said again is forgotten after one to
//! two [`LIFE`]s. Flows and calls are kept as [`Fingerprints`] in two generations: when the younger
//! is full or old enough it becomes the older one and that one is dropped. So the table is bounded,
//! and what is in use stays.
//!
//! The call matters when somebody floods from the very address and port of a phone: he does not
//! know the Call-ID of the phone's registration.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use sip::Flow;

use crate::fingerprints::Fingerprints;

/// After this long the younger generation becomes the older one. Longer than registrations last.
const LIFE: Duration = Duration::from_secs(3_700);

/// The flows and calls that are trusted.
#[derive(Debug)]
pub(crate) struct Trust {
    hasher: RandomState,
    /// Entries of one generation.
    bound: usize,
    young: Fingerprints,
    old: Fingerprints,
    turned: Instant,
}

impl Trust {
    /// For `flows` flows with a call each.
    pub(crate) fn new(flows: usize, now: Instant) -> Self {
        Self {
            hasher: RandomState::new(),
            bound: flows.saturating_mul(2).max(1),
            young: Fingerprints::default(),
            old: Fingerprints::default(),
            turned: now,
        }
    }

    /// A keyed hash of both ends; datagrams have no generation.
    fn flow_key(&self, flow: &Flow) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for end in [flow.local, flow.peer] {
            let port = u64::from(end.port());
            match end.ip() {
                IpAddr::V4(ip) => hasher.write_u64(u64::from(ip.to_bits()) << u16::BITS | port),
                IpAddr::V6(ip) => {
                    hasher.write(&ip.octets());
                    hasher.write_u64(port);
                }
            }
        }
        hasher.finish()
    }

    /// The call of a flow whose key is known.
    fn call_key(&self, flow: u64, call_id: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(flow);
        hasher.write(call_id);
        hasher.finish()
    }

    /// Whoever sends on `flow`, and in this call, has proved who he is.
    pub(crate) fn add(&mut self, flow: &Flow, call_id: Option<&[u8]>, now: Instant) {
        let full = self.young.len() >= self.bound;
        if full || now.saturating_duration_since(self.turned) >= LIFE {
            self.old = std::mem::take(&mut self.young);
            self.turned = now;
        }
        let flow = self.flow_key(flow);
        self.young.insert(flow);
        if let Some(call_id) = call_id {
            self.young.insert(self.call_key(flow, call_id));
        }
    }

    /// The flow is a stranger's again, and with it all its calls.
    pub(crate) fn remove(&mut self, flow: &Flow) {
        let key = self.flow_key(flow);
        self.young.remove(key);
        self.old.remove(key);
    }

    /// Whether `flow` is trusted.
    pub(crate) fn knows(&self, flow: &Flow) -> bool {
        let key = self.flow_key(flow);
        self.young.contains(key) || self.old.contains(key)
    }

    /// Whether this call of a trusted flow is.
    pub(crate) fn knows_call(&self, flow: &Flow, call_id: &[u8]) -> bool {
        let key = self.call_key(self.flow_key(flow), call_id);
        self.young.contains(key) || self.old.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use sip::Transport;

    use super::*;

    fn flow(port: u16) -> Flow {
        Flow {
            transport: Transport::Udp,
            local: "192.0.2.1:5060".parse().unwrap(),
            peer: ([192, 0, 2, 2], port).into(),
            generation: 0,
        }
    }

    #[test]
    fn a_flow_is_trusted_until_it_is_not_or_nobody_says_so_any_more() {
        let now = Instant::now();
        let mut trust = Trust::new(100, now);
        trust.add(&flow(1), Some(b"call"), now);
        assert!(trust.knows(&flow(1)) && trust.knows_call(&flow(1), b"call"));
        assert!(!trust.knows(&flow(2)) && !trust.knows_call(&flow(2), b"call"));
        assert!(!trust.knows_call(&flow(1), b"other"));

        trust.remove(&flow(1));
        assert!(!trust.knows(&flow(1)));

        trust.add(&flow(1), None, now);
        trust.add(&flow(2), None, now + LIFE);
        assert!(trust.knows(&flow(1)));
        trust.add(&flow(2), None, now + 2 * LIFE);
        assert!(!trust.knows(&flow(1)) && trust.knows(&flow(2)));
    }

    #[test]
    fn the_table_is_bounded_and_keeps_what_is_used() {
        let now = Instant::now();
        let mut trust = Trust::new(10, now);
        for port in 0..10_000 {
            trust.add(&flow(port), Some(b"call"), now);
            trust.add(&flow(1), None, now);
        }
        assert!(trust.young.len() <= 22 && trust.old.len() <= 22);
        assert!(trust.knows(&flow(1)) && trust.knows(&flow(9_999)) && !trust.knows(&flow(2)));
    }
}
