//! Bindings: where the devices of each address-of-record are reached right now (RFC 3261, section 10; the location service).
//!
//! A binding is known by its instance-id and reg-id where the contact has them (RFC 5626, section 6), so that a phone that comes back
//! from another address replaces itself, and by its contact URI otherwise. All bindings of an address-of-record lie in one allocation:
//!
//! ```text
//!   0 version │ 1 count │ 2 length of the address │ 4 wake │ the address-of-record │ bindings, see record.rs
//! ```
//!
//! The same bytes are the row that is kept beyond a restart. Every slot that has bindings is in the wheel at the second `wake`, at
//! which it is looked at: its first binding ends then or, if that was refreshed meanwhile, the slot moves on. So a refresh does not touch
//! the wheel.
//!
//! Invariants: a slot with bindings stands in the index once, and in the wheel at its `wake`, which is not later than its first expiry.
//!
//! Not here: what a REGISTER may do to the table (`registrar.rs`), what is written when (`commit.rs`), who is rung (`routing.rs`).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sip::{Aor, Contact, Destination, Flow};

use crate::effect::Located;
use crate::index::Index;
use crate::record::BindingRef;
use crate::redial::{after_restart, without_connection};
use crate::sharing::Share;

const VERSION: u8 = 1;

/// Before the address-of-record.
const HEAD: usize = 8;

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
    fn read(aor: &Aor, binding: BindingRef<'_>) -> Option<Self> {
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

/// All bindings of an address-of-record as they are kept beyond a restart.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Whose bindings they are.
    pub aor: Aor,
    /// Packed; `None` when the last one has ended.
    pub bindings: Option<Vec<u8>>,
    /// When the last of them ends, in seconds since 1970.
    pub expires_unix_secs: u32,
}

impl Row {
    fn new(aor: Aor, record: Option<Vec<u8>>) -> Self {
        let last = record.as_deref().map(bindings_in);
        Self {
            expires_unix_secs: last
                .and_then(|bindings| bindings.map(BindingRef::expires).max())
                .unwrap_or(0),
            aor,
            bindings: record.map(|mut record| {
                record[4..HEAD].fill(0);
                record
            }),
        }
    }

    /// The bindings, for whoever looks into what is kept.
    #[must_use]
    pub fn read(&self) -> Vec<Binding> {
        let packed = self.bindings.as_deref().unwrap_or_default();
        bindings_in(packed)
            .filter_map(|binding| Binding::read(&self.aor, binding))
            .collect()
    }
}

impl std::fmt::Debug for Row {
    /// Contacts and push tokens stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.bindings.as_ref().map(Vec::len);
        f.debug_struct("Row")
            .field("bytes", &bytes)
            .finish_non_exhaustive()
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

/// All bindings, by address-of-record, by expiry and by connection.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    slots: Vec<Option<Box<[u8]>>>,
    free: Vec<u32>,
    index: Index,
    /// Slots by the second at which they are looked at.
    wheel: BTreeMap<u32, Vec<u32>>,
    /// Slots by the generation of a connection that reaches a device of theirs.
    by_connection: BTreeSet<(u64, u32)>,
    len: usize,
}

