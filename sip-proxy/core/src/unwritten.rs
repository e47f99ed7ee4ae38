//! Addresses-of-record whose bindings have changed and are to be written when nobody waits for it.
//!
//! Most of them have bindings and are known by their slot, so that a change costs a bit and no comparison of texts; of those without the
//! text is kept. A slot that has been given to another address meanwhile is written once more than needed.
//!
//! Invariants: a slot that is marked is queued; an address is among those without bindings only while it has none.
//!
//! Not here: when they are written (`commit.rs`).

use std::collections::{BTreeSet, VecDeque};

use sip::Aor;

use crate::binding::Bindings;

/// What is to be written, the longest waiting first.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    /// Slots, also some that are marked no more.
    queue: VecDeque<u32>,
    /// A bit for each slot that is to be written.
    marks: Vec<u64>,
    marked: usize,
    /// Addresses-of-record that have no bindings any more.
    ended: BTreeSet<Aor>,
}

impl Unwritten {
    /// How many are to be written.
    pub(crate) fn len(&self) -> usize {
        self.marked + self.ended.len()
    }

    /// Whether nothing is to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.marked == 0 && self.ended.is_empty()
    }

    /// The bindings of `aor` are not what is written.
    pub(crate) fn note(&mut self, aor: &Aor, bindings: &Bindings) {
        let Some(slot) = bindings.slot_of(aor) else {
            self.ended.insert(aor.clone());
            return;
        };
        self.note_slot(slot, aor);
    }

    /// The bindings of `aor`, which lie in this slot, are not what is written.
    pub(crate) fn note_slot(&mut self, slot: u32, aor: &Aor) {
        self.ended.remove(aor);
        let (word, bit) = place(slot);
        if word >= self.marks.len() {
            self.marks.resize(word + 1, 0);
        }
        if self.marks[word] & bit == 0 {
            self.marks[word] |= bit;
            self.marked += 1;
            self.queue.push_back(slot);
        }
    }

    /// The bindings of `aor` are being written anyway.
    pub(crate) fn forget(&mut self, aor: &Aor, bindings: &Bindings) {
        self.ended.remove(aor);
        if let Some(slot) = bindings.slot_of(aor) {
            self.unmark(slot);
        }
    }

    /// Takes the next address-of-record out.
    pub(crate) fn pop(&mut self, bindings: &Bindings) -> Option<Aor> {
        while let Some(slot) = self.queue.pop_front() {
            // A slot that is free now was noted as ended.
            if self.unmark(slot)
                && let Some(aor) = bindings.aor(slot)
            {
                return Some(aor);
            }
        }
        self.ended.pop_first()
    }

    /// Takes the mark of a slot away; whether it had one.
    fn unmark(&mut self, slot: u32) -> bool {
        let (word, bit) = place(slot);
        let Some(word) = self.marks.get_mut(word).filter(|word| **word & bit != 0) else {
            return false;
        };
        *word &= !bit;
        self.marked -= 1;
        true
    }
}

/// Word and bit of a slot.
fn place(slot: u32) -> (usize, u64) {
    let word = usize::try_from(slot / u64::BITS).unwrap_or(usize::MAX);
    (word, 1 << (slot % u64::BITS))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use sip::{Destination, Flow, Transport};

    use super::*;
    use crate::bound::Edit;
    use crate::record::NewBinding;

    fn aor(user: &str) -> Aor {
        Aor::parse(&format!("sip:{user}@acme.test")).unwrap()
    }

    fn bind(bindings: &mut Bindings, aor: &Aor) {
        let flow = Flow {
            transport: Transport::Udp,
            local: SocketAddr::from(([192, 0, 2, 1], 5060)),
            peer: SocketAddr::from(([192, 0, 2, 2], 5060)),
            generation: 0,
        };
        let binding = NewBinding {
            contact: "<sip:phone@192.0.2.2>",
            uri: "sip:phone@192.0.2.2",
            instance: "",
            reg_id: 0,
            is_outbound: false,
            q_thousandths: 1_000,
            call_id: "4711",
            cseq: 1,
            path: "",
            user_agent: "",
            reached_by: Destination::Flow(flow),
            updated: 1,
            expires: 3_601,
        };
        bindings.apply(aor, &[Edit::Put(binding.pack().unwrap())]);
    }

    fn drained(unwritten: &mut Unwritten, bindings: &Bindings) -> Vec<Aor> {
        std::iter::from_fn(|| unwritten.pop(bindings)).collect()
    }

    #[test]
    fn who_changes_often_is_written_once_and_in_turn() {
        let (mut bindings, mut unwritten) = (Bindings::default(), Unwritten::default());
        for user in ["b", "a"] {
            bind(&mut bindings, &aor(user));
        }
        for user in ["b", "a", "b"] {
            unwritten.note(&aor(user), &bindings);
        }
        assert_eq!(drained(&mut unwritten, &bindings), [aor("b"), aor("a")]);
        assert!(unwritten.is_empty());
    }

    #[test]
    fn who_ends_is_written_though_another_has_got_the_slot() {
        let (mut bindings, mut unwritten) = (Bindings::default(), Unwritten::default());
        bind(&mut bindings, &aor("a"));
        unwritten.note(&aor("a"), &bindings);
        bindings.remove_all(&aor("a"));
        unwritten.note(&aor("a"), &bindings);
        bind(&mut bindings, &aor("b"));
        unwritten.note(&aor("b"), &bindings);
        assert_eq!(drained(&mut unwritten, &bindings), [aor("b"), aor("a")]);
    }

    #[test]
    fn who_comes_back_is_not_written_as_ended_too() {
        let (mut bindings, mut unwritten) = (Bindings::default(), Unwritten::default());
        unwritten.note(&aor("a"), &bindings);
        bind(&mut bindings, &aor("a"));
        unwritten.note(&aor("a"), &bindings);
        assert_eq!(drained(&mut unwritten, &bindings), [aor("a")]);
        assert!(unwritten.is_empty());
    }

    #[test]
    fn what_is_written_anyway_is_not_written_again() {
        let (mut bindings, mut unwritten) = (Bindings::default(), Unwritten::default());
        bind(&mut bindings, &aor("a"));
        for user in ["a", "gone"] {
            unwritten.note(&aor(user), &bindings);
            unwritten.forget(&aor(user), &bindings);
        }
        assert!(unwritten.is_empty());
        unwritten.note(&aor("a"), &bindings);
        assert_eq!(drained(&mut unwritten, &bindings), [aor("a")]);
    }
}
