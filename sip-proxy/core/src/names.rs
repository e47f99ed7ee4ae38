//! Texts that many have in common, each kept once: domains, tenants, what phones call themselves, our own addresses.
//!
//! Who keeps a name says so and says when he does not keep it any more, so that what nobody keeps is gone.
//!
//! Invariants: a text has one number as long as somebody keeps it. Numbers are given again, the last one that came free first, so they
//! stay small.

use std::collections::HashMap;

/// The texts in use.
#[derive(Debug, Default)]
pub(crate) struct Names {
    entries: Vec<Entry>,
    free: Vec<u32>,
    numbers: HashMap<Box<[u8]>, u32>,
}

#[derive(Debug, Default)]
struct Entry {
    text: Box<[u8]>,
    kept: u32,
}

impl Names {
    /// The number of a text, which one more keeps from now on.
    pub(crate) fn keep(&mut self, text: &[u8]) -> Option<u32> {
        if let Some(number) = self.find(text) {
            self.entries[place(number)].kept += 1;
            return Some(number);
        }
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                let number = u32::try_from(self.entries.len()).ok()?;
                self.entries.push(Entry::default());
                number
            }
        };
        self.entries[place(number)] = Entry {
            text: text.into(),
            kept: 1,
        };
        self.numbers.insert(text.into(), number);
        Some(number)
    }

    /// One less keeps it.
    pub(crate) fn release(&mut self, number: u32) {
        let Some(entry) = self.entries.get_mut(place(number)) else {
            return;
        };
        entry.kept = entry.kept.saturating_sub(1);
        if entry.kept == 0 {
            self.numbers.remove(&*std::mem::take(entry).text);
            self.free.push(number);
        }
    }

    /// The number of a text that somebody keeps.
    pub(crate) fn find(&self, text: &[u8]) -> Option<u32> {
        // One domain, one tenant, one address are the rule.
        if let Some(first) = self.entries.first()
            && *first.text == *text
            && first.kept > 0
        {
            return Some(0);
        }
        self.numbers.get(text).copied()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The text of a number; empty if nobody keeps it.
    pub(crate) fn text(&self, number: u32) -> &[u8] {
        self.entries
            .get(place(number))
            .map_or(&[], |entry| &entry.text)
    }
}

fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_there_as_long_as_somebody_keeps_it() {
        let mut names = Names::default();
        let empty = names.keep(b"").unwrap();
        let one = names.keep(b"acme.test").unwrap();
        assert_eq!(names.keep(b"acme.test"), Some(one));
        let other = names.keep(b"other.test").unwrap();
        assert_eq!(
            (names.text(one), names.text(empty)),
            (&b"acme.test"[..], &b""[..])
        );
        names.release(one);
        assert_eq!(names.find(b"acme.test"), Some(one));
        names.release(one);
        assert_eq!(names.find(b"acme.test"), None);
        assert_eq!(names.find(b"other.test"), Some(other));
        assert_eq!(names.keep(b"third.test"), Some(one));
        names.release(empty);
        assert_eq!(names.find(b""), None);
    }
}
