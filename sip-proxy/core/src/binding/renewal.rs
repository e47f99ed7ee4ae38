//! A binding that begins anew where it lies.

use sip::Aor;

use super::{Bindings, place};
use crate::bound::Shown;
use crate::shelved::{Dates, Lone};

impl Bindings {
    /// Gives the only binding of `aor` the dates that `decide` finds right, and this Call-ID. The slot and the binding then; `None` if it
    /// finds none, or if more than this is to be done to the table, and nothing has changed.
    pub(crate) fn renew<'a>(
        &'a mut self,
        aor: &Aor,
        call_id: &'a str,
        decide: impl FnOnce(&Lone<'_, '_>) -> Option<Dates>,
    ) -> Option<(u32, Shown<'a>)> {
        let slot = self.slot_of(aor)?;
        let handle = self.slots.get(place(slot)).copied().flatten()?;
        let record = self.shelf.read(handle);
        let lone = Lone::read(record, call_id, &self.names, &mut self.spare)?;
        let dates = decide(&lone)?;
        if !lone.wakes_by(dates.expires) {
            return None;
        }
        lone.renewed(dates, &mut self.packed)?;
        let shown = Shown {
            contact: lone.contact,
            uri: lone.uri,
            instance: lone.instance,
            call_id,
            is_outbound: lone.is_outbound(),
            expires: dates.expires,
        };
        let handle = self.shelf.replace(handle, &self.packed, |_| {})?;
        self.slots[place(slot)] = Some(handle);
        Some((slot, shown))
    }
}
