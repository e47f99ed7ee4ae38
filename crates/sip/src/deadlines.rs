//! When each of many things wants to be woken, the earliest first.
//!
//! Each thing keeps what it is armed for; [`Deadlines::arm`] brings both in line.
//!
//! Invariant: a key is armed at most once, for the time that its owner keeps.
//!
//! Not here: what happens then, and what the deadline of a thing is (the owners).

use std::collections::BTreeSet;
use std::time::Instant;

/// The deadlines of things that are known by `K`.
#[derive(Clone, Debug)]
pub struct Deadlines<K>(BTreeSet<(Instant, K)>);

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Copy + Ord> Deadlines<K> {
    /// Arms `key` for `deadline`, `None` for never. `armed` is what it was armed for, and then is what it is armed for now.
    pub fn arm(&mut self, key: K, armed: &mut Option<Instant>, deadline: Option<Instant>) {
        if *armed == deadline {
            return;
        }
        if let Some(armed) = *armed {
            self.0.remove(&(armed, key));
        }
        if let Some(deadline) = deadline {
            self.0.insert((deadline, key));
        }
        *armed = deadline;
    }

    /// The earliest of all.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.0.first().map(|&(at, _)| at)
    }

    /// What is due first, if anything is due.
    #[must_use]
    pub fn first_due(&self, now: Instant) -> Option<K> {
        let &(at, key) = self.0.first()?;
        (at <= now).then_some(key)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[expect(
        clippy::disallowed_methods,
        reason = "simulated time must start somewhere"
    )]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn what_is_armed_again_is_due_at_the_new_time_only() {
        let (now, second) = (start(), Duration::from_secs(1));
        let mut deadlines = Deadlines::default();
        let (mut first, mut other) = (None, None);
        deadlines.arm(1, &mut first, Some(now + second));
        deadlines.arm(2, &mut other, Some(now + 2 * second));
        assert_eq!(deadlines.first_due(now), None);
        assert_eq!(deadlines.first_due(now + second), Some(1));
        deadlines.arm(1, &mut first, Some(now + 3 * second));
        assert_eq!(first, Some(now + 3 * second));
        assert_eq!(deadlines.next(), Some(now + 2 * second));
        assert_eq!(deadlines.first_due(now + 3 * second), Some(2));
    }

    #[test]
    fn nothing_is_left_of_what_is_disarmed() {
        let now = start();
        let mut deadlines = Deadlines::default();
        let mut armed = None;
        deadlines.arm(1, &mut armed, Some(now));
        deadlines.arm(1, &mut armed, None);
        assert_eq!((armed, deadlines.next()), (None, None));
        assert!(deadlines.is_empty());
    }
}
