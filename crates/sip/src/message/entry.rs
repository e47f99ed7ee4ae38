//! Where one header field stands: its line, and in it its name and its value.

use crate::header::name::{NameId, NameSet};

/// One header field.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) id: Option<NameId>,
    pub(super) line: Line,
    /// The name begins the line; that of a line that is no text stands right before the value.
    pub(super) name_len: u32,
    /// Without blanks at its ends and without folds: behind all lines, if it is not in its own as it is to be read.
    pub(super) value: Text,
}

/// A line with its end.
#[derive(Clone, Copy)]
pub(super) enum Line {
    Text(Text),
    /// The place among the lines that are no UTF-8.
    Raw(u32),
}

/// A piece of the text of a message.
#[derive(Clone, Copy)]
pub(super) struct Text {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Entry {
    /// The place of the name in the text.
    pub(super) fn name(&self) -> Text {
        let start = match self.line {
            Line::Text(line) => line.start,
            Line::Raw(_) => self.value.start - self.name_len,
        };
        Text {
            start,
            end: start + self.name_len,
        }
    }

    /// The same entry where its line begins at `start`; `None` if the value is not in the line, which then stays where it is.
    pub(super) fn moved(self, line: Text, start: usize) -> Option<Self> {
        let is_inside = self.value.start >= line.start && self.value.end < line.end;
        is_inside.then(|| Self {
            line: Line::Text(line.moved(line.start, start)),
            value: self.value.moved(line.start, start),
            ..self
        })
    }
}

impl Text {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self {
            start: offset(start),
            end: offset(end),
        }
    }

    /// The place of `part` in the text that it is part of.
    pub(super) fn of(part: &str, text: &str) -> Self {
        let start = part.as_ptr().addr() - text.as_ptr().addr();
        Self::new(start, start + part.len())
    }

    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// As far behind `to` as this piece is behind `from`.
    fn moved(self, from: u32, to: usize) -> Self {
        let to = offset(to);
        Self {
            start: to + (self.start - from),
            end: to + (self.end - from),
        }
    }
}

pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("a message is shorter than 4 GiB")
}

/// Which names stand among the entries, and which more than once.
#[derive(Clone, Copy)]
pub(super) struct Names {
    present: NameSet,
    repeated: NameSet,
}

impl Names {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut names = Self::default();
        for entry in entries {
            names.add(entry.id);
        }
        names
    }

    pub(super) fn add(&mut self, id: Option<NameId>) {
        if let Some(id) = id {
            if self.present.contains(id) {
                self.repeated.insert(id);
            }
            self.present.insert(id);
        }
    }

    pub(super) fn contain(&self, id: NameId) -> bool {
        self.present.contains(id)
    }

    pub(super) fn repeats(&self, id: NameId) -> bool {
        self.repeated.contains(id)
    }

    /// Whether one of `names` stands more than once.
    pub(super) fn repeat(&self, names: NameSet) -> bool {
        self.repeated.intersects(names)
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            present: NameSet::none(),
            repeated: NameSet::none(),
        }
    }
}
