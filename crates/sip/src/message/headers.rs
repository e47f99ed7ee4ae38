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
//! Invariant: `text` only grows, so that a piece of it stays what it is; `names` are those of
//! `entries`.

use bytes::Bytes;

use crate::decimal::{Digits, decimal};
use crate::header::ViaRef;
use crate::header::name::{NameId, NameSet};
use crate::message::entry::{Entry, Line, Names, Text, offset};
use crate::message::noted::{Noted, Party, TopVia};
use crate::name_addr::NameAddrRef;

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
    /// The fields at `entries` in a message as received, of whose head this is the length and of whose start line, with its end.
    pub(super) fn received(
        message: &Bytes,
        head: usize,
        start_line: usize,
        entries: Vec<Entry>,
    ) -> Self {
        let Ok(head) = std::str::from_utf8(&message[..head]) else {
            return Self::received_raw(message, start_line, entries);
        };
        let mut text = String::with_capacity(head.len() + SPARE_BYTES);
        text.push_str(head);
        Self {
            text,
            raw: Vec::new(),
            start_line: Some(Line::Text(Text::new(0, start_line))),
            names: Names::of(&entries),
            entries,
            noted: Noted::default(),
        }
    }

    /// As [`received`](Self::received), for a head that is no UTF-8.
    fn received_raw(message: &Bytes, start_line: usize, entries: Vec<Entry>) -> Self {
        let mut headers = Self {
            names: Names::of(&entries),
            ..Self::default()
        };
        headers.start_line = Some(headers.keep_raw(message.slice(..start_line)));
        for mut entry in entries {
            let name = String::from_utf8_lossy(&message[entry.name().range()]);
            let value = unfold(&String::from_utf8_lossy(&message[entry.value.range()]));
            if let Line::Text(line) = entry.line {
                entry.line = headers.keep_raw(message.slice(line.range()));
            }
            headers.keep(&name);
            entry.value = headers.keep(&value);
            headers.entries.push(entry);
        }
        headers
    }

    /// Puts the text of each value that is folded behind all lines.
    pub(super) fn unfold(&mut self) {
        for at in 0..self.entries.len() {
            let value = self.read(self.entries[at].value);
            if value.contains('\n') {
                let unfolded = unfold(value);
                self.entries[at].value = self.keep(&unfolded);
            }
        }
    }

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

    /// Keeps in mind where the parts of From and To stand.
    pub(super) fn note_parties(&mut self, [from, to]: [Party; 2]) {
        self.noted.note_parties(from, to);
    }

    /// For [`note_parties`](Self::note_parties): the parts of an address read here, and its tag.
    pub(super) fn party(&self, address: &NameAddrRef<'_>, tag: Option<&str>) -> Party {
        Party::of(address, tag, &self.text)
    }

    /// Keeps in mind where the parts of the topmost Via stand.
    pub(super) fn note_via(&mut self, via: TopVia) {
        self.noted.via = Some(via);
    }

    /// For [`note_via`](Self::note_via): the parts of a Via read here; `None` if they are not to be kept.
    pub(super) fn top_via(&self, via: &ViaRef<'_>) -> Option<TopVia> {
        let place = |part| Text::of(part, &self.text);
        Some(TopVia {
            sent_by: place(via.plain_sent_by()?),
            branch: via.branch().map(place),
        })
    }

    /// Sent-by and branch of the topmost Via; `None` if they are to be read anew.
    pub(crate) fn noted_via(&self) -> Option<(&str, Option<&str>)> {
        let via = self.noted.via?;
        Some((
            self.read(via.sent_by),
            via.branch.map(|branch| self.read(branch)),
        ))
    }

    /// The tag of From or To, if there is one; `None` if it is to be read anew.
    pub(crate) fn noted_tag(&self, name: NameId) -> Option<Option<&str>> {
        let party = self.noted.party(name)?;
        Some(party.tag.map(|tag| self.read(tag)))
    }

    /// The user as written and the host in From or To, if that is a name; `None` if they are to be read anew.
    pub(crate) fn noted_address(&self, name: NameId) -> Option<(&str, &str)> {
        let (user, host) = self.noted.party(name)?.address?;
        Some((self.read(user), self.read(host)))
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
        let entries = match self.contain(name) {
            true => self.entries.as_slice(),
            false => &[],
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

    /// The header fields of these names from another message, name by name, byte for byte; with room
    /// for all others of its and `more` bytes in other fields.
    pub(super) fn copied(names: &[NameId], from: &Self, more: usize) -> Self {
        let mut headers = Self::with_room(names.len() + SPARE, from.text.len() + more);
        for name in names {
            let Some(first) = from.position_of(*name) else {
                continue;
            };
            headers.take_over(&from.entries[first], from);
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

    /// Appends `suffix` to the first value of this name, and to its line as it stands.
    pub(super) fn append_to_value(&mut self, name: NameId, suffix: &str) {
        let Some(at) = self.position_of(name) else {
            return;
        };
        self.noted.edited(Some(name));
        let mut entry = self.entries[at];
        match entry.line {
            Line::Text(line) => {
                let start = self.text.len();
                self.text.extend_from_within(line.range());
                let end = start + without_end(&self.text.as_bytes()[start..]).len();
                self.text.truncate(end);
                self.text.push_str(suffix);
                let value_end = self.text.len();
                self.text.push_str("\r\n");
                let kept = Text::new(start, self.text.len());
                // The value ends where its line does, unless it is folded and lies elsewhere.
                if let Some(moved) = entry.moved(line, start) {
                    self.entries[at] = Entry {
                        line: Line::Text(kept),
                        value: Text::new(moved.value.range().start, value_end),
                        ..moved
                    };
                    return;
                }
                entry.line = Line::Text(kept);
            }
            Line::Raw(raw) => {
                let line = without_end(self.raw_line(raw));
                let line = [line, suffix.as_bytes(), b"\r\n"].concat();
                entry.line = self.keep_raw(line.into());
                // Stands right before the value.
                self.text.extend_from_within(entry.name().range());
            }
        }
        let start = self.text.len();
        self.text.extend_from_within(entry.value.range());
        self.text.push_str(suffix);
        entry.value = Text::new(start, self.text.len());
        self.entries[at] = entry;
    }

    /// Puts what `write` makes of the first value of this name in its place, later ones untouched;
    /// `None` if there is none.
    pub(super) fn rewrite_first<E>(
        &mut self,
        name: NameId,
        write: impl FnOnce(&str, &mut String) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let at = self.position_of(name)?;
        self.noted.edited(Some(name));
        // Lies in the very text that grows.
        let before = self.read(self.entries[at].value).to_owned();
        self.make_room(name.as_str().len() + before.len());
        let start = self.text.len();
        let value_start = self.write_name(name.as_str());
        let written = write(&before, &mut self.text);
        match &written {
            Err(_) => self.text.truncate(start),
            Ok(()) => {
                let entry = self.end_own(Some(name), start, value_start);
                self.entries[at] = entry;
            }
        }
        Some(written)
    }

    /// How many bytes [`Self::write`] writes at most, and nearly always exactly.
    pub(super) fn written_len(&self, body_len: usize) -> usize {
        let lines = self.entries.iter().map(|entry| self.line(entry.line).len());
        let digits = body_len.checked_ilog10().unwrap_or(0) as usize + 1;
        lines.sum::<usize>() + "Content-Length: \r\n".len() + digits
    }

    /// Writes all lines, with one Content-Length that tells `body_len`. Lines that stand side by side are written as one piece.
    pub(super) fn write(&self, body_len: usize, out: &mut Vec<u8>) {
        let mut length_written = false;
        let mut run = 0..0;
        for entry in &self.entries {
            if entry.id == Some(NameId::CONTENT_LENGTH) {
                if std::mem::replace(&mut length_written, true) {
                    continue;
                }
                if self.read(entry.value).parse() != Ok(body_len) {
                    self.write_text(std::mem::take(&mut run), out);
                    write_length(body_len, out);
                    continue;
                }
            }
            match entry.line {
                Line::Text(line) if line.range().start == run.end => run.end = line.range().end,
                Line::Text(line) => {
                    self.write_text(std::mem::replace(&mut run, line.range()), out);
                }
                Line::Raw(at) => {
                    self.write_text(std::mem::take(&mut run), out);
                    out.extend_from_slice(self.raw_line(at));
                }
            }
        }
        self.write_text(run, out);
        if !length_written {
            write_length(body_len, out);
        }
    }

    fn write_text(&self, range: std::ops::Range<usize>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text.as_bytes().get(range).unwrap_or_default());
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

    /// `Name: value` in a line of our own.
    fn write_own(&mut self, name: &str, value: &str) -> Entry {
        self.make_room(name.len() + value.len());
        self.write_own_with(name, |text| text.push_str(value))
    }

    /// The same with the value that `write` adds.
    fn write_own_with(&mut self, name: &str, write: impl FnOnce(&mut String)) -> Entry {
        let id = NameId::find(name.as_bytes());
        let name = match id {
            Some(id) => id.as_str(),
            None => name,
        };
        let start = self.text.len();
        let value_start = self.write_name(name);
        write(&mut self.text);
        let value = self.text.get(value_start..).unwrap_or_default();
        if memchr::memchr2(b'\r', b'\n', value.as_bytes()).is_some() {
            let value = value.replace(['\r', '\n'], " ");
            self.text.truncate(value_start);
            self.text.push_str(&value);
        }
        self.end_own(id, start, value_start)
    }

    /// The beginning of a line of our own. Where the value begins.
    fn write_name(&mut self, name: &str) -> usize {
        self.text.push_str(name);
        self.text.push_str(": ");
        self.text.len()
    }

    /// The end of a line of our own.
    fn end_own(&mut self, id: Option<NameId>, start: usize, value_start: usize) -> Entry {
        let value_end = self.text.len();
        self.text.push_str("\r\n");
        Entry {
            id,
            line: Line::Text(Text::new(start, self.text.len())),
            name_len: offset(value_start - start - ": ".len()),
            value: Text::new(value_start, value_end),
        }
    }

    /// Adds an entry of another message, its line byte for byte.
    fn take_over(&mut self, entry: &Entry, from: &Self) {
        let start = self.text.len();
        let copied = match entry.line {
            Line::Text(line) => {
                self.text.push_str(from.read(line));
                entry.moved(line, start).unwrap_or_else(|| Entry {
                    line: Line::Text(Text::new(start, self.text.len())),
                    value: self.keep(from.read(entry.value)),
                    ..*entry
                })
            }
            Line::Raw(at) => {
                self.keep(from.read(entry.name()));
                Entry {
                    line: self.keep_raw(from.raw_line(at).clone()),
                    value: self.keep(from.read(entry.value)),
                    ..*entry
                }
            }
        };
        self.insert(self.len(), copied);
    }

    /// Room for a line of our own and more, so that the text need not move for the next one.
    fn make_room(&mut self, name_and_value: usize) {
        let line = name_and_value + ": \r\n".len();
        if self.text.capacity() - self.text.len() < line {
            self.text.reserve(line + SPARE_BYTES);
        }
    }

    fn keep(&mut self, text: &str) -> Text {
        let start = self.text.len();
        self.text.push_str(text);
        Text::new(start, self.text.len())
    }

    fn keep_raw(&mut self, line: Bytes) -> Line {
        self.raw.push(line);
        Line::Raw(offset(self.raw.len() - 1))
    }
}

/// Room for what an element usually adds to a message that it received.
const SPARE: usize = 4;
const SPARE_BYTES: usize = 192;

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

/// A line without its end and the blanks before it, which is where its value ends: other control characters belong to the value.
fn without_end(line: &[u8]) -> &[u8] {
    let is_end = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    &line[..line.len() - line.iter().rev().take_while(is_end).count()]
}

/// The pieces of a folded value with one blank between them.
fn unfold(value: &str) -> String {
    let pieces = value
        .split("\r\n")
        .map(crate::header::scan::trim)
        .filter(|piece| !piece.is_empty());
    pieces.collect::<Vec<_>>().join(" ")
}

fn write_length(body_len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Content-Length: ");
    let digits = &mut Digits::default();
    out.extend_from_slice(decimal(body_len as u64, digits).as_bytes());
    out.extend_from_slice(b"\r\n");
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
