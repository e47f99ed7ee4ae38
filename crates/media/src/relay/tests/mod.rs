//! The relay in simulated time.

mod bounds;
mod handshake;
mod ice;
mod latching;
mod reporters;
mod reports;
mod secured;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::*;
use crate::rtp::RtpPacket;

const CALLER: &str = "192.0.2.1:4000";
const CALLEE: &str = "192.0.2.2:5000";
const STRANGER: &str = "203.0.113.9:4000";
const TRANSLATED: &str = "198.51.100.7:61000";

const SHARED: Place = Place {
    interface: 0,
    pair: Pair::Shared,
};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn own(port: u16) -> Place {
    Place {
        interface: 0,
        pair: Pair::Own(port),
    }
}

/// A relay and its clock.
struct Rig {
    relay: Relay,
    now: Instant,
    clock: WallClock,
}

impl Rig {
    fn new() -> Self {
        Self::with_room_for(100)
    }

    fn with_room_for(max_calls: usize) -> Self {
        let now = crate::any_instant();
        let config = RelayConfig {
            max_calls,
            seed: [7; 32],
            since_unix_epoch: Duration::from_secs(1_000),
        };
        Self {
            relay: Relay::new(&config, now),
            now,
            clock: WallClock::new(now, config.since_unix_epoch),
        }
    }

    /// A call of one stream that is not answered yet.
    fn offered(&mut self, places: [Place; 2]) -> [LegId; 2] {
        let call = self.relay.create_call().unwrap();
        let stream = self.relay.add_stream(call, places, self.now).unwrap();
        [Side::Caller, Side::Callee].map(|side| LegId { call, stream, side })
    }

    /// A call whose parties announced [`CALLER`] and [`CALLEE`].
    fn answered(&mut self, places: [Place; 2]) -> [LegId; 2] {
        let legs = self.offered(places);
        self.announce(legs[0], CALLER).unwrap();
        self.announce(legs[1], CALLEE).unwrap();
        legs
    }

    fn announce(&mut self, leg: LegId, rtp: &str) -> Result<(), RelayError> {
        self.relay
            .announce(leg, Peer::at(address(rtp), 8_000), self.now)
    }

    fn announce_ssrc(&mut self, leg: LegId, rtp: &str, ssrc: u32) -> Result<(), RelayError> {
        let peer = Peer {
            ssrc: Some(ssrc),
            ..Peer::at(address(rtp), 8_000)
        };
        self.relay.announce(leg, peer, self.now)
    }

    fn arrives(
        &mut self,
        place: Place,
        component: Component,
        source: &str,
        bytes: &[u8],
    ) -> Verdict {
        let arrival = Arrival {
            place,
            component,
            source: address(source),
            now: self.now,
        };
        let mut buffer = bytes.to_vec();
        buffer.resize(bytes.len() + PROTECTION_ROOM, 0);
        let verdict = self.relay.handle(&arrival, &mut buffer, bytes.len());
        if let Verdict::Forward { len, .. } = verdict {
            assert_eq!(buffer[..len], *bytes, "plain RTP passes as it comes");
        }
        verdict
    }

    /// RTP of 20 ms at the shared port.
    fn rtp(&mut self, source: &str, ssrc: u32, sequence: u16) -> Verdict {
        self.rtp_at(SHARED, source, ssrc, sequence)
    }

    fn rtp_at(&mut self, place: Place, source: &str, ssrc: u32, sequence: u16) -> Verdict {
        let bytes = rtp(ssrc, sequence);
        self.arrives(place, Component::Rtp, source, &bytes)
    }

    fn passes(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }
}

fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut out = [0; 200];
    let packet = RtpPacket {
        payload_type: 0,
        marker: false,
        sequence,
        timestamp: u32::from(sequence) * 160,
        ssrc,
        payload: &[0x55; 160],
    };
    let len = packet.write(&mut out).unwrap();
    out[..len].to_vec()
}

/// What a forwarded packet looks like.
fn to(from: Place, to: &str) -> Verdict {
    Verdict::Forward {
        from,
        to: address(to),
        len: 172,
    }
}

const fn dropped(reason: DropReason) -> Verdict {
    Verdict::Drop(reason)
}
