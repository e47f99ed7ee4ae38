//! Header fields as they come in, and what is noted of them.

use bytes::Bytes;

use super::Headers;
use super::own::SPARE_BYTES;
use crate::header::ViaRef;
use crate::header::name::NameId;
use crate::message::entry::{Entry, Line, Names, Text};
use crate::message::noted::{Noted, Party, TopVia};
use crate::name_addr::NameAddrRef;

impl Headers {
    /// The fields at `entries` in a message as received, of whose head this is the length and of whose start line, with its end.
    pub(in crate::message) fn received(
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
    pub(in crate::message) fn unfold(&mut self) {
        for at in 0..self.entries.len() {
            let value = self.read(self.entries[at].value);
            if value.contains('\n') {
                let unfolded = unfold(value);
                self.entries[at].value = self.keep(&unfolded);
            }
        }
    }

    /// Keeps in mind where the parts of From and To stand.
    pub(in crate::message) fn note_parties(&mut self, [from, to]: [Party; 2]) {
        self.noted.note_parties(from, to);
    }

    /// For [`note_parties`](Self::note_parties): the parts of an address read here, and its tag.
    pub(in crate::message) fn party(&self, address: &NameAddrRef<'_>, tag: Option<&str>) -> Party {
        Party::of(address, tag, &self.text)
    }

    /// Keeps in mind where the parts of the topmost Via stand.
    pub(in crate::message) fn note_via(&mut self, via: TopVia) {
        self.noted.via = Some(via);
    }

    /// For [`note_via`](Self::note_via): the parts of a Via read here; `None` if they are not to be kept.
    pub(in crate::message) fn top_via(&self, via: &ViaRef<'_>) -> Option<TopVia> {
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
}

/// The pieces of a folded value with one blank between them.
fn unfold(value: &str) -> String {
    let pieces = value
        .split("\r\n")
        .map(crate::header::scan::trim)
        .filter(|piece| !piece.is_empty());
    pieces.collect::<Vec<_>>().join(" ")
}
