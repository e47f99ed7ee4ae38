//! The ordered list of header fields.
//!
//! ```text
//!   text:  the head as received, then lines that we wrote
//!          "INVITE sip:…\r\nv: SIP/2.0/UDP …\r\n…\r\nVia: SIP/2.0/UDP …\r\nServer: …\r\n"
//!                           ▲  ▲                      ▲    ▲
//!   entries:  name number ──┘  └─ value ── line ──────┴────┘
//! ```
//!
//! An entry points at its line and, in it, at its value. So reading a message takes the same few
//! allocations whatever it holds, an edit touches its own line and no other, and writing copies
//! lines: an untouched one byte for byte, whatever its spelling, folding or encoding.
//!
//! Texts are for reading: folds are one blank, blanks at the ends are cut, bytes that are no
//! UTF-8 are shown as U+FFFD. Such texts are no part of their line and stand behind all lines.
//!
//! `received.rs` is what comes in, `own.rs` the lines that we write, `write.rs` the way out, this file
//! the list and its edits.
//!
//! Invariant: `text` only grows, at its end or in its last line, so that a piece of it stays what it is; `names` are those of
//! `entries`.

mod own;
mod received;
mod write;

use bytes::Bytes;

use crate::header::name::{NameId, NameSet};
use crate::message::entry::{Entry, Line, Names, Text};
use crate::message::noted::Noted;

/// The header fields of a message, in order.
#[derive(Clone, Default)]
pub struct Headers {
    /// The head as received, if all of it is UTF-8; then lines and texts that are not in it.
    text: String,
    /// Lines as received that are no UTF-8, and cannot be in `text`.
    raw: Vec<Bytes>,
    /// The line above the header fields, as received.
    start_line: Option<Line>,
    entries: Vec<Entry>,
    names: Names,
    noted: Noted,
}

