//! What comes in by the port: of servers, of the peer's agent, media, or nothing of ours.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Instant;

use is::Protocol;
use is::stun::{StunMessage, StunPacket};

use super::Ice;
use crate::turn::TurnReceived;

/// What a datagram was.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// Between a server or the peer's agent and us; it is dealt with.
    Taken,
    /// Media from an address that a check has proven.
    Media {
        /// The peer's address.
        peer: SocketAddr,
        /// The datagram, as the peer sent it.
        bytes: Cow<'a, [u8]>,
    },
    /// From nobody we know, or forged.
    Dropped,
}

impl Ice {
    /// A datagram came in, whatever it is.
    pub fn handle_datagram<'a>(
        &mut self,
        datagram: &'a [u8],
        source: SocketAddr,
        now: Instant,
    ) -> Incoming<'a> {
        let incoming = self.judge(datagram, source, now);
        if matches!(incoming, Incoming::Taken) {
            self.look(now);
        }
        incoming
    }

    fn judge<'a>(&mut self, datagram: &'a [u8], source: SocketAddr, now: Instant) -> Incoming<'a> {
        if let Some(turn) = &mut self.turn
            && turn.server() == source
        {
            let relayed = turn.relayed();
            match (turn.handle_datagram(datagram, now), relayed) {
                (TurnReceived::Data { peer, bytes }, Some(relayed)) => {
                    return self.judge_peer(bytes, peer, relayed, now);
                }
                (TurnReceived::Data { .. }, None) => return Incoming::Dropped,
                (TurnReceived::Taken, _) => return Incoming::Taken,
                (TurnReceived::Foreign, _) => {}
            }
        }
        if let Some(binding) = &mut self.binding
            && binding.server() == source
            && binding.handle_datagram(datagram, now)
        {
            return Incoming::Taken;
        }
        self.judge_peer(datagram.into(), source, self.host, now)
    }

    fn judge_peer<'a>(
        &mut self,
        bytes: Cow<'a, [u8]>,
        source: SocketAddr,
        destination: SocketAddr,
        now: Instant,
    ) -> Incoming<'a> {
        // RFC 7983: 0 to 3 is STUN.
        if bytes.first().is_some_and(|first| *first > 3) {
            // After a restart the path goes on until there is another.
            let is_path = self.remote() == Some(source);
            return if is_path || self.agent.has_viable_remote_candidate(source) {
                Incoming::Media {
                    peer: source,
                    bytes,
                }
            } else {
                Incoming::Dropped
            };
        }
        let Ok(message) = StunMessage::parse(&bytes) else {
            return Incoming::Dropped;
        };
        // The agent would look for the peer's password.
        if !message.is_binding_request() && self.agreement.is_none() {
            return Incoming::Dropped;
        }
        let is_success = message.is_successful_binding_response();
        let packet = StunPacket {
            proto: Protocol::Udp,
            source,
            destination,
            message,
        };
        if !self.agent.with(|agent| agent.handle_packet(now, packet)) {
            return Incoming::Dropped;
        }
        // Any pair that works may be used until one is nominated (RFC 8445 section 12.1).
        if is_success && self.path.is_none() && self.agent.has_viable_remote_candidate(source) {
            self.take_path(destination, source, now);
        }
        Incoming::Taken
    }
}
