//! The bindings of an address-of-record as they lie in memory, in as few bytes as they can be read back from.
//!
//! ```text
//!   0 wake │ 4 domain │ user │ count │ bindings
//!   binding: length │ user agent │ our address │ flags │ kind │ expires │ seconds granted │ CSeq │ reg-id │ q
//!            │ places of URI and instance-id │ generation of a connection │ the peer's address │ Contact │ Call-ID │ Path
//! ```
//!
//! Numbers are as long as they need to be, what is as usual is left out and only flagged; domains, user agents and our own addresses
//! are [`Names`]; Contact, Call-ID and Path are squeezed (`squeeze.rs`).
//!
//! Invariant: [`unpack`] gives back byte for byte the record in the clear (`bound.rs`, `record.rs`) that [`pack`] was given, but for
//! its `wake`. Each name in a record is kept once for it, until [`release`].
//!
//! Not here: where the records lie (`shelf.rs`), how they are found (`index.rs`).

mod placed;

pub(crate) use placed::{Placed, Spare};

use crate::bound::{HEAD, VERSION, address, bindings_in};
use crate::names::Names;
use crate::reader::{Reader, push_counted, push_number};
use crate::record::{BindingRef, Kind, address as socket_address};
use crate::squeeze::{Context, expand, squeeze};

/// How an address-of-record begins.
const SCHEME: &[u8] = b"sip:";

const WAKE: usize = 4;

const IS_OUTBOUND: u8 = 1;
const HAS_REG_ID: u8 = 1 << 1;
const HAS_Q: u8 = 1 << 2;
const HAS_PATH: u8 = 1 << 3;
const HAS_INSTANCE: u8 = 1 << 4;
/// Text behind all others, of which URI or instance-id is a part.
const HAS_MORE: u8 = 1 << 5;

/// The preference of who names none.
const USUAL_Q: u16 = 1_000;

/// What the record of an address-of-record is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a> {
    /// The name of the domain.
    pub(crate) domain: u32,
    pub(crate) user: &'a [u8],
}

impl<'a> Key<'a> {
    /// Nothing is found by it.
    pub(crate) const NONE: Self = Self {
        domain: u32::MAX,
        user: &[],
    };

    pub(crate) fn read(from: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            domain: from.u32()?,
            user: from.counted()?,
        })
    }
}

/// User and domain of an address-of-record; `None` if it is none.
fn user_and_domain(address: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = address.strip_prefix(SCHEME)?;
    let at = rest.iter().rposition(|byte| *byte == b'@')?;
    Some((&rest[..at], &rest[at + 1..]))
}

/// What a record is found by; of bytes that are no record, what nothing is found by.
pub(crate) fn key(packed: &[u8]) -> Key<'_> {
    let mut from = Reader::new(packed.get(WAKE..).unwrap_or_default());
    Key::read(&mut from).unwrap_or(Key::NONE)
}

/// The address-of-record of a record, as text.
pub(crate) fn aor(packed: &[u8], names: &Names) -> Vec<u8> {
    let Key { domain, user } = key(packed);
    [SCHEME, user, b"@", names.text(domain)].concat()
}

/// The second at which a record is looked at.
pub(crate) fn wake(packed: &[u8]) -> Option<u32> {
    packed.first_chunk().map(|wake| u32::from_le_bytes(*wake))
}

pub(crate) fn set_wake(packed: &mut [u8], wake: u32) {
    if let Some(own) = packed.first_chunk_mut::<WAKE>() {
        *own = wake.to_le_bytes();
    }
}

/// How many bindings a record has.
pub(crate) fn count(packed: &[u8]) -> usize {
    let mut from = Reader::new(packed.get(WAKE..).unwrap_or_default());
    let count = Key::read(&mut from).and_then(|_| from.number());
    count
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0)
}

/// Adds a record in the clear, packed, to `out`, which is empty; `None` if it is none.
pub(crate) fn pack(record: &[u8], names: &mut Names, out: &mut Vec<u8>) -> Option<()> {
    let (user, domain) = user_and_domain(address(record))?;
    out.extend([0; WAKE]);
    push_number(names.keep(domain)?.into(), out);
    push_counted(user, out);
    push_number(bindings_in(record).count() as u64, out);
    for binding in bindings_in(record) {
        let length_at = out.len();
        out.extend([0; 2]);
        pack_binding(binding, user, names, out)?;
        let length = u16::try_from(out.len() - length_at - 2).ok()?;
        out[length_at..length_at + 2].copy_from_slice(&length.to_le_bytes());
    }
    Some(())
}

