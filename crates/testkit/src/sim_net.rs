//! A network in simulated time: datagrams with delay, loss, reordering and duplicates from a seed.
//!
//! It moves `(from, to, bytes)` and nothing else; who drives the endpoints at both ends decides
//! what a packet means. The same seed and the same sends give the same losses. Time never runs by
//! itself: [`SimNet::poll_timeout`] says when the next packet arrives, [`SimNet::receive`] hands
//! it out.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::Ids;

/// One datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Sender.
    pub from: SocketAddr,
    /// Receiver.
    pub to: SocketAddr,
    /// Content.
    pub bytes: Bytes,
}

/// How the network treats packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// The least time that a packet travels.
    pub delay: Duration,
    /// Up to this much is added at random, so packets may overtake each other.
    pub jitter: Duration,
    /// Packets lost of a thousand.
    pub loss_per_mille: u32,
    /// Packets that arrive twice, of a thousand that arrive.
    pub duplicates_per_mille: u32,
}

impl Conditions {
    /// 10 ms, nothing lost.
    pub const GOOD: Self = Self {
        delay: Duration::from_millis(10),
        jitter: Duration::ZERO,
        loss_per_mille: 0,
        duplicates_per_mille: 0,
    };
}

/// What became of a packet when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It will arrive.
    Delivered,
    /// It will not.
    Lost,
}

type Rule = Box<dyn FnMut(&Packet) -> bool + Send>;

/// The network.
pub struct SimNet {
    random: Ids,
    conditions: Conditions,
    /// By arrival; the number keeps packets of one moment in order.
    in_flight: BTreeMap<(Instant, u64), Packet>,
    sent: u64,
    lose: Option<Rule>,
}

impl SimNet {
    /// An empty network.
    pub fn new(seed: u8, conditions: Conditions) -> Self {
        Self {
            random: Ids::from_seed([seed; 32]),
            conditions,
            in_flight: BTreeMap::new(),
            sent: 0,
            lose: None,
        }
    }

    /// A moment to start a simulation at.
    pub fn start() -> Instant {
        Instant::now()
    }

    /// From now on other conditions hold.
    pub fn set_conditions(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// Loses the packets that `rule` picks, whatever the conditions. Replaces the last rule.
    pub fn lose_if(&mut self, rule: impl FnMut(&Packet) -> bool + Send + 'static) {
        self.lose = Some(Box::new(rule));
    }

    /// Lets packets through again as the conditions say.
    pub fn lose_nothing_more(&mut self) {
        self.lose = None;
    }

    /// Takes a packet.
    pub fn send(&mut self, packet: Packet, now: Instant) -> Fate {
        let by_chance = self.random.u32() % 1_000 < self.conditions.loss_per_mille;
        let arrival = self.arrival(now);
        let by_rule = self.lose.as_mut().is_some_and(|rule| rule(&packet));
        if by_chance || by_rule {
            return Fate::Lost;
        }
        // A network without duplicates draws no number for them: what others have seen stays as it was.
        let twice = self.conditions.duplicates_per_mille;
        if twice > 0 && self.random.u32() % 1_000 < twice {
            let arrival = self.arrival(now);
            self.put(arrival, packet.clone());
        }
        self.put(arrival, packet);
        Fate::Delivered
    }

    fn arrival(&mut self, now: Instant) -> Instant {
        let jitter_us = u32::try_from(self.conditions.jitter.as_micros()).unwrap_or(u32::MAX);
        let jitter = self.random.u32() % jitter_us.max(1);
        now + self.conditions.delay + Duration::from_micros(u64::from(jitter))
    }

    fn put(&mut self, arrival: Instant, packet: Packet) {
        self.sent += 1;
        self.in_flight.insert((arrival, self.sent), packet);
    }

    /// When the next packet arrives.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.in_flight.keys().next().map(|&(arrival, _)| arrival)
    }

    /// The next packet that has arrived by `now`.
    pub fn receive(&mut self, now: Instant) -> Option<Packet> {
        let first = self.in_flight.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// Nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u8) -> Packet {
        Packet {
            from: ([192, 0, 2, 1], 5060).into(),
            to: ([192, 0, 2, 2], 5060).into(),
            bytes: Bytes::copy_from_slice(&[number]),
        }
    }

    /// What arrives of 200 packets sent at once, in order of arrival.
    fn arrivals(seed: u8, conditions: Conditions) -> Vec<u8> {
        let mut net = SimNet::new(seed, conditions);
        let start = SimNet::start();
        for number in 0..200 {
            net.send(packet(number), start);
        }
        let mut arrived = Vec::new();
        while let Some(now) = net.poll_timeout() {
            while let Some(packet) = net.receive(now) {
                arrived.push(packet.bytes[0]);
            }
        }
        assert!(net.is_empty());
        arrived
    }

    #[test]
    fn good_network_keeps_everything_in_order() {
        assert_eq!(arrivals(1, Conditions::GOOD), (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn same_seed_loses_and_reorders_the_same() {
        let bad = Conditions {
            delay: Duration::from_millis(5),
            jitter: Duration::from_millis(50),
            loss_per_mille: 300,
            duplicates_per_mille: 0,
        };
        let first = arrivals(7, bad);
        assert_eq!(first, arrivals(7, bad));
        assert_ne!(first, arrivals(8, bad));
        assert!((100..180).contains(&first.len()), "{}", first.len());
        assert!(!first.is_sorted());
    }

    #[test]
    fn some_arrive_twice() {
        let doubling = Conditions {
            duplicates_per_mille: 100,
            ..Conditions::GOOD
        };
        let arrived = arrivals(1, doubling);
        assert!((205..260).contains(&arrived.len()), "{}", arrived.len());
        assert!((0..200).all(|number| arrived.contains(&number)));
    }

    #[test]
    fn rule_loses_what_it_picks() {
        let mut net = SimNet::new(1, Conditions::GOOD);
        let start = SimNet::start();
        net.lose_if(|packet| packet.bytes[0] == 1);
        assert_eq!(net.send(packet(1), start), Fate::Lost);
        assert_eq!(net.send(packet(2), start), Fate::Delivered);
        net.lose_nothing_more();
        assert_eq!(net.send(packet(1), start), Fate::Delivered);
        assert_eq!(net.receive(start), None);
    }
}
