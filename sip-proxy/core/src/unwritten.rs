//! Addresses-of-record whose bindings have changed and are to be written when nobody waits for it.
//!
//! Most of them have bindings and are known by their slot, so that a change costs a bit and no comparison of texts; of those without the
//! text is kept. A slot that has been given to another address meanwhile is written once more than needed.
//!
//! A binding that has merely been renewed does with the row as it was written as long as that has half of the time left that the binding has:
//! it is put off, and many renewals become one row.
//!
//! Invariants: a slot that is marked is queued; an address is among those without bindings only while it has none.
//!
//! Not here: when they are written, and for how long renewals are put off (`commit.rs`).

use std::collections::{BTreeSet, VecDeque};

use sip::Aor;

use crate::binding::Bindings;

/// What is to be written, the longest waiting first.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    /// Slots, also some that are marked no more.
    queue: VecDeque<u32>,
    /// Those that are to be written.
    marked: Slots,
    /// Those whose row does for a while.
    renewed: Slots,
    /// When the row of each slot ends, as far as that has been said; zero otherwise.
    row_ends: Vec<u32>,
    /// Addresses-of-record that have no bindings any more.
    ended: BTreeSet<Aor>,
}

/// A binding that begins anew, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renewal {
    pub(crate) now: u32,
    pub(crate) expires: u32,
}

/// What is to be written now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) aor: Aor,
    /// Where its bindings lie, if it has any.
    pub(crate) slot: Option<u32>,
}

impl Unwritten {
    /// How many are to be written.
    pub(crate) fn len(&self) -> usize {
        self.marked.len + self.ended.len()
    }

    /// Whether nothing is to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether renewals have been put off.
    pub(crate) fn has_renewals(&self) -> bool {
        self.renewed.len > 0
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
        self.mark(slot);
    }

    /// Of the bindings of `aor`, which lie in this slot, only the end is not what is written.
    pub(crate) fn note_renewal(&mut self, slot: u32, aor: &Aor, renewal: Renewal) {
        match self.row_does(slot, renewal) {
            true => {
                self.renewed.insert(slot);
            }
            false => self.note_slot(slot, aor),
        }
    }

    /// Whether what is written of a slot promises no more than the renewed binding, and half of it at least.
    fn row_does(&self, slot: u32, Renewal { now, expires }: Renewal) -> bool {
        let row_ends = self.row_ends.get(index(slot)).copied().unwrap_or(0);
        let half = expires.saturating_sub(now) / 2;
        row_ends <= expires && row_ends.saturating_sub(now) >= half.max(1)
    }

    /// What has been put off is to be written, too.
    pub(crate) fn take_up_renewals(&mut self) {
        for slot in self.renewed.drain() {
            self.mark(slot);
        }
    }

    /// The row of a slot is being written, and ends then.
    pub(crate) fn write(&mut self, slot: u32, ends: u32) {
        if index(slot) >= self.row_ends.len() {
            self.row_ends.resize(index(slot) + 1, 0);
        }
        self.row_ends[index(slot)] = ends;
    }

    /// The bindings of `aor` are being written anyway.
    pub(crate) fn forget(&mut self, aor: &Aor, bindings: &Bindings) {
        self.ended.remove(aor);
        if let Some(slot) = bindings.slot_of(aor) {
            self.marked.remove(slot);
            self.renewed.remove(slot);
        }
    }

    /// Takes the next address-of-record out.
    pub(crate) fn pop(&mut self, bindings: &Bindings) -> Option<Next> {
        while let Some(slot) = self.queue.pop_front() {
            self.renewed.remove(slot);
            // A slot that is free now was noted as ended.
            if self.marked.remove(slot)
                && let Some(aor) = bindings.aor(slot)
            {
                let slot = Some(slot);
                return Some(Next { aor, slot });
            }
        }
        let aor = self.ended.pop_first()?;
        Some(Next { aor, slot: None })
    }

    fn mark(&mut self, slot: u32) {
        if self.marked.insert(slot) {
            self.queue.push_back(slot);
        }
    }
}

/// A set of slots: a bit for each.
#[derive(Debug, Default)]
struct Slots {
    words: Vec<u64>,
    len: usize,
}

impl Slots {
    /// Whether it was not in the set.
    fn insert(&mut self, slot: u32) -> bool {
        let (word, bit) = place(slot);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.len += usize::from(is_new);
        is_new
    }

    /// Whether it was in the set.
    fn remove(&mut self, slot: u32) -> bool {
        let (word, bit) = place(slot);
        let Some(word) = self.words.get_mut(word).filter(|word| **word & bit != 0) else {
            return false;
        };
        *word &= !bit;
        self.len -= 1;
        true
    }

    /// Empties the set.
    fn drain(&mut self) -> impl Iterator<Item = u32> + use<> {
        self.len = 0;
        let words = std::mem::take(&mut self.words);
        let bits = |(first, word): (u32, u64)| {
            (0..u64::BITS)
                .filter(move |bit| word & (1 << bit) != 0)
                .map(move |bit| first + bit)
        };
        (0..).step_by(64).zip(words).flat_map(bits)
    }
}

fn index(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

/// Word and bit of a slot.
fn place(slot: u32) -> (usize, u64) {
    (index(slot / u64::BITS), 1 << (slot % u64::BITS))
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
        let next = std::iter::from_fn(|| unwritten.pop(bindings));
        next.map(|next| next.aor).collect()
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

    #[test]
    fn a_renewal_is_put_off_while_the_row_has_half_of_its_time_and_no_more() {
        let (mut bindings, mut unwritten) = (Bindings::default(), Unwritten::default());
        bind(&mut bindings, &aor("a"));
        let slot = bindings.slot_of(&aor("a")).unwrap();
        let mut renew = |row_ends, now, expires| {
            unwritten.write(slot, row_ends);
            unwritten.note_renewal(slot, &aor("a"), Renewal { now, expires });
            let put_off = unwritten.has_renewals();
            unwritten.take_up_renewals();
            assert_eq!(drained(&mut unwritten, &bindings), [aor("a")]);
            put_off
        };
        assert!(renew(3_600, 0, 3_600) && renew(3_600, 1_200, 4_800));
        assert!(!renew(3_600, 1_801, 5_401));
        assert!(
            !renew(3_600, 10, 70),
            "the row must not outlive the binding"
        );
        assert!(!renew(0, 0, 1) && !renew(5, 5, 6), "over or never written");
    }

    #[test]
    fn what_is_written_for_another_reason_is_put_off_no_more() {
        let (mut bindings, mut unwritten) = (Bindings::default(), Unwritten::default());
        for user in ["a", "b"] {
            bind(&mut bindings, &aor(user));
            let slot = bindings.slot_of(&aor(user)).unwrap();
            unwritten.write(slot, 3_601);
            let renewal = Renewal {
                now: 1,
                expires: 3_602,
            };
            unwritten.note_renewal(slot, &aor(user), renewal);
            assert!(unwritten.is_empty());
        }
        unwritten.note(&aor("a"), &bindings);
        assert_eq!(drained(&mut unwritten, &bindings), [aor("a")]);
        unwritten.forget(&aor("b"), &bindings);
        assert!(!unwritten.has_renewals());
    }
}
