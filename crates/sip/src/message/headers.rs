//! The ordered list of header fields.
//!
//! The texts live in `rsip::Headers`; beside each stands the line as it was received, if it was
//! received and not changed since. An untouched line is written back byte for byte, whatever
//! its spelling, folding or encoding; a changed one is written as `Name: value`. So an edit
//! touches its own line and no other.
//!
//! Texts are for reading: folds are one blank, blanks at the ends are cut, bytes that are no
//! UTF-8 are shown as U+FFFD.

use bytes::{BufMut, Bytes, BytesMut};

use crate::header::name;

/// The header fields of a message, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    store: rsip::Headers,
    /// The line as received, its end included; as many as `store` has entries.
    lines: Vec<Option<Bytes>>,
}

impl Headers {
    /// Full names and texts, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.store
            .iter()
            .map(|header| (name::name(header), name::value(header)))
    }

    /// How many header fields there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The text of the first header field of this name, full or compact.
    pub fn first(&self, name: &str) -> Option<&str> {
        let name = name::full(name);
        self.store
            .iter()
            .find(|header| name::name(header).eq_ignore_ascii_case(name))
            .map(name::value)
    }

    /// The texts of all header fields of this name, full or compact, in order.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let name = name::full(name);
        self.store
            .iter()
            .filter(move |header| name::name(header).eq_ignore_ascii_case(name))
            .map(name::value)
    }

    /// Adds a header field at the end. Line ends in the value become blanks: nobody adds a second
    /// header field by way of a value.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.insert(self.len(), name, value.into(), None);
    }

    /// Adds a header field before the others of its name, or before all if there are none: where
    /// Via, Route and Record-Route grow.
    pub fn insert_first(&mut self, name: &str, value: impl Into<String>) {
        let at = self.position(name).unwrap_or(0);
        self.insert(at, name, value.into(), None);
    }

    /// Puts the value in the place of the first header field of this name and removes the others;
    /// adds it at the end if there is none.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        match self.position(name) {
            Some(at) => {
                self.remove(name);
                self.insert(at, name, value.into(), None);
            }
            None => self.push(name, value),
        }
    }

    /// Removes all header fields of this name and tells how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let before = self.len();
        let mut kept = self
            .store
            .iter()
            .map(|header| !name::same(name::name(header), name));
        self.lines.retain(|_| kept.next().unwrap_or(true));
        drop(kept);
        self.store
            .retain(|header| !name::same(name::name(header), name));
        before - self.len()
    }

    /// Appends all header fields of this name from another message, byte for byte.
    pub fn copy(&mut self, name: &str, from: &Self) {
        let name = name::full(name);
        for (header, line) in from.store.iter().zip(&from.lines) {
            if name::name(header).eq_ignore_ascii_case(name) {
                self.store.push(header.clone());
                self.lines.push(line.clone());
            }
        }
    }

    /// A received line and its text.
    pub(super) fn push_received(&mut self, name: &str, value: String, line: Bytes) {
        self.store.push(name::store(name, value));
        self.lines.push(Some(line));
    }

    /// Appends `suffix` to the first value of this name, and to its line as received.
    pub(super) fn append_to_value(&mut self, name: &str, suffix: &str) {
        let Some(at) = self.position(name) else {
            return;
        };
        let line = self.lines[at].as_ref().map(|line| {
            let mut edited = BytesMut::from(line.trim_ascii_end());
            edited.put_slice(suffix.as_bytes());
            edited.put_slice(b"\r\n");
            edited.freeze()
        });
        self.change(|store, lines| {
            let value = format!("{}{suffix}", name::value(&store[at]));
            store[at] = name::store(name, value);
            lines[at] = line;
        });
    }

    /// Puts a text in the place of the first value of this name, later ones untouched.
    pub(super) fn replace_first(&mut self, name: &str, value: String) {
        if let Some(at) = self.position(name) {
            self.change(|store, lines| {
                store[at] = name::store(name, clean(value));
                lines[at] = None;
            });
        }
    }

    /// How many bytes [`Self::write`] writes at most, and nearly always exactly.
    pub(super) fn written_len(&self, body_len: usize) -> usize {
        let lines = self.store.iter().zip(&self.lines);
        let lines = lines.map(|(header, line)| match line {
            Some(line) => line.len(),
            None => name::name(header).len() + name::value(header).len() + ": \r\n".len(),
        });
        let digits = body_len.checked_ilog10().unwrap_or(0) as usize + 1;
        lines.sum::<usize>() + "Content-Length: \r\n".len() + digits
    }

    /// Writes all lines, with one Content-Length that tells `body_len`.
    pub(super) fn write(&self, body_len: usize, out: &mut BytesMut) {
        let mut length_written = false;
        for (header, line) in self.store.iter().zip(&self.lines) {
            let is_length = matches!(header, rsip::Header::ContentLength(_));
            match line {
                _ if is_length && length_written => {}
                Some(line) if !is_length || declares(header, body_len) => out.put_slice(line),
                _ if is_length => write_length(body_len, out),
                _ => {
                    for part in [name::name(header), ": ", name::value(header), "\r\n"] {
                        out.put_slice(part.as_bytes());
                    }
                }
            }
            length_written |= is_length;
        }
        if !length_written {
            write_length(body_len, out);
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        let name = name::full(name);
        self.store
            .iter()
            .position(|header| name::name(header).eq_ignore_ascii_case(name))
    }

    fn insert(&mut self, at: usize, name: &str, value: String, line: Option<Bytes>) {
        let header = name::store(name, clean(value));
        self.change(|store, lines| {
            store.insert(at, header);
            lines.insert(at, line);
        });
    }

    /// `rsip::Headers` has no access by place, but turns into its vector and back for nothing.
    fn change(&mut self, change: impl FnOnce(&mut Vec<rsip::Header>, &mut Vec<Option<Bytes>>)) {
        let mut store = Vec::from(std::mem::take(&mut self.store));
        change(&mut store, &mut self.lines);
        self.store = store.into();
        debug_assert_eq!(
            self.store.iter().count(),
            self.lines.len(),
            "one line beside each header"
        );
    }
}

fn clean(mut value: String) -> String {
    if value.contains(['\r', '\n']) {
        value = value.replace(['\r', '\n'], " ");
    }
    value
}

fn declares(header: &rsip::Header, body_len: usize) -> bool {
    name::value(header).parse() == Ok(body_len)
}

fn write_length(body_len: usize, out: &mut BytesMut) {
    out.put_slice(format!("Content-Length: {body_len}\r\n").as_bytes());
}
