//! Bindings: where the devices of each address-of-record are reached right now (RFC 3261, section 10; the location service).
//!
//! A binding is known by its instance-id and reg-id where the contact has them (RFC 5626, section 6), so that a phone that comes back
//! from another address replaces itself, and by its contact URI otherwise. All bindings of an address-of-record are one record:
//!
//! ```text
//!   0 version │ 1 count │ 2 length of the address │ 4 zeros │ the address-of-record │ bindings, see record.rs
//! ```
//!
//! So it is read and changed, and so it is the row that is kept beyond a restart. In between it lies in a slot in fewer bytes
//! (`shelved.rs`). Every slot that has bindings is in the wheel at the second `wake`, at
//! which it is looked at: its first binding ends then or, if that was refreshed meanwhile, the slot moves on. So a refresh does not touch
//! the wheel.
//!
//! Invariants: a slot with bindings stands in the index once, and in the wheel at its `wake`, which is not later than its first expiry.
//!
//! Not here: what a REGISTER may do to the table (`registrar.rs`), what is written when (`commit.rs`), who is rung (`routing.rs`).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sip::{Aor, Contact, Destination, Flow};

use crate::effect::Located;
use crate::index::{Index, MAX_SLOTS};
use crate::names::Names;
use crate::record::BindingRef;
use crate::redial::{after_restart, without_connection};
use crate::row::{Blocks, Row};
use crate::sharing::Share;
use crate::shelf::{Handle, Shelf};
use crate::shelved::{self, Key};

pub(crate) const VERSION: u8 = 1;

/// Before the address-of-record.
pub(crate) const HEAD: usize = 8;

/// One contact of an address-of-record, for whoever shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Whose binding it is.
    pub aor: Aor,
    /// The Contact value as the device sent it, without `expires`.
    pub contact: Contact,
    /// Instance-id without angle brackets and quotes, `urn:uuid:…`.
    pub instance: Option<String>,
    /// Call-ID of the REGISTER that last touched it.
    pub call_id: String,
    /// CSeq number of that REGISTER.
    pub cseq: u32,
    /// Where requests to the device go: the flow its REGISTER came on, or after a restart that flow's address.
    pub reached_by: Destination,
    /// The proxies on the way to it (RFC 3327), as one header value; empty for none.
    pub path: String,
    /// What the device calls itself.
    pub user_agent: Option<String>,
    /// When it was made or refreshed, in seconds since 1970.
    pub updated_unix_secs: u32,
    /// When it ends unless it is refreshed, in seconds since 1970.
    pub expires_unix_secs: u32,
}

impl Binding {
    pub(crate) fn read(aor: &Aor, binding: BindingRef<'_>) -> Option<Self> {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Some(Self {
            aor: aor.clone(),
            contact: Contact::parse(binding.contact())?,
            instance: text(binding.instance()),
            call_id: binding.call_id().to_owned(),
            cseq: binding.cseq(),
            reached_by: binding.reached_by()?,
            path: binding.path().to_owned(),
            user_agent: text(binding.user_agent()),
            updated_unix_secs: binding.updated(),
            expires_unix_secs: binding.expires(),
        })
    }
}

/// One step of a change of an address-of-record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// This packed binding takes the place of the one that is the same device, or stands beside the others.
    Put(Box<[u8]>),
    /// The binding that is the same device as this packed one ends.
    Remove(Box<[u8]>),
}

impl Edit {
    pub(crate) fn binding(&self) -> BindingRef<'_> {
        let (Self::Put(bytes) | Self::Remove(bytes)) = self;
        BindingRef::new(bytes)
    }
}

/// Whether two bindings of an address-of-record are the same device, or the same flow of a device with several.
pub(crate) fn is_same(one: BindingRef<'_>, other: BindingRef<'_>) -> bool {
    match (one.instance(), other.instance()) {
        ("", "") => one.uri() == other.uri(),
        (one_instance, instance) => one_instance == instance && one.reg_id() == other.reg_id(),
    }
}

/// The bindings of an address-of-record at one moment.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Where they lie, if there are any.
    slot: Option<u32>,
    bytes: Vec<u8>,
}

