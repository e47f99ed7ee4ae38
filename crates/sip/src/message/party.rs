//! Where those parts of From and To stand that are asked for again and again.
//!
//! They are noted when both were read as a whole and forgotten with the first edit of either, so that nobody sees what is no longer
//! there. Not noted, and read anew, is an address that has no user or is no name.

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
    /// Of an address that was read in `text`.
    pub(super) fn of(address: &NameAddrRef<'_>, text: &str) -> Self {
        let place = |part| Text::of(part, text);
        let parts = match address.uri.user_and_host() {
            Some((user, HostRef::Name(host))) => Some((place(user), place(host))),
            Some((_, HostRef::Address(_))) | None => None,
        };
        Self {
            address: parts,
            tag: address.tag().map(place),
        }
    }
}

/// Both, once they are read.
#[derive(Clone, Copy, Default)]
pub(super) struct Parties(Option<[Party; 2]>);

impl Parties {
    pub(super) fn new(from: Party, to: Party) -> Self {
        Self(Some([from, to]))
    }

    pub(super) fn find(&self, name: NameId) -> Option<&Party> {
        match (&self.0, name) {
            (Some([from, _]), NameId::FROM) => Some(from),
            (Some([_, to]), NameId::TO) => Some(to),
            _ => None,
        }
    }

    /// A header field of this name is added, changed or removed.
    pub(super) fn edited(&mut self, name: Option<NameId>) {
        if matches!(name, Some(NameId::FROM | NameId::TO)) {
            self.0 = None;
        }
    }
}
