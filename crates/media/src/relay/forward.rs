//! What happens to a datagram, and what the relay sends of its own.

use std::net::SocketAddr;
use std::time::Instant;

use super::Relay;
use super::counts::DropReason;
use super::leg::Leg;
use super::place::{Component, LegId, Place};
use super::protection::PROTECTION_ROOM;
use crate::rtcp::{self, Due, Leaving, WallClock};
use crate::rtp::DatagramKind;
use stun::local_fragment;

/// What to do with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send the first `len` bytes of its buffer.
    Forward {
        /// Of the leg that it leaves by; from the RTP port.
        from: Place,
        /// Where to.
        to: SocketAddr,
        /// How long it is now.
        len: usize,
    },
    /// Nothing but what [`Relay::poll_output`] has now: it was for the relay itself, a report, a check or a handshake.
    Read,
    /// Nothing.
    Drop(DropReason),
}

/// A datagram of the relay's own: a report, the answer to a check, a part of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Of the leg that it leaves by.
    pub from: Place,
    /// From which port of that place.
    pub component: Component,
    /// Where to.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// Where a datagram came to, where from and when.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// At which ports of ours.
    pub place: Place,
    /// At which of them.
    pub component: Component,
    /// Who says to have sent it.
    pub source: SocketAddr,
    /// When.
    pub now: Instant,
}

impl Relay {
    /// Whose a datagram is, whether or not it is accepted.
    #[must_use]
    pub fn find(&self, arrival: &Arrival, datagram: &[u8]) -> Option<LegId> {
        self.owner(arrival, DatagramKind::of(datagram), datagram)
    }

    fn owner(&self, arrival: &Arrival, kind: DatagramKind, datagram: &[u8]) -> Option<LegId> {
        let at = match kind {
            DatagramKind::Stun => return self.keys.by_fragment(local_fragment(datagram)?),
            DatagramKind::Rtcp => 4,
            DatagramKind::Rtp => 8,
            DatagramKind::Dtls | DatagramKind::Other => usize::MAX,
        };
        let ssrc = || {
            let (bytes, _) = datagram.get(at..)?.split_first_chunk()?;
            Some(u32::from_be_bytes(*bytes))
        };
        self.keys
            .find(arrival.place, arrival.component, arrival.source, ssrc)
    }

    /// A datagram came: `buffer[..len]`, with [`PROTECTION_ROOM`] bytes behind it if any leg is secured. It is
    /// changed where it lies.
    pub fn handle(&mut self, arrival: &Arrival, buffer: &mut [u8], len: usize) -> Verdict {
        let verdict = self.judge(arrival, buffer, len);
        match verdict {
            Verdict::Forward { .. } => self.counts.forwarded += 1,
            Verdict::Read => {}
            Verdict::Drop(reason) => self.counts.note_drop(reason),
        }
        verdict
    }

    fn judge(&mut self, arrival: &Arrival, buffer: &mut [u8], len: usize) -> Verdict {
        let Some(datagram) = buffer.get(..len) else {
            return Verdict::Drop(DropReason::Malformed);
        };
        let kind = DatagramKind::of(datagram);
        if kind == DatagramKind::Other {
            return Verdict::Drop(DropReason::Malformed);
        }
        let Some(id) = self.owner(arrival, kind, datagram) else {
            return Verdict::Drop(DropReason::Unknown);
        };
        match kind {
            DatagramKind::Rtp if arrival.component == Component::Rtp => {
                self.handle_rtp(id, arrival, buffer, len)
            }
            DatagramKind::Rtp | DatagramKind::Rtcp => self.handle_rtcp(id, arrival, buffer, len),
            DatagramKind::Stun => self.handle_check(id, arrival, datagram),
            DatagramKind::Dtls => self.handle_handshake(id, arrival, datagram),
            DatagramKind::Other => Verdict::Drop(DropReason::Malformed),
        }
    }

    /// STUN that names this leg: answered if its party made it.
    fn handle_check(&mut self, id: LegId, arrival: &Arrival, datagram: &[u8]) -> Verdict {
        let leg = self.table.call_mut(id.call);
        let Some(leg) = leg.and_then(|call| call.leg_mut(id)) else {
            return Verdict::Drop(DropReason::Unknown);
        };
        let Arrival {
            component,
            source,
            now,
            ..
        } = *arrival;
        // The name of a leg counts at its own ports alone.
        let checked = match leg.place == arrival.place {
            true => leg.check(component, source, datagram, now),
            false => None,
        };
        let Some(checked) = checked else {
            leg.datagrams_dropped += 1;
            return Verdict::Drop(DropReason::NotAuthentic);
        };
        self.counts.checks_answered += 1;
        self.outgoing.push_back(Outgoing {
            from: leg.place,
            component,
            to: source,
            bytes: checked.answer,
        });
        if checked.is_news {
            self.keys.renew(id, leg);
            self.drive_handshake(id, now);
        }
        Verdict::Read
    }

    /// DTLS: only from where the party is, and on the port of RTP.
    fn handle_handshake(&mut self, id: LegId, arrival: &Arrival, datagram: &[u8]) -> Verdict {
        let leg = self.table.call_mut(id.call);
        let Some(leg) = leg.and_then(|call| call.leg_mut(id)) else {
            return Verdict::Drop(DropReason::Unknown);
        };
        let is_its = arrival.component == Component::Rtp && leg.expects(arrival.source);
        let (true, Some(handshake)) = (is_its, &mut leg.handshake) else {
            leg.datagrams_dropped += 1;
            return Verdict::Drop(DropReason::WrongSource);
        };
        handshake.handle_datagram(datagram, arrival.now);
        self.drive_handshake(id, arrival.now);
        Verdict::Read
    }

