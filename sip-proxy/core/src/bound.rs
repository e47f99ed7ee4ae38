//! What is bound to one address-of-record, in the clear.
//!
//! A binding is known by its instance-id and reg-id where the contact has them (RFC 5626, section 6), so that a phone that comes back
//! from another address replaces itself, and by its contact URI otherwise. All bindings of an address-of-record are one record:
//!
//! ```text
//!   0 version │ 1 count │ 2 length of the address │ 4 zeros │ the address-of-record │ bindings, see record.rs
//! ```
//!
//! So it is read and changed, and so it is the row that is kept beyond a restart.
//!
//! Not here: the table of all of them (`binding.rs`), in how few bytes they lie there (`shelved.rs`).

use sip::{Aor, Contact, Destination};

use crate::record::BindingRef;

pub(crate) const VERSION: u8 = 1;

/// Before the address-of-record.
pub(crate) const HEAD: usize = 8;

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
    pub(crate) fn read(aor: &Aor, binding: BindingRef<'_>) -> Option<Self> {
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

/// A binding as an answer shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    /// The Contact value without `expires`, the URI in it, and the instance-id, empty for none.
    pub(crate) contact: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) instance: &'a str,
    /// Of the REGISTER that last touched it.
    pub(crate) call_id: &'a str,
    pub(crate) is_outbound: bool,
    pub(crate) expires: u32,
}

impl<'a> From<BindingRef<'a>> for Shown<'a> {
    fn from(binding: BindingRef<'a>) -> Self {
        Self {
            contact: binding.contact(),
            uri: binding.uri(),
            instance: binding.instance(),
            call_id: binding.call_id(),
            is_outbound: binding.is_outbound(),
            expires: binding.expires(),
        }
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

/// The bindings of an address-of-record at one moment.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Where they lie, if there are any.
    pub(crate) slot: Option<u32>,
    pub(crate) bytes: Vec<u8>,
}

impl Record {
    /// In the order in which they were made.
    pub(crate) fn iter(&self) -> impl Iterator<Item = BindingRef<'_>> + Clone {
        bindings_in(&self.bytes)
    }

    /// Whether it is in the table, or there is nothing to be there.
    pub(crate) fn is_kept(&self) -> bool {
        self.slot.is_some() || self.bytes.is_empty()
    }

    /// A number that stays the same as long as the address-of-record has bindings.
    pub(crate) fn slot(&self) -> Option<u32> {
        self.slot
    }
}

/// The record after these edits; `None` if no binding is left.
pub(crate) fn edited(before: &Record, aor: &Aor, edits: &[Edit]) -> Option<Vec<u8>> {
    let text = aor.as_str().as_bytes();
    let added: usize = edits.iter().map(|edit| edit.binding().bytes().len()).sum();
    let mut record = Vec::with_capacity(before.bytes.len().max(HEAD + text.len()) + added);
    record.extend([VERSION, 0]);
    record.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
    record.extend([0; 4]);
    record.extend(text);
    let head = record.len();
    let touches = |edit: &Edit, binding| edit.binding().is_same(binding);
    for binding in before.iter() {
        match edits.iter().rfind(|edit| touches(edit, binding)) {
            None => record.extend(binding.bytes()),
            Some(Edit::Put(new)) => record.extend(&**new),
            Some(Edit::Remove(_)) => {}
        }
    }
    for (at, edit) in edits.iter().enumerate() {
        let is_known = before.iter().any(|binding| touches(edit, binding));
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
pub(crate) fn address(record: &[u8]) -> &[u8] {
    let length = record.get(2..4).and_then(|bytes| bytes.try_into().ok());
    let length = usize::from(u16::from_le_bytes(length.unwrap_or_default()));
    record.get(HEAD..HEAD + length).unwrap_or_default()
}

pub(crate) fn address_in(record: &[u8]) -> Option<&str> {
    std::str::from_utf8(address(record)).ok()
}

pub(crate) fn bindings_in(record: &[u8]) -> impl Iterator<Item = BindingRef<'_>> + Clone {
    let mut rest = record
        .get(HEAD + address(record).len()..)
        .unwrap_or_default();
    std::iter::from_fn(move || {
        let (binding, behind) = BindingRef::split(rest)?;
        rest = behind;
        Some(binding)
    })
}