impl Record {
    /// In the order in which they were made.
    pub(crate) fn iter(&self) -> impl Iterator<Item = BindingRef<'_>> + Clone {
        bindings_in(&self.bytes)
    }

    /// A number that stays the same as long as the address-of-record has bindings.
    pub(crate) fn slot(&self) -> Option<u32> {
        self.slot
    }
}

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
            let known = before
                .iter()
                .any(|binding| is_same(binding, edit.binding()));
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
        let domain = self.names.find(aor.host().as_bytes())?;
        let user = aor.user().as_bytes();
        let key = Key { domain, user };
        self.index
            .find(&key, |slot| key_in(&self.slots, &self.shelf, slot))
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

    /// Puts a record into its slot, or a slot of its own; `None` empties the slot. Where it lies then.
    fn set(&mut self, slot: Option<u32>, record: Option<&[u8]>) -> Option<u32> {
        match (slot, record) {
            (None, None) => None,
            (Some(slot), None) => {
                self.empty(slot);
                None
            }
            (Some(slot), Some(record)) => {
                self.put(slot, record);
                Some(slot)
            }
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
                let (slots, shelf) = (&self.slots, &self.shelf);
                self.index.insert(slot, |slot| key_in(slots, shelf, slot));
                Some(slot)
            }
        }
    }

    fn empty(&mut self, slot: u32) {
        let (slots, shelf) = (&self.slots, &self.shelf);
        self.index.remove(slot, |slot| key_in(slots, shelf, slot));
        if let Some(handle) = self.slots.get_mut(place(slot)).and_then(Option::take) {
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
        let mut packed = shelved::pack(record, &mut self.names)?;
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
        self.slots[place(slot)] = Some(handle);
        if wake.is_none() {
            self.wheel.entry(first).or_default().push(slot);
        }
        let connections = connections.into_iter();
        self.by_connection
            .extend(connections.map(|generation| (generation, slot)));
        Some(())
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

fn key_in<'a>(slots: &[Option<Handle>], shelf: &'a Shelf, slot: u32) -> Key<'a> {
    shelved::key(packed_in(slots, shelf, slot).unwrap_or_default())
}

fn place(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

/// The record after these edits; `None` if no binding is left.
fn edited(before: &Record, aor: &Aor, edits: &[Edit]) -> Option<Vec<u8>> {
    let text = aor.as_str().as_bytes();
    let added: usize = edits.iter().map(|edit| edit.binding().bytes().len()).sum();
    let mut record = Vec::with_capacity(before.bytes.len().max(HEAD + text.len()) + added);
    record.extend([VERSION, 0]);
    record.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
    record.extend([0; 4]);
    record.extend(text);
    let head = record.len();
    let touches = |edit: &Edit, binding| is_same(edit.binding(), binding);
    for binding in before.iter() {
        match edits.iter().rfind(|edit| touches(edit, binding)) {
            None => record.extend(binding.bytes()),
            Some(Edit::Put(new)) => record.extend(&**new),
            Some(Edit::Remove(_)) => {}
        }
    }
    for (at, edit) in edits.iter().enumerate() {
        let is_known = before.iter().any(|binding| touches(edit, binding));
        let is_last = !edits[at + 1..]
            .iter()
            .any(|later| touches(later, edit.binding()));
        if let Edit::Put(new) = edit
            && !is_known
            && is_last
        {
            record.extend(&**new);
        }
    }
    if record.len() == head {
        return None;
    }
    record[1] = u8::try_from(bindings_in(&record).count()).unwrap_or(u8::MAX);
    Some(record)
}

/// The text of a record's address-of-record.
pub(crate) fn address(record: &[u8]) -> &[u8] {
    let length = record.get(2..4).and_then(|bytes| bytes.try_into().ok());
    let length = usize::from(u16::from_le_bytes(length.unwrap_or_default()));
    record.get(HEAD..HEAD + length).unwrap_or_default()
}

fn address_in(record: &[u8]) -> Option<&str> {
    std::str::from_utf8(address(record)).ok()
}

pub(crate) fn bindings_in(record: &[u8]) -> impl Iterator<Item = BindingRef<'_>> + Clone {
    let mut rest = record
        .get(HEAD + address(record).len()..)
        .unwrap_or_default();
    std::iter::from_fn(move || {
        let (binding, behind) = BindingRef::split(rest)?;
        rest = behind;
        Some(binding)
    })
}

#[cfg(test)]
mod tests;