impl Headers {
    /// None yet, with room for so many and so many bytes in them.
    pub(super) fn with_room(count: usize, bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            entries: Vec::with_capacity(count),
            ..Self::default()
        }
    }

    /// The line above the header fields as received, its end included; empty if the message was built.
    pub(super) fn start_line(&self) -> &[u8] {
        self.start_line.map_or(&[], |line| self.line(line))
    }

    /// Full names and texts, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|entry| (self.name(entry), self.read(entry.value)))
    }

    /// How many header fields there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether there is a header field of this name.
    pub(crate) fn contain(&self, name: NameId) -> bool {
        self.names.contain(name)
    }

    /// Whether there is more than one header field of this name.
    pub(crate) fn repeat(&self, name: NameId) -> bool {
        self.names.repeats(name)
    }

    /// The text of the first header field of this name.
    pub(crate) fn first_of(&self, name: NameId) -> Option<&str> {
        let entry = &self.entries[self.position_of(name)?];
        Some(self.read(entry.value))
    }

    /// The texts of all header fields of this name, in order.
    pub(crate) fn all_of(&self, name: NameId) -> impl Iterator<Item = &str> {
        let entries = match self.position_of(name) {
            None => &[],
            Some(at) if self.repeat(name) => &self.entries[at..],
            Some(at) => &self.entries[at..=at],
        };
        entries
            .iter()
            .filter(move |entry| entry.id == Some(name))
            .map(|entry| self.read(entry.value))
    }

    /// The text of the first header field of this name, full or compact.
    pub fn first(&self, name: &str) -> Option<&str> {
        let entry = &self.entries[self.position(Wanted::new(name))?];
        Some(self.read(entry.value))
    }

    /// The texts of all header fields of this name, full or compact, in order.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let wanted = Wanted::new(name);
        self.entries
            .iter()
            .filter(move |entry| self.is(entry, wanted))
            .map(|entry| self.read(entry.value))
    }

    /// Adds a header field at the end. Line ends in the value become blanks: nobody adds a second
    /// header field by way of a value.
    pub fn push(&mut self, name: &str, value: impl AsRef<str>) {
        let entry = self.write_own(name, value.as_ref());
        self.insert(self.len(), entry);
    }

    /// The same with a value that `write` adds to the text that it is given.
    pub fn push_with(&mut self, name: &str, write: impl FnOnce(&mut String)) {
        let entry = self.write_own_with(name, write);
        self.insert(self.len(), entry);
    }

    /// Adds a header field before the others of its name, or before all if there are none: where
    /// Via, Route and Record-Route grow.
    pub fn insert_first(&mut self, name: &str, value: impl AsRef<str>) {
        let at = self.position(Wanted::new(name)).unwrap_or(0);
        let entry = self.write_own(name, value.as_ref());
        self.insert(at, entry);
    }

    /// Puts the value in the place of the first header field of this name and removes the others;
    /// adds it at the end if there is none.
    pub fn set(&mut self, name: &str, value: impl AsRef<str>) {
        let at = self.position(Wanted::new(name));
        self.remove(name);
        let entry = self.write_own(name, value.as_ref());
        self.insert(at.unwrap_or(self.len()), entry);
    }

    /// Removes all header fields of this name and tells how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let before = self.len();
        let wanted = Wanted::new(name);
        let Some(first) = self.position(wanted) else {
            return 0;
        };
        self.noted.edited(self.entries[first].id);
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| !self.is(entry, wanted));
        self.names = Names::of(&entries);
        self.entries = entries;
        before - self.len()
    }

    /// Appends all header fields of this name from another message, byte for byte.
    pub fn copy(&mut self, name: &str, from: &Self) {
        let wanted = Wanted::new(name);
        for entry in from.entries.iter().filter(|entry| from.is(entry, wanted)) {
            self.take_over(entry, from);
        }
    }

    /// Gives back the room that is not needed.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    /// The header fields of these names from another message, name by name, byte for byte but for the
    /// tag that To is given; with room for all others of its and `more` bytes in other fields.
    pub(super) fn copied(names: &[NameId], from: &Self, to_tag: Option<&str>, more: usize) -> Self {
        let mut headers = Self::with_room(names.len() + SPARE, from.text.len() + more);
        for name in names {
            let Some(first) = from.position_of(*name) else {
                continue;
            };
            headers.take_over(&from.entries[first], from);
            if let Some(tag) = to_tag.filter(|_| *name == NameId::TO) {
                headers.append_to_value(NameId::TO, [";tag=", tag]);
            }
            if from.repeat(*name) {
                let later = from.entries[first + 1..].iter();
                for entry in later.filter(|entry| entry.id == Some(*name)) {
                    headers.take_over(entry, from);
                }
            }
        }
        headers
    }

    /// The first of `names` that stands more than once.
    pub(super) fn first_repeated(&self, names: NameSet) -> Option<NameId> {
        if !self.names.repeat(names) {
            return None;
        }
        let mut seen = NameSet::none();
        let ids = self.entries.iter().filter_map(|entry| entry.id);
        for id in ids.filter(|id| names.contains(*id)) {
            if seen.contains(id) {
                return Some(id);
            }
            seen.insert(id);
        }
        None
    }

    fn position_of(&self, name: NameId) -> Option<usize> {
        if !self.contain(name) {
            return None;
        }
        let mut entries = self.entries.iter();
        entries.position(|entry| entry.id == Some(name))
    }

    fn position(&self, wanted: Wanted<'_>) -> Option<usize> {
        match wanted {
            Wanted::Known(id) => self.position_of(id),
            Wanted::Other(_) => {
                let mut entries = self.entries.iter();
                entries.position(|entry| self.is(entry, wanted))
            }
        }
    }

    fn is(&self, entry: &Entry, wanted: Wanted<'_>) -> bool {
        match wanted {
            Wanted::Known(id) => entry.id == Some(id),
            Wanted::Other(name) => {
                entry.id.is_none() && self.read(entry.name()).eq_ignore_ascii_case(name)
            }
        }
    }

    fn name(&self, entry: &Entry) -> &str {
        match entry.id {
            Some(id) => id.as_str(),
            None => self.read(entry.name()),
        }
    }

    fn read(&self, text: Text) -> &str {
        self.text.get(text.range()).unwrap_or_default()
    }

    fn line(&self, line: Line) -> &[u8] {
        match line {
            Line::Text(line) => self.read(line).as_bytes(),
            Line::Raw(at) => self.raw_line(at),
        }
    }

    fn raw_line(&self, at: u32) -> &Bytes {
        &self.raw[at as usize]
    }

    fn insert(&mut self, at: usize, entry: Entry) {
        self.names.add(entry.id);
        self.noted.edited(entry.id);
        self.entries.insert(at, entry);
    }
}

/// Room for the header fields that an element usually adds to those that it copied.
const SPARE: usize = 4;

/// A name that is looked for.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Known(NameId),
    Other(&'a str),
}

impl<'a> Wanted<'a> {
    fn new(name: &'a str) -> Self {
        NameId::find(name.as_bytes()).map_or(Self::Other(name), Self::Known)
    }
}

/// Same start lines as received, names, texts and lines in the same order.
impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        let lines = |headers: &Self| -> Vec<Vec<u8>> {
            let entries = headers.entries.iter();
            entries
                .map(|entry| headers.line(entry.line).to_vec())
                .collect()
        };
        self.start_line() == other.start_line()
            && self.iter().eq(other.iter())
            && lines(self) == lines(other)
    }
}

impl Eq for Headers {}

impl std::fmt::Debug for Headers {
    /// People's addresses and secrets stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Headers({})", self.len())
    }
}
