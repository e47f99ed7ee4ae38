//! Bindings: where the devices of each address-of-record are reached right now (RFC 3261, section 10; the location service).
//!
//! What is bound to one address (`bound.rs`) lies in a slot, in few bytes (`shelved.rs`). Every slot that has bindings is in the wheel at
//! the second `wake`, at which it is looked at: its first binding ends then or, if that was refreshed meanwhile, the slot moves on. So a
//! refresh does not touch the wheel.
//!
//! Invariants: a slot with bindings stands in the index once, with the handle that it has in `slots`, and in the wheel at its `wake`,
//! which is not later than its first expiry.
//!
//! Not here: what a REGISTER may do to the table (`registrar.rs`), what is written when (`commit.rs`), who is rung (`routing.rs`).

mod renewal;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sip::{Aor, Destination, Flow};

use crate::bound::{Binding, Edit, Record, VERSION, address_in, bindings_in, edited};
use crate::effect::Located;
use crate::index::{Found, Index, MAX_SLOTS};
use crate::names::Names;
use crate::record::BindingRef;
use crate::redial::{after_restart, without_connection};
use crate::row::{Blocks, Row};
use crate::sharing::Share;
use crate::shelf::{Handle, Shelf};
use crate::shelved::{self, Key, Spare};

pub(crate) use renewal::Renewed;

/// What a change has come to.
#[derive(Debug)]
pub(crate) struct Changed {
    /// Whether a binding has begun or ended, rather than merely been refreshed.
    pub(crate) is_news: bool,
    pub(crate) after: Record,
}

/// All bindings, by address-of-record, by expiry and by connection.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    slots: Vec<Option<Handle>>,
    free: Vec<u32>,
    shelf: Shelf,
    names: Names,
    index: Index,
    /// Slots by the second at which they are looked at.
    wheel: BTreeMap<u32, Vec<u32>>,
    /// Slots by the generation of a connection that reaches a device of theirs.
    by_connection: BTreeSet<(u64, u32)>,
    len: usize,
    spare: Spare,
    /// A packed record on its way to the shelf; its room is used again.
    packed: Vec<u8>,
}

impl Bindings {
    /// The bindings of `aor`.
    pub(crate) fn of(&self, aor: &Aor) -> Record {
        self.slot_of(aor)
            .map_or_else(Record::default, |slot| self.record(slot))
    }

    /// The contacts of `aor`, for another shard.
    pub(crate) fn told(&self, aor: &Aor) -> Located {
        let record = self.of(aor);
        Located(
            record
                .iter()
                .map(|binding| binding.bytes().into())
                .collect(),
        )
    }

    /// What another shard has told of `aor`, as a table of its own.
    pub(crate) fn from_told(aor: &Aor, told: &Located) -> Self {
        let mut bindings = Self::default();
        bindings.tell(aor, told);
        bindings
    }

    /// Takes in what a shard has told of `aor`.
    pub(crate) fn tell(&mut self, aor: &Aor, told: &Located) {
        let edits: Vec<_> = told.0.iter().cloned().map(Edit::Put).collect();
        self.apply(aor, &edits);
    }

    /// How many there are in all.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Changes the bindings of `aor`, which are `before` now.
    pub(crate) fn change(&mut self, before: &Record, aor: &Aor, edits: &[Edit]) -> Changed {
        let is_news = edits.iter().any(|edit| {
            let known = before.iter().any(|binding| binding.is_same(edit.binding()));
            known == matches!(edit, Edit::Remove(_))
        });
        let after = edited(before, aor, edits);
        let slot = self.set(before.slot, after.as_deref());
        let bytes = after.unwrap_or_default();
        Changed {
            is_news,
            after: Record { slot, bytes },
        }
    }

    /// The same, of one that is not at hand.
    pub(crate) fn apply(&mut self, aor: &Aor, edits: &[Edit]) {
        let before = self.of(aor);
        self.change(&before, aor, edits);
    }

    /// The row of `aor` as it will be after these edits, put into a block.
    pub(crate) fn row(&self, aor: &Aor, edits: &[Edit], blocks: &mut Blocks) -> Row {
        let now = self.of(aor);
        let record = match edits.is_empty() {
            true => Some(now.bytes).filter(|bytes| !bytes.is_empty()),
            false => edited(&now, aor, edits),
        };
        Row::new(aor.clone(), record.map(|record| blocks.put(&record)))
    }

    /// Takes a row from before a restart in, unless its address-of-record belongs to another shard or has registered since, or none of
    /// it is alive.
    pub(crate) fn restore(&mut self, row: &[u8], share: Share, now_secs: u32) {
        let aor = address_in(row).and_then(Aor::parse);
        let Some(aor) = aor.filter(|aor| share.owns(aor.host())) else {
            return;
        };
        let edits: Vec<_> = bindings_in(row)
            .filter(|binding| binding.expires() > now_secs && binding.is_sound())
            .filter_map(after_restart)
            .map(Edit::Put)
            .collect();
        if self.slot_of(&aor).is_none() && row.first() == Some(&VERSION) {
            let record = edited(&Record::default(), &aor, &edits);
            self.set(None, record.as_deref());
        }
    }

