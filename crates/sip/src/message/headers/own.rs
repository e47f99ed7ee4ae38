//! Lines of our own: made, changed, and taken over from another message.

use bytes::Bytes;

use super::Headers;
use crate::header::name::NameId;
use crate::message::entry::{Entry, Line, Text, offset};

/// Room for the lines that an element usually adds to a message that it received.
pub(super) const SPARE_BYTES: usize = 192;

impl Headers {
    /// Appends the parts of `suffix` to the first value of this name, and to its line as it stands.
    pub(in crate::message) fn append_to_value(&mut self, name: NameId, suffix: [&str; 2]) {
        let Some(at) = self.position_of(name) else {
            return;
        };
        self.noted.edited(Some(name));
        let mut entry = self.entries[at];
        match entry.line {
            Line::Text(line) => {
                let mut start = line.range().start;
                // The last line grows where it stands.
                if line.range().end != self.text.len() {
                    start = self.text.len();
                    self.text.extend_from_within(line.range());
                }
                let end = start + without_end(&self.text.as_bytes()[start..]).len();
                self.text.truncate(end);
                self.text.extend(suffix);
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
                let [first, second] = suffix.map(str::as_bytes);
                let line = [line, first, second, b"\r\n"].concat();
                entry.line = self.keep_raw(line.into());
                // Stands right before the value.
                self.text.extend_from_within(entry.name().range());
            }
        }
        let start = self.text.len();
        self.text.extend_from_within(entry.value.range());
        self.text.extend(suffix);
        entry.value = Text::new(start, self.text.len());
        self.entries[at] = entry;
    }

    /// Puts what `write` makes of the first value of this name in its place, later ones untouched;
    /// `None` if there is none.
    pub(in crate::message) fn rewrite_first<E>(
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

    /// `Name: value` in a line of our own.
    pub(super) fn write_own(&mut self, name: &str, value: &str) -> Entry {
        self.make_room(name.len() + value.len());
        self.write_own_with(name, |text| text.push_str(value))
    }

    /// The same with the value that `write` adds.
    pub(super) fn write_own_with(&mut self, name: &str, write: impl FnOnce(&mut String)) -> Entry {
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
    pub(super) fn take_over(&mut self, entry: &Entry, from: &Self) {
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

    pub(super) fn keep(&mut self, text: &str) -> Text {
        let start = self.text.len();
        self.text.push_str(text);
        Text::new(start, self.text.len())
    }

    pub(super) fn keep_raw(&mut self, line: Bytes) -> Line {
        self.raw.push(line);
        Line::Raw(offset(self.raw.len() - 1))
    }
}

/// A line without its end and the blanks before it, which is where its value ends: other control characters belong to the value.
fn without_end(line: &[u8]) -> &[u8] {
    let is_end = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    &line[..line.len() - line.iter().rev().take_while(is_end).count()]
}
