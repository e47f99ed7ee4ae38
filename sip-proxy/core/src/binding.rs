//! Bindings: where the devices of each address-of-record are reached right now (RFC 3261, section 10; the location service).
//!
//! A binding is known by its instance-id and reg-id where the contact has them (RFC 5626, section 6), so that a phone that comes back
//! from another address replaces itself, and by its contact URI otherwise. Every change leaves as a [`BindingChange`] for
//! whoever keeps bindings beyond a restart.
//!
//! Invariant: a binding in the table stands in the expiry order exactly once.
//!
//! Not here: what a REGISTER may do to the table (`registrar.rs`), and who is rung (`routing.rs`).

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use sip::{Aor, Contact, Destination};

use crate::effect::Owner;

/// One contact of an address-of-record.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Whose binding it is.
    pub aor: Aor,
    /// The account it was made with.
    pub owner: Owner,
    /// The Contact value as the device sent it, without `expires`.
    pub contact: Contact,
    /// Call-ID of the REGISTER that last touched it.
    pub call_id: String,
    /// CSeq number of that REGISTER.
    pub cseq: u32,
    /// Where requests to the device go: the flow its REGISTER came on, or after a restart that flow's address.
    pub reached_by: Destination,
    /// When it ends unless it is refreshed.
    pub expires_at: Instant,
    /// What the device calls itself.
    pub user_agent: Option<String>,
}

impl Binding {
    /// What makes two contacts of an address-of-record the same device.
    #[must_use]
    pub fn key(&self) -> String {
        contact_key(&self.contact)
    }

    /// Instance-id without angle brackets and quotes, `urn:uuid:…`.
    #[must_use]
    pub fn instance(&self) -> Option<String> {
        self.contact.instance()
    }
}

/// The key of a contact: instance-id and reg-id, or the URI as sent.
pub(crate) fn contact_key(contact: &Contact) -> String {
    match contact.instance() {
        Some(instance) => format!(
            "{instance};{}",
            contact.reg_id().ok().flatten().unwrap_or(0)
        ),
        None => contact.uri().to_string(),
    }
}

/// One step of the table's history, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum BindingChange {
    /// The binding is new or refreshed.
    Upserted(Box<Binding>),
    /// The binding with this key has ended.
    Removed {
        /// Whose it was.
        aor: Aor,
        /// Its [`Binding::key`].
        key: String,
    },
}

/// All bindings, by address-of-record and by expiry.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    by_aor: HashMap<Aor, Vec<Entry>>,
    by_expiry: BTreeMap<(Instant, u64), Aor>,
    next_id: u64,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    binding: Binding,
}

impl Bindings {
    /// The live bindings of `aor`, oldest first.
    pub(crate) fn of(&self, aor: &Aor) -> impl Iterator<Item = &Binding> {
        self.by_aor
            .get(aor)
            .into_iter()
            .flatten()
            .map(|entry| &entry.binding)
    }

    /// How many there are in all.
    pub(crate) fn len(&self) -> usize {
        self.by_expiry.len()
    }

    /// Puts `binding` in place of the one with its key, or beside the others.
    pub(crate) fn upsert(&mut self, binding: Binding) {
        let key = binding.key();
        let entries = self.by_aor.entry(binding.aor.clone()).or_default();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.binding.key() == key) {
            self.by_expiry.remove(&(entry.binding.expires_at, entry.id));
            self.by_expiry
                .insert((binding.expires_at, entry.id), binding.aor.clone());
            entry.binding = binding;
        } else {
            let id = self.next_id;
            self.next_id += 1;
            self.by_expiry
                .insert((binding.expires_at, id), binding.aor.clone());
            entries.push(Entry { id, binding });
        }
    }

    /// Takes out the binding of `aor` with this key.
    pub(crate) fn remove(&mut self, aor: &Aor, key: &str) -> Option<Binding> {
        let entries = self.by_aor.get_mut(aor)?;
        let place = entries
            .iter()
            .position(|entry| entry.binding.key() == key)?;
        let entry = entries.remove(place);
        if entries.is_empty() {
            self.by_aor.remove(aor);
        }
        self.by_expiry.remove(&(entry.binding.expires_at, entry.id));
        Some(entry.binding)
    }

    /// Addresses-of-record and keys of all bindings with this instance-id.
    pub(crate) fn of_instance(&self, instance: &str) -> Vec<(Aor, String)> {
        self.by_aor
            .values()
            .flatten()
            .filter(|entry| entry.binding.instance().as_deref() == Some(instance))
            .map(|entry| (entry.binding.aor.clone(), entry.binding.key()))
            .collect()
    }

    /// Takes out what has expired at `now`.
    pub(crate) fn remove_expired(&mut self, now: Instant) -> Vec<Binding> {
        let mut expired = Vec::new();
        while let Some((&(at, id), _)) = self.by_expiry.first_key_value() {
            if at > now {
                break;
            }
            let Some(aor) = self.by_expiry.remove(&(at, id)) else {
                break;
            };
            let key = self
                .by_aor
                .get(&aor)
                .and_then(|entries| entries.iter().find(|entry| entry.id == id));
            if let Some(key) = key.map(|entry| entry.binding.key()) {
                expired.extend(self.remove(&aor, &key));
            }
        }
        expired
    }

    /// When the next binding expires.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.by_expiry.first_key_value().map(|(&(at, _), _)| at)
    }
}
