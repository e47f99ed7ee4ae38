//! Providers as they described themselves last, for when so many sign-ins begin at once that asking each time would be too much.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::Provider;

/// By issuer. Bounded: what is too old goes first, and then nothing new is remembered.
#[derive(Default)]
pub(crate) struct KnownProviders(Mutex<HashMap<String, Known>>);

struct Known {
    provider: Arc<Provider>,
    since: Instant,
}

impl KnownProviders {
    pub(crate) fn remember(&self, issuer: &str, provider: Arc<Provider>, now: Instant) {
        let mut known = self.lock();
        if known.len() >= MAX_KNOWN && !known.contains_key(issuer) {
            known.retain(|_, known| known.is_fresh(now));
            if known.len() >= MAX_KNOWN {
                return;
            }
        }
        let since = now;
        known.insert(issuer.to_owned(), Known { provider, since });
    }

    pub(crate) fn recall(&self, issuer: &str, now: Instant) -> Option<Arc<Provider>> {
        let known = self.lock();
        let known = known.get(issuer).filter(|known| known.is_fresh(now))?;
        Some(Arc::clone(&known.provider))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_fresh(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < LIFE
    }
}

const MAX_KNOWN: usize = 10_000;
const LIFE: Duration = Duration::from_secs(10 * 60);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn provider(issuer: &str) -> Arc<Provider> {
        let description = json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/a"),
            "token_endpoint": format!("{issuer}/t"), "jwks_uri": format!("{issuer}/k")});
        Arc::new(Provider::of(serde_json::from_value(description).unwrap()).unwrap())
    }

    #[test]
    fn the_last_description_serves_for_a_while() {
        let (known, now) = (KnownProviders::default(), Instant::now());
        let (first, second) = (
            provider("https://one.example"),
            provider("https://one.example"),
        );
        let is = |found: Option<Arc<Provider>>, expected: &Arc<Provider>| {
            found.is_some_and(|found| Arc::ptr_eq(&found, expected))
        };
        assert!(known.recall("one", now).is_none());
        known.remember("one", Arc::clone(&first), now);
        assert!(is(known.recall("one", now), &first));
        assert!(known.recall("two", now).is_none());
        known.remember("one", Arc::clone(&second), now + LIFE / 2);
        assert!(is(known.recall("one", now + LIFE), &second));
        assert!(known.recall("one", now + LIFE / 2 + LIFE).is_none());
    }

    #[test]
    fn no_more_than_fit_are_remembered() {
        let (known, now) = (KnownProviders::default(), Instant::now());
        let one = provider("https://one.example");
        for number in 0..=MAX_KNOWN {
            known.remember(&number.to_string(), Arc::clone(&one), now);
        }
        let last = MAX_KNOWN.to_string();
        assert!(known.recall(&last, now).is_none());
        known.remember(&last, Arc::clone(&one), now + LIFE);
        assert!(known.recall(&last, now + LIFE).is_some());
    }
}