    /// Begins a leg's handshake, if it has one to begin and it is known with whom; sends what is due; takes the keys.
    pub(super) fn drive_handshake(&mut self, id: LegId, now: Instant) {
        let leg = self.table.call_mut(id.call);
        let Some(leg) = leg.and_then(|call| call.leg_mut(id)) else {
            return;
        };
        let (place, target) = (leg.place, leg.target(now));
        let (Some(to), Some(handshake)) = (target, &mut leg.handshake) else {
            return;
        };
        if let Some(at) = handshake.noted.take() {
            self.handshakes.remove(&(at, id));
        }
        let keys = handshake.advance(now);
        while let Some(bytes) = handshake.poll_output() {
            self.outgoing.push_back(Outgoing {
                from: place,
                component: Component::Rtp,
                to,
                bytes,
            });
        }
        handshake.noted = handshake.poll_timeout();
        if let Some(at) = handshake.noted {
            self.handshakes.insert((at, id));
        }
        if let Some(keys) = keys {
            leg.set_protection(Some(keys));
        }
    }

    fn handle_rtp(
        &mut self,
        id: LegId,
        arrival: &Arrival,
        buffer: &mut [u8],
        len: usize,
    ) -> Verdict {
        let Some(call) = self.table.call_mut(id.call) else {
            return Verdict::Drop(DropReason::Unknown);
        };
        let tap = &mut call.tap.take();
        let Some((leg, other)) = call.legs_mut(id) else {
            return Verdict::Drop(DropReason::Unknown);
        };
        let accepted = match other.peer() {
            Some(_) => leg.accept(arrival.source, buffer, len, arrival.now),
            None => Err(DropReason::NotAnswered),
        };
        let verdict = accepted.and_then(|accepted| {
            if accepted.is_first {
                self.keys.renew(id, leg);
            }
            if let Some(tap) = tap {
                tap.packet(id, &buffer[..accepted.len], arrival.now);
            }
            other.send(accepted, buffer, arrival.now)
        });
        let verdict = match verdict {
            Ok((to, len)) => Verdict::Forward {
                from: other.place,
                to,
                len,
            },
            Err(reason) => {
                leg.datagrams_dropped += 1;
                Verdict::Drop(reason)
            }
        };
        call.tap = tap.take();
        verdict
    }

    fn handle_rtcp(
        &mut self,
        id: LegId,
        arrival: &Arrival,
        buffer: &mut [u8],
        len: usize,
    ) -> Verdict {
        let Some(leg) = self
            .table
            .call_mut(id.call)
            .and_then(|call| call.leg_mut(id))
        else {
            return Verdict::Drop(DropReason::Unknown);
        };
        match leg.read_rtcp(arrival.source, buffer, len, arrival.now) {
            Ok(is_new_source) => {
                if is_new_source {
                    self.keys.renew(id, leg);
                }
                self.counts.reports_read += 1;
                Verdict::Read
            }
            Err(reason) => {
                leg.datagrams_dropped += 1;
                Verdict::Drop(reason)
            }
        }
    }

    /// When to call [`Relay::handle_timeout`] next, if ever.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let reports = self.deadlines.first();
        let handshakes = self.handshakes.first();
        let next = reports.into_iter().chain(handshakes);
        next.map(|(at, _)| *at).min()
    }

    /// Writes the reports that are due, repeats what was not answered in handshakes. Afterwards the next deadline is later than `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, id)) = self.handshakes.first().copied()
            && at <= now
        {
            self.handshakes.pop_first();
            self.drive_handshake(id, now);
        }
        while let Some((at, id)) = self.deadlines.first().copied()
            && at <= now
        {
            self.deadlines.pop_first();
            let Some(call) = self.table.call_mut(id.call) else {
                continue;
            };
            let name = call.names[id.side.other().index()];
            let Some((leg, far)) = call.legs_mut(id) else {
                continue;
            };
            if leg.reporter.expire(now) == Due::Send
                && let Some(report) = report_to(leg, far, name, &self.clock, now)
            {
                self.counts.reports_written += 1;
                self.outgoing.push_back(report);
            }
            self.deadlines.insert((leg.reporter.deadline(), id));
        }
    }

    /// The next datagram of our own to send.
    pub fn poll_output(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }
}

/// The report to a leg's party, named and protected; `None` if there is nobody to send it to.
fn report_to(
    leg: &mut Leg,
    far: &Leg,
    name: [u8; 12],
    clock: &WallClock,
    now: Instant,
) -> Option<Outgoing> {
    let (component, to) = leg.rtcp_target(now).filter(|_| leg.is_alive())?;
    let rate_hz = far.peer().map_or(0, |peer| peer.clock_rate_hz);
    let report = leg
        .reporter
        .write(leg.source.as_mut(), &far.reporter, rate_hz, clock, now);
    let mut bytes = rtcp::write(&report, &canonical_name(name), Leaving::No).ok()?;
    let plain = bytes.len();
    leg.reporter.note_size(plain);
    bytes.resize(plain + PROTECTION_ROOM, 0);
    let len = leg.protect_rtcp(&mut bytes, plain)?;
    bytes.truncate(len);
    Some(Outgoing {
        from: leg.place,
        component,
        to,
        bytes,
    })
}

/// 96 bits that tell nothing of their owner (RFC 7022 section 4.2).
fn canonical_name(name: [u8; 12]) -> String {
    name.iter().map(|byte| format!("{byte:02x}")).collect()
}