impl Bindings {
    /// The bindings of `aor`, in the order in which they were made.
    pub(crate) fn of(&self, aor: &Aor) -> impl Iterator<Item = BindingRef<'_>> + Clone {
        bindings_in(self.slot_of(aor).map_or(&[], |slot| self.record(slot)))
    }

    /// The contacts of `aor`, for another shard.
    pub(crate) fn told(&self, aor: &Aor) -> Located {
        Located(self.of(aor).map(|binding| binding.bytes().into()).collect())
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

    /// Changes the bindings of `aor`; whether one has begun or ended, rather than merely been refreshed.
    pub(crate) fn apply(&mut self, aor: &Aor, edits: &[Edit]) -> bool {
        let slot = self.slot_of(aor);
        let before = slot.map_or(&[][..], |slot| self.record(slot));
        let is_news = edits.iter().any(|edit| {
            let known = bindings_in(before).any(|binding| is_same(binding, edit.binding()));
            known == matches!(edit, Edit::Remove(_))
        });
        let after = edited(before, aor, edits);
        self.set(aor, slot, after);
        is_news
    }

    /// The row of `aor` as it will be after these edits.
    pub(crate) fn row(&self, aor: &Aor, edits: &[Edit]) -> Row {
        let before = self.slot_of(aor).map_or(&[][..], |slot| self.record(slot));
        Row::new(aor.clone(), edited(before, aor, edits))
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
            let record = edited(&[], &aor, &edits);
            self.set(&aor, None, record);
        }
    }

    /// Ends all bindings of `aor`; `false` if there are none.
    pub(crate) fn remove_all(&mut self, aor: &Aor) -> bool {
        let slot = self.slot_of(aor);
        self.set(aor, slot, None);
        slot.is_some()
    }

    /// Ends all bindings with this instance-id. Whose they were.
    pub(crate) fn remove_instance(&mut self, instance: &str) -> Vec<Aor> {
        let with_it: Vec<u32> = self
            .occupied()
            .filter(|(_, record)| bindings_in(record).any(|own| own.instance() == instance))
            .map(|(slot, _)| slot)
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
            let edits: Vec<_> = bindings_in(self.record(slot))
                .filter(|binding| is_of_it(*binding))
                .map(|binding| match without_connection(binding, flow) {
                    Some(other) => Edit::Put(other),
                    None => Edit::Remove(binding.bytes().into()),
                })
                .collect();
            if !edits.is_empty() {
                self.apply(&aor, &edits);
                touched.push(aor);
            }
        }
        touched
    }

    /// Up to `limit` addresses-of-record with their bindings, from the place that the last call gave back on, and the next place.
    pub(crate) fn list(&self, from: u32, limit: usize) -> (Vec<Binding>, Option<u32>) {
        let mut listed = Vec::new();
        let mut left = limit;
        for (slot, record) in self.occupied().skip_while(|(slot, _)| *slot < from) {
            if left == 0 {
                return (listed, Some(slot));
            }
            left -= 1;
            if let Some(aor) = self.aor(slot) {
                listed.extend(bindings_in(record).filter_map(|own| Binding::read(&aor, own)));
            }
        }
        (listed, None)
    }

    /// The bindings of `aor` for whoever shows them.
    pub(crate) fn read(&self, aor: &Aor) -> Vec<Binding> {
        self.of(aor)
            .filter_map(|binding| Binding::read(aor, binding))
            .collect()
    }

    /// The slot of an address-of-record: a number that stays the same as long as it has bindings.
    pub(crate) fn slot_of(&self, aor: &Aor) -> Option<u32> {
        self.index
            .find(aor.as_str().as_bytes(), |slot| address(self.record(slot)))
    }

    /// The address-of-record of a slot.
    pub(crate) fn aor(&self, slot: u32) -> Option<Aor> {
        Aor::parse(address_in(self.record(slot))?)
    }

    fn retain(&mut self, slots: Vec<u32>, keep: impl Fn(BindingRef<'_>) -> bool) -> Vec<Aor> {
        let mut touched = Vec::new();
        for slot in slots {
            let Some(aor) = self.aor(slot) else { continue };
            let edits: Vec<_> = bindings_in(self.record(slot))
                .filter(|binding| !keep(*binding))
                .map(|binding| Edit::Remove(binding.bytes().into()))
                .collect();
            self.apply(&aor, &edits);
            if !edits.is_empty() {
                touched.push(aor);
            }
        }
        touched
    }

    /// Puts a record into its slot, or a slot of its own; `None` empties the slot.
    fn set(&mut self, aor: &Aor, slot: Option<u32>, record: Option<Vec<u8>>) {
        let slots = &self.slots;
        let text_of = |slot: u32| {
            slots
                .get(place(slot))
                .and_then(Option::as_deref)
                .map_or(&[][..], address)
        };
        match (slot, record) {
            (None, None) => {}
            (Some(slot), None) => {
                self.len -= bindings_in(self.record(slot)).count();
                self.index.remove(slot, text_of);
                self.slots[place(slot)] = None;
                self.free.push(slot);
            }
            (Some(slot), Some(record)) => {
                self.len -= bindings_in(self.record(slot)).count();
                self.put(slot, record);
            }
            (None, Some(record)) => {
                let Some(slot) = self
                    .free
                    .pop()
                    .or_else(|| u32::try_from(self.slots.len()).ok())
                else {
                    return;
                };
                if place(slot) == self.slots.len() {
                    self.slots.push(None);
                }
                self.put(slot, record);
                let slots = &self.slots;
                self.index.insert(slot, |slot| {
                    slots
                        .get(place(slot))
                        .and_then(Option::as_deref)
                        .map_or(&[][..], address)
                });
                debug_assert_eq!(self.slot_of(aor), Some(slot), "what is put in is found");
            }
        }
    }

    /// Keeps the order of waking and the connections true to a record, and counts it.
    fn put(&mut self, slot: u32, record: Vec<u8>) {
        let wake = self.wake(slot).filter(|wake| *wake != 0);
        self.slots[place(slot)] = Some(record.into());
        let mut first = u32::MAX;
        let mut count = 0;
        let mut connections = Vec::new();
        for binding in bindings_in(self.record(slot)) {
            count += 1;
            first = first.min(binding.expires());
            connections.extend(binding.generation());
        }
        self.len += count;
        for generation in connections {
            self.by_connection.insert((generation, slot));
        }
        let wake = match wake {
            Some(wake) if wake <= first => wake,
            _ => {
                self.wheel.entry(first).or_default().push(slot);
                first
            }
        };
        self.set_wake(slot, wake);
    }

    fn record(&self, slot: u32) -> &[u8] {
        self.slots
            .get(place(slot))
            .and_then(Option::as_deref)
            .unwrap_or_default()
    }

    fn occupied(&self) -> impl Iterator<Item = (u32, &[u8])> {
        (0..)
            .zip(&self.slots)
            .filter_map(|(slot, record)| Some((slot, record.as_deref()?)))
    }

    fn wake(&self, slot: u32) -> Option<u32> {
        let bytes = self.record(slot).get(4..HEAD)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    }

    fn set_wake(&mut self, slot: u32, wake: u32) {
        let record = self
            .slots
            .get_mut(place(slot))
            .and_then(Option::as_deref_mut);
        if let Some(bytes) = record.and_then(|record| record.get_mut(4..HEAD)) {
            bytes.copy_from_slice(&wake.to_le_bytes());
        }
    }
}

