//! One binding of a record, read where it lies, and the record as another REGISTER of the same leaves it.
//!
//! ```text
//!   all before it │ length │ names, flags │ dates │ details, Contact │ Call-ID │ all behind it
//!     as it was      anew      as it was     anew       as it was        anew      as it was
//! ```
//!
//! Most REGISTERs are of this kind, so nothing is unpacked for them but Contact.
//!
//! Invariant: what [`Placed::renewed`] writes is what [`pack`](super::pack) would make of the same binding with these dates and this
//! Call-ID; each name of it stays kept once.
//!
//! Not here: whether a REGISTER is of this kind (`registrar/again.rs`).

use std::ops::Range;

use sip::Destination;

use super::{
    Dates, Details, Front, HAS_INSTANCE, HAS_MORE, HAS_PATH, IS_OUTBOUND, Key, Names, Reader, WAKE,
    count, expand, next_binding, squeeze, wake,
};

/// Room that is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    /// A Contact value in the clear, and where URI and instance-id stand in it.
    contact: String,
    uri: Range<usize>,
    instance: Range<usize>,
    /// A Call-ID, squeezed.
    call_id: Vec<u8>,
}

/// Of the binding that was read last.
impl Spare {
    /// The Contact value without `expires`.
    pub(crate) fn contact(&self) -> &str {
        &self.contact
    }

    pub(crate) fn uri(&self) -> &str {
        self.contact.get(self.uri.clone()).unwrap_or_default()
    }

    /// Empty for none.
    pub(crate) fn instance(&self) -> &str {
        self.contact.get(self.instance.clone()).unwrap_or_default()
    }
}

/// A binding where it lies.
#[derive(Debug)]
pub(crate) struct Placed<'r, 's> {
    record: &'r [u8],
    length_at: usize,
    dates_at: usize,
    details_at: usize,
    call_id_at: usize,
    end: usize,
    /// Of all bindings.
    record_end: usize,
    flags: u8,
    dates: Dates,
    /// How many bindings the record has.
    pub(crate) count: usize,
    /// The Contact value without `expires`.
    pub(crate) contact: &'s str,
    pub(crate) user_agent: &'r [u8],
    pub(crate) reached_by: Destination,
    /// The Call-ID that it is asked for.
    call_id: &'s [u8],
}

impl<'r, 's> Placed<'r, 's> {
    /// The binding at `index` of this record, if nobody else could be taken for it and no Path leads to it; `call_id` is what a REGISTER
    /// has now.
    pub(crate) fn read(
        record: &'r [u8],
        index: usize,
        call_id: &str,
        names: &'r Names,
        spare: &'s mut Spare,
    ) -> Option<Self> {
        let (user, mut all) = bindings(record)?;
        for _ in 0..index {
            next_binding(&mut all)?;
        }
        let length_at = record.len() - all.left();
        let mut from = next_binding(&mut all)?;
        let end = record.len() - all.left();
        let front = Front::read(&mut from)?;
        // Behind the Call-ID there is nothing.
        if front.has(HAS_PATH) || front.has(HAS_MORE) {
            return None;
        }
        let mut record_end = end;
        let mut others = bindings(record)?.1;
        let count = count(record);
        for other in 0..count {
            let mut one = next_binding(&mut others)?;
            // URIs may be equivalent though their texts differ.
            let is_by_uri = !Front::read(&mut one)?.has(HAS_INSTANCE);
            if other != index && is_by_uri && !front.has(HAS_INSTANCE) {
                return None;
            }
            record_end = record.len() - others.left();
        }
        let dates_at = end - from.left();
        let dates = Dates::read(&mut from)?;
        let details_at = end - from.left();
        let details = Details::read(front, &mut from)?;
        let context = details.context(user);
        let mut contact = std::mem::take(&mut spare.contact).into_bytes();
        contact.clear();
        expand(&mut from, context, &mut contact)?;
        spare.contact = String::from_utf8(contact).ok()?;
        spare.call_id.clear();
        squeeze(call_id.as_bytes(), context, &mut spare.call_id);
        let part = |[at, length]: [u16; 2]| {
            let part = usize::from(at)..usize::from(at) + usize::from(length);
            spare.contact.get(part.clone()).map(|_| part)
        };
        let (uri, instance) = (part(details.uri)?, part(details.instance)?);
        (spare.uri, spare.instance) = (uri, instance);
        let local = names.text(front.local);
        let generation = details.generation.unwrap_or(0);
        Some(Self {
            record,
            length_at,
            dates_at,
            details_at,
            call_id_at: end - from.left(),
            end,
            record_end,
            flags: front.flags,
            dates,
            count,
            contact: &spare.contact,
            user_agent: names.text(front.user_agent),
            reached_by: front.kind.reached_by(local, details.peer, generation)?,
            call_id: &spare.call_id,
        })
    }

    /// Whether it is a flow of RFC 5626.
    pub(crate) fn is_outbound(&self) -> bool {
        self.flags & IS_OUTBOUND != 0
    }

    /// The CSeq number of its last REGISTER, if that had the same Call-ID.
    pub(crate) fn cseq(&self) -> Option<u32> {
        let call_id = self.record.get(self.call_id_at..self.end)?;
        (call_id == self.call_id).then_some(self.dates.cseq)
    }

    /// Whether the record is looked at in time although it lasts no longer than `expires`.
    pub(crate) fn wakes_by(&self, expires: u32) -> bool {
        wake(self.record).is_some_and(|wake| wake != 0 && wake <= expires)
    }

    /// The record with these dates and the Call-ID that it was asked for, in the place of what is in `out`; `None` if it is too long.
    pub(crate) fn renewed(&self, dates: Dates, out: &mut Vec<u8>) -> Option<()> {
        out.clear();
        out.extend(self.record.get(..self.dates_at)?);
        dates.push(out);
        out.extend(self.record.get(self.details_at..self.call_id_at)?);
        out.extend(self.call_id);
        let length = u16::try_from(out.len() - self.length_at - 2).ok()?;
        out[self.length_at..self.length_at + 2].copy_from_slice(&length.to_le_bytes());
        out.extend(self.record.get(self.end..self.record_end)?);
        Some(())
    }
}

/// The user of a record, and its bindings.
fn bindings(record: &[u8]) -> Option<(&[u8], Reader<'_>)> {
    let mut all = Reader::new(record.get(WAKE..)?);
    let user = Key::read(&mut all)?.user;
    all.number()?;
    Some((user, all))
}
