//! What was written of a tenant, so far as pages must learn of it.

use std::collections::HashSet;

use api::LiveList;
use uuid::Uuid;

/// Rows that were written, made or deleted, and the lists that show them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) devices: HashSet<Uuid>,
    pub(super) accounts: HashSet<Uuid>,
    /// Which rows is not known, or they are too many to name.
    pub(super) anything: bool,
    pub(super) lists: HashSet<LiveList>,
}

impl Written {
    /// Any devices and accounts.
    pub(crate) fn anything() -> Self {
        Self {
            anything: true,
            lists: HashSet::from([LiveList::Devices, LiveList::Accounts]),
            ..Self::default()
        }
    }

    /// Nothing that a status hangs on, but what this list shows.
    pub(crate) fn list(list: LiveList) -> Self {
        Self::default().and_list(list)
    }

    /// These devices. The accounts that they have or had follow of themselves.
    pub(crate) fn devices(ids: impl IntoIterator<Item = Uuid>) -> Self {
        Self::default().and_devices(ids)
    }

    /// These accounts.
    pub(crate) fn accounts(ids: impl IntoIterator<Item = Uuid>) -> Self {
        Self {
            accounts: ids.into_iter().collect(),
            lists: HashSet::from([LiveList::Accounts]),
            ..Self::default()
        }
    }

    /// These devices too.
    pub(crate) fn and_devices(mut self, ids: impl IntoIterator<Item = Uuid>) -> Self {
        self.devices.extend(ids);
        if !self.devices.is_empty() {
            self.lists.insert(LiveList::Devices);
        }
        self
    }

    /// This list shows other rows too.
    pub(crate) fn and_list(mut self, list: LiveList) -> Self {
        self.lists.insert(list);
        self
    }

    pub(super) fn add(&mut self, other: Self) {
        self.devices.extend(other.devices);
        self.accounts.extend(other.accounts);
        self.anything |= other.anything;
        self.lists.extend(other.lists);
    }

    /// Whether rows must be read.
    pub(super) fn has_rows(&self) -> bool {
        self.anything || !self.devices.is_empty() || !self.accounts.is_empty()
    }
}
