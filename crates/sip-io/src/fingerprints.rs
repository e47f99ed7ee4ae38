//! A set of keyed hashes in few bytes, each a fetch from memory away.
//!
//! Of a hash four bytes are kept, sixteen side by side in what the processor fetches at once. With a hundred thousand in the set a hash that is
//! not is taken for one of them about once in forty thousand looks: good enough to say whose messages wait or are dropped first, and for nothing else.
//!
//! Invariant: of the same line the one that went in first is forgotten first. Lines are split before that is likely.

/// Fingerprints in one line.
const WAYS: usize = 16;

/// Lines are told by as many bits of the fingerprint at first.
const FIRST_BITS: u32 = 4;

/// The youngest first; zero is none.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Line([u32; WAYS]);

/// The set.
#[derive(Debug)]
pub(crate) struct Fingerprints {
    /// Two to the power of `bits`.
    lines: Vec<Line>,
    bits: u32,
    len: usize,
}

impl Default for Fingerprints {
    fn default() -> Self {
        Self {
            lines: vec![Line::default(); 1 << FIRST_BITS],
            bits: FIRST_BITS,
            len: 0,
        }
    }
}

impl Fingerprints {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn contains(&self, hash: u64) -> bool {
        let own = fingerprint(hash);
        self.lines[self.place(own)].0.contains(&own)
    }

    pub(crate) fn insert(&mut self, hash: u64) {
        if !self.contains(hash) {
            self.put(fingerprint(hash));
            self.split();
        }
    }

    pub(crate) fn remove(&mut self, hash: u64) {
        let own = fingerprint(hash);
        let place = self.place(own);
        let Line(line) = &mut self.lines[place];
        if let Some(at) = line.iter().position(|known| *known == own) {
            line[at..].rotate_left(1);
            line[WAYS - 1] = 0;
            self.len -= 1;
        }
    }

    fn put(&mut self, own: u32) {
        let place = self.place(own);
        let Line(line) = &mut self.lines[place];
        line.rotate_right(1);
        if std::mem::replace(&mut line[0], own) == 0 {
            self.len += 1;
        }
    }

    /// Twice the lines once half of their room is taken: hardly ever is one line full then.
    fn split(&mut self) {
        if self.len * 2 <= self.lines.len() * WAYS || self.bits == u32::BITS {
            return;
        }
        self.bits += 1;
        let before = std::mem::take(&mut self.lines);
        self.lines = vec![Line::default(); before.len() * 2];
        self.len = 0;
        for Line(line) in before {
            for own in line.into_iter().rev().filter(|own| *own != 0) {
                self.put(own);
            }
        }
    }

    fn place(&self, own: u32) -> usize {
        usize::try_from(own >> (u32::BITS - self.bits)).unwrap_or_default()
    }
}

fn fingerprint(hash: u64) -> u32 {
    u32::try_from(hash >> u32::BITS).unwrap_or_default().max(1)
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher};

    use super::*;

    fn hash(number: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(number);
        hasher.finish()
    }

    #[test]
    fn what_goes_in_is_there_until_it_goes_out() {
        let mut set = Fingerprints::default();
        for number in 0..100_000 {
            set.insert(hash(number));
            set.insert(hash(number));
        }
        let known = (0..100_000)
            .filter(|number| set.contains(hash(*number)))
            .count();
        assert!(
            known > 99_800 && (99_800..=100_000).contains(&set.len()),
            "{known}"
        );
        let strangers = (200_000..300_000).filter(|number| set.contains(hash(*number)));
        assert!(strangers.count() < 20);
        for number in 0..100_000 {
            set.remove(hash(number));
            assert!(!set.contains(hash(number)));
        }
        assert_eq!(set.len(), 0);
    }

    #[test]
    fn of_a_full_line_the_first_is_forgotten() {
        let mut set = Fingerprints::default();
        let same_line = |number: u64| (number + 1) << u32::BITS;
        let all = 0..=u64::try_from(WAYS).unwrap();
        for number in all.clone() {
            set.insert(same_line(number));
        }
        let kept: Vec<_> = all
            .clone()
            .filter(|number| set.contains(same_line(*number)))
            .collect();
        assert_eq!(kept, all.skip(1).collect::<Vec<_>>());
        assert_eq!(set.len(), WAYS);
    }
}
