//! The ordered list of header fields.
//!
//! ```text
//!   text:  the head as received, one copy          own:  lines that we wrote
//!          "INVITE sip:…\r\nv: SIP/2.0/UDP …\r\n…"       "Via: SIP/2.0/UDP …\r\nServer: …\r\n"
//!              ▲             ▲ ▲                              ▲    ▲
//!   entries:   name number ──┘ └─ value ── line ──────────────┴────┘
//! ```
//!
//! An entry points at its line and, in it, at its value. So reading a message takes the same few
//! allocations whatever it holds, an edit touches its own line and no other, and writing copies
//! lines: an untouched one byte for byte, whatever its spelling, folding or encoding.
//!
//! Texts are for reading: folds are one blank, blanks at the ends are cut, bytes that are no
//! UTF-8 are shown as U+FFFD. Such texts are no part of their line and stand behind it in `own`.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use crate::header::name::{NameId, NameSet};

/// The header fields of a message, in order.
#[derive(Clone, Default)]
pub struct Headers {
    /// The head as received, if all of it is UTF-8.
    text: Option<Arc<str>>,
    /// Lines and texts that are not in `text`.
    own: String,
    /// Lines as received that are no UTF-8, and cannot be in `own`.
    raw: Vec<Bytes>,
    entries: Vec<Entry>,
}

/// One header field.
#[derive(Clone, Copy)]
struct Entry {
    id: Option<NameId>,
    line: Line,
    name: Text,
    value: Text,
}

/// A piece of `text` or `own`.
#[derive(Clone, Copy)]
struct Text {
    place: Place,
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Received,
    Own,
}

/// A line with its end.
#[derive(Clone, Copy)]
enum Line {
    Text(Text),
    /// The place in `raw`.
    Raw(u32),
}

/// Where the parts of a received line stand in the message.
pub(super) struct ReceivedLine {
    /// With its end.
    pub(super) line: (usize, usize),
    pub(super) name: (usize, usize),
    /// Blanks at its ends cut; whole, if the line is folded.
    pub(super) value: (usize, usize),
    pub(super) is_folded: bool,
}

impl Headers {
    /// For a message with this head, of which `lines` header fields are to be pushed.
    pub(super) fn for_received(head: &str, lines: usize) -> Self {
        Self {
            text: Some(head.into()),
            entries: Vec::with_capacity(lines + SPARE),
            ..Self::default()
        }
    }