    /// Ends all bindings of `aor`; `false` if there are none.
    pub(crate) fn remove_all(&mut self, aor: &Aor) -> bool {
        let slot = self.slot_of(aor);
        self.set(slot, None);
        slot.is_some()
    }

    /// Ends all bindings with this instance-id. Whose they were.
    pub(crate) fn remove_instance(&mut self, instance: &str) -> Vec<Aor> {
        let with_it: Vec<u32> = self
            .occupied()
            .filter(|slot| {
                self.record(*slot)
                    .iter()
                    .any(|own| own.instance() == instance)
            })
            .collect();
        self.retain(with_it, |binding| binding.instance() != instance)
    }

    /// Ends what has expired by `now_secs`. Whose it was.
    pub(crate) fn remove_expired(&mut self, now_secs: u32) -> Vec<Aor> {
        let mut touched = HashSet::new();
        while let Some(entry) = self.wheel.first_entry()
            && *entry.key() <= now_secs
        {
            let (second, slots) = entry.remove_entry();
            let due = slots
                .into_iter()
                .filter(|slot| self.wake(*slot) == Some(second));
            let due: Vec<_> = due.collect();
            for slot in &due {
                self.set_wake(*slot, 0);
            }
            touched.extend(self.retain(due, |binding| binding.expires() > now_secs));
        }
        touched.into_iter().collect()
    }

    /// The second at which [`remove_expired`](Self::remove_expired) has to look next.
    pub(crate) fn next_expiry(&self) -> Option<u32> {
        self.wheel.first_key_value().map(|(second, _)| *second)
    }

    /// A connection has ended. What was reached by it ends too (RFC 5626, section 6), unless there is another way to it (`redial.rs`).
    /// Whose bindings have ended or changed.
    pub(crate) fn remove_connection(&mut self, flow: Flow) -> Vec<Aor> {
        let of_it = (flow.generation, 0)..=(flow.generation, u32::MAX);
        let slots: Vec<_> = self
            .by_connection
            .range(of_it)
            .map(|(_, slot)| *slot)
            .collect();
        for slot in &slots {
            self.by_connection.remove(&(flow.generation, *slot));
        }
        let is_of_it =
            |binding: BindingRef<'_>| binding.reached_by() == Some(Destination::Flow(flow));
        let mut touched = Vec::new();
        for slot in slots {
            let Some(aor) = self.aor(slot) else { continue };
            let record = self.record(slot);
            let edits: Vec<_> = record
                .iter()
                .filter(|binding| is_of_it(*binding))
                .map(|binding| match without_connection(binding, flow) {
                    Some(other) => Edit::Put(other),
                    None => Edit::Remove(binding.bytes().into()),
                })
                .collect();
            if !edits.is_empty() {
                self.change(&record, &aor, &edits);
                touched.push(aor);
            }
        }
        touched
    }

    /// Up to `limit` addresses-of-record with their bindings, from the place that the last call gave back on, and the next place.
    pub(crate) fn list(&self, from: u32, limit: usize) -> (Vec<Binding>, Option<u32>) {
        let mut listed = Vec::new();
        let mut left = limit;
        for slot in self.occupied().skip_while(|slot| *slot < from) {
            if left == 0 {
                return (listed, Some(slot));
            }
            left -= 1;
            if let Some(aor) = self.aor(slot) {
                let record = self.record(slot);
                listed.extend(record.iter().filter_map(|own| Binding::read(&aor, own)));
            }
        }
        (listed, None)
    }

    /// The bindings of `aor` for whoever shows them.
    pub(crate) fn read(&self, aor: &Aor) -> Vec<Binding> {
        self.of(aor)
            .iter()
            .filter_map(|binding| Binding::read(aor, binding))
            .collect()
    }

    /// The slot of an address-of-record: a number that stays the same as long as it has bindings.
    pub(crate) fn slot_of(&self, aor: &Aor) -> Option<u32> {
        self.find(aor).map(|found| found.slot)
    }

    /// Where the bindings of `aor` lie until any change.
    pub(crate) fn find(&self, aor: &Aor) -> Option<Found> {
        let domain = self.names.find(aor.host().as_bytes())?;
        let user = aor.user().as_bytes();
        let shelf = &self.shelf;
        self.index.find(&Key { domain, user }, |handle| {
            shelved::key(shelf.read(handle))
        })
    }

    /// The address-of-record of a slot.
    pub(crate) fn aor(&self, slot: u32) -> Option<Aor> {
        let address = shelved::aor(self.packed(slot)?, &self.names);
        Aor::parse(str::from_utf8(&address).ok()?)
    }

