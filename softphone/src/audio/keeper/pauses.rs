//! How long is waited before a missing card is looked for again.

use std::time::Duration;

/// A plug that was pulled by mistake is back in a moment.
const SHORTEST: Duration = Duration::from_millis(200);
/// Who plugs a card in later waits no longer than this; a machine without any is left in peace.
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that double. Looking opens the card, which is work for the whole sound system.
#[derive(Debug)]
pub(super) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(SHORTEST)
    }
}

impl Pauses {
    /// The pause before the next look.
    pub(super) fn pause(&self) -> Duration {
        self.0
    }

    /// It was looked for in vain.
    pub(super) fn grow(&mut self) {
        self.0 = (self.0 * 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When it is looked within this time.
    fn looks(within: Duration) -> Vec<Duration> {
        let (mut pauses, mut now, mut looks) = (Pauses::default(), Duration::ZERO, Vec::new());
        while now + pauses.pause() <= within {
            now += pauses.pause();
            looks.push(now);
            pauses.grow();
        }
        looks
    }

    #[test]
    fn a_card_is_looked_for_soon_and_then_less_and_less_often() {
        let at = looks(Duration::from_millis(6_200)).into_iter();
        let at: Vec<_> = at.map(|at| at.as_millis()).collect();
        assert_eq!(at, [200, 600, 1_400, 3_000, 6_200]);
    }

    #[test]
    fn an_hour_without_a_card_costs_a_look_every_five_seconds() {
        assert_eq!(looks(Duration::from_secs(3_600)).len(), 5 + 718);
    }
}
