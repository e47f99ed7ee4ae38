//! A binding that begins anew where it lies.

use super::Bindings;
use crate::bound::Shown;
use crate::index::Found;
use crate::shelved::{self, Dates, Placed};

/// What has become of an address-of-record of which a binding has begun anew.
#[derive(Debug)]
pub(crate) struct Renewed<'a> {
    /// The binding, if it is the only one.
    pub(crate) only: Option<Shown<'a>>,
}

impl Bindings {
    /// Gives the binding at `found` for which `decide` finds dates those dates and this Call-ID; `None` if it finds none for any, or if more
    /// than this is to be done to the table, and nothing has changed.
    pub(crate) fn renew<'a>(
        &'a mut self,
        found: Found,
        call_id: &'a str,
        decide: impl Fn(&Placed<'_, '_>) -> Option<Dates>,
    ) -> Option<Renewed<'a>> {
        let record = self.shelf.read(found.handle);
        let count = shelved::count(record);
        let (dates, is_outbound) = (0..count).find_map(|index| {
            let placed = Placed::read(record, index, call_id, &self.names, &mut self.spare)?;
            let dates = decide(&placed).filter(|dates| placed.wakes_by(dates.expires))?;
            placed.renewed(dates, &mut self.packed)?;
            Some((dates, placed.is_outbound()))
        })?;
        let handle = self.shelf.replace(found.handle, &self.packed, |_| {})?;
        let slot = found.slot;
        self.lies_at(Found { slot, handle }, Some(found.handle));
        let shown = Shown {
            contact: self.spare.contact(),
            uri: self.spare.uri(),
            instance: self.spare.instance(),
            call_id,
            is_outbound,
            expires: dates.expires,
        };
        let only = Some(shown).filter(|_| count == 1);
        Some(Renewed { only })
    }
}