fn place(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

/// The record after these edits; `None` if no binding is left.
fn edited(before: &[u8], aor: &Aor, edits: &[Edit]) -> Option<Vec<u8>> {
    let text = aor.as_str().as_bytes();
    let added: usize = edits.iter().map(|edit| edit.binding().bytes().len()).sum();
    let mut record = Vec::with_capacity(before.len().max(HEAD + text.len()) + added);
    record.extend([VERSION, 0]);
    record.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
    record.extend([0; 4]);
    record.extend(text);
    let head = record.len();
    let touches = |edit: &Edit, binding| is_same(edit.binding(), binding);
    for binding in bindings_in(before) {
        match edits.iter().rfind(|edit| touches(edit, binding)) {
            None => record.extend(binding.bytes()),
            Some(Edit::Put(new)) => record.extend(&**new),
            Some(Edit::Remove(_)) => {}
        }
    }
    for (at, edit) in edits.iter().enumerate() {
        let is_known = bindings_in(before).any(|binding| touches(edit, binding));
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
fn address(record: &[u8]) -> &[u8] {
    let length = record.get(2..4).and_then(|bytes| bytes.try_into().ok());
    let length = usize::from(u16::from_le_bytes(length.unwrap_or_default()));
    record.get(HEAD..HEAD + length).unwrap_or_default()
}

fn address_in(record: &[u8]) -> Option<&str> {
    std::str::from_utf8(address(record)).ok()
}

fn bindings_in(record: &[u8]) -> impl Iterator<Item = BindingRef<'_>> + Clone {
    let mut rest = record
        .get(HEAD + address(record).len()..)
        .unwrap_or_default();
    std::iter::from_fn(move || {
        let (binding, behind) = BindingRef::split(rest)?;
        rest = behind;
        Some(binding)
    })
}
