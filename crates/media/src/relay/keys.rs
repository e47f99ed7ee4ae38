//! Whose a datagram is: legs by what it tells of itself (docs/decisions/0018).
//!
//! On a pair of its own a leg is known by the port. On the shared pair it is known by the address that
//! its packets come from, announced or proven, for RTP and RTCP apart; and by the SSRC that its description announced, where the
//! address is nobody's or that of several. A STUN request is known by the user name fragment in it, on any port, and
//! what it proves is stronger than what others announced.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;

use super::leg::Leg;
use super::place::{Component, LegId, Pair, Place};

/// See the module header.
#[derive(Default)]
pub(super) struct Keys {
    by_source: HashMap<(u8, Component, SocketAddr), Owner>,
    by_ssrc: HashMap<(u8, u32), LegId>,
    by_port: HashMap<(u8, u16), LegId>,
    by_fragment: HashMap<Box<str>, LegId>,
}

struct Owner {
    leg: LegId,
    /// By a check that only the party could make.
    is_proven: bool,
    /// Others announced the same address and are told from this one by their SSRC.
    is_contested: bool,
}

/// What a leg is found by at present.
#[derive(Default)]
pub(super) struct LegKeys {
    sources: Vec<(Component, SocketAddr)>,
    ssrc: Option<u32>,
    fragment: Option<Box<str>>,
}

impl Keys {
    /// `ssrc` is asked for only if it matters.
    pub(super) fn find(
        &self,
        place: Place,
        component: Component,
        source: SocketAddr,
        ssrc: impl FnOnce() -> Option<u32>,
    ) -> Option<LegId> {
        let interface = place.interface;
        if let Pair::Own(port) = place.pair {
            return self.by_port.get(&(interface, port)).copied();
        }
        let by_ssrc = |ssrc| self.by_ssrc.get(&(interface, ssrc)).copied();
        let by_source = |component| self.by_source.get(&(interface, component, source));
        // Some send reports to our port for them from the one that they send media from.
        match by_source(component).or_else(|| by_source(Component::Rtp)) {
            Some(owner) if !owner.is_contested => Some(owner.leg),
            Some(owner) => ssrc().and_then(by_ssrc).or(Some(owner.leg)),
            None => ssrc().and_then(by_ssrc),
        }
    }

    /// Whose a STUN request is.
    pub(super) fn by_fragment(&self, fragment: &str) -> Option<LegId> {
        self.by_fragment.get(fragment).copied()
    }

    /// Whether nobody has that pair yet.
    pub(super) fn is_free(&self, place: Place) -> bool {
        match place.pair {
            Pair::Shared => true,
            Pair::Own(port) => !self.by_port.contains_key(&(place.interface, port)),
        }
    }

    /// Whether media from `source` would be taken for another leg's, if it could not be told by its SSRC.
    pub(super) fn is_ambiguous(
        &self,
        by: LegId,
        interface: u8,
        source: SocketAddr,
        ssrc: Option<u32>,
    ) -> bool {
        let owner = self.by_source.get(&(interface, Component::Rtp, source));
        let is_taken = owner.is_some_and(|owner| owner.leg != by);
        let is_told_apart = ssrc.is_some_and(|ssrc| {
            let known = self.by_ssrc.get(&(interface, ssrc));
            known.is_none_or(|known| *known == by)
        });
        is_taken && !is_told_apart
    }

    /// Puts in what the leg can be found by now, takes out what it was found by before.
    pub(super) fn renew(&mut self, id: LegId, leg: &mut Leg) {
        self.remove(id, leg);
        if let Some(fragment) = leg.fragment() {
            self.by_fragment.insert(fragment.into(), id);
            leg.keys.fragment = Some(fragment.into());
        }
        let interface = leg.place.interface;
        if let Pair::Own(port) = leg.place.pair {
            self.by_port.insert((interface, port), id);
            return;
        }
        let is_proven = leg.fragment().is_some();
        for (component, source) in leg.addresses() {
            if self.own(id, (interface, component, source), is_proven) {
                leg.keys.sources.push((component, source));
            }
        }
        let announced = leg.peer().and_then(|peer| peer.ssrc);
        leg.keys.ssrc = announced.filter(|ssrc| {
            let owner = *self.by_ssrc.entry((interface, *ssrc)).or_insert(id);
            owner == id
        });
    }

    /// Whether the address is this leg's from now on.
    fn own(&mut self, id: LegId, key: (u8, Component, SocketAddr), is_proven: bool) -> bool {
        let mine = Owner {
            leg: id,
            is_proven,
            is_contested: false,
        };
        match self.by_source.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(mine);
                true
            }
            Entry::Occupied(entry) if entry.get().leg == id => false,
            Entry::Occupied(mut entry) if is_proven && !entry.get().is_proven => {
                entry.insert(mine);
                true
            }
            Entry::Occupied(mut entry) => {
                let owner = entry.get_mut();
                // An announcement takes nothing from who has proven to be there.
                owner.is_contested |= is_proven || !owner.is_proven;
                false
            }
        }
    }

    /// Takes out what the leg is found by.
    pub(super) fn remove(&mut self, id: LegId, leg: &mut Leg) {
        let interface = leg.place.interface;
        if let Pair::Own(port) = leg.place.pair {
            self.by_port.remove(&(interface, port));
        }
        let LegKeys {
            sources,
            ssrc,
            fragment,
        } = std::mem::take(&mut leg.keys);
        for (component, source) in sources {
            // Another leg may have proven since that it is there.
            let key = (interface, component, source);
            if self
                .by_source
                .get(&key)
                .is_some_and(|owner| owner.leg == id)
            {
                self.by_source.remove(&key);
            }
        }
        if let Some(ssrc) = ssrc {
            self.by_ssrc.remove(&(interface, ssrc));
        }
        if let Some(fragment) = fragment {
            self.by_fragment.remove(&fragment);
        }
    }

    /// How many keys there are; none once every call has ended.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_source.len() + self.by_ssrc.len() + self.by_port.len() + self.by_fragment.len()
    }
}
