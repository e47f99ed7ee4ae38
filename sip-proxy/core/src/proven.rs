//! On which flows which accounts were proven lately.
//!
//! A fingerprint for each, eight of them side by side in what the processor fetches from memory at once: whoever is proven again costs one
//! look and no writing.
//!
//! Invariant: of the same line the one that was proven first is forgotten first, and the lines are bounded.
//!
//! Not here: what proof is good for (`guessing.rs`).

use std::hash::{BuildHasher, RandomState};

use sip::{Aor, Flow};

/// Fingerprints in one line.
const WAYS: usize = 8;

/// Two megabytes; twice as many accounts as are remembered find room.
const MAX_LINES: usize = 32_768;

const MIN_LINES: usize = 16;

/// Fingerprints, the youngest first; zero is none.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Line([u64; WAYS]);

/// Accounts and the flows on which they were proven.
#[derive(Debug)]
pub(crate) struct Proven {
    lines: Vec<Line>,
    len: usize,
    hasher: RandomState,
}

impl Default for Proven {
    fn default() -> Self {
        Self {
            lines: vec![Line::default(); MIN_LINES],
            len: 0,
            hasher: RandomState::new(),
        }
    }
}

impl Proven {
    pub(crate) fn insert(&mut self, aor: &Aor, flow: &Flow) {
        self.put(self.fingerprint(aor, flow));
    }

    pub(crate) fn contains(&self, aor: &Aor, flow: &Flow) -> bool {
        let fingerprint = self.fingerprint(aor, flow);
        self.lines[self.place(fingerprint)].0.contains(&fingerprint)
    }

    fn fingerprint(&self, aor: &Aor, flow: &Flow) -> u64 {
        self.hasher.hash_one((aor, flow)).max(1)
    }

    fn put(&mut self, fingerprint: u64) {
        let place = self.place(fingerprint);
        let Line(line) = &mut self.lines[place];
        if line.contains(&fingerprint) {
            return;
        }
        line.rotate_right(1);
        let forgotten = std::mem::replace(&mut line[0], fingerprint);
        if forgotten == 0 {
            self.len += 1;
            self.grow();
        }
    }

    /// Twice the lines once a quarter of them is full: hardly ever is one line full then.
    fn grow(&mut self) {
        let count = self.lines.len();
        if self.len * 4 <= count * WAYS || count == MAX_LINES {
            return;
        }
        let before = std::mem::replace(&mut self.lines, vec![Line::default(); count * 2]);
        self.len = 0;
        for Line(line) in before {
            for fingerprint in line.into_iter().rev().filter(|known| *known != 0) {
                let place = self.place(fingerprint);
                let Line(line) = &mut self.lines[place];
                line.rotate_right(1);
                line[0] = fingerprint;
                self.len += 1;
            }
        }
    }

    fn place(&self, fingerprint: u64) -> usize {
        let mask = self.lines.len() - 1;
        usize::try_from(fingerprint).unwrap_or(usize::MAX) & mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proof_counts_for_its_account_on_its_flow_only() {
        let aor = |user: &str| Aor::parse(&format!("sip:{user}@acme.test")).unwrap();
        let flow = |port: u16| Flow {
            transport: sip::Transport::Udp,
            local: ([127, 0, 0, 1], 5060).into(),
            peer: ([127, 0, 0, 1], port).into(),
            generation: 0,
        };
        let mut proven = Proven::default();
        proven.insert(&aor("1001"), &flow(1));
        assert!(proven.contains(&aor("1001"), &flow(1)));
        assert!(!proven.contains(&aor("1001"), &flow(2)));
        assert!(!proven.contains(&aor("1002"), &flow(1)));
    }

    #[test]
    fn all_are_kept_while_there_is_room_and_the_first_of_a_line_goes_first() {
        let mut proven = Proven::default();
        let is_kept =
            |proven: &Proven, known: u64| proven.lines[proven.place(known)].0.contains(&known);
        // Numbers that are spread as hashes are.
        let spread = |number: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7 | 1;
        for number in 0..50_000 {
            proven.put(spread(number));
            proven.put(spread(number));
        }
        let kept = (0..50_000).filter(|number| is_kept(&proven, spread(*number)));
        assert!(kept.count() > 49_900);
        for number in 0..400_000 {
            proven.put(spread(number));
        }
        assert_eq!(proven.lines.len(), MAX_LINES);
        let same_line = |number: u64| (number + 1) << 40;
        for number in 0..=8 {
            proven.put(same_line(number));
        }
        let kept: Vec<_> = (0..=8)
            .filter(|number| is_kept(&proven, same_line(*number)))
            .collect();
        assert_eq!(kept, [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