    fn retain(&mut self, slots: Vec<u32>, keep: impl Fn(BindingRef<'_>) -> bool) -> Vec<Aor> {
        let mut touched = Vec::new();
        for slot in slots {
            let Some(aor) = self.aor(slot) else { continue };
            let record = self.record(slot);
            let edits: Vec<_> = record
                .iter()
                .filter(|binding| !keep(*binding))
                .map(|binding| Edit::Remove(binding.bytes().into()))
                .collect();
            self.change(&record, &aor, &edits);
            if !edits.is_empty() {
                touched.push(aor);
            }
        }
        touched
    }

    /// Puts a record into its slot, or a slot of its own; `None` empties the slot. Where it lies then; nowhere if the table is full, and
    /// nothing has changed.
    fn set(&mut self, slot: Option<u32>, record: Option<&[u8]>) -> Option<u32> {
        match (slot, record) {
            (None, None) => None,
            (Some(slot), None) => {
                self.empty(slot);
                None
            }
            (Some(slot), Some(record)) => self.put(slot, record).map(|()| slot),
            (None, Some(record)) => {
                let fresh = u32::try_from(self.slots.len()).ok();
                let fresh = fresh.filter(|fresh| *fresh < MAX_SLOTS);
                let slot = self.free.pop().or(fresh)?;
                if place(slot) == self.slots.len() {
                    self.slots.push(None);
                }
                if self.put(slot, record).is_none() {
                    self.free.push(slot);
                    return None;
                }
                let handle = self.slots.get(place(slot)).copied().flatten()?;
                let shelf = &self.shelf;
                self.index.insert(Found { slot, handle }, |handle| {
                    shelved::key(shelf.read(handle))
                });
                Some(slot)
            }
        }
    }

    fn empty(&mut self, slot: u32) {
        if let Some(handle) = self.slots.get_mut(place(slot)).and_then(Option::take) {
            let shelf = &self.shelf;
            self.index.remove(Found { slot, handle }, |handle| {
                shelved::key(shelf.read(handle))
            });
            let packed = self.shelf.read(handle);
            self.len -= shelved::count(packed);
            shelved::release(packed, &mut self.names);
            self.shelf.remove(handle);
            self.free.push(slot);
        }
    }

    /// Puts a record into a slot that may have one already, keeps the order of waking and the connections true to it, and counts it;
    /// `None` if there is no room, and nothing has changed.
    fn put(&mut self, slot: u32, record: &[u8]) -> Option<()> {
        let mut first = u32::MAX;
        let mut connections = Vec::new();
        for binding in bindings_in(record) {
            first = first.min(binding.expires());
            connections.extend(binding.generation());
        }
        let mut packed = std::mem::take(&mut self.packed);
        packed.clear();
        shelved::pack(record, &mut self.names, &mut packed)?;
        let wake = self.wake(slot).filter(|wake| *wake != 0 && *wake <= first);
        shelved::set_wake(&mut packed, wake.unwrap_or(first));
        let handle = match self.slots.get(place(slot)).copied().flatten() {
            None => self.shelf.put(&packed),
            Some(handle) => self.shelf.replace(handle, &packed, |before| {
                self.len -= shelved::count(before);
                shelved::release(before, &mut self.names);
            }),
        };
        let Some(handle) = handle else {
            shelved::release(&packed, &mut self.names);
            return None;
        };
        self.len += shelved::count(&packed);
        self.packed = packed;
        match self.slots[place(slot)] {
            None => self.slots[place(slot)] = Some(handle),
            before => self.lies_at(Found { slot, handle }, before),
        }
        if wake.is_none() {
            self.wheel.entry(first).or_default().push(slot);
        }
        let connections = connections.into_iter();
        self.by_connection
            .extend(connections.map(|generation| (generation, slot)));
        Some(())
    }

    /// The record of a slot that has one lies there now.
    fn lies_at(&mut self, now: Found, before: Option<Handle>) {
        if before != Some(now.handle) {
            self.slots[place(now.slot)] = Some(now.handle);
            let shelf = &self.shelf;
            self.index
                .moved(now, |handle| shelved::key(shelf.read(handle)));
        }
    }

    fn record(&self, slot: u32) -> Record {
        let packed = self.packed(slot);
        Record {
            slot: packed.map(|_| slot),
            bytes: packed.map_or_else(Vec::new, |packed| shelved::unpack(packed, &self.names)),
        }
    }

    fn packed(&self, slot: u32) -> Option<&[u8]> {
        packed_in(&self.slots, &self.shelf, slot)
    }

    fn occupied(&self) -> impl Iterator<Item = u32> {
        (0..)
            .zip(&self.slots)
            .filter_map(|(slot, handle)| handle.map(|_| slot))
    }

    fn wake(&self, slot: u32) -> Option<u32> {
        shelved::wake(self.packed(slot)?)
    }

    fn set_wake(&mut self, slot: u32, wake: u32) {
        if let Some(handle) = self.slots.get(place(slot)).copied().flatten() {
            shelved::set_wake(self.shelf.read_mut(handle), wake);
        }
    }
}

fn packed_in<'a>(slots: &[Option<Handle>], shelf: &'a Shelf, slot: u32) -> Option<&'a [u8]> {
    let handle = slots.get(place(slot)).copied().flatten()?;
    Some(shelf.read(handle))
}

fn place(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
