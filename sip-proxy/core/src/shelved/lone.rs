//! The only binding of an address-of-record, read where it lies, and written again as another REGISTER of the same leaves it.
//!
//! ```text
//!   head of the record │ length │ names, flags │ dates │ details, Contact │ Call-ID
//!        as it was        anew      as it was     anew       as it was        anew
//! ```
//!
//! Most REGISTERs are of this kind, so nothing is unpacked for them but Contact.
//!
//! Invariant: what [`Lone::renewed`] writes is what [`pack`](super::pack) would make of the same binding with these dates and this
//! Call-ID; each name of it stays kept once.
//!
//! Not here: whether a REGISTER is of this kind (`registrar/again.rs`).

use sip::Destination;

use super::{
    Dates, Details, Front, HAS_MORE, HAS_PATH, IS_OUTBOUND, Key, Names, Reader, WAKE, expand,
    next_binding, squeeze, wake,
};

/// Room that is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    /// A Contact value in the clear.
    contact: String,
    /// A Call-ID, squeezed.
    call_id: Vec<u8>,
}

/// The only binding of an address-of-record.
#[derive(Debug)]
pub(crate) struct Lone<'r, 's> {
    record: &'r [u8],
    length_at: usize,
    dates_at: usize,
    details_at: usize,
    call_id_at: usize,
    end: usize,
    flags: u8,
    dates: Dates,
    /// The Contact value without `expires`, the URI in it, and the instance-id, empty for none.
    pub(crate) contact: &'s str,
    pub(crate) uri: &'s str,
    pub(crate) instance: &'s str,
    pub(crate) user_agent: &'r [u8],
    pub(crate) reached_by: Destination,
    /// The Call-ID that it is asked for.
    call_id: &'s [u8],
}

impl<'r, 's> Lone<'r, 's> {
    /// The binding of this record, if it has one only, to which no Path leads; `call_id` is what a REGISTER has now.
    pub(crate) fn read(
        record: &'r [u8],
        call_id: &str,
        names: &'r Names,
        spare: &'s mut Spare,
    ) -> Option<Self> {
        let mut all = Reader::new(record.get(WAKE..)?);
        let user = Key::read(&mut all)?.user;
        if all.number()? != 1 {
            return None;
        }
        let length_at = record.len() - all.left();
        let mut from = next_binding(&mut all)?;
        let end = record.len() - all.left();
        let front = Front::read(&mut from)?;
        // Behind the Call-ID there is nothing.
        if front.has(HAS_PATH) || front.has(HAS_MORE) {
            return None;
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
        let Spare { contact, call_id } = spare;
        let part = |[at, length]: [u16; 2]| {
            let (at, length) = (usize::from(at), usize::from(length));
            contact.get(at..at + length)
        };
        let local = names.text(front.local);
        let generation = details.generation.unwrap_or(0);
        Some(Self {
            record,
            length_at,
            dates_at,
            details_at,
            call_id_at: end - from.left(),
            end,
            flags: front.flags,
            dates,
            contact,
            uri: part(details.uri)?,
            instance: part(details.instance)?,
            user_agent: names.text(front.user_agent),
            reached_by: front.kind.reached_by(local, details.peer, generation)?,
            call_id,
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
        Some(())
    }
}
