//! The calls by name. Their number is bounded by the relay, that of the streams of each by [`MAX_STREAMS`].

use super::leg::Leg;
use super::place::{CallId, LegId, Side};
use super::tap::Tap;

/// Streams of one call: so many `m=` lines are relayed.
pub const MAX_STREAMS: usize = 8;

/// One call.
pub(super) struct Call {
    /// Each stream has the legs of caller and callee.
    pub(super) streams: Vec<[Leg; 2]>,
    pub(super) tap: Option<Box<dyn Tap>>,
    /// Canonical names that stand for caller and callee in RTCP (RFC 7022), the same for all streams.
    pub(super) names: [[u8; 12]; 2],
}

#[derive(Default)]
struct Slot {
    generation: u32,
    call: Option<Box<Call>>,
}

/// See the module header.
#[derive(Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    vacant: Vec<u32>,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.vacant.len()
    }

    pub(super) fn insert(&mut self, call: Call) -> CallId {
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).expect("fewer calls than 2^32")
        });
        let place = &mut self.slots[slot as usize];
        place.call = Some(Box::new(call));
        CallId {
            slot,
            generation: place.generation,
        }
    }

    pub(super) fn remove(&mut self, id: CallId) -> Option<Box<Call>> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        let call = slot.call.take_if(|_| slot.generation == id.generation)?;
        slot.generation = id.generation.wrapping_add(1);
        self.vacant.push(id.slot);
        Some(call)
    }

    pub(super) fn call(&self, id: CallId) -> Option<&Call> {
        let slot = self.slots.get(id.slot as usize)?;
        let call = slot.call.as_deref()?;
        (slot.generation == id.generation).then_some(call)
    }

    pub(super) fn call_mut(&mut self, id: CallId) -> Option<&mut Call> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        let call = slot.call.as_deref_mut()?;
        (slot.generation == id.generation).then_some(call)
    }
}

impl Call {
    /// A leg of the call, and the other one of its stream.
    pub(super) fn legs_mut(&mut self, id: LegId) -> Option<(&mut Leg, &mut Leg)> {
        let [caller, callee] = self.streams.get_mut(usize::from(id.stream))?;
        Some(match id.side {
            Side::Caller => (caller, callee),
            Side::Callee => (callee, caller),
        })
    }

    pub(super) fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        self.legs_mut(id).map(|(leg, _)| leg)
    }
}