fn pack_binding(
    binding: BindingRef<'_>,
    user: &[u8],
    names: &mut Names,
    out: &mut Vec<u8>,
) -> Option<()> {
    push_number(names.keep(binding.user_agent().as_bytes())?.into(), out);
    let local = binding.local_bytes();
    push_number(names.keep(local)?.into(), out);
    let [uri, instance] = binding.places();
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    let flags = flag(binding.is_outbound(), IS_OUTBOUND)
        | flag(binding.reg_id() != 0, HAS_REG_ID)
        | flag(binding.q_thousandths() != USUAL_Q, HAS_Q)
        | flag(!binding.path().is_empty(), HAS_PATH)
        | flag(instance != [0; 2], HAS_INSTANCE)
        | flag(!binding.more().is_empty(), HAS_MORE);
    out.extend([flags, binding.kind().0]);
    let dates = Dates {
        expires: binding.expires(),
        updated: binding.updated(),
        cseq: binding.cseq(),
    };
    dates.push(out);
    let places = uri
        .into_iter()
        .chain(instance.into_iter().filter(|_| flags & HAS_INSTANCE != 0));
    if flags & HAS_REG_ID != 0 {
        push_number(binding.reg_id().into(), out);
    }
    if flags & HAS_Q != 0 {
        push_number(binding.q_thousandths().into(), out);
    }
    for place in places {
        push_number(place.into(), out);
    }
    if let Some(generation) = binding.generation() {
        push_number(generation, out);
    }
    out.extend_from_slice(binding.peer_bytes());
    let context = Context {
        user,
        peer: binding.peer(),
    };
    squeeze(binding.contact().as_bytes(), context, out);
    squeeze(binding.call_id().as_bytes(), context, out);
    if flags & HAS_PATH != 0 {
        squeeze(binding.path().as_bytes(), context, out);
    }
    if flags & HAS_MORE != 0 {
        squeeze(binding.more(), context, out);
    }
    Some(())
}

/// A packed record in the clear; empty if it is none.
pub(crate) fn unpack(packed: &[u8], names: &Names) -> Vec<u8> {
    let mut record = Vec::with_capacity(HEAD + 4 * packed.len());
    match unpack_into(packed, names, &mut record) {
        Some(()) => record,
        None => Vec::new(),
    }
}

fn unpack_into(packed: &[u8], names: &Names, out: &mut Vec<u8>) -> Option<()> {
    let mut from = Reader::new(packed.get(WAKE..)?);
    let Key { domain, user } = Key::read(&mut from)?;
    let domain = names.text(domain);
    let count = from.number()?;
    let length = SCHEME.len() + user.len() + 1 + domain.len();
    out.extend([VERSION, u8::try_from(count).unwrap_or(u8::MAX)]);
    out.extend(u16::try_from(length).ok()?.to_le_bytes());
    out.extend([0; WAKE]);
    for part in [SCHEME, user, b"@", domain] {
        out.extend(part);
    }
    for _ in 0..count {
        unpack_binding(next_binding(&mut from)?, user, names, out)?;
    }
    Some(())
}

fn next_binding<'a>(from: &mut Reader<'a>) -> Option<Reader<'a>> {
    let length = u16::from_le_bytes(from.array()?);
    from.bytes(length.into()).map(Reader::new)
}

/// What another REGISTER of the same changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dates {
    pub(crate) expires: u32,
    pub(crate) updated: u32,
    pub(crate) cseq: u32,
}

impl Dates {
    fn push(self, out: &mut Vec<u8>) {
        out.extend(self.expires.to_le_bytes());
        push_number(self.expires.wrapping_sub(self.updated).into(), out);
        push_number(self.cseq.into(), out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let expires = u32::from_le_bytes(from.array()?);
        Some(Self {
            expires,
            updated: expires.wrapping_sub(from.u32()?),
            cseq: from.u32()?,
        })
    }
}

/// The names of a binding, and what it is like.
#[derive(Clone, Copy, Debug)]
struct Front {
    user_agent: u32,
    local: u32,
    flags: u8,
    kind: Kind,
}

impl Front {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            user_agent: from.u32()?,
            local: from.u32()?,
            flags: from.byte()?,
            kind: Kind(from.byte()?),
        })
    }

    fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// What stands between the dates of a binding and its texts.
