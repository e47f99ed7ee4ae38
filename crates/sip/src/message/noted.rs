//! Where those parts of From, To and the topmost Via stand that are asked for again and again.
//!
//! They are noted when the fields were read as a whole and forgotten with the first edit of one of them, so that nobody sees what is
//! no longer there. Not noted, and read anew, is an address without a user or with a host that is no name.

use std::ops::Range;

use crate::header::Stamped;
use crate::header::name::NameId;
use crate::host::HostRef;
use crate::message::entry::Text;
use crate::name_addr::NameAddrRef;

/// One of From and To.
#[derive(Clone, Copy)]
pub(super) struct Party {
    /// The user as written and the host.
    pub(super) address: Option<(Text, Text)>,
    pub(super) tag: Option<Text>,
}

impl Party {
    /// Of an address and its tag that were read in `text`.
    pub(super) fn of(address: &NameAddrRef<'_>, tag: Option<&str>, text: &str) -> Self {
        let place = |part| Text::of(part, text);
        let parts = match address.uri.user_and_host() {
            Some((user, HostRef::Name(host))) => Some((place(user), place(host))),
            Some((_, HostRef::Address(_))) | None => None,
        };
        Self {
            address: parts,
            tag: tag.map(place),
        }
    }
}

/// The topmost Via.
#[derive(Clone, Copy)]
pub(super) struct TopVia {
    /// Without blanks.
    pub(super) sent_by: Text,
    pub(super) branch: Option<Text>,
}

impl TopVia {
    pub(super) fn of(stamped: &Stamped) -> Self {
        let place = |range: &Range<usize>| Text::new(range.start, range.end);
        Self {
            sent_by: place(&stamped.sent_by),
            branch: stamped.branch.as_ref().map(place),
        }
    }
}

/// What is noted of a message.
#[derive(Clone, Copy, Default)]
pub(super) struct Noted {
    from_and_to: Option<[Party; 2]>,
    pub(super) via: Option<TopVia>,
}

impl Noted {
    pub(super) fn note_parties(&mut self, from: Party, to: Party) {
        self.from_and_to = Some([from, to]);
    }

    pub(super) fn party(&self, name: NameId) -> Option<&Party> {
        match (&self.from_and_to, name) {
            (Some([from, _]), NameId::FROM) => Some(from),
            (Some([_, to]), NameId::TO) => Some(to),
            _ => None,
        }
    }

    /// A header field of this name is added, changed or removed.
    pub(super) fn edited(&mut self, name: Option<NameId>) {
        match name {
            Some(NameId::FROM | NameId::TO) => self.from_and_to = None,
            Some(NameId::VIA) => self.via = None,
            _ => {}
        }
    }
}