    /// None yet, with room for so many and so many bytes in them.
    pub(super) fn with_room(count: usize, bytes: usize) -> Self {
        Self {
            own: String::with_capacity(bytes),
            entries: Vec::with_capacity(count),
            ..Self::default()
        }
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

    /// The text of the first header field of this name.
    pub(crate) fn first_of(&self, name: NameId) -> Option<&str> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.id == Some(name))?;
        Some(self.read(entry.value))
    }

    /// The texts of all header fields of this name, in order.
    pub(crate) fn all_of(&self, name: NameId) -> impl Iterator<Item = &str> {
        let entries = self.entries.iter();
        entries
            .filter(move |entry| entry.id == Some(name))
            .map(|entry| self.read(entry.value))
    }

    /// The text of the first header field of this name, full or compact.
    pub fn first(&self, name: &str) -> Option<&str> {
        let wanted = Wanted::new(name);
        let entry = self.entries.iter().find(|entry| self.is(entry, wanted))?;
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
        self.entries.push(entry);
    }

    /// Adds a header field before the others of its name, or before all if there are none: where
    /// Via, Route and Record-Route grow.
    pub fn insert_first(&mut self, name: &str, value: impl AsRef<str>) {
        let at = self.position(name).unwrap_or(0);
        let entry = self.write_own(name, value.as_ref());
        self.entries.insert(at, entry);
    }

    /// Puts the value in the place of the first header field of this name and removes the others;
    /// adds it at the end if there is none.
    pub fn set(&mut self, name: &str, value: impl AsRef<str>) {
        let at = self.position(name);
        self.remove(name);
        let entry = self.write_own(name, value.as_ref());
        self.entries.insert(at.unwrap_or(self.len()), entry);
    }

    /// Removes all header fields of this name and tells how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let before = self.len();
        let wanted = Wanted::new(name);
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| !self.is(entry, wanted));
        self.entries = entries;
        before - self.len()
    }

    /// Appends all header fields of this name from another message, byte for byte.
    pub fn copy(&mut self, name: &str, from: &Self) {
        let wanted = Wanted::new(name);
        for entry in from.entries.iter().filter(|entry| from.is(entry, wanted)) {
            let copied = self.take_over(entry, from);
            self.entries.push(copied);
        }
    }

    /// A line of the head that this was made for.
    pub(super) fn push_received(&mut self, received: &ReceivedLine) {
        let piece = |(start, end)| Text::new(Place::Received, start, end);
        let name = piece(received.name);
        let mut value = piece(received.value);
        if received.is_folded {
            let text = unfold(self.read(value));
            value = self.keep(&text);
        }
        self.entries.push(Entry {
            id: NameId::find(self.read(name)),
            line: Line::Text(piece(received.line)),
            name,
            value,
        });
    }

    /// A line of a head that is no UTF-8.
    pub(super) fn push_raw(&mut self, line: Bytes, name: &str, value: &[u8]) {
        let text = unfold(&String::from_utf8_lossy(value));
        let entry = Entry {
            id: NameId::find(name),
            line: self.keep_raw(line),
            name: self.keep(name),
            value: self.keep(&text),
        };
        self.entries.push(entry);
    }

    /// The header fields of these names from another message, name by name, byte for byte; with room
    /// for `more` bytes in other fields.
    pub(super) fn copied(names: &[NameId], from: &Self, more: usize) -> Self {
        let is_copied = |entry: &&Entry| entry.id.is_some_and(|id| names.contains(&id));
        let copied = from.entries.iter().filter(is_copied);
        let (count, bytes) = copied.fold((0, 0), |(count, bytes), entry| {
            (count + 1, bytes + from.line(entry).len())
        });
        let mut headers = Self {
            own: String::with_capacity(bytes + more),
            entries: Vec::with_capacity(count + SPARE),
            ..Self::default()
        };
        for name in names {
            for entry in from.entries.iter().filter(|entry| entry.id == Some(*name)) {
                let entry = headers.take_over(entry, from);
                headers.entries.push(entry);
            }
        }
        headers
    }

    /// The first of `names` that stands more than once.
    pub(super) fn first_repeated(&self, names: NameSet) -> Option<NameId> {
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
    pub(super) fn append_to_value(&mut self, name: &str, suffix: &str) {
        let Some(at) = self.position(name) else {
            return;
        };
        let mut entry = self.entries[at];
        match entry.line {
            Line::Text(line) => {
                let start = self.own.len();
                self.keep_again(line);
                let end = start + without_end(&self.own.as_bytes()[start..]).len();
                self.own.truncate(end);
                self.own.push_str(suffix);
                let value_end = self.own.len();
                self.own.push_str("\r\n");
                let kept = Text::new(Place::Own, start, self.own.len());
                entry.line = Line::Text(kept);
                // The value ends where its line does, unless it is folded and lies elsewhere.
                if let Some(value) = kept.part(entry.value, line) {
                    entry.value = Text::new(Place::Own, value.range().start, value_end);
                    self.entries[at] = entry;
                    return;
                }
            }
            Line::Raw(raw) => {
                let mut line = BytesMut::from(without_end(self.raw_line(raw)));
                line.put_slice(suffix.as_bytes());
                line.put_slice(b"\r\n");
                entry.line = self.keep_raw(line.freeze());
            }
        }
        let value = [self.read(entry.value), suffix].concat();
        entry.value = self.keep(&value);
        self.entries[at] = entry;
    }

    /// Puts what `write` makes of the first value of this name in its place, later ones untouched;
    /// `None` if there is none.
    pub(super) fn rewrite_first<E>(
        &mut self,
        name: NameId,
        write: impl FnOnce(&str, &mut String) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let mut entries = self.entries.iter();
        let at = entries.position(|entry| entry.id == Some(name))?;
        let before = self.entries[at].value;
        self.make_room(name.as_str().len() + before.range().len());
        let mut own = std::mem::take(&mut self.own);
        // A value in a line of our own lies in the very text that grows.
        let copied = (before.place == Place::Own)
            .then(|| own.get(before.range()).unwrap_or_default().to_owned());
        let value = copied.as_deref().unwrap_or_else(|| self.read(before));
        let start = own.len();
        own.push_str(name.as_str());
        own.push_str(": ");
        let value_start = own.len();
        let written = write(value, &mut own);
        let value_end = own.len();
        match &written {
            Err(_) => own.truncate(start),
            Ok(()) => {
                own.push_str("\r\n");
                let piece = |start, end| Text::new(Place::Own, start, end);
                self.entries[at] = Entry {
                    id: Some(name),
                    line: Line::Text(piece(start, own.len())),
                    name: piece(start, value_start - ": ".len()),
                    value: piece(value_start, value_end),
                };
            }
        }
        self.own = own;
        Some(written)
    }

    /// How many bytes [`Self::write`] writes at most, and nearly always exactly.
    pub(super) fn written_len(&self, body_len: usize) -> usize {
        let lines = self.entries.iter().map(|entry| self.line(entry).len());
        let digits = body_len.checked_ilog10().unwrap_or(0) as usize + 1;
        lines.sum::<usize>() + "Content-Length: \r\n".len() + digits
    }

    /// Writes all lines, with one Content-Length that tells `body_len`.
    pub(super) fn write(&self, body_len: usize, out: &mut BytesMut) {
        let mut length_written = false;
        for entry in &self.entries {
            if entry.id != Some(NameId::CONTENT_LENGTH) {
                out.put_slice(self.line(entry));
            } else if !length_written {
                length_written = true;
                match self.read(entry.value).parse() == Ok(body_len) {
                    true => out.put_slice(self.line(entry)),
                    false => write_length(body_len, out),
                }
            }
        }
        if !length_written {
            write_length(body_len, out);
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        let wanted = Wanted::new(name);
        self.entries.iter().position(|entry| self.is(entry, wanted))
    }

    fn is(&self, entry: &Entry, wanted: Wanted<'_>) -> bool {
        match wanted {
            Wanted::Known(id) => entry.id == Some(id),
            Wanted::Other(name) => {
                entry.id.is_none() && self.read(entry.name).eq_ignore_ascii_case(name)
            }
        }
    }

    fn name(&self, entry: &Entry) -> &str {
        match entry.id {
            Some(id) => id.as_str(),
            None => self.read(entry.name),
        }
    }

    fn read(&self, text: Text) -> &str {
        let whole = match text.place {
            Place::Received => self.text.as_deref().unwrap_or_default(),
            Place::Own => &self.own,
        };
        whole.get(text.range()).unwrap_or_default()
    }

    fn line(&self, entry: &Entry) -> &[u8] {
        match entry.line {
            Line::Text(line) => self.read(line).as_bytes(),
            Line::Raw(at) => self.raw_line(at),
        }
    }

    fn raw_line(&self, at: u32) -> &Bytes {
        &self.raw[at as usize]
    }

    /// `Name: value` in a line of our own.
    fn write_own(&mut self, name: &str, value: &str) -> Entry {
        let id = NameId::find(name);
        let name = match id {
            Some(id) => id.as_str(),
            None => name,
        };
        self.make_room(name.len() + value.len());
        let start = self.own.len();
        self.own.push_str(name);
        let name_end = self.own.len();
        self.own.push_str(": ");
        let value_start = self.own.len();
        if value.contains(['\r', '\n']) {
            self.own.push_str(&value.replace(['\r', '\n'], " "));
        } else {
            self.own.push_str(value);
        }
        let value_end = self.own.len();
        self.own.push_str("\r\n");
        let piece = |start, end| Text::new(Place::Own, start, end);
        Entry {
            id,
            line: Line::Text(piece(start, self.own.len())),
            name: piece(start, name_end),
            value: piece(value_start, value_end),
        }
    }

    /// An entry of another message, its line byte for byte.
    fn take_over(&mut self, entry: &Entry, from: &Self) -> Entry {
        let (name, value) = (from.read(entry.name), from.read(entry.value));
        match entry.line {
            Line::Raw(at) => Entry {
                id: entry.id,
                line: self.keep_raw(from.raw_line(at).clone()),
                name: self.keep(name),
                value: self.keep(value),
            },
            Line::Text(line) => {
                let kept = self.keep(from.read(line));
                Entry {
                    id: entry.id,
                    line: Line::Text(kept),
                    name: kept
                        .part(entry.name, line)
                        .unwrap_or_else(|| self.keep(name)),
                    value: kept
                        .part(entry.value, line)
                        .unwrap_or_else(|| self.keep(value)),
                }
            }
        }
    }

    /// Room for a line of our own, so that its parts need not be copied when the next one is written.
    fn make_room(&mut self, name_and_value: usize) {
        let line = name_and_value + ": \r\n".len();
        if self.own.capacity() - self.own.len() < line {
            self.own.reserve(line + SPARE_BYTES);
        }
    }

    fn keep(&mut self, text: &str) -> Text {
        let start = self.own.len();
        self.own.push_str(text);
        Text::new(Place::Own, start, self.own.len())
    }

    /// A piece of this message once more, at the end of `own`.
    fn keep_again(&mut self, text: Text) {
        match text.place {
            Place::Own => self.own.extend_from_within(text.range()),
            Place::Received => {
                let whole = self.text.as_deref().unwrap_or_default();
                let piece = whole.get(text.range()).unwrap_or_default();
                self.own.push_str(piece);
            }
        }
    }

    fn keep_raw(&mut self, line: Bytes) -> Line {
        self.raw.push(line);
        Line::Raw(offset(self.raw.len() - 1))
    }
}

/// Room for what an element usually adds to a message that it received.
const SPARE: usize = 4;
const SPARE_BYTES: usize = 128;

impl Text {
    fn new(place: Place, start: usize, end: usize) -> Self {
        Self {
            place,
            start: offset(start),
            end: offset(end),
        }
    }

    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The piece of this copy of `line` that `part` is of `line` itself; `None` if it is no piece.
    fn part(self, part: Self, line: Self) -> Option<Self> {
        let is_inside =
            part.place == line.place && part.start >= line.start && part.end <= line.end;
        is_inside.then(|| Self {
            place: self.place,
            start: self.start + (part.start - line.start),
            end: self.start + (part.end - line.start),
        })
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("a message is shorter than 4 GiB")
}

/// A name that is looked for.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Known(NameId),
    Other(&'a str),
}

impl<'a> Wanted<'a> {
    fn new(name: &'a str) -> Self {
        NameId::find(name).map_or(Self::Other(name), Self::Known)
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

fn write_length(body_len: usize, out: &mut BytesMut) {
    out.put_slice(b"Content-Length: ");
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = body_len;
    loop {
        at -= 1;
        digits[at] = b"0123456789"[rest % 10];
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.put_slice(&digits[at..]);
    out.put_slice(b"\r\n");
}

/// Same names, texts and lines in the same order.
impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        let lines = |headers: &Self| -> Vec<Vec<u8>> {
            let entries = headers.entries.iter();
            entries.map(|entry| headers.line(entry).to_vec()).collect()
        };
        self.iter().eq(other.iter()) && lines(self) == lines(other)
    }
}

impl Eq for Headers {}

impl std::fmt::Debug for Headers {
    /// People's addresses and secrets stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Headers({})", self.len())
    }
}