#[derive(Clone, Copy, Debug)]
struct Details<'a> {
    reg_id: u32,
    q: u16,
    /// Place and length in the texts.
    uri: [u16; 2],
    instance: [u16; 2],
    generation: Option<u64>,
    peer: &'a [u8],
}

impl<'a> Details<'a> {
    fn read(front: Front, from: &mut Reader<'a>) -> Option<Self> {
        let mut number = |is_there: bool, otherwise: u32| match is_there {
            true => from.u32(),
            false => Some(otherwise),
        };
        let reg_id = number(front.has(HAS_REG_ID), 0)?;
        let q = number(front.has(HAS_Q), USUAL_Q.into())?;
        let mut place = |is_there: bool| number(is_there, 0)?.try_into().ok();
        let has_instance = front.has(HAS_INSTANCE);
        Some(Self {
            reg_id,
            q: u16::try_from(q).ok()?,
            uri: [place(true)?, place(true)?],
            instance: [place(has_instance)?, place(has_instance)?],
            generation: match front.kind.is_stream() {
                true => Some(from.number()?),
                false => None,
            },
            peer: from.bytes(front.kind.peer_len())?,
        })
    }

    fn context(&self, user: &'a [u8]) -> Context<'a> {
        Context {
            user,
            peer: socket_address(self.peer),
        }
    }
}

fn unpack_binding(
    mut from: Reader<'_>,
    user: &[u8],
    names: &Names,
    out: &mut Vec<u8>,
) -> Option<()> {
    let start = out.len();
    let front = Front::read(&mut from)?;
    let dates = Dates::read(&mut from)?;
    let details = Details::read(front, &mut from)?;
    out.extend([0, 0, front.flags & IS_OUTBOUND, front.kind.0]);
    for number in [dates.expires, dates.updated, dates.cseq, details.reg_id] {
        out.extend(number.to_le_bytes());
    }
    out.extend(details.q.to_le_bytes());
    let lengths = out.len();
    out.extend([0; 8]);
    for place in details.uri.into_iter().chain(details.instance) {
        out.extend(place.to_le_bytes());
    }
    if let Some(generation) = details.generation {
        out.extend(generation.to_le_bytes());
    }
    out.extend(names.text(front.local));
    out.extend(details.peer);
    let context = details.context(user);
    let mut text = |out: &mut Vec<u8>, is_there: bool| {
        let before = out.len();
        if is_there {
            expand(&mut from, context, out)?;
        }
        u16::try_from(out.len() - before).ok()
    };
    let contact = text(out, true)?;
    let call_id = text(out, true)?;
    let path = text(out, front.has(HAS_PATH))?;
    let user_agent = names.text(front.user_agent);
    out.extend(user_agent);
    let user_agent = u16::try_from(user_agent.len()).ok()?;
    text(out, front.has(HAS_MORE))?;
    for (index, length) in [contact, call_id, path, user_agent].into_iter().enumerate() {
        out[lengths + 2 * index..][..2].copy_from_slice(&length.to_le_bytes());
    }
    let length = u16::try_from(out.len() - start).ok()?;
    out[start..start + 2].copy_from_slice(&length.to_le_bytes());
    Some(())
}

/// The names of a record are no longer kept for it.
pub(crate) fn release(packed: &[u8], names: &mut Names) {
    // A record ends where a name of it cannot be read.
    let _ = each_name(packed, |name| names.release(name));
}

fn each_name(packed: &[u8], mut release: impl FnMut(u32)) -> Option<()> {
    let mut from = Reader::new(packed.get(WAKE..)?);
    release(Key::read(&mut from)?.domain);
    for _ in 0..from.number()? {
        let mut binding = next_binding(&mut from)?;
        release(binding.u32()?);
        release(binding.u32()?);
    }
    Some(())
}

#[cfg(test)]
mod tests;
